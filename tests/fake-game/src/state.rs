//! What the player's car shows now, in plain units with the corners named: the other end that a test compares with.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::car::{FL, FR, Place, RL, RR};
use crate::model::class::Class;
use crate::model::log::SessionKind;
use crate::model::session::Phase;
use crate::model::timing::LapTimes;
use crate::model::world::World;

/// A value for each corner of the car.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Corners {
    /// Front left.
    pub fl: f64,
    /// Front right.
    pub fr: f64,
    /// Rear left.
    pub rl: f64,
    /// Rear right.
    pub rr: f64,
}

/// The player's car and its session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlayerState {
    /// False after `disconnect`.
    pub connected: bool,
    /// At the main menu.
    pub in_menu: bool,
    /// Time stands still.
    pub paused: bool,
    /// `garage`, `track`, `pit_entry`, `pit_stop` or `pit_exit`.
    pub place: String,
    /// `gameVersion` of the LMU image.
    pub game_version: i32,
    /// Cars in the session.
    pub cars: usize,
    /// 0 for the first session of the run.
    pub session_index: u32,
    /// Practice, qualifying or race.
    pub session_kind: SessionKind,
    /// How far it has come.
    pub session_phase: Phase,
    /// F1's session UID, in decimal.
    pub session_uid: String,
    /// Session time, seconds.
    pub session_time_s: f64,
    /// Track name.
    pub track: String,
    /// Length of a lap, metres.
    pub track_length_m: f64,
    /// Slot id of the player's car.
    pub car_id: i32,
    /// Its place in the F1 arrays.
    pub f1_index: usize,
    /// Class.
    pub class: Class,
    /// Vehicle name as the games show it.
    pub vehicle_name: String,
    /// Who drives.
    pub driver: String,
    /// Who could.
    pub drivers: Vec<String>,
    /// Overall position.
    pub position: usize,
    /// Laps done.
    pub laps_completed: u32,
    /// Lap being driven; 1 is the first.
    pub lap: u32,
    /// 1, 2 or 3.
    pub sector: usize,
    /// From the line, metres.
    pub lap_distance_m: f64,
    /// Time since the lap began, seconds.
    pub current_lap_s: f64,
    /// The lap before this one.
    pub last_lap_ms: Option<u32>,
    /// Its sectors, each by itself.
    pub last_sectors_ms: Option<[u32; 3]>,
    /// Best valid lap.
    pub best_lap_ms: Option<u32>,
    /// Speed.
    pub speed_kmh: f64,
    /// Engine speed.
    pub rpm: f64,
    /// -1 reverse, 0 neutral.
    pub gear: i32,
    /// 0..1.
    pub throttle: f64,
    /// 0..1.
    pub brake: f64,
    /// 0..1.
    pub clutch: f64,
    /// -1 left .. 1 right.
    pub steering: f64,
    /// Fuel in the tank, litres.
    pub fuel_l: f64,
    /// Tank size, litres.
    pub fuel_capacity_l: f64,
    /// Virtual energy, 0..1, for the classes that have it.
    pub virtual_energy: Option<f64>,
    /// Battery, 0..1, for hybrids.
    pub battery: Option<f64>,
    /// Tyre pressure.
    pub tyre_pressure_kpa: Corners,
    /// Mean of the tread's three thirds.
    pub tyre_surface_c: Corners,
    /// Inner layer, middle.
    pub tyre_inner_c: Corners,
    /// Carcass.
    pub tyre_carcass_c: Corners,
    /// What is left of the tyre, 0..1.
    pub tyre_remaining: Corners,
    /// Brake discs.
    pub brake_c: Corners,
    /// Water.
    pub water_c: f64,
    /// Oil.
    pub oil_c: f64,
    /// Rear share of the brake balance, 0..1.
    pub rear_brake_share: f64,
    /// Air.
    pub ambient_c: f64,
    /// Track surface.
    pub track_c: f64,
    /// 0..1.
    pub rain: f64,
    /// Mean of the racing line, 0..1.
    pub wetness: f64,
    /// The car comes in at the end of this lap.
    pub pit_requested: bool,
    /// Stops so far.
    pub pit_stops: u32,
    /// The setup: key and the text that the garage shows.
    pub setup: BTreeMap<String, String>,
}

/// Where the game is, beside the world.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Front {
    pub connected: bool,
    pub in_menu: bool,
    pub paused: bool,
    pub game_version: i32,
}

impl PlayerState {
    pub(crate) fn of(world: &World, front: Front) -> Self {
        let (car, session) = (world.player_car(), &world.session);
        let corners = |value: fn(&crate::model::car::Corner) -> f64| Corners {
            fl: value(&car.corners[FL]),
            fr: value(&car.corners[FR]),
            rl: value(&car.corners[RL]),
            rr: value(&car.corners[RR]),
        };
        let along = car.s_m.rem_euclid(world.track.length_m);
        Self {
            connected: front.connected,
            in_menu: front.in_menu,
            paused: front.paused,
            place: place_name(car.place).to_owned(),
            game_version: front.game_version,
            cars: world.cars.len(),
            session_index: session.index,
            session_kind: session.kind,
            session_phase: session.phase,
            session_uid: session.uid.to_string(),
            session_time_s: session.now_s(),
            track: world.track.name.to_owned(),
            track_length_m: world.track.length_m,
            car_id: car.entry.id,
            f1_index: world.player,
            class: car.entry.class,
            vehicle_name: car.entry.vehicle_name.clone(),
            driver: car.driver_name().to_owned(),
            drivers: car.entry.drivers.iter().map(|driver| driver.name.clone()).collect(),
            position: car.position,
            laps_completed: car.timing.laps,
            lap: car.timing.laps + 1,
            sector: world.track.sector_at(along) + 1,
            lap_distance_m: along,
            current_lap_s: session.now_s() - car.timing.lap_start_ms as f64 / 1_000.0,
            last_lap_ms: car.timing.last.map(LapTimes::lap_ms),
            last_sectors_ms: car.timing.last.map(|times| times.sector_ms),
            best_lap_ms: car.timing.best.map(LapTimes::lap_ms),
            speed_kmh: car.speed_mps * 3.6,
            rpm: car.rpm,
            gear: car.gear,
            throttle: car.throttle,
            brake: car.brake,
            clutch: car.clutch,
            steering: car.steering,
            fuel_l: car.fuel_l,
            fuel_capacity_l: car.spec().tank_l,
            virtual_energy: car.has_energy().then_some(car.energy),
            battery: car.spec().hybrid.then_some(car.battery),
            tyre_pressure_kpa: corners(crate::model::car::Corner::pressure_kpa),
            tyre_surface_c: corners(crate::model::car::Corner::tread_c),
            tyre_inner_c: corners(|corner| corner.inner_c),
            tyre_carcass_c: corners(|corner| corner.carcass_c),
            tyre_remaining: corners(|corner| corner.tread),
            brake_c: corners(|corner| corner.brake_c),
            water_c: car.water_c,
            oil_c: car.oil_c,
            rear_brake_share: world.setup.rear_brake_share(),
            ambient_c: world.weather.ambient_c,
            track_c: world.weather.track_c,
            rain: world.weather.rain,
            wetness: world.weather.wetness,
            pit_requested: car.pit.requested,
            pit_stops: car.pit.stops,
            setup: world.setup.texts(),
        }
    }
}

fn place_name(place: Place) -> &'static str {
    match place {
        Place::Garage => "garage",
        Place::Track => "track",
        Place::Entering => "pit_entry",
        Place::Stopped => "pit_stop",
        Place::Exiting => "pit_exit",
    }
}
