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
use crate::run::rig::{Reason, Rig};
use crate::run::sources::{Games, SourceError, Spawned, Wanted};
use crate::sampler::Sampler;
use crate::server::ServerUrl;
use crate::source::queue::raw_queue;
use crate::spool::Spool;
use crate::spool::disk::FolderError;
use crate::status::{RigStatus, megabytes};
use onelap_protocol::RigToken;
use std::fs;
use std::net::IpAddr;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

/// What a rig may keep in memory while it cannot send and has no disk: several hours of driving.
pub const MEMORY_BYTES: usize = 64 * 1024 * 1024;
/// How long the end of the agent may take: a little less than Windows gives a program when its window is closed.
pub const STOP: Duration = Duration::from_millis(4_500);

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
    leftovers: Vec<String>,
    stop: CancellationToken,
    stopped_why: Reason,
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
        let stopped_why = Reason::default();
        let start = |((rig, queue), spool): ((&RigOptions, _), _)| {
            let (sender, status) = watch::channel(RigStatus::new(&rig.name, options.sample_hz));
            let game = if is_replay { GameChoice::Auto } else { rig.game };
            let sampler = Sampler::new(options.sample_hz, options.batch_ms);
            let pipeline = Pipeline::new(sources::readers(game), sampler, spool);
            let target = Target { server: options.server.clone(), token: rig.token.clone() };
            let rig = Rig::new(target, clock, queue, is_replay, pipeline, stopped_why.clone(), sender);
            (status, tokio::spawn(rig.run(stop.clone())))
        };
        let leftovers = leftovers(place, &options.rigs);
        let rigs = options.rigs.iter().zip(queues).zip(spools).map(start).collect();
        let Spawned { threads, f1_ports } = spawned;
        Ok(AgentHandle { rigs, threads, f1_ports, short, leftovers, stop, stopped_why, _stops_threads: stops_threads })
    }
}

/// The spool of a rig. Where the disk is not to be had, it is in memory and says why; a folder that another agent uses
/// is an error, because the rig would be sent twice.
fn spool(place: &SpoolPlace, rig: &RigOptions) -> Result<Spool, FolderError> {
    let SpoolPlace::Disk { folder, cap_bytes } = place else { return Ok(Spool::new(unix_ms(), MEMORY_BYTES)) };
    Spool::open_or_wait(&folder.join(folder_of(rig)), *cap_bytes, MEMORY_BYTES, unix_ms())
}

/// By token: what was read for one team is not sent to another that the rig has a token of later.
fn folder_of(rig: &RigOptions) -> String {
    format!("{}-{}", rig.name, rig.token.public())
}

/// What is kept for tokens that the rigs no longer have, and can be sent with those alone.
fn leftovers(place: &SpoolPlace, rigs: &[RigOptions]) -> Vec<String> {
    let SpoolPlace::Disk { folder, .. } = place else { return Vec::new() };
    let in_use: Vec<String> = rigs.iter().map(folder_of).collect();
    let is_earlier = |name: &str| {
        let of_rig = |rig: &RigOptions| {
            let token = name.strip_prefix(&rig.name).and_then(|rest| rest.strip_prefix('-'));
            token.is_some_and(|token| token.len() == rig.token.public().len() && !token.contains('-'))
        };
        !in_use.iter().any(|used| used == name) && rigs.iter().any(of_rig)
    };
    let names = fs::read_dir(folder).into_iter().flatten().flatten().filter_map(|e| e.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| is_earlier(name)).collect();
    names.sort();
    let kept = |name: &String| {
        let path = folder.join(name);
        let files = fs::read_dir(&path).into_iter().flatten().flatten();
        let segments = files.filter(|file| file.path().extension().is_some_and(|ext| ext == "seg"));
        let bytes: u64 = segments.filter_map(|file| file.metadata().ok()).map(|meta| meta.len()).sum();
        (bytes > 0).then(|| {
            format!(
                "up to {} of an earlier token of this rig are kept in {}: they are sent when the agent runs with that \
                 token; remove the folder if nobody needs them",
                megabytes(bytes),
                path.display()
            )
        })
    };
    names.iter().filter_map(kept).collect()
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

    /// What is kept for earlier tokens of the rigs, a line each.
    #[must_use]
    pub fn leftovers(&self) -> &[String] {
        &self.leftovers
    }

    /// Sends what waits, says goodbye, closes, and waits for all of it, for [`STOP`] at most. A session that the game
    /// still shows goes on with the next run of the agent, where there is a disk to remember it.
    pub async fn stop(self) {
        self.stop_because("the agent was stopped").await;
    }

    /// The same, with the reason that the service is told.
    pub async fn stop_because(self, why: &'static str) {
        let Self { rigs, threads, stop, stopped_why, .. } = self;
        // A second reason changes nothing.
        let _ = stopped_why.set(why);
        stop.cancel();
        let ended = async {
            for (_, task) in rigs {
                // A task that panicked has said so.
                let _ = task.await;
            }
            while threads.iter().any(|thread| !thread.is_finished()) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        if tokio::time::timeout(STOP, ended).await.is_err() {
            tracing::warn!("the agent did not end in time: what it had read is on its disk");
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
