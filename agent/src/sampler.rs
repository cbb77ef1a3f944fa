//! Thins samples to the sample rate and gathers them into batches.
//!
//! Invariants: never more samples a second than asked for; samples keep their order; a batch holds at most the wire's
//! limit; one batch's memory is used for all. Thinning goes by the samples' own times, so that a recording gives the same
//! samples at any speed; a batch is due by the agent's clock, so that a recording at high speed does not flood the link.
//!
//! Not here: which session a sample belongs to (`pipeline`), sending.

use onelap_protocol::limits::MAX_BATCH_SAMPLES;
use onelap_protocol::{Batch, Sample, SessionId, batch};

/// How far back a sample's time may go before the PC's clock must have been set.
const CLOCK_WAS_SET_MS: u64 = 1_000;

/// See the module.
#[derive(Debug)]
pub struct Sampler {
    period_us: u64,
    batch_ms: u64,
    max_samples: usize,
    /// Time of the next sample to keep, microseconds since the Unix epoch.
    next_us: Option<u64>,
    batch: Batch,
    /// When the batch has to go, by the agent's clock.
    due_ms: Option<u64>,
}

impl Sampler {
    /// A sampler of `sample_hz` samples a second in batches of `batch_ms`.
    #[must_use]
    pub fn new(sample_hz: u32, batch_ms: u32) -> Self {
        let samples_a_batch = (sample_hz * batch_ms).div_ceil(1_000) as usize + 1;
        Self {
            period_us: period_us(sample_hz),
            batch_ms: u64::from(batch_ms),
            max_samples: MAX_BATCH_SAMPLES,
            next_us: None,
            batch: Batch::with_capacity(samples_a_batch.min(MAX_BATCH_SAMPLES)),
            due_ms: None,
        }
    }

    /// Keeps to the limits that the service told.
    pub fn limit(&mut self, max_sample_hz: u32, max_batch_samples: u32) {
        self.period_us = self.period_us.max(period_us(max_sample_hz));
        self.max_samples = (max_batch_samples as usize).clamp(1, MAX_BATCH_SAMPLES);
    }

    /// Takes a sample, or leaves it where the one before was too short ago. Returns whether it was taken.
    pub fn offer(&mut self, sample: &Sample, now_ms: u64) -> bool {
        let at_us = sample.at_ms.saturating_mul(1_000);
        let next_us = self.next_us.unwrap_or(at_us);
        let clock_was_set = next_us > at_us.saturating_add(CLOCK_WAS_SET_MS * 1_000 + self.period_us);
        // The game's beat is not ours: a sample that is early by less than a quarter period is in time.
        if !clock_was_set && at_us.saturating_add(self.period_us / 4) < next_us {
            return false;
        }
        let next_us = next_us + self.period_us;
        let on_the_beat = !clock_was_set && next_us > at_us;
        self.next_us = Some(if on_the_beat { next_us } else { at_us + self.period_us });
        if self.batch.is_empty() {
            self.due_ms = Some(now_ms + self.batch_ms);
        }
        self.batch.push(sample);
        true
    }

    /// When the batch has to go, by the agent's clock; absent while there is none.
    #[must_use]
    pub fn due_ms(&self) -> Option<u64> {
        if self.batch.len() >= self.max_samples { Some(0) } else { self.due_ms }
    }

    /// Number of samples that wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.batch.len()
    }

    /// Appends what waits to `out` as one frame, and forgets it. Returns the number of samples.
    pub fn take(&mut self, session: SessionId, epoch: u64, sequence: u64, out: &mut Vec<u8>) -> usize {
        self.batch.encode(batch::OPCODE_SAMPLES, session, epoch, sequence, out);
        self.clear()
    }

    /// Forgets what waits. Returns the number of samples.
    pub fn clear(&mut self) -> usize {
        let samples = self.batch.len();
        self.batch.clear();
        self.due_ms = None;
        samples
    }
}

fn period_us(sample_hz: u32) -> u64 {
    1_000_000 / u64::from(sample_hz.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kept(sampler: &mut Sampler, times_ms: impl IntoIterator<Item = u64>) -> Vec<u64> {
        times_ms.into_iter().filter(|at_ms| sampler.offer(&Sample::new(*at_ms), *at_ms)).collect()
    }

    #[test]
    fn sixty_hertz_become_twenty() {
        let mut sampler = Sampler::new(20, 100);
        let kept = kept(&mut sampler, (0..600u64).map(|i| 1_000_000 + i * 1_000 / 60));
        assert_eq!(kept.len(), 200);
        assert!(kept.windows(2).all(|pair| (33..=67).contains(&(pair[1] - pair[0]))));
    }

    #[test]
    fn a_game_that_beats_at_the_asked_rate_loses_nothing_to_jitter() {
        let mut sampler = Sampler::new(60, 100);
        let kept = kept(&mut sampler, (0..600u64).map(|i| 1_000_000 + i * 1_000 / 60 + (i * 7) % 4));
        assert!(kept.len() >= 598, "{}", kept.len());
    }

    #[test]
    fn after_a_pause_there_is_no_burst() {
        let mut sampler = Sampler::new(20, 100);
        kept(&mut sampler, 1_000..1_100);
        assert_eq!(kept(&mut sampler, 60_000..60_080).len(), 2);
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_stop_the_samples() {
        let mut sampler = Sampler::new(20, 100);
        kept(&mut sampler, 100_000..100_200);
        assert_eq!(kept(&mut sampler, 50_000..50_080).len(), 2);
    }

    #[test]
    fn a_batch_is_due_by_time_or_when_it_is_full() {
        let mut sampler = Sampler::new(60, 100);
        assert_eq!(sampler.due_ms(), None);
        sampler.offer(&Sample::new(1_000), 7);
        assert_eq!(sampler.due_ms(), Some(107));
        sampler.limit(60, 2);
        sampler.offer(&Sample::new(1_017), 8);
        assert_eq!(sampler.due_ms(), Some(0));
        let mut frame = Vec::new();
        assert_eq!(sampler.take(SessionId::new(), 1, 1, &mut frame), 2);
        assert_eq!(Batch::decode(&frame).unwrap().1.times_ms(), [1_000, 1_017]);
        assert_eq!((sampler.due_ms(), sampler.waiting()), (None, 0));
    }

    proptest! {
        #[test]
        fn the_rate_is_never_exceeded(hz in 2u32..=60, gaps in prop::collection::vec(1u64..200, 1..400)) {
            let mut at_ms = 1_000_000;
            let times = gaps.into_iter().map(move |gap| { at_ms += gap; at_ms });
            let kept = kept(&mut Sampler::new(hz, 100), times);
            let seconds = (kept[kept.len() - 1] - kept[0]) as f64 / 1_000.0;
            prop_assert!(kept.len() as f64 <= seconds * f64::from(hz) + 2.0, "{} in {seconds} s at {hz} Hz", kept.len());
        }
    }
}
