//! The field as the frames carry it: numbers in steps, texts within their limit, cars in a table.
//!
//! Quantising happens here and once: differences are between steps, so that they add up to what a keyframe would say.
//! The table is in the order in which the cars became known; the order of the positions follows from the numbers.

use crate::channel::ABSENT;
use crate::ids::{CarKey, SessionId};
use crate::limits::{MAX_CARS, MAX_TEXT};
use crate::race::{CarStanding, FinishState, Phase, PitState, Standings};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Steps in a metre, of places and distances.
const PER_METRE: f64 = 4.0;
/// Steps in a second: times are milliseconds.
const PER_SECOND: f64 = 1000.0;
/// Steps in a percent.
const PER_PERCENT: f64 = 10.0;

/// What a number on the wire may be. Its bit in a mask is its place in [`HEAD`] or [`NUMBERS`].
#[derive(Debug)]
pub(super) struct Number {
    pub(super) name: &'static str,
    pub(super) least: i32,
    pub(super) most: i32,
    /// What it is before it was told: [`ABSENT`] where it may be that.
    pub(super) blank: i32,
}

const fn optional(name: &'static str, least: i32, most: i32) -> Number {
    Number { name, least, most, blank: ABSENT }
}

const fn always(name: &'static str, least: i32, most: i32) -> Number {
    Number { name, least, most, blank: 0 }
}

const LEAST: i32 = -i32::MAX;
const MOST: i32 = i32::MAX;
const U16: i32 = u16::MAX as i32;

/// The numbers of the whole field.
pub(super) const HEAD: [Number; 4] = [
    always("at_s", LEAST, MOST),
    optional("time_left_s", LEAST, MOST),
    always("phase", 0, PHASES.len() as i32 - 1),
    always("yellow_sectors", 0, 0b111),
];

/// The numbers of a car: those that change with every frame first.
pub(super) const NUMBERS: [Number; 23] = [
    optional("lap_distance_m", LEAST, MOST),
    optional("x", LEAST, MOST),
    optional("z", LEAST, MOST),
    optional("gap_s", LEAST, MOST),
    optional("interval_s", LEAST, MOST),
    optional("virtual_energy_pct", LEAST, MOST),
    optional("sector", 0, u8::MAX as i32),
    optional("current_sectors_ms", 0, MOST),
    optional("current_sectors_ms", 0, MOST),
    always("laps", 0, U16),
    always("position", 0, U16),
    optional("class_position", 0, U16),
    optional("last_lap_ms", 0, MOST),
    optional("best_lap_ms", 0, MOST),
    optional("last_sectors_ms", 0, MOST),
    optional("last_sectors_ms", 0, MOST),
    optional("last_sectors_ms", 0, MOST),
    optional("gap_laps", 0, U16),
    optional("interval_laps", 0, U16),
    always("pit", 0, PITS.len() as i32 - 1),
    always("pit_stops", 0, U16),
    always("penalties", 0, U16),
    always("finish", 0, FINISHES.len() as i32 - 1),
];

/// Places among the numbers. Of the map's coordinates both are there, or neither.
pub(super) const X: usize = 1;
pub(super) const Z: usize = 2;
const POSITION: usize = 10;

/// The texts of a car, whose bits follow those of the numbers.
pub(super) const TEXTS: [&str; 6] = ["driver", "number", "entrant", "car_name", "class", "compound"];

// A name's number is its place.
const PHASES: [Phase; 8] = [
    Phase::Before,
    Phase::Formation,
    Phase::Green,
    Phase::FullCourseYellow,
    Phase::VirtualSafetyCar,
    Phase::Stopped,
    Phase::Over,
    Phase::Paused,
];
const PITS: [PitState; 6] =
    [PitState::Track, PitState::Requested, PitState::Entering, PitState::Stopped, PitState::Exiting, PitState::Garage];
const FINISHES: [FinishState; 4] =
    [FinishState::Running, FinishState::Finished, FinishState::Retired, FinishState::Disqualified];

/// The field after some frame. Cheap to clone: texts are shared.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    pub(super) session: SessionId,
    pub(super) number: u64,
    pub(super) head: [i32; HEAD.len()],
    pub(super) cars: Vec<Car>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Car {
    pub(super) key: Arc<str>,
    pub(super) numbers: [i32; NUMBERS.len()],
    pub(super) texts: [Option<Arc<str>>; TEXTS.len()],
}

