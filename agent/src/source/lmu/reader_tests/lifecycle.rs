//! When a session begins and ends, and what of one goes over into the next.

use super::*;

#[test]
fn a_frozen_game_is_paused_and_gives_nothing() {
    let mut wall = Wall::racing();
    for _ in 0..12 {
        let out = wall.see(&Picture::race().at(10.2, 10.2));
        assert!(samples(&out).is_empty() && events(&out).is_empty());
    }
    assert_eq!(wall.state(), GameState::Paused);
    let out = wall.see(&Picture::race().at(10.4, 10.4));
    assert_eq!((wall.state(), samples(&out).len(), sessions(&out).len()), (GameState::OnTrack, 1, 0));
}

#[test]
fn a_frozen_game_whose_port_is_closed_has_ended() {
    let mut wall = Wall::racing();
    let mut told = Vec::new();
    for _ in 0..200 {
        wall.gate(0, "refused: nobody listens");
        told.extend(wall.see(&Picture::race().at(10.2, 10.2)));
    }
    assert_eq!(wall.state(), GameState::NotRunning);
    assert!(is_ended(&told, EndReason::GameClosed));
    assert_eq!(told.last(), Some(&Reading::State { game: None, state: GameState::NotRunning }));
}

#[test]
fn a_game_that_is_gone_ends_its_session_after_a_while_and_not_before() {
    let mut wall = Wall::racing();
    let out = wall.feed(&Raw::LmuGone);
    assert_eq!(out, [Reading::State { game: Some(Game::Lmu), state: GameState::NotRunning }]);
    wall.now_ms += 20_000;
    assert!(wall.feed(&Raw::Tick).is_empty());
    // Back within half a minute: the same session.
    wall.see(&Picture::race().at(30.0, 30.0));
    let out = wall.see(&Picture::race().at(30.2, 30.2));
    assert_eq!((sessions(&out).len(), samples(&out).len(), wall.state()), (0, 1, GameState::OnTrack));
    wall.feed(&Raw::LmuGone);
    wall.now_ms += 31_000;
    let out = wall.feed(&Raw::Tick);
    assert!(is_ended(&out, EndReason::GameClosed));
    assert_eq!(out.last(), Some(&Reading::State { game: None, state: GameState::NotRunning }));
}

#[test]
fn the_menu_ends_the_session_but_not_a_glimpse_of_it() {
    let mut wall = Wall::racing();
    let menu = Picture::race().set(|p| p.vehicles(0));
    wall.see(&menu);
    assert_eq!(wall.state(), GameState::Menu);
    assert!(sessions(&wall.see(&Picture::race().at(10.6, 10.6))).is_empty());
    let told: Vec<_> = (0..12).flat_map(|_| wall.see(&menu)).collect();
    assert!(is_ended(&told, EndReason::Left));
    assert_eq!(sessions(&wall.see(&Picture::race().at(11.0, 11.0))).len(), 1);
}

