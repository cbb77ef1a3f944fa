//! The garage: every setting of the player's car as the game's own screen lists it.
//!
//! A setting is a whole number between its limits; what the driver reads is made from it. Changes show at once in the
//! garage, and a few of them in the car: pressures, brake balance, traction control.

use serde_json::{Map, Value, json};

use super::class::Class;

/// How a number becomes the text of the garage.
#[derive(Debug, Clone, Copy)]
enum Show {
    /// Always the same text: the car has no such adjustment.
    Fixed(&'static str),
    /// `offset + value * step`, with decimals and a unit.
    Number {
        offset: f64,
        step: f64,
        decimals: usize,
        unit: &'static str,
    },
    /// As a number, with a letter in front.
    Prefixed(&'static str),
    /// A click of a damper: the first says "(soft)", the last "(hard)".
    Click,
    /// Front and rear brake balance.
    Balance,
    /// Brake pedal force and its share of the most.
    PedalForce,
    Options(&'static [&'static str]),
    /// Virtual energy or fuel with the laps it is good for.
    Energy,
    FuelRatio,
    FuelTank,
}

#[derive(Debug, Clone)]
struct Item {
    key: String,
    value: i64,
    saved: i64,
    /// One more than the highest value, as the game counts.
    max: i64,
    show: Show,
}

/// The player's settings.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    items: Vec<Item>,
    pub name: String,
    fuel_per_lap_l: f64,
    tank_l: f64,
    pressure_from_kpa: f64,
}

/// Why a setting was not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// There is no setting of that name.
    #[error("no setting is called `{0}`; `GET /state` lists them")]
    UnknownKey(String),
    /// The value is outside the limits.
    #[error("`{key}` goes from 0 to {highest}, not {value}")]
    OutOfRange {
        /// Which setting.
        key: String,
        /// What was asked for.
        value: i64,
        /// The highest value there is.
        highest: i64,
    },
}

const WHEELS: [&str; 4] = ["FL", "FR", "RL", "RR"];

