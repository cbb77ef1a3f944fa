//! Control messages between the service and a viewer.
//!
//! `GET /api/live/ws` with the login cookie and the subprotocol [`crate::VIEWER_SUBPROTOCOL`]. A viewer watches teams
//! (their rigs' states) and subscribes to sessions. After `snapshot`, batches come as binary frames exactly as the agent
//! sent them, and so does the field ([`crate::standings`]): a viewer gets the agent's own frame where it has the one before,
//! else one that the service made. Live may skip, and says so with `gap`; of the field the newest counts.
//!
//! A viewer answers WebSocket pings, as RFC 6455 says, in their order among what it reads. By the answers the service knows
//! what was read: whoever is behind gets fewer batches (`pace`), and is closed with 1013 when even one a second is too much.

use crate::agent::{EndReason, SpoolState};
use crate::error::ErrorCode;
use crate::ids::{RigId, SessionId, TeamId};
use crate::race::{Game, GameState, RaceEvent, SessionInfo};
use crate::setup::Setup;
use serde::{Deserialize, Serialize};

/// How far a viewer has seen a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct SeenUpTo {
    /// Run of the agent.
    pub epoch: u64,
    /// Sequence of the last batch.
    pub sequence: u64,
}

/// From a viewer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ViewerMessage {
    /// Tell me what the team's rigs are doing, now and whenever it changes.
    Watch {
        /// The team.
        team: TeamId,
    },
    /// Show me a session.
    Subscribe {
        /// The team that owns it.
        team: TeamId,
        /// The session.
        session: SessionId,
        /// Most batches a second that the viewer wants, and most frames of the field; all of them where absent.
        #[serde(default)]
        max_hz: Option<u32>,
        /// What the viewer has seen last of it, after a break: batches that were kept since come first, a `gap` names what
        /// was not kept, then the snapshot follows.
        #[serde(default)]
        after: Option<SeenUpTo>,
    },
    /// More or fewer of a session that is shown, from the next batch on: as `max_hz` of `subscribe`, without another snapshot.
    Rate {
        /// The session.
        session: SessionId,
        /// Most batches a second, and most frames of the field; all of them where absent.
        #[serde(default)]
        max_hz: Option<u32>,
    },
    /// Show it no more.
    Unsubscribe {
        /// The session.
        session: SessionId,
    },
}

/// What a rig is doing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RigState {
    /// The rig.
    pub rig: RigId,
    /// Its name.
    pub name: String,
    /// Its agent is connected.
    pub connected: bool,
    /// When that became so, milliseconds since the Unix epoch by the service's clock; absent where it never was connected.
    pub since_ms: Option<u64>,
    /// Version of the agent.
    pub agent_version: Option<String>,
    /// The game, where one was found.
    pub game: Option<Game>,
    /// What the game is doing.
    pub state: GameState,
    /// The session that runs, or the last that ran.
    pub session: Option<SessionId>,
    /// When the last sample came, milliseconds since the Unix epoch by the service's clock.
    pub last_sample_ms: Option<u64>,
    /// Something the team should know.
    pub notice: Option<String>,
    /// How far the agent's clock is ahead of the service's, in milliseconds.
    pub clock_skew_ms: Option<i64>,
    /// What the agent keeps until it is recorded, as it last said; absent where it has not said anything yet.
    pub spool: Option<SpoolState>,
    /// When the service last acknowledged something to it, milliseconds since the Unix epoch by the service's clock.
    pub acked_ms: Option<u64>,
}

impl RigState {
    /// A rig whose agent was not seen yet.
    #[must_use]
    pub fn idle(rig: RigId, name: &str) -> Self {
        Self {
            rig,
            name: name.to_owned(),
            connected: false,
            since_ms: None,
            agent_version: None,
            game: None,
            state: GameState::NotRunning,
            session: None,
            last_sample_ms: None,
            notice: None,
            clock_skew_ms: None,
            spool: None,
            acked_ms: None,
        }
    }
}

/// A rig and the session that it is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct RigSession {
    /// The rig.
    pub rig: RigId,
    /// The session.
    pub session: SessionId,
}

