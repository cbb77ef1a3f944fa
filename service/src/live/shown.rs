//! How far a session was shown live, and what was left out on the way. Pure.
//!
//! Invariants: the position never goes back; an item counts as shown once, whether it came live, as a preview, or late.

use std::collections::VecDeque;

/// A place in a session's stream: run of the agent and sequence.
pub(super) type At = (u64, u64);

/// Stretches that are remembered: one for every break of the link. What was shown before the oldest of them and comes
/// again as backfill would be told twice.
const STRETCHES: usize = 64;

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    position: At,
    /// What was shown without a hole: run, first and last sequence; oldest first.
    stretches: VecDeque<(u64, u64, u64)>,
    /// Up to here backfill has come; it comes in order.
    filled: At,
}

impl Shown {
    /// Nothing of what follows this place was shown.
    pub(super) fn new(position: At) -> Self {
        Self { position, stretches: VecDeque::new(), filled: (0, 0) }
    }

    /// Up to where the live view is true.
    pub(super) fn position(&self) -> At {
        self.position
    }

    /// Shows an item; `false` where that would go back.
    pub(super) fn advance(&mut self, at: At) -> bool {
        if at <= self.position.max(self.filled) {
            return false;
        }
        self.position = at;
        match self.stretches.back_mut() {
            Some((run, _, last)) if *run == at.0 && *last + 1 == at.1 => *last = at.1,
            _ => {
                if self.stretches.len() == STRETCHES {
                    self.stretches.pop_front();
                }
                self.stretches.push_back((at.0, at.1, at.1));
            }
        }
        true
    }

    /// Goes on to a place without showing what stands there; `false` where that would go back.
    pub(super) fn skip_to(&mut self, at: At) -> bool {
        let is_later = at >= self.position;
        self.position = self.position.max(at);
        is_later
    }

    /// Backfill has come up to this place; says whether what stands there is to be told now.
    pub(super) fn fill(&mut self, at: At) -> bool {
        let (run, sequence) = at;
        let was_shown = self.stretches.iter().any(|(r, first, last)| *r == run && (*first..=*last).contains(&sequence));
        let is_new = at > self.filled && !was_shown;
        self.filled = self.filled.max(at);
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_was_shown_before_and_after_a_break_is_not_told_again() {
        let mut shown = Shown::new((1, 0));
        assert!((1..=3).all(|sequence| shown.advance((1, sequence))));
        assert!(shown.skip_to((1, 8)), "a preview begins after a break");
        assert!((9..=10).all(|sequence| shown.advance((1, sequence))));
        let told: Vec<u64> = (1..=10).filter(|sequence| shown.fill((1, *sequence))).collect();
        assert_eq!(told, [4, 5, 6, 7, 8]);
        assert_eq!((1..=10).filter(|sequence| shown.fill((1, *sequence))).count(), 0, "not twice");
        assert_eq!(shown.position(), (1, 10));
    }

    #[test]
    fn a_later_run_goes_on_and_an_earlier_one_does_not_come_back() {
        let mut shown = Shown::new((1, 100));
        assert!(shown.skip_to((2, 0)) && shown.advance((2, 1)));
        assert!(!shown.advance((1, 101)) && !shown.skip_to((1, 200)));
        assert!(shown.fill((1, 101)), "what the earlier run left comes late");
        assert!(!shown.fill((2, 1)));
    }

    proptest! {
        /// Whatever comes in whatever order, the position does not go back and nothing is told twice.
        #[test]
        fn never_back_and_never_twice(items in prop::collection::vec((0u8..3, 1u64..4, 0u64..20), 0..200)) {
            let (mut shown, mut told) = (Shown::new((1, 0)), std::collections::HashSet::new());
            for (what, run, sequence) in items {
                let (at, before) = ((run, sequence), shown.position());
                let is_told = match what {
                    0 => shown.advance(at),
                    1 => shown.fill(at),
                    _ => { shown.skip_to(at); false }
                };
                prop_assert!(shown.position() >= before);
                prop_assert!(!is_told || told.insert(at), "{at:?} twice");
            }
        }
    }
}
