//! What a session is, how the field stands, and what happens in it.
//!
//! Times of laps and sectors are integers in milliseconds; sectors are single, never cumulative. Instants are seconds of
//! session time as the game counts it.

use crate::ids::CarKey;
use serde::{Deserialize, Serialize};

/// The game that a session was driven in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Game {
    /// Le Mans Ultimate.
    Lmu,
    /// F1 25 (and the formats that it can send).
    F1,
    /// rFactor 2.
    Rf2,
}

/// Kind of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SessionKind {
    /// Test day.
    TestDay,
    /// Free practice.
    Practice,
    /// Qualifying.
    Qualifying,
    /// Warm-up.
    Warmup,
    /// Race.
    Race,
    /// Time trial.
    TimeTrial,
    /// The game does not say.
    Unknown,
}

/// What the game is doing, as far as the driver's car goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum GameState {
    /// No game was found.
    NotRunning,
    /// The game runs and no session is loaded.
    Menu,
    /// In the garage or the monitor of a session.
    Garage,
    /// The car is being driven.
    OnTrack,
    /// The game is paused.
    Paused,
    /// A replay is shown.
    Replay,
    /// Somebody else's car is being watched.
    Spectating,
}

/// What a session is. Sent when it begins and again when any of it changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionInfo {
    /// The game.
    pub game: Game,
    /// The game's version as it names itself ("1.4.2", "1.18").
    pub game_version: Option<String>,
    /// Kind of the session.
    pub kind: SessionKind,
    /// Which of several of its kind, from 1.
    pub kind_number: Option<u8>,
    /// Track, as the game names it.
    pub track: String,
    /// Length of a lap in metres.
    pub track_length_m: Option<f64>,
    /// Our car's key in standings and laps.
    pub car: CarKey,
    /// Our car's model ("Porsche 963") or, where the game names none, its entry.
    pub car_name: String,
    /// Class ("Hyper", "LMP2", "GT3").
    pub class: Option<String>,
    /// Car number as painted.
    pub number: Option<String>,
    /// The entrant's name.
    pub entrant: Option<String>,
    /// Who is driving our car.
    pub driver: String,
    /// When the agent saw the session begin, milliseconds since the Unix epoch, by the agent's clock.
    pub started_at_ms: u64,
    /// Planned length in seconds, of a timed session.
    pub duration_s: Option<f64>,
    /// Planned length in laps, of a session counted in laps.
    pub total_laps: Option<u32>,
    /// The multiplayer server's name.
    pub server: Option<String>,
}

/// Phase of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Before the session has begun.
    Before,
    /// Reconnaissance, grid walk, formation or countdown.
    Formation,
    /// Green.
    Green,
    /// Full-course yellow or safety car.
    FullCourseYellow,
    /// Virtual safety car.
    VirtualSafetyCar,
    /// Stopped under red.
    Stopped,
    /// The chequered flag is out.
    Over,
    /// The game is paused.
    Paused,
}

/// Where a car is with respect to the pits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PitState {
    /// On the track.
    Track,
    /// Has asked for a stop.
    Requested,
    /// In the pit lane, before its box.
    Entering,
    /// In its box.
    Stopped,
    /// In the pit lane, after its box.
    Exiting,
    /// In the garage.
    Garage,
}

/// Whether and how a car has finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FinishState {
    /// Still running.
    Running,
    /// Has taken the chequered flag.
    Finished,
    /// Retired.
    Retired,
    /// Disqualified.
    Disqualified,
}

/// One car in the standings. What the game does not tell is absent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct CarStanding {
    /// The car.
    pub car: CarKey,
    /// Car number as painted.
    pub number: Option<String>,
    /// Who drives it now.
    pub driver: String,
    /// Entrant.
    pub entrant: Option<String>,
    /// Model or entry name.
    pub car_name: Option<String>,
    /// Class.
    pub class: Option<String>,
    /// Overall position, from 1.
    pub position: u16,
    /// Position in class, from 1.
    pub class_position: Option<u16>,
    /// Completed laps.
    pub laps: u16,
    /// Sector that the car is in, 1 to 3.
    pub sector: Option<u8>,
    /// Distance since the line in metres.
    pub lap_distance_m: Option<f32>,
    /// Gap to the leader in seconds.
    pub gap_s: Option<f32>,
    /// Laps behind the leader, where more than 0.
    pub gap_laps: Option<u16>,
    /// Interval to the car ahead in seconds.
    pub interval_s: Option<f32>,
    /// Laps behind the car ahead, where more than 0.
    pub interval_laps: Option<u16>,
    /// Last lap in milliseconds.
    pub last_lap_ms: Option<u32>,
    /// Best lap in milliseconds.
    pub best_lap_ms: Option<u32>,
    /// Sectors of the last lap in milliseconds, single.
    pub last_sectors_ms: [Option<u32>; 3],
    /// Sectors of the current lap so far in milliseconds, single.
    pub current_sectors_ms: [Option<u32>; 2],
    /// Pits.
    pub pit: PitState,
    /// Number of stops.
    pub pit_stops: u16,
    /// Outstanding penalties.
    pub penalties: u16,
    /// Result so far.
    pub finish: FinishState,
    /// Tyre compound, as the game names it.
    pub compound: Option<String>,
    /// Virtual energy left in percent.
    pub virtual_energy_pct: Option<f32>,
    /// Place on the map: metres east (x) and south (z) in the game's frame.
    pub xz_m: Option<[f32; 2]>,
}

