//! `/api/teams` and `/api/roles`.

use crate::accounts::{Name, NewName};
use crate::app::State;
use crate::audit::{self, Act, By, Subject};
use crate::auth::permissions::{Rule, TABLE};
use crate::auth::{Action, Recent, Role, TeamScope, Verified, client_key};
use crate::body::Body;
use crate::db::Tenant;
use crate::error::{ApiError, ErrorBody};
use crate::teams::{self, Member, Team, export, store};
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, delete, get, post, put, web};
use onelap_protocol::{TeamId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use time::OffsetDateTime;

/// A role, for people.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct RoleRow {
    role: Role,
    /// What it is.
    what: &'static str,
}

/// Who may do something.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ActionRow {
    action: Action,
    /// "to …".
    what: &'static str,
    /// The roles that may.
    roles: &'static [Role],
}

/// Who may do what in a team.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Roles {
    /// The mightiest first.
    roles: Vec<RoleRow>,
    /// What can be done.
    actions: Vec<ActionRow>,
}

/// Who may do what: the table that the service itself goes by.
#[utoipa::path(tag = "team", security(()), responses((status = 200, body = Roles)))]
#[get("/api/roles")]
pub(crate) async fn list_roles() -> web::Json<Roles> {
    let action = |rule: &Rule| ActionRow { action: rule.action, what: rule.what, roles: rule.roles };
    web::Json(Roles {
        roles: Role::ALL.into_iter().map(|role| RoleRow { role, what: role.what() }).collect(),
        actions: TABLE.iter().map(action).collect(),
    })
}

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
    request: HttpRequest,
    Verified(caller): Verified,
    state: web::Data<State>,
    body: Body<NewName>,
) -> Result<HttpResponse, ApiError> {
    let name = Name::parse("name", &body.0.name)?;
    // Nobody is a member of a team that does not exist yet: founding it is what makes the caller one.
    let mut tx = state.db.tenant(Tenant::verified(TeamId::new())).await?;
    let address = client_key(&request, &state.config.http);
    let team = teams::found(&mut tx, &name, caller.user, address).await?;
    tx.commit().await?;
    tracing::info!(user = %caller.user, team = %team.id, "founded a team");
    Ok(HttpResponse::Created().json(team))
}

/// A team and what the caller may do in it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct TeamDetail {
    #[serde(flatten)]
    team: Team,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    /// How many people there are in it.
    members: i64,
    /// What the caller may do.
    may: Vec<Action>,
}

/// The team.
#[utoipa::path(tag = "team", params(("team" = TeamId, Path)), responses((status = 200, body = TeamDetail)))]
#[get("/api/teams/{team}")]
pub(crate) async fn find_team(scope: TeamScope, state: web::Data<State>) -> Result<web::Json<TeamDetail>, ApiError> {
    let mut tx = state.db.tenant(scope.tenant).await?;
    let row = store::find(&mut tx).await?.ok_or(ApiError::NotFound)?;
    let members = store::size(&mut tx).await?;
    tx.commit().await?;
    let (id, role) = (scope.tenant.team(), scope.role);
    let may = TABLE.iter().map(|rule| rule.action).filter(|action| scope.may(*action)).collect();
    let team = Team { id, name: row.name, role, delete_after: row.delete_after, disabled: None };
    Ok(web::Json(TeamDetail { team, created_at: row.created_at, members, may }))
}

/// Give the team another name.
#[utoipa::path(
    tag = "team",
    params(("team" = TeamId, Path)),
    request_body = NewName,
    responses(
        (status = 204, description = "Renamed"),
        (status = 422, description = "The name is not allowed", body = ErrorBody),
    )
)]
#[put("/api/teams/{team}")]
pub(crate) async fn rename_team(
    scope: TeamScope,
    state: web::Data<State>,
    body: Body<NewName>,
) -> Result<HttpResponse, ApiError> {
    let name = Name::parse("name", &body.0.name)?;
    let mut tx = state.db.tenant(scope.tenant).await?;
    let before = store::find(&mut tx).await?.ok_or(ApiError::NotFound)?.name;
    store::rename(&mut tx, &name).await?;
    let detail = json!({ "from": before, "to": name.as_str() });
    audit::write(&mut tx, &By::member(&scope), Act::TeamRenamed, Subject::Team, detail).await?;
    tx.commit().await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Leave the team. Its last owner cannot.
#[utoipa::path(
    tag = "team",
    params(("team" = TeamId, Path)),
    responses(
        (status = 204, description = "Left"),
        (status = 409, description = "The team would have no owner", body = ErrorBody),
    )
)]
#[post("/api/teams/{team}/leave")]
pub(crate) async fn leave_team(scope: TeamScope, state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    let mut tx = state.db.tenant(scope.tenant).await?;
    teams::keep_an_owner(&mut tx, scope.user).await?;
    teams::leave(&mut tx, scope.user, scope.from.clone()).await?;
    tx.commit().await?;
    tracing::info!(user = %scope.user, team = %scope.tenant.team(), "left a team");
    Ok(HttpResponse::NoContent().finish())
}

