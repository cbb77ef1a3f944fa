//! SQL of recording: what a connection needs to know to carry a session on.

use super::Stored;
use crate::db::TenantTx;
use crate::laps;
use crate::race::Fold;
use onelap_protocol::SessionId;
use onelap_protocol::agent::Place;
use onelap_protocol::race::SessionInfo;
use onelap_protocol::setup::Setup;
use sqlx::types::Json;

/// Laps of our car that a reconnecting rig's live view begins with.
const RECENT_LAPS: i64 = 100;

/// How far the sessions that are known are committed.
pub(super) async fn places(tx: &mut TenantTx, sessions: &[SessionId]) -> Result<Vec<Place>, sqlx::Error> {
    let team = tx.team();
    let ids: Vec<_> = sessions.iter().map(|session| session.0).collect();
    let rows =
        sqlx::query!("select id, epoch, sequence from sessions where team_id = $1 and id = any($2)", team.0, &ids,)
            .fetch_all(&mut **tx)
            .await?;
    let place = |session, epoch: i64, sequence: i64| Place { session, epoch: epoch as u64, sequence: sequence as u64 };
    Ok(rows.into_iter().map(|row| place(SessionId(row.id), row.epoch, row.sequence)).collect())
}

/// What is known of a session.
pub(super) async fn load(tx: &mut TenantTx, session: SessionId) -> Result<Option<Stored>, sqlx::Error> {
    let team = tx.team();
    let row = sqlx::query!(
        r#"select s.info as "info: Json<SessionInfo>", s.epoch, s.sequence, s.checkpoint as "fold: Json<Fold>",
                  s.earlier_runs as "earlier_runs: Json<Vec<(u64, u64)>>", s.end_reason, p.setup as "setup?: Json<Setup>"
           from sessions s left join setups p on p.team_id = s.team_id and p.hash = s.setup_hash
           where s.team_id = $1 and s.id = $2"#,
        team.0,
        session.0,
    )
    .fetch_optional(&mut **tx)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Stored {
        laps: laps::latest_own(tx, session, RECENT_LAPS).await?,
        info: row.info.0,
        place: Place { session, epoch: row.epoch as u64, sequence: row.sequence as u64 },
        earlier_runs: row.earlier_runs.0,
        fold: row.fold.0,
        setup: row.setup.map(|s| s.0),
        ended: row.end_reason.and_then(|word| serde_json::from_value(word.into()).ok()),
    }))
}
