//! What the spool holds: looking at it changes nothing.

use crate::spool::disk::Disk;
use crate::spool::item::record_frame;
use crate::spool::log::Log;
use crate::spool::memory::empty_batch;
use crate::spool::read::Found;
use crate::spool::segment::Kind;
use crate::spool::state::{Losses, LostRun, Session};
use crate::spool::{Frame, Item, Spool};
use onelap_protocol::SessionId;
use onelap_protocol::agent::{Place, Record};

impl<D: Disk> Spool<D> {
    /// The item with this serial, or the first that is left after it. What is lost is there as an empty batch.
    #[must_use]
    pub fn at(&mut self, serial: u64) -> Option<Item> {
        let in_memory = self.memory.at(serial);
        let Some((_, on_disk)) = self.log.as_ref().and_then(|log| log.index().at(serial)) else {
            return in_memory.cloned();
        };
        if let Some(item) = in_memory.filter(|item| item.serial <= on_disk) {
            return Some(item.clone());
        }
        if let Some(read) = self.read.as_ref().filter(|read| read.serial == on_disk) {
            return Some(read.clone());
        }
        let found = self.log.as_mut()?.read(serial)?;
        self.read = Some(self.item(found));
        self.read.clone()
    }

    fn item(&self, Found { serial, place, content }: Found) -> Item {
        let frame = match content {
            Ok((Kind::Batch, bytes)) => Frame::Batch(bytes),
            Ok((Kind::Record, bytes)) => Frame::Record(bytes),
            Err(at_ms) => self.placeholder(place, at_ms),
        };
        Item { serial, place, frame }
    }

    /// What goes in the place of an item that is lost. A stream begins with what the session is, or the service takes
    /// nothing of it.
    fn placeholder(&self, place: Place, at_ms: u64) -> Frame {
        let known = |session: &&Session| session.id == place.session && place.sequence == 1;
        match self.log.as_ref().and_then(|log| log.state().sessions.iter().find(known)) {
            Some(session) => record_frame(place, Record::Session { info: session.info.clone() }),
            None => Frame::Batch(empty_batch(place, at_ms)),
        }
    }

    /// Serial of the first item of the session that comes after the place; that of the next item to come where there is
    /// none.
    #[must_use]
    pub fn serial_after(&self, place: Place) -> u64 {
        let on_disk = self.log.as_ref().and_then(|log| log.index().serial_after(place));
        let in_memory = self.memory.serial_after(place);
        on_disk.into_iter().chain(in_memory).min().unwrap_or(self.next_serial)
    }

    /// Sessions of which something is held, oldest first, each once.
    #[must_use]
    pub fn sessions(&self) -> Vec<SessionId> {
        let mut sessions = self.log.as_ref().map(|log| log.index().sessions()).unwrap_or_default();
        for session in self.memory.sessions() {
            if !sessions.contains(&session) {
                sessions.push(session);
            }
        }
        sessions
    }

    /// Serial that the next item will get.
    #[must_use]
    pub fn next_serial(&self) -> u64 {
        self.next_serial
    }

    /// Batches and records that wait for the service's acknowledgement.
    #[must_use]
    pub fn items(&self) -> u64 {
        self.items_before(u64::MAX)
    }

    /// Of those, how many have a smaller serial than this.
    #[must_use]
    pub fn items_before(&self, serial: u64) -> u64 {
        let on_disk: u64 = self.log.iter().map(|log| log.index().count_before(serial)).sum();
        on_disk + self.memory.count(self.unwritten(), serial)
    }

    /// The oldest of them: its serial, and the PC's clock when it was read, about.
    #[must_use]
    pub fn oldest(&self) -> Option<(u64, u64)> {
        let on_disk = self.log.as_ref().and_then(|log| log.index().iter().next());
        let in_memory = self.memory.from(self.unwritten()).next();
        match (on_disk, in_memory) {
            (Some(run), _) => Some((run.first_serial, run.from_ms)),
            (None, item) => item.map(|item| (item.serial, self.at_ms)),
        }
    }

    /// The place that the next item of a session gets.
    #[must_use]
    pub fn next_place(&self, session: SessionId) -> Place {
        let last = self.last.iter().rev().find(|(id, _)| *id == session).map_or(0, |(_, last)| *last);
        Place { session, epoch: self.epoch, sequence: last + 1 }
    }

    /// Whether nothing is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.memory.is_empty() && self.log.as_ref().is_none_or(|log| log.index().is_empty())
    }

    /// Bytes that wait for the service's acknowledgement, on disk (about) and in memory alone.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let Some(log) = &self.log else { return self.memory.bytes() };
        log.waiting_bytes() as usize + self.memory.from(self.unwritten()).map(Item::cost).sum::<usize>()
    }

    /// Samples that were lost for want of memory.
    #[must_use]
    pub fn lost_samples(&self) -> u64 {
        self.memory.lost_samples()
    }

    /// Items that were ever lost from the disk, and why.
    #[must_use]
    pub fn losses(&self) -> Losses {
        self.log.as_ref().map(|log| log.state().losses).unwrap_or_default()
    }

    /// Batches and records that were ever lost, from the disk, from memory, or because there was no room for them.
    #[must_use]
    pub fn lost_items(&self) -> u64 {
        self.losses().items().saturating_add(self.memory.lost_batches()).saturating_add(self.refused)
    }

    /// Whether what waits is on disk, so that it survives the agent.
    #[must_use]
    pub fn is_on_disk(&self) -> bool {
        self.log.is_some() && self.trouble.is_none()
    }

    /// What is lost and was not yet acknowledged as lost, oldest first.
    pub fn lost(&self) -> impl Iterator<Item = LostRun> {
        self.log.iter().flat_map(Log::lost)
    }

    /// Items that were not taken.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// Why what is read is not kept on disk, although it should be.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        let trouble = self.trouble.as_ref().map(|trouble| trouble.why.as_str());
        let why = self.missing.as_ref().map(|missing| missing.why.as_str()).or(trouble)?;
        let limit = self.memory_limit / 1_000_000;
        Some(format!("{why}: what is not sent yet is kept in memory only, up to {limit} MB"))
    }
}

/// What tests look at; only what is in memory.
#[cfg(test)]
impl Spool {
    /// Everything, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Item> {
        self.memory.iter()
    }

    /// Everything of a session after a place, in order.
    pub(crate) fn unacked_after(&self, place: Place) -> impl Iterator<Item = &Item> {
        let after = (place.epoch, place.sequence);
        let of_session = self.memory.iter().filter(move |item| item.place.session == place.session);
        of_session.filter(move |item| (item.place.epoch, item.place.sequence) > after)
    }
}
