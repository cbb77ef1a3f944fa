//! `/api/pair/*` for agents and `/api/teams/{team}/pairings/*` for who decides.

use crate::accounts::Name;
use crate::app::State;
use crate::audit::{self, Act, ActorKind, By, Subject};
use crate::auth::{Action, LinkKind, LinkSecret, Membership, Recent, TeamScope, Verified, client_key, membership};
use crate::body::Body;
use crate::db::TenantTx;
use crate::error::{ApiError, ErrorBody};
use crate::pairing::{Answer, INTERVAL_S, LIFE, PAGE, UserCode, judge, store};
use crate::rigs;
use actix_web::{HttpRequest, HttpResponse, post, web};
use onelap_protocol::{RigId, TeamId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use time::OffsetDateTime;

const NO_CODE: ApiError = ApiError::NotFound;

/// An agent that wants a token.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Device {
    /// What it calls its machine, for who decides.
    name: String,
}

/// What an agent shows and asks with (RFC 8628, 3.2).
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct DeviceCodes {
    /// For the agent alone.
    device_code: String,
    /// For the member who decides: eight letters.
    user_code: String,
    /// Where they type it in.
    verification_uri: String,
    /// The same with the code in its fragment.
    verification_uri_complete: String,
    /// Seconds that the codes are good.
    expires_in: i64,
    /// Seconds between two questions.
    interval: i32,
}

/// Begin pairing: codes to show and to ask with.
#[utoipa::path(
    tag = "agent",
    security(()),
    request_body = Device,
    responses(
        (status = 200, body = DeviceCodes),
        (status = 422, description = "The name is not allowed", body = ErrorBody),
        (status = 429, description = "Too many from this address", body = ErrorBody),
    )
)]
#[post("/api/pair/device")]
pub(crate) async fn begin_pairing(
    request: HttpRequest,
    state: web::Data<State>,
    body: Body<Device>,
) -> Result<web::Json<DeviceCodes>, ApiError> {
    let name = Name::parse("name", &body.0.name)?;
    let address = client_key(&request, &state.config.http);
    state.auth.limits.devices.take(&address).await?;
    let (device, code) = (LinkSecret::random(LinkKind::Device)?, UserCode::random()?);
    let expires_at = OffsetDateTime::now_utc() + LIFE;
    let mut tx = state.db.presented_secret(&device.hash()).await?;
    store::insert(&mut tx, &device.hash(), &code.hash(), name.as_str(), &address, expires_at, INTERVAL_S).await?;
    tx.commit().await?;
    let page = format!("{}{PAGE}", state.config.http.public_origin);
    Ok(web::Json(DeviceCodes {
        device_code: device.reveal().to_owned(),
        user_code: code.shown(),
        verification_uri_complete: format!("{page}#{}", code.shown()),
        verification_uri: page,
        expires_in: LIFE.whole_seconds(),
        interval: INTERVAL_S,
    }))
}

/// An agent that asks for its token.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeviceCode {
    device_code: String,
}

/// The token of a rig that was approved, shown this once.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Paired {
    token: String,
    team_name: String,
    rig: RigId,
    rig_name: String,
}

/// Why there is no token (RFC 8628, 3.5).
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct PairingError {
    /// `authorization_pending`, `slow_down`, `access_denied` or `expired_token`; `invalid_request` where it is none.
    error: &'static str,
    /// For people.
    error_description: String,
    /// Seconds to wait before asking again, where that helps.
    #[serde(skip_serializing_if = "Option::is_none")]
    interval: Option<i32>,
}

fn not_yet(answer: Answer, interval_s: i32) -> HttpResponse {
    let (error, error_description, interval) = match answer {
        Answer::SlowDown => ("slow_down", "asked too soon: wait longer from now on", Some(interval_s)),
        Answer::Denied => ("access_denied", "a member of the team said no", None),
        Answer::Expired => ("expired_token", "the code is no longer good: begin again", None),
        Answer::Pending | Answer::Ready => ("authorization_pending", "nobody has decided yet", Some(interval_s)),
    };
    let error_description = error_description.to_owned();
    HttpResponse::BadRequest().json(PairingError { error, error_description, interval })
}

