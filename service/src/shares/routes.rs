//! `/api/teams/{team}/shares` and `/api/shares/*`.

use crate::accounts::{Email, Name};
use crate::app::State;
use crate::audit::{self, Act, By, Subject};
use crate::auth::{LinkKind, LinkSecret, Password, Recent, TeamScope, client_key};
use crate::body::Body;
use crate::db::Tenant;
use crate::error::{ApiError, ErrorBody};
use crate::shares::{
    self, EXPIRED, MAX_DELAY_S, MAX_OPEN, MAX_VISITS, NOT_OPEN, PAGE, REVOKED, Share, ShareKind, Shown, UNKNOWN, store,
};
use actix_web::cookie::{Cookie, SameSite};
use actix_web::{HttpRequest, HttpResponse, delete, get, post, web};
use onelap_protocol::{RigId, SessionId, ShareId, TeamId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use time::{Duration, OffsetDateTime};

const DEFAULT_HOURS: u32 = 24;
const MAX_HOURS: u32 = 365 * 24;

/// Name of the cookie. Behind https it carries the prefix that browsers enforce.
pub(super) fn cookie_name(is_https: bool) -> &'static str {
    if is_https { "__Host-onelap_share" } else { "onelap_share" }
}

fn cookie(is_https: bool, value: String, life: Duration) -> Cookie<'static> {
    Cookie::build(cookie_name(is_https), value)
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(is_https)
        .max_age(life)
        .finish()
}

/// A share in the list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ShareRow {
    id: ShareId,
    name: String,
    #[schema(value_type = ShareKind)]
    kind: String,
    session: Option<SessionId>,
    rig: Option<RigId>,
    shows_history: bool,
    shows_setup: bool,
    delay_s: u32,
    has_password: bool,
    /// Who made it; absent where the account is no more.
    made_by: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    revoked_at: Option<OffsetDateTime>,
    /// Browsers that opened it, at most 5000.
    opened: i64,
    /// When the last of them did.
    #[serde(with = "time::serde::rfc3339::option")]
    last_opened_at: Option<OffsetDateTime>,
    /// Those that look at it live now, to half a minute.
    watching: i64,
}

/// What to share.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewShare {
    /// What its page is called.
    name: String,
    /// What it shows.
    kind: ShareKind,
    /// The session, for one.
    session: Option<SessionId>,
    /// The rig, for one.
    rig: Option<RigId>,
    /// Recorded laps and traces, too; not where absent.
    #[serde(default)]
    shows_history: bool,
    /// Setups, too; not where absent.
    #[serde(default)]
    shows_setup: bool,
    /// How far everything is held back, at most 600 seconds; not at all where absent.
    #[serde(default)]
    #[schema(maximum = 600)]
    delay_s: u32,
    /// How long it is open, 1 to 8760 hours; a day where absent.
    #[schema(minimum = 1, maximum = 8760)]
    expires_in_h: Option<u32>,
    /// Asked for besides the link.
    password: Option<String>,
}

impl NewShare {
    fn shown(&self) -> Result<Shown, ApiError> {
        match (self.kind, self.session, self.rig) {
            (ShareKind::Session, Some(session), None) => Ok(Shown::Session(session)),
            (ShareKind::Rig, None, Some(rig)) => Ok(Shown::Rig(rig)),
            (ShareKind::Team, None, None) => Ok(Shown::Team),
            (kind, _, _) => Err(ApiError::invalid("kind", format!("{} needs its own id, and no other's", kind.word()))),
        }
    }

    fn life(&self) -> Result<Duration, ApiError> {
        let hours = self.expires_in_h.unwrap_or(DEFAULT_HOURS);
        if !(1..=MAX_HOURS).contains(&hours) {
            return Err(ApiError::invalid("expires_in_h", format!("this is a number of hours from 1 to {MAX_HOURS}")));
        }
        if self.delay_s > MAX_DELAY_S {
            return Err(ApiError::invalid("delay_s", format!("this is at most {MAX_DELAY_S} seconds")));
        }
        Ok(Duration::hours(i64::from(hours)))
    }
}

/// A share that was just made.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct MadeShare {
    id: ShareId,
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
    /// The link, shown this once.
    link: String,
}

