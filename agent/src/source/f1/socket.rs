//! Receives the game's datagrams: a thread for each UDP port.
//!
//! Several rigs on one PC have a port each, or share one and are told apart by the address of the sender: a datagram goes
//! to the rig that asks for its sender, else to the one that asks for none, else it is counted and its sender named once.
//!
//! Invariants: nothing is ever sent; a datagram goes to one rig at most and as it came; the thread ends within
//! [`TICK`] of its cancellation.
//!
//! Not here: what a datagram means ([`super::reader`]).

use crate::raw::Raw;
use crate::source::Emit;
use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use thiserror::Error;
use tokio_util::sync::CancellationToken;

/// The port that the game sends to unless it is told otherwise.
pub const DEFAULT_PORT: u16 = 20777;
/// How often a silent rig is told that time has passed, and how long the thread may take to end.
pub const TICK: Duration = Duration::from_millis(250);
/// Room for any datagram: for one that is longer than the room, Windows gives an error.
const BUFFER: usize = 65_536;
/// More than the largest datagram of any format (1,470 bytes); what is longer is cut, and refused by its size.
const LONGEST: usize = 2048;
/// Senders that are remembered by name; what comes of others is still counted.
const NAMED_SENDERS: usize = 32;
/// Pause after an error of the socket, so that a broken one does not take a core.
const ERROR_PAUSE: Duration = Duration::from_millis(100);

/// A rig that takes datagrams from a port.
pub struct Route {
    /// The rig's name, for messages.
    pub rig: String,
    /// Takes only this sender's; `None`: everybody's whom no other rig takes.
    pub sender: Option<IpAddr>,
    /// Where they go.
    pub emit: Emit,
}

/// Why a port is not listened on.
#[derive(Debug, Error)]
pub enum SocketError {
    /// Another program has it.
    #[error(
        "UDP port {port} is taken by another program (another telemetry tool, or a second agent). Close it, or choose \
         another port here and in the game's telemetry settings"
    )]
    Taken {
        /// The port.
        port: u16,
    },
    /// The PC has no such address.
    #[error("this PC has no network address {ip}: F1 telemetry cannot be received there")]
    NoSuchAddress {
        /// The address.
        ip: IpAddr,
    },
    /// The system does not allow it.
    #[error("the system does not allow listening on UDP port {port}: {cause}")]
    NotAllowed {
        /// The port.
        port: u16,
        /// What it says.
        cause: io::Error,
    },
    /// Two rigs want the same datagrams.
    #[error("rigs {first} and {second} both take {what} on UDP port {port}: give them different ports or senders")]
    SameRoute {
        /// One rig.
        first: String,
        /// The other.
        second: String,
        /// What both take.
        what: String,
        /// The port.
        port: u16,
    },
    /// Anything else.
    #[error("cannot listen on UDP {address}: {cause}")]
    Other {
        /// Where.
        address: SocketAddr,
        /// What the system says.
        cause: io::Error,
    },
}

/// What came to a port.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SocketCounts {
    /// Datagrams that went to a rig.
    pub routed: u64,
    /// Datagrams of senders that no rig asks for.
    pub unknown: u64,
    /// Those senders, the first [`NAMED_SENDERS`] of them.
    pub unknown_senders: BTreeMap<IpAddr, u64>,
    /// Errors of the socket.
    pub errors: u64,
}

/// A port that is listened on.
#[derive(Debug)]
pub struct Listener {
    address: SocketAddr,
    counts: Arc<Mutex<SocketCounts>>,
    thread: JoinHandle<()>,
}

impl Listener {
    /// Where it listens; the port that the system gave where 0 was asked for.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What has come.
    #[must_use]
    pub fn counts(&self) -> SocketCounts {
        lock(&self.counts).clone()
    }

    /// The thread; it ends after the cancellation.
    #[must_use]
    pub fn into_thread(self) -> JoinHandle<()> {
        self.thread
    }
}

/// Listens on a port of all addresses; see [`spawn`].
///
/// # Errors
/// As [`spawn`].
pub fn spawn_on_port(port: u16, routes: Vec<Route>, stop: CancellationToken) -> Result<Listener, SocketError> {
    spawn(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)), routes, stop)
}

