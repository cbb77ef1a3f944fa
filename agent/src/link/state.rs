//! The link's policy: when to connect, what to send next, what an answer means. Pure: no socket, no clock.
//!
//! ```text
//! Waiting ── Connect ──► Connecting ── connected ──► Greeting (hello → welcome) ──► Live
//!    ▲                        │ refused, failed              │ no answer             │ lost, silent, goodbye, fatal error
//!    └── after a wait ────────┴──────────────────────────────┴───────────────────────┘
//! ```
//! A goodbye names a time; while the connection holds, it is used until then.
//!
//! Invariants: nothing is recorded twice or out of order on a connection unless the service asks for it again; between two
//! attempts there is always a wait, with jitter; every state but `Waiting` has a deadline; an answer in time or a hang-up.

use crate::link::Outbox;
use crate::link::backoff::{Backoff, MIN_WAIT_MS, Pace, REFUSED_WAIT_MS};
use crate::link::cursors::{Cursors, json};
pub use crate::link::view::{Greeted, Refusal, View};
use crate::link::words::of_a_fatal_error;
use crate::spool::Frame;
use bytes::Bytes;
use onelap_protocol::ErrorCode;
use onelap_protocol::agent::{AgentMessage, Place, ServiceMessage};
use onelap_protocol::limits::{Limits, MAX_NAMED_SESSIONS};

/// How long the service may take to accept a connection, to answer `hello`, and to answer a ping.
pub const REPLY_MS: u64 = 10_000;
/// How often the service is asked whether it is there.
pub const PING_MS: u64 = 10_000;
/// A connection that held this long was a good one.
const GOOD_AFTER_MS: u64 = 10_000;
/// From one connection to the next, where the wait was spent on the first.
const MOVE_MS: u64 = 100;
/// Longest pause after the service asked for something again: well below the five seconds after which it asks again.
const MAX_RESEND_PAUSE_MS: u64 = 2_000;

/// For how long backfill goes more slowly after the service has said that too much comes, and waits before it goes on.
const SLOWED_MS: u64 = 60_000;
const SLOWED_PAUSE_MS: u64 = 1_000;
/// Longest time that is waited because the service asks for it.
const MAX_RETRY_MS: u64 = 120_000;

/// What to do next.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Open a connection.
    Connect,
    /// Send this as a text message.
    Text(Bytes),
    /// Send this as a binary message.
    Binary(Bytes),
    /// Send a ping.
    Ping,
    /// Close the connection.
    HangUp,
    /// Nothing before this time (milliseconds by the agent's clock), unless something happens.
    Wait(u64),
}

#[derive(Debug)]
enum Phase {
    Waiting { until_ms: u64 },
    Connecting { deadline_ms: u64 },
    Greeting { said_hello: bool, deadline_ms: u64 },
    Live(Box<Live>),
}

#[derive(Debug)]
struct Live {
    since_ms: u64,
    cursors: Cursors,
    /// Of everything that is sent.
    pace: Pace,
    /// Of what is backfilled.
    backfill_pace: Pace,
    most_backfill_per_s: u32,
    /// Of the bytes of everything that is sent.
    byte_pace: Pace,
    /// The service reads more slowly than we send: until when we take it easy, and what it said.
    slowed: Option<(u64, String)>,
    ping_ms: u64,
    pong_deadline_ms: Option<u64>,
    /// Nothing is backfilled before this time.
    resume_ms: u64,
    /// How often the service asked for something again since the last acknowledgement.
    resends: u32,
    goodbye: Option<Goodbye>,
}

/// The service has asked to go elsewhere. Until the time has come, everything goes on.
#[derive(Debug)]
struct Goodbye {
    go_ms: u64,
    reason: String,
}

/// See the module.
#[derive(Debug)]
pub struct LinkState {
    agent_version: String,
    platform: String,
    phase: Phase,
    backoff: Backoff,
    hang_up: bool,
    view: View,
}

