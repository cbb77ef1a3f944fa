//! The session's clock and phase.

use serde::{Deserialize, Serialize};

use super::log::SessionKind;

/// When a session ends.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionLength {
    /// When someone has driven this many laps.
    Laps(u32),
    /// After this time (and then at the line).
    Minutes(f64),
}

/// How far a session has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Rolling behind the pace car.
    Formation,
    /// Racing, or free to drive.
    Green,
    /// The flag has fallen; cars finish their lap.
    Chequered,
    /// Nothing more counts.
    Over,
}

#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub index: u32,
    pub kind: SessionKind,
    pub uid: u64,
    pub length: SessionLength,
    pub now_ms: u64,
    /// When racing begins.
    pub green_ms: u64,
    pub phase: Phase,
    pub chequered_ms: u64,
    /// Local yellow by sector until this session time.
    pub yellow_until_ms: [u64; 3],
    pub fastest_ms: Option<u32>,
    /// Seconds since midnight at session time 0.
    pub start_of_day_s: f64,
}

impl Session {
    pub(crate) fn new(index: u32, kind: SessionKind, length: SessionLength, uid: u64) -> Self {
        let rolling = kind == SessionKind::Race;
        Self {
            index,
            kind,
            uid,
            length,
            now_ms: 0,
            green_ms: if rolling { 5_000 } else { 0 },
            phase: if rolling { Phase::Formation } else { Phase::Green },
            chequered_ms: 0,
            yellow_until_ms: [0; 3],
            fastest_ms: None,
            start_of_day_s: 13.5 * 3_600.0 + f64::from(index) * 1_800.0,
        }
    }

    pub(crate) fn now_s(&self) -> f64 {
        self.now_ms as f64 / 1_000.0
    }

    /// Scheduled end, when the session is timed.
    pub(crate) fn end_ms(&self) -> Option<u64> {
        match self.length {
            SessionLength::Minutes(minutes) => Some(self.green_ms + (minutes * 60_000.0) as u64),
            SessionLength::Laps(_) => None,
        }
    }

    pub(crate) fn remaining_s(&self) -> Option<f64> {
        self.end_ms().map(|end| end.saturating_sub(self.now_ms) as f64 / 1_000.0)
    }

    pub(crate) fn max_laps(&self) -> Option<u32> {
        match self.length {
            SessionLength::Laps(laps) => Some(laps),
            SessionLength::Minutes(_) => None,
        }
    }

    /// LMU's `mGamePhase`.
    pub(crate) fn lmu_phase(&self) -> u8 {
        match self.phase {
            Phase::Formation => 3,
            Phase::Green => 5,
            Phase::Chequered | Phase::Over => 8,
        }
    }
}
