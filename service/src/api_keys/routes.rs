//! `/api/teams/{team}/keys`.

use crate::accounts::Name;
use crate::api_keys::{KeyText, MAX_KEYS, Scope, store};
use crate::app::State;
use crate::audit::{self, Act, By, Subject};
use crate::auth::{Recent, TeamScope, Verified};
use crate::body::Body;
use crate::error::{ApiError, ErrorBody};
use actix_web::{HttpResponse, delete, get, post, web};
use onelap_protocol::{ApiKeyId, TeamId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use time::{Duration, OffsetDateTime};

const MAX_DAYS: u32 = 3650;

/// A key, without its secret.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ApiKeyRow {
    id: ApiKeyId,
    name: String,
    /// The part of the key that may be shown.
    public_id: String,
    #[schema(value_type = Vec<Scope>)]
    scopes: Vec<String>,
    /// Who made it; absent where the account is no more.
    made_by: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    expires_at: Option<OffsetDateTime>,
    /// To the minute.
    #[serde(with = "time::serde::rfc3339::option")]
    last_used_at: Option<OffsetDateTime>,
    last_used_from: Option<String>,
    #[serde(with = "time::serde::rfc3339::option")]
    revoked_at: Option<OffsetDateTime>,
}

/// A key to be made.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewApiKey {
    /// What it is for.
    name: String,
    /// What it may read.
    #[schema(min_items = 1)]
    scopes: Vec<Scope>,
    /// How long it is good, 1 to 3650 days; for ever where absent.
    #[schema(minimum = 1, maximum = 3650)]
    expires_in_days: Option<u32>,
}

/// A key that was just made.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct MadeApiKey {
    id: ApiKeyId,
    /// The key, shown this once.
    key: String,
}

/// The API keys, newest first.
#[utoipa::path(tag = "api key", params(("team" = TeamId, Path)), responses((status = 200, body = Vec<ApiKeyRow>)))]
#[get("/api/teams/{team}/keys")]
pub(crate) async fn list_keys(
    scope: TeamScope,
    state: web::Data<State>,
) -> Result<web::Json<Vec<ApiKeyRow>>, ApiError> {
    let mut tx = state.db.tenant(scope.tenant).await?;
    let rows = store::list(&mut tx).await?;
    tx.commit().await?;
    let show = |row: store::ListRow| ApiKeyRow {
        id: ApiKeyId(row.id),
        name: row.name,
        public_id: row.public_id,
        scopes: row.scopes,
        made_by: row.made_by,
        created_at: row.created_at,
        expires_at: row.expires_at,
        last_used_at: row.last_used_at,
        last_used_from: row.last_used_from,
        revoked_at: row.revoked_at,
    };
    Ok(web::Json(rows.into_iter().map(show).collect()))
}

/// Make an API key.
#[utoipa::path(
    tag = "api key",
    params(("team" = TeamId, Path)),
    request_body = NewApiKey,
    responses(
        (status = 201, description = "Made; the key is shown this once", body = MadeApiKey),
        (status = 409, description = "The team has too many", body = ErrorBody),
        (status = 422, description = "A value is not allowed", body = ErrorBody),
    )
)]
#[post("/api/teams/{team}/keys")]
pub(crate) async fn create_key(
    scope: TeamScope,
    _recent: Recent,
    _verified: Verified,
    state: web::Data<State>,
    body: Body<NewApiKey>,
) -> Result<HttpResponse, ApiError> {
    let Body(body) = body;
    let name = Name::parse("name", &body.name)?;
    if body.scopes.is_empty() {
        return Err(ApiError::invalid("scopes", "a key that may read nothing is of no use: name at least one scope"));
    }
    if body.expires_in_days.is_some_and(|days| !(1..=MAX_DAYS).contains(&days)) {
        return Err(ApiError::invalid("expires_in_days", format!("this is a number of days from 1 to {MAX_DAYS}")));
    }
    let scopes: Vec<Scope> = Scope::ALL.into_iter().filter(|scope| body.scopes.contains(scope)).collect();
    let expires_at = body.expires_in_days.map(|days| OffsetDateTime::now_utc() + Duration::days(i64::from(days)));
    let key = KeyText::random()?;
    let mut tx = state.db.tenant(scope.tenant).await?;
    if store::good(&mut tx).await? >= MAX_KEYS {
        return Err(ApiError::Conflict { field: "name", message: "the team has too many API keys: revoke some" });
    }
    let id = store::insert(&mut tx, name.as_str(), &key, &scopes, scope.user, expires_at).await?;
    let detail = json!({ "name": name.as_str(), "scopes": scopes, "public_id": key.public() });
    audit::write(&mut tx, &By::member(&scope), Act::ApiKeyMade, Subject::ApiKey(id.0), detail).await?;
    tx.commit().await?;
    tracing::info!(user = %scope.user, team = %scope.tenant.team(), key = key.public(), "made an API key");
    Ok(HttpResponse::Created().json(MadeApiKey { id, key: key.0 }))
}

#[derive(Deserialize)]
pub(crate) struct KeyPath {
    key: ApiKeyId,
}

/// Revoke an API key.
#[utoipa::path(
    tag = "api key",
    params(("team" = TeamId, Path), ("key" = ApiKeyId, Path)),
    responses((status = 204, description = "Revoked"))
)]
#[delete("/api/teams/{team}/keys/{key}")]
pub(crate) async fn revoke_key(
    scope: TeamScope,
    state: web::Data<State>,
    path: web::Path<KeyPath>,
) -> Result<HttpResponse, ApiError> {
    let id = path.key;
    let mut tx = state.db.tenant(scope.tenant).await?;
    if !store::revoke(&mut tx, id).await? {
        return Err(ApiError::NotFound);
    }
    audit::write(&mut tx, &By::member(&scope), Act::ApiKeyRevoked, Subject::ApiKey(id.0), json!({})).await?;
    tx.commit().await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Adds the routes.
pub fn routes(config: &mut web::ServiceConfig) {
    config.service(list_keys).service(create_key).service(revoke_key);
}
