//! Telemetry: the physics of each car. The game writes the player's at up to 100 Hz; many fields of other cars stay 0.

use super::{Text, WHEEL, WHEELS, fields, slice};

/// `TelemInfoV01`: one car.
#[derive(Debug, Clone, Copy)]
pub struct Car<'a>(pub(super) &'a [u8]);

impl<'a> Car<'a> {
    /// The wheels, FL FR RL RR.
    #[must_use]
    pub fn wheels(&self) -> [Wheel<'a>; 4] {
        std::array::from_fn(|i| Wheel(slice(self.0, WHEELS + i * WHEEL, WHEEL)))
    }
}

fields! { Car
    /// Slot, as in scoring.
    id: i32 = 0;
    /// Since the update before, s.
    delta_time: f64 = 4;
    /// Session time, s.
    elapsed_time: f64 = 12;
    /// Current lap.
    lap_number: i32 = 20;
    /// When this lap began, s.
    lap_start_et: f64 = 24;
    /// Entry.
    vehicle_name: Text<64> = 32;
    /// Track.
    track_name: Text<64> = 96;
    /// Place in the world, m: x, up, z.
    pos: [f64; 3] = 160;
    /// Velocity in the car's frame, m/s: left, up, back.
    local_vel: [f64; 3] = 184;
    /// Acceleration in the car's frame, m/s²: left, up, back.
    local_accel: [f64; 3] = 208;
    /// −1 reverse, 0 neutral, 1 … forward.
    gear: i32 = 352;
    /// Engine, 1/min.
    engine_rpm: f64 = 356;
    /// Water, °C.
    engine_water_temp: f64 = 364;
    /// Oil, °C.
    engine_oil_temp: f64 = 372;
    /// Pedal as pressed, 0–1.
    unfiltered_throttle: f64 = 388;
    /// Pedal as pressed, 0–1.
    unfiltered_brake: f64 = 396;
    /// −1 left … 1 right.
    unfiltered_steering: f64 = 404;
    /// Pedal as pressed, 0–1.
    unfiltered_clutch: f64 = 412;
    /// Fuel, l.
    fuel: f64 = 524;
    /// Engine's limit, 1/min.
    engine_max_rpm: f64 = 532;
    /// Overheating.
    overheating: bool = 541;
    /// Parts are gone.
    detached: bool = 542;
    /// Headlights.
    headlights: bool = 543;
    /// Eight zones of the body: 0 none, 1 some, 2 more.
    dent_severity: [u8; 8] = 544;
    /// Sector from 0; the sign bit marks the pit lane.
    current_sector: i32 = 600;
    /// Limiter engaged.
    speed_limiter: u8 = 604;
    /// Forward gears.
    max_gears: u8 = 605;
    /// Tank, l.
    fuel_capacity: f64 = 608;
    /// Rear flap open.
    rear_flap_activated: u8 = 617;
    /// 0 not allowed, 1 detected, 2 allowed.
    rear_flap_legal_status: u8 = 618;
    /// Front compound.
    front_tire_compound_name: Text<18> = 620;
    /// Rear compound.
    rear_tire_compound_name: Text<18> = 638;
    /// Rear share of braking, 0–1.
    rear_brake_bias: f64 = 664;
    /// Boost, Pa absolute.
    turbo_boost_pressure: f64 = 672;
    /// Against the own best lap, s.
    delta_best: f64 = 696;
    /// Battery, 0–1.
    battery_charge_fraction: f64 = 704;
    /// Electric motor, °C.
    electric_motor_temp: f64 = 728;
    /// Its water, °C; 0 none.
    electric_water_temp: f64 = 736;
    /// 0 no motor, 1 idle, 2 drive, 3 regeneration.
    electric_motor_state: u8 = 744;
    /// This lap does not count (1.3).
    lap_invalidated: bool = 745;
    /// ABS works now (1.3).
    abs_active: bool = 746;
    /// TC works now (1.3).
    tc_active: bool = 747;
    /// Limiter works now (1.3).
    speed_limiter_active: bool = 748;
    /// TC step and number of steps (1.3), likewise those that follow.
    tc: [u8; 2] = 750;
    /// TC slip.
    tc_slip: [u8; 2] = 752;
    /// TC cut.
    tc_cut: [u8; 2] = 754;
    /// ABS.
    abs: [u8; 2] = 756;
    /// Motor map.
    motor_map: [u8; 2] = 758;
    /// Brake migration.
    migration: [u8; 2] = 760;
    /// Front anti-roll bar.
    front_anti_sway: [u8; 2] = 762;
    /// Rear anti-roll bar.
    rear_anti_sway: [u8; 2] = 764;
    /// Track-limits steps so far (1.3).
    track_limits_steps: u8 = 767;
    /// Recovered now, kW (1.3).
    regen: f32 = 768;
    /// Virtual energy, 0–1 (1.3).
    virtual_energy: f32 = 776;
    /// To the car one position ahead, s, signed (1.3).
    time_gap_place_ahead: f32 = 788;
    /// To the car one position behind, s, signed (1.3).
    time_gap_place_behind: f32 = 792;
    /// Brand and model (1.3).
    vehicle_model: Text<30> = 796;
    /// 0 Hypercar, 2 LMP2 ELMS, 3 LMP2, 4 LMP3, 5 GTE, 6 GT3, 8 pace car, 255 unknown (1.3).
    vehicle_class: u8 = 826;
}

/// `TelemWheelV01`: one wheel.
#[derive(Debug, Clone, Copy)]
pub struct Wheel<'a>(pub(super) &'a [u8]);

fields! { Wheel
    /// Deflection, m.
    suspension_deflection: f64 = 0;
    /// Ride height, m.
    ride_height: f64 = 8;
    /// Pushrod, N.
    susp_force: f64 = 16;
    /// Disc, K.
    brake_temp: f64 = 24;
    /// Brake pressure, 0–1.
    brake_pressure: f64 = 32;
    /// Rotation, rad/s; negative forwards.
    rotation: f64 = 40;
    /// Pressure, kPa.
    pressure: f64 = 120;
    /// Surface, left, centre and right of the car's frame, K.
    temperature: [f64; 3] = 128;
    /// What remains, 0–1; 1 is new.
    wear: f64 = 152;
    /// 0 dry, 1 wet, 2 grass, 3 dirt, 4 gravel, 5 kerb, 6 special.
    surface_type: u8 = 176;
    /// Flat.
    flat: bool = 177;
    /// Gone.
    detached: bool = 178;
    /// Carcass, K.
    carcass_temperature: f64 = 204;
    /// Inner layer, left, centre and right, K.
    inner_layer_temperature: [f64; 3] = 212;
    /// Where the compound works best, °C (1.3).
    optimal_temp: f32 = 236;
    /// 0 soft, 1 medium, 2 hard, 3 wet (1.3).
    compound_type: u8 = 241;
}
