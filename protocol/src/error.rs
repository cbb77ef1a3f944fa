//! What can be wrong, in a word that programs can act on. The sentence beside it is for people.

use serde::{Deserialize, Serialize};

/// Why something was refused, on a socket or in an HTTP body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// No valid credential came with the request.
    Unauthenticated,
    /// The credential is valid and does not allow this.
    Forbidden,
    /// There is no such thing, or it belongs to somebody else: the two are not told apart.
    NotFound,
    /// A value is missing or not allowed; the message names it.
    Invalid,
    /// It exists already.
    Conflict,
    /// Too many of something; the message names what and when to try again.
    RateLimited,
    /// A frame or body is larger than the limit that the message names.
    TooLarge,
    /// The bytes do not follow the format; the message says where.
    Malformed,
    /// The protocol version is not spoken here; the message says what to do.
    UnsupportedVersion,
    /// The rig token is misspelt: its check sum is wrong.
    TokenMistyped,
    /// The rig token was revoked.
    TokenRevoked,
    /// A message that needs something first, for example a batch before its session.
    OutOfOrder,
    /// The service cannot do it now; try again.
    Unavailable,
    /// A fault of the service.
    Internal,
    /// The password was shown too long ago for this: confirm it, then try again.
    ConfirmRequired,
    /// The account's e-mail address has to be confirmed first.
    EmailUnverified,
}

impl ErrorCode {
    /// The code as it stands on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::Invalid => "invalid",
            Self::Conflict => "conflict",
            Self::RateLimited => "rate_limited",
            Self::TooLarge => "too_large",
            Self::Malformed => "malformed",
            Self::UnsupportedVersion => "unsupported_version",
            Self::TokenMistyped => "token_mistyped",
            Self::TokenRevoked => "token_revoked",
            Self::OutOfOrder => "out_of_order",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
            Self::ConfirmRequired => "confirm_required",
            Self::EmailUnverified => "email_unverified",
        }
    }
}
