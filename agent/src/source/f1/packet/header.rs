//! What every packet begins with; the same in formats 2023 to 2026.

use super::wire::{Wire, wire};

wire! {
    /// The header.
    pub struct Header {
        /// Format of the packet: the year that is set in the game's menu.
        format: u16,
        /// The game: 25 is F1 25.
        game_year: u8,
        /// Version of the game, before the point.
        game_major_version: u8,
        /// Version of the game, after the point.
        game_minor_version: u8,
        /// Version of the packet's layout, from 1.
        packet_version: u8,
        /// Kind of the packet.
        packet_id: u8,
        /// The session; 0 where none is loaded.
        session_uid: u64,
        /// Time since the session began. Goes back on a flashback.
        session_time_s: f32,
        /// Frame. Goes back on a flashback.
        frame_identifier: u32,
        /// Frame. Never goes back.
        overall_frame_identifier: u32,
        /// Slot of the player's car.
        player_car_index: u8,
        /// Slot of the second player's car on a split screen; 255 without one.
        secondary_player_car_index: u8,
    }
}

/// Bytes of a [`Header`].
pub const HEADER_SIZE: usize = Header::SIZE;
