//! Who is asking, and what they may touch.
//!
//! People: a password (argon2id) opens a family of refresh tokens, which renew short access tokens; both travel in
//! cookies. Rigs: a token in the `Authorization` header. A handler that asks for [`Caller`], [`TeamScope`] or
//! [`RigScope`] can only receive one that was checked.
//!
//! Invariants: secrets are kept as hashes only and compared in constant time; an unknown account costs the same work as
//! a wrong password; a team that the caller is not in looks the same as one that does not exist; whatever changes
//! something needs the service's own `Origin`.
//!
//! Not here: the routes of log-in (`accounts`), making rig tokens (`rigs`).

mod access;
mod cookies;
mod origin;
mod password;
mod refresh;
mod remembered;
mod scope;
mod secret;
mod store;
mod throttle;

pub use access::AccessKeys;
pub use cookies::Cookies;
pub use origin::{check_origin, require_origin};
pub use password::{Password, Passwords};
pub use refresh::{RefreshToken, close, open, renew};
pub use remembered::RememberedTokens;
pub use scope::{Caller, RigScope, Role, TeamScope, still_valid, team_scope};
pub use secret::{Sha256Hash, random_text, sha256};
pub use throttle::{Throttle, Throttles, client_key};

use crate::config::Config;

/// What log-in needs, made once.
#[derive(Debug)]
pub struct Auth {
    /// Signs and checks access tokens.
    pub access: AccessKeys,
    /// Hashes and checks passwords.
    pub passwords: Passwords,
    /// Slows down guessing.
    pub throttles: Throttles,
    /// Names and flags of the cookies.
    pub cookies: Cookies,
    /// Rig tokens that were good a while ago.
    pub remembered: RememberedTokens,
}

impl Auth {
    /// From the configuration.
    ///
    /// # Errors
    /// Where the system gives no random bytes.
    pub fn new(config: &Config) -> Result<Self, getrandom::Error> {
        Ok(Self {
            access: AccessKeys::new(&config.auth.jwt_secret),
            passwords: Passwords::new()?,
            throttles: Throttles::new(&config.auth),
            cookies: Cookies::new(config.http.is_https()),
            remembered: RememberedTokens::default(),
        })
    }
}
