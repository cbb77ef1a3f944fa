//! The field: from the agent's frames to viewers who join, read slowly, want fewer frames or sit at another instance.

use e2e::rig::session_of;
use e2e::sockets::some_field;
use e2e::{Came, RawAgent, RawViewer, Team, TestApp, TestRedis, eventually};
use fake_game::{FakeGame, Options};
use onelap_protocol::agent::ServiceMessage;
use onelap_protocol::race::Standings;
use onelap_protocol::standings::peek;
use onelap_protocol::viewer::{ViewMessage, ViewerMessage};
use onelap_protocol::{ErrorCode, SessionId};
use std::time::Duration;

/// A viewer of a session, once that is known, after its snapshot.
async fn viewer(team: &Team, session: SessionId, max_hz: Option<u32>) -> RawViewer {
    eventually("the session is known", || async {
        let mut viewer = team.viewer().await;
        viewer.say(&ViewerMessage::Subscribe { team: team.id, session, max_hz, after: None }).await;
        let is_known = viewer
            .until(|m| match m {
                ViewMessage::Snapshot { .. } => Some(true),
                ViewMessage::Refused { .. } => Some(false),
                _ => None,
            })
            .await;
        is_known.then_some(viewer)
    })
    .await
}

#[tokio::test]
async fn the_shipped_agent_tells_every_update_of_the_game() {
    const CARS: usize = 60;
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let game = FakeGame::spawn(Options { cars: CARS, ..Options::default() }).await.unwrap();
    let agent = ours.rig("RIG_A").await.watch_lmu(&app, &game);
    let session = session_of(&agent).await;
    let mut viewer = viewer(&ours, session, None).await;
    let (mut bytes, mut times) = (0, Vec::new());
    for i in 0..25 {
        let (field, frame) = viewer.next_field().await;
        let standings = field.standings();
        assert_eq!(standings.cars.len(), CARS);
        times.push(standings.at_s);
        bytes += if i > 0 { frame.len() } else { 0 };
    }
    let seconds = times[24] - times[0];
    assert!((4.7..=6.0).contains(&seconds), "24 updates in {seconds} s, five a second are made: {times:?}");
    let per_second = bytes as f64 / seconds;
    assert!(per_second < 7_500.0, "{per_second} bytes a second");
    agent.stop().await;
    game.stop().await;
}

async fn until_asked_for_the_whole(agent: &mut RawAgent) {
    loop {
        match agent.next().await {
            Came::Message(ServiceMessage::Keyframe { session }) => {
                assert_eq!(session, agent.session);
                agent.field.forget();
                return;
            }
            Came::Message(ServiceMessage::Ack { .. }) => {}
            other => panic!("nobody asks for the whole, but {other:?}"),
        }
    }
}

#[tokio::test]
async fn who_joins_late_gets_the_whole_and_then_the_agents_own_frames() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let mut agent = ours.rig("RIG_A").await.agent().await;
    agent.begin().await;
    let mut early = viewer(&ours, agent.session, None).await;
    let mut sent = Vec::new();
    for i in 0..5 {
        sent.push(agent.standings(&some_field(f64::from(i))).await);
        let (field, frame) = early.next_field().await;
        assert_eq!((field.standings(), frame), (some_field(f64::from(i)), sent[i as usize].clone()));
    }
    let mut late = viewer(&ours, agent.session, None).await;
    let (field, frame) = late.next_field().await;
    assert_eq!(field.standings(), some_field(4.0));
    assert_eq!((peek(&frame).unwrap().base, peek(&frame).unwrap().number), (None, field.number()));
    let next = agent.standings(&some_field(5.0)).await;
    assert!(peek(&next).unwrap().base.is_some() && next.len() < frame.len() / 2);
    for viewer in [&mut early, &mut late] {
        let (field, frame) = viewer.next_field().await;
        assert_eq!((field.standings(), &frame), (some_field(5.0), &next));
    }
}

