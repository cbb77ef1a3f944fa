//! Postgres is gone while fifty rigs drive: what is live stays live, a session begins, a rig comes back, the service's
//! memory is bounded, and afterwards everything is there, once.
//!
//! `ONELAP_OUTAGE_SECONDS` says for how long; `make outage` asks for five minutes.

#![expect(clippy::expect_used, reason = "what goes wrong here is the failure of a test")]

use e2e::feeder::{Fed, Feeder};
use e2e::proxy::Manners;
use e2e::{Came, PATIENCE, RawAgent, RawViewer, Stored, Team, TestApp, eventually};
use onelap_protocol::SessionId;
use onelap_protocol::agent::ServiceMessage;
use onelap_protocol::viewer::{ViewMessage, ViewerMessage};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

const RIGS: usize = 50;
/// Five batches a second, each.
const TICK: Duration = Duration::from_millis(200);
/// Items that the recorder keeps of a session, and what one of them takes: two samples of 130 channels with their lists.
const QUEUE: u64 = 1024;
const ITEM_BYTES: u64 = 2 * 1024;
/// What the test itself and the allocator may need on top.
const SLACK_BYTES: u64 = 48 << 20;

fn rss_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages: u64 = statm.split_whitespace().nth(1).and_then(|pages| pages.parse().ok()).expect("a number of pages");
    pages * 4096
}

/// A viewer that notes the longest time without a frame.
struct Watch {
    longest_ms: Arc<AtomicU64>,
    frames: Arc<AtomicU64>,
    task: tokio::task::JoinHandle<()>,
}

impl Watch {
    async fn on(team: &Team, session: SessionId) -> Self {
        let mut viewer = eventually("the session is live", || async {
            let mut viewer = team.viewer().await;
            viewer.subscribe(team.id, session).await;
            viewer.until(|m| is_shown(&m)).await.then_some(viewer)
        })
        .await;
        viewer.next_batch().await;
        let (longest_ms, frames) = (Arc::<AtomicU64>::default(), Arc::<AtomicU64>::default());
        let (longest, count) = (longest_ms.clone(), frames.clone());
        let task = tokio::spawn(async move {
            let mut at = Instant::now();
            loop {
                match viewer.heard().await {
                    Came::Binary(_) => {
                        longest.fetch_max(at.elapsed().as_millis() as u64, Ordering::Relaxed);
                        count.fetch_add(1, Ordering::Relaxed);
                        at = Instant::now();
                    }
                    Came::Message(_) => {}
                    Came::Closed(_) => return,
                }
            }
        });
        Self { longest_ms, frames, task }
    }
}

fn is_shown(message: &ViewMessage) -> Option<bool> {
    match message {
        ViewMessage::Snapshot { .. } => Some(true),
        ViewMessage::Refused { .. } => Some(false),
        _ => None,
    }
}

