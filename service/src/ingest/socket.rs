//! An agent's socket.
//!
//! Reading, acknowledging and keeping time run beside each other; every send has a deadline, so that an agent that does
//! not read is let go and cannot hold anything up. Which agents get one is in `connect`.

use super::io::{End, Out, broken, fatal};
use super::sessions::Sessions;
use super::skew::Skew;
use super::stream::Refusal;
use super::{AT_ONCE_MS, check, leave_after_ms, reconnect_jitter_ms};
use crate::app::State;
use crate::auth::RigScope;
use crate::db::within;
use crate::error::shortened;
use crate::limits::{Limit, Rates, Seat, passed};
use crate::live::{Connection, Cut, now_ms};
use actix_web::web;
use actix_ws::{AggregatedMessage, AggregatedMessageStream, CloseCode};
use futures_util::StreamExt;
use onelap_protocol::agent::{AgentMessage, Lane, Place, Record, ServiceMessage};
use onelap_protocol::limits::MAX_NAMED_SESSIONS;
use onelap_protocol::standings::{self, StandingsError};
use onelap_protocol::{ErrorCode, SessionId, batch};
use serde::Deserialize;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::DropGuard;

const PING_EVERY: Duration = Duration::from_secs(15);
/// An agent that said nothing for this long, pongs included, is gone.
const REPLY_DEADLINE: Duration = Duration::from_secs(40);
/// When an agent that lost its rig to another one may try again.
const REPLACED_RETRY_MS: u32 = 60_000;
/// How often holes are looked for.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Between two checks of a token that was let in while Postgres did not answer.
const CONFIRM_EVERY: Duration = Duration::from_secs(5);
/// How long Postgres may take to say what is committed.
const HELLO_DEADLINE: Duration = Duration::from_secs(4);
/// Between two requests for the whole field: an agent that has not sent it by then was asked in vain.
const KEYFRAME_EVERY: Duration = Duration::from_secs(1);
/// What agents are told when the service stops.
const RESTARTS: &str = "the service restarts";
/// Between two notices to an agent that it sends too much.
const SLOWED_EVERY: Duration = Duration::from_secs(10);
/// The longest time for which nothing is read of an agent that sent too much: well below the reply deadline.
const LONGEST_HOLD: Duration = Duration::from_secs(20);
/// Between two pings meanwhile: the agent's own, which wait to be read, get no answer.
const HELD_PING_EVERY: Duration = Duration::from_secs(3);

mod connect;

/// Adds `GET /api/agent/ws`.
pub fn routes(config: &mut web::ServiceConfig) {
    config.service(connect::connect);
}

struct Agent {
    out: Out,
    live: Connection,
    state: web::Data<State>,
    rig: RigScope,
    trace: String,
    began: Instant,
    heard: Instant,
    skew: Skew,
    sessions: Sessions,
    rates: Rates,
    /// Nothing is read before this time: the agent has sent too much.
    held_until: Option<Instant>,
    /// When it was last told.
    slowed: Option<Instant>,
    pinged: Instant,
    /// When the whole field was last asked for.
    asked_keyframe: Option<Instant>,
    /// While the token was let in from memory: ends the checks with the connection.
    unconfirmed: Option<DropGuard>,
    /// Its place among the agents of the team.
    _seat: Seat,
}

