//! `/api/teams`.

use crate::accounts::{Name, NewName};
use crate::app::State;
use crate::auth::Verified;
use crate::body::Body;
use crate::db::Tenant;
use crate::error::{ApiError, ErrorBody};
use crate::teams::{self, Team};
use actix_web::{HttpResponse, post, web};
use onelap_protocol::TeamId;

/// Another team.
#[utoipa::path(
    tag = "team",
    request_body = NewName,
    responses(
        (status = 201, description = "Made; the caller owns it", body = Team),
        (status = 403, description = "The address has to be confirmed first", body = ErrorBody),
        (status = 422, description = "The name is not allowed", body = ErrorBody),
    )
)]
#[post("/api/teams")]
pub(crate) async fn create_team(
    Verified(caller): Verified,
    state: web::Data<State>,
    body: Body<NewName>,
) -> Result<HttpResponse, ApiError> {
    let name = Name::parse("name", &body.0.name)?;
    // Nobody is a member of a team that does not exist yet: founding it is what makes the caller one.
    let mut tx = state.db.tenant(Tenant::verified(TeamId::new())).await?;
    let team = teams::found(&mut tx, &name, caller.user).await?;
    tx.commit().await?;
    tracing::info!(user = %caller.user, team = %team.id, "founded a team");
    Ok(HttpResponse::Created().json(team))
}

/// Adds the routes.
pub fn routes(config: &mut web::ServiceConfig) {
    config.service(create_team);
}
