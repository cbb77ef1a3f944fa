//! One live session: its last state and who looks at it.
//!
//! Invariants: what is shown never goes back by (run of the agent, sequence); an event is told once, live or late.

use super::field::{LiveField, Wish};
use super::kept::Kept;
use super::mark::Measures;
use super::outbox::Outbox;
use super::shown::{At, Shown};
use super::wire;
use crate::traces::Step;
use bytes::Bytes;
use onelap_protocol::agent::EndReason;
use onelap_protocol::race::{RaceEvent, SessionInfo};
use onelap_protocol::setup::Setup;
use onelap_protocol::standings::StandingsError;
use onelap_protocol::viewer::{Consumption, SeenUpTo, ViewMessage};
use onelap_protocol::{BatchHeader, SessionId};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// Events that a new viewer gets with the snapshot: our laps of a 24-hour race and what lies between.
pub(super) const RECENT_EVENTS: usize = 600;
/// Where events from before the live view stand: before all that it has.
const BEFORE: At = (0, 0);

/// How a session's live view begins.
#[derive(Debug, Clone)]
pub struct Begin {
    /// The facts.
    pub info: SessionInfo,
    /// What is behind it already: run of the agent and sequence.
    pub epoch: u64,
    /// See `epoch`.
    pub sequence: u64,
}

/// What is known of a session from before its live view began.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// The latest events, oldest first.
    pub events: Vec<RaceEvent>,
    /// The setup in the car.
    pub setup: Option<Setup>,
    /// Consumption.
    pub consumption: Consumption,
}

/// A live session. A lock, because every publisher and every new viewer needs the whole of it for a moment.
#[derive(Debug)]
pub(super) struct LiveSession {
    pub(super) id: SessionId,
    measures: Measures,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    info: SessionInfo,
    /// By how much the agent's clock is ahead, where that is known.
    skew_ms: Option<i64>,
    shown: Shown,
    setup: Option<Setup>,
    consumption: Consumption,
    field: LiveField,
    /// By place.
    events: VecDeque<(At, RaceEvent)>,
    /// What is from before this live view is known.
    has_history: bool,
    last_batch: Option<Bytes>,
    kept: Kept,
    ended: Option<EndReason>,
    viewers: Vec<Subscription>,
    published: Published,
}

#[derive(Debug)]
struct Subscription {
    viewer: u64,
    outbox: Outbox,
    /// Least time between two batches by the samples' own clock, in milliseconds; 0 for all.
    interval_ms: u64,
    sent_ms: u64,
    field: Wish,
}

/// Least time between two batches of who wants so many a second.
fn interval_ms(max_hz: Option<u32>) -> u64 {
    max_hz.map_or(0, |hz| 1000 / u64::from(hz.max(1)))
}

mod mirror;

use mirror::Published;

