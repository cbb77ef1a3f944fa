//! Laps, stints, pit visits and driver changes of one car, and the samples of a lap.
//!
//! Not here: how they are found in the stream (`race`), how samples are stored (`recorder::chunk`).

pub(crate) mod routes;
mod store;
mod trace;

pub use routes::routes;
pub use trace::Wanted;

use crate::db::TenantTx;
use onelap_protocol::race::Lap;
use onelap_protocol::{CarKey, SessionId};
use serde::Serialize;

/// A completed lap. What the game did not tell is absent.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct LapRow {
    /// Number of the lap, from 1.
    pub lap: u32,
    /// Which stint of the car it belongs to, from 1.
    pub stint: u32,
    /// Who crossed the line.
    pub driver: String,
    /// Lap time in milliseconds.
    pub time_ms: Option<u32>,
    /// Single sector times in milliseconds.
    pub sectors_ms: [Option<u32>; 3],
    /// Whether the game counts it.
    pub valid: Option<bool>,
    /// The lap began in the pit lane or garage.
    pub out_lap: bool,
    /// The lap ended in the pit lane.
    pub in_lap: bool,
    /// Overall position at the line.
    pub position: Option<u32>,
    /// Position in class at the line.
    pub class_position: Option<u32>,
    /// Session time in seconds at which the lap ended.
    pub at_s: f64,
    /// Fuel at the line in litres (our car).
    pub fuel_l: Option<f32>,
    /// Fuel at the line in kilograms (our car).
    pub fuel_kg: Option<f32>,
    /// Virtual energy at the line in percent (our car).
    pub virtual_energy_pct: Option<f32>,
    /// Litres used on this lap, where both lines were seen and nothing was filled in between.
    pub fuel_used_l: Option<f32>,
    /// Kilograms used on this lap.
    pub fuel_used_kg: Option<f32>,
    /// Percent of virtual energy used on this lap.
    pub virtual_energy_used_pct: Option<f32>,
    /// Tyre compound, as the game names it.
    pub compound: Option<String>,
    /// Tyre wear at the line in percent worn, FL FR RL RR (our car).
    pub tire_wear_pct: Option<Vec<f32>>,
}

/// What was used on a lap.
#[derive(Debug, Clone, Copy)]
struct Used {
    fuel_l: Option<f32>,
    fuel_kg: Option<f32>,
    virtual_energy_pct: Option<f32>,
}

impl LapRow {
    fn new((lap, used, stint): (Lap, Used, u32)) -> Self {
        Self {
            lap: u32::from(lap.lap),
            stint,
            driver: lap.driver,
            time_ms: lap.time_ms,
            sectors_ms: lap.sectors_ms,
            valid: lap.valid,
            out_lap: lap.out_lap,
            in_lap: lap.in_lap,
            position: lap.position.map(u32::from),
            class_position: lap.class_position.map(u32::from),
            at_s: lap.at_s,
            fuel_l: lap.fuel_l,
            fuel_kg: lap.fuel_kg,
            virtual_energy_pct: lap.virtual_energy_pct,
            fuel_used_l: used.fuel_l,
            fuel_used_kg: used.fuel_kg,
            virtual_energy_used_pct: used.virtual_energy_pct,
            compound: lap.compound,
            tire_wear_pct: lap.tire_wear_pct.map(Vec::from),
        }
    }
}

/// Consecutive laps by one driver between stops.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct StintRow {
    /// From 1.
    pub stint: u32,
    /// Who drove.
    pub driver: String,
    /// First lap.
    pub first_lap: u32,
    /// Last lap so far.
    pub last_lap: u32,
    /// Laps that were seen.
    pub laps: u32,
    /// Tyre compound.
    pub compound: Option<String>,
    /// Best lap in milliseconds.
    pub best_ms: Option<u32>,
    /// Mean of the laps that are neither in- nor out-laps, in milliseconds.
    pub mean_ms: Option<u32>,
}

/// A visit to the pits. Instants are seconds of session time.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PitStopRow {
    /// From 1.
    pub stop: u32,
    /// On which lap.
    pub lap: u32,
    /// Who drove in.
    pub driver_in: Option<String>,
    /// Who drove out.
    pub driver_out: Option<String>,
    /// Into the pit lane.
    pub entered_s: Option<f64>,
    /// Stopped in the box.
    pub stopped_s: Option<f64>,
    /// Left the box.
    pub released_s: Option<f64>,
    /// Out of the pit lane.
    pub exited_s: Option<f64>,
    /// Fuel on the way in, in litres (our car).
    pub fuel_in_l: Option<f32>,
    /// Fuel on the way out, in litres (our car).
    pub fuel_out_l: Option<f32>,
    /// Virtual energy on the way in, in percent (our car).
    pub virtual_energy_in_pct: Option<f32>,
    /// Virtual energy on the way out, in percent (our car).
    pub virtual_energy_out_pct: Option<f32>,
    /// Compound on the way in.
    pub compound_in: Option<String>,
    /// Compound on the way out.
    pub compound_out: Option<String>,
}

/// Another driver sits in the car.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct DriverChangeRow {
    /// On which lap.
    pub lap: u32,
    /// Session time in seconds.
    pub at_s: f64,
    /// Who drove.
    pub from: String,
    /// Who drives.
    pub to: String,
}

/// What one car did in a session.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CarHistory {
    /// Its laps, in their order.
    pub laps: Vec<LapRow>,
    /// Its stints.
    pub stints: Vec<StintRow>,
    /// Its pit visits.
    pub pit_stops: Vec<PitStopRow>,
    /// Its driver changes.
    pub driver_changes: Vec<DriverChangeRow>,
}

/// What one car did in a session; empty where nothing was seen of it.
///
/// # Errors
/// Where the database fails.
pub(crate) async fn of_car(tx: &mut TenantTx, session: SessionId, car: &CarKey) -> Result<CarHistory, sqlx::Error> {
    Ok(CarHistory {
        laps: store::laps(tx, session, car).await?,
        stints: store::stints(tx, session, car).await?,
        pit_stops: store::pit_stops(tx, session, car).await?,
        driver_changes: store::driver_changes(tx, session, car).await?,
    })
}

/// The latest laps of our car, oldest first.
///
/// # Errors
/// Where the database fails.
pub(crate) async fn latest_own(tx: &mut TenantTx, session: SessionId, most: i64) -> Result<Vec<Lap>, sqlx::Error> {
    store::latest_own(tx, session, most).await
}