/// What was seen to be used a lap, of our car: the mean over the latest counted laps, five at most.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Consumption {
    /// How many laps it rests on; in-laps, out-laps and laps with a refill do not count.
    pub laps: u32,
    /// Litres a lap.
    pub fuel_l: Option<f32>,
    /// Kilograms a lap.
    pub fuel_kg: Option<f32>,
    /// Percent of virtual energy a lap.
    pub virtual_energy_pct: Option<f32>,
}

/// From the service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ViewMessage {
    /// First message.
    Hello {
        /// The service's clock, milliseconds since the Unix epoch.
        server_ms: u64,
        /// Trace id of this connection, for support.
        trace: String,
    },
    /// What the rigs of a watched team are doing: all of them after `watch`, then those that changed.
    Rigs {
        /// The team.
        team: TeamId,
        /// The rigs.
        rigs: Vec<RigState>,
    },
    /// To a viewer for whom everything is held back, at once: the sessions that rigs will be in when it is shown. One who
    /// subscribes now has the snapshot when `rigs` tells of the session; asked for only then, it would come as much later.
    Coming {
        /// The team.
        team: TeamId,
        /// Those that changed.
        sessions: Vec<RigSession>,
    },
    /// Everything about a session up to a place in its stream. The field (a keyframe) and the last batch follow as binary
    /// frames, as far as there are any.
    Snapshot {
        /// Session.
        session: SessionId,
        /// Epoch and sequence up to which this is true; what follows has greater ones.
        epoch: u64,
        /// See `epoch`.
        sequence: u64,
        /// What the session is.
        info: SessionInfo,
        /// The setup in the car.
        setup: Option<Setup>,
        /// The latest events, oldest first, laps of our car among them.
        events: Vec<RaceEvent>,
        /// What is used a lap.
        consumption: Consumption,
        /// It is over.
        ended: Option<EndReason>,
    },
    /// Facts about the session changed.
    Info {
        /// Session.
        session: SessionId,
        /// The facts, whole.
        info: SessionInfo,
    },
    /// Something happened.
    Event {
        /// Session.
        session: SessionId,
        /// What.
        event: RaceEvent,
        /// It happened before what was shown last: it belongs between the earlier ones, by its session time.
        late: bool,
    },
    /// Samples of a stretch that could not be shown are recorded now; the HTTP API has them. A stretch may be said more
    /// than once, each time longer.
    Backfilled {
        /// Session.
        session: SessionId,
        /// Session time of the first sample, in seconds.
        from_s: f64,
        /// Session time of the last sample, in seconds.
        to_s: f64,
    },
    /// What is used a lap is known better.
    Consumption {
        /// Session.
        session: SessionId,
        /// The figures.
        consumption: Consumption,
    },
    /// Another setup is in the car.
    Setup {
        /// Session.
        session: SessionId,
        /// The setup, whole.
        setup: Setup,
    },
    /// Batches were skipped for this viewer: these sequences (inclusive) will not come.
    Gap {
        /// Session.
        session: SessionId,
        /// First that is missing.
        from: u64,
        /// Last that is missing.
        to: u64,
    },
    /// This connection does not carry what was asked for: only so many batches a second and session come until it is better.
    /// The batches between are not told of by `gap`. Absent: everything that was asked for comes again.
    Pace {
        /// Batches a second.
        max_hz: Option<u32>,
    },
    /// The session is over.
    Ended {
        /// Session.
        session: SessionId,
        /// Why.
        reason: EndReason,
    },
    /// What was asked for is not given.
    Refused {
        /// The session or team that was asked for.
        session: Option<SessionId>,
        /// Why, for programs.
        code: ErrorCode,
        /// Why, for people.
        message: String,
    },
    /// The service is about to stop: connect again after this time, give or take, and leave this connection then. Until
    /// then it goes on serving it.
    Goodbye {
        /// Why, for people.
        reason: String,
        /// Milliseconds to wait; absent where reconnecting would not help.
        reconnect_after_ms: Option<u32>,
    },
}
