//! Somebody who looks at the rig: waits until it drives, subscribes, and notes when what is shown was read.

use e2e::{Came, RawViewer};
use onelap_protocol::viewer::{ViewMessage, ViewerMessage};
use onelap_protocol::{Batch, TeamId};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio_util::sync::CancellationToken;

/// After this the session is asked for again, where it was refused because it was not there yet.
const AGAIN: Duration = Duration::from_millis(20);

/// A batch, shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shown {
    pub(crate) at: Instant,
    /// Since its last sample was read.
    pub(crate) age: Duration,
    /// When that was.
    pub(crate) read_ms: u64,
    pub(crate) samples: usize,
}

/// What came.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) shown: Vec<Shown>,
    /// Sequences that are said not to come.
    pub(crate) skipped: u64,
    /// Events that are told late, and stretches that are there now.
    pub(crate) late: u64,
    pub(crate) stretches: u64,
    /// How often the session was not there yet.
    pub(crate) refused: u64,
}

/// Looks on until it is told to stop. The last sequence that was shown stands in `last` all the time.
pub(crate) async fn look_on(
    mut viewer: RawViewer,
    team: TeamId,
    last: Arc<AtomicU64>,
    stop: CancellationToken,
) -> Seen {
    let mut seen = Seen::default();
    let mut wanted = None;
    viewer.say(&ViewerMessage::Watch { team }).await;
    loop {
        let came = tokio::select! {
            () = stop.cancelled() => return seen,
            came = viewer.heard() => came,
        };
        match came {
            Came::Binary(bytes) => {
                let at = Instant::now();
                let (header, batch) = Batch::decode(&bytes).expect("a batch");
                let read_ms = batch.times_ms().last().copied().unwrap_or_default();
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                let age = now.saturating_sub(Duration::from_millis(read_ms));
                seen.shown.push(Shown { at, age, read_ms, samples: batch.len() });
                last.store(header.sequence, Ordering::Release);
            }
            Came::Message(ViewMessage::Rigs { rigs, .. }) => {
                let session = rigs.iter().find_map(|rig| rig.session);
                if let Some(session) = session.filter(|session| wanted != Some(*session)) {
                    wanted = Some(session);
                    viewer.subscribe(team, session).await;
                }
            }
            Came::Message(ViewMessage::Refused { session: Some(session), .. }) => {
                seen.refused += 1;
                tokio::time::sleep(AGAIN).await;
                viewer.subscribe(team, session).await;
            }
            Came::Message(ViewMessage::Gap { from, to, .. }) => seen.skipped += to + 1 - from,
            Came::Message(ViewMessage::Event { late: true, .. }) => seen.late += 1,
            Came::Message(ViewMessage::Backfilled { .. }) => seen.stretches += 1,
            Came::Message(_) => {}
            Came::Closed(code) => panic!("the viewer was closed with {code:?}"),
        }
    }
}
