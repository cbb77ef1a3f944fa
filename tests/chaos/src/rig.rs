//! A rig: a fake game and the shipped agent that looks at it, each a process; and a link to the service that may lie.

use crate::child::{Child, Recipe};
use crate::clock::now_ms;
use crate::http;
use crate::witness::Witness;
use fake_game::RaceLog;
use faults::FaultProxy;
use std::cell::{Cell, RefCell};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};

/// Which game, and how fast it runs.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// F1 by UDP; otherwise LMU by its memory.
    pub is_f1: bool,
    /// Model seconds per second.
    pub speed: f64,
    /// Cars in the field.
    pub cars: usize,
}

/// The rigs of a run: laps that end within a minute, and one at the pace of a real race.
pub const KINDS: [Kind; 4] = [
    Kind { is_f1: false, speed: 8.0, cars: 8 },
    Kind { is_f1: true, speed: 6.0, cars: 20 },
    Kind { is_f1: false, speed: 1.0, cars: 20 },
    Kind { is_f1: false, speed: 4.0, cars: 12 },
];

/// Where everything is.
#[derive(Debug, Clone)]
pub struct Places {
    /// Executables.
    pub bin: PathBuf,
    /// Logs, spools, race logs.
    pub folder: PathBuf,
    /// The games' memory.
    pub memory: PathBuf,
}

/// One run of a game.
#[derive(Debug, Clone)]
pub struct GameRun {
    /// When it was started.
    pub began_ms: u64,
    /// When it ended.
    pub ended_ms: u64,
    /// What it says it did; `None` where it could not be asked.
    pub log: Option<RaceLog>,
    /// Our clock and the session's, in seconds, every now and then.
    pub clock: Vec<(u64, f64)>,
}

/// A process that comes and goes.
#[derive(Debug)]
pub struct Slot {
    /// How it is started.
    pub recipe: RefCell<Recipe>,
    /// While it runs.
    pub child: RefCell<Option<Child>>,
    /// It was told to stand still.
    pub is_stopped: Cell<bool>,
}

impl Slot {
    /// One that does not run yet.
    #[must_use]
    pub fn new(recipe: Recipe) -> Self {
        Self { recipe: RefCell::new(recipe), child: RefCell::default(), is_stopped: Cell::default() }
    }

    /// Starts it.
    ///
    /// # Errors
    /// Why it does not start.
    pub fn start(&self) -> Result<(), String> {
        let child = self.recipe.borrow().start()?;
        self.is_stopped.set(false);
        *self.child.borrow_mut() = Some(child);
        Ok(())
    }

    /// Takes it, to end it.
    #[must_use]
    pub fn take(&self) -> Option<Child> {
        self.child.borrow_mut().take()
    }

    /// It has ended although nobody ended it: how.
    pub fn died(&self) -> Option<String> {
        let mut child = self.child.borrow_mut();
        let status = child.as_mut()?.ended()?;
        *child = None;
        Some(format!("{} ended by itself with {status}", self.recipe.borrow().name))
    }
}

/// See the module.
#[derive(Debug)]
pub struct Rig {
    /// Its number.
    pub index: usize,
    /// Its game.
    pub kind: Kind,
    /// The agent.
    pub agent: Slot,
    /// The game.
    pub game: Slot,
    /// The way to the service.
    pub link: FaultProxy,
    control: SocketAddr,
    seed: u64,
    /// Every run of the game, the current one last.
    pub runs: RefCell<Vec<GameRun>>,
}

/// A port that nothing listens on, below those that the kernel gives out.
///
/// # Errors
/// Where there is none.
pub fn free_port(random: &mut fastrand::Rng) -> Result<u16, String> {
    for _ in 0..200 {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, random.u16(20_000..32_000)));
        if TcpListener::bind(address).is_ok() && UdpSocket::bind(address).is_ok() {
            return Ok(address.port());
        }
    }
    Err("there is no free port".to_owned())
}

