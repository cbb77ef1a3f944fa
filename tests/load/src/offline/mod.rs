//! An hour without the service: how much an agent keeps of it, how soon it is live again once the service is there, how long
//! it takes to catch up, and what that costs everybody.
//!
//! The agent ([`agent`]) has read so much driving ([`tour`]) at 20 Hz into a spool on disk, faster than real time, and is
//! then let connect to the release build of the service; it reads on at 20 Hz. Somebody looks on ([`dashboard`]), from
//! before the connection to the end. What it costs ([`meters`]) stands beside what the same agent, service and viewer cost
//! afterwards, when there is nothing to catch up on.
//!
//! Between agent and service is a proxy that counts bytes and does nothing else.

mod agent;
mod dashboard;
mod meters;
mod report;
mod tour;

use crate::dialect::Dialect;
use crate::process;
use crate::spool::Scratch;
use crate::tally::{Quantiles, Times};
use crate::target::{Kind, Programs, Target};
use crate::{feed, report::write_between_marks};
use agent::{Offline, Online};
use dashboard::Seen;
use e2e::RawViewer;
use e2e::proxy::FaultProxy;
use meters::{Cost, Meters, Whose, Wire};
use onelap_agent::clock::unix_ms;
use serde::Serialize;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tour::Tour;

/// Slower than so many items a second is no catching up.
const LEAST_PER_S: f64 = 50.0;
/// For all that does not depend on how much there is: connecting, the last chunk, the end of the session.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is done.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    /// Minutes without the service.
    #[arg(long, env = "BENCH_OFFLINE_MINUTES", default_value_t = 60.0)]
    minutes: f64,
    /// Seconds of driving of the fake game, of which the whole laps are driven again and again.
    #[arg(long, default_value_t = 240)]
    driving: u64,
    /// Seconds that count afterwards, with nothing to catch up on.
    #[arg(long, default_value_t = 30)]
    alone: u64,
    /// Everything as JSON into this file.
    #[arg(long)]
    json: Option<PathBuf>,
    /// The figures into this file, between its marks "make bench offline".
    #[arg(long)]
    write: Option<PathBuf>,
}

/// What came of it.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    machine: String,
    load_average: [String; 2],
    minutes: f64,
    /// What the agent had read when it connected.
    items: u64,
    samples: u64,
    disk_bytes: u64,
    reading_s: f64,
    /// Since the agent began to connect.
    welcome_ms: f64,
    live_ms: f64,
    sent_s: f64,
    hour_acknowledged_s: f64,
    all_acknowledged_s: f64,
    /// Longest time without an acknowledgement of what had waited.
    longest_pause_s: f64,
    during: Stretch,
    alone: Stretch,
    resident_before_kib: f64,
    skipped: u64,
    late_events: u64,
    stretches: u64,
    refused: u64,
    beats_late: Quantiles,
    dropped_inputs: u64,
    lost_items: u64,
    /// At the end: samples that were read, and those in the database.
    read: u64,
    stored: u64,
}

/// A stretch of time, as it costs and as a viewer sees it.
#[derive(Debug, Serialize)]
struct Stretch {
    cost: Cost,
    /// Age of what is shown: since the last sample of a batch was read.
    ages: Quantiles,
    /// Samples that were shown, and that were due.
    shown: usize,
    due: f64,
    /// How often what is shown was older than what was shown before.
    back: usize,
}

/// When what was reached.
struct CaughtUp {
    welcome: Instant,
    sent: Instant,
    hour_acknowledged: Instant,
    all_acknowledged: Instant,
    longest_pause: Duration,
}

