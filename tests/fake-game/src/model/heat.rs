//! Temperatures and wear: tyres, brakes, water, oil.
//!
//! First-order everywhere: each value runs towards what the present load would make of it. The corners differ because
//! their loads do, and a clockwise lap works the left side harder.

use super::car::{Car, FL, Place, RL};

/// What cools the car.
pub(crate) struct Air {
    pub ambient_c: f64,
    pub track_c: f64,
    pub wetness: f64,
}

/// Advances all temperatures and wear by `dt_s`.
pub(crate) fn advance(car: &mut Car, air: &Air, dt_s: f64) {
    let spec = car.spec();
    let loads = car.loads_n();
    let (across, along) = (car.lateral_accel(), car.accel_mps2);
    let total: f64 = loads.iter().sum();
    let slide = (across.hypot(along) / spec.lateral_limit(car.speed_mps)).min(1.3);
    let base_c = 0.5 * air.ambient_c + 0.5 * air.track_c;
    let rolling = (car.speed_mps / 40.0).min(1.0);
    let wet = 1.0 - 0.35 * air.wetness;
    // Driven wheels, camber and the driver make small differences that stay.
    let character = [1.00, 0.975, 1.035, 1.012];
    for (i, corner) in car.corners.iter_mut().enumerate() {
        let share = (loads[i] / (total / 4.0)).max(0.1).sqrt() * character[i];
        let driven = if i >= RL { 4.0 * car.throttle } else { 0.0 };
        let target = base_c + rolling * wet * (30.0 * character[i] + 62.0 * slide * share + driven);
        for (third, tread) in corner.surface_c.iter_mut().enumerate() {
            // Camber works the inner shoulder: the right third on the left side, the left third on the right side.
            let inner = if i == FL || i == RL { third == 2 } else { third == 0 };
            let extra = if inner {
                5.0
            } else if third == 1 {
                0.0
            } else {
                -3.0
            } * rolling;
            *tread += (target + extra - *tread) * (dt_s / 4.0).min(1.0);
        }
        let tread = corner.tread_c();
        corner.inner_c += (tread + 3.0 * rolling - corner.inner_c) * (dt_s / 14.0).min(1.0);
        corner.carcass_c += (corner.inner_c - corner.carcass_c) * (dt_s / 28.0).min(1.0);
        let overheated = 1.0 + ((corner.inner_c - spec.optimal_tyre_c) / 25.0).max(0.0);
        corner.tread = (corner.tread - 1.6e-4 * slide.powi(2) * share.powi(2) * overheated * rolling * dt_s).max(0.0);
    }
    brakes(car, air, dt_s);
    engine(car, air, dt_s);
}

fn brakes(car: &mut Car, air: &Air, dt_s: f64) {
    let spec = car.spec();
    let rear = spec.rear_brake_share;
    let share = [(1.0 - rear) * 0.505, (1.0 - rear) * 0.495, rear * 0.49, rear * 0.51];
    let power_w = if car.place == Place::Stopped {
        0.0
    } else {
        (spec.mass_kg * -car.accel_mps2).max(0.0) * car.speed_mps * car.brake.min(1.0)
    };
    for (i, corner) in car.corners.iter_mut().enumerate() {
        let capacity = if i < RL { 3_900.0 } else { 3_300.0 };
        let cooling = (1.0 / 95.0) + car.speed_mps / 95.0 / 8.5;
        let duct = [1.0, 0.97, 1.05, 1.02][i];
        corner.brake_c +=
            dt_s * (power_w * share[i] / capacity - (corner.brake_c - air.ambient_c) * cooling * duct * 0.33);
        corner.brake_c = corner.brake_c.clamp(air.ambient_c, 980.0);
        corner.disc_m =
            (corner.disc_m - power_w * share[i] * dt_s * 3.0e-13 * (1.0 + (corner.brake_c / 600.0).powi(3))).max(0.01);
    }
}

fn engine(car: &mut Car, air: &Air, dt_s: f64) {
    let running = !matches!(car.place, Place::Garage);
    let (water, oil) = if running {
        let load = car.throttle * car.rpm / car.spec().max_rpm;
        (68.0 + air.ambient_c * 0.45 + 14.0 * load, 74.0 + air.ambient_c * 0.5 + 22.0 * load)
    } else {
        (air.ambient_c + 38.0, air.ambient_c + 42.0)
    };
    car.water_c += (water - car.water_c) * (dt_s / 35.0).min(1.0);
    car.oil_c += (oil - car.oil_c) * (dt_s / 60.0).min(1.0);
}

/// New tyres as they come from the garage.
pub(crate) fn fit_new_tyres(car: &mut Car, cold_kpa: [f64; 4], air: &Air) {
    for (i, corner) in car.corners.iter_mut().enumerate() {
        let c = air.ambient_c + 28.0 + [0.0, 0.6, 1.4, 0.9][i];
        corner.surface_c = [c, c + 0.4, c + 0.1];
        corner.inner_c = c;
        corner.carcass_c = c - 1.0;
        corner.tread = 1.0;
        corner.cold_kpa = cold_kpa[i];
    }
}
