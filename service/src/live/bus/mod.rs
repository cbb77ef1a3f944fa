//! Between the instances: what is live here is published over Redis, and what viewers here look at is followed.
//!
//! Decision 7 tells the names, what is kept, and what happens on loss. In short: deltas are numbered per (instance,
//! session); who misses one reads the snapshot again and tells its viewers. Nothing here holds up live or recording: what
//! cannot be queued is dropped and counted, and the snapshot written anew.
//!
//! Invariants: a session is followed once, however many look at it, and only while its rig is not held here; the tenant in
//! a message is the one in its channel's name; every queue is bounded.
//!
//! Not here: what a delta does to a session (`session`).

mod following;
mod reader;
pub(super) mod snapshot;
mod writer;

use super::delta::Message;
use super::hub::Hub;
use super::session::LiveSession;
use super::shown::At;
use crate::figures::Figures;
use crate::traces::BatchTrace;
use following::Following;
use onelap_protocol::viewer::RigState;
use onelap_protocol::{RigId, SessionId, TeamId, TokenId};
use redis::aio::MultiplexedConnection;
use redis::{Client, Cmd, IntoConnectionInfo, ProtocolVersion, RedisError, cmd};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use uuid::Uuid;

pub(super) use snapshot::Snapshot;

/// How long Redis may take to connect or to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// Commands that may wait to be written, and their bytes, about.
const QUEUE: usize = 8192;
const QUEUE_BYTES: usize = 16 << 20;
/// Requests to subscribe that may wait.
const ASKS: usize = 4096;
/// How long the states of a team's rigs are kept, in seconds.
const RIGS_KEPT_S: i64 = 6 * 3600;
/// Channel of what concerns every instance.
const CONTROL: &str = "control";

/// What every instance has to know.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub(super) enum Control {
    /// An agent has connected: an older connection of the rig is let go.
    Connected { team: TeamId, rig: RigId, since_ms: u64 },
    /// A token was revoked.
    Cut { token: TokenId },
    /// A rig was deleted.
    Forget { team: TeamId, rig: RigId },
}

/// Something from another instance, as JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Signed<T> {
    instance: Uuid,
    /// By the sender's clock, milliseconds since the Unix epoch.
    sent_ms: u64,
    #[serde(flatten)]
    body: T,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct RigSays {
    state: RigState,
}

/// What is asked of the reader.
enum Ask {
    Subscribe(String, oneshot::Sender<()>),
    Unsubscribe(String),
}

/// Commands that belong together.
struct Write {
    commands: Vec<Cmd>,
    bytes: usize,
    /// Of a batch that is traced.
    trace: Option<BatchTrace>,
}

/// This instance's end of Redis.
pub(crate) struct Bus {
    /// Who this is among the instances.
    pub(super) instance: Uuid,
    client: Client,
    queue: mpsc::Sender<Write>,
    waiting_bytes: AtomicUsize,
    /// Something was dropped: all that is live here has to be written anew.
    is_stale: AtomicBool,
    asks: mpsc::Sender<Ask>,
    /// The reader's connection, while there is one.
    connection: watch::Receiver<Option<MultiplexedConnection>>,
    /// A lock, because viewers come and go on every thread; held for a look-up only.
    following: Mutex<HashMap<(TeamId, SessionId), Arc<Following>>>,
    figures: Figures,
}

impl std::fmt::Debug for Bus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bus").field("instance", &self.instance).finish_non_exhaustive()
    }
}

/// The tasks' ends of a bus; they run once the hub is made.
pub(crate) struct Tasks {
    queue: mpsc::Receiver<Write>,
    asks: mpsc::Receiver<Ask>,
    connection: watch::Sender<Option<MultiplexedConnection>>,
}

