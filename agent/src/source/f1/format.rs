//! Which packet a datagram is: told by (format, id, version) and exact size; everything else is refused with a reason.
//!
//! Format 2025 is decoded whole. The others are named and counted, so that a driver learns what to set in his menu and a
//! log tells what came.

use super::packet::wire::{Cursor, Wire};
use super::packet::{BODY_SIZES, Body, HEADER_SIZE, Header};
use std::collections::BTreeMap;
use thiserror::Error;

/// The version of every packet that is known.
const KNOWN_VERSION: u8 = 1;

/// The format that is decoded.
pub const DECODED: Format = Format::F2025;

/// A format that the games send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// F1 23.
    F2023,
    /// F1 24.
    F2024,
    /// F1 25.
    F2025,
    /// F1 25 with the 2026 Season Pack.
    F2026,
}

/// Name and sizes of a packet, header included: formats 2023, 2024, 2025, 2026; 0 where a format has no such packet.
struct Row(&'static str, [usize; 4]);

const PACKETS: [Row; 17] = [
    Row("Motion", [1349, 1349, 1349, 1325]),
    Row("Session", [644, 753, 753, 926]),
    Row("LapData", [1131, 1285, 1285, 1399]),
    Row("Event", [45, 45, 45, 45]),
    Row("Participants", [1306, 1350, 1284, 1470]),
    Row("CarSetups", [1107, 1133, 1133, 1233]),
    Row("CarTelemetry", [1352, 1352, 1352, 1448]),
    Row("CarStatus", [1239, 1239, 1239, 1445]),
    Row("FinalClassification", [1020, 1020, 1042, 1134]),
    Row("LobbyInfo", [1218, 1306, 954, 1062]),
    Row("CarDamage", [953, 953, 1041, 1133]),
    Row("SessionHistory", [1460, 1460, 1460, 1460]),
    Row("TyreSets", [231, 231, 231, 231]),
    Row("MotionEx", [217, 237, 273, 273]),
    Row("TimeTrial", [0, 101, 101, 104]),
    Row("LapPositions", [0, 0, 1131, 1231]),
    Row("CarTelemetry2", [0, 0, 0, 269]),
];

// The structs and the table say the same.
const _: () = {
    let mut id = 0;
    while id < BODY_SIZES.len() {
        assert!(HEADER_SIZE + BODY_SIZES[id] == PACKETS[id].1[DECODED as usize]);
        id += 1;
    }
};

impl Format {
    /// The format that calls itself so.
    #[must_use]
    pub fn from_year(year: u16) -> Option<Self> {
        Some(match year {
            2023 => Self::F2023,
            2024 => Self::F2024,
            2025 => Self::F2025,
            2026 => Self::F2026,
            _ => return None,
        })
    }

    /// What it calls itself.
    #[must_use]
    pub fn year(self) -> u16 {
        match self {
            Self::F2023 => 2023,
            Self::F2024 => 2024,
            Self::F2025 => 2025,
            Self::F2026 => 2026,
        }
    }

    /// The size of a packet, header included, where the format has it.
    #[must_use]
    pub fn size_of(self, id: u8) -> Option<usize> {
        PACKETS.get(usize::from(id)).map(|row| row.1[self as usize]).filter(|&size| size > 0)
    }
}

/// The name of a packet; "unknown" for an id that no format has.
#[must_use]
pub fn packet_name(id: u8) -> &'static str {
    PACKETS.get(usize::from(id)).map_or("unknown", |row| row.0)
}

/// A datagram that is what it says it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Identity {
    /// Its format.
    pub format: Format,
    /// Its header.
    pub header: Header,
}

impl Identity {
    /// The packet's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        packet_name(self.header.packet_id)
    }

    /// Why a packet of this format is only named, and what to do about it.
    #[must_use]
    pub fn advice(&self) -> String {
        format!(
            "F1 {:02} format {}, packet {} {}: understood are format 2025 packets; set UDP format to 2025 in the telemetry \
             settings of F1 25",
            self.header.game_year,
            self.format.year(),
            self.header.packet_id,
            self.name(),
        )
    }
}

/// A datagram that was identified.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "one at a time, on the stack")]
pub enum Datagram {
    /// Of the format that is decoded.
    Decoded(Identity, Body),
    /// Of another format.
    Named(Identity),
}

