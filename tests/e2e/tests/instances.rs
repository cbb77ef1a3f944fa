//! Two instances over one Postgres and one Redis: the rig is on one, its engineers on both.

use e2e::sockets::some_lap;
use e2e::{Came, RawAgent, RawViewer, Rig, Team, TestApp, TestRedis, eventually};
use onelap_protocol::agent::{Record, ServiceMessage};
use onelap_protocol::race::RaceEvent;
use onelap_protocol::setup::{Setup, SetupArea, SetupItem};
use onelap_protocol::viewer::{RigState, SeenUpTo, ViewMessage, ViewerMessage};
use onelap_protocol::{Batch, Channel, ErrorCode, SessionId};
use serde_json::json;
use std::time::{Duration, Instant};

/// Two instances, a team with a rig, and their Redis.
struct Pair {
    redis: TestRedis,
    a: TestApp,
    b: TestApp,
    team: Team,
    rig: Rig,
}

impl Pair {
    async fn start() -> Self {
        let redis = TestRedis::start();
        let a = TestApp::spawn_with(&[("REDIS_URL", &redis.url())]).await;
        let b = a.beside().await;
        let team = a.team("ours").await;
        let rig = team.rig("RIG_A").await;
        Self { redis, a, b, team, rig }
    }

    /// A viewer by way of an instance, once that knows the session, and the laps that its snapshot has.
    async fn viewer(&self, instance: &TestApp, session: SessionId) -> (RawViewer, Vec<u16>) {
        let team = self.team.at(instance);
        eventually("the session is known", || async {
            let mut viewer = team.viewer().await;
            viewer.subscribe(team.id, session).await;
            let laps = viewer
                .until(|m| match m {
                    ViewMessage::Snapshot { events, .. } => Some(Some(laps(&events))),
                    ViewMessage::Refused { code, message, .. } => {
                        assert_eq!(code, ErrorCode::NotFound, "{message}");
                        Some(None)
                    }
                    _ => None,
                })
                .await;
            laps.map(|laps| (viewer, laps))
        })
        .await
    }

    fn subscriptions(&self, instance: &TestApp) -> i64 {
        instance.state().hub.figures.bus_subscriptions.get()
    }
}

fn laps(events: &[RaceEvent]) -> Vec<u16> {
    events.iter().filter_map(|event| if let RaceEvent::Lap(lap) = event { Some(lap.lap) } else { None }).collect()
}

async fn speed(viewer: &mut RawViewer) -> f64 {
    let (_, batch) = viewer.next_batch().await;
    batch.value(Channel::Speed, 0).unwrap_or(f64::NAN).round()
}

/// Sends batches, faster and faster, until the viewer has one of them.
async fn until_live(agent: &mut RawAgent, viewer: &mut RawViewer) {
    for i in 0..200 {
        agent.batch(9, 300.0 + f64::from(i)).await;
        let came = tokio::time::timeout(Duration::from_millis(100), async { while speed(viewer).await < 300.0 {} });
        if came.await.is_ok() {
            return;
        }
    }
    panic!("nothing comes through any more");
}

#[tokio::test]
async fn a_viewer_on_the_other_instance_sees_the_whole_and_what_follows() {
    let pair = Pair::start().await;
    let mut agent = pair.rig.agent().await;
    agent.begin().await;
    agent.lap(1).await;
    agent.batch(2, 200.0).await;
    let (mut viewer, _) = pair.viewer(&pair.b, agent.session).await;
    // The batch may have been in the snapshot, or come behind it.
    assert_eq!(speed(&mut viewer).await, 200.0);
    let (_, known) = pair.viewer(&pair.b, agent.session).await;
    assert_eq!(known, [1]);
    agent.lap(2).await;
    let event = viewer
        .until(|m| match m {
            ViewMessage::Event { event, late, .. } => Some((event, late)),
            _ => None,
        })
        .await;
    assert_eq!(event, (RaceEvent::Lap(some_lap(2)), false));
    agent.batch(3, 210.0).await;
    assert_eq!(speed(&mut viewer).await, 210.0);
}

