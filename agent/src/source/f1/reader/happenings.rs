//! What happens in a session: laps, pit visits, notes, another setup, other facts.

use super::super::packet::{CARS, CarSetup, CarStatus, Event, LapDataPacket};
use super::laps::{AtLine, Done};
use super::live::{Car, Live};
use super::pits::Seen;
use super::{info, sample, setup, standings, words};
use crate::raw::Stamp;
use crate::reading::Reading;
use onelap_protocol::ids::CarKey;
use onelap_protocol::race::{Lap, PitStep, RaceEvent};

/// Standings come not more often than this: five times a second, of packets that come twenty times or more.
const STANDINGS_MS: u64 = 180;

impl Live {
    pub(super) fn take_laps(&mut self, at: Stamp, packet: &LapDataPacket, out: &mut Vec<Reading>) {
        let (time_s, resync, own) = (self.time_s, std::mem::take(&mut self.resync), self.own());
        let (status, damage) = (self.status.as_ref(), self.damage.as_ref());
        let mut done: Vec<(usize, Done)> = Vec::new();
        let mut steps: Vec<(usize, PitStep)> = Vec::new();
        for (slot, now) in packet.cars.iter().enumerate() {
            let Car { laps, pits } = &mut self.cars[slot];
            let at_line = || AtLine {
                fuel_kg: status.filter(|_| own == Some(slot)).map(|status| status[slot].fuel_in_tank_kg),
                tyre_wear_pct: damage.filter(|_| own == Some(slot)).map(|damage| damage.tyre_wear_pct.in_order()),
                compound: status.and_then(|status: &[CarStatus; CARS]| status[slot].visual_compound.name()),
            };
            done.extend(laps.see(now, time_s, resync, at_line).map(|done| (slot, done)));
            if resync || !now.is_car() {
                pits.forget();
            }
            if now.is_car() {
                let seen = Seen {
                    in_lane: now.pit_status.0 != 0,
                    in_garage: now.driver_status.0 == 0,
                    stop_timer_ms: now.pit_stop_timer_ms,
                    speed_kmh: self.speeds_kmh.as_ref().map(|speeds| speeds[slot]),
                };
                pits.see(seen, |step| steps.push((slot, step)));
            }
        }
        self.laps = Some(packet.cars);
        let is_race = self.session.as_ref().is_some_and(sample::is_race);
        self.fill(|sample, slot| {
            let own = &packet.cars[slot];
            let behind = packet.cars.iter().find(|car| car.is_car() && car.position == own.position.saturating_add(1));
            sample::lap_data(sample, own, behind, is_race);
        });
        if self.is_told() {
            out.extend(steps.into_iter().map(|(slot, step)| self.pit(slot, step)));
            out.extend(done.iter().map(|(slot, done)| self.lap(*slot, done)));
            self.tell_standings(at, out);
        }
    }

    pub(super) fn take_event(&mut self, at: Stamp, event: &Event, at_s: f64, out: &mut Vec<Reading>) {
        self.phase.event(event, at_s);
        match event {
            Event::Flashback { .. } => self.resync = true,
            Event::SessionEnded => {
                self.ended_ms.get_or_insert(at.mono_ms);
            }
            _ => {}
        }
        let words = words::words(event, self.participants.as_ref()).filter(|_| self.is_told());
        out.extend(words.map(|words| {
            let words::Words { car, topic, text } = words;
            Reading::Event(Box::new(RaceEvent::Note { car, topic, text, at_s }))
        }));
    }

    pub(super) fn take_setup(&mut self, setups: &[CarSetup; CARS], out: &mut Vec<Reading>) {
        let Some(own) = self.own().map(|slot| setups[slot]) else { return };
        if self.is_told() && setup::is_shown(&own) && self.setup != Some(own) {
            self.setup = Some(own);
            out.push(Reading::Setup { at_s: self.time_s, setup: Box::new(setup::setup(&own)) });
        }
    }

    /// Says the session's facts where they are other ones than were told.
    pub(super) fn tell_info(&mut self, out: &mut Vec<Reading>) {
        let (Some(told), Some(session)) = (&self.told, &self.session) else { return };
        let now = info::info(&self.header, session, self.participants.as_ref(), told.started_at_ms);
        if *told != now {
            self.told = Some(now.clone());
            out.push(Reading::SessionChanged(Box::new(now)));
        }
    }

    /// Says the phase where it is another one.
    pub(super) fn tell_phase(&mut self, out: &mut Vec<Reading>) {
        if self.is_told() {
            let (at_s, changed) = (self.time_s, self.phase.changed(self.time_s));
            out.extend(changed.map(|phase| Reading::Event(Box::new(RaceEvent::Phase { phase, at_s }))));
        }
    }

    /// The reading of a lap.
    pub(super) fn lap(&self, slot: usize, done: &Done) -> Reading {
        let participant = self.participants.as_ref().map(|participants| &participants.cars[slot]);
        Reading::Event(Box::new(RaceEvent::Lap(Lap {
            car: CarKey(slot.to_string()),
            lap: done.lap,
            driver: words::driver(self.participants.as_ref(), slot),
            time_ms: done.time_ms,
            sectors_ms: done.sectors_ms,
            valid: done.valid,
            out_lap: done.out_lap,
            in_lap: done.in_lap,
            position: (done.position > 0).then_some(done.position),
            class_position: None,
            class: None,
            number: participant.map(|who| who.race_number.to_string()),
            at_s: done.at_s,
            fuel_l: None,
            fuel_kg: done.at_line.fuel_kg.filter(|kg| kg.is_finite()),
            virtual_energy_pct: None,
            compound: done.at_line.compound.map(str::to_owned),
            tire_wear_pct: done.at_line.tyre_wear_pct.filter(|wear| wear.iter().all(|pct| pct.is_finite())),
        })))
    }

    fn pit(&self, slot: usize, step: PitStep) -> Reading {
        Reading::Event(Box::new(RaceEvent::Pit {
            car: CarKey(slot.to_string()),
            lap: self.laps.as_ref().map_or(1, |laps| laps[slot].current_lap.max(1).into()),
            step,
            at_s: self.time_s,
            fuel_l: None,
            virtual_energy_pct: None,
            compound: self.compound(slot),
        }))
    }

    fn tell_standings(&mut self, at: Stamp, out: &mut Vec<Reading>) {
        if self.standings_ms.is_some_and(|last_ms| at.mono_ms.saturating_sub(last_ms) < STANDINGS_MS) {
            return;
        }
        if let Some(standings) = standings::standings(self, self.phase.now(self.time_s)) {
            self.standings_ms = Some(at.mono_ms);
            out.push(Reading::Standings(Box::new(standings)));
        }
    }
}
