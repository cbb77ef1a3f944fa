//! Images and REST answers in, readings out: state, session, samples, standings, setup, events, in the order in which
//! they happened. Pure.
//!
//! Invariants: a sample is told only where the game's physics have moved on; a session begins only with a game that is
//! alive (a mapping can outlive its game); a glimpse of the menu or of another car does not end a session, and a game that
//! is gone ends it after a while, so that a crash and a quick return are one session.

use super::image::{Image, Vehicle};
use super::known::Known;
use super::live::Live;
use super::session::{Match, version};
use super::state::{self, Movement};
use crate::raw::{Raw, Reader, Stamp};
use crate::reading::Reading;
use onelap_protocol::agent::EndReason;
use onelap_protocol::race::{Game, GameState};
use onelap_protocol::setup::Setup;

/// Time at the menu after which the session has been left.
const LEFT_AFTER_MS: u64 = 2_000;
/// Time without a game after which its session is over.
const CLOSED_AFTER_MS: u64 = 30_000;
/// Time for which another car must be ours before it is another session.
const OTHER_CAR_AFTER_MS: u64 = 1_000;
/// The first game version that this agent was not written for.
const FIRST_UNKNOWN_VERSION: i32 = 15_000;

/// The reader of Le Mans Ultimate.
#[derive(Debug)]
pub struct LmuReader {
    pub(super) said: Option<(Option<Game>, GameState)>,
    state: GameState,
    notice: Option<String>,
    has_mapping: bool,
    movement: Movement,
    known: Known,
    live: Option<Live>,
    away_since_ms: Option<u64>,
    other_car_since_ms: Option<u64>,
    setup: Option<(Setup, Option<Whose>)>,
}

/// What a setup was read for: our car's entry, and the track.
type Whose = (String, String);

impl Default for LmuReader {
    fn default() -> Self {
        Self::new()
    }
}

impl Reader for LmuReader {
    fn read(&mut self, at: Stamp, raw: &Raw, out: &mut Vec<Reading>) {
        match raw {
            Raw::LmuImage(bytes) => self.image(at, bytes, out),
            Raw::LmuGone => self.gone(at, out),
            Raw::Rest { path, status, body } => self.rest(at, path, *status, body, out),
            Raw::Tick => self.settle(at, out),
            Raw::Datagram { .. } => {}
        }
    }
}