impl LinkState {
    /// A link that connects at once. `seed` is for jitter.
    #[must_use]
    pub fn new(agent_version: &str, platform: &str, seed: u64) -> Self {
        Self {
            agent_version: agent_version.to_owned(),
            platform: platform.to_owned(),
            phase: Phase::Waiting { until_ms: 0 },
            backoff: Backoff::new(seed),
            hang_up: false,
            view: View::default(),
        }
    }

    /// What there is to know about the link.
    #[must_use]
    pub fn view(&self) -> &View {
        &self.view
    }

    /// Whether the service has answered `hello`.
    #[must_use]
    pub fn is_live(&self) -> bool {
        matches!(self.phase, Phase::Live(_))
    }

    /// The connection is open.
    pub fn connected(&mut self, now_ms: u64) {
        if matches!(self.phase, Phase::Connecting { .. }) {
            self.phase = Phase::Greeting { said_hello: false, deadline_ms: now_ms + REPLY_MS };
        }
    }

    /// The service did not accept the connection.
    pub fn refused(&mut self, refusal: &Refusal, now_ms: u64) {
        if refusal.is_lasting() {
            self.give_up(now_ms, refusal.message.clone());
        } else {
            self.lost(&refusal.message, now_ms);
            let asked_ms = refusal.retry_after_s.unwrap_or(0).saturating_mul(1_000).min(MAX_RETRY_MS);
            if let Phase::Waiting { until_ms } = &mut self.phase
                && asked_ms > 0
            {
                *until_ms = (*until_ms).max(now_ms + self.backoff.about(asked_ms));
            }
        }
    }

    /// The connection could not be opened, or it broke.
    pub fn lost(&mut self, why: &str, now_ms: u64) {
        if matches!(self.phase, Phase::Waiting { .. }) {
            return;
        }
        if let Some(Goodbye { go_ms, reason }) = self.goodbye() {
            return self.leave(go_ms.max(now_ms + MOVE_MS), reason);
        }
        let wait_ms = self.wait_after_failure(now_ms);
        self.leave(now_ms + wait_ms, why.to_owned());
    }

    fn goodbye(&mut self) -> Option<Goodbye> {
        if let Phase::Live(live) = &mut self.phase { live.goodbye.take() } else { None }
    }

    fn wait_after_failure(&mut self, now_ms: u64) -> u64 {
        if matches!(&self.phase, Phase::Live(live) if now_ms.saturating_sub(live.since_ms) >= GOOD_AFTER_MS) {
            self.backoff.reset();
        }
        self.backoff.failed()
    }

    fn give_up(&mut self, now_ms: u64, why: String) {
        let wait_ms = self.backoff.about(REFUSED_WAIT_MS);
        self.leave(now_ms + wait_ms, why);
        self.view.needs_help = true;
    }

    fn leave(&mut self, until_ms: u64, why: String) {
        self.phase = Phase::Waiting { until_ms };
        self.view.greeted = None;
        self.view.problem = Some(why);
        self.view.needs_help = false;
    }

    fn hang_up(&mut self, why: &str, now_ms: u64) {
        self.lost(why, now_ms);
        self.hang_up = true;
    }

    /// Something came from the service, be it a pong: it is there.
    pub fn heard(&mut self) {
        if let Phase::Live(live) = &mut self.phase {
            live.pong_deadline_ms = None;
        }
    }

