//! The task that takes spans to the collector: OTLP as protobuf over HTTP, some hundred at once.
//!
//! Invariant: the queue is bounded; a request that fails is not made again: its spans are counted as dropped.

use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prometheus::IntCounter;
use prost::Message;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// Spans that may wait: about a megabyte.
pub(super) const QUEUE: usize = 4096;
/// Most spans in one request.
const AT_ONCE: usize = 512;
/// How long spans are gathered for one request.
const GATHER: Duration = Duration::from_secs(1);
/// How long the collector may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long it may take to hand over what waits when the service stops.
const LAST: Duration = Duration::from_secs(2);
/// Between two lines in the log about a collector that does not take anything.
const LOG_EVERY: Duration = Duration::from_secs(60);
/// Most of an answer that is read.
const MAX_ANSWER: u64 = 64 * 1024;

/// See the module.
#[derive(Debug)]
pub struct Collector {
    queue: mpsc::Receiver<Span>,
    agent: ureq::Agent,
    endpoint: String,
    resource: Resource,
    dropped: IntCounter,
    /// Spans that are being handed over.
    on_the_way: usize,
    told: Option<Instant>,
}

impl Collector {
    pub(super) fn new(endpoint: &str, resource: Resource, dropped: IntCounter) -> (mpsc::Sender<Span>, Self) {
        let (sender, queue) = mpsc::channel(QUEUE);
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .build()
            .new_agent();
        (sender, Self { queue, agent, endpoint: endpoint.to_owned(), resource, dropped, on_the_way: 0, told: None })
    }

    /// Runs until `stop`, and then for as long as it takes to hand over what waits, but not for long.
    pub async fn run(mut self, stop: CancellationToken) {
        tracing::info!(endpoint = self.endpoint, "traces go to a collector");
        let too_late = async {
            stop.cancelled().await;
            sleep(LAST).await;
        };
        tokio::select! {
            () = self.work(&stop) => return,
            () = too_late => {}
        }
        self.dropped.inc_by((self.on_the_way + self.queue.len()) as u64);
        tracing::warn!("the collector did not take the last traces in time");
    }

    async fn work(&mut self, stop: &CancellationToken) {
        let mut spans = Vec::with_capacity(AT_ONCE);
        loop {
            let got = tokio::select! {
                () = stop.cancelled(), if !self.queue.is_closed() => {
                    self.queue.close();
                    continue;
                }
                got = self.queue.recv_many(&mut spans, AT_ONCE) => got,
            };
            if got == 0 {
                return;
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.gather(&mut spans) => {}
            }
            self.on_the_way = spans.len();
            self.hand_over(std::mem::take(&mut spans)).await;
            self.on_the_way = 0;
        }
    }

    async fn gather(&mut self, spans: &mut Vec<Span>) {
        let until = sleep(GATHER);
        tokio::pin!(until);
        while spans.len() < AT_ONCE {
            let room = AT_ONCE - spans.len();
            tokio::select! {
                () = &mut until => return,
                got = self.queue.recv_many(spans, room) => if got == 0 { return },
            }
        }
    }

    async fn hand_over(&mut self, spans: Vec<Span>) {
        let count = spans.len() as u64;
        let scope = InstrumentationScope {
            name: "onelap-service".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            ..InstrumentationScope::default()
        };
        let of_scope = ScopeSpans { scope: Some(scope), spans, ..ScopeSpans::default() };
        let of_resource = ResourceSpans {
            resource: Some(self.resource.clone()),
            scope_spans: vec![of_scope],
            ..ResourceSpans::default()
        };
        let body = ExportTraceServiceRequest { resource_spans: vec![of_resource] }.encode_to_vec();
        let (agent, endpoint) = (self.agent.clone(), self.endpoint.clone());
        let posted = tokio::task::spawn_blocking(move || post(&agent, &endpoint, &body)).await;
        let (refused, why) = match posted {
            Ok(Ok(0)) => return,
            Ok(Ok(refused)) => (refused.min(count), "it refuses some".to_owned()),
            Ok(Err(why)) => (count, why),
            Err(error) => (count, error.to_string()),
        };
        self.dropped.inc_by(refused);
        if self.told.is_none_or(|at| at.elapsed() > LOG_EVERY) {
            self.told = Some(Instant::now());
            tracing::warn!(why, refused, "the collector does not take traces: they are dropped");
        }
    }
}

/// Posts a request; says how many spans were refused.
fn post(agent: &ureq::Agent, endpoint: &str, body: &[u8]) -> Result<u64, String> {
    let posted = agent.post(endpoint).header("content-type", "application/x-protobuf").send(body);
    let mut answer = posted.map_err(|error| error.to_string())?;
    if !answer.status().is_success() {
        return Err(format!("it answers {}", answer.status()));
    }
    let bytes = answer.body_mut().with_config().limit(MAX_ANSWER).read_to_vec().unwrap_or_default();
    // An answer that cannot be read says nothing of spans that were refused.
    let said = ExportTraceServiceResponse::decode(&bytes[..]).unwrap_or_default();
    Ok(said.partial_success.map_or(0, |partial| u64::try_from(partial.rejected_spans).unwrap_or(0)))
}
