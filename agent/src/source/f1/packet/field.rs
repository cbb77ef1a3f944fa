//! Ids 2, 4, 8, 9 and 15: who drives, where everybody stands, and how it ended.

use super::CARS;
use super::wire::{Many, SplitMs, Text, wire};
use crate::source::f1::enums::{
    ActualCompound, Compound, Driver, DriverStatus, Nationality, PitStatus, Platform, ResultReason, ResultStatus, Team,
};

wire! {
    /// Id 2, at the rate set in the menu.
    pub struct LapDataPacket {
        /// The cars.
        cars: [LapData; CARS],
        /// The personal best's car in a time trial; 255 without one.
        time_trial_pb_car_index: u8,
        /// The rival's car in a time trial; 255 without one.
        time_trial_rival_car_index: u8,
    }
}

wire! {
    /// One car's lap.
    pub struct LapData {
        /// Last lap; 0 without one.
        last_lap_time_ms: u32,
        /// Current lap so far.
        current_lap_time_ms: u32,
        /// First sector of the current lap; 0 until it is done.
        sector1_time_ms: SplitMs,
        /// Second sector of the current lap alone; 0 until it is done.
        sector2_time_ms: SplitMs,
        /// To the car in front.
        delta_to_car_in_front_ms: SplitMs,
        /// To the leader.
        delta_to_race_leader_ms: SplitMs,
        /// Since the line; negative before it is crossed for the first time.
        lap_distance_m: f32,
        /// Since the start; negative before the line.
        total_distance_m: f32,
        /// To the safety car's pace.
        safety_car_delta_s: f32,
        /// Position, from 1.
        position: u8,
        /// Current lap, from 1.
        current_lap: u8,
        /// Pits.
        pit_status: PitStatus,
        /// Stops so far.
        pit_stops: u8,
        /// Current sector, from 0.
        sector: u8,
        /// The current lap will not count.
        current_lap_invalid: bool,
        /// Time to be added to the result.
        penalties_s: u8,
        /// Warnings.
        total_warnings: u8,
        /// Of them for cutting corners.
        corner_cutting_warnings: u8,
        /// Drive-throughs to be served.
        unserved_drive_throughs: u8,
        /// Stop-and-gos to be served.
        unserved_stop_gos: u8,
        /// Place on the grid.
        grid_position: u8,
        /// What the driver does.
        driver_status: DriverStatus,
        /// Result so far.
        result_status: ResultStatus,
        /// The pit lane's timer runs.
        pit_lane_timer_active: bool,
        /// Time in the pit lane.
        pit_lane_time_ms: u16,
        /// Time in the box.
        pit_stop_timer_ms: u16,
        /// A penalty is to be served at this stop.
        pit_stop_should_serve_penalty: bool,
        /// Fastest through the speed trap.
        speed_trap_fastest_kmh: f32,
        /// On which lap; 255 on none.
        speed_trap_fastest_lap: u8,
    }
}

impl LapData {
    /// Whether the slot holds a car.
    #[must_use]
    pub fn is_car(&self) -> bool {
        self.result_status.0 > 1
    }
}

wire! {
    /// Id 4, every 5 s.
    pub struct Participants {
        /// Cars that are running.
        active_cars: u8,
        /// The slots.
        cars: [Participant; CARS],
    }
}

wire! {
    /// Who sits in a slot.
    pub struct Participant {
        /// Driven by the game.
        ai_controlled: bool,
        /// The driver; 255 is a person.
        driver: Driver,
        /// Network player.
        network_id: u8,
        /// Team.
        team: Team,
        /// The team is the player's own.
        my_team: bool,
        /// Number on the car.
        race_number: u8,
        /// Nationality.
        nationality: Nationality,
        /// Name.
        name: Text<32>,
        /// The player shows his telemetry to all; otherwise much of it is zero in packets 5, 7, 10 and 12.
        telemetry_public: bool,
        /// The player shows his name.
        show_online_names: bool,
        /// F1 World level.
        tech_level: u16,
        /// Platform.
        platform: Platform,
        /// Used entries of the next field.
        colour_count: u8,
        /// Red, green, blue.
        livery_colours: [[u8; 3]; 4],
    }
}

wire! {
    /// Id 8, at the end and on the results screen.
    pub struct FinalClassification {
        /// Used entries of the next field.
        car_count: u8,
        /// The cars by slot.
        cars: Many<Classification, CARS>,
    }
}

impl FinalClassification {
    /// With the list cut to what is used of it.
    #[must_use]
    pub fn trimmed(mut self) -> Self {
        self.cars = self.cars.first(self.car_count);
        self
    }
}

wire! {
    /// How one car ended.
    pub struct Classification {
        /// Position.
        position: u8,
        /// Completed laps.
        laps: u8,
        /// Place on the grid.
        grid_position: u8,
        /// Points.
        points: u8,
        /// Stops.
        pit_stops: u8,
        /// Result.
        result_status: ResultStatus,
        /// Why.
        result_reason: ResultReason,
        /// Best lap.
        best_lap_time_ms: u32,
        /// Race time without penalties.
        total_race_time_s: f64,
        /// Penalties.
        penalties_s: u8,
        /// Their number.
        penalty_count: u8,
        /// Used entries of the next fields.
        tyre_stint_count: u8,
        /// Compounds.
        tyre_stints_actual: [ActualCompound; 8],
        /// Compounds as seen.
        tyre_stints_visual: [Compound; 8],
        /// Last laps of the stints; 255 is the current one.
        tyre_stints_end_laps: [u8; 8],
    }
}

wire! {
    /// Id 9, in a lobby.
    pub struct LobbyInfo {
        /// Used entries of the next field.
        player_count: u8,
        /// The players.
        players: Many<LobbyPlayer, CARS>,
    }
}

impl LobbyInfo {
    /// With the list cut to what is used of it.
    #[must_use]
    pub fn trimmed(mut self) -> Self {
        self.players = self.players.first(self.player_count);
        self
    }
}

wire! {
    /// A player in a lobby.
    pub struct LobbyPlayer {
        /// Driven by the game.
        ai_controlled: bool,
        /// Team.
        team: Team,
        /// Nationality.
        nationality: Nationality,
        /// Platform.
        platform: Platform,
        /// Name.
        name: Text<32>,
        /// Number on the car.
        car_number: u8,
        /// The player shows his telemetry to all.
        telemetry_public: bool,
        /// The player shows his name.
        show_online_names: bool,
        /// F1 World level.
        tech_level: u16,
        /// 0 not ready, 1 ready, 2 watching.
        ready_status: u8,
    }
}

wire! {
    /// Id 15, once a second.
    pub struct LapPositions {
        /// Used entries of the laps.
        lap_count: u8,
        /// Lap of the first entry, from 0.
        first_lap: u8,
        /// Positions at the start of each lap by slot; 0 for none.
        positions_by_lap: Many<[u8; CARS], 50>,
    }
}

impl LapPositions {
    /// With the list cut to what is used of it.
    #[must_use]
    pub fn trimmed(mut self) -> Self {
        self.positions_by_lap = self.positions_by_lap.first(self.lap_count);
        self
    }
}
