//! A viewer's socket.
//!
//! The answer's body is the viewer's [`Outbox`], already framed; a task beside it reads what the viewer says, keeps time
//! and cleans up. Reader and writer never wait for each other: a viewer that does not read is found by its missing pong
//! (and by the kernel's send time-out), not by a blocked task.

use super::copies::Wants;
use super::hub::{Hub, now_ms};
use super::outbox::Outbox;
use super::session::{Begin, History};
use super::wire;
use crate::app::State;
use crate::auth::{self, Caller};
use crate::db::{Tenant, within};
use crate::error::{ApiError, shortened};
use crate::{rigs, telemetry};
use actix_http::ws::{self, Codec, Frame};
use actix_web::body::BodyStream;
use actix_web::http::header::SEC_WEBSOCKET_PROTOCOL;
use actix_web::{HttpRequest, HttpResponse, get, web};
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use onelap_protocol::limits::MAX_VIEWER_FRAME;
use onelap_protocol::race::RaceEvent;
use onelap_protocol::viewer::{SeenUpTo, ViewMessage, ViewerMessage};
use onelap_protocol::{ErrorCode, SessionId, TeamId, UserId, VIEWER_SUBPROTOCOL};
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::codec::Decoder;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

const PING_EVERY: Duration = Duration::from_secs(15);
/// A viewer that said nothing for this long, pongs included, is gone.
const REPLY_DEADLINE: Duration = Duration::from_secs(40);
/// How long Postgres may take to say what a viewer may see; meanwhile nothing else that it says is heard.
const LOOK_UP_DEADLINE: Duration = Duration::from_secs(4);
/// Subscriptions and watched teams of one viewer.
const MAX_SUBSCRIPTIONS: usize = 16;

/// Adds `GET /api/live/ws`.
pub fn routes(config: &mut web::ServiceConfig) {
    config.service(connect);
}

#[get("/api/live/ws")]
async fn connect(
    request: HttpRequest,
    payload: web::Payload,
    caller: Caller,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    auth::check_origin(&request, &state.config)?;
    let offered = request.headers().get_all(SEC_WEBSOCKET_PROTOCOL).filter_map(|v| v.to_str().ok());
    if !offered.flat_map(|v| v.split(',')).any(|p| p.trim() == VIEWER_SUBPROTOCOL) {
        return Err(ApiError::UnsupportedVersion(format!(
            "this service speaks {VIEWER_SUBPROTOCOL}: reload the page to get the matching one"
        )));
    }
    let mut response = ws::handshake(request.head())
        .map_err(|error| ApiError::Malformed(format!("not a WebSocket handshake: {error}")))?;
    let trace = telemetry::trace_id(&request).to_string();
    let outbox = Outbox::new(state.hub.figures.viewer_skipped.clone());
    outbox.message(&ViewMessage::Hello { server_ms: now_ms(), trace: trace.clone() });
    let sockets = state.hub.sockets.clone();
    let viewer = Viewer {
        id: state.hub.new_id(),
        user: caller.user,
        outbox: outbox.clone(),
        state: state.into_inner(),
        watched: Vec::new(),
        subscribed: HashMap::new(),
    };
    let gone = CancellationToken::new();
    let body = Body { outbox, gone: gone.clone() };
    let task = viewer.run(payload, gone).instrument(tracing::info_span!("viewer", %trace));
    actix_web::rt::spawn(sockets.track_future(task));
    let response = response.insert_header((SEC_WEBSOCKET_PROTOCOL, VIEWER_SUBPROTOCOL)).body(BodyStream::new(body));
    Ok(HttpResponse::from(response.map_into_boxed_body()))
}

/// The answer's body. Dropped when the connection is gone.
struct Body {
    outbox: Outbox,
    gone: CancellationToken,
}

impl Stream for Body {
    type Item = Result<Bytes, std::convert::Infallible>;
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.outbox.poll_next_unpin(cx)
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        self.gone.cancel();
    }
}

struct Viewer {
    id: u64,
    user: UserId,
    outbox: Outbox,
    state: Arc<State>,
    watched: Vec<TeamId>,
    subscribed: HashMap<SessionId, TeamId>,
}

/// Why the loop ends.
enum End {
    Gone,
    Close(u16, String),
}

impl Viewer {
    async fn run(mut self, payload: web::Payload, gone: CancellationToken) {
        let hub = self.state.hub.clone();
        hub.figures.viewers.inc();
        let outbox = self.outbox.clone();
        // Everything goes on until the viewer leaves by itself.
        let stopping = async {
            let reconnect_after_ms = Some(crate::ingest::leave_after_ms(&hub).await);
            outbox.message(&ViewMessage::Goodbye { reason: "the service restarts".into(), reconnect_after_ms });
            hub.closing.cancelled().await;
        };
        let end = tokio::select! {
            end = self.talk(payload) => end,
            () = gone.cancelled() => End::Gone,
            () = stopping => End::Close(1012, "service restart".into()),
        };
        match end {
            End::Gone => self.outbox.abort(),
            End::Close(code, reason) => self.outbox.close(code, &reason),
        }
        self.leave(&hub);
        hub.figures.viewers.dec();
    }

