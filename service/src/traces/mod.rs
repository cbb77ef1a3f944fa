//! Traces: what happens to a request, and to a batch from the agent's PC to viewers and to Postgres, as spans over OTLP.
//!
//! Off without a collector's address; then asking costs one look at an empty handle. Which batches are traced, and the ids
//! of their traces and spans, follow from the batch's place alone (decision 9): every instance comes to the same without a
//! word from another.
//!
//! Invariants: nothing waits for the collector; what it does not take is dropped and counted; a span says nothing of a
//! team, a person or what is secret: no names, no ids but those made here, no paths but routes.
//!
//! Not here: logs (`telemetry`), figures (`metrics`).

mod config;
mod export;

pub use config::TracesConfig;
pub use export::Collector;

use crate::telemetry::TraceId;
use onelap_protocol::BatchHeader;
use onelap_protocol::agent::{Lane, Place};
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::{Span, Status, span::SpanKind, status::StatusCode};
use prometheus::IntCounter;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc;
use uuid::Uuid;

/// Where spans go; clones share it. The default is nowhere.
#[derive(Debug, Clone, Default)]
pub struct Traces(Option<Arc<Tracer>>);

#[derive(Debug)]
struct Tracer {
    queue: mpsc::Sender<Span>,
    dropped: IntCounter,
    /// Traces whose random part is below this are taken.
    below: u64,
    /// Makes ids of spans that several instances have of one batch their own.
    instance: Uuid,
}

/// A request that was answered.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Its trace.
    pub trace: TraceId,
    /// The span of whoever asked.
    pub parent: Option<[u8; 8]>,
    /// A known method.
    pub method: &'a str,
    /// The route, as it is registered.
    pub route: &'a str,
    /// The answer's status.
    pub status: u16,
    /// How long it took until now.
    pub took: Duration,
}

/// A batch that is traced. Where it is made, a step begins.
#[derive(Debug, Clone)]
pub struct BatchTrace {
    tracer: Arc<Tracer>,
    id: [u8; 16],
    /// When it was made.
    pub since: SystemTime,
}

/// What happens to a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// From its first sample until it is here. The trace begins with it.
    Arrive,
    /// The same, of one that is recorded only: it was shown before, or is too late for that.
    ArriveLate,
    /// Shown by the instance that the agent is connected to.
    Show,
    /// Until Redis has it.
    Publish,
    /// Shown by another instance.
    Follow,
    /// Until a viewer's socket has it, on the instance that the agent is connected to.
    View,
    /// The same on another one.
    ViewCopy,
    /// Until the recorder's writer has it.
    Queue,
    /// Written, after it was gathered with others.
    Commit,
    /// Until the agent is told.
    Acknowledge,
}

impl Step {
    fn name(self) -> &'static str {
        match self {
            Self::Arrive => "batch arrive",
            Self::ArriveLate => "batch arrive late",
            Self::Show => "batch show",
            Self::Publish => "batch publish",
            Self::Follow => "batch follow",
            Self::View | Self::ViewCopy => "batch view",
            Self::Queue => "batch queue",
            Self::Commit => "batch commit",
            Self::Acknowledge => "batch acknowledge",
        }
    }

    fn parent(self) -> Option<Self> {
        match self {
            Self::Arrive => None,
            Self::ArriveLate | Self::Show | Self::Queue => Some(Self::Arrive),
            Self::Publish | Self::View => Some(Self::Show),
            Self::Follow => Some(Self::Publish),
            Self::ViewCopy => Some(Self::Follow),
            Self::Commit => Some(Self::Queue),
            Self::Acknowledge => Some(Self::Commit),
        }
    }

    fn kind(self) -> SpanKind {
        match self {
            Self::Arrive | Self::ArriveLate | Self::Follow => SpanKind::Consumer,
            Self::Publish | Self::View | Self::ViewCopy => SpanKind::Producer,
            Self::Show | Self::Queue | Self::Commit | Self::Acknowledge => SpanKind::Internal,
        }
    }
}

