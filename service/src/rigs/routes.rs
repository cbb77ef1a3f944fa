//! `/api/teams/{team}/rigs` and `/api/agent/whoami`.

use crate::accounts::{Name, NewName};
use crate::app::State;
use crate::audit::{self, Act, By, Subject};
use crate::auth::{Action, Recent, RigScope, TeamScope, Verified};
use crate::body::{Body, OptionalBody};
use crate::error::{ApiError, ErrorBody};
use crate::live::{self, Hub};
use crate::rigs::{self, new_token, store};
use actix_web::{HttpResponse, delete, get, post, web};
use onelap_protocol::agent::WhoAmI;
use onelap_protocol::viewer::RigState;
use onelap_protocol::{AGENT_SUBPROTOCOL, RigId, TeamId, TokenId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use time::{Duration, OffsetDateTime};

const MAX_DAYS: u32 = 3650;
const DEFAULT_OVERLAP_H: u32 = 24;
const MAX_OVERLAP_H: u32 = 30 * 24;

/// A rig, its tokens, and what it is doing.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Rig {
    id: RigId,
    name: String,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    /// Newest first; for those who manage rigs.
    tokens: Vec<Token>,
    state: RigState,
}

/// A token, without its secret.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Token {
    id: TokenId,
    /// The part of the token that may be shown.
    public_id: String,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    /// To the minute.
    #[serde(with = "time::serde::rfc3339::option")]
    last_used_at: Option<OffsetDateTime>,
    /// Address of the last use.
    last_used_from: Option<String>,
    #[serde(with = "time::serde::rfc3339::option")]
    expires_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    revoked_at: Option<OffsetDateTime>,
}

/// A rig that was just made, with its first token.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct NewRig {
    rig: Rig,
    /// The token, shown this once.
    token: String,
}

/// A token that was just made.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct NewToken {
    token_id: TokenId,
    /// The token, shown this once.
    token: String,
}

#[derive(Deserialize)]
pub(crate) struct RigPath {
    rig: RigId,
}

#[derive(Deserialize)]
pub(crate) struct TokenPath {
    rig: RigId,
    token_id: TokenId,
}

fn show_token(row: store::TokenRow) -> Token {
    Token {
        id: row.id,
        public_id: row.public_id,
        created_at: row.created_at,
        last_used_at: row.last_used_at,
        last_used_from: row.last_used_from,
        expires_at: row.expires_at,
        revoked_at: row.revoked_at,
    }
}

/// What a rig is doing; one that was not connected since the service began is doing nothing.
fn state_of(hub: &Hub, team: TeamId, rig: RigId, name: &str) -> RigState {
    let idle = || RigState::idle(rig, name);
    RigState { name: name.to_owned(), ..hub.rig_state(team, rig).unwrap_or_else(idle) }
}

/// The team's rigs and what each is doing.
#[utoipa::path(
    tag = "rig",
    params(("team" = TeamId, Path)),
    responses((status = 200, body = Vec<Rig>), (status = 404, description = "No such team", body = ErrorBody))
)]
#[get("/api/teams/{team}/rigs")]
pub(crate) async fn list_rigs(scope: TeamScope, state: web::Data<State>) -> Result<web::Json<Vec<Rig>>, ApiError> {
    let mut tx = state.db.tenant(scope.tenant).await?;
    let rows = store::list(&mut tx).await?;
    let may_manage = scope.may(Action::ManageRigs);
    let mut tokens = if may_manage { store::tokens(&mut tx).await? } else { Vec::new() };
    tx.commit().await?;
    let team = scope.tenant.team();
    state.hub.refresh_rigs(team).await;
    let rigs = rows
        .into_iter()
        .map(|row| Rig {
            tokens: tokens.extract_if(.., |token| token.rig == row.id).map(show_token).collect(),
            state: state_of(&state.hub, team, row.id, &row.name),
            id: row.id,
            name: row.name,
            created_at: row.created_at,
        })
        .collect();
    Ok(web::Json(rigs))
}