    /// A message came from the service. `unix_ms` is the PC's clock.
    pub fn received(&mut self, message: ServiceMessage, now_ms: u64, unix_ms: u64, outbox: &mut Outbox) {
        self.heard();
        match message {
            ServiceMessage::Welcome { team_name, rig_name, committed, limits, server_ms, .. } => {
                if !matches!(self.phase, Phase::Greeting { said_hello: true, .. }) {
                    return;
                }
                let clock_ahead_ms = unix_ms.wrapping_sub(server_ms) as i64;
                self.begin(now_ms, &limits, &committed, outbox);
                self.look(now_ms, unix_ms, outbox);
                self.view.greeted = Some(Greeted { team: team_name, rig: rig_name, clock_ahead_ms, limits });
            }
            ServiceMessage::Ack { place } => self.acknowledged(place, outbox),
            ServiceMessage::Resend { place } => self.send_again(place, now_ms, outbox),
            ServiceMessage::Keyframe { .. } => outbox.field.need_keyframe(),
            ServiceMessage::Error { code, message, fatal: true } => {
                let lasting = matches!(
                    code,
                    ErrorCode::Unauthenticated
                        | ErrorCode::Forbidden
                        | ErrorCode::UnsupportedVersion
                        | ErrorCode::TokenMistyped
                        | ErrorCode::TokenRevoked
                );
                let message = of_a_fatal_error(code, &message);
                if lasting {
                    self.give_up(now_ms, message);
                    self.hang_up = true;
                } else {
                    self.hang_up(&message, now_ms);
                }
            }
            ServiceMessage::Error { code, message, .. } => {
                if let (ErrorCode::RateLimited, Phase::Live(live)) = (code, &mut self.phase) {
                    live.slow_down(&message, now_ms, self.backoff.about(SLOWED_PAUSE_MS));
                }
                self.view.problem = Some(message);
            }
            ServiceMessage::Goodbye { reason, reconnect_after_ms } => {
                let go_ms = now_ms + self.backoff.roughly(u64::from(reconnect_after_ms)).max(MIN_WAIT_MS);
                match &mut self.phase {
                    Phase::Waiting { .. } => {}
                    Phase::Live(live) => {
                        live.goodbye.get_or_insert(Goodbye { go_ms, reason });
                    }
                    Phase::Connecting { .. } | Phase::Greeting { .. } => {
                        self.leave(go_ms, reason);
                        self.hang_up = true;
                    }
                }
            }
        }
    }

    fn begin(&mut self, now_ms: u64, limits: &Limits, committed: &[Place], outbox: &mut Outbox) {
        for place in committed {
            self.acknowledged(*place, outbox);
        }
        outbox.greet();
        self.view.problem = None;
        self.view.needs_help = false;
        self.phase = Phase::Live(Box::new(Live {
            since_ms: now_ms,
            cursors: Cursors::begin(outbox),
            pace: Pace::of_messages(limits.max_messages_per_s, now_ms),
            backfill_pace: Pace::of_backfill(limits.max_backfill_per_s, now_ms),
            most_backfill_per_s: limits.max_backfill_per_s,
            byte_pace: Pace::of_messages(limits.max_bytes_per_s, now_ms),
            slowed: None,
            ping_ms: now_ms + PING_MS,
            pong_deadline_ms: None,
            resume_ms: now_ms,
            resends: 0,
            goodbye: None,
        }));
    }

    /// The spool has found what an earlier run of the agent has left: that is to go, too.
    pub fn start_over(&mut self) {
        if let Phase::Live(live) = &mut self.phase {
            live.cursors.start_over();
        }
    }

    /// Whether there is a connection on which something that is to be seen waits to be sent.
    pub fn has_unsent(&mut self, outbox: &mut Outbox) -> bool {
        if let Phase::Live(live) = &mut self.phase { live.cursors.has_shown(outbox) } else { false }
    }

    /// Looks at how much waits; to be called a few times a second.
    pub fn look(&self, now_ms: u64, unix_ms: u64, outbox: &mut Outbox) {
        let behind = match &self.phase {
            Phase::Live(live) => live.cursors.behind(outbox).map(|items| (items, live.most_backfill_per_s)),
            _ => None,
        };
        outbox.watch.look(&outbox.spool, behind, now_ms, unix_ms);
    }

    fn acknowledged(&mut self, place: Place, outbox: &mut Outbox) {
        outbox.spool.ack(place);
        let is_news = self.view.acked.is_none_or(|acked| acked.session != place.session || acked < place);
        if is_news {
            self.view.acked = Some(place);
            if let Phase::Live(live) = &mut self.phase {
                live.resends = 0;
            }
        }
    }

