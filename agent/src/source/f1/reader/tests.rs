mod field;
mod game;
mod lifecycle;
mod robust;

use super::*;
use game::Game;
use onelap_protocol::Sample;
use onelap_protocol::channel::Channel as C;
use onelap_protocol::race::Game as RunningGame;
use onelap_protocol::race::{Lap, RaceEvent, SessionInfo, SessionKind, Standings};
use onelap_protocol::setup::{Corner, Setup};

fn samples(readings: &[Reading]) -> Vec<&Sample> {
    readings
        .iter()
        .filter_map(|reading| if let Reading::Sample(sample) = reading { Some(&**sample) } else { None })
        .collect()
}

fn events(readings: &[Reading]) -> Vec<&RaceEvent> {
    readings
        .iter()
        .filter_map(|reading| if let Reading::Event(event) = reading { Some(&**event) } else { None })
        .collect()
}

fn laps(readings: &[Reading]) -> Vec<&Lap> {
    events(readings)
        .into_iter()
        .filter_map(|event| if let RaceEvent::Lap(lap) = event { Some(lap) } else { None })
        .collect()
}

fn standings(readings: &[Reading]) -> Vec<&Standings> {
    readings
        .iter()
        .filter_map(|reading| if let Reading::Standings(field) = reading { Some(&**field) } else { None })
        .collect()
}

fn states(readings: &[Reading]) -> Vec<(Option<RunningGame>, GameState)> {
    let of =
        |reading: &Reading| if let Reading::State { game, state } = reading { Some((*game, *state)) } else { None };
    readings.iter().filter_map(of).collect()
}

fn started(readings: &[Reading]) -> Option<&SessionInfo> {
    readings.iter().find_map(|reading| if let Reading::SessionStarted(info) = reading { Some(&**info) } else { None })
}

fn ended(readings: &[Reading]) -> Option<EndReason> {
    readings.iter().find_map(|reading| if let Reading::SessionEnded(reason) = reading { Some(*reason) } else { None })
}

fn notices(readings: &[Reading]) -> Vec<Option<&str>> {
    readings
        .iter()
        .filter_map(|reading| if let Reading::Notice(text) = reading { Some(text.as_deref()) } else { None })
        .collect()
}

fn value(sample: &Sample, channel: C) -> f64 {
    sample.get(channel).unwrap_or_else(|| panic!("{} is absent", channel.info().name))
}

fn assert_values(sample: &Sample, expected: &[(C, f64)]) {
    for (channel, expected) in expected {
        let found = value(sample, *channel);
        assert!((found - expected).abs() < 1e-6, "{}: {found}, expected {expected}", channel.info().name);
    }
}

#[test]
fn a_frame_is_a_sample_in_the_catalogues_units_and_corners() {
    let mut game = Game::new();
    let out = game.begin();
    let [sample] = samples(&out)[..] else { panic!("{out:?}") };
    assert_values(
        sample,
        &[
            (C::SessionTime, 121.05),
            (C::Lap, 2.0),
            (C::LapTime, 30.0),
            (C::LapDistance, 2899.0),
            (C::CurrentSector, 2.0),
            (C::Position, 2.0),
            (C::GapAhead, 1.5),
            (C::GapBehind, 1.5),
            (C::Speed, 250.0),
            (C::Throttle, 50.0),
            (C::Steering, -25.0),
            (C::Gear, -1.0),
            (C::BrakeTempFl, 500.0),
            (C::BrakeTempFr, 510.0),
            (C::BrakeTempRl, 300.0),
            (C::BrakeTempRr, 310.0),
            (C::TireTempFl, 83.0),
            (C::TireTempRr, 82.0),
            (C::TireInnerTempFr, 94.0),
            (C::TireInnerTempRl, 91.0),
            (C::TirePressureFl, 165.5),
            (C::TirePressureFr, 168.9),
            (C::TirePressureRl, 144.8),
            (C::TirePressureRr, 148.2),
            (C::TireWearFl, 13.0),
            (C::TireWearFr, 14.0),
            (C::TireWearRl, 11.0),
            (C::TireWearRr, 12.0),
            (C::TireCompoundFl, 1.0),
            (C::TireAge, 6.0),
            (C::FuelMass, 50.0),
            (C::FuelMassCapacity, 110.0),
            (C::ErsStore, 3.5),
            (C::BrakeBias, 57.0),
            (C::Flag, 1.0),
            (C::PitState, 0.0),
            (C::TrackTemp, 35.0),
            (C::AmbientTemp, 25.0),
            (C::Rain, 33.0),
            (C::FrontWingDamage, 9.0),
            (C::RearWingDamage, 3.0),
            // 1.25 laps more than the 17.5 to go.
            (C::FuelLapsLeft, 18.75),
        ],
    );
    for absent in [C::Fuel, C::VirtualEnergy, C::TimeLeft, C::RideHeightFl] {
        assert_eq!(sample.get(absent), None, "{}", absent.info().name);
    }
}

