//! What pages have to know of this installation before anybody has logged in.

use crate::app::State;
use crate::mail::Delivery;
use actix_web::{get, web};
use serde::Serialize;

/// This installation.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct About {
    /// Version of the service.
    version: &'static str,
    /// Where letters go; `log`: their links are in the service's log, and whoever runs it passes them on.
    mail: Delivery,
    /// Whether a sign-up waits for its link, and an account for its address, before teams, tokens and invitations.
    verified_email: bool,
    /// People come over TLS. Where not, this is a private network, and pages say that whoever listens there reads along.
    https: bool,
}

/// What kind of installation this is.
#[utoipa::path(tag = "operation", security(()), responses((status = 200, body = About)))]
#[get("/api/about")]
pub(crate) async fn about(state: web::Data<State>) -> web::Json<About> {
    web::Json(About {
        version: env!("CARGO_PKG_VERSION"),
        mail: state.mail.delivery,
        verified_email: state.config.mail.require_verified,
        https: state.config.http.is_https(),
    })
}

/// Adds the route.
pub fn routes(config: &mut web::ServiceConfig) {
    config.service(about);
}
