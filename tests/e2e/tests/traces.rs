//! What a collector of traces is told: the way of a batch through two instances, requests, and nothing of anybody.

use e2e::collector::{Span, TestCollector};
use e2e::sockets::some_batch_for;
use e2e::{RawAgent, RawViewer, Rig, Team, TestApp, TestRedis, eventually};
use onelap_protocol::agent::{AgentMessage, Lane};
use onelap_protocol::viewer::ViewMessage;
use onelap_protocol::{AGENT_SUBPROTOCOL, SessionId};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// By how much the PC's clock is ahead in these tests.
const AHEAD_MS: u64 = 3_600_000;

fn pc_clock_ms() -> u64 {
    std::time::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_millis() as u64) + AHEAD_MS
}

/// An agent whose clock is ahead.
async fn agent_ahead(rig: &Rig, service: &TestApp) -> RawAgent {
    let opened = RawAgent::open(service.address, &rig.token, AGENT_SUBPROTOCOL).await;
    let mut agent = opened.unwrap_or_else(|rejected| panic!("{rejected:?}"));
    let (platform, clock_ms) = ("test".to_owned(), pc_clock_ms());
    let hello =
        AgentMessage::Hello { agent_version: "0.0.0".into(), platform, epoch: 1, clock_ms, sessions: Vec::new() };
    agent.say(&hello).await;
    agent
}

/// Sends a batch of which the first sample was taken 100 ms ago.
async fn batch_now(agent: &mut RawAgent) -> u64 {
    let place = agent.place();
    agent.binary(some_batch_for(Lane::Live, place, pc_clock_ms() - 100, 1, 200.0)).await;
    place.sequence
}

async fn watching(team: &Team, session: SessionId) -> RawViewer {
    eventually("the session is known", || async {
        let mut viewer = team.viewer().await;
        viewer.subscribe(team.id, session).await;
        let is_known = |m| match m {
            ViewMessage::Snapshot { .. } => Some(true),
            ViewMessage::Refused { .. } => Some(false),
            _ => None,
        };
        viewer.until(is_known).await.then_some(viewer)
    })
    .await
}

async fn until_sequence(viewer: &mut RawViewer, sequence: u64) {
    while viewer.next_batch().await.0.sequence < sequence {}
}

async fn figure(app: &TestApp, name: &str) -> f64 {
    let text = app.request("GET", "/metrics", &[], None).await.body;
    let line = text.lines().find(|line| line.starts_with(&format!("{name} "))).unwrap_or_else(|| panic!("no {name}"));
    line.rsplit(' ').next().and_then(|value| value.parse().ok()).unwrap_or(f64::NAN)
}

/// The spans of the batch at this sequence by name and instance, once all that are named have come.
async fn chain(collector: &TestCollector, sequence: u64, wanted: &[(&str, &str)]) -> BTreeMap<(String, String), Span> {
    collector
        .until("the whole chain", |spans| {
            let said = sequence.to_string();
            let first = spans.iter().find(|span| span.attributes.get("onelap.sequence") == Some(&said))?;
            let of_it = spans.iter().filter(|span| span.trace == first.trace);
            let chain: BTreeMap<_, _> =
                of_it.map(|span| ((span.name.clone(), span.instance().to_owned()), span.clone())).collect();
            let has = |(name, on): &(&str, &str)| chain.contains_key(&((*name).to_owned(), (*on).to_owned()));
            wanted.iter().all(has).then_some(chain)
        })
        .await
}

