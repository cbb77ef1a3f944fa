//! Slows down guessing: so many in a row, then one every so often.
//!
//! Invariant: bounded memory, whatever addresses and accounts are tried; when full, those that are quiet are forgotten
//! first.
//!
//! Not here: other instances (`limit`). Each throttle counts for itself.

use crate::auth::limit::{Limit, SharedCounters};
use crate::config::{AuthConfig, HttpConfig};
use crate::error::ApiError;
use actix_web::HttpRequest;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Most keys that one throttle remembers.
const MAX_KEYS: usize = 20_000;

/// One kind of thing that is counted.
#[derive(Debug)]
pub struct Throttle {
    what: &'static str,
    burst: u32,
    refill: Duration,
    /// When each key will have nothing left to pay. A lock is right: held for a look-up, never across an await.
    debts: Mutex<HashMap<String, Instant>>,
}

impl Throttle {
    /// `burst` in a row, then one every `refill`.
    #[must_use]
    pub fn new(what: &'static str, burst: u32, refill: Duration) -> Self {
        Self { what, burst: burst.max(1), refill, debts: Mutex::new(HashMap::new()) }
    }

    pub(super) fn refill(&self) -> Duration {
        self.refill
    }

    /// What a key may owe and still come through.
    pub(super) fn limit(&self) -> Duration {
        self.refill * (self.burst - 1)
    }

    pub(super) fn refusal(&self, wait: Duration) -> ApiError {
        let wait = wait.as_secs_f64().ceil().max(1.0);
        ApiError::RateLimited { what: self.what, retry_after_s: wait as u64 }
    }

    /// Counts one.
    ///
    /// # Errors
    /// [`ApiError::RateLimited`] says when to come back.
    pub fn take(&self, key: &str) -> Result<(), ApiError> {
        self.take_at(key, Instant::now())
    }

    fn take_at(&self, key: &str, now: Instant) -> Result<(), ApiError> {
        let mut debts = self.debts.lock().unwrap_or_else(PoisonError::into_inner);
        let paid_at = debts.get(key).copied().unwrap_or(now).max(now);
        let debt = paid_at - now;
        let limit = self.limit();
        if debt > limit {
            return Err(self.refusal(debt - limit));
        }
        if debts.len() >= MAX_KEYS && !debts.contains_key(key) {
            make_room(&mut debts, now);
        }
        debts.insert(key.to_owned(), paid_at + self.refill);
        Ok(())
    }

    /// Takes one back: it was no failure.
    pub fn give_back(&self, key: &str) {
        let mut debts = self.debts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(paid_at) = debts.get_mut(key) {
            *paid_at = paid_at.checked_sub(self.refill).unwrap_or(*paid_at);
        }
    }
}

/// Forgets who owes nothing; where that is not enough, the half that owes least.
fn make_room(debts: &mut HashMap<String, Instant>, now: Instant) {
    debts.retain(|_, paid_at| *paid_at > now);
    if debts.len() >= MAX_KEYS {
        let mut all: Vec<Instant> = debts.values().copied().collect();
        let middle = all.len() / 2;
        let (_, median, _) = all.select_nth_unstable(middle);
        let median = *median;
        debts.retain(|_, paid_at| *paid_at > median);
    }
}

/// The throttles of people.
#[derive(Debug)]
pub struct Throttles {
    /// Sign-ups from an address.
    pub signups: Limit,
    /// Failed log-ins from an address.
    pub from_address: Limit,
    /// Failed log-ins to an account.
    pub to_account: Limit,
    /// Wrong codes of a second factor, of an account.
    pub codes: Limit,
    /// Links tried from an address.
    pub links: Limit,
    /// Letters to one address.
    pub letters: Limit,
    /// Letters asked for from one address.
    pub letters_asked: Limit,
}

