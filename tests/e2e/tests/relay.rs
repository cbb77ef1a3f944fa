//! From an agent's socket to viewers and into Postgres, with agents and viewers that speak by hand.

use e2e::sockets::{some_batch, some_lap, some_session};
use e2e::{Came, RawAgent, RawViewer, TestApp, eventually};
use onelap_protocol::agent::{AgentMessage, EndReason, Place, Record, ServiceMessage, SpoolState};
use onelap_protocol::race::{GameState, RaceEvent};
use onelap_protocol::viewer::{ViewMessage, ViewerMessage};
use onelap_protocol::{Batch, Channel, ErrorCode};
use std::time::{Duration, Instant};

async fn snapshot(viewer: &mut RawViewer) -> ViewMessage {
    viewer.until(|m| matches!(m, ViewMessage::Snapshot { .. }).then_some(m)).await
}

#[tokio::test]
async fn a_viewer_sees_the_bytes_that_the_agent_sent() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let mut agent = ours.rig("RIG_A").await.agent().await;
    agent.begin().await;
    let place = agent.place();
    let first = some_batch(place, 1_790_000_000_000, 1, 250.0);
    agent.binary(first.clone()).await;
    // Whoever subscribes once the batch is through gets it with the snapshot.
    let (mut viewer, info) = eventually("the batch is through", || async {
        let mut viewer = ours.viewer().await;
        viewer.subscribe(ours.id, agent.session).await;
        let found = viewer
            .until(|m| match m {
                ViewMessage::Snapshot { info, sequence, .. } => Some((sequence == place.sequence).then_some(info)),
                ViewMessage::Refused { code, .. } => {
                    assert_eq!(code, ErrorCode::NotFound);
                    Some(None)
                }
                _ => None,
            })
            .await;
        found.map(|info| (viewer, info))
    })
    .await;
    assert_eq!(info, some_session());
    assert_eq!(viewer.next().await, Came::Binary(first));

    let place = agent.place();
    let second = some_batch(place, 1_790_000_000_100, 1, 260.0);
    agent.binary(second.clone()).await;
    assert_eq!(viewer.next().await, Came::Binary(second));

    agent.lap(1).await;
    let event = viewer.until(|m| if let ViewMessage::Event { event, .. } = m { Some(event) } else { None }).await;
    assert_eq!(event, RaceEvent::Lap(some_lap(1)));
}

#[tokio::test]
async fn what_is_acknowledged_can_be_reviewed() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let mut agent = ours.rig("RIG_A").await.agent().await;
    agent.two_laps().await;

    let session = ours.session(agent.session).await;
    assert_eq!(session["info"]["track"], "Portimão", "{session:#}");
    let laps = session["laps"].as_array().unwrap();
    let times: Vec<_> = laps.iter().map(|l| l["time_ms"].as_u64().unwrap()).collect();
    assert_eq!(times, [95_001, 95_002]);
    assert_eq!(session["stints"].as_array().unwrap().len(), 1);

    let trace = ours.get(&format!("/sessions/{}/laps/2/trace?channels=speed", agent.session)).await;
    assert_eq!(trace.status, 200, "{}", trace.body);
    let (header, batch) = Batch::decode(&trace.bytes).unwrap();
    assert_eq!((header.session, batch.len()), (agent.session, 10));
    assert_eq!(batch.value(Channel::Speed, 1), Some(201.0));
    assert_eq!(batch.value(Channel::Lap, 0), None, "only what was asked for");
}

async fn rows(app: &TestApp, team: onelap_protocol::TeamId) -> Result<Vec<(String, i64)>, sqlx::Error> {
    let mut tx = app.owner_pool().await.begin().await?;
    sqlx::query("select set_config('app.team', $1, true)").bind(team.to_string()).execute(&mut *tx).await?;
    let mut counts = Vec::new();
    for table in ["sessions", "chunks", "laps", "stints", "pit_stops", "setups", "session_setups", "notes"] {
        let count = sqlx::AssertSqlSafe(format!("select count(*) from {table}"));
        counts.push((table.to_owned(), sqlx::query_scalar(count).fetch_one(&mut *tx).await?));
    }
    let samples: Option<i64> = sqlx::query_scalar("select sum(samples) from chunks").fetch_one(&mut *tx).await?;
    counts.push(("samples".into(), samples.unwrap_or(0)));
    Ok(counts)
}

