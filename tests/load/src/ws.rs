//! WebSocket as cheaply as a client can have it: bytes to frames and back, pure.
//!
//! Frames of servers are not masked and, of all servers here, never fragmented; what else comes is an error. A payload is
//! handed on as it lies in the read buffer; only what a read has cut in two is copied.

use std::fmt::Write as _;

pub(crate) const TEXT: u8 = 0x1;
pub(crate) const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
pub(crate) const PING: u8 = 0x9;
pub(crate) const PONG: u8 = 0xA;

/// Any key masks; servers undo it whatever it is.
const MASK: [u8; 4] = [0x5A, 0xC3, 0x39, 0x96];

/// The request that opens a socket.
pub(crate) fn upgrade(host: &str, path: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    let mut request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MUxhcCBsb2FkIHRvb2wgIQ==\r\n"
    );
    for (name, value) in headers {
        // Writing to a string cannot fail.
        let _ = write!(request, "{name}: {value}\r\n");
    }
    request.push_str("\r\n");
    request.into_bytes()
}

/// Appends a frame as clients send it.
pub(crate) fn put_masked(opcode: u8, payload: &[u8], out: &mut Vec<u8>) {
    out.push(0x80 | opcode);
    match payload.len() {
        n @ 0..=125 => out.push(0x80 | n as u8),
        n @ 126..=0xFFFF => {
            out.push(0x80 | 126);
            out.extend((n as u16).to_be_bytes());
        }
        n => {
            out.push(0x80 | 127);
            out.extend((n as u64).to_be_bytes());
        }
    }
    out.extend(MASK);
    out.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
}

/// A frame as clients send it.
pub(crate) fn masked(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + 14);
    put_masked(opcode, payload, &mut out);
    out
}

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Came<'a> {
    /// The socket is open.
    Open,
    Text(&'a [u8]),
    Binary(&'a [u8]),
    Ping(&'a [u8]),
    Pong,
    /// Code and reason.
    Close(u16, &'a [u8]),
}

/// The receiving side of a socket.
#[derive(Debug, Default)]
pub(crate) struct Incoming {
    is_open: bool,
    rest: Vec<u8>,
}

impl Incoming {
    /// Takes what was read and says what it holds.
    ///
    /// # Errors
    /// What the server did that a client cannot go on from.
    pub(crate) fn feed(&mut self, bytes: &[u8], mut say: impl FnMut(Came<'_>)) -> Result<(), String> {
        if self.rest.is_empty() {
            let used = self.parse(bytes, &mut say)?;
            self.rest.extend_from_slice(&bytes[used..]);
        } else {
            let mut all = std::mem::take(&mut self.rest);
            all.extend_from_slice(bytes);
            let used = self.parse(&all, &mut say)?;
            all.drain(..used);
            self.rest = all;
        }
        Ok(())
    }

    /// Parses what is whole and says how many bytes that was.
    fn parse(&mut self, bytes: &[u8], say: &mut impl FnMut(Came<'_>)) -> Result<usize, String> {
        let mut at = 0;
        if !self.is_open {
            let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") else { return Ok(0) };
            if !bytes.starts_with(b"HTTP/1.1 101") {
                return Err(format!("no WebSocket but: {}", String::from_utf8_lossy(bytes)));
            }
            self.is_open = true;
            say(Came::Open);
            at = end + 4;
        }
        while let Some((opcode, payload, used)) = frame(&bytes[at..]) {
            say(match opcode {
                0x81 => Came::Text(payload),
                0x82 => Came::Binary(payload),
                0x88 => match payload {
                    [high, low, reason @ ..] => Came::Close(u16::from_be_bytes([*high, *low]), reason),
                    _ => Came::Close(1005, b""),
                },
                0x89 => Came::Ping(payload),
                0x8A => Came::Pong,
                other => return Err(format!("a frame that starts with {other:#04x}")),
            });
            at += used;
        }
        Ok(at)
    }
}

/// First byte, payload, and length of the frame at the beginning, if all of it is there.
fn frame(bytes: &[u8]) -> Option<(u8, &[u8], usize)> {
    let (first, length) = (*bytes.first()?, *bytes.get(1)?);
    let (head, length) = match length {
        126 => (4, usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?))),
        127 => (10, usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)).ok()?),
        short => (2, usize::from(short)),
    };
    let end = head + length;
    Some((first, bytes.get(head..end)?, end))
}

/// A frame as servers send it, to be shared by all who get it.
pub(crate) fn server_frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
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

/// Whether a client's frame says that it goes.
pub(crate) fn is_close(first: u8) -> bool {
    first & 0x0F == CLOSE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_found_however_reads_cut_them() {
        let mut bytes = b"HTTP/1.1 101 Switching Protocols\r\nx: y\r\n\r\n".to_vec();
        bytes.extend(server_frame(TEXT, b"hello"));
        bytes.extend(server_frame(BINARY, &[7; 300]));
        bytes.extend(server_frame(BINARY, &vec![8; 70_000]));
        bytes.extend(server_frame(CLOSE, &[0x03, 0xF4, b'x']));
        for cut in [1, 2, 3, 50, 64, 1_000, bytes.len()] {
            let (mut incoming, mut came) = (Incoming::default(), Vec::new());
            for part in bytes.chunks(cut) {
                incoming
                    .feed(part, |c| {
                        came.push(match c {
                            Came::Open => "open".to_owned(),
                            Came::Text(text) => String::from_utf8_lossy(text).into_owned(),
                            Came::Binary(bytes) => bytes.len().to_string(),
                            Came::Close(code, reason) => format!("{code} {}", String::from_utf8_lossy(reason)),
                            other => format!("{other:?}"),
                        });
                    })
                    .expect("well-formed");
            }
            assert_eq!(came, ["open", "hello", "300", "70000", "1012 x"], "reads of {cut}");
        }
    }

    #[test]
    fn a_refusal_is_told_with_its_words() {
        let refused = Incoming::default().feed(b"HTTP/1.1 403 Forbidden\r\n\r\nno", |_| {});
        assert!(refused.is_err_and(|why| why.contains("403") && why.ends_with("no")));
    }
}
