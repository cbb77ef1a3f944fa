//! Viewers at their own pace: who is slow gets fewer and nothing old, who wants fewer gets fewer, and nobody else notices.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "what goes wrong here is the failure of a test")]

use e2e::proxy::{FaultProxy, Manners};
use e2e::{Came, PATIENCE, RawAgent, RawViewer, Team, TestApp, eventually};
use onelap_protocol::viewer::{ViewMessage, ViewerMessage};
use onelap_protocol::{ErrorCode, SessionId, batch, standings};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

/// Batches a second.
const HZ: u32 = 10;
/// No sample is older when a viewer reads it: who would get older ones is closed.
const OLDEST: Duration = Duration::from_secs(15);
/// Nor is it older than this with who gets as many as its connection carries.
const OLDEST_USUAL: Duration = Duration::from_secs(6);

/// A rig that drives on.
struct Drive {
    session: SessionId,
    /// When each sequence was sent.
    sent: Arc<Mutex<Vec<Instant>>>,
    task: JoinHandle<()>,
    _stop: DropGuard,
}

impl Drive {
    async fn start(mut agent: RawAgent) -> Self {
        agent.begin().await;
        agent.acknowledged(1).await;
        let (session, sent, stop) = (agent.session, Arc::<Mutex<Vec<Instant>>>::default(), CancellationToken::new());
        let (times, stopped) = (sent.clone(), stop.clone());
        sent.lock().unwrap().extend([Instant::now(); 2]);
        let task = tokio::spawn(stopped.run_until_cancelled_owned(async move {
            let mut ticks = tokio::time::interval(Duration::from_secs(1) / HZ);
            loop {
                tokio::select! {
                    _ = ticks.tick() => {
                        times.lock().unwrap().push(Instant::now());
                        agent.batch(1, 200.0).await;
                    }
                    came = agent.heard() => assert!(matches!(came, Came::Message(_)), "{came:?}"),
                }
            }
        }));
        let task = tokio::spawn(async move { _ = task.await.expect("the rig did not fail") });
        Self { session, sent, task, _stop: stop.drop_guard() }
    }

    fn age(&self, sequence: u64) -> Duration {
        self.sent.lock().unwrap()[sequence as usize].elapsed()
    }
}

/// What a viewer has seen of a time.
#[derive(Debug, Default)]
struct Seen {
    /// When, how old, and which.
    batches: Vec<(Instant, Duration, u64)>,
    paces: Vec<Option<u32>>,
    gaps: usize,
    closed: Option<Option<u16>>,
}

impl Seen {
    fn oldest_since(&self, since: Instant) -> Duration {
        let ages = self.batches.iter().filter(|(at, ..)| *at >= since).map(|(_, age, _)| *age);
        ages.max().unwrap_or_else(|| panic!("nothing was read since: {self:?}"))
    }

    /// Takes what comes next; `false` where that was the end.
    async fn next(&mut self, viewer: &mut RawViewer, drive: &Drive) -> bool {
        match viewer.heard().await {
            Came::Binary(bytes) if bytes.first() != Some(&standings::OPCODE) => {
                let sequence = batch::peek(&bytes).expect("a batch").sequence;
                self.batches.push((Instant::now(), drive.age(sequence), sequence));
            }
            Came::Message(ViewMessage::Pace { max_hz }) => self.paces.push(max_hz),
            Came::Message(ViewMessage::Gap { .. }) => self.gaps += 1,
            Came::Message(_) | Came::Binary(_) => {}
            Came::Closed(code) => self.closed = Some(code),
        }
        self.closed.is_none()
    }

    async fn for_time(&mut self, viewer: &mut RawViewer, drive: &Drive, time: Duration) {
        let reads = async { while self.next(viewer, drive).await {} };
        let _ = tokio::time::timeout(time, reads).await;
    }
}

async fn behind(team: &Team, proxy: &FaultProxy, session: SessionId) -> RawViewer {
    let mut viewer = Team { service: proxy.address, ..team.clone() }.viewer().await;
    viewer.subscribe(team.id, session).await;
    viewer.next_batch().await;
    viewer
}

