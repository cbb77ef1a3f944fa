//! What a class of car can do: mass, power, grip, gears, tank, tyres.
//!
//! The numbers are chosen so that lap times, top speeds, burn and stint lengths are those of the real classes.

use serde::{Deserialize, Serialize};

/// A class of cars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Le Mans Hypercar: hybrid, virtual energy.
    Hyper,
    /// LMP2: no hybrid, no virtual energy.
    Lmp2,
    /// LMP3: no hybrid, no virtual energy.
    Lmp3,
    /// GTE: litres of fuel.
    Gte,
    /// LMGT3: virtual energy without a hybrid.
    Gt3,
    /// Formula 1, for the F1 face.
    F1,
}

/// Every class, in the order of [`Class::index`].
pub(crate) const CLASSES: [Class; 6] = [Class::Hyper, Class::Lmp2, Class::Lmp3, Class::Gte, Class::Gt3, Class::F1];

/// A class in numbers.
#[derive(Debug, Clone)]
pub(crate) struct Spec {
    /// As `mVehicleClass` spells it.
    pub name: &'static str,
    /// `TelemInfoV01.mVehicleClass`.
    pub telemetry_id: u8,
    pub mass_kg: f64,
    pub power_w: f64,
    pub top_speed_mps: f64,
    /// Grip without downforce.
    pub grip: f64,
    /// How much of the grip downforce adds at 80 m/s.
    pub downforce: f64,
    pub braking: f64,
    pub max_rpm: f64,
    pub idle_rpm: f64,
    /// Speed at `max_rpm` in each gear, km/h.
    pub gear_speeds_kmh: &'static [f64],
    pub tank_l: f64,
    /// Litres per second at full throttle.
    pub burn_l_per_s: f64,
    /// Litres that 100 % of virtual energy stand for, where there is virtual energy.
    pub energy_l: Option<f64>,
    pub hybrid: bool,
    pub abs: bool,
    pub rear_brake_share: f64,
    /// Range of a steering wheel lock to lock, degrees.
    pub wheel_range_deg: f64,
    pub tyre_radius_m: [f64; 2],
    pub optimal_tyre_c: f64,
    pub models: &'static [&'static str],
}

const PROTOTYPE_GEARS: &[f64] = &[124.0, 161.0, 197.0, 234.0, 269.0, 301.0, 333.0];

