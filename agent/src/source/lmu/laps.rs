//! When a car has completed a lap, and with which times: pure, one [`LapTrack`] a car.
//!
//! The game counts laps and keeps the times of the last one, in scoring, five times a second; the times may come an update
//! or two before or after the count. What is said about a lap is what was true at the line; its times are taken when they are
//! there. Laps that ended unseen (a jump of the count by more than one) are not invented: only the last of them is told,
//! since only its times are known.

use onelap_protocol::race::Lap;

/// Updates to wait for times after the count.
const PATIENCE: u8 = 2;
/// Times that change so soon after the line, in seconds, are those of the lap before.
const BELATED_S: f64 = 5.0;

/// Times of the last lap as the game keeps them: seconds, cumulative, 0 or −1 where there are none.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LastTimes {
    /// First sector.
    pub sector1_s: f64,
    /// First two sectors.
    pub sector2_s: f64,
    /// Lap.
    pub lap_s: f64,
}

impl LastTimes {
    /// Single sectors.
    #[must_use]
    pub fn sectors_ms(&self) -> [Option<u32>; 3] {
        let (first, second, lap) = (ms(self.sector1_s), ms(self.sector2_s), ms(self.lap_s));
        [first, difference(second, first), difference(lap, second)]
    }
}

/// Seconds as the game writes them in whole milliseconds; absent where they are no time.
#[must_use]
pub fn ms(seconds: f64) -> Option<u32> {
    (seconds > 0.0 && seconds < 86_400.0).then(|| (seconds * 1000.0).round() as u32)
}

/// The single time between two cumulative ones.
#[must_use]
pub fn difference(later: Option<u32>, earlier: Option<u32>) -> Option<u32> {
    later?.checked_sub(earlier?).filter(|single| *single > 0)
}

/// One look at a car's lap.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// Completed laps.
    pub laps: i16,
    /// Times of the last.
    pub last: LastTimes,
    /// In the pit lane or garage.
    pub in_pits: bool,
    /// In the garage.
    pub in_garage: bool,
    /// How the game counts the lap that is being driven: 0 not, 1 as a lap only, 2 with its time.
    pub count_flag: u8,
    /// When the current lap began, s.
    pub lap_start_s: f64,
    /// Session time, s.
    pub at_s: f64,
}

/// A lap that has ended and whose times may still come.
#[derive(Debug, Clone)]
struct Pending {
    lap: Lap,
    count_flag: u8,
    looks_left: u8,
}

impl Pending {
    /// The lap with its times, once they are there or patience is at its end.
    fn finish(&self, told: &LastTimes, now: &LastTimes) -> Option<Lap> {
        let has_lap = now.lap_s != told.lap_s;
        let has_sectors = (now.sector1_s, now.sector2_s) != (told.sector1_s, told.sector2_s);
        if !(has_lap && has_sectors) && self.looks_left > 0 {
            return None;
        }
        let mut lap = self.lap.clone();
        // What is new goes with what is there: the lap, or its first two sectors, took as long as before, to the millisecond.
        let go_together = now.sector2_s > 0.0 && now.lap_s > now.sector2_s;
        let (has_lap, has_sectors) = (has_lap || has_sectors && go_together, has_sectors || has_lap && go_together);
        if has_lap {
            lap.time_ms = ms(now.lap_s);
        }
        if has_sectors {
            lap.sectors_ms = LastTimes { lap_s: if has_lap { now.lap_s } else { 0.0 }, ..*now }.sectors_ms();
        }
        lap.valid = lap.valid.or_else(|| count_means(self.count_flag, lap.time_ms));
        Some(lap)
    }
}

/// What the game's count says about a lap's time.
fn count_means(flag: u8, time_ms: Option<u32>) -> Option<bool> {
    match (flag, time_ms) {
        (2, Some(_)) => Some(true),
        (1, Some(_)) => Some(false),
        _ => None,
    }
}

/// What is remembered of a car's laps.
#[derive(Debug, Clone)]
pub struct LapTrack {
    seen: Look,
    /// The times that belong to laps already told (or to laps before first sight).
    told: LastTimes,
    out_lap: bool,
    pending: Option<Pending>,
}

impl LapTrack {
    /// A car at first sight.
    #[must_use]
    pub fn new(look: &Look) -> Self {
        Self { seen: *look, told: look.last, out_lap: look.in_pits, pending: None }
    }