#[tokio::test]
async fn a_slow_viewer_gets_fewer_and_nothing_old_and_the_others_notice_nothing() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let drive = Arc::new(Drive::start(ours.rig("RIG_A").await.agent().await).await);
    let proxy = FaultProxy::to(app.address).await;
    let mut slow = behind(&ours, &proxy, drive.session).await;
    let mut prompt = ours.viewer().await;
    prompt.subscribe(ours.id, drive.session).await;
    prompt.next_batch().await;
    let watching = {
        let drive = drive.clone();
        tokio::spawn(async move {
            let mut seen = Seen::default();
            seen.for_time(&mut prompt, &drive, Duration::from_secs(40)).await;
            seen
        })
    };

    // A third of what it would take.
    proxy.be(Manners::Drip(300));
    let mut seen = Seen::default();
    seen.for_time(&mut slow, &drive, Duration::from_secs(16)).await;
    let settled = Instant::now();
    seen.for_time(&mut slow, &drive, Duration::from_secs(8)).await;
    assert_eq!(seen.closed, None);
    assert!(seen.paces.iter().any(Option::is_some), "it is told: {:?}", seen.paces);
    assert!(seen.oldest_since(settled - Duration::from_secs(16)) < OLDEST, "{:?}", seen.batches);
    assert!(seen.oldest_since(settled) < OLDEST_USUAL, "{:?}", seen.batches);
    let steady = seen.batches.iter().filter(|(at, ..)| *at >= settled).count();
    assert!((4..=40).contains(&steady), "{steady} in 8 s");
    let metrics = app.request("GET", "/metrics", &[], None).await.body;
    assert!(metrics.contains("onelap_viewers_thinned 1"), "{metrics}");

    proxy.be(Manners::Honest);
    let better = async { while seen.paces.last() != Some(&None) && seen.next(&mut slow, &drive).await {} };
    tokio::time::timeout(Duration::from_secs(90), better).await.expect("it is told when it is better");
    let now = Instant::now();
    seen.for_time(&mut slow, &drive, Duration::from_secs(3)).await;
    assert!(seen.batches.iter().filter(|(at, ..)| *at >= now).count() >= 25, "and gets everything");

    let others = watching.await.expect("the viewer did not fail");
    let missed = others.batches.windows(2).filter(|pair| pair[1].2 != pair[0].2 + 1).count();
    assert_eq!((missed, others.gaps, others.closed, others.paces.len()), (0, 0, None, 0));
    let oldest = others.batches.iter().map(|(_, age, _)| *age).max().expect("batches");
    assert!(oldest < Duration::from_millis(1_500), "{oldest:?}");
    assert!(!drive.task.is_finished());
}

#[tokio::test]
async fn who_reads_nothing_more_is_let_go() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let drive = Drive::start(ours.rig("RIG_A").await.agent().await).await;
    let proxy = FaultProxy::to(app.address).await;
    let _stopped = behind(&ours, &proxy, drive.session).await;
    assert_eq!(app.state().hub.figures.viewers.get(), 1);
    proxy.be(Manners::Silent);
    let began = Instant::now();
    tokio::time::timeout(2 * PATIENCE, async {
        while app.state().hub.figures.viewers.get() > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await
    .expect("it is gone");
    assert!(began.elapsed() > Duration::from_secs(10), "not for a moment's silence: {:?}", began.elapsed());
    assert_eq!(app.state().hub.figures.viewer.too_slow.get(), 1);
    assert_eq!(app.state().hub.figures.viewer.thinned.get(), 0, "and counted no more");
}

#[tokio::test]
async fn another_rate_holds_from_the_next_batch_on_without_another_snapshot() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let mut agent = ours.rig("RIG_A").await.agent().await;
    agent.begin().await;
    agent.batch(1, 200.0).await;
    let mut viewer = ours.viewer().await;
    // The session is shown once its first batch was taken.
    eventually("the session is live", || async {
        let rigs = ours.get("/rigs").await;
        rigs.body.contains(&agent.session.to_string()).then_some(())
    })
    .await;
    viewer.subscribe(ours.id, agent.session).await;
    viewer.until(|m| matches!(m, ViewMessage::Snapshot { .. }).then_some(())).await;
    for (max_hz, expected) in [(Some(2), 6..=7), (Some(5), 15..=16), (None, 30..=30), (Some(1), 3..=4)] {
        viewer.say(&ViewerMessage::Rate { session: agent.session, max_hz }).await;
        // Its answer shows that what was said before is heard.
        viewer.say(&ViewerMessage::Rate { session: SessionId::new(), max_hz }).await;
        let code = viewer.until(|m| if let ViewMessage::Refused { code, .. } = m { Some(code) } else { None }).await;
        assert_eq!(code, ErrorCode::NotFound);
        // Three seconds, by the clock that batches go by.
        for _ in 0..30 {
            agent.batch(1, 200.0).await;
        }
        let at = f64::from(u32::try_from(agent.sequence).expect("few"));
        agent
            .record(onelap_protocol::agent::Record::Event {
                event: onelap_protocol::race::RaceEvent::Note {
                    car: None,
                    topic: onelap_protocol::race::NoteTopic::Other,
                    text: "so far".into(),
                    at_s: at,
                },
            })
            .await;
        // Events overtake batches; what is still to come of these is there when the next request is answered.
        let (mut batches, mut noted) = (0, false);
        let until = tokio::time::Instant::now() + PATIENCE;
        loop {
            let wait = if noted { tokio::time::Instant::now() + Duration::from_millis(300) } else { until };
            match tokio::time::timeout_at(wait, viewer.heard()).await {
                Ok(Came::Binary(_)) => batches += 1,
                Ok(Came::Message(ViewMessage::Event { .. })) => noted = true,
                Ok(Came::Message(ViewMessage::Snapshot { .. })) => panic!("another snapshot"),
                Ok(Came::Message(_)) => {}
                Ok(Came::Closed(code)) => panic!("closed with {code:?}"),
                Err(_) => break,
            }
        }
        assert!(noted && expected.contains(&batches), "{batches} at {max_hz:?}");
    }
}
