//! A fold over the events of one session: takes each event once, in the order of its sequence, and says what rows follow.
//!
//! Invariants: the same events give the same facts, wherever the stream was cut, because the whole state is in [`Fold`]
//! and is committed with the facts. A fact names its row's key, so that writing it twice changes nothing.
//!
//! A lap that is told again (the game corrected it, or a later run of the agent read it once more) replaces what was told.
//!
//! A stint is a run of laps by one driver between stops: it ends when a lap begins in the pits after a stop, or when
//! another driver crosses the line. A drive-through does not end it.

use super::car::Car;
use onelap_protocol::CarKey;
use onelap_protocol::race::{Lap, PitStep, RaceEvent};
use onelap_protocol::viewer::Consumption;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// Most cars that one session may have seen: five times the largest field, for those who come and go. They are all in
/// every checkpoint.
pub const MAX_CARS_SEEN: usize = 500;
/// How many counted laps the consumption rests on at most.
const CONSUMPTION_LAPS: usize = 5;
/// How many of the latest laps may be told again.
pub(super) const CORRECTABLE: usize = 5;

/// Something to be kept.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    /// A lap.
    Lap(Box<LapFact>),
    /// A stint as it stands; replaces what was said of it before.
    Stint(StintFact),
    /// A pit visit as it stands; replaces what was said of it before.
    PitStop(PitStopFact),
    /// Another driver.
    DriverChange(DriverChangeFact),
}

/// Row of `laps`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the fields are the columns of the table, explained in the migration")]
pub struct LapFact {
    pub car: CarKey,
    pub lap: i32,
    pub own: bool,
    pub driver: String,
    pub time_ms: Option<u32>,
    pub sector1_ms: Option<u32>,
    pub sector2_ms: Option<u32>,
    pub sector3_ms: Option<u32>,
    pub valid: Option<bool>,
    pub out_lap: bool,
    pub in_lap: bool,
    pub position: Option<u16>,
    pub class_position: Option<u16>,
    pub class: Option<String>,
    pub number: Option<String>,
    pub at_s: f64,
    pub fuel_l: Option<f32>,
    pub fuel_kg: Option<f32>,
    pub virtual_energy_pct: Option<f32>,
    pub fuel_used_l: Option<f32>,
    pub fuel_used_kg: Option<f32>,
    pub virtual_energy_used_pct: Option<f32>,
    pub compound: Option<String>,
    pub tire_wear_pct: Option<[f32; 4]>,
    pub stint: i32,
}

/// Row of `stints`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are the columns of the table, explained in the migration")]
pub struct StintFact {
    pub car: CarKey,
    pub stint: i32,
    pub own: bool,
    pub driver: String,
    pub first_lap: i32,
    pub last_lap: i32,
    pub laps: i32,
    pub compound: Option<String>,
    pub best_ms: Option<u32>,
    pub mean_ms: Option<u32>,
}

/// Row of `pit_stops`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are the columns of the table, explained in the migration")]
pub struct PitStopFact {
    pub car: CarKey,
    pub stop: i32,
    pub own: bool,
    pub lap: i32,
    pub driver_in: Option<String>,
    pub driver_out: Option<String>,
    pub entered_s: Option<f64>,
    pub stopped_s: Option<f64>,
    pub released_s: Option<f64>,
    pub exited_s: Option<f64>,
    pub fuel_in_l: Option<f32>,
    pub fuel_out_l: Option<f32>,
    pub virtual_energy_in_pct: Option<f32>,
    pub virtual_energy_out_pct: Option<f32>,
    pub compound_in: Option<String>,
    pub compound_out: Option<String>,
}

/// Row of `driver_changes`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the fields are the columns of the table, explained in the migration")]
pub struct DriverChangeFact {
    pub car: CarKey,
    pub lap: i32,
    pub at_s: f64,
    pub own: bool,
    pub from_driver: String,
    pub to_driver: String,
}

