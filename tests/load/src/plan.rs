//! When frames are due, and which of them count: what the threads of a run agree on.
//!
//! The loop is open: a frame's time follows from its sequence alone, and what is measured is the time since then, whoever
//! was late. No map of send times is needed, and a server that stalls cannot slow its own load down.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const UNSET: u64 = u64::MAX;

pub(crate) struct Plan {
    /// When the first frame of the first rig is due.
    pub(crate) start: Instant,
    period: Duration,
    /// Time between the first frames of two rigs.
    stagger: Duration,
    /// Sequence of a rig's first frame.
    first: u64,
    /// Nanoseconds since `start` between which frames are due that count.
    window: [AtomicU64; 2],
    /// Viewers that have their snapshot.
    pub(crate) joined: AtomicUsize,
    rigs_stop: AtomicBool,
    viewers_stop: AtomicBool,
}

impl Plan {
    pub(crate) fn new(start: Instant, hz: f64, rigs: usize, first: u64) -> Self {
        let period = Duration::from_secs_f64(1.0 / hz);
        Self {
            start,
            period,
            stagger: period / rigs.max(1) as u32,
            first,
            window: [AtomicU64::new(UNSET), AtomicU64::new(UNSET)],
            joined: AtomicUsize::new(0),
            rigs_stop: AtomicBool::new(false),
            viewers_stop: AtomicBool::new(false),
        }
    }

    /// When a rig's frame is due, since the start.
    pub(crate) fn due(&self, rig: usize, sequence: u64) -> Duration {
        let n = sequence.saturating_sub(self.first);
        Duration::from_nanos(self.period.as_nanos() as u64 * n) + self.stagger * rig as u32
    }

    /// The same as a moment.
    pub(crate) fn due_at(&self, rig: usize, sequence: u64) -> Instant {
        self.start + self.due(rig, sequence)
    }

    /// Time between two frames of a rig.
    pub(crate) fn period_ms(&self) -> u64 {
        self.period.as_millis() as u64
    }

    /// Sequence of a rig's first frame.
    pub(crate) fn first(&self) -> u64 {
        self.first
    }

    /// Sequence of a rig's last frame that counts; `None` before the end of the window is known.
    pub(crate) fn last(&self, rig: usize) -> Option<u64> {
        let to = self.window[1].load(Ordering::Acquire);
        if to == UNSET {
            return None;
        }
        let since = Duration::from_nanos(to).checked_sub(self.stagger * rig as u32)?;
        let frames = since.as_nanos().div_ceil(self.period.as_nanos()) as u64;
        (self.first + frames).checked_sub(1)
    }

    /// From now on frames count, until that much later.
    pub(crate) fn open_window(&self, length: Duration) {
        let from = self.start.elapsed();
        self.window[1].store((from + length).as_nanos() as u64, Ordering::Release);
        self.window[0].store(from.as_nanos() as u64, Ordering::Release);
    }

    /// Whether a frame that is due then counts.
    pub(crate) fn counts(&self, due: Duration) -> bool {
        let [from, to] = &self.window;
        let (from, due) = (from.load(Ordering::Acquire), due.as_nanos() as u64);
        from != UNSET && due >= from && due < to.load(Ordering::Acquire)
    }

    /// Frames of a rig that count.
    pub(crate) fn counted(&self, rig: usize) -> u64 {
        let Some(last) = self.last(rig) else { return 0 };
        (self.first..=last).rev().take_while(|s| self.counts(self.due(rig, *s))).count() as u64
    }

    pub(crate) fn stop_rigs(&self) {
        self.rigs_stop.store(true, Ordering::Release);
    }

    pub(crate) fn rigs_stopped(&self) -> bool {
        self.rigs_stop.load(Ordering::Acquire)
    }

    pub(crate) fn stop_viewers(&self) {
        self.viewers_stop.store(true, Ordering::Release);
    }

    pub(crate) fn viewers_stopped(&self) -> bool {
        self.viewers_stop.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_holds_what_is_due_in_it() {
        let plan = Plan::new(Instant::now(), 20.0, 4, 2);
        assert_eq!(plan.due(0, 2), Duration::ZERO);
        assert_eq!(plan.due(1, 22), Duration::from_micros(1_012_500));
        assert!(!plan.counts(plan.due(0, 2)) && plan.last(0).is_none());
        plan.open_window(Duration::from_secs(2));
        for rig in 0..4 {
            assert_eq!(plan.counted(rig), 40, "rig {rig}");
            let last = plan.last(rig).expect("the window is open");
            assert!(plan.counts(plan.due(rig, last)) && !plan.counts(plan.due(rig, last + 1)));
        }
    }
}
