//! One rig's task: it owns the rig's state; the socket's tasks and the sources' threads only hold ends of queues.
//!
//! ```text
//! RawQueue ──► Pipeline ──► Outbox ──► LinkState ──► Socket (writer)
//!                                          ▲───────── Socket (reader)
//! ```

use crate::clock::{Clock, unix_ms};
use crate::link::socket::{Event, Socket, Target};
use crate::link::state::{Action, LinkState};
use crate::pipeline::Pipeline;
use crate::raw::Raw;
use crate::source::queue::RawQueue;
use crate::status::{Lasting, RigStatus};
use onelap_protocol::agent::EndReason;
use std::future::pending;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, sleep_until};
use tokio_tungstenite::tungstenite::{Bytes, Message, Utf8Bytes};
use tokio_util::sync::CancellationToken;

/// How often the readers are told that time has passed.
pub const TICK: Duration = Duration::from_millis(250);
/// How long a rig that is stopped may take to send what waits.
const FLUSH: Duration = Duration::from_millis(1_500);
/// How long it may take to close the connection.
const CLOSE: Duration = Duration::from_millis(500);
/// How often it is looked for sessions that an earlier run has left behind.
const TIDY_MS: u64 = 10_000;
/// Inputs that are read before the socket gets its turn.
const INPUTS_A_TURN: usize = 64;
/// Events of the socket that wait; its reader waits with the rest.
const EVENTS: usize = 64;

/// Why the agent was stopped, for the service.
pub type Reason = Arc<OnceLock<&'static str>>;

/// See the module.
pub struct Rig {
    target: Target,
    clock: Clock,
    queue: RawQueue,
    /// Inputs come from a recording: it has its own ticks, and an end.
    is_replay: bool,
    input_ended: bool,
    pipeline: Pipeline,
    link: LinkState,
    socket: Option<Socket>,
    sockets: u64,
    event_sender: mpsc::Sender<(u64, Event)>,
    events: mpsc::Receiver<(u64, Event)>,
    bytes_sent: u64,
    tidy_ms: u64,
    disk_trouble: Lasting,
    stopped_why: Reason,
    status: watch::Sender<RigStatus>,
}

impl Rig {
    /// A rig that has not begun.
    #[must_use]
    pub fn new(
        target: Target,
        clock: Clock,
        queue: RawQueue,
        is_replay: bool,
        pipeline: Pipeline,
        stopped_why: Reason,
        status: watch::Sender<RigStatus>,
    ) -> Self {
        let (event_sender, events) = mpsc::channel(EVENTS);
        // Without a source of randomness the rigs' attempts would only be less spread.
        let seed = getrandom::u64().unwrap_or_else(|_| unix_ms());
        let link = LinkState::new(env!("CARGO_PKG_VERSION"), std::env::consts::OS, seed);
        Self {
            target,
            clock,
            queue,
            is_replay,
            input_ended: false,
            pipeline,
            link,
            socket: None,
            sockets: 0,
            event_sender,
            events,
            bytes_sent: 0,
            tidy_ms: 0,
            disk_trouble: Lasting::default(),
            stopped_why,
            status,
        }
    }

