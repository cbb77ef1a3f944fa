//! Who and what is refused at the sockets of agents and viewers, with what is said and who notices.

use e2e::sockets::{some_batch, some_lap, some_session};
use e2e::{Came, RawAgent, RawViewer, TestApp};
use onelap_protocol::agent::{Place, Record};
use onelap_protocol::race::{RaceEvent, SessionInfo};
use onelap_protocol::viewer::{ViewMessage, ViewerMessage};
use onelap_protocol::{ErrorCode, SessionId};

#[tokio::test]
async fn who_does_not_belong_is_refused_and_told_nothing() {
    let app = TestApp::spawn().await;
    let (ours, theirs) = (app.team("ours").await, app.team("theirs").await);
    let mut agent = ours.rig("RIG_A").await.agent().await;
    agent.two_laps().await;

    let mut viewer = theirs.viewer().await;
    let refusal =
        |message| if let ViewMessage::Refused { code, message, .. } = message { Some((code, message)) } else { None };
    viewer.subscribe(theirs.id, agent.session).await;
    let foreign = viewer.until(refusal).await;
    viewer.subscribe(theirs.id, SessionId::new()).await;
    assert_eq!(foreign, viewer.until(refusal).await);
    viewer.subscribe(ours.id, agent.session).await;
    assert_eq!(foreign, viewer.until(refusal).await);
    viewer.say(&ViewerMessage::Watch { team: ours.id }).await;
    assert_eq!(foreign, viewer.until(refusal).await);
    assert_eq!(foreign.0, ErrorCode::NotFound);

    // An agent of theirs that claims our session begins one of its own.
    let mut intruder = theirs.rig("RIG_A").await.agent().await;
    intruder.session = agent.session;
    intruder.batch(1, 1.0).await;
    assert_eq!(intruder.error().await.0, ErrorCode::OutOfOrder);
    intruder.sequence = 0;
    let info = SessionInfo { track: "Elsewhere".into(), ..some_session() };
    intruder.record(Record::Session { info }).await;
    intruder.acknowledged(1).await;
    assert_eq!(ours.session(agent.session).await["info"]["track"], "Portimão");
    assert_eq!(theirs.session(agent.session).await["info"]["track"], "Elsewhere");
    assert_eq!(theirs.session(agent.session).await["laps"].as_array().unwrap().len(), 0);
}

#[tokio::test]
async fn sockets_need_a_credential_a_version_and_their_own_origin() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let rig = ours.rig("RIG_A").await;
    let open = async |token: &str, protocol: &str| match RawAgent::open(app.address, token, protocol).await {
        Ok(_) => panic!("let in"),
        Err(rejected) => (rejected.status, rejected.body),
    };
    let (status, body) = open("1lap_rig_nonsense", "onelap.agent.v1").await;
    assert!(status == 401 && body.contains("unauthenticated"), "{status} {body}");
    let mut mistyped = rig.token.clone();
    let last = if mistyped.pop() == Some('0') { '1' } else { '0' };
    mistyped.push(last);
    let (status, body) = open(&mistyped, "onelap.agent.v1").await;
    assert!(status == 401 && body.contains("token_mistyped"), "{status} {body}");
    let (status, body) = open(&rig.token, "onelap.agent.v99").await;
    assert!(status == 426 && body.contains("onelap.agent.v1"), "{status} {body}");

    let view = async |cookies: &str, origin| match RawViewer::open(app.address, cookies, origin).await {
        Ok(_) => panic!("let in"),
        Err(rejected) => (rejected.status, rejected.body),
    };
    let (status, body) = view("", Some("http://1lap.test")).await;
    assert!(status == 401 && body.contains("unauthenticated"), "{status} {body}");
    for origin in [None, Some("http://evil.test")] {
        let (status, body) = view(&ours.cookies, origin).await;
        assert!(status == 403 && body.contains("Origin"), "{status} {body}");
    }
}

