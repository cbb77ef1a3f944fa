//! A small F1 that writes its datagrams at raw offsets, so that the reader is not tested with its own layouts.

use crate::raw::{Raw, Reader, Stamp};
use crate::reading::Reading;
use crate::source::f1::reader::F1Reader;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

const HEADER: usize = 29;
pub const SIZES: [usize; 16] =
    [1349, 753, 1285, 45, 1284, 1133, 1352, 1239, 1042, 954, 1041, 1460, 231, 273, 101, 1131];
/// Milliseconds from one frame to the next.
pub const FRAME_MS: u64 = 50;

/// One car as the game knows it.
#[derive(Debug, Clone)]
pub struct Car {
    pub name: &'static str,
    pub team: u8,
    pub number: u8,
    pub public: bool,
    pub position: u8,
    pub lap: u8,
    pub lap_ms: u32,
    pub last_ms: u32,
    pub s1_ms: u32,
    pub s2_ms: u32,
    pub distance_m: f32,
    pub total_m: f32,
    pub ahead_ms: u16,
    pub leader_ms: u16,
    pub pit: u8,
    pub driver_status: u8,
    pub result: u8,
    pub speed_kmh: u16,
    pub fuel_kg: f32,
}

/// A game, the reader that hears it, and what the reader said.
pub struct Game {
    pub uid: u64,
    pub time_s: f32,
    pub frame: u32,
    pub overall: u32,
    pub now_ms: u64,
    pub player: u8,
    pub session_type: u8,
    pub is_spectating: bool,
    pub cars: Vec<Car>,
    pub from: IpAddr,
    pub reader: F1Reader,
}

pub fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    bytes[HEADER + at..][..value.len()].copy_from_slice(value);
}

impl Game {
    /// A race with three cars; the player's is the second slot.
    pub fn new() -> Self {
        let car = |name, team, number, position| Car {
            name,
            team,
            number,
            public: false,
            position,
            lap: 2,
            lap_ms: 30_000,
            last_ms: 91_000,
            s1_ms: 28_000,
            s2_ms: 0,
            distance_m: 2899.0,
            total_m: 8697.0 - f32::from(position) * 100.0,
            ahead_ms: 1500,
            leader_ms: 1500 * u16::from(position - 1),
            pit: 0,
            driver_status: 4,
            result: 2,
            speed_kmh: 250,
            fuel_kg: 0.0,
        };
        let cars =
            vec![car("NORRIS", 8, 4, 1), Car { fuel_kg: 50.0, ..car("RUSSELL", 0, 63, 2) }, car("ALONSO", 4, 14, 3)];
        Self {
            uid: 77,
            time_s: 121.0,
            frame: 2000,
            overall: 2000,
            now_ms: 1000,
            player: 1,
            session_type: 15,
            is_spectating: false,
            cars,
            from: IpAddr::V4(Ipv4Addr::LOCALHOST),
            reader: F1Reader::new(),
        }
    }

    /// A packet that is all zeros after its header.
    pub fn blank(&self, id: u8) -> Vec<u8> {
        let mut bytes = vec![0; SIZES[usize::from(id)]];
        bytes[..7].copy_from_slice(&[0xe9, 0x07, 25, 1, 18, 1, id]);
        bytes[7..15].copy_from_slice(&self.uid.to_le_bytes());
        bytes[15..19].copy_from_slice(&self.time_s.to_le_bytes());
        bytes[19..23].copy_from_slice(&self.frame.to_le_bytes());
        bytes[23..27].copy_from_slice(&self.overall.to_le_bytes());
        bytes[27..29].copy_from_slice(&[self.player, 255]);
        bytes
    }

    pub fn session(&self) -> Vec<u8> {
        let mut bytes = self.blank(1);
        put(&mut bytes, 0, &[3, 35, 25, 19]);
        put(&mut bytes, 4, &5798u16.to_le_bytes());
        put(&mut bytes, 6, &[self.session_type, 11]);
        put(&mut bytes, 9, &600u16.to_le_bytes());
        put(&mut bytes, 11, &1800u16.to_le_bytes());
        put(&mut bytes, 15, &[u8::from(self.is_spectating), 0]);
        put(&mut bytes, 716, &2000f32.to_le_bytes());
        put(&mut bytes, 720, &4000f32.to_le_bytes());
        bytes
    }

