//! One session on one agent's connection: order, the live view and the recorder.
//!
//! The live view has a fold of its own, because it may stand at another place than the recorder's: it is ahead when the
//! recorder was full.

use super::order::{Ask, Order};
use crate::db::Tenant;
use crate::live::{Begin, Connection};
use crate::race::Fold;
use crate::race::fold::MAX_CARS_SEEN;
use crate::recorder::{Content, Item, Progress, Recorder, Stored, Writer};
use onelap_protocol::agent::Record;
use onelap_protocol::race::{RaceEvent, SessionInfo};
use onelap_protocol::{Batch, BatchHeader, CarKey, RigId, SessionId};
use std::time::Duration;

/// A session that an agent is sending.
#[derive(Debug)]
pub(super) struct Stream {
    session: SessionId,
    epoch: u64,
    own: CarKey,
    order: Order,
    shown: Fold,
    pub(super) writer: Writer,
    /// The agent said that nothing follows.
    pub(super) ended: bool,
}

/// Who is sending.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sender {
    pub(super) tenant: Tenant,
    pub(super) rig: RigId,
    pub(super) epoch: u64,
}

impl Stream {
    /// A session that begins with these facts.
    pub(super) fn begin(
        from: Sender,
        session: SessionId,
        info: &SessionInfo,
        recorder: &Recorder,
        live: &Connection,
    ) -> Self {
        // The place before the first item, so that the first one counts as new.
        let begin = Begin {
            info: info.clone(),
            epoch: from.epoch,
            sequence: 0,
            setup: None,
            events: Vec::new(),
            consumption: Fold::default().consumption(),
        };
        live.begin(session, begin);
        Self {
            session,
            epoch: from.epoch,
            own: info.car.clone(),
            order: Order::new(0, 0),
            shown: Fold::default(),
            writer: recorder.start(from.tenant, from.rig, session, from.epoch, None),
            ended: false,
        }
    }

    /// A session that goes on after a break.
    pub(super) fn resume(from: Sender, stored: &Stored, recorder: &Recorder, live: &Connection) -> Self {
        let session = stored.place.session;
        let begin = Begin {
            info: stored.info.clone(),
            epoch: stored.place.epoch,
            sequence: stored.place.sequence,
            setup: stored.setup.clone(),
            events: stored.laps.iter().cloned().map(RaceEvent::Lap).collect(),
            consumption: stored.fold.consumption(),
        };
        live.begin(session, begin);
        let done = if stored.place.epoch == from.epoch { stored.place.sequence } else { 0 };
        Self {
            session,
            epoch: from.epoch,
            own: stored.info.car.clone(),
            order: Order::new(done, done),
            shown: stored.fold.clone(),
            writer: recorder.start(from.tenant, from.rig, session, from.epoch, Some(stored)),
            ended: false,
        }
    }

    /// A batch: `bytes` is the frame as it came.
    pub(super) fn batch(&mut self, live: &Connection, header: &BatchHeader, bytes: &[u8], batch: Batch) {
        let verdict = self.order.came(header.sequence);
        if verdict.show {
            live.batch(header, bytes);
        }
        if verdict.record {
            self.offer(header.sequence, Content::Batch(batch));
        }
    }

    /// A control message to record.
    pub(super) fn record(&mut self, live: &Connection, sequence: u64, record: Record) {
        let verdict = self.order.came(sequence);
        if verdict.show {
            self.show(live, sequence, &record);
        }
        if verdict.record {
            self.keep(sequence, record);
        }
    }

    /// Whether the session can have this as well.
    pub(super) fn fits(&self, record: &Record) -> Result<(), String> {
        match record {
            Record::Event { event } if !self.shown.has_room_for(event) => {
                Err(format!("event.car: more than {MAX_CARS_SEEN} cars in one session"))
            }
            _ => Ok(()),
        }
    }

    /// Something that was refused. Its place in the stream is passed all the same.
    pub(super) fn skip(&mut self, sequence: u64) {
        if self.order.came(sequence).record {
            self.offer(sequence, Content::Nothing);
        }
    }

    fn show(&mut self, live: &Connection, sequence: u64, record: &Record) {
        let (session, epoch) = (self.session, self.epoch);
        match record {
            Record::Session { info } => {
                self.own = info.car.clone();
                live.info(session, epoch, sequence, info);
            }
            Record::Event { event } => {
                self.shown.apply(event, &self.own);
                live.event(session, epoch, sequence, event, self.shown.consumption());
            }
            Record::Setup { setup, .. } => live.setup(session, epoch, sequence, setup),
            Record::End { reason } => live.end(session, *reason),
        }
    }

    fn keep(&mut self, sequence: u64, record: Record) {
        match record {
            Record::Session { info } => self.offer(sequence, Content::Info(Box::new(info))),
            Record::Setup { at_s, setup } => self.offer(sequence, Content::Setup { at_s, setup: Box::new(setup) }),
            Record::Event { event } => self.offer(sequence, Content::Event(Box::new(event))),
            Record::End { reason } => {
                self.ended = self.offer(sequence, Content::End(reason));
                self.ended
            }
        };
    }

    /// Hands an item to the recorder; it comes again later if that is full.
    fn offer(&mut self, sequence: u64, content: Content) -> bool {
        let taken = self.writer.offer(Item { sequence, content });
        if taken {
            self.order.taken(sequence);
        }
        taken
    }

    /// Whether the agent has to send again, and after which sequence. `now` is since the connection began.
    pub(super) fn ask(&mut self, now: Duration) -> Ask {
        self.order.ask(now, self.writer.has_room())
    }

    /// The run of the agent.
    pub(super) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Whether the recorder has taken everything that came.
    pub(super) fn is_whole(&self) -> bool {
        self.order.is_whole()
    }

    /// Whether everything that came is committed.
    pub(super) fn is_committed(&self) -> bool {
        self.order.is_whole() && *self.writer.progress.borrow() == Progress::Committed(self.order.last_taken())
    }
}
