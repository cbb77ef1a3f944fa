//! Pit stops: into the lane, into the box, what is done there, out again.
//!
//! Boxes lie before the line, so the stop belongs to the lap on which the car came in. Refuelling first, then tyres, with
//! the driver change alongside, as the rules of endurance racing have it.

use super::car::{Car, Compound, Place, Stop};
use super::log::{DriverChangeRecord, PitStopRecord, SessionLog};

/// Seconds (and litres or fractions per second) of the work; also what the REST face tells.
pub(crate) const FUEL_FILL_L_PER_S: f64 = 2.3;
pub(crate) const ENERGY_FILL_PER_S: f64 = 0.025;
pub(crate) const FUEL_INSERT_S: f64 = 2.0;
pub(crate) const FUEL_REMOVE_S: f64 = 1.5;
pub(crate) const FOUR_TYRES_S: f64 = 12.0;
pub(crate) const DRIVER_CHANGE_S: f64 = 14.0;

/// What a team wants done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Service {
    /// Fuel or energy after the stop, share of full.
    pub fill_to: f64,
    pub tyres: Option<Compound>,
    pub driver: Option<usize>,
}

/// Into the pit lane.
pub(crate) fn enter(car: &mut Car, at_ms: u64) {
    car.place = Place::Entering;
    car.timing.pit_in = true;
    car.pit.requested = false;
    car.pit.stop = Some(Stop {
        lap: car.timing.laps + 1,
        enter_ms: at_ms,
        stop_ms: at_ms,
        release_ms: at_ms,
        fuel_from_l: car.fuel_l,
        fuel_to_l: car.fuel_l,
        energy_from: car.energy,
        energy_to: car.energy,
        tyres: None,
        driver: None,
    });
}

/// In the box: work begins.
pub(crate) fn stop(car: &mut Car, service: Service, now_ms: u64) {
    let spec = car.spec();
    let Some(mut stop) = car.pit.stop.take() else { return };
    car.place = Place::Stopped;
    car.s_m = car.entry.box_m;
    car.speed_mps = 0.0;
    stop.stop_ms = now_ms;
    let fill = service.fill_to.clamp(0.0, 1.0);
    let fuel_s = match spec.energy_l {
        Some(whole_l) => {
            stop.energy_to = car.energy.max(fill);
            stop.fuel_to_l = car.fuel_l.max((fill * whole_l).min(spec.tank_l));
            (stop.energy_to - car.energy) / ENERGY_FILL_PER_S
        }
        None => {
            stop.fuel_to_l = car.fuel_l.max(fill * spec.tank_l);
            (stop.fuel_to_l - car.fuel_l) / FUEL_FILL_L_PER_S
        }
    };
    stop.fuel_from_l = car.fuel_l;
    stop.energy_from = car.energy;
    stop.tyres = service.tyres;
    stop.driver = service.driver.filter(|driver| *driver != car.driver && *driver < car.entry.drivers.len());
    let fuel_s = if fuel_s > 0.0 { FUEL_INSERT_S + fuel_s + FUEL_REMOVE_S } else { 0.0 };
    let tyres_s = if stop.tyres.is_some() { FOUR_TYRES_S } else { 0.0 };
    let driver_s = if stop.driver.is_some() { DRIVER_CHANGE_S } else { 0.0 };
    let seconds = (fuel_s + tyres_s).max(driver_s).max(3.0);
    stop.release_ms = now_ms + (seconds * 100.0).ceil() as u64 * 10;
    car.pit.stop = Some(stop);
}

/// While the car stands: fuel comes in. True when the work is done.
pub(crate) fn work(car: &mut Car, now_ms: u64) -> bool {
    let Some(stop) = &car.pit.stop else { return true };
    let whole = stop.release_ms.saturating_sub(stop.stop_ms).max(1) as f64;
    let tyres_ms = if stop.tyres.is_some() { FOUR_TYRES_S * 1_000.0 } else { 0.0 };
    let part = (now_ms.saturating_sub(stop.stop_ms) as f64 / (whole - tyres_ms).max(1.0)).clamp(0.0, 1.0);
    car.fuel_l = stop.fuel_from_l + (stop.fuel_to_l - stop.fuel_from_l) * part;
    car.energy = stop.energy_from + (stop.energy_to - stop.energy_from) * part;
    now_ms >= stop.release_ms
}

/// Released: the new driver takes over. Tyres are fitted by the caller, who knows the pressures.
pub(crate) fn release(car: &mut Car, now_ms: u64, log: &mut SessionLog) {
    car.pit.stops += 1;
    car.stint_laps = 0;
    car.fuel_at_line_l = car.fuel_l;
    car.place = Place::Exiting;
    let Some(stop) = car.pit.stop.as_mut() else { return };
    stop.release_ms = now_ms;
    car.pit.stops_since_driver_change += 1;
    if let Some(driver) = stop.driver {
        change_driver(car, driver, now_ms, log);
    }
}

/// Out of the pit lane (or into the garage): the stop is written down.
pub(crate) fn leave(car: &mut Car, exit_ms: Option<u64>, log: &mut SessionLog) {
    let Some(stop) = car.pit.stop.take() else { return };
    log.pit_stops.push(PitStopRecord {
        car_id: car.entry.id,
        lap: stop.lap,
        enter_et_ms: stop.enter_ms,
        stop_et_ms: stop.stop_ms,
        release_et_ms: stop.release_ms,
        exit_et_ms: exit_ms,
        fuel_added_l: stop.fuel_to_l - stop.fuel_from_l,
        virtual_energy_after: car.has_energy().then_some(stop.energy_to),
        tyres_changed: stop.tyres.is_some(),
        driver: car.driver_name().to_owned(),
    });
}

/// Puts another driver into the car.
pub(crate) fn change_driver(car: &mut Car, driver: usize, now_ms: u64, log: &mut SessionLog) {
    if driver == car.driver {
        return;
    }
    let from = car.driver_name().to_owned();
    car.driver = driver;
    car.pit.stops_since_driver_change = 0;
    log.driver_changes.push(DriverChangeRecord {
        car_id: car.entry.id,
        lap: car.timing.laps + 1,
        et_ms: now_ms,
        from,
        to: car.driver_name().to_owned(),
    });
}
