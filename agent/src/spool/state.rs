//! What the spool remembers besides the items: the file `state.json`.
//!
//! It is small, replaced whole, and nobody's only copy of an item. Losing it costs: what was acknowledged of segments
//! that are still there is sent again (which changes nothing), a session does not go on after a restart of the agent,
//! and what was lost before is no longer told from what was acknowledged.

use crate::spool::index::{Kept, Reason, Run};
use crate::spool::segment::LIMIT;
use onelap_protocol::SessionId;
use onelap_protocol::agent::Place;
use onelap_protocol::race::SessionInfo;
use serde::{Deserialize, Serialize};

/// Name of the file.
pub const FILE: &str = "state.json";
/// Sessions that are remembered: the newest.
pub const MAX_SESSIONS: usize = 64;
/// How long after it was last seen a session may go on under a new epoch.
const GOES_ON_MS: u64 = 30 * 60 * 1_000;

/// The game's clock may seem to go back by as much, because it is told in several places, s.
const BACK_S: f64 = 3.0;
/// Planned lengths that differ by less are the same, s.
const SAME_LENGTH_S: f64 = 120.0;

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// The latest run of the agent.
    pub epoch: u64,
    /// The last acknowledged place of each session and epoch of which a segment is left or something may still come.
    pub acks: Vec<Place>,
    /// What is lost and not yet acknowledged as lost, oldest first.
    pub lost: Vec<LostRun>,
    /// What was ever lost.
    pub losses: Losses,
    /// The newest sessions, oldest first.
    pub sessions: Vec<Session>,
}

/// How many items were ever lost in this folder, and why.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Losses {
    /// Because more waited than may be kept.
    pub cap: u64,
    /// Because a file was damaged, or has gone.
    pub damaged: u64,
    /// The last record of a segment, cut off because its writing was interrupted. It had not been sent.
    pub torn: u64,
}

impl Losses {
    /// All of them.
    #[must_use]
    pub fn items(&self) -> u64 {
        self.cap.saturating_add(self.damaged).saturating_add(self.torn)
    }
}

/// Lost items that follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostRun {
    /// Serial of the first.
    pub first_serial: u64,
    /// How many.
    pub count: u64,
    /// Place of the first.
    #[serde(flatten)]
    pub first: Place,
    /// Why.
    pub reason: Reason,
    /// Time of the first, Unix milliseconds.
    pub from_ms: u64,
    /// Time of the last.
    pub to_ms: u64,
}

impl LostRun {
    /// As the index takes it; `None` where it makes no sense.
    #[must_use]
    pub fn run(&self) -> Option<Run> {
        let Self { first_serial, count, first, reason, from_ms, to_ms } = *self;
        let makes_sense = [count, first.sequence].iter().all(|number| (1..LIMIT).contains(number))
            && first_serial < LIMIT
            && first_serial + count < LIMIT
            && first.sequence + count < LIMIT;
        makes_sense.then_some(Run { first_serial, count, first, kept: Kept::Lost(reason), bytes: 0, from_ms, to_ms })
    }

    /// Of a run that is lost.
    #[must_use]
    pub fn of(run: &Run) -> Option<Self> {
        let Run { first_serial, count, first, kept, from_ms, to_ms, .. } = *run;
        match kept {
            Kept::Lost(reason) => Some(Self { first_serial, count, first, reason, from_ms, to_ms }),
            Kept::In(_) => None,
        }
    }
}

/// A session of this rig.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// What it is.
    pub info: SessionInfo,
    /// The latest run of the agent that recorded it.
    pub epoch: u64,
    /// Session time when it was last seen, in seconds.
    pub at_s: f64,
    /// When that was, Unix milliseconds by the PC's clock.
    pub seen_ms: u64,
    /// Nothing follows.
    pub ended: bool,
}

impl Session {
    /// Whether a session that the game shows now, with the game's clock at `at_s`, is this one.
    #[must_use]
    pub fn is_same(&self, info: &SessionInfo, at_s: f64, now_ms: u64) -> bool {
        // A clock that was set back makes it look as if it had been seen in the future.
        self.may_be(info) && at_s >= self.at_s - BACK_S && !self.is_long_ago(now_ms)
    }

    /// Whether it was last seen so long ago that it does not go on any more.
    #[must_use]
    pub fn is_long_ago(&self, now_ms: u64) -> bool {
        self.seen_ms.abs_diff(now_ms) > GOES_ON_MS
    }