impl Throttles {
    pub(super) fn new(config: &AuthConfig, shared: Option<&SharedCounters>) -> Self {
        let limit = |name, what, burst, refill_s| {
            Limit::new(name, Throttle::new(what, burst, Duration::from_secs(refill_s)), shared.cloned())
        };
        Self {
            signups: limit("signups", "sign-ups from this address", config.signups_per_address, 60),
            from_address: limit("logins-from", "failed log-ins from this address", config.failed_logins_per_address, 5),
            to_account: limit("logins-to", "failed log-ins to this account", config.failed_logins_per_account, 30),
            codes: limit("codes", "wrong codes for this account", 5, 60),
            links: limit("links", "links tried from this address", 20, 10),
            letters: limit("letters-to", "letters to this address", 5, 5 * 60),
            letters_asked: limit("letters-from", "letters asked for from this address", 20, 30),
        }
    }
}

/// The address that a request is counted under: one IPv4 address, or one IPv6 network (a caller has a whole one).
#[must_use]
pub fn client_key(request: &HttpRequest, config: &HttpConfig) -> String {
    match client_address(request, config) {
        None => String::new(),
        Some(IpAddr::V4(address)) => address.to_string(),
        Some(IpAddr::V6(address)) => match address.to_ipv4_mapped() {
            Some(address) => address.to_string(),
            None => address.segments()[..4].iter().map(|part| format!("{part:x}:")).collect(),
        },
    }
}

/// The address that a request came from, as far as it can be known.
pub(super) fn client_address(request: &HttpRequest, config: &HttpConfig) -> Option<IpAddr> {
    // Of several, in one line or in many, the last was added by the proxy itself.
    let told = config.client_ip_header.as_deref().and_then(|name| request.headers().get_all(name).last());
    let told =
        told.and_then(|value| value.to_str().ok()).and_then(|value| value.rsplit(',').next()?.trim().parse().ok());
    told.or_else(|| request.peer_addr().map(|peer| peer.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFILL: Duration = Duration::from_secs(30);

    #[test]
    fn after_a_burst_one_comes_through_every_refill() {
        let throttle = Throttle::new("tries", 3, REFILL);
        let start = Instant::now();
        for _ in 0..3 {
            throttle.take_at("a", start).unwrap();
        }
        let refused = throttle.take_at("a", start).unwrap_err();
        assert!(matches!(refused, ApiError::RateLimited { retry_after_s: 30, .. }), "{refused}");
        throttle.take_at("b", start).unwrap();
        throttle.take_at("a", start + REFILL).unwrap();
        assert!(throttle.take_at("a", start + REFILL).is_err());
    }

    #[test]
    fn what_a_caller_says_of_its_own_address_is_not_believed() {
        let config = HttpConfig {
            listen: ([127, 0, 0, 1], 0).into(),
            public_origin: String::new(),
            client_ip_header: Some("x-forwarded-for".into()),
            shutdown_timeout: REFILL,
        };
        let forged = || actix_web::test::TestRequest::default().append_header(("x-forwarded-for", "10.0.0.1"));
        let lines = forged().append_header(("x-forwarded-for", "203.0.113.7")).to_http_request();
        assert_eq!(client_key(&lines, &config), "203.0.113.7");
        let list = forged().insert_header(("x-forwarded-for", "10.0.0.1, 203.0.113.7")).to_http_request();
        assert_eq!(client_key(&list, &config), "203.0.113.7");
    }

    #[test]
    fn what_is_given_back_was_not_counted() {
        let throttle = Throttle::new("tries", 1, REFILL);
        let start = Instant::now();
        for _ in 0..5 {
            throttle.take_at("a", start).unwrap();
            throttle.give_back("a");
        }
    }

    #[test]
    fn memory_is_bounded_and_those_that_owe_most_are_remembered() {
        let throttle = Throttle::new("tries", 3, REFILL);
        let start = Instant::now();
        for _ in 0..3 {
            throttle.take_at("guesser", start).unwrap();
        }
        for i in 0..2 * MAX_KEYS {
            throttle.take_at(&i.to_string(), start).unwrap();
        }
        assert!(throttle.debts.lock().unwrap().len() <= MAX_KEYS);
        assert!(throttle.take_at("guesser", start).is_err());
    }
}
