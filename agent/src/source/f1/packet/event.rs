//! Id 3: something happened.

use super::wire::{Cursor, Wire};
use crate::source::f1::enums::{Infringement, PenaltyType, ResultReason, SafetyCar};
use serde::Serialize;

/// Id 3, when it happens.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct EventPacket {
    /// What happened.
    pub event: Event,
}

/// What happened. Cars are slots.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// SSTA.
    SessionStarted,
    /// SEND.
    SessionEnded,
    /// FTLP.
    FastestLap {
        /// Car.
        car: u8,
        /// Its time.
        lap_time_s: f32,
    },
    /// RTMT.
    Retirement {
        /// Car.
        car: u8,
        /// Why.
        reason: ResultReason,
    },
    /// DRSE.
    DrsEnabled,
    /// DRSD.
    DrsDisabled {
        /// 0 wet, 1 safety car, 2 red flag, 3 minimum lap.
        reason: u8,
    },
    /// TMPT.
    TeamMateInPits {
        /// Car.
        car: u8,
    },
    /// CHQF.
    ChequeredFlag,
    /// RCWN.
    RaceWinner {
        /// Car.
        car: u8,
    },
    /// PENA.
    Penalty {
        /// Which.
        penalty: PenaltyType,
        /// What for.
        infringement: Infringement,
        /// Car.
        car: u8,
        /// The other car; 255 without one.
        other_car: u8,
        /// Time gained or to be served; 255 without one.
        time_s: u8,
        /// On which lap.
        lap: u8,
        /// Places gained.
        places_gained: u8,
    },
    /// SPTP.
    SpeedTrap {
        /// Car.
        car: u8,
        /// Its speed.
        speed_kmh: f32,
        /// Fastest of all.
        overall_fastest: bool,
        /// Fastest of this driver.
        driver_fastest: bool,
        /// The fastest car.
        fastest_car: u8,
        /// Its speed.
        fastest_speed_kmh: f32,
    },
    /// STLG.
    StartLights {
        /// Lights that are on.
        lights: u8,
    },
    /// LGOT.
    LightsOut,
    /// DTSV.
    DriveThroughServed {
        /// Car.
        car: u8,
    },
    /// SGSV.
    StopGoServed {
        /// Car.
        car: u8,
        /// How long it stood.
        stop_time_s: f32,
    },
    /// FLBK.
    Flashback {
        /// Back to this frame.
        frame_identifier: u32,
        /// Back to this time.
        session_time_s: f32,
    },
    /// BUTN.
    Buttons {
        /// Pressed buttons, a bit each.
        bits: u32,
    },
    /// RDFL.
    RedFlag,
    /// OVTK.
    Overtake {
        /// The one who overtakes.
        overtaking_car: u8,
        /// The one who is overtaken.
        overtaken_car: u8,
    },
    /// SCAR.
    SafetyCar {
        /// Which.
        safety_car: SafetyCar,
        /// 0 deployed, 1 returning, 2 returned, 3 resume race.
        step: u8,
    },
    /// COLL.
    Collision {
        /// One car.
        car: u8,
        /// The other.
        other_car: u8,
    },
    /// A code that is not in the specification.
    Unknown {
        /// The code.
        code: [u8; 4],
    },
}

const DETAILS_SIZE: usize = 12;

impl Wire for EventPacket {
    const SIZE: usize = 4 + DETAILS_SIZE;
    fn read(from: &mut Cursor<'_>) -> Self {
        let code: [u8; 4] = from.take();
        let details: [u8; DETAILS_SIZE] = from.take();
        Self { event: Event::parse(code, &mut Cursor::new(&details)) }
    }
}

impl Event {
    /// Fields are read in the order in which they are written, which is their order in the union.
    fn parse(code: [u8; 4], at: &mut Cursor<'_>) -> Self {
        match &code {
            b"SSTA" => Self::SessionStarted,
            b"SEND" => Self::SessionEnded,
            b"FTLP" => Self::FastestLap { car: Wire::read(at), lap_time_s: Wire::read(at) },
            b"RTMT" => Self::Retirement { car: Wire::read(at), reason: Wire::read(at) },
            b"DRSE" => Self::DrsEnabled,
            b"DRSD" => Self::DrsDisabled { reason: Wire::read(at) },
            b"TMPT" => Self::TeamMateInPits { car: Wire::read(at) },
            b"CHQF" => Self::ChequeredFlag,
            b"RCWN" => Self::RaceWinner { car: Wire::read(at) },
            b"PENA" => Self::Penalty {
                penalty: Wire::read(at),
                infringement: Wire::read(at),
                car: Wire::read(at),
                other_car: Wire::read(at),
                time_s: Wire::read(at),
                lap: Wire::read(at),
                places_gained: Wire::read(at),
            },
            b"SPTP" => Self::SpeedTrap {
                car: Wire::read(at),
                speed_kmh: Wire::read(at),
                overall_fastest: Wire::read(at),
                driver_fastest: Wire::read(at),
                fastest_car: Wire::read(at),
                fastest_speed_kmh: Wire::read(at),
            },
            b"STLG" => Self::StartLights { lights: Wire::read(at) },
            b"LGOT" => Self::LightsOut,
            b"DTSV" => Self::DriveThroughServed { car: Wire::read(at) },
            b"SGSV" => Self::StopGoServed { car: Wire::read(at), stop_time_s: Wire::read(at) },
            b"FLBK" => Self::Flashback { frame_identifier: Wire::read(at), session_time_s: Wire::read(at) },
            b"BUTN" => Self::Buttons { bits: Wire::read(at) },
            b"RDFL" => Self::RedFlag,
            b"OVTK" => Self::Overtake { overtaking_car: Wire::read(at), overtaken_car: Wire::read(at) },
            b"SCAR" => Self::SafetyCar { safety_car: Wire::read(at), step: Wire::read(at) },
            b"COLL" => Self::Collision { car: Wire::read(at), other_car: Wire::read(at) },
            _ => Self::Unknown { code },
        }
    }
}
