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

/// A membership as it is kept.
pub(super) struct MemberRow {
    pub(super) role: String,
    /// Why the team is disabled, where it is.
    pub(super) is_disabled: Option<String>,
}

/// A person's membership of a team; run under `app.user`.
pub(super) async fn membership(
    connection: &mut PgConnection,
    team: TeamId,
    user: UserId,
) -> Result<Option<MemberRow>, sqlx::Error> {
    sqlx::query_as!(
        MemberRow,
        r#"select m.role, case when t.disabled_at is not null then coalesce(t.disabled_reason, '') end as is_disabled
           from team_members m join teams t on t.id = m.team_id where m.team_id = $1 and m.user_id = $2"#,
        team.0,
        user.0
    )
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
    pub(super) is_expired: bool,
}

/// The row of a presented token; run under `app.rig_token`.
pub(super) async fn token(connection: &mut PgConnection, public_id: &str) -> Result<Option<TokenRow>, sqlx::Error> {
    let row = sqlx::query!(
        r#"select team_id, rig_id, id, secret_hash, revoked_at is not null as "is_revoked!",
                  coalesce(expires_at <= now(), false) as "is_expired!"
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
        is_expired: row.is_expired,
    }))
}

/// A team and one of its rigs, as their agent is told.
pub(super) struct Names {
    pub(super) team: String,
    pub(super) rig: String,
    /// Why the team is disabled, where it is.
    pub(super) is_disabled: Option<String>,
}

/// The names of a team and one of its rigs.
pub(super) async fn names(tx: &mut TenantTx, rig: RigId) -> Result<Option<Names>, sqlx::Error> {
    let team = tx.team();
    sqlx::query_as!(
        Names,
        r#"select t.name as team, r.name as rig,
                  case when t.disabled_at is not null then coalesce(t.disabled_reason, '') end as is_disabled
           from rigs r join teams t on t.id = r.team_id where r.team_id = $1 and r.id = $2"#,
        team.0,
        rig.0
    )
    .fetch_optional(&mut **tx)
    .await
}

/// Notes the use of a token, at most once a minute.
pub(super) async fn touch_token(tx: &mut TenantTx, token: TokenId, from: &str) -> Result<(), sqlx::Error> {
    let team = tx.team();
    sqlx::query!(
        "update rig_tokens set last_used_at = now(), last_used_from = $3
         where team_id = $1 and id = $2 and (last_used_at is null or last_used_at < now() - interval '1 minute')",
        team.0,
        token.0,
        from
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Whether a token is there and good, and its team not disabled.
pub(super) async fn is_valid_token(tx: &mut TenantTx, token: TokenId) -> Result<bool, sqlx::Error> {
    let team = tx.team();
    sqlx::query_scalar!(
        r#"select exists (
               select from rig_tokens k join teams t on t.id = k.team_id
               where k.team_id = $1 and k.id = $2 and k.revoked_at is null and t.disabled_at is null
                 and (k.expires_at is null or k.expires_at > now())
           ) as "valid!""#,
        team.0,
        token.0
    )
    .fetch_one(&mut **tx)
    .await
}

/// Which of these tokens are good.
pub(super) async fn valid_tokens(tx: &mut TenantTx, tokens: &[TokenId]) -> Result<Vec<TokenId>, sqlx::Error> {
    let (team, ids) = (tx.team(), tokens.iter().map(|token| token.0).collect::<Vec<_>>());
    let good = sqlx::query_scalar!(
        "select k.id from rig_tokens k join teams t on t.id = k.team_id
         where k.team_id = $1 and k.id = any($2) and k.revoked_at is null and t.disabled_at is null
           and (k.expires_at is null or k.expires_at > now())",
        team.0,
        &ids
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(good.into_iter().map(TokenId).collect())
}

/// What changed in the last minute: longer than any transaction takes to be seen.
pub(super) async fn authority_changes(connection: &mut PgConnection) -> Result<Vec<(i64, TeamId)>, sqlx::Error> {
    let recent =
        sqlx::query!("select id, team from authority_changes where at > now() - interval '1 minute' order by id");
    Ok(recent.fetch_all(connection).await?.into_iter().map(|row| (row.id, TeamId(row.team))).collect())
}

pub(super) async fn forget_authority_changes(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from authority_changes where at < now() - interval '1 hour'").execute(connection).await?;
    Ok(())
}