#[tokio::test]
async fn a_batch_is_followed_from_the_pc_to_viewers_of_two_instances_and_to_its_acknowledgement() {
    let (redis, collector) = (TestRedis::start(), TestCollector::start());
    let (url, endpoint) = (redis.url(), collector.endpoint());
    let of = |id| ("OTEL_RESOURCE_ATTRIBUTES", id);
    let a = TestApp::spawn_with(&[
        ("REDIS_URL", &url),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
        ("OTEL_TRACES_SAMPLER", "always_on"),
        of("service.instance.id=a"),
    ])
    .await;
    let b = a.another_with(&[of("service.instance.id=b")]).await;
    let team = a.team("ours").await;
    let rig = team.rig("RIG_A").await;
    let mut agent = agent_ahead(&rig, &a).await;
    agent.begin().await;
    let (mut on_a, mut on_b) = (watching(&team, agent.session).await, watching(&team.at(&b), agent.session).await);
    let mut last = 0;
    // Of one batch in seventeen the age is measured.
    for _ in 0..40 {
        last = batch_now(&mut agent).await;
    }
    until_sequence(&mut on_a, last).await;
    until_sequence(&mut on_b, last).await;
    agent.lap(1).await;
    let lap = agent.sequence;
    loop {
        let came = agent.next().await;
        if matches!(&came, e2e::Came::Message(onelap_protocol::agent::ServiceMessage::Ack { place }) if place.sequence >= lap)
        {
            break;
        }
    }

    let wanted = [
        ("batch arrive", "a", None),
        ("batch show", "a", Some(("batch arrive", "a"))),
        ("batch view", "a", Some(("batch show", "a"))),
        ("batch publish", "a", Some(("batch show", "a"))),
        ("batch follow", "b", Some(("batch publish", "a"))),
        ("batch view", "b", Some(("batch follow", "b"))),
        ("batch queue", "a", Some(("batch arrive", "a"))),
        ("batch commit", "a", Some(("batch queue", "a"))),
        ("batch acknowledge", "a", Some(("batch commit", "a"))),
    ];
    let names = wanted.map(|(name, on, _)| (name, on));
    let chain = chain(&collector, last, &names).await;
    assert_eq!(chain.len(), wanted.len(), "{:?}", chain.keys());
    let span = |(name, on): (&str, &str)| &chain[&(name.to_owned(), on.to_owned())];
    for (name, on, parent) in wanted {
        let (one, parent) = (span((name, on)), parent.map(span));
        assert_eq!(one.parent, parent.map_or("", |parent| &parent.id), "{name} on {on}");
        assert!(one.start_ns <= one.end_ns, "{one:?}");
        assert!(
            parent.is_none_or(|parent| parent.start_ns <= one.start_ns),
            "{name} begins before what it follows from"
        );
    }
    // By the service's clock, though the PC's is an hour ahead.
    let arrive = span(("batch arrive", "a"));
    let took = Duration::from_nanos(arrive.end_ns - arrive.start_ns);
    assert!((Duration::from_millis(90)..Duration::from_secs(20)).contains(&took), "{took:?}");
    for instance in [&a, &b] {
        let count = figure(instance, "onelap_agent_to_viewer_seconds_count").await;
        let mean_s = figure(instance, "onelap_agent_to_viewer_seconds_sum").await / count;
        assert!(count >= 2.0 && (0.09..20.0).contains(&mean_s), "{count} batches, {mean_s} s old");
        assert_eq!(figure(instance, "onelap_spans_dropped_total").await, 0.0);
    }
    says_nothing_of_anybody(&collector.spans(), &team, &rig, agent.session);
}

fn says_nothing_of_anybody(spans: &[Span], team: &Team, rig: &Rig, session: SessionId) {
    let known = ["onelap.lane", "onelap.sequence", "onelap.samples"];
    let known = known.into_iter().chain(["http.request.method", "http.route", "http.response.status_code"]);
    let known: BTreeSet<&str> = known.collect();
    let secrets = [team.id.to_string(), rig.id.to_string(), session.to_string(), rig.token.clone(), "ours".into()];
    for span in spans {
        assert!(span.attributes.keys().all(|key| known.contains(key.as_str())), "{:?}", span.attributes);
        let texts = span.attributes.values().chain([&span.name]);
        for text in texts {
            assert!(!secrets.iter().any(|secret| text.contains(secret)), "{text}");
        }
    }
}

#[tokio::test]
async fn a_request_is_a_span_of_the_callers_trace_and_names_the_route_only() {
    let collector = TestCollector::start();
    let endpoint = collector.endpoint();
    let mut app =
        TestApp::spawn_with(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint), ("OTEL_TRACES_SAMPLER_ARG", "1")]).await;
    let (trace, parent) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    let path = format!("/api/teams/{}/sessions?secret=hunter2", uuid::Uuid::now_v7());
    let answer = app.request("GET", &path, &[("traceparent", &format!("00-{trace}-{parent}-01"))], None).await;
    assert_eq!((answer.status, answer.header("x-trace-id")), (401, Some(trace)));
    app.request("GET", "/healthz", &[], None).await;
    // What waits is handed over when the service stops.
    app.stop().await;
    let spans = collector.spans();
    let [span] = &spans[..] else { panic!("{spans:?}") };
    assert_eq!((span.trace.as_str(), span.parent.as_str()), (trace, parent));
    assert_eq!(span.name, "GET /api/teams/{team}/sessions");
    assert_eq!(span.attributes["http.response.status_code"], "401");
    assert_eq!(span.resource["service.name"], "onelap");
}

#[tokio::test]
async fn a_collector_that_never_answers_holds_nothing_up() {
    let collector = TestCollector::silent();
    let endpoint = collector.endpoint();
    let mut app =
        TestApp::spawn_with(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint), ("OTEL_TRACES_SAMPLER", "always_on")]).await;
    let team = app.team("ours").await;
    let rig = team.rig("RIG_A").await;
    let mut agent = agent_ahead(&rig, &app).await;
    agent.begin().await;
    let mut viewer = watching(&team, agent.session).await;
    // More spans than may wait.
    for _ in 0..1400 {
        let sequence = batch_now(&mut agent).await;
        until_sequence(&mut viewer, sequence).await;
    }
    eventually("spans are dropped", || async {
        (figure(&app, "onelap_spans_dropped_total").await > 0.0).then_some(())
    })
    .await;
    drop((agent, viewer));
    let began = Instant::now();
    app.stop().await;
    assert!(began.elapsed() < Duration::from_secs(9), "{:?}", began.elapsed());
}
