//! An agent's socket.
//!
//! Reading, acknowledging and keeping time run beside each other; every send has a deadline, so that an agent that does
//! not read is let go and cannot hold anything up.

use super::io::{Budget, End, Out, acknowledge, broken, database, fatal};
use super::order::Ask;
use super::stream::{Sender, Stream};
use super::{check, reconnect_jitter_ms};
use crate::app::State;
use crate::auth::{self, RigScope};
use crate::error::{ApiError, shortened};
use crate::live::{Connection, Cut, now_ms};
use crate::telemetry;
use actix_web::http::header::SEC_WEBSOCKET_PROTOCOL;
use actix_web::{HttpRequest, HttpResponse, get, web};
use actix_ws::{AggregatedMessage, AggregatedMessageStream, CloseCode};
use futures_util::StreamExt;
use onelap_protocol::agent::{AgentMessage, Place, Record, ServiceMessage};
use onelap_protocol::limits::{Limits, MAX_AGENT_FRAME};
use onelap_protocol::{AGENT_SUBPROTOCOL, Batch, ErrorCode, SessionId, batch};
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

const PING_EVERY: Duration = Duration::from_secs(15);
/// An agent that said nothing for this long, pongs included, is gone.
const REPLY_DEADLINE: Duration = Duration::from_secs(40);
/// When an agent that lost its rig to another one may try again.
const REPLACED_RETRY_MS: u32 = 60_000;
/// How often holes are looked for.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Sessions that one connection may have open.
const MAX_SESSIONS: usize = 8;
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
    auth::still_valid(&state.db, &rig).await?;
    let agent = Agent {
        out: Out(session),
        live,
        state,
        rig,
        trace,
        began: Instant::now(),
        heard: Instant::now(),
        epoch: None,
        skew_ms: 0,
        streams: HashMap::new(),
        budget: Budget::new(),
        stopped: CancellationToken::new(),
    };
    actix_web::rt::spawn(agent.run(messages).instrument(span));
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
    /// The run of the agent, from `hello`.
    epoch: Option<u64>,
    skew_ms: i64,
    streams: HashMap<SessionId, Stream>,
    budget: Budget,
    /// Cancelled when a writer has stopped: somebody else records its session, or it cannot be stored.
    stopped: CancellationToken,
}

impl Agent {
    async fn run(mut self, messages: AggregatedMessageStream) {
        tracing::info!("agent connected");
        let (cut, stopped, stopping) = (self.live.cut.clone(), self.stopped.clone(), self.state.hub.stopping.clone());
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
            () = stopping.cancelled() => {
                End::Goodbye("the service restarts", reconnect_jitter_ms(), CloseCode::Restart)
            }
        };
        // Writers finish while the agent is told: its next connection waits for them.
        self.streams.clear();
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

    /// Asks for what is missing and lets go of sessions that are over and committed.
    async fn look(&mut self) -> Result<(), End> {
        let now = self.began.elapsed();
        for (session, stream) in &mut self.streams {
            let sequence = match stream.ask(now) {
                Ask::Nothing => continue,
                Ask::After(sequence) => sequence,
                Ask::InVain => {
                    let reason = "what was asked for again did not come";
                    return Err(End::Goodbye(reason, reconnect_jitter_ms(), CloseCode::Again));
                }
            };
            self.state.hub.figures.recorder_full.inc();
            let place = Place { session: *session, epoch: stream.epoch(), sequence };
            self.out.send(&ServiceMessage::Resend { place }).await?;
        }
        self.streams.retain(|_, stream| !(stream.ended && stream.is_committed()));
        Ok(())
    }

