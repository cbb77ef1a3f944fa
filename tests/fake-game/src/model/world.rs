//! The world: everything that a face may show, and the one function that moves it on by a tick.

use std::sync::Arc;

use super::car::{Car, Compound, Place};
use super::class::{CLASSES, Class};
use super::drive::{self, Road};
use super::field;
use super::heat::{self, Air};
use super::laps::{self, Desk};
use super::log::{LoggedCar, RaceLog, SessionKind, SessionLog};
use super::order;
use super::pit::{self, Service};
use super::pit_menu::PitMenu;
use super::player;
use super::profile::Profile;
use super::rng::Rng;
use super::session::{Phase, Session, SessionLength};
use super::setup::Setup;
use super::timing::Crossing;
use super::track::{Track, TrackKind};
use super::weather::Weather;

/// Length of a physics tick.
pub(crate) const TICK_MS: u64 = 10;
const TICK_S: f64 = TICK_MS as f64 / 1_000.0;

/// What the world is made from.
#[derive(Debug, Clone)]
pub(crate) struct WorldPlan {
    pub seed: u64,
    pub cars: usize,
    pub classes: Vec<Class>,
    pub player_class: Class,
    pub track: TrackKind,
    pub session: SessionKind,
    pub length: SessionLength,
    /// The player's car stays in the garage until told to go.
    pub hold_in_garage: bool,
}

/// Something that a game tells about beyond its state.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Happening {
    SessionStarted,
    Green,
    LapDone { car: usize },
    FastestLap { car: usize, lap_ms: u32 },
    Contact { car: usize, other: usize, magnitude: f64 },
    TrackLimits { car: usize },
    Penalty { car: usize, seconds: u8 },
    DriverChanged { car: usize },
    Chequered,
    SessionEnded,
}

#[derive(Debug, Clone)]
pub(crate) struct World {
    pub plan: WorldPlan,
    pub track: Arc<Track>,
    /// By [`Class::index`].
    pub profiles: Arc<Vec<Profile>>,
    pub session: Session,
    pub cars: Vec<Car>,
    pub player: usize,
    pub weather: Weather,
    pub setup: Setup,
    pub pit_menu: PitMenu,
    pub log: RaceLog,
    /// Since they were last taken.
    pub happenings: Vec<Happening>,
    rng: Rng,
    ticks: u64,
}

impl World {
    pub(crate) fn new(plan: WorldPlan) -> Self {
        let track = Arc::new(Track::new(plan.track));
        let profiles = Arc::new(CLASSES.iter().map(|class| Profile::new(&track, class.spec())).collect::<Vec<_>>());
        let mut rng = Rng::new(plan.seed);
        let (entries, player) = field::entries(&mut rng, &track, plan.cars, &plan.classes, plan.player_class);
        let weather = Weather::new(&mut rng);
        let setup = Setup::new(entries[player].class);
        let log = RaceLog {
            seed: plan.seed,
            track: track.name.to_owned(),
            track_length_m: track.length_m,
            player_car_id: entries[player].id,
            cars: entries
                .iter()
                .enumerate()
                .map(|(f1_index, entry)| LoggedCar {
                    car_id: entry.id,
                    f1_index,
                    number: entry.number,
                    class: entry.class,
                    vehicle_name: entry.vehicle_name.clone(),
                    drivers: entry.drivers.iter().map(|driver| driver.name.clone()).collect(),
                })
                .collect(),
            sessions: Vec::new(),
        };
        let session = Session::new(0, plan.session, plan.length, rng.next_u64());
        // Grid: by class, and within a class as the entry list has it, shuffled.
        let mut grid: Vec<usize> = (0..entries.len()).collect();
        let shuffle: Vec<f64> = grid.iter().map(|_| rng.unit()).collect();
        grid.sort_by(|a, b| {
            let key = |i: usize| (profiles[entries[i].class.index()].lap_time_s, shuffle[i]);
            key(*a).partial_cmp(&key(*b)).unwrap_or(std::cmp::Ordering::Equal)
        });
        let air = Air { ambient_c: weather.ambient_c, track_c: weather.track_c, wetness: 0.0 };
        let cars: Vec<Car> = entries
            .iter()
            .enumerate()
            .map(|(i, entry)| {
                let place = grid.iter().position(|car| *car == i).unwrap_or(i);
                field::car(entry, place, &session, &profiles[entry.class.index()], &air, &mut rng, i == player)
            })
            .collect();
        let pit_menu = PitMenu::new(&cars[player], setup.pressures_kpa());
        let mut world = Self {
            plan,
            track,
            profiles,
            session,
            cars,
            player,
            weather,
            setup,
            pit_menu,
            log,
            happenings: Vec::new(),
            rng,
            ticks: 0,
        };
        world.open_session();
        world
    }

