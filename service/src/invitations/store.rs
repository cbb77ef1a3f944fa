//! SQL of invitations.

use crate::accounts::Email;
use crate::auth::{LinkSecret, Role, Sha256Hash};
use crate::db::TenantTx;
use crate::error::ApiError;
use crate::invitations::{Invitation, InvitationState};
use onelap_protocol::{InvitationId, TeamId, UserId};
use sqlx::PgConnection;
use time::OffsetDateTime;

pub(super) async fn insert(
    tx: &mut TenantTx,
    secret: &LinkSecret,
    role: Role,
    email: Option<&Email>,
    by: UserId,
    expires_at: OffsetDateTime,
) -> Result<InvitationId, sqlx::Error> {
    let (team, id, hash) = (tx.team(), InvitationId::new(), secret.hash());
    sqlx::query!(
        "insert into invitations (team_id, id, secret_hash, role, email, created_by, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
        team.0,
        id.0,
        hash.as_bytes(),
        role.word(),
        email.map(Email::as_str),
        by.0,
        expires_at
    )
    .execute(&mut **tx)
    .await?;
    Ok(id)
}

/// How many can be taken now.
pub(super) async fn open(tx: &mut TenantTx) -> Result<i64, sqlx::Error> {
    let team = tx.team();
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from invitations
           where team_id = $1 and accepted_at is null and revoked_at is null and expires_at > now()"#,
        team.0
    )
    .fetch_one(&mut **tx)
    .await
}

/// The latest, newest first.
pub(super) async fn list(tx: &mut TenantTx) -> Result<Vec<Invitation>, ApiError> {
    let team = tx.team();
    let rows = sqlx::query!(
        r#"select i.id, i.role, i.email, u.name as "made_by?", i.created_at, i.expires_at,
                  i.accepted_at is not null as "accepted!", i.revoked_at is not null as "revoked!",
                  i.expires_at <= now() as "expired!"
           from invitations i left join users u on u.id = i.created_by
           where i.team_id = $1 order by i.created_at desc, i.id desc limit 500"#,
        team.0
    )
    .fetch_all(&mut **tx)
    .await?;
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        all.push(Invitation {
            id: InvitationId(row.id),
            role: Role::parse(&row.role)?,
            email: row.email,
            made_by: row.made_by,
            created_at: row.created_at,
            expires_at: row.expires_at,
            state: InvitationState::of(row.accepted, row.revoked, row.expired),
        });
    }
    Ok(all)
}

/// Revokes one that can still be taken. Tells whether there is such an invitation, in whatever state.
pub(super) async fn revoke(tx: &mut TenantTx, id: InvitationId) -> Result<bool, sqlx::Error> {
    let team = tx.team();
    let found = sqlx::query!(
        "update invitations set revoked_at = case when accepted_at is null then coalesce(revoked_at, now()) end
         where team_id = $1 and id = $2",
        team.0,
        id.0
    );
    Ok(found.execute(&mut **tx).await?.rows_affected() > 0)
}

/// Revokes those that a person has made and nobody has taken. Tells how many.
pub(crate) async fn revoke_of(tx: &mut TenantTx, user: UserId) -> Result<u64, sqlx::Error> {
    let team = tx.team();
    let revoked = sqlx::query!(
        "update invitations set revoked_at = now()
         where team_id = $1 and created_by = $2 and accepted_at is null and revoked_at is null",
        team.0,
        user.0
    );
    Ok(revoked.execute(&mut **tx).await?.rows_affected())
}

/// The row of a presented secret.
pub(super) struct Presented {
    pub(super) team: TeamId,
    pub(super) id: InvitationId,
    pub(super) role: Role,
    pub(super) email: Option<String>,
    pub(super) expires_at: OffsetDateTime,
    pub(super) state: InvitationState,
}

/// Finds it; run under `app.secret`.
pub(super) async fn presented(connection: &mut PgConnection, hash: &Sha256Hash) -> Result<Option<Presented>, ApiError> {
    let row = sqlx::query!(
        r#"select team_id, id, role, email, expires_at, accepted_at is not null as "accepted!",
                  revoked_at is not null as "revoked!", expires_at <= now() as "expired!"
           from invitations where secret_hash = $1"#,
        hash.as_bytes()
    )
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Presented {
        team: TeamId(row.team_id),
        id: InvitationId(row.id),
        role: Role::parse(&row.role)?,
        email: row.email,
        expires_at: row.expires_at,
        state: InvitationState::of(row.accepted, row.revoked, row.expired),
    }))
}

/// Takes it for a person; of two at once one does.
pub(super) async fn take(tx: &mut TenantTx, id: InvitationId, user: UserId) -> Result<bool, sqlx::Error> {
    let team = tx.team();
    let taken = sqlx::query!(
        "update invitations set accepted_by = $3, accepted_at = now()
         where team_id = $1 and id = $2 and accepted_at is null and revoked_at is null and expires_at > now()",
        team.0,
        id.0,
        user.0
    );
    Ok(taken.execute(&mut **tx).await?.rows_affected() > 0)
}

/// A team as somebody who is invited is shown it.
pub(super) struct TeamRow {
    pub(super) name: String,
    pub(super) disabled: Option<String>,
}

pub(super) async fn team(tx: &mut TenantTx) -> Result<Option<TeamRow>, sqlx::Error> {
    let team = tx.team();
    sqlx::query_as!(
        TeamRow,
        "select name, case when disabled_at is not null then coalesce(disabled_reason, '') end as disabled
         from teams where id = $1",
        team.0
    )
    .fetch_optional(&mut **tx)
    .await
}

/// A person's own address.
pub(super) async fn email_of(tx: &mut TenantTx, user: UserId) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar!("select email from users where id = $1", user.0).fetch_optional(&mut **tx).await
}
