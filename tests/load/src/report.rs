//! Reports as people read them: a line while it runs, tables at the end.

use crate::run::Report;
use std::fmt::Write as _;
use std::path::Path;

/// Median of what is not empty, by value.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// Least and greatest.
pub(crate) fn range(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    values.into_iter().fold((f64::INFINITY, 0.0), |(least, most), v| (least.min(v), most.max(v)))
}

/// Everything about one run.
pub(crate) fn print(report: &Report) {
    let Report { target, what, used, sent, .. } = report;
    println!("{target}: {what}");
    if report.viewers > 0 {
        print_viewers(report);
    }
    println!(
        "  servers: {:.2} s CPU in {:.1} s; {:.1} MB with rigs, {:.1} MB at the end",
        used.servers_s,
        used.wall_s,
        report.resident_kib[1] / 1024.0,
        report.resident_kib[3] / 1024.0
    );
    println!(
        "  generator: {:.2} s CPU, busiest thread of viewers {:.0} %, of rigs {:.0} %, frames sent late p99 {:.2} ms{}",
        used.generator_s,
        100.0 * report.busiest_thread,
        100.0 * sent.busy,
        sent.late.p99_ms,
        if report.is_saturated() { " — SATURATED: it may be what was measured" } else { "" }
    );
    println!(
        "  machine: {:.0} % busy, others {:.0} %, load {}",
        100.0 * used.machine_busy,
        100.0 * used.others,
        report.load_average
    );
    for (whose, ended) in [("", &report.ended), ("slow or stopped: ", &report.ended_others)] {
        for (why, n) in ended {
            println!("  {whose}{n} sockets ended: {}", why.chars().take(200).collect::<String>());
        }
    }
    for complaint in &sent.complaints {
        println!("  a rig was told: {}", complaint.chars().take(200).collect::<String>());
    }
}

fn print_viewers(report: &Report) {
    let Report { delivered, here, elsewhere, slow, .. } = report;
    println!(
        "  {} of {} viewers joined; first sight p50 {:.1} ms, p99 {:.1} ms, last {:.1} ms",
        report.joined, report.viewers, report.joins.p50_ms, report.joins.p99_ms, report.joins.max_ms
    );
    let expected = report.expected.map(|n| format!(" of {n}")).unwrap_or_default();
    println!(
        "  delivered {delivered}{expected}, {:.0}/s, {:.1} kB/s each; missing {}, told of {} ({} to slow or stopped ones); out of order {}",
        report.delivered_per_s,
        report.bytes_per_viewer_s / 1e3,
        report.missing,
        report.told,
        report.told_others,
        report.disordered
    );
    for (path, times) in [("agent to viewer", here), ("through another instance", elsewhere), ("to slow viewers", slow)]
    {
        if times.count > 0 {
            println!(
                "  {path}: p50 {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms, max {:.1} ms",
                times.p50_ms, times.p99_ms, times.p999_ms, times.max_ms
            );
        }
    }
    println!(
        "  {:.2} µs of the servers' CPU per delivered frame; {:.1} MB with viewers, {:.1} KiB each",
        report.cpu_us_per_frame,
        report.resident_kib[2] / 1024.0,
        report.kib_per_viewer
    );
}

/// A report's server in a table.
fn name(report: &Report) -> String {
    match report.instances {
        1 => report.target.to_owned(),
        n => format!("{}, {n} instances over Redis: viewers on the rig's", report.target),
    }
}

/// CPU a delivered frame, the median of the rounds.
pub(crate) fn cost(reports: &[Report]) -> f64 {
    median(reports.iter().map(|r| r.cpu_us_per_frame))
}

/// Servers beside each other: the median of the rounds of each, the first being the baseline.
pub(crate) fn compare(rounds: &[Vec<Report>]) -> String {
    let mut text = String::from(
        "| server | delivered/s | of what was due | CPU per delivered frame | × the bare loop | p50 | p99 | p99.9 | memory per viewer |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    let baseline = rounds.first().map(|reports| cost(reports)).unwrap_or_default();
    for reports in rounds {
        let Some(first) = reports.first() else { continue };
        let of = |figure: fn(&Report) -> f64| median(reports.iter().map(figure));
        let (least, most) = range(reports.iter().map(|r| r.cpu_us_per_frame));
        let due = of(|r| r.expected.map_or(f64::NAN, |expected| 100.0 * r.prompt as f64 / expected.max(1) as f64));
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| {} | {:.0} | {due:.1} % | {:.2} µs ({least:.2}–{most:.2}) | {:.2} | {} | {} | {} | {:.0} KiB |",
            name(first),
            of(|r| r.delivered_per_s),
            cost(reports),
            cost(reports) / baseline,
            time(of(|r| r.here.p50_ms)),
            time(of(|r| r.here.p99_ms)),
            time(of(|r| r.here.p999_ms)),
            of(|r| r.kib_per_viewer),
        );
        if first.elsewhere.count > 0 {
            let _ = writeln!(
                text,
                "| {}: viewers on another | | | | | {} | {} | {} | |",
                first.target,
                time(of(|r| r.elsewhere.p50_ms)),
                time(of(|r| r.elsewhere.p99_ms)),
                time(of(|r| r.elsewhere.p999_ms)),
            );
        }
    }
    text
}

