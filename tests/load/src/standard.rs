//! The standard set: every case of it on a fresh target, the servers beside each other in rounds, and the tables that go
//! into `docs/performance.md`.

use crate::ingest::{self, Stored};
use crate::process::{self, Meter};
use crate::report::{self, time};
use crate::rigs::Feed;
use crate::run::{self, Report, Spec};
use crate::target::{Kind, Programs, Target};
use clap::ValueEnum;
use serde::Serialize;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Others may use so much of the machine before a round begins.
const QUIET: f64 = 0.08;

/// A case of the set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Case {
    /// 500 viewers × 20 Hz, every server.
    Fanout,
    /// 5,000 viewers × 2 Hz, every server.
    Many,
    /// 200 viewers × 20 Hz, with and without one that has stopped.
    Stopped,
    /// 500 viewers of which some resubscribe, reconnect, are slow or stopped.
    Mixed,
    /// 10,000 idle viewers.
    Idle,
    /// 1,000 viewers that join within a second.
    Join,
    /// 500 rigs × 20 Hz into Postgres.
    Ingest,
    /// Two instances and Redis, at half load.
    Instances,
}

/// How the set is run.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    /// Seconds that count in a run.
    #[arg(long, env = "BENCH_SECONDS", default_value_t = 10.0)]
    seconds: f64,
    /// Rounds, where servers stand beside each other.
    #[arg(long, env = "BENCH_ROUNDS", default_value_t = 3)]
    rounds: usize,
    /// Only these cases.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Case>,
    /// Only these servers, where servers stand beside each other.
    #[arg(long, value_delimiter = ',')]
    servers: Vec<Kind>,
    /// Seconds to wait before each run for the machine to be quiet.
    #[arg(long, default_value_t = 60)]
    quiet_within: u64,
    /// Everything as JSON into this file.
    #[arg(long)]
    json: Option<PathBuf>,
    /// The tables into this file, between its marks.
    #[arg(long)]
    write: Option<PathBuf>,
}

/// One case, done.
#[derive(Serialize)]
struct Done {
    case: Case,
    runs: Vec<Report>,
    ingest: Option<Stored>,
}

struct Standard<'a> {
    options: &'a Options,
    programs: &'a Programs,
    feed: &'a Feed,
    done: Vec<Done>,
    text: String,
}

