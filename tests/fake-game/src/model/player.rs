//! What the player does: out and in, the stop, the driver, the setup.

use super::car::{Car, Compound, Place};
use super::class::Class;
use super::heat;
use super::pit::{self, Service};
use super::pit_menu::{self, PitMenu};
use super::world::{Happening, World};

impl World {
    /// The player's car back in its garage, as by the driver's own hand; the lap is given up.
    pub(crate) fn player_to_garage(&mut self) {
        let now_ms = self.session.now_ms;
        let car = &mut self.cars[self.player];
        if car.place == Place::Garage {
            return;
        }
        if let Some(log) = self.log.sessions.last_mut() {
            pit::leave(car, None, log);
        }
        car.place = Place::Garage;
        car.s_m = car.entry.box_m;
        car.speed_mps = 0.0;
        car.pit.requested = false;
        car.leaves_garage_ms = None;
        car.timing.abandon_lap(now_ms);
    }

    /// Out of the garage.
    pub(crate) fn player_drives(&mut self) {
        let cold = self.setup.pressures_kpa();
        let air = self.air();
        let now_ms = self.session.now_ms;
        let car = &mut self.cars[self.player];
        if car.place != Place::Garage || car.finished_ms.is_some() {
            return;
        }
        heat::fit_new_tyres(car, cold, &air);
        car.stint_laps = 0;
        car.fuel_at_line_l = car.fuel_l;
        car.leaves_garage_ms = Some(now_ms);
    }

    /// The player comes in at the end of this lap, for fuel and tyres.
    pub(crate) fn player_pits(&mut self) {
        let wet = self.weather.wetness > 0.35;
        self.pit_menu.choose(
            pit_menu::ENERGY,
            if self.player_car().has_energy() { 100 } else { self.player_car().spec().tank_l as usize },
        );
        self.pit_menu.choose_new_tyres(if wet { Compound::Wet } else { Compound::Medium });
        self.cars[self.player].pit.requested = true;
    }

    /// Another driver takes over: at once in the garage, otherwise at a stop at the end of this lap.
    pub(crate) fn player_changes_driver(&mut self, driver: usize) {
        let now_ms = self.session.now_ms;
        let car = &mut self.cars[self.player];
        if car.place == Place::Garage {
            if let Some(log) = self.log.sessions.last_mut() {
                pit::change_driver(car, driver, now_ms, log);
            }
            self.happenings.push(Happening::DriverChanged { car: self.player });
            let cold = self.setup.pressures_kpa();
            self.pit_menu.rebuild(&self.cars[self.player], cold);
        } else {
            car.pit.requested = true;
            self.pit_menu.choose(pit_menu::DRIVER, driver);
        }
    }

    /// A change of the player's settings; in the garage it is on the car at once.
    pub(crate) fn change_setup(&mut self, key: &str, value: i64) -> Result<(), super::setup::SetupError> {
        self.setup.change(key, value)?;
        if self.player_car().place == Place::Garage {
            let cold = self.setup.pressures_kpa();
            for (corner, kpa) in self.cars[self.player].corners.iter_mut().zip(cold) {
                corner.cold_kpa = kpa;
            }
        }
        Ok(())
    }
}

/// What the player's pit menu says.
pub(crate) fn player_service(car: &Car, menu: &PitMenu) -> Service {
    let chosen = menu.chosen(pit_menu::ENERGY) as f64;
    let fill_to = match car.entry.class {
        Class::F1 => 0.0,
        _ if car.has_energy() => chosen / 100.0,
        _ => chosen / car.spec().tank_l,
    };
    let driver = menu.chosen(pit_menu::DRIVER);
    Service { fill_to, tyres: menu.tyres(), driver: (driver != car.driver).then_some(driver) }
}
