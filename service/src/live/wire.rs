//! Server frames of a WebSocket (RFC 6455): not masked, never fragmented, so one buffer serves every viewer.

use bytes::Bytes;
use onelap_protocol::batch::OPCODE_SAMPLES;
use onelap_protocol::viewer::ViewMessage;

pub(super) const TEXT: u8 = 0x1;
pub(super) const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xA;
/// How the payload of a ping begins that follows samples.
const PROBE: [u8; 4] = *b"1lap";

pub(super) fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + 10);
    out.push(0x80 | opcode);
    match payload.len() {
        n @ 0..=125 => out.push(n as u8),
        n @ 126..=0xFFFF => {
            out.push(126);
            out.extend((n as u16).to_be_bytes());
        }
        n => {
            out.push(127);
            out.extend((n as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(payload);
    out
}

/// A batch of an agent, on whichever lane it came: to viewers all batches look alike.
pub(super) fn batch(payload: &[u8]) -> Bytes {
    let mut out = frame(BINARY, payload);
    let begin = out.len() - payload.len();
    if let Some(opcode) = out.get_mut(begin) {
        *opcode = OPCODE_SAMPLES;
    }
    out.into()
}

/// Opcode, and where the payload begins and ends, of a frame that was made here.
fn bounds(frame: &[u8]) -> (u8, usize, usize) {
    let opcode = frame.first().map_or(CLOSE, |byte| byte & 0x0F);
    let number = |bytes: Option<&[u8]>| bytes.into_iter().flatten().fold(0, |n, byte| n << 8 | usize::from(*byte));
    let (start, len) = match frame.get(1) {
        Some(126) => (4, number(frame.get(2..4))),
        Some(127) => (10, number(frame.get(2..10))),
        Some(len) => (2, usize::from(*len)),
        None => (2, 0),
    };
    let start = start.min(frame.len());
    (opcode, start, start.saturating_add(len).min(frame.len()))
}

/// Opcode and payload of a frame that was made here.
pub(super) fn open(frame: &[u8]) -> (u8, &[u8]) {
    let (opcode, start, end) = bounds(frame);
    (opcode, frame.get(start..end).unwrap_or_default())
}

/// The frames of a buffer that may hold several.
pub(super) fn frames(mut buffer: Bytes) -> impl Iterator<Item = Bytes> {
    std::iter::from_fn(move || {
        let (_, _, end) = bounds(&buffer);
        (!buffer.is_empty()).then(|| buffer.split_to(end))
    })
}

/// A frame of the field.
pub(super) fn binary(payload: &[u8]) -> Bytes {
    frame(BINARY, payload).into()
}

/// What a frame carries.
pub(super) fn payload(frame: &Bytes) -> Bytes {
    let (_, start, end) = bounds(frame);
    frame.slice(start..end)
}

/// A control message.
pub(super) fn text(message: &ViewMessage) -> Bytes {
    // Messages are plain data with text keys, which always serialise.
    frame(TEXT, &serde_json::to_vec(message).unwrap_or_default()).into()
}

/// A ping.
pub(super) fn ping() -> Bytes {
    frame(PING, b"1lap").into()
}

/// A ping that follows samples, and that an answer can be told to belong to.
pub(super) fn probe(number: u64) -> Bytes {
    frame(PING, &[&PROBE[..], &number.to_be_bytes()].concat()).into()
}

/// Which ping a pong answers, where it followed samples.
pub(super) fn probed(pong: &[u8]) -> Option<u64> {
    pong.strip_prefix(&PROBE).and_then(|number| number.try_into().ok()).map(u64::from_be_bytes)
}

/// The answer to a ping.
pub(super) fn pong(payload: &[u8]) -> Bytes {
    frame(PONG, payload.get(..125).unwrap_or(payload)).into()
}

/// The last frame: status code and reason.
pub(super) fn close(code: u16, reason: &str) -> Bytes {
    let mut payload = code.to_be_bytes().to_vec();
    let end = (0..=reason.len().min(120)).rev().find(|i| reason.is_char_boundary(*i)).unwrap_or(0);
    payload.extend(&reason.as_bytes()[..end]);
    frame(CLOSE, &payload).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_coded_in_all_three_ways() {
        assert_eq!(frame(BINARY, &[7; 3])[..], [0x82, 3, 7, 7, 7]);
        assert_eq!(frame(BINARY, &[7; 126])[..4], [0x82, 126, 0, 126]);
        assert_eq!(frame(BINARY, &vec![7; 70_000])[..10], [0x82, 127, 0, 0, 0, 0, 0, 1, 0x11, 0x70]);
        let payloads = [0, 125, 126, 0xFFFF, 0x1_0000].map(|len| vec![7; len]);
        for payload in &payloads {
            assert_eq!(open(&frame(BINARY, payload)), (BINARY, &payload[..]));
        }
        let all = payloads.iter().flat_map(|payload| frame(BINARY, payload)).collect::<Vec<u8>>();
        let found = frames(all.into()).map(|one| open(&one).1.to_vec()).collect::<Vec<_>>();
        assert_eq!(found, payloads);
        assert_eq!(close(1012, "restart")[..4], [0x88, 9, 0x03, 0xF4]);
    }

    #[test]
    fn a_ping_behind_samples_is_known_by_its_answer() {
        assert_eq!(probed(open(&probe(7)).1), Some(7));
        assert_eq!((probed(open(&ping()).1), probed(b""), probed(b"1lapX")), (None, None, None));
    }

    #[test]
    fn a_preview_looks_like_any_batch() {
        assert_eq!(batch(&[3, 1, 9])[..], [0x82, 3, 1, 1, 9]);
        assert_eq!(batch(&[1, 1, 9])[..], [0x82, 3, 1, 1, 9]);
    }
}
