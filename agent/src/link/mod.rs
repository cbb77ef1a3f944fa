//! The connection to the service: what to send and when ([`state`], pure), and the socket ([`socket`]).
//!
//! What is recorded goes in order, from the first that is not committed. What is only live (the field, what the agent is
//! doing) has one place each in the [`Outbox`]: the newest wins, nothing of it is kept while there is no connection.

use crate::spool::Spool;
use onelap_protocol::SessionId;
use onelap_protocol::agent::{AgentMessage, SpoolState};
use onelap_protocol::race::{Game, GameState, Standings};

pub mod backoff;
pub mod socket;

pub mod state;

/// What the agent is doing, as the service is told.
#[derive(Debug, Clone, PartialEq)]
pub struct Doing {
    /// The game, where one was found.
    pub game: Option<Game>,
    /// What it is doing.
    pub state: GameState,
    /// The current session.
    pub session: Option<SessionId>,
    /// Something the team should know.
    pub notice: Option<String>,
}

impl Default for Doing {
    fn default() -> Self {
        Self { game: None, state: GameState::NotRunning, session: None, notice: None }
    }
}

/// Everything that waits to be sent.
#[derive(Debug)]
pub struct Outbox {
    /// What is recorded.
    pub spool: Spool,
    doing: Doing,
    doing_is_new: bool,
    /// The field, and the serial of its session's first record: nothing about a session goes before that.
    standings: Option<(SessionId, Box<Standings>, u64)>,
}

impl Outbox {
    /// An outbox in front of this spool.
    #[must_use]
    pub fn new(spool: Spool) -> Self {
        Self { spool, doing: Doing::default(), doing_is_new: true, standings: None }
    }

    /// What the agent is doing.
    #[must_use]
    pub fn doing(&self) -> &Doing {
        &self.doing
    }

    /// The agent is doing something else.
    pub fn set_doing(&mut self, doing: Doing) {
        if doing != self.doing {
            self.doing = doing;
            self.doing_is_new = true;
        }
    }

    /// The field is another one; `after` is the serial of the session's first record.
    pub fn set_standings(&mut self, session: SessionId, standings: Box<Standings>, after: u64) {
        self.standings = Some((session, standings, after));
    }

    /// A new connection begins: say again what the agent is doing; the field of before is old.
    fn greet(&mut self) {
        self.doing_is_new = true;
        self.standings = None;
    }

    /// The next live message, where one waits and everything before this serial was sent.
    fn take_live(&mut self, sent_before: u64) -> Option<AgentMessage> {
        if self.doing_is_new {
            self.doing_is_new = false;
            let Doing { game, state, session, notice } = self.doing.clone();
            return Some(AgentMessage::Status { game, state, session, notice, spool: SpoolState::default() });
        }
        let (session, standings, _) = self.standings.take_if(|(_, _, after)| *after < sent_before)?;
        Some(AgentMessage::Standings { session, standings: *standings })
    }

    /// Whether [`Outbox::take_live`] would give something.
    fn has_live(&self, sent_before: u64) -> bool {
        self.doing_is_new || self.standings.as_ref().is_some_and(|(_, _, after)| *after < sent_before)
    }
}
