//! What a session is, and when it is another one.

use super::bodies::SessionInfoBody;
use super::entry;
use super::field::name;
use super::image::{Image, Vehicle};
use super::standings::car_name;
use onelap_protocol::race::{Game, SessionInfo, SessionKind};

/// Session time that goes back by more than this is another session, s; less is the clock of a server.
const BACK_S: f64 = 3.0;
/// A planned length that changes by less is the same, s.
const SAME_LENGTH_S: f64 = 30.0;

/// What tells one session from another.
#[derive(Debug, Clone, PartialEq)]
pub struct Identity {
    session: i32,
    track: String,
    slot: i32,
    entry: String,
}

/// How an image stands to a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    /// The same.
    Same,
    /// The same session with another car of ours.
    OtherCar,
    /// Another session, or the same from its beginning.
    Other,
}

impl Identity {
    /// Of what an image shows.
    #[must_use]
    pub fn of(image: &Image<'_>, player: &Vehicle<'_>) -> Self {
        Self {
            session: image.scoring().session(),
            track: image.scoring().track_name().into_owned(),
            slot: player.id(),
            entry: player.vehicle_name().into_owned(),
        }
    }

    /// Our car's entry.
    #[must_use]
    pub fn entry(&self) -> &str {
        &self.entry
    }

    /// Compares without allocating. `last_et` is the session time seen last.
    #[must_use]
    pub fn compare(&self, image: &Image<'_>, player: &Vehicle<'_>, last_et: f64) -> Match {
        let scoring = image.scoring();
        let went_back = scoring.current_et() < last_et - BACK_S;
        if scoring.session() != self.session || scoring.track_name() != self.track || went_back {
            Match::Other
        } else if player.id() != self.slot || player.vehicle_name() != self.entry {
            Match::OtherCar
        } else {
            Match::Same
        }
    }
}

/// The facts about a session. `before` keeps what should not flicker.
#[must_use]
pub fn info(
    image: &Image<'_>,
    player: &Vehicle<'_>,
    rest: Option<&SessionInfoBody>,
    at_ms: u64,
    before: Option<&SessionInfo>,
) -> SessionInfo {
    let scoring = image.scoring();
    let (kind, kind_number) = kind(scoring.session());
    let entry = player.vehicle_name();
    let total_laps = u32::try_from(scoring.max_laps()).ok().filter(|laps| (1..100_000).contains(laps));
    let planned = duration_s(image, kind, rest);
    let is_online = scoring.game_mode() != 0;
    SessionInfo {
        game: Game::Lmu,
        game_version: version(image.game_version()),
        kind,
        kind_number,
        track: scoring.track_name().into_owned(),
        track_length_m: Some(scoring.lap_dist()).filter(|m| *m > 0.0 && m.is_finite()),
        car: entry::car_key(player.id(), &entry),
        car_name: car_name(image, 0, player).unwrap_or_default(),
        class: name(&player.vehicle_class()),
        number: entry::number(&entry),
        entrant: entry::team(&entry),
        driver: driver(image, player),
        started_at_ms: before.map_or(at_ms, |before| before.started_at_ms),
        duration_s: steady(planned, before.and_then(|before| before.duration_s)),
        total_laps,
        server: name(&scoring.server_name()).filter(|server| is_online && server != "-none-"),
    }
}

fn driver(image: &Image<'_>, player: &Vehicle<'_>) -> String {
    let driver = player.driver_name();
    if driver.is_empty() { image.scoring().player_name().into_owned() } else { driver.into_owned() }
}

/// Kind and which of several.
fn kind(session: i32) -> (SessionKind, Option<u8>) {
    let nth = |first: i32| u8::try_from(session - first + 1).ok();
    match session {
        0 => (SessionKind::TestDay, None),
        1..=4 => (SessionKind::Practice, nth(1)),
        5..=8 => (SessionKind::Qualifying, nth(5)),
        9 => (SessionKind::Warmup, None),
        10..=13 => (SessionKind::Race, nth(10)),
        _ => (SessionKind::Unknown, None),
    }
}

/// 14200 is "1.4.2".
#[must_use]
pub fn version(number: i32) -> Option<String> {
    let (major, minor, patch) = (number / 10_000, number / 1_000 % 10, number / 100 % 10);
    match (number > 0, patch) {
        (false, _) => None,
        (true, 0) => Some(format!("{major}.{minor}")),
        (true, _) => Some(format!("{major}.{minor}.{patch}")),
    }
}

/// Planned length. The REST API names it; shared memory's end can be that of another session of the event, so that time
/// gone and time left (1.3) come before it.
fn duration_s(image: &Image<'_>, kind: SessionKind, rest: Option<&SessionInfoBody>) -> Option<f64> {
    let told = rest.filter(|rest| is_kind(rest.session.as_deref(), kind)).and_then(|rest| rest.max_time_s);
    let scoring = image.scoring();
    let left = f64::from(scoring.session_time_remaining());
    let counted = (image.has_1_3() && left > 0.0 && left < 1e6).then(|| to_minute(scoring.current_et() + left));
    let end = Some(scoring.end_et()).filter(|end| *end > 0.0 && *end < 1e6);
    told.or(counted).or(end)
}

fn is_kind(session: Option<&str>, kind: SessionKind) -> bool {
    let prefix = match kind {
        SessionKind::TestDay => "TEST",
        SessionKind::Practice => "PRACTICE",
        SessionKind::Qualifying => "QUALIFY",
        SessionKind::Warmup => "WARMUP",
        SessionKind::Race => "RACE",
        SessionKind::TimeTrial | SessionKind::Unknown => return false,
    };
    session.is_some_and(|session| session.starts_with(prefix))
}

/// Sessions last whole minutes; a few seconds more are the time before the start.
fn to_minute(seconds: f64) -> f64 {
    let minutes = (seconds / 60.0).round() * 60.0;
    if minutes > 0.0 && (seconds - minutes).abs() <= 10.0 { minutes } else { seconds.round() }
}

fn steady(now: Option<f64>, before: Option<f64>) -> Option<f64> {
    match (now, before) {
        (Some(now), Some(before)) if (now - before).abs() < SAME_LENGTH_S => Some(before),
        (None, before) => before,
        (now, _) => now,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_read_as_the_game_writes_them() {
        assert_eq!(version(14_200).as_deref(), Some("1.4.2"));
        assert_eq!(version(13_000).as_deref(), Some("1.3"));
        assert_eq!([version(0), version(-5)], [None, None]);
    }

    #[test]
    fn lengths_are_whole_minutes_and_do_not_flicker() {
        assert_eq!(to_minute(1205.85), 1200.0);
        assert_eq!(to_minute(90.0), 90.0);
        assert_eq!(steady(Some(1210.0), Some(1200.0)), Some(1200.0));
        assert_eq!(steady(Some(3600.0), Some(1200.0)), Some(3600.0));
        assert_eq!(steady(None, Some(1200.0)), Some(1200.0));
    }
}
