//! The spool on disk: a log of segments with a bound, in one folder per rig.
//!
//! ```text
//! <folder>/lock                       held by the agent that uses the folder
//!          00000000000000000000.seg   segments; their bytes: see `segment`
//!          00000000000000014208.seg   … the last one is being written
//!          state.json                 epoch, acknowledgements, losses, sessions; see `state`
//! ```
//!
//! - **Segments** are 4 MiB; a run of the agent begins a new one. All together take at most the cap (a setting; 1 GiB,
//!   at least 16 MiB).
//! - **At the cap** the oldest segment goes, whole, acknowledged or not. What was lost with it is kept as ranges per
//!   session and epoch in `state.json`, counted and shown. A reader meets a lost item at its place, as lost.
//! - **An item is given to the system (one write) before anything else is done with it**: an agent that is killed
//!   loses nothing. fsync follows every second, at the end of a segment and at the end of the agent: a power failure
//!   loses what was read in about the last second (more where the medium is so slow that its fsync takes longer).
//! - **A segment goes when all of it is acknowledged**, after the acknowledgement is in `state.json`. Acknowledgements
//!   are cumulative per session and epoch; between that they are written every ten seconds. One that is forgotten
//!   causes a replay, which changes nothing.
//! - **A torn last record** (the agent was killed while it wrote) is cut off and counted; it had not been sent.
//! - **Damage** anywhere else: the segment is not believed from there to its end, which is cut off. What is missing is
//!   found out from the serials and sequences after it, and counted; found while reading, likewise.
//! - **A disk that does not take an item**: the write is undone and the caller told, who keeps it in memory meanwhile.
//!   What is counted as lost, or acknowledged, while the disk is full reaches `state.json` with the first segment that
//!   goes: an agent that is killed before that forgets it. It then sends again what was acknowledged, and of what went at
//!   the cap it may count too few; the places of a session stay without holes all the same.
//! - **In memory**: runs (about one per segment), a mark every 32 KiB, one reading buffer of 64 KiB to 320 KiB.
//! - **Nothing here looks at a clock.** Times in records are for people and placeholders only.
//!
//! Not here: opening (`recover`), reading (`read`), numbering, memory, time (`spool`), files (`disk`).

use crate::spool::disk::Disk;
use crate::spool::index::{Index, Kept, Reason, Run};
use crate::spool::read::Reading;
use crate::spool::segment::{self, HEADER, Meta, RECORD_HEAD};
use crate::spool::state::{self, LostRun, State};
use onelap_protocol::SessionId;
use onelap_protocol::agent::Place;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::io;

/// Size of a segment.
pub const SEGMENT_BYTES: u64 = 4 * 1024 * 1024;
/// Smallest cap.
pub const MIN_CAP_BYTES: u64 = 16 * 1024 * 1024;
/// Distance of marks in a segment.
const MARK_EVERY: u64 = 32 * 1024;

/// How large things may get.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    /// A segment.
    pub segment: u64,
    /// All segments together.
    pub cap: u64,
}

impl Sizes {
    /// With segments of the usual size and this cap, or the smallest one.
    #[must_use]
    pub fn with_cap(cap: u64) -> Self {
        Self { segment: SEGMENT_BYTES, cap: cap.max(MIN_CAP_BYTES) }
    }
}

/// A segment's file.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) first_serial: u64,
    pub(super) bytes: u64,
    /// Items that are not acknowledged.
    pub(super) left: u64,
    /// Serial and offset of some records.
    pub(super) marks: Vec<(u64, u64)>,
    /// Whose records it has.
    pub(super) streams: BTreeSet<(SessionId, u64)>,
}

impl Segment {
    pub(super) fn new(first_serial: u64) -> Self {
        Self { first_serial, bytes: HEADER as u64, left: 0, marks: Vec::new(), streams: BTreeSet::new() }
    }

    /// A record was written, or found, at its end.
    pub(super) fn grew(&mut self, meta: &Meta, payload: usize) {
        if self.marks.last().is_none_or(|(_, at)| self.bytes >= at + MARK_EVERY) {
            self.marks.push((meta.serial, self.bytes));
        }
        self.streams.insert((meta.place.session, meta.place.epoch));
        self.bytes += (RECORD_HEAD + payload) as u64;
        self.left += 1;
    }
}

/// See the module.
#[derive(Debug)]
pub struct Log<D> {
    pub(super) disk: D,
    pub(super) sizes: Sizes,
    /// Oldest first.
    pub(super) segments: VecDeque<Segment>,
    /// The last segment is being written.
    pub(super) is_open: bool,
    pub(super) index: Index,
    pub(super) acks: HashMap<(SessionId, u64), u64>,
    /// What is remembered; acknowledgements and lost runs are put in when it is written.
    pub(super) state: State,
    pub(super) state_is_new: bool,
    /// Serial after the last that was ever given out, as far as is known.
    pub(super) end_serial: u64,
    buffer: Vec<u8>,
    pub(super) reading: Reading,
    is_unsynced: bool,
}

