//! The two threads that read the game: one its shared memory, one its REST API.
//!
//! Invariants: the game is only read; a thread ends soon after its token is cancelled; nothing here blocks on the agent.

use super::mapping;
use super::rest::{self, Client, NotLoopback};
use super::schedule::CarPlace;
use crate::source::Emit;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

pub use super::rest::RestOptions;

/// How the mapping is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappingOptions {
    /// A file on Linux, the mapping's name on Windows.
    pub location: String,
    /// Time between two looks.
    pub every: Duration,
}

impl Default for MappingOptions {
    fn default() -> Self {
        let location = if cfg!(windows) { "LMU_Data" } else { "/dev/shm/LMU_Data" };
        Self { location: location.into(), every: Duration::from_millis(20) }
    }
}

/// What reading the mapping has cost.
#[derive(Debug, Default)]
pub struct MappingStats {
    /// Copies that were passed on.
    pub images: AtomicU64,
    /// Torn copies that were made again.
    pub torn: AtomicU64,
    /// Looks that stayed torn and were skipped.
    pub skipped: AtomicU64,
}

/// Where the car is, told by the mapping's thread to the REST thread.
#[derive(Debug, Clone, Default)]
pub struct PlaceCell(Arc<AtomicU8>);

impl PlaceCell {
    /// Says where the car is.
    pub fn set(&self, place: CarPlace) {
        // A single value that guards nothing else.
        self.0.store(place as u8, Ordering::Relaxed);
    }

    /// Where the car is.
    #[must_use]
    pub fn get(&self) -> CarPlace {
        let places = [CarPlace::Unknown, CarPlace::Nowhere, CarPlace::Garage, CarPlace::Track];
        places.into_iter().find(|place| *place as u8 == self.0.load(Ordering::Relaxed)).unwrap_or_default()
    }
}

/// Starts the thread that reads the mapping.
///
/// # Errors
/// Where the system gives no thread.
pub fn spawn_mapping(
    options: MappingOptions,
    place: PlaceCell,
    stats: Arc<MappingStats>,
    stop: CancellationToken,
    mut emit: Emit,
) -> io::Result<JoinHandle<()>> {
    Builder::new().name("lmu-memory".into()).spawn(move || mapping::run(&options, &place, &stats, &stop, &mut emit))
}

/// Why the REST thread did not start.
#[derive(Debug, thiserror::Error)]
pub enum RestError {
    /// The options name another machine.
    #[error(transparent)]
    Host(#[from] NotLoopback),
    /// The system gives no thread.
    #[error("no thread for LMU's REST API: {0}")]
    Thread(#[from] io::Error),
}

/// Starts the thread that asks the REST API.
///
/// # Errors
/// [`RestError`] where the options are wrong or the system gives no thread.
pub fn spawn_rest(
    options: &RestOptions,
    place: PlaceCell,
    stop: CancellationToken,
    mut emit: Emit,
) -> Result<JoinHandle<()>, RestError> {
    let client = Client::new(options)?;
    Ok(Builder::new().name("lmu-rest".into()).spawn(move || rest::run(&client, &place, &stop, &mut emit))?)
}

/// Sleeps, at most until cancelled.
pub(super) fn sleep(stop: &CancellationToken, time: Duration) {
    const SLICE: Duration = Duration::from_millis(50);
    let until = Instant::now() + time;
    while !stop.is_cancelled() {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        std::thread::sleep(left.min(SLICE));
    }
}
