//! SQL of API keys.

use crate::api_keys::{KeyText, Scope};
use crate::auth::sha256;
use crate::db::TenantTx;
use onelap_protocol::{ApiKeyId, TeamId, UserId};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

pub(super) async fn insert(
    tx: &mut TenantTx,
    name: &str,
    key: &KeyText,
    scopes: &[Scope],
    by: UserId,
    expires_at: Option<OffsetDateTime>,
) -> Result<ApiKeyId, sqlx::Error> {
    let (team, id) = (tx.team(), ApiKeyId::new());
    let hash = sha256(key.secret().as_bytes());
    let scopes: Vec<String> = scopes.iter().map(|scope| scope.word().to_owned()).collect();
    sqlx::query!(
        "insert into api_keys (team_id, id, name, public_id, secret_hash, scopes, created_by, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        team.0,
        id.0,
        name,
        key.public(),
        hash.as_bytes(),
        &scopes,
        by.0,
        expires_at
    )
    .execute(&mut **tx)
    .await?;
    Ok(id)
}

/// How many are good.
pub(super) async fn good(tx: &mut TenantTx) -> Result<i64, sqlx::Error> {
    let team = tx.team();
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from api_keys
           where team_id = $1 and revoked_at is null and (expires_at is null or expires_at > now())"#,
        team.0
    )
    .fetch_one(&mut **tx)
    .await
}

/// A key in the list.
pub(super) struct ListRow {
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) public_id: String,
    pub(super) scopes: Vec<String>,
    pub(super) made_by: Option<String>,
    pub(super) created_at: OffsetDateTime,
    pub(super) expires_at: Option<OffsetDateTime>,
    pub(super) last_used_at: Option<OffsetDateTime>,
    pub(super) last_used_from: Option<String>,
    pub(super) revoked_at: Option<OffsetDateTime>,
}

/// The latest, newest first.
pub(super) async fn list(tx: &mut TenantTx) -> Result<Vec<ListRow>, sqlx::Error> {
    let team = tx.team();
    sqlx::query_as!(
        ListRow,
        r#"select k.id, k.name, k.public_id, k.scopes, u.name as "made_by?", k.created_at, k.expires_at, k.last_used_at,
                  k.last_used_from, k.revoked_at
           from api_keys k left join users u on u.id = k.created_by
           where k.team_id = $1 order by k.created_at desc, k.id desc limit 500"#,
        team.0
    )
    .fetch_all(&mut **tx)
    .await
}

/// Revokes one; revoking it again changes nothing. Tells whether there is such a key.
pub(super) async fn revoke(tx: &mut TenantTx, id: ApiKeyId) -> Result<bool, sqlx::Error> {
    let team = tx.team();
    let found = sqlx::query!(
        "update api_keys set revoked_at = coalesce(revoked_at, now()) where team_id = $1 and id = $2",
        team.0,
        id.0
    );
    Ok(found.execute(&mut **tx).await?.rows_affected() > 0)
}

/// Revokes those that a person has made. Tells how many.
pub(crate) async fn revoke_of(tx: &mut TenantTx, user: UserId) -> Result<u64, sqlx::Error> {
    let team = tx.team();
    let revoked = sqlx::query!(
        "update api_keys set revoked_at = now() where team_id = $1 and created_by = $2 and revoked_at is null",
        team.0,
        user.0
    );
    Ok(revoked.execute(&mut **tx).await?.rows_affected())
}

/// The row of a presented key.
pub(super) struct Presented {
    pub(super) team: TeamId,
    pub(super) id: ApiKeyId,
    pub(super) secret_hash: Vec<u8>,
}

/// Finds it; run under `app.api_key`.
pub(super) async fn presented(
    connection: &mut PgConnection,
    public_id: &str,
) -> Result<Option<Presented>, sqlx::Error> {
    let row = sqlx::query!("select team_id, id, secret_hash from api_keys where public_id = $1", public_id)
        .fetch_optional(connection)
        .await?;
    Ok(row.map(|row| Presented { team: TeamId(row.team_id), id: ApiKeyId(row.id), secret_hash: row.secret_hash }))
}

/// What a good key may read.
pub(super) struct GoodRow {
    pub(super) scopes: Vec<String>,
    pub(super) disabled: Option<String>,
}

/// A key, if it is good.
pub(super) async fn find(tx: &mut TenantTx, id: ApiKeyId) -> Result<Option<GoodRow>, sqlx::Error> {
    let team = tx.team();
    sqlx::query_as!(
        GoodRow,
        "select k.scopes, case when t.disabled_at is not null then coalesce(t.disabled_reason, '') end as disabled
         from api_keys k join teams t on t.id = k.team_id
         where k.team_id = $1 and k.id = $2 and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())",
        team.0,
        id.0
    )
    .fetch_optional(&mut **tx)
    .await
}

/// Notes the use of a key, at most once a minute.
pub(super) async fn touch(tx: &mut TenantTx, id: ApiKeyId, from: &str) -> Result<(), sqlx::Error> {
    let team = tx.team();
    sqlx::query!(
        "update api_keys set last_used_at = now(), last_used_from = $3
         where team_id = $1 and id = $2 and (last_used_at is null or last_used_at < now() - interval '1 minute')",
        team.0,
        id.0,
        from
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
