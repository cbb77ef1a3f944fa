//! `/api/operator/*`.

use crate::app::State;
use crate::audit::Act;
use crate::body::Body;
use crate::error::{ApiError, ErrorBody};
use crate::operators::{Operator, open, store};
use actix_web::{HttpResponse, get, post, web};
use onelap_protocol::TeamId;
use serde::{Deserialize, Serialize};
use serde_json::json;
use time::OffsetDateTime;

const PAGE: i64 = 100;
const MAX_REASON: usize = 500;

/// A team as an operator sees it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct OperatorTeam {
    id: TeamId,
    name: String,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    delete_after: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    disabled_at: Option<OffsetDateTime>,
    disabled_reason: Option<String>,
}

/// One page of teams.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct OperatorTeams {
    /// In the order of their making.
    teams: Vec<OperatorTeam>,
    /// Pass it as `after`; absent on the last page.
    next: Option<TeamId>,
}

/// How much a team has.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct OperatorCounts {
    members: i64,
    rigs: i64,
    sessions: i64,
    laps: i64,
    /// Bytes of stored samples.
    sample_bytes: i64,
}

#[derive(Deserialize)]
pub(crate) struct TeamsQuery {
    after: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct TeamPath {
    team: TeamId,
}

/// Why; the team is told.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reason {
    /// 1 to 500 characters.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

impl Reason {
    fn text(&self) -> Result<&str, ApiError> {
        let text = self.reason.trim();
        let is_right = !text.is_empty() && text.chars().count() <= MAX_REASON && !text.chars().any(char::is_control);
        is_right.then_some(text).ok_or_else(|| {
            ApiError::invalid(
                "reason",
                format!("this has 1 to {MAX_REASON} characters, none of them control characters"),
            )
        })
    }
}

/// The teams of this service.
#[utoipa::path(
    tag = "operator",
    security(("operator_token" = [])),
    params(("after" = Option<TeamId>, Query, description = "The `next` of the page before")),
    responses((status = 200, body = OperatorTeams), (status = 422, description = "That is no id", body = ErrorBody))
)]
#[get("/api/operator/teams")]
pub(crate) async fn operator_teams(
    _operator: Operator,
    state: web::Data<State>,
    query: web::Query<TeamsQuery>,
) -> Result<web::Json<OperatorTeams>, ApiError> {
    let after = query.after.as_deref().map(str::parse).transpose();
    let after = after.map_err(|_| ApiError::invalid("after", "this is not a team's id"))?;
    let mut tx = state.db.all_teams().await?;
    let mut rows = store::list(&mut tx, after, PAGE + 1).await?;
    tx.commit().await?;
    let has_more = rows.len() as i64 > PAGE;
    rows.truncate(PAGE as usize);
    let show = |row: store::TeamRow| OperatorTeam {
        id: TeamId(row.id),
        name: row.name,
        created_at: row.created_at,
        delete_after: row.delete_after,
        disabled_at: row.disabled_at,
        disabled_reason: row.disabled_reason,
    };
    let teams: Vec<OperatorTeam> = rows.into_iter().map(show).collect();
    let next = teams.last().filter(|_| has_more).map(|last| last.id);
    Ok(web::Json(OperatorTeams { teams, next }))
}

/// How much a team has. Its owners see that this was asked.
#[utoipa::path(
    tag = "operator",
    security(("operator_token" = [])),
    params(("team" = TeamId, Path)),
    responses((status = 200, body = OperatorCounts))
)]
#[get("/api/operator/teams/{team}")]
pub(crate) async fn operator_counts(
    operator: Operator,
    state: web::Data<State>,
    path: web::Path<TeamPath>,
) -> Result<web::Json<OperatorCounts>, ApiError> {
    let mut tx = open(&state, &operator, path.team, Act::TeamLookedAt, json!({ "what": "counts" })).await?;
    let store::Counts { members, rigs, sessions, laps, sample_bytes } = store::counts(&mut tx).await?;
    tx.commit().await?;
    Ok(web::Json(OperatorCounts { members, rigs, sessions, laps, sample_bytes }))
}

/// Switch a team off: its members, rigs, keys and links are refused and told why.
#[utoipa::path(
    tag = "operator",
    security(("operator_token" = [])),
    params(("team" = TeamId, Path)),
    request_body = Reason,
    responses(
        (status = 204, description = "Switched off; open sockets end within seconds"),
        (status = 422, description = "The reason is not allowed", body = ErrorBody),
    )
)]
#[post("/api/operator/teams/{team}/disable")]
pub(crate) async fn disable_team(
    operator: Operator,
    state: web::Data<State>,
    path: web::Path<TeamPath>,
    body: Body<Reason>,
) -> Result<HttpResponse, ApiError> {
    let reason = body.0.text()?;
    let mut tx = open(&state, &operator, path.team, Act::TeamDisabled, json!({ "reason": reason })).await?;
    store::disable(&mut tx, reason).await?;
    tx.commit().await?;
    tracing::warn!(team = %path.team, "an operator disabled a team");
    Ok(HttpResponse::NoContent().finish())
}

/// Switch a team on again.
#[utoipa::path(
    tag = "operator",
    security(("operator_token" = [])),
    params(("team" = TeamId, Path)),
    request_body = Reason,
    responses(
        (status = 204, description = "Switched on"),
        (status = 422, description = "The reason is not allowed", body = ErrorBody),
    )
)]
#[post("/api/operator/teams/{team}/enable")]
pub(crate) async fn enable_team(
    operator: Operator,
    state: web::Data<State>,
    path: web::Path<TeamPath>,
    body: Body<Reason>,
) -> Result<HttpResponse, ApiError> {
    let reason = body.0.text()?;
    let mut tx = open(&state, &operator, path.team, Act::TeamEnabled, json!({ "reason": reason })).await?;
    store::enable(&mut tx).await?;
    tx.commit().await?;
    tracing::warn!(team = %path.team, "an operator enabled a team");
    Ok(HttpResponse::NoContent().finish())
}

/// Adds the routes.
pub fn routes(config: &mut web::ServiceConfig) {
    config.service(operator_teams).service(operator_counts).service(disable_team).service(enable_team);
}
