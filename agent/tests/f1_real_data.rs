//! The decoder against datagrams of the real games: F1 25 v1.18 (Monza, race) and F1 24 v1.17.

use onelap_agent::inspect::f1::inspect_one;
use onelap_agent::raw::{Raw, Reader, Stamp};
use onelap_agent::reading::Reading;
use onelap_agent::source::f1::format::{Counts, Datagram, RefusalKind, decode};
use onelap_agent::source::f1::packet::{Body, HEADER_SIZE};
use onelap_agent::source::f1::reader::F1Reader;
use onelap_protocol::channel::Channel as C;
use onelap_protocol::race::SessionKind;
use std::path::{Path, PathBuf};

#[expect(clippy::unwrap_used, reason = "a test that cannot read its data has failed")]
/// The files of a folder of recorded data in order, by name; none, and a line that says so, where it is missing.
fn recorded(folder: &str) -> Vec<(String, Vec<u8>)> {
    let root = std::env::var_os("ONELAP_TEST_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"), PathBuf::from);
    let Ok(entries) = std::fs::read_dir(root.join(folder)) else {
        eprintln!("skipped: no recorded data in {}", root.join(folder).display());
        return Vec::new();
    };
    let mut files: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(path).unwrap()))
        .collect();
    files.sort();
    files
}

/// The decoded packet of a file, with the slot of the player's car and the bytes after the header.
fn packet(name: &str) -> Option<(Body, usize, Vec<u8>)> {
    let (_, bytes) = recorded("f1-2025-datagrams").into_iter().find(|(file, _)| file == name)?;
    let Ok(Datagram::Decoded(identity, body)) = decode(&bytes) else { panic!("{name} was not decoded") };
    Some((body, usize::from(identity.header.player_car_index), bytes[HEADER_SIZE..].to_vec()))
}

#[test]
fn every_datagram_of_f1_25_decodes_and_prints() {
    let files = recorded("f1-2025-datagrams");
    let mut counts = Counts::default();
    for (name, bytes) in &files {
        let outcome = decode(bytes);
        assert!(matches!(outcome, Ok(Datagram::Decoded(..))), "{name}: {outcome:?}");
        counts.count(&outcome);
        let value = inspect_one(name, bytes).unwrap();
        assert_eq!(value["game"], "F1 25");
        assert!(value["data"].is_object(), "{name}");
    }
    if !files.is_empty() {
        assert_eq!(counts.packets.keys().map(|(_, id)| *id).collect::<Vec<_>>(), (0..16).collect::<Vec<_>>());
    }
}

#[test]
fn the_session_is_a_race_at_monza_over_19_laps() {
    let Some((Body::Session(session), player, _)) = packet("Session.bin") else { return };
    assert_eq!(session.track.to_string(), "Monza");
    assert_eq!(session.session_type.to_string(), "Race");
    assert_eq!((session.total_laps, session.track_length_m, player), (19, 5798, 19));
    assert_eq!((session.track_temperature_c, session.air_temperature_c), (35, 25));
    assert_eq!(session.weather_forecast.len(), 5);
    assert_eq!(session.weekend_structure.len(), 1);
}

#[test]
fn twenty_cars_are_named() {
    let Some((Body::Participants(participants), player, _)) = packet("Participants.bin") else { return };
    assert_eq!(participants.active_cars, 20);
    let own = &participants.cars[player];
    assert_eq!((own.name.text().as_str(), own.team.name(), own.race_number), ("RUSSELL", Some("Mercedes"), 63));
    assert!(!own.ai_controlled);
    let Some((Body::LapData(laps), _, _)) = packet("LapData.bin") else { panic!() };
    assert_eq!(laps.cars.iter().filter(|car| car.is_car()).count(), 20);
    let mut positions: Vec<u8> = laps.cars.iter().filter(|car| car.is_car()).map(|car| car.position).collect();
    positions.sort_unstable();
    assert_eq!(positions, (1..=20).collect::<Vec<u8>>());
}

#[test]
fn the_players_car_does_41_kmh_on_38_79_kg_of_fuel() {
    let Some((Body::CarTelemetry(telemetry), player, raw)) = packet("CarTelemetry.bin") else { return };
    let own = &telemetry.cars[player];
    assert_eq!((own.speed_kmh, own.gear, own.engine_rpm), (41, 1, 4819));
    // The raw bytes are in the order RL RR FL FR.
    let raw = &raw[player * 60..][..60];
    let temperatures = &raw[30..34];
    let surface = own.tyre_surface_temperature_c;
    assert_eq!([surface.rl, surface.rr, surface.fl, surface.fr], temperatures);
    assert_eq!([surface.rl, surface.fl], [79, 70], "the rear tyres have spun");
    let pressure = |i: usize| f32::from_le_bytes(raw[40 + 4 * i..][..4].try_into().unwrap());
    let psi = own.tyre_pressure_psi;
    assert_eq!([psi.rl, psi.rr, psi.fl, psi.fr], [0, 1, 2, 3].map(pressure));
    assert!(psi.fl > 24.0 && psi.rl < 22.0);

    let Some((Body::CarStatus(status), player, _)) = packet("CarStatus.bin") else { panic!() };
    let own = &status.cars[player];
    assert!((own.fuel_in_tank_kg - 38.79).abs() < 0.005, "{}", own.fuel_in_tank_kg);
    assert_eq!(own.visual_compound.to_string(), "Medium");
    assert!((own.ers_store_energy_j - 4e6).abs() < 1.0);
}

