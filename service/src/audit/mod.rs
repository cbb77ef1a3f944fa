//! The audit log of a team: who did what to whom, from where, when.
//!
//! Invariants: an entry is written in the transaction of what it tells, so that neither is there without the other; the
//! service's role may insert and read, and neither change nor delete; no secret is in an entry.
//!
//! Not here: log lines for operators (`telemetry`).

mod csv;
pub(crate) mod routes;
mod store;

pub use routes::routes;
pub(crate) use store::{OwnEntry, of_person, write};

use crate::auth::TeamScope;
use onelap_protocol::UserId;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

/// Who did it, and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct By {
    /// What kind of actor.
    pub kind: ActorKind,
    /// Which person.
    pub id: Option<Uuid>,
    /// Their address.
    pub address: String,
}

/// What kind of actor did something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    /// Somebody with an account.
    Person,
    /// Whoever runs this service.
    Operator,
    /// The service by itself.
    Service,
}

impl ActorKind {
    fn word(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Operator => "operator",
            Self::Service => "service",
        }
    }
}

impl By {
    /// A person, from an address.
    #[must_use]
    pub fn person(user: UserId, address: String) -> Self {
        Self { kind: ActorKind::Person, id: Some(user.0), address }
    }

    /// A member.
    #[must_use]
    pub fn member(scope: &TeamScope) -> Self {
        Self::person(scope.user, scope.from.clone())
    }
}

macro_rules! acts {
    ($($name:ident $word:tt,)*) => {
        /// What can be done to a team and is written down.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
        #[expect(missing_docs, reason = "the words say what they are")]
        pub enum Act {
            $(#[serde(rename = $word)] $name,)*
        }

        impl Act {
            /// As the database and the API write it.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

acts! {
    TeamFounded "team.founded",
    TeamRenamed "team.renamed",
    TeamHandedOver "team.handed_over",
    TeamDeletionAsked "team.deletion_asked",
    TeamDeletionCancelled "team.deletion_cancelled",
    TeamExported "team.exported",
    TeamDisabled "team.disabled",
    TeamEnabled "team.enabled",
    TeamLookedAt "team.looked_at",
    MemberInvited "member.invited",
    InvitationRevoked "invitation.revoked",
    MemberJoined "member.joined",
    MemberLeft "member.left",
    MemberRemoved "member.removed",
    RoleChanged "member.role_changed",
    RigAdded "rig.added",
    RigDeleted "rig.deleted",
    TokenMade "token.made",
    TokenRotated "token.rotated",
    TokenRevoked "token.revoked",
    PairingApproved "pairing.approved",
    PairingDenied "pairing.denied",
    ShareMade "share.made",
    ShareRevoked "share.revoked",
    ApiKeyMade "api_key.made",
    ApiKeyRevoked "api_key.revoked",
    AuditExported "audit.exported",
}

/// To whom or what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// The team itself.
    Team,
    /// A member.
    Person(Uuid),
    /// An invitation.
    Invitation(Uuid),
    /// A rig.
    Rig(Uuid),
    /// A rig's token.
    Token(Uuid),
    /// A share link.
    Share(Uuid),
    /// An API key.
    ApiKey(Uuid),
}

impl Subject {
    fn parts(self) -> (&'static str, Option<Uuid>) {
        match self {
            Self::Team => ("team", None),
            Self::Person(id) => ("person", Some(id)),
            Self::Invitation(id) => ("invitation", Some(id)),
            Self::Rig(id) => ("rig", Some(id)),
            Self::Token(id) => ("token", Some(id)),
            Self::Share(id) => ("share", Some(id)),
            Self::ApiKey(id) => ("api_key", Some(id)),
        }
    }
}

/// One entry.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Entry {
    /// The entry.
    pub id: Uuid,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// What kind of actor.
    #[schema(value_type = ActorKind)]
    pub actor_kind: String,
    /// Which person.
    pub actor_id: Option<Uuid>,
    /// Their name now; absent where the account is no more.
    pub actor_name: Option<String>,
    /// What was done.
    #[schema(value_type = Act)]
    pub action: String,
    /// What kind of thing it was done to.
    pub subject_kind: Option<String>,
    /// Which.
    pub subject_id: Option<Uuid>,
    /// What that is called now, where it still is: the person, the rig (of a token as well), the key, the share link, or the
    /// address that an invitation was sent to.
    pub subject_name: Option<String>,
    /// More about it.
    #[schema(value_type = Object)]
    pub detail: serde_json::Value,
    /// The address that it came from.
    pub address: String,
    /// Trace id of the request, for support.
    pub trace: String,
}

/// Which entries are wanted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    actor: Option<Uuid>,
    action: Option<Act>,
    from: Option<OffsetDateTime>,
    to: Option<OffsetDateTime>,
}
