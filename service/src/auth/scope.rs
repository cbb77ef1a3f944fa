//! Extractors: what a handler may touch, checked before it runs.

use crate::api_keys::{self, ApiKey};
use crate::app::State;
use crate::auth::caller::{Caller, LoginId, caller, state};
use crate::auth::permissions::{self, Access, Action, Role};
use crate::auth::{client_key, sha256, store};
use crate::db::{self, Db, Tenant, within};
use crate::error::ApiError;
use crate::shares::{self, Share};
use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest};
use onelap_protocol::{ErrorCode, RigId, RigToken, TeamId, TokenError, TokenId, UserId};
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

/// How long Postgres may take to check a token.
const CHECK_DEADLINE: Duration = Duration::from_secs(3);

const NO_TOKEN: ApiError =
    ApiError::Unauthenticated("the rig token is missing: send it as \"Authorization: Bearer 1lap_rig_…\"");
const NO_SUCH_SHAPE: ApiError = ApiError::Unauthenticated(
    "this is not a whole rig token: one begins with 1lap_rig_ and has 68 characters; copy it again",
);
const UNKNOWN_TOKEN: ApiError =
    ApiError::Unauthenticated("this rig token is not known here: copy it again from the team's rigs page");
const EXPIRED_TOKEN: ApiError =
    ApiError::Unauthenticated("this rig token has expired: make a new one on the team's rigs page");

/// That a person is a member of a team, and as what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Membership {
    /// Opens the team's rows.
    pub tenant: Tenant,
    /// Who.
    pub user: UserId,
    /// As what.
    pub role: Role,
}

/// Checks that a person is a member of a team that is not switched off.
///
/// # Errors
/// [`ApiError::NotFound`] where they are not, or where there is no such team; [`ApiError::NotAllowed`] where an operator
/// has disabled it.
pub async fn membership(db: &Db, user: UserId, team: TeamId) -> Result<Membership, ApiError> {
    if let Some(tenant) = db::unchecked(team) {
        return Ok(Membership { tenant, user, role: Role::Owner });
    }
    let mut tx = db.person(user).await?;
    let row = store::membership(&mut tx, team, user).await?;
    tx.commit().await?;
    let row = row.ok_or(ApiError::NotFound)?;
    let membership = Membership { tenant: Tenant::verified(team), user, role: Role::parse(&row.role)? };
    row.is_disabled.map_or(Ok(membership), |reason| Err(disabled(&reason)))
}

/// What everybody of a disabled team is told.
pub(crate) fn disabled(reason: &str) -> ApiError {
    ApiError::NotAllowed(format!("this team was disabled by the operator of this service: {reason}"))
}

/// A member of the path's `{team}` who may do what the route is for (see [`permissions`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamScope {
    /// Opens the team's rows.
    pub tenant: Tenant,
    /// Who.
    pub user: UserId,
    /// As what.
    pub role: Role,
    /// The address that the request came from.
    pub from: String,
}

impl TeamScope {
    /// Whether the member may also do something else.
    #[must_use]
    pub fn may(&self, action: Action) -> bool {
        action.check(self.role).is_ok()
    }
}

/// The rule of the route that was matched.
fn rule(request: &HttpRequest) -> Result<Access, ApiError> {
    let route = request.match_pattern().unwrap_or_default();
    permissions::access(request.method().as_str(), &route)
        .ok_or_else(|| ApiError::internal(format!("{} {route} has no line in permissions::ROUTES", request.method())))
}

fn path_team(request: &HttpRequest) -> Result<TeamId, ApiError> {
    request.match_info().get("team").and_then(|text| text.parse().ok()).ok_or(ApiError::NotFound)
}

impl FromRequest for TeamScope {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let Access::Member(action) = rule(&request)? else {
                return Err(ApiError::internal("a handler for members on a route that is not for members alone"));
            };
            let Caller { user, .. } = caller(&request)?;
            let state = state(&request)?;
            let Membership { tenant, user, role } = membership(&state.db, user, path_team(&request)?).await?;
            action.check(role)?;
            Ok(Self { tenant, user, role, from: client_key(&request, &state.config.http) })
        })
    }
}

/// Who looks at something that is not for members alone.
#[derive(Debug, Clone)]
pub enum Reader {
    /// A member.
    Member(Role),
    /// Somebody with a share link.
    Share(Box<Share>),
    /// A tool of the team's.
    Key(Box<ApiKey>),
}

impl Reader {
    /// Checks that an action is covered.
    ///
    /// # Errors
    /// [`ApiError::NotAllowed`] says what is needed; a share link is told that there is nothing.
    pub fn check(&self, action: Action) -> Result<(), ApiError> {
        match self {
            Self::Member(role) => action.check(*role),
            Self::Share(share) if share.allows(action) => Ok(()),
            Self::Share(_) => Err(ApiError::NotFound),
            Self::Key(key) => key.check(action),
        }
    }

    /// Whether an action is covered.
    #[must_use]
    pub fn may(&self, action: Action) -> bool {
        self.check(action).is_ok()
    }

    /// The share link, where it is one: it does not show everything that the team has.
    #[must_use]
    pub fn share(&self) -> Option<&Share> {
        match self {
            Self::Share(share) => Some(share),
            Self::Member(_) | Self::Key(_) => None,
        }
    }
}

/// Somebody who may read what the route is for in the path's `{team}`: a member, a share link's holder, an API key.
#[derive(Debug, Clone)]
pub struct ReadScope {
    /// Opens the team's rows.
    pub tenant: Tenant,
    /// Who.
    pub reader: Reader,
}

