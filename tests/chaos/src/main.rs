//! `chaos`: kills, stops and lying links between game, agent, service, Postgres, Redis and viewer, and then the question
//! whether anything was lost.
//!
//! ```text
//!   fake game ── agent ══ link that lies ══ service ══ link that lies ══ Postgres
//!       │ log      │        │ tap: what was sent, what was acknowledged      │ rows
//!       │          └ spool  │              └───────── viewer                 │
//!       └───────────────────┴──────────── checker ──────┴────────────────────┘
//! ```
//!
//! All parts are the real ones, each a process of its own. `make chaos` builds them and calls this program; how to read
//! its output is in CONTRIBUTING.md.

use chaos::rig::Places;
use chaos::run::{Plan, Run};
use chaos::servers::{Kind, Server};
use clap::Parser;
use rustix::process::Signal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// Hits every part of the product for a while and checks that nothing was lost.
#[derive(Debug, Parser)]
struct Args {
    /// How long faults go on; starting, draining and judging come on top.
    #[arg(long, env = "CHAOS_SECONDS", default_value_t = 600)]
    seconds: u64,
    /// Which plan; a run is the same again as far as timing allows [default: from the clock].
    #[arg(long, env = "CHAOS_SEED")]
    seed: Option<u64>,
    /// Rigs: 1 to 4.
    #[arg(long, default_value_t = 4)]
    rigs: usize,
    /// Hit only what begins with this, such as service or link (several times).
    #[arg(long)]
    only: Vec<String>,
    /// Nothing goes wrong.
    #[arg(long)]
    no_faults: bool,
    /// Folder of the executables.
    #[arg(long)]
    bin: PathBuf,
    /// Folder for logs and spools.
    #[arg(long)]
    folder: PathBuf,
    /// Folder for the games' memory.
    #[arg(long)]
    memory: PathBuf,
    /// The checkout.
    #[arg(long)]
    root: PathBuf,
    /// Name of the private servers.
    #[arg(long)]
    name: String,
}

/// One thread: children die with the thread that started them, and their order is a plain one.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let args = Args::parse();
    let seed = args.seed.unwrap_or_else(|| chaos::clock::now_ms() % 100_000);
    let plan = Plan {
        places: Places { bin: args.bin, folder: args.folder, memory: args.memory },
        root: args.root,
        name: args.name,
        seed,
        length: Duration::from_secs(args.seconds),
        rigs: args.rigs,
        only: args.only,
        no_faults: args.no_faults,
    };
    println!("chaos for {} s with CHAOS_SEED={seed}", args.seconds);
    match tokio::task::LocalSet::new().run_until(whole(&plan)).await {
        Ok(true) => {
            println!("\nnothing was lost");
            ExitCode::SUCCESS
        }
        Ok(false) => {
            println!("\nFAILED with CHAOS_SEED={seed}");
            ExitCode::FAILURE
        }
        Err(why) => {
            eprintln!("chaos: {why}");
            ExitCode::from(2)
        }
    }
}

async fn whole(plan: &Plan) -> Result<bool, String> {
    let told = |kind| signal(kind).map_err(|e| e.to_string());
    let (mut interrupt, mut terminate) = (told(SignalKind::interrupt())?, told(SignalKind::terminate())?);
    let stopped = async {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        Err("it was told to stop".to_owned())
    };
    let working = async {
        let run = Run::start(plan).await?;
        let result = run.go(plan).await;
        run.end().await;
        result
    };
    // What still runs when this is dropped is killed with its handle.
    let result = tokio::select! {
        result = working => result,
        result = stopped => result,
    };
    // A server that stands still could not be ended.
    for kind in [Kind::Postgres, Kind::Redis] {
        Server::new(kind, &plan.name, &plan.root).signal(Signal::CONT);
    }
    result
}
