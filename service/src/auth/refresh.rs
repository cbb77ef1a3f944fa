//! Refresh tokens: one use each, in families; a family is a log-in.
//!
//! Log-in opens a family; each use of a token makes the next one. A token that is used again later than a short grace
//! was copied: its whole family ends, thief and owner alike, and the owner logs in again.

use crate::auth::caller::{Caller, LoginId};
use crate::auth::visitor::Visitor;
use crate::auth::{Auth, Sha256Hash, random_text, sha256, store};
use crate::db::Db;
use crate::error::ApiError;
use onelap_protocol::UserId;
use sqlx::PgConnection;
use std::fmt;
use std::time::Duration;
use time::OffsetDateTime;
use uuid::Uuid;

/// How long a token waits to be used.
pub(super) const REFRESH_LIFE: Duration = Duration::from_secs(30 * 24 * 3600);

/// How long a log-in lasts at most, however often it is renewed.
const LOGIN_LIFE: Duration = Duration::from_secs(90 * 24 * 3600);

const BYTES: usize = 32;
const LOG_IN_AGAIN: ApiError = ApiError::Unauthenticated("the log-in has ended: log in again");

/// The text of a refresh token.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken(String);

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken(…)")
    }
}

impl RefreshToken {
    fn random() -> Result<Self, ApiError> {
        let text = random_text(b"0123456789abcdef", 2 * BYTES);
        text.map(Self).map_err(|error| ApiError::internal(format!("random bytes: {error}")))
    }

    /// Reads one; `None` where it cannot be one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == 2 * BYTES && text.bytes().all(|b| b.is_ascii_hexdigit())).then(|| Self(text.to_owned()))
    }

    /// For the cookie.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    fn hash(&self) -> Sha256Hash {
        sha256(self.0.as_bytes())
    }
}

/// What is to be done with a token that was presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Renew,
    Refuse,
    /// It was copied.
    EndFamily,
}

fn judge(row: &store::RefreshRow, now: OffsetDateTime, grace: Duration) -> Verdict {
    match row.used_at {
        _ if row.has_ended || row.expires_at <= now || row.opened_at + LOGIN_LIFE <= now => Verdict::Refuse,
        Some(used_at) if now - used_at > grace => Verdict::EndFamily,
        _ => Verdict::Renew,
    }
}

/// Both tokens of a log-in, for the cookies.
#[derive(Debug)]
pub struct LoggedIn {
    /// Who, in which log-in.
    pub caller: Caller,
    /// The refresh token.
    pub refresh: RefreshToken,
}

fn seconds(time: OffsetDateTime) -> u64 {
    time.unix_timestamp().try_into().unwrap_or_default()
}

/// Opens a log-in for somebody who has shown a password, and a code where one is asked for.
///
/// # Errors
/// Where the database fails.
pub async fn open(connection: &mut PgConnection, user: UserId, from: &Visitor) -> Result<LoggedIn, ApiError> {
    let refresh = RefreshToken::random()?;
    let login = LoginId(Uuid::now_v7());
    let now = OffsetDateTime::now_utc();
    store::forget_expired(connection, user).await?;
    store::insert_login(connection, login, user, from, now).await?;
    store::insert_refresh(connection, &refresh.hash(), user, login, now + REFRESH_LIFE).await?;
    Ok(LoggedIn { caller: Caller { user, login, authenticated_at_s: seconds(now) }, refresh })
}

/// Takes a token and gives the next one of its family.
///
/// # Errors
/// [`ApiError::Unauthenticated`] where the token is not good; a token that was copied ends its family.
pub async fn renew(db: &Db, auth: &Auth, token: &RefreshToken, grace: Duration) -> Result<LoggedIn, ApiError> {
    let mut tx = db.begin().await?;
    let Some(row) = store::lock_refresh(&mut tx, &token.hash()).await? else { return Err(LOG_IN_AGAIN) };
    let now = OffsetDateTime::now_utc();
    match judge(&row, now, grace) {
        Verdict::Refuse => Err(LOG_IN_AGAIN),
        Verdict::EndFamily => {
            store::end_login(&mut tx, row.login).await?;
            tx.commit().await?;
            auth.revocations.end(row.login);
            tracing::warn!(user = %row.user, login = %row.login, "a refresh token was used twice: its log-in is ended");
            Err(LOG_IN_AGAIN)
        }
        Verdict::Renew => {
            let refresh = RefreshToken::random()?;
            store::mark_used(&mut tx, &token.hash(), row.login).await?;
            store::forget_expired(&mut tx, row.user).await?;
            store::insert_refresh(&mut tx, &refresh.hash(), row.user, row.login, now + REFRESH_LIFE).await?;
            tx.commit().await?;
            let authenticated_at_s = seconds(row.authenticated_at);
            Ok(LoggedIn { caller: Caller { user: row.user, login: row.login, authenticated_at_s }, refresh })
        }
    }
}

/// Ends the log-in of a token, if there is one.
///
/// # Errors
/// Where the database fails.
pub async fn close(db: &Db, auth: &Auth, token: &RefreshToken) -> Result<(), ApiError> {
    let mut tx = db.begin().await?;
    if let Some(row) = store::lock_refresh(&mut tx, &token.hash()).await? {
        store::end_login(&mut tx, row.login).await?;
        tx.commit().await?;
        auth.revocations.end(row.login);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::Duration as Span;

    const GRACE: Duration = Duration::from_secs(10);

    fn row(now: OffsetDateTime) -> store::RefreshRow {
        store::RefreshRow {
            user: UserId::new(),
            login: LoginId(Uuid::now_v7()),
            opened_at: now - Span::days(80),
            authenticated_at: now,
            expires_at: now + Span::days(1),
            used_at: None,
            has_ended: false,
        }
    }

    #[test]
    fn a_token_is_good_once_and_for_a_moment_longer() {
        let now = OffsetDateTime::now_utc();
        assert_eq!(judge(&row(now), now, GRACE), Verdict::Renew);
        let used = |seconds| store::RefreshRow { used_at: Some(now - Span::seconds(seconds)), ..row(now) };
        assert_eq!(judge(&used(9), now, GRACE), Verdict::Renew);
        assert_eq!(judge(&used(11), now, GRACE), Verdict::EndFamily);
    }

    #[test]
    fn a_token_that_is_old_or_of_an_ended_log_in_is_refused_and_ends_nothing() {
        let now = OffsetDateTime::now_utc();
        let old = store::RefreshRow { expires_at: now, ..row(now) };
        assert_eq!(judge(&old, now, GRACE), Verdict::Refuse);
        let long_ago = Some(now - Span::hours(1));
        let ended = store::RefreshRow { has_ended: true, used_at: long_ago, ..row(now) };
        assert_eq!(judge(&ended, now, GRACE), Verdict::Refuse);
    }

    #[test]
    fn a_log_in_cannot_be_renewed_for_ever() {
        let now = OffsetDateTime::now_utc();
        let old = store::RefreshRow { opened_at: now - Span::days(90), ..row(now) };
        assert_eq!(judge(&old, now, GRACE), Verdict::Refuse);
    }

    #[test]
    fn only_64_hex_digits_are_a_token() {
        assert!(RefreshToken::parse(&"a1".repeat(32)).is_some());
        assert!(RefreshToken::parse(&"a1".repeat(31)).is_none());
        assert!(RefreshToken::parse(&"g1".repeat(32)).is_none());
    }
}