#[tokio::test]
async fn a_session_is_followed_once_and_only_while_somebody_looks() {
    let pair = Pair::start().await;
    let mut agent = pair.rig.agent().await;
    agent.begin().await;
    agent.batch(1, 200.0).await;
    let session = agent.session;
    let (first, _) = pair.viewer(&pair.b, session).await;
    let (mut second, _) = pair.viewer(&pair.b, session).await;
    let (_here, _) = pair.viewer(&pair.a, session).await;
    let channel = format!("live:{}:{session}", pair.team.id);
    assert_eq!(
        pair.redis.ask(&["pubsub", "numsub", &channel]).lines().last(),
        Some("1"),
        "only the instance without the rig"
    );
    assert_eq!((pair.subscriptions(&pair.a), pair.subscriptions(&pair.b)), (0, 1));
    drop(first);
    until_live(&mut agent, &mut second).await;
    second.say(&ViewerMessage::Unsubscribe { session }).await;
    eventually("it is let go of", || async {
        let heard = pair.redis.ask(&["pubsub", "numsub", &channel]);
        (heard.lines().last() == Some("0") && pair.subscriptions(&pair.b) == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn another_teams_session_is_not_shown_on_any_instance() {
    let pair = Pair::start().await;
    let mut agent = pair.rig.agent().await;
    agent.begin().await;
    agent.batch(1, 200.0).await;
    let _known = pair.viewer(&pair.b, agent.session).await;
    let theirs = pair.b.team("theirs").await;
    for instance in [&pair.a, &pair.b] {
        for team in [theirs.id, pair.team.id] {
            let mut viewer = theirs.at(instance).viewer().await;
            viewer.subscribe(team, agent.session).await;
            let code =
                viewer.until(|m| if let ViewMessage::Refused { code, .. } = m { Some(code) } else { None }).await;
            assert_eq!(code, ErrorCode::NotFound);
        }
    }
}

#[tokio::test]
async fn the_rig_may_move_and_its_viewers_stay() {
    let mut pair = Pair::start().await;
    let mut agent = pair.rig.agent().await;
    agent.begin().await;
    agent.lap(1).await;
    agent.batch(2, 200.0).await;
    let (mut on_a, _) = pair.viewer(&pair.a, agent.session).await;
    let (mut on_b, _) = pair.viewer(&pair.b, agent.session).await;
    let place = agent.sequence;
    agent.acknowledged(place).await;

    // To the other instance, while the first connection still stands.
    let (mut moved, committed) = RawAgent::connect(pair.b.address, &pair.rig.token, 1, vec![agent.session]).await;
    moved.session = agent.session;
    moved.sequence = committed[0].sequence;
    let mut goodbye = None;
    while goodbye.is_none() {
        if let Came::Message(ServiceMessage::Goodbye { reason, .. }) = agent.next().await {
            goodbye = Some(reason);
        }
    }
    assert_eq!(goodbye.as_deref(), Some("another agent has connected with this rig's token"));
    until_live(&mut moved, &mut on_b).await;
    until_live(&mut moved, &mut on_a).await;
    // Who followed it before has it now, and the other way round.
    let channel = format!("live:{}:{}", pair.team.id, moved.session);
    eventually("only the first instance follows it", || async {
        let followed = (pair.subscriptions(&pair.a), pair.subscriptions(&pair.b));
        let heard = pair.redis.ask(&["pubsub", "numsub", &channel]);
        (followed == (1, 0) && heard.lines().last() == Some("1")).then_some(())
    })
    .await;
    moved.lap(2).await;
    for viewer in [&mut on_a, &mut on_b] {
        let lap = viewer
            .until(|m| match m {
                ViewMessage::Event { event: RaceEvent::Lap(lap), .. } if lap.lap == 2 => Some(lap),
                _ => None,
            })
            .await;
        assert_eq!(lap, some_lap(2));
    }
    // The first instance goes: who comes back by way of the other one sees everything.
    pair.a.stop().await;
    let (mut back, known) = pair.viewer(&pair.b, agent.session).await;
    assert_eq!(known, [1, 2]);
    until_live(&mut moved, &mut back).await;
}

/// What a viewer gets that comes back having seen everything up to a place: batches, gap, then the snapshot's sequence.
async fn back(team: &Team, session: SessionId, after: SeenUpTo) -> (Vec<f64>, Option<(u64, u64)>, u64) {
    let mut viewer = team.viewer().await;
    viewer.say(&ViewerMessage::Subscribe { team: team.id, session, max_hz: None, after: Some(after) }).await;
    let (mut speeds, mut gap) = (Vec::new(), None);
    loop {
        match viewer.next().await {
            Came::Binary(bytes) => {
                let Ok((_, batch)) = Batch::decode(&bytes) else { panic!("no batch but {bytes:?}") };
                speeds.push(batch.value(Channel::Speed, 0).unwrap_or(f64::NAN).round());
            }
            Came::Message(ViewMessage::Gap { from, to, .. }) => gap = Some((from, to)),
            Came::Message(ViewMessage::Snapshot { sequence, .. }) => return (speeds, gap, sequence),
            Came::Message(ViewMessage::Refused { message, .. }) => panic!("refused: {message}"),
            Came::Message(_) => {}
            Came::Closed(code) => panic!("closed with {code:?}"),
        }
    }
}

#[tokio::test]
async fn a_viewer_that_comes_back_goes_on_where_it_was_or_is_told_what_is_missing() {
    let pair = Pair::start().await;
    let mut agent = pair.rig.agent().await;
    agent.begin().await;
    let (mut on_a, _) = pair.viewer(&pair.a, agent.session).await;
    for speed in [201.0, 202.0, 203.0, 204.0] {
        agent.batch(1, speed).await;
    }
    while speed(&mut on_a).await < 204.0 {}
    let after = SeenUpTo { epoch: 1, sequence: 3 };
    let (speeds, gap, sequence) = back(&pair.team, agent.session, after).await;
    assert_eq!((speeds, gap, sequence), (vec![203.0, 204.0], None, 5));
    // The other instance has kept nothing of what was before somebody looked there: it says so.
    let (mut on_b, _) = pair.viewer(&pair.b, agent.session).await;
    agent.batch(1, 206.0).await;
    while speed(&mut on_b).await < 206.0 {}
    let (speeds, gap, sequence) = back(&pair.team.at(&pair.b), agent.session, after).await;
    assert_eq!((speeds, gap, sequence), (vec![206.0], Some((4, 5)), 6));
}

#[tokio::test]
async fn without_redis_the_rigs_own_instance_goes_on_and_the_other_recovers() {
    let mut pair = Pair::start().await;
    let mut agent = pair.rig.agent().await;
    agent.begin().await;
    agent.batch(1, 200.0).await;
    let (mut on_a, _) = pair.viewer(&pair.a, agent.session).await;
    let (mut on_b, _) = pair.viewer(&pair.b, agent.session).await;
    until_live(&mut agent, &mut on_b).await;
    pair.redis.kill();
    until_live(&mut agent, &mut on_a).await;
    agent.lap(1).await;
    let place = agent.sequence;
    agent.acknowledged(place).await;
    pair.redis.restart();
    // What was missed comes with a snapshot, without a word from the viewer; Redis had forgotten everything.
    let known = on_b
        .until(|m| match m {
            ViewMessage::Snapshot { events, .. } => Some(laps(&events)).filter(|laps| !laps.is_empty()),
            _ => None,
        })
        .await;
    assert_eq!(known, [1]);
    until_live(&mut agent, &mut on_b).await;
}

#[tokio::test]
async fn a_session_is_not_followed_whose_rig_comes_while_a_viewer_asks_for_it() {
    let mut pair = Pair::start().await;
    let mut agent = pair.rig.agent().await;
    agent.begin().await;
    agent.batch(1, 200.0).await;
    let (session, place) = (agent.session, agent.sequence);
    agent.acknowledged(place).await;
    drop(agent);
    // Without Redis the viewer is asked for at Postgres, which takes a while, and the rig comes meanwhile.
    pair.redis.kill();
    let mut viewer = pair.team.at(&pair.b).viewer().await;
    viewer.subscribe(pair.team.id, session).await;
    let (mut moved, committed) = RawAgent::connect(pair.b.address, &pair.rig.token, 1, vec![session]).await;
    moved.session = session;
    moved.sequence = committed[0].sequence;
    until_live(&mut moved, &mut viewer).await;
    eventually("nothing is followed", || async { (pair.subscriptions(&pair.b) == 0).then_some(()) }).await;
    pair.redis.restart();
    let channel = format!("live:{}:{session}", pair.team.id);
    until_live(&mut moved, &mut viewer).await;
    eventually("it has Redis", || async { (pair.b.state().hub.figures.bus_connected.get() == 1).then_some(()) }).await;
    assert_eq!(pair.redis.ask(&["pubsub", "numsub", &channel]).lines().last(), Some("0"));
}

#[tokio::test]
async fn a_subscription_that_redis_cuts_is_made_anew() {
    let pair = Pair::start().await;
    let mut agent = pair.rig.agent().await;
    agent.begin().await;
    agent.batch(1, 200.0).await;
    let (mut viewer, _) = pair.viewer(&pair.b, agent.session).await;
    until_live(&mut agent, &mut viewer).await;
    assert_ne!(pair.redis.ask(&["client", "kill", "type", "pubsub"]), "0");
    agent.lap(1).await;
    viewer
        .until(|m| match m {
            ViewMessage::Snapshot { events, .. } if laps(&events) == [1] => Some(()),
            ViewMessage::Event { event: RaceEvent::Lap(lap), .. } if lap.lap == 1 => Some(()),
            _ => None,
        })
        .await;
    until_live(&mut agent, &mut viewer).await;
    assert_eq!(pair.subscriptions(&pair.b), 1);
}

/// Picks the state of a rig that is, or is not, connected.
fn connected(wanted: bool) -> impl Fn(ViewMessage) -> Option<RigState> {
    move |m| match m {
        ViewMessage::Rigs { rigs, .. } => rigs.into_iter().find(|rig| rig.connected == wanted),
        _ => None,
    }
}

#[tokio::test]
async fn a_rig_of_which_no_sign_came_is_connected_again_with_the_next_sign() {
    let mut pair = Pair::start().await;
    let mut watcher = pair.team.at(&pair.b).viewer().await;
    watcher.say(&ViewerMessage::Watch { team: pair.team.id }).await;
    let _agent = pair.rig.agent().await;
    watcher.until(connected(true)).await;
    pair.redis.kill();
    watcher.until(connected(false)).await;
    pair.redis.restart();
    watcher.until(connected(true)).await;
}

#[tokio::test]
async fn a_team_sees_its_rigs_wherever_they_are() {
    let pair = Pair::start().await;
    let mut watcher = pair.team.at(&pair.b).viewer().await;
    watcher.say(&ViewerMessage::Watch { team: pair.team.id }).await;
    let agent = pair.rig.agent().await;
    let state = watcher.until(connected(true)).await;
    assert_eq!((state.name.as_str(), state.rig), ("RIG_A", pair.rig.id));
    let listed = pair.team.at(&pair.b).get("/rigs").await.json();
    assert_eq!(listed[0]["state"]["connected"], true, "{listed}");
    drop(agent);
    watcher.until(connected(false)).await;
}

#[tokio::test]
async fn a_revoked_token_is_cut_on_every_instance() {
    let pair = Pair::start().await;
    let mut agent = pair.rig.agent().await;
    agent.begin().await;
    assert_eq!(pair.team.at(&pair.b).revoke(&pair.rig).await.status, 204);
    let (code, _, fatal) = agent.error().await;
    assert_eq!((code, fatal), (ErrorCode::TokenRevoked, true));
}

fn some_setup(bias: &str) -> Setup {
    let item = SetupItem {
        key: "VM_BRAKE_BALANCE".into(),
        area: SetupArea::Brakes,
        label: "Brake bias".into(),
        corner: None,
        text: bias.into(),
        step: None,
    };
    Setup { name: None, items: vec![item] }
}

/// The setup of the snapshot that comes next, or that there is none.
async fn shown_setup(viewer: &mut RawViewer) -> Option<Setup> {
    viewer.until(|m| if let ViewMessage::Snapshot { setup, .. } = m { Some(setup) } else { None }).await
}

#[tokio::test]
async fn a_share_shows_no_more_by_way_of_the_other_instance() {
    let pair = Pair::start().await;
    let (team, other) = (&pair.team, pair.team.rig("RIG_B").await);
    let (mut agent, mut hidden) = (pair.rig.agent().await, other.agent().await);
    agent.begin().await;
    hidden.begin().await;
    agent.record(Record::Setup { at_s: 1.0, setup: some_setup("55.0:45.0") }).await;
    agent.lap(1).await;
    agent.batch(2, 200.0).await;
    let made = team.post("/shares", json!({ "name": "race", "kind": "rig", "rig": pair.rig.id })).await.json();
    let (id, link) = (made["id"].as_str(), made["link"].as_str().unwrap_or_default());
    let guest = team.guest(link.split_once('#').unwrap().1).await.at(&pair.b);
    pair.viewer(&pair.b, hidden.session).await;
    let (mut member, _) = pair.viewer(&pair.b, agent.session).await;
    member.subscribe(team.id, agent.session).await;
    assert_eq!(shown_setup(&mut member).await, Some(some_setup("55.0:45.0")), "the copy has it");

    // Nothing of the team was watched here: which car drives the session is asked of Redis.
    let mut viewer = guest.viewer().await;
    viewer.subscribe(team.id, agent.session).await;
    assert_eq!(shown_setup(&mut viewer).await, None);
    viewer.subscribe(team.id, hidden.session).await;
    viewer.until(|m| matches!(m, ViewMessage::Refused { .. }).then_some(())).await;
    viewer.say(&ViewerMessage::Watch { team: team.id }).await;
    let rigs = viewer.until(|m| if let ViewMessage::Rigs { rigs, .. } = m { Some(rigs) } else { None }).await;
    assert_eq!(rigs.iter().map(|rig| (rig.rig, rig.agent_version.clone())).collect::<Vec<_>>(), [(pair.rig.id, None)]);

    agent.record(Record::Setup { at_s: 2.0, setup: some_setup("54.0:46.0") }).await;
    agent.lap(2).await;
    let next = viewer.until(|m| matches!(m, ViewMessage::Setup { .. } | ViewMessage::Event { .. }).then_some(m)).await;
    assert!(matches!(next, ViewMessage::Event { .. }), "{next:?}");

    let revoked = team.delete(&format!("/shares/{}", id.unwrap())).await;
    assert_eq!(revoked.status, 204, "{}", revoked.body);
    let began = Instant::now();
    while !matches!(viewer.next().await, Came::Closed(_)) {}
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[tokio::test]
async fn what_was_kept_for_who_comes_back_is_held_back_like_the_rest() {
    let pair = Pair::start().await;
    let (team, mut agent) = (&pair.team, pair.rig.agent().await);
    agent.begin().await;
    let (mut here, _) = pair.viewer(&pair.a, agent.session).await;
    let (mut there, _) = pair.viewer(&pair.b, agent.session).await;
    for i in 1..=5 {
        agent.batch(1, 200.0 + f64::from(i)).await;
    }
    let secret = team.share(json!({ "name": "race", "kind": "team", "delay_s": 2 })).await;
    for (member, instance) in [(&mut here, &pair.a), (&mut there, &pair.b)] {
        let last = loop {
            let (header, batch) = member.next_batch().await;
            if batch.value(Channel::Speed, 0).is_some_and(|speed| speed > 204.5) {
                break header;
            }
        };
        let mut late = team.guest(&secret).await.at(instance).viewer().await;
        let after = Some(SeenUpTo { epoch: last.epoch, sequence: last.sequence - 2 });
        let asked = Instant::now();
        let subscribe = ViewerMessage::Subscribe { team: team.id, session: agent.session, max_hz: None, after };
        late.say(&subscribe).await;
        // Both, though they left the hub in one piece.
        for sequence in [last.sequence - 1, last.sequence] {
            assert_eq!(late.next_batch().await.0.sequence, sequence);
            assert!(asked.elapsed() >= Duration::from_secs(2), "{:?}", asked.elapsed());
        }
    }
}
