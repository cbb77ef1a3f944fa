//! Throttles that all instances share, in Redis; each instance counts for itself where there is none, or while it is gone.
//!
//! Invariants: a Redis that does not answer costs a caller a fraction of a second, and the next callers nothing; keys say
//! what is counted and a hash of whom, never an address; counters expire by themselves.

use crate::auth::{Throttle, sha256};
use crate::error::ApiError;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{RedisError, cmd};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::OnceCell;

/// How long a caller waits for Redis.
const ANSWER: Duration = Duration::from_millis(250);
/// How long Redis is left alone after it did not answer.
const PAUSE: Duration = Duration::from_secs(2);

/// One step of the generic cell rate algorithm, by Redis's own clock: what is owed until when, in milliseconds. Gives 0
/// or how long to wait.
const TAKE: &str = "local t = redis.call('TIME') \
    local now = t[1] * 1000 + math.floor(t[2] / 1000) \
    local refill, limit = tonumber(ARGV[1]), tonumber(ARGV[2]) \
    local paid = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now) \
    if paid - now > limit then return paid - now - limit end \
    redis.call('SET', KEYS[1], string.format('%.0f', paid + refill), 'PX', paid + refill - now) \
    return 0";
const GIVE_BACK: &str = "local paid = redis.call('GET', KEYS[1]) \
    if not paid then return 0 end \
    redis.call('SET', KEYS[1], string.format('%.0f', paid - ARGV[1]), 'KEEPTTL') \
    return 0";

/// Where counters are shared.
#[derive(Clone)]
pub struct SharedCounters {
    client: redis::Client,
    connection: Arc<OnceCell<ConnectionManager>>,
    began: Instant,
    /// Milliseconds since `began` until which Redis is left alone.
    down_until_ms: Arc<AtomicU64>,
}

impl fmt::Debug for SharedCounters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedCounters(…)")
    }
}

impl SharedCounters {
    /// In a Redis; connects when it is first asked.
    ///
    /// # Errors
    /// Where the address cannot be read.
    pub fn new(url: &str) -> Result<Self, RedisError> {
        let client = redis::Client::open(url)?;
        let (connection, down_until_ms) = (Arc::default(), Arc::default());
        Ok(Self { client, connection, began: Instant::now(), down_until_ms })
    }

    fn now_ms(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }

    async fn run(&self, script: &str, key: &str, arguments: &[u64]) -> Option<u64> {
        if self.now_ms() < self.down_until_ms.load(Ordering::Relaxed) {
            return None;
        }
        let asked = async {
            let config = ConnectionManagerConfig::new().set_number_of_retries(0).set_connection_timeout(Some(ANSWER));
            let connect = || self.client.get_connection_manager_with_config(config);
            let mut connection = self.connection.get_or_try_init(connect).await?.clone();
            cmd("EVAL").arg(script).arg(1).arg(key).arg(arguments).query_async::<u64>(&mut connection).await
        };
        let problem = match tokio::time::timeout(ANSWER, asked).await {
            Ok(Ok(answer)) => return Some(answer),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer in time".to_owned(),
        };
        self.down_until_ms.store(self.now_ms() + PAUSE.as_millis() as u64, Ordering::Relaxed);
        tracing::warn!(error = problem, "Redis does not count attempts: this instance counts for itself");
        None
    }
}

/// A throttle, shared where there is something to share it in.
#[derive(Debug)]
pub struct Limit {
    name: &'static str,
    own: Throttle,
    shared: Option<SharedCounters>,
}

impl Limit {
    /// `name` is the counter's name in Redis. It counts like `own`, which is what counts while Redis does not.
    #[must_use]
    pub fn new(name: &'static str, own: Throttle, shared: Option<SharedCounters>) -> Self {
        Self { name, own, shared }
    }

    fn key(&self, key: &str) -> String {
        let hash = sha256(key.as_bytes());
        let hash = hash.as_bytes()[..12].iter().map(|b| format!("{b:02x}")).collect::<String>();
        format!("throttle:{}:{hash}", self.name)
    }

    /// Counts one.
    ///
    /// # Errors
    /// [`ApiError::RateLimited`] says when to come back.
    pub async fn take(&self, key: &str) -> Result<(), ApiError> {
        let Some(shared) = &self.shared else { return self.own.take(key) };
        let (refill, limit) = (self.own.refill(), self.own.limit());
        let arguments = [refill.as_millis() as u64, limit.as_millis() as u64];
        match shared.run(TAKE, &self.key(key), &arguments).await {
            None => self.own.take(key),
            Some(0) => Ok(()),
            Some(wait_ms) => Err(self.own.refusal(Duration::from_millis(wait_ms))),
        }
    }

    /// Takes one back: it was no failure.
    pub async fn give_back(&self, key: &str) {
        let refill = [self.own.refill().as_millis() as u64];
        match &self.shared {
            Some(shared) if shared.run(GIVE_BACK, &self.key(key), &refill).await.is_some() => {}
            _ => self.own.give_back(key),
        }
    }
}
