//! Le Mans Ultimate from end to end: the fake game's memory and REST, the shipped agent, the service, and what people
//! read of it.

use e2e::rig::{A_LAP, lmu_options, logged_laps, race, session_of, told_laps};
use e2e::{TestApp, eventually};
use fake_game::{Command, FakeGame, Options, SessionKind};
use onelap_agent::record;
use onelap_agent::run::sources::{Games, Wanted};
use onelap_agent::run::{Agent, GameChoice, Input};
use onelap_protocol::Channel;
use onelap_protocol::race::GameState;
use onelap_protocol::viewer::{ViewMessage, ViewerMessage};

#[tokio::test]
async fn every_cars_laps_are_recorded_to_the_millisecond() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let rig = ours.rig("RIG_A").await;
    let game = FakeGame::spawn(race()).await.unwrap();
    let agent = rig.watch_lmu(&app, &game);
    let session = session_of(&agent).await;
    game.wait_until(3 * A_LAP, |car| car.laps_completed >= 3).await.expect("three laps");
    game.command(Command::EndSession).await.unwrap();
    game.command(Command::NextSession { kind: SessionKind::Practice }).await.unwrap();

    let told = ours.ended_session(session).await;
    let log = game.log();
    assert_eq!(told["info"]["track"], log.track);
    assert_eq!(told_laps(&told["laps"]), logged_laps(&log, 0, log.player_car_id));
    let cars = told["cars"].as_array().unwrap();
    assert_eq!(cars.len(), log.cars.len());
    for car in &log.cars {
        let number = car.number.to_string();
        let key = cars.iter().find(|c| c["number"] == number).unwrap_or_else(|| panic!("no car {number} in {cars:?}"));
        let laps = &ours.car(session, key["car"].as_str().unwrap()).await["laps"];
        assert_eq!(told_laps(laps), logged_laps(&log, 0, car.car_id), "car {number}");
    }
    agent.stop().await;
}

#[tokio::test]
async fn a_stop_with_another_driver_makes_a_second_stint() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let rig = ours.rig("RIG_A").await;
    let game = FakeGame::spawn(race()).await.unwrap();
    let agent = rig.watch_lmu(&app, &game);
    let session = session_of(&agent).await;
    let other = game.state().drivers[1].clone();
    game.wait_until(A_LAP, |car| car.laps_completed == 1).await.expect("a lap");
    game.command(Command::DriverChange { name: other.clone() }).await.unwrap();
    let at = game.wait_until(4 * A_LAP, |car| car.driver == other && car.place == "track").await.expect("a stop");
    let lap = at.lap;
    game.wait_until(2 * A_LAP, |car| car.laps_completed > lap).await.expect("two more laps");
    game.command(Command::EndSession).await.unwrap();
    game.command(Command::NextSession { kind: SessionKind::Practice }).await.unwrap();
    let told = ours.ended_session(session).await;
    assert_eq!(told["stints"].as_array().unwrap().len(), 2, "{}", told["stints"]);
    let log = game.log();
    assert_eq!(told_laps(&told["laps"]), logged_laps(&log, 0, log.player_car_id));
    assert_eq!(told["stints"][1]["driver"], *other);
    let stop = &told["pit_stops"][0];
    let logged = log.sessions[0].pit_stops.iter().find(|s| s.car_id == log.player_car_id).expect("a stop");
    for (field, logged_ms) in
        [("entered_s", logged.enter_et_ms), ("stopped_s", logged.stop_et_ms), ("released_s", logged.release_et_ms)]
    {
        let told_s = stop[field].as_f64().unwrap_or_else(|| panic!("no {field} in {stop}"));
        // Scoring tells pit states five times a second.
        assert!((told_s - logged_ms as f64 / 1e3).abs() < 0.5, "{field}: {told_s} for {logged_ms} ms");
    }
    let change = &told["driver_changes"][0];
    assert_eq!(change["to"], *other, "{change}");
    agent.stop().await;
}

#[tokio::test]
async fn a_viewer_sees_what_the_game_shows() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let rig = ours.rig("RIG_A").await;
    let game = FakeGame::spawn(Options { speed: 1.0, ..race() }).await.unwrap();
    let agent = rig.watch_lmu(&app, &game);
    let session = session_of(&agent).await;
    let mut viewer = ours.viewer().await;
    eventually("the session is recorded", || async { Some(ours.session(session).await).filter(|s| !s.is_null()) })
        .await;
    viewer.subscribe(ours.id, session).await;
    for _ in 0..10 {
        let (_, batch) = viewer.next_batch().await;
        let last = batch.len() - 1;
        let now = game.state();
        let value = |channel| batch.value(channel, last).unwrap_or_else(|| panic!("no {channel:?}"));
        let age_s = now.session_time_s - value(Channel::SessionTime);
        assert!((-0.001..3.0).contains(&age_s), "{age_s} s old");
        // What changes slowly must be equal but for the driving since: a litre takes more than ten seconds.
        assert!((value(Channel::Fuel) - now.fuel_l).abs() < 0.02 + 0.1 * age_s.max(0.0));
        assert!((value(Channel::FuelCapacity) - now.fuel_capacity_l).abs() < 0.06);
        let corners = [
            (Channel::TirePressureFl, now.tyre_pressure_kpa.fl),
            (Channel::TirePressureFr, now.tyre_pressure_kpa.fr),
            (Channel::TirePressureRl, now.tyre_pressure_kpa.rl),
            (Channel::TirePressureRr, now.tyre_pressure_kpa.rr),
            (Channel::TireWearFl, 100.0 * (1.0 - now.tyre_remaining.fl)),
            (Channel::TireWearRr, 100.0 * (1.0 - now.tyre_remaining.rr)),
        ];
        for (channel, shown) in corners {
            assert!((value(channel) - shown).abs() < 0.5, "{channel:?}: {} for {shown}", value(channel));
        }
        assert!((value(Channel::VirtualEnergy) - 100.0 * now.virtual_energy.unwrap()).abs() < 0.5);
        assert_eq!(value(Channel::Lap), f64::from(now.lap));
    }
    agent.stop().await;
}

