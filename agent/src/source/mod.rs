//! The games, one folder each.
//!
//! A game's folder holds its acquisition (I/O) and its reader (pure). Nothing outside a game's folder knows its formats.
//! Acquisition runs in threads of its own, blocking; it puts what it read through an [`Emit`] and ends soon after its
//! cancellation token is cancelled.

use crate::raw::Raw;

pub mod f1;
pub mod lmu;
pub mod queue;

/// Where acquisition puts what it read: stamps it with the agent's clock and queues it. Never blocks. Where the queue is
/// full the input is dropped and counted: live may skip.
pub type Emit = Box<dyn FnMut(Raw) + Send>;
