//! `/api/me`: who is logged in.

use crate::accounts::{Name, NewName, store, store_links};
use crate::app::State;
use crate::auth::Caller;
use crate::body::Body;
use crate::error::{ApiError, ErrorBody};
use crate::teams::{self, Team};
use actix_web::{HttpResponse, get, put, web};
use onelap_protocol::UserId;
use serde::Serialize;
use time::OffsetDateTime;

/// A person.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct User {
    id: UserId,
    email: String,
    name: String,
    /// Whether the address was confirmed.
    email_verified: bool,
    /// A new address that waits to be confirmed.
    pending_email: Option<String>,
    /// When the second factor was set up; absent where there is none.
    #[serde(with = "time::serde::rfc3339::option")]
    second_factor_since: Option<OffsetDateTime>,
    /// Recovery codes that were not used.
    recovery_codes_left: i64,
}

/// Who is logged in.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Me {
    user: User,
    /// The teams that the person is a member of.
    teams: Vec<Team>,
}

/// Who is logged in, and their teams.
#[utoipa::path(
    tag = "account",
    responses((status = 200, body = Me), (status = 401, description = "Nobody is", body = ErrorBody))
)]
#[get("/api/me")]
pub(crate) async fn who(caller: Caller, state: web::Data<State>) -> Result<web::Json<Me>, ApiError> {
    find_me(&state, caller.user).await.map(web::Json)
}

pub(super) async fn find_me(state: &State, user: UserId) -> Result<Me, ApiError> {
    let mut tx = state.db.person(user).await?;
    let row = store::account(&mut tx, user).await?.ok_or(ApiError::Unauthenticated("log in first"))?;
    let pending_email = store_links::pending_email(&mut tx, user).await?;
    let recovery_codes_left = store::recovery_codes_left(&mut tx, user).await?;
    let teams = teams::of_person(&mut tx, user).await?;
    tx.commit().await?;
    let user = User {
        id: user,
        email: row.email.as_str().to_owned(),
        name: row.name,
        email_verified: row.email_verified_at.is_some(),
        pending_email,
        second_factor_since: row.totp_since,
        recovery_codes_left,
    };
    Ok(Me { user, teams })
}

/// Another name.
#[utoipa::path(
    tag = "account",
    request_body = NewName,
    responses(
        (status = 204, description = "Changed"),
        (status = 422, description = "The name is not allowed", body = ErrorBody),
    )
)]
#[put("/api/me/name")]
pub(crate) async fn rename(
    caller: Caller,
    state: web::Data<State>,
    body: Body<NewName>,
) -> Result<HttpResponse, ApiError> {
    let name = Name::parse("name", &body.0.name)?;
    store::rename(&mut *state.db.web.acquire().await?, caller.user, &name).await?;
    Ok(HttpResponse::NoContent().finish())
}
