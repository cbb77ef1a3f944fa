//! `LMU_Data` by offsets: typed views over a copy of the mapping.
//!
//! Offsets are those of the game's 1.3 layout, packed to 4, little-endian; sizes have not changed since 1.2. Views decode
//! a field when it is asked for and allocate nothing, except for text that is not UTF-8. Values are as the game writes
//! them, wrong units included; `normalise` makes them right.
//!
//! Invariants: no bytes make a getter panic (an image of [`SIZE`] bytes or more is checked once, counts are clamped);
//! there is no `unsafe` and no struct of the game's here.
//!
//! Not here: how a consistent copy is made (`snapshot`), what values mean (`normalise`, `reader`).

mod scoring;
mod telemetry;

pub use scoring::{Scoring, Vehicle};
pub use telemetry::{Car, Wheel};

use std::borrow::Cow;
use std::ops::Range;

/// Bytes of the shared object that are read.
pub const SIZE: usize = 324_820;
/// The largest image that is taken: the mapping rounded up to the 64 KiB in which Windows hands out memory.
pub const LARGEST: usize = 327_680;
/// Slots for cars, in scoring and in telemetry.
pub const MAX_CARS: usize = 104;
/// The first game version that fills the fields added in 1.3.
pub const VERSION_1_3: i32 = 13_000;

pub(super) const GENERIC: Range<usize> = 0..332;
pub(super) const SCORING: Range<usize> = 1632..2180;
const STREAM_SIZE: usize = 2184;
pub(super) const VEHICLES: usize = 2192;
pub(super) const VEHICLE: usize = 584;
pub(super) const STREAM: usize = 62_928;
const STREAM_MAX: usize = 65_535;
pub(super) const TELEMETRY: usize = 128_464;
pub(super) const CARS: usize = 128_468;
pub(super) const CAR: usize = 1888;
pub(super) const WHEELS: usize = 848;
pub(super) const WHEEL: usize = 260;
/// The server's public address: not copied either.
pub(super) const SERVER_IP: Range<usize> = 1920..1924;

/// Why bytes are not an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// Shorter than the object.
    #[error(
        "{0} bytes are too few for an LMU_Data image: {SIZE} are needed (a torn or truncated copy, or another game's)"
    )]
    Short(usize),
    /// Longer than the mapping can be.
    #[error("{0} bytes are too many for an LMU_Data image: {SIZE} are known, {LARGEST} with the mapping's padding")]
    Long(usize),
}

/// One copy of the shared object.
#[derive(Debug, Clone, Copy)]
pub struct Image<'a> {
    bytes: &'a [u8],
}

impl<'a> Image<'a> {
    /// Looks at bytes as an image.
    ///
    /// # Errors
    /// [`ImageError`] where the size is not an image's.
    pub fn new(bytes: &'a [u8]) -> Result<Self, ImageError> {
        match bytes.len() {
            short if short < SIZE => Err(ImageError::Short(short)),
            long if long > LARGEST => Err(ImageError::Long(long)),
            _ => Ok(Self { bytes }),
        }
    }

    /// The game's version: 14200 is 1.4.2.
    #[must_use]
    pub fn game_version(&self) -> i32 {
        i32::read(self.bytes, 64)
    }

    /// Whether the fields that came with 1.3 are filled.
    #[must_use]
    pub fn has_1_3(&self) -> bool {
        self.game_version() >= VERSION_1_3
    }

    /// Where the game's own screens are: 0 main, 1 loading, 2 monitor, 3 on track.
    #[must_use]
    pub fn options_location(&self) -> u8 {
        u8::read(self.bytes, 96)
    }

