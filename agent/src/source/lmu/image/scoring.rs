//! Scoring: the session and every car's place in it. The game writes it five times a second.

use super::{Text, fields};

/// `ScoringInfoV01`: the session.
#[derive(Debug, Clone, Copy)]
pub struct Scoring<'a>(pub(super) &'a [u8]);

fields! { Scoring
    /// Track name.
    track_name: Text<64> = 0;
    /// 0 test day, 1–4 practice, 5–8 qualifying, 9 warm-up, 10–13 race.
    session: i32 = 64;
    /// Session time, s.
    current_et: f64 = 68;
    /// Planned end, s.
    end_et: f64 = 76;
    /// Planned laps; `i32::MAX` when timed.
    max_laps: i32 = 84;
    /// Length of a lap, m.
    lap_dist: f64 = 88;
    /// Cars; not clamped.
    num_vehicles: i32 = 104;
    /// 0 before … 5 green, 6 yellow, 7 stopped, 8 over, 9 paused.
    game_phase: u8 = 108;
    /// −1 invalid, 0 none, 1 pending … 7 halt.
    yellow_flag_state: i8 = 109;
    /// Per sector: 1 yellow, 11 clear.
    sector_flag: [u8; 3] = 110;
    /// Frame of the start lights.
    start_light: u8 = 113;
    /// Red lights of the start.
    num_red_lights: u8 = 114;
    /// Driving rather than in the monitor.
    in_realtime: bool = 115;
    /// The player's name.
    player_name: Text<32> = 116;
    /// Clouds, 0–1.
    dark_cloud: f64 = 212;
    /// Rain, 0–1.
    raining: f64 = 220;
    /// Air, °C.
    ambient_temp: f64 = 228;
    /// Track, °C.
    track_temp: f64 = 236;
    /// Wind, m/s.
    wind: [f64; 3] = 244;
    /// Driest part of the line, 0–1.
    min_path_wetness: f64 = 268;
    /// Wettest part of the line, 0–1.
    max_path_wetness: f64 = 276;
    /// 0 offline, 1 server, 2 client, 3 both.
    game_mode: u8 = 284;
    /// Most players on the server.
    max_players: i32 = 292;
    /// Server; "-none-" offline.
    server_name: Text<32> = 296;
    /// Time of day at the start, s since midnight.
    start_et: f32 = 328;
    /// Mean of the line, 0–1.
    avg_path_wetness: f64 = 332;
    /// Time left, s (1.3).
    session_time_remaining: f32 = 340;
    /// Time of day, s since midnight (1.3).
    time_of_day: f32 = 344;
    /// Setups are fixed (1.3).
    is_fixed_setup: bool = 348;
    /// 0 green … 4 saturated (1.3).
    track_grip_level: u8 = 349;
    /// 0 clear … 4 overcast, 5 drizzle … 10 storm (1.3).
    cloud_coverage: u8 = 350;
    /// Track-limits steps until a penalty (1.3).
    track_limits_steps_per_penalty: u8 = 351;
    /// Track-limits steps of a point (1.3).
    track_limits_steps_per_point: u8 = 352;
}

/// `VehicleScoringInfoV01`: one car's place.
#[derive(Debug, Clone, Copy)]
pub struct Vehicle<'a>(pub(super) &'a [u8]);

fields! { Vehicle
    /// Slot; given out again online.
    id: i32 = 0;
    /// Who drives.
    driver_name: Text<32> = 4;
    /// Entry: team, season, number.
    vehicle_name: Text<64> = 36;
    /// Completed laps.
    total_laps: i16 = 100;
    /// 0 third sector, 1 first, 2 second.
    sector: i8 = 102;
    /// 0 running, 1 finished, 2 retired, 3 disqualified.
    finish_status: i8 = 103;
    /// Distance since the line, m; negative in the pit lane.
    lap_dist: f64 = 104;
    /// Best first sector, s; −1 none.
    best_sector1: f64 = 128;
    /// Best first two sectors, s; −1 none.
    best_sector2: f64 = 136;
    /// Best lap, s; −1 none.
    best_lap_time: f64 = 144;
    /// First sector of the last lap, s; 0 or −1 none.
    last_sector1: f64 = 152;
    /// First two sectors of the last lap, s; 0 or −1 none.
    last_sector2: f64 = 160;
    /// Last lap, s; 0 or −1 none.
    last_lap_time: f64 = 168;
    /// First sector of this lap, s.
    cur_sector1: f64 = 176;
    /// First two sectors of this lap, s.
    cur_sector2: f64 = 184;
    /// Stops.
    num_pitstops: i16 = 192;
    /// Outstanding penalties.
    num_penalties: i16 = 194;
    /// Whether it is ours.
    is_player: bool = 196;
    /// −1 nobody, 0 local player, 1 local AI, 2 remote, 3 replay.
    control: i8 = 197;
    /// In the pit lane.
    in_pits: bool = 198;
    /// Position, from 1.
    place: u8 = 199;
    /// Class.
    vehicle_class: Text<32> = 200;
    /// To the car ahead, s (race).
    time_behind_next: f64 = 232;
    /// To the car ahead, laps.
    laps_behind_next: i32 = 240;
    /// To the leader, s (race).
    time_behind_leader: f64 = 244;
    /// To the leader, laps.
    laps_behind_leader: i32 = 252;
    /// When this lap began, s.
    lap_start_et: f64 = 256;
    /// Place in the world, m.
    pos: [f64; 3] = 264;
    /// Velocity in the car's frame, m/s: left, up, back.
    local_vel: [f64; 3] = 288;
    /// Headlights.
    headlights: bool = 456;
    /// 0 none, 1 request, 2 entering, 3 stopped, 4 exiting, 5 resting in the garage.
    pit_state: u8 = 457;
    /// 9 after formation, 10 yellow, 11 blue, else the game phase.
    individual_phase: u8 = 459;
    /// Grid place.
    qualification: i32 = 460;
    /// Since this lap began, s; may be negative.
    time_into_lap: f64 = 464;
    /// Estimated lap, s.
    estimated_lap_time: f64 = 472;
    /// 0 green, 6 blue.
    flag: u8 = 504;
    /// Under full-course yellow.
    under_yellow: bool = 505;
    /// This lap counts: 0 not, 1 as a lap only, 2 as a lap with its time.
    count_lap_flag: u8 = 506;
    /// In its garage stall.
    in_garage_stall: bool = 507;
    /// Steam id; 0 offline and for AI.
    steam_id: u64 = 536;
    /// Fuel, 0–255 for 0–100 %.
    fuel_fraction: u8 = 578;
}
