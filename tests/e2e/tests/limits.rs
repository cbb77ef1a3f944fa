//! What must not happen whatever is sent: nothing is stuck, nothing grows, nothing poisons what was recorded before.

use e2e::sockets::{some_lap, some_session};
use e2e::{Came, Team, TestApp};
use onelap_protocol::agent::{AgentMessage, EndReason, Place, Record, ServiceMessage, SpoolState};
use onelap_protocol::batch::OPCODE_SAMPLES;
use onelap_protocol::race::{GameState, Lap, NoteTopic, RaceEvent, SessionInfo};
use onelap_protocol::viewer::ViewMessage;
use onelap_protocol::{Batch, CarKey, ErrorCode, SessionId};
use serde_json::json;

/// A statement of the owner on a team's rows.
async fn as_team(app: &TestApp, team: &Team, sql: &'static str) -> Result<(), sqlx::Error> {
    let mut tx = app.owner_pool().await.begin().await?;
    sqlx::query("select set_config('app.team', $1, true)").bind(team.id.to_string()).execute(&mut *tx).await?;
    sqlx::query(sql).execute(&mut *tx).await?;
    tx.commit().await
}

#[tokio::test]
async fn a_session_that_cannot_be_stored_at_all_ends_its_connection() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let mut agent = ours.rig("RIG_A").await.agent().await;
    // As if it were deleted at this moment: the session's row has no rig to belong to.
    as_team(&app, &ours, "delete from rigs").await.unwrap();
    agent.begin().await;
    match agent.next().await {
        Came::Message(ServiceMessage::Goodbye { .. }) => {}
        other => panic!("no goodbye but {other:?}"),
    }
}

#[tokio::test]
async fn what_would_spoil_the_session_is_refused() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let mut agent = ours.rig("RIG_A").await.agent().await;
    agent.begin().await;
    agent.lap(1).await;
    // Larger than the number that it is read into: infinite there, and null where it is stored.
    let place = agent.place();
    let mut lap =
        json!({"type": "record", "item": "event", "session": place.session, "epoch": 1, "sequence": place.sequence});
    lap["event"] = serde_json::to_value(RaceEvent::Lap(some_lap(2))).unwrap();
    lap["event"]["tire_wear_pct"] = json!([1e39, 1.0, 1.0, 1.0]);
    agent.text(&lap.to_string()).await;
    let (code, message, _) = agent.error().await;
    assert!(code == ErrorCode::Invalid && message.contains("event.tire_wear_pct"), "{message}");
    let note = |car: &str| RaceEvent::Note {
        car: Some(CarKey(car.into())),
        topic: NoteTopic::Incident,
        text: "contact".into(),
        at_s: 1.0,
    };
    agent.record(Record::Event { event: note("a \0 car") }).await;
    assert!(agent.error().await.1.contains("event.car"));
    agent.lap(3).await;
    agent.acknowledged(agent.sequence).await;
    let laps = ours.session(agent.session).await["laps"].clone();
    assert_eq!(laps.as_array().map(Vec::len), Some(2), "{laps}");
}

#[tokio::test]
async fn a_session_whose_facts_are_wrong_is_told_which() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let mut agent = ours.rig("RIG_A").await.agent().await;
    let info = SessionInfo { track: "x".repeat(600), ..some_session() };
    agent.record(Record::Session { info }).await;
    let (code, message, fatal) = agent.error().await;
    assert!(code == ErrorCode::Invalid && message.contains("info.track") && !fatal, "{message}");
}

#[tokio::test]
async fn texts_that_are_only_shown_have_a_limit_too() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let mut agent = ours.rig("RIG_A").await.agent().await;
    let notice = Some("x".repeat(10_000));
    agent
        .say(&AgentMessage::Status {
            game: None,
            state: GameState::Menu,
            session: None,
            notice,
            spool: SpoolState::default(),
            clock_ms: None,
        })
        .await;
    let (code, message, _) = agent.error().await;
    assert!(code == ErrorCode::Invalid && message.contains("status.notice"), "{message}");

    // What is wrong is quoted, but not at any length.
    agent.text(&json!({ "type": "x".repeat(100_000) }).to_string()).await;
    let (code, message, _) = agent.error().await;
    assert!(code == ErrorCode::Malformed && message.len() < 1000, "{} bytes", message.len());
    let mut viewer = ours.viewer().await;
    viewer.text(&json!({ "type": "x".repeat(60_000) }).to_string()).await;
    let refused = |m| if let ViewMessage::Refused { message, .. } = m { Some(message) } else { None };
    let message = viewer.until(refused).await;
    assert!(message.len() < 1000, "{} bytes", message.len());
}

