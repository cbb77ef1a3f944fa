//! SQL of share links.

use crate::auth::{LinkSecret, Sha256Hash};
use crate::db::TenantTx;
use crate::error::{ApiError, violated};
use crate::shares::{Share, Shown};
use onelap_protocol::{RigId, SessionId, ShareId, TeamId, UserId};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

/// A share to be made.
pub(super) struct NewRow<'a> {
    pub(super) secret: &'a LinkSecret,
    pub(super) name: &'a str,
    pub(super) shown: Shown,
    pub(super) shows_history: bool,
    pub(super) shows_setup: bool,
    pub(super) delay_s: u32,
    pub(super) password_hash: Option<&'a str>,
    pub(super) by: UserId,
    pub(super) expires_at: OffsetDateTime,
}

/// Adds one; [`ApiError::NotFound`] where the team has no such session or rig.
pub(super) async fn insert(tx: &mut TenantTx, new: &NewRow<'_>) -> Result<ShareId, ApiError> {
    let (team, id, hash) = (tx.team(), ShareId::new(), new.secret.hash());
    let (kind, session, rig) = match new.shown {
        Shown::Session(session) => ("session", Some(session.0), None),
        Shown::Rig(rig) => ("rig", None, Some(rig.0)),
        Shown::Team => ("team", None, None),
    };
    sqlx::query!(
        "insert into shares (team_id, id, secret_hash, name, kind, session_id, rig_id, shows_history, shows_setup,
                             delay_s, password_hash, created_by, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        team.0,
        id.0,
        hash.as_bytes(),
        new.name,
        kind,
        session,
        rig,
        new.shows_history,
        new.shows_setup,
        new.delay_s as i32,
        new.password_hash,
        new.by.0,
        new.expires_at
    )
    .execute(&mut **tx)
    .await
    .map_err(|error| match violated(&error) {
        Some("shares_team_id_session_id_fkey" | "shares_team_id_rig_id_fkey") => ApiError::NotFound,
        _ => error.into(),
    })?;
    Ok(id)
}

/// How many are open.
pub(super) async fn open(tx: &mut TenantTx) -> Result<i64, sqlx::Error> {
    let team = tx.team();
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from shares where team_id = $1 and revoked_at is null and expires_at > now()"#,
        team.0
    )
    .fetch_one(&mut **tx)
    .await
}

/// A share in the list.
pub(super) struct ListRow {
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) session_id: Option<Uuid>,
    pub(super) rig_id: Option<Uuid>,
    pub(super) shows_history: bool,
    pub(super) shows_setup: bool,
    pub(super) delay_s: i32,
    pub(super) has_password: bool,
    pub(super) made_by: Option<String>,
    pub(super) created_at: OffsetDateTime,
    pub(super) expires_at: OffsetDateTime,
    pub(super) revoked_at: Option<OffsetDateTime>,
    pub(super) opened: i64,
    pub(super) last_opened_at: Option<OffsetDateTime>,
    pub(super) watching: i64,
}

/// The latest, newest first.
pub(super) async fn list(tx: &mut TenantTx) -> Result<Vec<ListRow>, sqlx::Error> {
    let team = tx.team();
    sqlx::query_as!(
        ListRow,
        r#"select s.id, s.name, s.kind, s.session_id, s.rig_id, s.shows_history, s.shows_setup, s.delay_s,
                  s.password_hash is not null as "has_password!", u.name as "made_by?", s.created_at, s.expires_at,
                  s.revoked_at, v.opened as "opened!", v.last_opened_at, v.watching as "watching!"
           from shares s
           left join users u on u.id = s.created_by
           cross join lateral (
               select count(*) as opened, max(opened_at) as last_opened_at,
                      count(*) filter (where watched_at > now() - interval '75 seconds') as watching
               from share_visits v where v.team_id = s.team_id and v.share_id = s.id
           ) v
           where s.team_id = $1 order by s.created_at desc, s.id desc limit 500"#,
        team.0
    )
    .fetch_all(&mut **tx)
    .await
}

/// Revokes one; revoking it again changes nothing. Tells whether there is such a share.
pub(super) async fn revoke(tx: &mut TenantTx, id: ShareId) -> Result<bool, sqlx::Error> {
    let team = tx.team();
    let found = sqlx::query!(
        "update shares set revoked_at = coalesce(revoked_at, now()) where team_id = $1 and id = $2",
        team.0,
        id.0
    );
    Ok(found.execute(&mut **tx).await?.rows_affected() > 0)
}

