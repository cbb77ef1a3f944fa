//! Thins samples to the sample rate and gathers them into batches.
//!
//! Invariants: never more samples a second than asked for; samples keep their order; a batch holds at most the wire's
//! limit; one batch's memory is used for all. Thinning goes by the samples' own times, so that a recording gives the same
//! samples at any speed. A batch goes as soon as it has the samples of `batch_ms`, or when these are over by the agent's
//! clock; by that clock batches also keep their distance, so that a recording at high speed does not flood the link.
//!
//! Not here: which session a sample belongs to (`pipeline`), sending.

use onelap_protocol::limits::MAX_BATCH_SAMPLES;
use onelap_protocol::{Batch, Sample, SessionId, batch};

/// How far back a sample's time may go before the PC's clock must have been set.
const CLOCK_WAS_SET_MS: u64 = 1_000;

/// See the module.
#[derive(Debug)]
pub struct Sampler {
    sample_hz: u32,
    batch_ms: u64,
    max_samples: usize,
    /// Time of the next sample to keep, microseconds since the Unix epoch.
    next_us: Option<u64>,
    batch: Batch,
    /// When the batch has to go, by the agent's clock.
    due_ms: Option<u64>,
    /// Before this, a complete batch does not go: it is that far from the one before.
    not_before_ms: Option<u64>,
}

impl Sampler {
    /// A sampler of `sample_hz` samples a second in batches of `batch_ms`.
    #[must_use]
    pub fn new(sample_hz: u32, batch_ms: u32) -> Self {
        let mut sampler = Self {
            sample_hz: sample_hz.max(1),
            batch_ms: u64::from(batch_ms),
            max_samples: MAX_BATCH_SAMPLES,
            next_us: None,
            batch: Batch::with_capacity(0),
            due_ms: None,
            not_before_ms: None,
        };
        sampler.batch = Batch::with_capacity(sampler.complete());
        sampler
    }

    /// Keeps to the limits that the service told.
    pub fn limit(&mut self, max_sample_hz: u32, max_batch_samples: u32) {
        self.sample_hz = self.sample_hz.min(max_sample_hz).max(1);
        self.max_samples = (max_batch_samples as usize).clamp(1, MAX_BATCH_SAMPLES);
    }

    /// Takes a sample, or leaves it where the one before was too short ago. Returns whether it was taken.
    pub fn offer(&mut self, sample: &Sample, now_ms: u64) -> bool {
        let at_us = sample.at_ms.saturating_mul(1_000);
        let period_us = 1_000_000 / u64::from(self.sample_hz);
        let next_us = self.next_us.unwrap_or(at_us);
        let clock_was_set = next_us > at_us.saturating_add(CLOCK_WAS_SET_MS * 1_000 + period_us);
        // The game's beat is not ours: a sample that is early by less than a quarter period is in time.
        if !clock_was_set && at_us.saturating_add(period_us / 4) < next_us {
            return false;
        }
        let next_us = next_us + period_us;
        let on_the_beat = !clock_was_set && next_us > at_us;
        self.next_us = Some(if on_the_beat { next_us } else { at_us + period_us });
        if self.batch.is_empty() {
            let latest_ms = now_ms + self.batch_ms;
            self.due_ms = Some(latest_ms);
            // A little less than a batch's time apart, so that one that was late does not make all later ones late.
            let apart_ms = self.batch_ms * 3 / 4;
            let after = |before: u64| (before + apart_ms).clamp(now_ms, latest_ms);
            self.not_before_ms = Some(self.not_before_ms.map_or(now_ms, after));
        }
        self.batch.push(sample);
        if self.batch.len() >= self.complete() {
            // Both are known since the batch's first sample.
            self.due_ms = self.due_ms.min(self.not_before_ms);
        }
        true
    }

