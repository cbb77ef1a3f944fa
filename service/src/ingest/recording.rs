//! What one run of the agent sends of a session to be recorded, on one connection: order, the recorder, and the fold over
//! what the recorder has taken.
//!
//! It begins before it is known what is recorded of the session, and goes on while Postgres does not answer.

use super::order::{Ask, Order};
use super::stream::Sender;
use crate::race::Fold;
use crate::recorder::{Content, Item, Opened, Progress, Recorder, Stored, Writer};
use onelap_protocol::race::RaceEvent;
use onelap_protocol::{CarKey, SessionId};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;

/// See the module.
#[derive(Debug)]
pub(super) struct Recording {
    pub(super) epoch: u64,
    pub(super) writer: Writer,
    order: Order,
    /// Until the recorder has said what it found.
    opening: Option<oneshot::Receiver<Opened>>,
    was_waited_for: bool,
    /// The first item was the facts of the session, sequence 1.
    begins: bool,
    /// The fold after what the recorder has taken; not known while a session that goes on is being looked up.
    fold: Option<Fold>,
    /// Events taken while that is going on, with the car that was ours, where it was known.
    unfolded: Vec<(u64, RaceEvent)>,
    /// The earliest later run of the agent whose items came before they could be taken: it goes on here, once it has sent
    /// them again.
    followed_by: Option<u64>,
    /// The agent said that nothing follows.
    pub(super) ended: bool,
}

/// What was found of the session.
#[derive(Debug)]
pub(super) enum Found {
    /// Nothing yet.
    NotYet,
    /// It begins here.
    New,
    /// It goes on.
    Stored(Box<Stored>),
    /// It is not known, and what came is not its beginning.
    Unknown,
    /// A later run of the agent has recorded to it.
    LaterRun {
        /// Up to where this one is committed.
        committed: u64,
        /// The last sequence that came of it.
        came: u64,
    },
}

impl Recording {
    /// Begins with the item `first`; `begins` where that is the facts of the session. `follows` is where the run before
    /// ends.
    pub(super) fn open(
        recorder: &Recorder,
        from: Sender,
        (session, first): (SessionId, u64),
        begins: bool,
        follows: Option<(u64, u64)>,
    ) -> Self {
        let (writer, opening) = recorder.open(from.tenant, from.rig, session, from.epoch, follows);
        Self {
            epoch: from.epoch,
            writer,
            order: Order::beginning_at(first),
            opening: Some(opening),
            was_waited_for: false,
            begins,
            fold: begins.then(Fold::default),
            unfolded: Vec::new(),
            followed_by: None,
            ended: false,
        }
    }

    /// Waits for what the recorder finds, once and not for long.
    pub(super) async fn wait(&mut self, deadline: Duration) -> Found {
        if std::mem::replace(&mut self.was_waited_for, true) {
            return self.poll();
        }
        let Some(opening) = &mut self.opening else { return Found::NotYet };
        match tokio::time::timeout(deadline, opening).await {
            Ok(Ok(opened)) => self.opened(opened),
            Ok(Err(_)) | Err(_) => Found::NotYet,
        }
    }

    /// What the recorder has found meanwhile; said once.
    pub(super) fn poll(&mut self) -> Found {
        match self.opening.as_mut().map(oneshot::Receiver::try_recv) {
            Some(Ok(opened)) => self.opened(opened),
            // A writer that ended by itself says so as its progress.
            Some(Err(TryRecvError::Empty | TryRecvError::Closed)) | None => Found::NotYet,
        }
    }

    fn opened(&mut self, opened: Opened) -> Found {
        self.opening = None;
        match opened {
            Opened::LaterRun { committed } => Found::LaterRun { committed, came: self.order.last_came() },
            Opened::New if !self.begins || !self.order.began_at_the_beginning() => Found::Unknown,
            Opened::New => {
                self.order.opened(0);
                self.unfolded = Vec::new();
                Found::New
            }
            Opened::After(stored) => {
                let done = if stored.place.epoch == self.epoch { stored.place.sequence } else { 0 };
                self.order.opened(done);
                let mut fold = stored.fold.clone();
                let last = self.order.last_taken();
                for (_, event) in self.unfolded.drain(..).filter(|(sequence, _)| (done + 1..=last).contains(sequence)) {
                    fold.apply(&event, &stored.info.car);
                }
                self.fold = Some(fold);
                Found::Stored(stored)
            }
        }
    }

    /// The fold after what the recorder has taken, where it is known.
    pub(super) fn fold(&self) -> Option<&Fold> {
        self.fold.as_ref()
    }

    /// Hands an item over; `false` where it was not taken: it came before, or has to come again.
    pub(super) fn offer(&mut self, sequence: u64, content: Content, is_backfill: bool, own: Option<&CarKey>) -> bool {
        let Some(after) = self.order.came(sequence) else { return false };
        let event = if let Content::Event(event) = &content { Some((**event).clone()) } else { None };
        let is_end = matches!(content, Content::End(_));
        let trace = self.writer.trace(sequence, &content);
        if !self.writer.offer(Item { sequence, after, is_backfill, content, trace }) {
            return false;
        }
        self.order.taken(sequence);
        self.ended |= is_end;
        if let Some(event) = event {
            if let (Some(fold), Some(own)) = (&mut self.fold, own) {
                fold.apply(&event, own);
            }
            if self.opening.is_some() {
                self.unfolded.push((sequence, event));
            }
        }
        true
    }

    /// A later run of the agent wants to go on here; it has to send again what it just sent.
    pub(super) fn turn_away(&mut self, epoch: u64) {
        self.followed_by = Some(self.followed_by.map_or(epoch, |first| first.min(epoch)));
    }

    /// Whether a later run may go on where this one ends: it is whole, and no run between the two was turned away.
    pub(super) fn may_be_followed_by(&self, epoch: u64) -> bool {
        self.is_whole() && self.followed_by.is_none_or(|first| epoch <= first)
    }

    /// Whether the agent has to send again, and after which sequence. `now` is since the connection began.
    pub(super) fn ask(&mut self, now: Duration) -> Ask {
        let is_missing = self.opening.is_none() && (self.followed_by.is_some() || !self.order.is_whole());
        if is_missing { self.order.ask(now, self.writer.has_room()) } else { Ask::Nothing }
    }

    /// Epoch and last sequence that the recorder has taken.
    pub(super) fn end(&self) -> (u64, u64) {
        (self.epoch, self.order.last_taken())
    }

    /// Whether the recorder has taken everything that came, and knows that it could.
    pub(super) fn is_whole(&self) -> bool {
        self.opening.is_none() && self.order.is_whole()
    }

    /// Whether everything that came is committed.
    pub(super) fn is_committed(&self) -> bool {
        // What is committed was found, whether or not that was asked for.
        self.order.is_whole() && *self.writer.progress.borrow() == Progress::Committed(self.order.last_taken())
    }
}
