//! What a game gave, before anything was understood: the unit of a recording and the input of every [`Reader`].

use crate::reading::Reading;
use std::net::SocketAddr;

/// When something was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Milliseconds since the Unix epoch, by the PC's clock. May jump.
    pub unix_ms: u64,
    /// Milliseconds since the agent (or the recording) began. Never goes back.
    pub mono_ms: u64,
}

/// One thing that a game gave.
#[derive(Debug, Clone, PartialEq)]
pub enum Raw {
    /// A consistent copy of `LMU_Data`, [`crate::source::lmu::image::SIZE`] bytes.
    LmuImage(Vec<u8>),
    /// The mapping is not there (any more).
    LmuGone,
    /// A body of LMU's REST API.
    Rest {
        /// The path, from the agent's closed list.
        path: String,
        /// HTTP status; 0 where no answer came.
        status: u16,
        /// The body as it came.
        body: Vec<u8>,
    },
    /// A UDP datagram.
    Datagram {
        /// Who sent it.
        from: SocketAddr,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// Time has passed and nothing came: a reader notices here that a game has gone silent.
    Tick,
}

impl Raw {
    /// Bytes that it holds, about.
    #[must_use]
    pub fn size(&self) -> usize {
        let held = match self {
            Self::LmuImage(bytes) | Self::Datagram { bytes, .. } => bytes.len(),
            Self::Rest { path, body, .. } => path.len() + body.len(),
            Self::LmuGone | Self::Tick => 0,
        };
        held + size_of::<Self>()
    }
}

/// Turns what a game gave into readings. Pure: no clock, no I/O; the same input gives the same readings, live or from a
/// recording.
pub trait Reader: Send {
    /// Takes one input and appends what it says to `out`.
    fn read(&mut self, at: Stamp, raw: &Raw, out: &mut Vec<Reading>);
}
