//! SQL of recorded sessions.

use crate::db::TenantTx;
use crate::error::ApiError;
use crate::sessions::{Cursor, Facts, Note, SessionCar, SessionSummary, SetupUse};
use onelap_protocol::race::{RaceEvent, SessionInfo};
use onelap_protocol::{CarKey, RigId, SessionId};
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

struct Row {
    id: Uuid,
    rig_id: Option<Uuid>,
    rig_name: Option<String>,
    info: Json<SessionInfo>,
    started_at: OffsetDateTime,
    last_at: OffsetDateTime,
    ended_at: Option<OffsetDateTime>,
    end_reason: Option<String>,
    laps: i64,
    best_ms: Option<i32>,
}

impl Row {
    fn split(self) -> Result<(SessionSummary, SessionInfo), ApiError> {
        let Json(info) = self.info;
        let end_reason = self
            .end_reason
            .map(|word| serde_json::from_value(serde_json::Value::String(word)))
            .transpose()
            .map_err(|error| ApiError::internal(format!("end_reason of session {}: {error}", self.id)))?;
        let summary = SessionSummary {
            id: SessionId(self.id),
            rig: self.rig_id.map(RigId),
            rig_name: self.rig_name,
            game: info.game,
            kind: info.kind,
            kind_number: info.kind_number,
            track: info.track.clone(),
            car_name: info.car_name.clone(),
            class: info.class.clone(),
            driver: info.driver.clone(),
            started_at: self.started_at,
            last_at: self.last_at,
            ended_at: self.ended_at,
            end_reason,
            laps: self.laps as u32,
            best_ms: self.best_ms.map(|ms| ms as u32),
        };
        Ok((summary, info))
    }
}

/// Sessions before a place in the list, newest first.
pub(super) async fn list(
    tx: &mut TenantTx,
    before: Option<Cursor>,
    limit: i64,
) -> Result<Vec<SessionSummary>, ApiError> {
    let team = tx.team();
    let (before_at, before_id) = (before.map(|b| b.started_at), before.map(|b| b.id.0));
    let rows = sqlx::query_as!(
        Row,
        r#"select s.id, s.rig_id, r.name as "rig_name?", s.info as "info: Json<SessionInfo>", s.started_at, s.last_at,
                  s.ended_at, s.end_reason, own.laps as "laps!", own.best_ms
           from sessions s
           left join rigs r on r.team_id = s.team_id and r.id = s.rig_id
           cross join lateral (
               select count(*) as laps, min(time_ms) filter (where valid is not false) as best_ms
               from laps l where l.team_id = s.team_id and l.session_id = s.id and l.car = s.own_car
           ) own
           where s.team_id = $1 and ($2::timestamptz is null or (s.started_at, s.id) < ($2, $3::uuid))
           order by s.started_at desc, s.id desc limit $4"#,
        team.0,
        before_at,
        before_id,
        limit
    )
    .fetch_all(&mut **tx)
    .await?;
    rows.into_iter().map(|row| row.split().map(|(summary, _)| summary)).collect()
}

/// One session.
pub(super) async fn find(
    tx: &mut TenantTx,
    session: SessionId,
) -> Result<Option<(SessionSummary, SessionInfo)>, ApiError> {
    let team = tx.team();
    let row = sqlx::query_as!(
        Row,
        r#"select s.id, s.rig_id, r.name as "rig_name?", s.info as "info: Json<SessionInfo>", s.started_at, s.last_at,
                  s.ended_at, s.end_reason, own.laps as "laps!", own.best_ms
           from sessions s
           left join rigs r on r.team_id = s.team_id and r.id = s.rig_id
           cross join lateral (
               select count(*) as laps, min(time_ms) filter (where valid is not false) as best_ms
               from laps l where l.team_id = s.team_id and l.session_id = s.id and l.car = s.own_car
           ) own
           where s.team_id = $1 and s.id = $2"#,
        team.0,
        session.0
    )
    .fetch_optional(&mut **tx)
    .await?;
    row.map(Row::split).transpose()
}

