//! Moves one car by one tick: speed, pedals, gear, steering, fuel and energy.
//!
//! The driver aims at the class's speed at this point of the track times his share of it, and is limited by the car
//! ahead, the pit lane and the box. Pedals and gears follow from what the car then does.
//!
//! Not here: lap times (`timing`), what happens in the box (`pit`), temperatures (`heat`).

use super::car::{Car, Place};
use super::profile::Profile;
use super::track::Track;

/// What a car needs to know of the world to move.
pub(crate) struct Road<'a> {
    pub track: &'a Track,
    pub profile: &'a Profile,
    /// 0 dry .. 1 flooded.
    pub wetness: f64,
    /// Everyone behind the pace car, m/s.
    pub neutral_mps: Option<f64>,
    pub dt_s: f64,
}

/// Advances the car and returns how far it got, metres.
pub(crate) fn advance(car: &mut Car, road: &Road<'_>) -> f64 {
    let spec = car.spec();
    let before = car.speed_mps;
    car.curvature = road.track.curvature_at(car.s_m);
    let grip_left = spec.grip_left(before, car.curvature);
    let target = target_speed(car, road);
    let strongest = spec.full_throttle(before, grip_left).max(0.0) * 1.06 + 0.2;
    let hardest = spec.full_brake(before, grip_left) * 1.2;
    let wanted = (target - before) / road.dt_s;
    car.accel_mps2 =
        if matches!(car.place, Place::Stopped | Place::Garage) { 0.0 } else { wanted.clamp(-hardest, strongest) };
    car.speed_mps = match car.place {
        Place::Stopped | Place::Garage => 0.0,
        _ => (before + car.accel_mps2 * road.dt_s).max(0.0),
    };
    car.top_speed_mps = car.top_speed_mps.max(car.speed_mps);
    pedals(car, grip_left, road.dt_s);
    gearbox(car, road.dt_s);
    line(car, road);
    burn(car, road.dt_s);
    (before + car.speed_mps) / 2.0 * road.dt_s
}

fn target_speed(car: &mut Car, road: &Road<'_>) -> f64 {
    let spec = car.spec();
    let sector = road.track.sector_at(car.s_m.max(0.0));
    let wear: f64 = car.corners.iter().map(|corner| 1.0 - corner.tread).sum::<f64>() / 4.0;
    let wet_loss = if car.compound == super::car::Compound::Wet { 0.09 } else { 0.2 };
    let share = car.entry.drivers[car.driver].skill
        * car.pace.sector_share[sector]
        * (1.0 - 0.03 * wear)
        * (1.0 - 0.000_12 * car.fuel_l)
        * (1.0 - wet_loss * road.wetness);
    car.pace.share += (share - car.pace.share) * (road.dt_s / 1.5);
    let mut target = road.profile.speed_at(road.track, car.s_m) * car.pace.share;
    if let Some(neutral) = road.neutral_mps {
        target = target.min(neutral);
    }
    if let Some(ahead) = car.ahead {
        target = target.min(following_speed(ahead.gap_m, ahead.speed_mps, car.curvature));
    }
    if car.finished_ms.is_some() {
        target *= 0.75;
    }
    let limit = road.track.pit.limit_mps;
    match car.place {
        Place::Track if car.pit.requested => {
            let brake = spec.full_brake(limit, 1.0) * 0.7;
            let left_m = (road.track.pit.entry_m - car.s_m).max(0.0);
            target.min((limit * limit + 2.0 * brake * left_m).sqrt())
        }
        Place::Track => target,
        Place::Entering => {
            let left_m = (car.entry.box_m - car.s_m).max(0.0);
            limit.min((2.0 * 4.5 * left_m).sqrt()).max(0.4)
        }
        Place::Exiting => limit,
        Place::Stopped | Place::Garage => 0.0,
    }
}

/// In a corner nobody passes: keep behind. On a straight there is room beside.
fn following_speed(gap_m: f64, speed_mps: f64, curvature: f64) -> f64 {
    if curvature.abs() < 0.003 {
        return f64::MAX;
    }
    match gap_m {
        gap if gap > 14.0 => f64::MAX,
        gap if gap > 8.0 => speed_mps + (gap - 8.0) * 0.5,
        gap => speed_mps * (0.96 + 0.005 * gap),
    }
}

/// A driver who finds 98 % of the speed still has his foot to the floor on the straight.
const FOOT_DOWN: f64 = 1.09;

