//! Fan-out of what happens now to viewers.
//!
//! One [`Hub`] per process, shared by all workers. It knows what every connected rig is doing, keeps the last state of
//! each live session, and holds one outbox per viewer, which gets as much as its connection carries (`pace`).
//!
//! Invariants: subscribe before snapshot (both under the session's lock, so nothing falls between); a full sample lane
//! drops its oldest batch and owes a `gap`; a full event lane closes the viewer; a batch is framed once and shared.
//!
//! Not here: authorisation (`auth`), Postgres (`recorder`, `ingest`).

pub(crate) mod bus;
mod copies;
mod delta;
mod field;
mod hub;
mod kept;
mod mark;
mod outbox;
mod pace;
mod publisher;
mod session;
mod shown;
mod veil;
mod viewer;
mod wire;

pub use hub::Hub;
pub(crate) use hub::now_ms;
pub use publisher::{Connection, Cut, Publisher};
pub use session::{Begin, History};
pub use viewer::routes;
