//! What the game is doing.

use super::image::{Image, Vehicle};
use super::known::Known;
use onelap_protocol::race::GameState;

/// Silence after which a game that says it is paused is.
const PAUSE_MS: u64 = 400;
/// Silence after which any game is taken for standing still.
const STILL_MS: u64 = 2_000;

const CONTROL_REMOTE: i8 = 2;
const CONTROL_REPLAY: i8 = 3;
const PHASE_PAUSED: u8 = 9;

/// Whether the game's clocks run. A mapping can outlive its game, its contents frozen.
#[derive(Debug, Default)]
pub struct Movement {
    last: Option<(u64, u64)>,
    moved_ms: Option<u64>,
}

impl Movement {
    /// Takes an image.
    pub fn see(&mut self, now_ms: u64, image: &Image<'_>) {
        let elapsed = image.player_car().map_or(0, |car| car.elapsed_time().to_bits());
        let clocks = Some((image.scoring().current_et().to_bits(), elapsed));
        if self.last.is_some() && self.last != clocks {
            self.moved_ms = Some(now_ms);
        }
        self.last = clocks;
    }

    /// The mapping is gone; another one begins anew.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// Whether the clocks were ever seen running.
    #[must_use]
    pub fn was_seen(&self) -> bool {
        self.moved_ms.is_some()
    }

    fn is_silent_for(&self, now_ms: u64, ms: u64) -> bool {
        self.moved_ms.is_none_or(|at| now_ms.saturating_sub(at) > ms)
    }
}

/// What an image and the REST API together say.
#[must_use]
pub fn state(
    now_ms: u64,
    image: &Image<'_>,
    player: Option<&Vehicle<'_>>,
    movement: &Movement,
    known: &Known,
) -> GameState {
    let scoring = image.scoring();
    let is_still = movement.is_silent_for(now_ms, STILL_MS);
    if is_still && known.is_refused(now_ms) {
        return GameState::NotRunning;
    }
    if image.vehicle_count() == 0 || scoring.track_name().is_empty() {
        return GameState::Menu;
    }
    let shows_main_menu = image.options_location() == 0 && !scoring.in_realtime() && !known.is_open(now_ms);
    if is_still && (known.is_closed(now_ms) || shows_main_menu) {
        return GameState::Menu;
    }
    let Some(player) = player else {
        return if known.is_replay(now_ms) { GameState::Replay } else { GameState::Spectating };
    };
    let is_paused = is_still || (scoring.game_phase() == PHASE_PAUSED && movement.is_silent_for(now_ms, PAUSE_MS));
    match player.control() {
        CONTROL_REPLAY => GameState::Replay,
        _ if known.is_replay(now_ms) => GameState::Replay,
        CONTROL_REMOTE => GameState::Spectating,
        _ if !scoring.in_realtime() || player.in_garage_stall() => GameState::Garage,
        _ if is_paused => GameState::Paused,
        _ => GameState::OnTrack,
    }
}
