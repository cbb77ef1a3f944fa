//! One live session: its last state and who looks at it.

use super::outbox::Outbox;
use super::wire;
use bytes::Bytes;
use onelap_protocol::agent::EndReason;
use onelap_protocol::race::{RaceEvent, SessionInfo, Standings};
use onelap_protocol::setup::Setup;
use onelap_protocol::viewer::{Consumption, ViewMessage};
use onelap_protocol::{BatchHeader, SessionId};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Events that a new viewer gets with the snapshot: our laps of a 24-hour race and what lies between.
const RECENT_EVENTS: usize = 600;

/// How a session's live view begins.
#[derive(Debug, Clone)]
pub struct Begin {
    /// The facts.
    pub info: SessionInfo,
    /// What is behind it already: run of the agent and sequence.
    pub epoch: u64,
    /// See `epoch`.
    pub sequence: u64,
    /// The setup in the car.
    pub setup: Option<Setup>,
    /// What happened before, oldest first.
    pub events: Vec<RaceEvent>,
    /// Consumption so far.
    pub consumption: Consumption,
}

/// A live session. A lock, because every publisher and every new viewer needs the whole of it for a moment.
#[derive(Debug)]
pub(super) struct LiveSession {
    pub(super) id: SessionId,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    begin: Begin,
    standings: Option<Standings>,
    events: VecDeque<RaceEvent>,
    last_batch: Option<Bytes>,
    ended: Option<EndReason>,
    viewers: Vec<Subscription>,
}

#[derive(Debug)]
struct Subscription {
    viewer: u64,
    outbox: Outbox,
    /// Least time between two batches by the samples' own clock, in milliseconds; 0 for all.
    interval_ms: u64,
    sent_ms: u64,
}

impl LiveSession {
    pub(super) fn new(id: SessionId, begin: Begin) -> Self {
        let mut state = State {
            events: VecDeque::new(),
            begin,
            standings: None,
            last_batch: None,
            ended: None,
            viewers: Vec::new(),
        };
        let events = std::mem::take(&mut state.begin.events);
        events.into_iter().for_each(|event| state.remember(event));
        Self { id, state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a viewer and gives it the snapshot, in one step.
    pub(super) fn subscribe(&self, viewer: u64, outbox: &Outbox, max_hz: Option<u32>) {
        let mut state = self.state();
        state.viewers.retain(|s| s.viewer != viewer);
        outbox.message(&ViewMessage::Snapshot {
            session: self.id,
            epoch: state.begin.epoch,
            sequence: state.begin.sequence,
            info: state.begin.info.clone(),
            standings: state.standings.clone(),
            setup: state.begin.setup.clone(),
            events: state.events.iter().cloned().collect(),
            consumption: state.begin.consumption,
            ended: state.ended,
        });
        if let Some(frame) = &state.last_batch {
            outbox.sample(self.id, state.begin.sequence, frame.clone());
        }
        let interval_ms = max_hz.map_or(0, |hz| 1000 / u64::from(hz.max(1)));
        state.viewers.push(Subscription { viewer, outbox: outbox.clone(), interval_ms, sent_ms: 0 });
    }

    pub(super) fn unsubscribe(&self, viewer: u64) {
        self.state().viewers.retain(|s| s.viewer != viewer);
    }

    /// Shows a batch, as the bytes that the agent sent, unless a later one was shown.
    pub(super) fn batch(&self, header: &BatchHeader, bytes: &[u8]) {
        let mut state = self.state();
        if !state.advance(header.epoch, header.sequence) {
            return;
        }
        let frame = wire::binary(bytes);
        for to in &mut state.viewers {
            // The agent's clock may jump either way; then the next batch goes out at once.
            if header.base_ms.abs_diff(to.sent_ms) >= to.interval_ms {
                to.sent_ms = header.base_ms;
                to.outbox.sample(self.id, header.sequence, frame.clone());
            }
        }
        state.last_batch = Some(frame);
    }

    pub(super) fn standings(&self, standings: Standings) {
        let mut state = self.state();
        state.tell(&ViewMessage::Standings { session: self.id, standings: standings.clone() });
        state.standings = Some(standings);
    }

    /// Shows an event of the stream and what is known of the consumption after it.
    pub(super) fn event(&self, epoch: u64, sequence: u64, event: &RaceEvent, consumption: Consumption) {
        let mut state = self.state();
        if !state.advance(epoch, sequence) {
            return;
        }
        state.tell(&ViewMessage::Event { session: self.id, event: event.clone(), late: false });
        if consumption != state.begin.consumption {
            state.tell(&ViewMessage::Consumption { session: self.id, consumption });
            state.begin.consumption = consumption;
        }
        state.remember(event.clone());
    }

    pub(super) fn info(&self, epoch: u64, sequence: u64, info: &SessionInfo) {
        let mut state = self.state();
        if state.advance(epoch, sequence) && state.begin.info != *info {
            state.tell(&ViewMessage::Info { session: self.id, info: info.clone() });
            state.begin.info = info.clone();
        }
    }

    pub(super) fn setup(&self, epoch: u64, sequence: u64, setup: &Setup) {
        let mut state = self.state();
        if state.advance(epoch, sequence) {
            state.tell(&ViewMessage::Setup { session: self.id, setup: setup.clone() });
            state.begin.setup = Some(setup.clone());
        }
    }

    /// Ends it; whoever looks at it is told.
    pub(super) fn end(&self, reason: EndReason) {
        let mut state = self.state();
        if state.ended.replace(reason).is_none() {
            state.tell(&ViewMessage::Ended { session: self.id, reason });
        }
    }
}

impl State {
    /// Moves to a place in the stream; `false` where it is not after the one that was shown.
    fn advance(&mut self, epoch: u64, sequence: u64) -> bool {
        let later = (epoch, sequence) > (self.begin.epoch, self.begin.sequence);
        if later {
            (self.begin.epoch, self.begin.sequence) = (epoch, sequence);
        }
        later
    }

    fn remember(&mut self, event: RaceEvent) {
        let about_us = match &event {
            RaceEvent::Lap(lap) => lap.car == self.begin.info.car,
            RaceEvent::Pit { car, .. } | RaceEvent::DriverChange { car, .. } => *car == self.begin.info.car,
            RaceEvent::Phase { .. } | RaceEvent::Note { .. } => true,
        };
        if about_us {
            if self.events.len() == RECENT_EVENTS {
                self.events.pop_front();
            }
            self.events.push_back(event);
        }
    }

    fn tell(&mut self, message: &ViewMessage) {
        self.viewers.retain(|s| !s.outbox.is_closed());
        if !self.viewers.is_empty() {
            let frame = wire::text(message);
            self.viewers.iter().for_each(|s| s.outbox.event(frame.clone()));
        }
    }
}
