//! What the tests of this crate share: sessions to speak of, and a reader that says what it is told to.

use crate::raw::{Raw, Reader, Stamp};
use crate::reading::Reading;
use onelap_protocol::race::{Game, SessionInfo, SessionKind};
use onelap_protocol::{CarKey, Channel, Sample};

/// A session at a track.
pub(crate) fn session_info(game: Game, track: &str) -> SessionInfo {
    SessionInfo {
        game,
        game_version: None,
        kind: SessionKind::Race,
        kind_number: None,
        track: track.into(),
        track_length_m: Some(5_793.0),
        car: CarKey("7".into()),
        car_name: "Car".into(),
        class: Some("Hyper".into()),
        number: Some("7".into()),
        entrant: None,
        driver: "A. Driver".into(),
        started_at_ms: 1,
        duration_s: None,
        total_laps: None,
        server: None,
    }
}

/// A sample at a time, with a speed.
pub(crate) fn sample(at_ms: u64, speed: f64) -> Reading {
    let mut sample = Sample::new(at_ms);
    sample.set(Channel::Speed, speed);
    Reading::Sample(Box::new(sample))
}

/// Says, for the datagram `[n]`, the n-th line of its script with the samples' times as they are.
pub(crate) struct Scripted(pub(crate) Vec<Vec<Reading>>);

impl Reader for Scripted {
    fn read(&mut self, _at: Stamp, raw: &Raw, out: &mut Vec<Reading>) {
        if let Raw::Datagram { bytes, .. } = raw
            && let Some(line) = bytes.first().and_then(|n| self.0.get(usize::from(*n)))
        {
            out.extend(line.iter().cloned());
        }
    }
}

/// The datagram that makes [`Scripted`] say its n-th line.
pub(crate) fn say(n: u8) -> Raw {
    Raw::Datagram { from: ([127, 0, 0, 1], 9).into(), bytes: vec![n] }
}