    /// Runs until it is stopped, or until a recording was played back and everything of it is acknowledged.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !(stop.is_cancelled() || self.is_done()) {
            let wait_ms = self.drive();
            let wait_ms = self.pipeline.due_ms().map_or(wait_ms, |due_ms| due_ms.min(wait_ms));
            tokio::select! {
                () = stop.cancelled() => {}
                Some((number, event)) = self.events.recv() => self.happened(number, event),
                input = self.queue.recv(), if !self.input_ended => match input {
                    Some((at, raw)) => self.feed(at, &raw),
                    None => self.ended(),
                },
                _ = ticks.tick() => self.tick(),
                () = room(self.socket.as_ref()) => {}
                () = sleep_until(self.clock.instant(wait_ms).into()) => {}
            }
            self.pipeline.flush_due(self.clock.mono_ms());
        }
        self.leave().await;
    }

    fn is_done(&self) -> bool {
        self.is_replay && self.input_ended && self.pipeline.waiting().spool.is_empty()
    }

    fn feed(&mut self, at: crate::raw::Stamp, raw: &Raw) {
        self.pipeline.feed(at, raw, self.clock.mono_ms());
        for _ in 1..INPUTS_A_TURN {
            let Some((at, raw)) = self.queue.try_recv() else { break };
            self.pipeline.feed(at, &raw, self.clock.mono_ms());
        }
    }

    fn tick(&mut self) {
        let now_ms = self.clock.mono_ms();
        if self.tidy_ms <= now_ms {
            self.tidy_ms = now_ms + TIDY_MS;
            self.pipeline.tidy(unix_ms());
        }
        let outbox = self.pipeline.outbox();
        outbox.spool.maintain(now_ms);
        if outbox.retry_folder(now_ms) {
            self.link.start_over();
        }
        self.link.look(now_ms, unix_ms(), outbox);
        self.disk_trouble.look(outbox.spool.problem(), now_ms);
        self.pipeline.source_problem(self.queue.problem());
        if !self.is_replay {
            let now = self.clock.stamp();
            self.pipeline.feed(now, &Raw::Tick, now.mono_ms);
        }
        self.publish(false);
    }

    fn ended(&mut self) {
        self.input_ended = true;
        if self.is_replay {
            self.pipeline.flush();
            self.pipeline.end(EndReason::AgentStopped);
        }
    }

    fn happened(&mut self, number: u64, event: Event) {
        if self.socket.as_ref().is_none_or(|socket| socket.number() != number) {
            return;
        }
        let now_ms = self.clock.mono_ms();
        match event {
            Event::Opened => self.link.connected(now_ms),
            Event::Heard => self.link.heard(),
            Event::Message(message) => {
                let was_live = self.link.is_live();
                self.link.received(*message, now_ms, unix_ms(), self.pipeline.outbox());
                if let (false, Some(greeted)) = (was_live, &self.link.view().greeted) {
                    self.pipeline.limit(&greeted.limits);
                }
            }
            Event::Refused(refusal) => {
                self.socket = None;
                self.link.refused(&refusal, now_ms);
            }
            Event::Lost(why) => {
                self.socket = None;
                self.link.lost(&why, now_ms);
            }
        }
        self.publish(false);
    }

    /// Does what the link says until it says to wait, and returns until when.
    fn drive(&mut self) -> u64 {
        loop {
            let can_write = self.socket.as_ref().is_some_and(Socket::can_write);
            match self.link.next(self.clock.mono_ms(), unix_ms(), can_write, self.pipeline.outbox()) {
                Action::Connect => {
                    self.sockets += 1;
                    self.socket = Some(Socket::open(&self.target, self.sockets, self.event_sender.clone()));
                }
                Action::HangUp => self.socket = None,
                Action::Wait(until_ms) => return until_ms,
                other => self.write(other),
            }
        }
    }

    fn write(&mut self, action: Action) {
        let message = match action {
            // Made by serde_json: UTF-8.
            Action::Text(bytes) => Message::Text(Utf8Bytes::try_from(bytes).unwrap_or_default()),
            Action::Binary(bytes) => Message::Binary(bytes),
            Action::Ping => Message::Ping(Bytes::new()),
            Action::Connect | Action::HangUp | Action::Wait(_) => return,
        };
        let bytes = message.len() as u64;
        if self.socket.as_ref().is_some_and(|socket| socket.send(message)) {
            self.bytes_sent += bytes;
        }
    }

    /// Sends what waits, as long as that may take, says goodbye and closes the connection. What is on disk need only be
    /// sent as far as it is to be seen: the next run does the rest. What is in memory has to be acknowledged.
    async fn leave(mut self) {
        self.pipeline.stop();
        let deadline = tokio::time::Instant::now() + FLUSH;
        while self.has_to_flush() {
            let wait_ms = self.drive();
            if !self.has_to_flush() {
                break;
            }
            tokio::select! {
                () = sleep_until(deadline) => break,
                Some((number, event)) = self.events.recv() => self.happened(number, event),
                () = room(self.socket.as_ref()) => {}
                () = sleep_until(self.clock.instant(wait_ms).into()) => {}
            }
        }
        let is_live = self.link.is_live();
        if is_live {
            self.write(LinkState::bye(self.stopped_why.get().unwrap_or(&"the agent was stopped")));
        }
        if let Some(socket) = self.socket.take().filter(|_| is_live) {
            // The socket's reader still speaks; it must not wait for a rig that listens no more.
            let listening = async { while self.events.recv().await.is_some() {} };
            tokio::select! {
                () = socket.close(CLOSE) => {}
                () = listening => {}
            }
        }
        self.pipeline.outbox().spool.close();
        self.publish(true);
    }

    fn has_to_flush(&mut self) -> bool {
        let outbox = self.pipeline.outbox();
        self.link.is_live()
            && if outbox.spool.is_on_disk() { self.link.has_unsent(outbox) } else { !outbox.spool.is_empty() }
    }

    fn publish(&self, finished: bool) {
        let (view, doing) = (self.link.view(), self.pipeline.waiting().doing());
        let (spool, watch) = (&self.pipeline.waiting().spool, self.pipeline.waiting().watch());
        let info = self.pipeline.session().map(|(_, info)| info);
        self.status.send_if_modified(|status| {
            let now = RigStatus {
                greeted: view.greeted.clone(),
                problem: view.problem.clone(),
                needs_help: view.needs_help,
                game: doing.game,
                state: doing.state,
                notice: doing.notice.clone(),
                session: doing.session,
                track: info.map(|info| info.track.clone()),
                class: info.and_then(|info| info.class.clone()),
                acked: view.acked,
                samples: self.pipeline.samples(),
                bytes_sent: self.bytes_sent,
                spool_bytes: spool.bytes(),
                oldest_ms: watch.state().oldest_ms,
                is_catching_up: watch.is_catching_up(),
                catching_up_s: watch.state().catching_up_s,
                spool_problem: self.disk_trouble.get().map(str::to_owned),
                lost_samples: spool.lost_samples(),
                lost_items: spool.losses().items(),
                dropped_inputs: self.queue.dropped(),
                finished,
                ..RigStatus::new(&status.rig, status.sample_hz)
            };
            let is_news = now != *status;
            *status = now;
            is_news
        });
    }
}

/// Waits until a writer that is full takes messages again; for ever where it is not full.
async fn room(socket: Option<&Socket>) {
    match socket {
        Some(socket) if !socket.can_write() && socket.writer().reserve().await.is_ok() => {}
        _ => pending().await,
    }
}
