//! The packets that come with every frame, and the other arrays of cars: where they are, how they are driven, what they
//! carry, how they are worn.
//!
//! Of people who restrict their telemetry the game sends zeros (see [`restricted`]).

use super::packet::{Frame, Id, Packet, SLOTS, WHEELS};
use crate::model::car::{Car, Compound, Corner, Place};
use crate::model::world::World;

/// Kilograms in a litre of fuel.
pub(crate) const FUEL_KG_PER_L: f64 = 0.75;
const PSI_PER_KPA: f64 = 0.145_037_7;

/// Other people (not the computer) on this session's network; every second one keeps his telemetry to himself.
pub(crate) fn human(world: &World, index: usize) -> bool {
    index == world.player || index % 5 == 3
}

/// Does the game send zeros for this car?
pub(crate) fn restricted(world: &World, index: usize) -> bool {
    index != world.player && index % 10 == 3
}

fn each(packet: &mut Packet, world: &World, stride: usize, mut write: impl FnMut(&mut Packet, usize, &Car)) {
    for slot in 0..SLOTS {
        match world.cars.get(slot) {
            Some(car) => write(packet, slot, car),
            None => packet.zeros(stride),
        }
    }
}

fn wheels(packet: &mut Packet, car: &Car, mut write: impl FnMut(&mut Packet, &Corner)) {
    for corner in WHEELS {
        write(packet, &car.corners[corner]);
    }
}

/// Wet, or soft, medium and hard: actual and visual compound.
pub(crate) fn compound(compound: Compound) -> (u8, u8) {
    match compound {
        Compound::Medium => (18, 17),
        Compound::Hard => (19, 18),
        Compound::Wet => (8, 8),
    }
}

pub(crate) fn motion(world: &World, frame: Frame) -> Vec<u8> {
    let mut packet = Packet::new(Id::Motion, world, frame);
    each(&mut packet, world, 60, |packet, _, car| {
        let heading = world.track.heading_at(car.s_m);
        let (sin, cos) = heading.sin_cos();
        for axis in world.track.position(car.s_m, car.lateral_m) {
            packet.f32(axis);
        }
        for speed in [car.speed_mps * cos, 0.0, car.speed_mps * sin] {
            packet.f32(speed);
        }
        for forward_then_right in [cos, 0.0, sin, sin, 0.0, -cos] {
            packet.direction(forward_then_right);
        }
        for g in [car.lateral_accel() / 9.81, car.accel_mps2 / 9.81, 0.0] {
            packet.f32(g);
        }
        for angle in [cos.atan2(sin), 0.0, 0.0] {
            packet.f32(angle);
        }
    });
    packet.finish()
}

pub(crate) fn telemetry(world: &World, frame: Frame) -> Vec<u8> {
    let mut packet = Packet::new(Id::CarTelemetry, world, frame);
    each(&mut packet, world, 60, |packet, _, car| {
        let lights = ((car.rpm / car.spec().max_rpm - 0.75) / 0.25).clamp(0.0, 1.0);
        packet.u16((car.speed_mps * 3.6).round() as u16);
        packet.f32(car.throttle);
        packet.f32(car.steering);
        packet.f32(car.brake);
        packet.u8((car.clutch * 100.0) as u8);
        packet.i8(car.gear as i8);
        packet.u16(car.rpm.round() as u16);
        packet.u8(u8::from(drs_open(world, car)));
        packet.u8((lights * 100.0) as u8);
        packet.u16(((1_u32 << (lights * 15.0) as u32) - 1) as u16);
        wheels(packet, car, |packet, corner| packet.u16(corner.brake_c.round() as u16));
        wheels(packet, car, |packet, corner| packet.u8(corner.tread_c().round() as u8));
        wheels(packet, car, |packet, corner| packet.u8(corner.inner_c.round() as u8));
        packet.u16(car.water_c.round() as u16);
        wheels(packet, car, |packet, corner| packet.f32(corner.pressure_kpa() * PSI_PER_KPA));
        packet.zeros(4);
    });
    packet.u8(255);
    packet.u8(255);
    packet.i8(0);
    packet.finish()
}

fn drs_open(world: &World, car: &Car) -> bool {
    let straight = car.curvature.abs() < 0.0005 && car.speed_mps > 55.0 && car.throttle > 0.9;
    straight
        && world.weather.wetness < 0.1
        && car.place == Place::Track
        && car.ahead.is_some_and(|ahead| ahead.gap_m < ahead.speed_mps)
}

pub(crate) fn status(world: &World, frame: Frame) -> Vec<u8> {
    let mut packet = Packet::new(Id::CarStatus, world, frame);
    each(&mut packet, world, 55, |packet, slot, car| {
        let own = |value: f64| if restricted(world, slot) { 0.0 } else { value };
        let spec = car.spec();
        let bias = if slot == world.player { world.setup.rear_brake_share() } else { spec.rear_brake_share };
        packet.u8(0);
        packet.u8(0);
        packet.u8(own(1.0) as u8);
        packet.u8(own(((1.0 - bias) * 100.0).round()) as u8);
        packet.u8(u8::from(car.limiter));
        packet.f32(own(car.fuel_l * FUEL_KG_PER_L));
        packet.f32(own(spec.tank_l * FUEL_KG_PER_L));
        packet.f32(own(
            car.laps_left() - f64::from(world.session.max_laps().unwrap_or(0).saturating_sub(car.timing.laps))
        ));
        packet.u16(spec.max_rpm as u16);
        packet.u16(spec.idle_rpm as u16);
        packet.u8(spec.gear_speeds_kmh.len() as u8);
        packet.u8(u8::from(drs_open(world, car)));
        packet.u16(0);
        let (actual, visual) = compound(car.compound);
        packet.u8(actual);
        packet.u8(visual);
        packet.u8(car.stint_laps.min(255) as u8);
        packet.i8(if car.blue_flag { 2 } else { 0 });
        packet.f32(own(car.throttle * 560_000.0));
        packet.f32(own(car.throttle * 120_000.0 * car.battery));
        packet.f32(own(car.battery * 4.0e6));
        packet.u8(own(1.0) as u8);
        packet.f32(own((1.0 - car.battery) * 1.1e6));
        packet.f32(own((1.0 - car.battery) * 0.6e6));
        packet.f32(own((1.0 - car.battery) * 2.2e6));
        packet.u8(0);
    });
    packet.finish()
}

