//! A batch: some samples of our car, in one binary frame that stands alone.
//!
//! ```text
//! u8      opcode        0x01, 0x03, 0x04: samples, by lane (see `Lane`); 0x02 trace (an answer of the HTTP API in the
//!                       same layout). Viewers get 0x01 and 0x02 only
//! u8      format        1
//! [16]    session       UUID
//! varint  epoch         which run of the agent
//! varint  sequence      from 1, without holes, shared with the recorded control messages of the session
//! varint  base time     milliseconds since the Unix epoch of the first sample, by the agent's clock
//! varint  samples       1 … 256 live; a trace has as many as the lap
//! zigzag  × (samples−1) milliseconds since the sample before
//! varint  columns
//! columns               see `columns`
//! ```

use crate::agent::Lane;
use crate::channel::{ABSENT, CHANNEL_COUNT, CHANNELS, Channel, Sample};
use crate::columns::{ColumnError, Reader, put_column, put_varint, put_zigzag, read_column};
use crate::ids::SessionId;
use crate::limits::{MAX_BATCH_CHANNELS, MAX_BATCH_SAMPLES};
use uuid::Uuid;

/// First byte of a batch that is recorded and shown.
pub const OPCODE_SAMPLES: u8 = 0x01;
/// First byte of a trace.
pub const OPCODE_TRACE: u8 = 0x02;
/// First byte of a batch that is shown now and comes again to be recorded.
pub const OPCODE_PREVIEW: u8 = 0x03;
/// First byte of a batch that is recorded and was shown before, or is too late for it.
pub const OPCODE_BACKFILL: u8 = 0x04;
/// Layout version, second byte.
pub const FORMAT: u8 = 1;
/// Most samples in a trace: ten minutes at 60 Hz, twice the longest lap of any circuit.
pub const MAX_TRACE_SAMPLES: usize = 36_000;

/// Why bytes are not a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// The first byte names another kind of frame.
    #[error("opcode {0} is not a batch of samples")]
    Opcode(u8),
    /// The layout version is not known.
    #[error("batch format {0} is not known, this side reads format {FORMAT}")]
    Format(u8),
    /// No samples, or more than the limit.
    #[error("{found} samples in a batch, allowed are 1 to {limit}")]
    Samples {
        /// What the batch says.
        found: u64,
        /// The limit.
        limit: usize,
    },
    /// More columns than the limit.
    #[error("{0} columns in a batch, allowed are {MAX_BATCH_CHANNELS}")]
    Columns(u64),
    /// The sequence is 0.
    #[error("sequence 0: sequences count from 1")]
    Sequence,
    /// A sample's time is out of range.
    #[error("time of sample {0} is out of range")]
    Time(usize),
    /// A channel comes twice.
    #[error("channel {0} comes twice")]
    Twice(u64),
    /// Bytes follow the last column.
    #[error("{0} bytes after the last column")]
    Trailing(usize),
    /// A value is broken.
    #[error(transparent)]
    Column(#[from] ColumnError),
}

/// What stands before the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchHeader {
    /// The session that the samples belong to.
    pub session: SessionId,
    /// Which run of the agent.
    pub epoch: u64,
    /// Sequence within session and epoch, from 1.
    pub sequence: u64,
    /// Time of the first sample, milliseconds since the Unix epoch by the agent's clock.
    pub base_ms: u64,
    /// Number of samples.
    pub samples: usize,
}

/// Reads the header alone, which is all that fan-out needs.
///
/// # Errors
/// [`BatchError`] where the bytes are not the beginning of a batch.
pub fn peek(bytes: &[u8]) -> Result<BatchHeader, BatchError> {
    read_header(&mut Reader::new(bytes)).map(|(header, _)| header)
}

