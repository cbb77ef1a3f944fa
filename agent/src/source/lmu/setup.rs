//! The garage settings as a [`Setup`](onelap_protocol::setup::Setup): which of the game's entries say something, where on
//! the car they belong, and what people call them.
//!
//! Not settings, and left out: entries the car does not have ("N/A", "Non-adjustable", a detached helper spring), and the
//! laps that the game works out for an amount of fuel ("97.0L (43.6 laps)"), which change without anybody touching it.

use super::bodies::clip;
use onelap_protocol::setup::{Corner, SetupArea, SetupItem};
use serde_json::Value;

/// More settings than any car has.
const MOST: usize = 500;

/// The settings of a map `key → {available, stringValue, value, …}`, in the order of (area, label, corner).
#[must_use]
pub fn items(values: &Value) -> Vec<SetupItem> {
    let mut items: Vec<SetupItem> =
        values.as_object().into_iter().flatten().take(MOST).filter_map(|(key, entry)| item(key, entry)).collect();
    items.sort_by(|a, b| (a.area, &a.label, a.corner, &a.key).cmp(&(b.area, &b.label, b.corner, &b.key)));
    items
}

fn item(key: &str, entry: &Value) -> Option<SetupItem> {
    if entry.get("available").and_then(Value::as_bool) == Some(false) || key.len() > 80 {
        return None;
    }
    let (name, corner) = split_corner(key);
    let text = setting(name, entry.get("stringValue")?.as_str()?)?;
    let caption = || unknown_label(name, entry.get("caption").and_then(Value::as_str));
    let (area, label) = match known(name) {
        Some((area, "")) => (area, caption()),
        Some((area, label)) => (area, label.to_owned()),
        None => (SetupArea::Other, caption()),
    };
    let step = entry.get("value").and_then(Value::as_i64).and_then(|step| i32::try_from(step).ok());
    Some(SetupItem { key: key.to_owned(), area, label, corner, text, step })
}

/// `WM_PRESSURE-W_FL` is `WM_PRESSURE` at the front left.
fn split_corner(key: &str) -> (&str, Option<Corner>) {
    let Some((name, wheel)) = key.split_once("-W_") else { return (key, None) };
    match wheel {
        "FL" => (name, Some(Corner::Fl)),
        "FR" => (name, Some(Corner::Fr)),
        "RL" => (name, Some(Corner::Rl)),
        "RR" => (name, Some(Corner::Rr)),
        _ => (key, None),
    }
}

/// The value as the game shows it; absent where it is no setting.
fn setting(name: &str, text: &str) -> Option<String> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let without_laps = text.strip_suffix("laps)").and_then(|head| head.rfind('(').map(|at| head[..at].trim_end()));
    let text = without_laps.unwrap_or(&text);
    let is_helper = name.contains("TENDERSPRING") || name.contains("SRUBBER");
    let is_none = matches!(text, "" | "N/A" | "Non-adjustable") || (text == "Detached" && is_helper);
    (!is_none).then(|| clip(text, 120).to_owned())
}

/// A label from the game's caption or, without one, from the key: `VM_NEW_THING` becomes "New thing".
fn unknown_label(name: &str, caption: Option<&str>) -> String {
    let caption = caption.map(str::trim).filter(|caption| !caption.is_empty());
    let bare = name.strip_prefix("VM_").or_else(|| name.strip_prefix("WM_")).unwrap_or(name);
    let words = caption.unwrap_or(bare).replace('_', " ").to_lowercase();
    let side = match bare {
        _ if caption.is_none() => "",
        left if left.starts_with("LEFT_") => " left",
        right if right.starts_with("RIGHT_") => " right",
        _ => "",
    };
    let mut letters = words.trim().chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    clip(&format!("{first}{}{side}", letters.as_str()), 120).to_owned()
}

