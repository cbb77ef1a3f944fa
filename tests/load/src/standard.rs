//! The standard set: every case of it on a fresh target, with one instance and with several, the servers beside each other
//! in rounds, and the tables that go into `docs/performance.md`.

use crate::ingest::{self, Stored};
use crate::process::{self, Meter};
use crate::report::{self, Verdict, time};
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
/// How much more CPU than the bare loop a frame may cost.
const MOST_TIMES_BARE: f64 = 1.3;
/// How much a viewer that has stopped may cost the others, of their p99.
const MOST_FOR_STOPPED: f64 = 0.1;
/// Agent to viewer through two instances and Redis at half load, p99.
const MOST_THROUGH_REDIS_MS: f64 = 25.0;

/// A case of the set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Case {
    /// 500 viewers × 20 Hz, every server.
    Fanout,
    /// 5,000 viewers × 2 Hz, every server.
    Many,
    /// 200 viewers × 20 Hz, with and without one on each instance that has stopped.
    Stopped,
    /// 200 viewers × 20 Hz and ten that read half of what comes.
    Slow,
    /// 500 viewers of which some resubscribe, reconnect, send, are slow or stopped.
    Mixed,
    /// 10,000 idle viewers.
    Idle,
    /// 1,000 viewers that join within a second.
    Join,
    /// 500 rigs × 20 Hz into Postgres.
    Ingest,
    /// Two instances and Redis, at half load.
    HalfLoad,
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
    /// Instances of the service, one after the other; more than one need --redis.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 2])]
    instances: Vec<usize>,
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
    verdicts: Vec<Verdict>,
    text: String,
}

