//! Reading items back from the log, by serial. One after the other costs a read of 64 KiB now and then; out of order, one
//! that begins at the nearest mark. What cannot be read is lost, and counted.

use crate::spool::disk::Disk;
use crate::spool::index::{Kept, Reason};
use crate::spool::log::Log;
use crate::spool::segment::{self, HEADER, Kind, MAX_RECORD, RECORD_HEAD, Unsound};
use bytes::Bytes;
use onelap_protocol::agent::Place;
use std::io;

/// Bytes that are read at a time.
const READ_BYTES: usize = 64 * 1024;

/// Where the log is being read.
#[derive(Debug, Default)]
pub(super) struct Reading {
    segment: u64,
    /// Offset in the file of what comes first in the buffer.
    offset: u64,
    buffer: Vec<u8>,
    /// Where in the buffer the next record begins.
    at: usize,
    /// No record with a smaller serial comes.
    serial: u64,
    pub(super) is_set: bool,
}

/// An item as it is found in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its number in the spool.
    pub serial: u64,
    /// Its place.
    pub place: Place,
    /// Itself, or, of one that is lost, when it was, about.
    pub content: Result<(Kind, Bytes), u64>,
}

impl<D: Disk> Log<D> {
    /// The item with this serial, or the first after it, if it is there or known to be lost.
    pub fn read(&mut self, serial: u64) -> Option<Found> {
        loop {
            let (run, serial) = self.index.at(serial)?;
            let (place, at_ms) = run.item(serial);
            let Kept::In(first_serial) = run.kept else {
                return Some(Found { serial, place, content: Err(at_ms) });
            };
            match self.fetch(first_serial, serial, place) {
                Ok(content) => return Some(Found { serial, place, content: Ok(content) }),
                Err(error) => {
                    let lost = self.index.lose(first_serial, serial, Reason::Damaged);
                    tracing::warn!(%error, lost, segment = segment::name(first_serial), "a part of the spool cannot be read");
                    let at = self.segments.partition_point(|segment| segment.first_serial < first_serial);
                    if let Some(segment) = self.segments.get_mut(at) {
                        segment.left = segment.left.saturating_sub(lost);
                    }
                    self.state.losses.damaged = self.state.losses.damaged.saturating_add(lost);
                    self.state_is_new = true;
                    self.reading.is_set = false;
                }
            }
        }
    }

    fn fetch(&mut self, first_serial: u64, serial: u64, place: Place) -> io::Result<(Kind, Bytes)> {
        let at = self.segments.partition_point(|segment| segment.first_serial < first_serial);
        let Some(segment) = self.segments.get(at) else { return Err(io::ErrorKind::NotFound.into()) };
        let end = segment.bytes;
        let is_ahead = self.reading.is_set && self.reading.segment == first_serial && self.reading.serial <= serial;
        if !is_ahead || self.reading.serial + 64 < serial {
            let mark = segment.marks.partition_point(|(mark, _)| *mark <= serial);
            let (mark, offset) = mark.checked_sub(1).map_or((first_serial, HEADER as u64), |mark| segment.marks[mark]);
            if !is_ahead || mark > self.reading.serial {
                let Reading { mut buffer, .. } = std::mem::take(&mut self.reading);
                buffer.clear();
                self.reading = Reading { segment: first_serial, offset, buffer, at: 0, serial: mark, is_set: true };
            }
        }
        let name = segment::name(first_serial);
        loop {
            let Reading { offset, buffer, at, serial: next, .. } = &mut self.reading;
            match segment::record(&buffer[*at..]) {
                Ok((meta, payload)) => {
                    *at += RECORD_HEAD + payload.len();
                    *next = meta.serial + 1;
                    if meta.serial >= serial {
                        let is_it = (meta.serial, meta.place) == (serial, place);
                        let content = (meta.kind, Bytes::copy_from_slice(payload));
                        return if is_it { Ok(content) } else { Err(invalid("another item is in its place")) };
                    }
                }
                Err(Unsound::Damaged) => return Err(invalid("it is damaged")),
                Err(Unsound::Short) => {
                    buffer.drain(..*at);
                    *offset += std::mem::take(at) as u64;
                    let before = buffer.len();
                    let left = end.saturating_sub(*offset + before as u64);
                    self.disk.read(&name, *offset + before as u64, READ_BYTES.min(left as usize), buffer)?;
                    if buffer.len() == before || buffer.len() > MAX_RECORD + READ_BYTES {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
            }
        }
    }
}

fn invalid(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}
