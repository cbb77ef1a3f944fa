//! Our car's image as a [`Sample`]: every unit made right, here and nowhere else.
//!
//! Where LMU lies: temperatures of tyres and brakes are Kelvin, wear is what remains, brake bias is the rear's share,
//! boost is Pascal, forward is −z, gaps are signed, and 0 stands for "not known" in most fields that other cars, or older
//! versions, do not fill. What is not known is left absent.
//!
//! Not here: when a sample is taken and what the lap number and distance are between two scoring updates (`reader`).

use super::image::{Car, Image, Scoring, Vehicle, Wheel};
use onelap_protocol::race::PitState;
use onelap_protocol::{Channel, Sample};

const STANDARD_GRAVITY: f64 = 9.806_65;
const ZERO_CELSIUS_K: f64 = 273.15;

/// What a sample needs besides the image.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Context {
    /// When the image was read, milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// Number of the current lap, from 1.
    pub lap: Option<f64>,
    /// Distance since the line, m.
    pub lap_distance_m: Option<f64>,
    /// Position in class.
    pub class_position: Option<u16>,
    /// Number of cars.
    pub cars: usize,
}

/// Everything that LMU tells of our car at one instant.
#[must_use]
pub fn sample(image: &Image<'_>, vehicle: &Vehicle<'_>, car: &Car<'_>, context: &Context) -> Sample {
    let scoring = image.scoring();
    let is_1_3 = image.has_1_3();
    let mut out = Sample::new(context.at_ms);
    lap(&mut out, &scoring, vehicle, car, context, is_1_3);
    motion(&mut out, car);
    controls(&mut out, car, is_1_3);
    energy(&mut out, car, is_1_3);
    engine(&mut out, car);
    wheels(&mut out, &car.wheels(), is_1_3);
    conditions(&mut out, &scoring);
    state(&mut out, &scoring, vehicle, car, is_1_3);
    out
}

fn lap(out: &mut Sample, scoring: &Scoring<'_>, vehicle: &Vehicle<'_>, car: &Car<'_>, context: &Context, is_1_3: bool) {
    out.set(Channel::SessionTime, car.elapsed_time());
    out.set_opt(Channel::Lap, context.lap);
    out.set_opt(Channel::LapDistance, context.lap_distance_m);
    let lap_time = car.elapsed_time() - car.lap_start_et();
    out.set_opt(Channel::LapTime, within(lap_time, 0.0, 7200.0));
    // The sign bit marks the pit lane.
    let sector = car.current_sector() & i32::MAX;
    out.set_opt(Channel::CurrentSector, (0..3).contains(&sector).then(|| f64::from(sector + 1)));
    let place = vehicle.place();
    out.set_opt(Channel::Position, (place > 0).then(|| f64::from(place)));
    out.set_opt(Channel::ClassPosition, context.class_position.map(f64::from));
    out.set_opt(Channel::DeltaBest, (vehicle.best_lap_time() > 0.0).then(|| car.delta_best()));
    if is_1_3 {
        let is_last = usize::from(place) >= context.cars;
        out.set_opt(Channel::GapAhead, known(f64::from(car.time_gap_place_ahead()).abs()).filter(|_| place > 1));
        out.set_opt(Channel::GapBehind, known(f64::from(car.time_gap_place_behind()).abs()).filter(|_| !is_last));
    }
    out.set_opt(Channel::TimeLeft, time_left_s(scoring, is_1_3));
}

/// Time left in a timed session; 0 is one only where the session has an end.
#[must_use]
pub fn time_left_s(scoring: &Scoring<'_>, is_1_3: bool) -> Option<f64> {
    if is_1_3 {
        let left = within(f64::from(scoring.session_time_remaining()), 0.0, 1e6);
        return left.filter(|left| *left > 0.0 || scoring.end_et() > 0.0);
    }
    within(scoring.end_et() - scoring.current_et(), 0.0, 1e6).filter(|_| scoring.end_et() > 0.0)
}