#[tokio::test]
async fn what_the_service_has_not_got_it_asks_for() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let mut agent = ours.rig("RIG_A").await.agent().await;
    // Nobody knows the session yet: its first frame, which is whole, is lost.
    agent.standings(&some_field(0.0)).await;
    agent.begin().await;
    let mut viewer = viewer(&ours, agent.session, None).await;
    agent.standings(&some_field(1.0)).await;
    until_asked_for_the_whole(&mut agent).await;
    agent.standings(&some_field(2.0)).await;
    assert_eq!(viewer.next_field().await.0.standings(), some_field(2.0));

    let mut broken = agent.field.encode(agent.session, &some_field(3.0));
    broken.push(0);
    agent.binary(broken).await;
    let (code, message, fatal) = agent.error().await;
    assert_eq!((code, fatal), (ErrorCode::Malformed, false));
    assert_eq!(message, "standings 4: 1 bytes after the last car");
    tokio::time::timeout(Duration::from_secs(20), async {
        // It asks once a second at most.
        while agent.field.field().is_some() {
            agent.standings(&some_field(4.0)).await;
            let asked = tokio::time::timeout(Duration::from_millis(200), until_asked_for_the_whole(&mut agent));
            drop(asked.await);
        }
    })
    .await
    .unwrap();
    agent.standings(&some_field(5.0)).await;
    viewer.until_field(&some_field(5.0)).await;
    let mut other = agent.field.encode(agent.session, &some_field(6.0));
    other[1] = 9;
    agent.binary(other).await;
    assert!(agent.error().await.1.contains("standings format 9 is not known"));
}

#[tokio::test]
async fn who_wants_one_frame_a_second_gets_one_in_five() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let mut agent = ours.rig("RIG_A").await.agent().await;
    agent.begin().await;
    let mut slow = viewer(&ours, agent.session, Some(1)).await;
    let mut quick = viewer(&ours, agent.session, None).await;
    for i in 1..=15 {
        agent.standings(&some_field(f64::from(i))).await;
        // Each is through before the next comes.
        quick.until_field(&some_field(f64::from(i))).await;
    }
    let mut came = Vec::new();
    while came.last() != Some(&15) {
        let (field, frame) = slow.next_field().await;
        assert_eq!(field.standings(), some_field(field.number() as f64));
        came.push(field.number());
        assert_eq!(peek(&frame).unwrap().base.is_some(), came.len() > 2, "differences, once it is in step");
    }
    assert_eq!(came, [1, 5, 10, 15]);
}

/// A field that takes much to say, all of it different from any other.
fn much(i: u32) -> Standings {
    let mut field = some_field(f64::from(i));
    let car = field.cars[0].clone();
    field.cars = (1..=100)
        .map(|position| {
            let mut car = car.clone();
            (car.car.0, car.position) = (position.to_string(), position);
            car.driver = format!("{i} {}", "x".repeat(480));
            car.entrant = Some(format!("{i} {}", "y".repeat(480)));
            car
        })
        .collect();
    field
}

#[tokio::test]
async fn who_does_not_read_finds_the_newest_and_nothing_piles_up() {
    const FRAMES: u32 = 300;
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let mut agent = ours.rig("RIG_A").await.agent().await;
    agent.begin().await;
    let mut asleep = viewer(&ours, agent.session, None).await;
    let mut awake = viewer(&ours, agent.session, None).await;
    for i in 1..=FRAMES {
        agent.standings(&much(i)).await;
        if i % 10 == 0 {
            awake.until_field(&much(i)).await;
        }
    }
    let mut came = 0;
    loop {
        came += 1;
        // Each one applies to what came before.
        let (field, _) = asleep.next_field().await;
        if field.number() == u64::from(FRAMES) {
            assert_eq!(field.standings(), much(FRAMES));
            break;
        }
    }
    assert!(came < FRAMES - 50, "{came} of {FRAMES} frames waited, 100 kB each");
    let next = agent.standings(&some_field(1.0)).await;
    assert_eq!(asleep.next_field().await.1, next, "and then it goes on as for everybody");
}