pub(crate) fn damage(world: &World, frame: Frame) -> Vec<u8> {
    let mut packet = Packet::new(Id::CarDamage, world, frame);
    each(&mut packet, world, 46, |packet, slot, car| {
        let own = |value: f64| if restricted(world, slot) { 0.0 } else { value };
        wheels(packet, car, |packet, corner| packet.f32(own((1.0 - corner.tread) * 100.0)));
        wheels(packet, car, |packet, corner| packet.u8(own((1.0 - corner.tread) * 60.0) as u8));
        wheels(packet, car, |packet, corner| packet.u8(own((0.034 - corner.disc_m).max(0.0) * 3_000.0) as u8));
        packet.zeros(4);
        let wing = f64::from(car.dents[0]) * 20.0;
        for percent in [wing, wing, 0.0, f64::from(car.dents[4]) * 10.0, 0.0, 0.0, 0.0] {
            packet.u8(own(percent) as u8);
        }
        packet.u8(0);
        let laps = f64::from(car.timing.laps);
        for percent in
            [laps * 0.2, laps * 0.15, laps * 0.3, laps * 0.2, laps * 0.2, laps * 0.4, laps * 0.25, laps * 0.3]
        {
            packet.u8(own(percent.min(99.0)) as u8);
        }
        packet.zeros(2);
    });
    packet.finish()
}

/// The player's setup; the computer's cars have one too, other people's are blank.
pub(crate) fn setups(world: &World, frame: Frame) -> Vec<u8> {
    let mut packet = Packet::new(Id::CarSetups, world, frame);
    each(&mut packet, world, 50, |packet, slot, car| {
        if slot != world.player && human(world, slot) {
            packet.zeros(50);
            return;
        }
        let value = |key: &str| world.setup.value(key) as u8;
        packet.u8(25);
        packet.u8(10 + value("VM_REAR_WING"));
        packet.u8(10 + 5 * value("VM_DIFF_POWER"));
        packet.u8(10 + 5 * value("VM_DIFF_COAST"));
        for angle in [
            -4.0 + 0.1 * f64::from(value("WM_CAMBER-W_FL")),
            -4.0 + 0.1 * f64::from(value("WM_CAMBER-W_RL")),
            -0.8 + 0.05 * f64::from(value("VM_FRONT_TOEIN")),
            -0.8 + 0.05 * f64::from(value("VM_REAR_TOEIN")),
        ] {
            packet.f32(angle);
        }
        for key in [
            "WM_SPRING-W_FL",
            "WM_SPRING-W_RL",
            "VM_FRONT_ANTISWAY",
            "VM_REAR_ANTISWAY",
            "WM_RIDEHEIGHT-W_FL",
            "WM_RIDEHEIGHT-W_RL",
        ] {
            packet.u8(value(key));
        }
        packet.u8(((40 + u32::from(value("VM_BRAKE_PRESSURE"))) * 100 / 120).min(100) as u8);
        packet.u8(((1.0 - world.setup.rear_brake_share()) * 100.0).round() as u8);
        packet.u8(50);
        wheels(packet, car, |packet, corner| packet.f32(corner.cold_kpa * PSI_PER_KPA));
        packet.u8(0);
        // What was put in for the session, not what is left.
        packet.f32(car.spec().tank_l * FUEL_KG_PER_L);
    });
    packet.f32(f64::from(25_u8));
    packet.finish()
}

pub(crate) fn motion_ex(world: &World, frame: Frame) -> Vec<u8> {
    let mut packet = Packet::new(Id::MotionEx, world, frame);
    let car = world.player_car();
    let (loads, speeds) = (car.loads_n(), car.wheel_speeds());
    let radius = car.spec().tyre_radius_m;
    let mut four = |value: &dyn Fn(usize) -> f64| {
        for corner in WHEELS {
            packet.f32(value(corner));
        }
    };
    four(&|i| loads[i] / 160.0);
    four(&|_| 0.0);
    four(&|_| 0.0);
    four(&|i| speeds[i] * radius[i / 2]);
    four(&|i| if i < 2 { -0.01 * car.brake } else { 0.02 * car.throttle });
    four(&|_| car.curvature * 0.4);
    four(&|i| loads[i] * car.lateral_accel() / 30.0);
    four(&|i| loads[i] * car.accel_mps2 / 30.0);
    packet.f32(0.3);
    // x is right, z is forward.
    for value in [0.0, 0.0, car.speed_mps, 0.0, -car.speed_mps * car.curvature, 0.0, 0.0, 0.0, 0.0] {
        packet.f32(value);
    }
    packet.f32((2.9 * car.curvature).atan());
    for corner in WHEELS {
        packet.f32(loads[corner]);
    }
    for value in [0.026, 0.041, 0.0, 0.0, 0.0, 0.006] {
        packet.f32(value);
    }
    for camber in [-0.033, -0.033, -0.049, -0.049, 0.0, 0.0, 0.0, 0.0] {
        packet.f32(camber);
    }
    packet.finish()
}