impl Rig {
    /// A rig whose parts do not run yet. Ports are chosen once, for the parts know each other by them.
    ///
    /// # Errors
    /// Where a folder or port is not to be had.
    pub async fn new(
        index: usize,
        seed: u64,
        token: &str,
        service: SocketAddr,
        places: &Places,
        witness: &Witness,
    ) -> Result<Self, String> {
        // Ports are not part of what a seed repeats: two runs may be side by side.
        let mut random = fastrand::Rng::new();
        let kind = KINDS[index % KINDS.len()];
        let folder = places.folder.join(format!("rig-{index}"));
        std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        let link = FaultProxy::tapped(service, witness.tap(index)).await;
        let (rest, control) = (free_port(&mut random)?, free_port(&mut random)?);
        let image = places.memory.join(format!("LMU_Data-{index}")).display().to_string();
        let mut game = vec![
            format!("--speed={}", kind.speed),
            format!("--cars={}", kind.cars),
            format!("--control={control}"),
            "--track=short".to_owned(),
        ];
        let mut agent = vec!["run".to_owned(), format!("--server=http://{}", link.address)];
        agent.extend(["--spool=disk".to_owned(), format!("--spool-dir={}", folder.join("spool").display())]);
        if kind.is_f1 {
            game.extend(["--no-lmu".to_owned(), format!("--f1=127.0.0.1:{rest}")]);
            agent.extend(["--lmu=off".to_owned(), format!("--f1-port={rest}")]);
        } else {
            game.extend([format!("--lmu-path={image}"), format!("--rest-port={rest}")]);
            agent.extend(["--f1=off".to_owned(), format!("--lmu-path={image}"), format!("--lmu-rest-port={rest}")]);
        }
        let recipe = |name: &str, program: &str, args| Recipe {
            name: format!("{name}-{index}"),
            program: places.bin.join(program),
            args,
            env: Vec::new(),
            logs: places.folder.clone(),
        };
        let own = folder.display().to_string();
        let mut agent = recipe("agent", "onelap-agent", agent);
        agent.env = vec![
            ("ONELAP_TOKEN".into(), token.into()),
            ("XDG_CONFIG_HOME".into(), own.clone()),
            ("XDG_STATE_HOME".into(), own),
            ("RUST_LOG".into(), "info".into()),
            ("NO_COLOR".into(), "1".into()),
        ];
        Ok(Self {
            index,
            kind,
            agent: Slot::new(agent),
            game: Slot::new(recipe("game", "fake-game", game)),
            link,
            control: SocketAddr::from((Ipv4Addr::LOCALHOST, control)),
            seed,
            runs: RefCell::default(),
        })
    }

    /// Starts the game: another race each time.
    ///
    /// # Errors
    /// Why it does not start.
    pub fn start_game(&self) -> Result<(), String> {
        let run = self.runs.borrow().len() as u64;
        {
            let mut recipe = self.game.recipe.borrow_mut();
            recipe.args.retain(|arg| !arg.starts_with("--seed="));
            recipe.args.push(format!("--seed={}", self.seed.wrapping_add(self.index as u64 * 100 + run) % 1_000_000));
        }
        self.game.start()?;
        let run = GameRun { began_ms: now_ms(), ended_ms: u64::MAX, log: None, clock: Vec::new() };
        self.runs.borrow_mut().push(run);
        Ok(())
    }

    /// Asks the game what it has done so far; to be called before it is killed.
    pub async fn ask_game(&self) {
        let log = http::json(self.control, "GET", "/log", "", None).await.ok();
        if let Some(run) = self.runs.borrow_mut().last_mut() {
            run.log = log.and_then(|(log, _)| serde_json::from_value(log).ok());
        }
    }

    /// The game is no more.
    pub fn game_ended(&self) {
        if let Some(run) = self.runs.borrow_mut().last_mut() {
            run.ended_ms = now_ms();
        }
    }

    /// Notes what time it is in the game.
    pub async fn look_at_clock(&self) {
        let before = now_ms();
        let Ok((state, _)) = http::json(self.control, "GET", "/state", "", None).await else { return };
        let at_ms = before.midpoint(now_ms());
        if let (Some(at_s), Some(run)) = (state["session_time_s"].as_f64(), self.runs.borrow_mut().last_mut()) {
            run.clock.push((at_ms, at_s));
        }
    }

    /// Folder of the agent's spool, for people.
    #[must_use]
    pub fn spool(&self, places: &Places) -> PathBuf {
        Path::new(&places.folder).join(format!("rig-{}/spool", self.index))
    }
}