    /// The service could not take what came after a place: everything from there again, as backfill, after a pause that
    /// grows while nothing is acknowledged. What is new is seen meanwhile.
    fn send_again(&mut self, place: Place, now_ms: u64, outbox: &Outbox) {
        let Phase::Live(live) = &mut self.phase else { return };
        live.cursors.set_back(place, outbox);
        if now_ms < live.resume_ms {
            // It asks during the pause that it asked for: one pause is enough, and it must end.
            return;
        }
        let pause_ms = (250 << live.resends.min(6)).min(MAX_RESEND_PAUSE_MS);
        live.resume_ms = now_ms + self.backoff.about(pause_ms);
        live.resends += 1;
    }

    /// What to do now. `can_write` tells whether the socket takes a message; `unix_ms` is the PC's clock.
    pub fn next(&mut self, now_ms: u64, unix_ms: u64, can_write: bool, outbox: &mut Outbox) -> Action {
        if std::mem::take(&mut self.hang_up) {
            return Action::HangUp;
        }
        self.speed_up(now_ms);
        match &mut self.phase {
            Phase::Waiting { until_ms } if now_ms < *until_ms => Action::Wait(*until_ms),
            Phase::Waiting { .. } => {
                self.phase = Phase::Connecting { deadline_ms: now_ms + REPLY_MS };
                Action::Connect
            }
            Phase::Connecting { deadline_ms } | Phase::Greeting { deadline_ms, .. } if *deadline_ms <= now_ms => {
                self.hang_up("the service does not answer", now_ms);
                self.next(now_ms, unix_ms, can_write, outbox)
            }
            Phase::Greeting { said_hello, .. } if !*said_hello && can_write => {
                *said_hello = true;
                self.hello(unix_ms, outbox)
            }
            Phase::Connecting { deadline_ms } | Phase::Greeting { deadline_ms, .. } => Action::Wait(*deadline_ms),
            Phase::Live(live) if live.goodbye.as_ref().is_some_and(|goodbye| goodbye.go_ms <= now_ms) => {
                self.hang_up("asked to go elsewhere", now_ms);
                self.next(now_ms, unix_ms, can_write, outbox)
            }
            Phase::Live(live) => match live.keep_alive(now_ms, can_write) {
                Ok(Some(ping)) => ping,
                Ok(None) => live.send(now_ms, unix_ms, can_write, outbox),
                Err(why) => {
                    self.hang_up(why, now_ms);
                    self.next(now_ms, unix_ms, can_write, outbox)
                }
            },
        }
    }

    /// Nothing was said of too much for a while: backfill goes as fast as before, and nobody need be told any more.
    fn speed_up(&mut self, now_ms: u64) {
        let Phase::Live(live) = &mut self.phase else { return };
        if let Some((_, said)) = live.slowed.take_if(|(until_ms, _)| *until_ms <= now_ms) {
            live.backfill_pace = Pace::of_backfill(live.most_backfill_per_s, now_ms);
            self.view.problem.take_if(|problem| *problem == said);
        }
    }

    fn hello(&self, unix_ms: u64, outbox: &Outbox) -> Action {
        let mut sessions = outbox.spool.sessions();
        sessions.extend(outbox.doing().session.filter(|session| !sessions.contains(session)));
        // Of a session that is not named, everything is sent again, which changes nothing.
        sessions.truncate(MAX_NAMED_SESSIONS);
        text(&AgentMessage::Hello {
            agent_version: self.agent_version.clone(),
            platform: self.platform.clone(),
            epoch: outbox.spool.epoch(),
            clock_ms: unix_ms,
            sessions,
        })
    }

    /// The message that says why the agent goes; for the end of a connection that is live.
    #[must_use]
    pub fn bye(reason: &str) -> Action {
        text(&AgentMessage::Bye { reason: reason.to_owned() })
    }
}