#[tokio::test]
async fn a_setup_that_is_changed_in_the_garage_is_seen() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let rig = ours.rig("RIG_A").await;
    let practice = Options { session: SessionKind::Practice, hold_in_garage: true, speed: 1.0, ..race() };
    let game = FakeGame::spawn(practice).await.unwrap();
    let agent = rig.watch_lmu(&app, &game);
    let session = session_of(&agent).await;
    let setups = async |count: usize| {
        eventually("setups are recorded", || async {
            let told = ours.session(session).await;
            Some(told["setups"].as_array()?.clone()).filter(|setups| setups.len() == count)
        })
        .await
    };
    let before = setups(1).await[0]["hash"].as_str().unwrap().to_owned();
    game.command(Command::Setup { key: "WM_PRESSURE-W_FL".into(), value: 12 }).await.unwrap();
    let after = setups(2).await[1]["hash"].as_str().unwrap().to_owned();
    let shown = game.state().setup["WM_PRESSURE-W_FL"].clone();
    let text = async |hash: &str| {
        let setup = ours.get(&format!("/setups/{hash}")).await.json();
        let items = setup["items"].as_array().unwrap().clone();
        let item = items.into_iter().find(|i| i["key"] == "WM_PRESSURE-W_FL").unwrap();
        assert_eq!((item["corner"].as_str(), item["area"].as_str()), (Some("fl"), Some("tyres")), "{item}");
        item["text"].as_str().unwrap().to_owned()
    };
    assert_eq!(text(&after).await, shown);
    assert_ne!(text(&before).await, shown);
    agent.stop().await;
}

#[tokio::test]
async fn a_game_that_is_gone_is_noticed_and_one_that_comes_back_goes_on() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let rig = ours.rig("RIG_A").await;
    let game = FakeGame::spawn(Options { speed: 1.0, ..race() }).await.unwrap();
    let agent = rig.watch_lmu(&app, &game);
    let session = session_of(&agent).await;
    let mut viewer = ours.viewer().await;
    viewer.say(&ViewerMessage::Watch { team: ours.id }).await;
    let mut state = async |wanted: GameState| {
        let found = |m| {
            if let ViewMessage::Rigs { rigs, .. } = m { rigs.into_iter().find(|r| r.state == wanted) } else { None }
        };
        viewer.until(found).await
    };
    state(GameState::OnTrack).await;
    game.command(Command::Menu).await.unwrap();
    state(GameState::Menu).await;
    game.command(Command::Track).await.unwrap();
    state(GameState::OnTrack).await;
    game.command(Command::Disconnect).await.unwrap();
    let gone = state(GameState::NotRunning).await;
    assert!(gone.connected && gone.session.is_some());
    game.command(Command::Reconnect).await.unwrap();
    state(GameState::OnTrack).await;
    assert!(!ours.session(session).await.is_null());
    agent.stop().await;
}

#[tokio::test]
async fn a_recording_plays_back_to_the_same_laps() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let (rig, replayed) = (ours.rig("RIG_A").await, ours.rig("REPLAY").await);
    let game = FakeGame::spawn(race()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("two-minutes.1lap");
    let games = Games { lmu: Some(lmu_options(&game)), f1: false };
    let stop = tokio_util::sync::CancellationToken::new();
    let wanted = Wanted::from(&rig.options(GameChoice::Lmu));
    let recording = record::spawn(&file, &games, 20, wanted, &stop).unwrap();
    let agent = rig.watch_lmu(&app, &game);
    let live = session_of(&agent).await;
    let began = game.state().session_time_s;
    game.wait_until(6 * A_LAP, |car| car.session_time_s - began > 120.0).await.expect("two minutes of racing");
    game.command(Command::EndSession).await.unwrap();
    game.command(Command::NextSession { kind: SessionKind::Practice }).await.unwrap();
    let told = ours.ended_session(live).await;
    agent.stop().await;
    stop.cancel();
    let summary = tokio::task::spawn_blocking(|| recording.join()).await.unwrap().unwrap().expect("recorded");
    assert_eq!(summary.dropped, 0);

    let input = Input::Replay { path: file, speed: 4.0 };
    let mut replay = Agent::spawn(&app.agent_options(vec![replayed.options(GameChoice::Auto)], input)).unwrap();
    let session = session_of(&replay).await;
    replay.finished().await;
    let again = ours.session(session).await;
    assert_ne!(session, live);
    assert!(told_laps(&told["laps"]).len() >= 3);
    assert_eq!(told_laps(&again["laps"]), told_laps(&told["laps"]));
    for car in told["cars"].as_array().unwrap() {
        let key = car["car"].as_str().unwrap();
        let (first, second) = (ours.car(live, key).await, ours.car(session, key).await);
        assert_eq!(told_laps(&first["laps"]), told_laps(&second["laps"]), "car {key}");
    }
    replay.stop().await;
}
