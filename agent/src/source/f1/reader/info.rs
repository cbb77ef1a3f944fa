//! What the session is.

use super::super::packet::{Header, Participants, Session};
use super::sample::is_race;
use super::words::driver;
use onelap_protocol::ids::CarKey;
use onelap_protocol::race::{Game, SessionInfo, SessionKind};

/// The session's facts. Participants come every five seconds; until then the car has its slot for a name.
#[must_use]
pub fn info(
    header: &Header,
    session: &Session,
    participants: Option<&Participants>,
    started_at_ms: u64,
) -> SessionInfo {
    let slot = followed_slot(header, session);
    let own = participants.and_then(|participants| participants.cars.get(usize::from(slot)));
    let team = own.and_then(|own| own.team.name()).map(str::to_owned);
    let (kind, kind_number) = kind(session);
    let is_timed = matches!(kind, SessionKind::Practice | SessionKind::Qualifying);
    SessionInfo {
        game: Game::F1,
        game_version: Some(format!("{}.{}", header.game_major_version, header.game_minor_version)),
        kind,
        kind_number,
        track: session.track.to_string(),
        track_length_m: (session.track_length_m > 0).then_some(session.track_length_m.into()),
        car: CarKey(slot.to_string()),
        car_name: team.clone().unwrap_or_else(|| format!("Car {slot}")),
        class: matches!(session.formula.0, 0..=3).then(|| session.formula.to_string()),
        number: own.map(|own| own.race_number.to_string()),
        entrant: team,
        driver: driver(participants, slot.into()),
        started_at_ms,
        duration_s: (is_timed && session.session_duration_s > 0).then_some(session.session_duration_s.into()),
        total_laps: (is_race(session) && session.total_laps > 0).then_some(session.total_laps.into()),
        server: None,
    }
}

/// The player's slot; a spectator without one follows the car that he watches.
fn followed_slot(header: &Header, session: &Session) -> u8 {
    let is_slot = |slot: &u8| usize::from(*slot) < super::super::packet::CARS;
    let watched = Some(session.spectator_car_index).filter(|_| session.is_spectating);
    Some(header.player_car_index).filter(is_slot).or(watched.filter(is_slot)).unwrap_or(header.player_car_index)
}

/// Kind and number. Of a weekend with several races (a sprint) each has its number.
fn kind(session: &Session) -> (SessionKind, Option<u8>) {
    let code = session.session_type.0;
    match code {
        1..=3 => (SessionKind::Practice, Some(code)),
        4 => (SessionKind::Practice, None),
        5..=7 => (SessionKind::Qualifying, Some(code - 4)),
        10..=12 => (SessionKind::Qualifying, Some(code - 9)),
        8 | 9 | 13 | 14 => (SessionKind::Qualifying, None),
        15 => {
            let races = session.weekend_structure.iter().filter(|kind| matches!(kind.0, 15..=17)).count();
            (SessionKind::Race, (races > 1).then_some(1))
        }
        16 | 17 => (SessionKind::Race, Some(code - 14)),
        18 => (SessionKind::TimeTrial, None),
        _ => (SessionKind::Unknown, None),
    }
}
