//! A consistent copy of `LMU_Data`, which another process keeps writing.
//!
//! The object has no version counter, and its lock is machine-wide: a reader that dies with it stalls all others. So
//! nothing is locked. Values that change with every update, near the beginning and the end of what an update writes (the
//! witness), are read before and after copying; where they differ the copy is torn and is made again. What stays torn is
//! not passed on.
//!
//! Only the parts in use are copied; the rest of an image is 0. The game's folders (they hold the Windows user's name) and
//! the server's address are never copied.

use super::image::{
    CAR, CARS, GENERIC, Image, MAX_CARS, SCORING, SERVER_IP, SIZE, STREAM, TELEMETRY, VEHICLE, VEHICLES,
};
use std::io;

/// Copies made of one state at most: the first and five more.
pub const ATTEMPTS: u32 = 6;

/// Memory of the game.
pub trait Memory {
    /// Copies from an offset; short memory is an error.
    ///
    /// # Errors
    /// Where the bytes are not there (any more).
    fn copy(&self, at: usize, out: &mut [u8]) -> io::Result<()>;
}

/// What changes with every update, bit by bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Witness {
    current_et: [u8; 8],
    vehicles: [u8; 4],
    last_vehicle_lap_dist: [u8; 8],
    telemetry: [u8; 3],
    player_elapsed: [u8; 8],
    last_car_elapsed: [u8; 8],
}

impl Witness {
    fn read(memory: &impl Memory) -> io::Result<Self> {
        let mut witness = Self::default();
        memory.copy(SCORING.start + 68, &mut witness.current_et)?;
        memory.copy(SCORING.start + 104, &mut witness.vehicles)?;
        memory.copy(TELEMETRY, &mut witness.telemetry)?;
        let vehicles = clamp(i32::from_le_bytes(witness.vehicles));
        if let Some(last) = vehicles.checked_sub(1) {
            memory.copy(VEHICLES + last * VEHICLE + 104, &mut witness.last_vehicle_lap_dist)?;
        }
        let [cars, player, _] = witness.telemetry.map(usize::from);
        if let Some(last) = cars.min(MAX_CARS).checked_sub(1) {
            memory.copy(CARS + player.min(last) * CAR + 12, &mut witness.player_elapsed)?;
            memory.copy(CARS + last * CAR + 12, &mut witness.last_car_elapsed)?;
        }
        Ok(witness)
    }
}

fn clamp(count: i32) -> usize {
    usize::try_from(count).unwrap_or(0).min(MAX_CARS)
}

/// What came of copying.
#[derive(Debug, Clone, PartialEq)]
pub enum Snapshot {
    /// A consistent image.
    Whole {
        /// [`SIZE`] bytes.
        image: Vec<u8>,
        /// What it was checked by: equal witnesses mean that the game has written nothing since.
        witness: Witness,
        /// Torn copies before it.
        torn: u32,
    },
    /// Every copy was torn.
    Torn,
}

/// Copies the game's state.
///
/// # Errors
/// Where the memory is not there (any more) or too short.
pub fn take(memory: &impl Memory) -> io::Result<Snapshot> {
    let mut image = vec![0; SIZE];
    for torn in 0..ATTEMPTS {
        let before = Witness::read(memory)?;
        copy(memory, &mut image)?;
        let witness = Witness::read(memory)?;
        if before == witness && agrees(&image, &witness) {
            return Ok(Snapshot::Whole { image, witness, torn });
        }
        image.fill(0);
    }
    Ok(Snapshot::Torn)
}

/// Whether the copy has the counts that the witness saw: they say how much was copied.
fn agrees(image: &[u8], witness: &Witness) -> bool {
    let vehicles = SCORING.start + 104;
    image.get(vehicles..vehicles + 4) == Some(&witness.vehicles)
        && image.get(TELEMETRY..TELEMETRY + 3) == Some(&witness.telemetry)
}