    /// Samples of `batch_ms`: there is nothing more to wait for.
    fn complete(&self) -> usize {
        let samples = (u64::from(self.sample_hz) * self.batch_ms).div_ceil(1_000);
        (samples.max(1) as usize).min(self.max_samples)
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

    /// When batches go, where samples come at these times by the agent's clock and the sampler's owner wakes up in time.
    fn went(sampler: &mut Sampler, times_ms: impl IntoIterator<Item = (u64, u64)>) -> Vec<(u64, usize)> {
        let mut went = Vec::new();
        for (at_ms, now_ms) in times_ms {
            while let Some(due) = sampler.due_ms().filter(|due| *due < now_ms) {
                went.push((due, sampler.clear()));
            }
            sampler.offer(&Sample::new(at_ms), now_ms);
            if sampler.due_ms().is_some_and(|due| due <= now_ms) {
                went.push((now_ms, sampler.clear()));
            }
        }
        went
    }

    #[test]
    fn a_batch_goes_with_the_sample_that_completes_it() {
        for (hz, batch_ms, first_ms, samples) in
            [(20, 100, 50, 2), (60, 100, 83, 6), (10, 100, 0, 1), (20, 200, 150, 4)]
        {
            let times = (0..120).map(|i| i * 1_000 / u64::from(hz)).map(|ms| (1_000_000 + ms, ms));
            let went = went(&mut Sampler::new(hz, batch_ms), times);
            let due = |n: usize| (first_ms + n as u64 * u64::from(batch_ms), samples);
            assert!(went.len() >= 20 && went.iter().enumerate().all(|(n, one)| *one == due(n)), "{hz} Hz: {went:?}");
        }
    }

    #[test]
    fn a_rate_that_the_service_limits_completes_a_batch_sooner() {
        let mut sampler = Sampler::new(60, 100);
        sampler.limit(20, 256);
        assert_eq!(went(&mut sampler, (0..4).map(|i| (1_000 + i * 50, i * 50))), [(50, 2), (150, 2)]);
    }

    #[test]
    fn a_game_that_is_slower_than_asked_is_not_waited_for_longer_than_batch_ms() {
        let went = went(&mut Sampler::new(60, 100), (0..10).map(|i| (1_000 + i * 70, i * 70)));
        assert_eq!(went[..3], [(100, 2), (240, 2), (380, 2)]);
    }

    #[test]
    fn a_recording_at_high_speed_does_not_flood_the_link() {
        // Sixteen times as fast as it was driven, for ten seconds.
        let times = (0..3_200).map(|i| (1_000_000 + i * 50, i * 50 / 16));
        let went = went(&mut Sampler::new(20, 100), times);
        assert!((100..=134).contains(&went.len()), "{} batches", went.len());
        assert!(went.iter().all(|(_, samples)| *samples <= 256));
    }

    #[test]
    fn one_sample_that_was_late_does_not_hold_up_those_after_it() {
        let late = |i: u64| if i == 20 { 40 } else { 0 };
        let times = (0..60).map(|i| (1_000_000 + i * 100, i * 100 + late(i)));
        let went = went(&mut Sampler::new(10, 100), times);
        assert_eq!(went[20], (2_040, 1));
        assert!(went[24..].iter().zip(24..).all(|((at, _), i)| *at == i * 100), "{went:?}");
    }

    proptest! {
        #[test]
        fn a_batch_is_never_later_than_batch_ms_after_its_first_sample(
            hz in 2u32..=60, gaps in prop::collection::vec(0u64..200, 1..200)
        ) {
            let mut sampler = Sampler::new(hz, 100);
            let (mut now_ms, mut opened_ms) = (0, None);
            for gap in gaps {
                now_ms += gap;
                if sampler.due_ms().is_some_and(|due| due <= now_ms) {
                    sampler.clear();
                    opened_ms = None;
                }
                if sampler.offer(&Sample::new(1_000_000 + now_ms), now_ms) {
                    opened_ms.get_or_insert(now_ms);
                }
                let due_ms = sampler.due_ms();
                prop_assert_eq!(due_ms.is_some(), opened_ms.is_some());
                prop_assert!(due_ms.zip(opened_ms).is_none_or(|(due, opened)| due <= opened + 100));
            }
        }

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
