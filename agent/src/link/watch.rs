//! What people are told of the spool: how much waits, how old it is, how long catching up takes, and when to say so.
//! Pure.
//!
//! Ages count by the agent's own clock, which nobody sets. The PC's clock counts only for what an earlier run of the agent
//! has left, once, at the beginning.

use crate::spool::Spool;
use crate::spool::disk::Disk;
use onelap_protocol::agent::SpoolState;
use std::collections::VecDeque;

/// How often the team is told at most, as long as nothing happens that cannot wait.
const SAY_MS: u64 = 5_000;
/// How often at most in any case.
const AT_ONCE_MS: u64 = 1_000;
/// Fewer items than these are no backlog that anybody wants to be told of: a second or two of catching up.
pub const BACKLOG: u64 = 300;
/// Marks of when a serial was next.
const MAX_MARKS: usize = 512;
/// Distance of the first marks.
const MARK_MS: u64 = 1_000;
/// Over what time the speed of catching up is averaged.
const SMOOTH_MS: f64 = 5_000.0;

/// See the module.
#[derive(Debug, Default)]
pub struct Watch {
    state: SpoolState,
    said: Option<(SpoolState, u64)>,
    /// Serial that was next, and when.
    marks: VecDeque<(u64, u64)>,
    mark_every_ms: u64,
    /// Serial that was next at the beginning, and the age of the oldest item by the PC's clock at some time of ours.
    left: Option<(u64, Option<Left>)>,
    pace: Option<Catching>,
}

/// The oldest item that an earlier run has left.
#[derive(Debug, Clone, Copy)]
struct Left {
    serial: u64,
    age_ms: u64,
    at_ms: u64,
}

/// How fast what waits becomes less.
#[derive(Debug, Clone, Copy)]
struct Catching {
    at_ms: u64,
    items: u64,
    per_s: f64,
}

impl Watch {
    /// Looks at the spool. `behind`: how many items wait to be sent while the record is behind what is shown, and how
    /// many a second may be. `unix_ms` is the PC's clock.
    pub fn look<D: Disk>(&mut self, spool: &Spool<D>, behind: Option<(u64, u32)>, now_ms: u64, unix_ms: u64) {
        self.mark(spool.next_serial(), now_ms);
        let catching_up_s = self.catching_up_s(behind, now_ms);
        let oldest = spool.oldest();
        self.state = SpoolState {
            bytes: spool.bytes() as u64,
            items: spool.items(),
            oldest_ms: oldest.map(|(serial, read_ms)| self.age_ms(serial, read_ms, now_ms, unix_ms)),
            catching_up_s,
            lost: spool.lost_items(),
            on_disk: spool.is_on_disk(),
        };
    }

    /// What was seen last.
    #[must_use]
    pub fn state(&self) -> SpoolState {
        self.state
    }

    /// Whether more waits than passes in a moment, and is being sent.
    #[must_use]
    pub fn is_catching_up(&self) -> bool {
        self.pace.is_some()
    }

    /// Whether the team should be told now.
    #[must_use]
    pub fn is_news(&self, now_ms: u64) -> bool {
        let Some((said, at_ms)) = self.said else { return true };
        let passed_ms = now_ms.saturating_sub(at_ms);
        let urgent = |state: SpoolState| (state.lost, state.on_disk, state.catching_up_s.is_some());
        (said != self.state && passed_ms >= SAY_MS) || (urgent(said) != urgent(self.state) && passed_ms >= AT_ONCE_MS)
    }

    /// What the team is told now.
    pub fn say(&mut self, now_ms: u64) -> SpoolState {
        self.said = Some((self.state, now_ms));
        self.state
    }

    fn mark(&mut self, next_serial: u64, now_ms: u64) {
        self.left.get_or_insert((next_serial, None));
        let is_due = self
            .marks
            .back()
            .is_none_or(|(serial, at_ms)| *serial < next_serial && now_ms >= at_ms + self.mark_every_ms.max(MARK_MS));
        if is_due {
            self.marks.push_back((next_serial, now_ms));
        }
        if self.marks.len() > MAX_MARKS {
            self.mark_every_ms = 2 * self.mark_every_ms.max(MARK_MS);
            let mut nth = 0;
            self.marks.retain(|_| {
                nth += 1;
                nth % 2 == 1
            });
        }
    }

    fn age_ms(&mut self, serial: u64, read_ms: u64, now_ms: u64, unix_ms: u64) -> u64 {
        if let Some((_, left)) = self.left.as_mut().filter(|(next, _)| serial < *next) {
            // Of what was left the clock is asked once for each oldest item, and never makes one older than the one before.
            let age_now = |left: &Left| left.age_ms + now_ms.saturating_sub(left.at_ms);
            let is_known = left.is_some_and(|left| left.serial == serial);
            if !is_known {
                let by_clock = unix_ms.saturating_sub(read_ms);
                let age_ms = left.as_ref().map_or(by_clock, |left| by_clock.min(age_now(left)));
                *left = Some(Left { serial, age_ms, at_ms: now_ms });
            }
            return left.as_ref().map_or(0, age_now);
        }
        while self.marks.get(1).is_some_and(|(mark, _)| *mark <= serial) {
            self.marks.pop_front();
        }
        self.marks.front().map_or(0, |(_, at_ms)| now_ms.saturating_sub(*at_ms))
    }

