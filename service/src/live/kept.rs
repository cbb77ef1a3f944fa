//! The latest batches of a session, for viewers that come back after a break. Pure.
//!
//! Invariant: bounded in time and bytes; what is kept is in the order of its places.

use super::shown::At;
use bytes::{Bytes, BytesMut};
use std::collections::VecDeque;

/// How long a batch is kept, by the agent's clock.
const KEPT_MS: u64 = 30_000;
/// Most bytes that are kept.
const KEPT_BYTES: usize = 256 * 1024;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Kept {
    batches: VecDeque<(At, u64, Bytes)>,
    bytes: usize,
}

impl Kept {
    /// Keeps a batch that begins at `at_ms`, framed.
    pub(super) fn push(&mut self, at: At, at_ms: u64, frame: Bytes) {
        self.bytes += frame.len();
        self.batches.push_back((at, at_ms, frame));
        // A clock that was put right makes what is before it either old or from the future: it goes.
        while self.batches.front().is_some_and(|(_, ms, _)| self.bytes > KEPT_BYTES || at_ms.abs_diff(*ms) > KEPT_MS) {
            self.bytes -= self.batches.pop_front().map_or(0, |(_, _, frame)| frame.len());
        }
    }

    /// What was kept after a place, in one buffer, and which sequences between that place and `shown` are missing before
    /// it. Sequences that were no batches count as missing only together with a batch that is.
    pub(super) fn since(&self, seen: At, shown: At) -> (Option<(u64, u64)>, Bytes) {
        let reaches_back = self.batches.front().is_some_and(|(first, _, _)| *first <= (seen.0, seen.1 + 1));
        let later = self.batches.iter().filter(|(at, _, _)| *at > seen);
        let mut all = BytesMut::new();
        later.clone().for_each(|(_, _, frame)| all.extend_from_slice(frame));
        // Another run of the agent counts anew: what lies between has no numbers.
        let is_same_run = seen.0 == shown.0;
        let first_kept = later.clone().map(|(at, _, _)| at.1).next();
        let missing = (is_same_run && !reaches_back)
            .then(|| (seen.1 + 1, first_kept.map_or(shown.1, |first| first - 1)))
            .filter(|(from, to)| from <= to);
        (missing, all.freeze())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(sequences: impl IntoIterator<Item = u64>) -> Kept {
        let mut kept = Kept::default();
        for sequence in sequences {
            kept.push((1, sequence), sequence * 100, Bytes::from(vec![sequence as u8]));
        }
        kept
    }

    #[test]
    fn what_was_kept_goes_on_where_the_viewer_was() {
        let (missing, batches) = kept(1..=10).since((1, 7), (1, 10));
        assert_eq!((missing, &batches[..]), (None, &[8, 9, 10][..]));
        // A lap stood at 8: nothing is missing.
        let (missing, batches) = kept((1..=7).chain(9..=10)).since((1, 7), (1, 10));
        assert_eq!((missing, &batches[..]), (None, &[9, 10][..]));
    }

    #[test]
    fn what_was_not_kept_is_named() {
        let (missing, batches) = kept(50..=60).since((1, 7), (1, 60));
        assert_eq!((missing, batches.len()), (Some((8, 49)), 11));
        let (missing, batches) = Kept::default().since((1, 7), (1, 60));
        assert_eq!((missing, batches.len()), (Some((8, 60)), 0));
        let (missing, batches) = kept(50..=60).since((0, 7), (1, 60));
        assert_eq!((missing, batches.len()), (None, 11), "another run counts anew");
    }

    #[test]
    fn it_is_bounded_in_time_and_bytes() {
        let long = kept(1..=1000);
        assert_eq!(long.batches.len(), 301);
        let mut large = Kept::default();
        (0..100).for_each(|i| large.push((1, i), i, Bytes::from(vec![0; 10_000])));
        assert!(large.bytes <= KEPT_BYTES && large.batches.len() == 26);
        large.push((1, 101), 9_000_000, Bytes::new());
        assert_eq!(large.batches.len(), 1);
    }
}
