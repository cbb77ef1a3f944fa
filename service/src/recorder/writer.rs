//! The task that writes one session for one connection.

use super::store::{self, Commit, CommitError, Head};
use super::{Content, Item, Progress, Queue, Stored};
use crate::db::{Db, Tenant};
use crate::figures::Figures;
use crate::race::{Fact, Fold};
use onelap_protocol::agent::Place;
use onelap_protocol::race::{RaceEvent, SessionInfo};
use onelap_protocol::{RigId, SessionId};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// Span of a chunk.
const CHUNK_MS: u64 = 10_000;
/// Longest that anything waits for its commit while Postgres answers.
const MAX_WAIT: Duration = Duration::from_secs(10);
/// Pauses between attempts while Postgres does not.
const RETRY: [Duration; 5] = [
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
];

/// A writer before it runs.
#[derive(Debug)]
pub(super) struct Job {
    db: Db,
    figures: Figures,
    tenant: Tenant,
    /// What every commit needs to know of the session.
    head: Head,
    /// The last committed place, as the database must still have it at the next commit.
    before: Option<Place>,
    fold: Fold,
    info: Option<SessionInfo>,
    pending: Commit,
    pending_since: Option<Instant>,
}

impl Job {
    pub(super) fn new(
        db: Db,
        figures: Figures,
        tenant: Tenant,
        rig: RigId,
        session: SessionId,
        epoch: u64,
        stored: Option<&Stored>,
    ) -> Self {
        Self {
            db,
            figures,
            tenant,
            head: Head { rig, session, epoch },
            before: stored.map(|s| s.place),
            fold: stored.map(|s| s.fold.clone()).unwrap_or_default(),
            info: stored.map(|s| s.info.clone()),
            pending: Commit::default(),
            pending_since: None,
        }
    }

    /// Takes items until the sender is gone, then writes what is left.
    pub(super) async fn run(mut self, mut items: Queue, progress: &watch::Sender<Progress>) {
        loop {
            let deadline = self.pending_since.map(|since| since + MAX_WAIT);
            let item = tokio::select! {
                item = items.next() => item,
                () = sleep_until(deadline) => {
                    if !self.write(&items, progress).await { return }
                    continue;
                }
            };
            let Some(item) = item else { break };
            if self.take(item) && !self.write(&items, progress).await {
                return;
            }
        }
        self.write(&items, progress).await;
    }

    /// Adds an item to what is pending; says whether it is time to write.
    fn take(&mut self, item: Item) -> bool {
        self.pending_since.get_or_insert_with(Instant::now);
        self.pending.sequence = item.sequence;
        match item.content {
            Content::Batch(batch) => {
                if self.pending.chunk.is_empty() {
                    self.pending.chunk_first = item.sequence;
                }
                self.pending.chunk.extend_where(&batch, |_| true);
                self.pending.chunk_last = item.sequence;
                let times = self.pending.chunk.times_ms();
                let span = times.last().zip(times.first()).map_or(0, |(last, first)| last.saturating_sub(*first));
                span >= CHUNK_MS || times.len() >= super::chunk::MAX_CHUNK_SAMPLES / 2
            }
            Content::Info(info) => {
                self.info = Some(*info);
                self.pending.info_changed = true;
                self.before.is_none()
            }
            Content::Event(event) => self.take_event(item.sequence, *event),
            Content::Setup { at_s, setup } => {
                self.pending.setups.push((item.sequence, at_s, *setup));
                true
            }
            Content::End(reason) => {
                self.pending.end = Some(reason);
                true
            }
            Content::Nothing => false,
        }
    }

    fn take_event(&mut self, sequence: u64, event: RaceEvent) -> bool {
        // Nothing comes before the facts of the session, which name our car.
        let Some(info) = &self.info else { return false };
        let facts = self.fold.apply(&event, &info.car);
        let own_lap = facts.iter().any(|f| matches!(f, Fact::Lap(lap) if lap.own));
        self.pending.facts.extend(facts);
        if matches!(event, RaceEvent::Note { .. } | RaceEvent::Phase { .. }) {
            self.pending.notes.push((sequence, event));
        }
        own_lap
    }

    /// Writes what is pending, again and again until it is committed. `false` where this writer has to stop: it was
    /// fenced off, the session cannot be stored at all, or nobody waits any more and Postgres still does not answer.
    async fn write(&mut self, items: &Queue, progress: &watch::Sender<Progress>) -> bool {
        if self.pending_since.take().is_none() {
            return true;
        }
        // A session begins with its facts; what comes without them belongs to nothing and ingest does not let it through.
        let Some(info) = &self.info else { return true };
        let started = Instant::now();
        for attempt in 0.. {
            let result =
                store::commit(&self.db, self.tenant, self.head, self.before, info, &self.fold, &self.pending).await;
            match result {
                Ok(()) => break,
                Err(CommitError::Fenced) => {
                    tracing::warn!(session = %self.head.session, "session was written by somebody else; stopping");
                    progress.send_replace(Progress::Stopped);
                    return false;
                }
                // What passed the checks of ingest and is refused here would be refused for ever, and hold up all that
                // follows.
                Err(error) if error.is_about_data() => {
                    let Some(lost) = self.pending.give_up() else {
                        tracing::error!(session = %self.head.session, %error, "session is refused by Postgres; stopping");
                        progress.send_replace(Progress::Stopped);
                        return false;
                    };
                    tracing::error!(session = %self.head.session, %error, lost, "refused by Postgres and given up");
                    continue;
                }
                Err(CommitError::Sql(error)) => {
                    tracing::error!(session = %self.head.session, attempt, %error, "commit failed; trying again");
                    if items.is_closed() && attempt >= RETRY.len() {
                        return false;
                    }
                }
            }
            tokio::time::sleep(RETRY[attempt.min(RETRY.len() - 1)]).await;
        }
        self.figures.commit_seconds.observe(started.elapsed().as_secs_f64());
        self.figures.samples_committed.inc_by(self.pending.chunk.len() as u64);
        let sequence = self.pending.sequence;
        self.before = Some(Place { session: self.head.session, epoch: self.head.epoch, sequence });
        self.pending.clear();
        progress.send_replace(Progress::Committed(sequence));
        true
    }
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
