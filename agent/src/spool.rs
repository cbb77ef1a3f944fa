//! What is to be recorded and is not yet acknowledged, in the order in which it happened.
//!
//! It numbers what it takes: a [`Place`] is given once and never without content, so the stream has no holes. Nothing
//! leaves before the service has committed it, with two exceptions, both counted and shown: at the cap of the disk the
//! oldest segment goes ([`log`]), and what is in memory alone loses samples at the limit of that ([`memory`]). What is
//! lost keeps its place, as a batch in which nothing is known. Where there is no room even so, what comes new is refused
//! and counted, before it gets a place.
//!
//! Each item also has a *serial*, its number in this spool, which says what was sent and what was not.
//!
//! ```text
//! push ──► log (one write) ──► memory (the newest megabyte) ──► link: from memory if it is there, else from the log
//!            │ the disk does not take it
//!            └───────────────► memory alone, up to its limit; the disk is tried again every five seconds
//! ```
//!
//! Invariants: an item is in the log before anybody can see it, unless [`Spool::problem`] says why not; what comes later
//! has the greater serial, also after a restart of the agent; an epoch is later than every one before, however the clock
//! was set (a disk that is full keeps no epoch: there the clock must not go back as well).
//!
//! Not here: what to send and when (`link`).

use crate::spool::disk::{Disk, Folder, FolderError};
use crate::spool::folder::Missing;
use crate::spool::item::{MAX_ITEM, meta, record_frame};
use crate::spool::log::{Log, Sizes};
use crate::spool::memory::Memory;
use crate::spool::state::MAX_SESSIONS;
use bytes::Bytes;
use onelap_protocol::SessionId;
use onelap_protocol::agent::{Place, Record};
use std::collections::VecDeque;
use std::io;
use std::path::Path;

pub use item::{Frame, Item};

pub mod disk;
mod folder;
pub mod index;
mod item;
pub mod log;
mod look;
mod memory;
pub mod read;
mod recover;
pub mod segment;
mod sessions;
pub mod state;

/// What is kept in memory of that which is on disk.
const RECENT_BYTES: usize = 1024 * 1024;
/// How often what was written is brought to the medium.
const SYNC_MS: u64 = 1_000;
/// How often the state is written, if nothing asks for it before.
const SAVE_MS: u64 = 10_000;
/// How long a disk that took nothing is left alone.
const RETRY_MS: u64 = 5_000;
/// Bytes that are written at a time once it takes something again.
const CATCH_UP_BYTES: usize = 4 * 1024 * 1024;

/// Why the spool took something no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SpoolError {
    /// There is no room, and nothing that could make some.
    #[error("the spool is full")]
    Full,
    /// It is larger than the service takes in one message, or it is nothing.
    #[error("a message of {0} bytes: the service takes 1 to {MAX_ITEM}")]
    Size(usize),
}

/// The disk takes nothing at the moment.
#[derive(Debug)]
struct Trouble {
    why: String,
    /// What is in memory from this serial on is not on disk.
    unwritten: u64,
    /// When the disk is tried again.
    retry_ms: Option<u64>,
}

/// See the module.
#[derive(Debug)]
pub struct Spool<D: Disk = Folder> {
    epoch: u64,
    memory: Memory,
    memory_limit: usize,
    log: Option<Log<D>>,
    trouble: Option<Trouble>,
    /// There is no log although there should be one.
    missing: Option<Missing>,
    next_serial: u64,
    /// Last sequence of the newest sessions, oldest first.
    last: VecDeque<(SessionId, u64)>,
    /// Time of the newest samples.
    at_ms: u64,
    refused: u64,
    /// What was last read from the log.
    read: Option<Item>,
    sync_ms: u64,
    save_ms: u64,
}

impl Spool {
    /// An empty spool for this run of the agent that holds at most `limit_bytes`, in memory alone.
    #[must_use]
    pub fn new(epoch: u64, limit_bytes: usize) -> Self {
        Self::with(epoch, limit_bytes, None)
    }

