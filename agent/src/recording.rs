//! A recording: what a game gave, compressed, to be played back through the same readers.
//!
//! ```text
//! [8]     "1LAPREC" and the version, 1
//! zstd stream of records:
//!   u8        kind, see `Kind`
//!   varint    milliseconds since the record before, by the agent's clock
//!   zigzag    how much further the PC's clock went than the agent's, in milliseconds (0 unless it was set)
//!   varint    length of the payload
//!   payload
//!   u32 LE    CRC-32 of everything before it in the record
//! ```
//!
//! An image of LMU is written whole once and then as the words that changed ([`delta`]). The stream is flushed every two
//! seconds: a recording whose end was cut off reads up to there, and says so.
//!
//! Invariants: reading is bounded and never panics, whatever the bytes are; a record that is damaged ends the reading with
//! an error that says where.

use crate::raw::{Raw, Stamp};
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

pub mod delta;
mod reader;

pub use reader::Recording;

/// What a recording begins with; the last byte is the version.
pub const MAGIC: [u8; 8] = *b"1LAPREC\x01";
/// Largest payload of a record.
pub const MAX_RECORD: usize = 8 * 1024 * 1024;
/// Fast, and its window (2 MB) holds several images.
const LEVEL: i32 = 3;
/// How much is lost at most when the recorder is killed.
const FLUSH_MS: u64 = 2_000;

/// Why a recording cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// It is something else.
    #[error("this is not a 1Lap recording")]
    NotARecording,
    /// Its version is not known.
    #[error("this recording has version {0}, this agent reads version 1: update the agent")]
    Version(u8),
    /// A record is damaged.
    #[error("record {record} is damaged: {what}")]
    Damaged {
        /// Which, from 1.
        record: u64,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The file cannot be read.
    #[error("the recording cannot be read: {0}")]
    Io(#[from] io::Error),
}

/// Kinds of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Kind {
    Tick = 0,
    /// An image, whole.
    Image = 1,
    /// An image as the difference to the one before.
    ImageDelta = 2,
    Gone = 3,
    /// u16 LE status, varint length of the path, path, body.
    Rest = 4,
    /// Port u16 LE, length of the address (4 or 16), address, bytes.
    Datagram = 5,
}

impl Kind {
    fn from_byte(byte: u8) -> Option<Self> {
        [Self::Tick, Self::Image, Self::ImageDelta, Self::Gone, Self::Rest, Self::Datagram]
            .into_iter()
            .find(|kind| *kind as u8 == byte)
    }
}

/// Writes a recording.
pub struct Recorder<W: Write> {
    stream: zstd::Encoder<'static, W>,
    last: Option<Stamp>,
    flushed_ms: u64,
    image: Vec<u8>,
    payload: Vec<u8>,
    record: Vec<u8>,
}