/// When a team will be purged.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Deletion {
    #[serde(with = "time::serde::rfc3339")]
    delete_after: OffsetDateTime,
}

/// Delete the team, after a waiting period in which that can be taken back.
#[utoipa::path(
    tag = "team",
    params(("team" = TeamId, Path)),
    responses((status = 200, description = "It will be purged then, with everything of it", body = Deletion))
)]
#[post("/api/teams/{team}/deletion")]
pub(crate) async fn delete_team(
    scope: TeamScope,
    _recent: Recent,
    state: web::Data<State>,
) -> Result<web::Json<Deletion>, ApiError> {
    let at = OffsetDateTime::now_utc() + state.config.teams.deletion_wait;
    let mut tx = state.db.tenant(scope.tenant).await?;
    let delete_after = store::delete_after(&mut tx, at).await?.ok_or(ApiError::NotFound)?;
    audit::write(&mut tx, &By::member(&scope), Act::TeamDeletionAsked, Subject::Team, json!({})).await?;
    tx.commit().await?;
    tracing::info!(user = %scope.user, team = %scope.tenant.team(), "a team is to be deleted");
    Ok(web::Json(Deletion { delete_after }))
}

/// Keep the team after all.
#[utoipa::path(
    tag = "team",
    params(("team" = TeamId, Path)),
    responses((status = 204, description = "It stays"))
)]
#[delete("/api/teams/{team}/deletion")]
pub(crate) async fn keep_team(scope: TeamScope, state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    let mut tx = state.db.tenant(scope.tenant).await?;
    if store::keep(&mut tx).await? {
        audit::write(&mut tx, &By::member(&scope), Act::TeamDeletionCancelled, Subject::Team, json!({})).await?;
    }
    tx.commit().await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Whom the team goes to.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewOwner {
    /// A member.
    user: UserId,
}

/// Hand the team over: a member becomes its owner, the caller an engineer.
#[utoipa::path(
    tag = "team",
    params(("team" = TeamId, Path)),
    request_body = NewOwner,
    responses(
        (status = 204, description = "Handed over"),
        (status = 422, description = "That is the caller", body = ErrorBody),
    )
)]
#[post("/api/teams/{team}/owner")]
pub(crate) async fn hand_over(
    scope: TeamScope,
    _recent: Recent,
    state: web::Data<State>,
    body: Body<NewOwner>,
) -> Result<HttpResponse, ApiError> {
    let to = body.0.user;
    if to == scope.user {
        return Err(ApiError::invalid("user", "the team is yours already"));
    }
    let mut tx = state.db.tenant(scope.tenant).await?;
    store::lock(&mut tx).await?;
    if !store::set_role(&mut tx, to, Role::Owner).await? {
        return Err(ApiError::NotFound);
    }
    store::set_role(&mut tx, scope.user, Role::Engineer).await?;
    let ended = teams::end_what_they_gave(&mut tx, scope.user, Some(Role::Engineer)).await?;
    let detail = json!({ "ended": ended });
    audit::write(&mut tx, &By::member(&scope), Act::TeamHandedOver, Subject::Person(to.0), detail).await?;
    tx.commit().await?;
    tracing::info!(user = %scope.user, %to, team = %scope.tenant.team(), "handed a team over");
    Ok(HttpResponse::NoContent().finish())
}

