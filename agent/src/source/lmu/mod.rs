//! Le Mans Ultimate by shared memory and REST.

pub mod acquire;
pub mod bodies;
pub mod endpoint;
pub mod image;
pub mod laps;
pub mod mapping;
pub mod normalise;
pub mod notes;
pub mod pits;
pub mod rest;
pub mod schedule;
pub mod setup;
pub mod snapshot;
