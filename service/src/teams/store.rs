//! SQL of teams.

use crate::accounts::Name;
use crate::auth::Role;
use crate::db::TenantTx;
use crate::error::ApiError;
use crate::teams::Team;
use onelap_protocol::{TeamId, UserId};
use sqlx::PgConnection;

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
        "select teams.id, teams.name, team_members.role
         from team_members join teams on teams.id = team_members.team_id
         where team_members.user_id = $1 order by teams.created_at, teams.id",
        user.0
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(|row| Ok(Team { id: TeamId(row.id), name: row.name, role: Role::parse(&row.role)? })).collect()
}
