//! One viewer: a socket, what it has seen, and how it behaves. Cheap: no task, no thread, no buffer of its own while
//! frames come whole.

use crate::dialect::{Dialect, Told};
use crate::plan::Plan;
use crate::tally::Tally;
use crate::ws::{self, Came, Incoming};
use mio::net::TcpStream;
use onelap_protocol::{SessionId, batch};
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// How a viewer reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// All that comes, at once.
    Prompt,
    /// So many bytes a second.
    Slow(usize),
    /// Nothing, once it has joined.
    Stopped,
}

/// Who a viewer is.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) instance: SocketAddr,
    pub(crate) rig: usize,
    pub(crate) session: SessionId,
    /// It looks through another instance than its rig's.
    pub(crate) is_elsewhere: bool,
    pub(crate) pace: Pace,
    /// When it should begin to join, since the run's start.
    pub(crate) join_at: Duration,
    pub(crate) habit: Option<Habit>,
}

/// What a viewer does beside reading, every [`HABIT_EVERY`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Habit {
    /// Unsubscribes, and subscribes again a moment later.
    Resubscribes,
    /// Drops its connection, and goes on with a new one where it was.
    Reconnects,
    /// Sends: asks again for its team's rigs, and for another rate, few frames and all of them by turns.
    Sends,
}

/// Time between two turns of a habit.
pub(crate) const HABIT_EVERY: Duration = Duration::from_secs(5);
/// What a viewer that sends asks for, by turns with everything.
const FEWER_HZ: u32 = 5;

/// What stays the same for all viewers of a run.
pub(crate) struct Common {
    pub(crate) dialect: Dialect,
    pub(crate) plan: std::sync::Arc<Plan>,
    /// It is asked for fewer frames than the rig sends: holes are no loss.
    pub(crate) is_thinned: bool,
}

/// A viewer.
pub(crate) struct Viewer {
    pub(crate) member: Member,
    pub(crate) stream: Option<TcpStream>,
    incoming: Incoming,
    pub(crate) is_joined: bool,
    was_joined: bool,
    /// When it should have begun to join.
    join_due: Instant,
    /// At or below this sequence nothing counts: it was in the snapshot, or came.
    last: Option<u64>,
    /// It has unsubscribed for a while.
    is_away: bool,
    /// What it asked for last, where that is less than everything.
    asked_hz: Option<u32>,
    /// It may be sent less than everything: holes are no loss.
    is_thinned: bool,
}

/// How much a slow or stopped viewer lets its kernel hold, so that it is felt at once.
const SMALL_BUFFER: usize = 4096;

impl Viewer {
    pub(crate) fn new(member: Member) -> Self {
        Self {
            member,
            stream: None,
            incoming: Incoming::default(),
            is_joined: false,
            was_joined: false,
            join_due: Instant::now(),
            last: None,
            is_away: false,
            asked_hz: None,
            is_thinned: false,
        }
    }

