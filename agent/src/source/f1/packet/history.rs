//! Ids 11 and 14: laps that are done.

use super::wire::{Many, SplitMs, wire};
use crate::source::f1::enums::{ActualCompound, Compound, Team};

wire! {
    /// Id 11, twenty a second, one car each, in turn.
    pub struct SessionHistory {
        /// Slot.
        car: u8,
        /// Laps, with the current one.
        lap_count: u8,
        /// Stints.
        tyre_stint_count: u8,
        /// Lap with the best time; 0 without one.
        best_lap: u8,
        /// Lap with the best first sector.
        best_sector1_lap: u8,
        /// Lap with the best second sector.
        best_sector2_lap: u8,
        /// Lap with the best third sector.
        best_sector3_lap: u8,
        /// The laps, the first one first.
        laps: Many<LapHistory, 100>,
        /// The stints.
        tyre_stints: Many<TyreStint, 8>,
    }
}

impl SessionHistory {
    /// With the lists cut to what is used of them.
    #[must_use]
    pub fn trimmed(mut self) -> Self {
        self.laps = self.laps.first(self.lap_count);
        self.tyre_stints = self.tyre_stints.first(self.tyre_stint_count);
        self
    }

    /// The time of the best lap.
    #[must_use]
    pub fn best_lap_time_ms(&self) -> Option<u32> {
        let lap = self.laps.get(usize::from(self.best_lap).checked_sub(1)?)?;
        (lap.lap_time_ms > 0).then_some(lap.lap_time_ms)
    }
}

wire! {
    /// A lap.
    pub struct LapHistory {
        /// Its time; 0 until it is done.
        lap_time_ms: u32,
        /// First sector.
        sector1_time_ms: SplitMs,
        /// Second sector alone.
        sector2_time_ms: SplitMs,
        /// Third sector alone.
        sector3_time_ms: SplitMs,
        /// What is valid: 1 the lap, 2, 4 and 8 the sectors.
        valid_bits: u8,
    }
}

wire! {
    /// A stint on one set of tyres.
    pub struct TyreStint {
        /// Last lap; 255 is the current one.
        end_lap: u8,
        /// Compound.
        actual_compound: ActualCompound,
        /// Compound as seen.
        visual_compound: Compound,
    }
}

wire! {
    /// Id 14, once a second, in a time trial.
    pub struct TimeTrial {
        /// Best of this session.
        player_session_best: TimeTrialEntry,
        /// Best of all.
        personal_best: TimeTrialEntry,
        /// The rival's.
        rival: TimeTrialEntry,
    }
}

wire! {
    /// A lap of a time trial.
    pub struct TimeTrialEntry {
        /// Slot.
        car: u8,
        /// Team.
        team: Team,
        /// Its time.
        lap_time_ms: u32,
        /// First sector.
        sector1_time_ms: u32,
        /// Second sector.
        sector2_time_ms: u32,
        /// Third sector.
        sector3_time_ms: u32,
        /// 0 off, 1 medium, 2 full.
        traction_control: u8,
        /// 1 manual, 2 suggested gear, 3 automatic.
        gearbox_assist: u8,
        /// ABS.
        anti_lock_brakes: bool,
        /// All cars are equally fast.
        equal_car_performance: bool,
        /// With an own setup.
        custom_setup: bool,
        /// It counts.
        valid: bool,
    }
}