#[tokio::test]
async fn a_session_has_so_many_cars_and_no_more() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let mut agent = ours.rig("RIG_A").await.agent().await;
    agent.begin().await;
    for number in 0..=500 {
        let lap = Lap { car: CarKey(format!("{number}-other")), number: None, ..some_lap(1) };
        agent.record(Record::Event { event: RaceEvent::Lap(lap) }).await;
    }
    let (code, message, fatal) = agent.error().await;
    assert!(code == ErrorCode::Invalid && message.contains("500 cars") && !fatal, "{message}");
    let known = Lap { car: CarKey("7-other".into()), ..some_lap(2) };
    agent.record(Record::Event { event: RaceEvent::Lap(known) }).await;
    agent.acknowledged(agent.sequence).await;
}

#[tokio::test]
async fn hello_is_said_once() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let mut agent = ours.rig("RIG_A").await.agent().await;
    agent.begin().await;
    let again = AgentMessage::Hello {
        agent_version: "0.0.0".into(),
        platform: "test".into(),
        epoch: 2,
        clock_ms: 0,
        sessions: vec![agent.session],
    };
    agent.say(&again).await;
    let (code, message, fatal) = agent.error().await;
    assert!(code == ErrorCode::OutOfOrder && fatal, "{message}");
}

/// What the agent's spool sends of a batch whose samples it had to give up: its place, and one sample of nothing.
fn emptied(place: Place) -> Vec<u8> {
    let mut batch = Batch::default();
    batch.add_row(1_790_000_000_000);
    let mut frame = Vec::new();
    batch.encode(OPCODE_SAMPLES, place.session, place.epoch, place.sequence, &mut frame);
    frame
}

#[tokio::test]
async fn batches_that_the_spool_has_emptied_are_taken() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let mut agent = ours.rig("RIG_A").await.agent().await;
    agent.begin().await;
    for _ in 0..3 {
        let place = agent.place();
        agent.binary(emptied(place)).await;
    }
    agent.batch(1, 200.0).await;
    agent.lap(1).await;
    agent.acknowledged(agent.sequence).await;
    let trace = ours.get(&format!("/sessions/{}/laps/1/trace?channels=speed", agent.session)).await;
    assert_eq!(trace.status, 200, "{}", trace.body);
    assert_eq!(Batch::decode(&trace.bytes).unwrap().1.len(), 2);
}

#[tokio::test]
async fn sessions_without_an_end_do_not_use_up_a_connection() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let mut agent = ours.rig("RIG_A").await.agent().await;
    for _ in 0..10 {
        (agent.session, agent.sequence) = (SessionId::new(), 0);
        agent.begin().await;
        agent.acknowledged(1).await;
    }
    agent.record(Record::End { reason: EndReason::Left }).await;
    agent.acknowledged(2).await;
}

#[tokio::test]
async fn a_viewer_that_opens_a_session_with_much_to_tell_is_not_called_slow() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let mut agent = ours.rig("RIG_A").await.agent().await;
    agent.begin().await;
    for at in 0..600 {
        let event = RaceEvent::Note { car: None, topic: NoteTopic::Other, text: "x".repeat(2000), at_s: f64::from(at) };
        agent.record(Record::Event { event }).await;
    }
    agent.lap(1).await;
    agent.acknowledged(agent.sequence).await;
    let mut viewer = ours.viewer().await;
    viewer.subscribe(ours.id, agent.session).await;
    let told =
        viewer.until(|m| if let ViewMessage::Snapshot { events, .. } = m { Some(events.len()) } else { None }).await;
    assert_eq!(told, 600);
}