    /// Begins to connect.
    pub(crate) fn connect(&mut self, due: Instant) -> std::io::Result<()> {
        let socket = Socket::new(Domain::for_address(self.member.instance), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        if self.member.pace != Pace::Prompt {
            socket.set_recv_buffer_size(SMALL_BUFFER)?;
        }
        match socket.connect(&self.member.instance.into()) {
            Err(error) if error.raw_os_error() != Some(115) && error.kind() != ErrorKind::WouldBlock => {
                return Err(error);
            }
            _ => {}
        }
        self.stream = Some(TcpStream::from_std(socket.into()));
        self.incoming = Incoming::default();
        (self.is_joined, self.join_due) = (false, due);
        Ok(())
    }

    /// The connection is there: asks for a WebSocket.
    pub(crate) fn connected(&mut self, common: &Common) {
        let (path, headers) = common.dialect.viewer_request();
        let request = ws::upgrade(&self.member.instance.to_string(), path, &headers);
        self.say(&request);
    }

    /// Asks to be shown its session, after what it has seen of it.
    pub(crate) fn subscribe(&mut self, common: &Common) -> bool {
        let Some(message) = common.dialect.subscribe(self.member.session, self.asked_hz, self.last) else {
            return false;
        };
        self.say(&message)
    }

    /// Says what a viewer says that looks at its team and changes its rate.
    pub(crate) fn send(&mut self, common: &Common) {
        self.asked_hz = if self.asked_hz.is_none() { Some(FEWER_HZ) } else { None };
        // All of them come again only after the snapshot that answers.
        self.is_thinned |= self.asked_hz.is_some();
        if let Some(watch) = common.dialect.watch() {
            self.say(&watch);
        }
        self.subscribe(common);
    }

    /// Writes at once or not at all: what viewers say always fits a socket that works.
    pub(crate) fn say(&mut self, bytes: &[u8]) -> bool {
        self.stream.as_mut().is_some_and(|stream| stream.write(bytes).is_ok_and(|n| n == bytes.len()))
    }

    /// Reads what is there, at most `limit` bytes, and counts it. An error says why the socket is over.
    pub(crate) fn read(
        &mut self,
        common: &Common,
        tally: &mut Tally,
        buffer: &mut [u8],
        mut limit: usize,
    ) -> Result<(), String> {
        while limit > 0 {
            let Some(stream) = self.stream.as_mut() else { return Ok(()) };
            let room = buffer.len().min(limit);
            match stream.read(&mut buffer[..room]) {
                Ok(0) => return Err("ended without a close frame".into()),
                Ok(n) => {
                    self.take(common, tally, &buffer[..n])?;
                    limit -= n;
                    // Less than there was room for: nothing is left, and what comes later is told again.
                    if n < room {
                        return Ok(());
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.to_string()),
            }
        }
        Ok(())
    }

    fn take(&mut self, common: &Common, tally: &mut Tally, bytes: &[u8]) -> Result<(), String> {
        let mut incoming = std::mem::take(&mut self.incoming);
        let now = Instant::now();
        let mut over = None;
        let fed = incoming.feed(bytes, |came| match came {
            Came::Open => {
                if common.dialect.is_joined_when_open() {
                    self.joined(common, tally, None, now);
                } else {
                    self.subscribe(common);
                }
            }
            Came::Text(payload) => match common.dialect.told(payload) {
                Told::Say(answer) => drop(self.say(&answer)),
                Told::Joined(after) => self.joined(common, tally, after, now),
                Told::Gap(from, to) if self.member.pace == Pace::Prompt => tally.told += to + 1 - from,
                Told::Gap(from, to) => tally.told_others += to + 1 - from,
                Told::Refused(why) => over = Some(why),
                Told::Nothing => {}
            },
            Came::Binary(payload) => self.frame(common, tally, payload, now),
            Came::Ping(payload) => drop(self.say(&ws::masked(ws::PONG, payload))),
            Came::Pong => {}
            Came::Close(code, reason) => over = Some(format!("closed: {code} {}", String::from_utf8_lossy(reason))),
        });
        self.incoming = incoming;
        fed?;
        over.map_or(Ok(()), Err)
    }

    fn joined(&mut self, common: &Common, tally: &mut Tally, after: Option<u64>, now: Instant) {
        // What was kept for who comes back has come before; a snapshot is never behind what it follows.
        (self.last, self.is_away) = (self.last.max(after), false);
        self.is_thinned = common.is_thinned || self.asked_hz.is_some();
        if !self.is_joined {
            self.is_joined = true;
            tally.joins.record(now.saturating_duration_since(self.join_due));
        }
        if !self.was_joined {
            self.was_joined = true;
            common.plan.joined.fetch_add(1, std::sync::atomic::Ordering::AcqRel);
        }
    }

    fn frame(&mut self, common: &Common, tally: &mut Tally, payload: &[u8], now: Instant) {
        let Ok(header) = batch::peek(payload) else {
            *tally.ended.entry("a frame that is no batch".into()).or_default() += 1;
            return;
        };
        let (rig, sequence) = (self.member.rig, header.sequence);
        let due = common.plan.due(rig, sequence);
        match self.last {
            // The snapshot is followed by the last batch, for who joins while the game is paused.
            Some(last) if sequence == last => return,
            // What was under way when it asked for another rate comes again from what was kept, as for a page.
            Some(last) if sequence < last && self.member.habit == Some(Habit::Sends) => return,
            Some(last) if sequence < last => tally.disordered += 1,
            Some(last) if !self.is_thinned && self.member.pace == Pace::Prompt => {
                tally.missing +=
                    (last + 1..sequence).filter(|s| common.plan.counts(common.plan.due(rig, *s))).count() as u64;
            }
            _ => {}
        }
        // What was under way when it unsubscribed.
        if self.is_away {
            return;
        }
        self.last = self.last.max(Some(sequence));
        if !common.plan.counts(due) {
            return;
        }
        tally.delivered += 1;
        tally.bytes += payload.len() as u64;
        let took = now.saturating_duration_since(common.plan.start + due);
        if self.member.pace != Pace::Prompt {
            tally.slow.record(took);
        } else {
            tally.prompt += 1;
            if self.member.is_elsewhere { tally.elsewhere.record(took) } else { tally.here.record(took) }
        }
    }

    /// It has unsubscribed: what does not come until its next snapshot is no loss.
    pub(crate) fn missing_is_wanted(&mut self) {
        self.last = None;
        self.is_away = true;
    }

    /// What counts and did not come after the last that came.
    pub(crate) fn missing_at_end(&self, common: &Common) -> u64 {
        if self.is_thinned || self.member.pace != Pace::Prompt || !self.is_joined || self.is_away {
            return 0;
        }
        let (Some(last), Some(end)) = (self.last, common.plan.last(self.member.rig)) else { return 0 };
        (last + 1..=end).filter(|s| common.plan.counts(common.plan.due(self.member.rig, *s))).count() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use onelap_protocol::batch::OPCODE_SAMPLES;
    use onelap_protocol::{Batch, Sample};

    const ANYWHERE: ([u8; 4], u16) = ([127, 0, 0, 1], 1);

    fn joined(pace: Pace) -> (Viewer, Common, Tally) {
        let start = Instant::now();
        let plan = Plan::new(start, 20.0, 1, 1);
        plan.open_window(Duration::from_secs(1));
        let common = Common { dialect: Dialect::Plain, plan: plan.into(), is_thinned: false };
        let mut viewer = Viewer::new(Member {
            instance: ANYWHERE.into(),
            rig: 0,
            session: SessionId::new(),
            is_elsewhere: false,
            pace,
            join_at: Duration::ZERO,
            habit: None,
        });
        let mut tally = Tally::default();
        viewer.joined(&common, &mut tally, Some(1), start);
        (viewer, common, tally)
    }

    fn frame(sequence: u64) -> Vec<u8> {
        let mut batch = Batch::with_capacity(1);
        batch.push(&Sample::new(1_790_000_000_000));
        let mut frame = Vec::new();
        batch.encode(OPCODE_SAMPLES, SessionId::new(), 1, sequence, &mut frame);
        frame
    }

    /// The window holds sequences 2 to 21: sequence 1 was due before it opened.
    #[test]
    fn what_does_not_come_is_counted_in_the_middle_and_at_the_end() {
        let (mut viewer, common, mut tally) = joined(Pace::Prompt);
        for sequence in [1, 2, 3, 6, 7, 5, 19] {
            let due = common.plan.due_at(0, sequence);
            viewer.frame(&common, &mut tally, &frame(sequence), due + Duration::from_millis(3));
        }
        assert_eq!((tally.delivered, tally.prompt, tally.disordered), (6, 6, 1));
        // 4 and 5 when 6 came, 8 to 18 when 19 came, 20 and 21 at the end.
        assert_eq!((tally.missing, viewer.missing_at_end(&common)), (2 + 11, 2));
        let times = tally.here.figures();
        assert!((times.p50_ms - 3.0).abs() < 0.1 && (times.max_ms - 3.0).abs() < 0.1, "{times:?}");
    }

    #[test]
    fn what_a_slow_viewer_misses_is_its_own_fault_and_what_one_that_is_away_misses_is_its_wish() {
        let (mut slow, common, mut tally) = joined(Pace::Slow(10));
        for sequence in [2, 9] {
            slow.frame(&common, &mut tally, &frame(sequence), Instant::now());
        }
        assert_eq!((tally.delivered, tally.prompt, tally.missing), (2, 0, 0));
        assert_eq!(slow.missing_at_end(&common), 0);

        let (mut away, common, mut tally) = joined(Pace::Prompt);
        away.missing_is_wanted();
        away.frame(&common, &mut tally, &frame(2), Instant::now());
        assert_eq!((tally.delivered, away.missing_at_end(&common)), (0, 0));
        away.joined(&common, &mut tally, Some(10), Instant::now());
        away.frame(&common, &mut tally, &frame(12), Instant::now());
        assert_eq!((tally.delivered, tally.missing), (1, 1));
    }

    #[test]
    fn what_a_viewer_does_not_get_that_asked_for_fewer_is_no_loss_until_it_has_all_again() {
        let (mut viewer, common, mut tally) = joined(Pace::Prompt);
        let mut frames = |viewer: &mut Viewer, sequences: &[u64]| {
            sequences.iter().for_each(|s| viewer.frame(&common, &mut tally, &frame(*s), Instant::now()));
            (tally.delivered, tally.missing)
        };
        assert_eq!(frames(&mut viewer, &[2, 3]), (2, 0));
        viewer.send(&common);
        assert_eq!(frames(&mut viewer, &[4, 8, 12]), (5, 0));
        viewer.send(&common);
        assert_eq!(frames(&mut viewer, &[16]), (6, 0), "the snapshot is still to come");
        viewer.joined(&common, &mut Tally::default(), Some(17), Instant::now());
        assert_eq!(frames(&mut viewer, &[18, 20]), (8, 1));
    }

    #[test]
    fn what_was_missed_of_a_new_connection_counts_from_the_old_one() {
        let (mut viewer, common, mut tally) = joined(Pace::Prompt);
        viewer.frame(&common, &mut tally, &frame(2), Instant::now());
        viewer.is_joined = false;
        for sequence in [3, 4, 6] {
            viewer.frame(&common, &mut tally, &frame(sequence), Instant::now());
        }
        viewer.joined(&common, &mut tally, Some(6), Instant::now());
        viewer.frame(&common, &mut tally, &frame(7), Instant::now());
        assert_eq!((tally.delivered, tally.missing, tally.disordered), (5, 1, 0));
    }
}
