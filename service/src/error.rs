//! What a request can fail with, and how that looks from outside: one enum, one mapping to HTTP.
//!
//! Invariants: the body says what was wrong with the request and nothing about the inside of the service; what belongs
//! to somebody else and what does not exist give the same answer; a database that does not answer is never the caller's
//! fault.
//!
//! Not here: logging of causes (`telemetry`, once per request).

use crate::limits::OverLimit;
use crate::telemetry;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use onelap_protocol::ErrorCode;
use serde::Serialize;
use std::borrow::Cow;

/// Why a request was not answered with what it asked for.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// No credential, or none that is good.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// The rig token's check sum is wrong.
    #[error("the rig token is misspelt: copy it again, whole")]
    TokenMistyped,
    /// The rig token was revoked.
    #[error("this rig token was revoked: make a new one on the team's rigs page")]
    TokenRevoked,
    /// The credential is good and does not allow this.
    #[error("{0}")]
    Forbidden(&'static str),
    /// The same, with what would be needed.
    #[error("{0}")]
    NotAllowed(String),
    /// The password was shown too long ago for this.
    #[error("confirm with your password that it is you")]
    ConfirmRequired,
    /// The address must be confirmed before this.
    #[error("confirm your e-mail address first: open the link that we sent you, or ask for another one")]
    EmailUnverified,
    /// The only owner of teams cannot go.
    #[error("you are the only owner of {teams}: give them another owner, or delete them, first")]
    OnlyOwner {
        /// Their names.
        teams: String,
    },
    /// There is no such thing, or it is somebody else's.
    #[error("there is no such thing here")]
    NotFound,
    /// The same, for who held the key to it and may know more.
    #[error("{0}")]
    Ended(&'static str),
    /// There is such an address, and this is not done with it.
    #[error("this address takes {allow} only")]
    Method {
        /// What is done with it.
        allow: String,
    },
    /// A value is missing or not allowed.
    #[error("{message}")]
    Invalid {
        /// Which.
        field: Cow<'static, str>,
        /// What it should be.
        message: Cow<'static, str>,
    },
    /// The body is not what it claims to be.
    #[error("{0}")]
    Malformed(String),
    /// The client speaks another version of the protocol.
    #[error("{0}")]
    UnsupportedVersion(String),
    /// It exists already.
    #[error("{message}")]
    Conflict {
        /// The value that is taken.
        field: &'static str,
        /// Why.
        message: &'static str,
    },
    /// Too often.
    #[error("too many {what}: try again in {retry_after_s} s")]
    RateLimited {
        /// What there was too much of.
        what: &'static str,
        /// When to try again.
        retry_after_s: u64,
    },
    /// A team, a rig or a person uses as much as they may.
    #[error("{0}")]
    OverLimit(#[from] OverLimit),
    /// The body is over the limit.
    #[error("the body is larger than the limit of {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// The service has too much to do.
    #[error("{0}")]
    Busy(&'static str),
    /// The database failed.
    #[error("database: {0}")]
    Database(sqlx::Error),
    /// A fault of the service; the text is for the log.
    #[error("{0}")]
    Internal(Cow<'static, str>),
}

impl From<sqlx::Error> for ApiError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl ApiError {
    /// A value that is not allowed, and what it should be.
    pub fn invalid(field: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) -> Self {
        Self::Invalid { field: field.into(), message: message.into() }
    }

    /// A fault of the service; the text goes to the log and not to the caller.
    pub fn internal(cause: impl Into<Cow<'static, str>>) -> Self {
        Self::Internal(cause.into())
    }

    /// What programs act on.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Unauthenticated(_) => ErrorCode::Unauthenticated,
            Self::TokenMistyped => ErrorCode::TokenMistyped,
            Self::TokenRevoked => ErrorCode::TokenRevoked,
            Self::Forbidden(_) | Self::NotAllowed(_) => ErrorCode::Forbidden,
            Self::ConfirmRequired => ErrorCode::ConfirmRequired,
            Self::EmailUnverified => ErrorCode::EmailUnverified,
            Self::OnlyOwner { .. } => ErrorCode::Conflict,
            Self::NotFound | Self::Ended(_) | Self::Method { .. } => ErrorCode::NotFound,
            Self::Invalid { .. } => ErrorCode::Invalid,
            Self::Malformed(_) => ErrorCode::Malformed,
            Self::UnsupportedVersion(_) => ErrorCode::UnsupportedVersion,
            Self::Conflict { .. } => ErrorCode::Conflict,
            Self::RateLimited { .. } | Self::OverLimit(_) => ErrorCode::RateLimited,
            Self::TooLarge { .. } => ErrorCode::TooLarge,
            Self::Busy(_) => ErrorCode::Unavailable,
            Self::Database(error) if is_unavailable(error) => ErrorCode::Unavailable,
            Self::Database(_) | Self::Internal(_) => ErrorCode::Internal,
        }
    }

    /// The sentence for people; causes inside the service are left out.
    #[must_use]
    pub fn message(&self) -> String {
        match (self, self.code()) {
            (Self::Database(_), ErrorCode::Unavailable) => {
                "the service cannot reach its database: try again".to_owned()
            }
            (Self::Database(_) | Self::Internal(_), _) => "a fault of the service; the trace id finds it".to_owned(),
            _ => self.to_string(),
        }
    }

    /// The field that was wrong.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Invalid { field, .. } => Some(field),
            Self::Conflict { field, .. } => Some(field),
            _ => None,
        }
    }

    /// Whether the service, not the caller, is at fault: worth a log line with the cause. To be asked to come back is none.
    #[must_use]
    pub fn is_fault(&self) -> bool {
        !matches!(self, Self::Busy(_)) && matches!(self.code(), ErrorCode::Internal | ErrorCode::Unavailable)
    }
}

