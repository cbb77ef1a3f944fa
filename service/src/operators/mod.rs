//! What whoever runs the service may do with teams: see which there are and how much they have, switch one off and on.
//!
//! Invariants: a credential of its own, no person's; nothing that a team recorded is shown; whatever is done to a team or
//! asked about one leaves an entry in that team's audit log, in the same transaction.
//!
//! Not here: figures of the whole service (`metrics`).

pub(crate) mod routes;
mod store;

pub use routes::routes;

use crate::app::State;
use crate::audit::{self, Act, ActorKind, By, Subject};
use crate::auth::{client_key, sha256};
use crate::db::{Tenant, TenantTx};
use crate::error::ApiError;
use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, web};
use onelap_protocol::TeamId;
use serde_json::Value;
use std::future::Future;
use std::pin::Pin;

/// Whoever has shown the operator's token.
#[derive(Debug, Clone)]
pub struct Operator {
    /// The address that the request came from.
    from: String,
}

impl FromRequest for Operator {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { operator(&request).await })
    }
}

async fn operator(request: &HttpRequest) -> Result<Operator, ApiError> {
    const MISSING: ApiError = ApiError::Unauthenticated("send the operator's token as \"Authorization: Bearer …\"");
    const WRONG: ApiError = ApiError::Unauthenticated("this is not the operator's token");
    let state = request.app_data::<web::Data<State>>().ok_or_else(|| ApiError::internal("the app has no State"))?;
    // An installation without one has no such routes.
    let kept = state.config.teams.operator_token_sha256.ok_or(ApiError::NotFound)?;
    let from = client_key(request, &state.config.http);
    state.auth.limits.operators.take(&from).await?;
    let value = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).ok_or(MISSING)?;
    let (scheme, token) = value.trim().split_once(' ').ok_or(MISSING)?;
    let is_right = scheme.eq_ignore_ascii_case("bearer") && sha256(token.trim().as_bytes()).is(&kept);
    if is_right { Ok(Operator { from }) } else { Err(WRONG) }
}

/// The one door to a team for an operator: the entry in the team's audit log comes first.
async fn open(state: &State, by: &Operator, team: TeamId, act: Act, detail: Value) -> Result<TenantTx, ApiError> {
    let mut tx = state.db.all_teams().await?;
    let is_there = store::exists(&mut tx, team).await?;
    tx.commit().await?;
    if !is_there {
        return Err(ApiError::NotFound);
    }
    let mut tx = state.db.tenant(Tenant::verified(team)).await?;
    let by = By { kind: ActorKind::Operator, id: None, address: by.from.clone() };
    audit::write(&mut tx, &by, act, Subject::Team, detail).await?;
    Ok(tx)
}
