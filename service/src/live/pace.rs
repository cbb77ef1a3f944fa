//! How fast one viewer gets samples: as fast as its connection carries them. Pure: time comes from outside.
//!
//! What was written may lie for long in the buffers between here and the page. So a ping goes behind samples now and then,
//! and its answer says that everything before it was read.
//!
//! ```text
//! answered in time               the next follows after a while
//! not answered after LATE        nothing more is handed out until it is, the newest samples wait here; a step slower
//! not answered after LOST        the viewer is closed
//! answered quickly for a while   a step faster; the while grows with every relapse
//! ```
//! Messages that are never left out (a snapshot of a long race) take their time on a slow line: until they can be through, a
//! ping that is behind them is not late.
//!
//! Invariant: at most one ping is on its way. Not here: what waits (`outbox`), pings that find who is gone (`viewer`).

use std::time::{Duration, Instant};

/// Between two pings behind samples, where all is well: so long, and so many bytes of samples; or longer.
const PROBE_EVERY: Duration = Duration::from_secs(2);
const PROBE_EVERY_BYTES: usize = 4 * 1024;
const PROBE_AT_LEAST: Duration = Duration::from_secs(10);
/// Between two where it is not.
const PROBE_EVERY_SLOW: Duration = Duration::from_millis(250);
/// An answer that takes longer than this is late.
const LATE: Duration = Duration::from_millis(1500);
/// One that takes longer than this does not come.
const LOST: Duration = Duration::from_secs(15);
/// One that takes less than this is quick. Who was slow before gets nothing more after this.
const QUICK: Duration = Duration::from_millis(700);
/// How long a viewer has to be quick before it gets more, at first and at most.
const PATIENCE: Duration = Duration::from_secs(5);
const MOST_PATIENCE: Duration = Duration::from_secs(60);
/// What the slowest line that the live view is for carries, in bytes a second.
const SLOWEST_LINE: usize = 16 * 1024;
/// Least time between two batches of a session at each step, in milliseconds.
const STEPS: [u64; 4] = [0, 200, 500, 1000];

/// What becomes of samples now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// They go out.
    Go,
    /// They wait.
    Hold,
    /// Even the fewest do not get through.
    Lost,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Pace {
    step: usize,
    changed: Instant,
    /// When it last got more.
    raised: Option<Instant>,
    patience: Duration,
    number: u64,
    probed: Option<Instant>,
    probe: Option<Probe>,
    /// Bytes of samples since the last ping.
    unprobed: usize,
    /// Bytes of messages that were handed out and are not known to be read.
    unproven: usize,
    /// Since when nobody hears answers.
    deaf: Option<Instant>,
}

#[derive(Debug)]
struct Probe {
    at: Instant,
    /// What its answer proves.
    bytes: usize,
    /// Steps that were taken because of it.
    steps: u32,
}

