//! Control messages between agent and service.
//!
//! `GET /api/agent/ws` with `Authorization: Bearer <rig token>` and the subprotocol [`crate::AGENT_SUBPROTOCOL`]. The
//! agent says [`AgentMessage::Hello`], the service answers [`ServiceMessage::Welcome`]. What carries a sequence is
//! recorded: it is acknowledged after the commit, in order, and sent again after a loss; a replay changes nothing.
//! Sequences count from 1 within (session, epoch), without holes, over batches and control messages alike.
//!
//! The field goes in frames of its own ([`crate::standings`]), which are not recorded: a keyframe first on every connection
//! and now and then, otherwise what changed.

use crate::batch::{OPCODE_BACKFILL, OPCODE_PREVIEW, OPCODE_SAMPLES};
use crate::error::ErrorCode;
use crate::ids::{RigId, SessionId, TeamId};
use crate::limits::Limits;
use crate::race::{Game, GameState, RaceEvent, SessionInfo};
use crate::setup::Setup;
use serde::{Deserialize, Serialize};

/// Where something stands in the stream of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// Session.
    pub session: SessionId,
    /// Which run of the agent; a later run has a greater one.
    pub epoch: u64,
    /// Sequence, from 1; in an acknowledgement, the last that is committed (0: none).
    pub sequence: u64,
}

/// What an item is sent for. Live comes first and is bounded by nothing but the link; what the service has missed
/// follows beside it at a bounded rate, so that a rig is live at once after an hour offline.
///
/// `Live` and `Backfill` together are the recorded stream, in order and without holes; `Preview` stands outside it. A
/// preview may be of a later epoch than what is being backfilled, and the first one of a session on a connection is its
/// facts ([`Record::Session`]) at the place before the first item that is shown (its sequence may be 0).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// Recorded and shown: the normal case, nothing waits before it.
    #[default]
    Live,
    /// Shown, not recorded: it comes again as `Backfill`.
    Preview,
    /// Recorded, not shown.
    Backfill,
}

impl Lane {
    /// First byte of a batch on this lane.
    #[must_use]
    pub fn opcode(self) -> u8 {
        match self {
            Self::Live => OPCODE_SAMPLES,
            Self::Preview => OPCODE_PREVIEW,
            Self::Backfill => OPCODE_BACKFILL,
        }
    }

    /// The lane that the first byte of a frame names; `None` where the frame is no batch of an agent.
    #[must_use]
    pub fn of(opcode: u8) -> Option<Self> {
        [Self::Live, Self::Preview, Self::Backfill].into_iter().find(|lane| lane.opcode() == opcode)
    }

    /// It counts for the record: its place follows the one before.
    #[must_use]
    pub fn is_recorded(self) -> bool {
        self != Self::Preview
    }

    fn is_live(&self) -> bool {
        *self == Self::Live
    }
}

/// What an agent keeps until the service has committed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SpoolState {
    /// Bytes that wait for an acknowledgement.
    pub bytes: u64,
    /// Batches and records that wait.
    pub items: u64,
    /// Age of the oldest of them in milliseconds; absent where nothing waits.
    pub oldest_ms: Option<u64>,
    /// How long the backlog still takes, in seconds; absent where there is none or nothing is being sent.
    pub catching_up_s: Option<u32>,
    /// Batches and records that were lost for want of room, ever.
    pub lost: u64,
    /// It is on disk; otherwise it does not survive the agent.
    pub on_disk: bool,
}

/// What is recorded besides samples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "item", rename_all = "snake_case")]
pub enum Record {
    /// The session began, or facts about it changed. First item of every (session, epoch).
    Session {
        /// The facts, whole.
        info: SessionInfo,
    },
    /// Something happened.
    Event {
        /// What.
        event: RaceEvent,
    },
    /// The setup in the car is another one.
    Setup {
        /// Session time in seconds.
        at_s: f64,
        /// The setup, whole.
        setup: Setup,
    },
    /// The session is over; nothing follows.
    End {
        /// Why.
        reason: EndReason,
    },
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The game went on to another session or back to its menu.
    Left,
    /// The game ended.
    GameClosed,
    /// The agent was told to stop.
    AgentStopped,
}

/// From the agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum AgentMessage {
    /// First message.
    Hello {
        /// The agent's version.
        agent_version: String,
        /// "windows", "linux".
        platform: String,
        /// Which run of the agent this is.
        epoch: u64,
        /// The agent's clock, milliseconds since the Unix epoch.
        clock_ms: u64,
        /// Sessions of which the agent still holds something that was not acknowledged, or is about to send.
        sessions: Vec<SessionId>,
    },
    /// Something to record.
    Record {
        /// What it is sent for.
        #[serde(default, skip_serializing_if = "Lane::is_live")]
        lane: Lane,
        /// Session, epoch, sequence.
        #[serde(flatten)]
        place: Place,
        /// What.
        #[serde(flatten)]
        record: Record,
    },
    /// What the game and the agent are doing. Not recorded.
    Status {
        /// The game, where one was found.
        game: Option<Game>,
        /// What it is doing.
        state: GameState,
        /// The current session.
        session: Option<SessionId>,
        /// Something the team should know, for example that the game's version is not known to this agent.
        notice: Option<String>,
        /// What waits to be recorded; said again every few seconds while it changes.
        #[serde(default)]
        spool: SpoolState,
        /// The agent's clock, milliseconds since the Unix epoch: a PC's may be set, or be fast, while it is connected.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        clock_ms: Option<u64>,
    },
    /// The agent is closing the connection on purpose.
    Bye {
        /// Why, for people.
        reason: String,
    },
}

/// From the service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServiceMessage {
    /// Answer to `hello`.
    Welcome {
        /// The team that the token belongs to.
        team: TeamId,
        /// Its name.
        team_name: String,
        /// The rig that the token belongs to.
        rig: RigId,
        /// Its name.
        rig_name: String,
        /// What is committed of the sessions that `hello` named: the last (epoch, sequence) of each that is known.
        committed: Vec<Place>,
        /// Limits.
        limits: Limits,
        /// The service's clock, milliseconds since the Unix epoch.
        server_ms: u64,
        /// Trace id of this connection, for support.
        trace: String,
    },
    /// Everything up to this place is committed.
    Ack {
        /// Place.
        #[serde(flatten)]
        place: Place,
    },
    /// The service wants everything after this place again: it could not take it the first time.
    Resend {
        /// The last place that it has.
        #[serde(flatten)]
        place: Place,
    },
    /// The frame of standings that the last one applied to is not here: the next has to be a keyframe.
    Keyframe {
        /// Of which session.
        session: SessionId,
    },
    /// Something that was sent is wrong. The connection lives on unless it is `fatal`.
    Error {
        /// What, for programs.
        code: ErrorCode,
        /// What, for people: names the field or byte.
        message: String,
        /// The service closes the connection after this.
        fatal: bool,
    },
    /// The service is about to stop: connect again after this time, give or take, and leave this connection then. Until
    /// then it goes on serving it.
    Goodbye {
        /// Why, for people.
        reason: String,
        /// Milliseconds to wait.
        reconnect_after_ms: u32,
    },
}

/// Answer of `GET /api/agent/whoami`: whose token this is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WhoAmI {
    /// Team.
    pub team: TeamId,
    /// Its name.
    pub team_name: String,
    /// Rig.
    pub rig: RigId,
    /// Its name.
    pub rig_name: String,
    /// The service's clock, milliseconds since the Unix epoch.
    pub server_ms: u64,
    /// Subprotocols that the service speaks to agents.
    pub protocols: Vec<String>,
}