#[tokio::test]
async fn a_replay_changes_nothing() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let rig = ours.rig("RIG_A").await;
    let mut agent = rig.agent().await;
    agent.two_laps().await;
    let before = (rows(&app, ours.id).await.unwrap(), ours.session(agent.session).await);
    let session = agent.session;
    drop(agent);

    // The same run of the agent, which heard no acknowledgement, sends everything again and goes on.
    let (mut again, committed) = RawAgent::connect(app.address, &rig.token, 1, vec![session]).await;
    assert_eq!(committed, [Place { session, epoch: 1, sequence: 13 }]);
    again.session = session;
    again.two_laps().await;
    assert_eq!((rows(&app, ours.id).await.unwrap(), ours.session(session).await), before);

    again.batch(3, 100.0).await;
    again.lap(3).await;
    again.acknowledged(again.sequence).await;
    assert_eq!(ours.session(session).await["laps"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_session_goes_on_after_the_service_was_restarted() {
    let mut app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let rig = ours.rig("RIG_A").await;
    let mut agent = rig.agent().await;
    agent.two_laps().await;
    let (session, sequence) = (agent.session, agent.sequence);
    let mut viewer = ours.viewer().await;
    viewer.subscribe(ours.id, session).await;
    snapshot(&mut viewer).await;
    agent.batch(3, 300.0).await;
    while viewer.next_batch().await.0.sequence <= sequence {}
    // The batch has come and is not committed yet: the stopping service writes it.
    app.restart().await;
    let (mut agent, committed) = RawAgent::connect(app.address, &rig.token, 1, vec![session]).await;
    assert_eq!(committed, [Place { session, epoch: 1, sequence: sequence + 1 }]);
    (agent.session, agent.sequence) = (session, sequence + 1);
    agent.lap(3).await;
    agent.acknowledged(agent.sequence).await;

    let mut viewer = ours.viewer().await;
    viewer.subscribe(ours.id, session).await;
    let ViewMessage::Snapshot { info, events, consumption, .. } = snapshot(&mut viewer).await else { unreachable!() };
    assert_eq!(info.track, "Portimão");
    let laps: Vec<u16> =
        events.iter().filter_map(|e| if let RaceEvent::Lap(l) = e { Some(l.lap) } else { None }).collect();
    assert_eq!(laps, [1, 2, 3]);
    assert_eq!(consumption.laps, 2, "laps 2 and 3 have a line before them");
    let stints = ours.session(session).await["stints"].clone();
    assert_eq!((stints[0]["first_lap"].as_i64(), stints[0]["last_lap"].as_i64()), (Some(1), Some(3)), "{stints}");
}

#[tokio::test]
async fn the_later_of_two_agents_with_one_token_wins() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let rig = ours.rig("RIG_A").await;
    let mut first = rig.agent().await;
    let mut second = rig.agent().await;
    match first.next().await {
        Came::Message(ServiceMessage::Goodbye { reason, reconnect_after_ms }) => {
            assert!(reason.contains("another agent") && reconnect_after_ms >= 30_000, "{reason}");
        }
        other => panic!("{other:?}"),
    }
    second.two_laps().await;
}

#[tokio::test]
async fn watchers_see_a_rig_come_play_and_go() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let rig = ours.rig("RIG_A").await;
    let mut viewer = ours.viewer().await;
    viewer.say(&ViewerMessage::Watch { team: ours.id }).await;
    let states = async |viewer: &mut RawViewer| {
        viewer.until(|m| if let ViewMessage::Rigs { mut rigs, .. } = m { rigs.pop() } else { None }).await
    };
    let state = states(&mut viewer).await;
    assert_eq!((state.name.as_str(), state.connected, state.since_ms), ("RIG_A", false, None));
    let mut agent = rig.agent().await;
    assert!(states(&mut viewer).await.connected);
    assert_eq!(states(&mut viewer).await.agent_version.as_deref(), Some("0.0.0"));
    let status = |state| AgentMessage::Status {
        game: Some(onelap_protocol::race::Game::Lmu),
        state,
        session: None,
        notice: Some("a notice".into()),
        spool: SpoolState::default(),
        clock_ms: None,
    };
    agent.say(&status(GameState::Menu)).await;
    let state = states(&mut viewer).await;
    assert_eq!((state.state, state.notice.as_deref()), (GameState::Menu, Some("a notice")));
    agent.begin().await;
    assert_eq!(states(&mut viewer).await.session, Some(agent.session));
    agent.batch(1, 100.0).await;
    // Between these it may be told that the beginning is committed.
    while states(&mut viewer).await.last_sample_ms.is_none() {}
    drop(agent);
    let gone = viewer.until(|m| match m {
        ViewMessage::Rigs { rigs, .. } => rigs.into_iter().find(|rig| !rig.connected),
        _ => None,
    });
    assert!(gone.await.session.is_some());
}

