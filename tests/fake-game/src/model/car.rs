//! One car: who it is, where it is, what it carries and how worn it is.
//!
//! Plain data; `drive` moves it, `heat` warms it, `pit` serves it, `timing` times it. Corners are always in the order
//! FL, FR, RL, RR (see [`Corner`]); each face puts them into its own game's order.

use std::sync::Arc;

use super::class::{Class, Spec};
use super::timing::Timing;

pub(crate) const FL: usize = 0;
pub(crate) const FR: usize = 1;
pub(crate) const RL: usize = 2;
pub(crate) const RR: usize = 3;

/// Who a car is; never changes in a run.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Slot id. Not the index in the field, so that whoever confuses the two is found out.
    pub id: i32,
    pub number: u32,
    pub class: Class,
    pub team: String,
    pub vehicle_name: String,
    pub vehicle_file: String,
    pub model: &'static str,
    pub drivers: Vec<Driver>,
    pub box_m: f64,
    pub steering_wobble: f64,
}

#[derive(Debug, Clone)]
pub(crate) struct Driver {
    pub name: String,
    /// Share of the class's speed that this driver finds, just below 1.
    pub skill: f64,
    /// Standard deviation of that share from sector to sector.
    pub scatter: f64,
}

/// Where a car is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Garage,
    Track,
    Entering,
    Stopped,
    Exiting,
}

impl Place {
    pub(crate) fn in_pit_lane(self) -> bool {
        !matches!(self, Self::Track)
    }
}

/// A wheel with its tyre and brake.
#[derive(Debug, Clone)]
pub(crate) struct Corner {
    /// Tread, left to right in the car's frame.
    pub surface_c: [f64; 3],
    pub inner_c: f64,
    pub carcass_c: f64,
    /// What is left of the tyre, 1 = new.
    pub tread: f64,
    pub brake_c: f64,
    pub disc_m: f64,
    /// Pressure set in the garage, at 20 °C.
    pub cold_kpa: f64,
}

impl Corner {
    pub(crate) fn pressure_kpa(&self) -> f64 {
        const ATMOSPHERE_KPA: f64 = 101.3;
        (self.cold_kpa + ATMOSPHERE_KPA) * (self.carcass_c + 273.15) / 293.15 - ATMOSPHERE_KPA
    }

    pub(crate) fn tread_c(&self) -> f64 {
        self.surface_c.iter().sum::<f64>() / 3.0
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compound {
    Medium,
    Hard,
    Wet,
}

impl Compound {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Medium => "Medium",
            Self::Hard => "Hard",
            Self::Wet => "Wet",
        }
    }
}

/// What is to be done at the next stop.
#[derive(Debug, Clone, Default)]
pub(crate) struct PitPlan {
    /// Comes in at the end of this lap.
    pub requested: bool,
    /// Goes to the garage instead of out again.
    pub into_garage: bool,
    /// The stop that is going on.
    pub stop: Option<Stop>,
    pub stops: u32,
    pub stops_since_driver_change: u32,
}

/// A stop from pit entry to pit exit.
#[derive(Debug, Clone)]
pub(crate) struct Stop {
    pub lap: u32,
    pub enter_ms: u64,
    pub stop_ms: u64,
    pub release_ms: u64,
    pub fuel_from_l: f64,
    pub fuel_to_l: f64,
    pub energy_from: f64,
    pub energy_to: f64,
    pub tyres: Option<Compound>,
    pub driver: Option<usize>,
}

/// The car ahead, when it is close enough to matter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ahead {
    pub gap_m: f64,
    pub speed_mps: f64,
}

/// Gaps to others, seconds; filled by `order`.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Gaps {
    pub to_leader_s: f64,
    pub laps_to_leader: i32,
    pub to_next_s: f64,
    pub laps_to_next: i32,
    pub behind_s: f64,
    /// Nearest cars on the road, whatever their place.
    pub road_ahead_s: f64,
    pub road_behind_s: f64,
}

