//! The clock of all that is on this machine, and when what was in order.

use crate::plan::Target;
use std::collections::BTreeMap;
use std::time::UNIX_EPOCH;

/// Milliseconds since the Unix epoch: what samples are stamped with.
#[must_use]
pub fn now_ms() -> u64 {
    UNIX_EPOCH.elapsed().map_or(0, |since| since.as_millis() as u64)
}

/// A stretch of time, milliseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// First moment.
    pub from_ms: u64,
    /// The moment after the last.
    pub to_ms: u64,
}

impl Span {
    /// Whether all of another stretch lies in this one.
    #[must_use]
    pub fn holds(&self, from_ms: u64, to_ms: u64) -> bool {
        self.from_ms <= from_ms && to_ms <= self.to_ms
    }

    fn both(&self, other: &Self) -> Option<Self> {
        let span = Self { from_ms: self.from_ms.max(other.from_ms), to_ms: self.to_ms.min(other.to_ms) };
        (span.from_ms < span.to_ms).then_some(span)
    }
}

/// When each part was in order.
#[derive(Debug, Default)]
pub struct Health {
    changes: BTreeMap<Target, Vec<(u64, bool)>>,
}

impl Health {
    /// From now on it is, or is not.
    pub fn set(&mut self, part: Target, is_well: bool) {
        self.set_at(now_ms(), part, is_well);
    }

    /// The same at a time.
    pub fn set_at(&mut self, at_ms: u64, part: Target, is_well: bool) {
        let changes = self.changes.entry(part).or_default();
        if changes.last().is_none_or(|(_, was)| *was != is_well) {
            changes.push((at_ms, is_well));
        }
    }

    /// Whether it is in order now.
    #[must_use]
    pub fn is_well(&self, part: Target) -> bool {
        self.changes.get(&part).and_then(|changes| changes.last()).is_some_and(|(_, well)| *well)
    }

    /// When it was in order, until `end_ms`.
    #[must_use]
    pub fn spans(&self, part: Target, end_ms: u64) -> Vec<Span> {
        let changes = self.changes.get(&part).map(Vec::as_slice).unwrap_or_default();
        let ends = changes.iter().skip(1).map(|(at, _)| *at).chain([end_ms]);
        let spans = changes.iter().zip(ends).filter(|((_, well), _)| *well);
        spans.map(|((from_ms, _), to_ms)| Span { from_ms: *from_ms, to_ms }).collect()
    }

    /// When all of them were.
    #[must_use]
    pub fn all(&self, parts: &[Target], end_ms: u64) -> Vec<Span> {
        let whole = vec![Span { from_ms: 0, to_ms: end_ms }];
        parts.iter().fold(whole, |spans, part| {
            let others = self.spans(*part, end_ms);
            spans.iter().flat_map(|span| others.iter().filter_map(|other| span.both(other))).collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_well_where_each_is() {
        let mut health = Health::default();
        health.set_at(10, Target::Service, true);
        health.set_at(20, Target::Service, false);
        health.set_at(30, Target::Service, true);
        health.set_at(15, Target::Agent(0), true);
        health.set_at(16, Target::Agent(0), true);
        health.set_at(35, Target::Agent(0), false);
        let spans = health.all(&[Target::Service, Target::Agent(0)], 40);
        assert_eq!(spans, [Span { from_ms: 15, to_ms: 20 }, Span { from_ms: 30, to_ms: 35 }]);
        assert!(health.is_well(Target::Service) && !health.is_well(Target::Agent(0)));
        assert!(spans[0].holds(15, 20) && !spans[0].holds(15, 21));
    }
}
