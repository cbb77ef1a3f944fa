//! Which items there are and where: [`Run`]s of items that follow each other, oldest first. Pure.
//!
//! A run is of one session and epoch, in one segment or lost. A rig records one session at a time, so that there are
//! about as many runs as segments. What is acknowledged is not in the index.

use onelap_protocol::SessionId;
use onelap_protocol::agent::Place;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Why something is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// More waited than may be kept.
    Cap,
    /// A file was damaged, or has gone.
    Damaged,
}

/// Where items are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// In the segment whose first serial this is.
    In(u64),
    /// Nowhere any more.
    Lost(Reason),
}

/// Items with serials and sequences without holes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// Serial of the first.
    pub first_serial: u64,
    /// How many; at least one.
    pub count: u64,
    /// Place of the first.
    pub first: Place,
    /// Where they are.
    pub kept: Kept,
    /// Bytes of their payloads.
    pub bytes: u64,
    /// Time of the first, and of the last.
    pub from_ms: u64,
    /// Time of the last.
    pub to_ms: u64,
}

impl Run {
    /// Serial after the last.
    #[must_use]
    pub fn end_serial(&self) -> u64 {
        self.first_serial + self.count
    }

    /// Sequence of the last.
    #[must_use]
    pub fn last_sequence(&self) -> u64 {
        self.first.sequence + (self.count - 1)
    }

    /// Place and approximate time of the item with a serial in the run.
    #[must_use]
    pub fn item(&self, serial: u64) -> (Place, u64) {
        let nth = serial - self.first_serial;
        let place = Place { sequence: self.first.sequence + nth, ..self.first };
        let span = u128::from(self.to_ms.saturating_sub(self.from_ms));
        let since = span * u128::from(nth) / u128::from((self.count - 1).max(1));
        (place, self.from_ms.saturating_add(since as u64))
    }

    /// Whether it is of this place's session and epoch.
    #[must_use]
    pub fn is_of(&self, place: Place) -> bool {
        (self.first.session, self.first.epoch) == (place.session, place.epoch)
    }

    /// Without its first `n` items; `None` where nothing is left.
    fn without(self, n: u64) -> Option<Self> {
        if n >= self.count {
            return None;
        }
        let bytes = (u128::from(self.bytes) * u128::from(self.count - n) / u128::from(self.count)) as u64;
        let (first, from_ms) = self.item(self.first_serial + n);
        Some(Self { first_serial: self.first_serial + n, count: self.count - n, first, bytes, from_ms, ..self })
    }

    /// Its first `n` items, of which there are more.
    fn only(self, n: u64) -> Option<Self> {
        let count = n.min(self.count);
        let last = self.first_serial + count.checked_sub(1)?;
        let bytes = (u128::from(self.bytes) * u128::from(count) / u128::from(self.count)) as u64;
        Some(Self { count, bytes, to_ms: self.item(last).1, ..self })
    }

    /// Takes up the run that follows it, if it does.
    pub(super) fn join(&mut self, next: &Self) -> bool {
        let follows = self.kept == next.kept
            && self.is_of(next.first)
            && self.end_serial() == next.first_serial
            && self.last_sequence() + 1 == next.first.sequence;
        if follows {
            self.count += next.count;
            self.bytes += next.bytes;
            self.to_ms = next.to_ms;
        }
        follows
    }
}

/// See the module.
#[derive(Debug, Default)]
pub struct Index {
    runs: VecDeque<Run>,
}

impl Index {
    /// Of runs in any order. Where two claim the same serial, what is there counts more than what is lost.
    #[must_use]
    pub fn of(mut runs: Vec<Run>) -> Self {
        runs.sort_by_key(|run| (matches!(run.kept, Kept::Lost(_)), run.first_serial));
        let mut taken: Vec<Run> = Vec::new();
        for run in runs {
            let mut rest = Some(run);
            while let Some(run) = rest.take() {
                let at = taken.partition_point(|other| other.end_serial() <= run.first_serial);
                let Some(next) = taken.get(at).copied() else {
                    taken.push(run);
                    break;
                };
                rest = run.without(next.end_serial() - run.first_serial);
                if let Some(free) = run.only(next.first_serial.saturating_sub(run.first_serial)) {
                    taken.insert(at, free);
                }
            }
        }
        let mut index = Self::default();
        taken.into_iter().for_each(|run| index.push(run));
        index
    }

    /// Takes up a run that comes after all others.
    pub fn push(&mut self, run: Run) {
        if !self.runs.back_mut().is_some_and(|last| last.join(&run)) {
            self.runs.push_back(run);
        }
    }

    /// The run that has the item with this serial, or the first item after it, and that item's serial.
    #[must_use]
    pub fn at(&self, serial: u64) -> Option<(&Run, u64)> {
        let run = self.runs.get(self.runs.partition_point(|run| run.end_serial() <= serial))?;
        Some((run, serial.max(run.first_serial)))
    }

    /// Serial of the first item of the session after a place.
    #[must_use]
    pub fn serial_after(&self, place: Place) -> Option<u64> {
        self.runs.iter().find_map(|run| {
            if run.first.session != place.session {
                return None;
            }
            match run.first.epoch.cmp(&place.epoch) {
                std::cmp::Ordering::Less => None,
                std::cmp::Ordering::Equal if run.last_sequence() <= place.sequence => None,
                std::cmp::Ordering::Equal => {
                    let done = place.sequence.saturating_add(1).saturating_sub(run.first.sequence);
                    Some(run.first_serial + done)
                }
                std::cmp::Ordering::Greater => Some(run.first_serial),
            }
        })
    }

