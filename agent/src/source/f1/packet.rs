//! The datagrams of F1 25 in their own format (2025), one struct a packet, with the unit in each field's name.
//!
//! Values are as the game sends them (wear in percent worn, pressures in psi); only the order of the wheels is made right
//! here ([`wire::Corners`]). Restricted telemetry arrives as zeros and is still zero here: see [`super::reader`].
//!
//! Invariants: decoding never panics and reads nothing outside the bytes; a packet is decoded only where
//! [`super::format`] has found its exact size.

pub mod wire;

mod car;
mod event;
mod field;
mod header;
mod history;
mod motion;
mod motion_ex;
mod session;

pub use car::{
    CarDamage, CarDamages, CarSetup, CarSetups, CarStatus, CarStatuses, CarTelemetry, CarTelemetryPacket, TyreSet,
    TyreSets,
};
pub use event::{Event, EventPacket};
pub use field::{
    Classification, FinalClassification, LapData, LapDataPacket, LapPositions, LobbyInfo, LobbyPlayer, Participant,
    Participants,
};
pub use header::{HEADER_SIZE, Header};
pub use history::{LapHistory, SessionHistory, TimeTrial, TimeTrialEntry, TyreStint};
pub use motion::{CarMotion, Motion};
pub use motion_ex::MotionEx;
pub use session::{MarshalZone, Session, WeatherSample};

use serde::Serialize;
use wire::{Cursor, Wire};

/// Slots for cars in a packet.
pub const CARS: usize = 22;

/// What a datagram says after its header.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(untagged)]
#[expect(clippy::large_enum_variant, reason = "one at a time, on the stack; a box would cost an allocation a datagram")]
pub enum Body {
    /// Id 0.
    Motion(Motion),
    /// Id 1.
    Session(Session),
    /// Id 2.
    LapData(LapDataPacket),
    /// Id 3.
    Event(EventPacket),
    /// Id 4.
    Participants(Participants),
    /// Id 5.
    CarSetups(CarSetups),
    /// Id 6.
    CarTelemetry(CarTelemetryPacket),
    /// Id 7.
    CarStatus(CarStatuses),
    /// Id 8.
    FinalClassification(FinalClassification),
    /// Id 9.
    LobbyInfo(LobbyInfo),
    /// Id 10.
    CarDamage(CarDamages),
    /// Id 11.
    SessionHistory(SessionHistory),
    /// Id 12.
    TyreSets(TyreSets),
    /// Id 13.
    MotionEx(MotionEx),
    /// Id 14.
    TimeTrial(TimeTrial),
    /// Id 15.
    LapPositions(LapPositions),
}

impl Body {
    /// Decodes what follows the header of the packet with this id. `None` where the id is none of format 2025 or the
    /// bytes are too few for it.
    #[must_use]
    pub fn decode(id: u8, bytes: &[u8]) -> Option<Self> {
        let mut from = Cursor::new(bytes);
        let body = match id {
            0 => Self::Motion(Wire::read(&mut from)),
            1 => Self::Session(Session::read(&mut from).trimmed()),
            2 => Self::LapData(Wire::read(&mut from)),
            3 => Self::Event(Wire::read(&mut from)),
            4 => Self::Participants(Wire::read(&mut from)),
            5 => Self::CarSetups(Wire::read(&mut from)),
            6 => Self::CarTelemetry(Wire::read(&mut from)),
            7 => Self::CarStatus(Wire::read(&mut from)),
            8 => Self::FinalClassification(FinalClassification::read(&mut from).trimmed()),
            9 => Self::LobbyInfo(LobbyInfo::read(&mut from).trimmed()),
            10 => Self::CarDamage(Wire::read(&mut from)),
            11 => Self::SessionHistory(SessionHistory::read(&mut from).trimmed()),
            12 => Self::TyreSets(Wire::read(&mut from)),
            13 => Self::MotionEx(Wire::read(&mut from)),
            14 => Self::TimeTrial(Wire::read(&mut from)),
            15 => Self::LapPositions(LapPositions::read(&mut from).trimmed()),
            _ => return None,
        };
        (!from.was_short()).then_some(body)
    }
}

/// Sizes of the bodies by id, as the structs say; [`super::format`] compares them with the size table.
pub const BODY_SIZES: [usize; 16] = [
    Motion::SIZE,
    Session::SIZE,
    LapDataPacket::SIZE,
    EventPacket::SIZE,
    Participants::SIZE,
    CarSetups::SIZE,
    CarTelemetryPacket::SIZE,
    CarStatuses::SIZE,
    FinalClassification::SIZE,
    LobbyInfo::SIZE,
    CarDamages::SIZE,
    SessionHistory::SIZE,
    TyreSets::SIZE,
    MotionEx::SIZE,
    TimeTrial::SIZE,
    LapPositions::SIZE,
];
