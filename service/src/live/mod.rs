//! Fan-out of what happens now to viewers.
//!
//! One [`Hub`] per process, shared by all workers. It knows what every connected rig is doing, keeps the last state of
//! each live session, and holds one outbox per viewer.
//!
//! Invariants: subscribe before snapshot (both under the session's lock, so nothing falls between); a full sample lane
//! drops its oldest batch and owes a `gap`; a full event lane closes the viewer; a batch is framed once and shared.
//!
//! Not here: authorisation (`auth`), Postgres (`recorder`, `ingest`).

mod hub;
mod outbox;
mod session;
mod veil;
mod viewer;
mod wire;

pub(crate) use hub::now_ms;
pub use hub::{Connection, Cut, Hub};
pub use session::Begin;
pub use viewer::routes;