/// Why a datagram was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Not even a header.
    #[error("{found} bytes are too few for the header of an F1 packet ({HEADER_SIZE} bytes)")]
    TooShort {
        /// Bytes that came.
        found: usize,
    },
    /// No format that is known.
    #[error("format {format}, packet {id}, {found} bytes: no format that is known (2023, 2024, 2025 and 2026 are)")]
    UnknownFormat {
        /// What it calls itself.
        format: u16,
        /// Its id.
        id: u8,
        /// Bytes that came.
        found: usize,
    },
    /// The format has no such packet.
    #[error("F1 {game_year:02} format {format}, packet {id}, {found} bytes: the format has no packet with this id")]
    UnknownPacket {
        /// The format.
        format: u16,
        /// The game.
        game_year: u8,
        /// Its id.
        id: u8,
        /// Bytes that came.
        found: usize,
    },
    /// A layout that is not known.
    #[error(
        "F1 {game_year:02} format {format}, packet {id} {}, {found} bytes: version {version} of its layout is not known \
         (version {KNOWN_VERSION} is)",
        packet_name(*id)
    )]
    UnknownVersion {
        /// The format.
        format: u16,
        /// The game.
        game_year: u8,
        /// Its id.
        id: u8,
        /// Its version.
        version: u8,
        /// Bytes that came.
        found: usize,
    },
    /// Not the size of this packet.
    #[error(
        "F1 {game_year:02} format {format}, packet {id} {}: {found} bytes, expected are {expected}",
        packet_name(*id)
    )]
    WrongSize {
        /// The format.
        format: u16,
        /// The game.
        game_year: u8,
        /// Its id.
        id: u8,
        /// Bytes that came.
        found: usize,
        /// Bytes that it has.
        expected: usize,
    },
}

impl Refusal {
    /// Whether it came from one of the games, as far as one can tell; other programs send datagrams too.
    #[must_use]
    pub fn is_of_the_game(&self) -> bool {
        match self {
            Self::TooShort { .. } => false,
            Self::UnknownFormat { format, .. } => (2016..=2040).contains(format),
            Self::UnknownPacket { .. } | Self::UnknownVersion { .. } | Self::WrongSize { .. } => true,
        }
    }
}

/// Says which packet these bytes are.
///
/// # Errors
/// Where they are none that is known, or not whole.
pub fn identify(bytes: &[u8]) -> Result<Identity, Refusal> {
    let found = bytes.len();
    let mut from = Cursor::new(bytes);
    let header = Header::read(&mut from);
    if from.was_short() {
        return Err(Refusal::TooShort { found });
    }
    let Header { format: year, game_year, packet_id: id, packet_version: version, .. } = header;
    let Some(format) = Format::from_year(year) else {
        return Err(Refusal::UnknownFormat { format: year, id, found });
    };
    let Some(expected) = format.size_of(id) else {
        return Err(Refusal::UnknownPacket { format: year, game_year, id, found });
    };
    if version != KNOWN_VERSION {
        return Err(Refusal::UnknownVersion { format: year, game_year, id, version, found });
    }
    if found != expected {
        return Err(Refusal::WrongSize { format: year, game_year, id, found, expected });
    }
    Ok(Identity { format, header })
}

/// Decodes a datagram.
///
/// # Errors
/// As [`identify`].
pub fn decode(bytes: &[u8]) -> Result<Datagram, Refusal> {
    let identity = identify(bytes)?;
    if identity.format != DECODED {
        return Ok(Datagram::Named(identity));
    }
    let (found, id) = (bytes.len(), identity.header.packet_id);
    let body = bytes.get(HEADER_SIZE..).and_then(|body| Body::decode(id, body));
    let Header { format, game_year, .. } = identity.header;
    body.map(|body| Datagram::Decoded(identity, body)).ok_or(Refusal::UnknownPacket { format, game_year, id, found })
}

/// What a refusal is counted under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RefusalKind {
    /// [`Refusal::TooShort`].
    TooShort,
    /// [`Refusal::UnknownFormat`].
    UnknownFormat,
    /// [`Refusal::UnknownPacket`].
    UnknownPacket,
    /// [`Refusal::UnknownVersion`].
    UnknownVersion,
    /// [`Refusal::WrongSize`].
    WrongSize,
}

impl From<&Refusal> for RefusalKind {
    fn from(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::TooShort { .. } => Self::TooShort,
            Refusal::UnknownFormat { .. } => Self::UnknownFormat,
            Refusal::UnknownPacket { .. } => Self::UnknownPacket,
            Refusal::UnknownVersion { .. } => Self::UnknownVersion,
            Refusal::WrongSize { .. } => Self::WrongSize,
        }
    }
}

/// What has come. Both maps are bounded: there are four formats with 17 packets at most, and five kinds of refusal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Datagrams by (format, id), decoded or named.
    pub packets: BTreeMap<(u16, u8), u64>,
    /// Refused ones by reason.
    pub refused: BTreeMap<RefusalKind, u64>,
    /// The last refusal.
    pub last_refusal: Option<Refusal>,
}

impl Counts {
    /// Counts one.
    pub fn count(&mut self, outcome: &Result<Datagram, Refusal>) {
        match outcome {
            Ok(Datagram::Decoded(identity, _) | Datagram::Named(identity)) => {
                *self.packets.entry((identity.format.year(), identity.header.packet_id)).or_default() += 1;
            }
            Err(refusal) => {
                *self.refused.entry(refusal.into()).or_default() += 1;
                self.last_refusal = Some(*refusal);
            }
        }
    }

    /// Refused ones.
    #[must_use]
    pub fn refused_total(&self) -> u64 {
        self.refused.values().sum()
    }
}

#[cfg(test)]
#[path = "format_tests.rs"]
mod tests;
