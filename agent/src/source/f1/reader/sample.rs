//! Our car's channels from the packets of one frame.
//!
//! The five packets that the game sends at the rate of its menu belong to one frame. What one of them tells is in the
//! sample of its frame or absent; what the slower packets tell (weather, wear, damage) holds until the next of them.
//!
//! Invariants: the catalogue's units; nothing is allocated for a channel.

use super::super::enums::{FiaFlag, Weather};
use super::super::packet::wire::Corners;
use super::super::packet::{CarDamage, CarMotion, CarStatus, CarTelemetry, LapData, MotionEx, Session};
use onelap_protocol::Sample;
use onelap_protocol::channel::Channel as C;

const KPA_PER_PSI: f64 = 6.894_757;
const J_PER_MJ: f64 = 1e6;

/// Packets of a frame, a bit each.
pub const MOTION: u8 = 1;
/// See [`MOTION`].
pub const LAP_DATA: u8 = 2;
/// See [`MOTION`].
pub const TELEMETRY: u8 = 4;
/// See [`MOTION`].
pub const STATUS: u8 = 8;
/// See [`MOTION`].
pub const MOTION_EX: u8 = 16;
/// All five.
pub const WHOLE: u8 = 31;

/// The sample of the frame that is arriving.
#[derive(Debug)]
pub struct Frame {
    /// Which.
    pub overall: u32,
    /// What has arrived of it.
    pub have: u8,
    /// Its sample was told.
    pub told: bool,
    /// What it says so far.
    pub sample: Sample,
}

impl Frame {
    /// A frame of which nothing has arrived.
    #[must_use]
    pub fn new(overall: u32, at_ms: u64) -> Self {
        Self { overall, have: 0, told: false, sample: Sample::new(at_ms) }
    }
}

fn corners(sample: &mut Sample, channels: [C; 4], values: &Corners<impl Copy + Into<f64>>, factor: f64) {
    for (channel, value) in channels.into_iter().zip(values.in_order()) {
        sample.set(channel, value.into() * factor);
    }
}

/// Id 0.
pub fn motion(sample: &mut Sample, car: &CarMotion) {
    sample.set(C::PositionX, car.position_x_m.into());
    sample.set(C::PositionY, car.position_y_m.into());
    sample.set(C::PositionZ, car.position_z_m.into());
    // The game's signs are the catalogue's.
    sample.set(C::GForceLateral, car.lateral_g.into());
    sample.set(C::GForceLongitudinal, car.longitudinal_g.into());
    sample.set(C::GForceVertical, car.vertical_g.into());
}

/// Id 2. Gaps are those of a race.
pub fn lap_data(sample: &mut Sample, car: &LapData, behind: Option<&LapData>, is_race: bool) {
    sample.set_opt(C::Lap, (car.current_lap > 0).then_some(car.current_lap.into()));
    sample.set_opt(C::LapDistance, (car.lap_distance_m >= 0.0).then_some(car.lap_distance_m.into()));
    sample.set(C::LapTime, f64::from(car.current_lap_time_ms) / 1000.0);
    sample.set_opt(C::CurrentSector, (car.sector < 3).then(|| f64::from(car.sector) + 1.0));
    sample.set_opt(C::Position, (car.position > 0).then_some(car.position.into()));
    sample.set(C::LapInvalid, u8::from(car.current_lap_invalid).into());
    sample.set(C::TrackLimitPoints, car.corner_cutting_warnings.into());
    if is_race {
        let gap = |car: &LapData| car.delta_to_car_in_front_ms.known().map(|ms| f64::from(ms) / 1000.0);
        sample.set_opt(C::GapAhead, gap(car).filter(|_| car.position > 1));
        sample.set_opt(C::GapBehind, behind.and_then(gap));
    }
}

/// Id 6. The game has one temperature of the engine; it is shown where others show the water's.
pub fn telemetry(sample: &mut Sample, car: &CarTelemetry) {
    sample.set(C::Speed, car.speed_kmh.into());
    sample.set(C::Throttle, f64::from(car.throttle_fraction) * 100.0);
    sample.set(C::Brake, f64::from(car.brake_fraction) * 100.0);
    sample.set(C::Clutch, car.clutch_pct.into());
    sample.set(C::Steering, f64::from(car.steer_fraction) * 100.0);
    sample.set(C::Gear, car.gear.into());
    sample.set(C::Rpm, car.engine_rpm.into());
    sample.set(C::Drs, u8::from(car.drs).into());
    sample.set(C::EngineWaterTemp, car.engine_temperature_c.into());
    let brakes = [C::BrakeTempFl, C::BrakeTempFr, C::BrakeTempRl, C::BrakeTempRr];
    corners(sample, brakes, &car.brake_temperature_c, 1.0);
    let surface = [C::TireTempFl, C::TireTempFr, C::TireTempRl, C::TireTempRr];
    corners(sample, surface, &car.tyre_surface_temperature_c, 1.0);
    let inner = [C::TireInnerTempFl, C::TireInnerTempFr, C::TireInnerTempRl, C::TireInnerTempRr];
    corners(sample, inner, &car.tyre_inner_temperature_c, 1.0);
    let pressures = [C::TirePressureFl, C::TirePressureFr, C::TirePressureRl, C::TirePressureRr];
    corners(sample, pressures, &car.tyre_pressure_psi, KPA_PER_PSI);
}

