//! Le Mans Ultimate from end to end, with breaks: the service away, the agent stopped or killed; every lap is there in the end.

use e2e::rig::{A_LAP, SPEED, logged_laps, race, session_of, told_laps};
use e2e::{Came, PATIENCE, Team, TestApp, eventually};
use fake_game::{Command, FakeGame, PlayerState, SessionKind};
use onelap_agent::status::RigStatus;
use onelap_protocol::viewer::{ViewMessage, ViewerMessage};
use onelap_protocol::{Channel, SessionId, batch};
use std::time::Instant;

/// Waits until a session's laps are those of the game's log.
async fn has_all_laps(team: &Team, session: SessionId, log: &fake_game::RaceLog) {
    let logged = logged_laps(log, 0, log.player_car_id);
    eventually("every lap is recorded", || async {
        let told = told_laps(&team.session(session).await["laps"]);
        Some(()).filter(|()| told == logged)
    })
    .await;
}

#[tokio::test]
async fn an_agent_that_lost_its_service_goes_on_where_it_was() {
    let mut app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let rig = ours.rig("RIG_A").await;
    let game = FakeGame::spawn(race()).await.unwrap();
    let agent = rig.watch_lmu(&app, &game);
    let session = session_of(&agent).await;
    game.wait_until(2 * A_LAP, |car| car.laps_completed == 1).await.expect("a lap");
    app.stop().await;
    // A lap is driven while nobody listens.
    game.wait_until(2 * A_LAP, |car| car.laps_completed == 2).await.expect("another lap");
    app.restart().await;
    game.wait_until(2 * A_LAP, |car| car.laps_completed == 3).await.expect("a third lap");
    game.command(Command::EndSession).await.unwrap();
    game.command(Command::NextSession { kind: SessionKind::Practice }).await.unwrap();
    ours.ended_session(session).await;
    // The next session may have begun before what was missed of this one has come.
    has_all_laps(&ours, session, &game.log()).await;
    let mut viewer = ours.viewer().await;
    viewer.say(&ViewerMessage::Watch { team: ours.id }).await;
    assert!(matches!(viewer.next().await, Came::Message(ViewMessage::Hello { .. })));
    agent.stop().await;
}

#[tokio::test]
async fn an_agent_that_is_stopped_goes_on_in_its_session_and_no_viewer_sees_it_end() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let rig = ours.rig("RIG_A").await;
    let game = FakeGame::spawn(race()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let agent = rig.watch_lmu_on_disk(&app, &game, folder.path()).unwrap();
    let session = session_of(&agent).await;
    eventually("the session is recorded", || async { Some(ours.session(session).await).filter(|s| !s.is_null()) })
        .await;
    let mut viewer = ours.viewer().await;
    viewer.subscribe(ours.id, session).await;
    let first = viewer.next_batch().await.0.epoch;
    // What the game shows for a moment only, an agent has to see.
    let well_into_the_second = |car: &PlayerState| car.laps_completed == 1 && car.lap_distance_m > 150.0;
    game.wait_until(2 * A_LAP, well_into_the_second).await.expect("a lap");
    agent.stop().await;
    let agent = rig.watch_lmu_on_disk(&app, &game, folder.path()).unwrap();
    assert_eq!(session_of(&agent).await, session, "the same session goes on");
    loop {
        match viewer.next().await {
            Came::Message(ViewMessage::Ended { reason, .. }) => panic!("a viewer saw the session end: {reason:?}"),
            Came::Binary(bytes) if batch::peek(&bytes).is_ok_and(|header| header.epoch > first) => break,
            Came::Message(_) | Came::Binary(_) => {}
            Came::Closed(code) => panic!("closed with {code:?}"),
        }
    }
    assert!(ours.session(session).await["summary"]["ended_at"].is_null());
    game.wait_until(2 * A_LAP, |car| car.laps_completed == 3).await.expect("two more laps");
    game.command(Command::EndSession).await.unwrap();
    game.command(Command::NextSession { kind: SessionKind::Practice }).await.unwrap();
    ours.ended_session(session).await;
    has_all_laps(&ours, session, &game.log()).await;
    agent.stop().await;
}