impl Car {
    /// A car of which nothing was told yet.
    pub(super) fn blank(key: Arc<str>) -> Self {
        Self { key, numbers: NUMBERS.map(|number| number.blank), texts: Default::default() }
    }

    fn of(key: Arc<str>, car: &CarStanding, before: Option<&Self>) -> Self {
        let [x, z] = car.xz_m.filter(|xz| xz.iter().all(|m| m.is_finite())).map_or([None; 2], |xz| xz.map(Some));
        let [current_1, current_2] = car.current_sectors_ms;
        let [last_1, last_2, last_3] = car.last_sectors_ms;
        let told = [
            Some(car.driver.as_str()).filter(|driver| !driver.is_empty()),
            car.number.as_deref(),
            car.entrant.as_deref(),
            car.car_name.as_deref(),
            car.class.as_deref(),
            car.compound.as_deref(),
        ];
        let mut texts: [Option<Arc<str>>; TEXTS.len()] = Default::default();
        for (i, text) in told.into_iter().enumerate() {
            texts[i] = text.map(|text| shared(text, before.and_then(|before| before.texts[i].as_ref())));
        }
        Self {
            key,
            numbers: [
                steps(car.lap_distance_m, PER_METRE),
                steps(x, PER_METRE),
                steps(z, PER_METRE),
                steps(car.gap_s, PER_SECOND),
                steps(car.interval_s, PER_SECOND),
                steps(car.virtual_energy_pct, PER_PERCENT),
                car.sector.map_or(ABSENT, i32::from),
                ms(current_1),
                ms(current_2),
                car.laps.into(),
                car.position.into(),
                car.class_position.map_or(ABSENT, i32::from),
                ms(car.last_lap_ms),
                ms(car.best_lap_ms),
                ms(last_1),
                ms(last_2),
                ms(last_3),
                car.gap_laps.map_or(ABSENT, i32::from),
                car.interval_laps.map_or(ABSENT, i32::from),
                place_of(&PITS, &car.pit),
                car.pit_stops.into(),
                car.penalties.into(),
                place_of(&FINISHES, &car.finish),
            ],
            texts,
        }
    }

    fn standing(&self) -> CarStanding {
        let [distance, x, z, gap, interval, energy, sector, current_1, current_2, laps, position, class_position, ..] =
            self.numbers;
        let [.., last, best, last_1, last_2, last_3, gap_laps, interval_laps, pit, stops, penalties, finish] =
            self.numbers;
        let [driver, number, entrant, car_name, class, compound] =
            self.texts.each_ref().map(|text| text.as_deref().map(str::to_owned));
        CarStanding {
            car: CarKey(self.key.to_string()),
            number,
            driver: driver.unwrap_or_default(),
            entrant,
            car_name,
            class,
            position: whole(position).unwrap_or_default(),
            class_position: whole(class_position),
            laps: whole(laps).unwrap_or_default(),
            sector: whole(sector),
            lap_distance_m: value(distance, PER_METRE),
            gap_s: value(gap, PER_SECOND),
            gap_laps: whole(gap_laps),
            interval_s: value(interval, PER_SECOND),
            interval_laps: whole(interval_laps),
            last_lap_ms: whole(last),
            best_lap_ms: whole(best),
            last_sectors_ms: [whole(last_1), whole(last_2), whole(last_3)],
            current_sectors_ms: [whole(current_1), whole(current_2)],
            pit: at(&PITS, pit, PitState::Track),
            pit_stops: whole(stops).unwrap_or_default(),
            penalties: whole(penalties).unwrap_or_default(),
            finish: at(&FINISHES, finish, FinishState::Running),
            compound,
            virtual_energy_pct: value(energy, PER_PERCENT),
            xz_m: value(x, PER_METRE).zip(value(z, PER_METRE)).map(|(x, z)| [x, z]),
        }
    }
}

