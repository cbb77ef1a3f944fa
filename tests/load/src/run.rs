//! One run: rigs and viewers on a target, for a time.

use crate::crowd;
use crate::plan::Plan;
use crate::process::{self, Meter, Used};
use crate::rigs::{self, Feed, Sent};
use crate::tally::{Quantiles, Tally};
use crate::target::Target;
use crate::viewer::{Common, Habit, Member, Pace};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// From when the rigs are connected to their first frame.
const LEAD: Duration = Duration::from_millis(100);
/// After all have joined.
const SETTLE: Duration = Duration::from_millis(1000);
/// How long joining may take beyond its time.
const JOIN_PATIENCE: Duration = Duration::from_secs(30);
/// How long frames that were due may be under way: what comes later is counted as missing.
const GRACE: Duration = Duration::from_millis(1500);
/// Above this, the generator's own threads may be what is measured.
const SATURATED: f64 = 0.8;

/// What a run is made of.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Spec {
    /// Rigs that send.
    #[arg(long, default_value_t = 1)]
    pub(crate) rigs: usize,
    /// Frames a second of each rig.
    #[arg(long, default_value_t = 20.0)]
    pub(crate) hz: f64,
    /// Samples in a frame.
    #[arg(long, default_value_t = 1)]
    pub(crate) per_frame: usize,
    /// Viewers that read all that comes.
    #[arg(long, default_value_t = 500)]
    pub(crate) viewers: usize,
    /// More viewers, that never read once they have joined.
    #[arg(long, default_value_t = 0)]
    pub(crate) stopped: usize,
    /// More viewers, that read only --slow-bytes a second.
    #[arg(long, default_value_t = 0)]
    pub(crate) slow: usize,
    /// What a slow viewer reads a second.
    #[arg(long, default_value_t = 1000)]
    pub(crate) slow_bytes: usize,
    /// Of the viewers, how many unsubscribe and subscribe again every five seconds.
    #[arg(long, default_value_t = 0)]
    pub(crate) resubscribing: usize,
    /// Of the viewers, how many drop their connection every five seconds and go on where they were with a new one.
    #[arg(long, default_value_t = 0)]
    pub(crate) reconnecting: usize,
    /// Of the viewers, how many send every five seconds: what the rigs do, and another rate.
    #[arg(long, default_value_t = 0)]
    pub(crate) sending: usize,
    /// Seconds between two pings of a viewer, 0 for none.
    #[arg(long, default_value_t = 5.0)]
    pub(crate) ping_every: f64,
    /// Frames a second that viewers ask for; all where not given.
    #[arg(long)]
    pub(crate) max_hz: Option<u32>,
    /// Seconds over which the viewers join.
    #[arg(long, default_value_t = 1.0)]
    pub(crate) join_over: f64,
    /// Seconds that count, after all have joined.
    #[arg(long, default_value_t = 10.0)]
    pub(crate) seconds: f64,
    /// Threads for viewers.
    #[arg(long, default_value_t = 1)]
    pub(crate) threads: usize,
    /// Seconds to wait at the end until everything is acknowledged; 0 for not at all.
    #[arg(long, default_value_t = 0)]
    pub(crate) acks_within: u64,
}

/// The standard case: 500 viewers × 20 Hz.
impl Default for Spec {
    fn default() -> Self {
        Self {
            rigs: 1,
            hz: 20.0,
            per_frame: 1,
            viewers: 500,
            stopped: 0,
            slow: 0,
            slow_bytes: 1000,
            resubscribing: 0,
            reconnecting: 0,
            sending: 0,
            ping_every: 5.0,
            max_hz: None,
            join_over: 1.0,
            seconds: 10.0,
            threads: 1,
            acks_within: 0,
        }
    }
}

