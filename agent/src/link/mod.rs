//! The connection to the service: what to send and when ([`state`], pure), and the socket ([`socket`]).
//!
//! What is recorded goes in order, from the first that is not committed; where much of it waits, what is new is shown
//! beside that ([`cursors`]). What is only live (the field, what the agent is doing) has one place each in the [`Outbox`]:
//! the newest wins, nothing of it is kept while there is no connection. The field becomes a frame when it is sent ([`field`]). How much waits, people are told ([`watch`]).

use crate::link::field::FieldLane;
use crate::link::watch::Watch;
use crate::spool::Spool;
use onelap_protocol::SessionId;
use onelap_protocol::agent::AgentMessage;
use onelap_protocol::race::{Game, GameState, SessionInfo, Standings};
use onelap_protocol::setup::Setup;

pub mod backoff;
pub mod cursors;
pub mod dial;
mod field;
pub mod socket;
pub mod state;
pub mod view;
pub mod watch;
pub mod words;

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

/// The session that runs: what has to be known of it to show it from its middle on.
#[derive(Debug, Clone)]
pub struct About {
    /// Its id.
    pub session: SessionId,
    /// What it is.
    pub info: Box<SessionInfo>,
    /// Serial of its first record in this run of the agent: nothing about a session goes before that.
    pub first_serial: u64,
    /// The setup in the car, where it is known, and since which session time.
    pub setup: Option<(f64, Box<Setup>)>,
}

/// Everything that waits to be sent.
#[derive(Debug)]
pub struct Outbox {
    /// What is recorded.
    pub spool: Spool,
    /// The session that runs.
    pub about: Option<About>,
    /// Sessions of earlier runs of the agent that are over: what is said of them is not shown.
    left_behind: Vec<SessionId>,
    doing: Doing,
    doing_is_new: bool,
    watch: Watch,
    field: FieldLane,
}

impl Outbox {
    /// An outbox in front of this spool.
    #[must_use]
    pub fn new(spool: Spool) -> Self {
        Self {
            field: FieldLane::new(spool.epoch()),
            spool,
            about: None,
            left_behind: Vec::new(),
            doing: Doing::default(),
            doing_is_new: true,
            watch: Watch::default(),
        }
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

    /// The field of the session that runs is another one.
    pub fn set_standings(&mut self, standings: Box<Standings>) {
        self.field.set(self.about.as_ref().map(|about| (about.session, standings)));
    }

    /// A session of an earlier run is over, and nobody looks at it any more.
    pub fn leave_behind(&mut self, session: SessionId) {
        if !self.is_left_behind(session) {
            self.left_behind.push(session);
        }
    }

    /// Whether it is one of those.
    #[must_use]
    pub fn is_left_behind(&self, session: SessionId) -> bool {
        self.left_behind.contains(&session)
    }

    /// Tries the spool's folder again, if it is missing. Returns whether the spool has moved into it now.
    pub fn retry_folder(&mut self, now_ms: u64) -> bool {
        let has_come = self.spool.retry_folder(now_ms);
        if let Some(about) = self.about.as_ref().filter(|_| has_come) {
            self.spool.remember(about.session, Some((*about.info).clone()));
        }
        has_come
    }

    /// What is told of the spool.
    #[must_use]
    pub fn watch(&self) -> &Watch {
        &self.watch
    }

    /// A new connection begins: say again what the agent is doing; the field of before is old.
    fn greet(&mut self) {
        self.doing_is_new = true;
        self.field.greet();
    }

    fn has_status(&self, now_ms: u64) -> bool {
        self.doing_is_new || self.watch.is_news(now_ms)
    }

    /// What the agent is doing, where that is to be said.
    fn take_status(&mut self, now_ms: u64, unix_ms: u64) -> Option<AgentMessage> {
        if !self.has_status(now_ms) {
            return None;
        }
        self.doing_is_new = false;
        let Doing { game, state, session, notice } = self.doing.clone();
        let (spool, clock_ms) = (self.watch.say(now_ms), Some(unix_ms));
        Some(AgentMessage::Status { game, state, session, notice, spool, clock_ms })
    }

    /// Whether there is a new field, and of which session it is.
    fn has_standings(&self, is_introduced: impl FnOnce(&About) -> bool) -> bool {
        let Some(session) = self.field.session() else { return false };
        self.about.as_ref().is_some_and(|about| about.session == session && is_introduced(about))
    }
}
