//! What stands in a frame: the difference between two fields.

use super::field::{Car, Field, HEAD, NUMBERS, Number, TEXTS, X, Z};
use super::{FORMAT, MAX_NUMBER, OPCODE, StandingsError, StandingsHeader};
use crate::channel::ABSENT;
use crate::columns::{Reader, put_varint};
use crate::ids::SessionId;
use crate::limits::{MAX_CARS, MAX_TEXT};
use std::sync::Arc;
use uuid::Uuid;

pub(super) fn header(reader: &mut Reader<'_>) -> Result<StandingsHeader, StandingsError> {
    let opcode = reader.byte()?;
    if opcode != OPCODE {
        return Err(StandingsError::Opcode(opcode));
    }
    let format = reader.byte()?;
    if format != FORMAT {
        return Err(StandingsError::Format(format));
    }
    let mut session = [0u8; 16];
    session.copy_from_slice(reader.take(16)?);
    let (number, back) = (reader.varint()?, reader.varint()?);
    if number == 0 || number > MAX_NUMBER || back >= number {
        return Err(StandingsError::Number);
    }
    let base = (back > 0).then(|| number - back);
    Ok(StandingsHeader { session: SessionId(Uuid::from_bytes(session)), number, base })
}

/// Writes what leads from one field to the other, or the whole where there is none before. The session is the same.
pub(super) fn write(before: Option<&Field>, now: &Field, out: &mut Vec<u8>) {
    out.extend([OPCODE, FORMAT]);
    out.extend(now.session.0.as_bytes());
    put_varint(out, now.number);
    put_varint(out, before.map_or(0, |before| now.number - before.number));
    let blank = Field::blank(now.session);
    let before = before.unwrap_or(&blank);
    let head = mask(HEAD.len(), |i| before.head[i] != now.head[i]);
    put_varint(out, head);
    bits(head).for_each(|i| put_number(out, before.head[i], now.head[i]));

    // The cars that stayed have kept their order; all others of before have left, all others of now have joined.
    let (mut left, mut stayed) = (Vec::new(), Vec::with_capacity(now.cars.len()));
    for (i, old) in before.cars.iter().enumerate() {
        match now.cars.get(stayed.len()).filter(|car| car.key == old.key) {
            Some(car) => stayed.push((old, car)),
            None => left.push(i),
        }
    }
    put_places(out, &left, |_, _| ());
    let changed: Vec<usize> = (0..stayed.len()).filter(|i| stayed[*i].0 != stayed[*i].1).collect();
    put_places(out, &changed, |out, i| put_car(out, stayed[i].0, stayed[i].1));
    let joined = &now.cars[stayed.len()..];
    put_varint(out, joined.len() as u64);
    for car in joined {
        put_text(out, Some(&car.key));
        put_car(out, &Car::blank(car.key.clone()), car);
    }
}

fn mask(n: usize, is_set: impl Fn(usize) -> bool) -> u64 {
    (0..n).filter(|i| is_set(*i)).fold(0, |mask, i| mask | 1 << i)
}

fn bits(mask: u64) -> impl Iterator<Item = usize> {
    (0..u64::BITS as usize).filter(move |i| mask >> i & 1 == 1)
}

/// Writes how many, and each as how many were passed over; what belongs to it follows.
fn put_places(out: &mut Vec<u8>, places: &[usize], each: impl Fn(&mut Vec<u8>, usize)) {
    put_varint(out, places.len() as u64);
    let mut next = 0;
    for place in places {
        put_varint(out, (place - next) as u64);
        each(out, *place);
        next = place + 1;
    }
}

fn put_car(out: &mut Vec<u8>, before: &Car, now: &Car) {
    let changed = mask(NUMBERS.len() + TEXTS.len(), |i| match i.checked_sub(NUMBERS.len()) {
        None => before.numbers[i] != now.numbers[i],
        Some(text) => before.texts[text] != now.texts[text],
    });
    put_varint(out, changed);
    for i in bits(changed) {
        match i.checked_sub(NUMBERS.len()) {
            None => put_number(out, before.numbers[i], now.numbers[i]),
            Some(text) => put_text(out, now.texts[text].as_deref()),
        }
    }
}

/// 0 where it is absent, else 1 more than the zigzag coded difference (to 0, where it was absent).
fn put_number(out: &mut Vec<u8>, before: i32, now: i32) {
    if now == ABSENT {
        return put_varint(out, 0);
    }
    let difference = i64::from(now) - base(before);
    put_varint(out, (((difference << 1) ^ (difference >> 63)) as u64) + 1);
}

