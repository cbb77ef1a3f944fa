//! The setup of the own car, as the game's garage shows it.

use super::super::packet::CarSetup;
use onelap_protocol::setup::{Corner, Setup, SetupArea, SetupItem};

/// Whether it is one: setups that are not shown are blank.
#[must_use]
pub fn is_shown(setup: &CarSetup) -> bool {
    let floats = [
        setup.front_camber_deg,
        setup.rear_camber_deg,
        setup.front_toe_deg,
        setup.rear_toe_deg,
        setup.fuel_load_kg,
        setup.tyre_pressure_psi.fl,
        setup.tyre_pressure_psi.fr,
        setup.tyre_pressure_psi.rl,
        setup.tyre_pressure_psi.rr,
    ];
    setup.tyre_pressure_psi.fl > 0.0 && setup.brake_pressure_pct > 0 && floats.iter().all(|value| value.is_finite())
}

/// The setup in the protocol's form. Keys are the names of the game's specification.
#[must_use]
pub fn setup(from: &CarSetup) -> Setup {
    use SetupArea::{Aero, Alignment, Brakes, Driveline, Other, PowerUnit, Suspension, Tyres};
    let psi = &from.tyre_pressure_psi;
    let mut items = vec![
        step("frontWing", Aero, "Front wing", from.front_wing),
        step("rearWing", Aero, "Rear wing", from.rear_wing),
        percent("onThrottle", Driveline, "Differential on throttle", from.differential_on_throttle_pct),
        percent("offThrottle", Driveline, "Differential off throttle", from.differential_off_throttle_pct),
        percent("engineBraking", Driveline, "Engine braking", from.engine_braking_pct),
        item("frontCamber", Alignment, "Front camber", format!("{:.2}°", from.front_camber_deg)),
        item("rearCamber", Alignment, "Rear camber", format!("{:.2}°", from.rear_camber_deg)),
        item("frontToe", Alignment, "Front toe", format!("{:.2}°", from.front_toe_deg)),
        item("rearToe", Alignment, "Rear toe", format!("{:.2}°", from.rear_toe_deg)),
        step("frontSuspension", Suspension, "Front suspension", from.front_suspension),
        step("rearSuspension", Suspension, "Rear suspension", from.rear_suspension),
        step("frontAntiRollBar", Suspension, "Front anti-roll bar", from.front_anti_roll_bar),
        step("rearAntiRollBar", Suspension, "Rear anti-roll bar", from.rear_anti_roll_bar),
        step("frontSuspensionHeight", Suspension, "Front ride height", from.front_ride_height),
        step("rearSuspensionHeight", Suspension, "Rear ride height", from.rear_ride_height),
        percent("brakePressure", Brakes, "Brake pressure", from.brake_pressure_pct),
        percent("brakeBias", Brakes, "Front brake bias", from.brake_bias_pct),
        pressure("frontLeftTyrePressure", Corner::Fl, psi.fl),
        pressure("frontRightTyrePressure", Corner::Fr, psi.fr),
        pressure("rearLeftTyrePressure", Corner::Rl, psi.rl),
        pressure("rearRightTyrePressure", Corner::Rr, psi.rr),
        step("ballast", Other, "Ballast", from.ballast),
        item("fuelLoad", PowerUnit, "Fuel load", format!("{:.1} kg", from.fuel_load_kg)),
    ];
    debug_assert!(items.iter().filter(|item| item.corner.is_some()).all(|item| item.area == Tyres));
    items.sort_by(|a, b| (a.area, &a.label, a.corner).cmp(&(b.area, &b.label, b.corner)));
    Setup { name: None, items }
}

fn item(key: &str, area: SetupArea, label: &str, text: String) -> SetupItem {
    SetupItem { key: key.to_owned(), area, label: label.to_owned(), corner: None, text, step: None }
}

fn step(key: &str, area: SetupArea, label: &str, value: u8) -> SetupItem {
    SetupItem { step: Some(value.into()), ..item(key, area, label, value.to_string()) }
}

fn percent(key: &str, area: SetupArea, label: &str, value: u8) -> SetupItem {
    item(key, area, label, format!("{value} %"))
}

fn pressure(key: &str, corner: Corner, psi: f32) -> SetupItem {
    SetupItem { corner: Some(corner), ..item(key, SetupArea::Tyres, "Tyre pressure", format!("{psi:.1} psi")) }
}