/// A rig with its first token.
#[utoipa::path(
    tag = "rig",
    params(("team" = TeamId, Path)),
    request_body = NewName,
    responses(
        (status = 201, description = "Made; the token is shown this once", body = NewRig),
        (status = 404, description = "No such team", body = ErrorBody),
        (status = 409, description = "The name is taken", body = ErrorBody),
        (status = 422, description = "The name is not allowed", body = ErrorBody),
    )
)]
#[post("/api/teams/{team}/rigs")]
pub(crate) async fn create_rig(
    scope: TeamScope,
    _recent: Recent,
    _verified: Verified,
    state: web::Data<State>,
    body: Body<NewName>,
) -> Result<HttpResponse, ApiError> {
    let name = Name::parse("name", &body.0.name)?;
    let (token, team, by) = (new_token()?, scope.tenant.team(), By::member(&scope));
    let mut tx = state.db.tenant(scope.tenant).await?;
    let (rig, created_at) = rigs::add(&mut tx, &name, &by).await?;
    let (token_id, token_created_at) = store::insert_token(&mut tx, rig, &token, scope.user, None).await?;
    let detail = json!({ "rig": rig, "public_id": token.public() });
    audit::write(&mut tx, &by, Act::TokenMade, Subject::Token(token_id.0), detail).await?;
    tx.commit().await?;
    tracing::info!(user = %scope.user, %team, %rig, token = token.public(), "made a rig");
    let first = Token {
        id: token_id,
        public_id: token.public().to_owned(),
        created_at: token_created_at,
        last_used_at: None,
        last_used_from: None,
        expires_at: None,
        revoked_at: None,
    };
    let state = state_of(&state.hub, team, rig, name.as_str());
    let rig = Rig { id: rig, name: name.as_str().to_owned(), created_at, tokens: vec![first], state };
    Ok(HttpResponse::Created().json(NewRig { rig, token: token.reveal().to_owned() }))
}

/// Delete a rig and its tokens; what it recorded stays.
#[utoipa::path(
    tag = "rig",
    params(("team" = TeamId, Path), ("rig" = RigId, Path)),
    responses((status = 204, description = "Deleted"), (status = 404, description = "No such rig", body = ErrorBody))
)]
#[delete("/api/teams/{team}/rigs/{rig}")]
pub(crate) async fn delete_rig(
    scope: TeamScope,
    state: web::Data<State>,
    path: web::Path<RigPath>,
) -> Result<HttpResponse, ApiError> {
    let mut tx = state.db.tenant(scope.tenant).await?;
    let name = store::delete(&mut tx, path.rig).await?.ok_or(ApiError::NotFound)?;
    let (subject, detail) = (Subject::Rig(path.rig.0), json!({ "name": name }));
    audit::write(&mut tx, &By::member(&scope), Act::RigDeleted, subject, detail).await?;
    tx.commit().await?;
    state.auth.remembered.forget_rig(path.rig);
    state.hub.forget_rig(scope.tenant.team(), path.rig);
    tracing::info!(user = %scope.user, team = %scope.tenant.team(), rig = %path.rig, "deleted a rig");
    Ok(HttpResponse::NoContent().finish())
}

/// How long a token is to be good.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenLife {
    /// 1 to 3650 days; for ever where absent.
    #[schema(minimum = 1, maximum = 3650)]
    expires_in_days: Option<u32>,
}

/// Another token for a rig.
#[utoipa::path(
    tag = "rig",
    params(("team" = TeamId, Path), ("rig" = RigId, Path)),
    request_body(content = Option<TokenLife>, content_type = "application/json"),
    responses(
        (status = 201, description = "Made; the token is shown this once", body = NewToken),
        (status = 404, description = "No such rig", body = ErrorBody),
    )
)]
#[post("/api/teams/{team}/rigs/{rig}/tokens")]
pub(crate) async fn create_token(
    scope: TeamScope,
    _recent: Recent,
    _verified: Verified,
    state: web::Data<State>,
    path: web::Path<RigPath>,
    body: OptionalBody<TokenLife>,
) -> Result<HttpResponse, ApiError> {
    let days = body.0.unwrap_or_default().expires_in_days;
    if days.is_some_and(|days| !(1..=MAX_DAYS).contains(&days)) {
        return Err(ApiError::invalid("expires_in_days", format!("this is a number of days from 1 to {MAX_DAYS}")));
    }
    let expires_at = days.map(|days| OffsetDateTime::now_utc() + Duration::days(i64::from(days)));
    let token = new_token()?;
    let mut tx = state.db.tenant(scope.tenant).await?;
    let (token_id, _) = store::insert_token(&mut tx, path.rig, &token, scope.user, expires_at).await?;
    let detail = json!({ "rig": path.rig, "public_id": token.public(), "expires_in_days": days });
    audit::write(&mut tx, &By::member(&scope), Act::TokenMade, Subject::Token(token_id.0), detail).await?;
    tx.commit().await?;
    tracing::info!(user = %scope.user, team = %scope.tenant.team(), rig = %path.rig, token = token.public(), "made a token");
    Ok(HttpResponse::Created().json(NewToken { token_id, token: token.reveal().to_owned() }))
}

