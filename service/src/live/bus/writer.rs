//! The task that writes to Redis: what waits goes out as one pipeline; what cannot go out is dropped and counted.

use super::{Bus, PATIENCE, Write};
use crate::live::hub::Hub;
use crate::traces::Step;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, RedisError, pipe};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, SystemTime};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

/// Most writes in one pipeline.
const AT_ONCE: usize = 256;
/// Between two echoes, and two looks whether all has to be written anew.
const TICK: Duration = Duration::from_secs(1);
/// Between two attempts to connect.
const RETRY: Duration = Duration::from_millis(500);

/// Runs until the hub is gone or its end is called.
pub(super) async fn run(bus: Arc<Bus>, hub: Arc<Hub>, mut queue: mpsc::Receiver<Write>) {
    let end = hub.ended.clone();
    let work = async {
        let mut first = true;
        loop {
            match connect(&bus).await {
                Ok(redis) => {
                    bus.figures.bus_connected.set(1);
                    if !std::mem::replace(&mut first, false) {
                        bus.figures.bus_reconnects.inc();
                        bus.is_stale.store(true, Relaxed);
                    }
                    let error = pump(&bus, &hub, redis, &mut queue).await;
                    bus.figures.bus_connected.set(0);
                    tracing::warn!(%error, "Redis is gone: viewers on other instances see a gap");
                }
                Err(error) => tracing::debug!(%error, "Redis is not reached"),
            }
            drop_waiting(&bus, &mut queue);
            // Without Redis no sign can come.
            hub.look_for_signs();
            sleep(RETRY).await;
        }
    };
    tokio::select! {
        () = work => {}
        () = end.cancelled() => {}
    }
}

async fn connect(bus: &Bus) -> Result<MultiplexedConnection, RedisError> {
    let config =
        AsyncConnectionConfig::new().set_connection_timeout(Some(PATIENCE)).set_response_timeout(Some(PATIENCE));
    bus.client.get_multiplexed_async_connection_with_config(&config).await
}

async fn pump(
    bus: &Arc<Bus>,
    hub: &Arc<Hub>,
    mut redis: MultiplexedConnection,
    queue: &mut mpsc::Receiver<Write>,
) -> RedisError {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut writes = Vec::with_capacity(AT_ONCE);
    let mut beat = Instant::now();
    loop {
        let mut pipeline = pipe();
        tokio::select! {
            got = queue.recv_many(&mut writes, AT_ONCE) => {
                if got == 0 {
                    return RedisError::from(std::io::Error::other("the bus has ended"));
                }
            }
            _ = ticks.tick() => {
                pipeline.cmd("PUBLISH").arg(super::reader::echo_channel(bus)).arg("echo").ignore();
                if bus.is_stale.swap(false, Relaxed) {
                    hub.renew();
                }
                if beat.elapsed() >= 2 * TICK {
                    beat = Instant::now();
                    hub.sign_rigs();
                }
                hub.look_for_signs();
            }
        }
        let (mut bytes, mut traces) = (0, Vec::new());
        for write in writes.drain(..) {
            bytes += write.bytes;
            traces.extend(write.trace);
            write.commands.into_iter().for_each(|command| _ = pipeline.add_command(command).ignore());
        }
        bus.waiting_bytes.fetch_sub(bytes, Relaxed);
        if let Err(error) = pipeline.exec_async(&mut redis).await {
            bus.dropped(1);
            if !error.is_io_error() && !error.is_timeout() && !error.is_connection_dropped() {
                // Redis is there and refuses, for example because its memory is full; live goes on without it.
                tracing::warn!(%error, "Redis refuses a write");
                continue;
            }
            return error;
        }
        traces.iter().for_each(|trace| trace.step(Step::Publish, trace.since, SystemTime::now()));
    }
}

fn drop_waiting(bus: &Bus, queue: &mut mpsc::Receiver<Write>) {
    let mut dropped = 0;
    while let Ok(write) = queue.try_recv() {
        bus.waiting_bytes.fetch_sub(write.bytes, Relaxed);
        dropped += 1;
    }
    if dropped > 0 {
        bus.dropped(dropped);
    }
}