impl<W: Write> Recorder<W> {
    /// Begins a recording.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn new(mut to: W) -> io::Result<Self> {
        to.write_all(&MAGIC)?;
        let mut stream = zstd::Encoder::new(to, LEVEL)?;
        stream.include_checksum(true)?;
        Ok(Self { stream, last: None, flushed_ms: 0, image: Vec::new(), payload: Vec::new(), record: Vec::new() })
    }

    /// Appends an input.
    ///
    /// # Errors
    /// Where it cannot be written, or is larger than a record may be.
    pub fn write(&mut self, at: Stamp, raw: &Raw) -> io::Result<()> {
        self.payload.clear();
        let kind = self.put_payload(raw);
        self.put(at, kind)
    }

    /// Appends an image.
    ///
    /// # Errors
    /// As [`Recorder::write`].
    pub fn write_image(&mut self, at: Stamp, image: &[u8]) -> io::Result<()> {
        self.payload.clear();
        let kind = self.put_image(image);
        self.put(at, kind)
    }

    fn put(&mut self, at: Stamp, kind: Kind) -> io::Result<()> {
        if self.payload.len() > MAX_RECORD {
            return Err(io::Error::other(format!("an input of {} bytes is too large to record", self.payload.len())));
        }
        let last = self.last.unwrap_or(Stamp { unix_ms: 0, mono_ms: 0 });
        let mono = at.mono_ms.saturating_sub(last.mono_ms);
        let drift = (at.unix_ms as i64).wrapping_sub(last.unix_ms as i64).wrapping_sub(mono as i64);
        self.last = Some(Stamp { unix_ms: at.unix_ms, mono_ms: last.mono_ms + mono });
        self.record.clear();
        self.record.push(kind as u8);
        put_varint(&mut self.record, mono);
        put_varint(&mut self.record, ((drift << 1) ^ (drift >> 63)) as u64);
        put_varint(&mut self.record, self.payload.len() as u64);
        self.record.extend_from_slice(&self.payload);
        self.record.extend(crc32fast::hash(&self.record).to_le_bytes());
        self.stream.write_all(&self.record)?;
        if at.mono_ms >= self.flushed_ms + FLUSH_MS {
            self.flushed_ms = at.mono_ms;
            self.stream.flush()?;
        }
        Ok(())
    }

    fn put_payload(&mut self, raw: &Raw) -> Kind {
        match raw {
            Raw::Tick => Kind::Tick,
            Raw::LmuGone => Kind::Gone,
            Raw::LmuImage(image) => self.put_image(image),
            Raw::Rest { path, status, body } => {
                self.payload.extend(status.to_le_bytes());
                put_varint(&mut self.payload, path.len() as u64);
                self.payload.extend_from_slice(path.as_bytes());
                self.payload.extend_from_slice(body);
                Kind::Rest
            }
            Raw::Datagram { from, bytes } => {
                self.payload.extend(from.port().to_le_bytes());
                match from.ip() {
                    IpAddr::V4(ip) => self.put_address(&ip.octets()),
                    IpAddr::V6(ip) => self.put_address(&ip.octets()),
                }
                self.payload.extend_from_slice(bytes);
                Kind::Datagram
            }
        }
    }

    fn put_image(&mut self, image: &[u8]) -> Kind {
        let kind = if self.image.len() == image.len() {
            delta::put(&mut self.payload, &self.image, image);
            Kind::ImageDelta
        } else {
            self.payload.extend_from_slice(image);
            Kind::Image
        };
        self.image.clear();
        self.image.extend_from_slice(image);
        kind
    }

    fn put_address(&mut self, octets: &[u8]) {
        self.payload.push(octets.len() as u8);
        self.payload.extend_from_slice(octets);
    }

    /// Ends the recording and gives back what it was written to.
    ///
    /// # Errors
    /// Where the rest cannot be written.
    pub fn finish(self) -> io::Result<W> {
        let mut to = self.stream.finish()?;
        to.flush()?;
        Ok(to)
    }
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Takes a varint from the front.
fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// Takes so many bytes from the front.
fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(count)?;
    *bytes = rest;
    Some(taken)
}

fn take_rest(mut payload: &[u8]) -> Option<Raw> {
    let status = u16::from_le_bytes(take(&mut payload, 2)?.try_into().ok()?);
    let path_len = usize::try_from(take_varint(&mut payload)?).ok()?;
    let path = std::str::from_utf8(take(&mut payload, path_len)?).ok()?.to_owned();
    Some(Raw::Rest { path, status, body: payload.to_vec() })
}

fn take_datagram(mut payload: &[u8]) -> Option<Raw> {
    let port = u16::from_le_bytes(take(&mut payload, 2)?.try_into().ok()?);
    let ip = match take(&mut payload, 1)? {
        [4] => IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(take(&mut payload, 4)?).ok()?)),
        [16] => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(take(&mut payload, 16)?).ok()?)),
        _ => return None,
    };
    Some(Raw::Datagram { from: SocketAddr::new(ip, port), bytes: payload.to_vec() })
}

#[cfg(test)]
mod tests;
