//! Benchmarks that print figures. Each states its baseline and measures it in the same run.
//!
//! `load codec` and `load spool` need nothing; `load ingest` starts the release build of the service on a database of its
//! own (it needs `ONELAP_TEST_DATABASE_URL`). All drive the fake game through the agent's reader first, so that the
//! samples are what a rig would send. `make bench` runs all of it.

#![expect(clippy::expect_used, reason = "what goes wrong here ends the benchmark, with the reason")]

mod codec;
mod feed;
mod field;
mod ingest;
mod spool;

use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::time::Duration;

#[derive(Parser)]
#[command(about = "Benchmarks of 1Lap: prints figures")]
struct Cli {
    /// Seconds of driving that the samples are taken from.
    #[arg(long, global = true, default_value_t = 60)]
    feed_seconds: u64,
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Subcommand)]
enum Bench {
    /// Batches and the field on the wire and chunks in storage: bytes and time, against JSON.
    Codec,
    /// The agent's spool: items a second onto the disk and back, against a bare loop of writes.
    Spool,
    /// Rigs at 20 Hz against the service and Postgres: frames a second of service CPU, bytes stored.
    Ingest {
        /// Rigs that send at the same time.
        #[arg(long, default_value_t = 100)]
        rigs: usize,
        /// Seconds of load.
        #[arg(long, default_value_t = 30)]
        seconds: u64,
        /// The service's program.
        #[arg(long, default_value = "target/release/onelap-service")]
        service: PathBuf,
    },
}

#[tokio::main]
async fn main() {
    let cli = Cli::parse();
    let samples = feed::samples(Duration::from_secs(cli.feed_seconds)).await;
    println!("{}", feed::describe(&samples));
    match cli.bench {
        Bench::Codec => {
            codec::run(&samples);
            field::run(Duration::from_secs(cli.feed_seconds)).await;
        }
        Bench::Spool => spool::run(&samples),
        Bench::Ingest { rigs, seconds, service } => ingest::run(&samples, rigs, seconds, &service).await,
    }
}