#[tokio::test]
async fn viewers_at_another_instance_see_the_same_also_after_the_rig_has_moved() {
    let redis = TestRedis::start();
    let a = TestApp::spawn_with(&[("REDIS_URL", &redis.url())]).await;
    let b = a.beside().await;
    let ours = a.team("ours").await;
    let rig = ours.rig("RIG_A").await;
    let mut agent = rig.agent().await;
    agent.begin().await;
    let mut i = 0.0;
    let mut on_a = viewer(&ours, agent.session, None).await;
    let mut on_b = viewer(&ours.at(&b), agent.session, None).await;
    for _ in 0..3 {
        i += 1.0;
        agent.standings(&some_field(i)).await;
        on_a.until_field(&some_field(i)).await;
        on_b.until_field(&some_field(i)).await;
    }
    let next = agent.standings(&some_field(10.0)).await;
    assert!(peek(&next).unwrap().base.is_some());
    assert_eq!(on_a.next_field().await.1, next);
    assert_eq!(on_b.next_field().await.1, next, "the bytes of the agent, also there");

    // Who joins at an instance that has to read how it stands first needs no word from the agent.
    drop(on_b);
    let on_b = eventually("nobody follows it there", || async {
        (b.state().hub.figures.bus_subscriptions.get() == 0).then_some(())
    });
    on_b.await;
    let mut on_b = viewer(&ours.at(&b), agent.session, None).await;
    on_b.next_field().await;
    agent.acknowledged(agent.sequence).await;

    let (mut moved, committed) = RawAgent::connect(b.address, &rig.token, 1, vec![agent.session]).await;
    (moved.session, moved.sequence) = (agent.session, committed[0].sequence);
    moved.field = agent.field;
    moved.field.forget();
    moved.begin().await;
    for seconds in 20..24 {
        moved.standings(&some_field(f64::from(seconds))).await;
        on_b.until_field(&some_field(f64::from(seconds))).await;
    }
    let last = some_field(24.0);
    let live = tokio::time::timeout(Duration::from_secs(20), async {
        let mut sent = tokio::time::interval(Duration::from_millis(200));
        let mut seen = Box::pin(on_a.until_field(&last));
        loop {
            tokio::select! {
                () = &mut seen => break,
                _ = sent.tick() => drop(moved.standings(&last).await),
            }
        }
    });
    live.await.expect("the viewer at the instance that the rig has left follows it");
}

#[tokio::test]
async fn what_redis_lost_is_told_whole_within_a_second_or_so() {
    let mut redis = TestRedis::start();
    let a = TestApp::spawn_with(&[("REDIS_URL", &redis.url())]).await;
    let b = a.beside().await;
    let ours = a.team("ours").await;
    let mut agent = ours.rig("RIG_A").await.agent().await;
    agent.begin().await;
    agent.standings(&some_field(1.0)).await;
    let mut on_a = viewer(&ours, agent.session, None).await;
    let mut on_b = viewer(&ours.at(&b), agent.session, None).await;
    on_b.until_field(&some_field(1.0)).await;
    redis.kill();
    for seconds in 2..6 {
        agent.standings(&some_field(f64::from(seconds))).await;
        on_a.until_field(&some_field(f64::from(seconds))).await;
    }
    redis.restart();
    let last = some_field(9.0);
    let live = tokio::time::timeout(Duration::from_secs(30), async {
        let mut sent = tokio::time::interval(Duration::from_millis(200));
        let mut seen = Box::pin(on_b.until_field(&last));
        loop {
            tokio::select! {
                () = &mut seen => break,
                _ = sent.tick() => drop(agent.standings(&last).await),
            }
        }
    });
    live.await.expect("the other instance goes on");
}
