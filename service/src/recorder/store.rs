//! SQL of recording: the writing side.
//!
//! One commit is one transaction: the session's row moves from the place where the writer left it to the new one (and
//! nowhere else: that is the fence), and the chunk, setups, notes and what follows from the events (`facts_store`) with it.

use super::{Stretch, chunk, facts_store, stretch_of};
use crate::db::{Db, Tenant, TenantTx};
use crate::race::{Fact, Fold};
use onelap_protocol::agent::{EndReason, Place};
use onelap_protocol::channel::ABSENT;
use onelap_protocol::race::{RaceEvent, SessionInfo};
use onelap_protocol::setup::Setup;
use onelap_protocol::{Batch, Channel, RigId, SessionId};
use serde::Serialize;
use sha2::{Digest, Sha256};
use sqlx::types::Json;
use time::OffsetDateTime;

/// What does not change from commit to commit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    pub rig: RigId,
    pub session: SessionId,
    pub epoch: u64,
}

/// What one transaction adds.
#[derive(Debug, Default)]
pub(super) struct Commit {
    pub sequence: u64,
    pub chunk: Batch,
    pub chunk_first: u64,
    pub chunk_last: u64,
    pub info_changed: bool,
    pub facts: Vec<Fact>,
    pub notes: Vec<(u64, RaceEvent)>,
    pub setups: Vec<(u64, f64, Setup)>,
    pub end: Option<EndReason>,
    /// Session times of the samples that came as backfill.
    pub backfilled: Option<Stretch>,
}

impl Commit {
    /// Gives up what Postgres refuses as data: first what was derived and told, then the samples. Returns what was
    /// given up, for the log; `None` where nothing is left that could be.
    pub(super) fn give_up(&mut self) -> Option<&'static str> {
        if !(self.facts.is_empty() && self.notes.is_empty() && self.setups.is_empty()) {
            self.facts.clear();
            self.notes.clear();
            self.setups.clear();
            return Some("laps, stops, notes and setups");
        }
        let has_samples = !self.chunk.is_empty();
        self.chunk.clear();
        has_samples.then_some("samples")
    }

    /// Empties it and keeps the memory of the samples.
    pub(super) fn clear(&mut self) {
        let mut chunk = std::mem::take(&mut self.chunk);
        chunk.clear();
        *self = Self { chunk, ..Self::default() };
    }
}