    async fn message(&mut self, message: AggregatedMessage) -> Result<(), End> {
        self.heard = Instant::now();
        if let Some(wait) = self.budget.take() {
            self.slow_down(wait).await?;
        }
        match message {
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

    async fn batch(&mut self, bytes: &[u8]) -> Result<(), End> {
        let header = match batch::peek(bytes) {
            Ok(header) if bytes[0] == batch::OPCODE_SAMPLES => header,
            Ok(_) => return self.refuse(ErrorCode::Malformed, "agents send opcode 1 only".into()).await,
            Err(error) => return self.refuse(ErrorCode::Malformed, format!("batch: {error}")).await,
        };
        if let Err((code, message)) = self.known(header.session, header.epoch, header.sequence).await? {
            return self.refuse(code, message).await;
        }
        let Some(stream) = self.streams.get_mut(&header.session) else { return Ok(()) };
        match Batch::decode(bytes) {
            Ok((_, batch)) => {
                self.state.hub.figures.batches.inc();
                stream.batch(&self.live, &header, bytes, batch);
                Ok(())
            }
            Err(error) => {
                stream.skip(header.sequence);
                self.refuse(ErrorCode::Malformed, format!("batch {}: {error}", header.sequence)).await
            }
        }
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
            AgentMessage::Record { place, record, .. } => self.record(place, record).await,
            AgentMessage::Standings { session, standings } => match check::standings(&standings) {
                Ok(()) => {
                    self.live.standings(session, standings);
                    Ok(())
                }
                Err(message) => self.refuse(ErrorCode::Invalid, message).await,
            },
            AgentMessage::Status { game, state, notice, .. } => match check::notice(notice.as_deref()) {
                Ok(()) => {
                    self.live.status(game, state, notice);
                    Ok(())
                }
                Err(message) => self.refuse(ErrorCode::Invalid, message).await,
            },
            AgentMessage::Bye { reason } => {
                tracing::info!(reason = shortened(reason), "agent says goodbye");
                Err(End::Goodbye("goodbye", 0, CloseCode::Normal))
            }
        }
    }

    /// A text that is no message. If its place can be read, the place is passed, or it would come for ever.
    async fn unreadable(&mut self, text: &str, error: &serde_json::Error) -> Result<(), End> {
        if let Ok(place) = serde_json::from_str::<Place>(text)
            && self.known(place.session, place.epoch, place.sequence).await?.is_ok()
            && let Some(stream) = self.streams.get_mut(&place.session)
        {
            stream.skip(place.sequence);
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
        if self.epoch.is_some() {
            return Err(fatal(ErrorCode::OutOfOrder, "hello was said already"));
        }
        if i64::try_from(epoch).is_err() {
            return Err(fatal(ErrorCode::Invalid, "hello.epoch: is larger than 63 bits"));
        }
        if sessions.len() > MAX_NAMED {
            return Err(fatal(ErrorCode::Invalid, "hello.sessions: too many sessions"));
        }
        self.epoch = Some(epoch);
        let skew_ms = i128::from(clock_ms) - i128::from(now_ms());
        self.skew_ms = i64::try_from(skew_ms).unwrap_or(i64::MAX);
        self.live.hello(&agent_version.chars().take(64).collect::<String>(), self.skew_ms);
        let mut committed = Vec::new();
        for session in sessions {
            let stored = self.state.recorder.load(self.rig.tenant, *session).await.map_err(|e| database(&e))?;
            committed.extend(stored.map(|s| s.place));
        }
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

    async fn record(&mut self, place: Place, mut record: Record) -> Result<(), End> {
        let checked = check::record(&record);
        if let (Ok(()), Record::Session { info }) = (&checked, &mut record) {
            // The agent's clock, made right by what `hello` showed of it.
            if self.skew_ms.unsigned_abs() > 2_000 {
                info.started_at_ms = info.started_at_ms.saturating_add_signed(-self.skew_ms);
            }
            if !self.streams.contains_key(&place.session) && place.sequence == 1 {
                self.begin(place, info).await?;
            }
        }
        let known = self.known(place.session, place.epoch, place.sequence).await?;
        let stream = self.streams.get_mut(&place.session).filter(|_| known.is_ok());
        // What is wrong with the item comes first: that its session is not known may follow from it.
        let fits = stream.as_deref().map_or(Ok(()), |stream| stream.fits(&record));
        if let Err(message) = checked.and(fits) {
            if let Some(stream) = stream {
                stream.skip(place.sequence);
            }
            return self.refuse(ErrorCode::Invalid, message).await;
        }
        match (known, stream) {
            (Err((code, message)), _) => self.refuse(code, message).await,
            (Ok(()), Some(stream)) => {
                stream.record(&self.live, place.sequence, record);
                Ok(())
            }
            (Ok(()), None) => Ok(()),
        }
    }

    /// Begins a session that is not known yet; one that is known is left to [`Agent::known`].
    async fn begin(&mut self, place: Place, info: &onelap_protocol::race::SessionInfo) -> Result<(), End> {
        let Some(from) = self.sender(place.epoch) else { return Ok(()) };
        if !self.has_room() {
            return Ok(());
        }
        let stored = self.state.recorder.load(from.tenant, place.session).await.map_err(|e| database(&e))?;
        if stored.is_none() {
            let stream = Stream::begin(from, place.session, info, &self.state.recorder, &self.live);
            self.add(place.session, stream);
        }
        Ok(())
    }

    /// Whether one more session can be open. Those that nothing is missing of make room: they go on from Postgres.
    fn has_room(&mut self) -> bool {
        if self.streams.len() >= MAX_SESSIONS {
            self.streams.retain(|_, stream| !stream.is_committed());
        }
        self.streams.len() < MAX_SESSIONS
    }

    fn sender(&self, epoch: u64) -> Option<Sender> {
        // What an earlier run of the agent left unsent comes under that run's epoch.
        let is_theirs = self.epoch.is_some_and(|ours| epoch <= ours);
        is_theirs.then_some(Sender { tenant: self.rig.tenant, rig: self.rig.rig, epoch })
    }

    /// Makes sure that the session of an item has a stream. The inner error is what to answer.
    async fn known(
        &mut self,
        session: SessionId,
        epoch: u64,
        sequence: u64,
    ) -> Result<Result<(), (ErrorCode, String)>, End> {
        let Some(from) = self.sender(epoch) else {
            let message = match self.epoch {
                None => "say hello first".to_owned(),
                Some(ours) => format!("epoch {epoch}: hello said {ours}"),
            };
            return Ok(Err((ErrorCode::OutOfOrder, message)));
        };
        if sequence == 0 || i64::try_from(sequence).is_err() {
            return Ok(Err((ErrorCode::Invalid, format!("sequence {sequence}: sequences count from 1"))));
        }
        match self.streams.get(&session) {
            Some(stream) if stream.epoch() == epoch => return Ok(Ok(())),
            Some(stream) if stream.epoch() > epoch => return Ok(Err(later_run(session))),
            Some(stream) if !stream.is_whole() => {
                let message = format!("session {session}: items of the agent's run before this one are missing");
                return Ok(Err((ErrorCode::OutOfOrder, message)));
            }
            // The later run goes on where the writer of the one before ends.
            Some(_) => drop(self.streams.remove(&session)),
            None => {}
        }
        if !self.has_room() {
            let message = format!("{MAX_SESSIONS} sessions are open on this connection, that is the limit");
            return Ok(Err((ErrorCode::RateLimited, message)));
        }
        let stored = self.state.recorder.load(from.tenant, session).await.map_err(|e| database(&e))?;
        let Some(stored) = stored else {
            let message = format!("session {session} is not known: its first item, sequence 1, must be its facts");
            return Ok(Err((ErrorCode::OutOfOrder, message)));
        };
        if stored.place.epoch > epoch {
            return Ok(Err(later_run(session)));
        }
        let stream = Stream::resume(from, &stored, &self.state.recorder, &self.live);
        self.add(session, stream);
        Ok(Ok(()))
    }

    fn add(&mut self, session: SessionId, stream: Stream) {
        let epoch = stream.epoch();
        let progress = stream.writer.progress.clone();
        actix_web::rt::spawn(acknowledge(self.out.clone(), progress, session, epoch, self.stopped.clone()));
        self.streams.insert(session, stream);
    }
}

fn later_run(session: SessionId) -> (ErrorCode, String) {
    (ErrorCode::OutOfOrder, format!("session {session} is being recorded by a later run of the agent"))
}
