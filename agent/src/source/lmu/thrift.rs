//! What of the images a recording keeps: enough for the same samples, standings and laps, in a thirtieth of the bytes.
//!
//! Our own car is kept to the bit. Of the others, scoring keeps places, laps and times, to the bit, and distances, gaps
//! and positions to about a millionth; how they turn and accelerate is left out. Their telemetry is refreshed every five
//! seconds, and at once where another car took a slot: nothing in it that anybody is shown changes faster.

use super::image::{CAR, CARS, Image, MAX_CARS, SIZE, TELEMETRY, VEHICLE, VEHICLES};
use std::ops::Range;

/// How often the telemetry of other cars is refreshed.
const OTHERS_EVERY_MS: u64 = 5_000;
/// Of another car in scoring: numbers of eight bytes that keep their upper four: distance, gaps, place, time into the lap.
const ROUNDED: [usize; 7] = [104, 232, 244, 264, 272, 280, 464];
/// Of another car in scoring: what is left out: lateral place, velocities, accelerations, orientation.
const LEFT_OUT: [Range<usize>; 2] = [112..128, 288..456];

/// Keeps images at a rate; see the module.
#[derive(Debug)]
pub struct Thrift {
    every_ms: u64,
    /// When the next image is to be kept.
    next_ms: u64,
    /// When other cars' telemetry is to be refreshed.
    others_ms: u64,
    kept: Vec<u8>,
}

impl Thrift {
    /// For so many images a second.
    #[must_use]
    pub fn new(images_a_second: u32) -> Self {
        Self { every_ms: u64::from(1_000 / images_a_second.max(1)), next_ms: 0, others_ms: 0, kept: Vec::new() }
    }

    /// The image as it is to be kept, or `None` where the one before is too fresh.
    pub fn keep(&mut self, image: &[u8], now_ms: u64) -> Option<&[u8]> {
        if now_ms + self.every_ms / 4 < self.next_ms {
            return None;
        }
        self.next_ms = (self.next_ms + self.every_ms).max(now_ms + self.every_ms / 2);
        if image.len() < SIZE || Image::new(image).is_err() {
            return Some(self.whole(image));
        }
        let before = std::mem::replace(&mut self.kept, image.to_vec());
        if before.len() == image.len() && now_ms < self.others_ms && same_cars(&before, image) {
            self.carry_others(&before);
        } else {
            self.others_ms = now_ms + OTHERS_EVERY_MS;
        }
        self.thin_scoring(image);
        Some(&self.kept)
    }

    fn whole(&mut self, image: &[u8]) -> &[u8] {
        self.kept.clear();
        self.kept.extend_from_slice(image);
        &self.kept
    }

    /// Other cars' telemetry as it was kept last.
    fn carry_others(&mut self, before: &[u8]) {
        let player = usize::from(before[TELEMETRY + 1]);
        for slot in (0..MAX_CARS).filter(|slot| *slot != player) {
            let at = CARS + slot * CAR;
            self.kept[at..at + CAR].copy_from_slice(&before[at..at + CAR]);
        }
    }

    fn thin_scoring(&mut self, image: &[u8]) {
        // An image of this size is one, see above.
        let Ok(image) = Image::new(image) else { return };
        for (slot, _) in image.vehicles().enumerate().filter(|(_, vehicle)| !vehicle.is_player()) {
            let at = VEHICLES + slot * VEHICLE;
            for offset in ROUNDED {
                self.kept[at + offset..at + offset + 4].fill(0);
            }
            for range in LEFT_OUT {
                self.kept[at + range.start..at + range.end].fill(0);
            }
        }
    }
}

