//! Pairing's policy (RFC 8628, 3.5): when to ask, what an answer means, and when it is over. Pure: no socket, no clock.
//!
//! Invariants: between two questions there is never less than the interval that the service has named, and that only
//! grows; a question that was not answered makes the next wait longer; past the time that the code is good nothing is
//! asked any more.

use crate::link::backoff::Jitter;
use std::fmt;

/// Seconds between two questions where the service names none (RFC 8628, 3.2).
const DEFAULT_INTERVAL_S: u64 = 5;
/// Longest interval that is believed.
const MAX_INTERVAL_S: u64 = 60;
/// By how much "slow down" makes the interval longer (RFC 8628, 3.5).
const SLOWER_MS: u64 = 5_000;
/// Longest wait after questions that were not answered, where the interval is not longer.
const MAX_WAIT_MS: u64 = 30_000;
/// Longest time that a code is believed to be good.
const MAX_LIFE_S: u64 = 86_400;
/// The service's clock and ours need not agree on when a code ends better than this.
const GRACE_MS: u64 = 10_000;

/// An answer that is no token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum No {
    /// Nobody has decided yet; ask again after so many seconds.
    Pending(Option<u64>),
    /// Asked too soon; ask after so many seconds from now on.
    SlowDown(Option<u64>),
    /// A member of the team said no.
    Denied,
    /// The code is no longer good, or its token was fetched.
    Expired,
    /// The service does not do this, whatever is asked how often.
    Refused(String),
    /// There was no answer, or none to act on: whether the service has heard the question is not known.
    Unanswered(String),
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Ask for the token.
    Ask,
    /// Nothing before this time, in milliseconds by the agent's clock.
    Wait(u64),
    /// Nothing any more.
    Over(End),
}

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// A member of the team said no.
    Denied,
    /// Nobody approved it in time.
    Expired,
    /// The code is used up, after a question whose answer never came: the token was in it.
    Astray,
    /// The service does not do this.
    Refused(String),
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied => f.write_str("a member of the team said no to this PC. No token was stored"),
            Self::Expired => {
                f.write_str("the code is no longer good. No token was stored: run `onelap-agent pair` for another code")
            }
            Self::Astray => f.write_str(
                "the code was used, and its token got lost with the connection. No token was stored: run `onelap-agent \
                 pair` again, and revoke the token that was never used on the team's Rigs page",
            ),
            Self::Refused(why) => write!(f, "{why}. No token was stored"),
        }
    }
}

/// An agent whose code waits to be approved.
#[derive(Debug)]
pub struct Waiting {
    interval_ms: u64,
    ask_ms: u64,
    ends_ms: u64,
    over: Option<End>,
    /// Questions in a row that were not answered.
    unanswered: u32,
    /// An answer may have been lost.
    is_one_lost: bool,
    problem: Option<String>,
    jitter: Jitter,
}

impl Waiting {
    /// The service has given a code that is good for so many seconds. `seed` is for jitter.
    #[must_use]
    pub fn begin(interval_s: Option<u64>, good_for_s: u64, now_ms: u64, seed: u64) -> Self {
        let interval_ms = 1_000 * believable(interval_s).unwrap_or(DEFAULT_INTERVAL_S);
        Self {
            interval_ms,
            ask_ms: now_ms + interval_ms,
            ends_ms: now_ms + 1_000 * good_for_s.min(MAX_LIFE_S),
            over: None,
            unanswered: 0,
            is_one_lost: false,
            problem: None,
            jitter: Jitter::new(seed),
        }
    }

    /// What to do now.
    #[must_use]
    pub fn next(&self, now_ms: u64) -> Next {
        if let Some(end) = &self.over {
            return Next::Over(end.clone());
        }
        if now_ms >= self.ends_ms {
            return Next::Over(End::Expired);
        }
        if now_ms >= self.ask_ms { Next::Ask } else { Next::Wait(self.ask_ms.min(self.ends_ms)) }
    }

