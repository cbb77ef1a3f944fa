//! Which REST path is asked next, and when: pure, over milliseconds of any clock that does not go back.
//!
//! Invariants: one path at a time; nothing but the gate is asked until it has answered 200, and nothing else once it no
//! longer does; garage paths only while the car is in the garage; an answer that took t is not asked for again within
//! 10 t, so that polling never takes more than a tenth of the game's time; failing paths are asked ever more rarely.

use super::endpoint::Endpoint;

/// Where our car is, as shared memory shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum CarPlace {
    /// The mapping is not there or says nothing.
    #[default]
    Unknown,
    /// No session.
    Nowhere,
    /// In the garage or the monitor.
    Garage,
    /// On track.
    Track,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Ask for this.
    Poll(Endpoint),
    /// Nothing for so many milliseconds.
    Wait(u64),
}

/// What came of asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status; 0 where none came.
    pub status: u16,
    /// How long it took.
    pub took_ms: u64,
    /// For the gate: whether the game says that its monitor is shown, if it says anything.
    pub in_monitor: Option<bool>,
}

/// The longest wait between two looks at the gate.
const GATE_LONGEST_MS: u64 = 5_000;
/// The longest wait for a path that keeps failing.
const FAILING_LONGEST_MS: u64 = 60_000;
/// Failures after which the other path of the garage settings is asked.
const FALL_BACK_AFTER: u32 = 2;

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    due_ms: u64,
    failures: u32,
}

/// The state of polling.
#[derive(Debug, Clone, Default)]
pub struct Schedule {
    is_open: bool,
    place: CarPlace,
    in_monitor: Option<bool>,
    slots: [Slot; Endpoint::ALL.len()],
}

impl Schedule {
    /// Takes what shared memory shows. Coming into the garage, its paths are due at once.
    pub fn set_place(&mut self, now_ms: u64, place: CarPlace) {
        let was_in_garage = self.is_in_garage();
        self.place = place;
        self.greet_garage(now_ms, was_in_garage);
    }

    /// What to do at this time.
    #[must_use]
    pub fn next(&self, now_ms: u64) -> Next {
        let asked = Endpoint::ALL.into_iter().filter(|endpoint| self.is_asked(*endpoint));
        match asked.min_by_key(|endpoint| self.slot(*endpoint).due_ms) {
            Some(first) if self.slot(first).due_ms <= now_ms => Next::Poll(first),
            Some(first) => Next::Wait(self.slot(first).due_ms - now_ms),
            None => Next::Wait(GATE_LONGEST_MS),
        }
    }

    /// Takes what came of asking.
    pub fn answered(&mut self, now_ms: u64, endpoint: Endpoint, answer: Answer) {
        let is_good = answer.status == 200;
        let slot = &mut self.slots[endpoint as usize];
        slot.failures = if is_good { 0 } else { slot.failures.saturating_add(1) };
        let every_ms = match endpoint {
            // At the menu the gate answers 503 and stays lively; where nothing answers there is no hurry.
            Endpoint::GameState if answer.status != 0 => 1_000,
            Endpoint::GameState => backed_off(1_000, slot.failures, GATE_LONGEST_MS),
            Endpoint::SessionInfo => backed_off(5_000, slot.failures, FAILING_LONGEST_MS),
            Endpoint::Standings => backed_off(10_000, slot.failures, FAILING_LONGEST_MS),
            Endpoint::GarageSummary | Endpoint::GarageData | Endpoint::CarSetupOverview => {
                backed_off(5_000, slot.failures, FAILING_LONGEST_MS)
            }
        };
        slot.due_ms = now_ms + every_ms.max(answer.took_ms.saturating_mul(10));
        if endpoint == Endpoint::GameState {
            let was_in_garage = self.is_in_garage();
            self.in_monitor = answer.in_monitor;
            self.set_open(now_ms, is_good);
            self.greet_garage(now_ms, was_in_garage);
        }
    }

    fn set_open(&mut self, now_ms: u64, is_open: bool) {
        if is_open && !self.is_open {
            for slot in &mut self.slots[1..] {
                *slot = Slot { due_ms: now_ms, failures: 0 };
            }
        }
        self.is_open = is_open;
    }

    fn greet_garage(&mut self, now_ms: u64, was_in_garage: bool) {
        if self.is_in_garage() && !was_in_garage {
            for endpoint in [Endpoint::GarageSummary, Endpoint::GarageData, Endpoint::CarSetupOverview] {
                self.slots[endpoint as usize] = Slot { due_ms: now_ms, failures: 0 };
            }
        }
    }

    fn is_asked(&self, endpoint: Endpoint) -> bool {
        match endpoint {
            Endpoint::GameState => true,
            Endpoint::SessionInfo | Endpoint::Standings => self.is_open,
            Endpoint::GarageSummary | Endpoint::GarageData => self.is_open && self.is_in_garage(),
            Endpoint::CarSetupOverview => {
                self.is_open && self.is_in_garage() && self.slot(Endpoint::GarageData).failures >= FALL_BACK_AFTER
            }
        }
    }

    fn is_in_garage(&self) -> bool {
        match self.place {
            CarPlace::Garage => true,
            CarPlace::Track | CarPlace::Nowhere => false,
            CarPlace::Unknown => self.in_monitor == Some(true),
        }
    }

    fn slot(&self, endpoint: Endpoint) -> Slot {
        self.slots[endpoint as usize]
    }
}