impl Agent {
    async fn run(mut self, messages: AggregatedMessageStream) {
        tracing::info!("agent connected");
        let (cut, stopped, hub) = (self.live.cut.clone(), self.sessions.stopped.clone(), self.state.hub.clone());
        let mut out = self.out.clone();
        // What the agent sends is shown and recorded until it leaves by itself.
        let stopping = async {
            let reconnect_after_ms = leave_after_ms(&hub).await;
            let _ = out.send(&ServiceMessage::Goodbye { reason: RESTARTS.into(), reconnect_after_ms }).await;
            hub.closing.cancelled().await;
        };
        let end = tokio::select! {
            end = self.talk(messages) => end,
            () = cut.cancelled() => match self.live.why_cut() {
                Cut::TokenRevoked => fatal(ErrorCode::TokenRevoked, "the rig's token was revoked"),
                Cut::Replaced => End::Goodbye(
                    "another agent has connected with this rig's token",
                    REPLACED_RETRY_MS,
                    CloseCode::Policy,
                ),
            },
            () = stopped.cancelled() => {
                End::Goodbye("the session cannot be recorded on this connection", reconnect_jitter_ms(), CloseCode::Again)
            }
            () = stopping => End::Goodbye(RESTARTS, AT_ONCE_MS, CloseCode::Restart),
        };
        // Writers finish while the agent is told: its next connection waits for them.
        self.sessions.streams.clear();
        let code = match end {
            End::Gone => None,
            End::Fatal(code, message, close) => {
                tracing::info!(code = code.as_str(), message, "agent refused");
                self.state.hub.figures.refused.inc();
                let _ = self.out.send(&ServiceMessage::Error { code, message, fatal: true }).await;
                Some(close)
            }
            End::Goodbye(reason, reconnect_after_ms, close) => {
                let _ = self.out.send(&ServiceMessage::Goodbye { reason: reason.into(), reconnect_after_ms }).await;
                Some(close)
            }
        };
        if let Some(code) = code {
            self.out.close(code).await;
        }
        tracing::info!(seconds = self.began.elapsed().as_secs(), "agent disconnected");
    }

    async fn talk(&mut self, mut messages: AggregatedMessageStream) -> End {
        let mut pings = tokio::time::interval(PING_EVERY);
        let mut looks = tokio::time::interval(LOOK_EVERY);
        loop {
            let held_until = self.held_until;
            let result = tokio::select! {
                message = messages.next(), if held_until.is_none() => match message {
                    Some(Ok(message)) => self.message(message).await,
                    Some(Err(error)) => return broken(&error),
                    None => return End::Gone,
                },
                () = passed(held_until) => {
                    self.held_until = None;
                    Ok(())
                }
                _ = pings.tick() => self.ping().await,
                _ = looks.tick() => self.look().await,
            };
            if let Err(end) = result {
                return end;
            }
        }
    }

    async fn ping(&mut self) -> Result<(), End> {
        if self.heard.elapsed() > REPLY_DEADLINE {
            return Err(End::Gone);
        }
        self.pinged = Instant::now();
        Ok(self.out.ping().await?)
    }

    /// Asks for what is missing.
    async fn look(&mut self) -> Result<(), End> {
        let look = self.sessions.look(self.began.elapsed());
        for (code, message) in look.refusals {
            self.refuse(code, message).await?;
        }
        for place in look.resend {
            self.state.hub.figures.recorder_full.inc();
            self.out.send(&ServiceMessage::Resend { place }).await?;
        }
        if let Some(place) = look.call_back {
            self.out.send(&ServiceMessage::Resend { place }).await?;
        }
        if self.held_until.is_some() && self.pinged.elapsed() > HELD_PING_EVERY {
            self.ping().await?;
        }
        if look.in_vain {
            let reason = "what was asked for again did not come";
            return Err(End::Goodbye(reason, reconnect_jitter_ms(), CloseCode::Again));
        }
        Ok(())
    }

    async fn message(&mut self, message: AggregatedMessage) -> Result<(), End> {
        self.heard = Instant::now();
        let size = match &message {
            AggregatedMessage::Binary(bytes) | AggregatedMessage::Ping(bytes) | AggregatedMessage::Pong(bytes) => {
                bytes.len()
            }
            AggregatedMessage::Text(text) => text.len(),
            AggregatedMessage::Close(_) => 0,
        };
        if let Some((limit, wait)) = self.rates.take(size, self.heard.into_std()) {
            self.hold(limit, wait).await?;
        }
        match message {
            AggregatedMessage::Binary(bytes) if bytes.first() == Some(&standings::OPCODE) => {
                self.standings(&bytes).await
            }
            AggregatedMessage::Binary(bytes) => self.batch(&bytes).await,
            AggregatedMessage::Text(text) => self.text(&text).await,
            AggregatedMessage::Ping(payload) => Ok(self.out.pong(&payload).await?),
            AggregatedMessage::Pong(_) => Ok(()),
            AggregatedMessage::Close(_) => Err(End::Gone),
        }
    }

