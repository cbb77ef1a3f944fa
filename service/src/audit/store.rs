//! SQL of the audit log.

use crate::audit::{Act, By, Entry, Filter, Subject};
use crate::db::TenantTx;
use crate::telemetry;
use onelap_protocol::UserId;
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

/// Writes an entry, in the transaction of what it tells.
pub(crate) async fn write(
    tx: &mut TenantTx,
    by: &By,
    act: Act,
    subject: Subject,
    detail: Value,
) -> Result<(), sqlx::Error> {
    let team = tx.team();
    let (subject_kind, subject_id) = subject.parts();
    sqlx::query!(
        "insert into audit_log
             (team_id, id, actor_kind, actor_id, action, subject_kind, subject_id, detail, address, trace)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        team.0,
        Uuid::now_v7(),
        by.kind.word(),
        by.id,
        act.word(),
        subject_kind,
        subject_id,
        detail,
        by.address,
        telemetry::current_trace()
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Entries older than a given one, newest first.
pub(super) async fn list(
    tx: &mut TenantTx,
    filter: &Filter,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Entry>, sqlx::Error> {
    let team = tx.team();
    sqlx::query_as!(
        Entry,
        r#"select a.id, a.at, a.actor_kind, a.actor_id, u.name as "actor_name?", a.action, a.subject_kind, a.subject_id,
                  coalesce(s.name, r.name, k.name, l.name, i.email) as "subject_name?", a.detail, a.address, a.trace
           from audit_log a
           left join users u on u.id = a.actor_id and a.actor_kind = 'person'
           left join users s on s.id = a.subject_id and a.subject_kind = 'person'
           left join rig_tokens t on t.team_id = a.team_id and t.id = a.subject_id and a.subject_kind = 'token'
           left join rigs r on r.team_id = a.team_id
                and r.id = case a.subject_kind when 'rig' then a.subject_id when 'token' then t.rig_id end
           left join api_keys k on k.team_id = a.team_id and k.id = a.subject_id and a.subject_kind = 'api_key'
           left join shares l on l.team_id = a.team_id and l.id = a.subject_id and a.subject_kind = 'share'
           left join invitations i on i.team_id = a.team_id and i.id = a.subject_id and a.subject_kind = 'invitation'
           where a.team_id = $1
             and ($2::uuid is null or a.actor_id = $2) and ($3::text is null or a.action = $3)
             and ($4::timestamptz is null or a.at >= $4) and ($5::timestamptz is null or a.at < $5)
             and ($6::uuid is null or (a.at, a.id) < (select b.at, b.id from audit_log b where b.team_id = $1 and b.id = $6))
           order by a.at desc, a.id desc limit $7"#,
        team.0,
        filter.actor,
        filter.action.map(Act::word),
        filter.from,
        filter.to,
        before,
        limit
    )
    .fetch_all(&mut **tx)
    .await
}

/// An entry of a team's log as the person sees it whom it is about.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct OwnEntry {
    team: Uuid,
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
    /// What was done.
    action: String,
    /// More about it.
    #[schema(value_type = Object)]
    detail: Value,
    /// The address that it came from, where the person did it.
    address: Option<String>,
}

/// What a person did in a team, and what was done to them, the last first.
pub(crate) async fn of_person(tx: &mut TenantTx, user: UserId, most: i64) -> Result<Vec<OwnEntry>, sqlx::Error> {
    let team = tx.team();
    sqlx::query_as!(
        OwnEntry,
        r#"select team_id as team, at, action, detail,
                  case when actor_kind = 'person' and actor_id = $2 then address end as "address?"
           from audit_log
           where team_id = $1
             and ((actor_kind = 'person' and actor_id = $2) or (subject_kind = 'person' and subject_id = $2))
           order by at desc, id desc limit $3"#,
        team.0,
        user.0,
        most
    )
    .fetch_all(&mut **tx)
    .await
}
