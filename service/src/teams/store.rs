//! SQL of teams and their members.

use crate::accounts::Name;
use crate::auth::Role;
use crate::db::TenantTx;
use crate::error::{ApiError, violated};
use crate::teams::{Member, Team};
use onelap_protocol::{TeamId, UserId};
use sqlx::PgConnection;
use time::OffsetDateTime;

pub(super) async fn insert(tx: &mut TenantTx, name: &Name, owner: UserId) -> Result<(), sqlx::Error> {
    let team = tx.team();
    sqlx::query!("insert into teams (id, name) values ($1, $2)", team.0, name.as_str()).execute(&mut **tx).await?;
    sqlx::query!("insert into team_members (team_id, user_id, role) values ($1, $2, 'owner')", team.0, owner.0)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The teams that a person is a member of, oldest first; run under `app.user`.
pub(crate) async fn of_person(connection: &mut PgConnection, user: UserId) -> Result<Vec<Team>, ApiError> {
    let rows = sqlx::query!(
        r#"select t.id, t.name, m.role, t.delete_after,
                  case when t.disabled_at is not null then coalesce(t.disabled_reason, '') end as disabled
           from team_members m join teams t on t.id = m.team_id
           where m.user_id = $1 order by t.created_at, t.id"#,
        user.0
    )
    .fetch_all(connection)
    .await?;
    let team = |row: (uuid::Uuid, String, String, Option<OffsetDateTime>, Option<String>)| {
        let (id, name, role, delete_after, disabled) = row;
        Ok(Team { id: TeamId(id), name, role: Role::parse(&role)?, delete_after, disabled })
    };
    rows.into_iter().map(|row| team((row.id, row.name, row.role, row.delete_after, row.disabled))).collect()
}

/// What a team is besides its members.
pub(super) struct TeamRow {
    pub(super) name: String,
    pub(super) created_at: OffsetDateTime,
    pub(super) delete_after: Option<OffsetDateTime>,
}

pub(super) async fn find(tx: &mut TenantTx) -> Result<Option<TeamRow>, sqlx::Error> {
    let team = tx.team();
    sqlx::query_as!(TeamRow, "select name, created_at, delete_after from teams where id = $1", team.0)
        .fetch_optional(&mut **tx)
        .await
}

pub(super) async fn rename(tx: &mut TenantTx, name: &Name) -> Result<(), sqlx::Error> {
    let team = tx.team();
    sqlx::query!("update teams set name = $2 where id = $1", team.0, name.as_str()).execute(&mut **tx).await?;
    Ok(())
}

/// Notes that the team is to be purged; asked again, the first moment stands.
pub(super) async fn delete_after(tx: &mut TenantTx, at: OffsetDateTime) -> Result<Option<OffsetDateTime>, sqlx::Error> {
    let team = tx.team();
    let row = sqlx::query_scalar!(
        "update teams set delete_after = coalesce(delete_after, $2) where id = $1 returning delete_after",
        team.0,
        at
    );
    row.fetch_optional(&mut **tx).await.map(Option::flatten)
}

/// Takes that back. Tells whether it was asked for.
pub(super) async fn keep(tx: &mut TenantTx) -> Result<bool, sqlx::Error> {
    let team = tx.team();
    let row = sqlx::query!("update teams set delete_after = null where id = $1 and delete_after is not null", team.0);
    Ok(row.execute(&mut **tx).await?.rows_affected() > 0)
}

/// Changes of the same team's memberships wait for each other.
pub(super) async fn lock(tx: &mut TenantTx) -> Result<(), sqlx::Error> {
    let team = tx.team();
    sqlx::query!("select id from teams where id = $1 for update", team.0).fetch_optional(&mut **tx).await?;
    Ok(())
}

pub(super) async fn members(tx: &mut TenantTx) -> Result<Vec<Member>, ApiError> {
    let team = tx.team();
    let rows = sqlx::query!(
        "select m.user_id, u.name, u.email, m.role, m.joined_at
         from team_members m join users u on u.id = m.user_id where m.team_id = $1 order by m.joined_at, m.user_id",
        team.0
    )
    .fetch_all(&mut **tx)
    .await?;
    let member = |user, name, email, role: String, joined_at| {
        Ok(Member { user: UserId(user), name, email: Some(email), role: Role::parse(&role)?, joined_at })
    };
    rows.into_iter().map(|row| member(row.user_id, row.name, row.email, row.role, row.joined_at)).collect()
}

/// How many people there are in the team.
pub(super) async fn size(tx: &mut TenantTx) -> Result<i64, sqlx::Error> {
    let team = tx.team();
    sqlx::query_scalar!(r#"select count(*) as "count!" from team_members where team_id = $1"#, team.0)
        .fetch_one(&mut **tx)
        .await
}

pub(super) async fn role(tx: &mut TenantTx, user: UserId) -> Result<Option<Role>, ApiError> {
    let team = tx.team();
    let role = sqlx::query_scalar!("select role from team_members where team_id = $1 and user_id = $2", team.0, user.0)
        .fetch_optional(&mut **tx)
        .await?;
    role.map(|role| Role::parse(&role)).transpose()
}

pub(super) async fn other_owners(tx: &mut TenantTx, user: UserId) -> Result<i64, sqlx::Error> {
    let team = tx.team();
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from team_members where team_id = $1 and user_id <> $2 and role = 'owner'"#,
        team.0,
        user.0
    )
    .fetch_one(&mut **tx)
    .await
}

/// Gives a member a role. Tells whether there is such a member.
pub(super) async fn set_role(tx: &mut TenantTx, user: UserId, role: Role) -> Result<bool, sqlx::Error> {
    let team = tx.team();
    let changed = sqlx::query!(
        "update team_members set role = $3 where team_id = $1 and user_id = $2",
        team.0,
        user.0,
        role.word()
    );
    Ok(changed.execute(&mut **tx).await?.rows_affected() > 0)
}

/// Takes somebody out of the team. Tells whether they were in it.
pub(super) async fn remove(tx: &mut TenantTx, user: UserId) -> Result<bool, sqlx::Error> {
    let team = tx.team();
    let removed = sqlx::query!("delete from team_members where team_id = $1 and user_id = $2", team.0, user.0);
    Ok(removed.execute(&mut **tx).await?.rows_affected() > 0)
}

/// Takes somebody into the team.
///
/// # Errors
/// [`ApiError::Conflict`] where they are in it.
pub(crate) async fn join(tx: &mut TenantTx, user: UserId, role: Role) -> Result<(), ApiError> {
    let team = tx.team();
    sqlx::query!("insert into team_members (team_id, user_id, role) values ($1, $2, $3)", team.0, user.0, role.word())
        .execute(&mut **tx)
        .await
        .map_err(|error| match violated(&error) {
            Some("team_members_pkey") => {
                ApiError::Conflict { field: "secret", message: "you are in this team already" }
            }
            _ => error.into(),
        })?;
    Ok(())
}

/// Teams whose time has come; run under `app.all_teams`.
pub(super) async fn due(connection: &mut PgConnection) -> Result<Vec<TeamId>, sqlx::Error> {
    let due = sqlx::query_scalar!("select id from teams where delete_after < now() order by delete_after limit 100");
    Ok(due.fetch_all(connection).await?.into_iter().map(TeamId).collect())
}

/// Whether this transaction alone is purging the team, whose time has still come. Locks it.
pub(super) async fn lock_due(tx: &mut TenantTx) -> Result<bool, sqlx::Error> {
    let team = tx.team();
    let row =
        sqlx::query!("select id from teams where id = $1 and delete_after < now() for update skip locked", team.0);
    Ok(row.fetch_optional(&mut **tx).await?.is_some())
}

/// Deletes some of the team's sessions with everything in them. Tells how many.
pub(super) async fn purge_sessions(tx: &mut TenantTx, most: i64) -> Result<u64, sqlx::Error> {
    let team = tx.team();
    let some = sqlx::query!(
        "delete from sessions where team_id = $1 and id in (select id from sessions where team_id = $1 limit $2)",
        team.0,
        most
    );
    Ok(some.execute(&mut **tx).await?.rows_affected())
}

/// Deletes the team with everything that is left of it.
pub(super) async fn purge(tx: &mut TenantTx) -> Result<(), sqlx::Error> {
    let team = tx.team();
    sqlx::query!("delete from teams where id = $1", team.0).execute(&mut **tx).await?;
    Ok(())
}