impl Field {
    /// The field with this number: cars that were there before keep their order in the table, others follow. Of two cars
    /// with one key the first counts.
    pub(super) fn of(session: SessionId, number: u64, standings: &Standings, before: Option<&Self>) -> Self {
        let mut told: HashMap<Cow<'_, str>, &CarStanding> = HashMap::with_capacity(standings.cars.len());
        for car in standings.cars.iter().take(MAX_CARS) {
            told.entry(clean(&car.car.0)).or_insert(car);
        }
        let known = before.into_iter().flat_map(|before| &before.cars);
        let kept = known.filter_map(|old| Some(Car::of(old.key.clone(), told.remove(&*old.key)?, Some(old))));
        let mut cars: Vec<Car> = kept.collect();
        let new = standings.cars.iter().filter_map(|car| {
            let (key, car) = told.remove_entry(&*clean(&car.car.0))?;
            Some(Car::of(key.into(), car, None))
        });
        cars.extend(new);
        Self { session, number, head: head(standings), cars }
    }

    /// A field of which nothing was told yet.
    pub(super) fn blank(session: SessionId) -> Self {
        Self { session, number: 0, head: HEAD.map(|number| number.blank), cars: Vec::new() }
    }

    /// The session.
    #[must_use]
    pub fn session(&self) -> SessionId {
        self.session
    }

    /// Number of the frame that it stands after.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// What it says: cars in the order of their position, those that have none last.
    #[must_use]
    pub fn standings(&self) -> Standings {
        let [at_ms, time_left_ms, phase, yellow] = self.head;
        let mut order: Vec<&Car> = self.cars.iter().collect();
        order.sort_by_key(|car| (car.numbers[POSITION] == 0, car.numbers[POSITION]));
        Standings {
            at_s: f64::from(at_ms) / PER_SECOND,
            time_left_s: (time_left_ms != ABSENT).then(|| f64::from(time_left_ms) / PER_SECOND),
            phase: at(&PHASES, phase, Phase::Before),
            yellow_sectors: (1..=3).filter(|sector| yellow >> (sector - 1) & 1 == 1).collect(),
            cars: order.into_iter().map(Car::standing).collect(),
        }
    }

    /// A key that stands twice in the table.
    pub(super) fn twice(&self) -> Option<&str> {
        let mut seen = HashSet::with_capacity(self.cars.len());
        self.cars.iter().map(|car| &*car.key).find(|key| !seen.insert(*key))
    }
}

fn head(standings: &Standings) -> [i32; HEAD.len()] {
    let sectors = standings.yellow_sectors.iter().filter(|sector| (1..=3).contains(*sector));
    [
        // NaN becomes 0, as the time is never absent.
        (standings.at_s * PER_SECOND).round().clamp(LEAST.into(), MOST.into()) as i32,
        steps(standings.time_left_s, PER_SECOND),
        place_of(&PHASES, &standings.phase),
        sectors.fold(0, |bits, sector| bits | 1 << (sector - 1)),
    ]
}

fn steps(value: Option<impl Into<f64>>, per_unit: f64) -> i32 {
    let value = value.map(Into::into).filter(|value: &f64| value.is_finite());
    value.map_or(ABSENT, |value| (value * per_unit).round().clamp(LEAST.into(), MOST.into()) as i32)
}

fn value(steps: i32, per_unit: f64) -> Option<f32> {
    (steps != ABSENT).then(|| (f64::from(steps) / per_unit) as f32)
}

fn ms(value: Option<u32>) -> i32 {
    value.map_or(ABSENT, |ms| i32::try_from(ms).unwrap_or(MOST))
}

fn whole<T: TryFrom<i32>>(steps: i32) -> Option<T> {
    T::try_from(steps).ok().filter(|_| steps != ABSENT)
}

fn place_of<T: PartialEq>(names: &[T], name: &T) -> i32 {
    names.iter().position(|other| other == name).unwrap_or_default() as i32
}

fn at<T: Copy>(names: &[T], place: i32, otherwise: T) -> T {
    usize::try_from(place).ok().and_then(|place| names.get(place)).copied().unwrap_or(otherwise)
}

/// A text as it may stand on the wire: no NUL, at most [`MAX_TEXT`] bytes.
fn clean(text: &str) -> Cow<'_, str> {
    let text = if text.contains('\0') { text.replace('\0', "").into() } else { Cow::Borrowed(text) };
    let end = text.floor_char_boundary(MAX_TEXT);
    match text {
        Cow::Borrowed(text) => text[..end].into(),
        Cow::Owned(text) => text[..end].to_owned().into(),
    }
}

/// The text, which is most often the one of before.
fn shared(text: &str, before: Option<&Arc<str>>) -> Arc<str> {
    match before.filter(|before| ***before == *text) {
        Some(before) => before.clone(),
        None => clean(text).into(),
    }
}
