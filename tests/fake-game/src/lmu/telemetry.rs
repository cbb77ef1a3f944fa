//! One car's `TelemInfoV01` with its four wheels, with the game's lies kept.
//!
//! Temperatures of tyres and brakes are in Kelvin, the optimum is in Celsius, wear is what remains, pressure is kPa.
//! For the computer's cars the game leaves pressure, carcass, camber, toe, water and the driving aids at 0; tyre load,
//! lateral force and others are 0 for everyone.

use super::image::Image;
use super::layout::{MAX_CARS, WHEEL_SIZE, WHEELS, telem, wheel};
use crate::model::car::{Car, Compound, FL, FR, Place, RL};
use crate::model::world::World;

const KELVIN: f64 = 273.15;

/// Cars in the order of the telemetry array, which is not that of the scoring array.
pub(crate) fn order(world: &World) -> Vec<usize> {
    let n = world.cars.len().min(MAX_CARS);
    let shift = 1 + world.session.index as usize + n / 3;
    (0..n).map(|slot| (n - 1 - slot + shift) % n).collect()
}

/// Seconds from whole milliseconds.
pub(crate) fn ms(time_ms: u64) -> f64 {
    time_ms as f64 / 1_000.0
}

/// Rows of the matrix that takes the car's axes (left, up, back) into the world.
pub(crate) fn orientation(world: &World, car: &Car) -> [[f64; 3]; 3] {
    let heading = world.track.heading_at(car.s_m);
    let (sin, cos) = heading.sin_cos();
    [[-sin, 0.0, -cos], [0.0, 1.0, 0.0], [cos, 0.0, -sin]]
}

pub(crate) fn write(image: &mut Image, at: usize, world: &World, index: usize) {
    let car = &world.cars[index];
    let player = index == world.player;
    image.i32(at + telem::ID, car.entry.id);
    image.f64(at + telem::DELTA, 0.01);
    image.f64(at + telem::ELAPSED, world.session.now_s());
    image.i32(at + telem::LAP, car.timing.laps as i32 + 1);
    image.f64(at + telem::LAP_START, ms(car.timing.lap_start_ms));
    image.text(at + telem::VEHICLE, 64, &car.entry.vehicle_name);
    image.text(at + telem::TRACK, 64, world.track.name);
    motion(image, at, world, car);
    controls(image, at, car);
    engine(image, at, world, car, player);
    state(image, at, world, car, player);
    if player {
        aids(image, at, world, car);
    }
    for i in 0..4 {
        corner(image, at + WHEELS + i * WHEEL_SIZE, world, car, i, player);
    }
}

fn motion(image: &mut Image, at: usize, world: &World, car: &Car) {
    image.vector(at + telem::POSITION, world.track.position(car.s_m, car.lateral_m));
    // +x is left and +z is back.
    image.vector(at + telem::VELOCITY, [0.0, 0.0, -car.speed_mps]);
    image.vector(at + telem::ACCELERATION, [-car.lateral_accel(), 0.0, -car.accel_mps2]);
    for (row, values) in orientation(world, car).into_iter().enumerate() {
        image.vector(at + telem::ORIENTATION + 24 * row, values);
    }
    image.vector(at + telem::ROTATION, [0.0, -car.speed_mps * car.curvature, 0.0]);
}

fn controls(image: &mut Image, at: usize, car: &Car) {
    image.i32(at + telem::GEAR, car.gear);
    image.f64(at + telem::RPM, car.rpm);
    image.f64(at + telem::CLUTCH_RPM, car.rpm * (1.0 - car.clutch));
    image.f64(at + telem::RAW_THROTTLE, car.throttle);
    image.f64(at + telem::RAW_BRAKE, car.brake);
    image.f64(at + telem::RAW_STEERING, car.steering);
    image.f64(at + telem::RAW_CLUTCH, car.clutch);
    image.f64(at + telem::THROTTLE, car.throttle);
    image.f64(at + telem::BRAKE, car.brake);
    image.f64(at + telem::STEERING, car.steering);
    image.f64(at + telem::CLUTCH, car.clutch);
    image.f64(at + telem::SHAFT_TORQUE, car.steering * 14.0 * (car.speed_mps / 60.0).min(1.0));
}

