//! Reading a recording.

use super::{Kind, MAGIC, MAX_RECORD, RecordingError, delta, take_datagram, take_rest};
use crate::raw::{Raw, Stamp};
use std::io::{self, BufReader, ErrorKind, Read};

/// Largest window of the compressed stream, as a power of two: 8 MB.
const MAX_WINDOW_LOG: u32 = 23;

/// A recording that is being read.
pub struct Recording<R: Read> {
    stream: zstd::Decoder<'static, BufReader<R>>,
    at: Stamp,
    image: Vec<u8>,
    record: Vec<u8>,
    records: u64,
    cut_off: bool,
}

impl<R: Read> Recording<R> {
    /// Begins to read.
    ///
    /// # Errors
    /// Where it is not a recording, or one of another version.
    pub fn open(mut from: R) -> Result<Self, RecordingError> {
        let mut magic = [0; MAGIC.len()];
        from.read_exact(&mut magic).map_err(|e| match e.kind() {
            ErrorKind::UnexpectedEof => RecordingError::NotARecording,
            _ => e.into(),
        })?;
        let version_at = MAGIC.len() - 1;
        if magic[..version_at] != MAGIC[..version_at] {
            return Err(RecordingError::NotARecording);
        }
        if magic[version_at] != MAGIC[version_at] {
            return Err(RecordingError::Version(magic[version_at]));
        }
        let mut stream = zstd::Decoder::new(from)?.single_frame();
        stream.window_log_max(MAX_WINDOW_LOG)?;
        let at = Stamp { unix_ms: 0, mono_ms: 0 };
        Ok(Self { stream, at, image: Vec::new(), record: Vec::new(), records: 0, cut_off: false })
    }

    /// The next input; `None` at the end.
    ///
    /// # Errors
    /// Where the recording is damaged; nothing follows that makes sense.
    pub fn next_input(&mut self) -> Result<Option<(Stamp, Raw)>, RecordingError> {
        self.record.clear();
        let Some(kind) = self.byte()? else { return Ok(None) };
        let header = (self.varint()?, self.varint()?, self.varint()?);
        let (Some(mono), Some(drift), Some(len)) = header else { return self.ends_early() };
        let kind = Kind::from_byte(kind).ok_or(self.damaged("its kind is not known"))?;
        let payload_at = self.record.len();
        let len = usize::try_from(len).ok().filter(|len| *len <= MAX_RECORD).ok_or(self.damaged("it is too large"))?;
        if !self.fill(len)? {
            return self.ends_early();
        }
        let crc = crc32fast::hash(&self.record);
        let crc_at = self.record.len();
        if !self.fill(4)? {
            return self.ends_early();
        }
        if self.record[crc_at..] != crc.to_le_bytes() {
            return Err(self.damaged("its check sum is wrong"));
        }
        self.records += 1;
        self.advance(mono, drift);
        let payload = &self.record[payload_at..crc_at];
        let raw = understood(kind, payload, &mut self.image).ok_or(self.damaged("its content makes no sense"))?;
        Ok(Some((self.at, raw)))
    }

    /// Whether the end of the recording is missing, as when the recorder was killed.
    #[must_use]
    pub fn is_cut_off(&self) -> bool {
        self.cut_off
    }

    /// How many records were read.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records
    }

    fn advance(&mut self, mono: u64, drift: u64) {
        let drift = (drift >> 1) as i64 ^ -((drift & 1) as i64);
        self.at.mono_ms = self.at.mono_ms.wrapping_add(mono);
        self.at.unix_ms = self.at.unix_ms.wrapping_add(mono).wrapping_add_signed(drift);
    }

    fn damaged(&self, what: &'static str) -> RecordingError {
        RecordingError::Damaged { record: self.records + 1, what }
    }

    fn ends_early<T>(&mut self) -> Result<Option<T>, RecordingError> {
        self.cut_off = true;
        Ok(None)
    }

    /// Appends so many bytes of the stream to the record. Returns whether there were that many.
    fn fill(&mut self, count: usize) -> Result<bool, RecordingError> {
        let before = self.record.len();
        // Grows with what really comes, not with what a damaged length says.
        let read = (&mut self.stream).take(count as u64).read_to_end(&mut self.record);
        match read {
            Ok(_) => Ok(self.record.len() - before == count),
            Err(e) if is_end(&e) => {
                self.cut_off = true;
                Ok(self.record.len() - before == count)
            }
            // What zstd cannot make sense of is damage, not a fault of the disk.
            Err(e) if e.kind() == ErrorKind::Other => Err(self.damaged("the compressed bytes make no sense")),
            Err(e) => Err(e.into()),
        }
    }

    fn byte(&mut self) -> Result<Option<u8>, RecordingError> {
        Ok(if self.fill(1)? { self.record.last().copied() } else { None })
    }

    fn varint(&mut self) -> Result<Option<u64>, RecordingError> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let Some(byte) = self.byte()? else { return Ok(None) };
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(Some(value));
            }
        }
        Err(self.damaged("a number is too long"))
    }
}

fn is_end(error: &io::Error) -> bool {
    error.kind() == ErrorKind::UnexpectedEof
}

fn understood(kind: Kind, payload: &[u8], image: &mut Vec<u8>) -> Option<Raw> {
    match kind {
        Kind::Tick => Some(Raw::Tick),
        Kind::Gone => Some(Raw::LmuGone),
        Kind::Image => {
            image.clear();
            image.extend_from_slice(payload);
            Some(Raw::LmuImage(image.clone()))
        }
        Kind::ImageDelta => {
            delta::apply(image, payload)?;
            Some(Raw::LmuImage(image.clone()))
        }
        Kind::Rest => take_rest(payload),
        Kind::Datagram => take_datagram(payload),
    }
}
