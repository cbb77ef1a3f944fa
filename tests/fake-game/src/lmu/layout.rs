//! Offsets of the `LMU_Data` object, in bytes from its beginning (or from the beginning of an array's element).
//!
//! Taken from the description of the format, independently of the agent's reader. Little-endian, packed to 4 bytes.

pub(crate) const SIZE: usize = 324_820;
pub(crate) const MAX_CARS: usize = 104;

pub(crate) const EVENTS: usize = 0;
pub(crate) const EVENT_SLOTS: usize = 16;
pub(crate) const GAME_VERSION: usize = 64;
pub(crate) const FFB_TORQUE: usize = 68;
pub(crate) const APP_INFO: usize = 72;
pub(crate) const PATHS: usize = 332;

pub(crate) const SCORING_INFO: usize = 1_632;
pub(crate) const STREAM_SIZE: usize = 2_184;
pub(crate) const SCORING_CARS: usize = 2_192;
pub(crate) const SCORING_CAR_SIZE: usize = 584;
pub(crate) const STREAM: usize = 62_928;
pub(crate) const STREAM_CAPACITY: usize = 65_536;

pub(crate) const TELEMETRY_HEADER: usize = 128_464;
pub(crate) const TELEMETRY_CARS: usize = 128_468;
pub(crate) const TELEMETRY_CAR_SIZE: usize = 1_888;
pub(crate) const WHEELS: usize = 848;
pub(crate) const WHEEL_SIZE: usize = 260;

/// `ApplicationStateV01`, from [`APP_INFO`].
pub(crate) mod app {
    pub(crate) const WINDOW: usize = 0;
    pub(crate) const WIDTH: usize = 8;
    pub(crate) const HEIGHT: usize = 12;
    pub(crate) const REFRESH: usize = 16;
    pub(crate) const OPTIONS_LOCATION: usize = 24;
    pub(crate) const OPTIONS_PAGE: usize = 25;
}

/// `ScoringInfoV01`, from [`SCORING_INFO`].
pub(crate) mod info {
    pub(crate) const TRACK: usize = 0;
    pub(crate) const SESSION: usize = 64;
    pub(crate) const NOW: usize = 68;
    pub(crate) const END: usize = 76;
    pub(crate) const MAX_LAPS: usize = 84;
    pub(crate) const LAP_DISTANCE: usize = 88;
    pub(crate) const CARS: usize = 104;
    pub(crate) const PHASE: usize = 108;
    pub(crate) const YELLOW: usize = 109;
    pub(crate) const SECTOR_FLAGS: usize = 110;
    pub(crate) const RED_LIGHTS: usize = 114;
    pub(crate) const IN_REALTIME: usize = 115;
    pub(crate) const PLAYER_NAME: usize = 116;
    pub(crate) const PLAYER_FILE: usize = 148;
    pub(crate) const DARK_CLOUD: usize = 212;
    pub(crate) const RAINING: usize = 220;
    pub(crate) const AMBIENT: usize = 228;
    pub(crate) const TRACK_TEMP: usize = 236;
    pub(crate) const WIND: usize = 244;
    pub(crate) const WETNESS_MIN: usize = 268;
    pub(crate) const WETNESS_MAX: usize = 276;
    pub(crate) const SERVER_NAME: usize = 296;
    pub(crate) const START_OF_DAY: usize = 328;
    pub(crate) const WETNESS_AVG: usize = 332;
    pub(crate) const REMAINING: usize = 340;
    pub(crate) const TIME_OF_DAY: usize = 344;
    pub(crate) const FIXED_SETUP: usize = 348;
    pub(crate) const GRIP_LEVEL: usize = 349;
    pub(crate) const CLOUDS: usize = 350;
    pub(crate) const STEPS_PER_PENALTY: usize = 351;
    pub(crate) const STEPS_PER_POINT: usize = 352;
}

