//! Links that lie and a database that is gone: nothing that an agent has read is lost, and what is live stays live.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "what goes wrong here is the failure of a test")]

use e2e::proxy::{FaultProxy, Manners};
use e2e::rig::{logged_laps, session_of, told_laps};
use e2e::{Came, PATIENCE, RawAgent, TestApp, eventually};
use fake_game::{Command, FakeGame, Options, SessionKind};
use onelap_agent::run::sources::{Games, LmuOptions};
use onelap_agent::run::{Agent, AgentHandle, GameChoice, Input};
use onelap_agent::server::ServerUrl;
use onelap_protocol::agent::ServiceMessage;
use onelap_protocol::viewer::ViewMessage;
use std::time::Duration;

/// Sends batches until `count` are sent, one every ten milliseconds, and takes what comes meanwhile.
async fn send(agent: &mut RawAgent, count: u32) -> u64 {
    let mut acknowledged = 0;
    for i in 0..count {
        agent.batch(1, f64::from(i)).await;
        if let Ok(Came::Message(ServiceMessage::Ack { place })) =
            tokio::time::timeout(Duration::from_millis(10), agent.next()).await
        {
            acknowledged = place.sequence;
        }
    }
    acknowledged
}

#[tokio::test]
async fn without_postgres_live_goes_on_acks_stop_and_nothing_is_lost() {
    for manners in [Manners::Silent, Manners::Reset] {
        let (app, postgres) = TestApp::spawn_behind_proxy().await;
        let ours = app.team("ours").await;
        let mut agent = ours.rig("RIG_A").await.agent().await;
        agent.begin().await;
        agent.acknowledged(1).await;
        let mut viewer = ours.viewer().await;
        viewer.subscribe(ours.id, agent.session).await;
        viewer.until(|m| matches!(m, ViewMessage::Snapshot { .. }).then_some(())).await;

        postgres.be(manners);
        // Eleven seconds of the agent's clock are more than a chunk: a commit is due and cannot be made.
        assert_eq!(send(&mut agent, 120).await, 0, "acknowledged without a commit: {manners:?}");
        let last = agent.sequence;
        while viewer.next_batch().await.0.sequence < last {}

        postgres.be(Manners::Honest);
        agent.lap(1).await;
        tokio::time::timeout(2 * PATIENCE, agent.acknowledged(agent.sequence)).await.expect("acknowledged at last");
        let told = ours.session(agent.session).await;
        assert_eq!(told["laps"].as_array().unwrap().len(), 1);
        let trace = ours.get(&format!("/sessions/{}/laps/1/trace?channels=speed", agent.session)).await;
        let (_, batch) = onelap_protocol::Batch::decode(&trace.bytes).unwrap();
        assert_eq!(batch.len(), 240, "every sample is there, once: {manners:?}");
    }
}

fn watch_through(app: &TestApp, rig: &e2e::Rig, game: &fake_game::Handle, proxy: &FaultProxy) -> AgentHandle {
    let lmu = LmuOptions {
        location: game.lmu_path().map(|path| path.display().to_string()),
        rest_port: game.rest_addr().map(|addr| addr.port()),
    };
    let games = Input::Games(Games { lmu: Some(lmu), f1: false });
    let mut options = app.agent_options(vec![rig.options(GameChoice::Lmu)], games);
    options.server = ServerUrl::parse(&format!("http://{}", proxy.address)).unwrap();
    Agent::spawn(&options).unwrap()
}