impl Spec {
    pub(crate) fn describe(&self) -> String {
        let mut text = format!("{} viewers, {} rig(s) × {} Hz", self.viewers, self.rigs, self.hz);
        if let Some(max_hz) = self.max_hz {
            text += &format!(", {max_hz} Hz asked for");
        }
        for (n, what) in [
            (self.stopped, "stopped"),
            (self.slow, "slow"),
            (self.resubscribing, "resubscribing"),
            (self.reconnecting, "reconnecting"),
            (self.sending, "sending"),
        ] {
            if n > 0 {
                text += &format!(", {n} {what}");
            }
        }
        text
    }

    fn all_viewers(&self) -> usize {
        self.viewers + self.stopped + self.slow
    }

    fn habit(&self, index: usize) -> Option<Habit> {
        let habits = [
            (Habit::Resubscribes, self.resubscribing),
            (Habit::Reconnects, self.reconnecting),
            (Habit::Sends, self.sending),
        ];
        let mut from = 0;
        habits.into_iter().find_map(|(habit, count)| {
            from += count;
            (index < from).then_some(habit)
        })
    }
}

/// What came of it.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) target: &'static str,
    pub(crate) instances: usize,
    pub(crate) what: String,
    pub(crate) viewers: usize,
    pub(crate) joined: usize,
    pub(crate) joins: Quantiles,
    /// Frames that all viewers together should have got, where none was thinned, went away or came late.
    pub(crate) expected: Option<u64>,
    pub(crate) delivered: u64,
    /// Of them, to viewers that read all that comes.
    pub(crate) prompt: u64,
    pub(crate) delivered_per_s: f64,
    pub(crate) bytes_per_viewer_s: f64,
    /// To prompt viewers: by their sequences, and as the server told.
    pub(crate) missing: u64,
    pub(crate) told: u64,
    pub(crate) told_others: u64,
    pub(crate) disordered: u64,
    /// Agent to viewer, from when the frame was due: on the rig's instance, and through another.
    pub(crate) here: Quantiles,
    pub(crate) elsewhere: Quantiles,
    /// The same to slow viewers: how old what they see is.
    pub(crate) slow: Quantiles,
    pub(crate) used: Used,
    pub(crate) cpu_us_per_frame: f64,
    /// Resident memory of the servers before the rigs came, before the viewers did, with all of them, and at the end.
    pub(crate) resident_kib: [f64; 4],
    pub(crate) kib_per_rig: f64,
    pub(crate) kib_per_viewer: f64,
    pub(crate) sent: Sent,
    pub(crate) busiest_thread: f64,
    pub(crate) ended: BTreeMap<String, u64>,
    pub(crate) ended_others: BTreeMap<String, u64>,
    pub(crate) load_average: String,
}

impl Report {
    /// Frames that viewers who read everything neither got nor were told of.
    pub(crate) fn unexplained(&self) -> u64 {
        self.missing.saturating_sub(self.told)
    }

    /// Whether the generator may be what was measured.
    pub(crate) fn is_saturated(&self) -> bool {
        self.busiest_thread.max(self.sent.busy) > SATURATED
    }
}

