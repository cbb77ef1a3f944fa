//! When a car has completed a lap, from one slot's [`LapData`] and [`SessionHistory`].
//!
//! A lap is done when `currentLapNum` goes up by one (or, for the last one, when the result becomes "finished"). Its
//! first two sectors are those of the packet before; the third is the rest. The history, which comes later, corrects what
//! was told and fills in what was lost on the way.
//!
//! Invariants: nothing is told of laps that were done before the car was first seen; after a flashback the laps that were
//! taken back are told again only when they are done again; times are whole milliseconds and never estimated.

use super::super::packet::wire::SplitMs;
use super::super::packet::{LapData, SessionHistory};
use std::collections::VecDeque;

/// A completed lap, as far as the slot knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Done {
    /// Its number, from 1.
    pub lap: u16,
    /// Its time.
    pub time_ms: Option<u32>,
    /// Single sectors.
    pub sectors_ms: [Option<u32>; 3],
    /// Whether the game counts it.
    pub valid: Option<bool>,
    /// It began in the pits.
    pub out_lap: bool,
    /// It ended in the pits.
    pub in_lap: bool,
    /// Position at the line.
    pub position: u16,
    /// Session time at the line.
    pub at_s: f64,
    /// What the car had at the line.
    pub at_line: AtLine,
}

/// What a car had when it crossed the line; fuel and wear of our own car only.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct AtLine {
    /// Fuel.
    pub fuel_kg: Option<f32>,
    /// Wear, FL FR RL RR.
    pub tyre_wear_pct: Option<[f32; 4]>,
    /// Compound as the game names it.
    pub compound: Option<&'static str>,
}

/// How many of the last laps can still be corrected.
const CORRECTABLE: usize = 4;
/// The history has room for a hundred laps; what is beyond is told from [`LapData`] alone.
const HISTORY_LAPS: u8 = 100;
/// A last lap that did not change is this one's only where its time is about that which the clock showed.
const SAME_TIME_SLACK_MS: u32 = 1000;
/// A lap clock beyond this at the first packet of a lap was not started at the line.
const LATE_FIRST_PACKET_MS: u32 = 10_000;

const ACTIVE: u8 = 2;
const FINISHED: u8 = 3;
const IN_GARAGE: u8 = 0;
const OUT_LAP: u8 = 3;

/// One car's laps.
#[derive(Debug, Default)]
pub struct LapTracker {
    before: Option<LapData>,
    first_lap: u8,
    out_lap: bool,
    told: u128,
    recent: VecDeque<Done>,
    best_ms: Option<u32>,
}

impl LapTracker {
    /// Takes a packet. `resync`: the game went back in time, nothing is concluded from a change.
    pub fn see(
        &mut self,
        now: &LapData,
        session_time_s: f64,
        resync: bool,
        at_line: impl FnOnce() -> AtLine,
    ) -> Option<Done> {
        if !now.is_car() {
            *self = Self::default();
            return None;
        }
        let Some(before) = self.before.replace(*now) else {
            self.first_lap = now.current_lap;
            self.out_lap = in_pits(now) || now.driver_status.0 == OUT_LAP;
            return None;
        };
        if resync || now.current_lap < before.current_lap {
            self.rewind(now);
            return None;
        }
        let crossed = now.current_lap > before.current_lap;
        let one_further = before.current_lap.checked_add(1) == Some(now.current_lap);
        let ended = !crossed
            && before.result_status.0 == ACTIVE
            && now.result_status.0 == FINISHED
            && now.last_lap_time_ms != before.last_lap_time_ms;
        let done = ((crossed && one_further) || ended)
            .then(|| self.complete(&before, now, session_time_s))
            .filter(|done| !self.was_told(done.lap))
            .map(|done| Done { at_line: at_line(), ..done });
        if crossed {
            self.out_lap = in_pits(now);
        }
        self.out_lap |= now.driver_status.0 == OUT_LAP;
        if let Some(done) = &done {
            self.tell(done.clone());
        }
        done
    }

