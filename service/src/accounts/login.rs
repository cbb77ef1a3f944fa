//! `/api/auth/{login,refresh,confirm,logout}`: coming, staying, going.

use crate::accounts::me::{Me, find_me};
use crate::accounts::prove::{check_code, own_account, prove};
use crate::accounts::{Email, store};
use crate::app::State;
use crate::auth::{self, Caller, LoggedIn, Visitor, client_key};
use crate::body::Body;
use crate::error::{ApiError, ErrorBody};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, post, web};
use onelap_protocol::UserId;
use serde::{Deserialize, Serialize};

/// What a person logs in with.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogIn {
    /// E-mail address.
    email: String,
    /// Password.
    password: String,
}

/// The password was right, and a code is needed.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct CodeNeeded {
    /// To be sent back with the code, within five minutes.
    challenge: String,
}

/// The second step of a log-in.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogInCode {
    /// What the first step gave.
    challenge: String,
    /// The six digits of the authenticator app, or a recovery code.
    code: String,
}

/// A proof that it is still the same person.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Proof {
    /// Password.
    pub(super) password: String,
    /// Code of the authenticator app or recovery code, where there is a second factor.
    pub(super) code: Option<String>,
}

/// Log in.
#[utoipa::path(
    tag = "account",
    security(()),
    request_body = LogIn,
    responses(
        (status = 200, description = "The cookies are set", body = Me),
        (status = 202, description = "The password is right, and a code is needed", body = CodeNeeded),
        (status = 401, description = "Address or password is wrong", body = ErrorBody),
        (status = 422, description = "This is not an e-mail address", body = ErrorBody),
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
    let (address, account) = (client_key(&request, &state.config.http), email.key());
    let throttles = &state.auth.throttles;
    // Counted as failures until they are none, so that many at once cannot all slip through.
    throttles.from_address.take(&address).await?;
    throttles.to_account.take(&account).await?;

    let found = store::by_email(&mut *state.db.web.acquire().await?, &email).await?;
    let hash = found.as_ref().map(|found| found.password_hash.clone());
    let is_right = state.auth.passwords.is_right(body.password, hash).await?;
    let found = found.filter(|_| is_right).ok_or(WRONG)?;
    throttles.from_address.give_back(&address).await;
    throttles.to_account.give_back(&account).await;

    if found.has_second_factor() {
        let challenge = state.auth.access.challenge(found.user)?;
        return Ok(HttpResponse::Accepted().json(CodeNeeded { challenge }));
    }
    let me = find_me(&state, found.user).await?;
    Ok(logged_in(&request, &state, found.user, HttpResponse::Ok()).await?.json(me))
}

/// Log in, second step: the code.
#[utoipa::path(
    tag = "account",
    security(()),
    request_body = LogInCode,
    responses(
        (status = 200, description = "The cookies are set", body = Me),
        (status = 401, description = "The first step was too long ago", body = ErrorBody),
        (status = 422, description = "The code is wrong", body = ErrorBody),
        (status = 429, description = "Too many wrong codes", body = ErrorBody),
    )
)]
#[post("/api/auth/login/code")]
pub(crate) async fn login_code(
    request: HttpRequest,
    state: web::Data<State>,
    body: Body<LogInCode>,
) -> Result<HttpResponse, ApiError> {
    const BEGIN_AGAIN: ApiError = ApiError::Unauthenticated("the log-in took too long: begin again with the password");
    let Body(body) = body;
    let challenge = state.auth.access.check_challenge(&body.challenge).ok_or(BEGIN_AGAIN)?;
    let account = store::account(&mut *state.db.web.acquire().await?, challenge.user()).await?;
    let is_current = |account: &store::Account| {
        let changed_s = account.password_changed_at.unix_timestamp().try_into().unwrap_or(u64::MAX);
        account.has_second_factor() && challenge.issued_at_s() >= changed_s
    };
    let account = account.filter(is_current).ok_or(BEGIN_AGAIN)?;
    check_code(&state, &account, &body.code).await?;
    let me = find_me(&state, account.user).await?;
    Ok(logged_in(&request, &state, account.user, HttpResponse::Ok()).await?.json(me))
}

/// Opens a log-in and sets its cookies.
pub(super) async fn logged_in(
    request: &HttpRequest,
    state: &State,
    user: UserId,
    mut response: HttpResponseBuilder,
) -> Result<HttpResponseBuilder, ApiError> {
    let visitor = Visitor::of(request, &state.config.http);
    let mut tx = state.db.begin().await?;
    let opened = auth::open(&mut tx, user, &visitor).await?;
    tx.commit().await?;
    set_cookies(state, &opened, &mut response)?;
    Ok(response)
}

fn set_cookies(state: &State, opened: &LoggedIn, response: &mut HttpResponseBuilder) -> Result<(), ApiError> {
    for cookie in state.auth.cookies.set(state.auth.access.sign(opened.caller)?, &opened.refresh) {
        response.cookie(cookie);
    }
    Ok(())
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
    let renewed = auth::renew(&state.db, &state.auth, &token, state.config.auth.refresh_grace).await?;
    let mut response = HttpResponse::NoContent();
    set_cookies(&state, &renewed, &mut response)?;
    Ok(response.finish())
}

/// Show the password again, and the code where there is a second factor: for ten minutes what needs that is allowed.
#[utoipa::path(
    tag = "account",
    request_body = Proof,
    responses(
        (status = 204, description = "The access cookie is set anew"),
        (status = 422, description = "Password or code is wrong", body = ErrorBody),
        (status = 429, description = "Too many failures", body = ErrorBody),
    )
)]
#[post("/api/auth/confirm")]
pub(crate) async fn confirm(
    caller: Caller,
    state: web::Data<State>,
    body: Body<Proof>,
) -> Result<HttpResponse, ApiError> {
    let Body(body) = body;
    let account = own_account(&state, caller.user).await?;
    prove(&state, &account, "password", body.password, body.code.as_deref()).await?;
    confirmed(&state, caller).await
}

/// Sets the access cookie of somebody who has just shown who they are.
pub(super) async fn confirmed(state: &State, caller: Caller) -> Result<HttpResponse, ApiError> {
    let caller = auth::confirm(&mut *state.db.web.acquire().await?, caller).await?;
    let access = state.auth.cookies.set_access(state.auth.access.sign(caller)?);
    Ok(HttpResponse::NoContent().cookie(access).finish())
}

/// Log out: ends the log-in in this browser.
#[utoipa::path(tag = "account", security(()), responses((status = 204, description = "The cookies are cleared")))]
#[post("/api/auth/logout")]
pub(crate) async fn logout(request: HttpRequest, state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    if let Some(token) = state.auth.cookies.refresh(&request) {
        auth::close(&state.db, &state.auth, &token).await?;
    }
    Ok(cleared(&state))
}

/// Log out everywhere: ends all log-ins of the person, this one too.
#[utoipa::path(tag = "account", responses((status = 204, description = "The cookies are cleared")))]
#[post("/api/auth/logout-everywhere")]
pub(crate) async fn logout_everywhere(caller: Caller, state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    let ended = auth::end_all(&mut *state.db.web.acquire().await?, caller.user, None).await?;
    ended.tell(&state.auth);
    tracing::info!(user = %caller.user, "logged out everywhere");
    Ok(cleared(&state))
}

pub(super) fn cleared(state: &State) -> HttpResponse {
    let mut response = HttpResponse::NoContent();
    for cookie in state.auth.cookies.clear() {
        response.cookie(cookie);
    }
    response.finish()
}