#[test]
fn a_slot_without_a_car_and_a_lap_before_the_first_are_not_known() {
    let mut game = Game::new();
    game.begin();
    game.cars[1].lap = 0;
    let out = game.frame();
    assert_eq!(samples(&out)[0].get(C::Lap), None);
    for result in [0, 1] {
        game.cars[1].result = result;
        assert_eq!(samples(&game.frame()), Vec::<&Sample>::new(), "its values are zeros");
    }
}

#[test]
fn what_was_lost_of_a_frame_is_absent_and_what_is_late_is_ignored() {
    let mut game = Game::new();
    game.begin();
    let late = game.telemetry();
    game.cars[1].speed_kmh = 100;
    assert_eq!(samples(&game.frame_without(&[6, 7])), Vec::<&Sample>::new(), "it is not whole");
    assert_eq!(game.hear(late), []);
    let out = game.frame();
    let [lacking, whole] = samples(&out)[..] else { panic!("{out:?}") };
    assert_eq!((lacking.get(C::Speed), lacking.get(C::FuelMass), lacking.get(C::FuelLapsLeft)), (None, None, None));
    assert_values(lacking, &[(C::SessionTime, 121.1), (C::Lap, 2.0), (C::TireWearFl, 13.0)]);
    assert_values(whole, &[(C::SessionTime, 121.15), (C::Speed, 100.0)]);
}

#[test]
fn a_slow_packet_may_be_a_frame_late_and_not_older_than_the_last_of_its_kind() {
    let mut game = Game::new();
    game.begin();
    let blank = game.blank(10);
    let damage = {
        game.overall += 1;
        game.damage()
    };
    game.frame();
    game.hear(damage);
    assert_values(samples(&game.frame())[0], &[(C::TireWearFl, 13.0)]);
    game.hear(blank);
    assert_values(samples(&game.frame())[0], &[(C::TireWearFl, 13.0)]);
}

#[test]
fn the_session_is_told_once_with_what_it_is() {
    let mut game = Game::new();
    let out = game.begin();
    let info = started(&out).unwrap();
    assert_eq!(
        (info.track.as_str(), info.kind, info.total_laps, info.duration_s),
        ("Monza", SessionKind::Race, Some(19), None)
    );
    assert_eq!((info.car.0.as_str(), info.driver.as_str(), info.car_name.as_str()), ("1", "RUSSELL", "Mercedes"));
    assert_eq!((info.number.as_deref(), info.game_version.as_deref()), (Some("63"), Some("1.18")));
    assert_eq!(info.started_at_ms, 1_800_000_001_000);
    assert_eq!(states(&out), [(Some(RunningGame::F1), GameState::OnTrack)]);
    let again =
        [game.session(), game.participants()].into_iter().flat_map(|bytes| game.hear(bytes)).collect::<Vec<_>>();
    assert_eq!(again, []);
}

#[test]
fn a_timed_session_has_a_duration_and_time_left() {
    let mut game = Game::new();
    game.session_type = 6;
    let out = game.begin();
    let info = started(&out).unwrap();
    assert_eq!((info.kind, info.kind_number), (SessionKind::Qualifying, Some(2)));
    assert_eq!((info.total_laps, info.duration_s), (None, Some(1800.0)));
    let sample = samples(&out)[0];
    assert_values(sample, &[(C::TimeLeft, 600.0), (C::FuelLapsLeft, 1.25)]);
    assert_eq!(sample.get(C::GapAhead), None);
}

#[test]
fn the_names_may_come_later() {
    let mut game = Game::new();
    let session = game.session();
    assert_eq!(game.hear(session), []);
    assert!(samples(&game.frame()).is_empty());
    let out = game.silence(1000);
    assert_eq!(started(&out).unwrap().driver, "Car 1");
    assert_eq!(samples(&game.frame()).len(), 1);
    let participants = game.participants();
    let [Reading::SessionChanged(info)] = &game.hear(participants)[..] else { panic!() };
    assert_eq!(info.driver, "RUSSELL");
}

#[test]
fn the_setup_is_told_when_it_is_another_one() {
    let setup = |readings: Vec<Reading>| -> Option<Setup> {
        readings
            .into_iter()
            .find_map(|reading| if let Reading::Setup { setup, .. } = reading { Some(*setup) } else { None })
    };
    let mut game = Game::new();
    game.begin();
    let (blank, first, second) = (game.blank(5), game.setups(45), game.setups(46));
    assert_eq!(setup(game.hear(blank)), None);
    let told = setup(game.hear(first.clone())).unwrap();
    let item = |key: &str| told.items.iter().find(|item| item.key == key).unwrap();
    assert_eq!((item("frontWing").text.as_str(), item("frontWing").step), ("45", Some(45)));
    assert_eq!(item("frontCamber").text, "-3.30°");
    assert_eq!(item("brakeBias").text, "58 %");
    let front_left = item("frontLeftTyrePressure");
    assert_eq!((front_left.corner, front_left.text.as_str()), (Some(Corner::Fl), "24.5 psi"));
    assert!(told.items.is_sorted_by_key(|item| (item.area, item.label.clone(), item.corner)));
    assert_eq!(setup(game.hear(first)), None);
    assert!(setup(game.hear(second)).is_some());
}