impl Bus {
    /// A bus to the Redis at `url`; it connects when its tasks run.
    ///
    /// # Errors
    /// Where the URL is none of a Redis.
    pub(crate) fn new(url: &str, figures: Figures) -> Result<(Self, Tasks), RedisError> {
        let info = url.into_connection_info()?;
        // Pub/sub beside commands on one connection needs RESP3.
        let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        let client = Client::open(info.set_redis_settings(settings))?;
        let (queue, queued) = mpsc::channel(QUEUE);
        let (asks, asked) = mpsc::channel(ASKS);
        let (set_connection, connection) = watch::channel(None);
        let bus = Self {
            instance: Uuid::now_v7(),
            client,
            queue,
            waiting_bytes: AtomicUsize::new(0),
            is_stale: AtomicBool::new(false),
            asks,
            connection,
            following: Mutex::default(),
            figures,
        };
        Ok((bus, Tasks { queue: queued, asks: asked, connection: set_connection }))
    }

    fn following(&self) -> MutexGuard<'_, HashMap<(TeamId, SessionId), Arc<Following>>> {
        self.following.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Publishes a change of a session that is live here; `at` is up to where it is shown. `keep` writes it into the
    /// snapshot too.
    pub(super) fn publish(&self, message: &Message, at: At, keep: bool, about_us: bool, trace: Option<BatchTrace>) {
        let Message { team, session, delta, .. } = message;
        let mut commands = if keep { snapshot::update(*team, *session, delta, at, about_us) } else { Vec::new() };
        commands.push(publish(&live_channel(*team, *session), &message.encode()));
        self.write_traced(commands, trace);
    }

    /// Publishes that the whole was written anew, after writing it.
    pub(super) fn renew(&self, message: &Message, whole: &Snapshot) {
        let mut commands = snapshot::write(message.team, message.session, whole);
        commands.push(publish(&live_channel(message.team, message.session), &message.encode()));
        self.write(commands);
    }

    /// Publishes what a rig that is or was held here does.
    pub(super) fn rig(&self, team: TeamId, state: &RigState) {
        let key = rigs_name(team);
        let json = self.say(&RigSays { state: state.clone() });
        let keep = cmd("HSET").arg(&key).arg(state.rig.to_string()).arg(&json).take();
        let expire = cmd("EXPIRE").arg(&key).arg(RIGS_KEPT_S).take();
        self.write(vec![keep, expire, publish(&key, &json)]);
    }

    /// Forgets what a rig did.
    pub(super) fn forget_rig(&self, team: TeamId, rig: RigId) {
        self.write(vec![cmd("HDEL").arg(rigs_name(team)).arg(rig.to_string()).take()]);
    }

    /// Tells every instance.
    pub(super) fn control(&self, control: &Control) {
        self.write(vec![publish(CONTROL, &self.say(control))]);
    }

    fn say<T: Serialize>(&self, body: &T) -> Vec<u8> {
        let from = Signed { instance: self.instance, sent_ms: super::now_ms(), body };
        serde_json::to_vec(&from).unwrap_or_default()
    }

    fn write(&self, commands: Vec<Cmd>) {
        self.write_traced(commands, None);
    }

    fn write_traced(&self, commands: Vec<Cmd>, trace: Option<BatchTrace>) {
        let bytes = commands
            .iter()
            .flat_map(Cmd::args_iter)
            .map(|arg| if let redis::Arg::Simple(bytes) = arg { bytes.len() } else { 0 })
            .sum::<usize>();
        let is_full = self.waiting_bytes.load(Relaxed) + bytes > QUEUE_BYTES;
        self.waiting_bytes.fetch_add(bytes, Relaxed);
        if is_full || self.queue.try_send(Write { commands, bytes, trace }).is_err() {
            self.waiting_bytes.fetch_sub(bytes, Relaxed);
            self.dropped(1);
        }
    }

    fn dropped(&self, writes: u64) {
        self.figures.bus_dropped.inc_by(writes);
        self.is_stale.store(true, Relaxed);
    }

