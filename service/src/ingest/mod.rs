//! What agents send: checked once, shown live at once, handed to the recorder.
//!
//! Each item says what it is sent for, its lane: live is shown and recorded, a preview only shown, backfill only recorded.
//!
//! Invariants: neither the live view nor the recorder can hold up the other, and neither waits for Postgres; what the
//! recorder could not take is asked for again; previews touch neither order nor recorder; backfill never begins, ends or
//! replaces what a rig shows; one bad message costs that message and is answered with what was wrong.
//!
//! Not here: SQL (`recorder`), viewers (`live`).

mod check;
mod io;
mod order;
mod recording;
mod sessions;
mod socket;
mod stream;

pub use socket::routes;

/// When a socket that is sent away should come back: spread over four seconds, so that not all come at once.
#[must_use]
pub(crate) fn reconnect_jitter_ms() -> u32 {
    let mut random = [0u8; 4];
    // Without randomness all come after the same time, which is no more than unkind.
    let _ = getrandom::fill(&mut random);
    500 + u32::from_le_bytes(random) % 4000
}