/// What has to hold, and whether it did.
pub(crate) struct Verdict {
    pub(crate) what: String,
    pub(crate) wanted: &'static str,
    pub(crate) was: String,
    pub(crate) holds: bool,
}

/// Verdicts as a table.
pub(crate) fn verdicts(all: &[Verdict]) -> String {
    let mut text = String::from("| what | wanted | was | |\n|---|---|---|---|\n");
    for Verdict { what, wanted, was, holds } in all {
        let holds = if *holds { "holds" } else { "**does not hold**" };
        let _ = writeln!(text, "| {what} | {wanted} | {was} | {holds} |");
    }
    text
}

/// Our service alone, line by line.
pub(crate) fn alone(report: &Report, join_over_s: f64) -> String {
    let Report { joins, here, elsewhere, slow, .. } = report;
    let mut lines = vec![
        format!(
            "{} of {} joined within {join_over_s} s; from the attempt to the snapshot: p50 {}, p99 {}, last {}",
            report.joined,
            report.viewers,
            time(joins.p50_ms),
            time(joins.p99_ms),
            time(joins.max_ms)
        ),
        format!(
            "memory: {:.1} KiB a viewer, {:.0} MB at the end",
            report.kib_per_viewer,
            report.resident_kib[3] / 1024.0
        ),
    ];
    // With a handful of frames there are no quantiles.
    for (path, times) in [("agent to viewer", here), ("agent to viewer through another instance", elsewhere)] {
        if times.count > 10_000 {
            let [p50, p99, p999] = [times.p50_ms, times.p99_ms, times.p999_ms].map(time);
            lines.push(format!("{path}: p50 {p50}, p99 {p99}, p99.9 {p999}"));
        }
    }
    if slow.count > 0 {
        lines.push(format!(
            "what slow viewers see is p50 {}, p99 {}, at most {} old; they and the stopped were told of {} skipped frames",
            time(slow.p50_ms),
            time(slow.p99_ms),
            time(slow.max_ms),
            report.told_others
        ));
    }
    let closed: u64 = report.ended_others.values().sum();
    if closed > 0 {
        lines.push(format!("slow or stopped viewers that the service closed: {closed}"));
    }
    lines.push(format!(
        "{:.0} frames/s delivered, {:.2} µs of the servers' CPU each; the machine was {:.0} % busy",
        report.delivered_per_s,
        report.cpu_us_per_frame,
        100.0 * report.used.machine_busy
    ));
    lines.push(format!(
        "lost without a word to viewers that read: {}; sockets of such viewers that ended: {}",
        report.unexplained(),
        report.ended.values().sum::<u64>()
    ));
    lines.iter().map(|line| format!("- {line}\n")).collect()
}

/// A time with as many digits as it deserves.
pub(crate) fn time(ms: f64) -> String {
    match ms {
        ms if ms < 10.0 => format!("{ms:.2} ms"),
        ms if ms < 1000.0 => format!("{ms:.0} ms"),
        ms => format!("{:.1} s", ms / 1000.0),
    }
}

/// Replaces what stands in a file between the two marks of that name.
pub(crate) fn write_between_marks(path: &Path, name: &str, text: &str) {
    let whole = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let [begin, end] = ["from here", "to here"].map(|mark| format!("<!-- {name}: {mark} -->"));
    let marks = || Some((whole.split_once(&begin)?.0, whole.split_once(&end)?.1));
    let (before, after) =
        marks().unwrap_or_else(|| panic!("{} has no lines \"{begin}\" and \"{end}\"", path.display()));
    std::fs::write(path, format!("{before}{begin}\n\n{text}\n{end}{after}")).expect("the file can be written");
}
