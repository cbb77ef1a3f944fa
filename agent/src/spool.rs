//! What is to be recorded and is not yet acknowledged, in the order in which it happened.
//!
//! It numbers what it takes: a [`Place`] is given once and never without content, so the stream has no holes. Nothing
//! leaves before the service has committed it, with one exception: at the limit of its memory the oldest batch loses its
//! samples, whole; its place stays, as a batch in which nothing is known, and the loss is counted. Records (laps, setups,
//! what the session is) are small and are never lost that way. Where even that does not make room, what comes new is
//! refused and counted, before it gets a place.
//!
//! Each item also has a *serial*, its number in this spool, which says what was sent and what was not.
//!
//! Not here: a file. This is the seam for one: all that the rest of the agent asks for is in [`Spool`]'s methods.

use bytes::Bytes;
use onelap_protocol::agent::{AgentMessage, Place, Record};
use onelap_protocol::limits::MAX_AGENT_FRAME;
use onelap_protocol::{Batch, SessionId, batch};
use std::collections::{HashMap, VecDeque};

/// Memory that an item takes besides its bytes, about.
const ITEM_OVERHEAD: usize = 128;

/// One item, as it goes over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// A batch of samples.
    Batch(Bytes),
    /// A record, JSON.
    Record(Bytes),
}

impl Frame {
    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        match self {
            Self::Batch(bytes) | Self::Record(bytes) => bytes,
        }
    }
}

/// An item and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its number in this spool, from 0, without holes.
    pub serial: u64,
    /// Its place in the session's stream.
    pub place: Place,
    /// What it is.
    pub frame: Frame,
}

impl Item {
    fn cost(&self) -> usize {
        self.frame.bytes().len() + ITEM_OVERHEAD
    }
}

/// Why the spool took something no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SpoolError {
    /// There is no room, and nothing that could make some.
    #[error("the spool is full")]
    Full,
    /// It is larger than the service takes in one message, or it is nothing.
    #[error("a message of {0} bytes: the service takes 1 to {MAX_AGENT_FRAME}")]
    Size(usize),
}

/// Items of one session that follow each other, with serials without holes.
#[derive(Debug)]
struct Run {
    session: SessionId,
    first_serial: u64,
    items: VecDeque<Item>,
}

impl Run {
    fn end_serial(&self) -> u64 {
        self.first_serial + self.items.len() as u64
    }

    /// Index of the item with this serial, or of the first after it.
    fn index(&self, serial: u64) -> usize {
        serial.saturating_sub(self.first_serial) as usize
    }
}

/// See the module.
#[derive(Debug)]
pub struct Spool {
    epoch: u64,
    limit_bytes: usize,
    bytes: usize,
    next_serial: u64,
    /// Oldest first; only the last may be empty.
    runs: VecDeque<Run>,
    /// Last sequence of each session of which something is held, and of the newest.
    last: HashMap<SessionId, u64>,
    /// Serial before which there is no batch left to empty.
    emptied_before: u64,
    lost_samples: u64,
    refused: u64,
}

impl Spool {
    /// An empty spool for this run of the agent that holds at most `limit_bytes`.
    #[must_use]
    pub fn new(epoch: u64, limit_bytes: usize) -> Self {
        Self {
            epoch,
            limit_bytes,
            bytes: 0,
            next_serial: 0,
            runs: VecDeque::new(),
            last: HashMap::new(),
            emptied_before: 0,
            lost_samples: 0,
            refused: 0,
        }
    }

    /// Which run of the agent its places name.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Takes a record and returns its serial.
    ///
    /// # Errors
    /// [`SpoolError`] where it was not taken; it has no place then.
    pub fn push_record(&mut self, session: SessionId, record: Record) -> Result<u64, SpoolError> {
        self.push(session, |place| {
            let message = AgentMessage::Record { place, record };
            // Only a map whose keys are not text cannot be JSON, and there is none; an empty frame is refused below.
            Frame::Record(serde_json::to_vec(&message).unwrap_or_default().into())
        })
    }

    /// Takes the batch that `encode` makes for the place it gets, and returns its serial.
    ///
    /// # Errors
    /// [`SpoolError`] where it was not taken; it has no place then.
    pub fn push_batch(&mut self, session: SessionId, encode: impl FnOnce(Place) -> Bytes) -> Result<u64, SpoolError> {
        self.push(session, |place| Frame::Batch(encode(place)))
    }

    fn push(&mut self, session: SessionId, make: impl FnOnce(Place) -> Frame) -> Result<u64, SpoolError> {
        let sequence = self.last.get(&session).copied().unwrap_or(0) + 1;
        let place = Place { session, epoch: self.epoch, sequence };
        let item = Item { serial: self.next_serial, place, frame: make(place) };
        let len = item.frame.bytes().len();
        if len == 0 || len > MAX_AGENT_FRAME {
            self.refused += 1;
            return Err(SpoolError::Size(len));
        }
        if !self.make_room(item.cost()) {
            self.refused += 1;
            return Err(SpoolError::Full);
        }
        self.bytes += item.cost();
        self.next_serial += 1;
        let serial = item.serial;
        self.run_of(session).items.push_back(item);
        self.last.insert(session, sequence);
        Ok(serial)
    }

