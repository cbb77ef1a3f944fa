//! A session that runs: what each image of it says.

use super::field::{self, Field};
use super::image::{Image, Vehicle};
use super::known::Known;
use super::normalise::{self, Context};
use super::notes::{Line, Notes};
use super::own::OwnLap;
use super::session::{self, Identity, Match};
use super::standings;
use crate::raw::Stamp;
use crate::reading::Reading;
use onelap_protocol::race::{Phase, RaceEvent, SessionInfo};
use onelap_protocol::setup::Setup;

/// Time between two standings. The game updates them every 200 ms, which is seen up to a look at it sooner or later.
const STANDINGS_EVERY_MS: u64 = 140;
/// A note that is from later than this is from a session before, s.
const FUTURE_S: f64 = 1.0;

/// A session that runs.
#[derive(Debug)]
pub struct Live {
    identity: Identity,
    info: SessionInfo,
    field: Field,
    notes: Notes,
    own: OwnLap,
    phase: Option<Phase>,
    last_et: Option<f64>,
    last_elapsed: f64,
    class_position: Option<u16>,
    standings_ms: Option<u64>,
    setup: Option<Setup>,
}

impl Live {
    /// Begins with an image.
    #[must_use]
    pub fn new(at: Stamp, image: &Image<'_>, player: &Vehicle<'_>, known: &Known) -> Self {
        Self {
            identity: Identity::of(image, player),
            info: session::info(image, player, known.session.as_ref(), at.unix_ms, None),
            field: Field::default(),
            notes: Notes::default(),
            own: OwnLap::default(),
            phase: None,
            last_et: None,
            last_elapsed: f64::NEG_INFINITY,
            class_position: None,
            standings_ms: None,
            setup: None,
        }
    }

    /// The facts.
    #[must_use]
    pub fn info(&self) -> &SessionInfo {
        &self.info
    }

    /// Our car's entry.
    #[must_use]
    pub fn entry(&self) -> &str {
        self.identity.entry()
    }

    /// Whether an image is of this session.
    #[must_use]
    pub fn compare(&self, image: &Image<'_>, player: &Vehicle<'_>) -> Match {
        self.identity.compare(image, player, self.last_et.unwrap_or(f64::NEG_INFINITY))
    }

    /// Takes an image of this session.
    pub fn look(&mut self, at: Stamp, image: &Image<'_>, player: &Vehicle<'_>, known: &Known, out: &mut Vec<Reading>) {
        let et = image.scoring().current_et();
        let is_update = self.last_et != Some(et);
        self.last_et = Some(et);
        let car = image.player_car().filter(|car| car.id() == player.id()).or_else(|| image.car_of(player.id(), 0));
        if let Some(car) = car.filter(|_| image.has_1_3()) {
            self.own.see_validity(&car);
        }
        if is_update {
            self.scoring_update(at, image, player, known, out);
        }
        let Some(car) = car else { return };
        let elapsed = car.elapsed_time();
        if elapsed.is_finite() && elapsed > self.last_elapsed {
            let on_lap = self.own.look(at.mono_ms, &image.scoring(), player, &car);
            let context = Context {
                at_ms: at.unix_ms,
                lap: Some(f64::from(on_lap.lap)),
                lap_distance_m: on_lap.distance_m,
                class_position: self.class_position,
                cars: image.vehicle_count(),
            };
            out.push(Reading::Sample(Box::new(normalise::sample(image, player, &car, &context))));
        }
        if elapsed.is_finite() {
            self.last_elapsed = elapsed;
        }
    }

    fn scoring_update(
        &mut self,
        at: Stamp,
        image: &Image<'_>,
        player: &Vehicle<'_>,
        known: &Known,
        out: &mut Vec<Reading>,
    ) {
        let info = session::info(image, player, known.session.as_ref(), at.unix_ms, Some(&self.info));
        if info != self.info {
            self.info = info;
            out.push(Reading::SessionChanged(Box::new(self.info.clone())));
        }
        self.class_position = field::class_position(image, player);
        self.see_phase(image, out);
        self.field.look(image, self.own.last_was_invalid(), |event| out.push(Reading::Event(Box::new(event))));
        self.see_notes(image, out);
        let is_due = self.standings_ms.is_none_or(|last| at.mono_ms.saturating_sub(last) >= STANDINGS_EVERY_MS);
        if is_due {
            self.standings_ms = Some(at.mono_ms);
            out.push(Reading::Standings(Box::new(standings::standings(image, &known.rows))));
        }
    }

    /// A pause is no phase of the session.
    fn see_phase(&mut self, image: &Image<'_>, out: &mut Vec<Reading>) {
        let phase = standings::phase(image.scoring().game_phase());
        if phase == Phase::Paused || self.phase == Some(phase) {
            return;
        }
        if self.phase.replace(phase).is_some() {
            let at_s = image.scoring().current_et();
            out.push(Reading::Event(Box::new(RaceEvent::Phase { phase, at_s })));
        }
    }

    fn see_notes(&mut self, image: &Image<'_>, out: &mut Vec<Reading>) {
        let et = image.scoring().current_et();
        let field = &self.field;
        self.notes.look(image.stream(), |Line { slot, topic, text, at_s }| {
            let at_s = at_s.unwrap_or(et);
            if at_s <= et + FUTURE_S {
                let car = slot.and_then(|slot| field.key(slot)).cloned();
                out.push(Reading::Event(Box::new(RaceEvent::Note { car, topic, text, at_s })));
            }
        });
    }

    /// Tells a setup that differs from the one told last.
    pub fn see_setup(&mut self, setup: &Setup, out: &mut Vec<Reading>) {
        if self.setup.as_ref() != Some(setup) {
            self.setup = Some(setup.clone());
            let at_s = self.last_et.unwrap_or_default();
            out.push(Reading::Setup { at_s, setup: Box::new(setup.clone()) });
        }
    }

    /// The session is over: tells what still waits.
    pub fn finish(mut self, out: &mut Vec<Reading>) {
        self.field.flush(|event| out.push(Reading::Event(Box::new(event))));
    }
}
