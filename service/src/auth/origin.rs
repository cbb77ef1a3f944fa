//! Whatever changes something, and every socket of a browser, needs the service's own `Origin`: cookies come along with
//! requests that other sites make, this header cannot be made up by them.

use crate::app::State;
use crate::config::Config;
use crate::error::ApiError;
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::middleware::Next;
use actix_web::{Error, HttpRequest, web};

/// Refuses a request whose `Origin` is missing or another site's.
///
/// # Errors
/// [`ApiError::Forbidden`].
pub fn check_origin(request: &HttpRequest, config: &Config) -> Result<(), ApiError> {
    match request.headers().get(header::ORIGIN) {
        None => Err(ApiError::Forbidden("the Origin header is missing: it must be this service's own address")),
        Some(origin) if origin.as_bytes().eq_ignore_ascii_case(config.http.public_origin.as_bytes()) => Ok(()),
        Some(_) => Err(ApiError::Forbidden("the Origin header names another site than this service's PUBLIC_URL")),
    }
}

/// Whether a browser cannot have been made to send this by another site: it carries a credential that browsers do not
/// add by themselves, or it is an agent's first word, which needs none.
fn is_no_browsers(request: &HttpRequest) -> bool {
    request.headers().contains_key(header::AUTHORIZATION)
        || matches!(request.path(), "/api/pair/device" | "/api/pair/token")
}

/// Middleware: the same for all requests but those that change nothing.
///
/// # Errors
/// Only what the services inside could not turn into an answer themselves.
pub async fn require_origin<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let checked = match request.app_data::<web::Data<State>>() {
        _ if request.method().is_safe() || is_no_browsers(request.request()) => Ok(()),
        Some(state) => check_origin(request.request(), &state.config),
        None => Err(ApiError::internal("the app has no State")),
    };
    match checked {
        Ok(()) => Ok(next.call(request).await?.map_into_left_body()),
        Err(error) => Ok(request.error_response(error).map_into_right_body()),
    }
}
