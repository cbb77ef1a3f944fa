//! Which threads read which games for which rigs.
//!
//! A UDP port that another program has does not keep the agent from anything else: the rigs that wanted it say so while
//! no game is found, and it is tried again.

use crate::raw::Reader;
use crate::run::{GameChoice, RigOptions};
use crate::source::f1::reader::F1Reader;
use crate::source::f1::socket::{Listener, Route, SocketError, spawn_on_port};
use crate::source::lmu::LmuReader;
use crate::source::lmu::acquire::{
    MappingOptions, MappingStats, PlaceCell, RestError, RestOptions, spawn_mapping, spawn_rest,
};
use crate::source::queue::RawSink;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often a UDP port that was not to be had is tried again.
const PORT_EVERY: Duration = Duration::from_secs(5);
/// How often a thread that waits looks whether it should end.
const NAP: Duration = Duration::from_millis(50);

/// Which games are read, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Games {
    /// Le Mans Ultimate.
    pub lmu: Option<LmuOptions>,
    /// F1 25, on the rigs' ports.
    pub f1: bool,
}

/// Where Le Mans Ultimate is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LmuOptions {
    /// The mapping: a file on Linux, a name on Windows; the game's own where absent.
    pub location: Option<String>,
    /// Port of its REST API; not asked where absent.
    pub rest_port: Option<u16>,
}

impl LmuOptions {
    /// How the mapping is read for so many samples a second: twice as often, so that no sample waits long.
    #[must_use]
    pub fn mapping(&self, sample_hz: u32) -> MappingOptions {
        let default = MappingOptions::default();
        let every = Duration::from_millis(u64::from((500 / sample_hz.max(1)).clamp(8, 25)));
        MappingOptions { location: self.location.clone().unwrap_or(default.location), every }
    }

    /// How the REST API is asked, where it is.
    #[must_use]
    pub fn rest(&self) -> Option<RestOptions> {
        self.rest_port.map(|port| RestOptions { port, ..RestOptions::default() })
    }
}

/// What one rig takes of the games.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Which game.
    pub game: GameChoice,
    /// UDP port on which F1 sends.
    pub f1_port: u16,
    /// Only what this sender sends.
    pub f1_sender: Option<IpAddr>,
}

impl From<&RigOptions> for Wanted {
    fn from(rig: &RigOptions) -> Self {
        Self { game: rig.game, f1_port: rig.f1_port, f1_sender: rig.f1_sender }
    }
}

