//! What a race means: stints, pit visits and consumption, derived from the events of a session.
//!
//! Pure: no clock, no socket, no database.

mod car;
#[cfg(test)]
pub(crate) mod fixtures;
pub mod fold;

pub use fold::{Fact, Fold};