fn engine(image: &mut Image, at: usize, world: &World, car: &Car, player: bool) {
    let spec = car.spec();
    if player {
        image.f64(at + telem::WATER, car.water_c);
        image.f64(at + telem::OIL, car.oil_c);
    }
    image.f64(at + telem::FUEL, car.fuel_l);
    image.f64(at + telem::MAX_RPM, spec.max_rpm);
    image.f64(at + telem::FUEL_CAPACITY, spec.tank_l);
    image.u8(at + telem::IGNITION, u8::from(car.place != Place::Garage));
    image.f64(at + telem::REAR_BRAKE_BIAS, if player { world.setup.rear_brake_share() } else { spec.rear_brake_share });
    image.f64(at + telem::TURBO, 101_000.0 + 90_000.0 * car.throttle * f64::from(u8::from(spec.hybrid)));
    image.f32(at + telem::VIRTUAL_ENERGY, car.energy as f32);
    if spec.hybrid {
        image.f64(at + telem::BATTERY, car.battery);
        image.f32(at + telem::STATE_OF_CHARGE, (car.battery * 100.0) as f32);
        let (torque, state, regen) = match (car.throttle, car.brake) {
            (_, brake) if brake > 0.05 => (-180.0 * brake, 3, 170.0 * brake),
            (throttle, _) if throttle > 0.2 && car.speed_mps > 52.0 => (190.0 * throttle, 2, 0.0),
            _ => (0.0, 1, 0.0),
        };
        image.f64(at + telem::MOTOR_TORQUE, torque);
        image.f64(at + telem::MOTOR_RPM, car.speed_mps * 220.0);
        image.f64(at + telem::MOTOR_TEMPERATURE, 58.0 + 22.0 * car.throttle);
        image.f64(at + telem::MOTOR_WATER, 52.0);
        image.u8(at + telem::MOTOR_STATE, state);
        image.f32(at + telem::REGEN, regen as f32);
    }
}

fn state(image: &mut Image, at: usize, world: &World, car: &Car, player: bool) {
    let spec = car.spec();
    image.u8(at + telem::SCHEDULED_STOPS, 255);
    image.u8(at + telem::HEADLIGHTS, 1);
    image.put(at + telem::DENTS, &car.dents);
    let (impact_ms, magnitude) = car.last_impact.unwrap_or((0, 0.0));
    image.f64(at + telem::IMPACT_TIME, ms(impact_ms));
    image.f64(at + telem::IMPACT_MAGNITUDE, magnitude * 1_000.0);
    let sector = world.track.sector_at(car.s_m.rem_euclid(world.track.length_m)) as i32;
    // The sign bit says "in the pit lane".
    image.i32(at + telem::SECTOR, if car.place.in_pit_lane() { sector | i32::MIN } else { sector });
    image.u8(at + telem::LIMITER, u8::from(car.limiter));
    image.u8(at + telem::LIMITER_ACTIVE, u8::from(car.limiter));
    image.u8(at + telem::LIMITER_AVAILABLE, 1);
    image.u8(at + telem::MAX_GEARS, spec.gear_speeds_kmh.len() as u8);
    image.u8(at + telem::FRONT_COMPOUND, compound_index(car.compound));
    image.u8(at + telem::REAR_COMPOUND, compound_index(car.compound));
    image.text(at + telem::FRONT_COMPOUND_NAME, 18, car.compound.name());
    image.text(at + telem::REAR_COMPOUND_NAME, 18, car.compound.name());
    image.f32(at + telem::VISUAL_WHEEL_RANGE, spec.wheel_range_deg as f32);
    image.u8(at + telem::LAP_INVALIDATED, u8::from(!car.timing.valid));
    image.u8(at + telem::TRACK_LIMITS, car.track_limit_steps as u8);
    image.text(at + telem::MODEL, 30, car.entry.model);
    image.u8(at + telem::CLASS, spec.telemetry_id);
    image.u8(at + telem::CHAMPIONSHIP, 3);
    image.f32(at + telem::GAP_ROAD_AHEAD, -car.gaps.road_ahead_s as f32);
    image.f32(at + telem::GAP_ROAD_BEHIND, car.gaps.road_behind_s as f32);
    image.f32(at + telem::GAP_PLACE_AHEAD, -car.gaps.to_next_s as f32);
    image.f32(at + telem::GAP_PLACE_BEHIND, car.gaps.behind_s as f32);
    if player {
        image.f64(at + telem::DELTA_BEST, delta_best_s(world, car));
        image.u8(at + telem::WIPER, u8::from(world.weather.rain > 0.02));
    }
}

/// How far off the best lap this one is, judged by where a lap at even pace would be.
pub(crate) fn delta_best_s(world: &World, car: &Car) -> f64 {
    let (Some(best), true) = (car.timing.best, car.timing.timed && car.s_m >= 0.0) else { return 0.0 };
    let profile = &world.profiles[car.entry.class.index()];
    let part = profile.time_at(&world.track, car.s_m) / profile.lap_time_s;
    let so_far = (world.session.now_ms.saturating_sub(car.timing.lap_start_ms)) as f64 / 1_000.0;
    so_far - part * f64::from(best.lap_ms()) / 1_000.0
}

