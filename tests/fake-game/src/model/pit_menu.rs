//! The pit menu: what the driver (or `loadPitMenu`) has chosen for the next stop.
//!
//! The game changes it by itself: it goes back to its defaults after each stop, and the laps behind each percentage follow
//! the consumption. The row `TIRES:` is only for show; the four corners decide.

use serde_json::{Value, json};

use super::car::{Car, Compound};

#[derive(Debug, Clone)]
struct Row {
    pmc: i64,
    name: &'static str,
    current: usize,
    default: usize,
    options: Vec<Value>,
}

/// Rows in the order of the screen.
#[derive(Debug, Clone)]
pub(crate) struct PitMenu {
    rows: Vec<Row>,
    energy_laps_per_percent: f64,
}

pub(crate) const ENERGY: i64 = 5;
pub(crate) const DRIVER: i64 = 4;
const FIRST_TYRE: i64 = 12;

impl PitMenu {
    pub(crate) fn new(car: &Car, cold_kpa: [f64; 4]) -> Self {
        let mut menu = Self { rows: Vec::new(), energy_laps_per_percent: 0.0 };
        menu.rebuild(car, cold_kpa);
        menu
    }

    /// Back to the defaults, with the driver who is in the car now first.
    pub(crate) fn rebuild(&mut self, car: &Car, cold_kpa: [f64; 4]) {
        let text = |text: String| json!({ "text": text });
        let drivers: Vec<Value> = car.entry.drivers.iter().map(|driver| text(driver.name.clone())).collect();
        let tyres = || -> Vec<Value> {
            let mut options = vec![json!({ "text": "No Change" })];
            for kind in ["Medium", "Hard", "Wet"] {
                options.push(json!({ "isUsed": false, "text": format!("New {kind} "), "type": kind }));
            }
            options.push(json!({ "isUsed": true, "text": "Used Medium  4%", "type": "Medium" }));
            options.push(json!({ "isUsed": true, "text": "Used Hard  2%", "type": "Hard" }));
            options
        };
        let relative = |names: Vec<String>, at: usize| -> Vec<Value> {
            names
                .iter()
                .enumerate()
                .map(|(i, name)| {
                    let change = i as i64 - at as i64;
                    text(if change == 0 { name.clone() } else { format!("{name} ({change:+})") })
                })
                .collect()
        };
        let row = |pmc, name, at: usize, options| Row { pmc, name, current: at, default: at, options };
        let mut rows =
            vec![row(1, "DAMAGE:", 0, vec![text("N/A".to_owned())]), row(DRIVER, "DRIVER:", car.driver, drivers)];
        if car.has_energy() {
            rows.push(row(ENERGY, "VIRTUAL ENERGY:", 100, Vec::new()));
            rows.push(row(
                6,
                "FUEL RATIO:",
                92,
                (5..=115).map(|n| text(format!("{:.2}", f64::from(n) / 100.0))).collect(),
            ));
        } else {
            rows.push(row(ENERGY, "FUEL:", car.spec().tank_l as usize, Vec::new()));
        }
        rows.push(row(7, "TIRES:", 0, tyres()));
        for (i, name) in ["FL TIRE:", "FR TIRE:", "RL TIRE:", "RR TIRE:"].into_iter().enumerate() {
            rows.push(row(FIRST_TYRE + i as i64, name, 0, tyres()));
        }
        rows.push(row(19, "R WING:", 12, relative((1..=18).map(|n| format!("P{n}")).collect(), 12)));
        rows.push(row(21, "GRILLE:", 0, relative((1..=5).map(|n| n.to_string()).collect(), 0)));
        for (i, name) in ["FL PRESS:", "FR PRESS:", "RL PRESS:", "RR PRESS:"].into_iter().enumerate() {
            let at = (cold_kpa[i] - 135.0).clamp(0.0, 35.0) as usize;
            rows.push(row(24 + i as i64, name, at, relative((135..=170).map(|n| n.to_string()).collect(), at)));
        }
        rows.push(row(32, "REPLACE BRAKES:", 0, vec![text("No".to_owned()), text("Yes".to_owned())]));
        self.rows = rows;
        self.energy_laps_per_percent = 0.0;
        self.follow_consumption(car);
    }

    /// Writes the laps that each amount of energy is good for, when the consumption has changed.
    pub(crate) fn follow_consumption(&mut self, car: &Car) {
        let per_unit_l = car.spec().energy_l.map_or(1.0, |whole| whole / 100.0);
        let laps_per_unit = per_unit_l / car.fuel_per_lap_l.max(0.05);
        if (laps_per_unit - self.energy_laps_per_percent).abs() < 1e-6 {
            return;
        }
        self.energy_laps_per_percent = laps_per_unit;
        let laps = |units: usize| (units as f64 * laps_per_unit) as u32;
        if let Some(row) = self.rows.iter_mut().find(|row| row.pmc == ENERGY) {
            row.options = if car.has_energy() {
                (0..=100).map(|n| json!({ "text": format!("{n}% {} laps", laps(n)) })).collect()
            } else {
                (0..=car.spec().tank_l as usize).map(|n| json!({ "text": format!("{n}l/{} laps", laps(n)) })).collect()
            };
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        self.rows
            .iter()
            .map(|row| {
                json!({ "PMC Value": row.pmc, "currentSetting": row.current, "default": row.default, "name": row.name, "settings": row.options })
            })
            .collect()
    }

    /// Takes over `currentSetting` of each row; all or nothing.
    pub(crate) fn load(&mut self, body: &Value) -> Result<(), String> {
        let given = body.as_array().ok_or("the pit menu must be an array of rows")?;
        let mut wanted = Vec::new();
        for (n, row) in given.iter().enumerate() {
            let pmc = row["PMC Value"].as_i64().ok_or_else(|| format!("row {n} has no `PMC Value`"))?;
            let at = self
                .rows
                .iter()
                .position(|known| known.pmc == pmc)
                .ok_or_else(|| format!("no row has PMC Value {pmc}"))?;
            let setting =
                row["currentSetting"].as_u64().ok_or_else(|| format!("row {n} has no `currentSetting`"))? as usize;
            if setting >= self.rows[at].options.len() {
                return Err(format!("row {n} has no setting {setting}"));
            }
            wanted.push((at, setting));
        }
        for (at, setting) in wanted {
            self.rows[at].current = setting;
        }
        Ok(())
    }

    pub(crate) fn chosen(&self, pmc: i64) -> usize {
        self.rows.iter().find(|row| row.pmc == pmc).map_or(0, |row| row.current)
    }

    pub(crate) fn choose(&mut self, pmc: i64, setting: usize) {
        if let Some(row) = self.rows.iter_mut().find(|row| row.pmc == pmc && setting < row.options.len()) {
            row.current = setting;
        }
    }

    /// New tyres all round, also in the row that is only for show.
    pub(crate) fn choose_new_tyres(&mut self, compound: Compound) {
        let setting = match compound {
            Compound::Medium => 1,
            Compound::Hard => 2,
            Compound::Wet => 3,
        };
        self.choose(7, setting);
        for corner in 0..4 {
            self.choose(FIRST_TYRE + corner, setting);
        }
    }

    /// What the corners say; a mixture counts as what the front left says.
    pub(crate) fn tyres(&self) -> Option<Compound> {
        match self.chosen(FIRST_TYRE) {
            1 | 4 => Some(Compound::Medium),
            2 | 5 => Some(Compound::Hard),
            3 => Some(Compound::Wet),
            _ => None,
        }
    }
}