/// Id 7.
pub fn status(sample: &mut Sample, car: &CarStatus) {
    sample.set(C::TractionControl, car.traction_control.into());
    sample.set(C::Abs, u8::from(car.anti_lock_brakes).into());
    sample.set(C::MotorMap, car.fuel_mix.into());
    sample.set(C::BrakeBias, car.front_brake_bias_pct.into());
    sample.set(C::SpeedLimiter, u8::from(car.pit_limiter).into());
    sample.set(C::FuelMass, car.fuel_in_tank_kg.into());
    sample.set_opt(C::FuelMassCapacity, (car.fuel_capacity_kg > 0.0).then_some(car.fuel_capacity_kg.into()));
    sample.set(C::ErsStore, f64::from(car.ers_store_energy_j) / J_PER_MJ);
    sample.set(C::ErsMode, car.ers_deploy_mode.0.into());
    sample.set(C::ErsDeployed, f64::from(car.ers_deployed_this_lap_j) / J_PER_MJ);
    sample.set(C::TireAge, car.tyre_age_laps.into());
    let compound = car.visual_compound.catalogue_code().map(f64::from);
    for channel in [C::TireCompoundFl, C::TireCompoundFr, C::TireCompoundRl, C::TireCompoundRr] {
        sample.set_opt(channel, compound);
    }
}

/// Id 13.
pub fn motion_ex(sample: &mut Sample, car: &MotionEx) {
    let suspension = [C::SuspensionFl, C::SuspensionFr, C::SuspensionRl, C::SuspensionRr];
    corners(sample, suspension, &car.suspension_position_mm, 1.0);
}

/// Id 10.
pub fn damage(sample: &mut Sample, car: &CarDamage) {
    let wear = [C::TireWearFl, C::TireWearFr, C::TireWearRl, C::TireWearRr];
    corners(sample, wear, &car.tyre_wear_pct, 1.0);
    sample.set(C::FrontWingDamage, car.front_left_wing_damage_pct.max(car.front_right_wing_damage_pct).into());
    sample.set(C::RearWingDamage, car.rear_wing_damage_pct.into());
}

/// Id 1.
pub fn session(sample: &mut Sample, session: &Session) {
    sample.set(C::TrackTemp, session.track_temperature_c.into());
    sample.set(C::AmbientTemp, session.air_temperature_c.into());
    sample.set_opt(C::Rain, rain_pct(session.weather));
    if !is_race(session) && session.session_duration_s > 0 {
        sample.set(C::TimeLeft, session.session_time_left_s.into());
    }
}

/// Whether the session is a race.
#[must_use]
pub fn is_race(session: &Session) -> bool {
    matches!(session.session_type.0, 15..=17)
}

/// The game has four steps from dry to storm; they are spread over the catalogue's scale.
fn rain_pct(weather: Weather) -> Option<f64> {
    match weather.0 {
        0..=2 => Some(0.0),
        3 => Some(33.0),
        4 => Some(67.0),
        5 => Some(100.0),
        _ => None,
    }
}

/// The flag that our car is shown.
#[must_use]
pub fn flag(fia: FiaFlag, is_red: bool) -> Option<f64> {
    match fia.0 {
        _ if is_red => Some(3.0),
        0 | 1 => Some(0.0),
        3 => Some(1.0),
        2 => Some(2.0),
        _ => None,
    }
}

/// Laps of fuel in the tank. In a race the game tells by how many laps the fuel outlasts the distance: at the start of a
/// real race over 19 laps it says 2.5 for 38.8 kg. Elsewhere there is no distance to outlast.
#[must_use]
pub fn fuel_laps(status: &CarStatus, lap: &LapData, session: &Session) -> Option<f64> {
    let told = f64::from(status.fuel_remaining_laps);
    if !is_race(session) {
        return Some(told);
    }
    let length_m = f64::from(session.track_length_m);
    if session.total_laps == 0 || session.track_length_m == 0 {
        return None;
    }
    let into_the_lap = (f64::from(lap.lap_distance_m) / length_m).clamp(0.0, 1.0);
    let to_go = (f64::from(session.total_laps) - f64::from(lap.current_lap) + 1.0 - into_the_lap).max(0.0);
    Some((told + to_go).max(0.0))
}
