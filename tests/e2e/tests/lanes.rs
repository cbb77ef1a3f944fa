//! After a break a rig is live at once, and what was missed follows beside it: live, preview and backfill, with agents and
//! viewers that speak by hand.

use e2e::sockets::{some_batch_for, some_lap, some_session};
use e2e::{Came, RawAgent, RawViewer, Rig, Team, TestApp, eventually};
use onelap_protocol::agent::{EndReason, Lane, Place, Record};
use onelap_protocol::race::{RaceEvent, SessionInfo};
use onelap_protocol::viewer::{ViewMessage, ViewerMessage};
use onelap_protocol::{Batch, ErrorCode, SessionId};

async fn snapshot(viewer: &mut RawViewer) -> ViewMessage {
    viewer.until(|m| matches!(m, ViewMessage::Snapshot { .. }).then_some(m)).await
}

fn laps(events: &[RaceEvent]) -> Vec<u16> {
    events.iter().filter_map(|e| if let RaceEvent::Lap(lap) = e { Some(lap.lap) } else { None }).collect()
}

/// The laps that a new viewer is given.
async fn snapshot_laps(team: &Team, session: SessionId) -> Vec<u16> {
    let mut viewer = team.viewer().await;
    viewer.subscribe(team.id, session).await;
    let ViewMessage::Snapshot { events, .. } = snapshot(&mut viewer).await else { unreachable!() };
    laps(&events)
}

/// Facts, a batch and lap 1, committed: up to sequence 3. Then the link breaks.
async fn before_the_break(rig: &Rig) -> (SessionId, u64) {
    let mut agent = rig.agent().await;
    agent.begin().await;
    agent.batch(1, 100.0).await;
    agent.lap(1).await;
    agent.acknowledged(3).await;
    (agent.session, agent.sequence)
}

/// The agent is back, in the same run. While it was away it read laps 2 and 3 (up to sequence 7); it shows what is new
/// from sequence 8: a batch, and lap 4 at 9.
async fn back_after_the_break(app: &TestApp, rig: &Rig, session: SessionId) -> RawAgent {
    let (mut agent, committed) = RawAgent::connect(app.address, &rig.token, 1, vec![session]).await;
    assert_eq!(committed, [Place { session, epoch: 1, sequence: 3 }]);
    agent.session = session;
    agent.go_on(Lane::Preview, 6);
    agent.begin().await;
    agent.batch(4, 400.0).await;
    agent.lap(4).await;
    agent
}

/// What was missed follows, up to the end of what was shown: 4 to 9.
async fn fill(agent: &mut RawAgent) {
    agent.go_on(Lane::Backfill, 3);
    agent.batch(2, 200.0).await;
    agent.lap(2).await;
    agent.batch(3, 300.0).await;
    agent.lap(3).await;
    agent.batch(4, 400.0).await;
    agent.lap(4).await;
}