/// A message that quotes what somebody sent, cut to a length that may go into a log and back over a socket.
pub(crate) fn shortened(mut message: String) -> String {
    const LONGEST: usize = 500;
    if message.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|at| message.is_char_boundary(*at)).unwrap_or(0);
        message.truncate(end);
        message.push('…');
    }
    message
}

/// Whether trying again can help: no connection was to be had, or the server is going, coming or full.
fn is_unavailable(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        // 08 connection, 53 out of something, 57 told to stop or not up yet, 40 to be tried again; 28, 3D and 55: nobody is
        // let in, there is no such database, it takes nobody at the moment.
        sqlx::Error::Database(error) => error
            .code()
            .is_some_and(|code| ["08", "28", "3D", "40", "53", "55", "57"].iter().any(|class| code.starts_with(class))),
        _ => false,
    }
}

/// The name of the constraint that a statement violated.
pub(crate) fn violated(error: &sqlx::Error) -> Option<&str> {
    error.as_database_error().and_then(|error| error.constraint())
}

/// What stands in the body of a request that failed.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ErrorBody {
    /// The error.
    pub error: ErrorDetail,
}

/// What went wrong.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ErrorDetail {
    /// For programs.
    pub code: ErrorCode,
    /// For people.
    pub message: String,
    /// The field of the request that was wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Trace id of the request, for support.
    pub trace: String,
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        match self.code() {
            _ if matches!(self, Self::Method { .. }) => StatusCode::METHOD_NOT_ALLOWED,
            ErrorCode::Unauthenticated | ErrorCode::TokenMistyped | ErrorCode::TokenRevoked => StatusCode::UNAUTHORIZED,
            ErrorCode::Forbidden | ErrorCode::ConfirmRequired | ErrorCode::EmailUnverified => StatusCode::FORBIDDEN,
            ErrorCode::NotFound => StatusCode::NOT_FOUND,
            ErrorCode::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            ErrorCode::Malformed | ErrorCode::OutOfOrder => StatusCode::BAD_REQUEST,
            ErrorCode::Conflict => StatusCode::CONFLICT,
            ErrorCode::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            ErrorCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            ErrorCode::UnsupportedVersion => StatusCode::UPGRADE_REQUIRED,
            ErrorCode::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        response.insert_header((header::CACHE_CONTROL, "no-store"));
        if self.status_code() == StatusCode::UNAUTHORIZED {
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        match self {
            Self::Method { allow } => {
                if let Ok(allow) = HeaderValue::from_str(allow) {
                    response.insert_header((header::ALLOW, allow));
                }
            }
            Self::RateLimited { retry_after_s, .. } | Self::OverLimit(OverLimit { retry_after_s, .. }) => {
                response.insert_header((header::RETRY_AFTER, HeaderValue::from(*retry_after_s)));
            }
            _ if self.code() == ErrorCode::Unavailable => {
                response.insert_header((header::RETRY_AFTER, "2"));
            }
            _ => {}
        }
        response.json(ErrorBody {
            error: ErrorDetail {
                code: self.code(),
                message: self.message(),
                field: self.field().map(str::to_owned),
                trace: telemetry::current_trace(),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::body::to_bytes;

    #[actix_web::test]
    async fn the_body_names_code_message_and_field() {
        let response = ApiError::invalid("email", "this is not an e-mail address").error_response();
        assert_eq!(response.status(), 422);
        let body = to_bytes(response.into_body()).await.unwrap();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["error"]["code"], "invalid");
        assert_eq!(body["error"]["field"], "email");
        assert_eq!(body["error"]["message"], "this is not an e-mail address");
    }

    #[test]
    fn a_database_that_is_gone_is_503_and_tells_no_cause() {
        let gone = ApiError::from(sqlx::Error::PoolTimedOut);
        assert_eq!(gone.status_code(), 503);
        let refused = sqlx::Error::Io(std::io::Error::other("10.0.0.7:5432 refused"));
        let message = ApiError::from(refused).message();
        assert!(!message.contains("10.0.0.7"), "{message}");
        let odd = ApiError::from(sqlx::Error::RowNotFound);
        assert_eq!(odd.status_code(), 500);
        assert!(odd.is_fault() && !ApiError::NotFound.is_fault());
    }

    #[test]
    fn too_often_says_when_to_come_back() {
        let response = ApiError::RateLimited { what: "failed log-ins", retry_after_s: 30 }.error_response();
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers().get("retry-after").unwrap(), "30");
    }
}
