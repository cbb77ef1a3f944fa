//! What a team, a rig or a person may use: who is over it is told which limit, its figure and what to do; nothing is lost,
//! and others notice nothing.

#![expect(clippy::expect_used, reason = "what goes wrong here is the failure of a test")]

use e2e::sockets::some_session;
use e2e::{Came, RawAgent, TestApp, eventually};
use onelap_protocol::agent::{EndReason, Record, ServiceMessage};
use onelap_protocol::viewer::{ViewMessage, ViewerMessage};
use onelap_protocol::{AGENT_SUBPROTOCOL, ErrorCode};
use std::time::Duration;

/// How often a limit was met.
async fn met(app: &TestApp, limit: &str) -> u64 {
    let metrics = app.request("GET", "/metrics", &[], None).await.body;
    let name = format!("onelap_limit_refused_total{{limit=\"{limit}\"}} ");
    let line = metrics.lines().find_map(|line| line.strip_prefix(&name)).unwrap_or_else(|| panic!("no {name}"));
    line.parse().expect("a figure")
}

async fn refused(viewer: &mut e2e::RawViewer) -> (ErrorCode, String) {
    let pick = |m| if let ViewMessage::Refused { code, message, .. } = m { Some((code, message)) } else { None };
    viewer.until(pick).await
}

#[tokio::test]
async fn a_team_has_so_many_agents_and_others_theirs() {
    let app = TestApp::spawn_with(&[("LIMIT_TEAM_AGENTS", "1")]).await;
    let (ours, theirs) = (app.team("ours").await, app.team("theirs").await);
    let (first, second) = (ours.rig("RIG_A").await, ours.rig("RIG_B").await);
    let agent = first.agent().await;
    let rejected = RawAgent::open(app.address, &second.token, AGENT_SUBPROTOCOL).await.err().expect("no room");
    assert_eq!(rejected.status, 429, "{}", rejected.body);
    for part in ["rate_limited", "limit of 1 agents of a team", "LIMIT_TEAM_AGENTS", "stop the agent"] {
        assert!(rejected.body.contains(part), "{part}: {}", rejected.body);
    }
    assert_eq!(met(&app, "team_agents").await, 1);
    let _theirs = theirs.rig("RIG_A").await.agent().await;
    // A rig that connects again takes its own place.
    let again = first.agent().await;
    drop((agent, again));
    eventually("there is room", || async { RawAgent::open(app.address, &second.token, AGENT_SUBPROTOCOL).await.ok() })
        .await;
}

#[tokio::test]
async fn a_rig_that_connects_all_the_time_has_to_wait() {
    let app = TestApp::spawn_with(&[("LIMIT_RIG_CONNECTS_PER_MIN", "3")]).await;
    let ours = app.team("ours").await;
    let (rig, other) = (ours.rig("RIG_A").await, ours.rig("RIG_B").await);
    for _ in 0..3 {
        drop(rig.agent().await);
    }
    let rejected = RawAgent::open(app.address, &rig.token, AGENT_SUBPROTOCOL).await.err().expect("it has to wait");
    assert!(rejected.status == 429 && rejected.body.contains("LIMIT_RIG_CONNECTS_PER_MIN"), "{}", rejected.body);
    drop(other.agent().await);
    assert_eq!(met(&app, "rig_connects").await, 1);
}

#[tokio::test]
async fn what_comes_too_fast_is_read_more_slowly_and_all_of_it_is_recorded() {
    let settings = [("LIMIT_RIG_MESSAGES_PER_S", "40"), ("LIMIT_TEAM_BYTES_PER_S", "100000")];
    let app = TestApp::spawn_with(&settings).await;
    let ours = app.team("ours").await;
    let mut agent = ours.rig("RIG_A").await.agent().await;
    let began = tokio::time::Instant::now();
    agent.begin().await;
    for _ in 0..598 {
        agent.batch(1, 200.0).await;
    }
    agent.lap(1).await;
    let (code, message, fatal) = agent.error().await;
    assert!(code == ErrorCode::RateLimited && !fatal, "{message}");
    assert!(
        message.contains("limit of 40 messages a second") && message.contains("LIMIT_RIG_MESSAGES_PER_S"),
        "{message}"
    );
    agent.acknowledged(600).await;
    // Four hundred at once, and forty a second.
    assert!(began.elapsed() > Duration::from_millis(4_500), "{:?}", began.elapsed());
    assert!(met(&app, "rig_messages").await > 0);
    assert_eq!(met(&app, "team_bytes").await, 0);
}

