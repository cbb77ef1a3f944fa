//! Extractors of people: who has logged in, whether lately.

use crate::app::State;
use crate::error::ApiError;
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use onelap_protocol::UserId;
use std::future::{Ready, ready};

const NOT_LOGGED_IN: ApiError = ApiError::Unauthenticated("log in first");

/// A person who has logged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// Who.
    pub user: UserId,
}

pub(super) fn state(request: &HttpRequest) -> Result<&web::Data<State>, ApiError> {
    request.app_data::<web::Data<State>>().ok_or_else(|| ApiError::internal("the app has no State"))
}

pub(super) fn caller(request: &HttpRequest) -> Result<Caller, ApiError> {
    let auth = &state(request)?.auth;
    let token = auth.cookies.access(request).ok_or(NOT_LOGGED_IN)?;
    auth.access.check(&token).map(|user| Caller { user }).ok_or(NOT_LOGGED_IN)
}

impl FromRequest for Caller {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(caller(request))
    }
}

/// A person who has shown a password a moment ago. Here: whoever has logged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recent(pub Caller);

impl FromRequest for Recent {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(caller(request).map(Self))
    }
}