impl Traces {
    /// Where spans go, and what takes them there; nowhere without a collector's address.
    #[must_use]
    pub fn new(config: &TracesConfig, dropped: IntCounter) -> (Self, Option<Collector>) {
        let Some(endpoint) = &config.endpoint else { return (Self::default(), None) };
        let (queue, collector) = Collector::new(endpoint, config.resource(), dropped.clone());
        // As the trace ids, of which 56 bits have to be random, count.
        let below = (config.share * (1u64 << 56) as f64) as u64;
        (Self(Some(Arc::new(Tracer { queue, dropped, below, instance: Uuid::new_v4() }))), Some(collector))
    }

    /// The trace of the batch at a place, if that is traced.
    #[must_use]
    pub fn of_batch(&self, place: Place) -> Option<BatchTrace> {
        let tracer = self.0.as_ref()?;
        let id = id_of(place);
        tracer.takes(&id).then(|| BatchTrace { tracer: tracer.clone(), id, since: SystemTime::now() })
    }

    /// A request was answered.
    pub fn request(&self, request: Request<'_>) {
        let Some(tracer) = self.0.as_ref().filter(|tracer| tracer.takes(request.trace.bytes())) else { return };
        let now = SystemTime::now();
        let is_fault = request.status >= 500;
        tracer.send(Span {
            trace_id: request.trace.bytes().to_vec(),
            span_id: random_span_id().to_vec(),
            parent_span_id: request.parent.map(|id| id.to_vec()).unwrap_or_default(),
            name: format!("{} {}", request.method, request.route),
            kind: SpanKind::Server.into(),
            start_time_unix_nano: nanos(now.checked_sub(request.took).unwrap_or(now)),
            end_time_unix_nano: nanos(now),
            attributes: vec![
                text("http.request.method", request.method),
                text("http.route", request.route),
                number("http.response.status_code", request.status.into()),
            ],
            status: is_fault.then(|| Status { code: StatusCode::Error.into(), ..Status::default() }),
            ..Span::default()
        });
    }
}

impl Tracer {
    fn takes(&self, id: &[u8; 16]) -> bool {
        let [.., a, b, c, d, e, f, g] = *id;
        u64::from_be_bytes([0, a, b, c, d, e, f, g]) < self.below
    }

    fn send(&self, span: Span) {
        if self.queue.try_send(span).is_err() {
            self.dropped.inc();
        }
    }
}

impl BatchTrace {
    /// A step took from one instant to another.
    pub fn step(&self, step: Step, from: SystemTime, to: SystemTime) {
        self.told(step, from, to, Vec::new());
    }

    /// It has come from the agent, whose clock is ahead by `skew_ms`.
    pub fn arrived(&self, lane: Lane, header: &BatchHeader, skew_ms: i64) {
        let (step, lane) = match lane {
            Lane::Live => (Step::Arrive, "live"),
            Lane::Preview => (Step::Arrive, "preview"),
            Lane::Backfill => (Step::ArriveLate, "backfill"),
        };
        let captured =
            UNIX_EPOCH + Duration::from_millis(header.base_ms.saturating_add_signed(skew_ms.saturating_neg()));
        let attributes = vec![
            text("onelap.lane", lane),
            number("onelap.sequence", header.sequence.try_into().unwrap_or(i64::MAX)),
            number("onelap.samples", header.samples as i64),
        ];
        // By clocks that are not quite right it may have come before it was captured.
        self.told(step, captured.min(self.since), self.since, attributes);
    }

    fn told(&self, step: Step, from: SystemTime, to: SystemTime, attributes: Vec<KeyValue>) {
        self.tracer.send(Span {
            trace_id: self.id.to_vec(),
            span_id: self.span_id(step).to_vec(),
            parent_span_id: step.parent().map(|parent| self.span_id(parent).to_vec()).unwrap_or_default(),
            name: step.name().to_owned(),
            kind: step.kind().into(),
            start_time_unix_nano: nanos(from),
            end_time_unix_nano: nanos(to),
            attributes,
            ..Span::default()
        });
    }