    /// Why the last question was not answered, while it is so.
    #[must_use]
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// The service was asked, and gave no token.
    pub fn told(&mut self, no: No, now_ms: u64) {
        if let No::Unanswered(why) = no {
            self.is_one_lost = true;
            self.problem = Some(why);
            let wait_ms = (self.interval_ms << self.unanswered.min(4)).min(MAX_WAIT_MS).max(self.interval_ms);
            self.unanswered += 1;
            self.ask_ms = now_ms + wait_ms + self.jitter.between(0, wait_ms / 4);
            return;
        }
        (self.unanswered, self.problem) = (0, None);
        match no {
            No::Pending(interval_s) => self.slow_down_to(believable(interval_s).unwrap_or(0) * 1_000),
            No::SlowDown(interval_s) => {
                self.slow_down_to((self.interval_ms + SLOWER_MS).max(believable(interval_s).unwrap_or(0) * 1_000));
            }
            No::Denied => self.over = Some(End::Denied),
            No::Expired if self.is_one_lost && now_ms + GRACE_MS < self.ends_ms => self.over = Some(End::Astray),
            No::Expired => self.over = Some(End::Expired),
            No::Refused(why) => self.over = Some(End::Refused(why)),
            No::Unanswered(_) => {}
        }
        self.ask_ms = now_ms + self.interval_ms;
    }

    fn slow_down_to(&mut self, interval_ms: u64) {
        self.interval_ms = self.interval_ms.max(interval_ms).min(1_000 * MAX_INTERVAL_S);
    }
}