/// Binds an address and routes what comes there in a thread of its own.
///
/// # Errors
/// Where the address cannot be had, or two rigs ask for the same sender.
pub fn spawn(address: SocketAddr, routes: Vec<Route>, stop: CancellationToken) -> Result<Listener, SocketError> {
    let router = Router::new(address.port(), routes)?;
    let socket = bind(address)?;
    let other = |cause| SocketError::Other { address, cause };
    let bound = socket.local_addr().map_err(other)?;
    let counts = Arc::<Mutex<SocketCounts>>::default();
    let shared = counts.clone();
    let thread = thread::Builder::new()
        .name(format!("f1-udp-{}", bound.port()))
        .spawn(move || listen(&socket, router, &shared, &stop))
        .map_err(other)?;
    Ok(Listener { address: bound, counts, thread })
}

/// Binds an address, with a timeout so that the thread can end.
///
/// # Errors
/// Where it cannot be had, in words for the driver.
pub fn bind(address: SocketAddr) -> Result<UdpSocket, SocketError> {
    let port = address.port();
    let socket = UdpSocket::bind(address).map_err(|cause| match cause.kind() {
        ErrorKind::AddrInUse => SocketError::Taken { port },
        ErrorKind::AddrNotAvailable => SocketError::NoSuchAddress { ip: address.ip() },
        ErrorKind::PermissionDenied => SocketError::NotAllowed { port, cause },
        _ => SocketError::Other { address, cause },
    })?;
    socket.set_read_timeout(Some(TICK)).map_err(|cause| SocketError::Other { address, cause })?;
    Ok(socket)
}

fn listen(socket: &UdpSocket, mut router: Router, counts: &Mutex<SocketCounts>, stop: &CancellationToken) {
    let mut buffer = vec![0; BUFFER];
    while !stop.is_cancelled() {
        match socket.recv_from(&mut buffer) {
            Ok((len, from)) => {
                let bytes = buffer.get(..len.min(LONGEST)).unwrap_or_default();
                router.route(from, bytes, &mut lock(counts));
            }
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) => {}
            Err(error) => {
                lock(counts).errors += 1;
                tracing::debug!(%error, "receiving F1 telemetry");
                thread::sleep(ERROR_PAUSE);
            }
        }
        router.tick(Instant::now());
    }
}

fn lock(counts: &Mutex<SocketCounts>) -> std::sync::MutexGuard<'_, SocketCounts> {
    // Counts are whole whatever happened to another holder.
    counts.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whose a datagram is.
struct Router {
    port: u16,
    routes: Vec<(Route, Instant)>,
}

impl Router {
    fn new(port: u16, routes: Vec<Route>) -> Result<Self, SocketError> {
        for (i, second) in routes.iter().enumerate() {
            if let Some(first) = routes.iter().take(i).find(|first| first.sender == second.sender) {
                let what =
                    second.sender.map_or("every sender's telemetry".to_owned(), |ip| format!("the telemetry of {ip}"));
                return Err(SocketError::SameRoute {
                    first: first.rig.clone(),
                    second: second.rig.clone(),
                    what,
                    port,
                });
            }
        }
        let now = Instant::now();
        Ok(Self { port, routes: routes.into_iter().map(|route| (route, now)).collect() })
    }

    fn route(&mut self, from: SocketAddr, bytes: &[u8], counts: &mut SocketCounts) {
        let sender = from.ip().to_canonical();
        let asks_for = |wanted: Option<IpAddr>| self.routes.iter().position(|(route, _)| route.sender == wanted);
        let Some(index) = asks_for(Some(sender)).or_else(|| asks_for(None)) else {
            return self.count_unknown(sender, counts);
        };
        counts.routed += 1;
        if let Some((route, last)) = self.routes.get_mut(index) {
            *last = Instant::now();
            (route.emit)(Raw::Datagram { from: SocketAddr::new(sender, from.port()), bytes: bytes.to_vec() });
        }
    }

    fn count_unknown(&self, sender: IpAddr, counts: &mut SocketCounts) {
        counts.unknown += 1;
        let is_new = !counts.unknown_senders.contains_key(&sender);
        if is_new && counts.unknown_senders.len() >= NAMED_SENDERS {
            return;
        }
        *counts.unknown_senders.entry(sender).or_default() += 1;
        if is_new {
            tracing::warn!(%sender, port = self.port, "telemetry of a sender that no rig takes: name it as a rig's sender");
        }
    }

    /// Tells the rigs to which nothing came for a while that time has passed.
    fn tick(&mut self, now: Instant) {
        for (route, last) in &mut self.routes {
            if now.saturating_duration_since(*last) >= TICK {
                *last = now;
                (route.emit)(Raw::Tick);
            }
        }
    }
}

#[cfg(test)]
mod tests;