fn read_header(reader: &mut Reader<'_>) -> Result<(BatchHeader, u8), BatchError> {
    let opcode = reader.byte()?;
    let is_trace = opcode == OPCODE_TRACE;
    if !is_trace && Lane::of(opcode).is_none() {
        return Err(BatchError::Opcode(opcode));
    }
    let format = reader.byte()?;
    if format != FORMAT {
        return Err(BatchError::Format(format));
    }
    let mut session = [0u8; 16];
    session.copy_from_slice(reader.take(16)?);
    let (epoch, sequence, base_ms, samples) = (reader.varint()?, reader.varint()?, reader.varint()?, reader.varint()?);
    if sequence == 0 && !is_trace {
        return Err(BatchError::Sequence);
    }
    let limit = if is_trace { MAX_TRACE_SAMPLES } else { MAX_BATCH_SAMPLES };
    if samples == 0 || samples > limit as u64 {
        return Err(BatchError::Samples { found: samples, limit });
    }
    let session = SessionId(Uuid::from_bytes(session));
    Ok((BatchHeader { session, epoch, sequence, base_ms, samples: samples as usize }, opcode))
}

/// Samples by column: what a batch decodes to and a chunk is built from. One allocation holds all columns.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Batch {
    times_ms: Vec<u64>,
    /// `CHANNEL_COUNT` runs of `stride` values; the first `times_ms.len()` of each are used.
    steps: Vec<i32>,
    stride: usize,
}

impl Batch {
    /// An empty batch with room for `samples`.
    #[must_use]
    pub fn with_capacity(samples: usize) -> Self {
        Self { times_ms: Vec::with_capacity(samples), steps: vec![ABSENT; samples * CHANNEL_COUNT], stride: samples }
    }

    /// Number of samples.
    #[must_use]
    pub fn len(&self) -> usize {
        self.times_ms.len()
    }

