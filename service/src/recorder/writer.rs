//! The task that writes one session for one connection.

use super::store::{self, Commit, CommitError, Head};
use super::{
    Content, Item, MOST_TRACED, Opened, Progress, Queue, Stored, Stretch, TracedCommits, resume_store, stretch_of,
};
use crate::db::{Db, Tenant, within};
use crate::figures::Figures;
use crate::race::{Fact, Fold};
use crate::traces::{BatchTrace, Step};
use onelap_protocol::agent::Place;
use onelap_protocol::race::{RaceEvent, SessionInfo};
use std::time::{Duration, SystemTime};
use tokio::sync::{oneshot, watch};
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

/// Of attempts that fail one after the other, the first of so many is in the log: once a minute, about.
const LOG_EVERY: usize = 10;
/// How long Postgres may take to look a session up, and to take a commit, connection and all; then it counts as gone.
const LOOK_UP_DEADLINE: Duration = Duration::from_secs(5);
const COMMIT_DEADLINE: Duration = Duration::from_secs(15);

/// Where a writer says how far it is.
#[derive(Debug)]
pub(super) struct Told {
    pub progress: watch::Sender<Progress>,
    pub backfilled: watch::Sender<Option<Stretch>>,
    pub traced: TracedCommits,
}

/// A writer.
#[derive(Debug)]
pub(super) struct Job {
    db: Db,
    figures: Figures,
    tenant: Tenant,
    /// What every commit needs to know of the session.
    head: Head,
    /// Epoch and last sequence of the run before on the same connection.
    follows: Option<(u64, u64)>,
    /// The last committed place, as the database must still have it at the next commit.
    before: Option<Place>,
    fold: Fold,
    info: Option<SessionInfo>,
    /// The last sequence that was taken.
    taken: u64,
    pending: Commit,
    pending_since: Option<Instant>,
    /// Of what is pending, the batches that are traced.
    traced: Vec<(u64, BatchTrace)>,
}

impl Job {
    pub(super) fn new(db: Db, figures: Figures, tenant: Tenant, head: Head, follows: Option<(u64, u64)>) -> Self {
        Self {
            db,
            figures,
            tenant,
            head,
            follows,
            before: None,
            fold: Fold::default(),
            info: None,
            taken: 0,
            pending: Commit::default(),
            pending_since: None,
            traced: Vec::new(),
        }
    }

    /// Looks the session up, then takes items until the sender is gone, then writes what is left.
    pub(super) async fn run(mut self, mut items: Queue, opened: oneshot::Sender<Opened>, told: &Told) {
        let Some(stored) = self.look_up(&items).await else { return };
        let later = stored.as_ref().filter(|stored| stored.place.epoch > self.head.epoch);
        if let Some(committed) = later.map(|stored| stored.committed_of(self.head.epoch)) {
            told.progress.send_replace(Progress::Committed(committed));
            let _ = opened.send(Opened::LaterRun { committed });
            return;
        }
        if let Some((epoch, last)) = self.follows
            && stored.as_ref().is_none_or(|stored| stored.committed_of(epoch) < last)
        {
            tracing::warn!(session = %self.head.session, epoch, last, "the run before is not committed; stopping");
            told.progress.send_replace(Progress::Stopped);
            return;
        }
        if let Some(stored) = &stored {
            self.go_on_after(stored);
            told.progress.send_replace(Progress::Committed(self.taken));
        }
        // Nobody may listen any more; what is in the queue is written all the same.
        let _ = opened.send(stored.map_or(Opened::New, |stored| Opened::After(Box::new(stored))));
        loop {
            let deadline = self.pending_since.map(|since| since + MAX_WAIT);
            let item = tokio::select! {
                item = items.next() => item,
                () = sleep_until(deadline) => {
                    if !self.write(&items, told).await { return }
                    continue;
                }
            };
            let Some(item) = item else { break };
            // Wrong on purpose, in a build of `make chaos-proof` alone.
            #[cfg(onelap_chaos_ack_before_commit)]
            told.progress.send_replace(Progress::Committed(item.sequence));
            if self.take(item) && !self.write(&items, told).await {
                return;
            }
        }
        self.write(&items, told).await;
    }

    /// What Postgres knows of the session; `None` where nobody waits any more and it does not answer.
    async fn look_up(&self, items: &Queue) -> Option<Option<Stored>> {
        for attempt in 0.. {
            let load = async {
                let mut tx = self.db.tenant_ingest(self.tenant).await?;
                resume_store::load(&mut tx, self.head.session).await
            };
            match within(LOOK_UP_DEADLINE, load).await {
                Ok(stored) => return Some(stored),
                Err(error) => {
                    if attempt % LOG_EVERY == 0 {
                        tracing::error!(session = %self.head.session, attempt, %error, "look-up failed; trying again");
                    }
                }
            }
            if items.is_closed() {
                return None;
            }
            pause(attempt).await;
        }
        None
    }