/// Area and label of a known setting; an empty label leaves it to the game's caption.
fn known(name: &str) -> Option<(SetupArea, &'static str)> {
    let tables = [
        (SetupArea::PowerUnit, POWER_UNIT),
        (SetupArea::Driveline, DRIVELINE),
        (SetupArea::Brakes, BRAKES),
        (SetupArea::Aero, AERO),
        (SetupArea::Suspension, SUSPENSION),
        (SetupArea::Tyres, TYRES),
        (SetupArea::Alignment, ALIGNMENT),
        (SetupArea::Other, OTHER),
    ];
    tables
        .into_iter()
        .find_map(|(area, table)| table.iter().find(|(key, _)| *key == name).map(|(_, label)| (area, *label)))
}

type Table = &'static [(&'static str, &'static str)];

const POWER_UNIT: Table = &[
    ("VM_VIRTUAL_ENERGY", "Virtual energy"),
    ("VM_FUEL_CAPACITY", "Fuel"),
    ("VM_FUEL_LEVEL", "Fuel ratio"),
    ("VM_ELECTRIC_MOTOR_MAP", "Electric motor map"),
    ("VM_REGEN_LEVEL", "Regeneration"),
    ("VM_ENGINE_MIXTURE", "Engine mixture"),
    ("VM_ENGINE_BOOST", "Engine boost"),
    ("VM_ENGINE_BRAKEMAP", "Engine braking"),
    ("VM_REV_LIMITER", "Rev limit"),
    ("VM_WATER_RADIATOR", "Water radiator cover"),
    ("VM_OIL_RADIATOR", "Oil radiator cover"),
];

const DRIVELINE: Table = &[
    ("VM_TRACTION_CONTROL", "Traction control"),
    ("VM_TRACTIONCONTROLMAP", "TC map"),
    ("VM_TRACTIONCONTROLPOWERCUTMAP", "TC power cut"),
    ("VM_TRACTIONCONTROLSLIPANGLEMAP", "TC slip angle"),
    ("VM_DIFF_PRELOAD", "Differential preload"),
    ("VM_DIFF_POWER", "Differential power"),
    ("VM_DIFF_COAST", "Differential coast"),
    ("VM_DIFF_PUMP", "Differential pump"),
    ("VM_FRONT_DIFF_PRELOAD", "Front differential preload"),
    ("VM_FRONT_DIFF_POWER", "Front differential power"),
    ("VM_FRONT_DIFF_COAST", "Front differential coast"),
    ("VM_FRONT_DIFF_PUMP", "Front differential pump"),
    ("VM_TORQUE_SPLIT", "Torque split"),
    ("VM_RATIO_SET", "Gear ratios"),
    ("VM_GEAR_FINAL", "Final drive"),
    ("VM_GEAR_REVERSE", "Gear R"),
    ("VM_GEAR_1", "Gear 1"),
    ("VM_GEAR_2", "Gear 2"),
    ("VM_GEAR_3", "Gear 3"),
    ("VM_GEAR_4", "Gear 4"),
    ("VM_GEAR_5", "Gear 5"),
    ("VM_GEAR_6", "Gear 6"),
    ("VM_GEAR_7", "Gear 7"),
    ("VM_GEAR_8", "Gear 8"),
    ("VM_GEAR_9", "Gear 9"),
    ("VM_GEAR_AUTOUPSHIFT", "Automatic upshift"),
    ("VM_GEAR_AUTODOWNSHIFT", "Automatic downshift"),
    ("VM_GEAR_UPSHIFT_RPM_1", "Upshift from gear 1"),
    ("VM_GEAR_UPSHIFT_RPM_2", "Upshift from gear 2"),
    ("VM_GEAR_UPSHIFT_RPM_3", "Upshift from gear 3"),
    ("VM_GEAR_UPSHIFT_RPM_4", "Upshift from gear 4"),
    ("VM_GEAR_UPSHIFT_RPM_5", "Upshift from gear 5"),
    ("VM_GEAR_UPSHIFT_RPM_6", "Upshift from gear 6"),
    ("VM_GEAR_UPSHIFT_RPM_7", "Upshift from gear 7"),
    ("VM_GEAR_UPSHIFT_RPM_8", "Upshift from gear 8"),
];

