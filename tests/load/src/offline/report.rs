//! The report as people read it.

use super::{Report, Stretch};
use crate::report::time;
use std::fmt::Write as _;

/// Everything about it.
pub(crate) fn print(report: &Report) {
    println!("\n{}", text(report));
    println!(
        "the tool itself: {} items' worth read in {:.1} s; beats late p99 {}, at most {}; inputs dropped {}; the session was asked for {} times in vain",
        report.items,
        report.reading_s,
        time(report.beats_late.p99_ms),
        time(report.beats_late.max_ms),
        report.dropped_inputs,
        report.refused
    );
}

/// What goes into the documentation.
pub(crate) fn text(report: &Report) -> String {
    let Report { during, alone, .. } = report;
    let mut text = format!("Machine: {}. Load average {} when", report.machine, report.load_average[0]);
    // Writing to a string cannot fail.
    let _ = writeln!(text, " the agent connected, {} at the end.\n", report.load_average[1]);
    let _ = writeln!(
        text,
        "- {} minutes without the service at 20 Hz: {} items ({} samples), {:.1} MB in the spool on disk",
        report.minutes,
        report.items,
        report.samples,
        report.disk_bytes as f64 / 1e6
    );
    let _ = writeln!(
        text,
        "- live: from the agent's first attempt to the welcome {}, to the first batch at a viewer that waits {}",
        time(report.welcome_ms),
        time(report.live_ms)
    );
    let _ = writeln!(
        text,
        "- caught up: everything sent after {:.1} s ({:.0} items/s); all that was read meanwhile acknowledged after {:.1} s, \
         what had waited after {:.1} s; longest time without an acknowledgement until then {:.1} s",
        report.sent_s,
        report.items as f64 / report.sent_s,
        report.all_acknowledged_s,
        report.hour_acknowledged_s,
        report.longest_pause_s
    );
    let _ = writeln!(
        text,
        "- the live view went back {} times and skipped {} sequences; it was told of {} late events and {} stretches that are there now\n",
        during.back + alone.back,
        report.skipped,
        report.late_events,
        report.stretches
    );
    let _ = writeln!(
        text,
        "| | while it catches up ({:.0} s) | afterwards, live alone ({:.0} s) |\n|---|---|---|",
        during.cost.seconds, alone.cost.seconds
    );
    for (what, of) in ROWS {
        let _ = writeln!(text, "| {what} | {} | {} |", of(during), of(alone));
    }
    let _ = writeln!(
        text,
        "\nThe service had {:.0} MB before the agent came. At the end {} samples were read and {} are stored: {}.",
        report.resident_before_kib / 1024.0,
        report.read,
        report.stored,
        if report.is_whole() { "nothing is lost, nothing twice" } else { "NOT the same, or the live view went back" }
    );
    text
}

type Row = (&'static str, fn(&Stretch) -> String);

const ROWS: [Row; 7] = [
    ("CPU of the service", |s| cpu(&s.cost.service)),
    ("CPU of Postgres", |s| cpu(&s.cost.postgres)),
    ("CPU of the agent (pipeline, spool, link)", |s| cpu(&s.cost.agent)),
    ("bytes from the agent, to it", |s| {
        let (from, to) = (s.cost.from_agent as f64, s.cost.to_agent as f64);
        format!("{:.2} MB, {:.1} kB ({:.1} kB/s)", from / 1e6, to / 1e3, from / 1e3 / s.cost.seconds)
    }),
    ("memory of the service, at most", |s| format!("{:.0} MB", s.cost.resident_kib / 1024.0)),
    ("age of a live batch at the viewer: p50, p99, most", |s| {
        format!("{}, {}, {}", time(s.ages.p50_ms), time(s.ages.p99_ms), time(s.ages.max_ms))
    }),
    ("live samples shown, of those due", |s| format!("{} of {:.0}", s.shown, s.due)),
];

fn cpu(cpu: &super::meters::Cpu) -> String {
    let super::meters::Cpu { seconds, mean, peak } = cpu;
    format!("{seconds:.2} s: {:.1} % of a core, {:.0} % in the worst second", 100.0 * mean, 100.0 * peak)
}
