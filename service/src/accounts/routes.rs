//! `/api/auth/*` and `/api/me`.

use crate::accounts::{Email, Name, store};
use crate::app::State;
use crate::auth::{self, Caller, Password, client_key};
use crate::body::Body;
use crate::db::Tenant;
use crate::error::{ApiError, ErrorBody};
use crate::teams::{self, Team};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, get, post, web};
use onelap_protocol::{TeamId, UserId};
use serde::{Deserialize, Serialize};

/// A new account and its first team.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignUp {
    /// E-mail address.
    email: String,
    /// At least 10 characters.
    password: String,
    /// The person's name.
    name: String,
    /// The team's name.
    team_name: String,
}

/// What a person logs in with.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogIn {
    /// E-mail address.
    email: String,
    /// Password.
    password: String,
}

/// A person.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct User {
    id: UserId,
    email: String,
    name: String,
}

/// Who is logged in.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Me {
    user: User,
    /// The teams that the person is a member of.
    teams: Vec<Team>,
}

/// An account and its first team.
#[utoipa::path(
    tag = "account",
    security(()),
    request_body = SignUp,
    responses(
        (status = 201, description = "Made; the cookies are set", body = Me),
        (status = 409, description = "The address has an account", body = ErrorBody),
        (status = 422, description = "A value is not allowed", body = ErrorBody),
        (status = 429, description = "Too many sign-ups", body = ErrorBody),
    )
)]
#[post("/api/auth/signup")]
pub(crate) async fn signup(
    request: HttpRequest,
    state: web::Data<State>,
    body: Body<SignUp>,
) -> Result<HttpResponse, ApiError> {
    let Body(body) = body;
    let email = Email::parse(&body.email)?;
    let password = Password::parse(&body.password, &email)?;
    let name = Name::parse("name", &body.name)?;
    let team_name = Name::parse("team_name", &body.team_name)?;
    state.auth.throttles.signups.take(&client_key(&request, &state.config.http))?;

    let hash = state.auth.passwords.hash(password).await?;
    let user = UserId::new();
    // Nobody is a member of a team that does not exist yet: founding it is what makes the caller one.
    let mut tx = state.db.tenant(Tenant::verified(TeamId::new())).await?;
    store::insert_user(&mut tx, user, &email, &name, &hash).await?;
    let team = teams::found(&mut tx, &team_name, user).await?;
    tx.commit().await?;
    tracing::info!(%user, team = %team.id, "signed up");

    let me = Me {
        user: User { id: user, email: email.as_str().to_owned(), name: name.as_str().to_owned() },
        teams: vec![team],
    };
    Ok(logged_in(&state, user, HttpResponse::Created()).await?.json(me))
}

/// Log in.
#[utoipa::path(
    tag = "account",
    security(()),
    request_body = LogIn,
    responses(
        (status = 200, description = "The cookies are set", body = Me),
        (status = 401, description = "Address or password is wrong", body = ErrorBody),
        (status = 429, description = "Too many failures", body = ErrorBody),
    )
)]
#[post("/api/auth/login")]
pub(crate) async fn login(
    request: HttpRequest,
    state: web::Data<State>,
    body: Body<LogIn>,
) -> Result<HttpResponse, ApiError> {
    const WRONG: ApiError = ApiError::Unauthenticated("the e-mail address or the password is wrong");
    let Body(body) = body;
    let email = Email::parse(&body.email)?;
    let (address, account) = (client_key(&request, &state.config.http), email.as_str().to_lowercase());
    let throttles = &state.auth.throttles;
    // Counted as failures until they are none, so that many at once cannot all slip through.
    throttles.from_address.take(&address)?;
    throttles.to_account.take(&account)?;

    let kept = store::credentials(&mut *state.db.web.acquire().await?, &email).await?;
    let (user, hash) = kept.unzip();
    let is_right = state.auth.passwords.is_right(body.password, hash).await?;
    let user = user.filter(|_| is_right).ok_or(WRONG)?;
    throttles.from_address.give_back(&address);
    throttles.to_account.give_back(&account);

    let me = find_me(&state, user).await?;
    Ok(logged_in(&state, user, HttpResponse::Ok()).await?.json(me))
}

/// Sets the cookies of a new log-in.
async fn logged_in(
    state: &State,
    user: UserId,
    mut response: HttpResponseBuilder,
) -> Result<HttpResponseBuilder, ApiError> {
    let refresh = auth::open(&state.db, user).await?;
    for cookie in state.auth.cookies.set(state.auth.access.sign(user)?, &refresh) {
        response.cookie(cookie);
    }
    Ok(response)
}

/// Renew the log-in: takes the refresh cookie, sets both anew.
#[utoipa::path(
    tag = "account",
    security(()),
    responses(
        (status = 204, description = "The cookies are set"),
        (status = 401, description = "The log-in has ended", body = ErrorBody),
    )
)]
#[post("/api/auth/refresh")]
pub(crate) async fn renew(request: HttpRequest, state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    let token = state.auth.cookies.refresh(&request).ok_or(ApiError::Unauthenticated("log in first"))?;
    let (user, next) = auth::renew(&state.db, &token, state.config.auth.refresh_grace).await?;
    let mut response = HttpResponse::NoContent();
    for cookie in state.auth.cookies.set(state.auth.access.sign(user)?, &next) {
        response.cookie(cookie);
    }
    Ok(response.finish())
}

/// Log out: ends the log-in in this browser.
#[utoipa::path(tag = "account", security(()), responses((status = 204, description = "The cookies are cleared")))]
#[post("/api/auth/logout")]
pub(crate) async fn logout(request: HttpRequest, state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    if let Some(token) = state.auth.cookies.refresh(&request) {
        auth::close(&state.db, &token).await?;
    }
    let mut response = HttpResponse::NoContent();
    for cookie in state.auth.cookies.clear() {
        response.cookie(cookie);
    }
    Ok(response.finish())
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

async fn find_me(state: &State, user: UserId) -> Result<Me, ApiError> {
    let mut tx = state.db.person(user).await?;
    let row = store::user(&mut tx, user).await?.ok_or(ApiError::Unauthenticated("log in first"))?;
    let teams = teams::of_person(&mut tx, user).await?;
    tx.commit().await?;
    Ok(Me { user: User { id: user, email: row.email, name: row.name }, teams })
}

/// Adds the routes.
pub fn routes(config: &mut web::ServiceConfig) {
    config.service(signup).service(login).service(renew).service(logout).service(who);
}
