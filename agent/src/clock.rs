//! The agent's clock: the one place where it asks the system for the time.

use crate::raw::Stamp;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// A clock that began when the agent did.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// A clock that begins now.
    #[must_use]
    pub fn start() -> Self {
        Self { start: Instant::now() }
    }

    /// Now, both ways.
    #[must_use]
    pub fn stamp(&self) -> Stamp {
        Stamp { unix_ms: unix_ms(), mono_ms: self.mono_ms() }
    }

    /// Milliseconds since the clock began.
    #[must_use]
    pub fn mono_ms(&self) -> u64 {
        self.start.elapsed().as_millis() as u64
    }

    /// The instant that many milliseconds after the clock began.
    #[must_use]
    pub fn instant(&self, mono_ms: u64) -> Instant {
        // A deadline that no clock reaches is as good as a day.
        let from_now = mono_ms.saturating_sub(self.mono_ms()).min(86_400_000);
        Instant::now() + std::time::Duration::from_millis(from_now)
    }
}

/// Milliseconds since the Unix epoch by the PC's clock; 0 on a PC whose clock is before it.
#[must_use]
pub fn unix_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64)
}
