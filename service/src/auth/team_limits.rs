//! How often secrets of teams may be tried, and how much their keys may ask.

use crate::auth::{Limit, SharedCounters, Throttle};
use std::time::Duration;

/// The throttles of teams' secrets: shared by all instances where there is a Redis (`limit`).
#[derive(Debug)]
pub struct TeamLimits {
    /// Invitations and share links tried from an address.
    pub links: Limit,
    /// Passwords tried at a share link.
    pub share_passwords: Limit,
    /// Agents that ask to be paired, from an address.
    pub devices: Limit,
    /// Pairing codes tried by a member.
    pub codes: Limit,
    /// Requests with an API key.
    pub keys: Limit,
    /// Tries at the operator's token from an address.
    pub operators: Limit,
}

impl TeamLimits {
    pub(super) fn new(shared: Option<&SharedCounters>) -> Self {
        let limit = |name, what, burst, every_ms| {
            Limit::new(name, Throttle::new(what, burst, Duration::from_millis(every_ms)), shared.cloned())
        };
        Self {
            links: limit("team-links", "links opened from this address", 60, 2_000),
            share_passwords: limit("share-passwords", "wrong passwords for this link", 10, 30_000),
            devices: limit("pairings", "pairings from this address", 20, 30_000),
            codes: limit("pairing-codes", "pairing codes", 20, 15_000),
            keys: limit("keys", "requests with this API key", 100, 50),
            operators: limit("operators", "requests of operators", 600, 100),
        }
    }
}
