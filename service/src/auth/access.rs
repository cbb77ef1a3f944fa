//! Access tokens: signed, short-lived, checked without the database. And challenges, which stand between password and code.
//!
//! Invariants: a token names the key that signed it; a key that is no longer configured is no longer good; a challenge is
//! never an access token, and the other way round.

use crate::auth::caller::{Caller, LoginId};
use crate::auth::sha256;
use crate::config::Secret;
use crate::error::ApiError;
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode, get_current_timestamp,
};
use onelap_protocol::UserId;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// How long an access token is good.
pub(super) const ACCESS_LIFE: Duration = Duration::from_secs(15 * 60);
/// How long the second step of a log-in may take.
pub(super) const CHALLENGE_LIFE: Duration = Duration::from_secs(5 * 60);

const ISSUER: &str = "onelap";
const ACCESS: &str = "access";
const CHALLENGE: &str = "challenge";

/// What an access token says.
#[derive(Debug, Serialize, Deserialize)]
pub struct Claims {
    sub: UserId,
    /// The log-in.
    sid: LoginId,
    /// When the password was last shown.
    auth_time: u64,
    iss: String,
    aud: String,
    iat: u64,
    exp: u64,
}

impl Claims {
    /// Who has logged in.
    #[must_use]
    pub fn caller(&self) -> Caller {
        Caller { user: self.sub, login: self.sid, authenticated_at_s: self.auth_time }
    }

    /// In which log-in.
    #[must_use]
    pub fn login(&self) -> LoginId {
        self.sid
    }

    /// When the token was made.
    #[must_use]
    pub fn issued_at_s(&self) -> u64 {
        self.iat
    }
}

/// Somebody who has shown the right password and not yet the code.
#[derive(Debug, Serialize, Deserialize)]
pub struct Challenge {
    sub: UserId,
    iss: String,
    aud: String,
    iat: u64,
    exp: u64,
}

impl Challenge {
    /// Who.
    #[must_use]
    pub fn user(&self) -> UserId {
        self.sub
    }

    /// When the password was shown.
    #[must_use]
    pub fn issued_at_s(&self) -> u64 {
        self.iat
    }
}

struct Key {
    id: String,
    checking: DecodingKey,
}

/// Signs and checks access tokens.
pub struct AccessKeys {
    header: Header,
    signing: EncodingKey,
    /// The current one first.
    keys: Vec<Key>,
}

impl fmt::Debug for AccessKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessKeys").field("kid", &self.header.kid).finish_non_exhaustive()
    }
}

/// The name of a secret's key: a hash of it, so that tokens of another secret are told apart.
pub(super) fn key_id(secret: &Secret) -> String {
    let hash = sha256(&[b"kid:", secret.reveal().as_bytes()].concat());
    hash.as_bytes()[..4].iter().map(|b| format!("{b:02x}")).collect()
}

fn validation(audience: &str) -> Validation {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.leeway = 5;
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[audience]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation
}

impl AccessKeys {
    /// Keys that sign with one secret, and take tokens of the one before until those run out.
    #[must_use]
    pub fn new(secret: &Secret, previous: Option<&Secret>) -> Self {
        let key = |secret| Key { id: key_id(secret), checking: DecodingKey::from_secret(secret.reveal().as_bytes()) };
        Self {
            header: Header { kid: Some(key_id(secret)), ..Header::new(Algorithm::HS256) },
            signing: EncodingKey::from_secret(secret.reveal().as_bytes()),
            keys: std::iter::once(secret).chain(previous).map(key).collect(),
        }
    }

    /// A token for a person, good for fifteen minutes.
    ///
    /// # Errors
    /// Where signing fails: a fault of the service.
    pub fn sign(&self, caller: Caller) -> Result<String, ApiError> {
        self.sign_at(caller, get_current_timestamp())
    }

    fn sign_at(&self, caller: Caller, now: u64) -> Result<String, ApiError> {
        self.encode(&Claims {
            sub: caller.user,
            sid: caller.login,
            auth_time: caller.authenticated_at_s,
            iss: ISSUER.to_owned(),
            aud: ACCESS.to_owned(),
            iat: now,
            exp: now + ACCESS_LIFE.as_secs(),
        })
    }

