//! Images for tests, written at raw offsets: on purpose without the constants of `image`.

use crate::raw::{Raw, Stamp};

/// An image in the making.
#[derive(Clone)]
pub struct Picture {
    bytes: Vec<u8>,
}

const SCORING: usize = 1632;
const VEHICLES: usize = 2192;
const CARS: usize = 128_468;

/// A car in scoring.
#[derive(Clone, Copy)]
pub struct VehicleAt(usize);

/// A car in telemetry.
#[derive(Clone, Copy)]
pub struct CarAt(usize);

impl Picture {
    /// A race at Spa, 1.4.2, of three cars: ours in slot 7 leads class GT3, two Hypercars are ahead. All on track at 50 m/s.
    pub fn race() -> Self {
        let mut p = Self { bytes: vec![0; 324_820] };
        p.i32(64, 14_200);
        p.u8(96, 3);
        p.text(SCORING, "Circuit de Spa-Francorchamps");
        p.i32(SCORING + 64, 10);
        p.f64(SCORING + 76, 3600.0);
        p.i32(SCORING + 84, i32::MAX);
        p.f64(SCORING + 88, 7004.0);
        p.i32(SCORING + 104, 3);
        p.u8(SCORING + 108, 5);
        p.bytes[SCORING + 110..SCORING + 113].fill(11);
        p.u8(SCORING + 115, 1);
        p.text(SCORING + 116, "Ada Lovelace");
        p.f64(SCORING + 228, 21.5);
        p.f64(SCORING + 236, 30.25);
        p.f64(SCORING + 220, 0.25);
        p.text(SCORING + 296, "-none-");
        p.u8(SCORING + 352, 4);
        let cars = [
            (3, "Grace Hopper", "Nine 2025 #9:WEC", "Hyper", 1),
            (7, "Ada Lovelace", "Iron 2025 #85:LM", "GT3", 3),
            (12, "Alan Turing", "Ten 2025 #10:WEC", "Hyper", 2),
        ];
        for (slot, (id, driver, entry, class, place)) in cars.into_iter().enumerate() {
            let at = VEHICLES + slot * 584;
            p.i32(at, id);
            p.text(at + 4, driver);
            p.text(at + 36, entry);
            p.u8(at + 102, 1);
            p.u8(at + 199, place);
            p.text(at + 200, class);
            p.u8(at + 506, 2);
            for time in [128, 136, 144, 152, 160, 168] {
                p.f64(at + time, -1.0);
            }
            p.f64(at + 288 + 16, -50.0);
        }
        p.u8(VEHICLES + 584 + 196, 1);
        // Telemetry in another order than scoring.
        p.bytes[128_464..128_467].copy_from_slice(&[3, 0, 1]);
        for (slot, (id, class)) in [(7, 6), (3, 0), (12, 0)].into_iter().enumerate() {
            let at = CARS + slot * 1888;
            p.i32(at, id);
            p.u8(at + 826, class);
            p.f64(at + 184 + 16, -50.0);
            p.f64(at + 608, 100.0);
            p.f64(at + 524, 60.5);
            p.f32(at + 776, 0.8125);
            p.text(at + 620, "Medium");
            for wheel in 0..4 {
                p.f64(at + 848 + wheel * 260 + 152, 0.9);
            }
        }
        p.text(CARS + 796, "Porsche 911 GT3 R LMGT3");
        p.at(10.0, 10.0)
    }

    /// At this session time, of scoring and of telemetry.
    pub fn at(mut self, scoring_s: f64, telemetry_s: f64) -> Self {
        self.f64(SCORING + 68, scoring_s);
        self.f32(SCORING + 340, (3600.0 - scoring_s) as f32);
        for slot in 0..3 {
            self.f64(CARS + slot * 1888 + 12, telemetry_s);
        }
        self
    }

    /// Our car in scoring.
    pub const OWN: VehicleAt = VehicleAt(VEHICLES + 584);
    /// The leader.
    pub const LEADER: VehicleAt = VehicleAt(VEHICLES);
    /// Our car in telemetry.
    pub const OWN_CAR: CarAt = CarAt(CARS);

