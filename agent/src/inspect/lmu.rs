//! An `LMU_Data` image as JSON: what one asks a user to send when the game has changed.
//!
//! `session`, `player` and `vehicles` are what the agent understands, in its own units; `as_written` are the player's
//! values as the game wrote them, zeros and wrong units included. Units are in the names of the fields.

use crate::source::lmu::image::{Car, Image, SIZE, Scoring, Wheel};
use crate::source::lmu::normalise::{self, Context};
use crate::source::lmu::{field, session, standings};
use onelap_protocol::Sample;
use onelap_protocol::channel::CHANNELS;
use serde_json::{Map, Value, json};

const CORNERS: [&str; 4] = ["fl", "fr", "rl", "rr"];

/// Decodes an image.
///
/// # Errors
/// Why it was refused.
pub fn inspect(bytes: &[u8]) -> Result<Value, String> {
    let image = Image::new(bytes).map_err(|error| error.to_string())?;
    let (vehicles, cars, version) = (image.scoring().num_vehicles(), image.car_count(), image.game_version());
    if version == 0 && vehicles == 0 && cars == 0 && image.scoring().track_name().is_empty() {
        return Err(format!(
            "{} bytes, but the game has written nothing into them (no version, no track, no car)",
            bytes.len()
        ));
    }
    let player = image.player_vehicle();
    let car = player.and_then(|player| image.car_of(player.id(), 0)).or_else(|| image.player_car());
    let known = player.map(|player| session::info(&image, &player, None, 0, None));
    let sample = player.zip(car).map(|(player, car)| {
        let context = Context {
            at_ms: 0,
            lap: Some(f64::from(field::current_lap(&player))),
            lap_distance_m: Some(player.lap_dist()),
            class_position: field::class_position(&image, &player),
            cars: image.vehicle_count(),
        };
        normalise::sample(&image, &player, &car, &context)
    });
    let field = standings::standings(&image, &[]);
    Ok(json!({
        "image": {
            "bytes": bytes.len(),
            "bytes_read": SIZE,
            "game_version": session::version(version),
            "game_version_number": version,
            "has_fields_of_1_3": image.has_1_3(),
            "vehicles_in_scoring": vehicles,
            "cars_in_telemetry": cars,
        },
        "session": scoring(&image.scoring(), image.has_1_3()),
        "phase": field.phase,
        "yellow_sectors": field.yellow_sectors,
        "our_car": known.map(|info| json!({
            "key": info.car, "driver": info.driver, "car_name": info.car_name, "class": info.class,
            "number": info.number, "entrant": info.entrant,
        })),
        "player": sample.map(|sample| channels(&sample)),
        "as_written": car.map(|car| as_written(&car)),
        "vehicles": field.cars,
        "stream": String::from_utf8_lossy(image.stream()).lines().collect::<Vec<_>>(),
    }))
}

fn scoring(scoring: &Scoring<'_>, is_1_3: bool) -> Value {
    let mut session = json!({
        "track": scoring.track_name(),
        "session_number": scoring.session(),
        "current_time_s": scoring.current_et(),
        "end_time_s": scoring.end_et(),
        "max_laps": Some(scoring.max_laps()).filter(|laps| *laps != i32::MAX),
        "lap_length_m": scoring.lap_dist(),
        "game_phase_number": scoring.game_phase(),
        "yellow_flag_state_number": scoring.yellow_flag_state(),
        "sector_flag_numbers": scoring.sector_flag(),
        "in_realtime": scoring.in_realtime(),
        "player_name": scoring.player_name(),
        "air_temp_c": scoring.ambient_temp(),
        "track_temp_c": scoring.track_temp(),
        "rain_pct": scoring.raining() * 100.0,
        "clouds_pct": scoring.dark_cloud() * 100.0,
        "path_wetness_pct": scoring.avg_path_wetness() * 100.0,
        "wind_mps": scoring.wind(),
        "server": scoring.server_name(),
        "start_time_of_day_s": scoring.start_et(),
    });
    if is_1_3 {
        session["time_left_s"] = json!(scoring.session_time_remaining());
        session["time_of_day_s"] = json!(scoring.time_of_day());
        session["is_fixed_setup"] = json!(scoring.is_fixed_setup());
        session["track_grip_level_number"] = json!(scoring.track_grip_level());
    }
    session
}

/// A sample by the names of the catalogue, units appended: `tire_pressures.fl` in kPa is `tire_pressures_kpa` → `fl`.
fn channels(sample: &Sample) -> Value {
    let mut out = Map::new();
    for info in CHANNELS {
        let Some(value) = sample.get(info.channel) else { continue };
        let value = json!(round_to(value, info.quantum));
        match info.name.split_once('.') {
            Some((name, corner)) => out.entry(with_unit(name, info.unit)).or_insert_with(|| json!({}))[corner] = value,
            None => {
                out.insert(with_unit(info.name, info.unit), value);
            }
        }
    }
    Value::Object(out)
}

