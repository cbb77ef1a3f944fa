//! One car in the fold: its stint and its visit to the pits.

use super::fold::{CORRECTABLE, PitStopFact, StintFact};
use onelap_protocol::race::{Lap, PitStep, RaceEvent};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Car {
    pub(super) driver: Option<String>,
    stint: Option<StintFact>,
    /// Sum and count behind the stint's mean, of its laps before the latest.
    clean: (u64, u32),
    /// The stint's best, of its laps before the latest.
    #[serde(default)]
    best_ms: Option<u32>,
    /// The latest laps, of this stint and the one before, which may be told again; oldest first.
    #[serde(default)]
    latest: VecDeque<Told>,
    visit: Option<PitStopFact>,
    visits: i32,
    /// The car was stopped in its box since the stint began.
    stopped: bool,
    /// A drive-through is behind the next out-lap.
    drove_through: bool,
    /// The next lap begins a stint, because the stop lay whole within the lap before.
    ends_with_lap: bool,
}

/// A lap that was told.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Told {
    lap: i32,
    stint: i32,
    /// Its time, where it is neither in- nor out-lap.
    clean_ms: Option<u32>,
    /// That time may be the best.
    counts: bool,
}

impl Told {
    fn new(lap: &Lap, stint: i32) -> Self {
        let clean_ms = lap.time_ms.filter(|_| !lap.in_lap && !lap.out_lap);
        Self { lap: i32::from(lap.lap), stint, clean_ms, counts: lap.valid != Some(false) }
    }

    fn best_ms(&self) -> Option<u32> {
        self.clean_ms.filter(|_| self.counts)
    }
}

impl Car {
    /// Takes a lap. Returns the stint that it belongs to, and that as it stands, if it is the latest.
    pub(super) fn lap(&mut self, lap: &Lap, own: bool) -> (i32, Option<StintFact>) {
        let number = i32::from(lap.lap);
        if let Some(told) = self.latest.iter_mut().find(|told| told.lap == number) {
            let stint = told.stint;
            *told = Told::new(lap, stint);
            return (stint, self.timed_stint().filter(|latest| latest.stint == stint));
        }
        // Who takes over in the box is at the wheel when an in-lap ends behind it; the lap still belongs to the stint.
        let other_driver = self.stint.as_ref().is_some_and(|s| s.driver != lap.driver) && !lap.in_lap;
        let after_stop = lap.out_lap && !self.drove_through;
        let begins = self.stint.is_none() || after_stop || self.ends_with_lap || other_driver;
        if lap.out_lap {
            (self.stopped, self.drove_through) = (false, false);
        }
        self.ends_with_lap = self.stopped && !lap.in_lap && !lap.out_lap;
        if self.ends_with_lap {
            self.stopped = false;
        }
        let count = self.stint.as_ref().map_or(0, |s| s.stint);
        let fresh = || StintFact {
            car: lap.car.clone(),
            stint: count + 1,
            own,
            driver: lap.driver.clone(),
            first_lap: number,
            last_lap: number,
            laps: 0,
            compound: None,
            best_ms: None,
            mean_ms: None,
        };
        if begins {
            (self.clean, self.best_ms, self.stint) = ((0, 0), None, None);
        }
        let stint = self.stint.get_or_insert_with(fresh);
        stint.last_lap = stint.last_lap.max(number);
        stint.laps += 1;
        stint.compound = lap.compound.clone().or(stint.compound.take());
        let told = Told::new(lap, stint.stint);
        self.driver = Some(lap.driver.clone());
        self.remember(told);
        (told.stint, self.timed_stint())
    }

    fn remember(&mut self, told: Told) {
        if self.latest.is_empty() {
            // Of a checkpoint that did not know its latest laps.
            self.best_ms = self.stint.as_ref().and_then(|stint| stint.best_ms);
        }
        self.latest.push_back(told);
        if self.latest.len() <= CORRECTABLE {
            return;
        }
        let Some(settled) = self.latest.pop_front().filter(|settled| settled.stint == told.stint) else { return };
        if let Some(time) = settled.clean_ms {
            self.clean = (self.clean.0 + u64::from(time), self.clean.1 + 1);
        }
        self.best_ms = self.best_ms.into_iter().chain(settled.best_ms()).min();
    }

    /// The stint with the times of all its laps.
    fn timed_stint(&mut self) -> Option<StintFact> {
        let stint = self.stint.as_mut()?;
        let laps = || self.latest.iter().filter(|told| told.stint == stint.stint);
        let times = || laps().filter_map(|told| told.clean_ms);
        let sum = self.clean.0 + times().map(u64::from).sum::<u64>();
        let count = u64::from(self.clean.1) + times().count() as u64;
        let best_ms = self.best_ms.into_iter().chain(laps().filter_map(Told::best_ms)).min();
        let mean_ms = sum.checked_div(count).and_then(|mean| u32::try_from(mean).ok());
        (stint.best_ms, stint.mean_ms) = (best_ms, mean_ms);
        Some(stint.clone())
    }

    /// Takes a step of a visit. Returns the visit as it stands.
    pub(super) fn pit(&mut self, event: &RaceEvent, own: bool) -> Option<PitStopFact> {
        let RaceEvent::Pit { car, lap, step, at_s, fuel_l, virtual_energy_pct, compound } = event else { return None };
        let begins = match step {
            PitStep::Enter => true,
            PitStep::Stop | PitStep::Go => self.visit.is_none(),
            PitStep::Exit => false,
        };
        if begins {
            self.visits += 1;
            self.visit = Some(PitStopFact {
                car: car.clone(),
                stop: self.visits,
                own,
                lap: i32::from(*lap),
                driver_in: self.driver.clone(),
                driver_out: None,
                entered_s: None,
                stopped_s: None,
                released_s: None,
                exited_s: None,
                fuel_in_l: *fuel_l,
                fuel_out_l: None,
                virtual_energy_in_pct: *virtual_energy_pct,
                virtual_energy_out_pct: None,
                compound_in: compound.clone(),
                compound_out: None,
            });
        }
        let visit = self.visit.as_mut()?;
        match step {
            PitStep::Enter => visit.entered_s = Some(*at_s),
            PitStep::Stop => {
                visit.stopped_s = visit.stopped_s.or(Some(*at_s));
                self.stopped = true;
            }
            PitStep::Go => visit.released_s = Some(*at_s),
            PitStep::Exit => visit.exited_s = Some(*at_s),
        }
        if matches!(step, PitStep::Go | PitStep::Exit) {
            visit.fuel_out_l = fuel_l.or(visit.fuel_out_l);
            visit.virtual_energy_out_pct = virtual_energy_pct.or(visit.virtual_energy_out_pct);
            visit.compound_out = compound.clone().or(visit.compound_out.take());
            visit.driver_out.clone_from(&self.driver);
        }
        let fact = visit.clone();
        if *step == PitStep::Exit {
            self.drove_through = visit.stopped_s.is_none();
            self.visit = None;
        }
        Some(fact)
    }
}
