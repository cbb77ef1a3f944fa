//! What viewers count. One per thread, added up at the end.

use hdrhistogram::Histogram;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// Times in microseconds.
#[derive(Debug, Clone)]
pub(crate) struct Times(Histogram<u64>);

impl Default for Times {
    fn default() -> Self {
        Self(Histogram::new_with_bounds(1, 600_000_000, 3).expect("the bounds are right"))
    }
}

impl Times {
    pub(crate) fn record(&mut self, time: Duration) {
        self.0.saturating_record(time.as_micros().max(1) as u64);
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.0.add(&other.0).expect("the bounds are the same");
    }

    pub(crate) fn figures(&self) -> Quantiles {
        let ms = |q: f64| self.0.value_at_quantile(q) as f64 / 1e3;
        let max_ms = self.0.max() as f64 / 1e3;
        Quantiles {
            count: self.0.len(),
            p50_ms: ms(0.5),
            p90_ms: ms(0.9),
            p99_ms: ms(0.99),
            p999_ms: ms(0.999),
            max_ms,
        }
    }
}

/// A distribution in milliseconds.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Quantiles {
    pub(crate) count: u64,
    pub(crate) p50_ms: f64,
    pub(crate) p90_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) p999_ms: f64,
    pub(crate) max_ms: f64,
}

/// Counts of viewers. What the prompt ones saw is kept apart from the others: these lose frames because they want to.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// From the moment a frame was due to a prompt viewer; on the rig's own instance, and elsewhere.
    pub(crate) here: Times,
    pub(crate) elsewhere: Times,
    /// How old what slow viewers see is.
    pub(crate) slow: Times,
    /// From the moment a viewer should have begun to join to its snapshot.
    pub(crate) joins: Times,
    /// Frames that count and came, to all viewers.
    pub(crate) delivered: u64,
    /// Of them, to prompt ones.
    pub(crate) prompt: u64,
    pub(crate) bytes: u64,
    /// Frames that count and did not come to a prompt viewer, by their sequences.
    pub(crate) missing: u64,
    /// Sequences that `gap` messages named: to prompt viewers and to others.
    pub(crate) told: u64,
    pub(crate) told_others: u64,
    /// Frames that came twice or out of order.
    pub(crate) disordered: u64,
    /// Why sockets ended that should not have, and how often.
    pub(crate) ended: BTreeMap<String, u64>,
    /// The same for slow and stopped viewers, which have to expect it.
    pub(crate) ended_others: BTreeMap<String, u64>,
    /// Largest share of a core that a thread of the generator used while frames counted.
    pub(crate) busiest_thread: f64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: &Self) {
        self.here.add(&other.here);
        self.elsewhere.add(&other.elsewhere);
        self.slow.add(&other.slow);
        self.joins.add(&other.joins);
        self.delivered += other.delivered;
        self.prompt += other.prompt;
        self.bytes += other.bytes;
        self.missing += other.missing;
        self.told += other.told;
        self.told_others += other.told_others;
        self.disordered += other.disordered;
        self.busiest_thread = self.busiest_thread.max(other.busiest_thread);
        for (to, from) in [(&mut self.ended, &other.ended), (&mut self.ended_others, &other.ended_others)] {
            from.iter().for_each(|(why, n)| *to.entry(why.clone()).or_default() += n);
        }
    }
}
