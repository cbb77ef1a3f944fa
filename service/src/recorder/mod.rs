//! Recording: what agents send, into Postgres, once, in order.
//!
//! One writer task per connected session. It looks up how far the session is recorded, gathers about ten seconds of
//! samples and everything that happened in them, writes them in one transaction with the checkpoint of the fold, and then
//! says what is committed.
//!
//! Invariants: bounded (a full queue refuses the item, and the sender has it sent again later); nothing waits for Postgres
//! but the writer; an item that is committed is passed over, and one that does not follow what is recorded is not taken;
//! nothing is said to be committed that is not; a writer that finds that somebody else has written to its session, or that
//! Postgres will not have it, stops.
//!
//! Not here: sockets, the live view.

pub mod chunk;
mod facts_store;
mod resume_store;
mod store;
mod writer;

use crate::db::{Db, Tenant};
use crate::figures::Figures;
use crate::race::Fold;
use crate::traces::{BatchTrace, Step, Traces};
use onelap_protocol::agent::{EndReason, Place};
use onelap_protocol::channel::{ABSENT, CHANNEL_COUNT};
use onelap_protocol::race::{Lap, RaceEvent, SessionInfo};
use onelap_protocol::setup::Setup;
use onelap_protocol::{Batch, Channel, RigId, SessionId, TeamId};
use prometheus::IntGauge;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::sync::{mpsc, oneshot, watch};

pub use store::content_hash;

/// Items that may wait for a writer: more than a minute and a half of a 20 Hz rig.
const QUEUE: usize = 1024;
/// Memory that they may take, about; a 20 Hz rig needs a tenth of it.
const QUEUE_BYTES: usize = 16 << 20;
/// Traced batches of one commit that are in their traces.
const MOST_TRACED: usize = 64;
/// How long a writer waits for an earlier one of the same session to finish; then one of the two is fenced off.
const HANDOVER: Duration = Duration::from_secs(30);

/// One thing to record, with its place in the stream.
#[derive(Debug)]
pub struct Item {
    /// Sequence within the writer's epoch.
    pub sequence: u64,
    /// The sequence that it follows: the one before, unless what lay between is lost.
    pub after: u64,
    /// It was not shown, or not when it came: once it is committed, viewers are told which stretch of samples is there.
    pub is_backfill: bool,
    /// What.
    pub content: Content,
    /// Of a batch that is traced.
    pub trace: Option<BatchTrace>,
}

/// What is recorded.
#[derive(Debug)]
pub enum Content {
    /// Samples.
    Batch(Batch),
    /// The facts of the session.
    Info(Box<SessionInfo>),
    /// Something that happened.
    Event(Box<RaceEvent>),
    /// Another setup in the car.
    Setup {
        /// Session time in seconds.
        at_s: f64,
        /// The setup.
        setup: Box<Setup>,
    },
    /// The session is over.
    End(EndReason),
    /// Something that was refused: its sequence counts as done, or the agent would send it for ever.
    Nothing,
}

impl Content {
    /// Memory that it takes, about.
    fn bytes(&self) -> usize {
        match self {
            Self::Batch(batch) => batch.len() * CHANNEL_COUNT * size_of::<i32>(),
            Self::Setup { setup, .. } => setup.items.iter().map(|i| 200 + i.label.len() + i.text.len()).sum(),
            Self::Info(_) | Self::Event(_) => 1024,
            Self::End(_) | Self::Nothing => 0,
        }
    }
}

/// What Postgres knows of a session.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The facts.
    pub info: SessionInfo,
    /// Up to where it is committed.
    pub place: Place,
    /// Epoch and last sequence of the runs of the agent before that one.
    pub earlier_runs: Vec<(u64, u64)>,
    /// The fold at that place.
    pub fold: Fold,
    /// The setup in the car.
    pub setup: Option<Setup>,
    /// The latest laps of our car, oldest first.
    pub laps: Vec<Lap>,
    /// How it ended.
    pub ended: Option<EndReason>,
}

impl Stored {
    /// Up to which sequence a run of the agent is committed (0: nothing of it is).
    fn committed_of(&self, epoch: u64) -> u64 {
        let place = (self.place.epoch, self.place.sequence);
        let mut runs = self.earlier_runs.iter().copied().chain([place]);
        runs.find(|(run, _)| *run == epoch).map_or(0, |(_, last)| last)
    }
}

/// What a writer found when it looked the session up.
#[derive(Debug)]
pub enum Opened {
    /// Nothing: the session begins.
    New,
    /// It goes on after this.
    After(Box<Stored>),
    /// A later run of the agent has recorded to it; the writer has ended.
    LaterRun {
        /// Up to where the run that asked is committed.
        committed: u64,
    },
}

/// A stretch of session time, in seconds: from, to.
pub type Stretch = (f64, f64);

