//! SQL of log-in and of the checks behind scopes.

use crate::auth::Sha256Hash;
use crate::db::TenantTx;
use onelap_protocol::{RigId, TeamId, TokenId, UserId};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

/// A refresh token as it is kept.
#[derive(Debug, Clone)]
pub(super) struct RefreshRow {
    pub(super) user: UserId,
    pub(super) family: Uuid,
    pub(super) expires_at: OffsetDateTime,
    pub(super) used_at: Option<OffsetDateTime>,
    pub(super) revoked_at: Option<OffsetDateTime>,
}

pub(super) async fn insert_refresh(
    connection: &mut PgConnection,
    hash: &Sha256Hash,
    user: UserId,
    family: Uuid,
    expires_at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into refresh_tokens (token_hash, user_id, family, expires_at) values ($1, $2, $3, $4)",
        hash.as_bytes(),
        user.0,
        family,
        expires_at
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Locks the token's family and reads the token: of two uses at once the second sees the first, and whoever ends a family
/// sees all of it. To be called in a transaction.
pub(super) async fn lock_refresh(
    connection: &mut PgConnection,
    hash: &Sha256Hash,
) -> Result<Option<RefreshRow>, sqlx::Error> {
    // Two statements: the second sees what was committed while the first waited.
    sqlx::query!(
        "select pg_advisory_xact_lock(hashtextextended(family::text, 0)) from refresh_tokens where token_hash = $1",
        hash.as_bytes()
    )
    .fetch_optional(&mut *connection)
    .await?;
    let row = sqlx::query!(
        "select user_id, family, expires_at, used_at, revoked_at from refresh_tokens where token_hash = $1",
        hash.as_bytes()
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| RefreshRow {
        user: UserId(row.user_id),
        family: row.family,
        expires_at: row.expires_at,
        used_at: row.used_at,
        revoked_at: row.revoked_at,
    }))
}

/// The first use counts: a use within the grace does not prolong it.
pub(super) async fn mark_used(connection: &mut PgConnection, hash: &Sha256Hash) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update refresh_tokens set used_at = now() where token_hash = $1 and used_at is null",
        hash.as_bytes()
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn revoke_family(connection: &mut PgConnection, family: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!("update refresh_tokens set revoked_at = now() where family = $1 and revoked_at is null", family)
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn forget_expired(connection: &mut PgConnection, user: UserId) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from refresh_tokens where user_id = $1 and expires_at < now()", user.0)
        .execute(connection)
        .await?;
    Ok(())
}

/// The role of a person in a team; run under `app.user`.
pub(super) async fn role(
    connection: &mut PgConnection,
    team: TeamId,
    user: UserId,
) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar!("select role from team_members where team_id = $1 and user_id = $2", team.0, user.0)
        .fetch_optional(connection)
        .await
}

/// A rig token as it is kept.
#[derive(Debug)]
pub(super) struct TokenRow {
    pub(super) team: TeamId,
    pub(super) rig: RigId,
    pub(super) token: TokenId,
    pub(super) secret_hash: Vec<u8>,
    pub(super) is_revoked: bool,
}

/// The row of a presented token; run under `app.rig_token`.
pub(super) async fn token(connection: &mut PgConnection, public_id: &str) -> Result<Option<TokenRow>, sqlx::Error> {
    let row = sqlx::query!(
        r#"select team_id, rig_id, id, secret_hash, revoked_at is not null as "is_revoked!"
           from rig_tokens where public_id = $1"#,
        public_id
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| TokenRow {
        team: TeamId(row.team_id),
        rig: RigId(row.rig_id),
        token: TokenId(row.id),
        secret_hash: row.secret_hash,
        is_revoked: row.is_revoked,
    }))
}

/// The names of a team and one of its rigs.
pub(super) async fn names(tx: &mut TenantTx, rig: RigId) -> Result<Option<(String, String)>, sqlx::Error> {
    let team = tx.team();
    let row = sqlx::query!(
        "select teams.name as team_name, rigs.name as rig_name
         from rigs join teams on teams.id = rigs.team_id where rigs.team_id = $1 and rigs.id = $2",
        team.0,
        rig.0
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.map(|row| (row.team_name, row.rig_name)))
}

/// Notes the use of a token, at most once a minute.
pub(super) async fn touch_token(tx: &mut TenantTx, token: TokenId) -> Result<(), sqlx::Error> {
    let team = tx.team();
    sqlx::query!(
        "update rig_tokens set last_used_at = now()
         where team_id = $1 and id = $2 and (last_used_at is null or last_used_at < now() - interval '1 minute')",
        team.0,
        token.0
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Whether a token is there and not revoked.
pub(super) async fn is_valid_token(tx: &mut TenantTx, token: TokenId) -> Result<bool, sqlx::Error> {
    let team = tx.team();
    sqlx::query_scalar!(
        r#"select exists (select from rig_tokens where team_id = $1 and id = $2 and revoked_at is null) as "valid!""#,
        team.0,
        token.0
    )
    .fetch_one(&mut **tx)
    .await
}
