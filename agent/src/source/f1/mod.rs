//! F1 25 by UDP.
//!
//! [`socket`] receives datagrams and routes them to rigs, [`format`] tells which packet one is, [`packet`] decodes it,
//! [`reader`] makes readings of what the packets say together, [`enums`] names the codes.
//!
//! The game sends and takes nothing: there are no commands to it.

pub mod enums;
pub mod format;
pub mod packet;
pub mod reader;
pub mod socket;
