//! `/api/auth/signup`: a new account and its first team.
//!
//! Where addresses must be confirmed, nobody has an account before they have opened the link that was sent to it and
//! entered the password of the sign-up: an address cannot be taken by somebody who does not read its mailbox, and the
//! answer is the same whether or not it has an account. Where they need not be, the account is there at once.

use crate::accounts::later::later;
use crate::accounts::login::logged_in;
use crate::accounts::me::Me;
use crate::accounts::me::find_me;
use crate::accounts::prove::{bad_link, link_hash, link_secret, may_write};
use crate::accounts::store_links::{self, Purpose, SignupRow};
use crate::accounts::{Email, Name, letters, store};
use crate::app::State;
use crate::auth::{Password, client_key};
use crate::body::Body;
use crate::db::Tenant;
use crate::error::{ApiError, ErrorBody};
use crate::teams;
use actix_web::{HttpRequest, HttpResponse, post, web};
use onelap_protocol::{TeamId, UserId};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long a link to a new account, or to confirm an address, is good.
pub(super) const LINK_LIFE: Duration = Duration::from_secs(24 * 3600);

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
    /// The team's name; absent for somebody who joins another's.
    team_name: Option<String>,
}

/// What happens next.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct LetterSent {
    /// Always `letter`: whoever reads the mailbox of the address finds what to do there.
    next: &'static str,
}

const LETTER_SENT: LetterSent = LetterSent { next: "letter" };

/// The answer to whoever asks for a letter, whether or not one is sent.
pub(super) fn letter_sent() -> HttpResponse {
    HttpResponse::Accepted().json(LETTER_SENT)
}

/// The link of a sign-up.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FinishSignUp {
    /// What stands behind the `#` of the link.
    token: String,
    /// The password of the sign-up.
    password: String,
}

/// An address to write to.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WriteTo {
    /// E-mail address.
    pub(super) email: String,
}

/// An account and, unless one joins another's, its first team.
#[utoipa::path(
    tag = "account",
    security(()),
    request_body = SignUp,
    responses(
        (status = 201, description = "Made; the cookies are set", body = Me),
        (status = 202, description = "A letter was sent to the address", body = LetterSent),
        (status = 409, description = "The address has an account; only where addresses need not be confirmed", body = ErrorBody),
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
    let team_name = body.team_name.map(|name| Name::parse("team_name", &name)).transpose()?;
    let address = client_key(&request, &state.config.http);
    state.auth.throttles.signups.take(&address).await?;
    let must_verify = state.config.mail.require_verified;
    if must_verify {
        state.auth.throttles.letters.take(&email.key()).await?;
    }

    let password_hash = state.auth.passwords.hash(password).await?;
    let team_name = team_name.map(|name| name.as_str().to_owned());
    let row = SignupRow { email, name: name.as_str().to_owned(), password_hash, team_name };
    if must_verify {
        return wait_for_link(&state, row).await;
    }
    let user = found_account(&state, &row, None, address).await?;
    send_verification(&state, user, &row.email).await?;
    let me = find_me(&state, user).await?;
    Ok(logged_in(&request, &state, user, HttpResponse::Created()).await?.json(me))
}

/// Keeps the sign-up until its link is opened. The same is done for an address that has an account, whose owner is told
/// so; the kept row is never anybody's then.
async fn wait_for_link(state: &State, row: SignupRow) -> Result<HttpResponse, ApiError> {
    let (secret, hash) = link_secret()?;
    let mut tx = state.db.begin().await?;
    let is_known = store::by_email(&mut tx, &row.email).await?.is_some();
    store_links::insert_signup(&mut tx, &hash, &row, LINK_LIFE).await?;
    tx.commit().await?;
    let letter = if is_known { letters::has_account(&row.email) } else { letters::finish_signup(&row.email, secret) };
    state.mail.send(letter);
    Ok(letter_sent())
}