    /// As far as it can be told without the game's clock. A game tells some facts late, and others not to the second.
    #[must_use]
    pub fn may_be(&self, now: &SessionInfo) -> bool {
        let SessionInfo { game, track, kind, kind_number, car, car_name, duration_s, total_laps, server, .. } =
            &self.info;
        let is_as_long = |(a, b): (f64, f64)| (a - b).abs() <= SAME_LENGTH_S;
        !self.ended
            && (game, track, kind, kind_number) == (&now.game, &now.track, &now.kind, &now.kind_number)
            && (car, server) == (&now.car, &now.server)
            && (car_name == &now.car_name || car_name.is_empty() || now.car_name.is_empty())
            && duration_s.zip(now.duration_s).is_none_or(is_as_long)
            && total_laps.zip(now.total_laps).is_none_or(|(a, b)| a == b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::session_info;
    use onelap_protocol::race::Game;

    const MINUTE: u64 = 60_000;

    #[test]
    fn a_session_goes_on_only_as_the_same_one() {
        let info = session_info(Game::Lmu, "Monza");
        let seen_ms = 1_800_000_000_000;
        let session =
            Session { id: SessionId::new(), info: info.clone(), epoch: 1, at_s: 600.0, seen_ms, ended: false };
        assert!(session.is_same(&info, 600.0, seen_ms));
        assert!(session.is_same(&info, 2_400.0, seen_ms + 30 * MINUTE));
        assert!(session.is_same(&info, 700.0, seen_ms - 20 * MINUTE), "the clock was set back");
        assert!(session.is_same(&info, 598.0, seen_ms), "the field is told a little later than the car");
        assert!(!session.is_same(&info, 590.0, seen_ms), "it was restarted");
        assert!(!session.is_same(&info, 2_400.0, seen_ms + 31 * MINUTE));
        assert!(!session.is_same(&session_info(Game::Lmu, "Spa"), 700.0, seen_ms));
        assert!(!session.is_same(&SessionInfo { kind_number: Some(2), ..info.clone() }, 700.0, seen_ms));
        assert!(!session.is_same(&SessionInfo { car_name: "Other".into(), ..info.clone() }, 700.0, seen_ms));
        let long = |duration_s, total_laps| Session {
            info: SessionInfo { duration_s, total_laps, ..info.clone() },
            ..session.clone()
        };
        let is_same = |a: &Session, b: &Session| a.is_same(&b.info, 700.0, seen_ms);
        assert!(is_same(&long(Some(3_600.0), None), &long(Some(3_540.0), None)), "a length that was counted");
        assert!(is_same(&long(Some(3_600.0), None), &session), "a length that is not known yet");
        assert!(!is_same(&long(Some(3_600.0), None), &long(Some(1_200.0), None)));
        assert!(!is_same(&long(None, Some(20)), &long(None, Some(10))));
        assert!(!Session { ended: true, ..session.clone() }.is_same(&info, 700.0, seen_ms));
        let another_driver = SessionInfo { driver: "B. Driver".into(), started_at_ms: 77, ..info };
        assert!(session.is_same(&another_driver, 700.0, seen_ms));
    }

    #[test]
    fn the_file_is_read_back_and_may_lack_anything() {
        let first = Place { session: SessionId::new(), epoch: 3, sequence: 9 };
        let lost = LostRun { first_serial: 4, count: 2, first, reason: Reason::Cap, from_ms: 1, to_ms: 2 };
        let info = session_info(Game::F1, "Monza");
        let session = Session { id: first.session, info, epoch: 3, at_s: 1.5, seen_ms: 7, ended: true };
        let losses = Losses { cap: 2, damaged: 0, torn: 1 };
        let state = State { epoch: 3, acks: vec![first], lost: vec![lost], losses, sessions: vec![session] };
        let text = serde_json::to_string(&state).unwrap();
        assert_eq!(serde_json::from_str::<State>(&text).unwrap(), state);
        assert_eq!(serde_json::from_str::<State>("{}").unwrap(), State::default());
        assert_eq!(lost.run().and_then(|run| LostRun::of(&run)), Some(lost));
        assert_eq!(LostRun { count: u64::MAX, ..lost }.run(), None);
    }
}
