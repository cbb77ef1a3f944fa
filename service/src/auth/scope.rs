//! Extractors: what a handler may touch, checked before it runs.

use crate::auth::caller::{Caller, caller, state};
use crate::auth::{sha256, store};
use crate::db::{Db, Tenant};
use crate::error::ApiError;
use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest};
use onelap_protocol::{RigId, RigToken, TeamId, TokenError, TokenId, UserId};
use serde::{Deserialize, Serialize};
use std::future::Future;
use std::pin::Pin;

const NO_TOKEN: ApiError =
    ApiError::Unauthenticated("the rig token is missing: send it as \"Authorization: Bearer 1lap_rig_…\"");
const NO_SUCH_SHAPE: ApiError = ApiError::Unauthenticated(
    "this is not a whole rig token: one begins with 1lap_rig_ and has 68 characters; copy it again",
);
const UNKNOWN_TOKEN: ApiError =
    ApiError::Unauthenticated("this rig token is not known here: copy it again from the team's rigs page");

/// What a member may do in a team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything.
    Owner,
    /// Everything but members.
    Member,
}

impl Role {
    /// As the database keeps it.
    pub(crate) fn parse(text: &str) -> Result<Self, ApiError> {
        match text {
            "owner" => Ok(Self::Owner),
            "member" => Ok(Self::Member),
            other => Err(ApiError::internal(format!("role \"{other}\" is not known"))),
        }
    }
}

/// A person and a team that they are a member of; from the path's `{team}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TeamScope {
    /// Opens the team's rows.
    pub tenant: Tenant,
    /// Who.
    pub user: UserId,
    /// As what.
    pub role: Role,
}

/// Checks that a person is a member of a team.
///
/// # Errors
/// [`ApiError::NotFound`] where they are not, or where there is no such team.
pub async fn team_scope(db: &Db, user: UserId, team: TeamId) -> Result<TeamScope, ApiError> {
    let mut tx = db.person(user).await?;
    let role = store::role(&mut tx, team, user).await?;
    tx.commit().await?;
    let role = Role::parse(&role.ok_or(ApiError::NotFound)?)?;
    Ok(TeamScope { tenant: Tenant::verified(team), user, role })
}

impl FromRequest for TeamScope {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let Caller { user, .. } = caller(&request)?;
            let team = request.match_info().get("team").and_then(|text| text.parse().ok()).ok_or(ApiError::NotFound)?;
            team_scope(&state(&request)?.db, user, team).await
        })
    }
}

/// A rig, by its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RigScope {
    /// Opens the team's rows.
    pub tenant: Tenant,
    /// The team's name.
    pub team_name: String,
    /// The rig.
    pub rig: RigId,
    /// Its name.
    pub rig_name: String,
    /// The token that was shown.
    pub token: TokenId,
}

/// Checks a rig token.
///
/// # Errors
/// What is wrong with the token: misspelt, not known, revoked.
pub async fn rig_scope(db: &Db, token: &str) -> Result<RigScope, ApiError> {
    let token = RigToken::parse(token).map_err(|error| match error {
        TokenError::Mistyped => ApiError::TokenMistyped,
        TokenError::Shape => NO_SUCH_SHAPE,
    })?;
    let mut tx = db.presented(token.public()).await?;
    let row = store::token(&mut tx, token.public()).await?;
    tx.commit().await?;
    let row = row.filter(|row| sha256(token.secret().as_bytes()).is(&row.secret_hash)).ok_or(UNKNOWN_TOKEN)?;
    if row.is_revoked {
        return Err(ApiError::TokenRevoked);
    }
    let tenant = Tenant::verified(row.team);
    let mut tx = db.tenant(tenant).await?;
    store::touch_token(&mut tx, row.token).await?;
    let names = store::names(&mut tx, row.rig).await?;
    tx.commit().await?;
    let (team_name, rig_name) = names.ok_or(UNKNOWN_TOKEN)?;
    Ok(RigScope { tenant, team_name, rig: row.rig, rig_name, token: row.token })
}

/// Checks that the token of a scope has not been revoked since.
///
/// # Errors
/// [`ApiError::TokenRevoked`].
pub async fn still_valid(db: &Db, scope: &RigScope) -> Result<(), ApiError> {
    let mut tx = db.tenant(scope.tenant).await?;
    let is_valid = store::is_valid_token(&mut tx, scope.token).await?;
    tx.commit().await?;
    if is_valid { Ok(()) } else { Err(ApiError::TokenRevoked) }
}

fn bearer(request: &HttpRequest) -> Option<&str> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

impl FromRequest for RigScope {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { rig_scope(&state(&request)?.db, bearer(&request).ok_or(NO_TOKEN)?).await })
    }
}
