//! Proofs that it is really this person: password, code, and secrets of links.

use crate::accounts::store::{self, Account};
use crate::accounts::{Email, letters};
use crate::app::State;
use crate::auth::{Sha256Hash, random_text, sha256, totp};
use crate::config::Secret;
use crate::error::ApiError;
use onelap_protocol::UserId;

const LINK_CHARS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 190 bits.
const LINK_LENGTH: usize = 32;

/// A link that is not good: never sent, used, replaced, or too old.
pub(super) fn bad_link() -> ApiError {
    ApiError::invalid(
        "token",
        "this link is no longer good: each works once and for a limited time; ask for another one",
    )
}

/// A new secret for a link, and what is kept of it.
pub(super) fn link_secret() -> Result<(Secret, Sha256Hash), ApiError> {
    let text = random_text(LINK_CHARS, LINK_LENGTH).map_err(|error| ApiError::internal(format!("random: {error}")))?;
    let hash = sha256(text.as_bytes());
    Ok((Secret::new(text), hash))
}

/// The hash of a secret that somebody has.
pub(super) fn link_hash(token: &str) -> Sha256Hash {
    sha256(token.trim().as_bytes())
}

/// The account of somebody who has logged in.
pub(super) async fn own_account(state: &State, user: UserId) -> Result<Account, ApiError> {
    let found = store::account(&mut *state.db.web.acquire().await?, user).await?;
    found.ok_or(ApiError::Unauthenticated("log in first"))
}

/// Checks the password of somebody who has logged in, and the code where there is a second factor.
///
/// # Errors
/// Names what is wrong; too many wrong ones are slowed down like log-ins.
pub(super) async fn prove(
    state: &State,
    account: &Account,
    field: &'static str,
    password: String,
    code: Option<&str>,
) -> Result<(), ApiError> {
    let throttle = &state.auth.throttles.to_account;
    let key = account.email.key();
    throttle.take(&key).await?;
    if !state.auth.passwords.is_right(password, Some(account.password_hash.clone())).await? {
        return Err(ApiError::invalid(field, "this is not your password"));
    }
    throttle.give_back(&key).await;
    if account.has_second_factor() {
        let code = code.ok_or_else(|| ApiError::invalid("code", "the code of your authenticator app is needed"))?;
        check_code(state, account, code).await?;
    }
    Ok(())
}

/// Checks a code of the app, or a recovery code; each is good once.
///
/// # Errors
/// [`ApiError::Invalid`] where it is wrong; too many wrong ones are slowed down.
pub(super) async fn check_code(state: &State, account: &Account, code: &str) -> Result<(), ApiError> {
    let throttle = &state.auth.throttles.codes;
    let key = account.user.to_string();
    throttle.take(&key).await?;
    let code: String = code.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    let is_right = if code.len() == totp::DIGITS && code.bytes().all(|b| b.is_ascii_digit()) {
        let step = right_step(state, account, &code)?;
        match step {
            Some(step) => store::take_step(&mut *state.db.web.acquire().await?, account.user, step).await?,
            None => false,
        }
    } else {
        let hash = sha256(code.to_lowercase().as_bytes());
        let mut connection = state.db.web.acquire().await?;
        let is_taken = store::take_recovery_code(&mut connection, account.user, hash.as_bytes()).await?;
        if is_taken {
            let left = store::recovery_codes_left(&mut connection, account.user).await?;
            let what = format!("A recovery code was used to log in to your 1Lap account; {left} are left.");
            state.mail.send(letters::notice(&account.email, &what));
        }
        is_taken
    };
    if !is_right {
        return Err(ApiError::invalid("code", "this code is wrong, or was used: wait for the next one"));
    }
    throttle.give_back(&key).await;
    Ok(())
}

/// The step of a code of the app that is good now.
pub(super) fn right_step(state: &State, account: &Account, code: &str) -> Result<Option<i64>, ApiError> {
    let Some(sealed) = &account.totp_secret else { return Ok(None) };
    let seed = state.auth.seals.open(account.user, sealed).ok_or_else(|| {
        ApiError::internal(
            "a second factor is sealed under a secret that is neither JWT_SECRET nor JWT_SECRET_PREVIOUS",
        )
    })?;
    let last = account.totp_last_step.and_then(|step| u64::try_from(step).ok());
    let step = totp::check(&seed, code, jsonwebtoken::get_current_timestamp(), last);
    Ok(step.and_then(|step| i64::try_from(step).ok()))
}

/// Slows down letters to one address, and those asked for from one, known or not.
///
/// # Errors
/// [`ApiError::RateLimited`].
pub(super) async fn may_write(state: &State, to: &Email, from: &str) -> Result<(), ApiError> {
    state.auth.throttles.letters_asked.take(from).await?;
    state.auth.throttles.letters.take(&to.key()).await
}