    /// Carries on where the session is committed.
    fn go_on_after(&mut self, stored: &Stored) {
        self.before = Some(stored.place);
        self.fold = stored.fold.clone();
        self.info = Some(stored.info.clone());
        self.taken = if stored.place.epoch == self.head.epoch { stored.place.sequence } else { 0 };
    }

    /// Adds an item to what is pending; says whether it is time to write. One that is recorded already changes nothing,
    /// and one that does not follow has to come again.
    fn take(&mut self, item: Item) -> bool {
        if item.sequence <= self.taken || item.after > self.taken {
            return false;
        }
        // A session begins with its facts; what comes without them belongs to nothing.
        if self.info.is_none() && !matches!(item.content, Content::Info(_)) {
            return false;
        }
        self.taken = item.sequence;
        self.pending_since.get_or_insert_with(Instant::now);
        self.pending.sequence = item.sequence;
        if let Some(trace) = item.trace.filter(|_| self.traced.len() < MOST_TRACED) {
            trace.step(Step::Queue, trace.since, SystemTime::now());
            self.traced.push((item.sequence, trace));
        }
        match item.content {
            Content::Batch(batch) => {
                if self.pending.chunk.is_empty() {
                    self.pending.chunk_first = item.sequence;
                }
                self.pending.chunk.extend_where(&batch, |_| true);
                if item.is_backfill {
                    self.pending.backfilled = union(self.pending.backfilled, stretch_of(&batch));
                }
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
    async fn write(&mut self, items: &Queue, told: &Told) -> bool {
        let Some(since) = self.pending_since.take() else { return true };
        let Some(info) = &self.info else { return true };
        let (started, began) = (Instant::now(), SystemTime::now());
        for attempt in 0.. {
            let commit = store::commit(&self.db, self.tenant, self.head, self.before, info, &self.fold, &self.pending);
            match within(COMMIT_DEADLINE, commit).await {
                Ok(()) => break,
                Err(CommitError::Fenced) if attempt > 0 && self.is_committed().await => break,
                Err(CommitError::Fenced) => {
                    tracing::warn!(session = %self.head.session, "session was written by somebody else; stopping");
                    told.progress.send_replace(Progress::Stopped);
                    return false;
                }
                // What passed the checks of ingest and is refused here would be refused for ever, and hold up all that
                // follows.
                Err(error) if error.is_about_data() => {
                    let Some(lost) = self.pending.give_up() else {
                        tracing::error!(session = %self.head.session, %error, "session is refused by Postgres; stopping");
                        told.progress.send_replace(Progress::Stopped);
                        return false;
                    };
                    tracing::error!(session = %self.head.session, %error, lost, "refused by Postgres and given up");
                    continue;
                }
                Err(CommitError::Sql(error)) => {
                    if attempt % LOG_EVERY == 0 {
                        tracing::error!(session = %self.head.session, attempt, %error, "commit failed; trying again");
                    }
                    if items.is_closed() && attempt >= RETRY.len() {
                        return false;
                    }
                }
            }
            pause(attempt).await;
        }
        self.figures.commit_seconds.observe(started.elapsed().as_secs_f64());
        self.figures.ingest_commit_seconds.observe(since.elapsed().as_secs_f64());
        self.committed(told, began);
        true
    }

    /// Whether a commit of which no answer came took place all the same: then the row stands where it was to move.
    async fn is_committed(&self) -> bool {
        let place = async {
            let mut tx = self.db.tenant_ingest(self.tenant).await?;
            resume_store::places(&mut tx, &[self.head.session]).await
        };
        let is_ours = |place: &Place| (place.epoch, place.sequence) == (self.head.epoch, self.pending.sequence);
        within(LOOK_UP_DEADLINE, place).await.is_ok_and(|places: Vec<Place>| places.first().is_some_and(is_ours))
    }

    fn committed(&mut self, told: &Told, began: SystemTime) {
        let now = SystemTime::now();
        for (sequence, trace) in self.traced.drain(..) {
            trace.step(Step::Commit, began, now);
            told.traced.push((sequence, trace, now));
        }
        self.figures.samples_committed.inc_by(self.pending.chunk.len() as u64);
        let sequence = self.pending.sequence;
        self.before = Some(Place { session: self.head.session, epoch: self.head.epoch, sequence });
        if let Some(stretch) = self.pending.backfilled {
            told.backfilled.send_modify(|all| *all = union(*all, Some(stretch)));
        }
        self.pending.clear();
        told.progress.send_replace(Progress::Committed(sequence));
    }
}

fn union(one: Option<Stretch>, other: Option<Stretch>) -> Option<Stretch> {
    match (one, other) {
        (Some((from, to)), Some((other_from, other_to))) => Some((from.min(other_from), to.max(other_to))),
        (one, other) => one.or(other),
    }
}

async fn pause(attempt: usize) {
    tokio::time::sleep(RETRY[attempt.min(RETRY.len() - 1)]).await;
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;