/// The session times of a batch, from the first to the last that is known.
fn stretch_of(batch: &Batch) -> Option<Stretch> {
    let steps = || batch.column(Channel::SessionTime).iter().copied().filter(|steps| *steps != ABSENT);
    let seconds = |steps: i32| f64::from(steps) * Channel::SessionTime.info().quantum;
    steps().min().zip(steps().max()).map(|(first, last)| (seconds(first), seconds(last)))
}

/// What a writer has achieved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Committed up to this sequence (0: nothing yet).
    Committed(u64),
    /// Somebody else has written to this session since it was loaded, or it cannot be stored; this writer has stopped.
    Stopped,
}

/// Traced batches that are committed and not acknowledged yet, with their sequences and the moment; bounded. A lock,
/// because it is held for a push or a pop only.
#[derive(Debug, Clone, Default)]
pub struct TracedCommits(Arc<Mutex<VecDeque<TracedCommit>>>);

type TracedCommit = (u64, BatchTrace, SystemTime);

impl TracedCommits {
    fn list(&self) -> MutexGuard<'_, VecDeque<TracedCommit>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, commit: TracedCommit) {
        let mut list = self.list();
        if list.len() < MOST_TRACED {
            list.push_back(commit);
        }
    }

    /// The agent was told of everything up to this sequence.
    pub fn acknowledged(&self, sequence: u64) {
        let now = SystemTime::now();
        while let Some((_, trace, since)) = self.list().pop_front_if(|(committed, _, _)| *committed <= sequence) {
            trace.step(Step::Acknowledge, since, now);
        }
    }
}

/// Where a session is being recorded to; dropping it lets the writer finish what it has.
#[derive(Debug)]
pub struct Writer {
    queue: mpsc::Sender<Item>,
    waiting_bytes: Arc<AtomicUsize>,
    waiting: IntGauge,
    /// What is committed; changes with every commit.
    pub progress: watch::Receiver<Progress>,
    /// The samples that came as backfill and are committed, from the first to the last.
    pub backfilled: watch::Receiver<Option<Stretch>>,
    /// Traced batches that are committed.
    pub traced: TracedCommits,
    traces: Traces,
    /// What it writes: session and run of the agent.
    stream: (SessionId, u64),
}

impl Writer {
    /// The trace of an item, if it is a batch that is traced.
    #[must_use]
    pub fn trace(&self, sequence: u64, content: &Content) -> Option<BatchTrace> {
        let (session, epoch) = self.stream;
        let is_batch = matches!(content, Content::Batch(_));
        is_batch.then(|| self.traces.of_batch(Place { session, epoch, sequence })).flatten()
    }

    /// Hands an item over. `false` if the queue is full: the item was not taken and must come again.
    #[must_use]
    pub fn offer(&self, item: Item) -> bool {
        let bytes = item.content.bytes();
        // The one sender is the only one to add.
        if self.waiting_bytes.load(Relaxed) + bytes > QUEUE_BYTES {
            return false;
        }
        self.waiting_bytes.fetch_add(bytes, Relaxed);
        let taken = self.queue.try_send(item).is_ok();
        if taken {
            self.waiting.inc();
        } else {
            self.waiting_bytes.fetch_sub(bytes, Relaxed);
        }
        taken
    }

    /// Whether at least half of the queue is free.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.queue.capacity() >= QUEUE / 2 && self.waiting_bytes.load(Relaxed) <= QUEUE_BYTES / 2
    }
}

/// The writer's end of its queue.
#[derive(Debug)]
struct Queue {
    items: mpsc::Receiver<Item>,
    waiting_bytes: Arc<AtomicUsize>,
    waiting: IntGauge,
}

impl Queue {
    /// The next item; `None` once the sender is gone and everything is taken.
    async fn next(&mut self) -> Option<Item> {
        let item = self.items.recv().await?;
        self.waiting_bytes.fetch_sub(item.content.bytes(), Relaxed);
        self.waiting.dec();
        Some(item)
    }

    /// Whether the sender is gone.
    fn is_closed(&self) -> bool {
        self.items.is_closed()
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.waiting.sub(self.items.len() as i64);
    }
}

type OpenWriters = HashMap<(TeamId, SessionId), watch::Receiver<Progress>>;

/// Starts writers and hands sessions over from one connection to the next.
#[derive(Debug, Clone)]
pub struct Recorder {
    db: Db,
    figures: Figures,
    traces: Traces,
    /// Writers of this process by session; the receiver closes when a writer has ended. A lock, because it is held for
    /// a look-up only.
    open: Arc<Mutex<OpenWriters>>,
}

impl Recorder {
    /// A recorder over the ingest pool.
    #[must_use]
    pub fn new(db: Db, figures: Figures, traces: Traces) -> Self {
        Self { db, figures, traces, open: Arc::default() }
    }

    /// What is committed of some sessions of a team: the last place of each that is known. Earlier writers of this
    /// process that have lost their connection are waited for.
    ///
    /// # Errors
    /// Where Postgres does not answer.
    pub async fn places(&self, tenant: Tenant, sessions: &[SessionId]) -> Result<Vec<Place>, sqlx::Error> {
        for session in sessions {
            let before = self.lock().get(&(tenant.team(), *session)).cloned();
            wait_for(before).await;
        }
        let mut tx = self.db.tenant_ingest(tenant).await?;
        resume_store::places(&mut tx, sessions).await
    }

