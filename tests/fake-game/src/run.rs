//! Runs a game on a thread of its own: the clock, the faces, the two servers.
//!
//! One thread with its own runtime, so that a test's runtime is not slowed down and a reader in the same process sees the
//! memory change under it as it would from another program. The game is behind a lock because the HTTP handlers, the
//! clock and the caller's [`Handle`] all need it for moments only; nobody awaits while holding it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::{oneshot, watch};

use crate::command::{Command, CommandError};
use crate::f1;
use crate::game::Game;
use crate::http::{self, Handler};
use crate::lmu::memory::MemoryFace;
use crate::model::log::RaceLog;
use crate::options::Options;
use crate::state::PlayerState;
use crate::{control, lmu};

/// Wall time between two states.
const FRAME: Duration = Duration::from_millis(10);

/// Why a game could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The options contradict themselves or are out of range.
    #[error("{0}")]
    Options(String),
    /// A port is taken or a file cannot be written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// A fake game to be started.
#[derive(Debug)]
pub struct FakeGame;

/// A running game. Ends when dropped; [`Handle::stop`] also waits until everything is gone.
#[derive(Debug)]
pub struct Handle {
    game: Shared,
    frames: watch::Receiver<u64>,
    stop: watch::Sender<bool>,
    thread: Option<std::thread::JoinHandle<()>>,
    places: Places,
}

/// Where a running game can be found.
#[derive(Debug, Clone)]
struct Places {
    lmu_path: Option<PathBuf>,
    rest: Option<SocketAddr>,
    control: Option<SocketAddr>,
}

#[derive(Debug, Clone)]
struct Shared(Arc<Mutex<Game>>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Game> {
        // A panic elsewhere leaves a world that can still be shown and stopped.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn handler(&self, answer: fn(&mut Game, &http::Request) -> http::Response) -> Handler {
        let game = self.clone();
        Arc::new(move |request| answer(&mut game.lock(), &request))
    }
}

impl FakeGame {
    /// Starts a game: when this returns, the mapping is there and the ports are open.
    ///
    /// # Errors
    /// When the options make no sense, a port is taken or a file cannot be written.
    pub async fn spawn(options: Options) -> Result<Handle, StartError> {
        options.check().map_err(StartError::Options)?;
        let (ready, started) = oneshot::channel();
        let (stop, stopped) = watch::channel(false);
        let thread = std::thread::Builder::new().name("fake-game".to_owned()).spawn(move || {
            let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => {
                    let _ = ready.send(Err(error.into()));
                    return;
                }
            };
            runtime.block_on(async {
                match Runner::new(options).await {
                    Ok((runner, frames)) => {
                        let _ = ready.send(Ok((runner.game.clone(), frames, runner.places.clone())));
                        runner.run(stopped).await;
                    }
                    Err(error) => {
                        let _ = ready.send(Err(error));
                    }
                }
            });
        })?;
        let (game, frames, places) = started
            .await
            .map_err(|_| StartError::Options("the game's thread ended before it had started".to_owned()))??;
        Ok(Handle { game, frames, stop, thread: Some(thread), places })
    }
}

impl Handle {
    /// The file (on Windows: the name) of the LMU mapping.
    #[must_use]
    pub fn lmu_path(&self) -> Option<&Path> {
        self.places.lmu_path.as_deref()
    }

    /// Address of the REST interface.
    #[must_use]
    pub fn rest_addr(&self) -> Option<SocketAddr> {
        self.places.rest
    }

    /// Address of the control interface.
    #[must_use]
    pub fn control_addr(&self) -> Option<SocketAddr> {
        self.places.control
    }

    /// What the player's car shows now.
    #[must_use]
    pub fn state(&self) -> PlayerState {
        self.game.lock().state()
    }

    /// Everything that has happened.
    #[must_use]
    pub fn log(&self) -> RaceLog {
        self.game.lock().world.log.clone()
    }

    /// Requests to the REST interface so far, by method and path (`"GET /rest/watch/standings"`).
    #[must_use]
    pub fn requests(&self) -> std::collections::BTreeMap<String, u64> {
        self.game.lock().requests.clone()
    }