#[test]
fn only_the_rear_tyres_are_worn() {
    let Some((Body::CarDamage(damage), player, raw)) = packet("CarDamage.bin") else { return };
    let wear = damage.cars[player].tyre_wear_pct;
    let first = f32::from_le_bytes(raw[player * 46..][..4].try_into().unwrap());
    assert_eq!(wear.rl, first, "the first on the wire is the rear left");
    assert!(wear.rl > 0.42 && wear.rr > 0.42 && wear.fl == 0.0 && wear.fr == 0.0, "{wear:?}");
}

#[test]
fn lateral_g_is_positive_when_steering_left() {
    let Some((Body::Motion(motion), _, _)) = packet("Motion.bin") else { return };
    let Some((Body::CarTelemetry(telemetry), _, _)) = packet("CarTelemetry.bin") else { panic!() };
    let turning = motion.cars.iter().zip(&telemetry.cars).filter(|(_, car)| car.steer_fraction.abs() > 0.05);
    let turning: Vec<_> = turning.map(|(motion, car)| (motion.lateral_g, car.steer_fraction)).collect();
    assert!(turning.len() > 5);
    assert!(turning.iter().all(|(lateral_g, steer)| lateral_g * steer < 0.0), "{turning:?}");
}

#[test]
fn the_f1_24_set_is_named_and_counted_and_its_malformed_ones_refused() {
    let files = recorded("f1-2024-datagrams");
    if files.is_empty() {
        return;
    }
    let mut counts = Counts::default();
    for (name, bytes) in &files {
        let outcome = decode(bytes);
        counts.count(&outcome);
        let inspected = inspect_one(name, bytes);
        match name.as_str() {
            "2024-03-RDFL.bin" | "2024-03-SCAR.bin" => {
                let reason = outcome.unwrap_err().to_string();
                assert!(
                    reason.contains(&format!("packet 3 Event: {} bytes, expected are 45", bytes.len())),
                    "{reason}"
                );
                assert!(inspected.unwrap_err().starts_with(name));
            }
            _ => {
                assert!(matches!(outcome, Ok(Datagram::Named(_))), "{name}: {outcome:?}");
                assert!(inspected.unwrap()["not_decoded"].as_str().unwrap().contains("F1 24 format 2024"));
            }
        }
    }
    assert_eq!(counts.refused.get(&RefusalKind::WrongSize), Some(&2));
    assert_eq!(counts.packets.values().sum::<u64>(), 33);
    assert_eq!(counts.packets.get(&(2024, 3)), Some(&19));
}

#[test]
fn the_reader_makes_a_session_and_a_sample_of_them() {
    let files = recorded("f1-2025-datagrams");
    if files.is_empty() {
        return;
    }
    let (mut reader, mut out) = (F1Reader::new(), Vec::new());
    // One frame as the game would send it; three of the files are of other sessions.
    for name in [
        "Session",
        "Participants",
        "CarDamage",
        "CarSetups",
        "Motion",
        "LapData",
        "CarTelemetry",
        "CarStatus",
        "CarMotionEx",
    ] {
        let (_, bytes) = files.iter().find(|(file, _)| *file == format!("{name}.bin")).unwrap();
        let raw = Raw::Datagram { from: ([127, 0, 0, 1], 20778).into(), bytes: bytes.clone() };
        reader.read(Stamp { unix_ms: 1_700_000_000_000, mono_ms: 10 }, &raw, &mut out);
    }
    let info = out.iter().find_map(|r| if let Reading::SessionStarted(info) = r { Some(info) } else { None }).unwrap();
    assert_eq!((info.track.as_str(), info.kind, info.total_laps), ("Monza", SessionKind::Race, Some(19)));
    assert_eq!((info.driver.as_str(), info.car_name.as_str(), info.car.0.as_str()), ("RUSSELL", "Mercedes", "19"));

    let sample = out.iter().find_map(|r| if let Reading::Sample(sample) = r { Some(sample) } else { None }).unwrap();
    let expected = [
        (C::Speed, 41.0),
        (C::FuelMass, 38.79),
        (C::TireWearRl, 0.42),
        (C::TireWearFl, 0.0),
        (C::TireTempRl, 79.0),
        (C::TireTempFl, 70.0),
        (C::TirePressureFl, 168.6),
        (C::TirePressureRr, 151.4),
        (C::Position, 4.0),
        (C::ErsStore, 4.0),
    ];
    for (channel, value) in expected {
        let found = sample.get(channel).unwrap();
        assert!((found - value).abs() < 1e-6, "{}: {found}, expected {value}", channel.info().name);
    }
    // 38.79 kg are not 2.5 laps of fuel: they outlast the 19 laps by 2.5.
    assert!((21.0..22.0).contains(&sample.get(C::FuelLapsLeft).unwrap()));

    let standings =
        out.iter().find_map(|r| if let Reading::Standings(field) = r { Some(field) } else { None }).unwrap();
    assert_eq!(standings.cars.len(), 20);
    assert_eq!((standings.cars[0].driver.as_str(), standings.cars[0].entrant.as_deref()), ("LECLERC", Some("Ferrari")));

    let setup = out.iter().find_map(|r| if let Reading::Setup { setup, .. } = r { Some(setup) } else { None }).unwrap();
    let text = |key: &str| setup.items.iter().find(|item| item.key == key).unwrap().text.clone();
    assert_eq!(
        (text("frontLeftTyrePressure"), text("rearLeftTyrePressure")),
        ("24.5 psi".to_owned(), "22.0 psi".to_owned())
    );
    assert_eq!((text("frontCamber"), text("fuelLoad")), ("-3.30°".to_owned(), "39.0 kg".to_owned()));
    assert!(!out.iter().any(|r| matches!(r, Reading::Notice(_))), "{out:?}");
}
