//! Bytes of an F1 25 datagram (format 2025): the header and little-endian fields one after another.

use crate::model::world::World;

/// Sizes with the header, by packet id.
pub(crate) const SIZES: [usize; 16] =
    [1_349, 753, 1_285, 45, 1_284, 1_133, 1_352, 1_239, 1_042, 954, 1_041, 1_460, 231, 273, 101, 1_131];
/// Cars in every array.
pub(crate) const SLOTS: usize = 22;
/// The game's order of wheels (RL, RR, FL, FR) in ours (FL, FR, RL, RR).
pub(crate) const WHEELS: [usize; 4] = [2, 3, 0, 1];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Id {
    Motion = 0,
    Session = 1,
    LapData = 2,
    Event = 3,
    Participants = 4,
    CarSetups = 5,
    CarTelemetry = 6,
    CarStatus = 7,
    FinalClassification = 8,
    CarDamage = 10,
    SessionHistory = 11,
    TyreSets = 12,
    MotionEx = 13,
    LapPositions = 15,
}

/// Frame counters, as the header carries them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Frame {
    /// Goes back with a flashback.
    pub identifier: u32,
    /// Never goes back.
    pub overall: u32,
}

#[derive(Debug)]
pub(crate) struct Packet {
    bytes: Vec<u8>,
    size: usize,
}

impl Packet {
    pub(crate) fn new(id: Id, world: &World, frame: Frame) -> Self {
        let size = SIZES[id as usize];
        let mut packet = Self { bytes: Vec::with_capacity(size), size };
        packet.u16(2_025);
        // Game year, major and minor version, packet version.
        for byte in [25, 1, 18, 1, id as u8] {
            packet.u8(byte);
        }
        packet.bytes.extend_from_slice(&world.session.uid.to_le_bytes());
        packet.f32(world.session.now_s());
        packet.u32(frame.identifier);
        packet.u32(frame.overall);
        packet.u8(world.player as u8);
        packet.u8(255);
        packet
    }

    /// The datagram; what was not written is zero.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        debug_assert!(self.bytes.len() <= self.size, "{} bytes of {}", self.bytes.len(), self.size);
        self.bytes.resize(self.size, 0);
        self.bytes
    }

    pub(crate) fn zeros(&mut self, count: usize) {
        self.bytes.resize(self.bytes.len() + count, 0);
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(crate) fn u8(&mut self, value: u8) {
        self.bytes.push(value);
    }

    pub(crate) fn i8(&mut self, value: i8) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn u16(&mut self, value: u16) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn i16(&mut self, value: i16) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn f32(&mut self, value: f64) {
        self.bytes.extend_from_slice(&(value as f32).to_le_bytes());
    }

    pub(crate) fn f64(&mut self, value: f64) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    /// A direction, as whole numbers of 1/32767.
    pub(crate) fn direction(&mut self, value: f64) {
        self.i16((value.clamp(-1.0, 1.0) * 32_767.0).round() as i16);
    }

    /// A time in two fields: milliseconds below a minute, and minutes.
    pub(crate) fn split_ms(&mut self, time_ms: u32) {
        self.u16((time_ms % 60_000) as u16);
        self.u8((time_ms / 60_000).min(255) as u8);
    }

    /// UTF-8 with a zero at its end; a name that is too long ends with an ellipsis.
    pub(crate) fn text(&mut self, room: usize, text: &str) {
        let from = self.bytes.len();
        if text.len() < room {
            self.bytes(text.as_bytes());
        } else {
            let mut end = room - 1 - '…'.len_utf8();
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            self.bytes(&text.as_bytes()[..end]);
            self.bytes("…".as_bytes());
        }
        self.bytes.resize(from + room, 0);
    }
}