    /// Takes the next look. `at_line` makes the lap from what is true now; number, time, sectors and the marks of in- and
    /// out-laps are filled in here.
    pub fn look(&mut self, look: &Look, at_line: impl FnOnce() -> Lap, mut tell: impl FnMut(Lap)) {
        let before = std::mem::replace(&mut self.seen, *look);
        if look.laps < before.laps {
            // Another race with the same car: what was is no measure any more.
            *self = Self::new(look);
            return;
        }
        if look.laps > before.laps {
            self.flush(&mut tell);
            let lap = Lap {
                lap: u16::try_from(look.laps).unwrap_or(0),
                out_lap: self.out_lap && look.laps == before.laps + 1,
                in_lap: look.in_pits,
                at_s: line_s(&before, look),
                ..at_line()
            };
            self.pending = Some(Pending { lap, count_flag: before.count_flag, looks_left: PATIENCE });
            self.out_lap = look.in_pits;
        } else if let Some(pending) = &mut self.pending {
            pending.looks_left = pending.looks_left.saturating_sub(1);
        } else if look.last != before.last && look.at_s - look.lap_start_s < BELATED_S {
            self.told = look.last;
        }
        if look.in_garage {
            self.out_lap = true;
        }
        if let Some(lap) = self.pending.as_ref().and_then(|pending| pending.finish(&self.told, &look.last)) {
            self.pending = None;
            self.told = look.last;
            tell(lap);
        }
    }

    /// Tells a lap that still waits for its times, as it is known.
    pub fn flush(&mut self, mut tell: impl FnMut(Lap)) {
        if let Some(pending) = self.pending.take() {
            tell(pending.lap);
        }
    }
}

/// When the line was crossed: the beginning of the new lap where the game has written it, else the time of the look.
fn line_s(before: &Look, now: &Look) -> f64 {
    let is_new = now.lap_start_s > before.lap_start_s && now.lap_start_s <= now.at_s;
    if is_new { now.lap_start_s } else { now.at_s }
}

#[cfg(test)]
mod tests {
    use super::*;
    use onelap_protocol::CarKey;

    fn lap() -> Lap {
        Lap {
            car: CarKey("7".into()),
            lap: 0,
            driver: "Ada".into(),
            time_ms: None,
            sectors_ms: [None; 3],
            valid: None,
            out_lap: false,
            in_lap: false,
            position: Some(3),
            class_position: Some(1),
            class: None,
            number: None,
            at_s: 0.0,
            fuel_l: None,
            fuel_kg: None,
            virtual_energy_pct: None,
            compound: None,
            tire_wear_pct: None,
        }
    }

    const NONE: LastTimes = LastTimes { sector1_s: -1.0, sector2_s: -1.0, lap_s: -1.0 };
    const FIRST: LastTimes = LastTimes { sector1_s: 30.1234, sector2_s: 65.4321, lap_s: 100.0006 };

    fn look(laps: i16, last: LastTimes) -> Look {
        let at_s = f64::from(laps) * 100.0 + 0.2;
        Look { laps, last, in_pits: false, in_garage: false, count_flag: 2, lap_start_s: at_s - 0.15, at_s }
    }

    fn run(looks: &[Look]) -> Vec<Lap> {
        let mut track = LapTrack::new(&looks[0]);
        let mut told = Vec::new();
        for next in &looks[1..] {
            track.look(next, lap, |lap| told.push(lap));
        }
        told
    }

    #[test]
    fn a_lap_has_single_sectors_that_add_up() {
        let told = run(&[look(0, NONE), look(1, FIRST)]);
        assert_eq!(told.len(), 1);
        assert_eq!((told[0].lap, told[0].time_ms), (1, Some(100_001)));
        assert_eq!(told[0].sectors_ms, [Some(30_123), Some(35_309), Some(34_569)]);
        assert_eq!(told[0].valid, Some(true));
        assert!((told[0].at_s - 100.05).abs() < 1e-9);
        assert_eq!((told[0].out_lap, told[0].in_lap), (false, false));
    }

    #[test]
    fn times_may_come_an_update_after_the_count() {
        let told = run(&[look(1, FIRST), look(2, FIRST), look(2, LastTimes { lap_s: 99.0, ..NONE })]);
        assert_eq!(told.iter().map(|lap| lap.time_ms).collect::<Vec<_>>(), [Some(99_000)]);
        assert_eq!(told[0].sectors_ms, [None; 3]);
    }

    #[test]
    fn times_may_come_an_update_before_the_count() {
        let early = Look { last: FIRST, at_s: 99.9, lap_start_s: 0.0, ..look(0, NONE) };
        let told = run(&[look(0, NONE), early, look(1, FIRST)]);
        assert_eq!(told.iter().map(|lap| (lap.lap, lap.time_ms)).collect::<Vec<_>>(), [(1, Some(100_001))]);
    }

