//! The second factor: an authenticator app, and recovery codes for when it is lost.

use crate::accounts::login::{Proof, confirmed};
use crate::accounts::prove::{own_account, prove, right_step};
use crate::accounts::{letters, store};
use crate::app::State;
use crate::auth::{self, Auth, Caller, random_text, sha256, totp};
use crate::body::Body;
use crate::db::Db;
use crate::error::{ApiError, ErrorBody};
use actix_web::{HttpResponse, post, web};
use onelap_protocol::UserId;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

/// How many recovery codes there are.
const CODES: usize = 10;
/// No digits that look like letters.
const CODE_CHARS: &[u8] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// 120 bits: kept as a plain hash without being open to guessing.
const CODE_LENGTH: usize = 24;

/// What an authenticator app is set up with.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct NewSecondFactor {
    /// To be typed in.
    secret: String,
    /// To be shown as a square code.
    uri: String,
}

/// A code of the app.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Code {
    /// Six digits.
    code: String,
}

/// Codes that replace the app once each. Shown this once.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct RecoveryCodes {
    recovery_codes: Vec<String>,
}

fn exists() -> ApiError {
    ApiError::Conflict { field: "code", message: "there is a second factor already: remove it first" }
}

/// Begin with a second factor: gives what the app needs. It is asked for once a code has shown that the app works.
#[utoipa::path(
    tag = "account",
    request_body = Proof,
    responses(
        (status = 200, body = NewSecondFactor),
        (status = 409, description = "There is one already", body = ErrorBody),
        (status = 422, description = "The password is wrong", body = ErrorBody),
        (status = 429, description = "Too many failures", body = ErrorBody),
    )
)]
#[post("/api/me/second-factor")]
pub(crate) async fn begin_second_factor(
    caller: Caller,
    state: web::Data<State>,
    body: Body<Proof>,
) -> Result<HttpResponse, ApiError> {
    let Body(body) = body;
    let account = own_account(&state, caller.user).await?;
    if account.has_second_factor() {
        return Err(exists());
    }
    prove(&state, &account, "password", body.password, body.code.as_deref()).await?;
    let mut seed = [0u8; totp::SEED_BYTES];
    getrandom::fill(&mut seed).map_err(|error| ApiError::internal(format!("random bytes: {error}")))?;
    let sealed = state.auth.seals.seal(caller.user, &seed)?;
    if !store::set_seed(&mut *state.db.web.acquire().await?, caller.user, &sealed).await? {
        return Err(exists());
    }
    let (secret, uri) = (totp::base32(&seed), totp::uri(&seed, account.email.as_str()));
    Ok(HttpResponse::Ok().json(NewSecondFactor { secret, uri }))
}

/// Show that the app works: from now on log-ins ask for a code. Ends all other log-ins.
#[utoipa::path(
    tag = "account",
    request_body = Code,
    responses(
        (status = 200, description = "The recovery codes, shown this once", body = RecoveryCodes),
        (status = 409, description = "There is one already", body = ErrorBody),
        (status = 422, description = "The code is wrong", body = ErrorBody),
        (status = 429, description = "Too many wrong codes", body = ErrorBody),
    )
)]
#[post("/api/me/second-factor/confirm")]
pub(crate) async fn confirm_second_factor(
    caller: Caller,
    state: web::Data<State>,
    body: Body<Code>,
) -> Result<HttpResponse, ApiError> {
    let account = own_account(&state, caller.user).await?;
    if account.has_second_factor() {
        return Err(exists());
    }
    let key = caller.user.to_string();
    state.auth.throttles.codes.take(&key).await?;
    let step = right_step(&state, &account, body.0.code.trim())?;
    let step = step.ok_or_else(|| ApiError::invalid("code", "this code is wrong: check the time of your phone"))?;
    state.auth.throttles.codes.give_back(&key).await;

    let mut tx = state.db.begin().await?;
    if !store::take_step(&mut tx, caller.user, step).await? {
        return Err(exists());
    }
    store::begin_asking(&mut tx, caller.user).await?;
    let recovery_codes = make_codes(&mut tx, caller.user).await?;
    let ended = auth::end_all(&mut tx, caller.user, Some(caller.login)).await?;
    tx.commit().await?;
    ended.tell(&state.auth);
    tracing::info!(user = %caller.user, "set up a second factor");
    state.mail.send(letters::notice(&account.email, "A second factor was set up for your 1Lap account."));
    Ok(HttpResponse::Ok().json(RecoveryCodes { recovery_codes }))
}