impl Probe {
    /// How long the messages before it may take.
    fn allowance(&self) -> Duration {
        Duration::from_millis((self.bytes * 1000 / SLOWEST_LINE) as u64)
    }
}

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            step: 0,
            changed: now,
            raised: None,
            patience: PATIENCE,
            number: 0,
            probed: None,
            probe: None,
            unprobed: 0,
            unproven: 0,
            deaf: None,
        }
    }

    /// Least time between two batches of a session, in milliseconds; 0 where all go.
    pub(super) fn interval_ms(&self) -> u64 {
        STEPS[self.step]
    }

    /// Batches a second; `None` where all go.
    pub(super) fn hz(&self) -> Option<u32> {
        (self.step > 0).then(|| (1000 / STEPS[self.step]) as u32)
    }

    /// What becomes of samples now.
    pub(super) fn judge(&mut self, now: Instant) -> Verdict {
        // What is not heard cannot be late.
        let now = self.deaf.unwrap_or(now);
        let Some(probe) = &mut self.probe else { return Verdict::Go };
        let (age, allowance) = (now.saturating_duration_since(probe.at), probe.allowance());
        let mut slower = 0;
        while age >= allowance + LATE * 2u32.pow(probe.steps) && probe.steps < STEPS.len() as u32 {
            probe.steps += 1;
            slower += 1;
        }
        (0..slower).for_each(|_| self.slower(now));
        let most = if self.step == 0 { LATE } else { QUICK };
        match age {
            _ if age >= LOST + allowance => Verdict::Lost,
            _ if age >= most => Verdict::Hold,
            _ => Verdict::Go,
        }
    }

    /// Samples have waited here for too long, because the connection took nothing.
    pub(super) fn stalled(&mut self, now: Instant) {
        if now.saturating_duration_since(self.changed) >= LATE {
            self.slower(now);
        }
    }

    /// Something is handed out: so many bytes of messages and of samples. Gives the number of a ping that is to follow.
    pub(super) fn hand_out(&mut self, messages: usize, samples: usize, now: Instant) -> Option<u64> {
        self.unproven += messages;
        self.unprobed += samples;
        let since = self.probed.map_or(Duration::MAX, |at| now.saturating_duration_since(at));
        let is_due = match self.step {
            0 => since >= PROBE_AT_LEAST || (since >= PROBE_EVERY && self.unprobed >= PROBE_EVERY_BYTES),
            _ => since >= PROBE_EVERY_SLOW,
        };
        if self.probe.is_some() || samples == 0 || !is_due {
            return None;
        }
        self.unprobed = 0;
        self.number += 1;
        self.probed = Some(now);
        self.probe = Some(Probe { at: now, bytes: self.unproven, steps: 0 });
        Some(self.number)
    }

    /// A ping was answered.
    pub(super) fn answered(&mut self, number: u64, now: Instant) {
        if number != self.number {
            return;
        }
        let Some(probe) = self.probe.take() else { return };
        self.unproven = self.unproven.saturating_sub(probe.bytes);
        let took = now.saturating_duration_since(probe.at);
        let quick_for = now.saturating_duration_since(self.changed);
        if took >= QUICK {
            if self.step > 0 {
                self.changed = now;
            }
        } else if self.step > 0 && quick_for >= self.patience {
            self.step -= 1;
            (self.changed, self.raised) = (now, Some(now));
        } else if self.step == 0 && quick_for >= MOST_PATIENCE {
            self.patience = PATIENCE;
        }
    }

    /// Nobody hears answers from now on, or again.
    pub(super) fn listen(&mut self, hears: bool, now: Instant) {
        match (hears, self.deaf.take()) {
            (false, since) => self.deaf = since.or(Some(now)),
            (true, Some(since)) => {
                if let Some(probe) = &mut self.probe {
                    probe.at += now.saturating_duration_since(since.max(probe.at));
                }
            }
            (true, None) => {}
        }
    }

    fn slower(&mut self, now: Instant) {
        // It got more not long ago, and that was too much.
        if self.raised.take().is_some_and(|at| now.saturating_duration_since(at) < 2 * self.patience) {
            self.patience = (self.patience * 2).min(MOST_PATIENCE);
        }
        self.step = (self.step + 1).min(STEPS.len() - 1);
        self.changed = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BATCH: Duration = Duration::from_millis(100);

    /// A connection that carries so many bytes a second, with a viewer at its end, for batches of 500 bytes ten times a
    /// second.
    struct Line {
        pace: Pace,
        now: Instant,
        per_s: usize,
        /// What is under way: bytes, when it was made, and the number of a ping.
        under_way: std::collections::VecDeque<(usize, Instant, Option<u64>)>,
        carried: f64,
        sent: Option<Instant>,
        lost: bool,
        /// The ages of the samples that were read, with the time.
        read: Vec<(Instant, Duration)>,
    }

    impl Line {
        fn new(per_s: usize) -> Self {
            let now = Instant::now();
            let (pace, under_way) = (Pace::new(now), Default::default());
            Self { pace, now, per_s, under_way, carried: 0.0, sent: None, lost: false, read: Vec::new() }
        }

        fn goes_for(&mut self, time: Duration) {
            let end = self.now + time;
            while self.now < end && !self.lost {
                self.now += BATCH;
                self.carry();
                let verdict = self.pace.judge(self.now);
                self.lost = verdict == Verdict::Lost;
                let interval = Duration::from_millis(self.pace.interval_ms());
                let is_due = self.sent.is_none_or(|at| self.now - at >= interval);
                if verdict == Verdict::Go && is_due {
                    self.sent = Some(self.now);
                    let probe = self.pace.hand_out(0, 500, self.now);
                    self.under_way.push_back((500, self.now, probe));
                }
            }
        }

        fn carry(&mut self) {
            self.carried += self.per_s as f64 * BATCH.as_secs_f64();
            while let Some((bytes, made, probe)) = self.under_way.front().copied() {
                if self.carried < bytes as f64 {
                    return;
                }
                self.carried -= bytes as f64;
                self.under_way.pop_front();
                self.read.push((self.now, self.now - made));
                if let Some(number) = probe {
                    self.pace.answered(number, self.now);
                }
            }
            self.carried = 0.0;
        }

        fn oldest_of_the_last(&self, time: Duration) -> Duration {
            let late = self.read.iter().filter(|(at, _)| self.now - *at < time).map(|(_, age)| *age);
            late.max().expect("something was read")
        }
    }

    #[test]
    fn a_line_that_carries_everything_is_left_alone() {
        let mut line = Line::new(100_000);
        line.goes_for(Duration::from_secs(120));
        assert_eq!((line.pace.hz(), line.read.len()), (None, 1199));
        assert!(line.oldest_of_the_last(Duration::from_secs(120)) <= BATCH);
        assert!(line.pace.number <= 61, "a ping every two seconds");
    }

    #[test]
    fn a_slow_line_gets_fewer_and_none_of_them_is_old() {
        // A fifth of what it would take.
        let mut line = Line::new(1_000);
        line.goes_for(Duration::from_secs(120));
        assert!(!line.lost && line.pace.hz().is_some());
        assert!(line.oldest_of_the_last(Duration::from_secs(120)) < LOST, "ever");
        let usual = line.oldest_of_the_last(Duration::from_secs(60));
        assert!(usual < Duration::from_secs(4), "{usual:?}");
        let read = line.read.iter().filter(|(at, _)| line.now - *at < Duration::from_secs(60)).count();
        assert!(read > 45, "{read} in a minute");
    }

    #[test]
    fn when_it_is_better_there_is_more_and_a_relapse_makes_careful() {
        let mut line = Line::new(1_000);
        line.goes_for(Duration::from_secs(30));
        assert!(line.pace.hz().is_some());
        line.per_s = 100_000;
        line.goes_for(Duration::from_secs(120));
        assert_eq!(line.pace.hz(), None);
        line.per_s = 1_000;
        line.goes_for(Duration::from_secs(240));
        assert!(line.pace.patience > 2 * PATIENCE, "{:?}", line.pace.patience);
        line.per_s = 100_000;
        line.goes_for(Duration::from_secs(300));
        assert_eq!((line.pace.hz(), line.pace.patience), (None, PATIENCE));
    }

    #[test]
    fn who_reads_nothing_is_let_go_and_not_before() {
        let mut line = Line::new(100_000);
        line.goes_for(Duration::from_secs(10));
        line.per_s = 0;
        line.goes_for(Duration::from_secs(14));
        assert!(!line.lost);
        line.goes_for(Duration::from_secs(4));
        assert!(line.lost);
    }

    #[test]
    fn who_gets_little_is_asked_seldom() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        let pings = (0..600).filter_map(|half_second| {
            let now = start + Duration::from_millis(500 * half_second);
            let number = pace.hand_out(0, 200, now)?;
            pace.answered(number, now);
            Some(number)
        });
        assert_eq!(pings.count(), 30, "every ten seconds");
    }

    #[test]
    fn what_is_behind_a_long_message_is_not_late() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        let probe = pace.hand_out(1 << 20, 500, start).unwrap();
        let after = |s: u64| start + Duration::from_secs(s);
        assert_eq!(pace.judge(after(30)), Verdict::Hold, "samples wait meanwhile");
        assert_eq!(pace.hz(), None, "and it is not called slow");
        pace.answered(probe, after(60));
        assert_eq!((pace.judge(after(60)), pace.hz()), (Verdict::Go, None));
        pace.hand_out(0, 500, after(60)).unwrap();
        assert_eq!(pace.judge(after(62)), Verdict::Hold);
        assert_eq!(pace.hz(), Some(5), "but without one it is");
    }

    #[test]
    fn what_nobody_hears_is_not_late() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        let probe = pace.hand_out(0, 500, start).unwrap();
        let at = |ms: u64| start + Duration::from_millis(ms);
        pace.listen(false, at(500));
        assert_eq!((pace.judge(at(20_000)), pace.hz()), (Verdict::Go, None));
        pace.listen(true, at(20_500));
        assert_eq!((pace.judge(at(21_000)), pace.hz()), (Verdict::Go, None));
        pace.answered(probe, at(21_000));
        assert_eq!(pace.judge(at(21_000)), Verdict::Go);
    }

    #[test]
    fn only_the_last_ping_counts() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        let probe = pace.hand_out(0, 500, start).unwrap();
        pace.answered(probe + 1, start);
        pace.answered(0, start);
        assert_eq!(pace.judge(start + LATE), Verdict::Hold);
    }
}
