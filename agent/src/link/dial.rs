//! From a name to an open TCP connection, each step with its deadline and its own words.
//!
//! The send buffer is kept small: what is in it goes before anything that is live, and a ping has to get through a backlog
//! in time on a slow line.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::time::timeout;

/// How long a name may take to be resolved.
const RESOLVE: Duration = Duration::from_secs(5);
/// How long one address may take to answer.
const CONNECT: Duration = Duration::from_secs(4);
/// Addresses of a name that are tried.
const MAX_ADDRESSES: usize = 4;
/// What the system may hold of what was written: half a second at 1 Mbit/s.
const SEND_BUFFER: u32 = 64 * 1024;

/// A connection to the first address of the name that answers.
///
/// # Errors
/// What has failed and what it may be, for people.
pub async fn dial(host: &str, port: u16) -> Result<TcpStream, String> {
    let name = host.trim_start_matches('[').trim_end_matches(']');
    let found = match timeout(RESOLVE, lookup_host((name, port))).await {
        Ok(found) => found.map_err(|e| format!("the name {name} cannot be resolved ({e}): is this PC online?"))?,
        Err(_) => return Err(format!("the name {name} cannot be resolved in time: is this PC online?")),
    };
    let addresses: Vec<SocketAddr> = found.take(MAX_ADDRESSES).collect();
    let mut why = format!("the name {name} has no address");
    for address in addresses {
        match timeout(CONNECT, connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => why = format!("{address}: {error}"),
            Err(_) => why = format!("{address} does not answer"),
        }
    }
    Err(why)
}

async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    if let Err(error) = socket.set_send_buffer_size(SEND_BUFFER) {
        tracing::debug!(%error, "the send buffer keeps its size");
    }
    let stream = socket.connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn a_name_that_does_not_resolve_is_told_as_that() {
        // Reserved for names that never exist.
        let why = dial("service.invalid", 443).await.unwrap_err();
        assert!(why.contains("service.invalid cannot be resolved") && why.contains("online"), "{why}");
    }

    #[tokio::test]
    async fn a_port_where_nobody_listens_is_told_with_its_address() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let why = dial("localhost", port).await.unwrap_err();
        assert!(why.contains(&port.to_string()), "{why}");
    }

    #[tokio::test]
    async fn a_connection_holds_little_back() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = dial("127.0.0.1", listener.local_addr().unwrap().port()).await.unwrap();
        let written = std::iter::from_fn(|| stream.try_write(&[0; 1024]).ok()).take(100_000).sum::<usize>();
        // Both ends' buffers; what the other end takes is not ours to say.
        assert!(written < 16 * 1024 * 1024, "{written}");
        assert!(stream.nodelay().unwrap());
    }
}
