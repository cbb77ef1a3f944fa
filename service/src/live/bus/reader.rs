//! The task that subscribes: one connection, proven alive by an echo of our own.

use super::snapshot::bytes;
use super::{Ask, Bus, CONTROL, Control, PATIENCE, RigSays, Signed, live_channel};
use crate::live::delta::Message;
use crate::live::hub::Hub;
use onelap_protocol::TeamId;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, PushInfo, PushKind, RedisError};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

/// Messages that may wait to be applied; with more, snapshots are read again.
const SINK: usize = 8192;
/// How long the echo may stay away.
const ECHO_DEADLINE: Duration = Duration::from_secs(3);
/// Between two looks for holes.
const TICK: Duration = Duration::from_millis(250);
/// Between two attempts to connect.
const RETRY: Duration = Duration::from_millis(500);

/// Channel of this instance's echo.
pub(super) fn echo_channel(bus: &Bus) -> String {
    format!("echo:{}", bus.instance)
}

/// Runs until the hub's end is called.
pub(super) async fn run(
    bus: Arc<Bus>,
    hub: Arc<Hub>,
    mut asks: mpsc::Receiver<Ask>,
    connection: watch::Sender<Option<MultiplexedConnection>>,
) {
    let end = hub.ended.clone();
    let mut wanted = HashSet::from([CONTROL.to_owned(), echo_channel(&bus)]);
    let work = async {
        loop {
            let error = match Reading::begin(&bus, &hub, &wanted).await {
                Ok(mut reading) => {
                    connection.send_replace(Some(reading.redis.clone()));
                    let error = reading.go_on(&mut asks, &mut wanted).await;
                    connection.send_replace(None);
                    error
                }
                Err(error) => error,
            };
            tracing::warn!(%error, "not subscribed at Redis: sessions of other instances stand still");
            // Who asks meanwhile is not kept waiting; it is subscribed with the next connection.
            while let Ok(ask) = asks.try_recv() {
                remember(&mut wanted, ask);
            }
            sleep(RETRY).await;
        }
    };
    tokio::select! {
        () = work => {}
        () = end.cancelled() => {}
    }
}

fn remember(wanted: &mut HashSet<String>, ask: Ask) {
    match ask {
        Ask::Subscribe(channel, _) => _ = wanted.insert(channel),
        Ask::Unsubscribe(channel) => _ = wanted.remove(&channel),
    }
}

struct Reading<'a> {
    bus: &'a Arc<Bus>,
    hub: &'a Arc<Hub>,
    redis: MultiplexedConnection,
    pushes: mpsc::Receiver<PushInfo>,
    /// The sink was full.
    has_missed: Arc<AtomicBool>,
    heard: Instant,
}

impl<'a> Reading<'a> {
    async fn begin(bus: &'a Arc<Bus>, hub: &'a Arc<Hub>, wanted: &HashSet<String>) -> Result<Self, RedisError> {
        let (sink, pushes) = mpsc::channel(SINK);
        let has_missed = Arc::new(AtomicBool::new(false));
        let (missed, figures) = (has_missed.clone(), bus.figures.clone());
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE))
            .set_push_sender(move |push| match sink.try_send(push) {
                Ok(()) => Ok(()),
                Err(mpsc::error::TrySendError::Full(_)) => {
                    figures.bus_dropped.inc();
                    missed.store(true, Relaxed);
                    Ok(())
                }
                Err(mpsc::error::TrySendError::Closed(_)) => Err(()),
            });
        let mut redis = bus.client.get_multiplexed_async_connection_with_config(&config).await?;
        redis.subscribe(wanted.iter().map(String::as_str).collect::<Vec<_>>()).await?;
        // Whatever was published before this moment was missed.
        has_missed.store(true, Relaxed);
        Ok(Self { bus, hub, redis, pushes, has_missed, heard: Instant::now() })
    }

    async fn go_on(&mut self, asks: &mut mpsc::Receiver<Ask>, wanted: &mut HashSet<String>) -> RedisError {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                push = self.pushes.recv() => match push {
                    Some(PushInfo { kind: PushKind::Message, data }) => self.message(&data),
                    Some(PushInfo { kind: PushKind::Disconnection, .. }) | None => return broken("the connection broke"),
                    Some(_) => {}
                },
                Some(ask) = asks.recv() => {
                    if let Err(error) = self.ask(ask, wanted).await {
                        return error;
                    }
                }
                _ = ticks.tick() => {
                    if self.heard.elapsed() > ECHO_DEADLINE {
                        return broken("no echo comes back");
                    }
                    self.look_for_holes();
                }
            }
        }
    }

    async fn ask(&mut self, ask: Ask, wanted: &mut HashSet<String>) -> Result<(), RedisError> {
        match ask {
            Ask::Subscribe(channel, done) => {
                if wanted.insert(channel.clone()) {
                    self.redis.subscribe(channel).await?;
                }
                // Who asked may have given up.
                let _ = done.send(());
            }
            Ask::Unsubscribe(channel) => {
                if wanted.remove(&channel) {
                    self.redis.unsubscribe(channel).await?;
                }
            }
        }
        Ok(())
    }

    fn message(&mut self, data: &[redis::Value]) {
        let [channel, message] = data else { return };
        let (Some(channel), Some(message)) = (bytes(channel), bytes(message)) else { return };
        let Ok(channel) = std::str::from_utf8(channel) else { return };
        if channel.starts_with("live:") {
            self.live(channel, message);
        } else if let Some(team) = channel.strip_prefix("rigs:") {
            self.rig(team, message);
        } else if channel == CONTROL {
            self.control(message);
        } else if channel == echo_channel(self.bus) {
            self.heard = Instant::now();
        }
    }

    fn live(&self, channel: &str, message: &[u8]) {
        let Some(message) = Message::decode(message) else { return };
        let (team, session) = (message.team, message.session);
        // The tenant in the message must be the one that was subscribed to.
        if message.instance == self.bus.instance || live_channel(team, session) != channel {
            return;
        }
        let following = self.bus.following().get(&(team, session)).cloned();
        if let Some(following) = following {
            following.receive(message);
        }
    }

    fn rig(&self, team: &str, message: &[u8]) {
        let (Ok(team), Ok(from)) = (team.parse::<TeamId>(), serde_json::from_slice::<Signed<RigSays>>(message)) else {
            return;
        };
        if from.instance != self.bus.instance {
            self.hub.remote_rig(team, from.body.state, true);
        }
    }

    fn control(&self, message: &[u8]) {
        let Ok(from) = serde_json::from_slice::<Signed<Control>>(message) else { return };
        if from.instance != self.bus.instance {
            self.hub.control(from.body);
        }
    }

    fn look_for_holes(&self) {
        let all: Vec<_> = self.bus.following().iter().map(|(key, following)| (*key, following.clone())).collect();
        let missed = self.has_missed.swap(false, Relaxed);
        for ((team, session), following) in all {
            if missed {
                following.missed();
            }
            if following.has_hole() {
                let bus = self.bus.clone();
                tokio::spawn(async move { following.reload(&bus, team, session).await });
            }
        }
    }
}

fn broken(why: &'static str) -> RedisError {
    RedisError::from(std::io::Error::new(std::io::ErrorKind::ConnectionReset, why))
}
