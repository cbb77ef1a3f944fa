//! SQL of recording: what a connection needs to know to carry a session on.

use super::Stored;
use crate::db::TenantTx;
use crate::race::Fold;
use onelap_protocol::agent::Place;
use onelap_protocol::race::{Lap, SessionInfo};
use onelap_protocol::setup::Setup;
use onelap_protocol::{CarKey, SessionId};
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
                  s.end_reason, p.setup as "setup?: Json<Setup>"
           from sessions s left join setups p on p.team_id = s.team_id and p.hash = s.setup_hash
           where s.team_id = $1 and s.id = $2"#,
        team.0,
        session.0,
    )
    .fetch_optional(&mut **tx)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Stored {
        laps: recent_laps(tx, session).await?,
        info: row.info.0,
        place: Place { session, epoch: row.epoch as u64, sequence: row.sequence as u64 },
        fold: row.fold.0,
        setup: row.setup.map(|s| s.0),
        ended: row.end_reason.and_then(|word| serde_json::from_value(word.into()).ok()),
    }))
}

async fn recent_laps(tx: &mut TenantTx, session: SessionId) -> Result<Vec<Lap>, sqlx::Error> {
    let team = tx.team();
    let rows = sqlx::query!(
        r#"select car, lap, driver, time_ms, sector1_ms, sector2_ms, sector3_ms, valid, out_lap, in_lap, position,
                  class_position, class, number, at_s, fuel_l, fuel_kg, virtual_energy_pct, compound, tire_wear_pct
           from laps where team_id = $1 and session_id = $2 and own order by lap desc limit $3"#,
        team.0,
        session.0,
        RECENT_LAPS,
    )
    .fetch_all(&mut **tx)
    .await?;
    let ms = |value: Option<i32>| value.and_then(|v| u32::try_from(v).ok());
    let small = |value: Option<i32>| value.and_then(|v| u16::try_from(v).ok());
    let laps = rows.into_iter().rev().map(|row| Lap {
        car: CarKey(row.car),
        lap: u16::try_from(row.lap).unwrap_or(u16::MAX),
        driver: row.driver,
        time_ms: ms(row.time_ms),
        sectors_ms: [ms(row.sector1_ms), ms(row.sector2_ms), ms(row.sector3_ms)],
        valid: row.valid,
        out_lap: row.out_lap,
        in_lap: row.in_lap,
        position: small(row.position),
        class_position: small(row.class_position),
        class: row.class,
        number: row.number,
        at_s: row.at_s,
        fuel_l: row.fuel_l,
        fuel_kg: row.fuel_kg,
        virtual_energy_pct: row.virtual_energy_pct,
        compound: row.compound,
        tire_wear_pct: row.tire_wear_pct.and_then(|wear| wear.try_into().ok()),
    });
    Ok(laps.collect())
}