/// How long the old token goes on.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Overlap {
    /// At most 720 hours; a day where absent.
    #[schema(maximum = 720)]
    overlap_h: Option<u32>,
}

/// Another token in place of one, which goes on for a while.
#[utoipa::path(
    tag = "rig",
    params(("team" = TeamId, Path), ("rig" = RigId, Path), ("token_id" = TokenId, Path)),
    request_body(content = Option<Overlap>, content_type = "application/json"),
    responses(
        (status = 201, description = "Made; the token is shown this once", body = NewToken),
        (status = 404, description = "No such token, or it is no longer good", body = ErrorBody),
    )
)]
#[post("/api/teams/{team}/rigs/{rig}/tokens/{token_id}/rotate")]
pub(crate) async fn rotate_token(
    scope: TeamScope,
    _recent: Recent,
    _verified: Verified,
    state: web::Data<State>,
    path: web::Path<TokenPath>,
    body: OptionalBody<Overlap>,
) -> Result<HttpResponse, ApiError> {
    let hours = body.0.unwrap_or_default().overlap_h.unwrap_or(DEFAULT_OVERLAP_H);
    if hours > MAX_OVERLAP_H {
        return Err(ApiError::invalid("overlap_h", format!("this is at most {MAX_OVERLAP_H} hours")));
    }
    let until = OffsetDateTime::now_utc() + Duration::hours(i64::from(hours));
    let mut tx = state.db.tenant(scope.tenant).await?;
    if !store::end_at(&mut tx, path.rig, path.token_id, until).await? {
        return Err(ApiError::NotFound);
    }
    let made = rigs::make_token(&mut tx, path.rig, scope.user).await?;
    let detail =
        json!({ "rig": path.rig, "public_id": made.token.public(), "instead_of": path.token_id, "overlap_h": hours });
    audit::write(&mut tx, &By::member(&scope), Act::TokenRotated, Subject::Token(made.id.0), detail).await?;
    tx.commit().await?;
    tracing::info!(user = %scope.user, team = %scope.tenant.team(), rig = %path.rig, token = made.token.public(), "rotated a token");
    Ok(HttpResponse::Created().json(NewToken { token_id: made.id, token: made.token.reveal().to_owned() }))
}

/// Revoke a token; a connection that was made with it ends.
#[utoipa::path(
    tag = "rig",
    params(("team" = TeamId, Path), ("rig" = RigId, Path), ("token_id" = TokenId, Path)),
    responses((status = 204, description = "Revoked"), (status = 404, description = "No such token", body = ErrorBody))
)]
#[delete("/api/teams/{team}/rigs/{rig}/tokens/{token_id}")]
pub(crate) async fn revoke_token(
    scope: TeamScope,
    state: web::Data<State>,
    path: web::Path<TokenPath>,
) -> Result<HttpResponse, ApiError> {
    let mut tx = state.db.tenant(scope.tenant).await?;
    if !store::revoke(&mut tx, path.rig, path.token_id).await? {
        return Err(ApiError::NotFound);
    }
    let (subject, detail) = (Subject::Token(path.token_id.0), json!({ "rig": path.rig }));
    audit::write(&mut tx, &By::member(&scope), Act::TokenRevoked, subject, detail).await?;
    tx.commit().await?;
    state.auth.remembered.forget(path.token_id);
    state.hub.cut_token(path.token_id);
    tracing::info!(user = %scope.user, team = %scope.tenant.team(), rig = %path.rig, token_id = %path.token_id, "revoked a token");
    Ok(HttpResponse::NoContent().finish())
}

/// Whose token an agent has.
#[utoipa::path(
    tag = "agent",
    security(("rig_token" = [])),
    responses(
        (status = 200, body = WhoAmI),
        (status = 401, description = "The token is missing, misspelt, not known or revoked", body = ErrorBody),
    )
)]
#[get("/api/agent/whoami")]
pub(crate) async fn whoami(scope: RigScope) -> web::Json<WhoAmI> {
    web::Json(WhoAmI {
        team: scope.tenant.team(),
        team_name: scope.team_name,
        rig: scope.rig,
        rig_name: scope.rig_name,
        server_ms: live::now_ms(),
        protocols: vec![AGENT_SUBPROTOCOL.to_owned()],
    })
}

/// Adds the routes.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(list_rigs)
        .service(create_rig)
        .service(delete_rig)
        .service(create_token)
        .service(revoke_token)
        .service(rotate_token)
        .service(whoami);
}
