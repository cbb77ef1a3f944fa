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
/// How far back a viewer that comes back may be shown again what it saw before: what an agent sends again without asking
/// whether it is stale.
pub const STEP_BACK_MS: u64 = 15_000;

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
    let is_ours = |shown: &&Shown| evidence.viewer.rig_of.get(&shown.session) == Some(&rig);
    let is_fresh = |shown: &&Shown| shown.at_ms.saturating_sub(shown.sample_ms) <= FRESH_MS;
    let live: Vec<u64> = evidence.viewer.shown.iter().filter(is_ours).filter(is_fresh).map(|s| s.at_ms).collect();
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