    pub fn participants(&self) -> Vec<u8> {
        let mut bytes = self.blank(4);
        put(&mut bytes, 0, &[self.cars.len() as u8]);
        for (i, car) in self.cars.iter().enumerate() {
            let at = 1 + 57 * i;
            put(&mut bytes, at, &[0, 255, 1, car.team, 0, car.number, 10]);
            put(&mut bytes, at + 7, car.name.as_bytes());
            put(&mut bytes, at + 39, &[u8::from(car.public)]);
        }
        bytes
    }

    pub fn lap_data(&self) -> Vec<u8> {
        let mut bytes = self.blank(2);
        for (i, car) in self.cars.iter().enumerate() {
            let at = 57 * i;
            put(&mut bytes, at, &car.last_ms.to_le_bytes());
            put(&mut bytes, at + 4, &car.lap_ms.to_le_bytes());
            for (offset, ms) in [(8, car.s1_ms), (11, car.s2_ms)] {
                put(&mut bytes, at + offset, &((ms % 60_000) as u16).to_le_bytes());
                put(&mut bytes, at + offset + 2, &[(ms / 60_000) as u8]);
            }
            put(&mut bytes, at + 14, &car.ahead_ms.to_le_bytes());
            put(&mut bytes, at + 17, &car.leader_ms.to_le_bytes());
            put(&mut bytes, at + 20, &car.distance_m.to_le_bytes());
            put(&mut bytes, at + 24, &car.total_m.to_le_bytes());
            put(&mut bytes, at + 32, &[car.position, car.lap, car.pit]);
            put(&mut bytes, at + 36, &[if car.s2_ms > 0 { 2 } else { u8::from(car.s1_ms > 0) }]);
            put(&mut bytes, at + 44, &[car.driver_status, car.result]);
        }
        bytes
    }

    pub fn telemetry(&self) -> Vec<u8> {
        let mut bytes = self.blank(6);
        for (i, car) in self.cars.iter().enumerate() {
            let at = 60 * i;
            put(&mut bytes, at, &car.speed_kmh.to_le_bytes());
            put(&mut bytes, at + 2, &0.5f32.to_le_bytes());
            put(&mut bytes, at + 6, &(-0.25f32).to_le_bytes());
            put(&mut bytes, at + 15, &[(-1i8).to_le_bytes()[0]]);
            // RL RR FL FR.
            for (wheel, celsius) in [300u16, 310, 500, 510].iter().enumerate() {
                put(&mut bytes, at + 22 + 2 * wheel, &celsius.to_le_bytes());
            }
            put(&mut bytes, at + 30, &[81, 82, 83, 84, 91, 92, 93, 94]);
            for (wheel, psi) in [21.0f32, 21.5, 24.0, 24.5].iter().enumerate() {
                put(&mut bytes, at + 40 + 4 * wheel, &psi.to_le_bytes());
            }
        }
        bytes
    }

    pub fn status(&self) -> Vec<u8> {
        let mut bytes = self.blank(7);
        for (i, car) in self.cars.iter().enumerate() {
            let at = 55 * i;
            put(&mut bytes, at + 5, &car.fuel_kg.to_le_bytes());
            put(&mut bytes, at + 25, &[17, 17, 6]);
            put(&mut bytes, at + 28, &[3]);
            if i == usize::from(self.player) {
                put(&mut bytes, at + 2, &[1, 57]);
                put(&mut bytes, at + 9, &110f32.to_le_bytes());
                put(&mut bytes, at + 13, &1.25f32.to_le_bytes());
                put(&mut bytes, at + 37, &3_500_000f32.to_le_bytes());
            }
        }
        bytes
    }