async fn make_codes(connection: &mut PgConnection, user: UserId) -> Result<Vec<String>, ApiError> {
    let codes: Result<Vec<String>, _> = (0..CODES).map(|_| random_text(CODE_CHARS, CODE_LENGTH)).collect();
    let codes = codes.map_err(|error| ApiError::internal(format!("random bytes: {error}")))?;
    let hashes: Vec<Vec<u8>> = codes.iter().map(|code| sha256(code.as_bytes()).as_bytes().to_vec()).collect();
    store::set_recovery_codes(connection, user, &hashes).await?;
    let grouped = |code: &String| code.as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join("-");
    Ok(codes.iter().map(grouped).collect())
}

/// Remove the second factor: asks for password and code, ends all other log-ins.
#[utoipa::path(
    tag = "account",
    request_body = Proof,
    responses(
        (status = 204, description = "Removed; the access cookie is set anew"),
        (status = 422, description = "Password or code is wrong", body = ErrorBody),
        (status = 429, description = "Too many failures", body = ErrorBody),
    )
)]
#[post("/api/me/second-factor/remove")]
pub(crate) async fn remove_second_factor(
    caller: Caller,
    state: web::Data<State>,
    body: Body<Proof>,
) -> Result<HttpResponse, ApiError> {
    let Body(body) = body;
    let account = own_account(&state, caller.user).await?;
    prove(&state, &account, "password", body.password, body.code.as_deref()).await?;
    let mut tx = state.db.begin().await?;
    store::remove_seed(&mut tx, caller.user).await?;
    let ended = auth::end_all(&mut tx, caller.user, Some(caller.login)).await?;
    tx.commit().await?;
    ended.tell(&state.auth);
    tracing::info!(user = %caller.user, "removed the second factor");
    state.mail.send(letters::notice(&account.email, "The second factor of your 1Lap account was removed."));
    confirmed(&state, caller).await
}

/// New recovery codes: those until now are good no more.
#[utoipa::path(
    tag = "account",
    request_body = Proof,
    responses(
        (status = 200, description = "Shown this once", body = RecoveryCodes),
        (status = 409, description = "There is no second factor", body = ErrorBody),
        (status = 422, description = "Password or code is wrong", body = ErrorBody),
        (status = 429, description = "Too many failures", body = ErrorBody),
    )
)]
#[post("/api/me/recovery-codes")]
pub(crate) async fn new_recovery_codes(
    caller: Caller,
    state: web::Data<State>,
    body: Body<Proof>,
) -> Result<HttpResponse, ApiError> {
    let Body(body) = body;
    let account = own_account(&state, caller.user).await?;
    if !account.has_second_factor() {
        return Err(ApiError::Conflict { field: "code", message: "there is no second factor: set one up first" });
    }
    prove(&state, &account, "password", body.password, body.code.as_deref()).await?;
    let mut tx = state.db.begin().await?;
    let recovery_codes = make_codes(&mut tx, caller.user).await?;
    tx.commit().await?;
    state.mail.send(letters::notice(&account.email, "New recovery codes were made for your 1Lap account."));
    Ok(HttpResponse::Ok().json(RecoveryCodes { recovery_codes }))
}

/// At the start, after a change of `JWT_SECRET`: what is sealed under an earlier secret is sealed under the current one,
/// so that the earlier one is needed for one start only.
///
/// # Errors
/// Where the database fails.
pub async fn seal_anew(db: &Db, auth: &Auth) -> Result<(), sqlx::Error> {
    let mut connection = db.web.acquire().await?;
    let (mut sealed, mut lost) = (0, 0);
    for (user, old) in store::seeds_of_other_keys(&mut connection, auth.seals.current()).await? {
        match auth.seals.open(user, &old).and_then(|seed| auth.seals.seal(user, &seed).ok()) {
            Some(new) => {
                store::replace_seed(&mut connection, user, &old, &new).await?;
                sealed += 1;
            }
            None => lost += 1,
        }
    }
    if sealed > 0 {
        tracing::info!(sealed, "second factors were sealed under the new JWT_SECRET");
    }
    if lost > 0 {
        tracing::error!(
            lost,
            "second factors cannot be read: start once with the former JWT_SECRET in JWT_SECRET_PREVIOUS; until then these \
             people need a recovery code"
        );
    }
    Ok(())
}
