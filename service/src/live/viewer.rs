//! A viewer's socket.
//!
//! The answer's body is the viewer's [`Outbox`], already framed; a task beside it reads what the viewer says, keeps time
//! and cleans up. Reader and writer never wait for each other: a viewer that does not read is found by its missing pong
//! (and by the kernel's send time-out), not by a blocked task. Who may have a socket is in `upgrade`.

use super::copies::Wants;
use super::hub::Hub;
use super::outbox::Outbox;
use super::session::{Begin, History};
use super::wire;
use crate::app::State;
use crate::auth::authority::{AuthorityWatch, Changed};
use crate::auth::{self, Action, Credential, ReadScope, permissions};
use crate::db::{Tenant, within};
use crate::error::{ApiError, shortened};
use crate::limits::{Budget, Limit, Seat, passed};
use crate::rigs;
use crate::shares::{self, Shown};
use actix_http::ws::{self, Codec, Frame};
use actix_web::web;
use bytes::BytesMut;
use futures_util::StreamExt;
use onelap_protocol::limits::MAX_VIEWER_FRAME;
use onelap_protocol::race::RaceEvent;
use onelap_protocol::viewer::{SeenUpTo, ViewMessage, ViewerMessage};
use onelap_protocol::{ErrorCode, SessionId, TeamId};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::codec::Decoder;
use tokio_util::sync::CancellationToken;

const PING_EVERY: Duration = Duration::from_secs(15);
/// A viewer that said nothing for this long, pongs included, is gone.
const REPLY_DEADLINE: Duration = Duration::from_secs(40);
/// How long Postgres may take to say what a viewer may see; meanwhile nothing else that it says is heard.
const LOOK_UP_DEADLINE: Duration = Duration::from_secs(4);
/// Between two notices to a viewer that it says too much.
const SLOWED_EVERY: Duration = Duration::from_secs(10);
/// The longest time for which nothing is read of a viewer that said too much: well below the reply deadline.
const LONGEST_HOLD: Duration = Duration::from_secs(20);
/// When somebody who has too many live views open may try again with one more.
const CROWDED_RETRY_MS: u32 = 30_000;

mod upgrade;

/// Adds `GET /api/live/ws`.
pub fn routes(config: &mut web::ServiceConfig) {
    config.service(upgrade::connect);
}

struct Viewer {
    id: u64,
    who: Credential,
    /// The log-in of a person: the socket ends with it.
    login: Option<Arc<auth::Watch>>,
    authority: AuthorityWatch,
    /// The teams that were opened on this connection, with a place among the viewers of each.
    teams: HashMap<TeamId, Seat>,
    /// What it may say.
    budget: Budget,
    /// Nothing is read before this time: it has said too much.
    held_until: Option<Instant>,
    /// When it was last told.
    slowed: Option<Instant>,
    /// A person's place among their live views.
    _seat: Option<Seat>,
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

/// Waits for the end of a log-in; forever where there is none.
async fn ended(login: Option<&auth::Watch>) {
    match login {
        Some(login) => login.ended().await,
        None => std::future::pending().await,
    }
}

impl Viewer {
    async fn run(mut self, payload: web::Payload, gone: CancellationToken) {
        let hub = self.state.hub.clone();
        hub.figures.viewers.inc();
        let login = self.login.clone();
        let outbox = self.outbox.clone();
        // Everything goes on until the viewer leaves by itself.
        let stopping = async {
            let reconnect_after_ms = Some(crate::ingest::leave_after_ms(&hub).await);
            outbox.message(&ViewMessage::Goodbye { reason: "the service restarts".into(), reconnect_after_ms });
            hub.closing.cancelled().await;
        };
        let end = tokio::select! {
            () = ended(login.as_deref()) => self.logged_out(),
            end = self.talk(payload) => end,
            () = gone.cancelled() => End::Gone,
            () = stopping => End::Close(1012, "service restart".into()),
        };
        match end {
            End::Gone => self.outbox.abort(),
            End::Close(code, reason) => self.outbox.close(code, &reason),
        }
        self.leave(&hub);
        // A process that ends has no time for it; who is not heard of is not counted for long.
        if !hub.closing.is_cancelled() {
            self.note_share(false).await;
        }
        hub.figures.viewers.dec();
    }

