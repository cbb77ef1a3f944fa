//! The service is told to stop while it works: everybody is told, what was taken is written, and it ends in time.

use e2e::feeder::Feeder;
use e2e::process::ServiceProcess;
use e2e::{Came, Stored, TestDatabase, eventually};
use onelap_protocol::viewer::ViewMessage;
use std::time::Duration;

/// The sum of the service's own deadlines: goodbye, drain, close.
const DEADLINE: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_is_told_to_stop_under_load_has_committed_what_it_acknowledged() {
    let database = TestDatabase::create().await;
    let mut service = ServiceProcess::start(&database).await;
    let ours = service.team("ours").await;
    let mut feeders = Vec::new();
    for n in 0..8 {
        let agent = ours.rig(&format!("RIG_{n}")).await.agent().await;
        feeders.push(Feeder::start(agent, Duration::from_millis(10)));
    }
    eventually("all have laps", || async { feeders.iter().all(|f| f.fed().acked >= 50).then_some(()) }).await;
    let mut viewer = ours.viewer().await;
    viewer.subscribe(ours.id, feeders[0].session).await;
    viewer.until(|m| matches!(m, ViewMessage::Snapshot { .. }).then_some(())).await;

    // It reads while the service goes, as a page does: an answer to a ping of a service that has gone would cost what was
    // said before.
    let told = tokio::spawn(async move {
        let mut goodbye = None;
        loop {
            match viewer.heard().await {
                Came::Message(ViewMessage::Goodbye { reconnect_after_ms, .. }) => goodbye = reconnect_after_ms,
                Came::Closed(code) => break (goodbye, code),
                Came::Message(_) | Came::Binary(_) => {}
            }
        }
    });
    service.terminate();
    let status = service.ended(DEADLINE).await;
    assert!(status.is_some_and(|status| status.success()), "{status:?}");
    let log = service.log();
    assert!(log.contains("stopped") && !log.contains("ERROR"), "{log}");
    let (goodbye, code) = told.await.unwrap();
    assert!(goodbye.is_some_and(|ms| (500..5000).contains(&ms)) && code == Some(1012), "{goodbye:?} {code:?}");
    let pool = database.pool().await;
    for feeder in feeders {
        let session = feeder.session;
        let fed = feeder.cut_off().await;
        let stored = Stored::of(&pool, ours.id, session).await.unwrap().unwrap();
        assert!(fed.goodbye, "the agent was told");
        assert!(stored.sequence as u64 >= fed.acked, "acknowledged and not committed: {fed:?} {stored:?}");
        assert!(stored.is_consistent(), "{stored:?}");
    }
}
