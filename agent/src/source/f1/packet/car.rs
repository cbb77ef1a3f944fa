//! Ids 5, 6, 7, 10 and 12: what is going on in the cars.
//!
//! Fields marked "restricted" are zero for another player's car that does not show its telemetry.

use super::CARS;
use super::wire::{Corners, wire};
use crate::source::f1::enums::{ActualCompound, Compound, ErsMode, FiaFlag, SessionType, Surface};

wire! {
    /// Id 5, twice a second. Other players' setups are blank.
    pub struct CarSetups {
        /// The cars.
        cars: [CarSetup; CARS],
        /// The front wing that the player's car gets at its next stop.
        next_front_wing: f32,
    }
}

wire! {
    /// A setup. Steps have no unit.
    pub struct CarSetup {
        /// Step.
        front_wing: u8,
        /// Step.
        rear_wing: u8,
        /// Lock of the differential under power.
        differential_on_throttle_pct: u8,
        /// Lock of the differential off power.
        differential_off_throttle_pct: u8,
        /// Camber.
        front_camber_deg: f32,
        /// Camber.
        rear_camber_deg: f32,
        /// Toe.
        front_toe_deg: f32,
        /// Toe.
        rear_toe_deg: f32,
        /// Step.
        front_suspension: u8,
        /// Step.
        rear_suspension: u8,
        /// Step.
        front_anti_roll_bar: u8,
        /// Step.
        rear_anti_roll_bar: u8,
        /// Step.
        front_ride_height: u8,
        /// Step.
        rear_ride_height: u8,
        /// Brake pressure.
        brake_pressure_pct: u8,
        /// Share of the front.
        brake_bias_pct: u8,
        /// Engine braking.
        engine_braking_pct: u8,
        /// Pressures of the cold tyres.
        tyre_pressure_psi: Corners<f32>,
        /// Step.
        ballast: u8,
        /// Fuel.
        fuel_load_kg: f32,
    }
}

wire! {
    /// Id 6, at the rate set in the menu.
    pub struct CarTelemetryPacket {
        /// The cars.
        cars: [CarTelemetry; CARS],
        /// Page of the display; 255 closed, 0 setup, 1 pits, 2 damage, 3 engine, 4 temperatures.
        mfd_panel_index: u8,
        /// Page of the second player's display.
        mfd_panel_index_secondary_player: u8,
        /// Gear to be in; 0 for none.
        suggested_gear: i8,
    }
}

wire! {
    /// What one car measures.
    pub struct CarTelemetry {
        /// Speed.
        speed_kmh: u16,
        /// 0 to 1.
        throttle_fraction: f32,
        /// −1 full left to 1 full right.
        steer_fraction: f32,
        /// 0 to 1.
        brake_fraction: f32,
        /// 0 to 100.
        clutch_pct: u8,
        /// −1 reverse, 0 neutral.
        gear: i8,
        /// Engine speed.
        engine_rpm: u16,
        /// Open.
        drs: bool,
        /// Shift lights.
        rev_lights_pct: u8,
        /// Shift lights, a bit each, the leftmost first.
        rev_lights_bits: u16,
        /// Discs.
        brake_temperature_c: Corners<u16>,
        /// Tread.
        tyre_surface_temperature_c: Corners<u8>,
        /// Inside.
        tyre_inner_temperature_c: Corners<u8>,
        /// Engine.
        engine_temperature_c: u16,
        /// Pressures.
        tyre_pressure_psi: Corners<f32>,
        /// What the wheels roll on.
        surface: Corners<Surface>,
    }
}

wire! {
    /// Id 7, at the rate set in the menu.
    pub struct CarStatuses {
        /// The cars.
        cars: [CarStatus; CARS],
    }
}