/// Drives laps through a link with these manners, makes it honest again, and compares every lap.
async fn laps_arrive_in_spite_of(manners: Manners, for_so_long: Duration) {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let rig = ours.rig("RIG_A").await;
    let proxy = FaultProxy::to(app.address).await;
    let game = FakeGame::spawn(Options { speed: 8.0, cars: 8, ..Options::default() }).await.unwrap();
    let agent = watch_through(&app, &rig, &game, &proxy);
    let session = session_of(&agent).await;
    eventually("the session is recorded", || async { Some(ours.session(session).await).filter(|s| !s.is_null()) })
        .await;

    let (before, lap) = (proxy.connections(), game.state().laps_completed);
    proxy.be(manners);
    tokio::time::sleep(for_so_long).await;
    let tries = proxy.connections() - before;
    // Half a second at the least between tries, and longer with every one that fails.
    assert!(tries <= 2 + for_so_long.as_secs(), "{tries} tries in {for_so_long:?}");
    game.wait_until(PATIENCE, |car| car.laps_completed > lap).await.expect("a lap while the link lies");
    proxy.be(Manners::Honest);

    game.wait_until(PATIENCE, |car| car.laps_completed > lap + 1).await.expect("a lap afterwards");
    game.command(Command::EndSession).await.unwrap();
    game.command(Command::NextSession { kind: SessionKind::Practice }).await.unwrap();
    let told = eventually_ended(&ours, session).await;
    let log = game.log();
    assert_eq!(told_laps(&told["laps"]), logged_laps(&log, 0, log.player_car_id), "{manners:?}");
    agent.stop().await;
}

/// The agent may be in the longest pause between two tries when the link is honest again.
async fn eventually_ended(team: &e2e::Team, session: onelap_protocol::SessionId) -> serde_json::Value {
    let ended = async {
        loop {
            let told = team.session(session).await;
            if told["summary"]["ended_at"].is_string() {
                return told;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(3 * PATIENCE, ended).await.expect("the session ends")
}

#[tokio::test]
async fn laps_arrive_in_spite_of_resets() {
    laps_arrive_in_spite_of(Manners::Reset, Duration::from_secs(5)).await;
}

#[tokio::test]
async fn laps_arrive_in_spite_of_a_captive_portal() {
    laps_arrive_in_spite_of(Manners::CaptivePortal, Duration::from_secs(5)).await;
}

#[tokio::test]
async fn laps_arrive_in_spite_of_bursts() {
    let manners = Manners::Bursts(Duration::from_secs(2), Duration::from_millis(200));
    laps_arrive_in_spite_of(manners, Duration::from_secs(8)).await;
}

#[tokio::test]
async fn laps_arrive_in_spite_of_a_slow_line() {
    laps_arrive_in_spite_of(Manners::Late(Duration::from_millis(400)), Duration::from_secs(6)).await;
}

#[tokio::test]
async fn laps_arrive_in_spite_of_a_drip() {
    laps_arrive_in_spite_of(Manners::Drip(2_000), Duration::from_secs(6)).await;
}

#[tokio::test]
async fn laps_arrive_in_spite_of_silence() {
    // Longer than the agent's ping and its deadline together: it has to find out by itself.
    laps_arrive_in_spite_of(Manners::Silent, Duration::from_secs(23)).await;
}

#[tokio::test]
async fn a_service_that_takes_long_to_stop_refuses_new_connections_meanwhile() {
    let (mut app, postgres) = TestApp::spawn_behind_proxy().await;
    let ours = app.team("ours").await;
    let mut agent = ours.rig("RIG_A").await.agent().await;
    agent.begin().await;
    agent.acknowledged(1).await;
    postgres.be(Manners::Silent);
    send(&mut agent, 5).await;
    let address = app.address;
    let stopping = tokio::spawn(async move {
        app.stop().await;
    });
    // A load balancer goes on to the next instance when it is refused, and waits where it is not.
    eventually("a connection is refused", || async { tokio::net::TcpStream::connect(address).await.err() }).await;
    assert!(!stopping.is_finished(), "it still tries to write what the agent has sent");
    postgres.be(Manners::Honest);
    stopping.await.unwrap();
}

#[tokio::test]
async fn a_release_that_is_rolled_back_starts_on_the_later_schema() {
    let mut app = TestApp::spawn().await;
    let later = "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
                 values (20991231000001, 'of a later release', true, '\\x00', 0)";
    sqlx::query(later).execute(&app.owner_pool().await).await.unwrap();
    app.restart().await;
    assert_eq!(app.request("GET", "/readyz", &[], None).await.status, 200);
}