#[test]
fn without_a_mapping_the_api_tells_menu_from_nothing() {
    let mut wall = Wall::new();
    wall.feed(&Raw::LmuGone);
    assert_eq!(wall.state(), GameState::NotRunning);
    wall.gate(503, r#"{"status":"unavailable"}"#);
    assert_eq!(wall.state(), GameState::Menu);
    wall.gate(0, "refused: nobody listens");
    assert_eq!(wall.state(), GameState::NotRunning);
}

#[test]
fn a_mapping_left_over_at_the_menu_is_the_menu() {
    let mut wall = Wall::racing();
    let mut told = Vec::new();
    for _ in 0..30 {
        wall.gate(503, "{}");
        told.extend(wall.see(&Picture::race().at(10.2, 10.2).set(|p| p.scoring_u8(115, 0))));
    }
    assert_eq!(wall.state(), GameState::Menu);
    assert!(is_ended(&told, EndReason::Left));
}

#[test]
fn the_next_session_and_a_restart_are_new_sessions() {
    let mut wall = Wall::racing();
    let pending = Picture::race().at(130.0, 130.0).set(|p| p.laps(Picture::LEADER, 1, [-1.0; 3], 129.0));
    assert!(laps(&wall.see(&pending)).is_empty());
    let restart = wall.see(&Picture::race().at(0.2, 0.2));
    assert_eq!((laps(&restart).len(), sessions(&restart).len()), (1, 1));
    assert!(matches!(restart[0], Reading::Event(_)), "what was waiting belongs to the session before");
    let next = wall.see(&Picture::race().at(0.4, 0.4).set(|p| p.scoring_i32(64, 11)));
    assert_eq!(sessions(&next)[0].kind_number, Some(2));
    // A server's clock that steps back a little is no restart.
    assert!(sessions(&wall.see(&Picture::race().at(0.1, 0.1).set(|p| p.scoring_i32(64, 11)))).is_empty());
}

#[test]
fn another_car_is_another_session_once_it_stays() {
    let mut wall = Wall::racing();
    let other = |time: f64| {
        Picture::race().at(time, time).set(|p| {
            p.vehicle_u8(Picture::OWN, 196, 0);
            p.vehicle_u8(Picture::LEADER, 196, 1);
        })
    };
    assert!(wall.see(&other(10.4)).is_empty());
    assert!(sessions(&wall.see(&Picture::race().at(10.6, 10.6))).is_empty());
    let told: Vec<_> = (0..8).flat_map(|i| wall.see(&other(11.0 + f64::from(i) * 0.2))).collect();
    assert_eq!(sessions(&told).len(), 1);
    assert!(sessions(&told)[0].car.0.starts_with("3-"));
}

#[test]
fn a_replay_is_neither_a_session_nor_samples() {
    let mut wall = Wall::racing();
    let replay = Picture::race().at(3.0, 3.0).set(|p| p.vehicle_u8(Picture::OWN, 197, 3));
    let out = wall.see(&replay);
    assert_eq!(out, [Reading::State { game: Some(Game::Lmu), state: GameState::Replay }]);
    let out = wall.see(&Picture::race().at(20.0, 20.0));
    assert_eq!((sessions(&out).len(), wall.state()), (0, GameState::OnTrack));
    wall.gate(200, r#"{"isReplayActive":true}"#);
    assert!(samples(&wall.see(&Picture::race().at(5.0, 5.0))).is_empty());
    assert_eq!(wall.state(), GameState::Replay);
}

#[test]
fn the_setup_is_told_when_it_changes() {
    let path = "/rest/garage/getPlayerGarageData";
    let body = |bias: &str| format!(r#"{{"VM_BRAKE_BALANCE":{{"stringValue":"{bias}","value":3}}}}"#);
    let setups = |out: &[Reading]| out.iter().filter(|r| matches!(r, Reading::Setup { .. })).count();
    let mut wall = Wall::new();
    // Read before the session began.
    assert_eq!(setups(&wall.rest(path, 200, &body("55:45"))), 0);
    wall.see(&Picture::race());
    let out = wall.see(&Picture::race().at(10.2, 10.2));
    assert_eq!((sessions(&out).len(), setups(&out)), (1, 1));
    assert_eq!(setups(&wall.rest(path, 200, &body("55:45"))), 0);
    assert_eq!(setups(&wall.rest(path, 500, &body("50:50"))), 0);
    assert_eq!(setups(&wall.rest(path, 200, "{}")), 0);
    let out = wall.rest(path, 200, &body("54:46"));
    let [Reading::Setup { at_s, setup }] = &out[..] else { panic!("{out:?}") };
    assert_eq!((*at_s, setup.items[0].text.as_str()), (10.2, "54:46"));
    // The next session begins with the setup that is in the car.
    assert_eq!(setups(&wall.see(&Picture::race().at(0.2, 0.2))), 1);
    // On another track, or after the menu, it is not known until it is read again.
    let elsewhere = |s: f64| Picture::race().at(s, s).set(|p| p.track("Monza"));
    let out = wall.see(&elsewhere(0.4));
    assert_eq!((sessions(&out).len(), setups(&out)), (1, 0));
    assert_eq!(setups(&wall.rest(path, 200, &body("56:44"))), 1);
    let menu = elsewhere(0.6).set(|p| p.vehicles(0));
    (0..12).for_each(|_| drop(wall.see(&menu)));
    let out: Vec<_> = [0.8, 1.0].into_iter().flat_map(|s| wall.see(&elsewhere(s))).collect();
    assert_eq!((sessions(&out).len(), setups(&out)), (1, 0));
}

#[test]
fn the_length_that_rest_told_is_not_that_of_a_session_after_the_menu() {
    let mut wall = Wall::racing();
    let out = wall.rest("/rest/watch/sessionInfo", 200, r#"{"session":"RACE1","maxTime":1200}"#);
    assert!(out.is_empty());
    let changed = wall.see(&Picture::race().at(10.4, 10.4));
    assert!(changed.iter().any(|r| matches!(r, Reading::SessionChanged(info) if info.duration_s == Some(1200.0))));
    (0..12).for_each(|_| drop(wall.see(&Picture::race().set(|p| p.vehicles(0)))));
    let out: Vec<_> = [20.0, 20.2].into_iter().flat_map(|s| wall.see(&Picture::race().at(s, s))).collect();
    assert_eq!(sessions(&out)[0].duration_s, Some(3600.0));
}
