//! Whether the process lives, and whether it can work.

use crate::app::State;
use crate::error::ApiError;
use actix_web::{HttpResponse, get, web};

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
