//! Extractors of people: who has logged in, whether lately, whether with a confirmed address.

use crate::app::State;
use crate::auth::store;
use crate::error::ApiError;
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use onelap_protocol::UserId;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::future::{Future, Ready, ready};
use std::pin::Pin;
use uuid::Uuid;

/// How long after a password (and code) was shown dangerous things may be done without showing it again.
pub const RECENT_S: u64 = 10 * 60;

const NOT_LOGGED_IN: ApiError = ApiError::Unauthenticated("log in first");

/// One log-in of one browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
pub struct LoginId(pub Uuid);

impl fmt::Display for LoginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A person who has logged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// Who.
    pub user: UserId,
    /// In which log-in; sockets end with it.
    pub login: LoginId,
    /// When a password, and the second factor where there is one, was last shown, in seconds since 1970.
    pub authenticated_at_s: u64,
}

pub(super) fn state(request: &HttpRequest) -> Result<&web::Data<State>, ApiError> {
    request.app_data::<web::Data<State>>().ok_or_else(|| ApiError::internal("the app has no State"))
}

pub(super) fn caller(request: &HttpRequest) -> Result<Caller, ApiError> {
    let auth = &state(request)?.auth;
    let token = auth.cookies.access(request).ok_or(NOT_LOGGED_IN)?;
    let claims = auth.access.check(&token).ok_or(NOT_LOGGED_IN)?;
    if auth.revocations.is_ended(claims.login(), claims.issued_at_s()) {
        return Err(NOT_LOGGED_IN);
    }
    Ok(claims.caller())
}

impl FromRequest for Caller {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(caller(request))
    }
}

/// A person who has shown their password (and code) within the last ten minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recent(pub Caller);

impl Recent {
    /// Checks a caller.
    ///
    /// # Errors
    /// [`ApiError::ConfirmRequired`]: the page asks for the password, posts it to `/api/auth/confirm` and tries again.
    pub fn check(caller: Caller, now_s: u64) -> Result<Self, ApiError> {
        let is_recent = now_s.saturating_sub(caller.authenticated_at_s) <= RECENT_S;
        if is_recent { Ok(Self(caller)) } else { Err(ApiError::ConfirmRequired) }
    }
}

impl FromRequest for Recent {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(caller(request).and_then(|caller| Self::check(caller, jsonwebtoken::get_current_timestamp())))
    }
}

/// A person whose address is confirmed, where the service asks for that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified(pub Caller);

impl FromRequest for Verified {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let caller = caller(&request)?;
            require_verified(state(&request)?, caller.user).await?;
            Ok(Self(caller))
        })
    }
}

/// Checks that a person's address is confirmed, where the service asks for that: before teams, tokens and invitations.
///
/// # Errors
/// [`ApiError::EmailUnverified`].
pub async fn require_verified(state: &State, user: UserId) -> Result<(), ApiError> {
    if !state.config.mail.require_verified {
        return Ok(());
    }
    let is_verified = store::is_verified(&mut *state.db.web.acquire().await?, user).await?;
    if is_verified { Ok(()) } else { Err(ApiError::EmailUnverified) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_minutes_after_the_password_it_is_asked_for_again() {
        let caller = Caller { user: UserId::new(), login: LoginId(Uuid::now_v7()), authenticated_at_s: 1_000 };
        assert!(Recent::check(caller, 1_000 + RECENT_S).is_ok());
        assert!(matches!(Recent::check(caller, 1_001 + RECENT_S), Err(ApiError::ConfirmRequired)));
        assert!(Recent::check(caller, 990).is_ok(), "another instance's clock is a little behind");
    }
}