/// Makes person and team, in one transaction; with a link, only if that is still good.
async fn found_account(
    state: &State,
    row: &SignupRow,
    link: Option<&crate::auth::Sha256Hash>,
    address: String,
) -> Result<UserId, ApiError> {
    let user = UserId::new();
    // Nobody is a member of a team that does not exist yet: founding it is what makes the caller one.
    let mut tx = state.db.tenant(Tenant::verified(TeamId::new())).await?;
    if let Some(hash) = link
        && !store_links::take_signup(&mut tx, hash, &row.email).await?
    {
        return Err(bad_link());
    }
    store::insert_user(&mut tx, user, &row.email, &row.name, &row.password_hash, link.is_some()).await?;
    if let Some(team_name) = &row.team_name {
        teams::found(&mut tx, &Name::parse("team_name", team_name)?, user, address).await?;
    }
    tx.commit().await?;
    tracing::info!(%user, "signed up");
    Ok(user)
}

/// Sends an account's owner a link to confirm the address.
pub(super) async fn send_verification(state: &State, user: UserId, email: &Email) -> Result<(), ApiError> {
    let (secret, hash) = link_secret()?;
    let mut tx = state.db.begin().await?;
    store_links::insert_link(&mut tx, &hash, user, Purpose::Verify, email, LINK_LIFE).await?;
    tx.commit().await?;
    state.mail.send(letters::verify(email, secret));
    Ok(())
}

/// Finish a sign-up: with the secret of the letter's link, and the password of the sign-up.
#[utoipa::path(
    tag = "account",
    security(()),
    request_body = FinishSignUp,
    responses(
        (status = 201, description = "Made; the cookies are set", body = Me),
        (status = 409, description = "The address got an account in the meantime", body = ErrorBody),
        (status = 422, description = "Link or password is wrong", body = ErrorBody),
        (status = 429, description = "Too many tries", body = ErrorBody),
    )
)]
#[post("/api/auth/signup/finish")]
pub(crate) async fn finish_signup(
    request: HttpRequest,
    state: web::Data<State>,
    body: Body<FinishSignUp>,
) -> Result<HttpResponse, ApiError> {
    let Body(body) = body;
    let address = client_key(&request, &state.config.http);
    state.auth.throttles.links.take(&address).await?;
    let hash = link_hash(&body.token);
    let row = store_links::find_signup(&mut *state.db.web.acquire().await?, &hash).await?.ok_or_else(bad_link)?;
    let key = row.email.key();
    state.auth.throttles.to_account.take(&key).await?;
    if !state.auth.passwords.is_right(body.password, Some(row.password_hash.clone())).await? {
        return Err(ApiError::invalid("password", "this is not the password that you signed up with"));
    }
    state.auth.throttles.to_account.give_back(&key).await;
    let user = found_account(&state, &row, Some(&hash), address).await?;
    let me = find_me(&state, user).await?;
    Ok(logged_in(&request, &state, user, HttpResponse::Created()).await?.json(me))
}

/// Send the letter of a sign-up once more. The answer is the same for every address.
#[utoipa::path(
    tag = "account",
    security(()),
    request_body = WriteTo,
    responses(
        (status = 202, description = "If the address waits for a letter, it was sent", body = LetterSent),
        (status = 422, description = "This is not an e-mail address", body = ErrorBody),
        (status = 429, description = "Too many letters", body = ErrorBody),
    )
)]
#[post("/api/auth/signup/resend")]
pub(crate) async fn resend_signup(
    request: HttpRequest,
    state: web::Data<State>,
    body: Body<WriteTo>,
) -> Result<HttpResponse, ApiError> {
    let email = Email::parse(&body.0.email)?;
    may_write(&state, &email, &client_key(&request, &state.config.http)).await?;
    later("sending a sign-up's letter again", &state, |state| async move {
        let (secret, hash) = link_secret()?;
        let mut connection = state.db.web.acquire().await?;
        let account = store::by_email(&mut connection, &email).await?;
        if let Some(account) = account {
            if account.email_verified_at.is_none() {
                drop(connection);
                send_verification(&state, account.user, &account.email).await?;
            }
        } else if store_links::renew_signup(&mut connection, &email, &hash, LINK_LIFE).await? {
            state.mail.send(letters::finish_signup(&email, secret));
        }
        Ok(())
    });
    Ok(letter_sent())
}