    /// The spool in a folder. `unix_ms` is the PC's clock.
    ///
    /// # Errors
    /// Where the folder is not to be had.
    pub fn open(folder: &Path, cap_bytes: u64, memory_limit: usize, unix_ms: u64) -> Result<Self, FolderError> {
        let io = |cause| FolderError::Io { path: folder.to_owned(), cause };
        Self::on(Folder::open(folder)?, Sizes::with_cap(cap_bytes), memory_limit, unix_ms).map_err(io)
    }
}

impl<D: Disk> Spool<D> {
    fn with(epoch: u64, memory_limit: usize, log: Option<Log<D>>) -> Self {
        Self {
            epoch,
            memory: Memory::default(),
            memory_limit,
            next_serial: log.as_ref().map_or(0, Log::end_serial),
            log,
            trouble: None,
            missing: None,
            last: VecDeque::new(),
            // What comes before the first samples was read when this run began, which its epoch tells, about.
            at_ms: epoch,
            refused: 0,
            read: None,
            sync_ms: 0,
            save_ms: 0,
        }
    }

    /// The spool on a disk. `unix_ms` is the PC's clock.
    ///
    /// # Errors
    /// Where the disk cannot be looked at.
    pub fn on(disk: D, sizes: Sizes, memory_limit: usize, unix_ms: u64) -> io::Result<Self> {
        let mut log = Log::open(disk, sizes)?;
        let epoch = unix_ms.max(log.state().epoch + 1);
        log.remember(|state| state.epoch = epoch);
        let mut spool = Self::with(epoch, memory_limit, Some(log));
        spool.save();
        Ok(spool)
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
        let about = match &record {
            Record::Session { info } => Some(Some(info.clone())),
            Record::End { .. } => Some(None),
            Record::Event { .. } | Record::Setup { .. } => None,
        };
        let serial = self.push(session, |place| record_frame(place, record))?;
        if let Some(info) = about {
            self.remember(session, info);
        }
        Ok(serial)
    }

    /// Takes the batch that `encode` makes for the place it gets, and returns its serial.
    ///
    /// # Errors
    /// [`SpoolError`] where it was not taken; it has no place then.
    pub fn push_batch(&mut self, session: SessionId, encode: impl FnOnce(Place) -> Bytes) -> Result<u64, SpoolError> {
        self.push(session, |place| Frame::Batch(encode(place)))
    }

    fn push(&mut self, session: SessionId, make: impl FnOnce(Place) -> Frame) -> Result<u64, SpoolError> {
        let place = self.next_place(session);
        let sequence = place.sequence;
        let item = Item { serial: self.next_serial, place, frame: make(place) };
        let len = item.frame.bytes().len();
        if len == 0 || len > MAX_ITEM {
            self.refused += 1;
            return Err(SpoolError::Size(len));
        }
        self.keep(item)?;
        let serial = self.next_serial;
        self.next_serial += 1;
        match self.last.iter_mut().rev().find(|(id, _)| *id == session) {
            Some((_, last)) => *last = sequence,
            None => {
                // Sessions follow each other; one that is so old does not come again.
                if self.last.len() == MAX_SESSIONS {
                    self.last.pop_front();
                }
                self.last.push_back((session, sequence));
            }
        }
        Ok(serial)
    }

    /// To the log and into memory, or into memory alone.
    fn keep(&mut self, item: Item) -> Result<(), SpoolError> {
        if let (Some(log), None) = (&mut self.log, &self.trouble) {
            let meta = meta(&item, &mut self.at_ms);
            match log.append(&meta, item.frame.bytes()) {
                Ok(()) => {
                    self.memory.push(item);
                    self.memory.forget(RECENT_BYTES.min(self.memory_limit), u64::MAX);
                    return Ok(());
                }
                Err(error) => self.failed(&error, item.serial),
            }
        }
        if !self.memory.make_room(item.cost(), self.memory_limit, self.unwritten()) {
            self.refused += 1;
            return Err(SpoolError::Full);
        }
        self.memory.push(item);
        Ok(())
    }