/// Everything that the team has, one JSON object a line; without secrets.
#[utoipa::path(
    tag = "team",
    params(("team" = TeamId, Path)),
    responses(
        (status = 200, description = "`{\"table\", \"row\"}` a line; the last is `{\"table\": \"end\", \"rows\"}`", body = String,
         content_type = "application/x-ndjson"),
        (status = 429, description = "Enough other exports run", body = ErrorBody),
    )
)]
#[get("/api/teams/{team}/export")]
pub(crate) async fn export_team(
    scope: TeamScope,
    _recent: Recent,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let seat = state.limits.export()?;
    let mut tx = state.db.tenant(scope.tenant).await?;
    audit::write(&mut tx, &By::member(&scope), Act::TeamExported, Subject::Team, json!({})).await?;
    tx.commit().await?;
    let lines = export::lines(state.db.clone(), scope.tenant, seat);
    Ok(HttpResponse::Ok()
        .content_type("application/x-ndjson")
        .insert_header((header::CONTENT_DISPOSITION, "attachment; filename=\"team.ndjson\""))
        .streaming(lines))
}

/// Who is in the team.
#[utoipa::path(tag = "team", params(("team" = TeamId, Path)), responses((status = 200, body = Vec<Member>)))]
#[get("/api/teams/{team}/members")]
pub(crate) async fn list_members(
    scope: TeamScope,
    state: web::Data<State>,
) -> Result<web::Json<Vec<Member>>, ApiError> {
    let mut tx = state.db.tenant(scope.tenant).await?;
    let mut members = store::members(&mut tx).await?;
    tx.commit().await?;
    if !scope.may(Action::ManageMembers) {
        members.iter_mut().for_each(|member| member.email = None);
    }
    Ok(web::Json(members))
}

#[derive(Deserialize)]
pub(crate) struct MemberPath {
    user: UserId,
}

/// Another role.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRole {
    /// What the member becomes.
    role: Role,
}

/// Give a member another role.
#[utoipa::path(
    tag = "team",
    params(("team" = TeamId, Path), ("user" = UserId, Path)),
    request_body = NewRole,
    responses(
        (status = 204, description = "Changed"),
        (status = 409, description = "The team would have no owner", body = ErrorBody),
    )
)]
#[put("/api/teams/{team}/members/{user}")]
pub(crate) async fn change_role(
    scope: TeamScope,
    _recent: Recent,
    state: web::Data<State>,
    path: web::Path<MemberPath>,
    body: Body<NewRole>,
) -> Result<HttpResponse, ApiError> {
    let (user, role) = (path.user, body.0.role);
    let mut tx = state.db.tenant(scope.tenant).await?;
    let before = store::role(&mut tx, user).await?.ok_or(ApiError::NotFound)?;
    if role != Role::Owner {
        teams::keep_an_owner(&mut tx, user).await?;
    }
    store::set_role(&mut tx, user, role).await?;
    let ended = teams::end_what_they_gave(&mut tx, user, Some(role)).await?;
    let detail = json!({ "from": before, "to": role, "ended": ended });
    audit::write(&mut tx, &By::member(&scope), Act::RoleChanged, Subject::Person(user.0), detail).await?;
    tx.commit().await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Take a member out of the team. What they have open of it is closed within seconds.
#[utoipa::path(
    tag = "team",
    params(("team" = TeamId, Path), ("user" = UserId, Path)),
    responses(
        (status = 204, description = "Removed"),
        (status = 409, description = "The team would have no owner", body = ErrorBody),
    )
)]
#[delete("/api/teams/{team}/members/{user}")]
pub(crate) async fn remove_member(
    scope: TeamScope,
    state: web::Data<State>,
    path: web::Path<MemberPath>,
) -> Result<HttpResponse, ApiError> {
    let user = path.user;
    let mut tx = state.db.tenant(scope.tenant).await?;
    teams::keep_an_owner(&mut tx, user).await?;
    if !store::remove(&mut tx, user).await? {
        return Err(ApiError::NotFound);
    }
    let ended = teams::end_what_they_gave(&mut tx, user, None).await?;
    let detail = json!({ "ended": ended });
    audit::write(&mut tx, &By::member(&scope), Act::MemberRemoved, Subject::Person(user.0), detail).await?;
    tx.commit().await?;
    tracing::info!(by = %scope.user, %user, team = %scope.tenant.team(), "removed a member");
    Ok(HttpResponse::NoContent().finish())
}

/// Adds the routes.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(list_roles)
        .service(create_team)
        .service(find_team)
        .service(rename_team)
        .service(leave_team)
        .service(delete_team)
        .service(keep_team)
        .service(hand_over)
        .service(export_team)
        .service(list_members)
        .service(change_role)
        .service(remove_member);
}