    /// Follows a session: from now on what is published of it is applied here. `None` where nobody knows it.
    pub(super) async fn follow(
        self: &Arc<Self>,
        hub: &Arc<Hub>,
        team: TeamId,
        session: SessionId,
    ) -> Option<Arc<LiveSession>> {
        let following = {
            let mut all = self.following();
            let entry = all.entry((team, session)).or_default().clone();
            self.figures.bus_subscriptions.set(all.len() as i64);
            entry
        };
        let live = following.join(self, hub, team, session).await;
        match live {
            None => self.unfollow(team, session),
            // The rig may have come while it was asked for.
            Some(_) => hub.unfollow_if_held(team, session),
        }
        live
    }

    /// Follows a session no more.
    pub(super) fn unfollow(&self, team: TeamId, session: SessionId) {
        let mut all = self.following();
        if all.remove(&(team, session)).is_some() {
            self.figures.bus_subscriptions.set(all.len() as i64);
        }
        // Who was about to follow it may have asked to subscribe since it was let go of.
        self.ask_to_unsubscribe(live_channel(team, session));
    }

    /// Follows what a team's rigs do, and tells what they did last, as far as Redis knows.
    pub(super) async fn watch_rigs(&self, team: TeamId) -> Vec<(RigState, bool)> {
        self.subscribe(rigs_name(team)).await;
        self.rigs(team).await
    }

    /// Follows a team's rigs no more.
    pub(super) fn unwatch_rigs(&self, team: TeamId) {
        self.ask_to_unsubscribe(rigs_name(team));
    }

    /// What the rigs of a team that are held elsewhere did last, and whether there was a sign of life of late.
    pub(super) async fn rigs(&self, team: TeamId) -> Vec<(RigState, bool)> {
        let Some(mut redis) = self.connection.borrow().clone() else { return Vec::new() };
        let read: Result<HashMap<String, Vec<u8>>, _> =
            cmd("HGETALL").arg(rigs_name(team)).query_async(&mut redis).await;
        let now = super::now_ms();
        let said = read.unwrap_or_default().into_values();
        let said = said.filter_map(|json| serde_json::from_slice::<Signed<RigSays>>(&json).ok());
        let others = said.filter(|from| from.instance != self.instance);
        others
            .map(|from| {
                (from.body.state, u128::from(now.abs_diff(from.sent_ms)) < super::copies::SIGN_OF_LIFE.as_millis())
            })
            .collect()
    }

    /// Subscribes and waits for Redis to confirm, as long as that may take.
    async fn subscribe(&self, channel: String) -> bool {
        let (done, confirmed) = oneshot::channel();
        if self.asks.try_send(Ask::Subscribe(channel, done)).is_err() {
            return false;
        }
        matches!(tokio::time::timeout(PATIENCE, confirmed).await, Ok(Ok(())))
    }

    fn ask_to_unsubscribe(&self, channel: String) {
        if self.asks.try_send(Ask::Unsubscribe(channel)).is_err() {
            // What comes for a channel that nobody wants is passed over; the next connection does not ask for it.
            tracing::warn!("too many requests wait for the bus");
        }
    }

    /// Reads a session's snapshot.
    async fn read(&self, team: TeamId, session: SessionId) -> Result<Option<Snapshot>, RedisError> {
        let connection = self.connection.borrow().clone();
        let Some(mut redis) = connection else {
            return Err(RedisError::from(std::io::Error::from(std::io::ErrorKind::NotConnected)));
        };
        snapshot::read(&mut redis, team, session).await
    }
}

fn publish(channel: &str, message: &[u8]) -> Cmd {
    cmd("PUBLISH").arg(channel).arg(message).take()
}

fn live_channel(team: TeamId, session: SessionId) -> String {
    format!("live:{team}:{session}")
}

/// Name of the channel and of the hash.
fn rigs_name(team: TeamId) -> String {
    format!("rigs:{team}")
}

impl Tasks {
    /// Starts the tasks; they end with [`Hub::ended`].
    pub(super) fn run(self, bus: &Arc<Bus>, hub: &Arc<Hub>) {
        tokio::spawn(writer::run(bus.clone(), hub.clone(), self.queue));
        tokio::spawn(reader::run(bus.clone(), hub.clone(), self.asks, self.connection));
    }
}