fn base(before: i32) -> i64 {
    if before == ABSENT { 0 } else { before.into() }
}

/// 0 where it is absent, else 1 more than its length, and its bytes.
fn put_text(out: &mut Vec<u8>, text: Option<&str>) {
    put_varint(out, text.map_or(0, |text| text.len() as u64 + 1));
    out.extend(text.unwrap_or_default().as_bytes());
}

/// Reads what follows the header, onto a field that it applies to. What it leaves behind in case of an error is of no
/// use.
pub(super) fn read(reader: &mut Reader<'_>, field: &mut Field) -> Result<(), StandingsError> {
    let head = read_mask(reader, HEAD.len())?;
    for i in bits(head) {
        field.head[i] = number(reader, field.head[i], &HEAD[i])?;
    }
    let mut i = 0;
    let left = places(reader, field.cars.len(), |_, _| Ok(()))?;
    field.cars.retain(|_| {
        i += 1;
        left.binary_search(&(i - 1)).is_err()
    });
    places(reader, field.cars.len(), |reader, i| car(reader, &mut field.cars[i]))?;
    let joined = reader.varint()?;
    let cars = joined.saturating_add(field.cars.len() as u64);
    if cars > MAX_CARS as u64 {
        return Err(StandingsError::Cars(cars));
    }
    for _ in 0..joined {
        let at = reader.position();
        let mut new = Car::blank(text(reader)?.ok_or(StandingsError::Text(at))?);
        car(reader, &mut new)?;
        field.cars.push(new);
    }
    if joined > 0
        && let Some(key) = field.twice()
    {
        return Err(StandingsError::Twice(key.to_owned()));
    }
    Ok(())
}

fn read_mask(reader: &mut Reader<'_>, known: usize) -> Result<u64, StandingsError> {
    let mask = reader.varint()?;
    if mask >> known == 0 { Ok(mask) } else { Err(StandingsError::Unknown(63 - mask.leading_zeros())) }
}

/// Reads places below `limit`, in ascending order.
fn places(
    reader: &mut Reader<'_>,
    limit: usize,
    mut each: impl FnMut(&mut Reader<'_>, usize) -> Result<(), StandingsError>,
) -> Result<Vec<usize>, StandingsError> {
    let count = reader.varint()?;
    if count > limit as u64 {
        return Err(StandingsError::Cars(count));
    }
    let mut places = Vec::with_capacity(count as usize);
    let mut next = 0u64;
    for _ in 0..count {
        let place = reader.varint()?.saturating_add(next);
        if place >= limit as u64 {
            return Err(StandingsError::Car(place));
        }
        each(reader, place as usize)?;
        places.push(place as usize);
        next = place + 1;
    }
    Ok(places)
}

fn car(reader: &mut Reader<'_>, car: &mut Car) -> Result<(), StandingsError> {
    let at = reader.position();
    for i in bits(read_mask(reader, NUMBERS.len() + TEXTS.len())?) {
        match i.checked_sub(NUMBERS.len()) {
            None => car.numbers[i] = number(reader, car.numbers[i], &NUMBERS[i])?,
            Some(place) => car.texts[place] = text(reader)?,
        }
    }
    if (car.numbers[X] == ABSENT) == (car.numbers[Z] == ABSENT) {
        Ok(())
    } else {
        Err(StandingsError::Value { name: "xz_m", at })
    }
}

fn number(reader: &mut Reader<'_>, before: i32, known: &Number) -> Result<i32, StandingsError> {
    let at = reader.position();
    let wrong = || StandingsError::Value { name: known.name, at };
    let Some(coded) = reader.varint()?.checked_sub(1) else {
        return if known.blank == ABSENT { Ok(ABSENT) } else { Err(wrong()) };
    };
    let difference = (coded >> 1) as i64 ^ -((coded & 1) as i64);
    let now = base(before).checked_add(difference).ok_or_else(wrong)?;
    let is_allowed = (i64::from(known.least)..=i64::from(known.most)).contains(&now);
    if is_allowed { Ok(now as i32) } else { Err(wrong()) }
}

fn text(reader: &mut Reader<'_>) -> Result<Option<Arc<str>>, StandingsError> {
    let at = reader.position();
    let Some(length) = reader.varint()?.checked_sub(1) else { return Ok(None) };
    if length > MAX_TEXT as u64 {
        return Err(StandingsError::Text(at));
    }
    let text = std::str::from_utf8(reader.take(length as usize)?).map_err(|_| StandingsError::Text(at))?;
    // Postgres keeps no NUL in a text.
    if text.contains('\0') { Err(StandingsError::Text(at)) } else { Ok(Some(text.into())) }
}
