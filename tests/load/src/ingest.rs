//! Rigs against the service and Postgres: is all of it taken, acknowledged and stored, and what does it cost.

use crate::feed;
use crate::report::{self, time};
use crate::rigs::Feed;
use crate::run::{self, Report, Spec};
use crate::target::{Kind, Programs, Target};
use serde::Serialize;

/// Later than this, rigs waited for a service that takes nothing, or for a processor: the load was not what it should be.
const MOST_LATE_MS: f64 = 1_000.0;

/// What is in the database afterwards.
#[derive(Debug, Serialize)]
pub(crate) struct Stored {
    pub(crate) report: Report,
    pub(crate) rigs: usize,
    pub(crate) frames_per_cpu_s: f64,
    pub(crate) samples: u64,
    pub(crate) bytes_per_value: f64,
    /// Everything was sent and taken in time, acknowledged, and is stored once.
    pub(crate) kept_up: bool,
}

/// Runs it: so many rigs, spread over the instances, at 20 samples a second in batches of 100 ms.
pub(crate) async fn run(feed: &Feed, rigs: usize, seconds: f64, programs: &Programs, instances: usize) -> Stored {
    let mut target = Target::start(Kind::Service, programs, instances, rigs).await;
    target.spreads_rigs = true;
    let spec = Spec { rigs, hz: 10.0, per_frame: 2, viewers: 0, seconds, acks_within: 40, ..Spec::default() };
    let report = tokio::task::block_in_place(|| run::run(&target, &spec, feed));
    let database = target.database().expect("the service has one");
    let pool = database.pool().await;
    let bytes: i64 =
        sqlx::query_scalar("select pg_total_relation_size('chunks')").fetch_one(&pool).await.expect("a size");
    let samples = target.stored_samples(&pool).await;
    let sent = &report.sent;
    Stored {
        rigs,
        frames_per_cpu_s: rigs as f64 * spec.hz * seconds / report.used.servers_s,
        samples,
        bytes_per_value: bytes as f64 / sent.samples as f64 / feed::channels(&feed.samples),
        kept_up: sent.late.p99_ms < MOST_LATE_MS
            && sent.acknowledged == rigs
            && samples == sent.samples
            && sent.complaints.is_empty(),
        report,
    }
}

/// Everything about it.
pub(crate) fn print(stored: &Stored) {
    report::print(&stored.report);
    let sent = &stored.report.sent;
    println!(
        "  {} frames sent; {} of {} rigs had all acknowledged, {} samples stored of {}: {}",
        sent.frames,
        sent.acknowledged,
        stored.rigs,
        stored.samples,
        sent.samples,
        if stored.kept_up { "kept up, nothing lost" } else { "NOT kept up" }
    );
    println!(
        "  from the last frame of a chunk to its acknowledgement: p50 {}, p99 {}; {:.0} frames per second of the service's CPU; {:.1} KiB a rig",
        time(sent.acks.p50_ms),
        time(sent.acks.p99_ms),
        stored.frames_per_cpu_s,
        stored.kib_per_rig()
    );
    println!("  stored: {:.2} B per sample and channel, index included", stored.bytes_per_value);
}

impl Stored {
    /// Resident memory of the service per rig at the end, what waits to be written included.
    pub(crate) fn kib_per_rig(&self) -> f64 {
        (self.report.resident_kib[3] - self.report.resident_kib[0]) / self.rigs as f64
    }
}
