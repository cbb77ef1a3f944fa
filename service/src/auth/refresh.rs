//! Refresh tokens: one use each, in families.
//!
//! Log-in opens a family; each use of a token makes the next one. A token that is used again later than a short grace
//! was copied: its whole family ends, thief and owner alike, and the owner logs in again.

use crate::auth::{Sha256Hash, sha256, store};
use crate::db::Db;
use crate::error::ApiError;
use onelap_protocol::UserId;
use std::fmt;
use std::time::Duration;
use time::OffsetDateTime;
use uuid::Uuid;

/// How long a token waits to be used.
pub(super) const REFRESH_LIFE: Duration = Duration::from_secs(30 * 24 * 3600);

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
        let mut bytes = [0u8; BYTES];
        getrandom::fill(&mut bytes).map_err(|error| ApiError::internal(format!("random bytes: {error}")))?;
        Ok(Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect()))
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
        _ if row.revoked_at.is_some() || row.expires_at <= now => Verdict::Refuse,
        Some(used_at) if now - used_at > grace => Verdict::EndFamily,
        _ => Verdict::Renew,
    }
}

/// Opens a family for somebody who has shown a password.
///
/// # Errors
/// Where the database fails.
pub async fn open(db: &Db, user: UserId) -> Result<RefreshToken, ApiError> {
    let token = RefreshToken::random()?;
    let mut connection = db.web.acquire().await?;
    store::forget_expired(&mut connection, user).await?;
    let expires_at = OffsetDateTime::now_utc() + REFRESH_LIFE;
    store::insert_refresh(&mut connection, &token.hash(), user, Uuid::now_v7(), expires_at).await?;
    Ok(token)
}

/// Takes a token and gives the next one of its family.
///
/// # Errors
/// [`ApiError::Unauthenticated`] where the token is not good; a token that was copied ends its family.
pub async fn renew(db: &Db, token: &RefreshToken, grace: Duration) -> Result<(UserId, RefreshToken), ApiError> {
    let mut tx = db.web.begin().await?;
    let Some(row) = store::lock_refresh(&mut tx, &token.hash()).await? else { return Err(LOG_IN_AGAIN) };
    let now = OffsetDateTime::now_utc();
    match judge(&row, now, grace) {
        Verdict::Refuse => Err(LOG_IN_AGAIN),
        Verdict::EndFamily => {
            store::revoke_family(&mut tx, row.family).await?;
            tx.commit().await?;
            tracing::warn!(user = %row.user, family = %row.family, "a refresh token was used twice: its family is ended");
            Err(LOG_IN_AGAIN)
        }
        Verdict::Renew => {
            let next = RefreshToken::random()?;
            store::mark_used(&mut tx, &token.hash()).await?;
            store::forget_expired(&mut tx, row.user).await?;
            store::insert_refresh(&mut tx, &next.hash(), row.user, row.family, now + REFRESH_LIFE).await?;
            tx.commit().await?;
            Ok((row.user, next))
        }
    }
}

/// Ends the family of a token, if there is one.
///
/// # Errors
/// Where the database fails.
pub async fn close(db: &Db, token: &RefreshToken) -> Result<(), ApiError> {
    let mut tx = db.web.begin().await?;
    if let Some(row) = store::lock_refresh(&mut tx, &token.hash()).await? {
        store::revoke_family(&mut tx, row.family).await?;
        tx.commit().await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::Duration as Span;

    const GRACE: Duration = Duration::from_secs(10);

    fn row(now: OffsetDateTime) -> store::RefreshRow {
        let (user, family) = (UserId::new(), Uuid::now_v7());
        store::RefreshRow { user, family, expires_at: now + Span::days(1), used_at: None, revoked_at: None }
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
    fn an_old_or_revoked_token_is_refused_and_ends_nothing() {
        let now = OffsetDateTime::now_utc();
        let old = store::RefreshRow { expires_at: now, ..row(now) };
        assert_eq!(judge(&old, now, GRACE), Verdict::Refuse);
        let long_ago = Some(now - Span::hours(1));
        let revoked = store::RefreshRow { revoked_at: long_ago, used_at: long_ago, ..row(now) };
        assert_eq!(judge(&revoked, now, GRACE), Verdict::Refuse);
    }

    #[test]
    fn only_64_hex_digits_are_a_token() {
        assert!(RefreshToken::parse(&"a1".repeat(32)).is_some());
        assert!(RefreshToken::parse(&"a1".repeat(31)).is_none());
        assert!(RefreshToken::parse(&"g1".repeat(32)).is_none());
    }
}
