//! A car's visit to the pits, from what the game tells about its slot.
//!
//! The game says that a car is in the pits, not where in them: it stands in its box when the stop's timer runs or, where
//! there is none, when it does not move.

use onelap_protocol::race::{PitState, PitStep};

/// What is told about a car.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    /// In the pit lane or in the box.
    pub in_lane: bool,
    /// In the garage.
    pub in_garage: bool,
    /// Time in the box.
    pub stop_timer_ms: u16,
    /// Speed, where it is known.
    pub speed_kmh: Option<u16>,
}

/// Slower is standing.
const STANDING_KMH: u16 = 2;
/// Faster is driving off.
const DRIVING_KMH: u16 = 5;

/// One car's visits.
#[derive(Debug, Default)]
pub struct PitTracker {
    state: Option<PitState>,
    stop_timer_ms: u16,
}

impl PitTracker {
    /// Takes what is told and says the steps that it means, in their order. The first look says none.
    pub fn see(&mut self, seen: Seen, mut say: impl FnMut(PitStep)) {
        use PitState::{Entering, Exiting, Garage, Requested, Stopped, Track};
        use PitStep::{Enter, Exit, Go, Stop};
        let timer_runs = seen.in_lane && self.state.is_some() && seen.stop_timer_ms > self.stop_timer_ms;
        self.stop_timer_ms = seen.stop_timer_ms;
        let stands = timer_runs || seen.speed_kmh.is_some_and(|speed| speed < STANDING_KMH);
        let drives = !timer_runs && seen.speed_kmh.is_none_or(|speed| speed >= DRIVING_KMH);
        let Some(state) = self.state else {
            self.state = Some(match seen {
                Seen { in_garage: true, .. } => Garage,
                Seen { in_lane: true, .. } if stands => Stopped,
                Seen { in_lane: true, .. } => Entering,
                _ => Track,
            });
            return;
        };
        let (next, steps): (PitState, &[PitStep]) = match state {
            Track | Requested if seen.in_garage => (Garage, &[Enter, Stop]),
            Track | Requested if seen.in_lane => (Entering, &[Enter]),
            Track | Requested => (Track, &[]),
            Entering | Exiting if seen.in_garage => (Garage, &[Stop]),
            Stopped if seen.in_garage => (Garage, &[]),
            Garage if seen.in_garage => (Garage, &[]),
            Garage if seen.in_lane => (Exiting, &[Go]),
            Garage | Stopped if !seen.in_lane => (Track, &[Go, Exit]),
            Entering | Exiting if !seen.in_lane => (Track, &[Exit]),
            Entering if stands => (Stopped, &[Stop]),
            // A queue in the lane is not a second stop; a running timer is.
            Exiting if timer_runs => (Stopped, &[Stop]),
            Stopped if drives => (Exiting, &[Go]),
            Entering | Exiting | Stopped | Garage => (state, &[]),
        };
        self.state = Some(next);
        steps.iter().copied().for_each(&mut say);
    }

    /// The game went back in time: nothing is concluded from where the car is now.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// Where the car is.
    #[must_use]
    pub fn state(&self) -> PitState {
        self.state.unwrap_or(PitState::Track)
    }
}

/// The catalogue's code of a state.
#[must_use]
pub fn code(state: PitState) -> u8 {
    match state {
        PitState::Track => 0,
        PitState::Requested => 1,
        PitState::Entering => 2,
        PitState::Stopped => 3,
        PitState::Exiting => 4,
        PitState::Garage => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use PitStep::{Enter, Exit, Go, Stop};

    const TRACK: Seen = Seen { in_lane: false, in_garage: false, stop_timer_ms: 0, speed_kmh: Some(200) };
    const LANE: Seen = Seen { in_lane: true, in_garage: false, stop_timer_ms: 0, speed_kmh: Some(80) };
    const GARAGE: Seen = Seen { in_lane: true, in_garage: true, stop_timer_ms: 0, speed_kmh: Some(0) };

    fn steps(seen: &[Seen]) -> Vec<PitStep> {
        let (mut tracker, mut steps) = (PitTracker::default(), Vec::new());
        seen.iter().for_each(|seen| tracker.see(*seen, |step| steps.push(step)));
        steps
    }

    #[test]
    fn a_stop_by_its_timer() {
        let unknown = Seen { speed_kmh: None, ..LANE };
        let timer = |ms| Seen { stop_timer_ms: ms, ..unknown };
        let seen = [TRACK, unknown, timer(0), timer(50), timer(100), timer(2300), timer(2300), unknown, TRACK];
        assert_eq!(steps(&seen), [Enter, Stop, Go, Exit]);
    }

    #[test]
    fn a_stop_by_its_speed() {
        let slow = |speed| Seen { speed_kmh: Some(speed), ..LANE };
        assert_eq!(steps(&[TRACK, LANE, slow(0), slow(1), slow(3), LANE, TRACK]), [Enter, Stop, Go, Exit]);
        assert_eq!(steps(&[TRACK, LANE, TRACK]), [Enter, Exit], "a drive-through");
        assert_eq!(steps(&[TRACK, LANE, slow(0), TRACK]), [Enter, Stop, Go, Exit], "the rest was lost");
    }

    #[test]
    fn a_queue_after_the_stop_is_no_second_one() {
        let slow = |speed| Seen { speed_kmh: Some(speed), ..LANE };
        assert_eq!(steps(&[TRACK, LANE, slow(0), LANE, slow(0), LANE, TRACK]), [Enter, Stop, Go, Exit]);
    }

    #[test]
    fn the_garage_is_a_visit_too() {
        assert_eq!(steps(&[GARAGE, GARAGE, LANE, TRACK]), [Go, Exit]);
        assert_eq!(steps(&[TRACK, GARAGE, TRACK]), [Enter, Stop, Go, Exit], "taken there by the menu");
        assert_eq!(steps(&[LANE, TRACK]), [Exit], "seen from the lane on");
    }
}