#[tokio::test]
async fn the_agent_is_told_what_it_may_send() {
    let app = TestApp::spawn_with(&[("LIMIT_RIG_BYTES_PER_S", "12345"), ("LIMIT_RIG_BACKFILL_PER_S", "7")]).await;
    let rig = app.team("ours").await.rig("RIG_A").await;
    let mut agent = RawAgent::open(app.address, &rig.token, AGENT_SUBPROTOCOL).await.expect("let in");
    let hello = onelap_protocol::agent::AgentMessage::Hello {
        agent_version: "0.0.0".into(),
        platform: "test".into(),
        epoch: 1,
        clock_ms: 0,
        sessions: Vec::new(),
    };
    agent.say(&hello).await;
    let Came::Message(ServiceMessage::Welcome { limits, .. }) = agent.next().await else { panic!("no welcome") };
    assert_eq!((limits.max_bytes_per_s, limits.max_backfill_per_s), (12_345, 7));
}

#[tokio::test]
async fn a_session_without_room_is_asked_for_when_there_is_some() {
    let app = TestApp::spawn_with(&[("LIMIT_TEAM_SESSIONS", "1")]).await;
    let ours = app.team("ours").await;
    let mut first = ours.rig("RIG_A").await.agent().await;
    let mut second = ours.rig("RIG_B").await.agent().await;
    first.begin().await;
    first.acknowledged(1).await;
    second.begin().await;
    second.batch(1, 200.0).await;
    let (code, message, fatal) = second.error().await;
    assert!(code == ErrorCode::RateLimited && !fatal && message.contains("LIMIT_TEAM_SESSIONS"), "{message}");
    first.record(Record::End { reason: EndReason::Left }).await;
    first.acknowledged(2).await;
    match second.next().await {
        Came::Message(ServiceMessage::Resend { place }) => {
            assert_eq!((place.session, place.sequence), (second.session, 0));
        }
        other => panic!("not asked for but {other:?}"),
    }
    second.sequence = 0;
    second.record(Record::Session { info: some_session() }).await;
    second.batch(1, 200.0).await;
    second.lap(1).await;
    second.acknowledged(3).await;
    assert_eq!(met(&app, "rig_sessions").await, 0);
}

#[tokio::test]
async fn a_team_has_so_many_viewers() {
    let app = TestApp::spawn_with(&[("LIMIT_TEAM_VIEWERS", "1"), ("LIMIT_VIEWER_SUBSCRIPTIONS", "2")]).await;
    let (ours, theirs) = (app.team("ours").await, app.team("theirs").await);
    let (mut first, mut second, mut other) = (ours.viewer().await, ours.viewer().await, theirs.viewer().await);
    let is_rigs = |m| matches!(m, ViewMessage::Rigs { .. }).then_some(());
    first.say(&ViewerMessage::Watch { team: ours.id }).await;
    first.until(is_rigs).await;
    second.say(&ViewerMessage::Watch { team: ours.id }).await;
    let (code, message) = refused(&mut second).await;
    assert!(code == ErrorCode::RateLimited && message.contains("limit of 1 live views of a team"), "{message}");
    assert!(message.contains("LIMIT_TEAM_VIEWERS") && message.contains("close one"), "{message}");
    other.say(&ViewerMessage::Watch { team: theirs.id }).await;
    other.until(is_rigs).await;
    assert_eq!(met(&app, "team_viewers").await, 1);
    drop(first);
    eventually("there is room", || async {
        let mut viewer = ours.viewer().await;
        viewer.say(&ViewerMessage::Watch { team: ours.id }).await;
        let answer = |m| match m {
            ViewMessage::Rigs { .. } => Some(Some(())),
            ViewMessage::Refused { .. } => Some(None),
            _ => None,
        };
        viewer.until(answer).await
    })
    .await;
}