    /// Carries out a command and waits until the faces show it.
    ///
    /// # Errors
    /// When the command makes no sense now; the message says why.
    pub async fn command(&self, command: Command) -> Result<(), CommandError> {
        self.game.lock().apply(command)?;
        let mut frames = self.frames.clone();
        let now = *frames.borrow_and_update();
        // Two frames: the one that may be under way, and a whole one after it.
        let _ = frames.wait_for(|frame| *frame >= now + 2).await;
        Ok(())
    }

    /// Waits until the player's car is in a state; gives it, or `None` when `within` has passed or the game has ended.
    pub async fn wait_until(&self, within: Duration, reached: impl Fn(&PlayerState) -> bool) -> Option<PlayerState> {
        let mut frames = self.frames.clone();
        let wait = async {
            loop {
                let state = self.state();
                if reached(&state) {
                    return Some(state);
                }
                if frames.changed().await.is_err() {
                    return None;
                }
            }
        };
        tokio::time::timeout(within, wait).await.ok().flatten()
    }

    /// Waits until the game has ended by itself (`quit`).
    pub async fn ended(&self) {
        let mut frames = self.frames.clone();
        while frames.changed().await.is_ok() {}
    }

    /// Ends the game and waits until its mapping and its ports are gone. Gives what happened.
    pub async fn stop(self) -> RaceLog {
        let _ = self.stop.send(true);
        self.ended().await;
        self.log()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            // Blocks for one frame at most; afterwards the mapping is gone.
            if thread.join().is_err() {
                tracing::error!("the fake game's thread panicked");
            }
        }
    }
}

/// What the thread owns.
struct Runner {
    game: Shared,
    places: Places,
    frames: watch::Sender<u64>,
    lmu: Option<MemoryFace>,
    f1: Option<F1Face>,
    log_file: Option<PathBuf>,
    control: Option<TcpListener>,
    rest: Option<TcpListener>,
    /// Says stop to the REST server while the game is gone.
    rest_stop: Option<watch::Sender<bool>>,
    rest_task: Option<tokio::task::JoinHandle<()>>,
}

struct F1Face {
    face: f1::Face,
    socket: UdpSocket,
    to: Vec<SocketAddr>,
}

