//! The wire between the agent, the service and its viewers.
//!
//! Control is tagged JSON in text frames ([`agent`], [`viewer`]). Samples of the own car are binary frames ([`batch`]):
//! columns of the [`channel`] catalogue, quantised, delta coded, as varints. So is the field ([`standings`]): what changed
//! since the frame before.
//!
//! Invariants: a batch stands alone, so any may be skipped; a frame of standings says which one it applies to; a channel's
//! number is never given a second meaning; what is not known is absent, never 0.
//!
//! Not here: sockets, storage, clocks. This crate depends on serde and little else.

pub mod agent;
pub mod batch;
pub mod channel;
pub mod columns;
pub mod error;
pub mod ids;
pub mod limits;
pub mod race;
pub mod setup;
pub mod standings;
pub mod token;
pub mod viewer;

pub use batch::{Batch, BatchError, BatchHeader};
pub use channel::{Channel, Sample};
pub use error::ErrorCode;
pub use ids::{ApiKeyId, CarKey, InvitationId, RigId, SessionId, ShareId, TeamId, TokenId, UserId};
pub use token::{RigToken, TokenError};

/// The version that agent and service speak, as the WebSocket subprotocol names it.
pub const AGENT_SUBPROTOCOL: &str = "onelap.agent.v1";

/// The subprotocol of viewers.
pub const VIEWER_SUBPROTOCOL: &str = "onelap.viewer.v1";