/// Half as long again after every failure.
fn backed_off(every_ms: u64, failures: u32, longest_ms: u64) -> u64 {
    let factor = 1.5f64.powi(failures.min(30) as i32);
    ((every_ms as f64 * factor) as u64).min(longest_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OK: Answer = Answer { status: 200, took_ms: 5, in_monitor: None };
    const NONE: Answer = Answer { status: 0, took_ms: 1, in_monitor: None };

    /// Runs for so long, answering each path by `answer`, and counts what was asked.
    fn run(
        schedule: &mut Schedule,
        from_ms: u64,
        for_ms: u64,
        answer: impl Fn(Endpoint) -> Answer,
    ) -> Vec<(u64, Endpoint)> {
        let (mut now, mut asked) = (from_ms, Vec::new());
        while now < from_ms + for_ms {
            match schedule.next(now) {
                Next::Poll(endpoint) => {
                    let answer = answer(endpoint);
                    asked.push((now, endpoint));
                    now += answer.took_ms;
                    schedule.answered(now, endpoint, answer);
                }
                Next::Wait(ms) => now += ms.clamp(1, 100),
            }
        }
        asked
    }

    fn count(asked: &[(u64, Endpoint)], endpoint: Endpoint) -> usize {
        asked.iter().filter(|(_, asked)| *asked == endpoint).count()
    }

    #[test]
    fn at_the_menu_only_the_gate_is_asked() {
        let mut schedule = Schedule::default();
        let asked = run(&mut schedule, 0, 10_000, |_| Answer { status: 503, ..OK });
        assert!(asked.iter().all(|(_, endpoint)| *endpoint == Endpoint::GameState));
        assert!((9..=11).contains(&asked.len()), "{}", asked.len());
    }

    #[test]
    fn where_no_game_answers_the_gate_is_asked_rarely() {
        let asked = run(&mut Schedule::default(), 0, 60_000, |_| NONE);
        assert!((12..=16).contains(&asked.len()), "{}", asked.len());
    }

    #[test]
    fn on_track_nothing_of_the_garage_is_asked() {
        let mut schedule = Schedule::default();
        schedule.set_place(0, CarPlace::Track);
        let asked = run(&mut schedule, 0, 60_000, |_| Answer { in_monitor: Some(true), ..OK });
        assert!(asked.iter().all(|(_, endpoint)| !endpoint.path().contains("/garage/")));
        assert!((55..=61).contains(&count(&asked, Endpoint::GameState)));
        assert!((11..=13).contains(&count(&asked, Endpoint::SessionInfo)));
        assert!((5..=7).contains(&count(&asked, Endpoint::Standings)));
    }

    #[test]
    fn in_the_garage_the_setup_is_asked_at_once_and_then_every_five_seconds() {
        let mut schedule = Schedule::default();
        schedule.set_place(0, CarPlace::Track);
        run(&mut schedule, 0, 7_300, |_| OK);
        schedule.set_place(7_300, CarPlace::Garage);
        let asked = run(&mut schedule, 7_300, 20_000, |_| OK);
        let first = asked.iter().find(|(_, endpoint)| *endpoint == Endpoint::GarageData).unwrap().0;
        assert!(first < 7_500, "{first}");
        assert_eq!(count(&asked, Endpoint::GarageData), 4);
        assert_eq!(count(&asked, Endpoint::CarSetupOverview), 0);
    }

    #[test]
    fn without_shared_memory_the_monitor_stands_for_the_garage() {
        let asked = run(&mut Schedule::default(), 0, 10_000, |_| Answer { in_monitor: Some(true), ..OK });
        assert!(count(&asked, Endpoint::GarageData) >= 2);
        let asked = run(&mut Schedule::default(), 0, 10_000, |_| Answer { in_monitor: Some(false), ..OK });
        assert_eq!(count(&asked, Endpoint::GarageData), 0);
    }

    #[test]
    fn a_failing_setup_is_asked_elsewhere_and_ever_more_rarely() {
        let mut schedule = Schedule::default();
        schedule.set_place(0, CarPlace::Garage);
        let asked = run(&mut schedule, 0, 300_000, |endpoint| match endpoint {
            Endpoint::GarageData => Answer { status: 404, ..OK },
            _ => OK,
        });
        assert!(count(&asked, Endpoint::CarSetupOverview) > 40);
        assert!(count(&asked, Endpoint::GarageData) < 15, "{}", count(&asked, Endpoint::GarageData));
    }

    #[test]
    fn a_slow_game_is_asked_a_tenth_of_the_time_at_most() {
        let mut schedule = Schedule::default();
        schedule.set_place(0, CarPlace::Track);
        let asked = run(&mut schedule, 0, 120_000, |_| Answer { took_ms: 1_000, ..OK });
        assert!(count(&asked, Endpoint::GameState) <= 12);
        assert!(asked.len() <= 36);
    }

    #[test]
    fn a_gate_that_closes_stops_the_others() {
        let mut schedule = Schedule::default();
        schedule.set_place(0, CarPlace::Garage);
        run(&mut schedule, 0, 10_000, |_| OK);
        schedule.answered(10_000, Endpoint::GameState, Answer { status: 404, ..OK });
        let asked = run(&mut schedule, 10_000, 10_000, |_| Answer { status: 404, ..OK });
        assert!(asked.iter().all(|(_, endpoint)| *endpoint == Endpoint::GameState));
    }
}
