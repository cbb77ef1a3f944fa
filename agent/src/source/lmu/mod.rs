//! Le Mans Ultimate by shared memory and REST.
//!
//! Acquisition (`acquire`, `mapping`, `snapshot`, `rest`, `schedule`) puts images and bodies out; [`LmuReader`] turns them into
//! readings. Between the two lie bytes only, so that a recording is as good as a game.

pub mod acquire;
pub mod bodies;
pub mod endpoint;
pub mod entry;
pub mod field;
pub mod image;
pub mod known;
pub mod laps;
pub mod live;
pub mod mapping;
pub mod normalise;
pub mod notes;
pub mod own;
pub mod pits;
pub mod reader;
pub mod rest;
pub mod schedule;
pub mod session;
pub mod setup;
pub mod snapshot;
pub mod standings;
pub mod state;
pub mod thrift;

pub use reader::LmuReader;

#[cfg(test)]
mod normalise_tests;
#[cfg(test)]
mod reader_tests;
#[cfg(test)]
pub(crate) mod testing;
