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
pub mod authority;
mod caller;
mod cookies;
pub(crate) mod grammar;
mod limit;
mod link;
mod logins;
mod origin;
mod password;
pub mod permissions;
mod refresh;
mod remembered;
mod revocations;
mod scope;
mod seal;
mod secret;
mod store;
mod team_limits;
mod throttle;
pub mod totp;
mod visitor;

pub use access::AccessKeys;
pub use authority::Authority;
pub use caller::{Caller, LoginId, RECENT_S, Recent, Verified, require_verified};
pub use cookies::Cookies;
pub use limit::{Limit, SharedCounters};
pub use link::{LinkKind, LinkSecret};
pub use logins::{Ended, Login, confirm, end_all, end_one, list};
pub use origin::{check_origin, require_origin};
pub use password::{Password, Passwords};
pub use permissions::{Access, Action, Role};
pub use refresh::{LoggedIn, RefreshToken, close, open, renew};
pub use remembered::RememberedTokens;
pub use revocations::{Revocations, Watch};
pub(crate) use scope::disabled;
pub use scope::{Credential, Membership, ReadScope, Reader, RigScope, TeamScope, membership, still_valid};
pub use seal::Seals;
pub use secret::{Sha256Hash, random_text, sha256};
pub use team_limits::TeamLimits;
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
    /// How often secrets of teams may be tried.
    pub limits: TeamLimits,
    /// Names and flags of the cookies.
    pub cookies: Cookies,
    /// Rig tokens that were good a while ago.
    pub remembered: RememberedTokens,
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
        let shared = config.redis.as_ref().and_then(|url| SharedCounters::new(url.reveal()).ok());
        Ok(Self {
            access: AccessKeys::new(&auth.jwt_secret, auth.jwt_secret_previous.as_ref()),
            passwords: Passwords::new()?,
            throttles: Throttles::new(auth, shared.as_ref()),
            cookies: Cookies::new(config.http.is_https()),
            limits: TeamLimits::new(&config.limits, shared.as_ref()),
            remembered: RememberedTokens::default(),
            revocations: Arc::default(),
            seals: Seals::new(&auth.jwt_secret, auth.jwt_secret_previous.as_ref()),
        })
    }
}