/// `VehicleScoringInfoV01`.
pub(crate) mod score {
    pub(crate) const ID: usize = 0;
    pub(crate) const DRIVER: usize = 4;
    pub(crate) const VEHICLE: usize = 36;
    pub(crate) const LAPS: usize = 100;
    pub(crate) const SECTOR: usize = 102;
    pub(crate) const FINISH: usize = 103;
    pub(crate) const LAP_DISTANCE: usize = 104;
    pub(crate) const PATH_LATERAL: usize = 112;
    pub(crate) const TRACK_EDGE: usize = 120;
    pub(crate) const BEST_S1: usize = 128;
    pub(crate) const BEST_S2: usize = 136;
    pub(crate) const BEST_LAP: usize = 144;
    pub(crate) const LAST_S1: usize = 152;
    pub(crate) const LAST_S2: usize = 160;
    pub(crate) const LAST_LAP: usize = 168;
    pub(crate) const CURRENT_S1: usize = 176;
    pub(crate) const CURRENT_S2: usize = 184;
    pub(crate) const STOPS: usize = 192;
    pub(crate) const PENALTIES: usize = 194;
    pub(crate) const IS_PLAYER: usize = 196;
    pub(crate) const CONTROL: usize = 197;
    pub(crate) const IN_PITS: usize = 198;
    pub(crate) const PLACE: usize = 199;
    pub(crate) const CLASS: usize = 200;
    pub(crate) const BEHIND_NEXT: usize = 232;
    pub(crate) const LAPS_BEHIND_NEXT: usize = 240;
    pub(crate) const BEHIND_LEADER: usize = 244;
    pub(crate) const LAPS_BEHIND_LEADER: usize = 252;
    pub(crate) const LAP_START: usize = 256;
    pub(crate) const POSITION: usize = 264;
    pub(crate) const VELOCITY: usize = 288;
    pub(crate) const ACCELERATION: usize = 312;
    pub(crate) const ORIENTATION: usize = 336;
    pub(crate) const HEADLIGHTS: usize = 456;
    pub(crate) const PIT_STATE: usize = 457;
    pub(crate) const SERVER_SCORED: usize = 458;
    pub(crate) const INDIVIDUAL_PHASE: usize = 459;
    pub(crate) const QUALIFICATION: usize = 460;
    pub(crate) const TIME_INTO_LAP: usize = 464;
    pub(crate) const ESTIMATED_LAP: usize = 472;
    pub(crate) const PIT_GROUP: usize = 480;
    pub(crate) const FLAG: usize = 504;
    pub(crate) const UNDER_YELLOW: usize = 505;
    pub(crate) const COUNT_LAP: usize = 506;
    pub(crate) const IN_GARAGE: usize = 507;
    pub(crate) const PIT_LAP_DISTANCE: usize = 524;
    pub(crate) const BEST_LAP_S1: usize = 528;
    pub(crate) const BEST_LAP_S2: usize = 532;
    pub(crate) const STEAM_ID: usize = 536;
    pub(crate) const VEHICLE_FILE: usize = 544;
    pub(crate) const FUEL_FRACTION: usize = 578;
}

