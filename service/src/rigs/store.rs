//! SQL of rigs and their tokens.

use crate::accounts::Name;
use crate::auth::sha256;
use crate::db::TenantTx;
use crate::error::{ApiError, violated};
use onelap_protocol::{RigId, RigToken, TokenId, UserId};
use time::OffsetDateTime;

/// A rig as it is kept.
pub(super) struct RigRow {
    pub(super) id: RigId,
    pub(super) name: String,
    pub(super) created_at: OffsetDateTime,
}

/// A token as it is kept, without its hash.
pub(super) struct TokenRow {
    pub(super) id: TokenId,
    pub(super) rig: RigId,
    pub(super) public_id: String,
    pub(super) created_at: OffsetDateTime,
    pub(super) last_used_at: Option<OffsetDateTime>,
    pub(super) last_used_from: Option<String>,
    pub(super) expires_at: Option<OffsetDateTime>,
    pub(super) revoked_at: Option<OffsetDateTime>,
}

pub(super) async fn names(tx: &mut TenantTx) -> Result<Vec<(RigId, String)>, sqlx::Error> {
    let team = tx.team();
    let rows = sqlx::query!("select id, name from rigs where team_id = $1 order by lower(name)", team.0)
        .fetch_all(&mut **tx)
        .await?;
    Ok(rows.into_iter().map(|row| (RigId(row.id), row.name)).collect())
}

pub(super) async fn list(tx: &mut TenantTx) -> Result<Vec<RigRow>, sqlx::Error> {
    let team = tx.team();
    let rows = sqlx::query!("select id, name, created_at from rigs where team_id = $1 order by lower(name)", team.0)
        .fetch_all(&mut **tx)
        .await?;
    Ok(rows.into_iter().map(|row| RigRow { id: RigId(row.id), name: row.name, created_at: row.created_at }).collect())
}

/// The tokens of all rigs, newest first.
pub(super) async fn tokens(tx: &mut TenantTx) -> Result<Vec<TokenRow>, sqlx::Error> {
    let team = tx.team();
    let rows = sqlx::query!(
        "select id, rig_id, public_id, created_at, last_used_at, last_used_from, expires_at, revoked_at
         from rig_tokens where team_id = $1 order by created_at desc, id desc",
        team.0
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| TokenRow {
            id: TokenId(row.id),
            rig: RigId(row.rig_id),
            public_id: row.public_id,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
            last_used_from: row.last_used_from,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
        })
        .collect())
}

pub(super) async fn insert(tx: &mut TenantTx, rig: RigId, name: &Name) -> Result<OffsetDateTime, ApiError> {
    let team = tx.team();
    sqlx::query_scalar!(
        "insert into rigs (team_id, id, name) values ($1, $2, $3) returning created_at",
        team.0,
        rig.0,
        name.as_str()
    )
    .fetch_one(&mut **tx)
    .await
    .map_err(|error| match violated(&error) {
        Some("rigs_name") => ApiError::Conflict { field: "name", message: "the team has a rig of this name" },
        _ => error.into(),
    })
}

/// Adds a token; [`ApiError::NotFound`] where the team has no such rig.
pub(super) async fn insert_token(
    tx: &mut TenantTx,
    rig: RigId,
    token: &RigToken,
    by: UserId,
    expires_at: Option<OffsetDateTime>,
) -> Result<(TokenId, OffsetDateTime), ApiError> {
    let (team, id) = (tx.team(), TokenId::new());
    let hash = sha256(token.secret().as_bytes());
    let created_at = sqlx::query_scalar!(
        "insert into rig_tokens (team_id, id, rig_id, public_id, secret_hash, created_by, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7) returning created_at",
        team.0,
        id.0,
        rig.0,
        token.public(),
        hash.as_bytes(),
        by.0,
        expires_at
    )
    .fetch_one(&mut **tx)
    .await
    .map_err(|error| match violated(&error) {
        Some("rig_tokens_team_id_rig_id_fkey") => ApiError::NotFound,
        _ => error.into(),
    })?;
    Ok((id, created_at))
}

/// The names of the team and one of its rigs.
pub(super) async fn names_of(tx: &mut TenantTx, rig: RigId) -> Result<Option<(String, String)>, sqlx::Error> {
    let team = tx.team();
    let row = sqlx::query!(
        "select t.name as team, r.name as rig from rigs r join teams t on t.id = r.team_id
         where r.team_id = $1 and r.id = $2",
        team.0,
        rig.0
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.map(|row| (row.team, row.rig)))
}

/// Lets a good token of a rig end then, or when it would have anyway. Tells whether there is such a token.
pub(super) async fn end_at(
    tx: &mut TenantTx,
    rig: RigId,
    token: TokenId,
    at: OffsetDateTime,
) -> Result<bool, sqlx::Error> {
    let team = tx.team();
    let found = sqlx::query!(
        "update rig_tokens set expires_at = least(expires_at, $4)
         where team_id = $1 and rig_id = $2 and id = $3 and revoked_at is null
           and (expires_at is null or expires_at > now())",
        team.0,
        rig.0,
        token.0,
        at
    );
    Ok(found.execute(&mut **tx).await?.rows_affected() > 0)
}

/// Deletes a rig with its tokens. Tells its name, where there was such a rig.
pub(super) async fn delete(tx: &mut TenantTx, rig: RigId) -> Result<Option<String>, sqlx::Error> {
    let team = tx.team();
    sqlx::query_scalar!("delete from rigs where team_id = $1 and id = $2 returning name", team.0, rig.0)
        .fetch_optional(&mut **tx)
        .await
}

/// Revokes a token of a rig; revoking it again changes nothing. Tells whether there is such a token.
pub(super) async fn revoke(tx: &mut TenantTx, rig: RigId, token: TokenId) -> Result<bool, sqlx::Error> {
    let team = tx.team();
    let found = sqlx::query!(
        "update rig_tokens set revoked_at = coalesce(revoked_at, now())
         where team_id = $1 and rig_id = $2 and id = $3",
        team.0,
        rig.0,
        token.0
    )
    .execute(&mut **tx)
    .await?;
    Ok(found.rows_affected() > 0)
}