#[tokio::test]
async fn a_rig_is_live_at_once_and_what_was_missed_is_recorded_beside_it() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let rig = ours.rig("RIG_A").await;
    let (session, _) = before_the_break(&rig).await;
    let mut viewer = ours.viewer().await;
    viewer.subscribe(ours.id, session).await;
    snapshot(&mut viewer).await;
    assert_eq!(viewer.next_batch().await.0.sequence, 2);

    let mut agent = back_after_the_break(&app, &rig, session).await;
    // Events overtake samples: the batch and the lap come in any order.
    let (mut batch, mut lap) = (None, None);
    while batch.is_none() || lap.is_none() {
        match viewer.next().await {
            Came::Binary(bytes) => batch = Some(bytes),
            Came::Message(ViewMessage::Event { event, late, .. }) => lap = Some((event, late)),
            Came::Message(_) => {}
            Came::Closed(code) => panic!("closed with {code:?}"),
        }
    }
    let place = Place { session, epoch: 1, sequence: 8 };
    let at_ms = e2e::sockets::BEGAN_MS + 800;
    let expected = some_batch_for(Lane::Live, place, at_ms, 4, 400.0);
    assert_eq!(batch.unwrap(), expected, "viewers know one kind of batch");
    assert_eq!(lap.unwrap(), (RaceEvent::Lap(some_lap(4)), false));
    let next = async |viewer: &mut RawViewer| {
        viewer.until(|m| if let ViewMessage::Event { event, late, .. } = m { Some((event, late)) } else { None }).await
    };
    assert_eq!(ours.session(session).await["laps"].as_array().unwrap().len(), 1, "a preview is not recorded");

    fill(&mut agent).await;
    assert_eq!(next(&mut viewer).await, (RaceEvent::Lap(some_lap(2)), true));
    assert_eq!(next(&mut viewer).await, (RaceEvent::Lap(some_lap(3)), true));
    // The first live item after it: nothing in between was a batch, nothing was told twice.
    agent.go_on(Lane::Live, 9);
    agent.batch(5, 500.0).await;
    agent.lap(5).await;
    let batch = loop {
        match viewer.next().await {
            Came::Binary(bytes) => break Batch::decode(&bytes).unwrap().0,
            Came::Message(ViewMessage::Event { event, .. }) => assert_eq!(laps(&[event]), [5], "told twice"),
            Came::Message(_) => {}
            Came::Closed(code) => panic!("closed with {code:?}"),
        }
    };
    assert_eq!(batch.sequence, 10);
    agent.acknowledged(11).await;
    assert_eq!(snapshot_laps(&ours, session).await, [1, 2, 3, 4, 5], "each at its place");
    let told = ours.session(session).await;
    let recorded: Vec<_> = told["laps"].as_array().unwrap().iter().map(|l| l["lap"].as_u64().unwrap()).collect();
    assert_eq!(recorded, [1, 2, 3, 4, 5]);
    for lap in 1..=5 {
        let trace = ours.get(&format!("/sessions/{session}/laps/{lap}/trace?channels=speed")).await;
        assert_eq!(Batch::decode(&trace.bytes).unwrap().1.len(), 2, "lap {lap}, once");
    }
}

#[tokio::test]
async fn viewers_are_told_which_stretch_was_filled() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let rig = ours.rig("RIG_A").await;
    let (session, _) = before_the_break(&rig).await;
    let mut viewer = ours.viewer().await;
    viewer.subscribe(ours.id, session).await;
    let mut agent = back_after_the_break(&app, &rig, session).await;
    fill(&mut agent).await;
    let mut filled = None;
    // A stretch may be said more than once, each time longer: from the first backfilled batch, 4, to the last, 8.
    while filled != Some((0.4, 0.85)) {
        let stretch =
            |m| if let ViewMessage::Backfilled { from_s, to_s, .. } = m { Some((from_s, to_s)) } else { None };
        let (from_s, to_s) = viewer.until(stretch).await;
        assert!(filled.is_none_or(|(from, to)| from_s <= from && to_s >= to), "{filled:?} then {from_s} to {to_s}");
        filled = Some((from_s, to_s));
        let there = ours.get(&format!("/sessions/{session}/laps/2/trace?channels=speed")).await;
        assert_eq!(there.status, 200, "what is told is stored");
    }
}

#[tokio::test]
async fn consumption_is_that_of_what_is_recorded_as_soon_as_it_has_caught_up() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let rig = ours.rig("RIG_A").await;
    let (session, _) = before_the_break(&rig).await;
    let mut viewer = ours.viewer().await;
    viewer.subscribe(ours.id, session).await;
    let mut agent = back_after_the_break(&app, &rig, session).await;
    agent.lap(5).await;
    let next = async |viewer: &mut RawViewer| {
        let told = |m| if let ViewMessage::Consumption { consumption, .. } = m { Some(consumption.laps) } else { None };
        viewer.until(told).await
    };
    assert_eq!(next(&mut viewer).await, 1, "of the previews alone: lap 5");
    fill(&mut agent).await;
    agent.lap(5).await;
    agent.acknowledged(10).await;
    agent.go_on(Lane::Live, 10);
    agent.batch(6, 600.0).await;
    assert_eq!(next(&mut viewer).await, 4, "laps 2 to 5");
}

