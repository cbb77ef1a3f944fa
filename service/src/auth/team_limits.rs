//! How often secrets of teams may be tried, how much their keys may ask, and how often their rigs connect.

use crate::auth::{Limit, SharedCounters, Throttle};
use crate::limits::LimitsConfig;
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
    /// Connections of a rig's agent.
    pub connections: Limit,
    /// Tries at the operator's token from an address.
    pub operators: Limit,
}

impl TeamLimits {
    pub(super) fn new(config: &LimitsConfig, shared: Option<&SharedCounters>) -> Self {
        let connects = config.rig_connects_per_min.clamp(1, 60_000);
        let limit = |name, what, burst, every_ms| {
            Limit::new(name, Throttle::new(what, burst, Duration::from_millis(every_ms)), shared.cloned())
        };
        Self {
            links: limit("team-links", "links opened from this address", 60, 2_000),
            share_passwords: limit("share-passwords", "wrong passwords for this link", 10, 30_000),
            devices: limit("pairings", "pairings from this address", 20, 30_000),
            codes: limit("pairing-codes", "pairing codes", 20, 15_000),
            keys: limit("keys", "requests with this API key", 100, 50),
            connections: limit("rig-connects", "connections of this rig", connects, 60_000 / u64::from(connects)),
            operators: limit("operators", "requests of operators", 600, 100),
        }
    }
}
