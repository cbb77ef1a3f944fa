//! The agent as a library: started with its configuration as a value, stopped by its handle; several may run in one
//! process.
//!
//! Each rig is a task ([`rig`]); the games are read by threads ([`sources`]) or come from a recording ([`replay`]).

pub mod replay;
pub mod rig;
pub mod sources;

use crate::clock::{Clock, unix_ms};
use crate::link::socket::Target;
use crate::pipeline::Pipeline;
use crate::recording::RecordingError;
use crate::run::replay::Shortfall;
use crate::run::rig::Rig;
use crate::run::sources::{Games, SourceError, Spawned, Wanted};
use crate::sampler::Sampler;
use crate::server::ServerUrl;
use crate::source::queue::raw_queue;
use crate::spool::Spool;
use crate::spool::disk::FolderError;
use crate::status::RigStatus;
use onelap_protocol::RigToken;
use std::net::IpAddr;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

/// What a rig may keep in memory while it cannot send and has no disk: several hours of driving.
pub const MEMORY_BYTES: usize = 64 * 1024 * 1024;
/// How long the games' threads may take to end.
const THREADS_END: Duration = Duration::from_secs(3);

/// Which game a rig is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum GameChoice {
    /// Whichever runs.
    #[default]
    Auto,
    /// Le Mans Ultimate.
    Lmu,
    /// F1 25.
    F1,
}

/// One rig.
#[derive(Debug, Clone)]
pub struct RigOptions {
    /// Its name, for this PC's eyes.
    pub name: String,
    /// Its token.
    pub token: RigToken,
    /// Its game.
    pub game: GameChoice,
    /// UDP port on which F1 sends; 0 takes any, see [`AgentHandle::f1_ports`].
    pub f1_port: u16,
    /// Only what this sender sends; of all senders where absent.
    pub f1_sender: Option<IpAddr>,
}

/// Where the inputs come from.
#[derive(Debug, Clone)]
pub enum Input {
    /// From the games.
    Games(Games),
    /// From a recording, so many times as fast as it was.
    Replay {
        /// The file.
        path: PathBuf,
        /// 1 is its own pace.
        speed: f64,
    },
}

/// Where what is not acknowledged is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpoolPlace {
    /// In memory, until the agent ends.
    Memory,
    /// On disk; each rig in a folder of its own.
    Disk {
        /// The folder of those folders.
        folder: PathBuf,
        /// What each rig may keep, in bytes.
        cap_bytes: u64,
    },
}

/// What an agent needs to know.
#[derive(Debug, Clone)]
pub struct AgentOptions {
    /// The service.
    pub server: ServerUrl,
    /// The rigs; with a recording, exactly one.
    pub rigs: Vec<RigOptions>,
    /// Samples a second.
    pub sample_hz: u32,
    /// Milliseconds of samples in a batch.
    pub batch_ms: u32,
    /// Where what is not acknowledged is kept; of a recording, in memory.
    pub spool: SpoolPlace,
    /// Where the inputs come from.
    pub input: Input,
}

