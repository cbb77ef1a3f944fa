//! The bytes of a segment of the spool's log. Pure.
//!
//! ```text
//! segment  = header record*                      a file "00000000000000001234.seg": the serial of its first record
//! header   = magic [8] "1LAPSPL" + version 1
//!            u64 serial of the first record
//!            u32 CRC32 of the 16 bytes before
//! record   = u32 length of the payload           at most MAX_AGENT_FRAME
//!            u32 CRC32 of the length and of all that follows
//!            u8  kind                            1 batch, 2 record (JSON); as it goes over the wire
//!            u64 serial                          its number in the spool; ascending, not always by one
//!            [16] session UUID
//!            u64 epoch
//!            u64 sequence
//!            u64 at_ms                           time of its first sample, or of the last before it; Unix milliseconds
//!            payload
//! ```
//!
//! All numbers are little-endian. A payload is never changed and never read here.
//!
//! Not here: files (`disk`), which segments there are and when they go (`log`).

use onelap_protocol::SessionId;
use onelap_protocol::agent::Place;
use onelap_protocol::limits::MAX_AGENT_FRAME;
use uuid::Uuid;

/// What a segment begins with; the last byte is the version.
pub const MAGIC: [u8; 8] = *b"1LAPSPL\x01";
/// Bytes of the header.
pub const HEADER: usize = 20;
/// Bytes of a record before its payload.
pub const RECORD_HEAD: usize = 57;
/// Bytes of the largest record.
pub const MAX_RECORD: usize = RECORD_HEAD + MAX_AGENT_FRAME;

/// Serials and sequences are smaller, so that nothing that is added to one overflows.
pub const LIMIT: u64 = 1 << 62;

/// How a record's payload goes over the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Binary: a batch of samples.
    Batch = 1,
    /// Text: a record, JSON.
    Record = 2,
}

/// What stands before a record's payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meta {
    /// What the payload is.
    pub kind: Kind,
    /// Its number in the spool.
    pub serial: u64,
    /// Its place in the session's stream.
    pub place: Place,
    /// Unix milliseconds, by the agent's clock. Only for placeholders of what was lost.
    pub at_ms: u64,
}

/// Why there is no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsound {
    /// The bytes end before it does.
    Short,
    /// It is not what was written.
    Damaged,
}

/// How a segment ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// With a whole record.
    Clean,
    /// With a part of one: the writing was interrupted.
    Torn,
    /// Somewhere something is wrong; nothing after it is believed.
    Damaged,
}

/// What a scan has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scan {
    /// Serial of the first record, as the header says it; absent where the header is not sound.
    pub first_serial: Option<u64>,
    /// Bytes that are sound.
    pub len: usize,
    /// How it ends.
    pub end: End,
}

/// Appends a header.
pub fn put_header(first_serial: u64, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend(MAGIC);
    out.extend(first_serial.to_le_bytes());
    out.extend(crc32fast::hash(&out[start..]).to_le_bytes());
}

/// Appends a record. The payload is not larger than the wire takes.
pub fn put_record(meta: &Meta, payload: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.extend((payload.len() as u32).to_le_bytes());
    out.extend([0; 4]);
    out.push(meta.kind as u8);
    out.extend(meta.serial.to_le_bytes());
    out.extend(meta.place.session.0.as_bytes());
    for number in [meta.place.epoch, meta.place.sequence, meta.at_ms] {
        out.extend(number.to_le_bytes());
    }
    out.extend(payload);
    let crc = checksum(&out[start..]);
    out[start + 4..start + 8].copy_from_slice(&crc.to_le_bytes());
}

/// CRC of a whole record but for the CRC's own bytes.
fn checksum(record: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&record[..4]);
    hasher.update(&record[8..]);
    hasher.finalize()
}

/// Reads a header: the serial of the first record.
///
/// # Errors
/// Where it is not there, or not sound.
pub fn header(bytes: &[u8]) -> Result<u64, Unsound> {
    let header = bytes.get(..HEADER).ok_or(Unsound::Short)?;
    let is_sound = header[..8] == MAGIC && crc32fast::hash(&header[..16]) == u32_at(header, 16);
    if is_sound { Ok(u64_at(header, 8)) } else { Err(Unsound::Damaged) }
}

/// Reads the record at the beginning of the bytes, and its payload. It takes [`RECORD_HEAD`] bytes more than that.
///
/// # Errors
/// Where it is not there, or not sound.
pub fn record(bytes: &[u8]) -> Result<(Meta, &[u8]), Unsound> {
    let head = bytes.get(..RECORD_HEAD).ok_or(Unsound::Short)?;
    let len = u32_at(head, 0) as usize;
    if len > MAX_AGENT_FRAME {
        return Err(Unsound::Damaged);
    }
    let whole = bytes.get(..RECORD_HEAD + len).ok_or(Unsound::Short)?;
    let kind = match head[8] {
        1 => Kind::Batch,
        2 => Kind::Record,
        _ => return Err(Unsound::Damaged),
    };
    if checksum(whole) != u32_at(head, 4) {
        return Err(Unsound::Damaged);
    }
    let mut session = [0; 16];
    session.copy_from_slice(&head[17..33]);
    let session = SessionId(Uuid::from_bytes(session));
    let place = Place { session, epoch: u64_at(head, 33), sequence: u64_at(head, 41) };
    let meta = Meta { kind, serial: u64_at(head, 9), place, at_ms: u64_at(head, 49) };
    let in_range = meta.serial < LIMIT && (1..LIMIT).contains(&place.sequence);
    if in_range { Ok((meta, &whole[RECORD_HEAD..])) } else { Err(Unsound::Damaged) }
}