    fn leave(&mut self, hub: &Hub) {
        hub.leave(self.id, &self.watched);
        self.subscribed.drain().for_each(|(session, team)| hub.unsubscribe(team, session, self.id));
    }

    async fn talk(&mut self, mut payload: web::Payload) -> End {
        let mut codec = Codec::new().max_size(MAX_VIEWER_FRAME);
        let mut buffer = BytesMut::new();
        let mut heard = Instant::now();
        let mut pings = tokio::time::interval(PING_EVERY);
        loop {
            tokio::select! {
                bytes = payload.next() => match bytes {
                    Some(Ok(bytes)) => {
                        heard = Instant::now();
                        buffer.extend_from_slice(&bytes);
                    }
                    Some(Err(_)) | None => return End::Gone,
                },
                _ = pings.tick() => {
                    if heard.elapsed() > REPLY_DEADLINE {
                        return End::Gone;
                    }
                    self.outbox.event(wire::ping());
                    continue;
                }
            }
            loop {
                match codec.decode(&mut buffer) {
                    Ok(Some(frame)) => {
                        if let Some(end) = self.frame(frame).await {
                            return end;
                        }
                    }
                    Ok(None) => break,
                    Err(ws::ProtocolError::Overflow) => {
                        return End::Close(1009, format!("messages of viewers are {MAX_VIEWER_FRAME} bytes at most"));
                    }
                    Err(error) => return End::Close(1002, error.to_string()),
                }
            }
        }
    }

    async fn frame(&mut self, frame: Frame) -> Option<End> {
        match frame {
            Frame::Text(text) => match serde_json::from_slice(&text) {
                Ok(message) => self.message(message).await,
                Err(error) => self.refuse(None, ErrorCode::Malformed, format!("not a message of a viewer: {error}")),
            },
            Frame::Ping(payload) => self.outbox.event(wire::pong(&payload)),
            Frame::Pong(_) => {}
            Frame::Close(_) => return Some(End::Close(1000, String::new())),
            Frame::Binary(_) | Frame::Continuation(_) => {
                self.refuse(None, ErrorCode::Malformed, "viewers send whole text messages only".into());
            }
        }
        None
    }

    async fn message(&mut self, message: ViewerMessage) {
        match message {
            ViewerMessage::Watch { team } => {
                if let Err(error) = self.watch(team).await {
                    self.refuse(None, error.code(), error.message());
                }
            }
            ViewerMessage::Subscribe { team, session, max_hz, after } => {
                if let Err(error) = self.subscribe(team, session, max_hz, after).await {
                    self.refuse(Some(session), error.code(), error.message());
                }
            }
            ViewerMessage::Unsubscribe { session } => {
                if let Some(team) = self.subscribed.remove(&session) {
                    self.state.hub.unsubscribe(team, session, self.id);
                }
            }
        }
    }

    async fn tenant(&self, team: TeamId) -> Result<Tenant, ApiError> {
        if self.watched.len() + self.subscribed.len() >= MAX_SUBSCRIPTIONS {
            return Err(ApiError::RateLimited { what: "subscriptions on one connection", retry_after_s: 0 });
        }
        Ok(within(LOOK_UP_DEADLINE, auth::team_scope(&self.state.db, self.user, team)).await?.tenant)
    }

    async fn watch(&mut self, team: TeamId) -> Result<(), ApiError> {
        if !self.watched.contains(&team) {
            let tenant = self.tenant(team).await?;
            let names = within(LOOK_UP_DEADLINE, rigs::names(&self.state.db, tenant)).await?;
            self.state.hub.watch(team, self.id, &self.outbox, &names).await;
            self.watched.push(team);
        }
        Ok(())
    }

    async fn subscribe(
        &mut self,
        team: TeamId,
        session: SessionId,
        max_hz: Option<u32>,
        after: Option<SeenUpTo>,
    ) -> Result<(), ApiError> {
        let tenant = self.tenant(team).await?;
        let hub = &self.state.hub;
        let stored = || self.stored(tenant, session);
        let wants = Wants { viewer: self.id, outbox: &self.outbox, max_hz, after };
        if !hub.subscribe(team, session, wants, stored).await {
            return Err(ApiError::NotFound);
        }
        self.subscribed.insert(session, team);
        Ok(())
    }

    /// How a session that runs stands in Postgres.
    async fn stored(&self, tenant: Tenant, session: SessionId) -> Option<(Begin, History)> {
        let stored = self.state.recorder.stored(tenant, session).await.ok()??;
        if stored.ended.is_some() {
            return None;
        }
        let begin = Begin { info: stored.info, epoch: stored.place.epoch, sequence: stored.place.sequence };
        let events = stored.laps.into_iter().map(RaceEvent::Lap).collect();
        Some((begin, History { events, setup: stored.setup, consumption: stored.fold.consumption() }))
    }

    fn refuse(&self, session: Option<SessionId>, code: ErrorCode, message: String) {
        self.outbox.message(&ViewMessage::Refused { session, code, message: shortened(message) });
    }
}