#[tokio::test]
async fn an_ended_session_is_told_and_closed() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let mut agent = ours.rig("RIG_A").await.agent().await;
    agent.two_laps().await;
    let mut viewer = ours.viewer().await;
    viewer.subscribe(ours.id, agent.session).await;
    snapshot(&mut viewer).await;
    agent.record(Record::End { reason: EndReason::Left }).await;
    viewer.until(|m| matches!(m, ViewMessage::Ended { reason: EndReason::Left, .. }).then_some(())).await;
    agent.acknowledged(agent.sequence).await;
    assert!(ours.session(agent.session).await["summary"]["ended_at"].is_string());
}

#[tokio::test]
async fn a_session_that_was_left_open_ends_with_the_rigs_next_one() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let (rig, other) = (ours.rig("RIG_A").await, ours.rig("RIG_B").await);
    let (mut agent, mut elsewhere) = (rig.agent().await, other.agent().await);
    agent.two_laps().await;
    elsewhere.two_laps().await;
    let mut next = rig.agent().await;
    next.two_laps().await;
    let ended = async |session| ours.session(session).await["summary"]["ended_at"].is_string();
    assert!(ended(agent.session).await);
    assert!(!ended(next.session).await && !ended(elsewhere.session).await);
}

#[tokio::test]
async fn a_viewer_gets_as_many_batches_as_it_wants() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let mut agent = ours.rig("RIG_A").await.agent().await;
    agent.begin().await;
    agent.lap(1).await;
    agent.acknowledged(2).await;
    let mut viewer = ours.viewer().await;
    viewer.say(&ViewerMessage::Subscribe { team: ours.id, session: agent.session, max_hz: Some(2), after: None }).await;
    snapshot(&mut viewer).await;
    // Ten batches a second for three seconds of the agent's clock.
    for i in 0..30 {
        agent.batch(2, f64::from(i)).await;
    }
    agent.lap(2).await;
    let mut batches = 0;
    loop {
        match viewer.next().await {
            Came::Binary(_) => batches += 1,
            Came::Message(ViewMessage::Event { .. }) => break,
            Came::Message(_) => {}
            Came::Closed(code) => panic!("closed with {code:?}"),
        }
    }
    // Events overtake samples in the outbox: what is still waiting comes behind.
    agent.lap(3).await;
    loop {
        match viewer.next().await {
            Came::Binary(_) => batches += 1,
            Came::Message(ViewMessage::Event { .. }) => break,
            Came::Message(_) => {}
            Came::Closed(code) => panic!("closed with {code:?}"),
        }
    }
    assert!((5..=7).contains(&batches), "{batches} batches");
}

#[tokio::test]
async fn a_stopping_service_says_goodbye_and_goes_on_until_all_have_left_or_their_time_is_over() {
    let mut app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let rig = ours.rig("RIG_A").await;
    let (mut agent, mut viewer) = (rig.agent().await, ours.viewer().await);
    agent.begin().await;
    agent.batch(1, 100.0).await;
    viewer.say(&ViewerMessage::Watch { team: ours.id }).await;
    viewer.until(|m| if let ViewMessage::Rigs { rigs, .. } = m { rigs[0].last_sample_ms } else { None }).await;
    viewer.subscribe(ours.id, agent.session).await;
    viewer.next_batch().await;
    let mut leaves = ours.viewer().await;
    let goodbye = |m| if let ViewMessage::Goodbye { reconnect_after_ms, .. } = m { reconnect_after_ms } else { None };
    let began = Instant::now();
    let (_, ()) = tokio::join!(app.stop(), async {
        assert!(viewer.until(goodbye).await >= 500);
        leaves.until(goodbye).await;
        drop(leaves);
        while !matches!(agent.next().await, Came::Message(ServiceMessage::Goodbye { .. })) {}
        // What is sent after the goodbye is shown, and recorded as the samples below tell.
        agent.batch(1, 101.0).await;
        viewer.next_batch().await;
        // Neither leaves.
        let closed = |code: Option<u16>| assert_eq!(code, Some(1012));
        loop {
            if let Came::Closed(code) = viewer.next().await {
                break closed(code);
            }
        }
        loop {
            if let Came::Closed(code) = agent.next().await {
                break closed(code);
            }
        }
        assert!(began.elapsed() >= Duration::from_secs(3), "they were given time");
    });
    let samples = rows(&app, ours.id).await.unwrap().into_iter().find(|(name, _)| name == "samples").unwrap().1;
    assert_eq!(samples, 4);
}
