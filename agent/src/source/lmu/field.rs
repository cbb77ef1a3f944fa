//! All cars between two scoring updates: laps, pit visits and drivers, told as events.
//!
//! A car that is seen for the first time (at the start, or because it joined late) is only remembered; what it did before
//! is not made up.

use super::entry;
use super::image::{Image, Vehicle};
use super::laps::{LapTrack, LastTimes, Look};
use super::normalise;
use super::pits;
use onelap_protocol::CarKey;
use onelap_protocol::race::{Lap, PitState, RaceEvent};
use std::collections::HashMap;

/// More cars than a session has; ids of cars that left are forgotten beyond it.
const MOST: usize = 512;

/// What is remembered of a car.
#[derive(Debug)]
struct Tracked {
    key: CarKey,
    entry: String,
    driver: String,
    laps: LapTrack,
    pit: PitState,
    seen_s: f64,
}

/// The cars.
#[derive(Debug, Default)]
pub struct Field {
    cars: HashMap<i32, Tracked>,
}

impl Field {
    /// The key of the car in a slot.
    #[must_use]
    pub fn key(&self, slot: i32) -> Option<&CarKey> {
        self.cars.get(&slot).map(|car| &car.key)
    }

    /// Takes a scoring update. `own_invalid` says whether the game took our last lap for invalid.
    pub fn look(&mut self, image: &Image<'_>, own_invalid: bool, mut tell: impl FnMut(RaceEvent)) {
        let at_s = image.scoring().current_et();
        for (slot, vehicle) in image.vehicles().enumerate() {
            let entry = vehicle.vehicle_name();
            match self.cars.get_mut(&vehicle.id()) {
                Some(car) if car.entry == entry => car.look(image, &vehicle, slot, own_invalid, &mut tell),
                _ => {
                    if let Some(mut gone) = self.cars.insert(vehicle.id(), Tracked::new(&vehicle, at_s)) {
                        gone.laps.flush(|lap| tell(RaceEvent::Lap(lap)));
                    }
                }
            }
        }
        if self.cars.len() > MOST {
            self.cars.retain(|_, car| car.seen_s == at_s);
        }
    }

    /// Tells the laps that still wait for their times: the session is over.
    pub fn flush(&mut self, mut tell: impl FnMut(RaceEvent)) {
        for car in self.cars.values_mut() {
            car.laps.flush(|lap| tell(RaceEvent::Lap(lap)));
        }
    }
}

impl Tracked {
    fn new(vehicle: &Vehicle<'_>, at_s: f64) -> Self {
        Self {
            key: entry::car_key(vehicle.id(), &vehicle.vehicle_name()),
            entry: vehicle.vehicle_name().into_owned(),
            driver: vehicle.driver_name().into_owned(),
            laps: LapTrack::new(&look(vehicle, at_s)),
            pit: normalise::pit_state(vehicle),
            seen_s: at_s,
        }
    }

    fn look(
        &mut self,
        image: &Image<'_>,
        vehicle: &Vehicle<'_>,
        slot: usize,
        own_invalid: bool,
        tell: &mut impl FnMut(RaceEvent),
    ) {
        let at_s = image.scoring().current_et();
        self.seen_s = at_s;
        self.see_driver(vehicle, at_s, tell);
        let (key, driver) = (&self.key, &self.driver);
        let at_line = || lap_at_line(image, vehicle, slot, key, driver, own_invalid);
        self.laps.look(&look(vehicle, at_s), at_line, |lap| tell(RaceEvent::Lap(lap)));
        self.see_pits(image, vehicle, slot, tell);
    }

    fn see_driver(&mut self, vehicle: &Vehicle<'_>, at_s: f64, tell: &mut impl FnMut(RaceEvent)) {
        let driver = vehicle.driver_name();
        if driver == self.driver || driver.is_empty() {
            return;
        }
        let from = std::mem::replace(&mut self.driver, driver.into_owned());
        if !from.is_empty() {
            let (car, to) = (self.key.clone(), self.driver.clone());
            tell(RaceEvent::DriverChange { car, lap: current_lap(vehicle), from, to, at_s });
        }
    }