    /// The next session of the event, with the same cars; a race starts in the order of the session before.
    pub(crate) fn next_session(&mut self, kind: SessionKind, length: SessionLength) {
        self.end_session();
        self.session = Session::new(self.session.index + 1, kind, length, self.rng.next_u64());
        let mut order: Vec<usize> = (0..self.cars.len()).collect();
        order.sort_by_key(|i| self.cars[*i].position);
        let air = self.air();
        for (place, i) in order.into_iter().enumerate() {
            let entry = Arc::clone(&self.cars[i].entry);
            let profile = &self.profiles[entry.class.index()];
            self.cars[i] = field::car(&entry, place, &self.session, profile, &air, &mut self.rng, i == self.player);
        }
        self.pit_menu.rebuild(&self.cars[self.player], self.setup.pressures_kpa());
        self.open_session();
    }

    fn open_session(&mut self) {
        self.log.sessions.push(SessionLog {
            index: self.session.index,
            kind: self.session.kind,
            laps: Vec::new(),
            pit_stops: Vec::new(),
            driver_changes: Vec::new(),
            ended: false,
        });
        for car in &mut self.cars {
            laps::draw_pace(car, &mut self.rng);
        }
        if self.plan.hold_in_garage {
            self.cars[self.player].leaves_garage_ms = None;
        }
        let air = self.air();
        let cold = self.setup.pressures_kpa();
        heat::fit_new_tyres(&mut self.cars[self.player], cold, &air);
        self.setup.expect_consumption(self.cars[self.player].fuel_per_lap_l);
        order::places(&mut self.cars, &self.track, &self.profiles, self.session.kind);
        self.happenings.push(Happening::SessionStarted);
    }

    /// Ends the session now, wherever the cars are. Laps that are not complete do not count.
    pub(crate) fn end_session(&mut self) {
        if self.session.phase == Phase::Over {
            return;
        }
        if self.session.phase != Phase::Chequered {
            self.session.chequered_ms = self.session.now_ms;
            self.happenings.push(Happening::Chequered);
        }
        self.session.phase = Phase::Over;
        for car in &mut self.cars {
            car.finished_ms.get_or_insert(self.session.now_ms);
            car.pit.requested |= car.place == Place::Track;
            car.pit.into_garage = true;
        }
        if let Some(log) = self.log.sessions.last_mut() {
            log.ended = true;
        }
        self.happenings.push(Happening::SessionEnded);
    }

    pub(crate) fn player_car(&self) -> &Car {
        &self.cars[self.player]
    }

    pub(crate) fn air(&self) -> Air {
        Air { ambient_c: self.weather.ambient_c, track_c: self.weather.track_c, wetness: self.weather.wetness }
    }

