//! What commands do, one after another and by script.

use super::*;
use crate::command::Script;
use crate::model::log::SessionKind;
use crate::model::session::Phase;
use crate::model::weather::WeatherChange;
use crate::options::F1Options;

fn pass(game: &mut Game, seconds: f64) {
    for _ in 0..(seconds * 50.0) as usize {
        game.advance(20.0);
        game.world.happenings.clear();
    }
}

fn game(session: SessionKind) -> Game {
    Game::new(&Options { session, ..Options::default() })
}

#[test]
fn speed_is_a_factor_of_time() {
    let mut game = Game::new(&Options { speed: 8.0, ..Options::default() });
    pass(&mut game, 2.0);
    assert_eq!(game.world.session.now_ms, 16_000);
}

#[test]
fn time_stands_still_at_the_menu_in_a_pause_and_when_the_game_is_gone() {
    let mut game = game(SessionKind::Race);
    pass(&mut game, 20.0);
    let at = game.world.session.now_ms;
    for (stop, go) in
        [(Command::Menu, Command::Track), (Command::Pause, Command::Resume), (Command::Disconnect, Command::Reconnect)]
    {
        game.apply(stop).unwrap();
        pass(&mut game, 5.0);
        assert_eq!(game.world.session.now_ms, at);
        game.apply(go).unwrap();
    }
    pass(&mut game, 1.0);
    assert_eq!(game.world.session.now_ms, at + 1_000);
}

#[test]
fn a_script_is_carried_out_when_its_time_has_come() {
    let script = Script::parse("at 2 menu\nat 4 track\nat 6 weather rain=1 wetness=0.5\nat 8 pit\nat 9 end-session\nat 10 next-session qualifying").unwrap();
    let mut game = Game::new(&Options { script, ..Options::default() });
    pass(&mut game, 3.0);
    assert!(game.in_menu);
    pass(&mut game, 2.0);
    assert!(!game.in_menu);
    pass(&mut game, 2.0);
    assert!(game.world.weather.wetness > 0.45);
    pass(&mut game, 1.5);
    assert!(game.world.player_car().pit.requested);
    pass(&mut game, 1.0);
    assert_eq!(game.world.session.phase, Phase::Over);
    pass(&mut game, 2.0);
    assert_eq!((game.world.session.kind, game.world.session.index), (SessionKind::Qualifying, 1));
    assert_eq!(game.world.log.sessions.iter().map(|session| session.ended).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn the_next_session_shows_the_end_of_the_one_before_it_first() {
    let mut game = game(SessionKind::Race);
    pass(&mut game, 10.0);
    let uid = game.world.session.uid;
    game.apply(Command::NextSession { kind: SessionKind::Race }).unwrap();
    assert_eq!((game.world.session.uid, game.world.session.phase), (uid, Phase::Over));
    pass(&mut game, 0.1);
    assert_ne!(game.world.session.uid, uid);
    assert_eq!(game.world.session.phase, Phase::Formation);
}

#[test]
fn another_driver_takes_over_at_once_in_the_garage_and_at_a_stop_on_the_track() {
    let mut game = game(SessionKind::Practice);
    pass(&mut game, 1.0);
    game.apply(Command::DriverChange { name: "Jürgen Müller".to_owned() }).unwrap();
    assert_eq!(game.state().driver, "Jürgen Müller");
    pass(&mut game, 60.0);
    game.apply(Command::DriverChange { name: "Inês Conceição".to_owned() }).unwrap();
    assert_eq!((game.state().driver.as_str(), game.state().pit_requested), ("Jürgen Müller", true));
    pass(&mut game, 80.0);
    assert_eq!(game.state().driver, "Inês Conceição");
    assert_eq!(game.world.log.sessions[0].driver_changes.len(), 2);
    let error = game.apply(Command::DriverChange { name: "Nobody".to_owned() }).unwrap_err();
    assert!(error.to_string().contains("Łukasz Wiśniewski, Jürgen Müller, Inês Conceição"), "{error}");
}

#[test]
fn a_flashback_takes_the_race_and_its_log_back() {
    let f1 = F1Options { to: Vec::new(), rate_hz: 60 };
    let mut game = Game::new(&Options { f1: Some(f1), ..Options::default() });
    pass(&mut game, 37.0);
    let (before, laps) = (game.world.session.now_ms, game.world.log.player_laps().len());
    pass(&mut game, 6.0);
    assert!(game.world.log.player_laps().len() > laps, "a lap was completed in between");
    game.apply(Command::Flashback { seconds: 6.0 }).unwrap();
    assert!(game.flashed_back && game.world.session.now_ms <= before);
    assert_eq!(game.world.log.player_laps().len(), laps);
    assert!(game.apply(Command::Flashback { seconds: 60.0 }).is_err());
}

#[test]
fn without_f1_there_are_no_flashbacks() {
    let mut game = game(SessionKind::Race);
    pass(&mut game, 10.0);
    assert!(matches!(game.apply(Command::Flashback { seconds: 2.0 }), Err(CommandError::NoFlashback { .. })));
}

#[test]
fn an_incident_and_the_weather_show_in_the_state() {
    let mut game = game(SessionKind::Race);
    pass(&mut game, 20.0);
    game.apply(Command::Incident).unwrap();
    assert!(game.world.player_car().last_impact.is_some());
    game.apply(Command::Weather(WeatherChange { ambient_c: Some(11.5), track_c: Some(14.0), ..Default::default() }))
        .unwrap();
    assert!((game.state().ambient_c - 11.5).abs() < 1e-9 && (game.state().track_c - 14.0).abs() < 1e-9);
}
