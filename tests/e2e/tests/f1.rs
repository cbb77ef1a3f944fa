//! F1 25 from end to end: the fake game's datagrams, the shipped agent, the service, and what people read of it.
#![expect(clippy::expect_used, reason = "helpers of a test: what fails here fails the test")]

use e2e::rig::{logged_laps, session_of, told_laps};
use e2e::{TestApp, eventually};
use fake_game::{Class, Command, FakeGame, Options, SessionKind};
use onelap_agent::run::sources::Games;
use onelap_agent::run::{Agent, AgentHandle, GameChoice, Input};
use onelap_protocol::Channel;
use std::net::SocketAddr;
use std::time::Duration;

/// What a lap of the short track needs at speed 6 on a busy machine, with room.
const A_LAP: Duration = Duration::from_secs(30);

fn games() -> Input {
    Input::Games(Games { lmu: None, f1: true })
}

fn address(agent: &AgentHandle, rig: usize) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], agent.f1_ports()[rig].expect("it listens")))
}

#[tokio::test]
async fn every_cars_laps_are_recorded_to_the_millisecond() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let rig = ours.rig("RIG_A").await;
    let agent = Agent::spawn(&app.agent_options(vec![rig.options(GameChoice::F1)], games())).unwrap();
    let game = FakeGame::spawn(Options { speed: 6.0, ..Options::f1(address(&agent, 0)) }).await.unwrap();
    let session = session_of(&agent).await;
    game.wait_until(3 * A_LAP, |car| car.laps_completed >= 2).await.expect("two laps");
    game.command(Command::EndSession).await.unwrap();
    game.command(Command::NextSession { kind: SessionKind::Practice }).await.unwrap();
    let told = ours.ended_session(session).await;
    let log = game.log();
    assert_eq!((told["info"]["game"].as_str(), told["info"]["kind"].as_str()), (Some("f1"), Some("race")));
    assert_eq!(told_laps(&told["laps"]), logged_laps(&log, 0, log.player_car_id));
    assert_eq!(told["cars"].as_array().unwrap().len(), log.cars.len());
    for car in &log.cars {
        let laps = &ours.car(session, &car.f1_index.to_string()).await["laps"];
        assert_eq!(told_laps(laps), logged_laps(&log, 0, car.car_id), "car {}", car.f1_index);
    }
    agent.stop().await;
}

#[tokio::test]
async fn a_viewer_sees_the_corners_where_they_are() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let rig = ours.rig("RIG_A").await;
    let agent = Agent::spawn(&app.agent_options(vec![rig.options(GameChoice::F1)], games())).unwrap();
    let game = FakeGame::spawn(Options::f1(address(&agent, 0))).await.unwrap();
    let session = session_of(&agent).await;
    eventually("the session is recorded", || async { Some(ours.session(session).await).filter(|s| !s.is_null()) })
        .await;
    let mut viewer = ours.viewer().await;
    viewer.subscribe(ours.id, session).await;
    // The slow packets have come too.
    let (batch, now) = loop {
        let (_, batch) = viewer.next_batch().await;
        if batch.value(Channel::TireWearRr, batch.len() - 1).is_some() {
            break (batch, game.state());
        }
    };
    let value = |channel| batch.value(channel, batch.len() - 1).unwrap_or_else(|| panic!("no {channel:?}"));
    let (wear, pressure) = (now.tyre_remaining, now.tyre_pressure_kpa);
    for (channel, shown) in [
        (Channel::TirePressureFl, pressure.fl),
        (Channel::TirePressureFr, pressure.fr),
        (Channel::TirePressureRl, pressure.rl),
        (Channel::TirePressureRr, pressure.rr),
        (Channel::TireWearFl, 100.0 * (1.0 - wear.fl)),
        (Channel::TireWearRr, 100.0 * (1.0 - wear.rr)),
    ] {
        assert!((value(channel) - shown).abs() < 0.6, "{channel:?}: {} for {shown}", value(channel));
    }
    assert_eq!(batch.value(Channel::Fuel, 0), None, "F1 weighs its fuel");
    assert!(value(Channel::FuelMass) > 1.0);
    agent.stop().await;
}

#[tokio::test]
async fn two_rigs_on_one_pc_are_two_sessions() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let (a, b) = (ours.rig("RIG_A").await, ours.rig("RIG_B").await);
    let rigs = vec![a.options(GameChoice::F1), b.options(GameChoice::F1)];
    let agent = Agent::spawn(&app.agent_options(rigs, games())).unwrap();
    let start = async |rig: usize, seed: u64| {
        let options = Options { seed, cars: 10, classes: vec![Class::F1], ..Options::f1(address(&agent, rig)) };
        FakeGame::spawn(options).await.unwrap()
    };
    let (_first, _second) = (start(0, 1).await, start(1, 2).await);
    let mut sessions = Vec::new();
    for mut status in agent.statuses() {
        let found = tokio::time::timeout(e2e::PATIENCE, status.wait_for(|s| s.session.is_some())).await;
        sessions.push(found.expect("in time").expect("the rig runs").session.unwrap());
    }
    assert_ne!(sessions[0], sessions[1]);
    for (session, rig) in sessions.into_iter().zip([&a, &b]) {
        let told =
            eventually("it is recorded", || async { Some(ours.session(session).await).filter(|s| !s.is_null()) });
        assert_eq!(told.await["summary"]["rig_name"], rig.name);
    }
    agent.stop().await;
}

#[tokio::test]
async fn driving_does_not_make_new_setups() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let rig = ours.rig("RIG_A").await;
    let agent = Agent::spawn(&app.agent_options(vec![rig.options(GameChoice::F1)], games())).unwrap();
    let game = FakeGame::spawn(Options { speed: 6.0, ..Options::f1(address(&agent, 0)) }).await.unwrap();
    let session = session_of(&agent).await;
    game.wait_until(2 * A_LAP, |car| car.laps_completed >= 1).await.expect("a lap");
    game.command(Command::EndSession).await.unwrap();
    game.command(Command::NextSession { kind: SessionKind::Practice }).await.unwrap();
    let told = ours.ended_session(session).await;
    assert_eq!(told["setups"].as_array().unwrap().len(), 1, "{}", told["setups"]);
    agent.stop().await;
}
