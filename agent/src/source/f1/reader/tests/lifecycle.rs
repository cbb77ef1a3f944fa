//! How sessions begin and end, and what is said about the source.

use super::*;
use std::net::{IpAddr, Ipv4Addr};

#[test]
fn another_uid_is_another_session() {
    let mut game = Game::new();
    game.begin();
    let straggler = game.session();
    game.uid = 78;
    let out = game.begin();
    assert_eq!(ended(&out), Some(EndReason::Left));
    assert!(started(&out).is_some());
    assert_eq!(game.hear(straggler), []);
    assert_eq!(samples(&game.frame()).len(), 1);
}

#[test]
fn no_uid_is_the_menu() {
    let mut game = Game::new();
    game.begin();
    game.uid = 0;
    let lobby = game.blank(9);
    let out = game.hear(lobby);
    assert_eq!(
        out,
        [
            Reading::SessionEnded(EndReason::Left),
            Reading::State { game: Some(RunningGame::F1), state: GameState::Menu }
        ]
    );
}

#[test]
fn the_end_waits_for_the_last_laps() {
    let mut game = Game::new();
    game.begin();
    game.cars.iter_mut().for_each(|car| car.result = 3);
    game.frame();
    let end = game.event(b"SEND", &[]);
    assert_eq!(ended(&game.hear(end)), None);
    assert_eq!(samples(&game.frame()), Vec::<&Sample>::new(), "nobody drives any more");
    let classification = game.classification(2);
    assert_eq!(ended(&game.hear(classification.clone())), None, "lap 2 of the cars is not known");
    let mut out = Vec::new();
    for car in 0..3 {
        let history = game.history(car, &[(91_000, [0; 3]), (90_500 + u32::from(car), [28_000, 30_000, 32_500])]);
        out.extend(game.hear(history));
    }
    assert_eq!(
        laps(&out).iter().map(|lap| lap.time_ms).collect::<Vec<_>>(),
        [Some(90_500), Some(90_501), Some(90_502)]
    );
    assert_eq!(ended(&out), Some(EndReason::Left));
    assert_eq!(states(&out), [(Some(RunningGame::F1), GameState::Menu)]);
    let last = standings(&out).pop().unwrap();
    assert_eq!(last.cars[0].best_lap_ms, Some(90_500));
    assert_eq!(last.cars[0].laps, 2);
    assert_eq!(game.hear(classification), [], "it is repeated on the results screen");
}

#[test]
fn the_end_does_not_wait_for_ever() {
    let mut game = Game::new();
    game.begin();
    let end = game.event(b"SEND", &[]);
    game.hear(end);
    assert_eq!(ended(&game.silence(4_900)), None);
    assert_eq!(ended(&game.silence(100)), Some(EndReason::Left));
}

#[test]
fn silence_is_no_game_and_after_a_minute_no_session() {
    let mut game = Game::new();
    game.begin();
    assert_eq!(game.silence(4_900), []);
    let out = game.silence(100);
    assert_eq!(states(&out), [(Some(RunningGame::F1), GameState::NotRunning)], "the session is still open");
    assert_eq!(notices(&out), [Some("No F1 telemetry: the game is paused, in a menu, or closed")]);
    let out = game.frame();
    assert_eq!((states(&out).len(), notices(&out), samples(&out).len()), (1, vec![None], 1), "it goes on");
    assert_eq!(ended(&game.silence(59_000)), None);
    let out = game.silence(1_000);
    assert_eq!(ended(&out), Some(EndReason::GameClosed));
    assert_eq!(states(&out), [(None, GameState::NotRunning)]);
    assert_eq!(game.silence(60_000), []);
    assert!(started(&game.begin()).is_some(), "after a long pause the session is told again");
}

#[test]
fn a_gap_in_a_recording_is_silence_too() {
    let mut game = Game::new();
    game.begin();
    game.now_ms += 61_000;
    assert_eq!(ended(&game.frame()), Some(EndReason::GameClosed));
}

#[test]
fn spectators_have_no_samples() {
    let mut game = Game::new();
    game.is_spectating = true;
    let out = game.begin();
    assert_eq!(states(&out).last(), Some(&(Some(RunningGame::F1), GameState::Spectating)));
    assert_eq!(samples(&out), Vec::<&Sample>::new());
    assert_eq!(standings(&out).len(), 1);
}

#[test]
fn a_car_in_its_garage_is_there() {
    let mut game = Game::new();
    game.session_type = 1;
    (game.cars[1].driver_status, game.cars[1].pit) = (0, 2);
    let out = game.begin();
    assert_eq!(states(&out), [(Some(RunningGame::F1), GameState::Garage)]);
    assert_eq!(samples(&out)[0].get(C::PitState), Some(5.0));
}

#[test]
fn another_format_says_what_to_set_until_it_stops() {
    let mut game = Game::new();
    let mut other = vec![0; 1239];
    other[..7].copy_from_slice(&[0xe8, 0x07, 25, 1, 18, 1, 7]);
    let out = game.hear(other.clone());
    assert_eq!(states(&out), [(Some(RunningGame::F1), GameState::Menu)]);
    let [Some(notice)] = notices(&out)[..] else { panic!("{out:?}") };
    assert!(
        notice.starts_with("F1 25 format 2024, packet 7 CarStatus: understood are format 2025 packets"),
        "{notice}"
    );
    assert_eq!(game.hear(other), []);
    assert_eq!(game.reader.counts().packets.get(&(2024, 7)), Some(&2));
    let out = game.silence(5_000);
    assert_eq!((notices(&out), states(&out)), (vec![None], vec![(None, GameState::NotRunning)]));
}

#[test]
fn a_refused_packet_costs_itself_and_is_told() {
    let mut game = Game::new();
    game.begin();
    let mut cut = game.telemetry();
    cut.pop();
    let out = game.hear(cut);
    let told = "An F1 packet was refused: F1 25 format 2025, packet 6 CarTelemetry: 1351 bytes, expected are 1352";
    assert_eq!(out, [Reading::Notice(Some(told.to_owned()))]);
    assert_eq!(game.reader.counts().refused_total(), 1);
    assert_eq!(samples(&game.frame()).len(), 1);
    assert_eq!(game.hear(vec![1, 2, 3]), [], "other programs' datagrams are only counted");
    assert_eq!(game.reader.counts().refused_total(), 2);
}

#[test]
fn a_second_sender_is_not_mixed_in() {
    let mut game = Game::new();
    game.begin();
    (game.from, game.uid) = (IpAddr::V4(Ipv4Addr::new(192, 168, 1, 7)), 99);
    let out = game.begin();
    assert_eq!((started(&out), ended(&out), out.len()), (None, None, 1));
    assert!(notices(&out)[0].unwrap().contains("192.168.1.7 is ignored, 127.0.0.1 is followed"));
    assert_eq!(game.reader.from_other_senders(), 8);
}