/// Goes through a whole segment and tells `each` record's offset, meta and payload, up to where it is sound.
pub fn scan(bytes: &[u8], mut each: impl FnMut(usize, &Meta, &[u8])) -> Scan {
    let first_serial = match header(bytes) {
        Ok(first_serial) => first_serial,
        Err(Unsound::Short) => return Scan { first_serial: None, len: 0, end: End::Torn },
        Err(Unsound::Damaged) => return Scan { first_serial: None, len: 0, end: End::Damaged },
    };
    let (mut at, mut least_serial) = (HEADER, first_serial);
    let end = loop {
        match record(&bytes[at..]) {
            Ok((meta, _)) if meta.serial < least_serial => break End::Damaged,
            Ok((meta, payload)) => {
                each(at, &meta, payload);
                least_serial = meta.serial + 1;
                at += RECORD_HEAD + payload.len();
            }
            Err(Unsound::Short) if at == bytes.len() => break End::Clean,
            Err(Unsound::Short) => break End::Torn,
            Err(Unsound::Damaged) => break End::Damaged,
        }
    };
    Scan { first_serial: Some(first_serial), len: at, end }
}

/// Name of the segment whose first record has this serial.
#[must_use]
pub fn name(first_serial: u64) -> String {
    format!("{first_serial:020}.seg")
}

/// Serial of the first record by a segment's name; `None` where it is no segment's.
#[must_use]
pub fn parse_name(file: &str) -> Option<u64> {
    let first_serial = file.strip_suffix(".seg")?.parse().ok()?;
    (first_serial < LIMIT && name(first_serial) == file).then_some(first_serial)
}

/// The caller has checked that the bytes are there.
fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut le = [0; 4];
    le.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(le)
}

/// The caller has checked that the bytes are there.
fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut le = [0; 8];
    le.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(le)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn meta(serial: u64) -> Meta {
        let place = Place { session: SessionId::new(), epoch: 9, sequence: 1 + serial };
        Meta {
            kind: if serial.is_multiple_of(2) { Kind::Batch } else { Kind::Record },
            serial,
            place,
            at_ms: 1_000 + serial,
        }
    }

    fn segment(payloads: &[Vec<u8>]) -> (Vec<u8>, Vec<(usize, Meta)>) {
        let (mut bytes, mut metas) = (Vec::new(), Vec::new());
        put_header(0, &mut bytes);
        for (serial, payload) in payloads.iter().enumerate() {
            metas.push((bytes.len(), meta(serial as u64)));
            put_record(&metas[serial].1, payload, &mut bytes);
        }
        (bytes, metas)
    }

    fn scanned(bytes: &[u8]) -> (Scan, Vec<(usize, Meta, Vec<u8>)>) {
        let mut found = Vec::new();
        let scan = scan(bytes, |at, meta, payload| found.push((at, *meta, payload.to_vec())));
        (scan, found)
    }

    #[test]
    fn a_name_is_its_serial_and_nothing_else_is_a_name() {
        assert_eq!(parse_name(&name(1_234)), Some(1_234));
        for no in ["1234.seg", "+0000000000000001234.seg", "00000000000000001234.seg.new", "lock"] {
            assert_eq!(parse_name(no), None, "{no}");
        }
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..20)) {
            let (bytes, metas) = segment(&payloads);
            let (scan, found) = scanned(&bytes);
            prop_assert_eq!(scan, Scan { first_serial: Some(0), len: bytes.len(), end: End::Clean });
            let expected: Vec<_> = metas.into_iter().zip(payloads).map(|((at, m), p)| (at, m, p)).collect();
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn a_cut_segment_gives_the_whole_records_before_the_cut(
            payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..50), 1..8),
            cut in any::<prop::sample::Index>(),
        ) {
            let (bytes, metas) = segment(&payloads);
            let cut = cut.index(bytes.len());
            let (scan, found) = scanned(&bytes[..cut]);
            let ends = metas.iter().zip(&payloads).map(|((at, _), p)| at + RECORD_HEAD + p.len());
            prop_assert_eq!(found.len(), ends.filter(|end| *end <= cut).count());
            prop_assert_eq!(scan.end == End::Clean, scan.len == cut && cut >= HEADER);
        }

        #[test]
        fn a_changed_byte_is_noticed_and_ends_the_segment(
            payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..50), 1..8),
            at in any::<prop::sample::Index>(), flip in 1u8..,
        ) {
            let (mut bytes, metas) = segment(&payloads);
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            let (scan, found) = scanned(&bytes);
            prop_assert!(scan.end != End::Clean);
            let before = metas.iter().zip(&payloads).filter(|((start, _), p)| start + RECORD_HEAD + p.len() <= at).count();
            prop_assert_eq!(found.len(), if at < HEADER { 0 } else { before });
        }

        #[test]
        fn any_bytes_are_scanned_to_some_end(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let mut sound = Vec::new();
            put_header(5, &mut sound);
            sound.extend(&bytes);
            prop_assert!(scanned(&bytes).0.len <= bytes.len());
            prop_assert!(scanned(&sound).0.len <= sound.len());
        }
    }
}
