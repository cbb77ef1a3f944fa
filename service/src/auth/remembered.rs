//! Rig tokens that were good a while ago, for when Postgres does not answer: a rig whose link breaks during an outage is
//! live again all the same.
//!
//! Invariants: only what this process has checked against Postgres is in here, for an hour, as a hash; a token or rig that
//! is revoked or deleted here is forgotten; whoever is let in by memory is checked again as soon as Postgres answers
//! (`ingest`).

use crate::auth::{RigScope, sha256};
use onelap_protocol::{RigId, RigToken, TokenId};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a check counts.
const REMEMBERED: Duration = Duration::from_secs(3600);
/// Most tokens; the oldest go first.
const MOST: usize = 10_000;

/// See the module. A lock, because it is held for a look-up only.
#[derive(Debug, Default)]
pub struct RememberedTokens(Mutex<HashMap<String, Known>>);

#[derive(Debug)]
struct Known {
    secret_hash: Vec<u8>,
    scope: RigScope,
    checked: Instant,
}

impl RememberedTokens {
    fn known(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This token was just checked against Postgres.
    pub(super) fn remember(&self, token: &RigToken, scope: &RigScope) {
        let now = Instant::now();
        let mut known = self.known();
        if known.len() >= MOST {
            known.retain(|_, k| now.duration_since(k.checked) < REMEMBERED);
        }
        if known.len() >= MOST {
            let oldest = known.iter().min_by_key(|(_, k)| k.checked).map(|(public, _)| public.clone());
            oldest.and_then(|public| known.remove(&public));
        }
        let secret_hash = sha256(token.secret().as_bytes()).as_bytes().to_vec();
        known.insert(token.public().to_owned(), Known { secret_hash, scope: scope.clone(), checked: now });
    }

    /// What a token opened when it was checked last, if that is not too long ago.
    pub(super) fn recall(&self, token: &RigToken) -> Option<RigScope> {
        let known = self.known();
        let found = known.get(token.public()).filter(|k| k.checked.elapsed() < REMEMBERED)?;
        sha256(token.secret().as_bytes())
            .is(&found.secret_hash)
            .then(|| RigScope { is_remembered: true, ..found.scope.clone() })
    }

    /// The token is good no more.
    pub fn forget(&self, token: TokenId) {
        self.known().retain(|_, k| k.scope.token != token);
    }

    /// The rig is no more.
    pub fn forget_rig(&self, rig: RigId) {
        self.known().retain(|_, k| k.scope.rig != rig);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Tenant;
    use onelap_protocol::TeamId;

    fn token(public: &str, secret: &str) -> RigToken {
        RigToken::assemble(public, secret).unwrap()
    }

    #[test]
    fn a_token_is_remembered_until_it_is_revoked() {
        let tokens = RememberedTokens::default();
        let (public, secret) = ("a".repeat(onelap_protocol::token::TOKEN_PUBLIC_LEN), "B");
        let secret = secret.repeat(onelap_protocol::token::TOKEN_SECRET_LEN);
        let good = token(&public, &secret);
        let scope = RigScope {
            tenant: Tenant::verified(TeamId::new()),
            team_name: "ours".into(),
            rig: RigId::new(),
            rig_name: "RIG_A".into(),
            token: TokenId::new(),
            is_remembered: false,
        };
        assert!(tokens.recall(&good).is_none(), "never checked");
        tokens.remember(&good, &scope);
        assert_eq!(tokens.recall(&good), Some(RigScope { is_remembered: true, ..scope.clone() }));
        let guessed = token(&public, &"C".repeat(onelap_protocol::token::TOKEN_SECRET_LEN));
        assert!(tokens.recall(&guessed).is_none());
        tokens.forget(scope.token);
        assert!(tokens.recall(&good).is_none());
    }
}
