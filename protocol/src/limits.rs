//! Limits that are part of the contract: what is over them gets an [`ErrorCode`](crate::ErrorCode) that says which.

use serde::{Deserialize, Serialize};

/// Largest WebSocket message that the service takes from an agent, in bytes.
pub const MAX_AGENT_FRAME: usize = 256 * 1024;
/// Largest WebSocket message that the service takes from a viewer, in bytes.
pub const MAX_VIEWER_FRAME: usize = 64 * 1024;
/// Most samples in one batch on the wire.
pub const MAX_BATCH_SAMPLES: usize = 256;
/// Most channels in one batch.
pub const MAX_BATCH_CHANNELS: usize = 512;
/// Highest sample rate of a rig, in Hz.
pub const MAX_SAMPLE_HZ: u32 = 60;
/// Most cars in a standings message (the game's own limit).
pub const MAX_CARS: usize = 104;
/// Most sessions that `hello` names.
pub const MAX_NAMED_SESSIONS: usize = 64;
/// Longest text in any field of a control message, in bytes; longer texts are refused.
pub const MAX_TEXT: usize = 512;

/// The limits as `welcome` tells them to the agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Largest message in bytes.
    pub max_frame_bytes: u32,
    /// Most samples in one batch.
    pub max_batch_samples: u32,
    /// Highest sample rate in Hz.
    pub max_sample_hz: u32,
    /// Most messages a second, over ten seconds.
    pub max_messages_per_s: u32,
    /// Most backfilled items a second; live ones come on top.
    pub max_backfill_per_s: u32,
    /// Most bytes a second, over ten seconds, of messages as they are before WebSocket and TLS. Services of before did not
    /// say it and had no such limit.
    #[serde(default = "unlimited")]
    pub max_bytes_per_s: u32,
}

fn unlimited() -> u32 {
    u32::MAX
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_frame_bytes: MAX_AGENT_FRAME as u32,
            max_batch_samples: MAX_BATCH_SAMPLES as u32,
            max_sample_hz: MAX_SAMPLE_HZ,
            max_messages_per_s: 400,
            max_backfill_per_s: 300,
            max_bytes_per_s: 1 << 20,
        }
    }
}