    /// Advances everything by [`TICK_MS`].
    pub(crate) fn step(&mut self) {
        let start_ms = self.session.now_ms;
        self.session.now_ms += TICK_MS;
        self.ticks += 1;
        if self.session.phase == Phase::Formation && self.session.now_ms >= self.session.green_ms {
            self.session.phase = Phase::Green;
            self.happenings.push(Happening::Green);
        }
        if self.ticks.is_multiple_of(5) {
            order::road(&mut self.cars, &self.track, &self.profiles);
            self.weather.advance(self.session.now_s(), 5.0 * TICK_S);
            let air = self.air();
            for car in &mut self.cars {
                heat::advance(car, &air, 5.0 * TICK_S);
            }
        }
        let mut cars = std::mem::take(&mut self.cars);
        for (i, car) in cars.iter_mut().enumerate() {
            self.step_car(i, car, start_ms);
        }
        self.cars = cars;
        if self.ticks.is_multiple_of(20) {
            order::places(&mut self.cars, &self.track, &self.profiles, self.session.kind);
            self.incidents();
            self.pit_menu.follow_consumption(&self.cars[self.player]);
            self.setup.expect_consumption(self.cars[self.player].fuel_per_lap_l);
        }
        let everyone_home = self.cars.iter().all(|car| car.finished_ms.is_some() && car.place == Place::Garage);
        let waited = self.session.now_ms >= self.session.chequered_ms + 300_000;
        if self.session.phase == Phase::Chequered && (everyone_home || waited) {
            self.end_session();
        }
    }

    fn step_car(&mut self, index: usize, car: &mut Car, start_ms: u64) {
        let track = Arc::clone(&self.track);
        let profiles = Arc::clone(&self.profiles);
        let road = Road {
            track: &track,
            profile: &profiles[car.entry.class.index()],
            wetness: self.weather.wetness,
            neutral_mps: (self.session.phase == Phase::Formation).then_some(20.0),
            dt_s: TICK_S,
        };
        let from_m = car.s_m;
        let to_m = from_m + drive::advance(car, &road);
        car.s_m = to_m;
        let at = |part: f64| start_ms + (part * TICK_MS as f64).round() as u64;
        if car.place == Place::Track && car.pit.requested && from_m < track.pit.entry_m && to_m >= track.pit.entry_m {
            pit::enter(car, at((track.pit.entry_m - from_m) / (to_m - from_m).max(1e-9)));
        }
        for (crossing, part) in laps::crossings(&track, from_m, to_m) {
            let Some(log) = self.log.sessions.last_mut() else { return };
            let mut desk =
                Desk { session: &mut self.session, log, rng: &mut self.rng, happenings: &mut self.happenings };
            match crossing {
                Crossing::Sector(sector) => car.timing.sector_end(sector, at(part)),
                Crossing::Line => {
                    car.s_m -= track.length_m;
                    laps::cross_line(car, index, at(part), &mut desk);
                }
            }
        }
        self.pit_lane(index, car);
    }

    /// Box, garage and pit exit.
    fn pit_lane(&mut self, index: usize, car: &mut Car) {
        let now_ms = self.session.now_ms;
        let Some(log) = self.log.sessions.last_mut() else { return };
        match car.place {
            Place::Entering if car.s_m >= car.entry.box_m - 0.3 => {
                if car.pit.into_garage {
                    car.place = Place::Garage;
                    car.s_m = car.entry.box_m;
                    pit::leave(car, None, log);
                } else {
                    let service = if index == self.player {
                        player::player_service(car, &self.pit_menu)
                    } else {
                        team_service(car, self.weather.wetness)
                    };
                    pit::stop(car, service, now_ms);
                }
            }
            Place::Stopped => {
                let done = pit::work(car, now_ms);
                if done {
                    self.release(index, car);
                }
            }
            Place::Exiting if (self.track.pit.exit_m..self.track.length_m / 2.0).contains(&car.s_m) => {
                car.place = Place::Track;
                pit::leave(car, Some(now_ms), log);
            }
            Place::Garage
                if car.leaves_garage_ms.is_some_and(|at| now_ms >= at) && self.session.phase == Phase::Green =>
            {
                car.leaves_garage_ms = None;
                car.place = Place::Exiting;
            }
            _ => {}
        }
    }