fn compound_index(compound: Compound) -> u8 {
    match compound {
        Compound::Medium => 0,
        Compound::Hard => 1,
        Compound::Wet => 2,
    }
}

/// What the game tells of the player's car only: steps of the maps and whether the aids are at work.
fn aids(image: &mut Image, at: usize, world: &World, car: &Car) {
    let slipping = car.throttle > 0.6 && car.curvature.abs() > 0.008;
    image.u8(at + telem::TC_ACTIVE, u8::from(slipping));
    image.u8(at + telem::ABS_ACTIVE, u8::from(car.spec().abs && car.brake > 0.85));
    let maps = [
        (telem::TC, "VM_TRACTIONCONTROLMAP", 11),
        (telem::TC_SLIP, "VM_TRACTIONCONTROLSLIPANGLEMAP", 11),
        (telem::TC_CUT, "VM_TRACTIONCONTROLPOWERCUTMAP", 11),
        (telem::ABS, "VM_ANTILOCKBRAKESYSTEMMAP", if car.spec().abs { 9 } else { 0 }),
        (telem::MOTOR_MAP, "VM_ELECTRIC_MOTOR_MAP", if car.spec().hybrid { 5 } else { 0 }),
        (telem::MIGRATION, "VM_BRAKE_MIGRATION", 5),
        (telem::FRONT_ARB, "VM_FRONT_ANTISWAY", 16),
        (telem::REAR_ARB, "VM_REAR_ANTISWAY", 12),
    ];
    for (offset, key, most) in maps {
        image.u8(at + offset, world.setup.value(key) as u8);
        image.u8(at + offset + 1, most);
    }
}

fn corner(image: &mut Image, at: usize, world: &World, car: &Car, i: usize, player: bool) {
    let spec = car.spec();
    let tyre = &car.corners[i];
    let load = car.loads_n()[i];
    let travel = load / if i < RL { 190_000.0 } else { 170_000.0 };
    image.f64(at + wheel::DEFLECTION, travel);
    image.f64(at + wheel::RIDE_HEIGHT, [0.053, 0.054, 0.078, 0.079][i] - travel * 0.4);
    image.f64(at + wheel::SUSPENSION_FORCE, load * 0.92);
    image.f64(at + wheel::BRAKE_TEMPERATURE, tyre.brake_c + KELVIN);
    let rear = if player { world.setup.rear_brake_share() } else { spec.rear_brake_share };
    image.f64(at + wheel::BRAKE_PRESSURE, car.brake * if i < RL { 1.0 - rear } else { rear });
    image.f64(at + wheel::ROTATION, -car.wheel_speeds()[i]);
    image.f64(at + wheel::LONGITUDINAL_GROUND, car.speed_mps);
    for (third, c) in tyre.surface_c.into_iter().enumerate() {
        image.f64(at + wheel::SURFACE + 8 * third, c + KELVIN);
        image.f64(at + wheel::INNER + 8 * third, tyre.inner_c + (third as f64 - 1.0) * 0.8 + KELVIN);
    }
    image.f64(at + wheel::WEAR, tyre.tread);
    image.text(at + wheel::TERRAIN, 16, "ROAD");
    let curb = car.place == Place::Track && car.curvature.abs() > 0.012 && (i == FL || i == FR);
    let surface = if curb { 5 } else { u8::from(world.weather.wetness > 0.2) };
    image.u8(at + wheel::SURFACE_TYPE, surface);
    image.u8(at + wheel::RADIUS_CM, (spec.tyre_radius_m[i / 2] * 100.0).round() as u8);
    image.f64(at + wheel::WHEEL_Y, -travel);
    image.f32(at + wheel::OPTIMAL, spec.optimal_tyre_c as f32);
    image.u8(at + wheel::COMPOUND_INDEX, compound_index(car.compound));
    image.u8(at + wheel::COMPOUND_TYPE, compound_index(car.compound) + 1);
    if player {
        image.f64(at + wheel::PRESSURE, tyre.pressure_kpa());
        image.f64(at + wheel::CARCASS, tyre.carcass_c + KELVIN);
        let side = if i == FL || i == RL { 1.0 } else { -1.0 };
        image.f64(at + wheel::CAMBER, side * (0.042 - 0.003 * i as f64));
        image.f64(at + wheel::TOE, side * (0.001 + 0.0003 * i as f64));
    }
}
