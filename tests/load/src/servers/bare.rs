//! The bare loop: a write of the same bytes to every socket, on one thread. What viewers say is read, and pings answered,
//! because viewers of every server say it.

use crate::ws::{self, PING, PONG};
use std::cell::RefCell;
use std::net::TcpListener;
use std::rc::Rc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;

type Viewers = Rc<RefCell<Vec<OwnedWriteHalf>>>;

pub(crate) fn run(listener: TcpListener) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    tokio::task::LocalSet::new().block_on(&runtime, async {
        listener.set_nonblocking(true).expect("a socket");
        let listener = tokio::net::TcpListener::from_std(listener).expect("a runtime");
        let viewers = Viewers::default();
        loop {
            let (stream, _) = listener.accept().await.expect("descriptors are left");
            tokio::task::spawn_local(serve(stream, viewers.clone()));
        }
    });
}

async fn serve(mut stream: TcpStream, viewers: Viewers) {
    stream.set_nodelay(true).expect("a socket");
    let Some(request) = request(&mut stream).await else { return };
    // Our clients do not look at the accept key.
    let answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
    if stream.write_all(answer.as_bytes()).await.is_err() {
        return;
    }
    let is_publisher = request.starts_with(b"GET /publish");
    let (mut reader, writer) = stream.into_split();
    let index = if is_publisher {
        None
    } else {
        viewers.borrow_mut().push(writer);
        Some(viewers.borrow().len() - 1)
    };
    let (mut buffer, mut held) = (vec![0; 16 * 1024], Vec::new());
    while let Ok(n @ 1..) = reader.read(&mut buffer).await {
        held.extend_from_slice(&buffer[..n]);
        while let Some((first, payload, used)) = client_frame(&held) {
            held.drain(..used);
            match (index, first & 0x0F) {
                (None, ws::BINARY) => {
                    let frame = ws::server_frame(ws::BINARY, &payload);
                    // Who cannot take it now does not get it.
                    viewers.borrow().iter().for_each(|viewer| drop(viewer.try_write(&frame)));
                }
                (Some(viewer), PING) => {
                    drop(viewers.borrow()[viewer].try_write(&ws::server_frame(PONG, &payload)));
                }
                _ if ws::is_close(first) => return,
                _ => {}
            }
        }
    }
}

/// The head of the request, which our clients send alone.
async fn request(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let (mut head, mut buffer) = (Vec::new(), [0; 2048]);
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut buffer).await {
            Ok(n @ 1..) => head.extend_from_slice(&buffer[..n]),
            _ => return None,
        }
    }
    Some(head)
}

/// First byte, unmasked payload, and length of the frame at the beginning, if all of it is there.
fn client_frame(bytes: &[u8]) -> Option<(u8, Vec<u8>, usize)> {
    let (head, length) = match *bytes.get(1)? & 0x7F {
        126 => (4, usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?))),
        127 => (10, usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)).ok()?),
        short => (2, usize::from(short)),
    };
    let mask = bytes.get(head..head + 4)?;
    let payload = bytes.get(head + 4..head + 4 + length)?;
    let payload = payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
    Some((bytes[0], payload, head + 4 + length))
}