    /// Reads on later, and says so now and then. What is read already is taken.
    async fn hold(&mut self, limit: Limit, wait: Duration) -> Result<(), End> {
        let over = self.state.limits.over(limit);
        self.held_until = Some(self.heard + wait.min(LONGEST_HOLD));
        if self.slowed.is_none_or(|at| at.elapsed() > SLOWED_EVERY) {
            self.slowed = Some(self.heard);
            self.refuse(ErrorCode::RateLimited, over.to_string()).await?;
        }
        Ok(())
    }

    async fn refuse(&mut self, code: ErrorCode, message: String) -> Result<(), End> {
        let message = shortened(message);
        tracing::info!(code = code.as_str(), message, "message refused");
        self.state.hub.figures.refused.inc();
        Ok(self.out.send(&ServiceMessage::Error { code, message, fatal: false }).await?)
    }

    async fn answer(&mut self, result: Result<(), Refusal>) -> Result<(), End> {
        match result {
            Ok(()) => Ok(()),
            Err((code, message)) => self.refuse(code, message).await,
        }
    }

    async fn batch(&mut self, bytes: &[u8]) -> Result<(), End> {
        let header = match batch::peek(bytes) {
            Ok(header) => header,
            Err(error) => return self.refuse(ErrorCode::Malformed, format!("batch: {error}")).await,
        };
        let Some(lane) = bytes.first().and_then(|opcode| Lane::of(*opcode)) else {
            return self.refuse(ErrorCode::Malformed, "agents send opcodes 1, 3, 4 and 5 only".into()).await;
        };
        self.state.hub.figures.batches.inc();
        let place = Place { session: header.session, epoch: header.epoch, sequence: header.sequence };
        if let Some(trace) = self.state.traces.of_batch(place) {
            trace.arrived(lane, &header, self.skew.ms());
        }
        let result = self.sessions.batch(lane, &header, bytes).await;
        self.answer(result).await
    }

    /// A frame of the field. Its lengths and ranges are checked where it is decoded.
    async fn standings(&mut self, bytes: &[u8]) -> Result<(), End> {
        let header = match standings::peek(bytes) {
            Ok(header) => header,
            Err(error) => return self.refuse(ErrorCode::Malformed, format!("standings: {error}")).await,
        };
        match self.live.publisher().standings(header.session, bytes) {
            Ok(()) => Ok(()),
            Err(StandingsError::NeedKeyframe { .. }) => self.ask_for_keyframe(header.session).await,
            Err(error) => self.refuse(ErrorCode::Malformed, format!("standings {}: {error}", header.number)).await,
        }
    }

    /// The whole was sent before the session was shown, or what came before was broken.
    async fn ask_for_keyframe(&mut self, session: SessionId) -> Result<(), End> {
        if self.asked_keyframe.is_some_and(|at| at.elapsed() < KEYFRAME_EVERY) {
            return Ok(());
        }
        self.asked_keyframe = Some(Instant::now());
        Ok(self.out.send(&ServiceMessage::Keyframe { session }).await?)
    }

