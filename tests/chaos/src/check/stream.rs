//! Every item that an agent ever sent is in Postgres, once and as it was sent; and there was no item that it did not send.
//!
//! Sequences have no holes per session and run of the agent: what is missing between them was had and never sent.

use super::{Evidence, Findings, Wrong};
use crate::rows::{Chunk, Session};
use crate::witness::{Content, Stream};
use onelap_protocol::agent::{Lane, Place, Record};
use onelap_protocol::channel::CHANNELS;
use onelap_protocol::race::{Lap, RaceEvent};
use onelap_protocol::{Batch, SessionId};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// A session in Postgres of which there is nothing.
static NOTHING: Session = Session {
    place: (0, 0),
    has_ended: false,
    chunks: BTreeMap::new(),
    laps: Vec::new(),
    stints: Vec::new(),
    setups: BTreeSet::new(),
    notes: BTreeSet::new(),
    changes: BTreeSet::new(),
};

pub(super) fn check(evidence: &Evidence<'_>, findings: &mut Findings) {
    let (mut batches, mut records, mut samples, mut laps) = (0u64, 0u64, 0u64, 0u64);
    let mut sessions: BTreeMap<SessionId, Vec<(u64, &Stream)>> = BTreeMap::new();
    for ((session, epoch), stream) in &evidence.heard.streams {
        sessions.entry(*session).or_default().push((*epoch, stream));
    }
    for (id, streams) in &sessions {
        let session = evidence.sessions.get(id).unwrap_or(&NOTHING);
        // What is acknowledged of a later run covers the earlier ones.
        let acked_epoch = streams.iter().filter(|(_, s)| s.acked > 0).map(|(epoch, _)| *epoch).max().unwrap_or(0);
        for (epoch, stream) in streams {
            let last = stream.items.keys().next_back().copied().unwrap_or(0);
            let acked = if *epoch < acked_epoch { last } else { stream.acked };
            One { id: *id, epoch: *epoch, stream, session, acked, last }.check(findings);
            let is_batch = |content: &&Content| matches!(content, Content::Batch(_));
            let count = stream.items.values().filter(is_batch).count() as u64;
            batches += count;
            records += stream.items.len() as u64 - count;
        }
        laps += check_laps(*id, streams, session, findings);
        check_stints(*id, session, findings);
        samples += session.chunks.values().flatten().map(|chunk| chunk.batch.len() as u64).sum::<u64>();
    }
    for id in evidence.sessions.keys().filter(|id| !sessions.contains_key(id)) {
        findings.wrong(Wrong::Different, 1, || format!("session {id} is in Postgres and nobody sent it"));
    }
    findings.figure("sessions", &sessions.len());
    findings.figure("runs of agents in them", &evidence.heard.streams.len());
    findings.figure("batches sent", &batches);
    findings.figure("records sent", &records);
    findings.figure("samples recorded", &samples);
    findings.figure("laps recorded", &laps);
}

/// A session in one run of the agent.
struct One<'a> {
    id: SessionId,
    epoch: u64,
    stream: &'a Stream,
    session: &'a Session,
    acked: u64,
    last: u64,
}

