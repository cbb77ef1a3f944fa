//! `/api/teams/{team}/invitations` and `/api/invitations/*`.

use crate::accounts::Email;
use crate::app::State;
use crate::audit::{self, Act, ActorKind, By, Subject};
use crate::auth::{self, Caller, LinkKind, LinkSecret, Recent, Role, TeamScope, Verified, client_key};
use crate::body::Body;
use crate::db::{Tenant, TenantTx};
use crate::error::{ApiError, ErrorBody};
use crate::invitations::{Invitation, MAX_OPEN, PAGE, letters, store};
use crate::teams::{self, Team};
use actix_web::{HttpRequest, HttpResponse, delete, get, post, web};
use onelap_protocol::{InvitationId, TeamId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use time::{Duration, OffsetDateTime};

const DEFAULT_HOURS: u32 = 7 * 24;
const MAX_HOURS: u32 = 30 * 24;

/// Whom to invite.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewInvitation {
    /// What they become.
    role: Role,
    /// Where the link is sent; without it, it is given back, to be passed on.
    email: Option<String>,
    /// How long it is good, 1 to 720 hours; a week where absent.
    #[schema(minimum = 1, maximum = 720)]
    expires_in_h: Option<u32>,
}

/// An invitation that was just made.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct MadeInvitation {
    id: InvitationId,
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
    /// The link, shown this once; absent where it was sent by mail.
    link: Option<String>,
}

/// A secret out of a link's fragment.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct InvitationSecret {
    /// What stands behind the `#`.
    secret: String,
}

/// What somebody is invited to.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct InvitationLook {
    team_name: String,
    role: Role,
    /// It is for the address that it was sent to.
    for_address: bool,
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
}

/// Invite somebody.
#[utoipa::path(
    tag = "team",
    params(("team" = TeamId, Path)),
    request_body = NewInvitation,
    responses(
        (status = 201, description = "Made; the link is shown this once", body = MadeInvitation),
        (status = 409, description = "Too many are open", body = ErrorBody),
        (status = 422, description = "A value is not allowed", body = ErrorBody),
    )
)]
#[post("/api/teams/{team}/invitations")]
pub(crate) async fn invite(
    scope: TeamScope,
    _recent: Recent,
    _verified: Verified,
    state: web::Data<State>,
    body: Body<NewInvitation>,
) -> Result<HttpResponse, ApiError> {
    let Body(body) = body;
    let email = body.email.as_deref().map(Email::parse).transpose()?;
    let hours = body.expires_in_h.unwrap_or(DEFAULT_HOURS);
    if !(1..=MAX_HOURS).contains(&hours) {
        return Err(ApiError::invalid("expires_in_h", format!("this is a number of hours from 1 to {MAX_HOURS}")));
    }
    let secret = LinkSecret::random(LinkKind::Invitation)?;
    let expires_at = OffsetDateTime::now_utc() + Duration::hours(i64::from(hours));
    let mut tx = state.db.tenant(scope.tenant).await?;
    let team = store::team(&mut tx).await?.ok_or(ApiError::NotFound)?;
    if store::open(&mut tx).await? >= MAX_OPEN {
        let message = "the team has too many open invitations: revoke some";
        return Err(ApiError::Conflict { field: "role", message });
    }
    let id = store::insert(&mut tx, &secret, body.role, email.as_ref(), scope.user, expires_at).await?;
    let detail = json!({ "role": body.role, "email": email.as_ref().map(Email::as_str) });
    audit::write(&mut tx, &By::member(&scope), Act::MemberInvited, Subject::Invitation(id.0), detail).await?;
    tx.commit().await?;
    tracing::info!(user = %scope.user, team = %scope.tenant.team(), invitation = %id, "invited somebody");
    let link = match &email {
        Some(email) => {
            state.mail.send(letters::invitation(email, &team.name, body.role.word(), &secret));
            None
        }
        None => Some(format!("{}{PAGE}#{}", state.config.http.public_origin, secret.reveal())),
    };
    Ok(HttpResponse::Created().json(MadeInvitation { id, expires_at, link }))
}

/// The invitations, newest first.
#[utoipa::path(tag = "team", params(("team" = TeamId, Path)), responses((status = 200, body = Vec<Invitation>)))]
#[get("/api/teams/{team}/invitations")]
pub(crate) async fn list_invitations(
    scope: TeamScope,
    state: web::Data<State>,
) -> Result<web::Json<Vec<Invitation>>, ApiError> {
    let mut tx = state.db.tenant(scope.tenant).await?;
    let all = store::list(&mut tx).await?;
    tx.commit().await?;
    Ok(web::Json(all))
}

#[derive(Deserialize)]
pub(crate) struct InvitationPath {
    invitation: InvitationId,
}