/// Why an agent did not start.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// There is no rig, or there are several for one recording.
    #[error("{0}")]
    Rigs(&'static str),
    /// The recording cannot be played.
    #[error("{}: {cause}", path.display())]
    Recording {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: RecordingError,
    },
    /// A source cannot be opened.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Another agent uses the spool.
    #[error(transparent)]
    Spool(#[from] FolderError),
}

/// The agent; see [`Agent::spawn`].
#[derive(Debug)]
pub struct Agent;

/// An agent that runs. Dropping it stops the agent and waits for nothing.
#[derive(Debug)]
pub struct AgentHandle {
    rigs: Vec<(watch::Receiver<RigStatus>, JoinHandle<()>)>,
    threads: Vec<thread::JoinHandle<()>>,
    f1_ports: Vec<Option<u16>>,
    short: Shortfall,
    stop: CancellationToken,
    _stops_threads: DropGuard,
}

impl Agent {
    /// Starts an agent in the current tokio runtime.
    ///
    /// # Errors
    /// [`AgentError`] where the options make no sense, a recording cannot be opened or a source is not to be had.
    pub fn spawn(options: &AgentOptions) -> Result<AgentHandle, AgentError> {
        if options.rigs.is_empty() {
            return Err(AgentError::Rigs("there is no rig: give a token"));
        }
        let clock = Clock::start();
        let stop = CancellationToken::new();
        let stops_threads = stop.clone().drop_guard();
        let is_replay = matches!(options.input, Input::Replay { .. });
        let place = if is_replay { &SpoolPlace::Memory } else { &options.spool };
        let spools = options.rigs.iter().map(|rig| spool(place, rig)).collect::<Result<Vec<_>, _>>()?;
        let (sinks, queues): (Vec<_>, Vec<_>) = options.rigs.iter().map(|_| raw_queue(clock)).unzip();
        let short = Shortfall::default();
        let spawned = match &options.input {
            Input::Games(games) => {
                let rigs: Vec<_> = options.rigs.iter().map(Wanted::from).zip(sinks).collect();
                sources::spawn(games, options.sample_hz, &rigs, &stop)?
            }
            Input::Replay { path, speed } => {
                let [sink] = <[_; 1]>::try_from(sinks)
                    .map_err(|_| AgentError::Rigs("a recording is played back by one rig: there are several"))?;
                let thread = replay::spawn(path, *speed, sink, short.clone(), stop.clone())
                    .map_err(|cause| AgentError::Recording { path: path.clone(), cause })?;
                Spawned { threads: vec![thread], f1_ports: vec![None] }
            }
        };
        let start = |((rig, queue), spool): ((&RigOptions, _), _)| {
            let (sender, status) = watch::channel(RigStatus::new(&rig.name, options.sample_hz));
            let game = if is_replay { GameChoice::Auto } else { rig.game };
            let sampler = Sampler::new(options.sample_hz, options.batch_ms);
            let pipeline = Pipeline::new(sources::readers(game), sampler, spool);
            let target = Target { server: options.server.clone(), token: rig.token.clone() };
            let rig = Rig::new(target, clock, queue, is_replay, pipeline, sender);
            (status, tokio::spawn(rig.run(stop.clone())))
        };
        let rigs = options.rigs.iter().zip(queues).zip(spools).map(start).collect();
        let Spawned { threads, f1_ports } = spawned;
        Ok(AgentHandle { rigs, threads, f1_ports, short, stop, _stops_threads: stops_threads })
    }
}

/// The spool of a rig. Where the disk is not to be had, it is in memory and says why; a folder that another agent uses
/// is an error, because the rig would be sent twice.
fn spool(place: &SpoolPlace, rig: &RigOptions) -> Result<Spool, FolderError> {
    let SpoolPlace::Disk { folder, cap_bytes } = place else { return Ok(Spool::new(unix_ms(), MEMORY_BYTES)) };
    // By token: what was read for one team is not sent to another that the rig has a token of later.
    let folder = folder.join(format!("{}-{}", rig.name, rig.token.public()));
    match Spool::open(&folder, *cap_bytes, MEMORY_BYTES, unix_ms()) {
        Err(error @ FolderError::Io { .. }) => {
            tracing::warn!(%error, "nothing is kept on disk");
            Ok(Spool::without_disk(unix_ms(), MEMORY_BYTES, error.to_string()))
        }
        opened => opened,
    }
}

impl AgentHandle {
    /// What the first rig is doing, now and whenever it changes.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<RigStatus> {
        // An agent has at least one rig.
        self.rigs[0].0.clone()
    }

    /// What each rig is doing.
    #[must_use]
    pub fn statuses(&self) -> Vec<watch::Receiver<RigStatus>> {
        self.rigs.iter().map(|(status, _)| status.clone()).collect()
    }

    /// The UDP port on which each rig listens, where it does.
    #[must_use]
    pub fn f1_ports(&self) -> &[Option<u16>] {
        &self.f1_ports
    }

    /// Waits until every rig has ended by itself, as after a recording.
    pub async fn finished(&mut self) {
        for (status, _) in &mut self.rigs {
            // A rig that is gone has ended.
            let _ = status.wait_for(|status| status.finished).await;
        }
    }

    /// Why the recording was not played to its end, once [`AgentHandle::finished`] has come.
    #[must_use]
    pub fn shortfall(&self) -> Option<&str> {
        self.short.get().map(String::as_str)
    }

    /// Sends what waits (for at most two seconds), says goodbye, closes, and waits for all of it.
    pub async fn stop(self) {
        let Self { rigs, threads, stop, .. } = self;
        stop.cancel();
        for (_, task) in rigs {
            // A task that panicked has said so.
            let _ = task.await;
        }
        let deadline = Instant::now() + THREADS_END;
        while threads.iter().any(|thread| !thread.is_finished()) && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Ends everything at once, as a killed process would: nothing is flushed, nobody is told.
    pub fn kill(self) {
        for (_, task) in &self.rigs {
            task.abort();
        }
    }
}

#[cfg(test)]
mod tests;
