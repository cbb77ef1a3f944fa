//! `/api/teams/{team}/sessions`.

use crate::app::State;
use crate::auth::{Action, ReadScope};
use crate::error::{ApiError, ErrorBody};
use crate::laps;
use crate::sessions::{self, Cursor, Facts, SessionDetail, SessionPage, store};
use actix_web::{get, web};
use onelap_protocol::{SessionId, TeamId};
use serde::Deserialize;
use time::OffsetDateTime;

const DEFAULT_LIMIT: i64 = 50;
const MAX_LIMIT: i64 = 200;

#[derive(Deserialize)]
pub(crate) struct ListQuery {
    before: Option<String>,
    limit: Option<String>,
}

impl ListQuery {
    fn limit(&self) -> Result<i64, ApiError> {
        let Some(text) = &self.limit else { return Ok(DEFAULT_LIMIT) };
        let limit = text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
        limit.ok_or_else(|| ApiError::invalid("limit", format!("this is a number from 1 to {MAX_LIMIT}")))
    }
}

#[derive(Deserialize)]
pub(crate) struct SessionPath {
    session: SessionId,
}

/// The team's sessions, newest first.
#[utoipa::path(
    tag = "review",
    params(
        ("team" = TeamId, Path),
        ("before" = Option<String>, Query, description = "The `next` of the page before"),
        ("limit" = Option<u32>, Query, description = "1 to 200, 50 where absent"),
    ),
    responses(
        (status = 200, body = SessionPage),
        (status = 404, description = "No such team", body = ErrorBody),
        (status = 422, description = "A parameter is not allowed", body = ErrorBody),
    )
)]
#[get("/api/teams/{team}/sessions")]
pub(crate) async fn list_sessions(
    scope: ReadScope,
    state: web::Data<State>,
    query: web::Query<ListQuery>,
) -> Result<web::Json<SessionPage>, ApiError> {
    let limit = query.limit()?;
    let before = query.before.as_deref().map(str::parse).transpose()?;
    let mut tx = state.db.tenant(scope.tenant).await?;
    // One more than asked for tells whether there is another page.
    let mut sessions = store::list(&mut tx, before, limit + 1).await?;
    tx.commit().await?;
    let has_more = sessions.len() as i64 > limit;
    sessions.truncate(limit as usize);
    let next = sessions.last().filter(|_| has_more).map(|last| Cursor::of(last).to_string());
    if let Some(share) = scope.reader.share() {
        let now = OffsetDateTime::now_utc();
        sessions.retain(|session| share.shows_recorded(&Facts::of(session), now));
    }
    Ok(web::Json(SessionPage { sessions, next }))
}

/// A session with everything about our car.
#[utoipa::path(
    tag = "review",
    params(("team" = TeamId, Path), ("session" = SessionId, Path)),
    responses((status = 200, body = SessionDetail), (status = 404, description = "No such session", body = ErrorBody))
)]
#[get("/api/teams/{team}/sessions/{session}")]
pub(crate) async fn session_detail(
    scope: ReadScope,
    state: web::Data<State>,
    path: web::Path<SessionPath>,
) -> Result<web::Json<SessionDetail>, ApiError> {
    let mut tx = state.db.tenant(scope.tenant).await?;
    sessions::check_shown(&mut tx, &scope.reader, path.session).await?;
    let (summary, info) = store::find(&mut tx, path.session).await?.ok_or(ApiError::NotFound)?;
    let cars = store::cars(&mut tx, path.session).await?;
    let own = laps::of_car(&mut tx, path.session, &info.car).await?;
    let may_see_setups = scope.reader.may(Action::SeeSetups);
    let setups = if may_see_setups { store::setups(&mut tx, path.session).await? } else { Vec::new() };
    let notes = store::notes(&mut tx, path.session).await?;
    tx.commit().await?;
    Ok(web::Json(SessionDetail { summary, info, cars, own, setups, notes }))
}

/// Adds the routes.
pub fn routes(config: &mut web::ServiceConfig) {
    config.service(list_sessions).service(session_detail);
}