#[tokio::test]
async fn a_session_that_ended_while_no_agent_ran_gets_its_end_from_the_next_one() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let rig = ours.rig("RIG_A").await;
    let game = FakeGame::spawn(race()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let agent = rig.watch_lmu_on_disk(&app, &game, folder.path()).unwrap();
    let session = session_of(&agent).await;
    // What the game shows for a moment only, an agent has to see.
    let well_into_the_second = |car: &PlayerState| car.laps_completed == 1 && car.lap_distance_m > 150.0;
    game.wait_until(2 * A_LAP, well_into_the_second).await.expect("a lap");
    agent.stop().await;
    let log = game.log();
    game.command(Command::EndSession).await.unwrap();
    game.command(Command::NextSession { kind: SessionKind::Practice }).await.unwrap();
    let agent = rig.watch_lmu_on_disk(&app, &game, folder.path()).unwrap();
    assert_ne!(session_of(&agent).await, session);
    ours.ended_session(session).await;
    has_all_laps(&ours, session, &log).await;
    agent.stop().await;
}

#[tokio::test]
async fn after_a_break_the_rig_is_live_at_once_and_what_was_missed_follows() {
    let mut app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let rig = ours.rig("RIG_A").await;
    let game = FakeGame::spawn(race()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let agent = rig.watch_lmu_on_disk(&app, &game, folder.path()).unwrap();
    let session = session_of(&agent).await;
    game.wait_until(2 * A_LAP, |car| car.laps_completed == 1).await.expect("a lap");
    app.stop().await;
    game.wait_until(3 * A_LAP, |car| car.laps_completed >= 3).await.expect("two laps that nobody sees");
    app.restart().await;
    let mut status = agent.status();
    tokio::time::timeout(PATIENCE, status.wait_for(RigStatus::connected)).await.expect("connected").unwrap();
    let connected = Instant::now();
    let mut viewer = ours.viewer().await;
    viewer.subscribe(ours.id, session).await;
    let (_, batch) = viewer.next_batch().await;
    let age_s = game.state().session_time_s - batch.value(Channel::SessionTime, batch.len() - 1).unwrap();
    // The first batch that a viewer sees is of now: eight seconds of the model are one.
    assert!(age_s < 3.0 * SPEED, "{age_s} s of the model old, {:?} after the connection", connected.elapsed());
    game.wait_until(2 * A_LAP, |car| car.laps_completed >= 4).await.expect("another lap");
    game.command(Command::EndSession).await.unwrap();
    game.command(Command::NextSession { kind: SessionKind::Practice }).await.unwrap();
    ours.ended_session(session).await;
    has_all_laps(&ours, session, &game.log()).await;
    agent.stop().await;
}

#[tokio::test]
async fn an_agent_that_was_killed_goes_on_in_its_session_and_sends_what_it_had() {
    let mut app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let rig = ours.rig("RIG_A").await;
    let game = FakeGame::spawn(race()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let start = |app: &TestApp| rig.watch_lmu_on_disk(app, &game, folder.path());
    let agent = start(&app).unwrap();
    let session = session_of(&agent).await;
    game.wait_until(2 * A_LAP, |car| car.laps_completed == 1).await.expect("a lap");
    app.stop().await;
    // A lap that nobody hears, and in the next one the agent is killed with that lap on its disk.
    game.wait_until(2 * A_LAP, |car| car.laps_completed == 2 && car.lap_distance_m > 150.0)
        .await
        .expect("a second lap");
    agent.kill();
    // A process that is killed lets go of its folder at once, a task when it is dropped.
    let agent = eventually("the spool's folder is free", || std::future::ready(start(&app).ok())).await;
    assert_eq!(session_of(&agent).await, session, "the same session goes on");
    app.restart().await;
    game.wait_until(2 * A_LAP, |car| car.laps_completed == 4).await.expect("two more laps");
    game.command(Command::EndSession).await.unwrap();
    game.command(Command::NextSession { kind: SessionKind::Practice }).await.unwrap();
    ours.ended_session(session).await;
    has_all_laps(&ours, session, &game.log()).await;
    agent.stop().await;
}
