//! `/api/teams/{team}/rigs` and `/api/agent/whoami`.

use crate::accounts::{Name, NewName};
use crate::app::State;
use crate::auth::{RigScope, TeamScope};
use crate::body::Body;
use crate::error::{ApiError, ErrorBody};
use crate::live::{self, Hub};
use crate::rigs::{new_token, store};
use actix_web::{HttpResponse, delete, get, post, web};
use onelap_protocol::agent::WhoAmI;
use onelap_protocol::viewer::RigState;
use onelap_protocol::{AGENT_SUBPROTOCOL, RigId, TeamId, TokenId};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// A rig, its tokens, and what it is doing.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Rig {
    id: RigId,
    name: String,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    /// Newest first.
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
    let mut tokens = store::tokens(&mut tx).await?;
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
    state: web::Data<State>,
    body: Body<NewName>,
) -> Result<HttpResponse, ApiError> {
    let name = Name::parse("name", &body.0.name)?;
    let (rig, token, team) = (RigId::new(), new_token()?, scope.tenant.team());
    let mut tx = state.db.tenant(scope.tenant).await?;
    let created_at = store::insert(&mut tx, rig, &name).await?;
    let (token_id, token_created_at) = store::insert_token(&mut tx, rig, &token, scope.user).await?;
    tx.commit().await?;
    tracing::info!(user = %scope.user, %team, %rig, token = token.public(), "made a rig");
    let first = Token {
        id: token_id,
        public_id: token.public().to_owned(),
        created_at: token_created_at,
        last_used_at: None,
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
    if !store::delete(&mut tx, path.rig).await? {
        return Err(ApiError::NotFound);
    }
    tx.commit().await?;
    state.auth.remembered.forget_rig(path.rig);
    state.hub.forget_rig(scope.tenant.team(), path.rig);
    tracing::info!(user = %scope.user, team = %scope.tenant.team(), rig = %path.rig, "deleted a rig");
    Ok(HttpResponse::NoContent().finish())
}

/// Another token for a rig.
#[utoipa::path(
    tag = "rig",
    params(("team" = TeamId, Path), ("rig" = RigId, Path)),
    responses(
        (status = 201, description = "Made; the token is shown this once", body = NewToken),
        (status = 404, description = "No such rig", body = ErrorBody),
    )
)]
#[post("/api/teams/{team}/rigs/{rig}/tokens")]
pub(crate) async fn create_token(
    scope: TeamScope,
    state: web::Data<State>,
    path: web::Path<RigPath>,
) -> Result<HttpResponse, ApiError> {
    let token = new_token()?;
    let mut tx = state.db.tenant(scope.tenant).await?;
    let (token_id, _) = store::insert_token(&mut tx, path.rig, &token, scope.user).await?;
    tx.commit().await?;
    tracing::info!(user = %scope.user, team = %scope.tenant.team(), rig = %path.rig, token = token.public(), "made a token");
    Ok(HttpResponse::Created().json(NewToken { token_id, token: token.reveal().to_owned() }))
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
        .service(whoami);
}
