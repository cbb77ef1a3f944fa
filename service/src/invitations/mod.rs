//! Invitations into a team: by e-mail, or by a link that somebody passes on.
//!
//! Invariants: the secret is shown once and kept as its hash; it is good once, for a while, for the role that it was made
//! for; one that was sent to an address is taken by that address's account only; it ends with its maker's right to
//! invite.

mod letters;
pub(crate) mod routes;
mod store;

pub use routes::routes;
pub(crate) use store::revoke_of;

use crate::auth::Role;
use onelap_protocol::InvitationId;
use serde::Serialize;
use time::OffsetDateTime;

/// Open invitations that a team may have.
const MAX_OPEN: i64 = 200;
/// Path of the page that takes one.
const PAGE: &str = "/join";

/// An invitation, without its secret.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Invitation {
    /// The invitation.
    pub id: InvitationId,
    /// What whoever takes it becomes.
    pub role: Role,
    /// The address that it was sent to; absent where it is a link.
    pub email: Option<String>,
    /// Who made it; absent where the account is no more.
    pub made_by: Option<String>,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// Until when it is good.
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
    /// What became of it.
    pub state: InvitationState,
}

/// What became of an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InvitationState {
    /// It can be taken.
    Open,
    /// Somebody took it.
    Accepted,
    /// It was revoked.
    Revoked,
    /// Its time is over.
    Expired,
}

impl InvitationState {
    fn of(accepted: bool, revoked: bool, expired: bool) -> Self {
        match (accepted, revoked, expired) {
            (true, _, _) => Self::Accepted,
            (false, true, _) => Self::Revoked,
            (false, false, true) => Self::Expired,
            (false, false, false) => Self::Open,
        }
    }

    /// Why it cannot be taken.
    fn problem(self) -> Option<&'static str> {
        match self {
            Self::Open => None,
            Self::Accepted => Some("this invitation was used already: ask for another"),
            Self::Revoked => Some("this invitation was revoked: ask for another"),
            Self::Expired => Some("this invitation has expired: ask for another"),
        }
    }
}
