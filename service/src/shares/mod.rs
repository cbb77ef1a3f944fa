//! Share links: a session, a rig or a team's whole live view, for somebody without an account.
//!
//! The secret is in the link's fragment, which browsers send nowhere; the page posts it once and gets a cookie that opens
//! this share and nothing else.
//!
//! Invariants: secrets are kept as hashes; every request and, within seconds, every socket looks at the share again, so
//! that revoking it ends everything at once; setups are shown only where the share says so; nothing is shown sooner than
//! its delay, live or recorded; what was recorded before a share of a rig or team was made is not shown by it.
//!
//! Not here: holding a live stream back (`live`).

pub(crate) mod routes;
mod store;

pub use routes::routes;
pub(crate) use store::revoke_of;

use crate::app::State;
use crate::auth::{Action, LinkKind, LinkSecret};
use crate::db::{Db, Tenant};
use crate::error::ApiError;
use crate::sessions::Facts;
use actix_web::HttpRequest;
use onelap_protocol::{RigId, SessionId, ShareId, TeamId};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// Share links that can be open at the same time, of a team.
const MAX_OPEN: i64 = 200;
/// Browsers that are remembered to have opened a share.
const MAX_VISITS: i64 = 5000;
/// Longest delay.
const MAX_DELAY_S: u32 = 600;
/// Path of the page that opens one.
const PAGE: &str = "/shared";

/// What somebody is told whose link is nobody's.
const UNKNOWN: ApiError =
    ApiError::Ended("there is no such share link: it is misspelt, or what it showed was deleted; ask for another one");
/// What somebody is told whose link was good once.
const REVOKED: ApiError = ApiError::Ended("the team has revoked this share link: ask for another one");
const EXPIRED: ApiError = ApiError::Ended("this share link has expired: ask for another one");

/// What somebody is told whose cookie opens nothing (any more).
pub(crate) const NOT_OPEN: ApiError =
    ApiError::Unauthenticated("this share link has ended, or was not opened: ask for it");

/// What a share is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// One session.
    Session(SessionId),
    /// What a rig is doing from now on.
    Rig(RigId),
    /// What the whole team is doing from now on.
    Team,
}

/// The same, as the API writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShareKind {
    /// One session.
    Session,
    /// What a rig is doing from now on.
    Rig,
    /// What the whole team is doing from now on.
    Team,
}

impl ShareKind {
    fn word(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Rig => "rig",
            Self::Team => "team",
        }
    }
}

/// A share that is open, as one browser holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// Whose.
    pub team: TeamId,
    /// Which.
    pub id: ShareId,
    /// Of what.
    pub shown: Shown,
    /// What the page calls it.
    pub name: String,
    /// What the team is called.
    pub team_name: String,
    /// Recorded laps and traces, too.
    pub shows_history: bool,
    /// Setups, too.
    pub shows_setup: bool,
    /// How far everything is held back.
    pub delay_s: u32,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// Until when it is open.
    pub expires_at: OffsetDateTime,
    /// Which browser.
    visit: Uuid,
}

impl Share {
    /// Whether it covers an action at all.
    #[must_use]
    pub fn allows(&self, action: Action) -> bool {
        match action {
            Action::SeeLive => true,
            Action::SeeHistory => self.shows_history,
            Action::SeeSetups => self.shows_setup,
            _ => false,
        }
    }

    /// Whether what was recorded of a session is shown: nothing in it is younger than the delay.
    #[must_use]
    pub fn shows_recorded(&self, session: &Facts, now: OffsetDateTime) -> bool {
        let is_covered = match self.shown {
            Shown::Session(shown) => shown == session.id,
            Shown::Rig(shown) => session.rig == Some(shown) && session.last_at >= self.created_at,
            Shown::Team => session.last_at >= self.created_at,
        };
        let is_old_enough = session.last_at + Duration::seconds(i64::from(self.delay_s)) <= now || self.delay_s == 0;
        self.shows_history && is_covered && is_old_enough
    }