/// Revoke an invitation; one that was taken stays taken.
#[utoipa::path(
    tag = "team",
    params(("team" = TeamId, Path), ("invitation" = InvitationId, Path)),
    responses((status = 204, description = "It can no longer be taken"))
)]
#[delete("/api/teams/{team}/invitations/{invitation}")]
pub(crate) async fn revoke_invitation(
    scope: TeamScope,
    state: web::Data<State>,
    path: web::Path<InvitationPath>,
) -> Result<HttpResponse, ApiError> {
    let id = path.invitation;
    let mut tx = state.db.tenant(scope.tenant).await?;
    if !store::revoke(&mut tx, id).await? {
        return Err(ApiError::NotFound);
    }
    let subject = Subject::Invitation(id.0);
    audit::write(&mut tx, &By::member(&scope), Act::InvitationRevoked, subject, json!({})).await?;
    tx.commit().await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The invitation that a secret belongs to, if it can be taken, and its team's rows.
async fn open(state: &State, from: &str, secret: &str) -> Result<(store::Presented, TenantTx), ApiError> {
    state.auth.limits.links.take(from).await?;
    let secret = LinkSecret::parse(LinkKind::Invitation, secret).ok_or_else(|| {
        ApiError::invalid("secret", "this is not a whole invitation: copy the link again, to its end")
    })?;
    let mut tx = state.db.presented_secret(&secret.hash()).await?;
    let found = store::presented(&mut tx, &secret.hash()).await?.ok_or(ApiError::NotFound)?;
    tx.commit().await?;
    if let Some(message) = found.state.problem() {
        return Err(ApiError::Conflict { field: "secret", message });
    }
    // The secret is what opens the team, for joining it.
    let tx = state.db.tenant(Tenant::verified(found.team)).await?;
    Ok((found, tx))
}

/// What an invitation is to.
#[utoipa::path(
    tag = "team",
    security(()),
    request_body = InvitationSecret,
    responses(
        (status = 200, body = InvitationLook),
        (status = 404, description = "No such invitation", body = ErrorBody),
        (status = 409, description = "It was used or revoked, or has expired", body = ErrorBody),
        (status = 422, description = "It is misspelt", body = ErrorBody),
        (status = 429, description = "Too many tries", body = ErrorBody),
    )
)]
#[post("/api/invitations/look")]
pub(crate) async fn look_at_invitation(
    request: HttpRequest,
    state: web::Data<State>,
    body: Body<InvitationSecret>,
) -> Result<web::Json<InvitationLook>, ApiError> {
    let (found, mut tx) = open(&state, &client_key(&request, &state.config.http), &body.0.secret).await?;
    let team = store::team(&mut tx).await?.ok_or(ApiError::NotFound)?;
    tx.commit().await?;
    let (role, for_address) = (found.role, found.email.is_some());
    Ok(web::Json(InvitationLook { team_name: team.name, role, for_address, expires_at: found.expires_at }))
}

/// Take an invitation: the caller joins the team.
#[utoipa::path(
    tag = "team",
    request_body = InvitationSecret,
    responses(
        (status = 200, description = "Joined", body = Team),
        (status = 403, description = "It is for another address", body = ErrorBody),
        (status = 404, description = "No such invitation", body = ErrorBody),
        (status = 409, description = "It was used or revoked, or has expired; or the caller is in the team", body = ErrorBody),
        (status = 422, description = "It is misspelt", body = ErrorBody),
        (status = 429, description = "Too many tries", body = ErrorBody),
    )
)]
#[post("/api/invitations/accept")]
pub(crate) async fn accept_invitation(
    request: HttpRequest,
    caller: Caller,
    state: web::Data<State>,
    body: Body<InvitationSecret>,
) -> Result<web::Json<Team>, ApiError> {
    let address = client_key(&request, &state.config.http);
    let (found, mut tx) = open(&state, &address, &body.0.secret).await?;
    let team = store::team(&mut tx).await?.ok_or(ApiError::NotFound)?;
    if let Some(reason) = team.disabled {
        return Err(auth::disabled(&reason));
    }
    if let Some(invited) = &found.email {
        let own = store::email_of(&mut tx, caller.user).await?.unwrap_or_default();
        if own.to_lowercase() != invited.to_lowercase() {
            const OTHER: &str = "this invitation is for another address: log in with the account of that address";
            return Err(ApiError::Forbidden(OTHER));
        }
    }
    if !store::take(&mut tx, found.id, caller.user).await? {
        return Err(ApiError::Conflict { field: "secret", message: "this invitation was used a moment ago" });
    }
    teams::join(&mut tx, caller.user, found.role).await?;
    let by = By { kind: ActorKind::Person, id: Some(caller.user.0), address };
    let detail = json!({ "role": found.role, "invitation": found.id });
    audit::write(&mut tx, &by, Act::MemberJoined, Subject::Person(caller.user.0), detail).await?;
    tx.commit().await?;
    tracing::info!(user = %caller.user, team = %found.team, "joined a team");
    Ok(web::Json(Team { id: found.team, name: team.name, role: found.role, delete_after: None, disabled: None }))
}

/// Adds the routes.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(invite)
        .service(list_invitations)
        .service(revoke_invitation)
        .service(look_at_invitation)
        .service(accept_invitation);
}
