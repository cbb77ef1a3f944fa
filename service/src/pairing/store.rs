//! SQL of pairings; all run under `app.secret`.

use crate::auth::Sha256Hash;
use onelap_protocol::{RigId, TeamId, UserId};
use sqlx::PgConnection;
use time::OffsetDateTime;

pub(super) async fn insert(
    connection: &mut PgConnection,
    device: &Sha256Hash,
    code: &Sha256Hash,
    name: &str,
    address: &str,
    expires_at: OffsetDateTime,
    interval_s: i32,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into pairings (device_hash, code_hash, name, address, expires_at, interval_s)
         values ($1, $2, $3, $4, $5, $6)",
        device.as_bytes(),
        code.as_bytes(),
        name,
        address,
        expires_at,
        interval_s
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// An agent that waits, as who decides sees it.
pub(super) struct WaitingRow {
    pub(super) name: String,
    pub(super) address: String,
    pub(super) created_at: OffsetDateTime,
    pub(super) expires_at: OffsetDateTime,
}

/// The one that a code belongs to, if it still waits; locked.
pub(super) async fn waiting(
    connection: &mut PgConnection,
    code: &Sha256Hash,
) -> Result<Option<WaitingRow>, sqlx::Error> {
    sqlx::query_as!(
        WaitingRow,
        "select name, address, created_at, expires_at from pairings
         where code_hash = $1 and state = 'pending' and expires_at > now() for update",
        code.as_bytes()
    )
    .fetch_optional(connection)
    .await
}

pub(super) async fn approve(
    connection: &mut PgConnection,
    code: &Sha256Hash,
    team: TeamId,
    rig: RigId,
    by: UserId,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update pairings set state = 'approved', team = $2, rig = $3, decided_by = $4 where code_hash = $1",
        code.as_bytes(),
        team.0,
        rig.0,
        by.0
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn deny(connection: &mut PgConnection, code: &Sha256Hash, by: UserId) -> Result<(), sqlx::Error> {
    let deny = sqlx::query!(
        "update pairings set state = 'denied', decided_by = $2 where code_hash = $1",
        code.as_bytes(),
        by.0
    );
    deny.execute(connection).await.map(drop)
}

/// An agent that asks.
pub(super) struct AskingRow {
    pub(super) state: String,
    pub(super) expires_at: OffsetDateTime,
    pub(super) polled_at: Option<OffsetDateTime>,
    pub(super) interval_s: i32,
    pub(super) team: Option<TeamId>,
    pub(super) rig: Option<RigId>,
    pub(super) decided_by: Option<UserId>,
}

/// The one that a device code belongs to; locked.
pub(super) async fn asking(
    connection: &mut PgConnection,
    device: &Sha256Hash,
) -> Result<Option<AskingRow>, sqlx::Error> {
    let row = sqlx::query!(
        "select state, expires_at, polled_at, interval_s, team, rig, decided_by from pairings
         where device_hash = $1 for update",
        device.as_bytes()
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| AskingRow {
        state: row.state,
        expires_at: row.expires_at,
        polled_at: row.polled_at,
        interval_s: row.interval_s,
        team: row.team.map(TeamId),
        rig: row.rig.map(RigId),
        decided_by: row.decided_by.map(UserId),
    }))
}

/// Notes that the agent has asked, and how long it is to wait now.
pub(super) async fn polled(
    connection: &mut PgConnection,
    device: &Sha256Hash,
    interval_s: i32,
) -> Result<(), sqlx::Error> {
    let polled = sqlx::query!(
        "update pairings set polled_at = now(), interval_s = $2 where device_hash = $1",
        device.as_bytes(),
        interval_s
    );
    polled.execute(connection).await.map(drop)
}

pub(super) async fn collected(connection: &mut PgConnection, device: &Sha256Hash) -> Result<(), sqlx::Error> {
    let collected = sqlx::query!("update pairings set state = 'collected' where device_hash = $1", device.as_bytes());
    collected.execute(connection).await.map(drop)
}

pub(super) async fn forget_expired(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from pairings where expires_at < now() - interval '1 hour'")
        .execute(connection)
        .await
        .map(drop)
}