    /// The last run, which is this session's.
    fn run_of(&mut self, session: SessionId) -> &mut Run {
        let at = self.runs.len().saturating_sub(1);
        if self.runs.back().is_some_and(|run| run.session == session) {
            return &mut self.runs[at];
        }
        self.runs.retain(|run| !run.items.is_empty());
        let held: Vec<SessionId> = self.runs.iter().map(|run| run.session).collect();
        self.last.retain(|session, _| held.contains(session));
        self.runs.push_back(Run { session, first_serial: self.next_serial - 1, items: VecDeque::new() });
        let at = self.runs.len() - 1;
        &mut self.runs[at]
    }

    /// Empties the oldest batches until there is room. Returns whether there is.
    fn make_room(&mut self, cost: usize) -> bool {
        while self.bytes + cost > self.limit_bytes {
            let from = self.emptied_before;
            let mut candidates = self.runs.iter_mut().flat_map(|run| {
                let index = run.index(from).min(run.items.len());
                run.items.range_mut(index..)
            });
            let Some(item) = candidates.find(|item| matches!(item.frame, Frame::Batch(_))) else { return false };
            self.emptied_before = item.serial + 1;
            let before = item.cost();
            if let Some((empty, samples)) = emptied(item) {
                item.frame = Frame::Batch(empty);
                self.bytes = self.bytes - before + item.cost();
                self.lost_samples += samples;
            }
        }
        true
    }

    /// Forgets what is committed: everything of the session up to the place. Returns how many items that were.
    pub fn ack(&mut self, place: Place) -> usize {
        let committed = (place.epoch, place.sequence);
        let mut removed = 0;
        for run in self.runs.iter_mut().filter(|run| run.session == place.session) {
            while run.items.front().is_some_and(|item| (item.place.epoch, item.place.sequence) <= committed) {
                if let Some(item) = run.items.pop_front() {
                    self.bytes -= item.cost();
                    run.first_serial += 1;
                    removed += 1;
                }
            }
        }
        let last = self.runs.len().saturating_sub(1);
        let mut index = 0;
        self.runs.retain(|run| {
            index += 1;
            index > last || !run.items.is_empty()
        });
        removed
    }

    /// The item with this serial, or the first that is left after it.
    #[must_use]
    pub fn at(&self, serial: u64) -> Option<&Item> {
        let run = self.runs.iter().find(|run| run.end_serial() > serial && !run.items.is_empty())?;
        run.items.get(run.index(serial))
    }

    /// Serial of the first item of the session that comes after the place; that of the next item to come where there is
    /// none.
    #[must_use]
    pub fn serial_after(&self, place: Place) -> u64 {
        let after = |item: &&Item| (item.place.epoch, item.place.sequence) > (place.epoch, place.sequence);
        let mut runs = self.runs.iter().filter(|run| run.session == place.session);
        runs.find_map(|run| run.items.iter().find(after)).map_or(self.next_serial, |item| item.serial)
    }

    /// Everything of a session after a place, in order.
    pub fn unacked_after(&self, place: Place) -> impl Iterator<Item = &Item> {
        let runs = self.runs.iter().filter(move |run| run.session == place.session);
        runs.flat_map(|run| &run.items)
            .filter(move |item| (item.place.epoch, item.place.sequence) > (place.epoch, place.sequence))
    }

    /// Everything that is held, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Item> {
        self.runs.iter().flat_map(|run| &run.items)
    }

    /// Sessions of which something is held, oldest first, each once.
    #[must_use]
    pub fn sessions(&self) -> Vec<SessionId> {
        let mut sessions = Vec::new();
        for run in self.runs.iter().filter(|run| !run.items.is_empty()) {
            if !sessions.contains(&run.session) {
                sessions.push(run.session);
            }
        }
        sessions
    }

    /// Serial that the next item will get.
    #[must_use]
    pub fn next_serial(&self) -> u64 {
        self.next_serial
    }

    /// Whether nothing is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.runs.iter().all(|run| run.items.is_empty())
    }

    /// Memory that is held, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Samples that were lost for want of room.
    #[must_use]
    pub fn lost_samples(&self) -> u64 {
        self.lost_samples
    }

    /// Items that were not taken.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused
    }
}

/// A batch for the same place in which nothing is known, and how many samples it costs; `None` where it is one already.
fn emptied(item: &Item) -> Option<(Bytes, u64)> {
    let header = batch::peek(item.frame.bytes()).ok()?;
    let mut empty = Batch::with_capacity(1);
    empty.add_row(header.base_ms);
    let mut frame = Vec::new();
    empty.encode(batch::OPCODE_SAMPLES, header.session, header.epoch, header.sequence, &mut frame);
    (frame.len() < item.frame.bytes().len()).then(|| (frame.into(), header.samples as u64))
}

#[cfg(test)]
mod tests;