/// Runs the set.
pub(crate) async fn run(options: &Options, programs: &Programs, feed: &Feed) {
    let most = options.instances.iter().copied().max().unwrap_or(1);
    assert!(most == 1 || programs.redis.is_some(), "{most} instances need --redis; without: --instances 1");
    let (machine, began) = (process::machine(), Instant::now());
    println!("{machine}; load average {}", process::load_average());
    let (done, verdicts) = (Vec::new(), Vec::new());
    let mut standard = Standard { options, programs, feed, done, verdicts, text: String::new() };
    for case in Case::value_variants() {
        if options.only.is_empty() || options.only.contains(case) {
            standard.case(*case).await;
        }
    }
    let text = format!(
        "Machine: {machine}. {} s a run, {} rounds; load average {} at the end, after {:.0} minutes.\n\n{}{}",
        options.seconds,
        options.rounds,
        process::load_average(),
        began.elapsed().as_secs_f64() / 60.0,
        report::verdicts(&standard.verdicts),
        standard.text
    );
    println!("\n{text}");
    if let Some(path) = &options.json {
        let all = serde_json::json!({ "machine": machine, "cases": standard.done });
        std::fs::write(path, format!("{all:#}\n")).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
    if let Some(path) = &options.write {
        report::write_between_marks(path, "make bench", &text);
    }
}

/// What a case looks at of a report.
type Figure = fn(&Report) -> f64;

/// A topology in a heading or a verdict.
fn over(instances: usize) -> String {
    if instances > 1 { format!(", {instances} instances over Redis") } else { String::new() }
}

impl Standard<'_> {
    async fn case(&mut self, case: Case) {
        println!("\n## {case:?}");
        let seconds = self.options.seconds;
        let spec = Spec { seconds, ..Spec::default() };
        match case {
            Case::Fanout => {
                use Kind::{ActixWs, ActixWsQueued, Bare, FlaskSocketIo, Preframed, Service, SocketIo};
                let all = [Bare, Service, Preframed, ActixWs, ActixWsQueued, SocketIo, FlaskSocketIo];
                self.compare(case, &all, &spec).await;
            }
            Case::Many => {
                let spec = Spec { viewers: 5_000, hz: 2.0, join_over: 5.0, ping_every: 20.0, ..spec };
                self.compare(case, &[Kind::Bare, Kind::Service, Kind::SocketIo, Kind::FlaskSocketIo], &spec).await;
            }
            Case::HalfLoad => {
                for instances in self.options.instances.clone().into_iter().filter(|n| *n > 1) {
                    self.half_load(&spec, instances).await;
                }
            }
            _ => {
                for instances in self.options.instances.clone() {
                    self.on(case, instances, &spec).await;
                }
            }
        }
    }

    /// A case of our service alone, on so many instances.
    async fn on(&mut self, case: Case, instances: usize, spec: &Spec) {
        let (seconds, spec) = (spec.seconds, spec.clone());
        let spec = match case {
            Case::Stopped => return self.stopped(&Spec { viewers: 200, ..spec }, instances).await,
            Case::Ingest => return self.ingest(seconds.max(25.0), instances).await,
            // Long enough for what kernels hold to fill up.
            Case::Slow => Spec { viewers: 200, slow: 10, slow_bytes: 4_000, seconds: seconds * 4.0, ..spec },
            Case::Mixed => {
                let (slow, stopped, resubscribing, reconnecting, sending) = (10, 10, 50, 50, 50);
                let seconds = seconds * 2.0;
                Spec { slow, stopped, resubscribing, reconnecting, sending, seconds, ..spec }
            }
            Case::Idle => Spec { viewers: 10_000, hz: 0.2, join_over: 15.0, ping_every: 30.0, ..spec },
            _ => Spec { viewers: 1_000, join_over: 1.0, hz: 2.0, ..spec },
        };
        self.alone(case, &spec, instances).await;
    }

    fn verdict(&mut self, what: String, wanted: &'static str, was: String, holds: bool) {
        self.verdicts.push(Verdict { what, wanted, was, holds });
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
        let kinds = kinds.iter().copied().filter(|kind| asked.is_empty() || asked.contains(kind));
        let all_instances = |kind| if kind == Kind::Service { &self.options.instances[..] } else { &[1] };
        let servers: Vec<(Kind, usize)> =
            kinds.flat_map(|kind| all_instances(kind).iter().map(move |instances| (kind, *instances))).collect();
        let mut rounds: Vec<Vec<Report>> = servers.iter().map(|_| Vec::new()).collect();
        for _ in 0..self.options.rounds {
            for ((kind, instances), reports) in servers.iter().zip(&mut rounds) {
                let target = self.started(*kind, *instances, spec).await;
                reports.push(self.measure(&target, spec));
            }
        }
        let table = report::compare(&rounds);
        let bare = servers.iter().zip(&rounds).find(|((kind, _), _)| *kind == Kind::Bare).map(|(_, r)| report::cost(r));
        for ((_, instances), reports) in servers.iter().zip(&rounds).filter(|((kind, _), _)| *kind == Kind::Service) {
            let lost: u64 = reports.iter().map(Report::unexplained).sum();
            let what = format!("{}{}", spec.describe(), over(*instances));
            if let (Some(bare), 1) = (bare, *instances) {
                let times = report::cost(reports) / bare;
                let wanted = "at most 1.3 × the bare loop";
                self.verdict(format!("{what}: CPU a frame"), wanted, format!("{times:.2} ×"), times <= MOST_TIMES_BARE);
            }
            self.verdict(format!("{what}: lost without a word"), "0", lost.to_string(), lost == 0);
        }
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
        let what = format!("{}{}", report.what, over(instances));
        let _ = writeln!(self.text, "\n### {what}\n\n{}", report::alone(&report, spec.join_over));
        let lost = report.unexplained() + report.ended.values().sum::<u64>() + (report.viewers - report.joined) as u64;
        let holds = lost == 0;
        self.verdict(format!("{what}: not joined, ended, or lost without a word"), "0", lost.to_string(), holds);
        if case == Case::HalfLoad {
            let p99_ms = report.elsewhere.p99_ms;
            let what = format!("{what}: p99 through Redis, the machine {:.0} % busy", 100.0 * report.used.machine_busy);
            self.verdict(what, "at most 25 ms", time(p99_ms), p99_ms <= MOST_THROUGH_REDIS_MS);
        }
        self.done.push(Done { case, runs: vec![report], ingest: None });
    }

    /// Pairs of runs on the same processes, the second of each with a viewer on each instance that has stopped.
    async fn stopped(&mut self, spec: &Spec, instances: usize) {
        let target = self.started(Kind::Service, instances, spec).await;
        let (mut without, mut with) = (Vec::new(), Vec::new());
        // A stall of one burst is in p99 already: more rounds than where servers stand beside each other.
        for _ in 0..self.options.rounds + 2 {
            without.push(self.measure(&target, spec));
            with.push(self.measure(&target, &Spec { stopped: instances, ..spec.clone() }));
        }
        let what = format!("{} viewers × {} Hz{}", spec.viewers, spec.hz, over(instances));
        let whose = if instances > 1 { "one on each that has stopped" } else { "one that has stopped" };
        let _ = writeln!(self.text, "\n### {what}, and {whose}\n");
        let paths: [(&str, Figure); 2] = [
            ("the others", |r| r.here.p99_ms),
            ("the others on another instance than the rig's", |r| r.elsewhere.p99_ms),
        ];
        for (whose, p99_ms) in paths.into_iter().take(instances.min(2)) {
            let p99 = |reports: &[Report]| report::median(reports.iter().map(p99_ms));
            let (before, after) = (p99(&without), p99(&with));
            let (least, most) = report::range(without.iter().map(p99_ms));
            let more = after / before - 1.0;
            let _ = writeln!(
                self.text,
                "- p99 of {whose}: {} with it, {} without ({}–{} in {} rounds): {:+.1} %",
                time(after),
                time(before),
                time(least),
                time(most),
                without.len(),
                100.0 * more,
            );
            let what = format!("{what}: what one that has stopped costs {whose}, p99");
            self.verdict(what, "at most 10 %", format!("{:+.1} %", 100.0 * more), more <= MOST_FOR_STOPPED);
        }
        let at_end = |reports: &[Report]| report::median(reports.iter().map(|r| r.resident_kib[3] / 1024.0));
        let _ = writeln!(
            self.text,
            "- memory of the service at the end: {:.1} MB with it, {:.1} MB without; lost by the others: {}",
            at_end(&with),
            at_end(&without),
            with.iter().map(|r| r.missing).sum::<u64>(),
        );
        without.append(&mut with);
        self.done.push(Done { case: Case::Stopped, runs: without, ingest: None });
    }

    async fn ingest(&mut self, seconds: f64, instances: usize) {
        const RIGS: usize = 500;
        tokio::task::block_in_place(|| self.await_quiet());
        let stored = ingest::run(self.feed, RIGS, seconds, self.programs, instances).await;
        ingest::print(&stored);
        let what = format!("{RIGS} rigs × 20 Hz{}, Postgres on the same machine", over(instances));
        let was = if stored.kept_up { "kept up, nothing lost" } else { "NOT kept up" };
        let _ = writeln!(
            self.text,
            "\n### {what}\n\n\
             - {was}: {} of {RIGS} rigs had everything acknowledged, {} of {} samples are stored; sent late p99 {}\n\
             - {:.0} frames of two samples a second of the service's CPU ({:.0} % of a core); the machine was {:.0} % busy\n\
             - {:.0} KiB a rig; {:.2} B stored per sample and channel, index included",
            stored.report.sent.acknowledged,
            stored.samples,
            stored.report.sent.samples,
            time(stored.report.sent.late.p99_ms),
            stored.frames_per_cpu_s,
            100.0 * stored.report.used.servers_s / stored.report.used.wall_s,
            100.0 * stored.report.used.machine_busy,
            stored.kib_per_rig(),
            stored.bytes_per_value,
        );
        self.verdict(what, "kept up, nothing lost", was.to_owned(), stored.kept_up);
        self.done.push(Done { case: Case::Ingest, runs: Vec::new(), ingest: Some(stored) });
    }

    /// Finds with how many viewers the machine is half busy, and measures there.
    async fn half_load(&mut self, spec: &Spec, instances: usize) {
        const PROBE: usize = 200;
        let probe = {
            let target = self.started(Kind::Service, instances, spec).await;
            self.measure(&target, &Spec { viewers: PROBE, seconds: 5.0, ..spec.clone() })
        };
        let ours = (probe.used.machine_busy - probe.used.others).max(0.01);
        let viewers = ((PROBE as f64 * 0.5 / ours) as usize).clamp(PROBE, 8_000);
        let spec = Spec { viewers, join_over: viewers as f64 / 1_000.0 + 1.0, ..spec.clone() };
        self.alone(Case::HalfLoad, &spec, instances).await;
    }
}
