//! The race: one world, advanced in ticks of 10 ms, the same for the same seed and the same commands.
//!
//! Pure: no clock, no socket, no file. The faces (`lmu`, `f1`) show it, `game` drives it.

pub(crate) mod car;
pub(crate) mod class;
pub(crate) mod drive;
pub(crate) mod field;
pub(crate) mod heat;
pub(crate) mod laps;
pub(crate) mod log;
pub(crate) mod names;
pub(crate) mod order;
pub(crate) mod pit;
pub(crate) mod pit_menu;
pub(crate) mod player;
pub(crate) mod profile;
pub(crate) mod rng;
pub(crate) mod session;
pub(crate) mod setup;
pub(crate) mod timing;
pub(crate) mod track;
pub(crate) mod weather;
pub(crate) mod world;