    /// Epochs of the session before the place's, of which something is left.
    pub fn earlier_epochs(&self, place: Place) -> Vec<u64> {
        let runs = self.runs.iter().map(|run| run.first);
        let mut epochs: Vec<u64> =
            runs.filter(|p| p.session == place.session && p.epoch < place.epoch).map(|p| p.epoch).collect();
        epochs.sort_unstable();
        epochs.dedup();
        epochs
    }

    /// Forgets everything of the session and epoch up to the place; tells each segment and how many of its items went.
    /// Returns how many went in all.
    pub fn ack(&mut self, place: Place, mut went: impl FnMut(u64, u64)) -> u64 {
        let mut all = 0;
        let is_acked = |run: &Run| run.is_of(place) && run.first.sequence <= place.sequence;
        if !self.runs.iter().any(is_acked) {
            return 0;
        }
        let runs = std::mem::take(&mut self.runs);
        for run in runs {
            if !is_acked(&run) {
                self.runs.push_back(run);
                continue;
            }
            let n = (place.sequence - run.first.sequence).saturating_add(1).min(run.count);
            if let Kept::In(segment) = run.kept {
                went(segment, n);
            }
            all += n;
            self.runs.extend(run.without(n));
        }
        all
    }

    /// What is left of a segment from a serial on is lost. Returns how many items.
    pub fn lose(&mut self, segment: u64, from_serial: u64, reason: Reason) -> u64 {
        let mut lost = 0;
        let runs = std::mem::take(&mut self.runs);
        for run in runs {
            if run.kept != Kept::In(segment) || run.end_serial() <= from_serial {
                self.push(run);
                continue;
            }
            let sound = from_serial.saturating_sub(run.first_serial);
            if let Some(sound) = run.only(sound) {
                self.push(sound);
            }
            if let Some(gone) = run.without(sound) {
                lost += gone.count;
                self.push(Run { kept: Kept::Lost(reason), bytes: 0, ..gone });
            }
        }
        lost
    }

    /// How many items have a smaller serial.
    #[must_use]
    pub fn count_before(&self, serial: u64) -> u64 {
        self.runs.iter().map(|run| serial.saturating_sub(run.first_serial).min(run.count)).sum()
    }

    /// The runs, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Run> {
        self.runs.iter()
    }

    /// Sessions of which something is there, oldest first, each once.
    #[must_use]
    pub fn sessions(&self) -> Vec<SessionId> {
        let mut sessions = Vec::new();
        for run in &self.runs {
            if !sessions.contains(&run.first.session) {
                sessions.push(run.first.session);
            }
        }
        sessions
    }

    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(first_serial: u64, count: u64, session: SessionId, sequence: u64, kept: Kept) -> Run {
        let first = Place { session, epoch: 1, sequence };
        Run {
            first_serial,
            count,
            first,
            kept,
            bytes: count * 10,
            from_ms: first_serial,
            to_ms: first_serial + count - 1,
        }
    }

    #[test]
    fn runs_that_follow_each_other_are_one() {
        let session = SessionId::new();
        let mut index = Index::default();
        index.push(run(0, 5, session, 1, Kept::In(0)));
        index.push(run(5, 5, session, 6, Kept::In(0)));
        index.push(run(10, 5, session, 11, Kept::In(10)));
        assert_eq!(index.iter().count(), 2);
        assert_eq!(index.lose(0, 7, Reason::Damaged), 3);
        assert_eq!(index.lose(10, 0, Reason::Damaged), 5);
        assert_eq!(
            index.iter().copied().collect::<Vec<_>>(),
            [
                run(0, 7, session, 1, Kept::In(0)),
                Run { bytes: 0, ..run(7, 8, session, 8, Kept::Lost(Reason::Damaged)) },
            ]
        );
        assert_eq!(index.at(3).unwrap().1, 3);
        assert_eq!(index.at(9).unwrap().0.item(9), (Place { session, epoch: 1, sequence: 10 }, 9));
        assert!(index.at(15).is_none());
    }

    #[test]
    fn an_acknowledgement_counts_for_its_own_epoch_alone() {
        let session = SessionId::new();
        let mut index = Index::default();
        index.push(run(0, 4, session, 1, Kept::In(0)));
        let later = Place { session, epoch: 2, sequence: 1 };
        index.push(Run { first: later, ..run(4, 4, session, 1, Kept::In(4)) });
        let mut went = Vec::new();
        assert_eq!(index.ack(Place { sequence: 3, ..later }, |segment, n| went.push((segment, n))), 3);
        assert_eq!(went, [(4, 3)]);
        assert_eq!(index.serial_after(Place { session, epoch: 1, sequence: 2 }), Some(2));
        assert_eq!(index.serial_after(Place { session, epoch: 1, sequence: 4 }), Some(7));
        assert_eq!(index.serial_after(Place { session, epoch: 2, sequence: 4 }), None);
        assert_eq!(index.sessions(), [session]);
    }

    #[test]
    fn what_is_there_counts_more_than_what_is_said_to_be_lost() {
        let session = SessionId::new();
        let there = run(5, 5, session, 6, Kept::In(5));
        let lost = run(3, 4, session, 4, Kept::Lost(Reason::Cap));
        let after = run(12, 2, session, 13, Kept::Lost(Reason::Cap));
        let around = Run { to_ms: 9, ..run(0, 12, session, 1, Kept::Lost(Reason::Damaged)) };
        let index = Index::of(vec![lost, there, after, around]);
        let found: Vec<_> =
            index.iter().map(|run| (run.first_serial, run.count, run.first.sequence, run.kept)).collect();
        let (cap, damaged) = (Kept::Lost(Reason::Cap), Kept::Lost(Reason::Damaged));
        assert_eq!(found, [(0, 5, 1, damaged), (5, 5, 6, Kept::In(5)), (10, 2, 11, damaged), (12, 2, 13, cap)]);
    }
}
