//! Id 1: the session, its weather and its rules.

use super::wire::{Many, wire};
use crate::source::f1::enums::{FiaFlag, Formula, GameMode, RuleSet, SafetyCar, SessionType, Track, Weather};

wire! {
    /// Id 1, twice a second. Switches without a comment of their own are 0 off, 1 on.
    pub struct Session {
        /// The sky.
        weather: Weather,
        /// Track.
        track_temperature_c: i8,
        /// Air.
        air_temperature_c: i8,
        /// Planned laps.
        total_laps: u8,
        /// Length of a lap.
        track_length_m: u16,
        /// Kind.
        session_type: SessionType,
        /// Track.
        track: Track,
        /// Cars.
        formula: Formula,
        /// Time left.
        session_time_left_s: u16,
        /// Planned time.
        session_duration_s: u16,
        /// Speed limit of the pit lane.
        pit_speed_limit_kmh: u8,
        /// The game is paused (network game only).
        game_paused: bool,
        /// The player is watching another car.
        is_spectating: bool,
        /// Which.
        spectator_car_index: u8,
        /// SLI Pro support.
        sli_pro_support: u8,
        /// Used entries of the next field.
        marshal_zone_count: u8,
        /// Marshal zones.
        marshal_zones: Many<MarshalZone, 21>,
        /// Safety car.
        safety_car_status: SafetyCar,
        /// An online game.
        network_game: bool,
        /// Used entries of the next field.
        weather_forecast_count: u8,
        /// Forecast.
        weather_forecast: Many<WeatherSample, 64>,
        /// 0 perfect, 1 approximate.
        forecast_accuracy: u8,
        /// AI, 0 to 110.
        ai_difficulty: u8,
        /// Ties the sessions of a season.
        season_link_identifier: u32,
        /// Ties the sessions of a weekend.
        weekend_link_identifier: u32,
        /// Ties the parts of a session.
        session_link_identifier: u32,
        /// Best lap to stop on, for the player's strategy.
        pit_stop_window_ideal_lap: u8,
        /// Last lap to stop on.
        pit_stop_window_latest_lap: u8,
        /// Position after the stop.
        pit_stop_rejoin_position: u8,
        /// Assist.
        steering_assist: u8,
        /// Assist, 0 to 3.
        braking_assist: u8,
        /// 1 manual, 2 suggested gear, 3 automatic.
        gearbox_assist: u8,
        /// Assist.
        pit_assist: u8,
        /// Assist.
        pit_release_assist: u8,
        /// Assist.
        ers_assist: u8,
        /// Assist.
        drs_assist: u8,
        /// 0 off, 1 corners, 2 full.
        dynamic_racing_line: u8,
        /// 0 2D, 1 3D.
        dynamic_racing_line_type: u8,
        /// Mode.
        game_mode: GameMode,
        /// Rules.
        rule_set: RuleSet,
        /// Time of day, since midnight.
        time_of_day_min: u32,
        /// 0 none, 2 very short, 3 short, 4 medium, 5 medium long, 6 long, 7 full.
        session_length: u8,
        /// What the first player is shown: 0 mph, 1 km/h.
        speed_units_lead_player: u8,
        /// What the first player is shown: 0 Celsius, 1 Fahrenheit.
        temperature_units_lead_player: u8,
        /// As above, second player.
        speed_units_secondary_player: u8,
        /// As above, second player.
        temperature_units_secondary_player: u8,
        /// Safety cars so far.
        safety_car_periods: u8,
        /// Virtual safety cars so far.
        virtual_safety_car_periods: u8,
        /// Red flags so far.
        red_flag_periods: u8,
        /// All cars are equally fast.
        equal_car_performance: bool,
        /// 0 none, 1 flashback, 2 automatic.
        recovery_mode: u8,
        /// 0 low, 1 medium, 2 high, 3 unlimited.
        flashback_limit: u8,
        /// 0 simple, 1 realistic.
        surface_type: u8,
        /// 0 easy, 1 hard.
        low_fuel_mode: u8,
        /// 0 manual, 1 assisted.
        race_starts: u8,
        /// 0 surface only, 1 surface and carcass.
        tyre_temperature: u8,
        /// 0 is on, 1 is off.
        pit_lane_tyre_sim_off: bool,
        /// 0 off to 3 simulation.
        car_damage: u8,
        /// 0 reduced to 2 simulation.
        car_damage_rate: u8,
        /// 0 off, 1 not between players, 2 on.
        collisions: u8,
        /// Collisions are off on the first lap only.
        collisions_off_for_first_lap_only: bool,
        /// 0 is on, 1 is off.
        unsafe_pit_release_off: bool,
        /// Collisions are off for griefers.
        collisions_off_for_griefing: bool,
        /// 0 regular, 1 strict.
        corner_cutting_stringency: u8,
        /// Parc fermé.
        parc_ferme_rules: bool,
        /// 0 automatic, 1 broadcast, 2 immersive.
        pit_stop_experience: u8,
        /// 0 off to 3 increased.
        safety_car: u8,
        /// 0 broadcast, 1 immersive.
        safety_car_experience: u8,
        /// There is a formation lap.
        formation_lap: bool,
        /// 0 broadcast, 1 immersive.
        formation_lap_experience: u8,
        /// 0 off to 3 increased.
        red_flags: u8,
        /// Counts for the licence alone.
        affects_licence_level_solo: bool,
        /// Counts for the licence online.
        affects_licence_level_multiplayer: bool,
        /// Used entries of the next field.
        weekend_session_count: u8,
        /// The weekend's sessions.
        weekend_structure: Many<SessionType, 12>,
        /// Where sector 2 begins.
        sector2_start_m: f32,
        /// Where sector 3 begins.
        sector3_start_m: f32,
    }
}

impl Session {
    /// With the lists cut to what is used of them.
    #[must_use]
    pub fn trimmed(mut self) -> Self {
        self.marshal_zones = self.marshal_zones.first(self.marshal_zone_count);
        self.weather_forecast = self.weather_forecast.first(self.weather_forecast_count);
        self.weekend_structure = self.weekend_structure.first(self.weekend_session_count);
        self
    }
}

wire! {
    /// A stretch of track with its own flag.
    pub struct MarshalZone {
        /// Where it begins, as a share of the lap.
        start_fraction: f32,
        /// Its flag.
        flag: FiaFlag,
    }
}

wire! {
    /// The weather at one time to come.
    pub struct WeatherSample {
        /// Of which session.
        session_type: SessionType,
        /// How far ahead.
        time_offset_min: u8,
        /// The sky.
        weather: Weather,
        /// Track.
        track_temperature_c: i8,
        /// 0 up, 1 down, 2 the same.
        track_temperature_change: i8,
        /// Air.
        air_temperature_c: i8,
        /// 0 up, 1 down, 2 the same.
        air_temperature_change: i8,
        /// How likely rain is.
        rain_pct: u8,
    }
}
