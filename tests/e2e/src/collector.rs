//! A collector of traces on the loopback: takes OTLP over HTTP and keeps what it is sent, or never answers.

use crate::eventually;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use prost::Message;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

/// A span as it came, ids as hexadecimal.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// What the instance says of itself.
    pub resource: BTreeMap<String, String>,
    /// Trace.
    pub trace: String,
    /// Itself.
    pub id: String,
    /// What it follows from; empty where nothing.
    pub parent: String,
    /// Name.
    pub name: String,
    /// Nanoseconds since the Unix epoch.
    pub start_ns: u64,
    /// The same, of its end.
    pub end_ns: u64,
    /// Attributes.
    pub attributes: BTreeMap<String, String>,
}

impl Span {
    /// `service.instance.id` of the instance that it is from.
    #[must_use]
    pub fn instance(&self) -> &str {
        self.resource.get("service.instance.id").map_or("", String::as_str)
    }
}

/// The collector and what it was sent.
pub struct TestCollector {
    address: SocketAddr,
    spans: Arc<Mutex<Vec<Span>>>,
}

impl TestCollector {
    /// Starts one on a free port.
    #[must_use]
    pub fn start() -> Self {
        Self::listen(true)
    }

    /// One that takes connections and never answers.
    #[must_use]
    pub fn silent() -> Self {
        Self::listen(false)
    }

    fn listen(answers: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let spans = Arc::<Mutex<Vec<Span>>>::default();
        let shared = spans.clone();
        // Threads that end with the test's process: they wait for what may never come.
        std::thread::spawn(move || {
            let mut kept = Vec::new();
            for stream in listener.incoming().map_while(Result::ok) {
                let shared = shared.clone();
                if answers {
                    std::thread::spawn(move || {
                        while let Some(body) = request(&stream) {
                            take(&shared, &body);
                        }
                    });
                } else {
                    kept.push(stream);
                }
            }
        });
        Self { address, spans }
    }

    /// What to give as `OTEL_EXPORTER_OTLP_ENDPOINT`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What came so far.
    #[must_use]
    pub fn spans(&self) -> Vec<Span> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for what `pick` finds among the spans.
    pub async fn until<T>(&self, what: &str, pick: impl Fn(&[Span]) -> Option<T>) -> T {
        eventually(what, || async { pick(&self.spans()) }).await
    }
}

/// The body of the next request, which is answered.
fn request(mut stream: &TcpStream) -> Option<Vec<u8>> {
    let mut reader = BufReader::new(stream);
    let (mut line, mut length) = (String::new(), 0);
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    assert_eq!(line.trim_end(), "POST /v1/traces HTTP/1.1");
    while line != "\r\n" {
        line.clear();
        reader.read_line(&mut line).ok()?;
        if let Some(("content-length", value)) = line.to_ascii_lowercase().split_once(": ") {
            length = value.trim().parse().expect("a length");
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n").ok()?;
    Some(body)
}

fn take(spans: &Mutex<Vec<Span>>, body: &[u8]) {
    let request = ExportTraceServiceRequest::decode(body).expect("a request of OTLP");
    for of_resource in request.resource_spans {
        let resource = texts(of_resource.resource.map(|resource| resource.attributes).unwrap_or_default());
        for span in of_resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            let span = Span {
                resource: resource.clone(),
                trace: data_encoding::HEXLOWER.encode(&span.trace_id),
                id: data_encoding::HEXLOWER.encode(&span.span_id),
                parent: data_encoding::HEXLOWER.encode(&span.parent_span_id),
                name: span.name,
                start_ns: span.start_time_unix_nano,
                end_ns: span.end_time_unix_nano,
                attributes: texts(span.attributes),
            };
            spans.lock().unwrap_or_else(PoisonError::into_inner).push(span);
        }
    }
}

fn texts(attributes: Vec<KeyValue>) -> BTreeMap<String, String> {
    let text = |value: Option<AnyValue>| match value.and_then(|value| value.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        other => panic!("an attribute is {other:?}"),
    };
    attributes.into_iter().map(|pair| (pair.key, text(pair.value))).collect()
}