fn pedals(car: &mut Car, grip_left: f64, dt_s: f64) {
    let spec = car.spec();
    let coasting = -spec.coasting(car.speed_mps);
    let (throttle, brake) = match car.place {
        Place::Stopped => (0.0, 0.3),
        Place::Garage => (0.0, 0.0),
        _ if car.accel_mps2 >= coasting => {
            let most = spec.full_throttle(car.speed_mps, grip_left).max(0.3);
            (((car.accel_mps2 - coasting) / (most - coasting) * FOOT_DOWN).clamp(0.0, 1.0), 0.0)
        }
        _ => {
            let most = spec.full_brake(car.speed_mps, 1.0);
            (0.0, ((coasting - car.accel_mps2) / (most + coasting).max(1.0)).clamp(0.0, 1.0))
        }
    };
    let follow = (dt_s / 0.06).min(1.0);
    car.throttle += (throttle - car.throttle) * follow;
    car.brake += (brake - car.brake) * follow;
    if car.throttle < 0.004 {
        car.throttle = 0.0;
    }
    if car.brake < 0.004 {
        car.brake = 0.0;
    }
}

fn gearbox(car: &mut Car, dt_s: f64) {
    let spec = car.spec();
    let kmh = car.speed_mps * 3.6;
    let gears = spec.gear_speeds_kmh;
    let standing = matches!(car.place, Place::Stopped | Place::Garage);
    if standing {
        car.gear = if car.place == Place::Garage { 0 } else { 1 };
        car.clutch = if car.place == Place::Garage { 0.0 } else { 1.0 };
    } else {
        car.clutch = if kmh < 12.0 { 1.0 - kmh / 12.0 } else { 0.0 };
        car.gear = car.gear.max(1);
        let now = car.gear as usize - 1;
        if kmh > gears[now] * 0.975 && now + 1 < gears.len() {
            car.gear += 1;
        } else if now > 0 && kmh < gears[now - 1] * 0.74 {
            car.gear -= 1;
        }
    }
    let wanted = if car.gear >= 1 && !standing { kmh / gears[car.gear as usize - 1] * spec.max_rpm } else { 0.0 };
    let idle = if car.place == Place::Garage { 0.0 } else { spec.idle_rpm };
    let wanted = wanted.clamp(idle, spec.max_rpm);
    car.rpm += (wanted - car.rpm) * (dt_s / 0.05).min(1.0);
    car.limiter = matches!(car.place, Place::Entering | Place::Stopped | Place::Exiting);
}

/// Steering and the place across the road.
fn line(car: &mut Car, road: &Road<'_>) {
    let spec = car.spec();
    let wheel_angle_deg = (2.9 * car.curvature).atan().to_degrees() * 13.0;
    let wobble = car.entry.steering_wobble * (car.s_m * 0.11).sin() * (car.speed_mps / 60.0).min(1.0);
    let wanted = if car.speed_mps < 0.5 { 0.0 } else { wheel_angle_deg / (spec.wheel_range_deg / 2.0) + wobble };
    car.steering += (wanted.clamp(-1.0, 1.0) - car.steering) * (road.dt_s / 0.08).min(1.0);
    let lateral = match car.place {
        Place::Garage => road.track.pit.lateral_m + 8.0,
        Place::Stopped => road.track.pit.lateral_m + 3.5,
        Place::Entering | Place::Exiting => road.track.pit.lateral_m,
        Place::Track => {
            let apex = (car.curvature * 260.0).clamp(-1.0, 1.0) * (road.track.half_width_m - 1.5);
            let beside = if car.ahead.is_some_and(|ahead| ahead.gap_m < 18.0) { -2.2 } else { 0.0 };
            (apex + beside).clamp(-road.track.half_width_m, road.track.half_width_m)
        }
    };
    let follow = if matches!(car.place, Place::Garage) { 1.0 } else { (road.dt_s / 0.9).min(1.0) };
    car.lateral_m += (lateral - car.lateral_m) * follow;
}

fn burn(car: &mut Car, dt_s: f64) {
    let spec = car.spec();
    if car.place == Place::Garage {
        return;
    }
    let idle = spec.burn_l_per_s * 0.04;
    let load = car.throttle * (0.55 + 0.45 * car.rpm / spec.max_rpm);
    let litres = (idle + spec.burn_l_per_s * load) * dt_s;
    car.fuel_l = (car.fuel_l - litres).max(0.0);
    if let Some(whole_l) = spec.energy_l {
        // A little more than the fuel: what the front motor gives counts too.
        car.energy = (car.energy - litres * 1.03 / whole_l).max(0.0);
    }
    if spec.hybrid {
        let regained = car.brake * car.speed_mps * 0.000_55;
        let spent = car.throttle * 0.009 * (car.speed_mps / 60.0).min(1.0) * (car.battery - 0.25).max(0.0) * 2.0;
        car.battery = (car.battery + (regained - spent) * dt_s).clamp(0.05, 0.98);
    }
}
