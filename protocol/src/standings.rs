//! The field in binary frames: what changed since the frame before, and the whole (a keyframe) now and then.
//!
//! ```text
//! u8      opcode        0x05
//! u8      format        1
//! [16]    session       UUID
//! varint  number        from 1; greater than that of any frame of the session before it
//! varint  back          0: a keyframe, which stands alone; else the frame applies to the field after frame number − back
//! varint  mask          of at, time left, phase, yellow sectors: which are there
//! numbers               those
//! varint  left          cars that are gone: how many, and for each how many of the table were passed over (varint)
//! varint  changed       cars that stayed and changed: how many; each: how many were passed over, then what changed
//! varint  joined        new cars, at the end of the table: how many; each: its key, a text, then what is known
//!
//! what changed: varint mask, then the numbers and texts whose bit is set
//! number:       varint; 0: absent; else 1 + zigzag(difference in steps; to 0 where it was absent)
//! text:         varint; 0: absent; else 1 + its length, and so many bytes of UTF-8
//! ```
//!
//! Steps: places and distances 0.25 m, times 1 ms, percent 0.1, all else 1; at most 31 bits and a sign. Which numbers and
//! texts there are, in the order of their bits, is in the tables of `field`; absent is told apart from 0 and from empty,
//! but for the driver, who is empty where absent. The cars come out in the order of their position.
//!
//! An agent sends frames with back 0 or 1; the service makes others for viewers who want fewer of them. A side that has
//! not the frame that another applies to needs a keyframe, and says so.
//!
//! Invariants: what was decoded equals what was quantised, however many differences lie between; any bytes either decode
//! or give an error, and nothing is allocated by a length that was not checked against a limit.

use crate::columns::{ColumnError, Reader};
use crate::ids::SessionId;
use crate::limits::MAX_CARS;
use crate::race::Standings;

mod field;
mod frame;

pub use field::Field;

/// First byte of a frame of standings.
pub const OPCODE: u8 = 0x05;
/// Layout version, second byte.
pub const FORMAT: u8 = 1;
/// Greatest number of a frame: a whole number in a browser.
pub const MAX_NUMBER: u64 = (1 << 53) - 1;

/// Why bytes are no frame of standings, or cannot be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StandingsError {
    /// The first byte names another kind of frame.
    #[error("opcode {0} is not a frame of standings")]
    Opcode(u8),
    /// The layout version is not known.
    #[error("standings format {0} is not known, this side reads format {FORMAT}")]
    Format(u8),
    /// The frame's number, or that of the frame which it applies to, is out of range.
    #[error("the frame's number is out of range")]
    Number,
    /// The frame that it applies to is not what is here. Nothing was changed.
    #[error("applies to frame {base}, which is not here: a keyframe is needed")]
    NeedKeyframe {
        /// Number of the frame that it applies to.
        base: u64,
    },
    /// More cars than there are, or than the limit.
    #[error("{0} cars are more than there can be, the most is {MAX_CARS}")]
    Cars(u64),
    /// A place outside of the table.
    #[error("there is no car at place {0}")]
    Car(u64),
    /// A car comes twice.
    #[error("car \"{0}\" comes twice")]
    Twice(String),
    /// A bit of a mask that this version does not know.
    #[error("field {0} is not known")]
    Unknown(u32),
    /// A number is out of its range, or absent where it may not be.
    #[error("{name} out of range at byte {at}")]
    Value {
        /// Which.
        name: &'static str,
        /// Where it begins.
        at: usize,
    },
    /// A text is too long, is not UTF-8, holds a NUL, or is absent where it may not be.
    #[error("not a text at byte {0}")]
    Text(usize),
    /// Bytes follow the last car.
    #[error("{0} bytes after the last car")]
    Trailing(usize),
    /// A number is broken.
    #[error(transparent)]
    Column(#[from] ColumnError),
}

/// What stands before the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StandingsHeader {
    /// The session.
    pub session: SessionId,
    /// The frame's number.
    pub number: u64,
    /// Number of the frame that it applies to; absent in a keyframe.
    pub base: Option<u64>,
}

/// Reads the header alone.
///
/// # Errors
/// [`StandingsError`] where the bytes are not the beginning of a frame.
pub fn peek(bytes: &[u8]) -> Result<StandingsHeader, StandingsError> {
    frame::header(&mut Reader::new(bytes))
}

impl Field {
    /// The whole as a frame, with the number of the frame that it stands after: whoever decodes it goes on as if it had
    /// had all before.
    #[must_use]
    pub fn keyframe(&self) -> Vec<u8> {
        let mut out = Vec::new();
        frame::write(None, self, &mut out);
        out
    }

    /// A frame that leads from an earlier field to this one; the whole where the other is none of this session's.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Vec<u8> {
        let mut out = Vec::new();
        let is_earlier = earlier.session == self.session && earlier.number < self.number;
        frame::write(Some(earlier).filter(|_| is_earlier), self, &mut out);
        out
    }
}

/// Makes frames: keeps what it has told.
#[derive(Debug)]
pub struct Encoder {
    told: Option<Field>,
    next: u64,
}

impl Encoder {
    /// An encoder whose first frame gets this number; it must be greater than all that the session had before.
    #[must_use]
    pub fn new(first: u64) -> Self {
        Self { told: None, next: first.clamp(1, MAX_NUMBER) }
    }

    /// The next frame: what changed, or a keyframe if it is the first of the session or after [`Encoder::forget`].
    #[must_use]
    pub fn encode(&mut self, session: SessionId, standings: &Standings) -> Vec<u8> {
        let before = self.told.take().filter(|told| told.session == session);
        let now = Field::of(session, self.next, standings, before.as_ref());
        self.next = (self.next + 1).min(MAX_NUMBER);
        let frame = before.map_or_else(|| now.keyframe(), |before| now.since(&before));
        self.told = Some(now);
        frame
    }

    /// The next frame will be a keyframe.
    pub fn forget(&mut self) {
        self.told = None;
    }

    /// What was told last.
    #[must_use]
    pub fn field(&self) -> Option<&Field> {
        self.told.as_ref()
    }
}

/// Applies frames.
#[derive(Debug, Default)]
pub struct Decoder {
    field: Option<Field>,
}

impl Decoder {
    /// Applies a frame. One that is broken costs what was known: the next has to be a keyframe.
    ///
    /// # Errors
    /// [`StandingsError`] says what is wrong and where; [`StandingsError::NeedKeyframe`] leaves everything as it was.
    pub fn apply(&mut self, bytes: &[u8]) -> Result<&Field, StandingsError> {
        let mut reader = Reader::new(bytes);
        let header = frame::header(&mut reader)?;
        let mut field = match header.base {
            None => Field::blank(header.session),
            Some(base) => {
                let is_it = |field: &mut Field| field.session == header.session && field.number == base;
                self.field.take_if(is_it).ok_or(StandingsError::NeedKeyframe { base })?
            }
        };
        self.field = None;
        field.number = header.number;
        frame::read(&mut reader, &mut field)?;
        if !reader.is_at_end() {
            return Err(StandingsError::Trailing(bytes.len() - reader.position()));
        }
        Ok(self.field.insert(field))
    }

    /// What is known.
    #[must_use]
    pub fn field(&self) -> Option<&Field> {
        self.field.as_ref()
    }
}
