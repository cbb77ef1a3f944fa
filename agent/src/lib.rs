//! The agent: reads the game on the driver's PC and streams it to the service.
//!
//! ```text
//! acquisition (mapping, REST, UDP, or a recording) ── Raw ── Reader (pure) ── Reading ── sampler ── spool ── link ══ wss
//! ```
//!
//! Invariants: the game is only read; its REST paths are a closed list; units are right in [`reading::Reading`] and never
//! touched again; what is not known is absent; a bad reading costs that reading.

#[cfg(all(onelap_chaos_delete_before_ack, not(debug_assertions)))]
compile_error!("a build that is wrong on purpose is not for release");

pub mod api;
pub mod arbiter;
pub mod check;
pub mod cli;
pub mod clock;
pub mod config;
pub mod inspect;
pub mod link;
pub mod pair;
pub mod pipeline;
pub mod raw;
pub mod reading;
pub mod record;
pub mod recording;
pub mod run;
pub mod sampler;
pub mod server;
pub mod source;
pub mod spool;
pub mod status;
pub mod token;

#[cfg(test)]
mod testing;
