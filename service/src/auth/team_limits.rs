//! How often secrets of teams may be tried, and how much their keys may ask.

use crate::auth::Throttle;
use std::time::Duration;

/// The throttles of teams' secrets. In this process.
#[derive(Debug)]
pub struct TeamLimits {
    /// Invitations and share links tried from an address.
    pub links: Throttle,
    /// Passwords tried at a share link.
    pub share_passwords: Throttle,
    /// Agents that ask to be paired, from an address.
    pub devices: Throttle,
    /// Pairing codes tried by a member.
    pub codes: Throttle,
    /// Requests with an API key.
    pub keys: Throttle,
    /// Tries at the operator's token from an address.
    pub operators: Throttle,
}

impl Default for TeamLimits {
    fn default() -> Self {
        let every = Duration::from_millis;
        Self {
            links: Throttle::new("links opened from this address", 60, every(2_000)),
            share_passwords: Throttle::new("wrong passwords for this link", 10, every(30_000)),
            devices: Throttle::new("pairings from this address", 20, every(30_000)),
            codes: Throttle::new("pairing codes", 20, every(15_000)),
            keys: Throttle::new("requests with this API key", 100, every(50)),
            operators: Throttle::new("requests of operators", 600, every(100)),
        }
    }
}