const NUMBER: fn(f64, f64, usize, &'static str) -> Show =
    |offset, step, decimals, unit| Show::Number { offset, step, decimals, unit };

#[rustfmt::skip]
fn car_items(class: Class) -> Vec<(&'static str, i64, i64, Show)> {
    let spec = class.spec();
    let abs = if spec.abs { (4, 10, Show::Prefixed("")) } else { (0, 1, Show::Fixed("N/A")) };
    let (regen, motor) = if spec.hybrid { ((10, 11, NUMBER(70.0, 10.0, 0, "kW")), (5, 6, NUMBER(0.0, 10.0, 0, "kW"))) }
        else { ((0, 1, Show::Fixed("N/A")), (0, 1, Show::Fixed("N/A"))) };
    let energy = if spec.energy_l.is_some() { (100, 101, Show::Energy) } else { (0, 1, Show::Fixed("N/A")) };
    vec![
        ("VM_ANTILOCKBRAKESYSTEMMAP", abs.0, abs.1, abs.2),
        ("VM_ANTILOCK_BRAKES", 0, 1, Show::Fixed(if spec.abs { "Available" } else { "N/A" })),
        ("VM_BRAKE_BALANCE", 11, 45, Show::Balance),
        ("VM_BRAKE_DUCTS", 1, 5, Show::Options(&["Open", "25%", "50%", "75%", "Closed"])),
        ("VM_BRAKE_DUCTS_REAR", 3, 5, Show::Options(&["Open", "25%", "50%", "75%", "Closed"])),
        ("VM_BRAKE_MIGRATION", 3, 6, NUMBER(-0.5, 0.5, 1, "% F")),
        ("VM_BRAKE_PRESSURE", 50, 81, Show::PedalForce),
        ("VM_DIFF_COAST", 11, 19, NUMBER(10.0, 5.0, 0, "%")),
        ("VM_DIFF_POWER", 6, 19, NUMBER(10.0, 5.0, 0, "%")),
        ("VM_DIFF_PRELOAD", 10, 61, NUMBER(0.0, 5.0, 0, " Nm")),
        ("VM_DIFF_PUMP", 0, 1, Show::Fixed("N/A")),
        ("VM_ELECTRIC_MOTOR_MAP", motor.0, motor.1, motor.2),
        ("VM_ENGINE_BOOST", 0, 1, Show::Fixed("N/A")),
        ("VM_ENGINE_BRAKEMAP", 0, 1, Show::Fixed("N/A")),
        ("VM_ENGINE_MIXTURE", 0, 1, Show::Fixed("Full")),
        ("VM_FRONT_3RD_PACKERS", 0, 21, NUMBER(0.0, 0.1, 1, " cm")),
        ("VM_FRONT_3RD_SLOWBUMP", 0, 12, Show::Click),
        ("VM_FRONT_3RD_SLOWREBOUND", 0, 12, Show::Click),
        ("VM_FRONT_3RD_SPRING", 2, 16, Show::Prefixed("")),
        ("VM_FRONT_ANTISWAY", 8, 17, Show::Prefixed("P")),
        ("VM_FRONT_TIRE_COMPOUND", 0, 1, Show::Fixed("Medium")),
        ("VM_FRONT_TOEIN", 14, 33, NUMBER(-0.80, 0.05, 2, " deg")),
        ("VM_FRONT_WING", 0, 1, Show::Fixed("Standard")),
        ("VM_FUEL_CAPACITY", 0, 1, Show::FuelTank),
        ("VM_FUEL_LEVEL", 92, 111, Show::FuelRatio),
        ("VM_GEAR_AUTODOWNSHIFT", 0, 1, Show::Fixed("Off")),
        ("VM_GEAR_AUTOUPSHIFT", 0, 1, Show::Fixed("Off")),
        ("VM_GEAR_FINAL", 0, 1, Show::Fixed("3.44:1")),
        ("VM_LEFT_CASTER", 0, 1, Show::Fixed("Non-adjustable")),
        ("VM_NUM_PITSTOPS", 0, 4, Show::Fixed("")),
        ("VM_OIL_RADIATOR", 0, 5, Show::Options(&["No tape", "20%", "40%", "60%", "80%"])),
        ("VM_RATIO_SET", 1, 2, Show::Options(&["Short", "Long"])),
        ("VM_REAR_3RD_PACKERS", 10, 26, NUMBER(0.0, 0.1, 1, " cm")),
        ("VM_REAR_3RD_SLOWBUMP", 0, 12, Show::Click),
        ("VM_REAR_3RD_SLOWREBOUND", 0, 12, Show::Click),
        ("VM_REAR_3RD_SPRING", 5, 16, Show::Prefixed("")),
        ("VM_REAR_ANTISWAY", 7, 13, Show::Prefixed("P")),
        ("VM_REAR_TIRE_COMPOUND", 0, 1, Show::Fixed("Medium")),
        ("VM_REAR_TOEIN", 19, 33, NUMBER(-0.80, 0.05, 2, " deg")),
        ("VM_REAR_WING", 12, 18, Show::Prefixed("P")),
        ("VM_REGEN_LEVEL", regen.0, regen.1, regen.2),
        ("VM_REV_LIMITER", 0, 1, Show::Fixed("9,000")),
        ("VM_RIGHT_CASTER", 0, 1, Show::Fixed("Non-adjustable")),
        ("VM_STEER_LOCK", 0, 1, Show::Fixed("360 (13.3) deg")),
        ("VM_TRACTIONCONTROLMAP", 6, 12, Show::Prefixed("")),
        ("VM_TRACTIONCONTROLPOWERCUTMAP", 7, 12, Show::Prefixed("")),
        ("VM_TRACTIONCONTROLSLIPANGLEMAP", 5, 12, Show::Prefixed("")),
        ("VM_TRACTION_CONTROL", 0, 1, Show::Fixed("Available")),
        ("VM_VIRTUAL_ENERGY", energy.0, energy.1, energy.2),
        ("VM_WATER_RADIATOR", 0, 5, Show::Options(&["No tape", "20%", "40%", "60%", "80%"])),
        ("VM_WEIGHT_DISTRIB", 0, 1, Show::Fixed("Non-adjustable")),
    ]
}

/// Per wheel: key, the values FL FR RL RR, most, text. The corners differ, so that a swapped one shows.
#[rustfmt::skip]
fn wheel_items(pressure_from_kpa: f64) -> Vec<(&'static str, [i64; 4], i64, Show)> {
    vec![
        ("BRAKEDISC", [0; 4], 1, Show::Fixed("3.70 cm")),
        ("BRAKEPAD", [0; 4], 1, Show::Fixed("1")),
        ("CAMBER", [15, 13, 17, 16], 31, NUMBER(-4.0, 0.1, 1, " deg")),
        ("COMPOUND", [0; 4], 6, Show::Options(&["Medium", "Hard", "Wet", "Medium", "Hard", "Wet"])),
        ("FASTBUMP", [2, 3, 4, 5], 12, Show::Click),
        ("FASTREBOUND", [3, 4, 0, 1], 12, Show::Click),
        ("PACKERS", [0, 1, 2, 3], 21, NUMBER(0.0, 0.1, 1, " cm")),
        ("PRESSURE", [4, 2, 7, 5], 36, NUMBER(pressure_from_kpa, 1.0, 0, " kPa")),
        ("RIDEHEIGHT", [13, 14, 18, 19], 31, NUMBER(4.0, 0.1, 1, " cm")),
        ("SLOWBUMP", [1, 2, 3, 4], 12, Show::Click),
        ("SLOWREBOUND", [2, 3, 4, 5], 12, Show::Click),
        ("SPRING", [5, 6, 3, 4], 10, Show::Prefixed("")),
        ("TENDERSPRING", [0; 4], 1, Show::Fixed("Detached")),
    ]
}

impl Setup {
    pub(crate) fn new(class: Class) -> Self {
        let pressure_from_kpa = if class == Class::F1 { 100.0 } else { 135.0 };
        let item = |key: String, value, max, show| Item { key, value, saved: value, max, show };
        let mut items: Vec<Item> = car_items(class)
            .into_iter()
            .map(|(key, value, max, show)| item(key.to_owned(), value, max, show))
            .collect();
        for (name, values, max, show) in wheel_items(pressure_from_kpa) {
            for (wheel, value) in WHEELS.iter().zip(values) {
                items.push(item(format!("WM_{name}-W_{wheel}"), value, max, show));
            }
        }
        let tank_l = class.spec().tank_l;
        Self { items, name: "Serra Quali".to_owned(), fuel_per_lap_l: 3.0, tank_l, pressure_from_kpa }
    }

    /// Which tank and which consumption the texts about laps are made from.
    pub(crate) fn expect_consumption(&mut self, fuel_per_lap_l: f64) {
        self.fuel_per_lap_l = fuel_per_lap_l.max(0.05);
    }

    pub(crate) fn change(&mut self, key: &str, value: i64) -> Result<(), SetupError> {
        let item =
            self.items.iter_mut().find(|item| item.key == key).ok_or_else(|| SetupError::UnknownKey(key.to_owned()))?;
        let highest = item.max - 1;
        if !(0..=highest).contains(&value) {
            return Err(SetupError::OutOfRange { key: key.to_owned(), value, highest });
        }
        item.value = value;
        Ok(())
    }

    pub(crate) fn value(&self, key: &str) -> i64 {
        self.items.iter().find(|item| item.key == key).map_or(0, |item| item.value)
    }

    pub(crate) fn unsaved(&self) -> bool {
        self.items.iter().any(|item| item.value != item.saved)
    }

    /// Cold pressures, FL FR RL RR.
    pub(crate) fn pressures_kpa(&self) -> [f64; 4] {
        WHEELS.map(|wheel| self.pressure_from_kpa + self.value(&format!("WM_PRESSURE-W_{wheel}")) as f64)
    }

    /// The rear's share of the braking, 0..1.
    pub(crate) fn rear_brake_share(&self) -> f64 {
        0.505 - 0.005 * self.value("VM_BRAKE_BALANCE") as f64
    }

    /// Every setting by key with the text that the garage shows.
    pub(crate) fn texts(&self) -> std::collections::BTreeMap<String, String> {
        self.items.iter().map(|item| (item.key.clone(), self.text(item, item.value))).collect()
    }

    /// The game's own map of settings.
    pub(crate) fn garage_values(&self) -> Map<String, Value> {
        self.items
            .iter()
            .map(|item| {
                let mut shown = json!({
                    "available": true,
                    "diffComparisonValue": item.value - item.saved,
                    "isFreeSetting": true,
                    "key": item.key,
                    "lastSavedStringValue": self.text(item, item.saved),
                    "maxValue": item.max,
                    "minValue": 0,
                    "numChangesValue": 0,
                    "stringValue": self.text(item, item.value),
                    "value": item.value,
                });
                let caption = match item.key.as_str() {
                    "VM_BRAKE_PRESSURE" => Some("MAX PEDAL FORCE"),
                    "VM_OIL_RADIATOR" => Some("OIL RADIATOR COVER"),
                    "VM_WATER_RADIATOR" => Some("WATER RADIATOR COVER"),
                    "VM_STEER_LOCK" => Some("Wheel Range (Lock)"),
                    _ => None,
                };
                if let Some(caption) = caption {
                    shown["caption"] = json!(caption);
                }
                (item.key.clone(), shown)
            })
            .collect()
    }

    fn text(&self, item: &Item, value: i64) -> String {
        let number = value as f64;
        match item.show {
            Show::Fixed(text) => text.to_owned(),
            Show::Number { offset, step, decimals, unit } => format!("{:.decimals$}{unit}", offset + number * step),
            Show::Prefixed(prefix) => format!("{prefix}{value}"),
            Show::Click if value == 0 => "1 (soft)".to_owned(),
            Show::Click if value == item.max - 1 => format!("{} (hard)", value + 1),
            Show::Click => format!("{}", value + 1),
            Show::Balance => {
                let rear = 50.5 - 0.5 * number;
                format!("{:.1}:{rear:.1}", 100.0 - rear)
            }
            Show::PedalForce => format!("{} kgf ({}%)", 40 + value, (40 + value) * 100 / 120),
            Show::Options(names) => names[value as usize].to_owned(),
            Show::Energy => format!("{value}% ({:.1} laps)", number / 100.0 * self.tank_l / self.fuel_per_lap_l),
            Show::FuelRatio => format!("{:.2}", 0.05 + number * 0.01),
            Show::FuelTank => format!("{:.1}L ({:.1} laps)", self.tank_l, self.tank_l / self.fuel_per_lap_l),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_shows_in_text_and_in_the_car() {
        let mut setup = Setup::new(Class::Hyper);
        assert_eq!(setup.texts()["WM_PRESSURE-W_FL"], "139 kPa");
        assert!(!setup.unsaved());
        setup.change("WM_PRESSURE-W_FL", 9).unwrap();
        assert_eq!(setup.texts()["WM_PRESSURE-W_FL"], "144 kPa");
        assert_eq!(setup.pressures_kpa(), [144.0, 137.0, 142.0, 140.0]);
        assert!(setup.unsaved());
    }

    #[test]
    fn brake_balance_in_text_and_in_the_car_agree() {
        let mut setup = Setup::new(Class::Hyper);
        assert_eq!(setup.texts()["VM_BRAKE_BALANCE"], "55.0:45.0");
        assert!((setup.rear_brake_share() - 0.45).abs() < 1e-9);
        setup.change("VM_BRAKE_BALANCE", 15).unwrap();
        assert_eq!(setup.texts()["VM_BRAKE_BALANCE"], "57.0:43.0");
        assert!((setup.rear_brake_share() - 0.43).abs() < 1e-9);
    }

    #[test]
    fn a_wrong_setting_is_named() {
        let mut setup = Setup::new(Class::Gt3);
        assert_eq!(
            setup.change("VM_NOPE", 1).unwrap_err().to_string(),
            "no setting is called `VM_NOPE`; `GET /state` lists them"
        );
        assert_eq!(
            setup.change("VM_REAR_WING", 18).unwrap_err().to_string(),
            "`VM_REAR_WING` goes from 0 to 17, not 18"
        );
    }
}