    /// Takes the history of this car and tells what it corrects or adds.
    pub fn correct(&mut self, history: &SessionHistory, session_time_s: f64, mut tell: impl FnMut(&Done)) {
        let Some(now) = self.before else { return };
        self.best_ms = history.best_lap_time_ms().or(self.best_ms);
        let over = now.result_status.0 >= FINISHED;
        for (lap, entry) in (1u8..=HISTORY_LAPS).zip(history.laps.iter()) {
            let complete = lap < now.current_lap || (over && lap == now.current_lap);
            if lap < self.first_lap || !complete || entry.lap_time_ms == 0 {
                continue;
            }
            let known = [entry.sector1_time_ms, entry.sector2_time_ms, entry.sector3_time_ms].map(SplitMs::known);
            let lap = u16::from(lap);
            let mut done = match self.recent.iter().find(|done| done.lap == lap) {
                Some(done) => done.clone(),
                None if self.was_told(lap) => continue,
                None => Done {
                    lap,
                    time_ms: None,
                    sectors_ms: [None; 3],
                    valid: None,
                    out_lap: false,
                    in_lap: false,
                    position: now.position.into(),
                    at_s: session_time_s,
                    at_line: AtLine::default(),
                },
            };
            let told = done.clone();
            done.time_ms = Some(entry.lap_time_ms);
            done.valid = Some(entry.valid_bits & 1 != 0);
            for (sector, known) in done.sectors_ms.iter_mut().zip(known) {
                *sector = known.or(*sector);
            }
            if done != told {
                tell(&done);
                self.tell(done);
            }
        }
    }

    /// The last lap that was told.
    #[must_use]
    pub fn last(&self) -> Option<&Done> {
        self.recent.back()
    }

    /// The best lap.
    #[must_use]
    pub fn best_ms(&self) -> Option<u32> {
        self.best_ms
    }

    /// Whether every lap up to this one that could be seen was told.
    #[must_use]
    pub fn is_told_up_to(&self, laps: u8) -> bool {
        self.before.is_none() || (self.first_lap.max(1)..=laps).all(|lap| self.was_told(lap.into()))
    }

    fn complete(&self, before: &LapData, now: &LapData, session_time_s: f64) -> Done {
        let last_ms = now.last_lap_time_ms;
        let is_of_this_lap =
            last_ms != before.last_lap_time_ms || last_ms.abs_diff(before.current_lap_time_ms) < SAME_TIME_SLACK_MS;
        let time_ms = (last_ms > 0 && is_of_this_lap).then_some(last_ms);
        let (s1, s2) = (before.sector1_time_ms.known(), before.sector2_time_ms.known());
        let s3 = time_ms.zip(s1).zip(s2).and_then(|((lap, s1), s2)| lap.checked_sub(s1.checked_add(s2)?));
        let since_the_line_ms = match now.current_lap > before.current_lap {
            true if now.current_lap_time_ms < LATE_FIRST_PACKET_MS => now.current_lap_time_ms,
            _ => 0,
        };
        Done {
            lap: before.current_lap.into(),
            time_ms,
            sectors_ms: [s1, s2, s3.filter(|&s3| s3 > 0)],
            valid: Some(!before.current_lap_invalid),
            out_lap: self.out_lap,
            in_lap: in_pits(before) || in_pits(now),
            position: now.position.into(),
            at_s: session_time_s - f64::from(since_the_line_ms) / 1000.0,
            at_line: AtLine::default(),
        }
    }

    fn rewind(&mut self, now: &LapData) {
        self.recent.retain(|done| done.lap < now.current_lap.into());
        self.told &= bit(now.current_lap.into()).wrapping_sub(1);
        self.first_lap = self.first_lap.min(now.current_lap);
        // It may have been on a lap that was taken back; the history knows.
        self.best_ms = None;
        self.out_lap = in_pits(now) || now.driver_status.0 == OUT_LAP;
    }

    fn tell(&mut self, done: Done) {
        self.told |= bit(done.lap);
        if let (Some(time), Some(true)) = (done.time_ms, done.valid) {
            self.best_ms = Some(self.best_ms.map_or(time, |best| best.min(time)));
        }
        if let Some(same) = self.recent.iter_mut().find(|same| same.lap == done.lap) {
            *same = done;
            return;
        }
        if self.recent.len() == CORRECTABLE {
            self.recent.pop_front();
        }
        self.recent.push_back(done);
    }

    /// Laps beyond the bits are told once each by going up.
    fn was_told(&self, lap: u16) -> bool {
        self.told & bit(lap) != 0 || self.recent.iter().any(|done| done.lap == lap)
    }
}

/// The bit of a lap; none for laps beyond the bits.
fn bit(lap: u16) -> u128 {
    1u128.checked_shl(lap.into()).unwrap_or(0)
}

fn in_pits(data: &LapData) -> bool {
    data.pit_status.0 != 0 || data.driver_status.0 == IN_GARAGE
}

#[cfg(test)]
mod tests;
