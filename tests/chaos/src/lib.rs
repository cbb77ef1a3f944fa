//! The chaos run, see `main.rs`. As a library so that its checker has tests of its own.

pub mod check;
pub mod child;
pub mod chunk;
pub mod clock;
pub mod frames;
pub mod http;
pub mod plan;
pub mod report;
pub mod rig;
pub mod rows;
pub mod run;
pub mod servers;
pub mod stack;
pub mod viewer;
pub mod watch;
pub mod witness;
