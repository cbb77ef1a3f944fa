//! Columns of quantised values as varints: the part that batches on the wire and chunks in storage share.
//!
//! A column is `varint(number << 2 | flags)`, a presence bitmap if [`HAS_GAPS`], then the values that are there: one
//! value if [`CONSTANT`], else the first and the differences of the following, each zigzag coded.
//!
//! Invariant: any input either decodes or gives an error; no length that the input names is allocated before it was
//! checked against a limit.

use crate::channel::ABSENT;

/// Flag: a bitmap (least significant bit first) says which samples have a value.
const HAS_GAPS: u64 = 1;
/// Flag: all values that are there are equal, and only one is written.
const CONSTANT: u64 = 2;

/// Why bytes are not a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ColumnError {
    /// The bytes end within a value.
    #[error("cut short at byte {0}")]
    CutShort(usize),
    /// A number takes more bytes than one of 64 bits can.
    #[error("number too long at byte {0}")]
    NumberTooLong(usize),
    /// A difference leads out of the 32 bits of a value.
    #[error("value out of range at byte {0}")]
    OutOfRange(usize),
}

/// Appends an unsigned number, seven bits a byte, least significant first.
pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a signed number, zigzag coded.
pub fn put_zigzag(out: &mut Vec<u8>, value: i64) {
    put_varint(out, ((value << 1) ^ (value >> 63)) as u64);
}

/// Reads from a slice and remembers where it is.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// A reader at the first byte.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// How many bytes were read.
    #[must_use]
    pub fn position(&self) -> usize {
        self.at
    }

    /// Whether everything was read.
    #[must_use]
    pub fn is_at_end(&self) -> bool {
        self.at == self.bytes.len()
    }

    /// The next byte.
    ///
    /// # Errors
    /// [`ColumnError::CutShort`] at the end.
    pub fn byte(&mut self) -> Result<u8, ColumnError> {
        let byte = *self.bytes.get(self.at).ok_or(ColumnError::CutShort(self.at))?;
        self.at += 1;
        Ok(byte)
    }

    /// The next `n` bytes.
    ///
    /// # Errors
    /// [`ColumnError::CutShort`] where there are fewer.
    pub fn take(&mut self, n: usize) -> Result<&'a [u8], ColumnError> {
        let end = self.at.checked_add(n).ok_or(ColumnError::CutShort(self.at))?;
        let bytes = self.bytes.get(self.at..end).ok_or(ColumnError::CutShort(self.at))?;
        self.at = end;
        Ok(bytes)
    }

    /// An unsigned number.
    ///
    /// # Errors
    /// [`ColumnError`] where it is cut short or longer than 64 bits.
    pub fn varint(&mut self) -> Result<u64, ColumnError> {
        let start = self.at;
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            if shift == 63 && byte > 1 {
                return Err(ColumnError::NumberTooLong(start));
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(ColumnError::NumberTooLong(start))
    }

    /// A signed number.
    ///
    /// # Errors
    /// As [`Reader::varint`].
    pub fn zigzag(&mut self) -> Result<i64, ColumnError> {
        let value = self.varint()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }
}

/// Appends the column of a channel: `values` holds one entry per sample, [`ABSENT`] where there is none. A column
/// without any value is not written; says whether one was.
pub fn put_column(out: &mut Vec<u8>, number: u16, values: impl Iterator<Item = i32> + Clone) -> bool {
    let mut present = values.clone().filter(|v| *v != ABSENT);
    let Some(first) = present.next() else { return false };
    let constant = present.all(|v| v == first);
    let gaps = values.clone().any(|v| v == ABSENT);
    let flags = if gaps { HAS_GAPS } else { 0 } | if constant { CONSTANT } else { 0 };
    put_varint(out, u64::from(number) << 2 | flags);
    if gaps {
        put_bitmap(out, values.clone().map(|v| v != ABSENT));
    }
    if constant {
        put_zigzag(out, i64::from(first));
    } else {
        let mut last = 0i64;
        for value in values.filter(|v| *v != ABSENT) {
            put_zigzag(out, i64::from(value) - last);
            last = i64::from(value);
        }
    }
    true
}

fn put_bitmap(out: &mut Vec<u8>, bits: impl Iterator<Item = bool>) {
    let mut byte = 0u8;
    let mut used = 0;
    for bit in bits {
        byte |= u8::from(bit) << used;
        used += 1;
        if used == 8 {
            out.push(byte);
            (byte, used) = (0, 0);
        }
    }
    if used > 0 {
        out.push(byte);
    }
}

/// Reads a column of `count` samples: calls `put(sample index, value)` for each value that is there and returns the
/// channel's number, which may be one that this version does not know.
///
/// # Errors
/// [`ColumnError`] with the place in the input.
pub fn read_column(
    reader: &mut Reader<'_>,
    count: usize,
    mut put: impl FnMut(u64, usize, i32),
) -> Result<u64, ColumnError> {
    let head = reader.varint()?;
    let number = head >> 2;
    let bitmap = if head & HAS_GAPS == 0 { None } else { Some(reader.take(count.div_ceil(8))?) };
    let is_there = |i: usize| bitmap.is_none_or(|bits| bits.get(i / 8).is_some_and(|b| b >> (i % 8) & 1 == 1));
    let mut last = 0i64;
    let mut started = false;
    for i in (0..count).filter(|i| is_there(*i)) {
        if !(started && head & CONSTANT != 0) {
            let at = reader.position();
            last = last.checked_add(reader.zigzag()?).ok_or(ColumnError::OutOfRange(at))?;
            if last <= i64::from(ABSENT) || last > i64::from(i32::MAX) {
                return Err(ColumnError::OutOfRange(at));
            }
            started = true;
        }
        put(number, i, last as i32);
    }
    Ok(number)
}