/// Runs the set.
pub(crate) async fn run(options: &Options, programs: &Programs, feed: &Feed) {
    let machine = process::machine();
    println!("{machine}; load average {}", process::load_average());
    let mut standard = Standard { options, programs, feed, done: Vec::new(), text: String::new() };
    let _ = writeln!(standard.text, "Machine: {machine}. {} s a run, {} rounds.", options.seconds, options.rounds);
    for case in Case::value_variants() {
        if options.only.is_empty() || options.only.contains(case) {
            standard.case(*case).await;
        }
    }
    println!("\n{}", standard.text);
    if let Some(path) = &options.json {
        let all = serde_json::json!({ "machine": machine, "cases": standard.done });
        std::fs::write(path, format!("{all:#}\n")).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
    if let Some(path) = &options.write {
        report::write_between_marks(path, "make bench", &standard.text);
    }
}

impl Standard<'_> {
    async fn case(&mut self, case: Case) {
        println!("\n## {case:?}");
        let seconds = self.options.seconds;
        let all = [
            Kind::Bare,
            Kind::Service,
            Kind::Preframed,
            Kind::ActixWs,
            Kind::ActixWsQueued,
            Kind::SocketIo,
            Kind::FlaskSocketIo,
        ];
        let spec = Spec { seconds, ..Spec::default() };
        match case {
            Case::Fanout => self.compare(case, &all, &spec).await,
            Case::Many => {
                let spec = Spec { viewers: 5_000, hz: 2.0, join_over: 5.0, ping_every: 20.0, ..spec };
                self.compare(case, &[all[0], all[1], all[5], all[6]], &spec).await;
            }
            Case::Stopped => self.stopped(&Spec { viewers: 200, ..spec }).await,
            Case::Mixed => {
                let (slow, stopped, resubscribing, reconnecting) = (10, 10, 50, 50);
                // Long enough for what kernels hold to fill up.
                let seconds = seconds * 4.0;
                self.alone(case, &Spec { slow, stopped, resubscribing, reconnecting, seconds, ..spec }, 1).await;
            }
            Case::Idle => {
                let spec = Spec { viewers: 10_000, hz: 0.2, join_over: 15.0, ping_every: 30.0, ..spec };
                self.alone(case, &spec, 1).await;
            }
            Case::Join => self.alone(case, &Spec { viewers: 1_000, join_over: 1.0, hz: 2.0, ..spec }, 1).await,
            Case::Ingest => self.ingest(seconds.max(25.0)).await,
            Case::Instances if self.programs.redis.is_none() => println!("skipped: no --redis"),
            Case::Instances => self.half_load(&spec).await,
        }
    }

    /// Waits until others leave the machine alone, or for as long as that may take.
    fn await_quiet(&self) {
        let deadline = Instant::now() + Duration::from_secs(self.options.quiet_within);
        while Instant::now() < deadline {
            let meter = Meter::start(&[]);
            std::thread::sleep(Duration::from_secs(2));
            if meter.read().others < QUIET {
                return;
            }
        }
        println!("the machine is not quiet: others use more than {:.0} % of it", 100.0 * QUIET);
    }

    /// A target that has served some viewers: what it allocates once does not count as a viewer's.
    async fn started(&self, kind: Kind, instances: usize, spec: &Spec) -> Target {
        let target = Target::start(kind, self.programs, instances, spec.rigs).await;
        let warm_up =
            Spec { viewers: 100, seconds: 0.5, join_over: 0.5, ..Spec { rigs: spec.rigs, ..Spec::default() } };
        tokio::task::block_in_place(|| run::run(&target, &warm_up, self.feed));
        target
    }

    fn measure(&self, target: &Target, spec: &Spec) -> Report {
        let report = tokio::task::block_in_place(|| {
            self.await_quiet();
            run::run(target, spec, self.feed)
        });
        report::print(&report);
        report
    }

    /// Servers beside each other: in rounds, so that a noisy minute does not hit one alone; each on a fresh process.
    async fn compare(&mut self, case: Case, kinds: &[Kind], spec: &Spec) {
        let asked = &self.options.servers;
        let kinds: Vec<Kind> = kinds.iter().copied().filter(|kind| asked.is_empty() || asked.contains(kind)).collect();
        let mut rounds: Vec<Vec<Report>> = kinds.iter().map(|_| Vec::new()).collect();
        for _ in 0..self.options.rounds {
            for (kind, reports) in kinds.iter().zip(&mut rounds) {
                let target = self.started(*kind, 1, spec).await;
                reports.push(self.measure(&target, spec));
            }
        }
        let table = report::compare(&rounds);
        let runs: Vec<Report> = rounds.into_iter().flatten().collect();
        let others = runs.iter().map(|r| r.used.others);
        let noise = format!("Others used {:.0} % of the machine on average.", 100.0 * report::median(others));
        let _ = writeln!(self.text, "\n### {}\n\n{table}\n{noise}", spec.describe());
        self.done.push(Done { case, runs, ingest: None });
    }

    /// Our service alone.
    async fn alone(&mut self, case: Case, spec: &Spec, instances: usize) {
        let target = self.started(Kind::Service, instances, spec).await;
        let report = self.measure(&target, spec);
        let topology = if instances > 1 { format!(", {instances} instances over Redis") } else { String::new() };
        let _ = writeln!(self.text, "\n### {}{topology}\n", report.what);
        let mut say = |line: String| {
            let _ = writeln!(self.text, "- {line}");
        };
        let joins = &report.joins;
        say(format!(
            "{} of {} joined within {} s; from the attempt to the snapshot: p50 {}, p99 {}, last {}",
            report.joined,
            report.viewers,
            spec.join_over,
            time(joins.p50_ms),
            time(joins.p99_ms),
            time(joins.max_ms)
        ));
        say(format!(
            "memory: {:.1} KiB a viewer, {:.0} MB at the end",
            report.kib_per_viewer,
            report.resident_kib[3] / 1024.0
        ));
        if report.here.count > 0 && spec.hz >= 1.0 {
            let times = &report.here;
            say(format!(
                "agent to viewer: p50 {}, p99 {}, p99.9 {}",
                time(times.p50_ms),
                time(times.p99_ms),
                time(times.p999_ms)
            ));
        }
        if report.slow.count > 0 {
            say(format!(
                "what slow viewers see is p50 {}, at most {} old; they and the stopped were told of {} skipped frames",
                time(report.slow.p50_ms),
                time(report.slow.max_ms),
                report.told_others
            ));
        }
        if report.elsewhere.count > 0 {
            let times = &report.elsewhere;
            say(format!(
                "agent to viewer through another instance: p50 {}, p99 {}, p99.9 {}; the machine was {:.0} % busy",
                time(times.p50_ms),
                time(times.p99_ms),
                time(times.p999_ms),
                100.0 * report.used.machine_busy
            ));
        }
        say(format!(
            "lost without a word to viewers that read: {}; sockets of such viewers that ended: {}",
            report.missing.saturating_sub(report.told),
            report.ended.values().sum::<u64>()
        ));
        self.done.push(Done { case, runs: vec![report], ingest: None });
    }

    /// Pairs of runs on one process, the second of each with a viewer that has stopped.
    async fn stopped(&mut self, spec: &Spec) {
        let target = self.started(Kind::Service, 1, spec).await;
        let (mut without, mut with) = (Vec::new(), Vec::new());
        // A stall of one burst is in p99 already: more rounds than where servers stand beside each other.
        for _ in 0..self.options.rounds + 2 {
            without.push(self.measure(&target, spec));
            with.push(self.measure(&target, &Spec { stopped: 1, ..spec.clone() }));
        }
        let p99 = |reports: &[Report]| report::median(reports.iter().map(|r| r.here.p99_ms));
        let (before, after) = (p99(&without), p99(&with));
        let (least, most) = report::range(without.iter().map(|r| r.here.p99_ms));
        let at_end = |reports: &[Report]| report::median(reports.iter().map(|r| r.resident_kib[3] / 1024.0));
        let _ = writeln!(
            self.text,
            "\n### {} viewers × {} Hz and one that has stopped\n\n\
             - p99 of the others: {} with it, {} without ({}–{} in {} rounds): {:+.1} %\n\
             - memory of the service at the end: {:.1} MB with it, {:.1} MB without; lost by the others: {}",
            spec.viewers,
            spec.hz,
            time(after),
            time(before),
            time(least),
            time(most),
            without.len(),
            100.0 * (after / before - 1.0),
            at_end(&with),
            at_end(&without),
            with.iter().map(|r| r.missing).sum::<u64>(),
        );
        without.append(&mut with);
        self.done.push(Done { case: Case::Stopped, runs: without, ingest: None });
    }

    async fn ingest(&mut self, seconds: f64) {
        self.await_quiet();
        let stored = ingest::run(self.feed, 500, seconds, self.programs).await;
        ingest::print(&stored);
        let _ = writeln!(
            self.text,
            "\n### 500 rigs × 20 Hz, Postgres on the same machine\n\n\
             - {}: {} of 500 rigs had everything acknowledged, {} of {} samples are stored\n\
             - {:.0} frames of two samples a second of the service's CPU ({:.0} % of a core); the machine was {:.0} % busy\n\
             - {:.0} KiB a rig; {:.2} B stored per sample and channel, index included",
            if stored.kept_up { "kept up, nothing lost" } else { "NOT kept up" },
            stored.report.sent.acknowledged,
            stored.samples,
            stored.report.sent.samples,
            stored.frames_per_cpu_s,
            100.0 * stored.report.used.servers_s / stored.report.used.wall_s,
            100.0 * stored.report.used.machine_busy,
            stored.kib_per_rig(),
            stored.bytes_per_value,
        );
        self.done.push(Done { case: Case::Ingest, runs: Vec::new(), ingest: Some(stored) });
    }

    /// Finds with how many viewers the machine is half busy, and measures there.
    async fn half_load(&mut self, spec: &Spec) {
        const PROBE: usize = 200;
        let probe = {
            let target = self.started(Kind::Service, 2, &Spec { rigs: 2, ..spec.clone() }).await;
            self.measure(&target, &Spec { viewers: PROBE, rigs: 2, seconds: 5.0, ..spec.clone() })
        };
        let ours = (probe.used.machine_busy - probe.used.others).max(0.01);
        let viewers = ((PROBE as f64 * 0.5 / ours) as usize).clamp(PROBE, 8_000);
        let spec = Spec { viewers, rigs: 2, join_over: viewers as f64 / 1_000.0 + 1.0, ..spec.clone() };
        self.alone(Case::Instances, &spec, 2).await;
    }
}
