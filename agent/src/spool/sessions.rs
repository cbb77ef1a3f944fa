//! Sessions that go on after a restart of the agent: what the spool remembers of them. Without a disk, nothing.

use crate::spool::Spool;
use crate::spool::disk::Disk;
use crate::spool::state::{MAX_SESSIONS, Session};
use onelap_protocol::SessionId;
use onelap_protocol::race::SessionInfo;

impl<D: Disk> Spool<D> {
    /// Remembers what a session is, or that it is over.
    pub fn remember(&mut self, id: SessionId, info: Option<SessionInfo>) {
        let epoch = self.epoch;
        let Some(log) = &mut self.log else { return };
        log.remember(|state| {
            let known = state.sessions.iter_mut().find(|session| session.id == id);
            match (known, info) {
                (Some(session), Some(info)) => (session.info, session.epoch) = (info, epoch),
                (Some(session), None) => session.ended = true,
                (None, None) => {}
                (None, Some(info)) => {
                    state.sessions.push(Session { id, info, epoch, at_s: 0.0, seen_ms: 0, ended: false });
                    let too_many = state.sessions.len().saturating_sub(MAX_SESSIONS);
                    state.sessions.drain(..too_many);
                }
            }
        });
        self.save();
    }

    /// The session was seen with the game's clock at `at_s`; `unix_ms` is the PC's clock.
    pub fn saw(&mut self, id: SessionId, at_s: f64, unix_ms: u64) {
        let Some(log) = self.log.as_mut().filter(|_| at_s.is_finite()) else { return };
        let mut is_first = false;
        log.remember(|state| {
            if let Some(session) = state.sessions.iter_mut().rev().find(|session| session.id == id) {
                is_first = session.seen_ms == 0;
                (session.at_s, session.seen_ms) = (at_s, unix_ms);
            }
        });
        if is_first {
            // A session that is not known to have been seen does not go on.
            self.save_ms = 0;
        }
    }

    /// Whether what the game shows may be a session of an earlier run, as far as it can be told without its clock.
    #[must_use]
    pub fn may_go_on(&self, info: &SessionInfo) -> bool {
        self.earlier().any(|session| session.may_be(info))
    }

    /// The session of an earlier run that the game still shows, with its clock at `at_s`.
    #[must_use]
    pub fn going_on(&self, info: &SessionInfo, at_s: f64, unix_ms: u64) -> Option<&Session> {
        self.earlier().find(|session| session.is_same(info, at_s, unix_ms))
    }

    /// Sessions of earlier runs that are not over and will not go on, because another one has begun or they were last
    /// seen too long ago. `running` is the one that runs or begins.
    #[must_use]
    pub fn left_behind(&self, running: Option<SessionId>, unix_ms: u64) -> Vec<(SessionId, SessionInfo)> {
        let is_left = |session: &&Session| {
            !session.ended && Some(session.id) != running && (running.is_some() || session.is_long_ago(unix_ms))
        };
        let mut left: Vec<_> =
            self.earlier().filter(is_left).map(|session| (session.id, session.info.clone())).collect();
        left.reverse();
        left
    }

    /// Whether a session can go on after a restart of the agent.
    #[must_use]
    pub fn remembers_sessions(&self) -> bool {
        self.log.is_some()
    }

    /// Newest first.
    fn earlier(&self) -> impl Iterator<Item = &Session> {
        let sessions = self.log.iter().flat_map(|log| log.state().sessions.iter().rev());
        sessions.filter(|session| session.epoch < self.epoch)
    }
}