/// The share links, newest first.
#[utoipa::path(tag = "share", params(("team" = TeamId, Path)), responses((status = 200, body = Vec<ShareRow>)))]
#[get("/api/teams/{team}/shares")]
pub(crate) async fn list_shares(
    scope: TeamScope,
    state: web::Data<State>,
) -> Result<web::Json<Vec<ShareRow>>, ApiError> {
    let mut tx = state.db.tenant(scope.tenant).await?;
    let rows = store::list(&mut tx).await?;
    tx.commit().await?;
    let show = |row: store::ListRow| ShareRow {
        id: ShareId(row.id),
        name: row.name,
        kind: row.kind,
        session: row.session_id.map(SessionId),
        rig: row.rig_id.map(RigId),
        shows_history: row.shows_history,
        shows_setup: row.shows_setup,
        delay_s: row.delay_s.unsigned_abs(),
        has_password: row.has_password,
        made_by: row.made_by,
        created_at: row.created_at,
        expires_at: row.expires_at,
        revoked_at: row.revoked_at,
        opened: row.opened,
        last_opened_at: row.last_opened_at,
        watching: row.watching,
    };
    Ok(web::Json(rows.into_iter().map(show).collect()))
}

/// The rule for passwords of links is that of accounts; the address that they must not be is nobody's.
async fn hash(state: &State, password: &str) -> Result<String, ApiError> {
    let nobody = Email::parse("nobody@share.invalid")?;
    state.auth.passwords.hash(Password::parse(password, &nobody)?).await
}

/// Make a share link.
#[utoipa::path(
    tag = "share",
    params(("team" = TeamId, Path)),
    request_body = NewShare,
    responses(
        (status = 201, description = "Made; the link is shown this once", body = MadeShare),
        (status = 409, description = "Too many are open", body = ErrorBody),
        (status = 422, description = "A value is not allowed", body = ErrorBody),
    )
)]
#[post("/api/teams/{team}/shares")]
pub(crate) async fn create_share(
    scope: TeamScope,
    _recent: Recent,
    state: web::Data<State>,
    body: Body<NewShare>,
) -> Result<HttpResponse, ApiError> {
    let Body(body) = body;
    let (name, shown, life) = (Name::parse("name", &body.name)?, body.shown()?, body.life()?);
    let password_hash = match &body.password {
        Some(password) => Some(hash(&state, password).await?),
        None => None,
    };
    let (secret, expires_at) = (LinkSecret::random(LinkKind::Share)?, OffsetDateTime::now_utc() + life);
    let mut tx = state.db.tenant(scope.tenant).await?;
    if store::open(&mut tx).await? >= MAX_OPEN {
        let message = "the team has too many open share links: revoke some";
        return Err(ApiError::Conflict { field: "kind", message });
    }
    let new = store::NewRow {
        secret: &secret,
        name: name.as_str(),
        shown,
        shows_history: body.shows_history,
        shows_setup: body.shows_setup,
        delay_s: body.delay_s,
        password_hash: password_hash.as_deref(),
        by: scope.user,
        expires_at,
    };
    let id = store::insert(&mut tx, &new).await?;
    let detail = json!({
        "name": name.as_str(), "kind": body.kind, "session": body.session, "rig": body.rig, "delay_s": body.delay_s,
        "shows_history": body.shows_history, "shows_setup": body.shows_setup, "has_password": password_hash.is_some(),
    });
    audit::write(&mut tx, &By::member(&scope), Act::ShareMade, Subject::Share(id.0), detail).await?;
    tx.commit().await?;
    tracing::info!(user = %scope.user, team = %scope.tenant.team(), share = %id, "made a share link");
    let link = format!("{}{PAGE}#{}", state.config.http.public_origin, secret.reveal());
    Ok(HttpResponse::Created().json(MadeShare { id, expires_at, link }))
}

#[derive(Deserialize)]
pub(crate) struct SharePath {
    share: ShareId,
}

/// Revoke a share link; whoever looks at it sees nothing more within seconds.
#[utoipa::path(
    tag = "share",
    params(("team" = TeamId, Path), ("share" = ShareId, Path)),
    responses((status = 204, description = "Revoked"))
)]
#[delete("/api/teams/{team}/shares/{share}")]
pub(crate) async fn revoke_share(
    scope: TeamScope,
    state: web::Data<State>,
    path: web::Path<SharePath>,
) -> Result<HttpResponse, ApiError> {
    let id = path.share;
    let mut tx = state.db.tenant(scope.tenant).await?;
    if !store::revoke(&mut tx, id).await? {
        return Err(ApiError::NotFound);
    }
    audit::write(&mut tx, &By::member(&scope), Act::ShareRevoked, Subject::Share(id.0), json!({})).await?;
    tx.commit().await?;
    Ok(HttpResponse::NoContent().finish())
}

/// What opens a share.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShareSecret {
    /// What stands behind the `#`.
    secret: String,
    /// Where one is asked for.
    password: Option<String>,
}