fn motion(out: &mut Sample, car: &Car<'_>) {
    out.set(Channel::Speed, forward_mps(&car.local_vel()) * 3.6);
    let [x, y, z] = car.pos();
    out.set(Channel::PositionX, x);
    out.set(Channel::PositionY, y);
    out.set(Channel::PositionZ, z);
    // The car's frame is left, up, back: in a left-hand corner the acceleration points left and the driver is pushed right.
    let [left, up, back] = car.local_accel();
    out.set(Channel::GForceLateral, left / STANDARD_GRAVITY);
    out.set(Channel::GForceLongitudinal, -back / STANDARD_GRAVITY);
    out.set(Channel::GForceVertical, up / STANDARD_GRAVITY);
}

/// Speed forwards in m/s.
#[must_use]
pub fn forward_mps(local_vel: &[f64; 3]) -> f64 {
    -local_vel[2]
}

fn controls(out: &mut Sample, car: &Car<'_>, is_1_3: bool) {
    out.set(Channel::Rpm, car.engine_rpm().max(0.0));
    out.set(Channel::Gear, f64::from(car.gear()));
    out.set(Channel::Throttle, car.unfiltered_throttle() * 100.0);
    out.set(Channel::Brake, car.unfiltered_brake() * 100.0);
    out.set(Channel::Clutch, car.unfiltered_clutch() * 100.0);
    out.set(Channel::Steering, car.unfiltered_steering() * 100.0);
    let limiter = car.speed_limiter() != 0 || (is_1_3 && car.speed_limiter_active());
    out.set(Channel::SpeedLimiter, flag(limiter));
    let rear = car.rear_brake_bias();
    out.set_opt(Channel::BrakeBias, (rear > 0.0 && rear < 1.0).then_some((1.0 - rear) * 100.0));
    if car.rear_flap_legal_status() != 0 || car.rear_flap_activated() != 0 {
        out.set(Channel::Drs, flag(car.rear_flap_activated() != 0));
    }
    if !is_1_3 {
        return;
    }
    let steps = [
        (Channel::TractionControl, car.tc()),
        (Channel::TcSlip, car.tc_slip()),
        (Channel::TcCut, car.tc_cut()),
        (Channel::Abs, car.abs()),
        (Channel::MotorMap, car.motor_map()),
        (Channel::BrakeMigration, car.migration()),
        (Channel::FrontArb, car.front_anti_sway()),
        (Channel::RearArb, car.rear_anti_sway()),
    ];
    for (channel, [step, steps]) in steps {
        // A car without the aid has no steps.
        out.set_opt(channel, (step > 0 || steps > 0).then(|| f64::from(step)));
    }
}

fn energy(out: &mut Sample, car: &Car<'_>, is_1_3: bool) {
    out.set_opt(Channel::FuelCapacity, known(car.fuel_capacity()));
    out.set_opt(Channel::Fuel, fuel_l(car).map(f64::from));
    let has_motor = car.electric_motor_state() != 0 || car.battery_charge_fraction() > 0.0;
    out.set_opt(Channel::BatteryCharge, has_motor.then(|| car.battery_charge_fraction() * 100.0));
    out.set_opt(Channel::MotorTemp, known(car.electric_motor_temp()));
    out.set_opt(Channel::VirtualEnergy, virtual_energy_pct(car, is_1_3).map(f64::from));
    if is_1_3 {
        out.set_opt(Channel::RegenPower, has_motor.then(|| f64::from(car.regen())));
    }
}

/// Fuel in the tank; absent where the game does not fill the fields.
#[must_use]
pub fn fuel_l(car: &Car<'_>) -> Option<f32> {
    let fuel = car.fuel();
    ((0.0..1e4).contains(&fuel) && (fuel > 0.0 || car.fuel_capacity() > 0.0)).then_some(fuel as f32)
}

/// Virtual energy left; absent for the classes that have none.
#[must_use]
pub fn virtual_energy_pct(car: &Car<'_>, is_1_3: bool) -> Option<f32> {
    let fraction = car.virtual_energy();
    let (hypercar, gt3) = (0, 6);
    let class_has_it = [hypercar, gt3].contains(&car.vehicle_class());
    (is_1_3 && (0.0..=1.5).contains(&fraction) && (class_has_it || fraction > 0.0)).then_some(fraction * 100.0)
}

fn engine(out: &mut Sample, car: &Car<'_>) {
    out.set_opt(Channel::EngineWaterTemp, known(car.engine_water_temp()));
    out.set_opt(Channel::EngineOilTemp, known(car.engine_oil_temp()));
    out.set_opt(Channel::BoostPressure, known(car.turbo_boost_pressure()).map(|pascal| pascal / 1000.0));
}