    pub fn damage(&self) -> Vec<u8> {
        let mut bytes = self.blank(10);
        let at = 46 * usize::from(self.player);
        for (wheel, worn) in [11.0f32, 12.0, 13.0, 14.0].iter().enumerate() {
            put(&mut bytes, at + 4 * wheel, &worn.to_le_bytes());
        }
        put(&mut bytes, at + 28, &[5, 9, 3]);
        bytes
    }

    pub fn setups(&self, front_wing: u8) -> Vec<u8> {
        let mut bytes = self.blank(5);
        let at = 50 * usize::from(self.player);
        put(&mut bytes, at, &[front_wing, 20]);
        put(&mut bytes, at + 4, &(-3.3f32).to_le_bytes());
        put(&mut bytes, at + 26, &[97, 58, 50]);
        for (wheel, psi) in [22.0f32, 22.1, 24.5, 24.6].iter().enumerate() {
            put(&mut bytes, at + 29 + 4 * wheel, &psi.to_le_bytes());
        }
        bytes
    }

    pub fn event(&self, code: &[u8; 4], details: &[u8]) -> Vec<u8> {
        let mut bytes = self.blank(3);
        put(&mut bytes, 0, code);
        put(&mut bytes, 4, details);
        bytes
    }

    /// The history of a car: its laps' times and sectors.
    pub fn history(&self, car: u8, laps: &[(u32, [u16; 3])]) -> Vec<u8> {
        let mut bytes = self.blank(11);
        put(&mut bytes, 0, &[car, laps.len() as u8]);
        for (i, (time, sectors)) in laps.iter().enumerate() {
            let at = 7 + 14 * i;
            put(&mut bytes, at, &time.to_le_bytes());
            for (offset, sector) in [4, 7, 10].iter().zip(sectors) {
                put(&mut bytes, at + offset, &sector.to_le_bytes());
            }
            put(&mut bytes, at + 13, &[15]);
        }
        bytes
    }

    pub fn classification(&self, laps: u8) -> Vec<u8> {
        let mut bytes = self.blank(8);
        // The game counts no frames on its results screen.
        bytes[19..27].fill(0);
        put(&mut bytes, 0, &[self.cars.len() as u8]);
        for i in 0..self.cars.len() {
            put(&mut bytes, 1 + 46 * i, &[i as u8 + 1, laps]);
        }
        bytes
    }

    /// The reader hears a datagram.
    pub fn hear(&mut self, bytes: Vec<u8>) -> Vec<Reading> {
        let from = SocketAddr::new(self.from, 50_000);
        self.read(&Raw::Datagram { from, bytes })
    }

    /// Nothing comes for a while.
    pub fn silence(&mut self, ms: u64) -> Vec<Reading> {
        self.now_ms += ms;
        self.read(&Raw::Tick)
    }

    /// A whole frame at the rate of the menu; time goes on by [`FRAME_MS`].
    pub fn frame(&mut self) -> Vec<Reading> {
        self.frame_without(&[])
    }

    /// A frame of which some packets are lost.
    pub fn frame_without(&mut self, lost: &[u8]) -> Vec<Reading> {
        self.now_ms += FRAME_MS;
        self.time_s += FRAME_MS as f32 / 1000.0;
        self.frame += 3;
        self.overall += 3;
        let packets =
            [(0, self.blank(0)), (2, self.lap_data()), (6, self.telemetry()), (7, self.status()), (13, self.blank(13))];
        packets.into_iter().filter(|(id, _)| !lost.contains(id)).flat_map(|(_, bytes)| self.hear(bytes)).collect()
    }

    /// The session's slow packets and a frame.
    pub fn begin(&mut self) -> Vec<Reading> {
        let slow = [self.session(), self.participants(), self.damage()];
        let mut out: Vec<_> = slow.into_iter().flat_map(|bytes| self.hear(bytes)).collect();
        out.extend(self.frame());
        out
    }

    fn read(&mut self, raw: &Raw) -> Vec<Reading> {
        let mut out = Vec::new();
        let at = Stamp { unix_ms: 1_800_000_000_000 + self.now_ms, mono_ms: self.now_ms };
        self.reader.read(at, raw, &mut out);
        out
    }
}
