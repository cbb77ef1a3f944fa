//! A link that lies: a TCP proxy, between agent and service or service and Postgres, whose manners a test chooses and
//! changes while it runs, and which it may listen to ([`Tap`]).
//!
//! What it cannot do is lose packets, because TCP would send them again; [`Manners::Bursts`] is what that looks like from
//! above: bytes come late and in bursts.

#![expect(clippy::expect_used, reason = "what goes wrong here is the failure of a test")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

/// How the link behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manners {
    /// As it should.
    Honest,
    /// Everything takes this much longer.
    Late(Duration),
    /// Nothing passes for the first time, then everything for the second, and so on.
    Bursts(Duration, Duration),
    /// So many bytes a second and no more.
    Drip(usize),
    /// Connections are accepted and nothing ever comes through: half-open, or a proxy that holds.
    Silent,
    /// Connections are reset, those that are open and new ones.
    Reset,
    /// Every connection gets a page of HTML with status 200.
    CaptivePortal,
}

/// Who said something on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Who connected.
    Client,
    /// Who accepted.
    Server,
}

/// Hears everything that either side says, when it says it; whether the other side gets it is another matter.
pub trait Tap: Send + Sync {
    /// Bytes came from a side. Connections are counted from 0.
    fn said(&self, connection: u64, side: Side, bytes: &[u8]);
    /// Nothing follows on this connection.
    fn closed(&self, connection: u64);
}

/// Nobody listens.
pub struct Deaf;

impl Tap for Deaf {
    fn said(&self, _: u64, _: Side, _: &[u8]) {}
    fn closed(&self, _: u64) {}
}

/// The proxy; it ends when it is dropped.
#[derive(Debug)]
pub struct FaultProxy {
    /// Where clients are to connect.
    pub address: SocketAddr,
    server: watch::Sender<SocketAddr>,
    manners: watch::Sender<Manners>,
    connections: Arc<AtomicU64>,
    _ends: DropGuard,
}

impl FaultProxy {
    /// Listens on a free port for connections to `server`.
    pub async fn to(server: SocketAddr) -> Self {
        Self::tapped(server, Arc::new(Deaf)).await
    }

    /// The same, and `tap` hears what is said.
    pub async fn tapped(server: SocketAddr, tap: Arc<dyn Tap>) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").await.expect("a free port"), server, tap)
    }

    /// The same with a listener that is there already.
    pub fn on(listener: TcpListener, server: SocketAddr, tap: Arc<dyn Tap>) -> Self {
        let address = listener.local_addr().expect("an address");
        let (server, to) = watch::channel(server);
        let (manners, now) = watch::channel(Manners::Honest);
        let connections = Arc::<AtomicU64>::default();
        let end = CancellationToken::new();
        let link = Link { to, manners: now, tap };
        tokio::spawn(accept(listener, link, connections.clone(), end.clone()));
        Self { address, server, manners, connections, _ends: end.drop_guard() }
    }

    /// New connections lead there from now on.
    pub fn lead_to(&self, server: SocketAddr) {
        self.server.send_replace(server);
    }

    /// Behaves differently from now on, open connections included.
    pub fn be(&self, manners: Manners) {
        self.manners.send_replace(manners);
    }

    /// Connections that were tried so far.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }
}

/// What a connection is carried with.
#[derive(Clone)]
struct Link {
    to: watch::Receiver<SocketAddr>,
    manners: watch::Receiver<Manners>,
    tap: Arc<dyn Tap>,
}

async fn accept(listener: TcpListener, link: Link, connections: Arc<AtomicU64>, end: CancellationToken) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = end.cancelled() => return,
        };
        let Ok((client, _)) = accepted else { continue };
        let number = connections.fetch_add(1, Ordering::Relaxed);
        let (link, end) = (link.clone(), end.clone());
        tokio::spawn(async move {
            let tap = link.tap.clone();
            tokio::select! {
                () = carry(client, link, number) => {}
                () = end.cancelled() => {}
            }
            tap.closed(number);
        });
    }
}

async fn carry(mut client: TcpStream, link: Link, number: u64) {
    let Link { to, mut manners, tap } = link;
    let now = *manners.borrow_and_update();
    match now {
        Manners::Reset => return reset(&client),
        Manners::CaptivePortal => return portal(&mut client).await,
        _ => {}
    }
    let server = *to.borrow();
    let Ok(server) = TcpStream::connect(server).await else { return reset(&client) };
    for stream in [&client, &server] {
        let _ = stream.set_nodelay(true);
    }
    let mut resets = manners.clone();
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::select! {
        () = pump(from_client, to_server, manners.clone(), |bytes| tap.said(number, Side::Client, bytes)) => {}
        () = pump(from_server, to_client, manners, |bytes| tap.said(number, Side::Server, bytes)) => {}
        _ = resets.wait_for(|m| *m == Manners::Reset) => {}
    }
}

/// Closes so that the other side sees a reset and not an end.
fn reset(stream: &TcpStream) {
    let _ = stream.set_zero_linger();
}

async fn portal(client: &mut TcpStream) {
    let mut request = [0u8; 4096];
    let _ = client.read(&mut request).await;
    let page = "<html><body>Welcome to Hotel WiFi</body></html>";
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n{page}", page.len());
    let _ = client.write_all(answer.as_bytes()).await;
}

/// Carries bytes one way, with the manners that hold when they come.
async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut manners: watch::Receiver<Manners>,
    heard: impl Fn(&[u8]),
) {
    let mut buffer = vec![0u8; 16 * 1024];
    let began = tokio::time::Instant::now();
    loop {
        let now = *manners.borrow_and_update();
        let most = if let Manners::Drip(per_s) = now { (per_s / 10).max(1) } else { buffer.len() };
        match now {
            Manners::Silent => {
                if manners.changed().await.is_err() {
                    return;
                }
                continue;
            }
            Manners::Late(by) => tokio::time::sleep(by).await,
            Manners::Drip(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            Manners::Bursts(stop, go) => {
                let within = began.elapsed().as_nanos() % (stop + go).as_nanos();
                if let Some(wait) = stop.as_nanos().checked_sub(within) {
                    tokio::time::sleep(Duration::from_nanos(wait as u64)).await;
                }
            }
            Manners::Honest | Manners::Reset | Manners::CaptivePortal => {}
        }
        let read = tokio::select! {
            read = from.read(&mut buffer[..most]) => read,
            // What changes while nothing comes holds for what comes next.
            _ = manners.changed() => continue,
        };
        match read {
            Ok(0) | Err(_) => return,
            Ok(n) => {
                heard(&buffer[..n]);
                // What was read when the link went silent is held back with the rest.
                while *manners.borrow_and_update() == Manners::Silent {
                    if manners.changed().await.is_err() {
                        return;
                    }
                }
                if to.write_all(&buffer[..n]).await.is_err() {
                    return;
                }
            }
        }
    }
}