#[tokio::test]
async fn backfill_never_begins_or_replaces_what_a_rig_shows() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let rig = ours.rig("RIG_A").await;
    let (old, _) = before_the_break(&rig).await;
    let (mut agent, _) = RawAgent::connect(app.address, &rig.token, 1, vec![old]).await;
    // Another session runs now.
    let new = agent.session;
    agent.go_on(Lane::Preview, 99);
    agent.begin().await;
    agent.batch(1, 1.0).await;
    let mut watcher = ours.viewer().await;
    watcher.say(&ViewerMessage::Watch { team: ours.id }).await;
    let shown = async |watcher: &mut RawViewer| {
        watcher.until(|m| if let ViewMessage::Rigs { mut rigs, .. } = m { rigs.pop() } else { None }).await
    };
    // A preview is not acknowledged: the watcher may have come before it.
    while shown(&mut watcher).await.session != Some(new) {}
    // What is left of the old one, with its end, and one that was never shown.
    agent.session = old;
    agent.go_on(Lane::Backfill, 3);
    agent.batch(2, 200.0).await;
    agent.lap(2).await;
    agent.record(Record::End { reason: EndReason::Left }).await;
    agent.acknowledged(6).await;
    let unseen = SessionId::new();
    agent.session = unseen;
    agent.go_on(Lane::Backfill, 0);
    agent.begin().await;
    agent.batch(1, 1.0).await;
    agent.lap(1).await;
    agent.acknowledged(3).await;
    let rigs = ours.request("GET", &format!("/api/teams/{}/rigs", ours.id), None).await.json();
    assert_eq!(rigs[0]["state"]["session"], serde_json::json!(new), "{rigs}");
    let mut viewer = ours.viewer().await;
    for session in [old, unseen] {
        viewer.subscribe(ours.id, session).await;
        viewer.until(|m| matches!(m, ViewMessage::Refused { code: ErrorCode::NotFound, .. }).then_some(())).await;
    }
    viewer.subscribe(ours.id, new).await;
    let ViewMessage::Snapshot { ended, sequence, .. } = snapshot(&mut viewer).await else { unreachable!() };
    assert_eq!((ended, sequence), (None, 101));
    assert_eq!(ours.session(old).await["summary"]["end_reason"], "left");
    assert_eq!(ours.session(unseen).await["laps"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_end_that_comes_late_ends_what_is_shown_if_nothing_later_was() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let rig = ours.rig("RIG_A").await;
    let (session, _) = before_the_break(&rig).await;
    let mut viewer = ours.viewer().await;
    viewer.subscribe(ours.id, session).await;
    let (mut agent, _) = RawAgent::connect(app.address, &rig.token, 1, vec![session]).await;
    agent.session = session;
    agent.go_on(Lane::Backfill, 3);
    agent.lap(2).await;
    agent.record(Record::End { reason: EndReason::GameClosed }).await;
    viewer.until(|m| matches!(m, ViewMessage::Ended { reason: EndReason::GameClosed, .. }).then_some(())).await;
    agent.acknowledged(5).await;
    assert_eq!(ours.session(session).await["summary"]["end_reason"], "game_closed");

    // The earlier run of the agent ended; the later one goes on and is shown.
    let rig = ours.rig("RIG_B").await;
    let (session, _) = before_the_break(&rig).await;
    let (mut agent, _) = RawAgent::connect(app.address, &rig.token, 2, vec![session]).await;
    agent.session = session;
    agent.epoch = 2;
    agent.go_on(Lane::Preview, 0);
    let place = Place { session, epoch: 2, sequence: 0 };
    let facts = Record::Session { info: some_session() };
    agent.say(&onelap_protocol::agent::AgentMessage::Record { lane: Lane::Preview, place, record: facts }).await;
    agent.go_on(Lane::Preview, 1);
    agent.batch(3, 300.0).await;
    agent.epoch = 1;
    agent.go_on(Lane::Backfill, 3);
    agent.lap(2).await;
    agent.record(Record::End { reason: EndReason::AgentStopped }).await;
    agent.acknowledged(5).await;
    let mut viewer = ours.viewer().await;
    viewer.subscribe(ours.id, session).await;
    let ViewMessage::Snapshot { ended, epoch, sequence, events, .. } = snapshot(&mut viewer).await else {
        unreachable!()
    };
    assert_eq!((ended, epoch, sequence), (None, 2, 2));
    assert_eq!(laps(&events), [1, 2]);
}

#[tokio::test]
async fn a_later_run_is_shown_while_the_earlier_one_is_still_being_recorded() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let rig = ours.rig("RIG_A").await;
    let (session, _) = before_the_break(&rig).await;
    let (mut agent, _) = RawAgent::connect(app.address, &rig.token, 2, vec![session]).await;
    (agent.session, agent.epoch) = (session, 2);
    agent.go_on(Lane::Preview, 4);
    agent.begin().await;
    agent.lap(5).await;
    agent.epoch = 1;
    agent.go_on(Lane::Backfill, 3);
    agent.lap(2).await;
    agent.lap(3).await;
    agent.epoch = 2;
    agent.go_on(Lane::Backfill, 0);
    agent.begin().await;
    agent.batch(4, 400.0).await;
    agent.lap(4).await;
    agent.batch(5, 500.0).await;
    agent.batch(5, 501.0).await;
    agent.lap(5).await;
    agent.acknowledged_at(2, 6).await;
    assert_eq!(snapshot_laps(&ours, session).await, [1, 2, 3, 4, 5]);
    let told = ours.session(session).await;
    assert_eq!(told["laps"].as_array().unwrap().len(), 5);
    assert_eq!(told["stints"].as_array().unwrap().len(), 1, "one fold: {}", told["stints"]);
}