/// Runs it, prints it, and writes it where that is wanted.
pub(crate) async fn run(options: &Options, programs: &Programs) {
    println!("{}; load average {}", process::machine(), process::load_average());
    let tour = Tour::of(feed::readings(Duration::from_secs(options.driving)).await);
    let report = measure(options, programs, tour).await;
    report::print(&report);
    if let Some(path) = &options.json {
        let text = serde_json::to_string_pretty(&report).expect("a report serialises");
        std::fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
    if let Some(path) = &options.write {
        write_between_marks(path, "make bench offline", &report::text(&report));
    }
    assert!(report.is_whole(), "something was lost");
}

async fn measure(options: &Options, programs: &Programs, tour: Tour) -> Report {
    let target = Target::start(Kind::Service, programs, 1, 1).await;
    let wire = Arc::<Wire>::default();
    let proxy = FaultProxy::tapped(target.instances[0], wire.clone()).await;
    let pool = target.database().expect("the service has one").pool().await;
    let backend: i32 = sqlx::query_scalar("select pg_backend_pid()").fetch_one(&pool).await.expect("a process id");
    let resident_before_kib = process::resident_kib(&target.pids());
    let (stop, last_shown) = (CancellationToken::new(), Arc::<AtomicU64>::default());
    let viewer = look_on(&target, last_shown.clone(), stop.clone()).await;

    let scratch = Scratch::new();
    let length = Duration::from_secs_f64(options.minutes * 60.0);
    let offline = tokio::task::block_in_place(|| Offline::drive(tour, &scratch.0.join("spool"), length));
    let (items, samples, disk_bytes, took) = (offline.items, offline.samples, offline.disk_bytes, offline.took);
    let load_before = process::load_average();
    println!(
        "{items} items read in {:.1} s, {:.1} MB on disk; connecting",
        took.as_secs_f64(),
        disk_bytes as f64 / 1e6
    );

    let (began, began_ms, last) = (Instant::now(), unix_ms(), offline.last);
    let mut agent = offline.connect(proxy.address, target.token(0));
    let postgres = process::parent(backend as u32);
    let whose = Whose { service: target.pids(), postgres, agent: agent.thread.clone(), wire };
    let meters = Meters::start(whose, stop.clone());
    let from = meters.look();
    let within = Duration::from_secs_f64(items as f64 / LEAST_PER_S) + PATIENCE;
    let caught_up = timeout(within, catch_up(&mut agent, began, last, &last_shown)).await;
    let caught_up =
        caught_up.unwrap_or_else(|_| panic!("not caught up in {within:?}: {}", agent.status.borrow().line()));
    let to = meters.look();
    println!("caught up after {:.1} s", (caught_up.all_acknowledged - began).as_secs_f64());
    tokio::time::sleep(Duration::from_secs(options.alone)).await;
    let end = meters.look();
    let load_average = [load_before, process::load_average()];
    let ended = Instant::now();
    let (status, beats_late) = agent.finish(PATIENCE).await;
    stop.cancel();
    let seen = viewer.await.expect("the viewer ends well");

    let since = |at: Instant| (at - began).as_secs_f64();
    // What was read before may be shown first.
    let live = seen.shown.iter().find(|shown| shown.read_ms >= began_ms).expect("something new was shown").at;
    Report {
        machine: process::machine(),
        load_average,
        minutes: options.minutes,
        items,
        samples,
        disk_bytes,
        reading_s: took.as_secs_f64(),
        welcome_ms: since(caught_up.welcome) * 1e3,
        live_ms: since(live) * 1e3,
        sent_s: since(caught_up.sent),
        hour_acknowledged_s: since(caught_up.hour_acknowledged),
        all_acknowledged_s: since(caught_up.all_acknowledged),
        longest_pause_s: caught_up.longest_pause.as_secs_f64(),
        during: Stretch::of(meters.cost(from, to), &seen, live, caught_up.all_acknowledged),
        alone: Stretch::of(meters.cost(to, end), &seen, caught_up.all_acknowledged, ended),
        resident_before_kib,
        skipped: seen.skipped,
        late_events: seen.late,
        stretches: seen.stretches,
        refused: seen.refused,
        beats_late,
        dropped_inputs: status.dropped_inputs,
        lost_items: status.lost_items,
        read: status.samples,
        stored: target.stored_samples(&pool).await,
    }
}

async fn look_on(target: &Target, last: Arc<AtomicU64>, stop: CancellationToken) -> tokio::task::JoinHandle<Seen> {
    let Dialect::OneLap { team, cookies, origin, .. } = target.dialect(None) else { panic!("the service has teams") };
    let viewer = RawViewer::open(target.instances[0], &cookies, Some(&origin)).await;
    tokio::spawn(dashboard::look_on(viewer.expect("the viewer may look"), team, last, stop))
}

/// Waits until all that had been read before the connection is acknowledged, and all that was shown before the last of
/// it was sent.
async fn catch_up(agent: &mut Online, began: Instant, last: u64, last_shown: &AtomicU64) -> CaughtUp {
    let (mut welcome, mut sent, mut hour_acknowledged) = (None, None, None);
    let (mut acked, mut acked_at, mut longest_pause) = (0, began, Duration::ZERO);
    loop {
        agent.status.changed().await.expect("the rig runs");
        let (now, status) = (Instant::now(), agent.status.borrow_and_update().clone());
        if !status.connected() {
            assert!(welcome.is_none(), "the connection broke: {}", status.line());
            continue;
        }
        let welcome = *welcome.get_or_insert(now);
        let place = status.acked.map_or(0, |place| place.sequence);
        if place > acked {
            if acked < last {
                longest_pause = longest_pause.max(now - acked_at);
            }
            (acked, acked_at) = (place, now);
        }
        if acked >= last {
            hour_acknowledged.get_or_insert(now);
        }
        if !status.is_catching_up {
            sent.get_or_insert((now, last_shown.load(Ordering::Acquire)));
        }
        if let (Some((sent, shown)), Some(hour_acknowledged)) = (sent, hour_acknowledged)
            && acked >= shown
        {
            return CaughtUp { welcome, sent, hour_acknowledged, all_acknowledged: now, longest_pause };
        }
    }
}

impl Stretch {
    fn of(cost: Cost, seen: &Seen, from: Instant, to: Instant) -> Self {
        let shown: Vec<_> = seen.shown.iter().filter(|shown| (from..to).contains(&shown.at)).collect();
        let mut ages = Times::default();
        shown.iter().for_each(|shown| ages.record(shown.age));
        Self {
            cost,
            ages: ages.figures(),
            shown: shown.iter().map(|shown| shown.samples).sum(),
            due: (to - from).as_secs_f64() * 1e3 / feed::SAMPLE_MS as f64,
            back: shown.windows(2).filter(|pair| pair[1].read_ms < pair[0].read_ms).count(),
        }
    }
}

impl Report {
    /// Nothing was lost on the way from the reader to the database, and the live view never went back.
    fn is_whole(&self) -> bool {
        self.stored == self.read && self.lost_items == 0 && self.during.back + self.alone.back == 0
    }
}