    #[test]
    fn times_that_come_too_late_are_not_given_to_the_next_lap() {
        let mut looks = vec![look(0, NONE), look(1, NONE), look(1, NONE), look(1, NONE), look(1, FIRST)];
        looks.extend([look(2, FIRST), look(2, FIRST), look(2, FIRST)]);
        assert_eq!(run(&looks).iter().map(|lap| (lap.lap, lap.time_ms)).collect::<Vec<_>>(), [(1, None), (2, None)]);
    }

    #[test]
    fn a_lap_without_a_time_is_told_without_one_and_never_with_the_last_ones() {
        let told = run(&[look(1, FIRST), look(2, FIRST), look(2, FIRST), look(2, FIRST), look(2, FIRST)]);
        assert_eq!(told.len(), 1);
        assert_eq!((told[0].time_ms, told[0].sectors_ms, told[0].valid), (None, [None; 3], None));
    }

    #[test]
    fn a_lap_that_takes_as_long_as_the_one_before_has_its_time() {
        let same = LastTimes { sector1_s: 30.2, ..FIRST };
        let told = run(&[look(1, FIRST), look(2, same), look(2, same), look(2, same)]);
        assert_eq!(told.iter().map(|lap| (lap.lap, lap.time_ms)).collect::<Vec<_>>(), [(2, Some(100_001))]);
        assert_eq!(told[0].sectors_ms, [Some(30_200), Some(35_232), Some(34_569)]);
    }

    #[test]
    fn a_lap_whose_sectors_take_as_long_as_those_before_has_them() {
        let same = LastTimes { lap_s: 99.9, ..FIRST };
        let told = run(&[look(1, FIRST), look(2, same), look(2, same), look(2, same)]);
        assert_eq!((told.len(), told[0].time_ms), (1, Some(99_900)));
        assert_eq!(told[0].sectors_ms, [Some(30_123), Some(35_309), Some(34_468)]);
    }

    #[test]
    fn of_laps_that_ended_unseen_the_last_is_told() {
        let told = run(&[look(3, NONE), look(6, FIRST)]);
        assert_eq!(told.iter().map(|lap| (lap.lap, lap.time_ms)).collect::<Vec<_>>(), [(6, Some(100_001))]);
    }

    #[test]
    fn a_lap_that_waits_is_told_before_the_next() {
        let next = LastTimes { lap_s: 98.0, sector1_s: 30.0, sector2_s: 60.0 };
        let told = run(&[look(1, FIRST), look(2, FIRST), look(3, next)]);
        assert_eq!(told.iter().map(|lap| (lap.lap, lap.time_ms)).collect::<Vec<_>>(), [(2, None), (3, Some(98_000))]);
    }

    #[test]
    fn in_and_out_laps_are_marked() {
        let pits = |mut look: Look| {
            look.in_pits = true;
            look
        };
        let second = LastTimes { lap_s: 120.0, sector1_s: 31.0, sector2_s: 70.0 };
        let third = LastTimes { lap_s: 121.0, sector1_s: 51.0, sector2_s: 90.0 };
        let told = run(&[look(0, NONE), pits(look(1, FIRST)), look(1, FIRST), look(2, second), look(3, third)]);
        let marks: Vec<_> = told.iter().map(|lap| (lap.lap, lap.out_lap, lap.in_lap)).collect();
        assert_eq!(marks, [(1, false, true), (2, true, false), (3, false, false)]);
    }

    #[test]
    fn a_car_put_back_into_its_garage_begins_an_out_lap() {
        let garage = Look { in_pits: true, in_garage: true, ..look(1, FIRST) };
        let told = run(&[look(1, FIRST), garage, look(1, FIRST), look(2, NONE), look(2, NONE)]);
        assert!(told[0].out_lap);
    }

    #[test]
    fn a_count_that_falls_begins_anew() {
        assert!(run(&[look(5, FIRST), look(0, NONE), look(0, NONE)]).is_empty());
        assert_eq!(run(&[look(5, FIRST), look(0, NONE), look(1, FIRST)]).len(), 1);
    }

    #[test]
    fn what_is_no_time_is_absent() {
        assert_eq!([ms(0.0), ms(-1.0), ms(f64::NAN), ms(1e9)], [None; 4]);
        assert_eq!(difference(Some(5), Some(9)), None);
    }
}
