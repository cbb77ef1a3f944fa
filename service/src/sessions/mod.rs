//! Sessions as they were recorded: the list, and one with everything about our car.
//!
//! Not here: recording (`recorder`), laps and traces (`laps`).

pub(crate) mod routes;
mod store;

pub use routes::routes;
pub(crate) use store::{own_car, using_setup};

use crate::auth::Reader;
use crate::db::TenantTx;
use crate::error::ApiError;
use crate::laps::CarHistory;
use onelap_protocol::agent::EndReason;
use onelap_protocol::race::{Game, RaceEvent, SessionInfo, SessionKind};
use onelap_protocol::{CarKey, RigId, SessionId};
use serde::Serialize;
use std::fmt;
use std::str::FromStr;
use time::OffsetDateTime;
use uuid::Uuid;

/// A session in a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SessionSummary {
    /// The session.
    pub id: SessionId,
    /// The rig that recorded it; absent once it was deleted.
    pub rig: Option<RigId>,
    /// Its name.
    pub rig_name: Option<String>,
    /// The game.
    pub game: Game,
    /// Kind.
    pub kind: SessionKind,
    /// Which of several of its kind, from 1.
    pub kind_number: Option<u8>,
    /// Track.
    pub track: String,
    /// Our car.
    pub car_name: String,
    /// Its class.
    pub class: Option<String>,
    /// Who drove it last.
    pub driver: String,
    /// When the agent saw it begin.
    #[serde(with = "time::serde::rfc3339")]
    pub started_at: OffsetDateTime,
    /// When something was last recorded.
    #[serde(with = "time::serde::rfc3339")]
    pub last_at: OffsetDateTime,
    /// When it ended; absent while it runs, or where its end was not seen.
    #[serde(with = "time::serde::rfc3339::option")]
    pub ended_at: Option<OffsetDateTime>,
    /// Why it ended.
    pub end_reason: Option<EndReason>,
    /// Laps of our car.
    pub laps: u32,
    /// Our car's best lap in milliseconds, of those that count.
    pub best_ms: Option<u32>,
}

/// One page of the list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SessionPage {
    /// Newest first.
    pub sessions: Vec<SessionSummary>,
    /// Where the next page begins: pass it as `before`; absent on the last page.
    pub next: Option<String>,
}

/// A car of a session.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SessionCar {
    /// The car.
    pub car: CarKey,
    /// Number as painted.
    pub number: Option<String>,
    /// Class.
    pub class: Option<String>,
    /// Who drove it.
    pub drivers: Vec<String>,
    /// Laps that were seen.
    pub laps: u32,
    /// Best lap in milliseconds, of those that count.
    pub best_ms: Option<u32>,
    /// It is ours.
    pub own: bool,
}

/// A setup that was in the car.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SetupUse {
    /// Which: see `/setups/{hash}`.
    pub hash: String,
    /// From when, in seconds of session time.
    pub at_s: f64,
}

/// What happened and is neither a lap nor a pit visit nor a driver change.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Note {
    /// Session time in seconds.
    pub at_s: f64,
    /// What: `{"kind": "phase" | "note", …}`.
    #[schema(value_type = Object)]
    pub event: RaceEvent,
}

/// A session with everything about our car.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SessionDetail {
    /// As in the list.
    pub summary: SessionSummary,
    /// What the session is.
    pub info: SessionInfo,
    /// All cars, ours first, then by number.
    pub cars: Vec<SessionCar>,
    /// Our car's laps, stints, pit visits and driver changes.
    #[serde(flatten)]
    pub own: CarHistory,
    /// The setups that were in our car, in the order of their use.
    pub setups: Vec<SetupUse>,
    /// Everything else, in the order of its happening.
    pub notes: Vec<Note>,
}

/// What decides whether a share link shows a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// The session.
    pub id: SessionId,
    /// The rig that recorded it.
    pub rig: Option<RigId>,
    /// When something was last recorded.
    pub last_at: OffsetDateTime,
}

impl Facts {
    fn of(summary: &SessionSummary) -> Self {
        Self { id: summary.id, rig: summary.rig, last_at: summary.last_at }
    }
}

/// Checks that a reader may see what was recorded of a session.
///
/// # Errors
/// [`ApiError::NotFound`] where there is none, or a share link does not show it.
pub(crate) async fn check_shown(tx: &mut TenantTx, reader: &Reader, session: SessionId) -> Result<(), ApiError> {
    let Some(share) = reader.share() else { return Ok(()) };
    let facts = store::facts(tx, session).await?.ok_or(ApiError::NotFound)?;
    share.shows_recorded(&facts, OffsetDateTime::now_utc()).then_some(()).ok_or(ApiError::NotFound)
}

/// A place in the list of sessions: after this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cursor {
    started_at: OffsetDateTime,
    id: SessionId,
}

impl Cursor {
    fn of(session: &SessionSummary) -> Self {
        Self { started_at: session.started_at, id: session.id }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.started_at.unix_timestamp_nanos() / 1000, self.id.0.simple())
    }
}

impl FromStr for Cursor {
    type Err = ApiError;
    fn from_str(text: &str) -> Result<Self, ApiError> {
        let read = || {
            let (micros, id) = text.split_once('_')?;
            let micros: i64 = micros.parse().ok()?;
            let started_at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000).ok()?;
            Some(Self { started_at, id: SessionId(Uuid::parse_str(id).ok()?) })
        };
        read().ok_or_else(|| ApiError::invalid("before", "this is not what the page before gave as \"next\""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_to_the_microsecond() {
        let started_at = OffsetDateTime::from_unix_timestamp_nanos(1_795_173_271_435_582_000).unwrap();
        let cursor = Cursor { started_at, id: SessionId::new() };
        assert_eq!(cursor.to_string().parse::<Cursor>().unwrap(), cursor);
    }

    #[test]
    fn other_text_is_no_cursor() {
        for text in [
            "",
            "_",
            "1_",
            "x_01a1f8aa47957721b8887e888a28b0ca",
            "9223372036854775807_01a1f8aa47957721b8887e888a28b0ca",
        ] {
            assert_eq!(text.parse::<Cursor>().unwrap_err().field(), Some("before"), "{text}");
        }
    }
}
