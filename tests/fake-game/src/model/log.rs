//! The model's own exact record of what happened: what a test compares the product with.
//!
//! Times are whole milliseconds, and sector times add up to the lap time. Nothing here is rounded for display.

use serde::{Deserialize, Serialize};

use super::class::Class;

/// Kind of session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum SessionKind {
    /// Cars leave the garage when they like.
    Practice,
    /// As practice; the best lap gives the place.
    Qualifying,
    /// A rolling start; distance gives the place.
    Race,
}

/// Everything that happened, session by session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RaceLog {
    /// The seed that the model was started with.
    pub seed: u64,
    /// Track name as the games show it.
    pub track: String,
    /// Length of a lap.
    pub track_length_m: f64,
    /// Slot id (`mID`) of the player's car.
    pub player_car_id: i32,
    /// The field.
    pub cars: Vec<LoggedCar>,
    /// One entry per session, the current one last.
    pub sessions: Vec<SessionLog>,
}

/// A car of the field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoggedCar {
    /// Slot id (`mID`, `slotID`).
    pub car_id: i32,
    /// Place in the F1 arrays.
    pub f1_index: usize,
    /// Start number.
    pub number: u32,
    /// Class.
    pub class: Class,
    /// Vehicle name as the games show it.
    pub vehicle_name: String,
    /// Drivers, the one who starts first.
    pub drivers: Vec<String>,
}

/// What happened in one session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SessionLog {
    /// 0 for the first session of the run.
    pub index: u32,
    /// Practice, qualifying or race.
    pub kind: SessionKind,
    /// Every completed lap in the order of completion.
    pub laps: Vec<LapRecord>,
    /// Every pit stop, written when the car is back on the track (or in the garage).
    pub pit_stops: Vec<PitStopRecord>,
    /// Every change of driver.
    pub driver_changes: Vec<DriverChangeRecord>,
    /// Has the session ended?
    pub ended: bool,
}

/// A completed lap.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LapRecord {
    /// Slot id of the car.
    pub car_id: i32,
    /// Who drove over the line.
    pub driver: String,
    /// 1 for the first completed lap of the car in this session.
    pub lap: u32,
    /// Sector 1; absent on a lap that began in the garage.
    pub sector1_ms: Option<u32>,
    /// Sector 2 alone (the LMU image shows sectors 1 + 2).
    pub sector2_ms: Option<u32>,
    /// Sector 3.
    pub sector3_ms: Option<u32>,
    /// Lap time; absent on a lap that began in the garage.
    pub lap_time_ms: Option<u32>,
    /// False after leaving the track limits.
    pub valid: bool,
    /// The car came into the pit lane on this lap.
    pub pit_in: bool,
    /// The lap began in the pit lane.
    pub pit_out: bool,
    /// Session time at which the lap began.
    pub start_et_ms: u64,
    /// Session time at which it ended.
    pub end_et_ms: u64,
    /// Overall position when it ended.
    pub position: usize,
    /// Fuel in the tank when it ended.
    pub fuel_l: f64,
    /// Virtual energy when it ended, 0..1, for the classes that have it.
    pub virtual_energy: Option<f64>,
    /// What was left of the tyres, 0..1: FL, FR, RL, RR.
    pub tyres_remaining: [f64; 4],
}

/// A pit stop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PitStopRecord {
    /// Slot id of the car.
    pub car_id: i32,
    /// The lap on which the car came in.
    pub lap: u32,
    /// Session times: pit lane entered, car stopped, car released, pit lane left (absent: into the garage).
    pub enter_et_ms: u64,
    /// See `enter_et_ms`.
    pub stop_et_ms: u64,
    /// See `enter_et_ms`.
    pub release_et_ms: u64,
    /// See `enter_et_ms`.
    pub exit_et_ms: Option<u64>,
    /// Fuel put in.
    pub fuel_added_l: f64,
    /// Virtual energy after the stop, 0..1, for the classes that have it.
    pub virtual_energy_after: Option<f64>,
    /// Were all four tyres changed?
    pub tyres_changed: bool,
    /// Who drove on.
    pub driver: String,
}

/// A change of driver.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DriverChangeRecord {
    /// Slot id of the car.
    pub car_id: i32,
    /// Lap that was being driven (1 is the first).
    pub lap: u32,
    /// Session time.
    pub et_ms: u64,
    /// Who got out.
    pub from: String,
    /// Who got in.
    pub to: String,
}

impl RaceLog {
    /// The current session.
    #[must_use]
    pub fn current(&self) -> Option<&SessionLog> {
        self.sessions.last()
    }

    /// The laps of one car in the current session.
    #[must_use]
    pub fn laps_of(&self, car_id: i32) -> Vec<&LapRecord> {
        self.current()
            .map(|session| session.laps.iter().filter(|lap| lap.car_id == car_id).collect())
            .unwrap_or_default()
    }

    /// The player's laps in the current session.
    #[must_use]
    pub fn player_laps(&self) -> Vec<&LapRecord> {
        self.laps_of(self.player_car_id)
    }
}
