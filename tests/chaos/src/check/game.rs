//! What the games say they did, against what is recorded: laps to the millisecond, and samples without holes, wherever the
//! agent was there to see it.

use super::{Evidence, Findings, Wrong};
use crate::clock::Span;
use crate::plan::Target;
use crate::rig::{GameRun, Kind};
use crate::rows;
use fake_game::{LapRecord, RaceLog};
use std::collections::BTreeMap;

/// How long agent and game may take to find each other.
const WARM_MS: u64 = 8_000;
/// A lap is known this long after its end, at the latest.
const KNOWN_MS: u64 = 1_500;
/// Longest pause between samples. Twenty a second are read; the rest is for a machine that is busy.
pub const HOLE_MS: u64 = 3_000;

pub(super) fn check(evidence: &Evidence<'_>, findings: &mut Findings) {
    let (mut seen, mut longest_hole_ms) = (0, 0);
    for (rig, (kind, runs)) in evidence.games.iter().enumerate() {
        let spans = evidence.health.all(&[Target::Agent(rig), Target::Game(rig)], evidence.end_ms);
        let spans: Vec<Span> = spans.iter().map(|span| Span { from_ms: span.from_ms + WARM_MS, ..*span }).collect();
        for run in runs {
            if let Some(log) = &run.log {
                seen += check_run(evidence, rig, *kind, run, log, &spans, findings);
            }
        }
        longest_hole_ms = longest_hole_ms.max(check_holes(evidence, rig, &spans, findings));
    }
    findings.figure("laps of the games that an agent saw whole", &seen);
    let hole = format!("{:.1} s (limit {} s)", longest_hole_ms as f64 / 1e3, HOLE_MS / 1_000);
    findings.figure("longest pause between samples", &hole);
}

/// Laps of one run of a game. Returns how many the agent saw whole.
fn check_run(
    evidence: &Evidence<'_>,
    rig: usize,
    kind: Kind,
    run: &GameRun,
    log: &RaceLog,
    spans: &[Span],
    findings: &mut Findings,
) -> u64 {
    let recorded = recorded_laps(evidence, rig, run);
    let mut seen = 0;
    for lap in log.sessions.iter().flat_map(|session| &session.laps) {
        let Some(car) = log.cars.iter().find(|car| car.car_id == lap.car_id) else { continue };
        let key = if kind.is_f1 { car.f1_index.to_string() } else { car.car_id.to_string() };
        let rows = recorded.get(&(key, lap.lap)).map(Vec::as_slice).unwrap_or_default();
        let at = || format!("rig {rig} car {} lap {}", car.number, lap.lap);
        for row in rows.iter().filter(|row| row.time_ms.is_some() && row.time_ms != lap.lap_time_ms) {
            findings.wrong(Wrong::Lap, 1, || format!("{}: {row:?}, the game says {lap:?}", at()));
        }
        let times = when(run, lap.start_et_ms).zip(when(run, lap.end_et_ms));
        let was_seen = times.is_some_and(|(from, to)| spans.iter().any(|span| span.holds(from, to + KNOWN_MS)));
        if was_seen {
            seen += 1;
            if !rows.iter().any(|row| is_same(row, lap)) {
                let told = format!("{}: {rows:?}, the game says {lap:?}", at());
                findings.wrong(Wrong::Lap, 1, || told);
            }
        }
    }
    seen
}

fn is_same(row: &rows::Lap, lap: &LapRecord) -> bool {
    let sectors = [lap.sector1_ms, lap.sector2_ms, lap.sector3_ms];
    (row.time_ms, row.sectors_ms, &row.driver) == (lap.lap_time_ms, sectors, &lap.driver)
}

/// What is recorded of a run of a game, by car and lap. A car's key begins with the game's own number of it.
fn recorded_laps<'a>(
    evidence: &Evidence<'a>,
    rig: usize,
    run: &GameRun,
) -> BTreeMap<(String, u32), Vec<&'a rows::Lap>> {
    let mut laps: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for ((session, epoch), stream) in &evidence.heard.streams {
        let is_first = evidence.heard.streams.range((*session, 0)..(*session, *epoch)).all(|(_, s)| s.items.is_empty());
        let is_of_run = stream.rig == rig && (run.began_ms..run.ended_ms).contains(&stream.read_ms());
        if !(is_first && is_of_run) || stream.items.is_empty() {
            continue;
        }
        for lap in evidence.sessions.get(session).into_iter().flat_map(|session| &session.laps) {
            let car = lap.car.split('-').next().unwrap_or_default().to_owned();
            laps.entry((car, lap.lap)).or_default().push(lap);
        }
    }
    laps
}

/// When the game's clock stood there; `None` outside of what was noted.
fn when(run: &GameRun, et_ms: u64) -> Option<u64> {
    let at_s = et_ms as f64 / 1e3;
    let pair = run.clock.windows(2).find(|pair| pair[0].1 <= at_s && at_s <= pair[1].1 && pair[0].1 < pair[1].1)?;
    let part = (at_s - pair[0].1) / (pair[1].1 - pair[0].1);
    Some(pair[0].0 + (part * pair[1].0.saturating_sub(pair[0].0) as f64) as u64)
}

/// Pauses between recorded samples while game and agent were there. Returns the longest.
fn check_holes(evidence: &Evidence<'_>, rig: usize, spans: &[Span], findings: &mut Findings) -> u64 {
    let streams = evidence.heard.streams.iter().filter(|(_, stream)| stream.rig == rig && !stream.items.is_empty());
    let mut times: Vec<u64> = streams
        .filter_map(|((session, epoch), _)| evidence.sessions.get(session)?.chunks.get(epoch))
        .flatten()
        .flat_map(|chunk| chunk.batch.times_ms().iter().copied())
        .collect();
    times.sort_unstable();
    let mut longest = 0;
    for span in spans {
        let to_ms = span.to_ms.saturating_sub(KNOWN_MS);
        if span.from_ms >= to_ms {
            continue;
        }
        let inside = times.iter().copied().filter(|at| (span.from_ms..to_ms).contains(at));
        let mut before = span.from_ms;
        for at in inside.chain([to_ms]) {
            longest = longest.max(at - before);
            if at - before > HOLE_MS {
                let hole = at - before;
                findings.wrong(Wrong::Hole, 1, || format!("rig {rig}: no sample for {hole} ms from {before}"));
            }
            before = at;
        }
    }
    longest
}