/// The key of our car in a session.
pub(crate) async fn own_car(tx: &mut TenantTx, session: SessionId) -> Result<Option<CarKey>, sqlx::Error> {
    let team = tx.team();
    let car = sqlx::query_scalar!("select own_car from sessions where team_id = $1 and id = $2", team.0, session.0)
        .fetch_optional(&mut **tx)
        .await?;
    Ok(car.map(CarKey))
}

/// What decides whether a share link shows a session.
pub(super) async fn facts(tx: &mut TenantTx, session: SessionId) -> Result<Option<Facts>, sqlx::Error> {
    let team = tx.team();
    let row =
        sqlx::query!("select id, rig_id, last_at from sessions where team_id = $1 and id = $2", team.0, session.0)
            .fetch_optional(&mut **tx)
            .await?;
    Ok(row.map(|row| Facts { id: SessionId(row.id), rig: row.rig_id.map(RigId), last_at: row.last_at }))
}

/// The sessions that a setup was used in.
pub(crate) async fn using_setup(tx: &mut TenantTx, hash: &[u8]) -> Result<Vec<Facts>, sqlx::Error> {
    let team = tx.team();
    let rows = sqlx::query!(
        "select distinct s.id, s.rig_id, s.last_at
         from session_setups u join sessions s on s.team_id = u.team_id and s.id = u.session_id
         where u.team_id = $1 and u.hash = $2",
        team.0,
        hash
    )
    .fetch_all(&mut **tx)
    .await?;
    let facts = |id, rig: Option<Uuid>, last_at| Facts { id: SessionId(id), rig: rig.map(RigId), last_at };
    Ok(rows.into_iter().map(|row| facts(row.id, row.rig_id, row.last_at)).collect())
}

/// The cars of which laps were seen, ours first.
pub(super) async fn cars(tx: &mut TenantTx, session: SessionId) -> Result<Vec<SessionCar>, sqlx::Error> {
    let team = tx.team();
    let rows = sqlx::query!(
        r#"select car,
                  (array_agg(number order by lap desc))[1] as number,
                  (array_agg(class order by lap desc))[1] as class,
                  array_agg(distinct driver) as "drivers!",
                  count(*) as "laps!",
                  min(time_ms) filter (where valid is not false) as best_ms,
                  bool_or(own) as "own!"
           from laps where team_id = $1 and session_id = $2
           group by car
           order by bool_or(own) desc, nullif(regexp_replace((array_agg(number order by lap desc))[1], '[^0-9]', '', 'g'), '')::numeric
               nulls last, car"#,
        team.0,
        session.0
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| SessionCar {
            car: CarKey(row.car),
            number: row.number,
            class: row.class,
            drivers: row.drivers,
            laps: row.laps as u32,
            best_ms: row.best_ms.map(|ms| ms as u32),
            own: row.own,
        })
        .collect())
}

/// The setups that were in our car, in the order of their use.
pub(super) async fn setups(tx: &mut TenantTx, session: SessionId) -> Result<Vec<SetupUse>, sqlx::Error> {
    let team = tx.team();
    sqlx::query_as!(
        SetupUse,
        r#"select encode(hash, 'hex') as "hash!", at_s from session_setups
           where team_id = $1 and session_id = $2 order by epoch, sequence"#,
        team.0,
        session.0
    )
    .fetch_all(&mut **tx)
    .await
}

/// Phases and notes, in the order in which they came.
pub(super) async fn notes(tx: &mut TenantTx, session: SessionId) -> Result<Vec<Note>, sqlx::Error> {
    let team = tx.team();
    let rows = sqlx::query!(
        r#"select at_s, event as "event: Json<RaceEvent>" from notes
           where team_id = $1 and session_id = $2 order by epoch, sequence"#,
        team.0,
        session.0
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().map(|row| Note { at_s: row.at_s, event: row.event.0 }).collect())
}
