//! Viewers by the thousand: a thread that waits for all of its sockets at once, and a queue of what they do when.

use crate::tally::Tally;
use crate::viewer::{Common, HABIT_EVERY, Habit, Member, Pace, Viewer};
use crate::ws;
use crate::{plan::Plan, process};
use mio::{Events, Interest, Poll, Token};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Longest wait, so that the end is seen.
const TICK: Duration = Duration::from_millis(20);
/// Between two gulps of a slow viewer.
const SIP: Duration = Duration::from_millis(100);
/// How long an unsubscribed viewer stays so.
const AWAY: Duration = Duration::from_millis(250);
/// One buffer serves all viewers of a thread.
const BUFFER: usize = 64 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Action {
    Join,
    Ping,
    Sip,
    Unsubscribe,
    Subscribe,
    Reconnect,
    Send,
}

impl From<Habit> for Action {
    fn from(habit: Habit) -> Self {
        match habit {
            Habit::Resubscribes => Self::Unsubscribe,
            Habit::Reconnects => Self::Reconnect,
            Habit::Sends => Self::Send,
        }
    }
}

struct Crowd {
    common: Arc<Common>,
    poll: Poll,
    viewers: Vec<Viewer>,
    timers: BinaryHeap<Reverse<(Instant, usize, Action)>>,
    ping_every: Duration,
    tally: Tally,
    buffer: Vec<u8>,
}

/// Starts a thread with these viewers; it ends when the plan says so, with what it has counted.
pub(crate) fn spawn(members: Vec<Member>, common: Arc<Common>, ping_every: Duration) -> std::thread::JoinHandle<Tally> {
    std::thread::spawn(move || {
        let mut crowd = Crowd {
            poll: Poll::new().expect("epoll"),
            viewers: members.into_iter().map(Viewer::new).collect(),
            timers: BinaryHeap::new(),
            ping_every,
            tally: Tally::default(),
            buffer: vec![0; BUFFER],
            common,
        };
        crowd.run();
        crowd.tally
    })
}

impl Crowd {
    fn run(&mut self) {
        let start = self.common.plan.start;
        for (i, viewer) in self.viewers.iter().enumerate() {
            self.timers.push(Reverse((start + viewer.member.join_at, i, Action::Join)));
        }
        let mut events = Events::with_capacity(4096);
        let mut busy = Busy::default();
        while !self.common.plan.viewers_stopped() {
            let next =
                self.timers.peek().map_or(TICK, |Reverse((at, ..))| at.saturating_duration_since(Instant::now()));
            if let Err(error) = self.poll.poll(&mut events, Some(next.min(TICK))) {
                assert!(error.kind() == std::io::ErrorKind::Interrupted, "epoll: {error}");
            }
            for event in &events {
                self.ready(event.token().0, event.is_writable());
            }
            self.fire();
            busy.look(&self.common.plan);
        }
        self.tally.missing += self.viewers.iter().map(|v| v.missing_at_end(&self.common)).sum::<u64>();
        self.tally.busiest_thread = busy.share;
    }

    fn after(&mut self, delay: Duration, viewer: usize, action: Action) {
        self.timers.push(Reverse((Instant::now() + delay, viewer, action)));
    }

    fn ready(&mut self, index: usize, is_writable: bool) {
        let viewer = &mut self.viewers[index];
        if is_writable {
            // Connected: from here on only reading matters.
            let Some(stream) = viewer.stream.as_mut() else { return };
            if let Ok(Some(error)) = stream.take_error() {
                return self.over(index, format!("connection failed: {error}"));
            }
            let changed = self.poll.registry().reregister(stream, Token(index), Interest::READABLE);
            changed.expect("a registered socket");
            viewer.connected(&self.common);
            return;
        }
        let was_joined = viewer.is_joined;
        if let Err(why) = viewer.read(&self.common, &mut self.tally, &mut self.buffer, usize::MAX) {
            return self.over(index, why);
        }
        if viewer.is_joined && !was_joined {
            self.joined(index);
        }
    }