    fn see_pits(&mut self, image: &Image<'_>, vehicle: &Vehicle<'_>, slot: usize, tell: &mut impl FnMut(RaceEvent)) {
        let now = normalise::pit_state(vehicle);
        let steps = pits::steps(std::mem::replace(&mut self.pit, now), now);
        if steps.is_empty() {
            return;
        }
        let telemetry = image.car_of(vehicle.id(), slot);
        let own = telemetry.filter(|_| vehicle.is_player());
        for step in steps {
            tell(RaceEvent::Pit {
                car: self.key.clone(),
                lap: current_lap(vehicle),
                step: *step,
                at_s: image.scoring().current_et(),
                fuel_l: own.and_then(|car| normalise::fuel_l(&car)),
                virtual_energy_pct: own.and_then(|car| normalise::virtual_energy_pct(&car, image.has_1_3())),
                compound: telemetry.and_then(|car| name(&car.front_tire_compound_name())),
            });
        }
    }
}

fn look(vehicle: &Vehicle<'_>, at_s: f64) -> Look {
    Look {
        laps: vehicle.total_laps(),
        last: LastTimes {
            sector1_s: vehicle.last_sector1(),
            sector2_s: vehicle.last_sector2(),
            lap_s: vehicle.last_lap_time(),
        },
        in_pits: vehicle.in_pits() || normalise::pit_state(vehicle) == PitState::Garage,
        in_garage: normalise::pit_state(vehicle) == PitState::Garage,
        count_flag: vehicle.count_lap_flag(),
        lap_start_s: vehicle.lap_start_et(),
        at_s,
    }
}

/// A lap with what is true now, at the line; the rest is for [`LapTrack`].
fn lap_at_line(
    image: &Image<'_>,
    vehicle: &Vehicle<'_>,
    slot: usize,
    key: &CarKey,
    driver: &str,
    own_invalid: bool,
) -> Lap {
    let telemetry = image.car_of(vehicle.id(), slot);
    let own = telemetry.filter(|_| vehicle.is_player());
    Lap {
        car: key.clone(),
        lap: 0,
        driver: driver.to_owned(),
        time_ms: None,
        sectors_ms: [None; 3],
        valid: (vehicle.is_player() && own_invalid).then_some(false),
        out_lap: false,
        in_lap: false,
        position: (vehicle.place() > 0).then(|| vehicle.place().into()),
        class_position: class_position(image, vehicle),
        class: name(&vehicle.vehicle_class()),
        number: entry::number(&vehicle.vehicle_name()),
        at_s: 0.0,
        fuel_l: own.and_then(|car| normalise::fuel_l(&car)),
        fuel_kg: None,
        virtual_energy_pct: own.and_then(|car| normalise::virtual_energy_pct(&car, image.has_1_3())),
        compound: telemetry.and_then(|car| name(&car.front_tire_compound_name())),
        tire_wear_pct: own.and_then(|car| normalise::wear_pct(&car.wheels())),
    }
}

/// The lap a car is on, from 1.
#[must_use]
pub fn current_lap(vehicle: &Vehicle<'_>) -> u16 {
    u16::try_from(vehicle.total_laps()).unwrap_or(0).saturating_add(1)
}

/// Position in class, from 1.
#[must_use]
pub fn class_position(image: &Image<'_>, vehicle: &Vehicle<'_>) -> Option<u16> {
    let (class, place) = (vehicle.vehicle_class(), vehicle.place());
    if place == 0 || class.is_empty() {
        return None;
    }
    let is_ahead = |other: &Vehicle<'_>| (1..place).contains(&other.place()) && other.vehicle_class() == class;
    u16::try_from(image.vehicles().filter(is_ahead).count() + 1).ok()
}

/// A text, where the game wrote one.
#[must_use]
pub fn name(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}
