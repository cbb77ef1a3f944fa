//! What is said on a WebSocket, read from the bytes of one direction: the least of RFC 6455 that a listener needs.
//!
//! The HTTP handshake is passed over; then frames, unmasked, fragments joined. Invariants: any cut of the bytes into
//! pieces gives the same messages; what is no WebSocket gives none, and one that compresses (which 1Lap does not) is an
//! error and not silence.
//!
//! Not here: what the messages mean (`tap`).

/// Longest message that is believed.
const MAX_MESSAGE: usize = 4 * 1024 * 1024;
/// Longest handshake.
const MAX_HEAD: usize = 64 * 1024;

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Text.
    Text(Vec<u8>),
    /// Bytes.
    Binary(Vec<u8>),
}

/// One direction of a connection.
#[derive(Debug, Default)]
pub struct Frames {
    buffer: Vec<u8>,
    state: State,
    /// Opcode and bytes of a message whose last fragment has not come.
    begun: Option<(u8, Vec<u8>)>,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Handshake,
    Open,
    /// No WebSocket, or not any more.
    Deaf,
}

impl Frames {
    /// Takes bytes and returns the messages that they complete.
    ///
    /// # Errors
    /// Where the bytes cannot be read as a WebSocket's; nothing more is heard then.
    pub fn take(&mut self, bytes: &[u8]) -> Result<Vec<Message>, String> {
        if self.state == State::Deaf {
            return Ok(Vec::new());
        }
        self.buffer.extend(bytes);
        let mut messages = Vec::new();
        let result = self.read(&mut messages);
        if result.is_err() {
            self.state = State::Deaf;
        }
        result.map(|()| messages)
    }

    fn read(&mut self, messages: &mut Vec<Message>) -> Result<(), String> {
        if self.state == State::Handshake && !self.handshake()? {
            return Ok(());
        }
        let mut at = 0;
        while let Some(frame) = frame(&self.buffer[at..])? {
            let payload = frame.payload(&self.buffer[at..]);
            at += frame.end;
            match frame.opcode {
                0 => {
                    let (_, begun) = self.begun.as_mut().ok_or("a continuation of nothing")?;
                    begun.extend(payload);
                }
                1 | 2 => self.begun = Some((frame.opcode, payload)),
                8..=10 => continue,
                other => return Err(format!("opcode {other}")),
            }
            if frame.is_final
                && let Some((opcode, bytes)) = self.begun.take()
            {
                messages.push(if opcode == 1 { Message::Text(bytes) } else { Message::Binary(bytes) });
            }
        }
        self.buffer.drain(..at);
        Ok(())
    }

    /// Passes over request or response; `false` while its end has not come or where it opens no WebSocket.
    fn handshake(&mut self) -> Result<bool, String> {
        let Some(end) = self.buffer.windows(4).position(|w| w == b"\r\n\r\n") else {
            return if self.buffer.len() > MAX_HEAD { Err("no end of the handshake".into()) } else { Ok(false) };
        };
        let head = String::from_utf8_lossy(&self.buffer[..end]).to_ascii_lowercase();
        if head.contains("permessage-deflate") && head.starts_with("http/") {
            return Err("the connection is compressed: the tap cannot read it".into());
        }
        let is_request = head.starts_with("get ") && head.contains("upgrade: websocket");
        let is_open = is_request || head.starts_with("http/1.1 101");
        self.state = if is_open { State::Open } else { State::Deaf };
        self.buffer.drain(..end + 4);
        Ok(is_open)
    }
}

struct Frame {
    is_final: bool,
    opcode: u8,
    mask: Option<[u8; 4]>,
    start: usize,
    end: usize,
}

impl Frame {
    fn payload(&self, bytes: &[u8]) -> Vec<u8> {
        let payload = &bytes[self.start..self.end];
        match self.mask {
            None => payload.to_vec(),
            Some(mask) => payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect(),
        }
    }
}

/// The frame at the beginning, if all of it is there.
fn frame(bytes: &[u8]) -> Result<Option<Frame>, String> {
    let [first, second, ..] = *bytes else { return Ok(None) };
    if first & 0x70 != 0 {
        return Err(format!("reserved bits {first:#04x}: an extension that the tap cannot read"));
    }
    let (len, mut start) = match second & 0x7f {
        126 => match bytes.get(2..4) {
            Some(len) => (u64::from(len[0]) << 8 | u64::from(len[1]), 4),
            None => return Ok(None),
        },
        127 => match bytes.get(2..10) {
            Some(len) => (len.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)), 10),
            None => return Ok(None),
        },
        len => (u64::from(len), 2),
    };
    if len > MAX_MESSAGE as u64 {
        return Err(format!("a frame of {len} bytes"));
    }
    let mut mask = None;
    if second & 0x80 != 0 {
        let Some(key) = bytes.get(start..start + 4) else { return Ok(None) };
        mask = Some([key[0], key[1], key[2], key[3]]);
        start += 4;
    }
    let end = start + len as usize;
    let frame = Frame { is_final: first & 0x80 != 0, opcode: first & 0x0f, mask, start, end };
    Ok((bytes.len() >= end).then_some(frame))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &[u8] = b"GET /api/agent/ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n";

    fn masked(opcode: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![opcode, 0x80 | 126, (payload.len() >> 8) as u8, payload.len() as u8, 1, 2, 3, 4];
        frame.extend(payload.iter().zip([1u8, 2, 3, 4].iter().cycle()).map(|(a, b)| a ^ b));
        frame
    }

    #[test]
    fn any_cut_gives_the_same_messages() {
        let mut bytes = REQUEST.to_vec();
        bytes.extend(masked(0x81, b"hello"));
        bytes.extend(masked(0x89, b"ping"));
        bytes.extend(masked(0x02, &[7; 300]));
        bytes.extend(masked(0x80, &[8; 2]));
        let long: Vec<u8> = [[7; 300].as_slice(), &[8; 2]].concat();
        let said = vec![Message::Text(b"hello".to_vec()), Message::Binary(long)];
        for cut in 1..bytes.len() {
            let mut frames = Frames::default();
            let heard: Vec<Message> = bytes.chunks(cut).flat_map(|piece| frames.take(piece).unwrap()).collect();
            assert_eq!(heard, said, "cut every {cut}");
        }
    }

    #[test]
    fn a_page_of_html_is_nothing_and_compression_is_an_error() {
        let mut frames = Frames::default();
        assert_eq!(frames.take(b"HTTP/1.1 200 OK\r\n\r\n<html>").unwrap(), []);
        assert_eq!(frames.take(&masked(0x81, b"x")).unwrap(), []);
        let mut frames = Frames::default();
        frames.take(b"HTTP/1.1 101 Switching Protocols\r\n\r\n").unwrap();
        assert!(frames.take(&[0xc1, 0x01, b'x']).unwrap_err().contains("extension"));
        let answer = b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
        assert!(Frames::default().take(answer).is_err());
    }
}
