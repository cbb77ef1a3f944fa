//! The language of the end-to-end tests: the real service on a free port, over a real Postgres with a database for each
//! test; people, rigs and sockets.
//!
//! ```ignore
//! let app = TestApp::spawn().await;
//! let ours = app.team("ours").await;
//! let rig = ours.rig("RIG_A").await;
//! ```
//!
//! Needs `ONELAP_TEST_DATABASE_URL`, the address of a Postgres whose role may create databases; `make test` sets it.

#![expect(clippy::expect_used, clippy::panic, reason = "what goes wrong here is the failure of a test")]

mod app;
pub mod collector;
mod database;
pub mod feeder;
pub mod http;
pub mod mailbox;
pub mod people;
pub mod person;
pub mod process;
mod redis;
pub mod rig;
pub mod sockets;
mod team;
pub mod world;

pub use app::TestApp;
pub use database::{Stored, TestDatabase};
pub use faults as proxy;
pub use http::Answer;
pub use mailbox::Mailbox;
pub use person::Browser;
pub use redis::TestRedis;
pub use sockets::{Came, PATIENCE, RawAgent, RawViewer, Rejected};
pub use team::{Rig, Team};

use std::time::Duration;

/// Waits until `check` gives something; fails with `what` if it does not in time.
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut check: impl FnMut() -> F) -> T {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        if let Some(found) = check().await {
            return found;
        }
        assert!(tokio::time::Instant::now() < deadline, "in vain waited for: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