/// The field at one instant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Standings {
    /// Session time in seconds.
    pub at_s: f64,
    /// Time left in seconds, of a timed session.
    pub time_left_s: Option<f64>,
    /// Phase.
    pub phase: Phase,
    /// Sectors under yellow, 1 to 3.
    pub yellow_sectors: Vec<u8>,
    /// The cars in the order of their position.
    pub cars: Vec<CarStanding>,
}

/// A completed lap of any car, with what was true at the line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Lap {
    /// The car.
    pub car: CarKey,
    /// Number of the lap, from 1.
    pub lap: u16,
    /// Who crossed the line.
    pub driver: String,
    /// Lap time in milliseconds; absent where the game counted none (out-lap, cut, invalid).
    pub time_ms: Option<u32>,
    /// Single sector times in milliseconds.
    pub sectors_ms: [Option<u32>; 3],
    /// Whether the game counts it; absent where it does not say.
    pub valid: Option<bool>,
    /// The lap began in the pit lane or garage.
    pub out_lap: bool,
    /// The lap ended in the pit lane.
    pub in_lap: bool,
    /// Overall position at the line.
    pub position: Option<u16>,
    /// Position in class at the line.
    pub class_position: Option<u16>,
    /// Class of the car.
    pub class: Option<String>,
    /// Car number.
    pub number: Option<String>,
    /// Session time in seconds at which the lap ended.
    pub at_s: f64,
    /// Fuel at the line in litres (our car).
    pub fuel_l: Option<f32>,
    /// Fuel at the line in kilograms (our car, games that weigh it).
    pub fuel_kg: Option<f32>,
    /// Virtual energy at the line in percent (our car).
    pub virtual_energy_pct: Option<f32>,
    /// Tyre compound, as the game names it.
    pub compound: Option<String>,
    /// Tyre wear at the line in percent worn, FL FR RL RR (our car).
    pub tire_wear_pct: Option<[f32; 4]>,
}

/// Step of a visit to the pits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum PitStep {
    /// Into the pit lane.
    Enter,
    /// Stopped in the box.
    Stop,
    /// Left the box.
    Go,
    /// Out of the pit lane.
    Exit,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RaceEvent {
    /// A car completed a lap.
    Lap(Lap),
    /// A car took a step of a pit visit.
    Pit {
        /// The car.
        car: CarKey,
        /// Its lap, from 1.
        lap: u16,
        /// Which step.
        step: PitStep,
        /// Session time in seconds.
        at_s: f64,
        /// Fuel in litres (our car).
        fuel_l: Option<f32>,
        /// Virtual energy in percent (our car).
        virtual_energy_pct: Option<f32>,
        /// Tyre compound.
        compound: Option<String>,
    },
    /// Another driver sits in a car.
    DriverChange {
        /// The car.
        car: CarKey,
        /// Its lap, from 1.
        lap: u16,
        /// Who drove.
        from: String,
        /// Who drives.
        to: String,
        /// Session time in seconds.
        at_s: f64,
    },
    /// The session entered a phase.
    Phase {
        /// The phase.
        phase: Phase,
        /// Session time in seconds.
        at_s: f64,
    },
    /// Something that the game reported in words: incident, penalty, track limits.
    Note {
        /// The car it is about, where one is known.
        car: Option<CarKey>,
        /// What it is.
        topic: NoteTopic,
        /// The game's words.
        text: String,
        /// Session time in seconds.
        at_s: f64,
    },
}

/// What a note is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum NoteTopic {
    /// Contact or damage.
    Incident,
    /// A penalty.
    Penalty,
    /// Track limits.
    TrackLimits,
    /// Anything else.
    Other,
}
