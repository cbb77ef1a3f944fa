//! A live session as Redis keeps it, so that an instance that never saw it can show it whole.
//!
//! `snap:{team}:{session}` is a hash of the parts, `events:{team}:{session}` a list of our latest events with their
//! places. Events, facts and setup are written before they are published: who subscribes first and reads then misses
//! nothing. Batches and the field (a keyframe) are written once a second, because the next one is never far away.

use super::super::delta::Delta;
use super::super::session::RECENT_EVENTS;
use super::super::shown::At;
use bytes::Bytes;
use onelap_protocol::agent::EndReason;
use onelap_protocol::race::{RaceEvent, SessionInfo};
use onelap_protocol::setup::Setup;
use onelap_protocol::viewer::Consumption;
use onelap_protocol::{SessionId, TeamId};
use redis::{Cmd, RedisResult, Value, aio::MultiplexedConnection, cmd};
use serde::{Serialize, de::DeserializeOwned};
use std::collections::HashMap;

/// How long a session is kept after its last change, in seconds.
const KEPT_S: i64 = 6 * 3600;

/// Everything that a new viewer is shown.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct Snapshot {
    pub(in super::super) info: SessionInfo,
    /// By how much the agent's clock is ahead, where that is known.
    pub(in super::super) skew_ms: Option<i64>,
    pub(in super::super) at: At,
    pub(in super::super) setup: Option<Setup>,
    pub(in super::super) consumption: Consumption,
    /// The field, as a keyframe.
    pub(in super::super) field: Option<Bytes>,
    /// The last batch, as the agent sent it.
    pub(in super::super) batch: Option<Bytes>,
    pub(in super::super) events: Vec<(At, RaceEvent)>,
    pub(in super::super) has_history: bool,
    pub(in super::super) ended: Option<EndReason>,
}

fn hash(team: TeamId, session: SessionId) -> String {
    format!("snap:{team}:{session}")
}

fn list(team: TeamId, session: SessionId) -> String {
    format!("events:{team}:{session}")
}

fn json(value: &impl Serialize) -> Vec<u8> {
    // Plain data with text keys, which always serialises.
    serde_json::to_vec(value).unwrap_or_default()
}

fn expire(key: &str) -> Cmd {
    cmd("EXPIRE").arg(key).arg(KEPT_S).take()
}

fn set(key: &str, field: &str, value: &[u8], at: At) -> Cmd {
    cmd("HSET").arg(key).arg(field).arg(value).arg("at").arg(json(&at)).take()
}

fn push(key: &str, events: &[(At, RaceEvent)]) -> [Cmd; 3] {
    let mut push = cmd("RPUSH");
    push.arg(key);
    for event in events {
        push.arg(json(event));
    }
    let kept = -(RECENT_EVENTS as i64);
    [push, cmd("LTRIM").arg(key).arg(kept).arg(-1).take(), expire(key)]
}

/// What keeps the snapshot true after a change; `at` is up to where the session is shown. Nothing for a change that the
/// snapshot has no part of.
pub(super) fn update(team: TeamId, session: SessionId, delta: &Delta, at: At, about_us: bool) -> Vec<Cmd> {
    let key = hash(team, session);
    let set = |field: &str, value: &[u8]| vec![set(&key, field, value, at), expire(&key)];
    match delta {
        Delta::Batch(bytes) => set("batch", bytes),
        Delta::Standings(keyframe) => set("field", keyframe),
        Delta::Clock { skew_ms } => set("skew", &json(skew_ms)),
        Delta::Consumption { consumption } => set("consumption", &json(consumption)),
        Delta::Info { info, .. } => set("info", &json(info)),
        Delta::Setup { setup, .. } => set("setup", &json(setup)),
        Delta::EndAt { reason, .. } | Delta::End { reason } => set("ended", &json(reason)),
        Delta::Event { at, event } | Delta::LateEvent { at, event } if about_us => {
            push(&list(team, session), &[(*at, (**event).clone())]).into()
        }
        Delta::Event { .. } | Delta::LateEvent { .. } | Delta::Backfilled { .. } | Delta::Renewed => Vec::new(),
    }
}

/// Writes the whole.
pub(super) fn write(team: TeamId, session: SessionId, snapshot: &Snapshot) -> Vec<Cmd> {
    let (key, events) = (hash(team, session), list(team, session));
    let mut all = cmd("HSET");
    all.arg(&key).arg("info").arg(json(&snapshot.info)).arg("at").arg(json(&snapshot.at));
    all.arg("consumption").arg(json(&snapshot.consumption));
    let parts = [
        ("setup", snapshot.setup.as_ref().map(json)),
        ("field", snapshot.field.as_ref().map(|b| b.to_vec())),
        ("batch", snapshot.batch.as_ref().map(|b| b.to_vec())),
        ("skew", snapshot.skew_ms.as_ref().map(json)),
        ("ended", snapshot.ended.as_ref().map(json)),
        ("history", snapshot.has_history.then(|| b"1".to_vec())),
    ];
    for (field, value) in parts {
        if let Some(value) = value {
            all.arg(field).arg(value);
        }
    }
    let mut commands = vec![cmd("DEL").arg(&key).arg(&events).take(), all, expire(&key)];
    if !snapshot.events.is_empty() {
        commands.extend(push(&events, &snapshot.events));
    }
    commands
}

/// Reads the whole; `None` where Redis has nothing of the session, or what it has cannot be read.
///
/// # Errors
/// Where Redis does not answer.
pub(super) async fn read(
    redis: &mut MultiplexedConnection,
    team: TeamId,
    session: SessionId,
) -> RedisResult<Option<Snapshot>> {
    let (parts, events): (HashMap<String, Vec<u8>>, Vec<Vec<u8>>) = redis::pipe()
        .hgetall(hash(team, session))
        .cmd("LRANGE")
        .arg(list(team, session))
        .arg(0)
        .arg(-1)
        .query_async(redis)
        .await?;
    let Some(info) = part(&parts, "info") else { return Ok(None) };
    let mut events: Vec<(At, RaceEvent)> = events.iter().filter_map(|e| serde_json::from_slice(e).ok()).collect();
    events.sort_by_key(|(at, _)| *at);
    Ok(Some(Snapshot {
        info,
        skew_ms: part(&parts, "skew"),
        at: part(&parts, "at").unwrap_or_default(),
        setup: part(&parts, "setup"),
        consumption: part(&parts, "consumption").unwrap_or_default(),
        field: parts.get("field").map(|bytes| Bytes::copy_from_slice(bytes)),
        batch: parts.get("batch").map(|bytes| Bytes::copy_from_slice(bytes)),
        events,
        has_history: parts.contains_key("history"),
        ended: part(&parts, "ended"),
    }))
}

fn part<T: DeserializeOwned>(parts: &HashMap<String, Vec<u8>>, name: &str) -> Option<T> {
    serde_json::from_slice(parts.get(name)?).ok()
}

/// The bytes of a value that Redis sent as text.
pub(super) fn bytes(value: &Value) -> Option<&[u8]> {
    match value {
        Value::BulkString(bytes) => Some(bytes),
        Value::SimpleString(text) => Some(text.as_bytes()),
        _ => None,
    }
}
