//! Benchmarks that print figures. Each states its baseline and measures it in the same run.
//!
//! `load codec` and `load spool` need nothing. `load viewers`, `load ingest`, `load offline` and `load standard` start the
//! release build of the service on a database of its own (they need `ONELAP_TEST_DATABASE_URL`), and the servers beside
//! it. All drive the fake game through the agent's reader first, so that the samples are what a rig would send.
//! `make bench` runs all of it.
//!
//! A run is an open loop: `plan` says when a frame is due, `rigs` sends it then, `crowd` holds the viewers, and what is
//! measured is the time since the frame was due.

#![expect(clippy::expect_used, clippy::panic, reason = "what goes wrong here ends the benchmark, with the reason")]

mod codec;
mod crowd;
mod dialect;
mod feed;
mod field;
mod ingest;
mod offline;
mod plan;
mod process;
mod report;
mod rigs;
mod run;
mod servers;
mod spool;
mod standard;
mod tally;
mod target;
mod viewer;
mod ws;

use clap::{Parser, Subcommand};
use rigs::Feed;
use servers::Server;
use std::path::PathBuf;
use std::time::Duration;
use target::{Kind, Programs, Target};

#[derive(Parser)]
#[command(about = "Benchmarks of 1Lap: prints figures")]
struct Cli {
    /// Seconds of driving that the samples are taken from.
    #[arg(long, global = true, default_value_t = 60)]
    feed_seconds: u64,
    #[command(flatten)]
    programs: Programs,
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Subcommand)]
enum Bench {
    /// Batches and the field on the wire and chunks in storage: bytes and time, against JSON.
    Codec,
    /// The agent's spool: items a second onto the disk and back, against a bare loop of writes.
    Spool,
    /// Rigs at 20 Hz against the service and Postgres: kept up or not, CPU, bytes stored.
    Ingest {
        /// Rigs that send at the same time.
        #[arg(long, default_value_t = 100)]
        rigs: usize,
        /// Seconds of load.
        #[arg(long, default_value_t = 30.0)]
        seconds: f64,
        /// Instances of the service over one Redis.
        #[arg(long, default_value_t = 1)]
        instances: usize,
    },
    /// An agent that comes back after an hour without the service: its spool, how soon it is live, how long it catches up,
    /// and what that costs.
    Offline(offline::Options),
    /// Rigs and viewers against one kind of server: delivered, lost, latency, CPU per frame, memory.
    Viewers {
        #[command(flatten)]
        spec: run::Spec,
        /// What to measure.
        #[arg(long, value_enum, default_value = "service")]
        against: Kind,
        /// Instances of the service over one Redis.
        #[arg(long, default_value_t = 1)]
        instances: usize,
        /// Runs on the same processes.
        #[arg(long, default_value_t = 1)]
        runs: usize,
        /// Everything as JSON into this file.
        #[arg(long)]
        json: Option<PathBuf>,
    },
    /// The standard set with everything beside it.
    Standard(standard::Options),
    /// Only a server to stand beside the service; other commands start it by themselves.
    Serve {
        /// Which.
        server: Server,
    },
}

#[tokio::main]
async fn main() {
    let cli = Cli::parse();
    process::raise_file_limit();
    if let Bench::Serve { server } = cli.bench {
        // It brings its own runtime.
        std::thread::spawn(move || servers::run(server)).join().expect("it serves until it is killed");
        return;
    }
    if let Bench::Offline(options) = &cli.bench {
        return offline::run(options, &cli.programs).await;
    }
    let samples = feed::samples(Duration::from_secs(cli.feed_seconds)).await;
    println!("{}", feed::describe(&samples));
    let feed = Feed { samples: samples.as_slice().into(), per_frame: 1, acks_within: None };
    match cli.bench {
        Bench::Codec => {
            codec::run(&samples);
            field::run(Duration::from_secs(cli.feed_seconds)).await;
        }
        Bench::Spool => spool::run(&samples),
        Bench::Ingest { rigs, seconds, instances } => {
            ingest::print(&ingest::run(&feed, rigs, seconds, &cli.programs, instances).await);
        }
        Bench::Viewers { spec, against, instances, runs, json } => {
            let target = Target::start(against, &cli.programs, instances, spec.rigs).await;
            let mut reports = Vec::new();
            for _ in 0..runs {
                let report = tokio::task::block_in_place(|| run::run(&target, &spec, &feed));
                report::print(&report);
                reports.push(report);
            }
            if let Some(path) = json {
                let text = serde_json::to_string_pretty(&reports).expect("reports serialise");
                std::fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            }
        }
        Bench::Standard(options) => standard::run(&options, &cli.programs, &feed).await,
        Bench::Offline(_) | Bench::Serve { .. } => {}
    }
}