    /// The session.
    #[must_use]
    pub fn scoring(&self) -> Scoring<'a> {
        Scoring(slice(self.bytes, SCORING.start, SCORING.len()))
    }

    /// Cars in scoring, clamped to the slots that there are.
    #[must_use]
    pub fn vehicle_count(&self) -> usize {
        usize::try_from(self.scoring().num_vehicles()).unwrap_or(0).min(MAX_CARS)
    }

    /// The cars in scoring.
    pub fn vehicles(&self) -> impl Iterator<Item = Vehicle<'a>> + use<'a> {
        let bytes = self.bytes;
        (0..self.vehicle_count()).map(move |i| Vehicle(slice(bytes, VEHICLES + i * VEHICLE, VEHICLE)))
    }

    /// Our car in scoring.
    #[must_use]
    pub fn player_vehicle(&self) -> Option<Vehicle<'a>> {
        self.vehicles().find(Vehicle::is_player)
    }

    /// Text lines about what happened, as the game keeps them; never cleared by it.
    #[must_use]
    pub fn stream(&self) -> &'a [u8] {
        let size = usize::try_from(u64::read(self.bytes, STREAM_SIZE)).unwrap_or(usize::MAX).min(STREAM_MAX);
        slice(self.bytes, STREAM, size)
    }

    /// Cars in telemetry, clamped to the slots that there are.
    #[must_use]
    pub fn car_count(&self) -> usize {
        usize::from(u8::read(self.bytes, TELEMETRY)).min(MAX_CARS)
    }

    /// Whether the player sits in a car.
    #[must_use]
    pub fn player_has_vehicle(&self) -> bool {
        bool::read(self.bytes, TELEMETRY + 2)
    }

    /// The car in this telemetry slot. Its order differs from scoring's: join by id.
    #[must_use]
    pub fn car(&self, slot: usize) -> Option<Car<'a>> {
        (slot < self.car_count()).then(|| Car(slice(self.bytes, CARS + slot * CAR, CAR)))
    }

    /// The cars in telemetry.
    pub fn cars(&self) -> impl Iterator<Item = Car<'a>> + use<'a> {
        let bytes = self.bytes;
        (0..self.car_count()).map(move |i| Car(slice(bytes, CARS + i * CAR, CAR)))
    }

    /// The telemetry of the car with this id; `hint` is a slot to look at first.
    #[must_use]
    pub fn car_of(&self, id: i32, hint: usize) -> Option<Car<'a>> {
        self.car(hint).filter(|car| car.id() == id).or_else(|| self.cars().find(|car| car.id() == id))
    }

    /// The telemetry of the player's car.
    #[must_use]
    pub fn player_car(&self) -> Option<Car<'a>> {
        let slot = usize::from(u8::read(self.bytes, TELEMETRY + 1));
        self.player_has_vehicle().then(|| self.car(slot)).flatten()
    }
}

/// A part of the image; empty where it is not there.
fn slice(bytes: &[u8], at: usize, len: usize) -> &[u8] {
    bytes.get(at..at + len).unwrap_or_default()
}

/// A value at an offset; 0 where there are no bytes.
pub trait Field<'a> {
    /// What it decodes to.
    type Value;
    /// Decodes it.
    fn read(bytes: &'a [u8], at: usize) -> Self::Value;
}

macro_rules! numbers {
    ($($number:ty)*) => {
        $(impl Field<'_> for $number {
            type Value = Self;
            fn read(bytes: &[u8], at: usize) -> Self {
                let found = bytes.get(at..).and_then(|rest| rest.first_chunk());
                found.map_or_else(Self::default, |chunk| Self::from_le_bytes(*chunk))
            }
        })*
    };
}
numbers!(u8 i8 u16 i16 u32 i32 u64 f32 f64);

impl Field<'_> for bool {
    type Value = Self;
    fn read(bytes: &[u8], at: usize) -> Self {
        u8::read(bytes, at) != 0
    }
}

impl<'a, T: Field<'a>, const N: usize> Field<'a> for [T; N] {
    type Value = [T::Value; N];
    fn read(bytes: &'a [u8], at: usize) -> Self::Value {
        std::array::from_fn(|i| T::read(bytes, at + i * size_of::<T>()))
    }
}

/// Text in a field of `N` bytes.
#[derive(Debug, Clone, Copy)]
pub struct Text<const N: usize>;

