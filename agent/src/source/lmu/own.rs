//! Our car between two scoring updates: the number of its lap and its distance since the line, at telemetry's pace.
//!
//! The game tells both in scoring only, five times a second; telemetry counts laps from a number of its own. Its count is
//! aligned with scoring's while neither has just changed, and the distance is carried on by the speed.

use super::image::{Car, Scoring, Vehicle};
use super::normalise::forward_mps;

/// Time after the line during which scoring may not have caught up with telemetry, ms.
const SETTLED_MS: u64 = 1_000;
/// Longest time over which a distance is carried on, s.
const LONGEST_S: f64 = 5.0;
/// A step back by less than this is the error of carrying on, m.
const JITTER_M: f64 = 5.0;

/// Number of the lap and distance since the line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OnLap {
    /// From 1.
    pub lap: i32,
    /// Metres; absent in the pit lane, where the game counts otherwise.
    pub distance_m: Option<f64>,
}

/// What is remembered of our lap.
#[derive(Debug, Default)]
pub struct OwnLap {
    counted: Option<Counted>,
    last: Option<OnLap>,
    validity: Validity,
}

#[derive(Debug, Clone, Copy)]
struct Counted {
    number: i32,
    changed_ms: u64,
    /// What makes telemetry's number a lap from 1.
    offset: i32,
}

#[derive(Debug, Default)]
struct Validity {
    lap_start_et: f64,
    current_is_invalid: bool,
    last_was_invalid: bool,
}

impl OwnLap {
    /// Takes an image and tells lap and distance.
    pub fn look(&mut self, now_ms: u64, scoring: &Scoring<'_>, vehicle: &Vehicle<'_>, car: &Car<'_>) -> OnLap {
        let in_scoring = i32::from(vehicle.total_laps()).saturating_add(1);
        let lap = self.count(now_ms, car.lap_number(), in_scoring);
        let mut distance_m = carried_on(scoring, vehicle, car, lap > in_scoring);
        if let (Some(distance), Some(last)) = (&mut distance_m, self.last)
            && let Some(before) = last.distance_m.filter(|_| last.lap == lap)
            && (before - JITTER_M..before).contains(distance)
            && forward_mps(&car.local_vel()) > 0.0
        {
            *distance = before;
        }
        let now = OnLap { lap, distance_m };
        self.last = Some(now);
        now
    }

    fn count(&mut self, now_ms: u64, number: i32, in_scoring: i32) -> i32 {
        let aligned = |changed_ms| Counted { number, changed_ms, offset: in_scoring.saturating_sub(number) };
        let counted = match self.counted {
            None => aligned(now_ms),
            Some(counted) if counted.number != number => Counted { number, changed_ms: now_ms, ..counted },
            Some(counted) if now_ms.saturating_sub(counted.changed_ms) > SETTLED_MS => aligned(counted.changed_ms),
            Some(counted) => counted,
        };
        self.counted = Some(counted);
        number.saturating_add(counted.offset).max(1)
    }

    /// Takes what the game thinks of our lap (1.3).
    pub fn see_validity(&mut self, car: &Car<'_>) {
        let validity = &mut self.validity;
        if car.lap_start_et() != validity.lap_start_et {
            validity.lap_start_et = car.lap_start_et();
            validity.last_was_invalid = validity.current_is_invalid;
        }
        validity.current_is_invalid = car.lap_invalidated();
    }

    /// Whether the game took the last lap for invalid.
    #[must_use]
    pub fn last_was_invalid(&self) -> bool {
        self.validity.last_was_invalid
    }
}

/// Scoring's distance carried on to telemetry's time with the mean of the speeds at both.
fn carried_on(scoring: &Scoring<'_>, vehicle: &Vehicle<'_>, car: &Car<'_>, is_past_line: bool) -> Option<f64> {
    let at_scoring = vehicle.lap_dist();
    if !(at_scoring.is_finite() && at_scoring >= 0.0) {
        return None;
    }
    let since_s = car.elapsed_time() - scoring.current_et();
    let speed = (forward_mps(&vehicle.local_vel()) + forward_mps(&car.local_vel())) / 2.0;
    let moved = if (0.0..LONGEST_S).contains(&since_s) && speed.is_finite() { speed * since_s } else { 0.0 };
    let (distance, length) = (at_scoring + moved, scoring.lap_dist());
    Some(match length > 0.0 {
        true if is_past_line => (distance - length).max(0.0),
        true => distance.clamp(0.0, length),
        false => distance.max(0.0),
    })
}
