//! An agent's socket.
//!
//! Reading, acknowledging and keeping time run beside each other; every send has a deadline, so that an agent that does
//! not read is let go and cannot hold anything up.

use super::io::{Budget, End, Out, broken, fatal};
use super::sessions::Sessions;
use super::skew::Skew;
use super::stream::Refusal;
use super::{AT_ONCE_MS, check, leave_after_ms, reconnect_jitter_ms};
use crate::app::State;
use crate::auth::{self, RigScope};
use crate::db::within;
use crate::error::{ApiError, shortened};
use crate::live::{Connection, Cut, now_ms};
use crate::telemetry;
use actix_web::http::header::SEC_WEBSOCKET_PROTOCOL;
use actix_web::{HttpRequest, HttpResponse, get, web};
use actix_ws::{AggregatedMessage, AggregatedMessageStream, CloseCode};
use futures_util::StreamExt;
use onelap_protocol::agent::{AgentMessage, Lane, Place, Record, ServiceMessage};
use onelap_protocol::limits::{Limits, MAX_AGENT_FRAME};
use onelap_protocol::standings::{self, StandingsError};
use onelap_protocol::{AGENT_SUBPROTOCOL, ErrorCode, SessionId, batch};
use serde::Deserialize;
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::Instrument;

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
/// Sessions that `hello` may name.
const MAX_NAMED: usize = 64;

/// Adds `GET /api/agent/ws`.
pub fn routes(config: &mut web::ServiceConfig) {
    config.service(connect);
}

#[get("/api/agent/ws")]
async fn connect(
    request: HttpRequest,
    payload: web::Payload,
    rig: RigScope,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let offered = request.headers().get_all(SEC_WEBSOCKET_PROTOCOL).filter_map(|v| v.to_str().ok());
    if !offered.flat_map(|v| v.split(',')).any(|p| p.trim() == AGENT_SUBPROTOCOL) {
        return Err(ApiError::UnsupportedVersion(format!(
            "this service speaks {AGENT_SUBPROTOCOL}: get the current agent from the team's rigs page"
        )));
    }
    let (response, session, messages) = actix_ws::handle_with_protocols(&request, payload, &[AGENT_SUBPROTOCOL])
        .map_err(|error| ApiError::Malformed(format!("not a WebSocket handshake: {error}")))?;
    let messages =
        messages.max_frame_size(MAX_AGENT_FRAME).aggregate_continuations().max_continuation_size(MAX_AGENT_FRAME);
    let trace = telemetry::trace_id(&request).to_string();
    let span = tracing::info_span!("agent", %trace, team = %rig.tenant.team(), rig = %rig.rig);
    let live = state.hub.connect(rig.tenant.team(), rig.rig, &rig.rig_name, rig.token);
    // Revoked between the check and the line above, it would have been cut by nobody.
    let unconfirmed = if rig.is_remembered {
        Some(confirm_later(state.clone(), rig.clone()))
    } else {
        auth::still_valid(&state.db, &rig).await?;
        None
    };
    let out = Out(session);
    let sessions = Sessions {
        recorder: state.recorder.clone(),
        live: live.publisher().clone(),
        out: out.clone(),
        tenant: rig.tenant,
        rig: rig.rig,
        epoch: None,
        streams: HashMap::new(),
        stopped: CancellationToken::new(),
    };
    let (began, heard, budget) = (Instant::now(), Instant::now(), Budget::new());
    let sockets = state.hub.sockets.clone();
    let agent = Agent {
        out,
        live,
        state,
        rig,
        trace,
        began,
        heard,
        skew: Skew::default(),
        sessions,
        budget,
        unconfirmed,
        asked_keyframe: None,
    };
    actix_web::rt::spawn(sockets.track_future(agent.run(messages).instrument(span)));
    Ok(response)
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
    budget: Budget,
    /// When the whole field was last asked for.
    asked_keyframe: Option<Instant>,
    /// While the token was let in from memory: ends the checks with the connection.
    unconfirmed: Option<DropGuard>,
}

/// Checks the token as soon as Postgres answers; a connection that has no right to be is cut.
fn confirm_later(state: web::Data<State>, rig: RigScope) -> DropGuard {
    let ended = CancellationToken::new();
    let guard = ended.clone().drop_guard();
    let check = async move {
        loop {
            tokio::time::sleep(CONFIRM_EVERY).await;
            match auth::still_valid(&state.db, &rig).await {
                Ok(()) => return,
                Err(error) if error.code() == ErrorCode::Unavailable => {}
                Err(_) => {
                    state.auth.remembered.forget(rig.token);
                    return state.hub.cut_token(rig.token);
                }
            }
        }
    };
    actix_web::rt::spawn(async move { ended.run_until_cancelled(check).await });
    guard
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
            let result = tokio::select! {
                message = messages.next() => match message {
                    Some(Ok(message)) => self.message(message).await,
                    Some(Err(error)) => return broken(&error),
                    None => return End::Gone,
                },
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
        if look.in_vain {
            let reason = "what was asked for again did not come";
            return Err(End::Goodbye(reason, reconnect_jitter_ms(), CloseCode::Again));
        }
        Ok(())
    }

    async fn message(&mut self, message: AggregatedMessage) -> Result<(), End> {
        self.heard = Instant::now();
        if let Some(wait) = self.budget.take() {
            self.slow_down(wait).await?;
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

    /// Reads on later, and says so once a minute.
    async fn slow_down(&mut self, wait: Duration) -> Result<(), End> {
        if self.budget.told.is_none_or(|at| at.elapsed() > Duration::from_secs(60)) {
            self.budget.told = Some(Instant::now());
            let limit = Limits::default().max_messages_per_s;
            self.refuse(ErrorCode::RateLimited, format!("more than {limit} messages a second: reading more slowly"))
                .await?;
        }
        tokio::time::sleep(wait.min(Duration::from_secs(1))).await;
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
        if sessions.len() > MAX_NAMED {
            return Err(fatal(ErrorCode::Invalid, "hello.sessions: too many sessions"));
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
            limits: Limits::default(),
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