impl<'a, const N: usize> Field<'a> for Text<N> {
    type Value = Cow<'a, str>;
    fn read(bytes: &'a [u8], at: usize) -> Self::Value {
        text(bytes, at, N)
    }
}

/// Getters of a view: `name: type = offset;`, in the units of the game.
macro_rules! fields {
    ($view:ident $($(#[$doc:meta])* $name:ident: $kind:ty = $at:expr;)*) => {
        impl<'a> $view<'a> {
            $($(#[$doc])*
            #[must_use]
            pub fn $name(&self) -> <$kind as $crate::source::lmu::image::Field<'a>>::Value {
                <$kind as $crate::source::lmu::image::Field<'a>>::read(self.0, $at)
            })*
        }
    };
}
use fields;

/// NUL-terminated text of a fixed field. A character cut off at the end is dropped; bytes that are no UTF-8 are taken as
/// Latin-1, which is what old content was written in.
fn text(bytes: &[u8], at: usize, len: usize) -> Cow<'_, str> {
    let field = slice(bytes, at, len);
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    decode(&field[..end])
}

/// Text as the game writes it, trimmed.
pub(super) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text.trim()),
        Err(error) if error.error_len().is_none() => {
            let whole = bytes.get(..error.valid_up_to()).unwrap_or_default();
            Cow::Borrowed(std::str::from_utf8(whole).unwrap_or_default().trim())
        }
        Err(_) => Cow::Owned(bytes.iter().map(|byte| char::from(*byte)).collect::<String>().trim().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn offsets_of_parts_follow_from_their_sizes() {
        assert_eq!(VEHICLES + MAX_CARS * VEHICLE, STREAM);
        assert_eq!(STREAM + STREAM_MAX + 1, TELEMETRY);
        assert_eq!(CARS + MAX_CARS * CAR, SIZE);
        assert_eq!(WHEELS + 4 * WHEEL, CAR);
        assert_eq!(SERVER_IP.start, SCORING.start + 288);
    }

    #[test]
    fn wrong_sizes_are_refused_by_name() {
        assert_eq!(Image::new(&[0; SIZE - 1]).unwrap_err(), ImageError::Short(SIZE - 1));
        assert!(Image::new(&[]).unwrap_err().to_string().contains("324820"));
        assert!(Image::new(&[0; SIZE]).is_ok());
        assert!(Image::new(&vec![0; LARGEST]).is_ok());
        assert_eq!(Image::new(&vec![0; LARGEST + 1]).unwrap_err(), ImageError::Long(LARGEST + 1));
    }

    #[test]
    fn counts_are_clamped() {
        let mut bytes = vec![0u8; SIZE];
        bytes[SCORING.start + 104..][..4].copy_from_slice(&5000i32.to_le_bytes());
        bytes[STREAM_SIZE..][..8].copy_from_slice(&u64::MAX.to_le_bytes());
        bytes[TELEMETRY] = 255;
        let image = Image::new(&bytes).unwrap();
        assert_eq!((image.vehicles().count(), image.cars().count()), (MAX_CARS, MAX_CARS));
        assert_eq!(image.stream().len(), 65_535);
        bytes[SCORING.start + 104..][..4].copy_from_slice(&(-3i32).to_le_bytes());
        assert_eq!(Image::new(&bytes).unwrap().vehicle_count(), 0);
    }

    #[test]
    fn names_survive_being_cut_and_being_latin_1() {
        assert_eq!(decode("Pérez ".as_bytes()), "Pérez");
        let cut = &"Räikkönen".as_bytes()[..6];
        assert_eq!(decode(cut), "Räikk");
        assert_eq!(decode(&"Räikkö".as_bytes()[..7]), "Räikk");
        assert_eq!(decode(b"P\xe9rez"), "Pérez");
        assert_eq!(text(b"abc\0def", 0, 7), "abc");
        assert_eq!(text(b"abc", 2, 9), "");
    }

    proptest! {
        #[test]
        fn no_text_panics(bytes: Vec<u8>, at in 0usize..80, len in 0usize..80) {
            let _ = text(&bytes, at, len);
        }
    }
}
