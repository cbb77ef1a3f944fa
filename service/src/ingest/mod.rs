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
mod skew;
mod socket;
mod stream;

pub use socket::routes;

use crate::live::Hub;

/// The shortest time after which a socket is sent elsewhere.
const AT_ONCE_MS: u32 = 250;

/// When a socket that is sent away should come back: spread over two seconds, so that not all come at once. All
/// are gone before [`crate::app`] closes those that stay: whoever comes back adds half of this at most.
#[must_use]
pub(crate) fn reconnect_jitter_ms() -> u32 {
    let mut random = [0u8; 4];
    // Without randomness all come after the same time, which is no more than unkind.
    let _ = getrandom::fill(&mut random);
    500 + u32::from_le_bytes(random) % 2000
}

/// Waits until the process is going to stop, and says when a socket should go elsewhere. One that came meanwhile has waited
/// already: a load balancer's open connection led it here.
pub(crate) async fn leave_after_ms(hub: &Hub) -> u32 {
    if hub.stopping.is_cancelled() {
        return AT_ONCE_MS;
    }
    hub.stopping.cancelled().await;
    reconnect_jitter_ms()
}
