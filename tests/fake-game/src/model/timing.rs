//! Lap and sector times of one car, in whole milliseconds of session time.
//!
//! Crossings are absolute times, and every duration is a difference of two of them: sectors add up to the lap and laps to
//! the race. A lap that began in the garage is counted but has no time.

/// A timed lap; `sector_ms` are the sectors by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LapTimes {
    pub sector_ms: [u32; 3],
}

impl LapTimes {
    pub(crate) fn lap_ms(self) -> u32 {
        self.sector_ms.iter().sum()
    }

    /// Sectors 1 and 2 together, as LMU shows "sector 2".
    pub(crate) fn two_sectors_ms(self) -> u32 {
        self.sector_ms[0] + self.sector_ms[1]
    }
}

/// What a car crossed within a tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Crossing {
    /// The end of sector 1 or 2 (0, 1).
    Sector(usize),
    /// The start line.
    Line,
}

/// A car's clock.
#[derive(Debug, Clone)]
pub(crate) struct Timing {
    /// Completed laps.
    pub laps: u32,
    pub lap_start_ms: u64,
    /// Will this lap have a time?
    pub timed: bool,
    /// Out of the garage and not over the line yet: that crossing starts a lap and ends none.
    pub fresh: bool,
    pub valid: bool,
    /// Session times at which sectors 1 and 2 of this lap ended.
    pub marks_ms: [Option<u64>; 2],
    pub last: Option<LapTimes>,
    pub best: Option<LapTimes>,
    pub best_sector1_ms: Option<u32>,
    pub best_two_sectors_ms: Option<u32>,
    /// This lap began in the pit lane / came into it.
    pub pit_out: bool,
    pub pit_in: bool,
    /// Every completed lap, all zeros where there is no time: what F1 shows as session history.
    pub history: Vec<LapTimes>,
}

/// A lap that has just ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Finished {
    pub times: Option<LapTimes>,
    pub start_ms: u64,
    pub end_ms: u64,
    pub valid: bool,
    pub pit_in: bool,
    pub pit_out: bool,
    pub personal_best: bool,
}

impl Timing {
    /// Standing on the grid: the first lap is timed from the start signal.
    pub(crate) fn on_grid(start_ms: u64) -> Self {
        Self { timed: true, fresh: false, pit_out: false, ..Self::in_garage(start_ms) }
    }

    pub(crate) fn in_garage(now_ms: u64) -> Self {
        Self {
            laps: 0,
            lap_start_ms: now_ms,
            timed: false,
            fresh: true,
            valid: true,
            marks_ms: [None; 2],
            last: None,
            best: None,
            best_sector1_ms: None,
            best_two_sectors_ms: None,
            pit_out: true,
            pit_in: false,
            history: Vec::new(),
        }
    }

    /// Gives the lap up that is being driven: the car went back to the garage.
    pub(crate) fn abandon_lap(&mut self, now_ms: u64) {
        self.lap_start_ms = now_ms;
        self.timed = false;
        self.fresh = true;
        self.valid = true;
        self.marks_ms = [None; 2];
        self.pit_out = true;
        self.pit_in = false;
    }

    /// Over the line after the flag: neither a lap nor a time.
    pub(crate) fn coast(&mut self, at_ms: u64) {
        self.lap_start_ms = at_ms;
        self.timed = false;
        self.marks_ms = [None; 2];
    }

    /// Time of sector 1 and of sectors 1 + 2 of the lap that is being driven, as far as they are done.
    pub(crate) fn current_sectors_ms(&self) -> [Option<u32>; 2] {
        if !self.timed {
            return [None; 2];
        }
        self.marks_ms.map(|mark| mark.map(|at| span_ms(self.lap_start_ms, at)))
    }

    pub(crate) fn sector_end(&mut self, sector: usize, at_ms: u64) {
        self.marks_ms[sector] = Some(at_ms);
        if !self.timed {
            return;
        }
        let since_line = span_ms(self.lap_start_ms, at_ms);
        let best = if sector == 0 { &mut self.best_sector1_ms } else { &mut self.best_two_sectors_ms };
        *best = Some(best.map_or(since_line, |known| known.min(since_line)));
    }

    /// Over the line. `in_pit_lane` says where the next lap begins.
    pub(crate) fn line(&mut self, at_ms: u64, in_pit_lane: bool) -> Option<Finished> {
        if self.fresh {
            self.fresh = false;
            self.lap_start_ms = at_ms;
            self.marks_ms = [None; 2];
            return None;
        }
        let times = match (self.timed, self.marks_ms) {
            (true, [Some(one), Some(two)]) => {
                Some(LapTimes { sector_ms: [span_ms(self.lap_start_ms, one), span_ms(one, two), span_ms(two, at_ms)] })
            }
            _ => None,
        };
        let personal_best =
            self.valid && times.is_some_and(|new| self.best.is_none_or(|best| new.lap_ms() < best.lap_ms()));
        if personal_best {
            self.best = times;
        }
        let finished = Finished {
            times,
            start_ms: self.lap_start_ms,
            end_ms: at_ms,
            valid: self.valid,
            pit_in: self.pit_in,
            pit_out: self.pit_out,
            personal_best,
        };
        self.laps += 1;
        self.last = times;
        self.history.push(times.unwrap_or(LapTimes { sector_ms: [0; 3] }));
        self.lap_start_ms = at_ms;
        self.timed = true;
        self.valid = true;
        self.marks_ms = [None; 2];
        self.pit_out = in_pit_lane;
        self.pit_in = false;
        Some(finished)
    }
}

fn span_ms(from_ms: u64, to_ms: u64) -> u32 {
    u32::try_from(to_ms.saturating_sub(from_ms)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sectors_add_up_to_the_lap_and_the_best_is_kept() {
        let mut timing = Timing::on_grid(5_000);
        timing.sector_end(0, 35_123);
        assert_eq!(timing.current_sectors_ms(), [Some(30_123), None]);
        timing.sector_end(1, 70_456);
        let lap = timing.line(105_789, false).unwrap();
        assert_eq!(lap.times.unwrap().sector_ms, [30_123, 35_333, 35_333]);
        assert_eq!(lap.times.unwrap().lap_ms(), 100_789);
        assert!(lap.personal_best);
        timing.sector_end(0, 140_000);
        timing.sector_end(1, 175_000);
        let slower = timing.line(210_000, false).unwrap();
        assert!(!slower.personal_best);
        assert_eq!(timing.best.unwrap().lap_ms(), 100_789);
        assert_eq!(timing.best_sector1_ms, Some(30_123));
        assert_eq!(timing.last.unwrap().lap_ms(), 104_211);
    }

    #[test]
    fn a_lap_from_the_garage_counts_but_has_no_time() {
        let mut timing = Timing::in_garage(0);
        assert!(timing.line(8_000, true).is_none(), "leaving the pits ends no lap");
        timing.sector_end(0, 40_000);
        timing.sector_end(1, 70_000);
        let out = timing.line(110_000, false).unwrap();
        assert!(out.times.is_none() && out.pit_out);
        assert_eq!((timing.laps, timing.best), (1, None));
    }
}