    fn catching_up_s(&mut self, behind: Option<(u64, u32)>, now_ms: u64) -> Option<u32> {
        let Some((items, most_per_s)) = behind else {
            self.pace = None;
            return None;
        };
        let pace = match &mut self.pace {
            None if items <= BACKLOG => return None,
            None => self.pace.insert(Catching { at_ms: now_ms, items, per_s: f64::from(most_per_s) }),
            Some(pace) => pace,
        };
        let passed_ms = now_ms.saturating_sub(pace.at_ms) as f64;
        if passed_ms >= 1_000.0 {
            let per_s = (pace.items as f64 - items as f64) * 1e3 / passed_ms;
            pace.per_s += (1.0 - (-passed_ms / SMOOTH_MS).exp()) * (per_s - pace.per_s);
            (pace.at_ms, pace.items) = (now_ms, items);
        }
        // Slower than an item a second is no speed to tell a time from.
        (pace.per_s >= 1.0).then(|| (items as f64 / pace.per_s).ceil().max(1.0) as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use onelap_protocol::SessionId;
    use onelap_protocol::agent::{EndReason, Place, Record};

    const UNIX_MS: u64 = 1_800_000_000_000;

    fn push(spool: &mut Spool, session: SessionId, items: u64) {
        for _ in 0..items {
            spool.push_record(session, Record::End { reason: EndReason::Left }).unwrap();
        }
    }

    #[test]
    fn an_age_is_true_however_the_clock_is_set() {
        let (mut spool, mut watch) = (Spool::new(1, 1 << 20), Watch::default());
        let session = SessionId::new();
        let oldest = |watch: &Watch| watch.state().oldest_ms;
        watch.look(&spool, None, 0, UNIX_MS);
        assert_eq!(oldest(&watch), None);
        let mut read_ms = vec![];
        for n in 0..4_000 {
            push(&mut spool, session, 1);
            read_ms.push(n * 500);
            // The clock jumps back by a year and forward again.
            watch.look(&spool, None, n * 500, UNIX_MS - (n % 3) * 31_000_000_000);
        }
        for sequence in (0..3_900).step_by(77) {
            spool.ack(Place { session, epoch: 1, sequence });
            let now_ms = 2_000_000;
            watch.look(&spool, None, now_ms, 5);
            let age_ms = now_ms - read_ms[sequence as usize];
            let told_ms = oldest(&watch).unwrap();
            assert!((age_ms..age_ms + 20_000).contains(&told_ms), "{told_ms} for {age_ms}");
        }
        assert!(watch.marks.len() <= MAX_MARKS);
    }

    #[test]
    fn what_an_earlier_run_has_left_has_its_age_from_the_clock_once() {
        let (mut spool, mut watch) = (Spool::new(1, 1 << 20), Watch::default());
        push(&mut spool, SessionId::new(), 1);
        let read_ms = spool.oldest().unwrap().1;
        watch.look(&spool, None, 50, read_ms + 60_000);
        assert_eq!(watch.state().oldest_ms, Some(60_000));
        watch.look(&spool, None, 1_050, read_ms + 999_999_999);
        assert_eq!(watch.state().oldest_ms, Some(61_000), "the clock was set");
        push(&mut spool, SessionId::new(), 1);
        watch.look(&spool, None, 2_050, 0);
        assert_eq!(watch.state().oldest_ms, Some(62_000));
    }

    #[test]
    fn how_long_it_takes_comes_from_how_fast_it_goes() {
        let (spool, mut watch) = (Spool::new(1, 1 << 20), Watch::default());
        watch.look(&spool, Some((BACKLOG, 250)), 0, UNIX_MS);
        assert_eq!((watch.state().catching_up_s, watch.is_catching_up()), (None, false), "that is over in a moment");
        watch.look(&spool, Some((10_000, 250)), 250, UNIX_MS);
        assert_eq!(watch.state().catching_up_s, Some(40), "the first guess: as fast as is allowed");
        // It goes at a hundred a second.
        for s in 1..=40 {
            watch.look(&spool, Some((10_000 - 100 * s, 250)), 250 + 1_000 * s, UNIX_MS);
        }
        let told = watch.state().catching_up_s.unwrap();
        assert!((58..=62).contains(&told), "{told}");
        for s in 41..=80 {
            watch.look(&spool, Some((6_000, 250)), 250 + 1_000 * s, UNIX_MS);
        }
        assert_eq!((watch.state().catching_up_s, watch.is_catching_up()), (None, true), "nothing moves");
        watch.look(&spool, Some((BACKLOG / 2, 250)), 90_000, UNIX_MS);
        assert!(watch.is_catching_up(), "until it is done");
        watch.look(&spool, None, 91_000, UNIX_MS);
        assert!(!watch.is_catching_up());
    }

    #[test]
    fn the_team_is_told_every_five_seconds_and_at_once_of_what_matters() {
        let (mut spool, mut watch) = (Spool::new(1, 1 << 20), Watch::default());
        let session = SessionId::new();
        assert!(watch.is_news(0), "the first time");
        watch.say(0);
        for now_ms in (250..=20_000).step_by(250) {
            push(&mut spool, session, 3);
            watch.look(&spool, None, now_ms, UNIX_MS);
            assert_eq!(watch.is_news(now_ms), now_ms % SAY_MS == 0, "{now_ms}");
            if watch.is_news(now_ms) {
                assert_eq!(watch.say(now_ms), watch.state());
            }
        }
        watch.look(&spool, None, 30_000, UNIX_MS);
        watch.say(30_000);
        watch.look(&spool, Some((5_000, 250)), 30_250, UNIX_MS);
        assert!(!watch.is_news(30_250));
        assert!(watch.is_news(31_000), "catching up has begun");
    }

    #[test]
    fn nothing_is_said_while_nothing_changes() {
        let (spool, mut watch) = (Spool::new(1, 1 << 20), Watch::default());
        watch.look(&spool, None, 0, UNIX_MS);
        watch.say(0);
        watch.look(&spool, None, 60_000, UNIX_MS);
        assert!(!watch.is_news(60_000));
    }
}
