//! Reads `LMU_Data` at its own pace, finds it when it comes and notices when it goes.
//!
//! Where the game has written nothing since the last look, nothing is passed on, except twice a second so that a reader
//! notices the silence. A mapping that stays silent is opened again: another one may have taken its name, and on Windows
//! our own handle would keep a dead game's alive.

use super::acquire::{MappingOptions, MappingStats, PlaceCell, sleep};
use super::image::{Image, SIZE};
use super::schedule::CarPlace;
use super::snapshot::{self, Snapshot, Witness};
use crate::raw::Raw;
use crate::source::Emit;
use std::io;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

#[cfg_attr(windows, path = "os_windows.rs")]
#[cfg_attr(not(windows), path = "os_unix.rs")]
mod os;

use os::Mapping;

/// Time between two looks for a mapping that is not there.
const ABSENT_EVERY: Duration = Duration::from_secs(1);
/// Time between two copies of a silent game.
const SILENT_EVERY: Duration = Duration::from_millis(500);
/// Silence after which the mapping is opened again.
const REOPEN_AFTER: Duration = Duration::from_secs(2);

/// What is at the mapping's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// Nothing: the game does not run, or its plugins are switched off.
    Absent,
    /// Something that cannot be read, and why.
    Unusable(String),
    /// A game.
    Found {
        /// Its version: 14200 is 1.4.2.
        game_version: i32,
        /// Cars in the session; 0 at the menu.
        cars: usize,
        /// The track; empty at the menu.
        track: String,
    },
}

/// Looks once, for `onelap-agent check`.
#[must_use]
pub fn probe(options: &MappingOptions) -> Probe {
    match Mapping::open(&options.location).and_then(|mapping| snapshot::take(&mapping)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Probe::Absent,
        Err(error) => Probe::Unusable(error.to_string()),
        Ok(Snapshot::Torn) => Probe::Unusable("the game writes faster than it can be copied".into()),
        Ok(Snapshot::Whole { image, .. }) => match Image::new(&image) {
            Err(error) => Probe::Unusable(error.to_string()),
            Ok(image) => Probe::Found {
                game_version: image.game_version(),
                cars: image.vehicle_count(),
                track: image.scoring().track_name().into_owned(),
            },
        },
    }
}

/// Reads until cancelled.
pub(super) fn run(
    options: &MappingOptions,
    place: &PlaceCell,
    stats: &MappingStats,
    stop: &CancellationToken,
    emit: &mut Emit,
) {
    let mut complaint = Complaint::default();
    while !stop.is_cancelled() {
        let ended = Mapping::open(&options.location).and_then(|mapping| {
            complaint.clear(&options.location);
            follow(&mapping, options, place, stats, stop, emit)
        });
        if let Err(error) = ended {
            complaint.say(&options.location, &error);
            place.set(CarPlace::Unknown);
            emit(Raw::LmuGone);
            sleep(stop, ABSENT_EVERY);
        }
    }
}

/// Reads one mapping until it fails or has been silent for so long that it should be opened again.
fn follow(
    mapping: &Mapping,
    options: &MappingOptions,
    place: &PlaceCell,
    stats: &MappingStats,
    stop: &CancellationToken,
    emit: &mut Emit,
) -> io::Result<()> {
    let mut last: Option<Witness> = None;
    let (mut moved, mut passed_on) = (Instant::now(), None::<Instant>);
    while !stop.is_cancelled() {
        let looked = Instant::now();
        match snapshot::take(mapping)? {
            Snapshot::Torn => {
                stats.torn.fetch_add(snapshot::ATTEMPTS.into(), Ordering::Relaxed);
                stats.skipped.fetch_add(1, Ordering::Relaxed);
            }
            Snapshot::Whole { image, witness, torn } => {
                stats.torn.fetch_add(torn.into(), Ordering::Relaxed);
                if last != Some(witness) {
                    (last, moved) = (Some(witness), looked);
                }
                let is_due = passed_on.is_none_or(|at| looked.duration_since(at) >= SILENT_EVERY);
                if moved == looked || is_due {
                    passed_on = Some(looked);
                    stats.images.fetch_add(1, Ordering::Relaxed);
                    place.set(Image::new(&image).map_or(CarPlace::Unknown, |image| car_place(&image)));
                    emit(Raw::LmuImage(image));
                }
            }
        }
        if looked.duration_since(moved) >= REOPEN_AFTER {
            return Ok(());
        }
        sleep(stop, options.every.saturating_sub(looked.elapsed()));
    }
    Ok(())
}

/// Where our car is, as far as the REST poller must know.
fn car_place(image: &Image<'_>) -> CarPlace {
    if image.vehicle_count() == 0 {
        return CarPlace::Nowhere;
    }
    let in_stall = image.player_vehicle().is_some_and(|vehicle| vehicle.in_garage_stall());
    if image.scoring().in_realtime() && !in_stall { CarPlace::Track } else { CarPlace::Garage }
}

/// Says once what is wrong with a mapping, not every second.
#[derive(Default)]
struct Complaint {
    last: Option<String>,
}

impl Complaint {
    fn say(&mut self, location: &str, error: &io::Error) {
        let text = error.to_string();
        if self.last.as_ref() != Some(&text) {
            if error.kind() == io::ErrorKind::NotFound {
                tracing::info!(location, "waiting for Le Mans Ultimate");
            } else {
                tracing::warn!(location, error = text, "LMU's shared memory cannot be read");
            }
            self.last = Some(text);
        }
    }

    fn clear(&mut self, location: &str) {
        if self.last.take().is_some() {
            tracing::info!(location, "LMU's shared memory found");
        }
    }
}

/// A mapping that is too short, named.
fn too_short(location: &str, bytes: u64) -> io::Error {
    let text = format!("{location} has {bytes} bytes, LMU's shared memory has {SIZE}");
    io::Error::new(io::ErrorKind::InvalidData, text)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::source::lmu::testing::Picture;

    fn at(path: &std::path::Path) -> MappingOptions {
        MappingOptions { location: path.display().to_string(), ..MappingOptions::default() }
    }

    #[test]
    fn a_probe_tells_absent_from_unusable_from_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("LMU_Data");
        assert_eq!(probe(&at(&path)), Probe::Absent);
        std::fs::write(&path, [0; 4096]).unwrap();
        assert!(matches!(probe(&at(&path)), Probe::Unusable(why) if why.contains("4096 bytes")));
        assert!(matches!(probe(&at(folder.path())), Probe::Unusable(why) if why.contains("not a file")));
        std::fs::write(&path, Picture::race().bytes()).unwrap();
        let found = Probe::Found { game_version: 14_200, cars: 3, track: "Circuit de Spa-Francorchamps".into() };
        assert_eq!(probe(&at(&path)), found);
    }

    #[test]
    fn the_place_of_our_car_is_told_to_the_poller() {
        let place = |picture: &Picture| car_place(&Image::new(picture.bytes()).unwrap());
        assert_eq!(place(&Picture::race()), CarPlace::Track);
        assert_eq!(place(&Picture::race().set(|p| p.scoring_u8(115, 0))), CarPlace::Garage);
        assert_eq!(place(&Picture::race().set(|p| p.vehicle_u8(Picture::OWN, 507, 1))), CarPlace::Garage);
        assert_eq!(place(&Picture::race().set(|p| p.vehicles(0))), CarPlace::Nowhere);
    }
}