wire! {
    /// How one car is.
    pub struct CarStatus {
        /// 0 off, 1 medium, 2 full.
        traction_control: u8,
        /// ABS.
        anti_lock_brakes: bool,
        /// 0 lean, 1 standard, 2 rich, 3 maximum. Restricted.
        fuel_mix: u8,
        /// Share of the front. Restricted.
        front_brake_bias_pct: u8,
        /// On.
        pit_limiter: bool,
        /// Fuel. Restricted.
        fuel_in_tank_kg: f32,
        /// Size of the tank. Restricted.
        fuel_capacity_kg: f32,
        /// Fuel beyond the finish, in laps, or laps of fuel, as the display shows it. Restricted.
        fuel_remaining_laps: f32,
        /// Limiter.
        max_rpm: u16,
        /// Idle.
        idle_rpm: u16,
        /// Gears.
        max_gears: u8,
        /// May be opened.
        drs_allowed: bool,
        /// Distance to where it may be opened; 0 for none.
        drs_activation_distance_m: u16,
        /// Compound.
        actual_compound: ActualCompound,
        /// Compound as seen.
        visual_compound: Compound,
        /// Age of the tyres.
        tyre_age_laps: u8,
        /// Flag.
        fia_flag: FiaFlag,
        /// Power of the engine. Restricted.
        engine_power_ice_w: f32,
        /// Power of the motor. Restricted.
        engine_power_mguk_w: f32,
        /// Energy in the battery. Restricted.
        ers_store_energy_j: f32,
        /// How it is spent. Restricted.
        ers_deploy_mode: ErsMode,
        /// Recovered on this lap. Restricted.
        ers_harvested_this_lap_mguk_j: f32,
        /// Recovered on this lap. Restricted.
        ers_harvested_this_lap_mguh_j: f32,
        /// Spent on this lap. Restricted.
        ers_deployed_this_lap_j: f32,
        /// The player has paused the network game.
        network_paused: bool,
    }
}

wire! {
    /// Id 10, ten times a second.
    pub struct CarDamages {
        /// The cars.
        cars: [CarDamage; CARS],
    }
}

wire! {
    /// What is worn and broken on one car; all but the blisters and the last three are restricted.
    pub struct CarDamage {
        /// Worn.
        tyre_wear_pct: Corners<f32>,
        /// Damage.
        tyre_damage_pct: Corners<u8>,
        /// Damage.
        brake_damage_pct: Corners<u8>,
        /// Blisters.
        tyre_blisters_pct: Corners<u8>,
        /// Damage.
        front_left_wing_damage_pct: u8,
        /// Damage.
        front_right_wing_damage_pct: u8,
        /// Damage.
        rear_wing_damage_pct: u8,
        /// Damage.
        floor_damage_pct: u8,
        /// Damage.
        diffuser_damage_pct: u8,
        /// Damage.
        sidepod_damage_pct: u8,
        /// Broken.
        drs_fault: bool,
        /// Broken.
        ers_fault: bool,
        /// Damage.
        gearbox_damage_pct: u8,
        /// Damage.
        engine_damage_pct: u8,
        /// Worn.
        engine_mguh_wear_pct: u8,
        /// Worn.
        engine_es_wear_pct: u8,
        /// Worn.
        engine_ce_wear_pct: u8,
        /// Worn.
        engine_ice_wear_pct: u8,
        /// Worn.
        engine_mguk_wear_pct: u8,
        /// Worn.
        engine_tc_wear_pct: u8,
        /// Gone.
        engine_blown: bool,
        /// Stuck.
        engine_seized: bool,
    }
}

wire! {
    /// Id 12, twenty a second, one car each, in turn. Restricted.
    pub struct TyreSets {
        /// Slot.
        car: u8,
        /// The sets.
        sets: [TyreSet; 20],
        /// Which of them is on the car.
        fitted_index: u8,
    }
}

wire! {
    /// A set of tyres.
    pub struct TyreSet {
        /// Compound.
        actual_compound: ActualCompound,
        /// Compound as seen.
        visual_compound: Compound,
        /// Worn.
        wear_pct: u8,
        /// May be used.
        available: bool,
        /// For which session.
        recommended_session: SessionType,
        /// Laps left.
        life_span_laps: u8,
        /// Laps when new.
        usable_life_laps: u8,
        /// Against the set on the car.
        lap_delta_time_ms: i16,
        /// On the car.
        fitted: bool,
    }
}