impl LiveSession {
    pub(super) fn new(id: SessionId, begin: Begin, measures: Measures) -> Self {
        let state = State {
            info: begin.info,
            skew_ms: None,
            shown: Shown::new((begin.epoch, begin.sequence)),
            setup: None,
            consumption: Consumption::default(),
            field: LiveField::default(),
            events: VecDeque::new(),
            has_history: false,
            last_batch: None,
            kept: Kept::default(),
            ended: None,
            viewers: Vec::new(),
            published: Published::default(),
        };
        Self { id, measures, state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a viewer and gives it the snapshot, in one step; before that, what was kept since it last looked.
    pub(super) fn subscribe(&self, viewer: u64, outbox: &Outbox, max_hz: Option<u32>, after: Option<SeenUpTo>) {
        let mut state = self.state();
        state.viewers.retain(|s| s.viewer != viewer);
        let shown = state.shown.position();
        match after.map(|seen| (seen.epoch, seen.sequence)) {
            Some(seen) if seen < shown => {
                let (missing, batches) = state.kept.since(seen, shown);
                if let Some((from, to)) = missing {
                    outbox.message(&ViewMessage::Gap { session: self.id, from, to });
                }
                if !batches.is_empty() {
                    outbox.event(batches);
                }
                outbox.event(state.told(self.id));
            }
            Some(_) => outbox.event(state.told(self.id)),
            None => {
                outbox.event(state.told(self.id));
                if let Some(frame) = &state.last_batch {
                    outbox.sample(self.id, shown.1, frame.clone(), None);
                }
            }
        }
        let mut field = Wish::of(max_hz);
        state.field.show_whole(self.id, &mut field, outbox);
        let interval_ms = interval_ms(max_hz);
        state.viewers.push(Subscription { viewer, outbox: outbox.clone(), interval_ms, sent_ms: 0, field });
    }

    /// A viewer wants more or fewer from now on. Nothing is sent because of it: the next batch that is due is.
    pub(super) fn rate(&self, viewer: u64, max_hz: Option<u32>) {
        if let Some(to) = self.state().viewers.iter_mut().find(|s| s.viewer == viewer) {
            to.interval_ms = interval_ms(max_hz);
            to.field.ask(max_hz);
        }
    }

    /// Forgets a viewer; says whether nobody looks any more.
    pub(super) fn unsubscribe(&self, viewer: u64) -> bool {
        let mut state = self.state();
        state.viewers.retain(|s| s.viewer != viewer);
        state.viewers.is_empty()
    }

    /// Whether somebody looks.
    pub(super) fn has_viewers(&self) -> bool {
        self.state().viewers.iter().any(|s| !s.outbox.is_closed())
    }

    /// By how much the agent's clock is ahead; `false` where that was known.
    pub(super) fn skew(&self, skew_ms: i64) -> bool {
        self.state().skew_ms.replace(skew_ms) != Some(skew_ms)
    }

    /// Shows a batch, as the bytes that the agent sent; `false` where a later item was shown. `step` says where from.
    pub(super) fn batch(&self, header: &BatchHeader, bytes: &[u8], step: Step) -> bool {
        let trace = self.measures.trace(header);
        let mut state = self.state();
        if !state.shown.advance((header.epoch, header.sequence)) {
            return false;
        }
        let frame = wire::batch(bytes);
        let mark = self.measures.mark(header, state.skew_ms, step, trace.as_ref());
        for to in &mut state.viewers {
            // The agent's clock may jump either way; then the next batch goes out at once.
            if header.base_ms.abs_diff(to.sent_ms) >= to.interval_ms.max(to.outbox.interval_ms()) {
                to.sent_ms = header.base_ms;
                to.outbox.sample(self.id, header.sequence, frame.clone(), mark.as_ref());
            }
        }
        state.kept.push((header.epoch, header.sequence), header.base_ms, frame.clone());
        state.last_batch = Some(frame);
        if let Some(trace) = trace {
            trace.step(step, trace.since, SystemTime::now());
        }
        true
    }

    /// Shows a frame of the field; `false` where it is what is shown already.
    pub(super) fn standings(&self, frame: &[u8]) -> Result<bool, StandingsError> {
        let mut state = self.state();
        let State { field, viewers, .. } = &mut *state;
        let is_news = field.take(self.id, frame)?;
        if is_news {
            field.show(frame, viewers.iter_mut().map(|to| (&mut to.field, &to.outbox)));
        }
        Ok(is_news)
    }

    /// Shows an event of the stream; `false` where a later item was shown.
    pub(super) fn event(&self, at: At, event: &RaceEvent) -> bool {
        let mut state = self.state();
        let is_next = state.shown.advance(at);
        if is_next {
            state.tell(&ViewMessage::Event { session: self.id, event: event.clone(), late: false });
            state.remember(at, event.clone());
        }
        is_next
    }

    /// An event that came as backfill: if it was not shown, viewers get it late.
    pub(super) fn late_event(&self, at: At, event: &RaceEvent) -> bool {
        let mut state = self.state();
        state.shown.fill(at) && state.tell_late(self.id, at, event)
    }

    /// What is known from before, once; `false` the second time.
    pub(super) fn history(&self, history: History) -> bool {
        let mut state = self.state();
        if std::mem::replace(&mut state.has_history, true) {
            return false;
        }
        for event in history.events {
            if !state.has_lap(&event) {
                state.tell(&ViewMessage::Event { session: self.id, event: event.clone(), late: true });
                state.remember(BEFORE, event);
            }
        }
        if let Some(setup) = history.setup.filter(|_| state.setup.is_none()) {
            state.tell(&ViewMessage::Setup { session: self.id, setup: setup.clone() });
            state.setup = Some(setup);
        }
        if state.consumption == Consumption::default() {
            state.consume(self.id, history.consumption);
        }
        true
    }

    /// What is known of the consumption after what was shown last.
    pub(super) fn consumption(&self, consumption: Consumption) -> bool {
        self.state().consume(self.id, consumption)
    }

    /// Samples of a stretch of session time are recorded that could not be shown.
    pub(super) fn backfilled(&self, from_s: f64, to_s: f64) {
        self.state().tell(&ViewMessage::Backfilled { session: self.id, from_s, to_s });
    }

    /// Shows changed facts; those of a preview stand at the place before the first item that is shown.
    pub(super) fn info(&self, at: At, info: &SessionInfo, is_item: bool) -> bool {
        let mut state = self.state();
        let is_news = state.go_to(at, is_item) && state.info != *info;
        if is_news {
            state.tell(&ViewMessage::Info { session: self.id, info: info.clone() });
            state.info = info.clone();
        }
        is_news
    }

    /// Shows another setup; see [`LiveSession::info`].
    pub(super) fn setup(&self, at: At, setup: &Setup, is_item: bool) -> bool {
        let mut state = self.state();
        let is_news = state.go_to(at, is_item) && state.setup.as_ref() != Some(setup);
        if is_news {
            state.tell(&ViewMessage::Setup { session: self.id, setup: setup.clone() });
            state.setup = Some(setup.clone());
        }
        is_news
    }

    /// The stream ends here; if nothing later was shown, whoever looks at it is told.
    pub(super) fn end_at(&self, at: At, reason: EndReason) -> bool {
        let is_last = self.state().shown.advance(at);
        is_last && self.end(reason)
    }

    /// Ends it, wherever it is.
    pub(super) fn end(&self, reason: EndReason) -> bool {
        let mut state = self.state();
        let is_news = state.ended.replace(reason).is_none();
        if is_news {
            state.tell(&ViewMessage::Ended { session: self.id, reason });
        }
        is_news
    }
}

impl State {
    fn go_to(&mut self, at: At, is_item: bool) -> bool {
        if is_item { self.shown.advance(at) } else { self.shown.skip_to(at) }
    }

    fn consume(&mut self, session: SessionId, consumption: Consumption) -> bool {
        let is_news = consumption != self.consumption;
        if is_news {
            self.tell(&ViewMessage::Consumption { session, consumption });
            self.consumption = consumption;
        }
        is_news
    }

    /// `false` where it was told before.
    fn tell_late(&mut self, session: SessionId, at: At, event: &RaceEvent) -> bool {
        if self.events.iter().any(|(other, _)| *other == at) {
            return false;
        }
        self.tell(&ViewMessage::Event { session, event: event.clone(), late: true });
        self.remember(at, event.clone());
        true
    }

    /// Keeps an event that is about us, at its place.
    fn remember(&mut self, at: At, event: RaceEvent) {
        if !self.is_ours(&event) {
            return;
        }
        let index = self.events.partition_point(|(other, _)| *other <= at);
        self.events.insert(index, (at, event));
        if self.events.len() > RECENT_EVENTS {
            self.events.pop_front();
        }
    }

    fn is_ours(&self, event: &RaceEvent) -> bool {
        match event {
            RaceEvent::Lap(lap) => lap.car == self.info.car,
            RaceEvent::Pit { car, .. } | RaceEvent::DriverChange { car, .. } => *car == self.info.car,
            RaceEvent::Phase { .. } | RaceEvent::Note { .. } => true,
        }
    }

    fn has_lap(&self, event: &RaceEvent) -> bool {
        let RaceEvent::Lap(lap) = event else { return false };
        let is_same = |other: &RaceEvent| matches!(other, RaceEvent::Lap(l) if l.lap == lap.lap && l.car == lap.car);
        self.events.iter().any(|(_, other)| is_same(other))
    }

    /// The snapshot that a new viewer gets, framed.
    fn told(&self, session: SessionId) -> Bytes {
        let (epoch, sequence) = self.shown.position();
        wire::text(&ViewMessage::Snapshot {
            session,
            epoch,
            sequence,
            info: self.info.clone(),
            setup: self.setup.clone(),
            events: self.events.iter().map(|(_, event)| event.clone()).collect(),
            consumption: self.consumption,
            ended: self.ended,
        })
    }

    fn tell(&mut self, message: &ViewMessage) {
        self.viewers.retain(|s| !s.outbox.is_closed());
        if !self.viewers.is_empty() {
            let frame = wire::text(message);
            self.viewers.iter().for_each(|s| s.outbox.event(frame.clone()));
        }
    }
}