impl<D: Disk> Log<D> {
    /// A log without anything; see [`Log::open`].
    pub(super) fn empty(disk: D, sizes: Sizes, state: State) -> Self {
        Self {
            disk,
            sizes,
            segments: VecDeque::new(),
            is_open: false,
            index: Index::default(),
            acks: HashMap::new(),
            state,
            state_is_new: false,
            end_serial: 0,
            buffer: Vec::new(),
            reading: Reading::default(),
            is_unsynced: false,
        }
    }

    /// Writes an item. Serials ascend.
    ///
    /// # Errors
    /// Where the disk does not take it; nothing has changed then.
    pub fn append(&mut self, meta: &Meta, payload: &[u8]) -> io::Result<()> {
        let len = (RECORD_HEAD + payload.len()) as u64;
        let is_full = |last: &Segment| last.bytes + len > self.sizes.segment && last.bytes > HEADER as u64;
        if self.is_open && self.segments.back().is_none_or(is_full) {
            self.roll()?;
        }
        self.make_room(len + HEADER as u64);
        self.buffer.clear();
        let written = match self.segments.back().filter(|_| self.is_open) {
            Some(last) => {
                segment::put_record(meta, payload, &mut self.buffer);
                self.disk.append(&segment::name(last.first_serial), &self.buffer)
            }
            None => {
                segment::put_header(meta.serial, &mut self.buffer);
                segment::put_record(meta, payload, &mut self.buffer);
                let written = self.disk.create(&segment::name(meta.serial), &self.buffer);
                if written.is_ok() {
                    self.segments.push_back(Segment::new(meta.serial));
                    self.is_open = true;
                }
                written
            }
        };
        if let Err(error) = written {
            self.undo();
            return Err(error);
        }
        self.is_unsynced = true;
        self.end_serial = meta.serial + 1;
        if let Some(last) = self.segments.back_mut() {
            last.grew(meta, payload.len());
            self.index.push(run_of(meta, payload.len(), Kept::In(last.first_serial)));
        }
        Ok(())
    }

    /// A record was written in part: cuts it off. Where that is not possible, the segment ends with it.
    fn undo(&mut self) {
        if let Some(last) = self.segments.back().filter(|_| self.is_open) {
            let name = segment::name(last.first_serial);
            self.is_open = self.disk.cut(&name, last.bytes).is_ok();
            if !self.is_open
                && let Err(error) = self.disk.sync(&name)
            {
                tracing::warn!(%error, name, "the end of a segment may not be on the disk");
            }
        }
    }

    /// The segment that is being written ends.
    fn roll(&mut self) -> io::Result<()> {
        self.sync()?;
        self.is_open = false;
        self.clear_acked();
        Ok(())
    }

    /// Makes the segment that is being written go as well, if nothing is left of it: a disk that is full needs the room.
    pub fn retire(&mut self) {
        if self.segments.back().is_some_and(|last| last.left == 0) {
            self.is_open = false;
            self.clear_acked();
        }
    }

    /// Has what was written brought to the medium soon.
    ///
    /// # Errors
    /// What has gone wrong with that since the last time.
    pub fn sync(&mut self) -> io::Result<()> {
        if !std::mem::take(&mut self.is_unsynced) {
            return Ok(());
        }
        let Some(last) = self.segments.back() else { return Ok(()) };
        let synced = self.disk.sync(&segment::name(last.first_serial));
        if synced.is_err() {
            // What the disk has not taken may be missing behind what it takes next.
            self.is_open = false;
        }
        synced
    }

    /// Drops the oldest segments until there is room under the cap.
    fn make_room(&mut self, len: u64) {
        let mut total: u64 = self.segments.iter().map(|segment| segment.bytes).sum();
        while total + len > self.sizes.cap && self.segments.len() > usize::from(self.is_open) {
            let Some(oldest) = self.segments.pop_front() else { return };
            total -= oldest.bytes;
            let lost = self.index.lose(oldest.first_serial, 0, Reason::Cap);
            self.state.losses.cap = self.state.losses.cap.saturating_add(lost);
            self.remove(&oldest);
        }
    }

    /// Forgets what is committed: everything of the session and epoch up to the place. Returns how many items that were.
    pub fn ack(&mut self, place: Place) -> u64 {
        // The service takes a later run's items after all of the earlier one's.
        let earlier =
            self.index.earlier_epochs(place).into_iter().map(|epoch| Place { epoch, sequence: u64::MAX, ..place });
        let places: Vec<Place> = earlier.chain([place]).collect();
        places.into_iter().map(|place| self.ack_epoch(place)).sum()
    }

