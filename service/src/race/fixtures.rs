//! What several modules' tests need of a race.

use onelap_protocol::CarKey;
use onelap_protocol::race::{Game, SessionInfo, SessionKind};

/// The facts of a race at Monza, of which only the least is known; our car is `car`.
pub(crate) fn session(car: &str) -> SessionInfo {
    SessionInfo {
        game: Game::Lmu,
        game_version: None,
        kind: SessionKind::Race,
        kind_number: None,
        track: "Monza".into(),
        track_length_m: None,
        car: CarKey(car.into()),
        car_name: "Porsche 963".into(),
        class: None,
        number: None,
        entrant: None,
        driver: "A".into(),
        started_at_ms: 0,
        duration_s: None,
        total_laps: None,
        server: None,
    }
}
