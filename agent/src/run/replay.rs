//! Plays a recording back, at its own pace or faster.

use crate::recording::{Recording, RecordingError};
use crate::source::queue::RawSink;
use std::fs::File;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// How long the playing thread sleeps at most before it looks whether it should end.
const NAP: Duration = Duration::from_millis(50);

/// Why a recording was not played to its end, in words; set, if at all, before the sink is dropped.
pub type Shortfall = Arc<OnceLock<String>>;

/// Opens a recording and plays it into the sink, in a thread of its own. The sink is dropped at its end.
///
/// # Errors
/// Where the file is not there or not a recording. What is damaged further on ends the playing and is told by `short`.
pub fn spawn(
    path: &Path,
    speed: f64,
    sink: RawSink,
    short: Shortfall,
    stop: CancellationToken,
) -> Result<JoinHandle<()>, RecordingError> {
    let recording = Recording::open(File::open(path)?)?;
    Ok(std::thread::spawn(move || {
        if let Some(why) = play(recording, speed, &sink, &stop) {
            // Nobody else sets it.
            let _ = short.set(why);
        }
    }))
}

/// Returns why not all of it was played, where that is the recording's fault.
fn play(mut recording: Recording<File>, speed: f64, sink: &RawSink, stop: &CancellationToken) -> Option<String> {
    let began = Instant::now();
    let mut first_ms = None;
    loop {
        match recording.next_input() {
            Ok(Some((at, raw))) => {
                let since_ms = at.mono_ms.saturating_sub(*first_ms.get_or_insert(at.mono_ms));
                let due = Duration::try_from_secs_f64(since_ms as f64 / 1_000.0 / speed).unwrap_or(Duration::MAX);
                if !sleep_until(began, due, stop) || !sink.send_stamped(at, raw) {
                    return None;
                }
            }
            Ok(None) => return recording.is_cut_off().then(|| "its end is missing".to_owned()),
            Err(error) => return Some(error.to_string()),
        }
    }
}

/// Returns `false` where it was stopped.
fn sleep_until(began: Instant, due: Duration, stop: &CancellationToken) -> bool {
    loop {
        if stop.is_cancelled() {
            return false;
        }
        let left = due.saturating_sub(began.elapsed());
        if left.is_zero() {
            return true;
        }
        std::thread::sleep(left.min(NAP));
    }
}
