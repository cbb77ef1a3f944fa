//! A rig that drives on whatever happens: a batch at every tick, a lap now and then, on the lanes that the contract says,
//! and nothing forgotten before it is acknowledged. What stands at a sequence follows from the sequence.

use crate::sockets::{BEGAN_MS, some_batch_for, some_lap, some_session};
use crate::{Came, RawAgent};
use onelap_protocol::SessionId;
use onelap_protocol::agent::{AgentMessage, Lane, Place, Record, ServiceMessage};
use onelap_protocol::race::RaceEvent;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Items from one lap to the next.
pub const LAP_ITEMS: u64 = 25;
/// Backfilled items at a tick of the backfill, which is twenty times a second.
const BACKFILL: usize = 10;

/// What a rig has done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fed {
    /// The last sequence that it has read.
    pub sent: u64,
    /// The last that was acknowledged to it.
    pub acked: u64,
    /// How often it was asked to send again.
    pub resends: u32,
    /// The service has said goodbye.
    pub goodbye: bool,
}

impl Fed {
    /// Laps among what was read.
    #[must_use]
    pub fn laps(&self) -> u64 {
        self.sent / LAP_ITEMS
    }

    /// Samples among what was read: two a batch.
    #[must_use]
    pub fn samples(&self) -> u64 {
        (self.sent - 1 - self.laps()) * 2
    }
}

/// A rig that drives.
#[derive(Debug)]
pub struct Feeder {
    /// Its session.
    pub session: SessionId,
    fed: watch::Receiver<Fed>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Feeder {
    /// Begins its session, with an item at every tick from now on.
    #[must_use]
    pub fn start(agent: RawAgent, tick: Duration) -> Self {
        let (session, stop) = (agent.session, CancellationToken::new());
        let (told, fed) = watch::channel(Fed::default());
        let task = tokio::spawn(drive(agent, tick, told, stop.clone()));
        Self { session, fed, stop, task }
    }

    /// What it has done so far.
    #[must_use]
    pub fn fed(&self) -> Fed {
        *self.fed.borrow()
    }

    /// Reads nothing new from now on.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Stops driving and waits until everything is acknowledged or the connection has ended.
    pub async fn finish(self) -> Fed {
        self.stop.cancel();
        self.task.await.expect("the rig did not fail");
        *self.fed.borrow()
    }

    /// Waits until the connection has ended.
    pub async fn cut_off(self) -> Fed {
        self.task.await.expect("the rig did not fail");
        *self.fed.borrow()
    }
}

async fn drive(mut agent: RawAgent, tick: Duration, told: watch::Sender<Fed>, stop: CancellationToken) {
    let mut fed = Fed::default();
    // The last that was sent to be recorded.
    let mut recorded = 0;
    let mut ticks = tokio::time::interval(tick);
    let mut backfills = tokio::time::interval(Duration::from_millis(50));
    while !(stop.is_cancelled() && fed.acked == fed.sent && fed.sent > 0) {
        tokio::select! {
            _ = ticks.tick(), if !stop.is_cancelled() => {
                fed.sent += 1;
                let is_whole = recorded + 1 == fed.sent;
                send(&mut agent, if is_whole { Lane::Live } else { Lane::Preview }, fed.sent).await;
                if is_whole {
                    recorded = fed.sent;
                }
            }
            _ = backfills.tick(), if recorded < fed.sent => {
                for sequence in (recorded + 1..=fed.sent).take(BACKFILL) {
                    send(&mut agent, Lane::Backfill, sequence).await;
                    recorded = sequence;
                }
            }
            came = agent.heard() => match came {
                Came::Message(ServiceMessage::Ack { place }) => fed.acked = fed.acked.max(place.sequence),
                Came::Message(ServiceMessage::Resend { place }) => {
                    recorded = place.sequence;
                    fed.resends += 1;
                }
                Came::Message(ServiceMessage::Goodbye { .. }) => fed.goodbye = true,
                Came::Closed(_) => break,
                other => panic!("{other:?}"),
            },
            () = stop.cancelled(), if !stop.is_cancelled() => {}
        }
        told.send_replace(fed);
    }
    told.send_replace(fed);
}

async fn send(agent: &mut RawAgent, lane: Lane, sequence: u64) {
    let place = Place { session: agent.session, epoch: agent.epoch, sequence };
    let lap = u16::try_from(sequence / LAP_ITEMS).expect("fewer laps");
    let record = match sequence {
        1 => Record::Session { info: some_session() },
        _ if sequence.is_multiple_of(LAP_ITEMS) => Record::Event { event: RaceEvent::Lap(some_lap(lap)) },
        _ => {
            let frame = some_batch_for(lane, place, BEGAN_MS + sequence * 100, lap + 1, 200.0);
            return agent.try_binary(frame).await;
        }
    };
    let message = AgentMessage::Record { lane, place, record };
    agent.try_text(&serde_json::to_string(&message).expect("serialises")).await;
}