    /// Whether there is no sample.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.times_ms.is_empty()
    }

    /// Times of the samples, milliseconds since the Unix epoch by the agent's clock.
    #[must_use]
    pub fn times_ms(&self) -> &[u64] {
        &self.times_ms
    }

    /// Quantised values of a channel, one per sample, [`ABSENT`] where not known.
    #[must_use]
    pub fn column(&self, channel: Channel) -> &[i32] {
        let start = channel as usize * self.stride;
        self.steps.get(start..start + self.len()).unwrap_or_default()
    }

    /// The value of a channel in one sample, in the catalogue's unit.
    #[must_use]
    pub fn value(&self, channel: Channel, sample: usize) -> Option<f64> {
        let steps = *self.column(channel).get(sample)?;
        (steps != ABSENT).then(|| f64::from(steps) * channel.info().quantum)
    }

    /// Appends a sample.
    pub fn push(&mut self, sample: &Sample) {
        let row = self.add_row(sample.at_ms);
        for (channel, value) in sample.steps().iter().enumerate() {
            self.steps[channel * self.stride + row] = *value;
        }
    }

    /// Appends those samples of another batch for which `keep(index)` holds.
    pub fn extend_where(&mut self, other: &Self, keep: impl Fn(usize) -> bool) {
        for i in (0..other.len()).filter(|i| keep(*i)) {
            let row = self.add_row(other.times_ms[i]);
            for channel in 0..CHANNEL_COUNT {
                self.steps[channel * self.stride + row] = other.steps[channel * other.stride + i];
            }
        }
    }

    /// Sets one value of a sample that is there.
    pub fn set(&mut self, channel: Channel, sample: usize, steps: i32) {
        if sample < self.len() {
            self.steps[channel as usize * self.stride + sample] = steps;
        }
    }

    /// Appends a sample of which only the time is known and returns its index.
    pub fn add_row(&mut self, at_ms: u64) -> usize {
        let row = self.len();
        if row == self.stride {
            self.grow((self.stride * 2).max(8));
        }
        self.times_ms.push(at_ms);
        row
    }

    /// Removes all samples and keeps the memory.
    pub fn clear(&mut self) {
        self.times_ms.clear();
        self.steps.fill(ABSENT);
    }

    fn grow(&mut self, stride: usize) {
        let mut steps = vec![ABSENT; stride * CHANNEL_COUNT];
        for (new, old) in steps.chunks_exact_mut(stride).zip(self.steps.chunks_exact(self.stride.max(1))) {
            new[..old.len()].copy_from_slice(old);
        }
        self.steps = steps;
        self.stride = stride;
    }

    /// Appends the batch as a frame. `channels` limits the columns of a trace; `None` writes all that have a value.
    /// The number of samples is in `self`; an empty batch writes nothing.
    pub fn encode(&self, opcode: u8, session: SessionId, epoch: u64, sequence: u64, out: &mut Vec<u8>) {
        self.encode_some(opcode, session, epoch, sequence, |_| true, out);
    }

    /// As [`Batch::encode`], with those channels only that `wanted` names.
    pub fn encode_some(
        &self,
        opcode: u8,
        session: SessionId,
        epoch: u64,
        sequence: u64,
        wanted: impl Fn(Channel) -> bool,
        out: &mut Vec<u8>,
    ) {
        let Some(base_ms) = self.times_ms.first() else { return };
        out.extend([opcode, FORMAT]);
        out.extend(session.0.as_bytes());
        put_varint(out, epoch);
        put_varint(out, sequence);
        put_varint(out, *base_ms);
        self.encode_body(wanted, out);
    }

    /// Appends count, time differences and columns: the part of a frame that a stored chunk also has.
    pub fn encode_body(&self, wanted: impl Fn(Channel) -> bool, out: &mut Vec<u8>) {
        put_varint(out, self.len() as u64);
        for pair in self.times_ms.windows(2) {
            put_zigzag(out, pair[1].wrapping_sub(pair[0]) as i64);
        }
        let has_value = |info: &&crate::channel::ChannelInfo| {
            wanted(info.channel) && self.column(info.channel).iter().any(|v| *v != ABSENT)
        };
        put_varint(out, CHANNELS.iter().filter(has_value).count() as u64);
        for info in CHANNELS.iter().filter(has_value) {
            put_column(out, info.channel.number(), self.column(info.channel).iter().copied());
        }
    }

    /// Decodes a frame. Channels that this version does not know are skipped.
    ///
    /// # Errors
    /// [`BatchError`] says what is wrong and where.
    pub fn decode(bytes: &[u8]) -> Result<(BatchHeader, Self), BatchError> {
        let mut reader = Reader::new(bytes);
        let (header, _) = read_header(&mut reader)?;
        let batch = Self::decode_rows(&mut reader, header.base_ms, header.samples)?;
        if reader.is_at_end() {
            Ok((header, batch))
        } else {
            Err(BatchError::Trailing(bytes.len() - reader.position()))
        }
    }

    /// Decodes what [`Batch::encode_body`] wrote, of at most `limit` samples.
    ///
    /// # Errors
    /// [`BatchError`] says what is wrong and where.
    pub fn decode_body(bytes: &[u8], base_ms: u64, limit: usize) -> Result<Self, BatchError> {
        let mut reader = Reader::new(bytes);
        let found = reader.varint()?;
        if found == 0 || found > limit as u64 {
            return Err(BatchError::Samples { found, limit });
        }
        let batch = Self::decode_rows(&mut reader, base_ms, found as usize)?;
        if reader.is_at_end() { Ok(batch) } else { Err(BatchError::Trailing(bytes.len() - reader.position())) }
    }

    fn decode_rows(reader: &mut Reader<'_>, base_ms: u64, samples: usize) -> Result<Self, BatchError> {
        let mut times_ms = Vec::with_capacity(samples);
        times_ms.push(base_ms);
        let mut at = base_ms;
        for i in 1..samples {
            at = at.checked_add_signed(reader.zigzag()?).ok_or(BatchError::Time(i))?;
            times_ms.push(at);
        }
        let columns = reader.varint()?;
        if columns > MAX_BATCH_CHANNELS as u64 {
            return Err(BatchError::Columns(columns));
        }
        let mut steps = vec![ABSENT; samples * CHANNEL_COUNT];
        let mut seen = [false; CHANNEL_COUNT];
        for _ in 0..columns {
            let number = read_column(reader, samples, |number, i, value| {
                if number < CHANNEL_COUNT as u64 {
                    steps[number as usize * samples + i] = value;
                }
            })?;
            if let Some(seen) = usize::try_from(number).ok().and_then(|n| seen.get_mut(n)) {
                if *seen {
                    return Err(BatchError::Twice(number));
                }
                *seen = true;
            }
        }
        Ok(Self { times_ms, steps, stride: samples })
    }
}