    /// A viewer has its snapshot: its habits begin.
    fn joined(&mut self, index: usize) {
        let viewer = &mut self.viewers[index];
        if viewer.member.pace != Pace::Prompt {
            let stream = viewer.stream.as_mut().expect("it has joined on it");
            self.poll.registry().deregister(stream).expect("a registered socket");
        }
        let member = viewer.member.clone();
        // Viewers do not act in step.
        let spread = |every: Duration| every.mul_f64(0.2 + 0.8 * (index % 97) as f64 / 97.0);
        if !self.ping_every.is_zero() {
            self.after(spread(self.ping_every), index, Action::Ping);
        }
        if let Pace::Slow(_) = member.pace {
            self.after(SIP, index, Action::Sip);
        }
        if let Some(habit) = member.habit {
            self.after(spread(HABIT_EVERY), index, habit.into());
        }
    }

    fn over(&mut self, index: usize, why: String) {
        let viewer = &mut self.viewers[index];
        viewer.stream = None;
        viewer.is_joined = false;
        let whom =
            if viewer.member.pace == Pace::Prompt { &mut self.tally.ended } else { &mut self.tally.ended_others };
        *whom.entry(why).or_default() += 1;
    }

    fn fire(&mut self) {
        let now = Instant::now();
        while let Some(Reverse((at, index, action))) =
            self.timers.peek().copied().filter(|Reverse((at, ..))| *at <= now)
        {
            self.timers.pop();
            self.act(at, index, action);
        }
    }

    fn act(&mut self, due: Instant, index: usize, action: Action) {
        let session = self.viewers[index].member.session;
        // A timer of a socket that is no more.
        if action != Action::Join && self.viewers[index].stream.is_none() {
            return;
        }
        match action {
            Action::Join => self.join(due, index),
            Action::Ping => {
                self.viewers[index].say(&ws::masked(ws::PING, b"load"));
                self.after(self.ping_every, index, Action::Ping);
            }
            Action::Sip => {
                let Pace::Slow(bytes_per_s) = self.viewers[index].member.pace else { return };
                let sip = (bytes_per_s as f64 * SIP.as_secs_f64()) as usize;
                match self.viewers[index].read(&self.common, &mut self.tally, &mut self.buffer, sip) {
                    Ok(()) => self.after(SIP, index, Action::Sip),
                    Err(why) => self.over(index, why),
                }
            }
            Action::Unsubscribe => {
                if let Some(message) = self.common.dialect.unsubscribe(session) {
                    self.viewers[index].say(&message);
                    self.viewers[index].missing_is_wanted();
                    self.after(AWAY, index, Action::Subscribe);
                }
            }
            Action::Subscribe => {
                self.viewers[index].subscribe(&self.common);
                self.after(HABIT_EVERY, index, Action::Unsubscribe);
            }
            Action::Send => {
                self.viewers[index].send(&self.common);
                self.after(HABIT_EVERY, index, Action::Send);
            }
            Action::Reconnect => {
                self.viewers[index].stream = None;
                self.timers.retain(|Reverse((_, i, _))| *i != index);
                self.join(Instant::now(), index);
            }
        }
    }

    fn join(&mut self, due: Instant, index: usize) {
        let viewer = &mut self.viewers[index];
        if let Err(error) = viewer.connect(due) {
            return self.over(index, format!("connection failed: {error}"));
        }
        let stream = viewer.stream.as_mut().expect("it connects");
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(stream, Token(index), interest).expect("epoll takes a socket");
    }
}

/// What this thread uses while frames count.
#[derive(Default)]
struct Busy {
    began: Option<(Instant, f64)>,
    share: f64,
    looked: Option<Instant>,
}

impl Busy {
    fn look(&mut self, plan: &Plan) {
        let now = Instant::now();
        if self.looked.is_some_and(|at| now - at < Duration::from_millis(500)) || !plan.counts(now - plan.start) {
            return;
        }
        self.looked = Some(now);
        let cpu = process::thread_cpu_s();
        match self.began {
            None => self.began = Some((now, cpu)),
            Some((at, before)) => self.share = (cpu - before) / (now - at).as_secs_f64(),
        }
    }
}