    /// Another instance has to come to the same, but for what each of them does by itself.
    fn span_id(&self, step: Step) -> [u8; 8] {
        let hash = Sha256::new().chain_update(self.id).chain_update([step as u8]);
        let hash = match step {
            Step::View | Step::ViewCopy => return random_span_id(),
            Step::Follow => hash.chain_update(self.tracer.instance),
            _ => hash,
        };
        first(&hash.finalize())
    }
}

/// The trace of the batch at a place.
fn id_of(place: Place) -> [u8; 16] {
    let hash = Sha256::new()
        .chain_update("1lap batch")
        .chain_update(place.session.0)
        .chain_update(place.epoch.to_be_bytes())
        .chain_update(place.sequence.to_be_bytes());
    first(&hash.finalize())
}

fn first<const N: usize>(hash: &[u8]) -> [u8; N] {
    hash.first_chunk().copied().unwrap_or([0; N])
}

fn random_span_id() -> [u8; 8] {
    first(Uuid::new_v4().as_bytes())
}

fn nanos(at: SystemTime) -> u64 {
    at.duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}

fn attribute(key: &str, value: any_value::Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, any_value::Value::StringValue(value.to_owned()))
}

fn number(key: &str, value: i64) -> KeyValue {
    attribute(key, any_value::Value::IntValue(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use onelap_protocol::SessionId;

    fn place(sequence: u64) -> Place {
        Place { session: SessionId(Uuid::from_u128(0x0123_4567_89ab_7def_8123_4567_89ab_cdef)), epoch: 3, sequence }
    }

    fn taken(share: f64) -> Vec<u64> {
        let config =
            TracesConfig { endpoint: Some("http://127.0.0.1:9/v1/traces".into()), share, ..TracesConfig::default() };
        let (traces, _collector) = Traces::new(&config, IntCounter::new("dropped", "Dropped.").unwrap());
        (1..=20_000).filter(|sequence| traces.of_batch(place(*sequence)).is_some()).collect()
    }

    #[test]
    fn the_place_says_whether_a_batch_is_traced_and_more_of_them_include_those_of_fewer() {
        let (none, few, many, all) = (taken(0.0), taken(0.01), taken(0.1), taken(1.0));
        assert_eq!((none.len(), all.len()), (0, 20_000));
        assert!((150..250).contains(&few.len()) && (1850..2150).contains(&many.len()), "{} {}", few.len(), many.len());
        assert!(few.iter().all(|sequence| many.contains(sequence)));
        assert_eq!(few, taken(0.01), "another instance comes to the same");
    }

    #[test]
    fn ids_stay_as_they_are_from_one_version_to_the_next() {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(hex(&id_of(place(7))), GOLDEN);
        assert_ne!(id_of(place(7)), id_of(place(8)));
    }

    /// Of two versions side by side, as in a deploy, both have to name the same trace.
    const GOLDEN: &str = "5a9d89fb4f3009a35a8fa8d0ec24d4ed";

    #[test]
    fn without_an_address_nothing_is_traced() {
        let (traces, collector) =
            Traces::new(&TracesConfig::default(), IntCounter::new("dropped", "Dropped.").unwrap());
        assert!(collector.is_none() && traces.of_batch(place(1)).is_none());
    }

    #[test]
    fn a_full_queue_drops_and_counts() {
        let config = TracesConfig {
            endpoint: Some("http://127.0.0.1:9/v1/traces".into()),
            share: 1.0,
            ..TracesConfig::default()
        };
        let dropped = IntCounter::new("dropped", "Dropped.").unwrap();
        let (traces, _collector) = Traces::new(&config, dropped.clone());
        let trace = traces.of_batch(place(1)).unwrap();
        for _ in 0..export::QUEUE + 5 {
            trace.step(Step::Show, trace.since, trace.since);
        }
        assert_eq!(dropped.get(), 5);
    }
}