    async fn text(&mut self, text: &str) -> Result<(), End> {
        let message = match serde_json::from_str(text) {
            Ok(message) => message,
            Err(error) => return self.unreadable(text, &error).await,
        };
        match message {
            AgentMessage::Hello { agent_version, epoch, clock_ms, sessions, .. } => {
                self.hello(&agent_version, epoch, clock_ms, &sessions).await
            }
            AgentMessage::Record { lane, place, record } => self.record(lane, place, record).await,
            AgentMessage::Status { game, state, notice, spool, clock_ms, .. } => {
                match check::status(notice.as_deref(), &spool) {
                    Ok(()) => {
                        clock_ms.into_iter().for_each(|clock_ms| self.clock(clock_ms));
                        self.live.publisher().status(game, state, notice, spool);
                        Ok(())
                    }
                    Err(message) => self.refuse(ErrorCode::Invalid, message).await,
                }
            }
            AgentMessage::Bye { reason } => {
                tracing::info!(reason = shortened(reason), "agent says goodbye");
                Err(End::Goodbye("goodbye", 0, CloseCode::Normal))
            }
        }
    }

    /// A text that is no message. If its place can be read and counts, the place is passed.
    async fn unreadable(&mut self, text: &str, error: &serde_json::Error) -> Result<(), End> {
        if let Ok(Placed { lane, place }) = serde_json::from_str(text)
            && lane.is_recorded()
        {
            self.sessions.skip(place).await;
        }
        self.refuse(ErrorCode::Malformed, format!("not a message of an agent: {error}")).await
    }

    async fn hello(
        &mut self,
        agent_version: &str,
        epoch: u64,
        clock_ms: u64,
        sessions: &[SessionId],
    ) -> Result<(), End> {
        if self.sessions.epoch.is_some() {
            return Err(fatal(ErrorCode::OutOfOrder, "hello was said already"));
        }
        if i64::try_from(epoch).is_err() {
            return Err(fatal(ErrorCode::Invalid, "hello.epoch: is larger than 63 bits"));
        }
        if sessions.len() > MAX_NAMED_SESSIONS {
            let message = format!("hello.sessions: names {}, the most is {MAX_NAMED_SESSIONS}", sessions.len());
            return Err(fatal(ErrorCode::Invalid, &message));
        }
        self.sessions.epoch = Some(epoch);
        self.skew.told(clock_ms, now_ms());
        self.live.publisher().hello(&agent_version.chars().take(64).collect::<String>(), self.skew.ms());
        // Without an answer the agent begins with the first that it has no acknowledgement of, which does no harm.
        let committed = if self.unconfirmed.is_none() {
            within(HELLO_DEADLINE, self.state.recorder.places(self.rig.tenant, sessions)).await
        } else {
            Ok(Vec::new())
        };
        let committed = committed.unwrap_or_else(|error| {
            tracing::warn!(%error, "what is committed could not be read for hello");
            Vec::new()
        });
        let welcome = ServiceMessage::Welcome {
            team: self.rig.tenant.team(),
            team_name: self.rig.team_name.clone(),
            rig: self.rig.rig,
            rig_name: self.rig.rig_name.clone(),
            committed,
            limits: self.state.limits.config().of_agents(),
            server_ms: now_ms(),
            trace: self.trace.clone(),
        };
        Ok(self.out.send(&welcome).await?)
    }

    /// The agent has told the time.
    fn clock(&mut self, clock_ms: u64) {
        if self.skew.told(clock_ms, now_ms()) {
            self.live.publisher().clock(self.skew.ms());
        }
    }

    async fn record(&mut self, lane: Lane, place: Place, mut record: Record) -> Result<(), End> {
        let checked = check::record(&record);
        if let (Ok(()), Record::Session { info }) = (&checked, &mut record) {
            // The agent's clock, made right by what `hello` showed of it.
            if self.skew.ms().unsigned_abs() > 2_000 {
                info.started_at_ms = info.started_at_ms.saturating_add_signed(self.skew.ms().saturating_neg());
            }
        }
        let result = self.sessions.record(lane, place, record, checked).await;
        self.answer(result).await
    }
}

/// What a text that is no message may still say.
#[derive(Deserialize)]
struct Placed {
    #[serde(default)]
    lane: Lane,
    #[serde(flatten)]
    place: Place,
}