fn with_unit(name: &str, unit: &str) -> String {
    let suffix = match unit {
        "" => return name.to_owned(),
        "%" => "pct".to_owned(),
        "°C" => "c".to_owned(),
        "km/h" => "kmh".to_owned(),
        "m/s" => "mps".to_owned(),
        other => other.to_lowercase(),
    };
    if name == suffix { suffix } else { format!("{name}_{suffix}") }
}

/// Without the digits that come from counting in steps.
fn round_to(value: f64, quantum: f64) -> f64 {
    let per_unit = (1.0 / quantum).round().max(1.0);
    (value * per_unit).round() / per_unit
}

fn as_written(car: &Car<'_>) -> Value {
    let wheels: Map<String, Value> =
        CORNERS.iter().zip(car.wheels()).map(|(corner, w)| ((*corner).to_owned(), wheel(&w))).collect();
    json!({
        "id": car.id(),
        "elapsed_time_s": car.elapsed_time(),
        "lap_number": car.lap_number(),
        "lap_start_s": car.lap_start_et(),
        "vehicle_name": car.vehicle_name(),
        "vehicle_model": car.vehicle_model(),
        "vehicle_class_number": car.vehicle_class(),
        "position_m": car.pos(),
        "velocity_left_up_back_mps": car.local_vel(),
        "acceleration_left_up_back_mps2": car.local_accel(),
        "gear": car.gear(),
        "engine_rpm": car.engine_rpm(),
        "engine_max_rpm": car.engine_max_rpm(),
        "engine_water_c": car.engine_water_temp(),
        "engine_oil_c": car.engine_oil_temp(),
        "throttle_fraction": car.unfiltered_throttle(),
        "brake_fraction": car.unfiltered_brake(),
        "clutch_fraction": car.unfiltered_clutch(),
        "steering_fraction": car.unfiltered_steering(),
        "fuel_l": car.fuel(),
        "fuel_capacity_l": car.fuel_capacity(),
        "rear_brake_bias_fraction": car.rear_brake_bias(),
        "boost_pa": car.turbo_boost_pressure(),
        "delta_best_s": car.delta_best(),
        "battery_fraction": car.battery_charge_fraction(),
        "regen_kw": car.regen(),
        "virtual_energy_fraction": car.virtual_energy(),
        "gap_ahead_s": car.time_gap_place_ahead(),
        "gap_behind_s": car.time_gap_place_behind(),
        "front_compound": car.front_tire_compound_name(),
        "rear_compound": car.rear_tire_compound_name(),
        "wheels": wheels,
    })
}

fn wheel(wheel: &Wheel<'_>) -> Value {
    json!({
        "pressure_kpa": wheel.pressure(),
        "surface_left_center_right_k": wheel.temperature(),
        "inner_layer_left_center_right_k": wheel.inner_layer_temperature(),
        "carcass_k": wheel.carcass_temperature(),
        "remaining_fraction": wheel.wear(),
        "brake_k": wheel.brake_temp(),
        "ride_height_m": wheel.ride_height(),
        "suspension_deflection_m": wheel.suspension_deflection(),
        "suspension_force_n": wheel.susp_force(),
        "rotation_rad_s": wheel.rotation(),
        "optimal_temp_c": wheel.optimal_temp(),
        "compound_number": wheel.compound_type(),
        "surface_number": wheel.surface_type(),
        "is_flat": wheel.flat(),
        "is_detached": wheel.detached(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::lmu::testing::Picture;

    #[test]
    fn an_image_is_told_with_units_and_corners() {
        let picture = Picture::race().set(|p| {
            for wheel in 0..4 {
                p.wheel_f64(Picture::OWN_CAR, wheel, 120, 140.0 + wheel as f64);
                p.wheel_f64(Picture::OWN_CAR, wheel, 24, 573.15);
            }
        });
        let told = inspect(picture.bytes()).unwrap();
        assert_eq!(told["player"]["speed_kmh"], 180.0);
        assert_eq!(told["player"]["fuel_l"], 60.5);
        assert_eq!(told["player"]["tire_pressures_kpa"], json!({"fl": 140.0, "fr": 141.0, "rl": 142.0, "rr": 143.0}));
        assert_eq!(told["player"]["brake_temps_c"]["rr"], 300.0);
        assert_eq!(told["as_written"]["wheels"]["rr"]["brake_k"], 573.15);
        assert_eq!(told["session"]["track"], "Circuit de Spa-Francorchamps");
        assert_eq!(told["vehicles"].as_array().unwrap().len(), 3);
        assert_eq!(told["image"]["game_version"], "1.4.2");
    }

    #[test]
    fn what_is_no_image_is_refused_by_name() {
        assert!(inspect(&[0; 100]).unwrap_err().contains("100 bytes are too few"));
        assert!(inspect(&vec![0; 400_000]).unwrap_err().contains("too many"));
        assert!(inspect(&vec![0; SIZE]).unwrap_err().contains("written nothing"));
    }

    #[test]
    fn names_carry_their_unit_once() {
        assert_eq!(with_unit("rpm", "rpm"), "rpm");
        assert_eq!(with_unit("tire_temps", "°C"), "tire_temps_c");
        assert_eq!(with_unit("boost_pressure", "kPa"), "boost_pressure_kpa");
        assert_eq!(with_unit("gear", ""), "gear");
    }
}