    /// How a session stands in Postgres now.
    ///
    /// # Errors
    /// Where Postgres does not answer.
    pub async fn stored(&self, tenant: Tenant, session: SessionId) -> Result<Option<Stored>, sqlx::Error> {
        let mut tx = self.db.tenant(tenant).await?;
        resume_store::load(&mut tx, session).await
    }

    /// Starts a writer for what a run of the agent sends of a session. It looks up what there is and says so; items may
    /// be offered before. `follows` is the end of the run before on the same connection: where that is not committed, the
    /// writer stops, or what is missing of it could never be recorded any more.
    #[must_use]
    pub fn open(
        &self,
        tenant: Tenant,
        rig: RigId,
        session: SessionId,
        epoch: u64,
        follows: Option<(u64, u64)>,
    ) -> (Writer, oneshot::Receiver<Opened>) {
        let (queue, items) = mpsc::channel(QUEUE);
        let (waiting_bytes, waiting) = (Arc::new(AtomicUsize::new(0)), self.figures.recorder_waiting.clone());
        let items = Queue { items, waiting_bytes: waiting_bytes.clone(), waiting: waiting.clone() };
        let (progress_tx, progress) = watch::channel(Progress::Committed(0));
        let (backfilled_tx, backfilled) = watch::channel(None);
        let (opened_tx, opened) = oneshot::channel();
        let before = self.lock().insert((tenant.team(), session), progress.clone());
        let this = self.clone();
        let head = store::Head { rig, session, epoch };
        let job = writer::Job::new(self.db.clone(), self.figures.clone(), tenant, head, follows);
        let traced = TracedCommits::default();
        let told = writer::Told { progress: progress_tx, backfilled: backfilled_tx, traced: traced.clone() };
        tokio::spawn(async move {
            wait_for(before).await;
            job.run(items, opened_tx, &told).await;
            let mut open = this.lock();
            // A later connection may have started its own writer meanwhile.
            if open.get(&(tenant.team(), session)).is_some_and(|p| p.same_channel(&told.progress.subscribe())) {
                open.remove(&(tenant.team(), session));
            }
        });
        let (traces, stream) = (self.traces.clone(), (session, epoch));
        (Writer { queue, waiting_bytes, waiting, progress, backfilled, traced, traces, stream }, opened)
    }

    /// Waits until all writers have finished, for at most `deadline`. Their senders must be gone.
    pub async fn drain(&self, deadline: Duration) {
        let writers: Vec<_> = self.lock().values().cloned().collect();
        let all = async {
            for mut writer in writers {
                while writer.changed().await.is_ok() {}
            }
        };
        if tokio::time::timeout(deadline, all).await.is_err() {
            tracing::warn!(
                deadline_s = deadline.as_secs(),
                "recorders did not finish; agents will send the rest again"
            );
        }
    }

    fn lock(&self) -> MutexGuard<'_, OpenWriters> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits until an earlier writer has ended.
async fn wait_for(writer: Option<watch::Receiver<Progress>>) {
    let Some(mut writer) = writer else { return };
    let ended = async { while writer.changed().await.is_ok() {} };
    if tokio::time::timeout(HANDOVER, ended).await.is_err() {
        tracing::warn!("an earlier writer of a session has not finished; one of the two will be fenced off");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_queue_is_bounded_in_memory_too_and_has_room_again_once_items_are_taken() {
        let (queue, items) = mpsc::channel(QUEUE);
        let (waiting_bytes, waiting) = (Arc::new(AtomicUsize::new(0)), IntGauge::new("waiting", "Waiting.").unwrap());
        let (_, progress) = watch::channel(Progress::Committed(0));
        let (_, backfilled) = watch::channel(None);
        let mut items = Queue { items, waiting_bytes: waiting_bytes.clone(), waiting: waiting.clone() };
        let (traced, traces, stream) = (TracedCommits::default(), Traces::default(), (SessionId::new(), 1));
        let writer = Writer { queue, waiting_bytes, waiting, progress, backfilled, traced, traces, stream };
        let offer = |sequence| {
            let mut batch = Batch::default();
            (0..256).for_each(|i| _ = batch.add_row(i));
            let (after, content) = (sequence - 1, Content::Batch(batch));
            writer.offer(Item { sequence, after, is_backfill: false, content, trace: None })
        };
        let taken = (1..=QUEUE as u64).take_while(|sequence| offer(*sequence)).count();
        assert!(taken < QUEUE && taken * 256 * CHANNEL_COUNT * 4 <= QUEUE_BYTES, "{taken} batches");
        assert!(!writer.has_room());
        for _ in 0..taken {
            items.next().await.unwrap();
        }
        assert!(writer.has_room() && offer(1));
    }
}