/// Why nothing was committed.
#[derive(Debug, thiserror::Error)]
pub(super) enum CommitError {
    /// The session's row is not where this writer left it.
    #[error("the session was written by somebody else")]
    Fenced,
    /// Postgres did not do it.
    #[error(transparent)]
    Sql(#[from] sqlx::Error),
}

impl CommitError {
    /// Whether Postgres will refuse the same again: the data breaks a type (class 22) or a constraint (class 23).
    pub(super) fn is_about_data(&self) -> bool {
        let Self::Sql(sqlx::Error::Database(error)) = self else { return false };
        error.code().is_some_and(|code| code.starts_with("22") || code.starts_with("23"))
    }
}

/// Writes one commit.
pub(super) async fn commit(
    db: &Db,
    tenant: Tenant,
    head: Head,
    before: Option<Place>,
    info: &SessionInfo,
    fold: &Fold,
    commit: &Commit,
) -> Result<(), CommitError> {
    let packed = chunk::encode(&commit.chunk).map_err(sqlx::Error::Io)?;
    let mut tx = db.tenant_ingest(tenant).await?;
    match before {
        None => insert_session(&mut tx, head, info, fold, commit.sequence).await?,
        Some(before) => move_session(&mut tx, head, before, fold, commit.sequence).await?,
    }
    if commit.info_changed && before.is_some() {
        update_info(&mut tx, head, info).await?;
    }
    if let Some(data) = packed {
        insert_chunk(&mut tx, head, commit, &data).await?;
    }
    facts_store::write(&mut tx, head, &commit.facts).await?;
    for (sequence, at_s, setup) in &commit.setups {
        insert_setup(&mut tx, head, *sequence, *at_s, setup).await?;
    }
    for (sequence, event) in &commit.notes {
        insert_note(&mut tx, head, *sequence, event).await?;
    }
    if let Some(reason) = commit.end {
        end_session(&mut tx, head, reason).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// A word of the protocol as it stands in a text column.
fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

fn started_at(info: &SessionInfo) -> OffsetDateTime {
    let nanos = i128::from(info.started_at_ms) * 1_000_000;
    OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

async fn insert_session(
    tx: &mut TenantTx,
    head: Head,
    info: &SessionInfo,
    fold: &Fold,
    sequence: u64,
) -> Result<(), CommitError> {
    let team = tx.team();
    // A rig is in one session at a time: what it left open, because agent or game died, ended when it was heard last.
    sqlx::query!(
        r#"update sessions set ended_at = last_at, end_reason = 'left'
           where team_id = $1 and rig_id = $2 and id <> $3 and ended_at is null"#,
        team.0,
        head.rig.0,
        head.session.0,
    )
    .execute(&mut **tx)
    .await?;
    let rows = sqlx::query!(
        r#"insert into sessions (team_id, id, rig_id, info, game, kind, track, car_name, class, driver, own_car,
                                 started_at, last_at, epoch, sequence, checkpoint)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, now(), $13, $14, $15)
           on conflict do nothing"#,
        team.0,
        head.session.0,
        head.rig.0,
        Json(info) as _,
        word(&info.game),
        word(&info.kind),
        info.track,
        info.car_name,
        info.class,
        info.driver,
        info.car.0,
        started_at(info),
        head.epoch as i64,
        sequence as i64,
        Json(fold) as _,
    )
    .execute(&mut **tx)
    .await?
    .rows_affected();
    if rows == 1 { Ok(()) } else { Err(CommitError::Fenced) }
}

async fn move_session(
    tx: &mut TenantTx,
    head: Head,
    before: Place,
    fold: &Fold,
    sequence: u64,
) -> Result<(), CommitError> {
    let team = tx.team();
    let rows = sqlx::query!(
        r#"update sessions set epoch = $5, sequence = $6, checkpoint = $7, last_at = now(),
                  earlier_runs = case when epoch = $5 then earlier_runs else jsonb_path_query_array(
                      earlier_runs || jsonb_build_array(jsonb_build_array(epoch, sequence)), '$[last - 63 to last]') end
           where team_id = $1 and id = $2 and epoch = $3 and sequence = $4"#,
        team.0,
        head.session.0,
        before.epoch as i64,
        before.sequence as i64,
        head.epoch as i64,
        sequence as i64,
        Json(fold) as _,
    )
    .execute(&mut **tx)
    .await?
    .rows_affected();
    if rows == 1 { Ok(()) } else { Err(CommitError::Fenced) }
}

async fn update_info(tx: &mut TenantTx, head: Head, info: &SessionInfo) -> Result<(), sqlx::Error> {
    let team = tx.team();
    sqlx::query!(
        r#"update sessions set info = $3, kind = $4, track = $5, car_name = $6, class = $7, driver = $8, own_car = $9
           where team_id = $1 and id = $2"#,
        team.0,
        head.session.0,
        Json(info) as _,
        word(&info.kind),
        info.track,
        info.car_name,
        info.class,
        info.driver,
        info.car.0,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

async fn end_session(tx: &mut TenantTx, head: Head, reason: EndReason) -> Result<(), sqlx::Error> {
    let team = tx.team();
    sqlx::query!(
        "update sessions set ended_at = now(), end_reason = $3 where team_id = $1 and id = $2",
        team.0,
        head.session.0,
        word(&reason),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

async fn insert_chunk(tx: &mut TenantTx, head: Head, commit: &Commit, data: &[u8]) -> Result<(), sqlx::Error> {
    let laps = || commit.chunk.column(Channel::Lap).iter().copied().filter(|lap| *lap != ABSENT);
    let (from_s, to_s) = stretch_of(&commit.chunk).unzip();
    let team = tx.team();
    sqlx::query!(
        r#"insert into chunks (team_id, session_id, epoch, first_sequence, last_sequence, lap_from, lap_to, from_s, to_s, samples,
               data)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"#,
        team.0,
        head.session.0,
        head.epoch as i64,
        commit.chunk_first as i64,
        commit.chunk_last as i64,
        laps().min(),
        laps().max(),
        from_s,
        to_s,
        commit.chunk.len() as i32,
        data,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What makes two setups the same: their items' keys and texts, whatever their order and name.
#[must_use]
pub fn content_hash(setup: &Setup) -> [u8; 32] {
    let mut items: Vec<(&str, &str)> = setup.items.iter().map(|i| (i.key.as_str(), i.text.as_str())).collect();
    items.sort_unstable();
    let mut hash = Sha256::new();
    for text in items.iter().flat_map(|(key, text)| [key, text]) {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    }
    hash.finalize().into()
}

async fn insert_setup(
    tx: &mut TenantTx,
    head: Head,
    sequence: u64,
    at_s: f64,
    setup: &Setup,
) -> Result<(), sqlx::Error> {
    let team = tx.team();
    let hash = content_hash(setup);
    sqlx::query!(
        "insert into setups (team_id, hash, setup) values ($1, $2, $3) on conflict do nothing",
        team.0,
        &hash,
        Json(setup) as _,
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        r#"insert into session_setups (team_id, session_id, epoch, sequence, at_s, hash) values ($1, $2, $3, $4, $5, $6)"#,
        team.0,
        head.session.0,
        head.epoch as i64,
        sequence as i64,
        at_s,
        &hash,
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!("update sessions set setup_hash = $3 where team_id = $1 and id = $2", team.0, head.session.0, &hash)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

async fn insert_note(tx: &mut TenantTx, head: Head, sequence: u64, event: &RaceEvent) -> Result<(), sqlx::Error> {
    let at_s = match event {
        RaceEvent::Note { at_s, .. } | RaceEvent::Phase { at_s, .. } => *at_s,
        RaceEvent::Lap(_) | RaceEvent::Pit { .. } | RaceEvent::DriverChange { .. } => return Ok(()),
    };
    let team = tx.team();
    sqlx::query!(
        "insert into notes (team_id, session_id, epoch, sequence, at_s, event) values ($1, $2, $3, $4, $5, $6)",
        team.0,
        head.session.0,
        head.epoch as i64,
        sequence as i64,
        at_s,
        Json(event) as _,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