/// How the driver is doing right now.
#[derive(Debug, Clone)]
pub(crate) struct Pace {
    /// This lap's share of speed by sector, drawn at the line.
    pub sector_share: [f64; 3],
    /// The share that is being driven, following the above without steps.
    pub share: f64,
}

#[derive(Debug, Clone)]
pub(crate) struct Car {
    pub entry: Arc<Entry>,
    pub driver: usize,
    pub place: Place,
    /// Metres since the line; negative on the grid.
    pub s_m: f64,
    pub lateral_m: f64,
    pub speed_mps: f64,
    pub accel_mps2: f64,
    pub curvature: f64,
    pub throttle: f64,
    pub brake: f64,
    pub steering: f64,
    pub clutch: f64,
    pub gear: i32,
    pub rpm: f64,
    pub limiter: bool,
    pub fuel_l: f64,
    /// Virtual energy left, 0..1; stays 0 where the class has none.
    pub energy: f64,
    pub battery: f64,
    pub water_c: f64,
    pub oil_c: f64,
    pub corners: [Corner; 4],
    pub compound: Compound,
    pub timing: Timing,
    pub pace: Pace,
    pub pit: PitPlan,
    pub ahead: Option<Ahead>,
    pub blue_flag: bool,
    pub position: usize,
    pub grid: usize,
    pub gaps: Gaps,
    /// When it took the chequered flag.
    pub finished_ms: Option<u64>,
    /// When the car leaves the garage, session ms.
    pub leaves_garage_ms: Option<u64>,
    pub penalties: u32,
    pub track_limit_steps: u32,
    pub last_impact: Option<(u64, f64)>,
    pub dents: [u8; 8],
    /// Use over the last lap, for strategy and the pit menu.
    pub fuel_per_lap_l: f64,
    pub fuel_at_line_l: f64,
    pub stint_laps: u32,
    pub top_speed_mps: f64,
}

impl Car {
    pub(crate) fn spec(&self) -> &'static Spec {
        self.entry.class.spec()
    }

    pub(crate) fn driver_name(&self) -> &str {
        &self.entry.drivers[self.driver].name
    }

    pub(crate) fn lateral_accel(&self) -> f64 {
        self.speed_mps * self.speed_mps * self.curvature
    }

    /// Load on each tyre in newtons: weight, downforce, and what cornering and braking shift.
    pub(crate) fn loads_n(&self) -> [f64; 4] {
        let spec = self.spec();
        let mass = spec.mass_kg + self.fuel_l * 0.74;
        let down = mass * 9.81 * (1.0 + 0.6 * spec.downforce * (self.speed_mps / 80.0).powi(2));
        let (across, along) = (mass * self.lateral_accel() * 0.16, mass * self.accel_mps2 * 0.14);
        // A right-hand corner loads the left; braking loads the front.
        [
            down * 0.235 + across * 0.52 - along,
            down * 0.235 - across * 0.52 - along,
            down * 0.265 + across * 0.48 + along,
            down * 0.265 - across * 0.48 + along,
        ]
        .map(|load| load.max(150.0))
    }

    /// Rotation of each wheel, rad/s, positive rolling forward.
    pub(crate) fn wheel_speeds(&self) -> [f64; 4] {
        let [front, rear] = self.spec().tyre_radius_m;
        let inside = 1.0 - self.curvature * 0.8;
        let outside = 1.0 + self.curvature * 0.8;
        let slip = 1.0 - 0.02 * self.brake + 0.01 * self.throttle;
        [
            self.speed_mps * outside / front,
            self.speed_mps * inside / front,
            self.speed_mps * outside * slip / rear,
            self.speed_mps * inside * slip / rear,
        ]
    }

    /// Energy or fuel left in laps, from what the last lap took.
    pub(crate) fn laps_left(&self) -> f64 {
        let left_l = match self.spec().energy_l {
            Some(whole) => (self.energy * whole).min(self.fuel_l),
            None => self.fuel_l,
        };
        left_l / self.fuel_per_lap_l.max(0.01)
    }

    pub(crate) fn has_energy(&self) -> bool {
        self.spec().energy_l.is_some()
    }
}
