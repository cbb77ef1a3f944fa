//! A chunk: some seconds of our car's samples as Postgres keeps them.
//!
//! ```text
//! u8      codec     1: columns as in protocol::columns, compressed with zstd
//! u8      schema    1: the layout below
//! varint  base time milliseconds since the Unix epoch of the first sample
//! zstd of
//!   varint  channels
//!   × channels: varint number, f32 quantum (little-endian)
//!   body        protocol::Batch::encode_body
//! ```
//!
//! The quanta make a chunk readable after the catalogue has changed. Invariant: any input either decodes or gives an
//! error, and no more than [`MAX_BODY`] bytes are unpacked.

use onelap_protocol::batch::{Batch, BatchError};
use onelap_protocol::channel::{ABSENT, CHANNELS, Channel};
use onelap_protocol::columns::{ColumnError, Reader, put_varint};

/// Codec id.
const CODEC: u8 = 1;
/// Layout version.
const SCHEMA: u8 = 1;
/// Compression level: the highest that costs no more than a millisecond or two a chunk.
const LEVEL: i32 = 6;
/// Most bytes that a chunk may unpack to.
const MAX_BODY: usize = 4 << 20;
/// Most samples in a chunk.
pub const MAX_CHUNK_SAMPLES: usize = 2048;

/// Why bytes are not a chunk.
#[derive(Debug, thiserror::Error)]
pub enum ChunkError {
    /// Codec or layout is not known.
    #[error("chunk codec {codec} schema {schema} is not known")]
    Version {
        /// Codec id.
        codec: u8,
        /// Layout version.
        schema: u8,
    },
    /// The compressed part is broken or too large.
    #[error("chunk cannot be unpacked: {0}")]
    Unpack(std::io::Error),
    /// The columns are broken.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// A number is broken.
    #[error(transparent)]
    Column(#[from] ColumnError),
    /// A quantum is not a positive number.
    #[error("quantum of channel {0} is not a positive number")]
    Quantum(u64),
}

/// Encodes a batch of samples. `None` for an empty one.
///
/// # Errors
/// Where zstd fails, which it does for want of memory only.
pub fn encode(batch: &Batch) -> std::io::Result<Option<Vec<u8>>> {
    let Some(base_ms) = batch.times_ms().first() else { return Ok(None) };
    let mut body = Vec::with_capacity(batch.len() * 64);
    let there = || CHANNELS.iter().filter(|info| batch.column(info.channel).iter().any(|v| *v != ABSENT));
    put_varint(&mut body, there().count() as u64);
    for info in there() {
        put_varint(&mut body, u64::from(info.channel.number()));
        body.extend((info.quantum as f32).to_le_bytes());
    }
    batch.encode_body(|_| true, &mut body);
    let mut out = vec![CODEC, SCHEMA];
    put_varint(&mut out, *base_ms);
    out.extend(zstd::bulk::compress(&body, LEVEL)?);
    Ok(Some(out))
}

/// Decodes a chunk into the catalogue's steps.
///
/// # Errors
/// [`ChunkError`] says what is wrong.
pub fn decode(bytes: &[u8]) -> Result<Batch, ChunkError> {
    let mut head = Reader::new(bytes);
    let (codec, schema) = (head.byte()?, head.byte()?);
    if (codec, schema) != (CODEC, SCHEMA) {
        return Err(ChunkError::Version { codec, schema });
    }
    let base_ms = head.varint()?;
    let body = zstd::bulk::decompress(bytes.get(head.position()..).unwrap_or_default(), MAX_BODY)
        .map_err(ChunkError::Unpack)?;
    let mut reader = Reader::new(&body);
    let mut rescale = Vec::new();
    for _ in 0..reader.varint()? {
        let number = reader.varint()?;
        let mut quantum = [0u8; 4];
        quantum.copy_from_slice(reader.take(4)?);
        let quantum = f32::from_le_bytes(quantum);
        if !(quantum.is_finite() && quantum > 0.0) {
            return Err(ChunkError::Quantum(number));
        }
        let known = u16::try_from(number).ok().and_then(Channel::from_number);
        if let Some(channel) = known.filter(|c| c.info().quantum as f32 != quantum) {
            rescale.push((channel, f64::from(quantum) / channel.info().quantum));
        }
    }
    let mut batch = Batch::decode_body(&body[reader.position()..], base_ms, MAX_CHUNK_SAMPLES)?;
    for (channel, factor) in rescale {
        for i in 0..batch.len() {
            let steps = batch.column(channel)[i];
            if steps != ABSENT {
                let scaled = (f64::from(steps) * factor).round().clamp(f64::from(-i32::MAX), f64::from(i32::MAX));
                batch.set(channel, i, scaled as i32);
            }
        }
    }
    Ok(batch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use onelap_protocol::Sample;
    use proptest::prelude::*;

    fn ten_seconds() -> Batch {
        let mut batch = Batch::default();
        for i in 0..200u32 {
            let mut sample = Sample::new(1_800_000_000_000 + u64::from(i) * 50);
            sample.set(Channel::Speed, 200.0 + f64::from(i) * 0.3);
            sample.set(Channel::Lap, 4.0);
            if i % 3 == 0 {
                sample.set(Channel::Fuel, 80.0 - f64::from(i) * 0.002);
            }
            batch.push(&sample);
        }
        batch
    }

    #[test]
    fn what_was_written_is_read() {
        let batch = ten_seconds();
        let bytes = encode(&batch).unwrap().unwrap();
        let read = decode(&bytes).unwrap();
        assert_eq!(read.times_ms(), batch.times_ms());
        for info in CHANNELS {
            assert_eq!(read.column(info.channel), batch.column(info.channel), "{}", info.name);
        }
        assert!(encode(&Batch::default()).unwrap().is_none());
    }

    #[test]
    fn another_quantum_is_converted() {
        let mut body = Vec::new();
        put_varint(&mut body, 1);
        put_varint(&mut body, u64::from(Channel::Speed.number()));
        body.extend(1.0f32.to_le_bytes());
        let mut batch = Batch::default();
        let row = batch.add_row(5);
        batch.set(Channel::Speed, row, 250);
        batch.encode_body(|_| true, &mut body);
        let mut bytes = vec![CODEC, SCHEMA];
        put_varint(&mut bytes, 5);
        bytes.extend(zstd::bulk::compress(&body, 1).unwrap());
        assert_eq!(decode(&bytes).unwrap().value(Channel::Speed, 0), Some(250.0));
    }

    proptest! {
        #[test]
        fn any_bytes_decode_or_are_refused(mut bytes in prop::collection::vec(any::<u8>(), 0..300), flip in any::<prop::sample::Index>()) {
            let _ = decode(&bytes);
            bytes = encode(&ten_seconds()).unwrap().unwrap();
            let at = flip.index(bytes.len());
            bytes[at] ^= 0x10;
            let _ = decode(&bytes);
        }
    }
}
