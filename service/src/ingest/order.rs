//! Which item of a session's stream is next. Pure.
//!
//! Sequences have no holes when they reach the recorder. A hole arises when the recorder's queue was full; the agent is
//! then asked to send again from there, while new items still go to the live view. Where the agent answers from a later
//! place, it no longer has the missing items: the hole is accepted as a loss and counted. Where it does not answer, the
//! connection has to end, for nothing says that the items are lost; the next one begins at what is committed.

use std::time::Duration;

/// How long the agent may take to begin sending again, with all that is under way on a slow line before its answer.
const ASK_AGAIN: Duration = Duration::from_secs(20);
/// How often it is asked.
const ASKS: u32 = 3;

/// The state of one session's stream on one connection. Times are since the connection began.
#[derive(Debug, Clone)]
pub(super) struct Order {
    /// Last sequence that the recorder has taken.
    taken: u64,
    /// Last sequence that was shown live.
    shown: u64,
    /// Last sequence that came.
    came: u64,
    asked: Option<(Duration, u32)>,
    /// Sequences that were accepted as lost.
    pub(super) lost: u64,
}

/// Whether the agent has to send again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    /// Nothing is missing, or it is not the time to ask.
    Nothing,
    /// Everything after this sequence.
    After(u64),
    /// It was asked often enough.
    InVain,
}

/// What to do with an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Show it to viewers.
    pub show: bool,
    /// Offer it to the recorder; tell [`Order::taken`] if it was taken.
    pub record: bool,
}

impl Order {
    /// A stream of which everything up to `committed` is recorded and everything up to `shown` was seen live.
    pub(super) fn new(committed: u64, shown: u64) -> Self {
        Self { taken: committed, shown, came: committed, asked: None, lost: 0 }
    }

    /// An item has come.
    pub(super) fn came(&mut self, sequence: u64) -> Verdict {
        let went_back = sequence <= self.came;
        self.came = sequence;
        let show = sequence > self.shown;
        self.shown = self.shown.max(sequence);
        if sequence == self.taken + 1 {
            // The agent has answered, whether or not the recorder takes the item now.
            self.asked = None;
        } else if sequence > self.taken && went_back && self.asked.is_some() {
            self.accept_hole(sequence);
        }
        Verdict { show, record: sequence == self.taken + 1 }
    }

    /// The recorder has taken an item.
    pub(super) fn taken(&mut self, sequence: u64) {
        self.taken = sequence;
    }

    /// Whether to ask the agent to send again, and after which sequence: there is a hole, the recorder has room, and
    /// the last question is not too fresh.
    pub(super) fn ask(&mut self, now: Duration, has_room: bool) -> Ask {
        if self.is_whole() || !has_room {
            return Ask::Nothing;
        }
        let asks = match self.asked {
            Some((at, _)) if now < at + ASK_AGAIN => return Ask::Nothing,
            Some((_, asks)) => asks,
            None => 0,
        };
        if asks == ASKS {
            return Ask::InVain;
        }
        self.asked = Some((now, asks + 1));
        Ask::After(self.taken)
    }

    /// Whether everything that came was taken.
    pub(super) fn is_whole(&self) -> bool {
        self.came <= self.taken
    }

    /// Last sequence that the recorder has taken.
    pub(super) fn last_taken(&self) -> u64 {
        self.taken
    }

    fn accept_hole(&mut self, next: u64) {
        self.lost += next - 1 - self.taken;
        self.taken = next - 1;
        self.asked = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Duration = Duration::ZERO;

    fn give(order: &mut Order, sequence: u64, room: bool) -> Verdict {
        let verdict = order.came(sequence);
        if verdict.record && room {
            order.taken(sequence);
        }
        verdict
    }

    #[test]
    fn what_came_before_changes_nothing() {
        let mut order = Order::new(10, 12);
        assert_eq!(give(&mut order, 9, true), Verdict { show: false, record: false });
        assert_eq!(give(&mut order, 11, true), Verdict { show: false, record: true });
        assert_eq!(give(&mut order, 11, true), Verdict { show: false, record: false });
        give(&mut order, 12, true);
        assert_eq!(give(&mut order, 13, true), Verdict { show: true, record: true });
        assert_eq!(order.ask(NOW, true), Ask::Nothing);
    }

    #[test]
    fn a_full_recorder_leaves_a_hole_that_is_asked_for_once_there_is_room() {
        let mut order = Order::new(0, 0);
        give(&mut order, 1, true);
        assert!(give(&mut order, 2, false).record);
        assert_eq!(give(&mut order, 3, true), Verdict { show: true, record: false });
        assert_eq!(order.ask(NOW, false), Ask::Nothing);
        assert_eq!(order.ask(NOW, true), Ask::After(1));
        assert_eq!(order.ask(NOW + Duration::from_secs(1), true), Ask::Nothing);
        assert_eq!(order.ask(NOW + Duration::from_secs(21), true), Ask::After(1));
        assert_eq!(give(&mut order, 2, true), Verdict { show: false, record: true });
        assert_eq!(give(&mut order, 3, true), Verdict { show: false, record: true });
        assert_eq!(give(&mut order, 4, true), Verdict { show: true, record: true });
        assert_eq!((order.last_taken(), order.lost), (4, 0));
    }

    #[test]
    fn what_the_agent_no_longer_has_is_counted_as_lost() {
        let mut order = Order::new(0, 0);
        give(&mut order, 5, true);
        assert_eq!(order.ask(NOW, true), Ask::After(0));
        assert_eq!(give(&mut order, 4, true), Verdict { show: false, record: true });
        assert_eq!((order.last_taken(), order.lost), (4, 3));
    }

    #[test]
    fn what_an_agent_that_does_not_answer_has_is_not_given_up() {
        let mut silent = Order::new(0, 0);
        give(&mut silent, 5, true);
        for ask in 0..3 {
            assert_eq!(silent.ask(Duration::from_secs(ask * 20), true), Ask::After(0));
        }
        // What was under way before the answer may still be coming.
        assert!(!give(&mut silent, 6, true).record);
        assert_eq!(silent.ask(Duration::from_secs(60), true), Ask::InVain);
        assert_eq!((silent.last_taken(), silent.lost), (0, 0));
    }

    proptest! {
        /// An agent that sends again when asked gets everything recorded, once, in order, however full the recorder is.
        #[test]
        fn everything_is_recorded_once(room in prop::collection::vec(any::<bool>(), 1..200)) {
            let mut order = Order::new(0, 0);
            let (mut recorded, mut next, mut now) = (Vec::new(), 1u64, NOW);
            for has_room in room.iter().copied().chain(std::iter::repeat_n(true, 500)) {
                let verdict = order.came(next);
                if verdict.record && has_room {
                    order.taken(next);
                    recorded.push(next);
                }
                next += 1;
                now += Duration::from_secs(20);
                if let Ask::After(after) = order.ask(now, has_room) {
                    next = after + 1;
                }
            }
            prop_assert_eq!(order.lost, 0);
            prop_assert!(!recorded.is_empty());
            prop_assert!(recorded.iter().zip(1u64..).all(|(a, b)| *a == b));
        }
    }
}