/// Ask for the token.
#[utoipa::path(
    tag = "agent",
    security(()),
    request_body = DeviceCode,
    responses(
        (status = 200, description = "The token, shown this once", body = Paired),
        (status = 400, description = "There is none (yet), or the request is none", body = PairingError),
    )
)]
#[post("/api/pair/token")]
pub(crate) async fn fetch_token(
    request: HttpRequest,
    state: web::Data<State>,
    body: Result<Body<DeviceCode>, ApiError>,
) -> Result<HttpResponse, ApiError> {
    let body = match body {
        Ok(body) => body,
        Err(problem) => {
            let error_description = problem.message();
            let answer = PairingError { error: "invalid_request", error_description, interval: None };
            return Ok(HttpResponse::BadRequest().json(answer));
        }
    };
    let Some(device) = LinkSecret::parse(LinkKind::Device, &body.0.device_code) else {
        return Ok(not_yet(Answer::Expired, 0));
    };
    let hash = device.hash();
    let mut tx = state.db.presented_secret(&hash).await?;
    let Some(row) = store::asking(&mut tx, &hash).await? else { return Ok(not_yet(Answer::Expired, 0)) };
    let answer = judge(&row.state, row.expires_at, row.polled_at, row.interval_s, OffsetDateTime::now_utc());
    let interval_s = row.interval_s + if answer == Answer::SlowDown { INTERVAL_S } else { 0 };
    store::polled(&mut tx, &hash, interval_s).await?;
    tx.commit().await?;
    match (answer, row.team, row.rig, row.decided_by) {
        (Answer::Ready, Some(team), Some(rig), Some(by)) => {
            // Who approved it may have left the team since.
            let approved = membership(&state.db, by, team).await.and_then(|m| {
                Action::ManageRigs.check(m.role)?;
                Ok(m)
            });
            let Ok(approved) = approved else { return Ok(not_yet(Answer::Denied, 0)) };
            hand_over(&state, &client_key(&request, &state.config.http), &device, approved, rig).await
        }
        (Answer::Ready, ..) => Ok(not_yet(Answer::Denied, 0)),
        (answer, ..) => Ok(not_yet(answer, interval_s)),
    }
}

/// Makes the token that was approved; of two questions at once one gets it.
async fn hand_over(
    state: &State,
    address: &str,
    device: &LinkSecret,
    approved: Membership,
    rig: RigId,
) -> Result<HttpResponse, ApiError> {
    let hash = device.hash();
    let mut tx = state.db.tenant(approved.tenant).await?;
    tx.present(&hash).await?;
    let still = store::asking(&mut tx, &hash).await?.is_some_and(|row| row.state == "approved");
    if !still {
        return Ok(not_yet(Answer::Expired, 0));
    }
    let made = match rigs::make_token(&mut tx, rig, approved.user).await {
        // The rig was deleted in the meantime.
        Err(ApiError::NotFound) => return Ok(not_yet(Answer::Denied, 0)),
        made => made?,
    };
    store::collected(&mut tx, &hash).await?;
    let by = By { kind: ActorKind::Person, id: Some(approved.user.0), address: address.to_owned() };
    let detail = json!({ "rig": rig, "public_id": made.token.public(), "by": "pairing" });
    audit::write(&mut tx, &by, Act::TokenMade, Subject::Token(made.id.0), detail).await?;
    tx.commit().await?;
    tracing::info!(team = %approved.tenant.team(), %rig, token = made.token.public(), "paired an agent");
    let token = made.token.reveal().to_owned();
    Ok(HttpResponse::Ok().json(Paired { token, team_name: made.team_name, rig, rig_name: made.rig_name }))
}

/// The code that an agent shows.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TypedCode {
    /// Eight letters, in any case.
    user_code: String,
}

/// An agent that waits for a decision.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct WaitingAgent {
    /// What it calls its machine.
    name: String,
    /// The address that it asked from.
    address: String,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
}

/// The agent that a code belongs to, in a transaction that can decide.
async fn waiting(
    state: &State,
    scope: &TeamScope,
    typed: &str,
) -> Result<(TenantTx, UserCode, store::WaitingRow), ApiError> {
    state.auth.limits.codes.take(&scope.user.to_string()).await?;
    let message = "this is not a code: one has eight letters, such as BCDF-GHJK";
    let code = UserCode::parse(typed).ok_or_else(|| ApiError::invalid("user_code", message))?;
    let mut tx = state.db.tenant(scope.tenant).await?;
    tx.present(&code.hash()).await?;
    let row = store::waiting(&mut tx, &code.hash()).await?.ok_or(NO_CODE)?;
    Ok((tx, code, row))
}

