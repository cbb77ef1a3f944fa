//! The agent's spool on disk: items a second into it and out of it, against a bare loop of writes of the same bytes.

use crate::feed::SAMPLE_MS;
use onelap_agent::spool::Spool;
use onelap_agent::spool::segment::RECORD_HEAD;
use onelap_protocol::batch::OPCODE_SAMPLES;
use onelap_protocol::{Batch, Sample, SessionId};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Samples in a batch: 100 ms.
const BATCH: usize = 2;
/// Batches that are written: some hours of driving.
const BATCHES: usize = 200_000;
/// More than is written.
const CAP_BYTES: u64 = 4 << 30;
/// In memory; the spool keeps less of what is on disk.
const MEMORY_BYTES: usize = 64 << 20;

/// A folder that goes with the benchmark.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        let path = std::env::temp_dir().join(format!("onelap-load-spool-{}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder for temporary files");
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left is in the folder for temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}

struct Figure {
    what: &'static str,
    items: usize,
    bytes: usize,
    seconds: f64,
}

impl Figure {
    fn new(what: &'static str, items: usize, bytes: usize, began: Instant) -> Self {
        Self { what, items, bytes, seconds: began.elapsed().as_secs_f64() }
    }

    fn say(&self) {
        let Self { what, items, bytes, seconds } = self;
        let (rate, megabytes) = (*items as f64 / seconds, *bytes as f64 / 1e6 / seconds);
        println!("{what}: {rate:.0} items/s, {megabytes:.0} MB/s, {:.2} µs each", 1e6 / rate);
    }
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

fn open(folder: &Path) -> Spool {
    Spool::open(folder, CAP_BYTES, MEMORY_BYTES, now_ms()).expect("the folder can be written")
}

pub(crate) fn run(samples: &[Sample]) {
    let session = SessionId::new();
    let frames: Vec<Vec<u8>> = samples
        .chunks_exact(BATCH)
        .map(|samples| {
            let mut batch = Batch::with_capacity(BATCH);
            samples.iter().for_each(|sample| batch.push(sample));
            let mut frame = Vec::new();
            batch.encode(OPCODE_SAMPLES, session, now_ms(), 100_000, &mut frame);
            frame
        })
        .collect();
    let rounds = || frames.iter().cycle().take(BATCHES);
    let bytes: usize = rounds().map(|frame| frame.len() + RECORD_HEAD).sum();
    let scratch = Scratch::new();

    // The same bytes with nothing around them, and brought to the medium at its end only.
    let mut bare = File::create(scratch.0.join("bare")).expect("a file");
    let record = vec![0xA5; frames.iter().map(Vec::len).max().unwrap_or(0) + RECORD_HEAD];
    let began = Instant::now();
    for frame in rounds() {
        bare.write_all(&record[..frame.len() + RECORD_HEAD]).expect("room on the disk");
    }
    let baseline = Figure::new("bare write", BATCHES, bytes, began);
    bare.sync_all().expect("the disk takes it");
    drop(bare);
    baseline.say();

    let folder = scratch.0.join("spool");
    let mut spool = open(&folder);
    let began = Instant::now();
    for (n, frame) in rounds().enumerate() {
        spool.push_batch(session, |_| frame.clone().into()).expect("room in the spool");
        if n % 1_000 == 0 {
            spool.maintain(began.elapsed().as_millis() as u64);
        }
    }
    let kept = Figure::new("kept", BATCHES, bytes, began);
    kept.say();
    println!("  {:.2}x the bare write, with CRC, index, memory and an fsync a second", kept.seconds / baseline.seconds);
    spool.close();
    drop(spool);

    let began = Instant::now();
    let mut spool = open(&folder);
    Figure::new("found after a restart", BATCHES, bytes, began).say();
    let (mut serial, mut items) = (0, 0);
    let began = Instant::now();
    while let Some(item) = spool.at(serial) {
        serial = item.serial + 1;
        items += 1;
    }
    Figure::new("read back", items, bytes, began).say();
    assert_eq!((items, spool.losses().items()), (BATCHES, 0), "nothing is missing");
    let hour = 3_600_000 / (SAMPLE_MS * BATCH as u64);
    println!(
        "an hour at {} Hz: {:.1} MB on disk",
        1_000 / SAMPLE_MS,
        bytes as f64 / BATCHES as f64 * hour as f64 / 1e6
    );
}