impl LmuReader {
    /// A reader that has seen nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            said: None,
            state: GameState::NotRunning,
            notice: None,
            has_mapping: false,
            movement: Movement::default(),
            known: Known::default(),
            live: None,
            away_since_ms: None,
            other_car_since_ms: None,
            setup: None,
        }
    }

    fn image(&mut self, at: Stamp, bytes: &[u8], out: &mut Vec<Reading>) {
        let image = match Image::new(bytes) {
            Ok(image) => image,
            Err(error) => return self.say_notice(Some(error.to_string()), out),
        };
        if !image.scoring().current_et().is_finite() {
            return self.say_notice(Some("LMU's session time is not a number".into()), out);
        }
        self.say_notice(unknown_version(image.game_version()), out);
        self.has_mapping = true;
        self.movement.see(at.mono_ms, &image);
        let player = image.player_vehicle();
        self.state = state::state(at.mono_ms, &image, player.as_ref(), &self.movement, &self.known);
        self.settle(at, out);
        let is_session = !matches!(self.state, GameState::NotRunning | GameState::Menu | GameState::Replay);
        if let Some(player) = player.filter(|_| is_session) {
            self.follow(at, &image, &player, out);
        }
    }

    /// Without a mapping the REST API alone says whether a game is there: at its menu.
    fn gone(&mut self, at: Stamp, out: &mut Vec<Reading>) {
        self.has_mapping = false;
        self.movement.forget();
        let is_at_menu = self.known.is_answering(at.mono_ms);
        self.state = if is_at_menu { GameState::Menu } else { GameState::NotRunning };
        self.settle(at, out);
    }

    fn rest(&mut self, at: Stamp, path: &str, status: u16, body: &[u8], out: &mut Vec<Reading>) {
        if let Some(setup) = self.known.hear(at.mono_ms, path, status, body) {
            let whose = self.live.as_ref().map(whose);
            if let Some(live) = &mut self.live {
                live.see_setup(&setup, out);
            }
            self.setup = Some((setup, whose));
        }
        if self.has_mapping {
            self.settle(at, out);
        } else {
            self.gone(at, out);
        }
    }

    /// Says the state and ends a session that has been away for too long.
    fn settle(&mut self, at: Stamp, out: &mut Vec<Reading>) {
        let (after_ms, reason) = match self.state {
            GameState::Menu => (LEFT_AFTER_MS, EndReason::Left),
            GameState::NotRunning => (CLOSED_AFTER_MS, EndReason::GameClosed),
            _ => {
                self.away_since_ms = None;
                return self.say_state(out);
            }
        };
        let since_ms = *self.away_since_ms.get_or_insert(at.mono_ms);
        if at.mono_ms.saturating_sub(since_ms) >= after_ms
            && let Some(live) = self.live.take()
        {
            live.finish(out);
            out.push(Reading::SessionEnded(reason));
            // What the REST API told belongs to the session that has ended.
            self.known.session = None;
            self.setup = None;
        }
        self.say_state(out);
    }

    fn follow(&mut self, at: Stamp, image: &Image<'_>, player: &Vehicle<'_>, out: &mut Vec<Reading>) {
        let found = self.live.as_ref().map_or(Match::Other, |live| live.compare(image, player));
        if found != Match::OtherCar {
            self.other_car_since_ms = None;
        }
        match found {
            Match::Same => {}
            Match::OtherCar => {
                let since_ms = *self.other_car_since_ms.get_or_insert(at.mono_ms);
                if at.mono_ms.saturating_sub(since_ms) < OTHER_CAR_AFTER_MS {
                    return;
                }
                self.start(at, image, player, out);
            }
            Match::Other if self.movement.was_seen() || self.known.is_open(at.mono_ms) => {
                self.start(at, image, player, out);
            }
            Match::Other => return,
        }
        if let Some(live) = &mut self.live {
            live.look(at, image, player, &self.known, out);
        }
        self.tell_early_setup(out);
    }

    fn start(&mut self, at: Stamp, image: &Image<'_>, player: &Vehicle<'_>, out: &mut Vec<Reading>) {
        if let Some(before) = self.live.take() {
            before.finish(out);
            // What the REST API told belongs to the session before.
            self.known.session = None;
        }
        let live = Live::new(at, image, player, &self.known);
        if self.setup.as_ref().is_some_and(|(_, read_for)| read_for.as_ref().is_some_and(|it| *it != whose(&live))) {
            self.setup = None;
        }
        out.push(Reading::SessionStarted(Box::new(live.info().clone())));
        self.live = Some(live);
    }

    /// A setup that was read before its session began.
    fn tell_early_setup(&mut self, out: &mut Vec<Reading>) {
        if let (Some(live), Some((setup, _))) = (&mut self.live, &self.setup) {
            live.see_setup(setup, out);
        }
    }

    /// While a session waits for its game to come back, the game is still named.
    fn say_state(&mut self, out: &mut Vec<Reading>) {
        let is_gone = self.state == GameState::NotRunning && self.live.is_none();
        let says = ((!is_gone).then_some(Game::Lmu), self.state);
        if self.said != Some(says) {
            self.said = Some(says);
            out.push(Reading::State { game: says.0, state: says.1 });
        }
    }

    fn say_notice(&mut self, notice: Option<String>, out: &mut Vec<Reading>) {
        if self.notice != notice {
            self.notice.clone_from(&notice);
            out.push(Reading::Notice(notice));
        }
    }
}

fn whose(live: &Live) -> Whose {
    (live.entry().to_owned(), live.info().track.clone())
}

fn unknown_version(number: i32) -> Option<String> {
    (number >= FIRST_UNKNOWN_VERSION).then(|| {
        let version = version(number).unwrap_or_default();
        format!(
            "This agent knows Le Mans Ultimate up to 1.4; {version} is read in the same way. Look for a newer agent."
        )
    })
}
