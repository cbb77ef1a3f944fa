//! Extractors: what a handler may touch, checked before it runs.

use crate::app::State;
use crate::auth::{sha256, store};
use crate::db::{Db, Tenant, within};
use crate::error::ApiError;
use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, web};
use onelap_protocol::{ErrorCode, RigId, RigToken, TeamId, TokenError, TokenId, UserId};
use serde::{Deserialize, Serialize};
use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::time::Duration;

/// How long Postgres may take to check a token.
const CHECK_DEADLINE: Duration = Duration::from_secs(3);

const NOT_LOGGED_IN: ApiError = ApiError::Unauthenticated("log in first");
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

/// A person who has logged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// Who.
    pub user: UserId,
}

fn state(request: &HttpRequest) -> Result<&web::Data<State>, ApiError> {
    request.app_data::<web::Data<State>>().ok_or_else(|| ApiError::internal("the app has no State"))
}

fn caller(request: &HttpRequest) -> Result<Caller, ApiError> {
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
            let Caller { user } = caller(&request)?;
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
    /// Postgres did not answer, and the token was good a while ago.
    pub is_remembered: bool,
}

/// Checks a rig token: against Postgres, or against memory where that does not answer.
async fn rig_scope(state: &State, token: &str) -> Result<RigScope, ApiError> {
    let token = RigToken::parse(token).map_err(|error| match error {
        TokenError::Mistyped => ApiError::TokenMistyped,
        TokenError::Shape => NO_SUCH_SHAPE,
    })?;
    let remembered = &state.auth.remembered;
    match within(CHECK_DEADLINE, checked_scope(&state.db, &token)).await {
        Ok(scope) => {
            remembered.remember(&token, &scope);
            Ok(scope)
        }
        Err(error) if error.code() == ErrorCode::Unavailable => remembered.recall(&token).ok_or(error),
        Err(error) => Err(error),
    }
}

async fn checked_scope(db: &Db, token: &RigToken) -> Result<RigScope, ApiError> {
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
    Ok(RigScope { tenant, team_name, rig: row.rig, rig_name, token: row.token, is_remembered: false })
}

/// Checks that the token of a scope has not been revoked since.
///
/// # Errors
/// [`ApiError::TokenRevoked`].
pub async fn still_valid(db: &Db, scope: &RigScope) -> Result<(), ApiError> {
    let is_valid = async {
        let mut tx = db.tenant(scope.tenant).await?;
        let is_valid = store::is_valid_token(&mut tx, scope.token).await?;
        tx.commit().await.map(|()| is_valid)
    };
    if within(CHECK_DEADLINE, is_valid).await? { Ok(()) } else { Err(ApiError::TokenRevoked) }
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
        Box::pin(async move { rig_scope(state(&request)?, bearer(&request).ok_or(NO_TOKEN)?).await })
    }
}
