//! SQL of operators.

use crate::db::TenantTx;
use onelap_protocol::TeamId;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

/// A team, and nothing of it.
pub(super) struct TeamRow {
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) created_at: OffsetDateTime,
    pub(super) delete_after: Option<OffsetDateTime>,
    pub(super) disabled_at: Option<OffsetDateTime>,
    pub(super) disabled_reason: Option<String>,
}

/// Teams after one, in the order of their ids; run under `app.all_teams`.
pub(super) async fn list(
    connection: &mut PgConnection,
    after: Option<TeamId>,
    limit: i64,
) -> Result<Vec<TeamRow>, sqlx::Error> {
    sqlx::query_as!(
        TeamRow,
        "select id, name, created_at, delete_after, disabled_at, disabled_reason from teams
         where $1::uuid is null or id > $1 order by id limit $2",
        after.map(|team| team.0),
        limit
    )
    .fetch_all(connection)
    .await
}

/// Run under `app.all_teams`.
pub(super) async fn exists(connection: &mut PgConnection, team: TeamId) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(r#"select exists (select from teams where id = $1) as "there!""#, team.0)
        .fetch_one(connection)
        .await
}

/// How much a team has.
pub(super) struct Counts {
    pub(super) members: i64,
    pub(super) rigs: i64,
    pub(super) sessions: i64,
    pub(super) laps: i64,
    pub(super) sample_bytes: i64,
}

pub(super) async fn counts(tx: &mut TenantTx) -> Result<Counts, sqlx::Error> {
    let team = tx.team();
    sqlx::query_as!(
        Counts,
        r#"select (select count(*) from team_members where team_id = $1) as "members!",
                  (select count(*) from rigs where team_id = $1) as "rigs!",
                  (select count(*) from sessions where team_id = $1) as "sessions!",
                  (select count(*) from laps where team_id = $1) as "laps!",
                  (select coalesce(sum(octet_length(data)), 0)::bigint from chunks where team_id = $1) as "sample_bytes!""#,
        team.0
    )
    .fetch_one(&mut **tx)
    .await
}

pub(super) async fn disable(tx: &mut TenantTx, reason: &str) -> Result<(), sqlx::Error> {
    let team = tx.team();
    let disable = sqlx::query!(
        "update teams set disabled_at = coalesce(disabled_at, now()), disabled_reason = $2 where id = $1",
        team.0,
        reason
    );
    disable.execute(&mut **tx).await.map(drop)
}

pub(super) async fn enable(tx: &mut TenantTx) -> Result<(), sqlx::Error> {
    let team = tx.team();
    let enable = sqlx::query!("update teams set disabled_at = null, disabled_reason = null where id = $1", team.0);
    enable.execute(&mut **tx).await.map(drop)
}
