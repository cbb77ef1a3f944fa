//! API keys: for a team's own tools, to read what its members can see.
//!
//! ```text
//! Authorization: Bearer 1lap_key_{public}_{secret}{crc}      the parts are those of a rig's token
//! ```
//!
//! Invariants: a key reads and never changes anything; what it reads follows from its scopes; the secret is shown once and
//! kept as its hash; a key ends with its maker's right to make one.

pub(crate) mod routes;
mod store;

pub use routes::routes;
pub(crate) use store::revoke_of;

use crate::app::State;
use crate::auth::grammar::{self, KEY_PREFIX};
use crate::auth::{self, Action, random_text, sha256};
use crate::db::{Db, Tenant};
use crate::error::ApiError;
use onelap_protocol::token::{
    TOKEN_PUBLIC_ALPHABET, TOKEN_PUBLIC_LEN, TOKEN_SECRET_ALPHABET, TOKEN_SECRET_LEN, check_sum,
};
use onelap_protocol::{ApiKeyId, TeamId};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Keys that a team can have.
const MAX_KEYS: i64 = 50;

const NO_KEY: ApiError = ApiError::Unauthenticated("this is not a whole API key: one begins with 1lap_key_");
const UNKNOWN: ApiError = ApiError::Unauthenticated("this API key is not known here, was revoked, or has expired");

/// What a key may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Rigs and sessions, live.
    ReadLive,
    /// Recorded sessions, laps and traces.
    ReadHistory,
    /// Setups, live and recorded.
    ReadSetups,
}

impl Scope {
    const ALL: [Self; 3] = [Self::ReadLive, Self::ReadHistory, Self::ReadSetups];

    fn word(self) -> &'static str {
        match self {
            Self::ReadLive => "read_live",
            Self::ReadHistory => "read_history",
            Self::ReadSetups => "read_setups",
        }
    }

    fn covering(action: Action) -> Option<Self> {
        match action {
            Action::SeeLive => Some(Self::ReadLive),
            Action::SeeHistory => Some(Self::ReadHistory),
            Action::SeeSetups => Some(Self::ReadSetups),
            _ => None,
        }
    }
}

/// A key that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Whose.
    pub team: TeamId,
    /// Which.
    pub id: ApiKeyId,
    /// What it may read.
    pub scopes: Vec<Scope>,
}

impl ApiKey {
    /// Checks that an action is covered.
    ///
    /// # Errors
    /// [`ApiError::NotAllowed`] names the scope that would be needed.
    pub fn check(&self, action: Action) -> Result<(), ApiError> {
        match Scope::covering(action) {
            Some(scope) if self.scopes.contains(&scope) => Ok(()),
            Some(scope) => Err(ApiError::NotAllowed(format!("this API key needs the scope {}", scope.word()))),
            None => Err(ApiError::NotAllowed("API keys cannot do this".to_owned())),
        }
    }
}

/// The text of a key.
#[derive(Clone, PartialEq, Eq)]
struct KeyText(String);

impl fmt::Debug for KeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyText({KEY_PREFIX}{}_…)", self.public())
    }
}

impl KeyText {
    fn random() -> Result<Self, ApiError> {
        let random = |alphabet, len| {
            random_text(alphabet, len).map_err(|error| ApiError::internal(format!("random bytes: {error}")))
        };
        let public = random(TOKEN_PUBLIC_ALPHABET, TOKEN_PUBLIC_LEN)?;
        let secret = random(TOKEN_SECRET_ALPHABET, TOKEN_SECRET_LEN)?;
        let text = format!("{KEY_PREFIX}{public}_{secret}");
        let sum = check_sum(&text);
        Ok(Self(text + &sum))
    }

    fn parse(text: &str) -> Option<Self> {
        grammar::api_key(text).map(|_| Self(text.to_owned()))
    }

    fn public(&self) -> &str {
        &self.0[KEY_PREFIX.len()..KEY_PREFIX.len() + TOKEN_PUBLIC_LEN]
    }

    fn secret(&self) -> &str {
        let start = KEY_PREFIX.len() + TOKEN_PUBLIC_LEN + 1;
        &self.0[start..start + TOKEN_SECRET_LEN]
    }
}

/// Checks a key that came with a request, and counts it.
///
/// # Errors
/// What is wrong with it; [`ApiError::RateLimited`] where it asks too much.
pub(crate) async fn present(state: &State, text: &str, from: &str) -> Result<ApiKey, ApiError> {
    let text = KeyText::parse(text).ok_or(NO_KEY)?;
    // Counted before it is checked: guessing costs as much.
    state.auth.limits.keys.take(text.public()).await?;
    let mut tx = state.db.presented_key(text.public()).await?;
    let row = store::presented(&mut tx, text.public()).await?;
    tx.commit().await?;
    let row = row.filter(|row| sha256(text.secret().as_bytes()).is(&row.secret_hash)).ok_or(UNKNOWN)?;
    let key = find(&state.db, row.team, row.id).await?;
    let mut tx = state.db.tenant(Tenant::verified(row.team)).await?;
    store::touch(&mut tx, row.id, from).await?;
    tx.commit().await?;
    Ok(key)
}

async fn find(db: &Db, team: TeamId, id: ApiKeyId) -> Result<ApiKey, ApiError> {
    // Whoever asks has shown the key.
    let mut tx = db.tenant(Tenant::verified(team)).await?;
    let row = store::find(&mut tx, id).await?;
    tx.commit().await?;
    let row = row.ok_or(UNKNOWN)?;
    if let Some(reason) = row.disabled {
        return Err(auth::disabled(&reason));
    }
    let scopes = Scope::ALL.into_iter().filter(|scope| row.scopes.iter().any(|word| word == scope.word())).collect();
    Ok(ApiKey { team, id, scopes })
}

/// The same key as it is now.
///
/// # Errors
/// Where it is no longer good.
pub(crate) async fn again(db: &Db, key: &ApiKey) -> Result<ApiKey, ApiError> {
    find(db, key.team, key.id).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_back_and_a_misspelt_one_does_not() {
        let key = KeyText::random().unwrap();
        assert_eq!(KeyText::parse(&key.0).as_ref(), Some(&key));
        assert!(!format!("{key:?}").contains(key.secret()));
        let at = key.0.len() - 10;
        let other = if &key.0[at..=at] == "a" { "b" } else { "a" };
        let misspelt = format!("{}{other}{}", &key.0[..at], &key.0[at + 1..]);
        assert_eq!(KeyText::parse(&misspelt), None);
        for text in ["", "1lap_key_", "1lap_key__", "1lap_rig_0a1b2c3d4e5f_x", "1lap_key_é_é"] {
            assert_eq!(KeyText::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_key_reads_what_its_scopes_say_and_changes_nothing() {
        let key = ApiKey { team: TeamId::new(), id: ApiKeyId::new(), scopes: vec![Scope::ReadHistory] };
        assert!(key.check(Action::SeeHistory).is_ok());
        assert!(key.check(Action::SeeSetups).unwrap_err().to_string().contains("read_setups"));
        let all = ApiKey { scopes: Scope::ALL.to_vec(), ..key };
        for rule in auth::permissions::TABLE {
            let is_reading = matches!(rule.action, Action::SeeLive | Action::SeeHistory | Action::SeeSetups);
            assert_eq!(all.check(rule.action).is_ok(), is_reading, "{:?}", rule.action);
        }
    }
}