/// The channels of one wheel.
struct WheelChannels {
    pressure: Channel,
    surface: Channel,
    thirds: [Channel; 3],
    inner: Channel,
    carcass: Channel,
    wear: Channel,
    compound: Channel,
    flat: Channel,
    brake: Channel,
    ride_height: Channel,
    suspension: Channel,
}

macro_rules! wheel_channels {
    ($($pressure:ident $surface:ident $left:ident $center:ident $right:ident $inner:ident $carcass:ident $wear:ident
       $compound:ident $flat:ident $brake:ident $ride:ident $suspension:ident;)*) => {
        [$(WheelChannels {
            pressure: Channel::$pressure,
            surface: Channel::$surface,
            thirds: [Channel::$left, Channel::$center, Channel::$right],
            inner: Channel::$inner,
            carcass: Channel::$carcass,
            wear: Channel::$wear,
            compound: Channel::$compound,
            flat: Channel::$flat,
            brake: Channel::$brake,
            ride_height: Channel::$ride,
            suspension: Channel::$suspension,
        }),*]
    };
}

/// In the game's order: FL FR RL RR.
const WHEEL_CHANNELS: [WheelChannels; 4] = wheel_channels! {
    TirePressureFl TireTempFl TireTempLeftFl TireTempCenterFl TireTempRightFl TireInnerTempFl TireCarcassTempFl TireWearFl
        TireCompoundFl TireFlatFl BrakeTempFl RideHeightFl SuspensionFl;
    TirePressureFr TireTempFr TireTempLeftFr TireTempCenterFr TireTempRightFr TireInnerTempFr TireCarcassTempFr TireWearFr
        TireCompoundFr TireFlatFr BrakeTempFr RideHeightFr SuspensionFr;
    TirePressureRl TireTempRl TireTempLeftRl TireTempCenterRl TireTempRightRl TireInnerTempRl TireCarcassTempRl TireWearRl
        TireCompoundRl TireFlatRl BrakeTempRl RideHeightRl SuspensionRl;
    TirePressureRr TireTempRr TireTempLeftRr TireTempCenterRr TireTempRightRr TireInnerTempRr TireCarcassTempRr TireWearRr
        TireCompoundRr TireFlatRr BrakeTempRr RideHeightRr SuspensionRr;
};