impl One<'_> {
    fn at(&self, sequence: u64) -> String {
        let place = Place { session: self.id, epoch: self.epoch, sequence };
        format!("rig {} {}", self.stream.rig, crate::witness::shown(&place))
    }

    fn lost(&self, sequence: u64, why: &str, findings: &mut Findings) {
        findings.wrong(Wrong::Lost, 1, || format!("{}: {why}", self.at(sequence)));
        if sequence <= self.acked {
            findings.wrong(Wrong::AckedMissing, 1, || format!("{}: {why}", self.at(sequence)));
        }
    }

    fn check(&self, findings: &mut Findings) {
        let committed = match self.session.place.0.cmp(&self.epoch) {
            std::cmp::Ordering::Greater => self.last,
            std::cmp::Ordering::Equal => self.session.place.1,
            std::cmp::Ordering::Less => 0,
        };
        if self.acked > committed.max(self.last) {
            let at = self.at(self.acked);
            findings.wrong(Wrong::AckedMissing, 1, || format!("{at}: acknowledged, never heard and not committed"));
        }
        let chunks = self.session.chunks.get(&self.epoch).map(Vec::as_slice).unwrap_or_default();
        for pair in chunks.windows(2).filter(|pair| pair[1].first <= pair[0].last) {
            findings.wrong(Wrong::Twice, 1, || format!("{}: in two chunks", self.at(pair[1].first)));
        }
        let mut in_chunks = BTreeSet::new();
        for chunk in chunks {
            in_chunks.extend(self.check_chunk(chunk, findings));
        }
        for sequence in 1..=self.last {
            match self.stream.items.get(&sequence) {
                None => self.lost(sequence, "it was never sent", findings),
                Some(_) if sequence > committed => self.lost(sequence, "it was sent and not committed", findings),
                Some(Content::Batch(_)) if !in_chunks.contains(&sequence) => {
                    self.lost(sequence, "its samples are not in Postgres", findings);
                }
                Some(Content::Record(record)) => self.check_record(sequence, record, findings),
                Some(Content::Batch(_)) => {}
            }
        }
    }

    fn batches(&self, range: RangeInclusive<u64>) -> impl Iterator<Item = (u64, Batch)> {
        self.stream.items.range(range).filter_map(|(sequence, content)| match content {
            Content::Batch(bytes) => {
                let frame = [&[Lane::Live.opcode()], bytes.as_slice()].concat();
                Some((*sequence, Batch::decode(&frame).ok()?.1))
            }
            Content::Record(_) => None,
        })
    }

    /// Compares a chunk with the batches that it is made of. Returns the sequences whose samples are all there.
    fn check_chunk(&self, chunk: &Chunk, findings: &mut Findings) -> Vec<u64> {
        let mut row = 0;
        let mut found = Vec::new();
        let stored = chunk.batch.times_ms();
        for (sequence, batch) in self.batches(chunk.first..=chunk.last) {
            let there = stored.get(row..row + batch.len()).unwrap_or_default();
            if there != batch.times_ms() {
                let again = stored.get(..row).unwrap_or_default().ends_with(there) && !there.is_empty();
                if again {
                    findings.wrong(Wrong::Twice, there.len() as u64, || format!("{}: before it", self.at(sequence)));
                    row += there.len();
                }
                continue;
            }
            let differs = |channel| batch.column(channel) != &chunk.batch.column(channel)[row..row + batch.len()];
            if let Some(info) = CHANNELS.iter().find(|info| differs(info.channel)) {
                findings.wrong(Wrong::Different, 1, || format!("{}: channel {}", self.at(sequence), info.name));
            }
            row += batch.len();
            found.push(sequence);
        }
        if row < stored.len() {
            let more = (stored.len() - row) as u64;
            findings.wrong(Wrong::Different, more, || {
                format!("chunk {} … {}: {more} samples that were not sent", self.at(chunk.first), chunk.last)
            });
        }
        found
    }

    fn check_record(&self, sequence: u64, record: &Record, findings: &mut Findings) {
        let place = (self.epoch, sequence);
        let is_there = match record {
            Record::Setup { .. } => self.session.setups.contains(&place),
            Record::Event { event: RaceEvent::Note { .. } | RaceEvent::Phase { .. } } => {
                self.session.notes.contains(&place)
            }
            Record::Event { event: RaceEvent::DriverChange { car, at_s, .. } } => {
                self.session.changes.contains(&(car.0.clone(), (at_s * 1e3).round() as i64))
            }
            Record::End { .. } if sequence == self.last && self.epoch == self.session.place.0 => self.session.has_ended,
            _ => true,
        };
        if !is_there {
            self.lost(sequence, "what it recorded is not in Postgres", findings);
        }
    }
}

/// The laps that were sent are those that are there. Returns how many.
fn check_laps(id: SessionId, streams: &[(u64, &Stream)], session: &Session, findings: &mut Findings) -> u64 {
    let mut sent: BTreeMap<(&str, u32), &Lap> = BTreeMap::new();
    for content in streams.iter().flat_map(|(_, stream)| stream.items.values()) {
        if let Content::Record(record) = content
            && let Record::Event { event: RaceEvent::Lap(lap) } = record.as_ref()
        {
            sent.insert((lap.car.0.as_str(), u32::from(lap.lap)), lap);
        }
    }
    for row in &session.laps {
        let at = || format!("session {id} car {} lap {}", row.car, row.lap);
        match sent.remove(&(row.car.as_str(), row.lap)) {
            None => findings.wrong(Wrong::Different, 1, || format!("{}: nobody sent it", at())),
            Some(lap) if (lap.time_ms, lap.sectors_ms, &lap.driver) != (row.time_ms, row.sectors_ms, &row.driver) => {
                findings.wrong(Wrong::Different, 1, || format!("{}: {lap:?} was sent", at()));
            }
            Some(_) => {}
        }
    }
    for (car, lap) in sent.keys() {
        findings.wrong(Wrong::Lost, 1, || format!("session {id} car {car} lap {lap}: sent and not in Postgres"));
    }
    session.laps.len() as u64
}

/// A stint is what its laps say.
fn check_stints(id: SessionId, session: &Session, findings: &mut Findings) {
    for stint in &session.stints {
        let laps = || session.laps.iter().filter(|lap| lap.car == stint.car && lap.stint == stint.stint).map(|l| l.lap);
        let found = (laps().min(), laps().max(), laps().count() as u32);
        if found != (Some(stint.first), Some(stint.last), stint.laps) {
            findings.wrong(Wrong::Different, 1, || format!("session {id}: {stint:?} and its laps are {found:?}"));
        }
    }
}
