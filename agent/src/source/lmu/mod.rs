//! Le Mans Ultimate by shared memory and REST.

pub mod image;
pub mod laps;
pub mod normalise;
pub mod notes;
pub mod pits;