impl Live {
    fn keep_alive(&mut self, now_ms: u64, can_write: bool) -> Result<Option<Action>, &'static str> {
        if self.pong_deadline_ms.is_some_and(|deadline| deadline <= now_ms) {
            return Err("the service has gone silent");
        }
        if now_ms < self.ping_ms || !can_write {
            return Ok(None);
        }
        self.ping_ms = now_ms + PING_MS;
        self.pong_deadline_ms.get_or_insert(now_ms + REPLY_MS);
        Ok(Some(Action::Ping))
    }

    fn send(&mut self, now_ms: u64, unix_ms: u64, can_write: bool, outbox: &mut Outbox) -> Action {
        let go_ms = self.goodbye.as_ref().map_or(u64::MAX, |goodbye| goodbye.go_ms);
        let alarm_ms = self.pong_deadline_ms.map_or(self.ping_ms, |deadline| deadline.min(self.ping_ms)).min(go_ms);
        if !can_write {
            // The writer has a deadline of its own; a ping that is due waits with the rest.
            return Action::Wait(self.pong_deadline_ms.unwrap_or(now_ms + REPLY_MS).min(go_ms));
        }
        let is_urgent = outbox.has_status(now_ms)
            || self.cursors.has_shown(outbox)
            || outbox.has_standings(|about| self.cursors.is_introduced(about));
        if is_urgent {
            return match self.may_send(now_ms) {
                Ok(()) => {
                    let urgent = self.urgent(now_ms, unix_ms, outbox);
                    self.weigh(urgent, now_ms).unwrap_or(Action::Wait(alarm_ms))
                }
                Err(then_ms) => Action::Wait(alarm_ms.min(then_ms)),
            };
        }
        if !self.cursors.has_backfill(outbox) {
            return Action::Wait(alarm_ms);
        }
        match self.may_backfill(now_ms) {
            Ok(()) => {
                let backfill = self.cursors.take_backfill(outbox).map(frame);
                self.weigh(backfill, now_ms).unwrap_or(Action::Wait(alarm_ms))
            }
            Err(then_ms) => Action::Wait(alarm_ms.min(then_ms)),
        }
    }

    /// What goes before all else: what the agent is doing, what is to be seen at once, the field.
    fn urgent(&mut self, now_ms: u64, unix_ms: u64, outbox: &mut Outbox) -> Option<Action> {
        if let Some(status) = outbox.take_status(now_ms, unix_ms) {
            return Some(text(&status));
        }
        if let Some(shown) = self.cursors.take_shown(outbox) {
            return Some(frame(shown));
        }
        outbox.field.take(now_ms).map(Action::Binary)
    }

    /// Takes a message's worth, or says when there will be one.
    fn may_send(&mut self, now_ms: u64) -> Result<(), u64> {
        self.byte_pace.has(now_ms, 0)?;
        self.pace.take(now_ms, 0)
    }

    /// Counts the bytes of what is sent.
    fn weigh(&mut self, action: Option<Action>, now_ms: u64) -> Option<Action> {
        if let Some(Action::Text(bytes) | Action::Binary(bytes)) = &action {
            self.byte_pace.went(bytes.len() as u64, now_ms);
        }
        action
    }

    /// The service has said that too much comes: what is live goes on, what was missed follows more slowly.
    fn slow_down(&mut self, said: &str, now_ms: u64, pause_ms: u64) {
        self.backfill_pace.slow_down(now_ms);
        self.resume_ms = self.resume_ms.max(now_ms + pause_ms);
        self.slowed = Some((now_ms + SLOWED_MS, said.to_owned()));
    }

    /// Takes a backfilled item's worth, or says when there will be one. What is live always finds something left.
    fn may_backfill(&mut self, now_ms: u64) -> Result<(), u64> {
        if now_ms < self.resume_ms {
            return Err(self.resume_ms);
        }
        let spare = self.pace.size() / 4;
        self.byte_pace.has(now_ms, self.byte_pace.size() / 4)?;
        self.backfill_pace.has(now_ms, 0)?;
        self.pace.take(now_ms, spare)?;
        self.backfill_pace.take(now_ms, 0)
    }
}

fn frame(frame: Frame) -> Action {
    match frame {
        Frame::Batch(bytes) => Action::Binary(bytes),
        Frame::Record(bytes) => Action::Text(bytes),
    }
}

fn text(message: &AgentMessage) -> Action {
    Action::Text(json(message))
}

#[cfg(test)]
mod tests;