/// Why a source cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The system gives no thread.
    #[error("no thread for a game: {0}")]
    Thread(#[from] io::Error),
    /// The REST API cannot be asked.
    #[error(transparent)]
    Rest(#[from] RestError),
}

/// The readers of a rig for this game.
#[must_use]
pub fn readers(game: GameChoice) -> Vec<Box<dyn Reader>> {
    let mut readers: Vec<Box<dyn Reader>> = Vec::new();
    if game != GameChoice::F1 {
        readers.push(Box::new(LmuReader::new()));
    }
    if game != GameChoice::Lmu {
        readers.push(Box::new(F1Reader::new()));
    }
    readers
}

/// The games' threads.
#[derive(Debug, Default)]
pub struct Spawned {
    /// They end after the cancellation.
    pub threads: Vec<JoinHandle<()>>,
    /// The UDP port of each rig, where it is listened on: the one that the system gave where it was asked for any (0).
    pub f1_ports: Vec<Option<u16>>,
}

/// Starts the threads that read the games for these rigs, each of which has a sink of its own.
///
/// # Errors
/// [`SourceError`] where a thread cannot be started.
pub fn spawn(
    games: &Games,
    sample_hz: u32,
    rigs: &[(Wanted, RawSink)],
    stop: &CancellationToken,
) -> Result<Spawned, SourceError> {
    let mut spawned = Spawned { threads: Vec::new(), f1_ports: vec![None; rigs.len()] };
    let of_lmu = rigs.iter().find(|(rig, _)| rig.game != GameChoice::F1);
    if let (Some(lmu), Some((_, sink))) = (&games.lmu, of_lmu) {
        let place = PlaceCell::default();
        let stats = Arc::<MappingStats>::default();
        let mapping = lmu.mapping(sample_hz);
        spawned.threads.push(spawn_mapping(mapping, place.clone(), stats, stop.clone(), sink.clone().into_emit())?);
        if let Some(rest) = lmu.rest() {
            spawned.threads.push(spawn_rest(&rest, place, stop.clone(), sink.clone().into_emit())?);
        }
    }
    if games.f1 {
        for port in ports(rigs) {
            listen(port, rigs, stop, &mut spawned)?;
        }
    }
    Ok(spawned)
}

/// A UDP port and the rigs, by index, that take from it.
type PortRigs = (u16, Vec<usize>);

/// The rigs that want F1, by port. Those that take any port (0) have one each.
fn ports(rigs: &[(Wanted, RawSink)]) -> Vec<PortRigs> {
    let mut ports: Vec<PortRigs> = Vec::new();
    for (i, (rig, _)) in rigs.iter().enumerate().filter(|(_, (rig, _))| rig.game != GameChoice::Lmu) {
        match ports.iter_mut().find(|(port, _)| *port == rig.f1_port && *port != 0) {
            Some((_, takers)) => takers.push(i),
            None => ports.push((rig.f1_port, vec![i])),
        }
    }
    ports
}

fn listen(
    (port, takers): PortRigs,
    rigs: &[(Wanted, RawSink)],
    stop: &CancellationToken,
    spawned: &mut Spawned,
) -> Result<(), SourceError> {
    let takers_of = |i: &usize| (*i, rigs[*i].0.f1_sender, rigs[*i].1.clone());
    let routes: Vec<_> = takers.iter().map(takers_of).collect();
    match bind(port, &routes, stop) {
        Ok(listener) => {
            takers.iter().for_each(|i| spawned.f1_ports[*i] = Some(listener.address().port()));
            spawned.threads.push(listener.into_thread());
        }
        Err(error) => {
            say_problem(&routes, Some(&error.to_string()));
            let stop = stop.clone();
            let again = thread::Builder::new().name("f1-port".into());
            spawned.threads.push(again.spawn(move || listen_again(port, &routes, &stop))?);
        }
    }
    Ok(())
}

fn bind(
    port: u16,
    routes: &[(usize, Option<IpAddr>, RawSink)],
    stop: &CancellationToken,
) -> Result<Listener, SocketError> {
    let route = |(i, sender, sink): &(usize, Option<IpAddr>, RawSink)| Route {
        rig: format!("rig {}", i + 1),
        sender: *sender,
        emit: sink.clone().into_emit(),
    };
    spawn_on_port(port, routes.iter().map(route).collect(), stop.clone())
}

fn say_problem(routes: &[(usize, Option<IpAddr>, RawSink)], problem: Option<&str>) {
    for (_, _, sink) in routes {
        sink.set_problem(problem.map(str::to_owned));
    }
}

/// Tries a port again until it is to be had, then waits for its thread.
fn listen_again(port: u16, routes: &[(usize, Option<IpAddr>, RawSink)], stop: &CancellationToken) {
    let mut waited = Duration::ZERO;
    while !stop.is_cancelled() {
        thread::sleep(NAP);
        waited += NAP;
        if waited < PORT_EVERY {
            continue;
        }
        waited = Duration::ZERO;
        match bind(port, routes, stop) {
            Ok(listener) => {
                say_problem(routes, None);
                // A thread that panicked has said so.
                let _ = listener.into_thread().join();
                return;
            }
            Err(error) => say_problem(routes, Some(&error.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::source::queue::raw_queue;

    fn wanted(game: GameChoice, f1_port: u16) -> Wanted {
        Wanted { game, f1_port, f1_sender: None }
    }

    #[test]
    fn rigs_share_a_port_or_have_their_own() {
        let (sink, _queue) = raw_queue(Clock::start());
        let rigs: Vec<_> = [
            (GameChoice::F1, 5),
            (GameChoice::Lmu, 5),
            (GameChoice::Auto, 5),
            (GameChoice::F1, 0),
            (GameChoice::F1, 0),
        ]
        .map(|(game, port)| (wanted(game, port), sink.clone()))
        .into();
        assert_eq!(ports(&rigs), [(5, vec![0, 2]), (0, vec![3]), (0, vec![4])]);
    }

    #[test]
    fn a_port_that_is_taken_is_said_and_keeps_from_nothing_else() {
        let taken = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let (sink, queue) = raw_queue(Clock::start());
        let (other, _queue) = raw_queue(Clock::start());
        let rigs = [(wanted(GameChoice::F1, port), sink), (wanted(GameChoice::F1, 0), other)];
        let stop = CancellationToken::new();
        let spawned = spawn(&Games { lmu: None, f1: true }, 20, &rigs, &stop).unwrap();
        assert!(queue.problem().unwrap().contains(&port.to_string()));
        assert_eq!(spawned.f1_ports[0], None);
        assert!(spawned.f1_ports[1].is_some());
        stop.cancel();
        spawned.threads.into_iter().for_each(|thread| thread.join().unwrap());
    }
}
