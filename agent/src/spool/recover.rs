//! Opening a log: what is on the disk, what is missing, and why.
//!
//! Every segment is read once, from its beginning to where it is sound. What is missing shows in the sequences, which
//! have no holes within a session and epoch. A hole that neither an acknowledgement nor a known loss explains is a loss.
//! At the beginning of a session and epoch it is one only behind damage: all else that went from there was acknowledged,
//! or was lost at the cap and is in the state.

use crate::spool::disk::Disk;
use crate::spool::index::{Index, Kept, Reason, Run};
use crate::spool::log::{Log, Segment, Sizes, run_of};
use crate::spool::segment::{self, End, MAX_RECORD, Meta};
use crate::spool::state::{self, State};
use onelap_protocol::SessionId;
use onelap_protocol::agent::Place;
use std::collections::HashMap;
use std::io;

/// No state file that was written is nearly as large.
const MAX_STATE_BYTES: usize = 16 * 1024 * 1024;

/// One session and epoch, as far as the scan has come.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    sequence: u64,
    /// Segment of the last one.
    segment: u64,
}

/// What the scan gathers.
#[derive(Debug, Default)]
struct Gathered {
    runs: Vec<Run>,
    seen: HashMap<(SessionId, u64), Seen>,
    /// What is known to be lost, by session and epoch: first and last sequence, ascending.
    known: HashMap<(SessionId, u64), Vec<(u64, u64)>>,
    acks: HashMap<(SessionId, u64), u64>,
    /// Serial after the last sound record.
    end_serial: u64,
    damaged: u64,
    /// Serials that are missing behind damage, and how many of them are in streams that go on.
    gaps: Vec<(u64, u64)>,
    explained: u64,
    max_epoch: u64,
}

impl<D: Disk> Log<D> {
    /// Finds out what a disk has. It needs not be writable for that.
    ///
    /// # Errors
    /// Where it cannot be listed. What cannot be read of it counts as damaged.
    pub fn open(mut disk: D, sizes: Sizes) -> io::Result<Self> {
        let mut first_serials: Vec<u64> = disk.names()?.iter().filter_map(|name| segment::parse_name(name)).collect();
        first_serials.sort_unstable();
        let (state, state_is_sound) = read_state(&mut disk);
        let mut log = Self::empty(disk, sizes, State { acks: Vec::new(), lost: Vec::new(), ..state.clone() });
        let mut gathered = Gathered::with(&state);
        let mut bytes = Vec::new();
        for (nth, first_serial) in first_serials.iter().enumerate() {
            log.open_segment(*first_serial, first_serials.get(nth + 1).copied(), &mut bytes, &mut gathered);
        }
        let known = gathered.runs.iter().map(Run::end_serial).max().unwrap_or(0);
        // The name of a segment is not used again, even if it has nothing in it.
        let named = first_serials.last().map_or(0, |last| last + 1);
        log.end_serial = known.max(gathered.end_serial).max(named);
        let damaged = gathered.damaged.saturating_add(gathered.unplaced());
        log.state.losses.damaged = log.state.losses.damaged.saturating_add(damaged);
        log.state.epoch = gathered.max_epoch;
        log.state_is_new |= !state_is_sound || damaged > 0;
        log.index = Index::of(gathered.runs);
        log.count_left();
        for ((session, epoch), sequence) in gathered.acks {
            log.ack(Place { session, epoch, sequence });
        }
        log.clear_acked();
        Ok(log)
    }

    /// How much of each segment is in the index.
    fn count_left(&mut self) {
        let mut left = HashMap::new();
        for run in self.index.iter() {
            if let Kept::In(first_serial) = run.kept {
                *left.entry(first_serial).or_insert(0) += run.count;
            }
        }
        for segment in &mut self.segments {
            segment.left = left.get(&segment.first_serial).copied().unwrap_or(0);
        }
    }

    /// `next` is the first serial of the segment after it.
    fn open_segment(&mut self, first_serial: u64, next: Option<u64>, bytes: &mut Vec<u8>, gathered: &mut Gathered) {
        let name = segment::name(first_serial);
        bytes.clear();
        // A file that is larger was not made here; what stands in it further on is not believed.
        let most = self.sizes.segment as usize + MAX_RECORD + segment::HEADER;
        let is_read = self.disk.read(&name, 0, most, bytes);
        if let Err(error) = &is_read {
            tracing::warn!(%error, name, "a segment of the spool cannot be read");
        }
        let mut segment = Segment::new(first_serial);
        let is_its_own = segment::header(bytes) == Ok(first_serial);
        let sound = if is_its_own { &bytes[..] } else { &[] };
        let scan = segment::scan(sound, |_, meta, payload| {
            gathered.take(meta, payload.len(), &segment);
            segment.grew(meta, payload.len());
        });
        if scan.end != End::Clean {
            tracing::warn!(name, bytes = bytes.len() - scan.len, "a segment of the spool is torn or damaged: cut off");
            self.state_is_new = true;
            match next {
                None => self.state.losses.torn = self.state.losses.torn.saturating_add(1),
                Some(next) => gathered.gaps.push((gathered.end_serial.max(first_serial), next)),
            }
            if is_read.is_ok()
                && segment.left > 0
                && let Err(error) = self.disk.cut(&name, scan.len as u64)
            {
                tracing::warn!(%error, name, "it cannot be cut off");
            }
        }
        // One without a sound record goes with the next acknowledgement.
        self.segments.push_back(segment);
    }
}

