//! What the relay counts about itself: ingest, recording and the live view.

use crate::db::Db;
use crate::metrics::Metrics;
use prometheus::{Histogram, IntCounter, IntGauge, IntGaugeVec};

/// The figures; clones share them.
#[derive(Debug, Clone)]
pub struct Figures {
    /// Agents connected now.
    pub agents: IntGauge,
    /// Viewers connected now.
    pub viewers: IntGauge,
    /// Batches taken from agents.
    pub batches: IntCounter,
    /// Messages of agents that were refused.
    pub refused: IntCounter,
    /// Items that a full recorder queue did not take; the agent sends them again.
    pub recorder_full: IntCounter,
    /// Samples committed.
    pub samples_committed: IntCounter,
    /// Time of a commit in seconds, retries included.
    pub commit_seconds: Histogram,
    /// Time from the first item of a commit until it is committed, in seconds: how far acknowledgements lag.
    pub ingest_commit_seconds: Histogram,
    /// Items that wait for writers.
    pub recorder_waiting: IntGauge,
    /// How viewers do.
    pub viewer: ViewerFigures,
    /// Age of a batch's first sample when a viewer's socket takes it, in seconds; of some batches.
    pub agent_to_viewer_seconds: Histogram,
    /// Connections to Postgres by pool and state; as of the last look.
    pub pools: IntGaugeVec,
    /// 1 while Redis is connected.
    pub bus_connected: IntGauge,
    /// Connections to Redis that were made anew.
    pub bus_reconnects: IntCounter,
    /// Writes and messages of the bus that were dropped.
    pub bus_dropped: IntCounter,
    /// Sessions of other instances that are followed.
    pub bus_subscriptions: IntGauge,
    /// Spans that the collector of traces did not take.
    pub spans_dropped: IntCounter,
}

/// How viewers do that cannot keep up.
#[derive(Debug, Clone)]
pub struct ViewerFigures {
    /// Batches that were dropped before a slow viewer, and that it was told of.
    pub skipped: IntCounter,
    /// Viewers that get fewer batches now.
    pub thinned: IntGauge,
    /// Viewers that were closed.
    pub too_slow: IntCounter,
}

impl Figures {
    /// Registers the figures.
    ///
    /// # Errors
    /// Where they are registered already.
    pub fn register(metrics: &Metrics) -> Result<Self, prometheus::Error> {
        let commit_buckets = vec![0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];
        Ok(Self {
            agents: metrics.gauge("onelap_agents", "Agents connected now.")?,
            viewers: metrics.gauge("onelap_viewers", "Viewers connected now.")?,
            batches: metrics.counter("onelap_ingest_batches_total", "Batches taken from agents.")?,
            refused: metrics.counter("onelap_ingest_refused_total", "Messages of agents that were refused.")?,
            recorder_full: metrics
                .counter("onelap_recorder_full_total", "Items that a full recorder queue did not take.")?,
            samples_committed: metrics.counter("onelap_samples_committed_total", "Samples committed to Postgres.")?,
            commit_seconds: metrics.histogram(
                "onelap_commit_seconds",
                "Time of a commit, retries included.",
                commit_buckets,
            )?,
            ingest_commit_seconds: metrics.histogram(
                "onelap_ingest_commit_seconds",
                "Time from the first item of a commit until it is committed.",
                vec![0.05, 0.25, 1.0, 2.5, 5.0, 7.5, 10.0, 12.5, 15.0, 20.0, 30.0, 60.0, 300.0],
            )?,
            recorder_waiting: metrics.gauge("onelap_recorder_waiting_items", "Items that wait for writers.")?,
            viewer: ViewerFigures {
                skipped: metrics.counter(
                    "onelap_viewer_skipped_total",
                    "Batches that were dropped before a slow viewer, and that it was told of.",
                )?,
                thinned: metrics
                    .gauge("onelap_viewers_thinned", "Viewers that get fewer batches because they are slow.")?,
                too_slow: metrics
                    .counter("onelap_viewers_too_slow_total", "Viewers that were closed because they were too slow.")?,
            },
            agent_to_viewer_seconds: metrics.histogram(
                "onelap_agent_to_viewer_seconds",
                "Age of a batch's first sample when a viewer's socket takes it, of one batch in 17.",
                vec![0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1.0, 2.0, 5.0, 10.0, 30.0],
            )?,
            pools: metrics.gauges("onelap_pool_connections", "Connections to Postgres.", &["pool", "state"])?,
            bus_connected: metrics.gauge("onelap_bus_connected", "1 while Redis is connected.")?,
            bus_reconnects: metrics
                .counter("onelap_bus_reconnects_total", "Connections to Redis that were made anew.")?,
            bus_dropped: metrics
                .counter("onelap_bus_dropped_total", "Writes and messages of the bus that were dropped.")?,
            bus_subscriptions: metrics
                .gauge("onelap_bus_subscriptions", "Sessions of other instances that are followed.")?,
            spans_dropped: metrics
                .counter("onelap_spans_dropped_total", "Spans that the collector of traces did not take.")?,
        })
    }

    /// Looks at the pools.
    pub fn look_at_pools(&self, db: &Db) {
        for (name, pool) in [("web", &db.web), ("ingest", &db.ingest), ("exports", &db.exports)] {
            let (size, idle) = (i64::from(pool.size()), pool.num_idle() as i64);
            self.pools.with_label_values(&[name, "idle"]).set(idle);
            self.pools.with_label_values(&[name, "busy"]).set(size.saturating_sub(idle));
        }
    }
}
