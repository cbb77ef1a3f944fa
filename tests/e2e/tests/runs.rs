//! A session over several runs of the agent: one goes on where the one before ended, whatever came of that.

use e2e::{Came, RawAgent, TestApp};
use onelap_protocol::agent::{Lane, Place, ServiceMessage};
use onelap_protocol::{Batch, ErrorCode};

#[tokio::test]
async fn what_an_earlier_run_of_the_agent_left_comes_before_what_the_later_one_says() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let rig = ours.rig("RIG_A").await;
    let mut agent = rig.agent().await;
    agent.two_laps().await;
    let (session, sequence) = (agent.session, agent.sequence);
    drop(agent);

    // The agent was killed with a lap unsent, and goes on in the same session after its restart.
    let (mut agent, committed) = RawAgent::connect(app.address, &rig.token, 2, vec![session]).await;
    assert_eq!(committed, [Place { session, epoch: 1, sequence }]);
    (agent.session, agent.epoch, agent.sequence) = (session, 1, sequence);
    agent.batch(3, 300.0).await;
    agent.lap(3).await;
    (agent.epoch, agent.sequence) = (2, 0);
    agent.begin().await;
    agent.batch(4, 310.0).await;
    agent.lap(4).await;
    agent.acknowledged_at(2, 3).await;

    let told = ours.session(session).await;
    let laps: Vec<_> = told["laps"].as_array().unwrap().iter().map(|l| l["lap"].as_u64().unwrap()).collect();
    assert_eq!(laps, [1, 2, 3, 4]);
    assert_eq!(told["stints"].as_array().unwrap().len(), 1, "the fold goes on: {}", told["stints"]);
    for lap in [3, 4] {
        let trace = ours.get(&format!("/sessions/{session}/laps/{lap}/trace?channels=speed")).await;
        assert_eq!(Batch::decode(&trace.bytes).unwrap().1.len(), 2);
    }
    // The earlier run has nothing new to say any more.
    (agent.epoch, agent.sequence) = (1, sequence + 2);
    agent.batch(5, 1.0).await;
    let (code, message, fatal) = agent.error().await;
    assert!(code == ErrorCode::OutOfOrder && message.contains("later run") && !fatal, "{message}");
    drop(agent);

    // An agent that was not told what is committed sends everything again: that is no mistake of its.
    let (mut agent, _) = RawAgent::connect(app.address, &rig.token, 3, vec![session]).await;
    (agent.session, agent.epoch, agent.sequence) = (session, 1, sequence);
    agent.batch(3, 300.0).await;
    agent.lap(3).await;
    agent.acknowledged_at(1, sequence + 2).await;
    (agent.epoch, agent.sequence) = (2, 0);
    agent.begin().await;
    agent.batch(4, 310.0).await;
    (agent.epoch, agent.sequence) = (1, sequence + 1);
    agent.lap(3).await;
    (agent.epoch, agent.sequence) = (3, 0);
    agent.begin().await;
    agent.batch(5, 320.0).await;
    agent.lap(5).await;
    agent.acknowledged_at(3, 3).await;
    // But what was never recorded of it is still refused, and said to be.
    (agent.epoch, agent.sequence) = (1, sequence + 2);
    agent.lap(9).await;
    let (code, message, fatal) = agent.error().await;
    assert!(code == ErrorCode::OutOfOrder && message.contains("later run") && !fatal, "{message}");
    let laps = ours.session(session).await["laps"].as_array().unwrap().len();
    assert_eq!(laps, 5);
}

#[tokio::test]
async fn a_later_run_is_not_recorded_before_the_earlier_one_is_committed() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let rig = ours.rig("RIG_A").await;
    let (mut agent, _) = RawAgent::connect(app.address, &rig.token, 2, Vec::new()).await;
    agent.epoch = 1;
    agent.two_laps().await;
    let (session, sequence) = (agent.session, agent.sequence);

    // The last commit of the earlier run is undone behind the service's back, as if it had been given up.
    let mut tx = app.owner_pool().await.begin().await.unwrap();
    sqlx::query("select set_config('app.team', $1, true)").bind(ours.id.to_string()).execute(&mut *tx).await.unwrap();
    let back = "update sessions set sequence = sequence - 1 where id = $1";
    assert_eq!(sqlx::query(back).bind(session.0).execute(&mut *tx).await.unwrap().rows_affected(), 1);
    tx.commit().await.unwrap();
    (agent.epoch, agent.sequence) = (2, 0);
    agent.begin().await;
    agent.lap(3).await;
    while !matches!(agent.next().await, Came::Closed(_)) {}

    let (mut agent, committed) = RawAgent::connect(app.address, &rig.token, 2, vec![session]).await;
    assert_eq!(committed, [Place { session, epoch: 1, sequence: sequence - 1 }]);
    (agent.session, agent.epoch, agent.sequence) = (session, 1, sequence - 1);
    agent.lap(2).await;
    (agent.epoch, agent.sequence) = (2, 0);
    agent.begin().await;
    agent.lap(3).await;
    agent.acknowledged_at(2, 2).await;
    let laps = ours.session(session).await["laps"].as_array().unwrap().len();
    assert_eq!(laps, 3);
}

#[tokio::test]
async fn a_run_that_was_turned_away_is_not_passed_over_by_the_one_after_it() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let rig = ours.rig("RIG_A").await;
    let mut agent = rig.agent().await;
    agent.two_laps().await;
    let (session, sequence) = (agent.session, agent.sequence);
    drop(agent);

    let (mut agent, _) = RawAgent::connect(app.address, &rig.token, 3, vec![session]).await;
    agent.session = session;
    // Nobody can look up what is recorded: the second run has to wait for the first.
    let mut tx = app.owner_pool().await.begin().await.unwrap();
    sqlx::query("lock table sessions in access exclusive mode").execute(&mut *tx).await.unwrap();
    agent.epoch = 1;
    agent.go_on(Lane::Backfill, sequence);
    agent.lap(3).await;
    let runs = async |agent: &mut RawAgent, epochs: &[u64]| {
        for epoch in epochs {
            agent.epoch = *epoch;
            agent.go_on(Lane::Backfill, 0);
            agent.begin().await;
            agent.lap(2 + *epoch as u16).await;
        }
    };
    runs(&mut agent, &[2]).await;
    // The answer to this says that everything before it was read.
    agent.text("no message").await;
    assert_eq!(agent.error().await.0, ErrorCode::Malformed);
    tx.rollback().await.unwrap();
    // The first is committed, and the third comes before the second does again.
    let (mut resend, mut has_sent) = (None, false);
    while resend.is_none() || !has_sent {
        match agent.next().await {
            Came::Message(ServiceMessage::Resend { place }) => resend = Some(place),
            Came::Message(ServiceMessage::Ack { .. }) => {}
            other => panic!("not asked again but {other:?}"),
        }
        if !has_sent {
            runs(&mut agent, &[3]).await;
            has_sent = true;
        }
    }
    assert_eq!(resend, Some(Place { session, epoch: 1, sequence: sequence + 1 }));
    runs(&mut agent, &[2, 3]).await;
    agent.acknowledged_at(3, 2).await;
    let told = ours.session(session).await;
    let laps: Vec<_> = told["laps"].as_array().unwrap().iter().map(|l| l["lap"].as_u64().unwrap()).collect();
    assert_eq!(laps, [1, 2, 3, 4, 5]);
}