    /// What a token says, if it is good.
    #[must_use]
    pub fn check(&self, token: &str) -> Option<Claims> {
        self.decode(token, ACCESS)
    }

    /// A challenge for a person who has shown the right password.
    ///
    /// # Errors
    /// Where signing fails: a fault of the service.
    pub fn challenge(&self, user: UserId) -> Result<String, ApiError> {
        let iat = get_current_timestamp();
        let exp = iat + CHALLENGE_LIFE.as_secs();
        self.encode(&Challenge { sub: user, iss: ISSUER.to_owned(), aud: CHALLENGE.to_owned(), iat, exp })
    }

    /// What a challenge says, if it is good.
    #[must_use]
    pub fn check_challenge(&self, token: &str) -> Option<Challenge> {
        self.decode(token, CHALLENGE)
    }

    fn encode(&self, claims: &impl Serialize) -> Result<String, ApiError> {
        encode(&self.header, claims, &self.signing)
            .map_err(|error| ApiError::internal(format!("signing an access token: {error}")))
    }

    fn decode<T: DeserializeOwned>(&self, token: &str, audience: &str) -> Option<T> {
        let kid = decode_header(token).ok()?.kid?;
        let key = self.keys.iter().find(|key| key.id == kid)?;
        decode::<T>(token, &key.checking, &validation(audience)).ok().map(|token| token.claims)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn keys(secret: &str) -> AccessKeys {
        AccessKeys::new(&Secret::new(secret), None)
    }

    fn somebody() -> Caller {
        Caller { user: UserId::new(), login: LoginId(Uuid::now_v7()), authenticated_at_s: 7 }
    }

    fn checked(keys: &AccessKeys, token: &str) -> Option<Caller> {
        keys.check(token).map(|claims| claims.caller())
    }

    #[test]
    fn a_token_is_good_under_its_own_secret_only() {
        let caller = somebody();
        let token = keys("one").sign(caller).unwrap();
        assert_eq!(checked(&keys("one"), &token), Some(caller));
        assert_eq!(checked(&keys("two"), &token), None);
        assert_eq!(checked(&keys("one"), "x.y.z"), None);
    }

    #[test]
    fn a_key_that_was_replaced_is_good_for_as_long_as_it_is_named() {
        let token = keys("old").sign(somebody()).unwrap();
        let rotated = AccessKeys::new(&Secret::new("new"), Some(&Secret::new("old")));
        assert!(rotated.check(&token).is_some());
        assert!(keys("old").check(&rotated.sign(somebody()).unwrap()).is_none(), "new ones are of the new key");
        assert!(keys("new").check(&token).is_none(), "and it is gone when it is no longer named");
    }

    #[test]
    fn a_token_ends() {
        let keys = keys("one");
        let long_ago = get_current_timestamp() - ACCESS_LIFE.as_secs() - 10;
        assert!(keys.check(&keys.sign_at(somebody(), long_ago).unwrap()).is_none());
    }

    #[test]
    fn a_challenge_is_no_token_and_a_token_no_challenge() {
        let keys = keys("one");
        let user = UserId::new();
        let challenge = keys.challenge(user).unwrap();
        assert!(keys.check(&challenge).is_none());
        assert_eq!(keys.check_challenge(&challenge).unwrap().user(), user);
        assert!(keys.check_challenge(&keys.sign(somebody()).unwrap()).is_none());
    }

    #[test]
    fn a_token_that_names_no_algorithm_is_refused() {
        let keys = keys("one");
        let token = keys.sign(somebody()).unwrap();
        let body = token.split('.').nth(1).unwrap();
        // {"alg":"none","typ":"JWT"}
        assert!(keys.check(&format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{body}.")).is_none());
        let kid = keys.header.kid.as_deref().unwrap();
        let head = data_encoding::BASE64URL_NOPAD.encode(format!(r#"{{"alg":"none","kid":"{kid}"}}"#).as_bytes());
        assert!(keys.check(&format!("{head}.{body}.")).is_none());
    }
}
