//! Logs and trace ids: one trace id per request and per socket.
//!
//! The id comes from an incoming `traceparent`, or is made. It is in every log line of the request, in the header
//! `x-trace-id` of the answer, and in the body of an error.
//!
//! Invariants: a failure is logged once, here, with its cause; tokens, cookies, passwords, bodies and query strings are
//! never logged.
//!
//! Not here: figures (`metrics`), what a collector is told (`traces`).

use crate::app::State;
use crate::config::LogFormat;
use crate::error::ApiError;
use crate::metrics::Metrics;
use crate::traces;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest, web};
use std::fmt;
use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Instant;
use tracing::subscriber::Interest;
use tracing::{Instrument, Metadata, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

const TRACE_HEADER: HeaderName = HeaderName::from_static("x-trace-id");

tokio::task_local! {
    static TRACE: TraceId;
}

/// The id by which a request or socket is found in the logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceId([u8; 16]);

impl TraceId {
    /// A new one.
    #[must_use]
    pub fn new() -> Self {
        Self(*uuid::Uuid::new_v4().as_bytes())
    }

    /// As OTLP writes it.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl Default for TraceId {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The trace of a request, and the span of whoever asked where it says so.
fn asked_in(headers: &HeaderMap) -> (TraceId, Option<[u8; 8]>) {
    let said = headers.get("traceparent").and_then(|value| value.to_str().ok()).and_then(from_traceparent);
    said.map_or_else(|| (TraceId::new(), None), |(trace, parent)| (trace, Some(parent)))
}

/// Trace and span of a W3C `traceparent`: `00-{32 hex}-{16 hex}-{2 hex}`.
fn from_traceparent(text: &str) -> Option<(TraceId, [u8; 8])> {
    let mut parts = text.trim().split('-');
    let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_hex = |s: &str, len| s.len() == len && s.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if !is_hex(version, 2) || version == "ff" || !is_hex(trace, 32) || !is_hex(parent, 16) || !is_hex(flags, 2) {
        return None;
    }
    let (trace, parent) = (u128::from_str_radix(trace, 16).ok()?, u64::from_str_radix(parent, 16).ok()?);
    (trace != 0 && parent != 0).then(|| (TraceId(trace.to_be_bytes()), parent.to_be_bytes()))
}

/// The trace id of a request; sockets keep it for their whole life.
#[must_use]
pub fn trace_id(request: &HttpRequest) -> TraceId {
    request.extensions().get::<TraceId>().copied().unwrap_or_default()
}

/// The trace id of the request that this task is answering, as text; empty outside of one.
#[must_use]
pub fn current_trace() -> String {
    TRACE.try_with(ToString::to_string).unwrap_or_default()
}

/// Starts logging. `RUST_LOG` chooses what; `info` where it is not set.
pub fn init(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let is_terminal = std::io::stdout().is_terminal();
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(is_terminal);
    let result = match format {
        LogFormat::Text => builder.finish().with(AcceptErrors(&LISTENER_IS_SHUT)).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).finish().with(AcceptErrors(&LISTENER_IS_SHUT)).try_init(),
    };
    // A second call, as tests make it, changes nothing.
    drop(result);
}

/// The service has shut its listener. One for the process, as the log is.
static LISTENER_IS_SHUT: AtomicBool = AtomicBool::new(false);

/// To be called before the listener is shut: that the server cannot accept on it any more is no error from now on.
///
/// The server has been paused before, but says so before its accepting thread knows, which may look at the listener once
/// more, and then complains of what was done on purpose.
pub fn listener_is_shut() {
    LISTENER_IS_SHUT.store(true, Relaxed);
}

/// Drops what the server says of accepting once the listener is shut.
struct AcceptErrors(&'static AtomicBool);

impl AcceptErrors {
    fn is_about_accepting(metadata: &Metadata<'_>) -> bool {
        metadata.target() == "actix_server::accept"
    }
}

impl<S: Subscriber> Layer<S> for AcceptErrors {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if Self::is_about_accepting(metadata) { Interest::sometimes() } else { Interest::always() }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        !(Self::is_about_accepting(metadata) && self.0.load(Relaxed))
    }
}

/// Middleware: span, trace id, duration, and the one log line of a request.
///
/// # Errors
/// Only what the services inside could not turn into an answer themselves.
pub async fn observe<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let (trace, parent) = asked_in(request.headers());
    request.extensions_mut().insert(trace);
    let route = request.match_pattern().unwrap_or_else(|| "web".to_owned());
    let method = bounded(request.method());
    let metrics = request.app_data::<web::Data<Metrics>>().cloned();
    let traces = request.app_data::<web::Data<State>>().map(|state| state.traces.clone());
    let started = Instant::now();
    let span = tracing::info_span!("request", method, route, %trace);
    let answered = async move {
        let mut response = next.call(request).await?;
        let took = started.elapsed();
        let status = response.status().as_u16();
        if let Some(metrics) = metrics {
            metrics.request(method, &route, status, took);
        }
        let is_noise = is_noise(&route);
        if let Some(traces) = traces.filter(|_| !is_noise) {
            traces.request(traces::Request { trace, parent, method, route: &route, status, took });
        }
        log(&response, status, took.as_micros() as f64 / 1e3, is_noise);
        if let Ok(value) = HeaderValue::from_str(&trace.to_string()) {
            response.headers_mut().insert(TRACE_HEADER, value);
        }
        Ok(response)
    };
    TRACE.scope(trace, answered.instrument(span)).await
}

fn log<B>(response: &ServiceResponse<B>, status: u16, took_ms: f64, is_noise: bool) {
    let error = response.response().error().and_then(Error::as_error::<ApiError>);
    match error {
        Some(error) if error.is_fault() => tracing::error!(status, took_ms, error = %error, "request failed"),
        Some(error) => tracing::info!(status, took_ms, code = error.code().as_str(), "request refused"),
        None if is_noise => tracing::debug!(status, took_ms, "request answered"),
        None => tracing::info!(status, took_ms, "request answered"),
    }
}

/// What monitors ask every few seconds.
fn is_noise(route: &str) -> bool {
    matches!(route, "/healthz" | "/readyz" | "/metrics")
}

/// A method as a label: anybody may send any word.
fn bounded(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// A writer that keeps everything.
    #[derive(Clone, Default)]
    struct Kept(std::sync::Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_accept_error_is_logged_until_the_listener_is_shut_on_purpose() {
        static IS_SHUT: AtomicBool = AtomicBool::new(false);
        let kept = Kept::default();
        let writer = kept.clone();
        let log = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish().with(AcceptErrors(&IS_SHUT));
        tracing::subscriber::with_default(log, || {
            for n in 0..3 {
                tracing::error!(target: "actix_server::accept", n, "Error accepting connection");
                tracing::error!(target: "actix_server::worker", n, "something else");
                IS_SHUT.store(n > 0, Relaxed);
            }
        });
        let said = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        let count = |what: &str| said.matches(what).count();
        assert_eq!((count("Error accepting"), count("something else")), (2, 3), "{said}");
    }

    #[test]
    fn a_traceparent_is_carried_on() {
        let (trace, parent) = from_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap();
        assert_eq!(trace.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(parent, [0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7]);
    }

    #[test]
    fn what_is_no_traceparent_is_ignored() {
        for text in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-é-00f067aa0ba902b7-01",
        ] {
            assert_eq!(from_traceparent(text), None, "{text}");
        }
    }
}