impl Gathered {
    fn with(state: &State) -> Self {
        let mut gathered = Self { max_epoch: sane_epoch(state.epoch), ..Self::default() };
        for place in &state.acks {
            let acked = gathered.acks.entry((place.session, place.epoch)).or_insert(0);
            *acked = place.sequence.max(*acked);
        }
        gathered.runs = state.lost.iter().filter_map(state::LostRun::run).collect();
        gathered.runs.sort_by_key(|run| run.first.sequence);
        for run in &gathered.runs {
            let stream = (run.first.session, run.first.epoch);
            gathered.known.entry(stream).or_default().push((run.first.sequence, run.last_sequence()));
        }
        gathered
    }

    /// The next sound record.
    fn take(&mut self, meta: &Meta, payload: usize, segment: &Segment) {
        let stream = (meta.place.session, meta.place.epoch);
        let seen = self.seen.insert(stream, Seen { sequence: meta.place.sequence, segment: segment.first_serial });
        // What is missing at the beginning of a stream was acknowledged, unless it is missing behind damage.
        let missing = meta.place.sequence.saturating_sub(1 + seen.map_or(0, |seen| seen.sequence));
        let in_gaps = self.in_gaps(meta, missing);
        self.explained = self.explained.saturating_add(in_gaps);
        let before = seen.map_or(meta.place.sequence - 1 - in_gaps, |seen| seen.sequence);
        for (from, to) in self.holes(stream, before, meta.place.sequence) {
            self.lose(meta, from, to);
        }
        let run = run_of(meta, payload, Kept::In(segment.first_serial));
        let joins = seen.is_some_and(|seen| seen.segment == segment.first_serial)
            && self.runs.last_mut().is_some_and(|last| last.join(&run));
        if !joins {
            self.runs.push(run);
        }
        self.end_serial = meta.serial + 1;
        self.max_epoch = self.max_epoch.max(sane_epoch(meta.place.epoch));
    }

    /// How many of so many items before this one are missing behind damage.
    fn in_gaps(&self, next: &Meta, missing: u64) -> u64 {
        let from = next.serial.saturating_sub(missing);
        let overlap = |(gap_from, gap_to): &(u64, u64)| gap_to.min(&next.serial).saturating_sub(*gap_from.max(&from));
        total(self.gaps.iter().map(overlap)).min(missing)
    }

    /// Items that are missing behind damage, of streams that do not go on after it: lost unless they were acknowledged.
    fn unplaced(&self) -> u64 {
        let missing = total(self.gaps.iter().map(|(from, to)| to.saturating_sub(*from)));
        let acked = |(stream, seen): (&(SessionId, u64), &Seen)| {
            self.acks.get(stream).map_or(0, |acked| acked.saturating_sub(seen.sequence))
        };
        missing.saturating_sub(self.explained).saturating_sub(total(self.seen.iter().map(acked)))
    }

    /// Sequences between two that are there, which nothing explains.
    fn holes(&self, stream: (SessionId, u64), before: u64, sequence: u64) -> Vec<(u64, u64)> {
        let mut from = before.max(self.acks.get(&stream).copied().unwrap_or(0)).saturating_add(1);
        let mut holes = Vec::new();
        for (known_from, known_to) in self.known.get(&stream).into_iter().flatten() {
            if *known_from >= sequence {
                break;
            }
            if *known_from > from {
                holes.push((from, known_from - 1));
            }
            from = from.max(known_to + 1);
        }
        if from < sequence {
            holes.push((from, sequence - 1));
        }
        holes
    }

    /// Sequences before an item are lost. They get the serials before its own, as far as there are free ones: a reader
    /// finds those at their places.
    fn lose(&mut self, next: &Meta, from: u64, to: u64) {
        self.damaged = self.damaged.saturating_add(to - from + 1);
        let end_serial = next.serial.saturating_sub(next.place.sequence - 1 - to);
        let count = (to - from + 1).min(end_serial.saturating_sub(self.end_serial));
        if count > 0 {
            let first = Place { sequence: to + 1 - count, ..next.place };
            let (first_serial, at_ms) = (end_serial - count, next.at_ms);
            let kept = Kept::Lost(Reason::Damaged);
            self.runs.push(Run { first_serial, count, first, kept, bytes: 0, from_ms: at_ms, to_ms: at_ms });
        }
    }
}

/// The state, and whether it can be relied on.
fn read_state<D: Disk>(disk: &mut D) -> (State, bool) {
    let mut bytes = Vec::new();
    match disk.read(state::FILE, 0, MAX_STATE_BYTES, &mut bytes) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return (State::default(), true),
        Err(error) => {
            tracing::warn!(%error, "the spool's state cannot be read");
            return (State::default(), false);
        }
        Ok(()) => {}
    }
    match serde_json::from_slice(&bytes) {
        Ok(state) => (state, true),
        Err(error) => {
            tracing::warn!(%error, "the spool's state is damaged: what was acknowledged is sent again");
            (State::default(), false)
        }
    }
}

fn total(numbers: impl Iterator<Item = u64>) -> u64 {
    numbers.fold(0, u64::saturating_add)
}

/// An epoch that the wire takes, with room for later ones.
fn sane_epoch(epoch: u64) -> u64 {
    if epoch < i64::MAX as u64 / 2 { epoch } else { 0 }
}