const BRAKES: Table = &[
    ("VM_BRAKE_BALANCE", "Brake bias"),
    ("VM_BRAKE_MIGRATION", "Brake migration"),
    ("VM_BRAKE_PRESSURE", "Brake pressure"),
    ("VM_BRAKE_DUCTS", "Brake ducts front"),
    ("VM_BRAKE_DUCTS_REAR", "Brake ducts rear"),
    ("VM_ANTILOCK_BRAKES", "ABS"),
    ("VM_ANTILOCKBRAKESYSTEMMAP", "ABS map"),
    ("VM_HANDBRAKE_PRESSURE", "Handbrake pressure"),
    ("VM_HANDFRONTBRAKE_PRESSURE", "Handbrake pressure front"),
    ("WM_BRAKEDISC", "Brake disc"),
    ("WM_BRAKEPAD", "Brake pad"),
];

const AERO: Table = &[
    ("VM_FRONT_WING", "Front wing"),
    ("VM_REAR_WING", "Rear wing"),
    // Dive planes on some cars, as the caption says.
    ("VM_LEFT_FENDER_FLARE", ""),
    ("VM_RIGHT_FENDER_FLARE", ""),
];

const SUSPENSION: Table = &[
    ("VM_FRONT_ANTISWAY", "Anti-roll bar front"),
    ("VM_REAR_ANTISWAY", "Anti-roll bar rear"),
    ("WM_RIDEHEIGHT", "Ride height"),
    ("WM_SPRING", "Spring"),
    ("WM_SRUBBER", "Spring rubber"),
    ("WM_TENDERSPRING", "Tender spring"),
    ("WM_TENDERSPRINGTRAVEL", "Tender spring travel"),
    ("WM_PACKERS", "Packers"),
    ("WM_SLOWBUMP", "Slow bump"),
    ("WM_SLOWREBOUND", "Slow rebound"),
    ("WM_FASTBUMP", "Fast bump"),
    ("WM_FASTREBOUND", "Fast rebound"),
    ("VM_FRONT_3RD_SPRING", "Third spring front"),
    ("VM_FRONT_3RD_PACKERS", "Third packers front"),
    ("VM_FRONT_3RD_TENDERSPRING", "Third tender spring front"),
    ("VM_FRONT_3RD_TENDERSPRINGTRAVEL", "Third tender spring travel front"),
    ("VM_FRONT_3RD_SLOWBUMP", "Third slow bump front"),
    ("VM_FRONT_3RD_SLOWREBOUND", "Third slow rebound front"),
    ("VM_FRONT_3RD_FASTBUMP", "Third fast bump front"),
    ("VM_FRONT_3RD_FASTREBOUND", "Third fast rebound front"),
    ("VM_REAR_3RD_SPRING", "Third spring rear"),
    ("VM_REAR_3RD_PACKERS", "Third packers rear"),
    ("VM_REAR_3RD_TENDERSPRING", "Third tender spring rear"),
    ("VM_REAR_3RD_TENDERSPRINGTRAVEL", "Third tender spring travel rear"),
    ("VM_REAR_3RD_SLOWBUMP", "Third slow bump rear"),
    ("VM_REAR_3RD_SLOWREBOUND", "Third slow rebound rear"),
    ("VM_REAR_3RD_FASTBUMP", "Third fast bump rear"),
    ("VM_REAR_3RD_FASTREBOUND", "Third fast rebound rear"),
    ("VM_LEFT_TRACK_BAR", "Track bar left"),
    ("VM_RIGHT_TRACK_BAR", "Track bar right"),
];

const TYRES: Table = &[
    ("WM_PRESSURE", "Pressure"),
    ("WM_COMPOUND", "Compound"),
    ("VM_FRONT_TIRE_COMPOUND", "Compound front"),
    ("VM_REAR_TIRE_COMPOUND", "Compound rear"),
];