fn believable(interval_s: Option<u64>) -> Option<u64> {
    interval_s.map(|s| s.clamp(1, MAX_INTERVAL_S))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const T0: u64 = 7_000_000;

    fn begun() -> Waiting {
        Waiting::begin(Some(5), 600, T0, 1)
    }

    fn lost() -> No {
        No::Unanswered("cannot be reached".into())
    }

    /// When it asks next, looked at from `now_ms`.
    fn asks_at(waiting: &Waiting, now_ms: u64) -> u64 {
        match waiting.next(now_ms) {
            Next::Wait(until_ms) => {
                assert_eq!(waiting.next(until_ms), Next::Ask);
                until_ms
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn it_asks_at_the_interval_that_the_service_names() {
        let mut waiting = begun();
        assert_eq!(asks_at(&waiting, T0), T0 + 5_000, "nobody has typed a code before that");
        waiting.told(No::Pending(Some(5)), T0 + 5_200);
        assert_eq!(asks_at(&waiting, T0 + 5_200), T0 + 10_200, "from the answer on");
        waiting.told(No::Pending(Some(8)), T0 + 20_000);
        assert_eq!(asks_at(&waiting, T0 + 20_000), T0 + 28_000);
        waiting.told(No::Pending(None), T0 + 30_000);
        assert_eq!(asks_at(&waiting, T0 + 30_000), T0 + 38_000);
        waiting.told(No::Pending(Some(1)), T0 + 40_000);
        assert_eq!(asks_at(&waiting, T0 + 40_000), T0 + 48_000, "it only grows");
        assert_eq!(asks_at(&Waiting::begin(None, 600, T0, 1), T0), T0 + 5_000, "what the standard says");
        assert_eq!(asks_at(&Waiting::begin(Some(0), 600, T0, 1), T0), T0 + 1_000);
    }

    #[test]
    fn told_to_slow_down_it_does_so_for_good() {
        let mut waiting = begun();
        waiting.told(No::SlowDown(None), T0);
        assert_eq!(asks_at(&waiting, T0), T0 + 10_000);
        waiting.told(No::SlowDown(Some(20)), T0);
        assert_eq!(asks_at(&waiting, T0), T0 + 20_000);
        waiting.told(No::Pending(Some(5)), T0);
        assert_eq!(asks_at(&waiting, T0), T0 + 20_000);
        waiting.told(No::SlowDown(Some(u64::MAX)), T0);
        assert_eq!(asks_at(&waiting, T0), T0 + 60_000, "and no longer than is sensible");
    }

    #[test]
    fn without_an_answer_the_waits_grow_until_there_is_one() {
        let mut waiting = begun();
        for (at_least, at_most) in
            [(5_000, 6_250), (10_000, 12_500), (20_000, 25_000), (30_000, 37_500), (30_000, 37_500)]
        {
            waiting.told(lost(), T0);
            let wait_ms = asks_at(&waiting, T0) - T0;
            assert!((at_least..=at_most).contains(&wait_ms), "{wait_ms}");
            assert_eq!(waiting.problem(), Some("cannot be reached"));
        }
        waiting.told(No::Pending(Some(5)), T0);
        assert_eq!((asks_at(&waiting, T0), waiting.problem()), (T0 + 5_000, None));
        waiting.told(lost(), T0);
        assert!(asks_at(&waiting, T0) <= T0 + 6_250, "the next one is a first one");
    }

    #[test]
    fn a_no_is_the_end() {
        for (no, end) in [
            (No::Denied, End::Denied),
            (No::Expired, End::Expired),
            (No::Refused("update the agent".into()), End::Refused("update the agent".into())),
        ] {
            let mut waiting = begun();
            waiting.told(no, T0 + 5_000);
            assert_eq!(waiting.next(T0 + 5_000), Next::Over(end.clone()));
            assert_eq!(waiting.next(T0 + 900_000), Next::Over(end.clone()), "and stays it");
            assert!(end.to_string().contains("No token was stored"), "{end}");
        }
    }

    #[test]
    fn a_code_ends_by_our_own_clock_too() {
        let mut waiting = begun();
        waiting.told(lost(), T0 + 595_000);
        assert_eq!(waiting.next(T0 + 595_000), Next::Wait(T0 + 600_000));
        assert_eq!(waiting.next(T0 + 600_000), Next::Over(End::Expired));
    }

    #[test]
    fn a_token_that_was_lost_on_its_way_is_told_from_a_code_that_nobody_approved() {
        let mut waiting = begun();
        waiting.told(lost(), T0 + 5_000);
        waiting.told(No::Expired, T0 + 11_000);
        assert_eq!(waiting.next(T0 + 11_000), Next::Over(End::Astray));
        let mut waiting = begun();
        waiting.told(lost(), T0 + 5_000);
        waiting.told(No::Expired, T0 + 595_000);
        assert_eq!(waiting.next(T0 + 595_000), Next::Over(End::Expired), "its time had come");
    }

    fn any_no() -> impl Strategy<Value = No> {
        prop_oneof![
            proptest::option::of(0u64..100).prop_map(No::Pending),
            proptest::option::of(0u64..100).prop_map(No::SlowDown),
            Just(lost()),
        ]
    }

    proptest! {
        /// However the service answers, and how slowly.
        #[test]
        fn it_never_asks_too_often_nor_too_late(
            nos in prop::collection::vec((any_no(), 0u64..15_000), 1..200), interval_s in 1u64..70, life_s in 0u64..2_000,
        ) {
            let mut waiting = Waiting::begin(Some(interval_s), life_s, T0, 3);
            let (mut now_ms, mut interval_ms) = (T0, 1_000 * interval_s.min(60));
            let mut answered_ms = T0;
            for (no, took_ms) in nos {
                match waiting.next(now_ms) {
                    Next::Over(end) => {
                        prop_assert_eq!(end, End::Expired);
                        prop_assert!(now_ms >= T0 + 1_000 * life_s);
                        return Ok(());
                    }
                    Next::Ask => prop_assert!(false, "asked without a wait"),
                    Next::Wait(until_ms) => {
                        prop_assert!(until_ms > now_ms && until_ms <= T0 + 1_000 * life_s);
                        now_ms = until_ms;
                    }
                }
                if waiting.next(now_ms) != Next::Ask {
                    continue;
                }
                prop_assert!(now_ms >= answered_ms + interval_ms && now_ms < T0 + 1_000 * life_s);
                now_ms += took_ms;
                answered_ms = now_ms;
                if let No::SlowDown(_) = no {
                    interval_ms = (interval_ms + 5_000).min(60_000);
                }
                if let No::Pending(Some(s)) | No::SlowDown(Some(s)) = no {
                    interval_ms = interval_ms.max(1_000 * s.clamp(1, 60));
                }
                waiting.told(no, now_ms);
            }
        }
    }
}
