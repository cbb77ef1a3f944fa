//! What is measured of a batch on its way to viewers: how old its first sample is when a viewer's socket gets it, and, of
//! a batch that is traced, the steps.
//!
//! Most batches carry no mark and cost nothing; which do follows from their place, so that all viewers of a batch count.

use crate::traces::{BatchTrace, Step, Traces};
use onelap_protocol::BatchHeader;
use onelap_protocol::agent::Place;
use prometheus::Histogram;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Of so many batches the age of one is measured. A prime, so that viewers who get every other batch or every fifth see
/// as many of those as everybody else.
const ONE_OF: u64 = 17;
/// Viewers of a batch that is traced, on each instance, that are in the trace: a thousand would say the same.
const VIEWERS_TRACED: u32 = 8;

/// Where what is measured goes; clones share it.
#[derive(Debug, Clone)]
pub(super) struct Measures {
    pub(super) age: Histogram,
    pub(super) traces: Traces,
}

/// Rides along with a batch to every viewer.
#[derive(Debug)]
pub(super) struct Mark {
    /// When the first sample was taken, by the service's clock; absent where the agent's is not known.
    captured: Option<SystemTime>,
    age: Histogram,
    trace: Option<Traced>,
}

#[derive(Debug)]
struct Traced {
    batch: BatchTrace,
    view: Step,
    left: AtomicU32,
}

impl Measures {
    /// The trace of a batch, if it is traced.
    pub(super) fn trace(&self, header: &BatchHeader) -> Option<BatchTrace> {
        let BatchHeader { session, epoch, sequence, .. } = *header;
        self.traces.of_batch(Place { session, epoch, sequence })
    }

    /// The mark of a batch that is shown here as this step; the agent's clock is ahead by `skew_ms`, where that is known.
    pub(super) fn mark(
        &self,
        header: &BatchHeader,
        skew_ms: Option<i64>,
        step: Step,
        trace: Option<&BatchTrace>,
    ) -> Option<Arc<Mark>> {
        let is_measured = header.sequence.is_multiple_of(ONE_OF) && skew_ms.is_some();
        if trace.is_none() && !is_measured {
            return None;
        }
        let view = if step == Step::Follow { Step::ViewCopy } else { Step::View };
        let traced = |batch: &BatchTrace| Traced { batch: batch.clone(), view, left: VIEWERS_TRACED.into() };
        Some(Arc::new(Mark {
            captured: skew_ms.map(|skew_ms| captured(header.base_ms, skew_ms)),
            age: self.age.clone(),
            trace: trace.map(traced),
        }))
    }
}

impl Mark {
    /// A viewer's socket has taken the batch.
    pub(super) fn taken(&self) {
        let now = SystemTime::now();
        // By clocks that are not quite right it may have come before it was captured.
        if let Some(captured) = self.captured {
            self.age.observe(now.duration_since(captured).unwrap_or_default().as_secs_f64());
        }
        if let Some(traced) = &self.trace
            && traced.left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok()
        {
            traced.batch.step(traced.view, traced.batch.since, now);
        }
    }
}

/// What a clock that is ahead by `skew_ms` called `at_ms`.
fn captured(at_ms: u64, skew_ms: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(at_ms.saturating_add_signed(skew_ms.saturating_neg()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use onelap_protocol::SessionId;
    use prometheus::HistogramOpts;

    fn measures() -> Measures {
        let age = Histogram::with_opts(HistogramOpts::new("age", "Age.").buckets(vec![0.5, 2.0])).unwrap();
        Measures { age, traces: Traces::default() }
    }

    fn header(sequence: u64, age_ms: u64) -> BatchHeader {
        let now_ms = crate::live::now_ms();
        BatchHeader { session: SessionId::new(), epoch: 1, sequence, base_ms: now_ms - age_ms, samples: 2 }
    }

    #[test]
    fn the_age_of_one_in_so_many_is_measured_by_the_services_clock() {
        let measures = measures();
        let marked = (1..=170).filter_map(|s| measures.mark(&header(s, 1000), Some(0), Step::Show, None)).count();
        assert_eq!(marked, 10);
        // The PC is two seconds ahead: what seems to come from the future is a second old.
        let mut ahead = header(17, 0);
        ahead.base_ms += 1000;
        measures.mark(&ahead, Some(2000), Step::Show, None).unwrap().taken();
        assert!((1.0..1.5).contains(&measures.age.get_sample_sum()), "{}", measures.age.get_sample_sum());
        measures.mark(&ahead, Some(0), Step::Show, None).unwrap().taken();
        assert!(measures.age.get_sample_sum() < 1.5 && measures.age.get_sample_count() == 2);
        assert!(measures.mark(&ahead, None, Step::Follow, None).is_none(), "without the agent's clock there is no age");
    }
}
