//! The address of an account: confirming and changing it.

use crate::accounts::prove::{bad_link, link_hash, link_secret, may_write, own_account, prove};
use crate::accounts::signup::{LINK_LIFE, LetterSent, letter_sent, send_verification};
use crate::accounts::store_links::{self, Purpose};
use crate::accounts::{Email, letters, store};
use crate::app::State;
use crate::auth::{Caller, client_key};
use crate::body::Body;
use crate::error::{ApiError, ErrorBody};
use actix_web::{HttpRequest, HttpResponse, post, web};
use serde::{Deserialize, Serialize};

/// The link of a letter.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfirmEmail {
    /// What stands behind the `#` of the link.
    token: String,
}

/// The address that is confirmed now.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct ConfirmedEmail {
    email: String,
}

/// Another address.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeEmail {
    /// The new address.
    email: String,
    /// The password.
    password: String,
    /// Code, where there is a second factor.
    code: Option<String>,
}

/// Confirm an address with a letter's link: that of the account, or the new one that was asked for.
#[utoipa::path(
    tag = "account",
    security(()),
    request_body = ConfirmEmail,
    responses(
        (status = 200, description = "It is the account's address and confirmed", body = ConfirmedEmail),
        (status = 409, description = "The address got an account in the meantime", body = ErrorBody),
        (status = 422, description = "The link is not good", body = ErrorBody),
        (status = 429, description = "Too many tries", body = ErrorBody),
    )
)]
#[post("/api/auth/email/confirm")]
pub(crate) async fn confirm_email(
    request: HttpRequest,
    state: web::Data<State>,
    body: Body<ConfirmEmail>,
) -> Result<HttpResponse, ApiError> {
    state.auth.throttles.links.take(&client_key(&request, &state.config.http)).await?;
    let hash = link_hash(&body.0.token);
    let mut tx = state.db.begin().await?;
    let (link, old) = if let Some(link) = store_links::take_link(&mut tx, &hash, Purpose::Verify).await? {
        store::set_verified(&mut tx, link.user, &link.email).await?;
        (link, None)
    } else {
        let link = store_links::take_link(&mut tx, &hash, Purpose::ChangeEmail).await?.ok_or_else(bad_link)?;
        let account = store::account(&mut tx, link.user).await?.ok_or_else(bad_link)?;
        store::set_email(&mut tx, link.user, &link.email).await?;
        // Links to a new password went to the old mailbox.
        store_links::void_links(&mut tx, link.user).await?;
        (link, Some(account.email))
    };
    tx.commit().await?;
    tracing::info!(user = %link.user, changed = old.is_some(), "confirmed an address");
    if let Some(old) = old {
        state.mail.send(letters::email_changed(&old));
    }
    Ok(HttpResponse::Ok().json(ConfirmedEmail { email: link.email.as_str().to_owned() }))
}

/// Ask for another address: it is used once a link that is sent there was opened. The answer is the same for every
/// address.
#[utoipa::path(
    tag = "account",
    request_body = ChangeEmail,
    responses(
        (status = 202, description = "A letter was sent to the new address", body = LetterSent),
        (status = 422, description = "Address, password or code is not good", body = ErrorBody),
        (status = 429, description = "Too many letters or failures", body = ErrorBody),
    )
)]
#[post("/api/me/email")]
pub(crate) async fn change_email(
    request: HttpRequest,
    caller: Caller,
    state: web::Data<State>,
    body: Body<ChangeEmail>,
) -> Result<HttpResponse, ApiError> {
    let Body(body) = body;
    let email = Email::parse(&body.email)?;
    let account = own_account(&state, caller.user).await?;
    prove(&state, &account, "password", body.password, body.code.as_deref()).await?;
    may_write(&state, &email, &client_key(&request, &state.config.http)).await?;

    let (secret, hash) = link_secret()?;
    let mut tx = state.db.begin().await?;
    let owner = store::by_email(&mut tx, &email).await?.filter(|owner| owner.user != caller.user);
    store_links::insert_link(&mut tx, &hash, caller.user, Purpose::ChangeEmail, &email, LINK_LIFE).await?;
    tx.commit().await?;
    state.mail.send(match owner {
        Some(owner) => letters::has_account(&owner.email),
        None => letters::change_email(&email, secret),
    });
    state.mail.send(letters::email_change_asked(&account.email));
    Ok(letter_sent())
}

/// Send the letter that confirms one's own address once more.
#[utoipa::path(
    tag = "account",
    responses(
        (status = 202, description = "Sent, if the address is not confirmed yet", body = LetterSent),
        (status = 429, description = "Too many letters", body = ErrorBody),
    )
)]
#[post("/api/me/email/resend")]
pub(crate) async fn resend_verification(
    request: HttpRequest,
    caller: Caller,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let account = own_account(&state, caller.user).await?;
    may_write(&state, &account.email, &client_key(&request, &state.config.http)).await?;
    if account.email_verified_at.is_none() {
        send_verification(&state, account.user, &account.email).await?;
    }
    Ok(letter_sent())
}
