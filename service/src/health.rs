//! Whether the process lives, and whether it can work; and that every request gets an answer.

use crate::app::State;
use crate::error::ApiError;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, get, web};
use std::time::Duration;

/// How long a request may take until the head of its answer. Longer than a statement may take: this is for a database
/// that takes a question and says nothing more.
const REQUEST_DEADLINE: Duration = Duration::from_secs(15);

/// Middleware: a request that gets no answer in time is told to come again.
///
/// # Errors
/// That, and what the services inside could not turn into an answer themselves.
pub async fn in_time<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let answer = tokio::time::timeout(REQUEST_DEADLINE, next.call(request)).await;
    answer.unwrap_or_else(|_| Err(ApiError::Busy("the service did not get an answer in time").into()))
}

/// The process answers.
#[utoipa::path(tag = "operation", security(()), responses((status = 200, description = "The process answers", body = String)))]
#[get("/healthz")]
pub(crate) async fn healthz() -> HttpResponse {
    plain("ok\n")
}

/// The database answers too.
#[utoipa::path(
    tag = "operation",
    security(()),
    responses(
        (status = 200, description = "Ready for requests", body = String),
        (status = 503, description = "The database does not answer", body = crate::error::ErrorBody),
    )
)]
#[get("/readyz")]
pub(crate) async fn readyz(state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    if state.hub.stopping.is_cancelled() {
        return Err(ApiError::Busy("the service is stopping"));
    }
    state.db.ping().await?;
    Ok(plain("ready\n"))
}

fn plain(text: &'static str) -> HttpResponse {
    HttpResponse::Ok().insert_header(("cache-control", "no-store")).content_type("text/plain; charset=utf-8").body(text)
}

/// Adds the two.
pub fn routes(config: &mut web::ServiceConfig) {
    config.service(healthz).service(readyz);
}
