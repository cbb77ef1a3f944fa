//! `fake-game`: shows a race as Le Mans Ultimate and F1 25 would.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use fake_game::{Class, F1Options, FakeGame, LmuOptions, Options, Script, SessionKind, SessionLength, TrackKind};

/// Shows a race as Le Mans Ultimate (and, with --f1, as F1 25) would.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// The same seed gives the same race.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Model seconds per second.
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
    /// Cars in the field [default: 32; 20 with F1].
    #[arg(long)]
    cars: Option<usize>,
    /// Classes of the field, with commas [default: hyper,lmp2,gt3; f1 with --no-lmu].
    #[arg(long, value_enum, value_delimiter = ',')]
    classes: Vec<Class>,
    /// The player's class [default: the first of the field].
    #[arg(long, value_enum)]
    player_class: Option<Class>,
    /// The circuit.
    #[arg(long, value_enum, default_value = "long")]
    track: TrackKind,
    /// The first session.
    #[arg(long, value_enum, default_value = "race")]
    session: SessionKind,
    /// Sessions end after this many laps.
    #[arg(long, conflicts_with = "minutes")]
    laps: Option<u32>,
    /// Sessions end after this time [default: 360].
    #[arg(long)]
    minutes: Option<f64>,
    /// In practice and qualifying, wait in the garage for the command `track`.
    #[arg(long)]
    hold_in_garage: bool,
    /// Where the LMU_Data mapping lies [default: /dev/shm/LMU_Data; on Windows the mapping's name, LMU_Data].
    #[arg(long)]
    lmu_path: Option<PathBuf>,
    /// Port of LMU's REST interface; 0 for any.
    #[arg(long, default_value_t = 6397)]
    rest_port: u16,
    /// LMU's version number.
    #[arg(long, default_value_t = 14_200)]
    game_version: i32,
    /// Write the LMU_Data mapping in pieces, so that readers see torn states.
    #[arg(long)]
    torn: bool,
    /// Do not show LMU.
    #[arg(long)]
    no_lmu: bool,
    /// Send F1 25 datagrams to this address (can be given several times).
    #[arg(long, value_name = "ADDRESS")]
    f1: Vec<SocketAddr>,
    /// Rate of the F1 datagrams: 20, 30 or 60.
    #[arg(long, default_value_t = 60)]
    f1_rate: u32,
    /// Port of the control interface; 0 for any.
    #[arg(long, value_name = "PORT")]
    control: Option<u16>,
    /// Write the race log (JSON) to this file, again after every lap.
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// What happens by itself: lines like `at 30 pit`.
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
}

impl Arguments {
    fn options(self) -> Result<Options, String> {
        let script = match &self.script {
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
                Script::parse(&text).map_err(|error| format!("{}: {error}", path.display()))?
            }
            None => Script::default(),
        };
        let classes = match (self.classes.is_empty(), self.no_lmu) {
            (false, _) => self.classes,
            (true, true) => vec![Class::F1],
            (true, false) => vec![Class::Hyper, Class::Lmp2, Class::Gt3],
        };
        let length = match (self.laps, self.minutes) {
            (Some(laps), _) => SessionLength::Laps(laps),
            (None, minutes) => SessionLength::Minutes(minutes.unwrap_or(360.0)),
        };
        let path = self
            .lmu_path
            .unwrap_or_else(|| PathBuf::from(if cfg!(windows) { "LMU_Data" } else { "/dev/shm/LMU_Data" }));
        let lmu = LmuOptions {
            path: Some(path),
            rest_port: self.rest_port,
            game_version: self.game_version,
            torn: self.torn,
        };
        Ok(Options {
            seed: self.seed,
            speed: self.speed,
            cars: self.cars.unwrap_or(if self.f1.is_empty() { 32 } else { 20 }),
            player_class: self.player_class.unwrap_or(classes[0]),
            classes,
            track: self.track,
            session: self.session,
            length,
            hold_in_garage: self.hold_in_garage,
            lmu: (!self.no_lmu).then_some(lmu),
            f1: (!self.f1.is_empty()).then_some(F1Options { to: self.f1, rate_hz: self.f1_rate }),
            control_port: self.control,
            log_file: self.log,
            script,
        })
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let game = match Arguments::parse().options() {
        Ok(options) => FakeGame::spawn(options).await.map_err(|error| error.to_string()),
        Err(error) => Err(error),
    };
    let game = match game {
        Ok(game) => game,
        Err(error) => {
            eprintln!("fake-game: {error}");
            return ExitCode::FAILURE;
        }
    };
    // One line a thing, for scripts that start with port 0.
    if let Some(path) = game.lmu_path() {
        println!("lmu {}", path.display());
    }
    if let Some(addr) = game.rest_addr() {
        println!("rest http://{addr}");
    }
    if let Some(addr) = game.control_addr() {
        println!("control http://{addr}");
    }
    tokio::select! {
        () = game.ended() => {}
        result = asked_to_stop() => {
            if let Err(error) = result {
                eprintln!("fake-game: cannot wait for a signal: {error}");
            }
        }
    }
    game.stop().await;
    ExitCode::SUCCESS
}

#[cfg(unix)]
async fn asked_to_stop() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

#[cfg(not(unix))]
async fn asked_to_stop() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}
