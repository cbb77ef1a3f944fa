//! SQL of log-in and of the checks behind scopes.

use crate::auth::Sha256Hash;
use crate::auth::caller::LoginId;
use crate::auth::visitor::Visitor;
use crate::db::TenantTx;
use onelap_protocol::{RigId, TeamId, TokenId, UserId};
use sqlx::PgConnection;
use std::time::Duration;
use time::OffsetDateTime;

/// A refresh token as it is kept, and the log-in that it is of.
#[derive(Debug, Clone)]
pub(super) struct RefreshRow {
    pub(super) user: UserId,
    pub(super) login: LoginId,
    pub(super) opened_at: OffsetDateTime,
    pub(super) authenticated_at: OffsetDateTime,
    pub(super) expires_at: OffsetDateTime,
    pub(super) used_at: Option<OffsetDateTime>,
    pub(super) has_ended: bool,
}

pub(super) async fn insert_login(
    connection: &mut PgConnection,
    login: LoginId,
    user: UserId,
    from: &Visitor,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into logins (id, user_id, device, address, created_at, last_used_at, authenticated_at)
         values ($1, $2, $3, $4, $5, $5, $5)",
        login.0,
        user.0,
        from.device,
        from.network,
        now
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn insert_refresh(
    connection: &mut PgConnection,
    hash: &Sha256Hash,
    user: UserId,
    login: LoginId,
    expires_at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into refresh_tokens (token_hash, user_id, family, expires_at) values ($1, $2, $3, $4)",
        hash.as_bytes(),
        user.0,
        login.0,
        expires_at
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Locks the token's log-in and reads the token: of two uses at once the second sees the first, and whoever ends a log-in
/// ends all of it. To be called in a transaction.
pub(super) async fn lock_refresh(
    connection: &mut PgConnection,
    hash: &Sha256Hash,
) -> Result<Option<RefreshRow>, sqlx::Error> {
    // Two statements: the second sees what was committed while the first waited.
    sqlx::query!(
        "select from logins where id = (select family from refresh_tokens where token_hash = $1) for update",
        hash.as_bytes()
    )
    .fetch_optional(&mut *connection)
    .await?;
    let row = sqlx::query!(
        r#"select t.user_id, t.expires_at, t.used_at, l.id, l.created_at, l.authenticated_at,
                  (t.revoked_at is not null or l.ended_at is not null) as "has_ended!"
           from refresh_tokens t join logins l on l.id = t.family where t.token_hash = $1"#,
        hash.as_bytes()
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| RefreshRow {
        user: UserId(row.user_id),
        login: LoginId(row.id),
        opened_at: row.created_at,
        authenticated_at: row.authenticated_at,
        expires_at: row.expires_at,
        used_at: row.used_at,
        has_ended: row.has_ended,
    }))
}

/// The first use counts: a use within the grace does not prolong it.
pub(super) async fn mark_used(
    connection: &mut PgConnection,
    hash: &Sha256Hash,
    login: LoginId,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update refresh_tokens set used_at = now() where token_hash = $1 and used_at is null",
        hash.as_bytes()
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!("update logins set last_used_at = now() where id = $1", login.0).execute(connection).await?;
    Ok(())
}

/// Ends one log-in, and tells all instances.
pub(super) async fn end_login(connection: &mut PgConnection, login: LoginId) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "with ended as (update logins set ended_at = now() where id = $1 and ended_at is null returning id)
         insert into login_ends (login) select id from ended on conflict do nothing",
        login.0
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Ends the log-ins of a person: one, or all but one. Gives those that were ended.
pub(super) async fn end_logins(
    connection: &mut PgConnection,
    user: UserId,
    only: Option<LoginId>,
    except: Option<LoginId>,
) -> Result<Vec<LoginId>, sqlx::Error> {
    let ended = sqlx::query_scalar!(
        r#"with ended as (
               update logins set ended_at = now()
               where user_id = $1 and ended_at is null and ($2::uuid is null or id = $2) and id is distinct from $3
               returning id)
           insert into login_ends (login) select id from ended on conflict do nothing returning login"#,
        user.0,
        only.map(|login| login.0),
        except.map(|login| login.0)
    )
    .fetch_all(connection)
    .await?;
    Ok(ended.into_iter().map(LoginId).collect())
}

/// A log-in as its person sees it.
#[derive(Debug)]
pub(super) struct LoginRow {
    pub(super) id: LoginId,
    pub(super) device: String,
    pub(super) address: String,
    pub(super) created_at: OffsetDateTime,
    pub(super) last_used_at: OffsetDateTime,
}

/// The log-ins of a person that are good, those used last first.
pub(super) async fn logins(connection: &mut PgConnection, user: UserId) -> Result<Vec<LoginRow>, sqlx::Error> {
    let rows = sqlx::query!(
        "select id, device, address, created_at, last_used_at from logins l
         where user_id = $1 and ended_at is null
           and exists (select from refresh_tokens t where t.family = l.id and t.expires_at > now())
         order by last_used_at desc, id",
        user.0
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| LoginRow {
            id: LoginId(row.id),
            device: row.device,
            address: row.address,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
        })
        .collect())
}

/// The password was shown again, in this log-in.
pub(super) async fn confirm_login(
    connection: &mut PgConnection,
    login: LoginId,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!("update logins set authenticated_at = $2 where id = $1", login.0, now).execute(connection).await?;
    Ok(())
}

/// The log-ins that ended since so long ago, the last ones first.
pub(super) async fn ended_since(
    connection: &mut PgConnection,
    since: Duration,
    most: i64,
) -> Result<Vec<LoginId>, sqlx::Error> {
    let ended = sqlx::query_scalar!(
        "select login from login_ends where ended_at > now() - make_interval(secs => $1)
         order by ended_at desc limit $2",
        since.as_secs_f64(),
        most
    )
    .fetch_all(connection)
    .await?;
    Ok(ended.into_iter().map(LoginId).collect())
}

pub(super) async fn forget_ended(connection: &mut PgConnection, after: Duration) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from login_ends where ended_at < now() - make_interval(secs => $1)", after.as_secs_f64())
        .execute(connection)
        .await?;
    Ok(())
}

/// Tokens that nobody can use any more, and log-ins that have none left.
pub(super) async fn forget_expired(connection: &mut PgConnection, user: UserId) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from refresh_tokens where user_id = $1 and expires_at < now()", user.0)
        .execute(&mut *connection)
        .await?;
    sqlx::query!(
        "delete from logins l where user_id = $1 and created_at < now() - interval '1 hour'
         and not exists (select from refresh_tokens t where t.family = l.id)",
        user.0
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Whether a person's address is confirmed.
pub(super) async fn is_verified(connection: &mut PgConnection, user: UserId) -> Result<bool, sqlx::Error> {
    let verified =
        sqlx::query_scalar!(r#"select email_verified_at is not null as "verified!" from users where id = $1"#, user.0);
    Ok(verified.fetch_optional(connection).await?.unwrap_or(false))
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
