//! `onelap-agent record`: what the games give, into a file, until it is told to stop.

use crate::clock::Clock;
use crate::raw::Raw;
use crate::recording::Recorder;
use crate::run::rig::TICK;
use crate::run::sources::{self, Games, SourceError, Wanted};
use crate::source::lmu::thrift::Thrift;
use crate::source::queue::{RawQueue, RawSink, raw_queue};
use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use tokio_util::sync::CancellationToken;

/// What was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The file.
    pub path: PathBuf,
    /// Inputs in it, ticks not counted.
    pub inputs: u64,
    /// Inputs that were dropped because the disk was too slow.
    pub dropped: u64,
    /// Its length in bytes.
    pub bytes: u64,
    /// How long it was recorded, in milliseconds.
    pub lasted_ms: u64,
    /// Why a source could not be read.
    pub problem: Option<String>,
}

impl Summary {
    /// In words.
    #[must_use]
    pub fn line(&self) -> String {
        let Self { path, inputs, dropped, bytes, lasted_ms, problem } = self;
        let megabytes = *bytes as f64 / 1e6;
        let an_hour = megabytes * 3_600_000.0 / (*lasted_ms).max(1) as f64;
        let seconds = *lasted_ms as f64 / 1_000.0;
        let mut line = format!(
            "{}: {inputs} inputs in {seconds:.0} s, {megabytes:.1} MB ({an_hour:.0} MB an hour)",
            path.display()
        );
        if *dropped > 0 {
            line.push_str(&format!(", {dropped} inputs dropped"));
        }
        if let Some(problem) = problem {
            line.push_str(&format!("\n{problem}"));
        }
        line
    }
}

/// Why nothing was recorded, or not all.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// It would be written over something.
    #[error("it is there already: give another name")]
    Exists,
    /// The file cannot be written.
    #[error("the recording cannot be written: {0}")]
    Io(#[from] io::Error),
    /// A game cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
}

/// Starts to record what a rig takes of the games. The thread ends, and the file is whole, soon after `stop` is
/// cancelled.
///
/// # Errors
/// Where the file is there already or cannot be made, or a game cannot be read.
pub fn spawn(
    path: &Path,
    games: &Games,
    sample_hz: u32,
    wanted: Wanted,
    stop: &CancellationToken,
) -> Result<JoinHandle<Result<Summary, RecordError>>, RecordError> {
    let file = File::create_new(path).map_err(|e| match e.kind() {
        io::ErrorKind::AlreadyExists => RecordError::Exists,
        _ => e.into(),
    })?;
    let (sink, queue) = raw_queue(Clock::start());
    let rigs = [(wanted, sink)];
    sources::spawn(games, sample_hz, &rigs, stop)?;
    if let Some(problem) = queue.problem() {
        // Said now, and not only at the end of the drive.
        tracing::warn!("{problem}");
    }
    let [(_, sink)] = rigs;
    let ends = stop.clone();
    thread::spawn(move || tick(&sink, &ends));
    let path = path.to_owned();
    // The queue ends when every thread has dropped its sink.
    let thrift = Thrift::new(sample_hz);
    Ok(thread::spawn(move || write(path, file, queue, thrift)))
}

fn tick(sink: &RawSink, stop: &CancellationToken) {
    while !stop.is_cancelled() {
        sink.send(Raw::Tick);
        thread::sleep(TICK);
    }
}

fn write(path: PathBuf, file: File, mut queue: RawQueue, mut thrift: Thrift) -> Result<Summary, RecordError> {
    let mut recorder = Recorder::new(BufWriter::new(file))?;
    let (mut inputs, mut lasted_ms) = (0, 0);
    while let Some((at, raw)) = queue.blocking_recv() {
        match &raw {
            Raw::LmuImage(image) => match thrift.keep(image, at.mono_ms) {
                Some(kept) => recorder.write_image(at, kept)?,
                None => continue,
            },
            raw => recorder.write(at, raw)?,
        }
        inputs += u64::from(raw != Raw::Tick);
        lasted_ms = at.mono_ms;
    }
    let file = recorder.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()?;
    let (dropped, problem) = (queue.dropped(), queue.problem());
    Ok(Summary { path, inputs, dropped, bytes: file.metadata()?.len(), lasted_ms, problem })
}