    fn ack_epoch(&mut self, place: Place) -> u64 {
        let acked = self.acks.entry((place.session, place.epoch)).or_insert(0);
        if *acked >= place.sequence {
            return 0;
        }
        *acked = place.sequence;
        self.state_is_new = true;
        let segments = &mut self.segments;
        let went = self.index.ack(place, |first_serial, n| {
            let at = segments.partition_point(|segment| segment.first_serial < first_serial);
            if let Some(segment) = segments.get_mut(at) {
                segment.left = segment.left.saturating_sub(n);
            }
        });
        self.clear_acked();
        went
    }

    /// Removes the segments of which nothing is left, but for the one that is being written.
    pub(super) fn clear_acked(&mut self) {
        let closed = self.segments.len() - usize::from(self.is_open);
        let gone: Vec<usize> = (0..closed).filter(|at| self.segments[*at].left == 0).collect();
        for at in gone.into_iter().rev() {
            if let Some(segment) = self.segments.remove(at) {
                self.remove(&segment);
            }
        }
    }

    /// Removes a segment's file, after saying why it is not there. A disk that is full takes that only afterwards.
    fn remove(&mut self, segment: &Segment) {
        self.reading.is_set = false;
        let is_saved = self.save_with(Some(segment)).is_ok();
        let name = segment::name(segment.first_serial);
        if let Err(error) = self.disk.remove(&name) {
            tracing::warn!(%error, name, "a segment that is no longer needed is not removed");
        }
        if !is_saved && let Err(error) = self.save_with(None) {
            tracing::warn!(%error, "the spool's state is not saved");
            self.state_is_new = true;
        }
    }

    /// Writes `state.json` where something in it is new.
    ///
    /// # Errors
    /// Where the disk does not take it.
    pub fn save(&mut self) -> io::Result<()> {
        if self.state_is_new { self.save_with(None) } else { Ok(()) }
    }

    /// Writes `state.json`.
    ///
    /// # Errors
    /// Where the disk does not take it.
    pub fn save_now(&mut self) -> io::Result<()> {
        self.save_with(None)
    }

    /// Changes what is remembered besides the items.
    pub fn remember(&mut self, change: impl FnOnce(&mut State)) {
        change(&mut self.state);
        self.state_is_new = true;
    }

    /// What is remembered; without the acknowledgements and lost runs.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// `going` is a segment whose file is still there.
    fn save_with(&mut self, going: Option<&Segment>) -> io::Result<()> {
        let streams: BTreeSet<_> =
            self.segments.iter().chain(going).flat_map(|segment| &segment.streams).copied().collect();
        let lost: BTreeSet<_> = self.lost().map(|lost| (lost.first.session, lost.first.epoch)).collect();
        // Of an earlier run of the agent nothing more comes.
        let now = self.state.epoch;
        self.acks.retain(|stream, _| stream.1 == now || streams.contains(stream) || lost.contains(stream));
        let place = |((session, epoch), sequence): (&(SessionId, u64), &u64)| Place {
            session: *session,
            epoch: *epoch,
            sequence: *sequence,
        };
        let mut acks: Vec<Place> = self.acks.iter().map(place).collect();
        acks.sort();
        let state = State { acks, lost: self.lost().collect(), ..self.state.clone() };
        let bytes = serde_json::to_vec(&state).map_err(io::Error::other)?;
        self.disk.replace(state::FILE, bytes)?;
        self.state_is_new = false;
        Ok(())
    }

    /// What is lost and not yet acknowledged as lost, oldest first.
    pub fn lost(&self) -> impl Iterator<Item = LostRun> {
        self.index.iter().filter_map(LostRun::of)
    }

    /// What is there and what is lost.
    #[must_use]
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// Serial after the last that is known.
    #[must_use]
    pub fn end_serial(&self) -> u64 {
        self.end_serial
    }

    /// Bytes of all segments.
    #[must_use]
    pub fn disk_bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }

    /// Bytes that are not acknowledged, about.
    #[must_use]
    pub fn waiting_bytes(&self) -> u64 {
        self.index.iter().map(|run| run.bytes).sum()
    }

    /// Brings everything to the medium, at the end of the agent.
    ///
    /// # Errors
    /// Where that does not succeed in time.
    pub fn close(&mut self) -> io::Result<()> {
        let synced = self.sync();
        self.is_open = false;
        self.clear_acked();
        self.save()?;
        self.disk.flush()?;
        synced
    }
}

/// A run of one item.
pub(super) fn run_of(meta: &Meta, payload: usize, kept: Kept) -> Run {
    let Meta { serial, place, at_ms, .. } = *meta;
    Run { first_serial: serial, count: 1, first: place, kept, bytes: payload as u64, from_ms: at_ms, to_ms: at_ms }
}