fn copy(memory: &impl Memory, image: &mut [u8]) -> io::Result<()> {
    let mut part = |from: usize, to: usize| match image.get_mut(from..to) {
        Some(out) => memory.copy(from, out),
        None => Ok(()),
    };
    part(GENERIC.start, GENERIC.end)?;
    part(SCORING.start, VEHICLES)?;
    part(TELEMETRY, CARS)?;
    let (vehicles, stream, cars) = match Image::new(image) {
        Ok(image) => (image.vehicle_count(), image.stream().len(), image.car_count()),
        Err(_) => (0, 0, 0),
    };
    let mut part = |from: usize, to: usize| match image.get_mut(from..to) {
        Some(out) => memory.copy(from, out),
        None => Ok(()),
    };
    part(VEHICLES, VEHICLES + vehicles * VEHICLE)?;
    part(STREAM, STREAM + stream)?;
    part(CARS, CARS + cars * CAR)?;
    if let Some(address) = image.get_mut(SERVER_IP) {
        address.fill(0);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::{Cell, RefCell};

    /// Memory that a writer changes in the middle of copies, for so many of them.
    struct Torn {
        bytes: RefCell<Vec<u8>>,
        changes_left: Cell<u32>,
    }

    impl Torn {
        fn new(changes: u32) -> Self {
            let mut bytes = vec![0u8; SIZE];
            bytes[SCORING.start + 104..][..4].copy_from_slice(&3i32.to_le_bytes());
            bytes[TELEMETRY..][..3].copy_from_slice(&[2, 1, 1]);
            bytes[332..340].copy_from_slice(b"C:\\Users");
            bytes[SERVER_IP].copy_from_slice(&[1, 2, 3, 4]);
            Self { bytes: RefCell::new(bytes), changes_left: Cell::new(changes) }
        }
    }

    impl Memory for Torn {
        fn copy(&self, at: usize, out: &mut [u8]) -> io::Result<()> {
            let mut bytes = self.bytes.borrow_mut();
            let found = bytes.get(at..at + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
            out.copy_from_slice(found);
            if at == CARS && self.changes_left.get() > 0 {
                self.changes_left.set(self.changes_left.get() - 1);
                // The last car's elapsed time: the end of an update.
                bytes[CARS + CAR + 12] = bytes[CARS + CAR + 12].wrapping_add(1);
            }
            Ok(())
        }
    }

    #[test]
    fn a_torn_copy_is_made_again() {
        let Snapshot::Whole { image, torn, .. } = take(&Torn::new(2)).unwrap() else { panic!("torn") };
        assert_eq!(torn, 2);
        assert_eq!(image[CARS + CAR + 12], 2);
        assert_eq!((Image::new(&image).unwrap().vehicle_count(), Image::new(&image).unwrap().car_count()), (3, 2));
    }

    #[test]
    fn what_stays_torn_is_not_passed_on() {
        assert_eq!(take(&Torn::new(99)).unwrap(), Snapshot::Torn);
        assert!(matches!(take(&Torn::new(ATTEMPTS - 1)).unwrap(), Snapshot::Whole { torn: 5, .. }));
    }

    #[test]
    fn folders_and_addresses_are_not_copied() {
        let Snapshot::Whole { image, .. } = take(&Torn::new(0)).unwrap() else { panic!("torn") };
        assert!(image[332..1632].iter().all(|byte| *byte == 0));
        assert_eq!(image[SERVER_IP], [0; 4]);
    }

    #[test]
    fn an_unchanged_game_has_an_equal_witness() {
        let memory = Torn::new(0);
        let witness = |memory: &Torn| match take(memory).unwrap() {
            Snapshot::Whole { witness, .. } => witness,
            Snapshot::Torn => panic!("torn"),
        };
        assert_eq!(witness(&memory), witness(&memory));
        let before = witness(&memory);
        memory.bytes.borrow_mut()[SCORING.start + 70] = 9;
        assert_ne!(before, witness(&memory));
    }

    #[test]
    fn short_memory_is_an_error() {
        let memory = Torn::new(0);
        memory.bytes.borrow_mut().truncate(1000);
        assert_eq!(take(&memory).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
