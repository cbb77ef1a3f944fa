//! Pairing by code (OAuth 2.0 device authorization grant, RFC 8628): the agent shows eight characters, a member of a team
//! types them in, and the token goes straight into the agent's store.
//!
//! Invariants: both codes are kept as hashes; the token is made when the agent fetches it, and kept as its hash like any
//! other; what is approved is good only as long as who approved it may make tokens; any instance can answer each step.
//!
//! Not here: tokens (`rigs`).

pub(crate) mod routes;
mod store;

pub use routes::routes;

use crate::auth::grammar::{self, CODE_ALPHABET, CODE_LEN};
use crate::auth::{random_text, sha256};
use crate::db::Db;
use crate::error::ApiError;
use time::{Duration, OffsetDateTime};

/// How long a code is good.
const LIFE: Duration = Duration::minutes(10);
/// Between two questions of an agent, at first.
const INTERVAL_S: i32 = 5;
/// Path of the page that takes the code.
const PAGE: &str = "/pair";

/// A code as people read and type it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct UserCode(String);

impl UserCode {
    fn random() -> Result<Self, ApiError> {
        let text = random_text(CODE_ALPHABET, CODE_LEN);
        text.map(Self).map_err(|error| ApiError::internal(format!("random bytes: {error}")))
    }

    /// Reads one, in any case, with or without what stands between.
    fn parse(text: &str) -> Option<Self> {
        grammar::user_code(text).map(Self)
    }

    fn shown(&self) -> String {
        format!("{}-{}", &self.0[..CODE_LEN / 2], &self.0[CODE_LEN / 2..])
    }

    fn hash(&self) -> crate::auth::Sha256Hash {
        sha256(format!("pairing code {}", self.0).as_bytes())
    }
}

/// What an agent that asks for its token is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Pending,
    SlowDown,
    Denied,
    Expired,
    /// It was approved.
    Ready,
}

fn judge(
    state: &str,
    expires_at: OffsetDateTime,
    polled_at: Option<OffsetDateTime>,
    interval_s: i32,
    now: OffsetDateTime,
) -> Answer {
    let is_early = polled_at.is_some_and(|at| now - at < Duration::seconds(i64::from(interval_s)));
    match state {
        _ if expires_at <= now => Answer::Expired,
        "denied" => Answer::Denied,
        "collected" => Answer::Expired,
        _ if is_early => Answer::SlowDown,
        "approved" => Answer::Ready,
        _ => Answer::Pending,
    }
}

/// Forgets what nobody waits for any more.
///
/// # Errors
/// Where the database fails.
pub(crate) async fn forget_expired(db: &Db) -> Result<(), sqlx::Error> {
    store::forget_expired(&mut *db.web.acquire().await?).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        let code = UserCode::random().unwrap();
        let shown = code.shown();
        assert_eq!(shown.len(), 9);
        for typed in [shown.clone(), shown.to_lowercase(), shown.replace('-', " "), format!(" {} ", code.0)] {
            assert_eq!(UserCode::parse(&typed), Some(code.clone()), "{typed}");
        }
        for wrong in ["", "BCDF-GHJ", "BCDF-GHJKL", "AEIO-UUUU", "BCDF-GHJ1", "ÄBCDFGHJ"] {
            assert_eq!(UserCode::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_agent_is_told_what_the_standard_says() {
        let now = OffsetDateTime::UNIX_EPOCH + Duration::days(1);
        let (later, ago) = (now + Duration::minutes(5), |seconds| Some(now - Duration::seconds(seconds)));
        assert_eq!(judge("pending", later, None, 5, now), Answer::Pending);
        assert_eq!(judge("pending", later, ago(4), 5, now), Answer::SlowDown);
        assert_eq!(judge("pending", later, ago(6), 5, now), Answer::Pending);
        assert_eq!(judge("approved", later, ago(6), 5, now), Answer::Ready);
        assert_eq!(judge("denied", later, ago(1), 5, now), Answer::Denied);
        assert_eq!(judge("approved", now, ago(6), 5, now), Answer::Expired);
        assert_eq!(judge("collected", later, ago(6), 5, now), Answer::Expired, "a token is given once");
    }
}