/// Runs it. Blocks.
pub(crate) fn run(target: &Target, spec: &Spec, feed: &Feed) -> Report {
    let needed = spec.all_viewers() + spec.rigs + 100;
    assert!(
        process::file_limit() >= needed,
        "{needed} open files are needed, of this process and of the service: ulimit -Hn, or /etc/security/limits.conf"
    );
    let pids = target.pids();
    let empty = process::resident_kib(&pids);
    let rigs = target.rigs(spec.rigs);
    let plan = Arc::new(Plan::new(Instant::now() + LEAD, spec.hz, spec.rigs, target.first_sequence()));
    let sessions: Vec<_> = rigs.iter().map(|rig| rig.session).collect();
    let feed = Feed {
        per_frame: spec.per_frame,
        acks_within: (spec.acks_within > 0).then(|| Duration::from_secs(spec.acks_within)),
        ..feed.clone()
    };
    let publisher = rigs::spawn(rigs, plan.clone(), feed);
    // The snapshot has everything at once when some frames have gone by.
    std::thread::sleep(LEAD + Duration::from_millis(400));
    let with_rigs = process::resident_kib(&pids);

    let common = Arc::new(Common {
        dialect: target.dialect(spec.max_hz),
        plan: plan.clone(),
        is_thinned: spec.max_hz.is_some_and(|max| f64::from(max) < spec.hz),
    });
    let ping_every = Duration::from_secs_f64(spec.ping_every);
    let crowds: Vec<_> = members(target, spec, &sessions, plan.start.elapsed())
        .into_iter()
        .map(|members| crowd::spawn(members, common.clone(), ping_every))
        .collect();
    await_joined(spec, &plan);
    std::thread::sleep(SETTLE);
    let with_viewers = process::resident_kib(&pids);
    let meter = Meter::start(&[&pids[..], &target.redis_pid].concat());
    plan.open_window(Duration::from_secs_f64(spec.seconds));
    std::thread::sleep(Duration::from_secs_f64(spec.seconds));
    let used = meter.read();
    let load_average = process::load_average();
    let at_end = process::resident_kib(&pids);
    let joined = plan.joined.load(Ordering::Acquire);
    std::thread::sleep(GRACE);
    plan.stop_rigs();
    let sent = publisher.join().expect("the rigs' thread ends well");
    plan.stop_viewers();
    let mut tally = Tally::default();
    crowds.into_iter().for_each(|crowd| tally.add(&crowd.join().expect("a viewers' thread ends well")));

    let is_whole = !common.is_thinned && spec.resubscribing + spec.reconnecting + spec.sending == 0;
    let expected = is_whole.then(|| (0..spec.viewers).map(|viewer| plan.counted(viewer % spec.rigs)).sum());
    Report {
        target: target.kind.name(),
        instances: target.instances.len(),
        what: spec.describe(),
        viewers: spec.all_viewers(),
        joined,
        joins: tally.joins.figures(),
        expected,
        delivered: tally.delivered,
        prompt: tally.prompt,
        delivered_per_s: tally.delivered as f64 / spec.seconds,
        bytes_per_viewer_s: tally.bytes as f64 / spec.seconds / spec.all_viewers().max(1) as f64,
        missing: tally.missing,
        told: tally.told,
        told_others: tally.told_others,
        disordered: tally.disordered,
        here: tally.here.figures(),
        elsewhere: tally.elsewhere.figures(),
        slow: tally.slow.figures(),
        cpu_us_per_frame: used.servers_s * 1e6 / tally.delivered.max(1) as f64,
        used,
        resident_kib: [empty, with_rigs, with_viewers, at_end],
        kib_per_rig: (with_rigs - empty) / spec.rigs as f64,
        kib_per_viewer: (with_viewers - with_rigs) / joined.max(1) as f64,
        sent,
        busiest_thread: tally.busiest_thread,
        ended: tally.ended,
        ended_others: tally.ended_others,
        load_average,
    }
}

/// The viewers, spread over instances, rigs and the generator's threads.
fn members(target: &Target, spec: &Spec, sessions: &[onelap_protocol::SessionId], from: Duration) -> Vec<Vec<Member>> {
    let all = spec.all_viewers();
    let mut threads = vec![Vec::new(); spec.threads.max(1)];
    for index in 0..all {
        let pace = match index {
            i if i < spec.viewers => Pace::Prompt,
            i if i < spec.viewers + spec.slow => Pace::Slow(spec.slow_bytes),
            _ => Pace::Stopped,
        };
        let (rig, instance) = (index % spec.rigs, index / spec.rigs % target.instances.len());
        let member = Member {
            instance: target.instances[instance],
            rig,
            session: sessions[rig],
            is_elsewhere: instance != target.instance_of(rig),
            pace,
            join_at: from + Duration::from_secs_f64(spec.join_over).mul_f64(index as f64 / all as f64),
            habit: spec.habit(index),
        };
        let thread = index % threads.len();
        threads[thread].push(member);
    }
    threads
}

fn await_joined(spec: &Spec, plan: &Plan) {
    let deadline = Instant::now() + Duration::from_secs_f64(spec.join_over) + JOIN_PATIENCE;
    while plan.joined.load(Ordering::Acquire) < spec.all_viewers() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
}
