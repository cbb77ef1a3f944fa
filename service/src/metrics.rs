//! Figures for Prometheus, served at `/metrics`.
//!
//! One [`Metrics`] per app, so that several apps of one test process do not meet. A feature asks for its gauges and
//! counters once, when it is built, and keeps the handles.
//!
//! Invariant: labels come from closed sets (routes as they are registered, never paths as they are asked for).

use crate::app::State;
use actix_web::http::header;
use actix_web::{HttpResponse, get, web};
use prometheus::{
    Encoder, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    TextEncoder, core::Collector,
};
use std::time::Duration;

/// The registry and what every request is counted in.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: HistogramVec,
}

impl Metrics {
    /// An empty registry.
    ///
    /// # Errors
    /// Where a name is not allowed: a fault of the code.
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let options = HistogramOpts::new("onelap_http_request_seconds", "Time until the answer's head, by route.")
            .buckets(vec![0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0]);
        let requests = HistogramVec::new(options, &["method", "route", "status"])?;
        registry.register(Box::new(requests.clone()))?;
        Ok(Self { registry, requests })
    }

    /// A counter that is served from now on.
    ///
    /// # Errors
    /// Where the name is taken or not allowed.
    pub fn counter(&self, name: &str, help: &str) -> Result<IntCounter, prometheus::Error> {
        self.add(IntCounter::new(name, help)?)
    }

    /// Counters by a closed set of labels.
    ///
    /// # Errors
    /// Where the name is taken or not allowed.
    pub fn counters(&self, name: &str, help: &str, labels: &[&str]) -> Result<IntCounterVec, prometheus::Error> {
        self.add(IntCounterVec::new(Opts::new(name, help), labels)?)
    }

    /// A gauge that is served from now on.
    ///
    /// # Errors
    /// Where the name is taken or not allowed.
    pub fn gauge(&self, name: &str, help: &str) -> Result<IntGauge, prometheus::Error> {
        self.add(IntGauge::new(name, help)?)
    }

    /// A histogram that is served from now on.
    ///
    /// # Errors
    /// Where the name is taken or not allowed.
    pub fn histogram(&self, name: &str, help: &str, buckets: Vec<f64>) -> Result<Histogram, prometheus::Error> {
        self.add(Histogram::with_opts(HistogramOpts::new(name, help).buckets(buckets))?)
    }

    /// Gauges by a closed set of labels.
    ///
    /// # Errors
    /// Where the name is taken or not allowed.
    pub fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> Result<IntGaugeVec, prometheus::Error> {
        self.add(IntGaugeVec::new(Opts::new(name, help), labels)?)
    }

    fn add<T: Collector + Clone + 'static>(&self, metric: T) -> Result<T, prometheus::Error> {
        self.registry.register(Box::new(metric.clone()))?;
        Ok(metric)
    }

    pub(crate) fn request(&self, method: &str, route: &str, status: u16, took: Duration) {
        let mut digits = [0u8; 3];
        self.requests
            .with_label_values(&[method, route, status_label(status, &mut digits)])
            .observe(took.as_secs_f64());
    }

    fn text(&self) -> Result<Vec<u8>, prometheus::Error> {
        let mut out = Vec::with_capacity(8 * 1024);
        TextEncoder::new().encode(&self.registry.gather(), &mut out)?;
        Ok(out)
    }
}

fn status_label(status: u16, digits: &mut [u8; 3]) -> &str {
    let status = status % 1000;
    *digits = [b'0' + (status / 100) as u8, b'0' + (status / 10 % 10) as u8, b'0' + (status % 10) as u8];
    std::str::from_utf8(digits).unwrap_or("000")
}

/// Figures for Prometheus.
#[utoipa::path(tag = "operation", security(()), responses((status = 200, description = "Prometheus text format", body = String)))]
#[get("/metrics")]
pub(crate) async fn scrape(
    metrics: web::Data<Metrics>,
    state: web::Data<State>,
) -> Result<HttpResponse, crate::error::ApiError> {
    state.hub.figures.look_at_pools(&state.db);
    let text = metrics.text().map_err(|error| crate::error::ApiError::internal(error.to_string()))?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, prometheus::TEXT_FORMAT))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(text))
}

/// Adds `/metrics`.
pub fn routes(config: &mut web::ServiceConfig) {
    config.service(scrape);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_served() {
        let metrics = Metrics::new().unwrap();
        metrics.gauge("onelap_test", "A gauge.").unwrap().set(7);
        metrics.request("GET", "/api/me", 200, Duration::from_millis(3));
        let text = String::from_utf8(metrics.text().unwrap()).unwrap();
        assert!(text.contains("onelap_test 7"), "{text}");
        assert!(text.contains(r#"route="/api/me""#) && text.contains(r#"status="200""#), "{text}");
    }
}
