//! By how much an agent's clock is ahead of the service's. Pure.
//!
//! Every time that the agent says is old by its way here, so it seems less ahead than it is: of the latest few the greatest
//! is nearest. A clock that was set back is believed once all of them say so.

use std::collections::VecDeque;

/// Of so many times the best counts: half a minute of a car that is driven.
const LATEST: usize = 6;
/// What is less is no news.
const NEWS_MS: u64 = 5;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Skew {
    latest: VecDeque<i64>,
    known_ms: i64,
}

impl Skew {
    /// What is known of it, in milliseconds.
    pub(super) fn ms(&self) -> i64 {
        self.known_ms
    }

    /// The agent has told the time; says whether more is known now.
    pub(super) fn told(&mut self, agent_ms: u64, now_ms: u64) -> bool {
        let ahead = i64::try_from(i128::from(agent_ms) - i128::from(now_ms)).unwrap_or(i64::MAX);
        let is_first = self.latest.is_empty();
        if self.latest.len() == LATEST {
            self.latest.pop_front();
        }
        self.latest.push_back(ahead);
        let best = self.latest.iter().copied().max().unwrap_or(ahead);
        let is_news = is_first || best.abs_diff(self.known_ms) >= NEWS_MS;
        if is_news {
            self.known_ms = best;
        }
        is_news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_that_came_fastest_counts() {
        let mut skew = Skew::default();
        assert!(skew.told(10_000, 9_950) && skew.ms() == 50);
        assert!(!skew.told(20_000, 20_400), "it was long on its way");
        assert!(!skew.told(30_000, 29_948), "that is no news");
        assert!(skew.told(40_000, 39_930));
        assert_eq!(skew.ms(), 70);
    }

    #[test]
    fn a_clock_that_is_set_is_believed_forward_at_once_and_backward_after_a_while() {
        let mut skew = Skew::default();
        skew.told(1_000, 1_000);
        assert!(skew.told(61_000, 1_000));
        assert_eq!(skew.ms(), 60_000);
        let needed = (1..).find(|_| skew.told(1_000, 1_000));
        assert_eq!((needed, skew.ms()), (Some(LATEST), 0));
        assert!(skew.told(u64::MAX, 0));
        assert_eq!(skew.ms(), i64::MAX);
    }
}