    /// The disk has not taken what comes from this serial on.
    fn failed(&mut self, error: &io::Error, unwritten: u64) {
        let why = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "the disk is full".to_owned(),
            io::ErrorKind::ReadOnlyFilesystem => "the disk is read-only".to_owned(),
            io::ErrorKind::PermissionDenied => "the agent may no longer write to its folder".to_owned(),
            _ => error.to_string(),
        };
        if self.trouble.is_none() {
            tracing::warn!(%error, "the spool's disk takes nothing: what is read is kept in memory");
        }
        self.trouble = Some(Trouble { why, unwritten, retry_ms: None });
    }

    /// What is in memory from this serial on is nowhere else.
    fn unwritten(&self) -> u64 {
        match (&self.log, &self.trouble) {
            (None, _) => 0,
            (Some(_), Some(trouble)) => trouble.unwritten,
            (Some(_), None) => self.next_serial,
        }
    }

    /// Does what is due: brings what was written to the medium, writes the state, tries a disk again that took nothing.
    /// To be called a few times a second. `now_ms` is any clock that only goes forward.
    pub fn maintain(&mut self, now_ms: u64) {
        if self.log.is_none() {
            return;
        }
        match &mut self.trouble {
            Some(Trouble { retry_ms: Some(retry_ms), .. }) if *retry_ms <= now_ms => self.catch_up(),
            Some(Trouble { retry_ms: Some(_), .. }) => {}
            Some(Trouble { retry_ms, .. }) => *retry_ms = Some(now_ms + RETRY_MS),
            None if self.sync_ms <= now_ms => {
                self.sync_ms = now_ms + SYNC_MS;
                if let Some(Err(error)) = self.log.as_mut().map(Log::sync) {
                    self.failed(&error, self.next_serial);
                }
            }
            None => {}
        }
        if self.save_ms <= now_ms {
            self.save_ms = now_ms + SAVE_MS;
            self.save();
        }
    }

    /// Writes what is in memory alone, or a part of it.
    fn catch_up(&mut self) {
        let (Some(log), Some(trouble)) = (&mut self.log, &mut self.trouble) else { return };
        let mut bytes = 0;
        log.retire();
        // What was acknowledged meanwhile will be in no segment: without this it would look like a loss.
        let mut written = log.save_now();
        for item in self.memory.from(trouble.unwritten) {
            written = written.and_then(|()| log.append(&meta(item, &mut self.at_ms), item.frame.bytes()));
            if written.is_err() {
                break;
            }
            trouble.unwritten = item.serial + 1;
            bytes += item.cost();
            if bytes > CATCH_UP_BYTES {
                return;
            }
        }
        match written {
            Ok(()) => self.trouble = None,
            Err(error) => {
                let unwritten = trouble.unwritten;
                self.failed(&error, unwritten);
            }
        }
    }

    /// Brings everything to the medium. At the end of the agent; what comes after that is kept all the same.
    pub fn close(&mut self) {
        if self.trouble.is_some() {
            self.catch_up();
        }
        if let Some(Err(error)) = self.log.as_mut().map(Log::close) {
            tracing::warn!(%error, "the end of the spool may not be on the disk");
        }
    }

    fn save(&mut self) {
        if let Some(Err(error)) = self.log.as_mut().map(Log::save) {
            tracing::warn!(%error, "the spool's state is not saved");
        }
    }

    /// Forgets what is committed: everything of the session and epoch up to the place. Returns how many items that were.
    pub fn ack(&mut self, place: Place) -> usize {
        let from_memory = self.memory.ack(place, self.unwritten());
        let from_log = self.log.as_mut().map_or(0, |log| log.ack(place));
        self.read = None;
        from_memory + from_log as usize
    }
}

#[cfg(test)]
mod faulty;
#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod tests;