const ALIGNMENT: Table = &[
    ("WM_CAMBER", "Camber"),
    ("VM_FRONT_TOEIN", "Toe front"),
    ("VM_REAR_TOEIN", "Toe rear"),
    ("VM_FRONT_TOEOFFSET", "Toe offset front"),
    ("VM_REAR_TOEOFFSET", "Toe offset rear"),
    ("VM_LEFT_CASTER", "Caster left"),
    ("VM_RIGHT_CASTER", "Caster right"),
    ("VM_STEER_LOCK", "Steering lock"),
    ("VM_FRONT_WHEEL_TRACK", "Track width front"),
    ("VM_REAR_WHEEL_TRACK", "Track width rear"),
];

const OTHER: Table = &[
    ("VM_WEIGHT_DISTRIB", "Weight distribution"),
    ("VM_WEIGHT_LATERAL", "Weight lateral"),
    ("VM_WEIGHT_VERTICAL", "Weight vertical"),
    ("VM_WEIGHT_WEDGE", "Wedge"),
    ("VM_NUM_PITSTOPS", "Planned stops"),
    ("VM_PITSTOP_1", "Fuel at stop 1"),
    ("VM_PITSTOP_2", "Fuel at stop 2"),
    ("VM_PITSTOP_3", "Fuel at stop 3"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn entries_that_say_nothing_are_left_out() {
        let entry = |text: &str| json!({"available": true, "stringValue": text, "value": 3});
        let values = json!({
            "VM_BRAKE_BALANCE": entry("55.0:45.0"),
            "VM_ENGINE_BOOST": entry("N/A"),
            "VM_NUM_PITSTOPS": entry(""),
            "WM_TENDERSPRING-W_FL": entry("Detached"),
            "VM_FRONT_ANTISWAY": entry("Detached"),
            "VM_GEAR_9": {"available": false, "stringValue": "2.0"},
            "gearGraph": {"kiloRPM": []},
            "symmetric": true,
        });
        let keys: Vec<_> = items(&values).into_iter().map(|item| item.key).collect();
        assert_eq!(keys, ["VM_BRAKE_BALANCE", "VM_FRONT_ANTISWAY"]);
    }

    #[test]
    fn corners_follow_each_other_within_a_label() {
        let entry = json!({"stringValue": " 135  kPa", "value": 0});
        let values = json!({
            "WM_PRESSURE-W_RR": entry, "WM_PRESSURE-W_FL": entry, "WM_PRESSURE-W_FR": entry, "WM_CAMBER-W_FL": entry,
        });
        let items = items(&values);
        let found: Vec<_> = items.iter().map(|item| (item.area, item.label.as_str(), item.corner)).collect();
        let (pressure, camber) = ((SetupArea::Tyres, "Pressure"), (SetupArea::Alignment, "Camber"));
        assert_eq!(
            found,
            [
                (pressure.0, pressure.1, Some(Corner::Fl)),
                (pressure.0, pressure.1, Some(Corner::Fr)),
                (pressure.0, pressure.1, Some(Corner::Rr)),
                (camber.0, camber.1, Some(Corner::Fl)),
            ]
        );
        assert_eq!((items[0].text.as_str(), items[0].step), ("135 kPa", Some(0)));
    }

    #[test]
    fn the_laps_that_fuel_lasts_are_no_setting() {
        assert_eq!(setting("VM_VIRTUAL_ENERGY", "100% (39.8 laps)").as_deref(), Some("100%"));
        assert_eq!(setting("VM_FUEL_CAPACITY", "97.0L (43.6 laps)").as_deref(), Some("97.0L"));
        assert_eq!(setting("VM_STEER_LOCK", "360 (13.3) deg").as_deref(), Some("360 (13.3) deg"));
        assert_eq!(setting("X", "laps)").as_deref(), Some("laps)"));
    }

    #[test]
    fn unknown_settings_get_a_readable_name() {
        assert_eq!(unknown_label("VM_NEW_THING", None), "New thing");
        assert_eq!(unknown_label("VM_LEFT_FENDER_FLARE", Some("DIVE PLANE")), "Dive plane left");
        assert_eq!(unknown_label("VM_LEFT_FENDER_FLARE", None), "Left fender flare");
        assert_eq!(unknown_label("", Some(" ")), "");
    }
}