#[tokio::test]
async fn a_preview_after_a_restart_of_the_service_has_the_laps_from_before() {
    let mut app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let rig = ours.rig("RIG_A").await;
    let (session, _) = before_the_break(&rig).await;
    app.restart().await;
    let mut agent = back_after_the_break(&app, &rig, session).await;
    fill(&mut agent).await;
    agent.acknowledged(9).await;
    eventually("the laps are all there", || async {
        Some(snapshot_laps(&ours, session).await).filter(|laps| *laps == [1, 2, 3, 4])
    })
    .await;
}

#[tokio::test]
async fn a_preview_begins_with_the_facts_and_is_refused_without_them() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let mut agent = ours.rig("RIG_A").await.agent().await;
    agent.go_on(Lane::Preview, 4);
    agent.batch(1, 1.0).await;
    let (code, message, fatal) = agent.error().await;
    assert!(code == ErrorCode::OutOfOrder && message.contains("first preview") && !fatal, "{message}");
    let info = SessionInfo { track: "x".repeat(600), ..some_session() };
    agent.record(Record::Session { info }).await;
    let (code, message, _) = agent.error().await;
    assert!(code == ErrorCode::Invalid && message.contains("info.track"), "{message}");
    // What is wrong with a preview passes no place: the recorded stream begins at its beginning.
    agent.go_on(Lane::Live, 0);
    agent.begin().await;
    agent.lap(1).await;
    agent.acknowledged(2).await;
}

#[tokio::test]
async fn a_rig_says_what_it_keeps_and_the_service_when_it_last_acknowledged() {
    use onelap_protocol::agent::{AgentMessage, SpoolState};
    use onelap_protocol::race::GameState;
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let mut agent = ours.rig("RIG_A").await.agent().await;
    let mut watcher = ours.viewer().await;
    watcher.say(&ViewerMessage::Watch { team: ours.id }).await;
    let status = |spool| AgentMessage::Status {
        game: None,
        state: GameState::Menu,
        session: None,
        notice: None,
        spool,
        clock_ms: None,
    };
    let spool = SpoolState {
        bytes: 41 << 20,
        items: 36_000,
        oldest_ms: Some(3_600_000),
        catching_up_s: Some(180),
        lost: 2,
        on_disk: true,
    };
    agent.say(&status(spool)).await;
    let kept = |m| if let ViewMessage::Rigs { rigs, .. } = m { rigs[0].spool } else { None };
    assert_eq!(watcher.until(kept).await, spool);
    let acked = |m| if let ViewMessage::Rigs { rigs, .. } = m { rigs[0].acked_ms } else { None };
    agent.begin().await;
    let now_ms = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis() as u64;
    assert!(watcher.until(acked).await.abs_diff(now_ms) < 20_000);
    for (spool, word) in [
        (SpoolState { bytes: u64::MAX, ..spool }, "status.spool.bytes"),
        (SpoolState { lost: 1 << 60, ..spool }, "status.spool.lost"),
        (SpoolState { oldest_ms: Some(u64::MAX), ..spool }, "status.spool.oldest_ms"),
    ] {
        agent.say(&status(spool)).await;
        let (code, message, fatal) = agent.error().await;
        assert!(code == ErrorCode::Invalid && message.contains(word) && !fatal, "{message}");
    }
}
