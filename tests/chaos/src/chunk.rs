//! Chunks as Postgres holds them, read by the checker's own hand: the service's reader is not believed here.
//!
//! The layout is described in `service/src/recorder/chunk.rs`; the columns in it are the protocol's.

use onelap_protocol::Batch;
use onelap_protocol::columns::Reader;

/// Most bytes that a chunk may unpack to.
const MAX_BODY: usize = 4 << 20;
/// Most samples in a chunk.
const MAX_SAMPLES: usize = 4096;

/// Decodes a chunk.
///
/// # Errors
/// What is wrong with it.
pub fn decode(bytes: &[u8]) -> Result<Batch, String> {
    let mut head = Reader::new(bytes);
    let version = (byte(&mut head)?, byte(&mut head)?);
    if version != (1, 1) {
        return Err(format!("codec and schema {version:?}"));
    }
    let base_ms = varint(&mut head)?;
    let packed = bytes.get(head.position()..).unwrap_or_default();
    let body = zstd::bulk::decompress(packed, MAX_BODY).map_err(|e| format!("zstd: {e}"))?;
    let mut reader = Reader::new(&body);
    for _ in 0..varint(&mut reader)? {
        varint(&mut reader)?;
        reader.take(4).map_err(|e| e.to_string())?;
    }
    Batch::decode_body(&body[reader.position()..], base_ms, MAX_SAMPLES).map_err(|e| e.to_string())
}

fn byte(reader: &mut Reader<'_>) -> Result<u8, String> {
    reader.byte().map_err(|e| e.to_string())
}

fn varint(reader: &mut Reader<'_>) -> Result<u64, String> {
    reader.varint().map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use onelap_protocol::channel::CHANNELS;
    use onelap_protocol::columns::put_varint;
    use onelap_protocol::{Channel, Sample};

    #[test]
    fn what_the_layout_says_is_read() {
        let mut batch = Batch::default();
        for i in 0..3u32 {
            let mut sample = Sample::new(1_800_000_000_000 + u64::from(i) * 50);
            sample.set(Channel::Speed, 200.0 + f64::from(i));
            batch.push(&sample);
        }
        let mut body = Vec::new();
        put_varint(&mut body, 1);
        put_varint(&mut body, u64::from(Channel::Speed.number()));
        body.extend(1f32.to_le_bytes());
        batch.encode_body(|_| true, &mut body);
        let mut bytes = vec![1, 1];
        put_varint(&mut bytes, 1_800_000_000_000);
        bytes.extend(zstd::bulk::compress(&body, 1).unwrap());
        let read = decode(&bytes).unwrap();
        assert_eq!(read.times_ms(), batch.times_ms());
        assert!(CHANNELS.iter().all(|info| read.column(info.channel) == batch.column(info.channel)));
        assert!(decode(&bytes[..bytes.len() - 1]).is_err());
    }
}