/// The state of the fold: what the next event is understood with.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Fold {
    cars: BTreeMap<String, Car>,
    /// What our car had at the last line.
    line: Option<Line>,
    /// Consumption of the latest counted laps of our car, newest last.
    used: VecDeque<Used>,
    /// The latest laps of our car and what they used: a lap that is told again has used the same.
    #[serde(default)]
    crossed: VecDeque<(u16, Used)>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Line {
    lap: u16,
    fuel_l: Option<f32>,
    fuel_kg: Option<f32>,
    virtual_energy_pct: Option<f32>,
    /// The car stood in its box since.
    stopped_since: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
struct Used {
    fuel_l: Option<f32>,
    fuel_kg: Option<f32>,
    virtual_energy_pct: Option<f32>,
}

impl Fold {
    /// Takes an event; `own` is our car. Returns the rows that follow from it, in an order that satisfies references.
    pub fn apply(&mut self, event: &RaceEvent, own: &CarKey) -> Vec<Fact> {
        match event {
            RaceEvent::Lap(lap) => self.lap(lap, lap.car == *own),
            RaceEvent::Pit { car, .. } => self.pit(event, car == own),
            RaceEvent::DriverChange { car, lap, from, to, at_s } => {
                self.cars.entry(car.0.clone()).or_default().driver = Some(to.clone());
                vec![Fact::DriverChange(DriverChangeFact {
                    car: car.clone(),
                    lap: i32::from(*lap),
                    at_s: *at_s,
                    own: car == own,
                    from_driver: from.clone(),
                    to_driver: to.clone(),
                })]
            }
            RaceEvent::Phase { .. } | RaceEvent::Note { .. } => Vec::new(),
        }
    }

    /// Whether the event's car is known or may still be added.
    #[must_use]
    pub fn has_room_for(&self, event: &RaceEvent) -> bool {
        let car = match event {
            RaceEvent::Lap(Lap { car, .. }) | RaceEvent::Pit { car, .. } | RaceEvent::DriverChange { car, .. } => car,
            RaceEvent::Phase { .. } | RaceEvent::Note { .. } => return true,
        };
        self.cars.len() < MAX_CARS_SEEN || self.cars.contains_key(&car.0)
    }

    /// What our car uses a lap: the mean over the latest counted laps, five at most.
    #[must_use]
    pub fn consumption(&self) -> Consumption {
        let mean = |pick: fn(&Used) -> Option<f32>| {
            let values: Vec<f32> = self.used.iter().filter_map(pick).collect();
            (!values.is_empty()).then(|| values.iter().sum::<f32>() / values.len() as f32)
        };
        Consumption {
            laps: self.used.len() as u32,
            fuel_l: mean(|u| u.fuel_l),
            fuel_kg: mean(|u| u.fuel_kg),
            virtual_energy_pct: mean(|u| u.virtual_energy_pct),
        }
    }

    fn lap(&mut self, lap: &Lap, own: bool) -> Vec<Fact> {
        let used = if own { self.cross_line(lap) } else { Used::default() };
        let car = self.cars.entry(lap.car.0.clone()).or_default();
        let (stint, told) = car.lap(lap, own);
        let fact = LapFact {
            car: lap.car.clone(),
            lap: i32::from(lap.lap),
            own,
            driver: lap.driver.clone(),
            time_ms: lap.time_ms,
            sector1_ms: lap.sectors_ms[0],
            sector2_ms: lap.sectors_ms[1],
            sector3_ms: lap.sectors_ms[2],
            valid: lap.valid,
            out_lap: lap.out_lap,
            in_lap: lap.in_lap,
            position: lap.position,
            class_position: lap.class_position,
            class: lap.class.clone(),
            number: lap.number.clone(),
            at_s: lap.at_s,
            fuel_l: lap.fuel_l,
            fuel_kg: lap.fuel_kg,
            virtual_energy_pct: lap.virtual_energy_pct,
            fuel_used_l: used.fuel_l,
            fuel_used_kg: used.fuel_kg,
            virtual_energy_used_pct: used.virtual_energy_pct,
            compound: lap.compound.clone(),
            tire_wear_pct: lap.tire_wear_pct,
            stint,
        };
        [Fact::Lap(Box::new(fact))].into_iter().chain(told.map(Fact::Stint)).collect()
    }

    fn cross_line(&mut self, lap: &Lap) -> Used {
        if let Some((_, used)) = self.crossed.iter().find(|(crossed, _)| *crossed == lap.lap) {
            return *used;
        }
        let used = self.use_since_line(lap);
        self.crossed.push_back((lap.lap, used));
        if self.crossed.len() > CORRECTABLE {
            self.crossed.pop_front();
        }
        used
    }

    /// What was used since the line before, and whether the lap counts for the consumption.
    fn use_since_line(&mut self, lap: &Lap) -> Used {
        let line = Line {
            lap: lap.lap,
            fuel_l: lap.fuel_l,
            fuel_kg: lap.fuel_kg,
            virtual_energy_pct: lap.virtual_energy_pct,
            stopped_since: false,
        };
        let Some(before) = self.line.replace(line) else { return Used::default() };
        if before.stopped_since || before.lap.checked_add(1) != Some(lap.lap) {
            return Used::default();
        }
        let less = |before: Option<f32>, now: Option<f32>| Some(before? - now?).filter(|used| *used >= 0.0);
        let used = Used {
            fuel_l: less(before.fuel_l, lap.fuel_l),
            fuel_kg: less(before.fuel_kg, lap.fuel_kg),
            virtual_energy_pct: less(before.virtual_energy_pct, lap.virtual_energy_pct),
        };
        if !lap.in_lap && !lap.out_lap && used != Used::default() {
            if self.used.len() == CONSUMPTION_LAPS {
                self.used.pop_front();
            }
            self.used.push_back(used);
        }
        used
    }

    fn pit(&mut self, event: &RaceEvent, own: bool) -> Vec<Fact> {
        let RaceEvent::Pit { car, step, .. } = event else { return Vec::new() };
        if own
            && *step == PitStep::Stop
            && let Some(line) = &mut self.line
        {
            line.stopped_since = true;
        }
        self.cars.entry(car.0.clone()).or_default().pit(event, own).map(Fact::PitStop).into_iter().collect()
    }
}

#[cfg(test)]
#[path = "fold_tests.rs"]
mod tests;
