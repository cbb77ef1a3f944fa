//! The games, one folder each.
//!
//! A game's folder holds its acquisition (I/O) and its reader (pure). Nothing outside a game's folder knows its formats.

pub mod f1;
pub mod lmu;