    /// The work in the box is done: new tyres are on, perhaps another driver is in, the menu is back at its defaults.
    fn release(&mut self, index: usize, car: &mut Car) {
        let (now_ms, air) = (self.session.now_ms, self.air());
        let Some(log) = self.log.sessions.last_mut() else { return };
        let tyres = car.pit.stop.as_ref().and_then(|stop| stop.tyres);
        let changes = log.driver_changes.len();
        pit::release(car, now_ms, log);
        if log.driver_changes.len() > changes {
            self.happenings.push(Happening::DriverChanged { car: index });
        }
        if let Some(compound) = tyres {
            car.compound = compound;
            let cold =
                if index == self.player { self.setup.pressures_kpa() } else { field::team_pressures(car.entry.class) };
            heat::fit_new_tyres(car, cold, &air);
        }
        if index == self.player {
            self.pit_menu.rebuild(car, self.setup.pressures_kpa());
        }
    }

    /// What goes wrong by itself, now and then; called five times a second.
    fn incidents(&mut self) {
        if self.session.phase != Phase::Green {
            return;
        }
        for i in 0..self.cars.len() {
            let car = &self.cars[i];
            let close = car.ahead.is_some_and(|ahead| ahead.gap_m < 7.0) && car.curvature.abs() > 0.004;
            if car.place != Place::Track {
                continue;
            }
            if close && self.rng.chance(0.0006) {
                let other =
                    (0..self.cars.len()).filter(|j| *j != i && self.cars[*j].place == Place::Track).min_by(|a, b| {
                        (self.cars[*a].s_m - self.cars[i].s_m)
                            .abs()
                            .total_cmp(&(self.cars[*b].s_m - self.cars[i].s_m).abs())
                    });
                if let Some(other) = other {
                    let magnitude = self.rng.between(0.05, 0.9);
                    self.contact(i, other, magnitude);
                }
            } else if self.rng.chance(0.000_06) {
                self.track_limits(i);
            }
        }
    }

    fn track_limits(&mut self, i: usize) {
        let car = &mut self.cars[i];
        car.timing.valid = false;
        car.track_limit_steps += 2;
        self.happenings.push(Happening::TrackLimits { car: i });
        if car.track_limit_steps >= 20 {
            car.track_limit_steps = 0;
            car.penalties += 1;
            self.happenings.push(Happening::Penalty { car: i, seconds: 5 });
        }
    }

    /// Two cars touch: both are told, the sector is yellow for a while.
    pub(crate) fn contact(&mut self, i: usize, other: usize, magnitude: f64) {
        let now_ms = self.session.now_ms;
        for (car, zone) in [(i, 0), (other, 4)] {
            let car = &mut self.cars[car];
            car.last_impact = Some((now_ms, magnitude));
            if magnitude > 0.5 {
                car.dents[zone] = (car.dents[zone] + 1).min(2);
            }
        }
        let sector = self.track.sector_at(self.cars[i].s_m.rem_euclid(self.track.length_m));
        self.session.yellow_until_ms[sector] = now_ms + 15_000;
        self.happenings.push(Happening::Contact { car: i, other, magnitude });
    }
}

/// What a team of the field does: fill up, tyres when they are worn, another driver every third stop.
fn team_service(car: &Car, wetness: f64) -> Service {
    let compound = if wetness > 0.35 { Compound::Wet } else { Compound::Medium };
    let worn = car.corners.iter().any(|corner| corner.tread < 0.8);
    let tired = car.pit.stops_since_driver_change >= 2;
    Service {
        fill_to: if car.entry.class == Class::F1 { 0.0 } else { 1.0 },
        tyres: (worn || compound != car.compound).then_some(compound),
        driver: tired.then(|| (car.driver + 1) % car.entry.drivers.len()),
    }
}

#[cfg(test)]
mod tests;