    fn kind(&self) -> (ShareKind, Option<SessionId>, Option<RigId>) {
        match self.shown {
            Shown::Session(session) => (ShareKind::Session, Some(session), None),
            Shown::Rig(rig) => (ShareKind::Rig, None, Some(rig)),
            Shown::Team => (ShareKind::Team, None, None),
        }
    }
}

/// The share that a request's cookie opens, if it opens one.
///
/// # Errors
/// Where the database fails.
pub(crate) async fn of_request(state: &State, request: &HttpRequest) -> Result<Option<Share>, ApiError> {
    let cookie = request.cookie(routes::cookie_name(state.config.http.is_https()));
    let Some(secret) = cookie.and_then(|cookie| LinkSecret::parse(LinkKind::Visit, cookie.value())) else {
        return Ok(None);
    };
    let mut tx = state.db.presented_secret(&secret.hash()).await?;
    let visit = store::visit(&mut tx, &secret.hash()).await?;
    tx.commit().await?;
    let Some(visit) = visit else { return Ok(None) };
    let mut tx = state.db.tenant(Tenant::verified(visit.team)).await?;
    let share = store::open_share(&mut tx, visit.share, visit.id).await?;
    tx.commit().await?;
    Ok(share)
}

/// The same share as it is now.
///
/// # Errors
/// [`NOT_OPEN`] where it has ended.
pub(crate) async fn again(db: &Db, share: &Share) -> Result<Share, ApiError> {
    // That it was open is what its holder has shown.
    let mut tx = db.tenant(Tenant::verified(share.team)).await?;
    let share = store::open_share(&mut tx, share.id, share.visit).await?;
    tx.commit().await?;
    share.ok_or(NOT_OPEN)
}

/// Notes that a browser's socket is open, or no more.
///
/// # Errors
/// Where the database fails.
pub(crate) async fn note_watching(db: &Db, share: &Share, is_open: bool) -> Result<(), sqlx::Error> {
    let mut tx = db.tenant(Tenant::verified(share.team)).await?;
    store::watched(&mut tx, share, is_open).await?;
    tx.commit().await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(shown: Shown, delay_s: u32, at: OffsetDateTime) -> Share {
        Share {
            team: TeamId::new(),
            id: ShareId::new(),
            shown,
            name: "us".into(),
            team_name: "ours".into(),
            shows_history: true,
            shows_setup: false,
            delay_s,
            created_at: at,
            expires_at: at + Duration::days(1),
            visit: Uuid::nil(),
        }
    }

    #[test]
    fn a_share_shows_what_it_is_of_and_nothing_older() {
        let at = OffsetDateTime::UNIX_EPOCH;
        let (rig, id) = (RigId::new(), SessionId::new());
        let facts = |id, rig, minutes| Facts { id, rig: Some(rig), last_at: at + Duration::minutes(minutes) };
        let now = at + Duration::hours(1);
        let of_session = share(Shown::Session(id), 0, at);
        assert!(of_session.shows_recorded(&facts(id, rig, -60), now), "a session that was over already");
        assert!(!of_session.shows_recorded(&facts(SessionId::new(), rig, 1), now));
        let of_rig = share(Shown::Rig(rig), 0, at);
        assert!(of_rig.shows_recorded(&facts(id, rig, 1), now));
        assert!(!of_rig.shows_recorded(&facts(id, rig, -1), now), "recorded before the share was made");
        assert!(!of_rig.shows_recorded(&facts(id, RigId::new(), 1), now));
        let live_only = Share { shows_history: false, ..of_session };
        assert!(!live_only.shows_recorded(&facts(id, rig, 1), now));
    }

    #[test]
    fn what_is_recorded_is_held_back_as_long_as_what_is_live() {
        let at = OffsetDateTime::UNIX_EPOCH;
        let delayed = share(Shown::Team, 300, at);
        let facts = Facts { id: SessionId::new(), rig: None, last_at: at + Duration::seconds(10) };
        assert!(!delayed.shows_recorded(&facts, at + Duration::seconds(309)));
        assert!(delayed.shows_recorded(&facts, at + Duration::seconds(310)));
    }
}
