//! Forgotten and changed passwords.

use crate::accounts::later::later;
use crate::accounts::login::confirmed;
use crate::accounts::prove::{bad_link, link_hash, link_secret, may_write, own_account, prove};
use crate::accounts::signup::{LetterSent, WriteTo, letter_sent};
use crate::accounts::store_links::{self, Purpose};
use crate::accounts::{Email, letters, store};
use crate::app::State;
use crate::auth::{self, Caller, Password, client_key};
use crate::body::Body;
use crate::error::{ApiError, ErrorBody};
use actix_web::{HttpRequest, HttpResponse, post, web};
use serde::Deserialize;
use std::time::Duration;

/// How long a link to a new password is good.
const LINK_LIFE: Duration = Duration::from_secs(3600);

/// A new password, with the link of a letter.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FinishReset {
    /// What stands behind the `#` of the link.
    token: String,
    /// The new password, at least 10 characters.
    password: String,
}

/// Another password.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangePassword {
    /// The password until now.
    current: String,
    /// The new one, at least 10 characters.
    password: String,
    /// Code, where there is a second factor.
    code: Option<String>,
}

/// Ask for a letter with a link to a new password. The answer is the same for every address.
#[utoipa::path(
    tag = "account",
    security(()),
    request_body = WriteTo,
    responses(
        (status = 202, description = "If the address has an account, a letter was sent", body = LetterSent),
        (status = 422, description = "This is not an e-mail address", body = ErrorBody),
        (status = 429, description = "Too many letters", body = ErrorBody),
    )
)]
#[post("/api/auth/reset")]
pub(crate) async fn ask_reset(
    request: HttpRequest,
    state: web::Data<State>,
    body: Body<WriteTo>,
) -> Result<HttpResponse, ApiError> {
    let email = Email::parse(&body.0.email)?;
    may_write(&state, &email, &client_key(&request, &state.config.http)).await?;
    later("sending a link to a new password", &state, |state| async move {
        let mut tx = state.db.begin().await?;
        let Some(account) = store::by_email(&mut tx, &email).await? else { return Ok(()) };
        let (secret, hash) = link_secret()?;
        store_links::insert_link(&mut tx, &hash, account.user, Purpose::Reset, &account.email, LINK_LIFE).await?;
        tx.commit().await?;
        // To the address as the account has it, not as somebody typed it.
        state.mail.send(letters::reset(&account.email, secret));
        Ok(())
    });
    Ok(letter_sent())
}

/// Set a new password with a letter's link: ends all log-ins. The second factor stays.
#[utoipa::path(
    tag = "account",
    security(()),
    request_body = FinishReset,
    responses(
        (status = 204, description = "Set: log in with it"),
        (status = 422, description = "Link or password is not good", body = ErrorBody),
        (status = 429, description = "Too many tries", body = ErrorBody),
    )
)]
#[post("/api/auth/reset/finish")]
pub(crate) async fn finish_reset(
    request: HttpRequest,
    state: web::Data<State>,
    body: Body<FinishReset>,
) -> Result<HttpResponse, ApiError> {
    let Body(body) = body;
    state.auth.throttles.links.take(&client_key(&request, &state.config.http)).await?;
    let hash = link_hash(&body.token);
    let link = store_links::find_link(&mut *state.db.web.acquire().await?, &hash, Purpose::Reset).await?;
    let link = link.ok_or_else(bad_link)?;
    let password = Password::parse(&body.password, &link.email)?;
    let password_hash = state.auth.passwords.hash(password).await?;

    let mut tx = state.db.begin().await?;
    let link = store_links::take_link(&mut tx, &hash, Purpose::Reset).await?.ok_or_else(bad_link)?;
    store::set_password(&mut tx, link.user, &password_hash).await?;
    store::set_verified(&mut tx, link.user, &link.email).await?;
    // A change of address that somebody else may have begun ends with their log-in.
    store_links::void_links(&mut tx, link.user).await?;
    let ended = auth::end_all(&mut tx, link.user, None).await?;
    tx.commit().await?;
    ended.tell(&state.auth);
    state.auth.throttles.to_account.give_back(&link.email.key()).await;
    tracing::info!(user = %link.user, "set a new password by letter");
    state.mail.send(password_changed(&link.email));
    Ok(HttpResponse::NoContent().finish())
}

fn password_changed(to: &Email) -> crate::mail::Letter {
    letters::notice(to, "The password of your 1Lap account was changed. Other log-ins were ended.")
}

/// Change the password: asks for the current one, ends all other log-ins.
#[utoipa::path(
    tag = "account",
    request_body = ChangePassword,
    responses(
        (status = 204, description = "Changed; the access cookie is set anew"),
        (status = 422, description = "The current password, the new one or the code is not good", body = ErrorBody),
        (status = 429, description = "Too many failures", body = ErrorBody),
    )
)]
#[post("/api/me/password")]
pub(crate) async fn change_password(
    caller: Caller,
    state: web::Data<State>,
    body: Body<ChangePassword>,
) -> Result<HttpResponse, ApiError> {
    let Body(body) = body;
    let account = own_account(&state, caller.user).await?;
    let password = Password::parse(&body.password, &account.email)?;
    prove(&state, &account, "current", body.current, body.code.as_deref()).await?;
    let password_hash = state.auth.passwords.hash(password).await?;

    let mut tx = state.db.begin().await?;
    store::set_password(&mut tx, caller.user, &password_hash).await?;
    store_links::void_links(&mut tx, caller.user).await?;
    let ended = auth::end_all(&mut tx, caller.user, Some(caller.login)).await?;
    tx.commit().await?;
    ended.tell(&state.auth);
    tracing::info!(user = %caller.user, "changed the password");
    state.mail.send(password_changed(&account.email));
    confirmed(&state, caller).await
}
