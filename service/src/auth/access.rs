//! Access tokens: signed, short-lived, checked without the database.

use crate::auth::sha256;
use crate::config::Secret;
use crate::error::ApiError;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode, get_current_timestamp};
use onelap_protocol::UserId;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// How long an access token is good.
pub(super) const ACCESS_LIFE: Duration = Duration::from_secs(15 * 60);

const ISSUER: &str = "onelap";

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: UserId,
    iss: String,
    iat: u64,
    exp: u64,
}

/// Signs and checks access tokens.
pub struct AccessKeys {
    header: Header,
    signing: EncodingKey,
    checking: DecodingKey,
    validation: Validation,
}

impl fmt::Debug for AccessKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessKeys").field("kid", &self.header.kid).finish_non_exhaustive()
    }
}

impl AccessKeys {
    /// Keys of a secret. The key id is a hash of it, so that tokens of another secret are told apart.
    #[must_use]
    pub fn new(secret: &Secret) -> Self {
        let bytes = secret.reveal().as_bytes();
        let kid = sha256(&[b"kid:", bytes].concat()).as_bytes()[..4].iter().map(|b| format!("{b:02x}")).collect();
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 5;
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "iss", "sub"]);
        Self {
            header: Header { kid: Some(kid), ..Header::new(Algorithm::HS256) },
            signing: EncodingKey::from_secret(bytes),
            checking: DecodingKey::from_secret(bytes),
            validation,
        }
    }

    /// A token for a person, good for fifteen minutes.
    ///
    /// # Errors
    /// Where signing fails: a fault of the service.
    pub fn sign(&self, user: UserId) -> Result<String, ApiError> {
        self.sign_at(user, get_current_timestamp())
    }

    fn sign_at(&self, user: UserId, now: u64) -> Result<String, ApiError> {
        let claims = Claims { sub: user, iss: ISSUER.to_owned(), iat: now, exp: now + ACCESS_LIFE.as_secs() };
        encode(&self.header, &claims, &self.signing)
            .map_err(|error| ApiError::internal(format!("signing an access token: {error}")))
    }

    /// Whose token it is, if it is good.
    #[must_use]
    pub fn check(&self, token: &str) -> Option<UserId> {
        decode::<Claims>(token, &self.checking, &self.validation).ok().map(|token| token.claims.sub)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(secret: &str) -> AccessKeys {
        AccessKeys::new(&Secret::new(secret))
    }

    #[test]
    fn a_token_is_good_under_its_own_secret_only() {
        let user = UserId::new();
        let token = keys("one").sign(user).unwrap();
        assert_eq!(keys("one").check(&token), Some(user));
        assert_eq!(keys("two").check(&token), None);
        assert_eq!(keys("one").check("x.y.z"), None);
    }

    #[test]
    fn a_token_ends() {
        let keys = keys("one");
        let long_ago = get_current_timestamp() - ACCESS_LIFE.as_secs() - 10;
        assert_eq!(keys.check(&keys.sign_at(UserId::new(), long_ago).unwrap()), None);
    }

    #[test]
    fn a_token_that_names_no_algorithm_is_refused() {
        let keys = keys("one");
        let token = keys.sign(UserId::new()).unwrap();
        let body = token.split('.').nth(1).unwrap();
        // {"alg":"none","typ":"JWT"}
        assert_eq!(keys.check(&format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{body}.")), None);
    }
}