#[tokio::test]
async fn a_bad_frame_is_answered_with_what_is_wrong_and_nobody_else_notices() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let rig = ours.rig("RIG_A").await;
    let mut bystander = ours.rig("RIG_B").await.agent().await;
    bystander.begin().await;
    let mut agent = rig.agent().await;

    let mut refused = async |frame: Bad, code: ErrorCode, word: &str| {
        match frame {
            Bad::Text(text) => agent.text(&text).await,
            Bad::Bytes(bytes) => agent.binary(bytes).await,
        }
        let (found, message, fatal) = agent.error().await;
        assert!(found == code && message.contains(word) && !fatal, "{found:?} {message}");
    };
    let session = SessionId::new();
    let place = |sequence| Place { session, epoch: 1, sequence };
    let good = some_batch(place(1), 1, 1, 1.0);
    refused(Bad::Text("nonsense".into()), ErrorCode::Malformed, "line 1 column").await;
    refused(Bad::Text(r#"{"type":"dance"}"#.into()), ErrorCode::Malformed, "dance").await;
    refused(Bad::Text(r#"{"type":"bye"}"#.into()), ErrorCode::Malformed, "reason").await;
    refused(Bad::Bytes(vec![]), ErrorCode::Malformed, "cut short").await;
    refused(Bad::Bytes(vec![9; 40]), ErrorCode::Malformed, "opcode 9").await;
    refused(Bad::Bytes(with(&good, 1, 7)), ErrorCode::Malformed, "format 7").await;
    refused(Bad::Bytes(good.clone()), ErrorCode::OutOfOrder, "must be its facts").await;
    let other_epoch = some_batch(Place { epoch: 2, ..place(1) }, 1, 1, 1.0);
    refused(Bad::Bytes(other_epoch), ErrorCode::OutOfOrder, "epoch 2").await;

    // Its session lives on, and so does everybody else's.
    agent.two_laps().await;
    bystander.lap(1).await;
    bystander.acknowledged(2).await;

    agent.text(&"x".repeat(300_000)).await;
    let (code, message, fatal) = agent.error().await;
    assert!(code == ErrorCode::TooLarge && message.contains("262144") && fatal, "{code:?} {message}");
    assert_eq!(agent.next().await, Came::Closed(Some(1009)));
    bystander.lap(2).await;
    bystander.acknowledged(3).await;
}

enum Bad {
    Text(String),
    Bytes(Vec<u8>),
}

fn with(bytes: &[u8], at: usize, byte: u8) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] = byte;
    bytes
}

#[tokio::test]
async fn what_cannot_be_kept_is_refused_once_and_holds_nothing_up() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let mut agent = ours.rig("RIG_A").await.agent().await;
    agent.begin().await;
    let mut lap = some_lap(1);
    lap.driver = "NUL \0 in a name".into();
    agent.record(Record::Event { event: RaceEvent::Lap(lap) }).await;
    let (code, message, _) = agent.error().await;
    assert!(code == ErrorCode::Invalid && message.contains("event.driver"), "{message}");
    let mut lap = some_lap(1);
    lap.time_ms = Some(u32::MAX);
    agent.record(Record::Event { event: RaceEvent::Lap(lap) }).await;
    assert!(agent.error().await.1.contains("4294967295 ms is no lap time"));
    let place = agent.place();
    let mut damaged = some_batch(place, 1, 1, 1.0);
    damaged.pop();
    agent.binary(damaged).await;
    assert!(agent.error().await.1.contains("cut short"));
    let place = agent.place();
    let unreadable = serde_json::json!({
        "type": "record", "session": place.session, "epoch": 1, "sequence": place.sequence, "item": "event",
        "event": {"kind": "lap", "lap": -3},
    });
    agent.text(&unreadable.to_string()).await;
    assert_eq!(agent.error().await.0, ErrorCode::Malformed);
    agent.lap(2).await;
    agent.acknowledged(agent.sequence).await;
    let laps = ours.session(agent.session).await["laps"].clone();
    assert_eq!((laps.as_array().unwrap().len(), laps[0]["lap"].as_i64()), (1, Some(2)));
}

#[tokio::test]
async fn a_revoked_token_cuts_the_socket_and_opens_no_other() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let (rig, other) = (ours.rig("RIG_A").await, ours.rig("RIG_B").await);
    let (mut agent, mut unharmed) = (rig.agent().await, other.agent().await);
    agent.begin().await;
    agent.acknowledged(1).await;
    assert_eq!(ours.revoke(&rig).await.status, 204);
    let (code, message, fatal) = agent.error().await;
    assert!(code == ErrorCode::TokenRevoked && fatal, "{message}");
    assert!(matches!(agent.next().await, Came::Closed(_)));
    let Err(rejected) = RawAgent::open(app.address, &rig.token, "onelap.agent.v1").await else { panic!("let in") };
    assert!(rejected.status == 401 && rejected.body.contains("token_revoked"), "{rejected:?}");
    unharmed.two_laps().await;
    assert_eq!(ours.session(agent.session).await["info"]["driver"], "Jürgen Müller", "what was taken stays");
}

#[tokio::test]
async fn a_viewer_that_sends_too_much_is_closed_with_the_limit() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let mut viewer = ours.viewer().await;
    viewer.text("nonsense").await;
    viewer.until(|m| matches!(m, ViewMessage::Refused { code: ErrorCode::Malformed, .. }).then_some(())).await;
    viewer.text(&"x".repeat(70_000)).await;
    assert_eq!(viewer.next().await, Came::Closed(Some(1009)));
}
