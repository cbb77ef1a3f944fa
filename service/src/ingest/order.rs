//! Which item of a session's recorded stream is next. Pure.
//!
//! Sequences have no holes when they reach the recorder, whether they come live or as backfill. A hole arises when the
//! recorder's queue was full; the agent is then asked to send again from there. Where it answers from a later place, it no
//! longer has the missing items: the hole is accepted as a loss and counted. Where it does not answer, the connection has
//! to end, for nothing says that the items are lost; the next one begins at what is committed.
//!
//! What is recorded already may not be known when the first item comes, because Postgres does not answer: it counts as
//! next until [`Order::opened`] says otherwise.
//!
//! Not here: what is shown live, and previews.

use std::time::Duration;

/// How long the agent may take to begin sending again, with all that is under way on a slow line before its answer.
const ASK_AGAIN: Duration = Duration::from_secs(20);
/// How often it is asked.
const ASKS: u32 = 3;

/// The state of one session's stream on one connection. Times are since the connection began.
#[derive(Debug, Clone)]
pub(super) struct Order {
    /// Last sequence before the first that came.
    base: u64,
    /// Last sequence that the recorder has taken or that was accepted as lost.
    taken: u64,
    /// Last sequence that the recorder has taken.
    held: u64,
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

impl Order {
    /// A stream of which this sequence comes first.
    pub(super) fn beginning_at(first: u64) -> Self {
        let base = first.saturating_sub(1);
        Self { base, taken: base, held: base, came: base, asked: None, lost: 0 }
    }

    /// Everything up to `committed` is recorded. Where that is not all that came before the first item, the recorder
    /// has taken nothing.
    pub(super) fn opened(&mut self, committed: u64) {
        self.taken = if committed < self.base { committed } else { self.taken.max(committed) };
        self.held = self.taken;
    }

    /// An item has come: where it is to be offered to the recorder, the sequence that it follows there; tell
    /// [`Order::taken`] if it was taken.
    pub(super) fn came(&mut self, sequence: u64) -> Option<u64> {
        let went_back = sequence <= self.came;
        self.came = sequence;
        if sequence == self.taken + 1 {
            // The agent has answered, whether or not the recorder takes the item now.
            self.asked = None;
        } else if sequence > self.taken && went_back && self.asked.is_some() {
            self.accept_hole(sequence);
        }
        (sequence == self.taken + 1).then_some(self.held)
    }

    /// The recorder has taken an item.
    pub(super) fn taken(&mut self, sequence: u64) {
        (self.taken, self.held) = (sequence, sequence);
    }

