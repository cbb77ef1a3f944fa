//! How long to wait before the next attempt, and how fast messages may follow each other. Pure.

/// Shortest wait before another attempt.
pub const MIN_WAIT_MS: u64 = 250;
/// Longest wait after the first failure: over so long those spread that lost their service at the same moment.
pub const FIRST_WAIT_MS: u64 = 2_000;
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
        let ceiling = (FIRST_WAIT_MS << self.failures.min(10)).min(MAX_WAIT_MS);
        self.failures += 1;
        self.jitter.between(MIN_WAIT_MS, ceiling)
    }

    /// A time, give or take half of it.
    pub fn roughly(&mut self, ms: u64) -> u64 {
        self.jitter.between(ms / 2, ms.saturating_add(ms / 2)).max(1)
    }

    /// A time, give or take a quarter.
    pub fn about(&mut self, ms: u64) -> u64 {
        self.jitter.between(ms - ms / 4, ms.saturating_add(ms / 4)).max(1)
    }
}

/// How many messages may go: a bucket that is full at first and fills at a fixed rate.
#[derive(Debug, Clone)]
pub struct Pace {
    /// Thousandths of a message; below nothing where more went than there was.
    tokens: i64,
    /// Messages that the bucket holds.
    size: u64,
    /// Thousandths of a message in a millisecond, which is messages in a second.
    per_s: u64,
    at_ms: u64,
}

impl Pace {
    /// For a limit over ten seconds: a second's worth at once, and three quarters of the limit in the long run.
    #[must_use]
    pub fn of_messages(max_per_s: u32, now_ms: u64) -> Self {
        let limit = u64::from(max_per_s).max(2);
        Self::new(limit, limit * 3 / 4, now_ms)
    }

    /// For a limit over every second: a tenth at once, and nine tenths in the long run.
    #[must_use]
    pub fn of_backfill(max_per_s: u32, now_ms: u64) -> Self {
        let limit = u64::from(max_per_s).max(2);
        let size = (limit / 10).max(1);
        Self::new(size, limit - size, now_ms)
    }

    fn new(size: u64, per_s: u64, now_ms: u64) -> Self {
        Self { tokens: (size * 1_000) as i64, size, per_s: per_s.max(1), at_ms: now_ms }
    }

    /// Messages that it holds at most.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    fn fill(&mut self, now_ms: u64) {
        let passed_ms = now_ms.saturating_sub(self.at_ms);
        self.at_ms = self.at_ms.max(now_ms);
        let more = passed_ms.saturating_mul(self.per_s);
        self.tokens = self.tokens.saturating_add_unsigned(more).min((self.size * 1_000) as i64);
    }

    /// Whether there is a message's worth besides so many that are kept for others.
    ///
    /// # Errors
    /// The time by the same clock when there will be.
    pub fn has(&mut self, now_ms: u64, kept: u64) -> Result<(), u64> {
        self.fill(now_ms);
        let wanted = ((kept.min(self.size - 1) + 1) * 1_000) as i64;
        if self.tokens >= wanted {
            return Ok(());
        }
        Err(now_ms + wanted.abs_diff(self.tokens).div_ceil(self.per_s))
    }

    /// Takes a message's worth, where there is one besides so many that are kept for others.
    ///
    /// # Errors
    /// The time by the same clock when there will be.
    pub fn take(&mut self, now_ms: u64, kept: u64) -> Result<(), u64> {
        self.has(now_ms, kept)?;
        self.tokens -= 1_000;
        Ok(())
    }

    /// So many went, whether they were there or not.
    pub fn went(&mut self, many: u64, now_ms: u64) {
        self.fill(now_ms);
        let many = i64::try_from(many.saturating_mul(1_000)).unwrap_or(i64::MAX);
        self.tokens = self.tokens.saturating_sub(many);
    }

    /// Half as fast from now on, but never slower than one a second.
    pub fn slow_down(&mut self, now_ms: u64) {
        self.fill(now_ms);
        self.per_s = (self.per_s / 2).max(1);
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
        assert!(waits[0] <= FIRST_WAIT_MS);
        assert!(waits.iter().any(|ms| *ms > MAX_WAIT_MS / 2));
        backoff.reset();
        assert!(backoff.failed() <= FIRST_WAIT_MS);
    }

    /// The most that went in any window of so many milliseconds.
    fn most_in(mut pace: Pace, gaps: &[u64], window_ms: u64) -> usize {
        let mut now_ms = 0;
        let mut sent = Vec::new();
        for gap in gaps {
            now_ms += gap;
            while pace.take(now_ms, 0).is_ok() {
                sent.push(now_ms);
            }
        }
        let in_window = |(i, first): (usize, &u64)| sent[i..].iter().take_while(|ms| **ms < first + window_ms).count();
        sent.iter().enumerate().map(in_window).max().unwrap_or(0)
    }

    proptest! {
        #[test]
        fn ten_seconds_never_see_more_than_the_limit(limit in 2u32..60, gaps in prop::collection::vec(0u64..60, 1..600)) {
            let most = most_in(Pace::of_messages(limit, 0), &gaps, 10_000);
            prop_assert!(most as u64 <= u64::from(limit) * 10, "{most} messages");
        }

        #[test]
        fn no_second_sees_more_backfill_than_the_limit(limit in 2u32..400, gaps in prop::collection::vec(0u64..9, 1..2_000)) {
            let most = most_in(Pace::of_backfill(limit, 0), &gaps, 1_000);
            prop_assert!(most as u64 <= u64::from(limit), "{most} items");
        }

        #[test]
        fn what_is_kept_for_others_is_there(limit in 4u32..400, kept in 1u64..100) {
            let mut pace = Pace::of_messages(limit, 0);
            let kept = kept.min(pace.size() - 1);
            while pace.take(0, kept).is_ok() {}
            for _ in 0..kept {
                prop_assert!(pace.take(0, 0).is_ok());
            }
            prop_assert!(pace.take(0, 0).is_err());
        }

        #[test]
        fn the_time_it_names_is_the_time_it_gives(limit in 1u32..400, now in 0u64..1_000) {
            for mut pace in [Pace::of_messages(limit, now), Pace::of_backfill(limit, now)] {
                while pace.take(now, 0).is_ok() {}
                let then = pace.take(now, 0).unwrap_err();
                prop_assert!(then > now);
                prop_assert!(pace.take(then, 0).is_ok());
            }
        }
    }
}
