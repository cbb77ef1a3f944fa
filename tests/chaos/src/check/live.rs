//! What a viewer was shown: never an earlier batch after a later one, and soon again once everything is in order.

use super::{Evidence, Findings, Wrong};
use crate::plan::Target;
use crate::viewer::Shown;
use onelap_protocol::SessionId;
use std::collections::BTreeMap;

/// How long a rig may take to be live again after everything it needs is in order. An agent that tried in vain for long
/// waits up to half a minute between attempts.
pub const LIVE_MS: u64 = 35_000;
/// A sample of at most this age is live.
const FRESH_MS: u64 = 2_000;
/// How far back a viewer that comes back may be shown again what it saw before: what waits for so short a time is sent
/// again as live.
pub const STEP_BACK_MS: u64 = 3_000;
/// Longest pause of a rig that is live when Postgres goes away: the live view does not wait for it.
pub const PAUSE_MS: u64 = 5_000;

pub(super) fn check(evidence: &Evidence<'_>, findings: &mut Findings) {
    let step_back_ms = check_order(&evidence.viewer.shown, findings);
    let (mut longest_ms, mut when, mut waits) = (0, 0, Vec::new());
    for rig in 0..evidence.games.len() {
        for (from_ms, wait_ms) in check_rig(evidence, rig, findings) {
            waits.push(wait_ms);
            if wait_ms > longest_ms {
                (longest_ms, when) = (wait_ms, from_ms);
            }
        }
    }
    waits.sort_unstable();
    let median = waits.get(waits.len() / 2).copied().unwrap_or_default();
    let pause_ms = (0..evidence.games.len()).map(|rig| check_pauses(evidence, rig, findings)).max().unwrap_or(0);
    findings.figure("longest pause of live while Postgres was away", &seconds(pause_ms, PAUSE_MS));
    findings.figure("batches shown", &evidence.viewer.shown.len());
    findings.figure("viewer's connections", &evidence.viewer.connections);
    findings.figure("longest step back when a viewer came back", &seconds(step_back_ms, STEP_BACK_MS));
    findings.figure("times that a rig had to become live again", &waits.len());
    findings.figure("time to live again, median", &format!("{:.1} s", median as f64 / 1e3));
    findings.figure("longest time to live again", &format!("{} at {when}", seconds(longest_ms, LIVE_MS)));
}

fn seconds(ms: u64, limit_ms: u64) -> String {
    format!("{:.1} s (limit {} s)", ms as f64 / 1e3, limit_ms / 1_000)
}

/// Returns how far back, by the samples' time, a new connection went at most.
fn check_order(shown: &[Shown], findings: &mut Findings) -> u64 {
    let mut newest: BTreeMap<SessionId, Shown> = BTreeMap::new();
    let mut last: BTreeMap<SessionId, Shown> = BTreeMap::new();
    let mut step_back_ms = 0;
    for now in shown {
        if let Some(before) = last.get(&now.session)
            && before.connection == now.connection
            && now.place <= before.place
        {
            let (session, before, now) = (now.session, before.place, now.place);
            findings.wrong(Wrong::Backwards, 1, || format!("session {session}: {now:?} after {before:?}"));
        }
        if let Some(newest) = newest.get(&now.session)
            && now.place < newest.place
        {
            let back_ms = newest.sample_ms.saturating_sub(now.sample_ms);
            step_back_ms = step_back_ms.max(back_ms);
            if back_ms > STEP_BACK_MS {
                let session = now.session;
                findings
                    .wrong(Wrong::Backwards, 1, || format!("session {session}: {back_ms} ms back, at {}", now.at_ms));
            }
        }
        last.insert(now.session, *now);
        let newest = newest.entry(now.session).or_insert(*now);
        if now.place > newest.place {
            *newest = *now;
        }
    }
    step_back_ms
}

/// Each time that a rig had all it needs, and how long it took until it was live.
fn check_rig(evidence: &Evidence<'_>, rig: usize, findings: &mut Findings) -> Vec<(u64, u64)> {
    let parts = [
        Target::Service,
        Target::Postgres,
        Target::DatabaseLink,
        Target::Agent(rig),
        Target::Game(rig),
        Target::Link(rig),
    ];
    let live = live_at(evidence, rig);
    let mut waits = Vec::new();
    for span in evidence.health.all(&parts, evidence.end_ms) {
        let first = live.get(live.partition_point(|at| *at < span.from_ms)).filter(|at| **at < span.to_ms);
        match first {
            Some(at) => waits.push((span.from_ms, at - span.from_ms)),
            // Hit again before it was live: nothing can be said, unless it had all the time.
            None if span.to_ms - span.from_ms <= LIVE_MS => continue,
            None => waits.push((span.from_ms, span.to_ms - span.from_ms)),
        }
        let (from_ms, wait_ms) = waits.last().copied().unwrap_or_default();
        if wait_ms > LIVE_MS {
            findings.wrong(Wrong::NotLive, 1, || format!("rig {rig}: not live for {wait_ms} ms from {from_ms}"));
        }
    }
    waits
}

/// When a rig was shown live.
fn live_at(evidence: &Evidence<'_>, rig: usize) -> Vec<u64> {
    let is_ours = |shown: &&Shown| evidence.viewer.rig_of.get(&shown.session) == Some(&rig);
    let is_fresh = |shown: &&Shown| shown.at_ms.saturating_sub(shown.sample_ms) <= FRESH_MS;
    evidence.viewer.shown.iter().filter(is_ours).filter(is_fresh).map(|shown| shown.at_ms).collect()
}

/// Where all but Postgres is in order, and the rig was live when it went away. Returns the longest pause.
fn check_pauses(evidence: &Evidence<'_>, rig: usize, findings: &mut Findings) -> u64 {
    let live = live_at(evidence, rig);
    let others = [Target::Service, Target::Agent(rig), Target::Game(rig), Target::Link(rig)];
    let with = evidence.health.all(&[Target::Postgres, Target::DatabaseLink], evidence.end_ms);
    let mut longest = 0;
    for span in evidence.health.all(&others, evidence.end_ms) {
        for (before, after) in with.iter().zip(with.iter().skip(1).map(|w| w.from_ms).chain([evidence.end_ms])) {
            let (from_ms, to_ms) = (before.to_ms, after.min(span.to_ms));
            if from_ms >= to_ms || !span.holds(from_ms.saturating_sub(1_000), from_ms) {
                continue;
            }
            let shown = &live[live.partition_point(|at| *at + 1_000 < from_ms)..live.partition_point(|at| *at < to_ms)];
            if shown.first().is_none_or(|at| *at > from_ms) {
                continue;
            }
            let pause = shown.iter().zip(shown.iter().skip(1).chain([&to_ms])).map(|(a, b)| b - a).max().unwrap_or(0);
            longest = longest.max(pause);
            if pause > PAUSE_MS {
                findings.wrong(Wrong::NotLive, 1, || {
                    format!("rig {rig}: a pause of {pause} ms, all but Postgres was there ({from_ms} to {to_ms})")
                });
            }
        }
    }
    longest
}