    /// Whether to ask the agent to send again, and after which sequence: something is missing, the recorder has room,
    /// and the last question is not too fresh.
    pub(super) fn ask(&mut self, now: Duration, has_room: bool) -> Ask {
        if !has_room {
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

    /// Whether it began with the first item of the stream.
    pub(super) fn began_at_the_beginning(&self) -> bool {
        self.base == 0
    }

    /// Last sequence that the recorder has taken.
    pub(super) fn last_taken(&self) -> u64 {
        self.taken
    }

    /// Last sequence that came.
    pub(super) fn last_came(&self) -> u64 {
        self.came
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

    /// Gives an item; says whether it was offered to the recorder, and after which.
    fn give(order: &mut Order, sequence: u64, room: bool) -> Option<u64> {
        let after = order.came(sequence);
        if after.is_some() && room {
            order.taken(sequence);
        }
        after
    }

    fn whole_or_ask(order: &mut Order, now: Duration, has_room: bool) -> Ask {
        if order.is_whole() { Ask::Nothing } else { order.ask(now, has_room) }
    }

    fn at(committed: u64) -> Order {
        let mut order = Order::beginning_at(committed + 1);
        order.opened(committed);
        order
    }

    #[test]
    fn what_came_before_changes_nothing() {
        let mut order = at(10);
        assert_eq!(give(&mut order, 9, true), None);
        assert_eq!(give(&mut order, 11, true), Some(10));
        assert_eq!(give(&mut order, 11, true), None);
        give(&mut order, 12, true);
        assert_eq!(give(&mut order, 13, true), Some(12));
        assert!(order.is_whole());
    }

    #[test]
    fn a_full_recorder_leaves_a_hole_that_is_asked_for_once_there_is_room() {
        let mut order = at(0);
        give(&mut order, 1, true);
        assert_eq!(give(&mut order, 2, false), Some(1));
        assert_eq!(give(&mut order, 3, true), None);
        assert_eq!(whole_or_ask(&mut order, NOW, false), Ask::Nothing);
        assert_eq!(whole_or_ask(&mut order, NOW, true), Ask::After(1));
        assert_eq!(whole_or_ask(&mut order, NOW + Duration::from_secs(1), true), Ask::Nothing);
        assert_eq!(whole_or_ask(&mut order, NOW + Duration::from_secs(21), true), Ask::After(1));
        assert_eq!(give(&mut order, 2, true), Some(1));
        assert_eq!(give(&mut order, 3, true), Some(2));
        assert_eq!(give(&mut order, 4, true), Some(3));
        assert_eq!((order.last_taken(), order.lost), (4, 0));
    }

    #[test]
    fn what_the_agent_no_longer_has_is_counted_as_lost() {
        let mut order = at(0);
        give(&mut order, 5, true);
        assert_eq!(order.ask(NOW, true), Ask::After(0));
        assert_eq!(give(&mut order, 4, false), Some(0), "the recorder learns what it follows");
        assert_eq!(give(&mut order, 4, true), Some(0), "also when it was full the first time");
        assert_eq!((order.last_taken(), order.lost), (4, 3));
    }

    #[test]
    fn what_an_agent_that_does_not_answer_has_is_not_given_up() {
        let mut silent = at(0);
        give(&mut silent, 5, true);
        for ask in 0..3 {
            assert_eq!(silent.ask(Duration::from_secs(ask * 20), true), Ask::After(0));
        }
        // What was under way before the answer may still be coming.
        assert_eq!(give(&mut silent, 6, true), None);
        assert_eq!(silent.ask(Duration::from_secs(60), true), Ask::InVain);
        assert_eq!((silent.last_taken(), silent.lost), (0, 0));
    }

    #[test]
    fn items_are_taken_before_it_is_known_what_is_recorded() {
        let mut order = Order::beginning_at(57);
        (57..=60).for_each(|sequence| assert_eq!(give(&mut order, sequence, true), Some(sequence - 1)));
        let mut more_was = order.clone();
        more_was.opened(80);
        assert_eq!((give(&mut more_was, 61, true), give(&mut more_was, 81, true)), (None, Some(80)));
        let mut less_was = order.clone();
        less_was.opened(40);
        assert!(!less_was.is_whole());
        assert_eq!(less_was.ask(NOW, true), Ask::After(40));
        assert_eq!(give(&mut less_was, 41, true), Some(40));
        order.opened(58);
        assert!(order.is_whole() && order.last_taken() == 60);
    }

    proptest! {
        /// An agent that sends again when asked gets everything recorded, once, in order, however full the recorder is,
        /// whenever it becomes known what was recorded before.
        #[test]
        fn everything_is_recorded_once(
            room in prop::collection::vec(any::<bool>(), 1..200),
            (committed, unacked) in (0u64..30).prop_flat_map(|committed| (Just(committed), 0..=committed)),
            known_after in 0usize..40,
        ) {
            // The agent begins after what it heard to be committed, which may be less than is.
            let mut next = unacked + 1;
            let (mut order, mut now) = (Order::beginning_at(next), NOW);
            // The recorder: passes over what it has, takes only what follows.
            let (mut queue, mut recorded, mut opened) = (Vec::new(), committed, false);
            for (i, has_room) in room.iter().copied().chain(std::iter::repeat_n(true, 500)).enumerate() {
                if i == known_after {
                    order.opened(committed);
                    opened = true;
                }
                if let Some(after) = order.came(next).filter(|_| has_room) {
                    order.taken(next);
                    queue.push((after, next));
                }
                next += 1;
                now += Duration::from_secs(20);
                if opened {
                    for (after, sequence) in queue.drain(..) {
                        if sequence > recorded && after <= recorded {
                            prop_assert_eq!(sequence, recorded + 1);
                            recorded = sequence;
                        }
                    }
                    if let Ask::After(after) = whole_or_ask(&mut order, now, has_room) {
                        next = after + 1;
                    }
                }
            }
            prop_assert_eq!(order.lost, 0);
            prop_assert!(recorded > committed + 300 && recorded == order.last_taken());
        }
    }
}