/// Whose credentials came along, for something that is not for members alone.
#[derive(Debug, Clone)]
pub enum Credential {
    /// A person who has logged in.
    Person(Caller),
    /// A share link.
    Share(Box<Share>),
    /// An API key.
    Key(Box<ApiKey>),
}

impl Credential {
    /// Checks that a team is open to them, as of now.
    ///
    /// # Errors
    /// [`ApiError::NotFound`] where it is not; what is wrong with a credential that was good before.
    pub async fn read(&self, db: &Db, team: TeamId) -> Result<ReadScope, ApiError> {
        match self {
            Self::Person(caller) => {
                let Membership { tenant, role, .. } = membership(db, caller.user, team).await?;
                Ok(ReadScope { tenant, reader: Reader::Member(role) })
            }
            Self::Share(share) if share.team == team => {
                let share = shares::again(db, share).await?;
                Ok(ReadScope { tenant: Tenant::verified(team), reader: Reader::Share(Box::new(share)) })
            }
            Self::Key(key) if key.team == team => {
                let key = api_keys::again(db, key).await?;
                Ok(ReadScope { tenant: Tenant::verified(team), reader: Reader::Key(Box::new(key)) })
            }
            Self::Share(_) | Self::Key(_) => Err(ApiError::NotFound),
        }
    }

    /// The share link, where it is one.
    #[must_use]
    pub fn share(&self) -> Option<&Share> {
        match self {
            Self::Share(share) => Some(share),
            Self::Person(_) | Self::Key(_) => None,
        }
    }

    /// The log-in, where it is a person's.
    #[must_use]
    pub fn login(&self) -> Option<LoginId> {
        match self {
            Self::Person(caller) => Some(caller.login),
            Self::Share(_) | Self::Key(_) => None,
        }
    }
}

/// A person who looks at a link wants to see what it shows, not what they may see themselves: its page says so.
fn wants_share(request: &HttpRequest) -> bool {
    request.query_string().split('&').any(|pair| pair == "as=share")
}

/// What came along: an API key before the log-in before a share link.
async fn credential(request: &HttpRequest) -> Result<Credential, ApiError> {
    let state = state(request)?;
    if wants_share(request) {
        let share = shares::of_request(state, request).await?.ok_or(shares::NOT_OPEN)?;
        return Ok(Credential::Share(Box::new(share)));
    }
    if let Some(key) = bearer(request) {
        let from = client_key(request, &state.config.http);
        return Ok(Credential::Key(Box::new(api_keys::present(state, key, &from).await?)));
    }
    match caller(request) {
        Ok(caller) => Ok(Credential::Person(caller)),
        Err(nobody) => {
            let share = shares::of_request(state, request).await?;
            share.map(|share| Credential::Share(Box::new(share))).ok_or(nobody)
        }
    }
}

impl FromRequest for Credential {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { credential(&request).await })
    }
}

impl FromRequest for ReadScope {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let Access::Reader(action) = rule(&request)? else {
                return Err(ApiError::internal("a handler for readers on a route that is not for readers"));
            };
            let (state, who) = (state(&request)?, credential(&request).await?);
            let team = path_team(&request)?;
            let scope = match who.read(&state.db, team).await {
                // A member of another team may hold a link as well.
                Err(ApiError::NotFound) if matches!(who, Credential::Person(_)) => {
                    let share = shares::of_request(state, &request).await?.ok_or(ApiError::NotFound)?;
                    Credential::Share(Box::new(share)).read(&state.db, team).await?
                }
                other => other?,
            };
            scope.reader.check(action)?;
            Ok(scope)
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
async fn rig_scope(state: &State, token: &str, from: &str) -> Result<RigScope, ApiError> {
    let token = RigToken::parse(token).map_err(|error| match error {
        TokenError::Mistyped => ApiError::TokenMistyped,
        TokenError::Shape => NO_SUCH_SHAPE,
    })?;
    let remembered = &state.auth.remembered;
    match within(CHECK_DEADLINE, checked_scope(&state.db, &token, from)).await {
        Ok(scope) => {
            remembered.remember(&token, &scope);
            Ok(scope)
        }
        Err(error) if error.code() == ErrorCode::Unavailable => remembered.recall(&token).ok_or(error),
        Err(error) => Err(error),
    }
}

async fn checked_scope(db: &Db, token: &RigToken, from: &str) -> Result<RigScope, ApiError> {
    let mut tx = db.presented(token.public()).await?;
    let row = store::token(&mut tx, token.public()).await?;
    tx.commit().await?;
    let row = row.filter(|row| sha256(token.secret().as_bytes()).is(&row.secret_hash)).ok_or(UNKNOWN_TOKEN)?;
    if row.is_revoked {
        return Err(ApiError::TokenRevoked);
    }
    if row.is_expired {
        return Err(EXPIRED_TOKEN);
    }
    let tenant = Tenant::verified(row.team);
    let mut tx = db.tenant(tenant).await?;
    store::touch_token(&mut tx, row.token, from).await?;
    let names = store::names(&mut tx, row.rig).await?;
    tx.commit().await?;
    let names = names.ok_or(UNKNOWN_TOKEN)?;
    if let Some(reason) = names.is_disabled {
        return Err(disabled(&reason));
    }
    Ok(RigScope {
        tenant,
        team_name: names.team,
        rig: row.rig,
        rig_name: names.rig,
        token: row.token,
        is_remembered: false,
    })
}

/// Checks that the token of a scope is still good.
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
        Box::pin(async move {
            let state = state(&request)?;
            let from = client_key(&request, &state.config.http);
            rig_scope(state, bearer(&request).ok_or(NO_TOKEN)?, &from).await
        })
    }
}
