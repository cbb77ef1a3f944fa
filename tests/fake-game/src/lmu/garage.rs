//! Bodies about the player's own car: setup, pit stop, condition.
//!
//! Arrays by corner are in the order FL, FR, RL, RR.

use serde_json::{Value, json};

use crate::model::pit::{
    DRIVER_CHANGE_S, ENERGY_FILL_PER_S, FOUR_TYRES_S, FUEL_FILL_L_PER_S, FUEL_INSERT_S, FUEL_REMOVE_S,
};
use crate::model::pit_menu;
use crate::model::setup::Setup;
use crate::model::world::World;

/// What 100 % of virtual energy is in the game's own unit.
const WHOLE_ENERGY: f64 = 8.5e8;

pub(crate) fn setup_overview(world: &World) -> Value {
    json!({
        "carPresetSetups": { "presets": [
            { "translated": "fast", "unTranslated": "fast" },
            { "translated": "balanced", "unTranslated": "balanced" },
            { "translated": "safe", "unTranslated": "safe" },
        ] },
        "carSetup": { "garageValues": garage_data(world, &world.setup) },
        "currentWeather": current_weather(world),
        "racePosition": race_position(world),
        "sessionTime": session_time(world),
        "teamInfo": team_info(world),
        "weatherForecast": forecast(world),
    })
}

/// The settings, and two values that are none: a reader has to step over them.
pub(crate) fn garage_data(world: &World, setup: &Setup) -> Value {
    let mut values = setup.garage_values();
    let spec = world.player_car().spec();
    values.insert(
        "gearGraph".to_owned(),
        json!({
            "kiloRPM": spec.gear_speeds_kmh.iter().map(|_| spec.max_rpm / 1_000.0).collect::<Vec<_>>(),
            "numForwardGears": spec.gear_speeds_kmh.len(),
            "topSpeed": spec.gear_speeds_kmh,
            "unit": "kph",
        }),
    );
    values.insert("symmetric".to_owned(), json!(true));
    Value::Object(values)
}

fn current_weather(world: &World) -> Value {
    let weather = &world.weather;
    json!({
        "airPressure": 99.0,
        "ambientTempKelvin": weather.ambient_c + 273.15,
        "cloudCoverage": weather.cloud,
        "humidity": 0.5,
        "lightLevel": 1.0 - 0.5 * weather.cloud,
        "rainIntensity": weather.rain,
        "raining": weather.rain,
        "trackTempKelvin": weather.track_c + 273.15,
    })
}

fn race_position(world: &World) -> Value {
    let car = world.player_car();
    let class: Vec<usize> =
        world.cars.iter().filter(|other| other.entry.class == car.entry.class).map(|other| other.position).collect();
    let ahead = class.iter().filter(|position| **position < car.position).count();
    json!({
        "gapToFirstInClassLaps": car.gaps.laps_to_leader,
        "gapToFirstInClassTime": car.gaps.to_leader_s,
        "gapToLastInClassLaps": 0,
        "gapToLastInClassTime": car.gaps.behind_s,
        "placeInClass": ahead + 1,
        "placeOverall": car.position,
    })
}

fn session_time(world: &World) -> Value {
    json!({ "timeOfDay": world.session.start_of_day_s + world.session.now_s() })
}

/// Names as arrays of bytes, as the game gives them.
fn team_info(world: &World) -> Value {
    let entry = &world.player_car().entry;
    let name = |text: &str| {
        let mut bytes = text.as_bytes().to_vec();
        bytes.resize(32, 0);
        bytes
    };
    json!({
        "driverNames": entry.drivers.iter().map(|driver| name(&driver.name)).collect::<Vec<_>>(),
        "teamName": entry.team,
        "vehicleName": entry.vehicle_name,
    })
}

fn forecast(world: &World) -> Value {
    let start = (world.session.start_of_day_s / 60.0) as u32;
    let five = |value: f64| vec![value.round(); 5];
    json!({ "nodes": {
        "Duration": [30, 30, 30, 30, 30],
        "Humidity": [60, 60, 60, 60, 60],
        "RainChance": five(world.weather.rain * 100.0),
        "Sky": five(f64::from(world.weather.cloud_coverage())),
        "StartTime": (0..5).map(|i| start + 30 * i).collect::<Vec<_>>(),
        "Temperature": five(world.weather.ambient_c),
        "WindDirection": [5, 5, 5, 5, 5],
        "WindSpeed": [13, 12, 11, 11, 7],
    } })
}

pub(crate) fn summary(world: &World) -> Value {
    json!({ "activeSetup": world.setup.name, "unsavedChanges": world.setup.unsaved(), "track": { "id": "serra_do_vento_2026" } })
}

/// Level after the stop as the pit menu has it: litres, and the share of virtual energy.
fn chosen_level(world: &World) -> (f64, f64) {
    let (car, chosen) = (world.player_car(), world.pit_menu.chosen(pit_menu::ENERGY) as f64);
    match car.spec().energy_l {
        Some(whole_l) => (chosen / 100.0 * whole_l, chosen / 100.0),
        None => (chosen, 0.0),
    }
}

