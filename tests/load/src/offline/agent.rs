//! The agent of the benchmark: the library's pipeline, spool, link and rig, put together as `Agent::spawn` does it, on a
//! thread of its own, so that its CPU can be told from the rest.
//!
//! Not here: the copies of the game's memory and what the reader makes of them; they cost the same whatever the link does.

use super::tour::Tour;
use crate::feed::SAMPLE_MS;
use crate::process::Thread;
use crate::tally::{Quantiles, Times};
use onelap_agent::clock::{Clock, unix_ms};
use onelap_agent::link::socket::Target;
use onelap_agent::pipeline::Pipeline;
use onelap_agent::raw::{Raw, Stamp};
use onelap_agent::run::MEMORY_BYTES;
use onelap_agent::run::rig::{Reason, Rig};
use onelap_agent::sampler::Sampler;
use onelap_agent::server::ServerUrl;
use onelap_agent::source::queue::{RawSink, raw_queue};
use onelap_agent::spool::Spool;
use onelap_agent::status::RigStatus;
use onelap_protocol::RigToken;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// As in the agent's settings.
const SAMPLE_HZ: u32 = 1_000 / SAMPLE_MS as u32;
const BATCH_MS: u32 = 100;
const CAP_BYTES: u64 = 1 << 30;
/// Beats between two looks of the spool after its disk, while there are more of them than in real time.
const MAINTAIN_BEATS: u64 = 500;

/// An agent that has read for a while and has sent nothing.
pub(crate) struct Offline {
    pipeline: Pipeline,
    clock: Clock,
    /// Sequence of the last that it has read.
    pub(crate) last: u64,
    pub(crate) items: u64,
    pub(crate) samples: u64,
    /// Files of its spool.
    pub(crate) disk_bytes: u64,
    pub(crate) took: Duration,
}

impl Offline {
    /// Reads for so long, at the end of which it is now, into a spool in this folder.
    pub(crate) fn drive(tour: Tour, folder: &Path, length: Duration) -> Self {
        let (began, clock) = (Instant::now(), Clock::start());
        let spool = Spool::open(folder, CAP_BYTES, MEMORY_BYTES, unix_ms()).expect("the folder can be written");
        let mut pipeline = Pipeline::new(vec![Box::new(tour)], Sampler::new(SAMPLE_HZ, BATCH_MS), spool);
        let began_ms = unix_ms() - length.as_millis() as u64;
        for beat in 0.. {
            let mono_ms = beat * SAMPLE_MS;
            let at = Stamp { unix_ms: began_ms + mono_ms, mono_ms };
            if at.unix_ms > unix_ms() {
                break;
            }
            pipeline.flush_due(mono_ms);
            pipeline.feed(at, &Raw::Tick, mono_ms);
            if beat % MAINTAIN_BEATS == 0 {
                pipeline.outbox().spool.maintain(clock.mono_ms());
            }
        }
        pipeline.flush();
        let (session, _) = pipeline.session().expect("a session runs");
        let spool = &pipeline.waiting().spool;
        assert_eq!((spool.problem(), spool.lost_items()), (None, 0), "the disk takes everything");
        Self {
            last: spool.next_place(session).sequence - 1,
            items: spool.items(),
            samples: pipeline.samples(),
            disk_bytes: bytes_in(folder),
            took: began.elapsed(),
            pipeline,
            clock,
        }
    }

    /// Lets it connect, now, and reads on at the game's pace.
    pub(crate) fn connect(self, service: SocketAddr, token: &str) -> Online {
        let target = Target {
            server: ServerUrl::parse(&format!("http://{service}")).expect("an address"),
            token: RigToken::parse(token).expect("a token"),
        };
        let (sink, queue) = raw_queue(self.clock);
        let (sender, status) = watch::channel(RigStatus::new("load", SAMPLE_HZ));
        // As of a recording: it makes no ticks of its own, and ends when everything is acknowledged.
        let rig = Rig::new(target, self.clock, queue, true, self.pipeline, Reason::default(), sender);
        let (tell, told) = mpsc::sync_channel(1);
        let rig = std::thread::spawn(move || {
            tell.send(Thread::current()).expect("somebody waits for it");
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(rig.run(CancellationToken::new()));
        });
        let stop = CancellationToken::new();
        let beats = std::thread::spawn({
            let stop = stop.clone();
            move || beat(&sink, &stop)
        });
        Online { thread: told.recv().expect("the thread has begun"), status, stop, beats, rig }
    }
}

fn bytes_in(folder: &Path) -> u64 {
    let files = std::fs::read_dir(folder).expect("the spool's folder").flatten();
    files.filter_map(|file| file.metadata().ok()).map(|meta| meta.len()).sum()
}

/// A beat at each of its times, until it is told to stop. Says how late they were.
fn beat(sink: &RawSink, stop: &CancellationToken) -> Times {
    let (began, mut late) = (Instant::now(), Times::default());
    for beat in 0.. {
        let due = began + Duration::from_millis(SAMPLE_MS * beat);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        if stop.is_cancelled() {
            break;
        }
        late.record(due.elapsed());
        // What finds no room is counted by the queue.
        sink.send(Raw::Tick);
    }
    late
}

/// The agent while it has a service.
pub(crate) struct Online {
    pub(crate) thread: Thread,
    pub(crate) status: watch::Receiver<RigStatus>,
    stop: CancellationToken,
    beats: JoinHandle<Times>,
    rig: JoinHandle<()>,
}

impl Online {
    /// Reads nothing more, and waits so long until everything is acknowledged; says what it then was doing, and how late
    /// the beats were.
    pub(crate) async fn finish(mut self, within: Duration) -> (RigStatus, Quantiles) {
        self.stop.cancel();
        let finished = self.status.wait_for(|status| status.finished);
        let finished = tokio::time::timeout(within, finished).await.is_ok_and(|ended| ended.is_ok());
        assert!(finished, "not everything was acknowledged within {within:?}: {}", self.status.borrow().line());
        self.rig.join().expect("the agent's thread ends well");
        let late = self.beats.join().expect("the beats' thread ends well");
        (self.status.borrow().clone(), late.figures())
    }
}
