//! Identifiers. Each is its own type, so that a session cannot be passed where a team is meant.

use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "ts", derive(ts_rs::TS))]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new identifier (UUID version 7: sorts by the time it was made).
            #[must_use]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(s: &str) -> Result<Self, Self::Err> {
                s.parse().map(Self)
            }
        }
    };
}

uuid_id!(
    /// A team: the tenant.
    TeamId
);
uuid_id!(
    /// A person with an account.
    UserId
);
uuid_id!(
    /// A named installation of the agent.
    RigId
);
uuid_id!(
    /// A rig's token (its public part).
    TokenId
);
uuid_id!(
    /// One game session of one car as the team followed it. Made by the agent, so that it exists without a connection.
    SessionId
);
uuid_id!(
    /// An invitation into a team.
    InvitationId
);
uuid_id!(
    /// A link by which somebody without an account looks at something of a team.
    ShareId
);
uuid_id!(
    /// A key of a team's own tools (its public part).
    ApiKeyId
);

/// A car within a session, stable over driver swaps. Short text chosen by the source: the game's slot and, where the
/// game gives slots out again, a mark of the vehicle (`17-a3f29c`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct CarKey(pub String);

impl fmt::Display for CarKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
