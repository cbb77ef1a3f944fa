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
mod caller;
mod cookies;
mod limit;
mod logins;
mod origin;
mod password;
mod refresh;
mod revocations;
mod scope;
mod seal;
mod secret;
mod store;
mod throttle;
pub mod totp;
mod visitor;

pub use access::AccessKeys;
pub use caller::{Caller, LoginId, RECENT_S, Recent, Verified, require_verified};
pub use cookies::Cookies;
pub use limit::{Limit, SharedCounters};
pub use logins::{Ended, Login, confirm, end_all, end_one, list};
pub use origin::{check_origin, require_origin};
pub use password::{Password, Passwords};
pub use refresh::{LoggedIn, RefreshToken, close, open, renew};
pub use revocations::{Revocations, Watch};
pub use scope::{RigScope, Role, TeamScope, rig_scope, still_valid, team_scope};
pub use seal::Seals;
pub use secret::{Sha256Hash, random_text, sha256};
pub use throttle::{Throttle, Throttles, client_key};
pub use visitor::Visitor;

use crate::config::Config;
use std::sync::Arc;
use throttle::client_address;

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
    /// Which log-ins have ended.
    pub revocations: Arc<Revocations>,
    /// Encrypts what is kept of second factors.
    pub seals: Seals,
}

impl Auth {
    /// From the configuration.
    ///
    /// # Errors
    /// Where the system gives no random bytes.
    pub fn new(config: &Config) -> Result<Self, getrandom::Error> {
        let auth = &config.auth;
        let shared = auth.redis_url.as_ref().and_then(|url| SharedCounters::new(url.reveal()).ok());
        Ok(Self {
            access: AccessKeys::new(&auth.jwt_secret, auth.jwt_secret_previous.as_ref()),
            passwords: Passwords::new()?,
            throttles: Throttles::new(auth, shared.as_ref()),
            cookies: Cookies::new(config.http.is_https()),
            revocations: Arc::default(),
            seals: Seals::new(&auth.jwt_secret, auth.jwt_secret_previous.as_ref()),
        })
    }
}