#[tokio::test]
async fn a_person_has_so_many_live_views_and_says_so_much() {
    let app = TestApp::spawn_with(&[("LIMIT_PERSON_VIEWERS", "1"), ("LIMIT_VIEWER_MESSAGES_PER_S", "5")]).await;
    let (ours, theirs) = (app.team("ours").await, app.team("theirs").await);
    let mut first = ours.viewer().await;
    let mut second = ours.viewer().await;
    let goodbye = |m| match m {
        ViewMessage::Goodbye { reason, reconnect_after_ms } => Some((reason, reconnect_after_ms)),
        _ => None,
    };
    let (reason, reconnect_after_ms) = second.until(goodbye).await;
    assert!(reason.contains("LIMIT_PERSON_VIEWERS") && reconnect_after_ms.is_some_and(|ms| ms >= 10_000), "{reason}");
    assert_eq!(second.next().await, Came::Closed(Some(1013)));
    let mut other = theirs.viewer().await;
    other.text("{}").await;
    assert_eq!(refused(&mut other).await.0, ErrorCode::Malformed);

    for _ in 0..55 {
        first.text("{}").await;
    }
    let began = tokio::time::Instant::now();
    loop {
        let (code, message) = refused(&mut first).await;
        if code == ErrorCode::RateLimited {
            assert!(message.contains("limit of 5 messages a second from a live view"), "{message}");
            break;
        }
    }
    for _ in 0..5 {
        refused(&mut first).await;
    }
    assert!(began.elapsed() > Duration::from_millis(500), "the last are heard at the rate");
}

#[tokio::test]
async fn exports_take_no_pages_connection_and_have_a_limit() {
    let app = TestApp::spawn_with(&[("DATABASE_EXPORT_CONNECTIONS", "2"), ("DATABASE_EXPORT_TIMEOUT_S", "3")]).await;
    let ours = app.team("ours").await;
    let mut agent = ours.rig("RIG_A").await.agent().await;
    agent.two_laps().await;
    let trace = format!("/sessions/{}/laps/1/trace", agent.session);
    assert_eq!(ours.get(&trace).await.status, 200);
    let timeout = |pool: sqlx::PgPool| async move {
        sqlx::query_scalar::<_, String>("show statement_timeout").fetch_one(&pool).await.expect("an answer")
    };
    let db = &app.state().db;
    assert_eq!((timeout(db.exports.clone()).await, timeout(db.web.clone()).await), ("3s".into(), "10s".into()));

    let held = (db.exports.acquire().await.expect("one"), db.exports.acquire().await.expect("another"));
    assert_eq!(ours.get(&trace).await.status, 503, "traces wait for each other");
    assert_eq!(ours.get("/sessions").await.status, 200, "and nobody else for them");
    let metrics = app.request("GET", "/metrics", &[], None).await.body;
    assert!(metrics.contains(r#"onelap_pool_connections{pool="exports",state="busy"} 2"#), "{metrics}");
    drop(held);

    let running = app.state().limits.export().expect("the first");
    let refused = ours.get("/export").await;
    assert_eq!(refused.status, 429, "{}", refused.body);
    assert!(refused.body.contains("limit of 1 exports") && refused.header("retry-after").is_some(), "{}", refused.body);
    assert_eq!(ours.get("/audit/export").await.status, 429);
    assert_eq!(met(&app, "exports").await, 2);
    drop(running);
    assert_eq!(ours.get("/export").await.status, 200);
    assert_eq!(ours.get("/audit/export").await.status, 200);
}
