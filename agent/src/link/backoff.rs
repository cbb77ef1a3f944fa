//! How long to wait before the next attempt, and how fast messages may follow each other. Pure.

/// Shortest wait before another attempt.
pub const MIN_WAIT_MS: u64 = 500;
/// Longest wait before another attempt after an ordinary failure.
pub const MAX_WAIT_MS: u64 = 30_000;
/// Wait after a refusal that only a person can change: a revoked token, an agent that is too old.
pub const REFUSED_WAIT_MS: u64 = 60_000;

/// Random numbers for jitter (SplitMix64): not for secrets.
#[derive(Debug, Clone)]
pub struct Jitter(u64);

impl Jitter {
    /// From a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        low + (z ^ (z >> 31)) % (high.saturating_sub(low) + 1)
    }
}

/// Exponential back-off with full jitter.
#[derive(Debug, Clone)]
pub struct Backoff {
    jitter: Jitter,
    failures: u32,
}

impl Backoff {
    /// None so far.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { jitter: Jitter::new(seed), failures: 0 }
    }

    /// The connection held: the next failure is a first one.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// Counts a failure and says how long to wait.
    pub fn failed(&mut self) -> u64 {
        let ceiling = (MIN_WAIT_MS << self.failures.min(10)).clamp(2 * MIN_WAIT_MS, MAX_WAIT_MS);
        self.failures += 1;
        self.jitter.between(MIN_WAIT_MS, ceiling)
    }

    /// A time, give or take a quarter.
    pub fn about(&mut self, ms: u64) -> u64 {
        self.jitter.between(ms - ms / 4, ms.saturating_add(ms / 4)).max(1)
    }
}

/// How many messages may go: a bucket of one second's worth that fills at three quarters of the service's limit, so
/// that no ten seconds see more than the limit allows.
#[derive(Debug, Clone)]
pub struct Pace {
    /// Thousandths of a message.
    tokens: u64,
    per_s: u64,
    at_ms: u64,
}

impl Pace {
    /// A full bucket for this limit.
    #[must_use]
    pub fn new(max_messages_per_s: u32, now_ms: u64) -> Self {
        let per_s = u64::from(max_messages_per_s).max(2);
        Self { tokens: per_s * 1_000, per_s, at_ms: now_ms }
    }

    fn fill(&mut self, now_ms: u64) {
        let passed_ms = now_ms.saturating_sub(self.at_ms);
        self.at_ms = self.at_ms.max(now_ms);
        let more = passed_ms.saturating_mul(self.per_s * 3 / 4);
        self.tokens = self.tokens.saturating_add(more).min(self.per_s * 1_000);
    }

    /// Takes a message's worth, or says when there will be one.
    ///
    /// # Errors
    /// The time by the same clock.
    pub fn take(&mut self, now_ms: u64) -> Result<(), u64> {
        self.fill(now_ms);
        if self.tokens >= 1_000 {
            self.tokens -= 1_000;
            return Ok(());
        }
        Err(now_ms + (1_000 - self.tokens).div_ceil((self.per_s * 3 / 4).max(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn waits_grow_and_stay_in_bounds() {
        let mut backoff = Backoff::new(1);
        let waits: Vec<u64> = (0..200).map(|_| backoff.failed()).collect();
        assert!(waits.iter().all(|ms| (MIN_WAIT_MS..=MAX_WAIT_MS).contains(ms)));
        assert!(waits[0] <= 1_000);
        assert!(waits.iter().any(|ms| *ms > MAX_WAIT_MS / 2));
        backoff.reset();
        assert!(backoff.failed() <= 1_000);
    }

    proptest! {
        #[test]
        fn ten_seconds_never_see_more_than_the_limit(limit in 2u32..60, gaps in prop::collection::vec(0u64..60, 1..600)) {
            let mut pace = Pace::new(limit, 0);
            let mut now_ms = 0;
            let mut sent = Vec::new();
            for gap in gaps {
                now_ms += gap;
                if pace.take(now_ms).is_ok() {
                    sent.push(now_ms);
                }
            }
            for (i, first) in sent.iter().enumerate() {
                let window = sent[i..].iter().take_while(|ms| **ms < first + 10_000).count();
                prop_assert!(window as u64 <= u64::from(limit) * 10, "{window} messages");
            }
        }

        #[test]
        fn the_time_it_names_is_the_time_it_gives(limit in 1u32..400, now in 0u64..1_000) {
            let mut pace = Pace::new(limit, now);
            while pace.take(now).is_ok() {}
            let then = pace.take(now).unwrap_err();
            prop_assert!(then > now);
            prop_assert!(pace.take(then).is_ok());
        }
    }
}