pub(crate) fn stop_estimate(world: &World) -> Value {
    let car = world.player_car();
    let (litres, energy) = chosen_level(world);
    let work = |seconds: f64| if seconds > 0.0 { FUEL_INSERT_S + seconds + FUEL_REMOVE_S } else { 0.0 };
    let (fuel_s, energy_s) = if car.has_energy() {
        (0.0, work((energy - car.energy) / ENERGY_FILL_PER_S))
    } else {
        (work((litres - car.fuel_l) / FUEL_FILL_L_PER_S), 0.0)
    };
    let tyres_s = if world.pit_menu.tyres().is_some() { FOUR_TYRES_S } else { 0.0 };
    let swap_s = if world.pit_menu.chosen(pit_menu::DRIVER) == car.driver { 0.0 } else { DRIVER_CHANGE_S };
    json!({
        "fuel": fuel_s, "tires": tyres_s, "brakes": 0.0, "brakeDucts": 0.0, "damage": 0.0, "driverSwap": swap_s, "penalties": 0.0,
        "ve": energy_s, "total": (fuel_s + energy_s + tyres_s).max(swap_s),
    })
}

fn wearables(world: &World) -> Value {
    let car = world.player_car();
    let by_corner = |value: fn(&crate::model::car::Corner) -> f64| car.corners.iter().map(value).collect::<Vec<_>>();
    json!({
        "body": { "aero": if car.dents.iter().any(|dent| *dent > 0) { 0.96 } else { 1.0 }, "detachableParts": [] },
        "brakes": by_corner(|corner| corner.disc_m),
        "suspension": [0.0, 0.0, 0.0, 0.0],
        "tires": by_corner(|corner| corner.tread),
    })
}

pub(crate) fn repair_and_refuel(world: &World) -> Value {
    let car = world.player_car();
    let whole = if car.has_energy() { WHOLE_ENERGY } else { 0.0 };
    json!({
        "currentWeather": current_weather(world),
        "fuelInfo": {
            "currentBattery": car.battery * 3.0e6, "currentFuel": car.fuel_l, "currentVirtualEnergy": car.energy * whole,
            "maxBattery": 3.0e6, "maxFuel": car.spec().tank_l, "maxVirtualEnergy": whole,
        },
        "pitMenu": { "pitMenu": world.pit_menu.to_json() },
        "pitRecommendations": {},
        "pitStopLength": { "timeInSeconds": stop_estimate(world)["total"] },
        "pitStopTimes": { "times": stop_times() },
        "racePosition": race_position(world),
        "sessionTime": session_time(world),
        "teamInfo": team_info(world),
        "wearables": wearables(world),
        "weatherForecast": forecast(world),
    })
}

fn stop_times() -> Value {
    json!({
        "FuelFillRate": FUEL_FILL_L_PER_S, "FuelInsert": FUEL_INSERT_S, "FuelRemove": FUEL_REMOVE_S, "FuelRandomDelay": 0.0,
        "FuelTimeConcurrent": false, "virtualEnergyFillRate": ENERGY_FILL_PER_S, "virtualEnergyInsert": FUEL_INSERT_S,
        "virtualEnergyRemove": FUEL_REMOVE_S, "virtualEnergyRandomDelay": 0.0, "virtualEnergyTimeConcurrent": false,
        "TwoTireChange": FOUR_TYRES_S / 2.0, "FourTireChange": FOUR_TYRES_S, "RandomTireDelay": 0.0, "TireTimeConcurrent": false,
        "PressureChange": 0.0, "FixAeroDamage": 20.0, "FixAllDamage": 60.0, "FixRandomDelay": 0.0, "FixTimeConcurrent": false,
        "DriverChange": DRIVER_CHANGE_S, "DriverRandom": 0.0, "DriverConcurrent": true, "FrontWingAdjust": 5.0, "RearWingAdjust": 5.0,
        "RadiatorChange": 5.0, "BrakeChange": 30.0, "RandomBrakeDelay": 0.0, "BrakeTimeConcurrent": false,
    })
}

pub(crate) fn tyre_management(world: &World) -> Value {
    let car = world.player_car();
    let energy_per_lap = car.spec().energy_l.map_or(0.0, |whole| car.fuel_per_lap_l / whole);
    json!({
        "expectedUsage": {
            "fuelConsumption": car.fuel_per_lap_l, "fuelFractionPerLap": car.fuel_per_lap_l / car.spec().tank_l,
            "virtualEnergyConsumption": energy_per_lap * WHOLE_ENERGY, "virtualEnergyFractionPerLap": energy_per_lap,
        },
        "optimalCompoundConditions": { "compounds": [
            { "type": "Medium", "optimalTemperature": car.spec().optimal_tyre_c },
            { "type": "Hard", "optimalTemperature": car.spec().optimal_tyre_c + 8.0 },
            { "type": "Wet", "optimalTemperature": 55.0 },
        ] },
        "tireInventory": { "maxAvailableTires": 26, "newTires": 22 },
        "wheelInfo": { "wheelLocs": [0, 1, 2, 3] },
        "wearables": wearables(world),
    })
}

pub(crate) fn condition(world: &World) -> Value {
    let car = world.player_car();
    json!({
        "brakeCondition": car.corners.iter().map(|corner| corner.disc_m).collect::<Vec<_>>(),
        "fuel": car.fuel_l,
        "fuelCapacity": car.spec().tank_l,
        "suspensionDamage": [0.0, 0.0, 0.0, 0.0],
        "tireCondition": car.corners.iter().map(|corner| corner.tread).collect::<Vec<_>>(),
        "vehicleDamage": 0.0,
    })
}

pub(crate) fn teams(world: &World) -> Value {
    let entry = &world.player_car().entry;
    let drivers: serde_json::Map<String, Value> = entry
        .drivers
        .iter()
        .map(|driver| (driver.name.clone(), json!({ "name": driver.name, "team": entry.team })))
        .collect();
    json!({ "drivers": drivers, "teams": { "utid0": { "name": entry.team, "vehicle": entry.vehicle_name } } })
}
