//! A snapshot of the garage settings.

use serde::{Deserialize, Serialize};

/// Where on the car a setting belongs. The dashboards group by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SetupArea {
    /// Fuel, energy, engine and hybrid maps.
    PowerUnit,
    /// TC, ABS, differential, gearing.
    Driveline,
    /// Brake bias, migration, ducts, discs.
    Brakes,
    /// Wings, grille, splitter.
    Aero,
    /// Springs, dampers, anti-roll bars, ride height.
    Suspension,
    /// Pressures and compounds.
    Tyres,
    /// Camber, toe, caster, steering.
    Alignment,
    /// Everything that is not known to belong elsewhere.
    Other,
}

/// A corner of the car.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Corner {
    /// Front left.
    Fl,
    /// Front right.
    Fr,
    /// Rear left.
    Rl,
    /// Rear right.
    Rr,
}

/// One setting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SetupItem {
    /// The game's own name (`VM_BRAKE_BALANCE`, `WM_PRESSURE-W_FL`), unique in the setup.
    pub key: String,
    /// Where it belongs.
    pub area: SetupArea,
    /// The name for people, without the corner ("Brake bias").
    pub label: String,
    /// The corner, for settings that exist once a wheel.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub corner: Option<Corner>,
    /// The value as the game shows it, unit included ("55.0:45.0", "148 kPa").
    pub text: String,
    /// The game's step index, where it gives one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub step: Option<i32>,
}

/// A snapshot of the garage settings. Two setups with the same items (key and text) are the same setup.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Setup {
    /// The name of the loaded setup file, where the game tells it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// The settings, in the order of (area, label, corner).
    pub items: Vec<SetupItem>,
}