/// Revokes those that a person has made. Tells how many.
pub(crate) async fn revoke_of(tx: &mut TenantTx, user: UserId) -> Result<u64, sqlx::Error> {
    let team = tx.team();
    let revoked = sqlx::query!(
        "update shares set revoked_at = now()
         where team_id = $1 and created_by = $2 and revoked_at is null and expires_at > now()",
        team.0,
        user.0
    );
    Ok(revoked.execute(&mut **tx).await?.rows_affected())
}

/// The share of a presented secret; run under `app.secret`.
pub(super) struct Presented {
    pub(super) team: TeamId,
    pub(super) id: ShareId,
    pub(super) password_hash: Option<String>,
    pub(super) is_revoked: bool,
    pub(super) is_expired: bool,
}

/// Finds it, open or not.
pub(super) async fn presented(
    connection: &mut PgConnection,
    hash: &Sha256Hash,
) -> Result<Option<Presented>, sqlx::Error> {
    let row = sqlx::query!(
        r#"select team_id, id, password_hash, revoked_at is not null as "is_revoked!", expires_at <= now() as "is_expired!"
           from shares where secret_hash = $1"#,
        hash.as_bytes()
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| Presented {
        team: TeamId(row.team_id),
        id: ShareId(row.id),
        password_hash: row.password_hash,
        is_revoked: row.is_revoked,
        is_expired: row.is_expired,
    }))
}

/// Notes a browser that has opened a share; of very many the oldest are forgotten.
pub(super) async fn insert_visit(
    tx: &mut TenantTx,
    share: ShareId,
    secret: &LinkSecret,
    most: i64,
) -> Result<Uuid, sqlx::Error> {
    let (team, id, hash) = (tx.team(), Uuid::now_v7(), secret.hash());
    sqlx::query!(
        "insert into share_visits (team_id, id, share_id, secret_hash) values ($1, $2, $3, $4)",
        team.0,
        id,
        share.0,
        hash.as_bytes()
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "delete from share_visits where team_id = $1 and id in (
             select id from share_visits where team_id = $1 and share_id = $2 order by opened_at desc, id desc offset $3)",
        team.0,
        share.0,
        most
    )
    .execute(&mut **tx)
    .await?;
    Ok(id)
}

/// A visit of a presented cookie; run under `app.secret`.
pub(super) struct Visit {
    pub(super) team: TeamId,
    pub(super) share: ShareId,
    pub(super) id: Uuid,
}

pub(super) async fn visit(connection: &mut PgConnection, hash: &Sha256Hash) -> Result<Option<Visit>, sqlx::Error> {
    let row = sqlx::query!("select team_id, share_id, id from share_visits where secret_hash = $1", hash.as_bytes())
        .fetch_optional(connection)
        .await?;
    Ok(row.map(|row| Visit { team: TeamId(row.team_id), share: ShareId(row.share_id), id: row.id }))
}

/// A share as a browser that has opened it holds it; `None` where it has ended, or the browser is forgotten.
pub(super) async fn open_share(tx: &mut TenantTx, share: ShareId, visit: Uuid) -> Result<Option<Share>, ApiError> {
    let team = tx.team();
    let row = sqlx::query!(
        "select s.name, t.name as team_name, s.session_id, s.rig_id, s.shows_history, s.shows_setup, s.delay_s, s.created_at,
                s.expires_at
         from shares s
         join share_visits v on v.team_id = s.team_id and v.share_id = s.id and v.id = $3
         join teams t on t.id = s.team_id
         where s.team_id = $1 and s.id = $2 and s.revoked_at is null and s.expires_at > now() and t.disabled_at is null",
        team.0,
        share.0,
        visit
    )
    .fetch_optional(&mut **tx)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let shown = match (row.session_id, row.rig_id) {
        (Some(session), None) => Shown::Session(SessionId(session)),
        (None, Some(rig)) => Shown::Rig(RigId(rig)),
        (None, None) => Shown::Team,
        (Some(_), Some(_)) => return Err(ApiError::internal(format!("share {share} is of two things"))),
    };
    Ok(Some(Share {
        team,
        id: share,
        shown,
        name: row.name,
        team_name: row.team_name,
        shows_history: row.shows_history,
        shows_setup: row.shows_setup,
        delay_s: row.delay_s.unsigned_abs(),
        created_at: row.created_at,
        expires_at: row.expires_at,
        visit,
    }))
}

/// Notes that a browser's socket is open, or no more.
pub(super) async fn watched(tx: &mut TenantTx, share: &Share, is_open: bool) -> Result<(), sqlx::Error> {
    let team = tx.team();
    sqlx::query!(
        "update share_visits set watched_at = case when $3 then now() end where team_id = $1 and id = $2",
        team.0,
        share.visit,
        is_open
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
