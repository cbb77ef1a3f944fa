//! Taking one's data along, and going.

use crate::accounts::login::{Proof, cleared};
use crate::accounts::prove::{own_account, prove};
use crate::accounts::{letters, store, store_links};
use crate::app::State;
use crate::audit::{self, OwnEntry};
use crate::auth::{self, Caller, Login, Recent, client_key};
use crate::body::Body;
use crate::db::{Tenant, TenantTx};
use crate::error::{ApiError, ErrorBody};
use crate::teams;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use onelap_protocol::{TeamId, UserId};
use serde::Serialize;
use time::OffsetDateTime;

/// Entries of one team's audit log in an export.
const MOST_ENTRIES: i64 = 1000;

/// Everything that the service keeps about a person and that is nobody else's.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct Export {
    /// Version of this format.
    format: u32,
    #[serde(with = "time::serde::rfc3339")]
    made_at: OffsetDateTime,
    account: ExportedAccount,
    /// The teams that the person is a member of. What the teams recorded is theirs, and exported there.
    teams: Vec<ExportedTeam>,
    /// The log-ins that are good.
    logins: Vec<Login>,
    /// What the person did in these teams, and what was done to them there: of each team the last thousand entries.
    audit: Vec<OwnEntry>,
}

#[derive(Serialize, utoipa::ToSchema)]
struct ExportedAccount {
    id: UserId,
    email: String,
    name: String,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    email_verified_at: Option<OffsetDateTime>,
    pending_email: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    password_changed_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    second_factor_since: Option<OffsetDateTime>,
    recovery_codes_left: i64,
}

#[derive(Serialize, utoipa::ToSchema)]
struct ExportedTeam {
    id: TeamId,
    name: String,
    role: String,
    #[serde(with = "time::serde::rfc3339")]
    joined_at: OffsetDateTime,
}

/// Everything that is one's own, as a file. Needs the password shown within ten minutes.
#[utoipa::path(
    tag = "account",
    responses(
        (status = 200, body = Export),
        (status = 403, description = "The password has to be confirmed first", body = ErrorBody),
    )
)]
#[get("/api/me/export")]
pub(crate) async fn export(Recent(caller): Recent, state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    let mut tx = state.db.person(caller.user).await?;
    let account = store::account(&mut tx, caller.user).await?.ok_or(ApiError::Unauthenticated("log in first"))?;
    let teams = store::memberships(&mut tx, caller.user).await?;
    let logins = auth::list(&mut tx, caller).await?;
    let pending_email = store_links::pending_email(&mut tx, caller.user).await?;
    let recovery_codes_left = store::recovery_codes_left(&mut tx, caller.user).await?;
    let mut audit = Vec::new();
    for team in &teams {
        // The membership is what opens the team's log, as far as it is about them.
        let mut of_team = TenantTx::of(tx, Tenant::verified(team.team)).await?;
        audit.extend(audit::of_person(&mut of_team, caller.user, MOST_ENTRIES).await?);
        tx = of_team.into_inner();
    }
    let export = Export {
        format: 1,
        made_at: OffsetDateTime::now_utc(),
        account: ExportedAccount {
            id: caller.user,
            email: account.email.as_str().to_owned(),
            name: account.name,
            created_at: account.created_at,
            email_verified_at: account.email_verified_at,
            pending_email,
            password_changed_at: account.password_changed_at,
            second_factor_since: account.totp_since,
            recovery_codes_left,
        },
        teams: teams
            .into_iter()
            .map(|row| ExportedTeam { id: row.team, name: row.name, role: row.role, joined_at: row.joined_at })
            .collect(),
        logins,
        audit,
    };
    tx.commit().await?;
    let disposition = HeaderValue::from_static("attachment; filename=\"1lap-account.json\"");
    Ok(HttpResponse::Ok().insert_header((header::CONTENT_DISPOSITION, disposition)).json(export))
}

/// Delete one's account, at once and for good. Asks for password and code; refused to the only owner of a team.
#[utoipa::path(
    tag = "account",
    request_body = Proof,
    responses(
        (status = 204, description = "Deleted; the cookies are cleared"),
        (status = 409, description = "Teams would be without an owner; the message names them", body = ErrorBody),
        (status = 422, description = "Password or code is wrong", body = ErrorBody),
        (status = 429, description = "Too many failures", body = ErrorBody),
    )
)]
#[post("/api/me/delete")]
pub(crate) async fn delete_account(
    request: HttpRequest,
    caller: Caller,
    state: web::Data<State>,
    body: Body<Proof>,
) -> Result<HttpResponse, ApiError> {
    let Body(body) = body;
    let account = own_account(&state, caller.user).await?;
    prove(&state, &account, "password", body.password, body.code.as_deref()).await?;
    let mut tx = state.db.person(caller.user).await?;
    let (teams, mut alone) = (store::memberships(&mut tx, caller.user).await?, Vec::new());
    for team in &teams {
        if team.role == "owner" && !store::has_another_owner(&mut tx, team.team, caller.user).await? {
            alone.push(format!("\"{}\"", team.name));
        }
    }
    if !alone.is_empty() {
        return Err(ApiError::OnlyOwner { teams: alone.join(", ") });
    }
    for team in teams {
        let mut of_team = TenantTx::of(tx, Tenant::verified(team.team)).await?;
        teams::leave(&mut of_team, caller.user, client_key(&request, &state.config.http)).await?;
        tx = of_team.into_inner();
    }
    let ended = auth::end_all(&mut tx, caller.user, None).await?;
    store::delete_user(&mut tx, caller.user).await?;
    tx.commit().await?;
    ended.tell(&state.auth);
    tracing::info!(user = %caller.user, "deleted the account");
    state.mail.send(letters::deleted(&account.email));
    Ok(cleared(&state))
}