fn wheels(out: &mut Sample, wheels: &[Wheel<'_>; 4], is_1_3: bool) {
    let wear = wear_pct(wheels);
    for (i, (wheel, channels)) in wheels.iter().zip(&WHEEL_CHANNELS).enumerate() {
        out.set_opt(channels.pressure, known(wheel.pressure()));
        let thirds = wheel.temperature().map(celsius);
        out.set_opt(channels.surface, mean(&thirds));
        for (channel, third) in channels.thirds.into_iter().zip(thirds) {
            out.set_opt(channel, third);
        }
        out.set_opt(channels.inner, mean(&wheel.inner_layer_temperature().map(celsius)));
        out.set_opt(channels.carcass, celsius(wheel.carcass_temperature()));
        out.set_opt(channels.wear, wear.map(|wear| f64::from(wear[i])));
        out.set(channels.flat, flag(wheel.flat() || wheel.detached()));
        out.set_opt(channels.brake, celsius(wheel.brake_temp()));
        out.set_opt(channels.ride_height, non_zero(wheel.ride_height()).map(|m| m * 1000.0));
        out.set_opt(channels.suspension, non_zero(wheel.suspension_deflection()).map(|m| m * 1000.0));
        if is_1_3 {
            out.set_opt(channels.compound, (wheel.compound_type() <= 4).then(|| f64::from(wheel.compound_type())));
        }
    }
    if is_1_3 {
        out.set_opt(Channel::TireOptimalTemp, known(f64::from(wheels[0].optimal_temp())));
    }
}

/// Wear in percent worn, FL FR RL RR; absent where the game does not fill the fields.
#[must_use]
pub fn wear_pct(wheels: &[Wheel<'_>; 4]) -> Option<[f32; 4]> {
    let remaining = wheels.map(|wheel| wheel.wear());
    let is_filled = remaining.iter().any(|r| *r > 0.0) && remaining.iter().all(|r| (0.0..=1.0).contains(r));
    is_filled.then(|| remaining.map(|r| ((1.0 - r) * 100.0) as f32))
}

fn conditions(out: &mut Sample, scoring: &Scoring<'_>) {
    out.set(Channel::TrackTemp, scoring.track_temp());
    out.set(Channel::AmbientTemp, scoring.ambient_temp());
    out.set(Channel::Rain, scoring.raining() * 100.0);
    out.set(Channel::TrackWetness, scoring.avg_path_wetness() * 100.0);
    out.set(Channel::Clouds, scoring.dark_cloud() * 100.0);
    let [x, y, z] = scoring.wind();
    out.set(Channel::WindSpeed, (x * x + y * y + z * z).sqrt());
}

fn state(out: &mut Sample, scoring: &Scoring<'_>, vehicle: &Vehicle<'_>, car: &Car<'_>, is_1_3: bool) {
    out.set(Channel::PitState, f64::from(pit_state(vehicle) as u8));
    out.set(Channel::Flag, flag_shown(scoring, vehicle));
    out.set(Channel::Headlights, flag(car.headlights()));
    out.set(Channel::BodyDamage, f64::from(car.dent_severity().into_iter().max().unwrap_or(0).min(2)));
    out.set(Channel::Overheating, flag(car.overheating()));
    if is_1_3 {
        out.set(Channel::LapInvalid, flag(car.lap_invalidated()));
        let per_point = scoring.track_limits_steps_per_point();
        let points = || f64::from(car.track_limits_steps()) / f64::from(per_point);
        out.set_opt(Channel::TrackLimitPoints, (per_point > 0).then(points));
    }
}

/// Where a car is with respect to the pits, as far as one look tells.
#[must_use]
pub fn pit_state(vehicle: &Vehicle<'_>) -> PitState {
    match vehicle.pit_state() {
        _ if vehicle.in_garage_stall() => PitState::Garage,
        5 => PitState::Garage,
        3 => PitState::Stopped,
        4 if vehicle.in_pits() => PitState::Exiting,
        _ if vehicle.in_pits() => PitState::Entering,
        1 | 2 => PitState::Requested,
        _ => PitState::Track,
    }
}

fn flag_shown(scoring: &Scoring<'_>, vehicle: &Vehicle<'_>) -> f64 {
    let (stopped, full_course_yellow, blue) = (7, 6, 6);
    if scoring.game_phase() == stopped {
        3.0
    } else if vehicle.under_yellow()
        || scoring.game_phase() == full_course_yellow
        || own_sector_is_yellow(scoring, vehicle)
    {
        1.0
    } else if vehicle.flag() == blue {
        2.0
    } else {
        0.0
    }
}

fn own_sector_is_yellow(scoring: &Scoring<'_>, vehicle: &Vehicle<'_>) -> bool {
    sector(vehicle).is_some_and(|sector| yellow_sectors(scoring).any(|yellow| yellow == sector))
}

/// The sector a car is in, 1 to 3.
#[must_use]
pub fn sector(vehicle: &Vehicle<'_>) -> Option<u8> {
    match vehicle.sector() {
        0 => Some(3),
        1 => Some(1),
        2 => Some(2),
        _ => None,
    }
}

/// Sectors under yellow, 1 to 3.
pub fn yellow_sectors(scoring: &Scoring<'_>) -> impl Iterator<Item = u8> + use<> {
    let yellow = 1;
    (1u8..).zip(scoring.sector_flag()).filter(move |(_, flag)| *flag == yellow).map(|(sector, _)| sector)
}

fn flag(is_set: bool) -> f64 {
    f64::from(u8::from(is_set))
}

/// A value of which 0 and less mean that the game does not know it.
fn known(value: f64) -> Option<f64> {
    (value.is_finite() && value > 0.0).then_some(value)
}

fn non_zero(value: f64) -> Option<f64> {
    (value.is_finite() && value != 0.0).then_some(value)
}

fn within(value: f64, low: f64, high: f64) -> Option<f64> {
    (low..=high).contains(&value).then_some(value)
}

fn celsius(kelvin: f64) -> Option<f64> {
    known(kelvin).map(|kelvin| kelvin - ZERO_CELSIUS_K)
}

fn mean(values: &[Option<f64>; 3]) -> Option<f64> {
    Some((values[0]? + values[1]? + values[2]?) / 3.0)
}