#[rustfmt::skip]
const SPECS: [Spec; 6] = [
    Spec { name: "Hyper", telemetry_id: 0, mass_kg: 1_110.0, power_w: 500e3, top_speed_mps: 89.0, grip: 1.45, downforce: 0.9,
        braking: 1.5, max_rpm: 9_000.0, idle_rpm: 1_800.0, gear_speeds_kmh: PROTOTYPE_GEARS, tank_l: 90.0, burn_l_per_s: 0.052,
        energy_l: Some(88.0), hybrid: true, abs: false, rear_brake_share: 0.45, wheel_range_deg: 540.0,
        tyre_radius_m: [0.345, 0.355], optimal_tyre_c: 85.0, models: &["Aurelia LMH", "Vento 9X", "Norden LMDh", "Kestrel GTP"] },
    Spec { name: "LMP2", telemetry_id: 3, mass_kg: 1_010.0, power_w: 400e3, top_speed_mps: 85.0, grip: 1.42, downforce: 0.85,
        braking: 1.45, max_rpm: 8_700.0, idle_rpm: 1_700.0, gear_speeds_kmh: &[110.0, 148.0, 187.0, 225.0, 264.0, 306.0],
        tank_l: 75.0, burn_l_per_s: 0.045, energy_l: None, hybrid: false, abs: false, rear_brake_share: 0.44,
        wheel_range_deg: 480.0, tyre_radius_m: [0.335, 0.355], optimal_tyre_c: 85.0, models: &["Sarthe 07 P2"] },
    Spec { name: "LMP3", telemetry_id: 4, mass_kg: 1_030.0, power_w: 335e3, top_speed_mps: 80.0, grip: 1.38, downforce: 0.6,
        braking: 1.35, max_rpm: 7_000.0, idle_rpm: 1_400.0, gear_speeds_kmh: &[105.0, 141.0, 177.0, 213.0, 250.0, 288.0],
        tank_l: 100.0, burn_l_per_s: 0.042, energy_l: None, hybrid: false, abs: false, rear_brake_share: 0.43,
        wheel_range_deg: 480.0, tyre_radius_m: [0.335, 0.350], optimal_tyre_c: 82.0, models: &["Ligne JS P3", "Duna D08"] },
    Spec { name: "GTE", telemetry_id: 5, mass_kg: 1_320.0, power_w: 390e3, top_speed_mps: 78.0, grip: 1.42, downforce: 0.35,
        braking: 1.25, max_rpm: 8_000.0, idle_rpm: 1_500.0, gear_speeds_kmh: &[98.0, 136.0, 174.0, 212.0, 248.0, 286.0],
        tank_l: 98.0, burn_l_per_s: 0.052, energy_l: None, hybrid: false, abs: false, rear_brake_share: 0.46,
        wheel_range_deg: 540.0, tyre_radius_m: [0.340, 0.355], optimal_tyre_c: 88.0, models: &["Falke RSR", "Corvo C8"] },
    Spec { name: "GT3", telemetry_id: 6, mass_kg: 1_380.0, power_w: 400e3, top_speed_mps: 76.0, grip: 1.38, downforce: 0.3,
        braking: 1.2, max_rpm: 8_250.0, idle_rpm: 1_400.0, gear_speeds_kmh: &[95.0, 132.0, 168.0, 205.0, 242.0, 280.0],
        tank_l: 105.0, burn_l_per_s: 0.050, energy_l: Some(97.0), hybrid: false, abs: true, rear_brake_share: 0.47,
        wheel_range_deg: 540.0, tyre_radius_m: [0.340, 0.355], optimal_tyre_c: 90.0,
        models: &["Falke 992 GT3", "Toro LM GT3", "Corvo Z06 GT3", "Albion Vantage GT3"] },
    Spec { name: "F1", telemetry_id: 255, mass_kg: 850.0, power_w: 735e3, top_speed_mps: 93.0, grip: 1.7, downforce: 2.2,
        braking: 2.2, max_rpm: 13_000.0, idle_rpm: 4_000.0,
        gear_speeds_kmh: &[110.0, 145.0, 178.0, 212.0, 245.0, 280.0, 312.0, 346.0], tank_l: 146.0, burn_l_per_s: 0.044,
        energy_l: None, hybrid: true, abs: false, rear_brake_share: 0.43, wheel_range_deg: 360.0,
        tyre_radius_m: [0.360, 0.360], optimal_tyre_c: 95.0, models: &["Formula"] },
];

impl Class {
    pub(crate) fn index(self) -> usize {
        self as usize
    }

    pub(crate) fn spec(self) -> &'static Spec {
        &SPECS[self.index()]
    }
}

impl Spec {
    /// Highest lateral acceleration at a speed, m/s².
    pub(crate) fn lateral_limit(&self, v: f64) -> f64 {
        9.81 * self.grip * (1.0 + self.downforce * (v / 80.0).powi(2))
    }

    fn drag_decel(&self, v: f64) -> f64 {
        self.power_w / self.top_speed_mps.powi(3) * v * v / self.mass_kg
    }

    /// What is left for accelerating or braking while a corner takes its share of the grip, 0..1.
    pub(crate) fn grip_left(&self, v: f64, curvature: f64) -> f64 {
        let used = v * v * curvature.abs() / self.lateral_limit(v);
        (1.0 - used * used).max(0.0).sqrt()
    }

    /// Acceleration at full throttle, m/s² (negative above the top speed).
    pub(crate) fn full_throttle(&self, v: f64, grip_left: f64) -> f64 {
        let traction = 9.81 * self.grip * 0.62;
        (self.power_w / (self.mass_kg * v.max(1.0))).min(traction) * grip_left.max(0.15) - self.drag_decel(v)
    }

    /// Deceleration with the pedal to the floor, m/s².
    pub(crate) fn full_brake(&self, v: f64, grip_left: f64) -> f64 {
        self.braking * 9.81 * (1.0 + self.downforce * (v / 80.0).powi(2)) * grip_left.max(0.2) + self.drag_decel(v)
    }

    /// Deceleration with no pedal at all, m/s².
    pub(crate) fn coasting(&self, v: f64) -> f64 {
        self.drag_decel(v) + 0.35
    }
}
