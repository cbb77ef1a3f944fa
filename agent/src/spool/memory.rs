//! Items in memory, oldest first: the newest of those that are on disk, and all that are not.
//!
//! At the limit those go that are on disk. Where there are none, the oldest batch loses its samples, whole; its place
//! stays, as a batch in which nothing is known, and the loss is counted. Records are small and stay.

use crate::spool::{Frame, Item};
use bytes::Bytes;
use onelap_protocol::agent::Place;
use onelap_protocol::{Batch, SessionId, batch};
use std::collections::VecDeque;

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

    fn pop(&mut self) -> Option<Item> {
        self.first_serial += u64::from(!self.items.is_empty());
        self.items.pop_front()
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Memory {
    bytes: usize,
    /// Oldest first; none is empty.
    runs: VecDeque<Run>,
    /// Serial before which there is no batch left to empty.
    emptied_before: u64,
    lost_samples: u64,
    lost_batches: u64,
}

impl Memory {
    /// Takes an item; its serial follows the one before.
    pub(super) fn push(&mut self, item: Item) {
        self.bytes += item.cost();
        let session = item.place.session;
        match self.runs.back_mut().filter(|run| run.session == session && run.end_serial() == item.serial) {
            Some(run) => run.items.push_back(item),
            None => self.runs.push_back(Run { session, first_serial: item.serial, items: [item].into() }),
        }
    }

    /// Makes room for so many bytes below the limit; what has a smaller serial than `on_disk_before` is on disk.
    /// Returns whether there is room.
    pub(super) fn make_room(&mut self, cost: usize, limit: usize, on_disk_before: u64) -> bool {
        self.forget(limit.saturating_sub(cost), on_disk_before);
        while self.bytes + cost > limit {
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
                self.lost_batches += 1;
            }
        }
        true
    }

    /// Forgets the oldest of what is on disk, as long as more bytes are held than these.
    pub(super) fn forget(&mut self, bytes: usize, on_disk_before: u64) {
        while self.bytes > bytes
            && let Some(run) = self.runs.front_mut()
            && run.first_serial < on_disk_before
        {
            if let Some(item) = run.pop() {
                self.bytes -= item.cost();
            }
            if run.items.is_empty() {
                self.runs.pop_front();
            }
        }
    }

    /// Forgets everything of the session up to the place: earlier epochs whole. Returns how many items from a serial on that were.
    pub(super) fn ack(&mut self, place: Place, from_serial: u64) -> usize {
        let is_acked = |item: &Item| (item.place.epoch, item.place.sequence) <= (place.epoch, place.sequence);
        let mut removed = 0;
        for run in self.runs.iter_mut().filter(|run| run.session == place.session) {
            while run.items.front().is_some_and(is_acked)
                && let Some(item) = run.pop()
            {
                self.bytes -= item.cost();
                removed += usize::from(item.serial >= from_serial);
            }
        }
        self.runs.retain(|run| !run.items.is_empty());
        removed
    }

    /// The item with this serial, or the first that is left after it.
    pub(super) fn at(&self, serial: u64) -> Option<&Item> {
        let run = self.runs.get(self.runs.partition_point(|run| run.end_serial() <= serial))?;
        run.items.get(run.index(serial))
    }

    /// Serial of the first item of the session after the place.
    pub(super) fn serial_after(&self, place: Place) -> Option<u64> {
        let after = |item: &&Item| (item.place.epoch, item.place.sequence) > (place.epoch, place.sequence);
        let mut runs = self.runs.iter().filter(|run| run.session == place.session);
        runs.find_map(|run| run.items.iter().find(after)).map(|item| item.serial)
    }

    /// Everything, oldest first.
    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = &Item> {
        self.runs.iter().flat_map(|run| &run.items)
    }

    /// Everything from a serial on, oldest first.
    pub(super) fn from(&self, serial: u64) -> impl Iterator<Item = &Item> {
        self.runs.iter().flat_map(move |run| run.items.range(run.index(serial).min(run.items.len())..))
    }

    /// How many there are with serials from `from` on and before `to`.
    pub(super) fn count(&self, from: u64, to: u64) -> u64 {
        let clamped = |run: &Run| {
            let (first, end) = (run.first_serial.max(from), run.end_serial().min(to));
            end.saturating_sub(first)
        };
        self.runs.iter().map(clamped).sum()
    }

    /// Sessions of which something is held, oldest first.
    pub(super) fn sessions(&self) -> impl Iterator<Item = SessionId> {
        self.runs.iter().map(|run| run.session)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn lost_samples(&self) -> u64 {
        self.lost_samples
    }

    pub(super) fn lost_batches(&self) -> u64 {
        self.lost_batches
    }
}

/// A batch for the same place in which nothing is known, and how many samples it costs; `None` where it is one already.
fn emptied(item: &Item) -> Option<(Bytes, u64)> {
    let header = batch::peek(item.frame.bytes()).ok()?;
    let empty = empty_batch(item.place, header.base_ms);
    (empty.len() < item.frame.bytes().len()).then_some((empty, header.samples as u64))
}

/// A batch in which nothing is known.
pub(super) fn empty_batch(place: Place, at_ms: u64) -> Bytes {
    let mut empty = Batch::with_capacity(1);
    empty.add_row(at_ms);
    let mut frame = Vec::new();
    empty.encode(batch::OPCODE_SAMPLES, place.session, place.epoch, place.sequence, &mut frame);
    frame.into()
}