/// `TelemInfoV01`.
pub(crate) mod telem {
    pub(crate) const ID: usize = 0;
    pub(crate) const DELTA: usize = 4;
    pub(crate) const ELAPSED: usize = 12;
    pub(crate) const LAP: usize = 20;
    pub(crate) const LAP_START: usize = 24;
    pub(crate) const VEHICLE: usize = 32;
    pub(crate) const TRACK: usize = 96;
    pub(crate) const POSITION: usize = 160;
    pub(crate) const VELOCITY: usize = 184;
    pub(crate) const ACCELERATION: usize = 208;
    pub(crate) const ORIENTATION: usize = 232;
    pub(crate) const ROTATION: usize = 304;
    pub(crate) const GEAR: usize = 352;
    pub(crate) const RPM: usize = 356;
    pub(crate) const WATER: usize = 364;
    pub(crate) const OIL: usize = 372;
    pub(crate) const CLUTCH_RPM: usize = 380;
    pub(crate) const RAW_THROTTLE: usize = 388;
    pub(crate) const RAW_BRAKE: usize = 396;
    pub(crate) const RAW_STEERING: usize = 404;
    pub(crate) const RAW_CLUTCH: usize = 412;
    pub(crate) const THROTTLE: usize = 420;
    pub(crate) const BRAKE: usize = 428;
    pub(crate) const STEERING: usize = 436;
    pub(crate) const CLUTCH: usize = 444;
    pub(crate) const SHAFT_TORQUE: usize = 452;
    pub(crate) const FUEL: usize = 524;
    pub(crate) const MAX_RPM: usize = 532;
    pub(crate) const SCHEDULED_STOPS: usize = 540;
    pub(crate) const HEADLIGHTS: usize = 543;
    pub(crate) const DENTS: usize = 544;
    pub(crate) const IMPACT_TIME: usize = 552;
    pub(crate) const IMPACT_MAGNITUDE: usize = 560;
    pub(crate) const SECTOR: usize = 600;
    pub(crate) const LIMITER: usize = 604;
    pub(crate) const MAX_GEARS: usize = 605;
    pub(crate) const FRONT_COMPOUND: usize = 606;
    pub(crate) const REAR_COMPOUND: usize = 607;
    pub(crate) const FUEL_CAPACITY: usize = 608;
    pub(crate) const IGNITION: usize = 619;
    pub(crate) const FRONT_COMPOUND_NAME: usize = 620;
    pub(crate) const REAR_COMPOUND_NAME: usize = 638;
    pub(crate) const LIMITER_AVAILABLE: usize = 656;
    pub(crate) const VISUAL_WHEEL_RANGE: usize = 660;
    pub(crate) const REAR_BRAKE_BIAS: usize = 664;
    pub(crate) const TURBO: usize = 672;
    pub(crate) const DELTA_BEST: usize = 696;
    pub(crate) const BATTERY: usize = 704;
    pub(crate) const MOTOR_TORQUE: usize = 712;
    pub(crate) const MOTOR_RPM: usize = 720;
    pub(crate) const MOTOR_TEMPERATURE: usize = 728;
    pub(crate) const MOTOR_WATER: usize = 736;
    pub(crate) const MOTOR_STATE: usize = 744;
    pub(crate) const LAP_INVALIDATED: usize = 745;
    pub(crate) const ABS_ACTIVE: usize = 746;
    pub(crate) const TC_ACTIVE: usize = 747;
    pub(crate) const LIMITER_ACTIVE: usize = 748;
    pub(crate) const WIPER: usize = 749;
    pub(crate) const TC: usize = 750;
    pub(crate) const TC_SLIP: usize = 752;
    pub(crate) const TC_CUT: usize = 754;
    pub(crate) const ABS: usize = 756;
    pub(crate) const MOTOR_MAP: usize = 758;
    pub(crate) const MIGRATION: usize = 760;
    pub(crate) const FRONT_ARB: usize = 762;
    pub(crate) const REAR_ARB: usize = 764;
    pub(crate) const TRACK_LIMITS: usize = 767;
    pub(crate) const REGEN: usize = 768;
    pub(crate) const STATE_OF_CHARGE: usize = 772;
    pub(crate) const VIRTUAL_ENERGY: usize = 776;
    pub(crate) const GAP_ROAD_AHEAD: usize = 780;
    pub(crate) const GAP_ROAD_BEHIND: usize = 784;
    pub(crate) const GAP_PLACE_AHEAD: usize = 788;
    pub(crate) const GAP_PLACE_BEHIND: usize = 792;
    pub(crate) const MODEL: usize = 796;
    pub(crate) const CLASS: usize = 826;
    pub(crate) const CHAMPIONSHIP: usize = 827;
}

/// `TelemWheelV01`.
pub(crate) mod wheel {
    pub(crate) const DEFLECTION: usize = 0;
    pub(crate) const RIDE_HEIGHT: usize = 8;
    pub(crate) const SUSPENSION_FORCE: usize = 16;
    pub(crate) const BRAKE_TEMPERATURE: usize = 24;
    pub(crate) const BRAKE_PRESSURE: usize = 32;
    pub(crate) const ROTATION: usize = 40;
    pub(crate) const LONGITUDINAL_GROUND: usize = 72;
    pub(crate) const CAMBER: usize = 80;
    pub(crate) const PRESSURE: usize = 120;
    pub(crate) const SURFACE: usize = 128;
    pub(crate) const WEAR: usize = 152;
    pub(crate) const TERRAIN: usize = 160;
    pub(crate) const SURFACE_TYPE: usize = 176;
    pub(crate) const RADIUS_CM: usize = 179;
    pub(crate) const WHEEL_Y: usize = 188;
    pub(crate) const TOE: usize = 196;
    pub(crate) const CARCASS: usize = 204;
    pub(crate) const INNER: usize = 212;
    pub(crate) const OPTIMAL: usize = 236;
    pub(crate) const COMPOUND_INDEX: usize = 240;
    pub(crate) const COMPOUND_TYPE: usize = 241;
}