/// A share as who has opened it sees it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct SharedView {
    /// The team, for the addresses of the API and the messages of the socket.
    team: TeamId,
    team_name: String,
    /// What the team calls what is shown.
    name: String,
    kind: ShareKind,
    session: Option<SessionId>,
    rig: Option<RigId>,
    shows_history: bool,
    shows_setup: bool,
    /// Everything is held back so long; the first of it comes only then.
    delay_s: u32,
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
}

impl SharedView {
    fn of(share: Share) -> Self {
        let (kind, session, rig) = share.kind();
        Self {
            team: share.team,
            team_name: share.team_name,
            name: share.name,
            kind,
            session,
            rig,
            shows_history: share.shows_history,
            shows_setup: share.shows_setup,
            delay_s: share.delay_s,
            expires_at: share.expires_at,
        }
    }
}

/// Open a share link: sets a cookie that is good for it and nothing else.
#[utoipa::path(
    tag = "share",
    security(()),
    request_body = ShareSecret,
    responses(
        (status = 200, description = "The cookie is set", body = SharedView),
        (status = 404, description = "There is no such link, or it has ended", body = ErrorBody),
        (status = 422, description = "The link is misspelt, or the password is missing or wrong", body = ErrorBody),
        (status = 429, description = "Too many tries", body = ErrorBody),
    )
)]
#[post("/api/shares/open")]
pub(crate) async fn open_share(
    request: HttpRequest,
    state: web::Data<State>,
    body: Body<ShareSecret>,
) -> Result<HttpResponse, ApiError> {
    let Body(body) = body;
    state.auth.limits.links.take(&client_key(&request, &state.config.http)).await?;
    let secret = LinkSecret::parse(LinkKind::Share, &body.secret)
        .ok_or_else(|| ApiError::invalid("secret", "this is not a whole share link: copy it again, to its end"))?;
    let mut tx = state.db.presented_secret(&secret.hash()).await?;
    let found = store::presented(&mut tx, &secret.hash()).await?.ok_or(UNKNOWN)?;
    tx.commit().await?;
    // Whoever has the link may know what became of it.
    match (found.is_revoked, found.is_expired) {
        (true, _) => return Err(REVOKED),
        (false, true) => return Err(EXPIRED),
        (false, false) => {}
    }
    if found.password_hash.is_some() {
        let given = body.password.ok_or_else(|| ApiError::invalid("password", "this link needs a password"))?;
        state.auth.limits.share_passwords.take(&found.id.to_string()).await?;
        if !state.auth.passwords.is_right(given, found.password_hash).await? {
            return Err(ApiError::invalid("password", "this is not the link's password"));
        }
        state.auth.limits.share_passwords.give_back(&found.id.to_string()).await;
    }
    let visit = LinkSecret::random(LinkKind::Visit)?;
    // The secret (and the password) is what opens the team, as far as the share goes.
    let mut tx = state.db.tenant(Tenant::verified(found.team)).await?;
    let id = store::insert_visit(&mut tx, found.id, &visit, MAX_VISITS).await?;
    let share = store::open_share(&mut tx, found.id, id).await?.ok_or(UNKNOWN)?;
    tx.commit().await?;
    let life = share.expires_at - OffsetDateTime::now_utc();
    let cookie = cookie(state.config.http.is_https(), visit.reveal().to_owned(), life);
    Ok(HttpResponse::Ok().cookie(cookie).json(SharedView::of(share)))
}

/// The share that this browser has opened.
#[utoipa::path(
    tag = "share",
    security(("share" = [])),
    responses(
        (status = 200, body = SharedView),
        (status = 401, description = "It has opened none, or it has ended", body = ErrorBody),
    )
)]
#[get("/api/shares/current")]
pub(crate) async fn current_share(
    request: HttpRequest,
    state: web::Data<State>,
) -> Result<web::Json<SharedView>, ApiError> {
    let share = shares::of_request(&state, &request).await?.ok_or(NOT_OPEN)?;
    Ok(web::Json(SharedView::of(share)))
}

/// Forget the share that this browser has opened.
#[utoipa::path(tag = "share", security(()), responses((status = 204, description = "The cookie is cleared")))]
#[post("/api/shares/close")]
pub(crate) async fn close_share(state: web::Data<State>) -> HttpResponse {
    let cookie = cookie(state.config.http.is_https(), String::new(), Duration::ZERO);
    HttpResponse::NoContent().cookie(cookie).finish()
}

/// Adds the routes.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(list_shares)
        .service(create_share)
        .service(revoke_share)
        .service(open_share)
        .service(current_share)
        .service(close_share);
}
