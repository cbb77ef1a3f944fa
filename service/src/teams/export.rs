//! Everything that a team has, as lines of JSON: `{"table": …, "row": {…}}`, and at the end `{"table": "end", "rows": n}`,
//! by which a whole file is told from one that broke off.
//!
//! Invariants: no table is forgotten (they are asked of the catalogue); no secret, not even
//! its hash; a slow reader holds one connection of those for exports, and only so many do so.

use crate::db::{Db, Tenant, TenantTx};
use crate::error::ApiError;
use crate::limits::Seat;
use bytes::Bytes;
use futures_util::{Stream, stream};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use tokio::sync::mpsc;

/// Rows that are read at once; a row of samples has some kilobytes.
const ROWS: usize = 100;

/// Begins an export, which keeps its `seat` until it has ended.
pub(super) fn lines(db: Db, tenant: Tenant, seat: Seat) -> impl Stream<Item = Result<Bytes, ApiError>> {
    let (out, lines) = mpsc::channel(4);
    actix_web::rt::spawn(async move {
        // Who has gone away needs no answer; whoever still reads sees that the end is missing.
        if let Err(error) = write(&db, tenant, &out, seat).await {
            let _ = out.send(Err(error)).await;
        }
    });
    stream::unfold(lines, |mut lines| async move { lines.recv().await.map(|line| (line, lines)) })
}

async fn write(
    db: &Db,
    tenant: Tenant,
    out: &mpsc::Sender<Result<Bytes, ApiError>>,
    _seat: Seat,
) -> Result<(), ApiError> {
    let mut tx = db.tenant_export(tenant).await?;
    let mut rows = 0usize;
    for (table, sql) in queries(&mut tx).await? {
        sqlx::query(AssertSqlSafe(format!("declare export no scroll cursor for {sql}")))
            .bind(tenant.team().0)
            .execute(&mut *tx)
            .await?;
        loop {
            let fetch = format!("fetch {ROWS} from export");
            let page: Vec<Value> = sqlx::query_scalar(AssertSqlSafe(fetch)).fetch_all(&mut *tx).await?;
            let text: String =
                page.iter().map(|row| json!({ "table": table, "row": row }).to_string() + "\n").collect();
            rows += page.len();
            if page.is_empty() {
                break;
            }
            if out.send(Ok(text.into())).await.is_err() {
                return Ok(());
            }
        }
        sqlx::query("close export").execute(&mut *tx).await?;
    }
    tx.commit().await?;
    let end = json!({ "table": "end", "rows": rows }).to_string() + "\n";
    let _ = out.send(Ok(end.into())).await;
    Ok(())
}

/// A query for each table that has rows of teams; `$1` is the team.
async fn queries(tx: &mut TenantTx) -> Result<Vec<(String, String)>, ApiError> {
    let tables: Vec<String> = sqlx::query_scalar(
        "select c.relname::text from pg_class c join pg_attribute a on a.attrelid = c.oid
         where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
           and a.attname = 'team_id' and not a.attisdropped and c.relname <> 'share_visits'
         order by c.relname",
    )
    .fetch_all(&mut **tx)
    .await?;
    let no_secrets = "array['secret_hash', 'password_hash']";
    let team = format!("select to_jsonb(t) - {no_secrets} from teams t where id = $1");
    let people = "select jsonb_build_object('id', u.id, 'name', u.name, 'email', u.email)
                  from users u join team_members m on m.user_id = u.id where m.team_id = $1"
        .to_owned();
    let of_table = |table: String| {
        let sql = format!("select to_jsonb(t) - {no_secrets} from {table} t where team_id = $1");
        (table, sql)
    };
    let first = [("teams".to_owned(), team), ("people".to_owned(), people)];
    Ok(first.into_iter().chain(tables.into_iter().map(of_table)).collect())
}