    pub fn set(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub fn scoring_u8(&mut self, at: usize, value: u8) {
        self.u8(SCORING + at, value);
    }
    pub fn scoring_i32(&mut self, at: usize, value: i32) {
        self.i32(SCORING + at, value);
    }
    pub fn scoring_f64(&mut self, at: usize, value: f64) {
        self.f64(SCORING + at, value);
    }
    pub fn scoring_f32(&mut self, at: usize, value: f32) {
        self.f32(SCORING + at, value);
    }
    pub fn vehicle_u8(&mut self, vehicle: VehicleAt, at: usize, value: u8) {
        self.u8(vehicle.0 + at, value);
    }
    pub fn vehicle_f64(&mut self, vehicle: VehicleAt, at: usize, value: f64) {
        self.f64(vehicle.0 + at, value);
    }
    pub fn vehicle_text(&mut self, vehicle: VehicleAt, at: usize, value: &str) {
        self.bytes[vehicle.0 + at..vehicle.0 + at + 32].fill(0);
        self.text(vehicle.0 + at, value);
    }
    pub fn car_f64(&mut self, car: CarAt, at: usize, value: f64) {
        self.f64(car.0 + at, value);
    }
    pub fn car_f32(&mut self, car: CarAt, at: usize, value: f32) {
        self.f32(car.0 + at, value);
    }
    pub fn car_u8(&mut self, car: CarAt, at: usize, value: u8) {
        self.u8(car.0 + at, value);
    }
    pub fn car_i32(&mut self, car: CarAt, at: usize, value: i32) {
        self.i32(car.0 + at, value);
    }
    pub fn wheel_f64(&mut self, car: CarAt, wheel: usize, at: usize, value: f64) {
        self.f64(car.0 + 848 + wheel * 260 + at, value);
    }
    pub fn version(&mut self, version: i32) {
        self.i32(64, version);
    }
    pub fn track(&mut self, name: &str) {
        self.bytes[SCORING..SCORING + 64].fill(0);
        self.text(SCORING, name);
    }
    pub fn vehicles(&mut self, count: i32) {
        self.i32(SCORING + 104, count);
    }

    /// Completed laps and the times of the last, cumulative.
    pub fn laps(&mut self, vehicle: VehicleAt, laps: i16, [s1, s2, lap]: [f64; 3], began_s: f64) {
        self.bytes[vehicle.0 + 100..vehicle.0 + 102].copy_from_slice(&laps.to_le_bytes());
        for (at, time) in [(152, s1), (160, s2), (168, lap), (256, began_s)] {
            self.f64(vehicle.0 + at, time);
        }
    }

    /// Appends a line to the stream.
    pub fn line(&mut self, line: &str) {
        let size = u64::from_le_bytes(self.bytes[2184..2192].try_into().unwrap()) as usize;
        let at = 62_928 + size;
        self.bytes[at..at + line.len()].copy_from_slice(line.as_bytes());
        self.bytes[at + line.len()] = b'\n';
        self.bytes[2184..2192].copy_from_slice(&(size as u64 + line.len() as u64 + 1).to_le_bytes());
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn raw(&self) -> Raw {
        Raw::LmuImage(self.bytes.clone())
    }

    fn u8(&mut self, at: usize, value: u8) {
        self.bytes[at] = value;
    }
    fn i32(&mut self, at: usize, value: i32) {
        self.bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }
    fn f32(&mut self, at: usize, value: f32) {
        self.bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }
    fn f64(&mut self, at: usize, value: f64) {
        self.bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
    }
    fn text(&mut self, at: usize, text: &str) {
        self.bytes[at..at + text.len()].copy_from_slice(text.as_bytes());
    }
}

/// So many milliseconds after the beginning.
pub fn stamp(mono_ms: u64) -> Stamp {
    Stamp { unix_ms: 1_700_000_000_000 + mono_ms, mono_ms }
}