impl Runner {
    async fn new(options: Options) -> Result<(Self, watch::Receiver<u64>), StartError> {
        let game = Shared(Arc::new(Mutex::new(Game::new(&options))));
        let listen =
            async |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|error| taken(port, &error));
        let control = match options.control_port {
            Some(port) => Some(listen(port).await?),
            None => None,
        };
        let (mut lmu, mut rest) = (None, None);
        if let Some(face) = &options.lmu {
            rest = Some(listen(face.rest_port).await?);
            lmu = Some(MemoryFace::new(face)?);
        }
        let f1 = match &options.f1 {
            Some(face) => {
                let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).await?;
                socket.set_broadcast(true)?;
                Some(F1Face { face: f1::Face::new(face.rate_hz), socket, to: face.to.clone() })
            }
            None => None,
        };
        let addr = |listener: &Option<TcpListener>| listener.as_ref().and_then(|listener| listener.local_addr().ok());
        let places =
            Places { lmu_path: lmu.as_ref().map(|face| face.path.clone()), rest: addr(&rest), control: addr(&control) };
        let (frames, shown) = watch::channel(0);
        let mut runner = Self {
            game,
            places,
            frames,
            lmu,
            f1,
            log_file: options.log_file,
            control,
            rest,
            rest_stop: None,
            rest_task: None,
        };
        runner.write_log()?;
        runner.show(0.0).await;
        Ok((runner, shown))
    }

    async fn run(mut self, mut stopped: watch::Receiver<bool>) {
        let control = self
            .control
            .take()
            .map(|listener| tokio::spawn(http::serve(listener, self.game.handler(control::answer), stopped.clone())));
        let mut clock = tokio::time::interval(FRAME);
        clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        let (begun, mut last) = (Instant::now(), Instant::now());
        let mut log_due = Instant::now();
        let mut logged = self.logged();
        loop {
            tokio::select! {
                () = http::told_to_stop(&mut stopped) => break,
                _ = clock.tick() => {}
            }
            let now = Instant::now();
            self.game.lock().advance((now - last).as_secs_f64() * 1_000.0);
            last = now;
            self.show((now - begun).as_secs_f64() * 1_000.0).await;
            if self.log_file.is_some() && now >= log_due && self.logged() != logged {
                logged = self.logged();
                log_due = now + Duration::from_millis(200);
                if let Err(error) = self.write_log() {
                    tracing::error!(%error, "the race log could not be written");
                }
            }
            if self.game.lock().quitting {
                break;
            }
        }
        self.end(control).await;
    }

    /// Everything that was open is closed, in the order in which a game that is shut down loses it.
    async fn end(mut self, control: Option<tokio::task::JoinHandle<()>>) {
        if let Err(error) = self.write_log() {
            tracing::error!(%error, "the race log could not be written");
        }
        self.lmu = None;
        self.close_rest().await;
        if let Some(control) = control {
            // `quit` came through it: let its answer out.
            tokio::time::sleep(Duration::from_millis(20)).await;
            control.abort();
            let _ = control.await;
        }
    }

    /// Shows the state of the game through every face.
    async fn show(&mut self, now_ms: f64) {
        let datagrams = {
            let game = &mut *self.game.lock();
            if let Some(face) = &mut self.lmu {
                face.show(game);
            }
            let datagrams = match &mut self.f1 {
                // What ends a session while it is paused is told all the same.
                Some(f1) if game.running() || game.connected && !game.in_menu && !game.world.happenings.is_empty() => {
                    let back = std::mem::take(&mut game.flashed_back).then(|| f1.face.flashback(&game.world));
                    back.into_iter().chain(f1.face.due(&game.world, now_ms)).collect()
                }
                _ => Vec::new(),
            };
            game.world.happenings.clear();
            datagrams
        };
        self.serve_rest().await;
        if let Some(f1) = &self.f1 {
            for datagram in &datagrams {
                for to in &f1.to {
                    // Nobody listening is no fault of the game's.
                    let _ = f1.socket.send_to(datagram, to).await;
                }
            }
        }
        self.frames.send_modify(|frame| *frame += 1);
    }

    /// Opens and closes the REST server as the game comes and goes; it keeps its port.
    async fn serve_rest(&mut self) {
        let Some(addr) = self.places.rest else { return };
        let connected = self.game.lock().connected;
        if !connected {
            self.close_rest().await;
        } else if self.rest_stop.is_none() {
            let listener = match self.rest.take() {
                Some(listener) => listener,
                None => match TcpListener::bind(addr).await {
                    Ok(listener) => listener,
                    Err(error) => {
                        tracing::error!(%addr, %error, "the REST port cannot be opened again yet");
                        return;
                    }
                },
            };
            let (stop, stopped) = watch::channel(false);
            self.rest_task = Some(tokio::spawn(http::serve(listener, self.game.handler(lmu::rest::answer), stopped)));
            self.rest_stop = Some(stop);
        }
    }

    async fn close_rest(&mut self) {
        if let Some(stop) = self.rest_stop.take() {
            let _ = stop.send(true);
        }
        if let Some(task) = self.rest_task.take() {
            let _ = task.await;
        }
    }

    /// A number that changes with every entry in the log.
    fn logged(&self) -> usize {
        let game = self.game.lock();
        let entries = |session: &crate::model::log::SessionLog| {
            1 + session.laps.len() + session.pit_stops.len() + session.driver_changes.len() + usize::from(session.ended)
        };
        game.world.log.sessions.iter().map(entries).sum()
    }

    fn write_log(&self) -> std::io::Result<()> {
        let Some(path) = &self.log_file else { return Ok(()) };
        let text = serde_json::to_string_pretty(&self.game.lock().world.log)?;
        // Whole or not at all: whoever reads it while it is rewritten sees one of the two.
        let beside = path.with_extension("tmp");
        std::fs::write(&beside, text)?;
        std::fs::rename(&beside, path)
    }
}

fn taken(port: u16, error: &std::io::Error) -> std::io::Error {
    std::io::Error::new(error.kind(), format!("cannot listen on 127.0.0.1:{port}: {error}"))
}
