//! A live session on several instances: what is published of it, and how a copy is kept true.

use super::{At, LiveSession, State};
use crate::live::bus::{Bus, Snapshot};
use crate::live::delta::{Delta, Message};
use crate::live::mark::Measures;
use crate::live::{now_ms, wire};
use crate::traces::Step;
use bytes::Bytes;
use onelap_protocol::race::RaceEvent;
use onelap_protocol::viewer::{Consumption, ViewMessage};
use onelap_protocol::{SessionId, TeamId, batch};

/// Between two writes of the last batch, and of the field, into the snapshot.
const KEEP_EVERY_MS: u64 = 1_000;

/// What was published of a session by this instance.
#[derive(Debug, Default)]
pub(super) struct Published {
    /// Deltas.
    number: u64,
    /// When the last batch and the field were written into the snapshot.
    batch_ms: u64,
    standings_ms: u64,
}

impl Published {
    /// Whether a change goes into the snapshot now.
    fn keeps(&mut self, delta: &Delta) -> bool {
        let last_ms = match delta {
            Delta::Batch(_) => &mut self.batch_ms,
            _ => return true,
        };
        is_due(last_ms)
    }
}

fn is_due(last_ms: &mut u64) -> bool {
    let now = now_ms();
    let is_due = now.abs_diff(*last_ms) >= KEEP_EVERY_MS;
    if is_due {
        *last_ms = now;
    }
    is_due
}

impl LiveSession {
    /// A copy of a session that is live elsewhere.
    pub(in crate::live) fn copy_of(id: SessionId, snapshot: Snapshot, measures: Measures) -> Self {
        let begin = super::Begin { info: snapshot.info.clone(), epoch: 0, sequence: 0 };
        let live = Self::new(id, begin, measures);
        live.state().take_over(id, snapshot);
        live
    }

    /// Tells the other instances of a change that was shown here.
    pub(in crate::live) fn publish(&self, bus: &Bus, team: TeamId, delta: Delta) {
        let mut state = self.state();
        let keep = state.published.keeps(&delta);
        let is_ours =
            matches!(&delta, Delta::Event { event, .. } | Delta::LateEvent { event, .. } if state.is_ours(event));
        let trace = match &delta {
            Delta::Batch(bytes) => batch::peek(bytes).ok().and_then(|header| self.measures.trace(&header)),
            _ => None,
        };
        let message = state.number(self.id, bus, team, delta);
        bus.publish(&message, state.shown.position(), keep, is_ours, trace);
    }

    /// Tells the other instances of a frame of the field that was shown here. Once a second the whole follows, for who
    /// has not what it applies to; so a snapshot and what comes after it meet.
    pub(in crate::live) fn publish_standings(&self, bus: &Bus, team: TeamId, frame: &[u8]) {
        let mut state = self.state();
        let message = state.number(self.id, bus, team, Delta::Standings(Bytes::copy_from_slice(frame)));
        bus.publish(&message, state.shown.position(), false, false, None);
        if let Some(whole) = state.field.keyframe().filter(|_| is_due(&mut state.published.standings_ms)) {
            let message = state.number(self.id, bus, team, Delta::Standings(whole));
            bus.publish(&message, state.shown.position(), true, false, None);
        }
    }

    /// Writes the whole for the other instances and tells them to read it.
    pub(in crate::live) fn renew(&self, bus: &Bus, team: TeamId) {
        let mut state = self.state();
        let message = state.number(self.id, bus, team, Delta::Renewed);
        bus.renew(&message, &state.snapshot());
    }

    /// Applies what another instance has published.
    pub(in crate::live) fn apply(&self, delta: Delta) {
        match delta {
            Delta::Batch(bytes) => {
                if let Ok(header) = batch::peek(&bytes) {
                    self.batch(&header, &bytes, Step::Follow);
                }
            }
            // A frame that does not apply is followed by the whole within a second.
            Delta::Standings(frame) => _ = self.standings(&frame),
            Delta::Event { at, event } => _ = self.event(at, &event),
            Delta::LateEvent { at, event } => _ = self.state().tell_late(self.id, at, &event),
            Delta::Clock { skew_ms } => _ = self.skew(skew_ms),
            Delta::Consumption { consumption } => _ = self.consumption(consumption),
            Delta::Backfilled { from_s, to_s } => self.backfilled(from_s, to_s),
            Delta::Info { at, info, is_item } => _ = self.info(at, &info, is_item),
            Delta::Setup { at, setup, is_item } => _ = self.setup(at, &setup, is_item),
            Delta::EndAt { at, reason } => _ = self.end_at(at, reason),
            Delta::End { reason } => _ = self.end(reason),
            Delta::Renewed => {}
        }
    }

    /// Takes over what was missed, and shows it: viewers get the snapshot, and which sequences they did not see.
    pub(in crate::live) fn restore(&self, snapshot: Snapshot) {
        let mut state = self.state();
        let (run, last) = state.shown.position();
        state.take_over(self.id, snapshot);
        let (run_now, now) = state.shown.position();
        let whole = state.told(self.id);
        state.viewers.retain(|s| !s.outbox.is_closed());
        let State { field, viewers, .. } = &mut *state;
        for viewer in viewers {
            if run == run_now && now > last {
                viewer.outbox.message(&ViewMessage::Gap { session: self.id, from: last + 1, to: now });
            }
            viewer.outbox.event(whole.clone());
            field.show_whole(self.id, &mut viewer.field, &viewer.outbox);
        }
    }
}

impl State {
    fn number(&mut self, session: SessionId, bus: &Bus, team: TeamId, delta: Delta) -> Message {
        self.published.number += 1;
        Message { instance: bus.instance, team, session, number: self.published.number, delta }
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot {
            info: self.info.clone(),
            skew_ms: self.skew_ms,
            at: self.shown.position(),
            setup: self.setup.clone(),
            consumption: self.consumption,
            field: self.field.keyframe(),
            batch: self.last_batch.as_ref().map(wire::payload),
            events: self.events.iter().cloned().collect(),
            has_history: self.has_history,
            ended: self.ended,
        }
    }

    /// What the snapshot has is newer, or known already; what it has not, stays.
    fn take_over(&mut self, session: SessionId, snapshot: Snapshot) {
        let events_at = snapshot.events.last().map_or((0, 0), |(at, _)| *at);
        let at: At = snapshot.at.max(events_at);
        if self.shown.position() < at {
            self.last_batch = snapshot.batch.map(|bytes| wire::batch(&bytes)).or(self.last_batch.take());
        }
        self.shown.skip_to(at);
        self.info = snapshot.info;
        self.skew_ms = snapshot.skew_ms.or(self.skew_ms);
        self.setup = snapshot.setup.or(self.setup.take());
        if let Some(keyframe) = &snapshot.field {
            self.field.take_over(session, keyframe);
        }
        self.ended = snapshot.ended.or(self.ended);
        self.has_history |= snapshot.has_history;
        if snapshot.consumption != Consumption::default() {
            self.consumption = snapshot.consumption;
        }
        for (at, event) in snapshot.events {
            self.add(at, event);
        }
    }

    /// Keeps an event that is not kept yet.
    fn add(&mut self, at: At, event: RaceEvent) {
        let is_known = match at {
            (0, 0) => self.has_lap(&event),
            at => self.events.iter().any(|(other, _)| *other == at),
        };
        if !is_known {
            self.remember(at, event);
        }
    }
}