/// Which agent a code belongs to.
#[utoipa::path(
    tag = "rig",
    params(("team" = TeamId, Path)),
    request_body = TypedCode,
    responses(
        (status = 200, body = WaitingAgent),
        (status = 404, description = "No agent waits with this code", body = ErrorBody),
        (status = 422, description = "This is no code", body = ErrorBody),
        (status = 429, description = "Too many tries", body = ErrorBody),
    )
)]
#[post("/api/teams/{team}/pairings/look")]
pub(crate) async fn look_at_pairing(
    scope: TeamScope,
    state: web::Data<State>,
    body: Body<TypedCode>,
) -> Result<web::Json<WaitingAgent>, ApiError> {
    let (tx, _, row) = waiting(&state, &scope, &body.0.user_code).await?;
    tx.commit().await?;
    let store::WaitingRow { name, address, created_at, expires_at } = row;
    Ok(web::Json(WaitingAgent { name, address, created_at, expires_at }))
}

/// Which rig an agent becomes.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Approval {
    /// Eight letters, in any case.
    user_code: String,
    /// One that there is,
    rig: Option<RigId>,
    /// or the name of another.
    rig_name: Option<String>,
}

/// The rig that an agent became.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ApprovedRig {
    rig: RigId,
}

/// Let an agent in, as a rig that there is or another.
#[utoipa::path(
    tag = "rig",
    params(("team" = TeamId, Path)),
    request_body = Approval,
    responses(
        (status = 200, description = "The agent fetches its token now", body = ApprovedRig),
        (status = 404, description = "No agent waits with this code, or there is no such rig", body = ErrorBody),
        (status = 409, description = "The name is taken", body = ErrorBody),
        (status = 422, description = "A value is not allowed", body = ErrorBody),
        (status = 429, description = "Too many tries", body = ErrorBody),
    )
)]
#[post("/api/teams/{team}/pairings/approve")]
pub(crate) async fn approve_pairing(
    scope: TeamScope,
    _recent: Recent,
    _verified: Verified,
    state: web::Data<State>,
    body: Body<Approval>,
) -> Result<web::Json<ApprovedRig>, ApiError> {
    let Body(body) = body;
    let name = body.rig_name.as_deref().map(|name| Name::parse("rig_name", name)).transpose()?;
    let (mut tx, code, row) = waiting(&state, &scope, &body.user_code).await?;
    let by = By::member(&scope);
    let rig = match (body.rig, name) {
        (Some(rig), None) => rigs::exists(&mut tx, rig).await?.then_some(rig).ok_or(ApiError::NotFound)?,
        (None, Some(name)) => rigs::add(&mut tx, &name, &by).await?.0,
        _ => return Err(ApiError::invalid("rig", "name either a rig that there is, or a name for another")),
    };
    store::approve(&mut tx, &code.hash(), scope.tenant.team(), rig, scope.user).await?;
    let detail = json!({ "name": row.name, "address": row.address });
    audit::write(&mut tx, &by, Act::PairingApproved, Subject::Rig(rig.0), detail).await?;
    tx.commit().await?;
    Ok(web::Json(ApprovedRig { rig }))
}

/// Keep an agent out.
#[utoipa::path(
    tag = "rig",
    params(("team" = TeamId, Path)),
    request_body = TypedCode,
    responses(
        (status = 204, description = "It is told so"),
        (status = 404, description = "No agent waits with this code", body = ErrorBody),
        (status = 422, description = "This is no code", body = ErrorBody),
        (status = 429, description = "Too many tries", body = ErrorBody),
    )
)]
#[post("/api/teams/{team}/pairings/deny")]
pub(crate) async fn deny_pairing(
    scope: TeamScope,
    state: web::Data<State>,
    body: Body<TypedCode>,
) -> Result<HttpResponse, ApiError> {
    let (mut tx, code, row) = waiting(&state, &scope, &body.0.user_code).await?;
    store::deny(&mut tx, &code.hash(), scope.user).await?;
    let detail = json!({ "name": row.name, "address": row.address });
    audit::write(&mut tx, &By::member(&scope), Act::PairingDenied, Subject::Team, detail).await?;
    tx.commit().await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Adds the routes.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(begin_pairing)
        .service(fetch_token)
        .service(look_at_pairing)
        .service(approve_pairing)
        .service(deny_pairing);
}