async fn next_rig(watcher: &mut RawViewer) -> onelap_protocol::viewer::RigState {
    watcher.until(|m| if let ViewMessage::Rigs { mut rigs, .. } = m { rigs.pop() } else { None }).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_is_gone_under_fifty_rigs() {
    let seconds = std::env::var("ONELAP_OUTAGE_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(20);
    let (app, postgres) = TestApp::spawn_behind_proxy().await;
    let ours = app.team("ours").await;
    let mut feeders = Vec::new();
    for n in 0..RIGS {
        feeders.push(Feeder::start(ours.rig(&format!("RIG_{n}")).await.agent().await, TICK));
    }
    let late_rig = ours.rig("RIG_LATE").await;
    let late = late_rig.agent().await;
    let (late_session, back) = (late.session, ours.rig("RIG_BACK").await);
    let mut coming_back = back.agent().await;
    coming_back.begin().await;
    coming_back.lap(1).await;
    coming_back.acknowledged(2).await;
    let mut watches = Vec::new();
    for feeder in feeders.iter().step_by(10) {
        watches.push(Watch::on(&ours, feeder.session).await);
    }
    let mut watcher = ours.viewer().await;
    watcher.say(&ViewerMessage::Watch { team: ours.id }).await;
    next_rig(&mut watcher).await;
    eventually("everybody drives", || async { feeders.iter().all(|f| f.fed().acked > 0).then_some(()) }).await;

    let (before, sent_before) = (rss_bytes(), feeders[0].fed().sent);
    watches.iter().for_each(|w| w.longest_ms.store(0, Ordering::Relaxed));
    let frames_before: Vec<u64> = watches.iter().map(|w| w.frames.load(Ordering::Relaxed)).collect();
    postgres.be(Manners::Silent);
    let began = Instant::now();
    // A session that begins now is live at once, and a rig whose link breaks now comes back.
    let late = Feeder::start(late, TICK);
    while next_rig(&mut watcher).await.session != Some(late_session) {}
    let live_after = began.elapsed();
    assert!(live_after < Duration::from_secs(2), "{live_after:?}");
    let session = coming_back.session;
    drop(coming_back);
    let (mut again, committed) = RawAgent::connect(app.address, &back.token, 1, vec![session]).await;
    assert_eq!(committed, [], "nobody knows");
    let back_after = began.elapsed();
    // It sends again what it has no acknowledgement of (the lap, which is committed), and goes on.
    (again.session, again.sequence) = (session, 1);
    again.lap(1).await;
    again.lap(2).await;
    let again = tokio::spawn(async move {
        while !matches!(again.heard().await, Came::Message(ServiceMessage::Ack { place }) if place.sequence == 3) {}
    });
    while next_rig(&mut watcher).await.session != Some(session) {}

    let (mut peak, mut three_quarters) = (0, 0);
    while began.elapsed() < Duration::from_secs(seconds) {
        tokio::time::sleep(Duration::from_millis(250)).await;
        peak = peak.max(rss_bytes());
        if began.elapsed() < Duration::from_secs(seconds * 3 / 4) {
            three_quarters = peak;
        }
    }
    let acked: Vec<u64> = feeders.iter().map(|f| f.fed().acked).collect();
    let (sent, longest) = (feeders[0].fed().sent, watches.iter().map(|w| w.longest_ms.load(Ordering::Relaxed)).max());
    postgres.be(Manners::Honest);
    let honest = Instant::now();
    feeders.push(late);
    let owed: Vec<u64> = feeders.iter().map(|f| f.fed().sent).collect();
    while !feeders.iter().zip(&owed).all(|(feeder, owed)| feeder.fed().acked >= *owed) {
        assert!(honest.elapsed() < 4 * PATIENCE, "Postgres is back and does not get what it missed");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let caught_up = honest.elapsed();
    let longest_after = watches.iter().map(|w| w.longest_ms.load(Ordering::Relaxed)).max();
    feeders.iter().for_each(Feeder::stop);
    let mut all: Vec<(SessionId, Fed)> = Vec::new();
    for feeder in feeders {
        all.push((feeder.session, feeder.finish().await));
    }
    let grown = peak.saturating_sub(before);
    println!(
        "outage of {seconds} s: {} items a rig meanwhile, resends {}, longest time without a frame {longest:?} ms \
         (while catching up {longest_after:?} ms), memory +{} MiB at most (+{} MiB after three quarters), a new session \
         live after {live_after:?}, a rig back after {back_after:?}, caught up {caught_up:?} after the end",
        sent - sent_before,
        all.iter().map(|(_, fed)| fed.resends).sum::<u32>(),
        grown >> 20,
        three_quarters.saturating_sub(before) >> 20,
    );
    assert!(longest.is_some_and(|ms| ms < 2000), "live stopped for {longest:?} ms");
    for (watch, before) in watches.iter().zip(frames_before) {
        let frames = watch.frames.load(Ordering::Relaxed) - before;
        assert!(frames > seconds * 4, "{frames} frames in {seconds} s and more");
        watch.task.abort();
    }
    let bound = RIGS as u64 * QUEUE.min(sent - sent_before) * ITEM_BYTES + SLACK_BYTES;
    assert!(grown < bound, "{} MiB more, {} are allowed", grown >> 20, bound >> 20);
    // The queues are full after two hundred seconds: from then on nothing grows.
    if seconds >= 280 {
        assert!(peak < three_quarters + (16 << 20), "{} MiB after {} MiB", peak >> 20, three_quarters >> 20);
    }
    assert!(acked.iter().zip(&all).all(|(acked, (_, fed))| acked < &fed.acked), "acknowledged without Postgres");
    let pool = app.owner_pool().await;
    for (session, fed) in &all {
        assert_eq!(fed.acked, fed.sent);
        let stored = Stored::of(&pool, ours.id, *session).await.unwrap().unwrap();
        assert!(stored.is_consistent(), "every sample and lap, once: {stored:?} {fed:?}");
        assert_eq!(stored.sequence as u64, fed.sent);
    }
    tokio::time::timeout(PATIENCE, again).await.expect("acknowledged").expect("no panic");
    let stored = Stored::of(&pool, ours.id, session).await.unwrap().unwrap();
    assert_eq!((stored.sequence, stored.laps), (3, 2));
}