/// Whether the same cars sit in the same telemetry slots, the player in the same one.
fn same_cars(before: &[u8], now: &[u8]) -> bool {
    let ids = |image: &[u8], slot: usize| {
        let at = CARS + slot * CAR;
        <[u8; 4]>::try_from(&image[at..at + 4]).unwrap_or_default()
    };
    before[TELEMETRY..TELEMETRY + 3] == now[TELEMETRY..TELEMETRY + 3]
        && (0..MAX_CARS).all(|slot| ids(before, slot) == ids(now, slot))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// An image of two cars, the first of which is ours, filled with what `byte` gives.
    fn image(byte: impl Fn(usize) -> u8) -> Vec<u8> {
        let mut image: Vec<u8> = (0..SIZE).map(byte).collect();
        image[1_632 + 104..1_632 + 108].copy_from_slice(&2i32.to_le_bytes());
        for slot in 0..MAX_CARS {
            image[VEHICLES + slot * VEHICLE + 196] = u8::from(slot == 0);
            image[CARS + slot * CAR..CARS + slot * CAR + 4].copy_from_slice(&(slot as i32).to_le_bytes());
        }
        image[TELEMETRY..TELEMETRY + 3].copy_from_slice(&[2, 0, 1]);
        image
    }

    #[test]
    fn our_car_is_kept_to_the_bit_and_the_others_are_refreshed() {
        let (one, two) = (image(|i| (i % 251) as u8), image(|i| (i % 241) as u8));
        let mut thrift = Thrift::new(20);
        thrift.keep(&one, 1_000).unwrap();
        let kept = thrift.keep(&two, 1_050).unwrap().to_vec();
        assert_eq!(kept[VEHICLES..VEHICLES + VEHICLE], two[VEHICLES..VEHICLES + VEHICLE]);
        assert_eq!(kept[CARS..CARS + CAR], two[CARS..CARS + CAR]);
        assert_eq!(kept[CARS + CAR..CARS + 2 * CAR], one[CARS + CAR..CARS + 2 * CAR]);
        let kept = thrift.keep(&two, 6_100).unwrap();
        assert_eq!(kept[CARS + CAR..CARS + 2 * CAR], two[CARS + CAR..CARS + 2 * CAR]);
    }

    #[test]
    fn another_car_in_a_slot_is_seen_at_once() {
        let one = image(|_| 1);
        let mut two = image(|_| 2);
        two[CARS + CAR] = 77;
        let mut thrift = Thrift::new(20);
        thrift.keep(&one, 1_000).unwrap();
        let kept = thrift.keep(&two, 1_050).unwrap();
        assert_eq!(kept[CARS + CAR..CARS + 2 * CAR], two[CARS + CAR..CARS + 2 * CAR]);
    }

    #[test]
    fn another_cars_place_stays_true_to_a_centimetre() {
        let mut one = image(|_| 0);
        let at = VEHICLES + VEHICLE;
        for (offset, value) in [(104, 6_543.217f64), (264, -1_234.567), (144, 211.537)] {
            one[at + offset..at + offset + 8].copy_from_slice(&value.to_le_bytes());
        }
        let mut thrift = Thrift::new(20);
        let kept = thrift.keep(&one, 0).unwrap();
        let image = Image::new(kept).unwrap();
        let vehicle = image.vehicles().nth(1).unwrap();
        assert!((vehicle.lap_dist() - 6_543.217).abs() < 0.01);
        assert!((vehicle.pos()[0] + 1_234.567).abs() < 0.01);
        assert!((vehicle.best_lap_time() - 211.537).abs() == 0.0);
    }

    #[test]
    fn images_are_kept_at_the_rate() {
        let one = image(|_| 0);
        let mut thrift = Thrift::new(20);
        let kept = (0..500u64).filter(|i| thrift.keep(&one, i * 10).is_some()).count();
        assert!((98..=102).contains(&kept), "{kept} in 5 s");
    }

    proptest! {
        #[test]
        fn any_bytes_are_kept(len in prop::sample::select(vec![0usize, 10, SIZE - 1, SIZE, SIZE + 9]), byte in any::<u8>()) {
            let mut thrift = Thrift::new(20);
            let image = vec![byte; len];
            for i in 0..3u64 {
                prop_assert_eq!(thrift.keep(&image, i * 100).unwrap().len(), len);
            }
        }
    }
}