    fn logged_out(&self) -> End {
        let reason = "this log-in has ended";
        self.outbox.message(&ViewMessage::Goodbye { reason: reason.into(), reconnect_after_ms: None });
        End::Close(1008, reason.into())
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
        self.note_share(true).await;
        loop {
            let held_until = self.held_until;
            tokio::select! {
                changed = self.authority.changed() => {
                    self.outbox.listen(false);
                    if let Some(end) = self.look_again(changed).await {
                        return end;
                    }
                    self.outbox.listen(true);
                    continue;
                }
                bytes = payload.next(), if held_until.is_none() => match bytes {
                    Some(Ok(bytes)) => {
                        heard = Instant::now();
                        buffer.extend_from_slice(&bytes);
                    }
                    Some(Err(_)) | None => return End::Gone,
                },
                _ = pings.tick() => {
                    self.outbox.event(wire::ping());
                    continue;
                }
                // What has come already is heard first.
                () = passed(held_until) => self.held_until = None,
                () = tokio::time::sleep_until(heard + REPLY_DEADLINE) => return End::Gone,
            }
            while self.held_until.is_none() {
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
            Frame::Text(text) => {
                self.weigh();
                match serde_json::from_slice(&text) {
                    Ok(message) => {
                        // Answers wait meanwhile, and who has sent them is not slow.
                        self.outbox.listen(false);
                        self.message(message).await;
                        self.outbox.listen(true);
                    }
                    Err(error) => {
                        self.refuse(None, ErrorCode::Malformed, format!("not a message of a viewer: {error}"));
                    }
                }
            }
            Frame::Ping(payload) => self.outbox.event(wire::pong(&payload)),
            Frame::Pong(payload) => {
                if let Some(number) = wire::probed(&payload) {
                    self.outbox.answered(number);
                }
            }
            Frame::Close(_) => return Some(End::Close(1000, String::new())),
            Frame::Binary(_) | Frame::Continuation(_) => {
                self.refuse(None, ErrorCode::Malformed, "viewers send whole text messages only".into());
            }
        }
        None
    }

    /// Reads on later where too much is said, and says so now and then.
    fn weigh(&mut self) {
        let now = Instant::now();
        let Some(wait) = self.budget.take(1.0, now.into_std()) else { return };
        let over = self.state.limits.over(Limit::ViewerMessages);
        self.held_until = Some(now + wait.min(LONGEST_HOLD));
        if self.slowed.is_none_or(|at| at.elapsed() > SLOWED_EVERY) {
            self.slowed = Some(now);
            self.refuse(None, ErrorCode::RateLimited, over.to_string());
        }
    }

    /// Whether everything that was opened may still be open. A database that does not answer closes nothing.
    async fn look_again(&mut self, changed: Changed) -> Option<End> {
        for team in self.teams.keys().filter(|team| changed.concerns(**team)) {
            let still = within(LOOK_UP_DEADLINE, self.who.read(&self.state.db, *team)).await;
            if let Err(error) = still.and_then(|scope| scope.reader.check(Action::SeeLive))
                && !error.is_fault()
            {
                let reason = match error {
                    ApiError::NotFound => "you are no longer in this team".to_owned(),
                    other => other.message(),
                };
                self.outbox.message(&ViewMessage::Goodbye { reason: reason.clone(), reconnect_after_ms: None });
                return Some(End::Close(1008, reason));
            }
        }
        if changed == Changed::Anything {
            self.note_share(true).await;
        }
        None
    }

    /// Notes for the team's list of links that somebody looks, or no longer does.
    async fn note_share(&self, is_open: bool) {
        let Some(share) = self.who.share() else { return };
        let noted = within(LOOK_UP_DEADLINE, shares::note_watching(&self.state.db, share, is_open)).await;
        if let Err(error) = noted {
            tracing::debug!(%error, "a viewer of a share was not counted");
        }
    }

    async fn message(&mut self, message: ViewerMessage) {
        let asked = permissions::asked(&message);
        match message {
            ViewerMessage::Watch { team } => {
                if let Err(error) = self.watch(team, asked).await {
                    self.refuse(None, error.code(), error.message());
                }
            }
            ViewerMessage::Subscribe { team, session, max_hz, after } => {
                if let Err(error) = self.subscribe(team, session, max_hz, after, asked).await {
                    self.refuse(Some(session), error.code(), error.message());
                }
            }
            ViewerMessage::Rate { session, max_hz } => match self.subscribed.get(&session) {
                Some(team) => self.state.hub.rate(*team, session, self.id, max_hz),
                None => self.refuse(Some(session), ErrorCode::NotFound, "this session is not shown here".into()),
            },
            ViewerMessage::Unsubscribe { session } => {
                if let Some(team) = self.subscribed.remove(&session) {
                    self.state.hub.unsubscribe(team, session, self.id);
                }
            }
        }
    }

    async fn tenant(&mut self, team: TeamId, asked: Option<Action>) -> Result<Tenant, ApiError> {
        let ReadScope { tenant, reader } = within(LOOK_UP_DEADLINE, self.who.read(&self.state.db, team)).await?;
        asked.map_or(Ok(()), |action| reader.check(action))?;
        if let Entry::Vacant(entry) = self.teams.entry(team) {
            entry.insert(self.state.limits.viewer(team)?);
        }
        Ok(tenant)
    }

    /// Whether one more team or session can be followed.
    fn has_room(&self) -> Result<(), ApiError> {
        let limits = &self.state.limits;
        let is_full = self.watched.len() + self.subscribed.len() >= limits.config().viewer_subscriptions as usize;
        if is_full { Err(limits.over(Limit::ViewerSubscriptions).into()) } else { Ok(()) }
    }

    async fn watch(&mut self, team: TeamId, asked: Option<Action>) -> Result<(), ApiError> {
        if !self.watched.contains(&team) {
            self.has_room()?;
            let tenant = self.tenant(team, asked).await?;
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
        asked: Option<Action>,
    ) -> Result<(), ApiError> {
        if !self.subscribed.contains_key(&session) {
            self.has_room()?;
        }
        let tenant = self.tenant(team, asked).await?;
        if !self.is_shown(team, session).await {
            return Err(ApiError::NotFound);
        }
        let hub = &self.state.hub;
        let stored = || self.stored(tenant, session);
        let wants = Wants { viewer: self.id, outbox: &self.outbox, max_hz, after };
        if !hub.subscribe(team, session, wants, stored).await {
            return Err(ApiError::NotFound);
        }
        self.subscribed.insert(session, team);
        Ok(())
    }

    /// Whether a share link shows a session. What a shared car does may be known to another instance only.
    async fn is_shown(&self, team: TeamId, session: SessionId) -> bool {
        match self.who.share().map(|share| share.shown) {
            None | Some(Shown::Team) => true,
            Some(Shown::Session(shown)) => shown == session,
            Some(Shown::Rig(rig)) => {
                let hub = &self.state.hub;
                let drives = || hub.rig_state(team, rig).is_some_and(|rig| rig.session == Some(session));
                if !drives() {
                    hub.refresh_rigs(team).await;
                }
                drives()
            }
        }
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
