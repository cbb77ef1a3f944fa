//! `/api/teams/{team}/audit` and its export.

use crate::app::State;
use crate::audit::{self, Act, By, Entry, Filter, Subject, csv, store};
use crate::auth::TeamScope;
use crate::db::{Db, Tenant};
use crate::error::{ApiError, ErrorBody};
use crate::limits::Seat;
use actix_web::http::header;
use actix_web::{HttpResponse, get, web};
use bytes::Bytes;
use futures_util::{Stream, stream};
use onelap_protocol::TeamId;
use serde::{Deserialize, Serialize};
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

const DEFAULT_LIMIT: i64 = 50;
const MAX_LIMIT: i64 = 200;
/// Entries that an export reads at once.
const EXPORT_PAGE: i64 = 500;

/// One page of the log.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct AuditPage {
    /// Newest first.
    entries: Vec<Entry>,
    /// Where the next page begins: pass it as `before`; absent on the last page.
    next: Option<Uuid>,
}

#[derive(Deserialize)]
pub(crate) struct AuditQuery {
    actor: Option<String>,
    action: Option<String>,
    from: Option<String>,
    to: Option<String>,
    before: Option<String>,
    limit: Option<String>,
    format: Option<String>,
}

fn id(field: &'static str, text: Option<&str>) -> Result<Option<Uuid>, ApiError> {
    let read = |text: &str| text.parse().map_err(|_| ApiError::invalid(field, "this is not an id"));
    text.map(read).transpose()
}

fn moment(field: &'static str, text: Option<&str>) -> Result<Option<OffsetDateTime>, ApiError> {
    let message = "this is a moment such as 2026-11-20T14:00:00Z";
    // Years that Postgres and a person would not mean either.
    let read = |text: &str| OffsetDateTime::parse(text, &Rfc3339).ok().filter(|at| (1970..=9999).contains(&at.year()));
    text.map(|text| read(text).ok_or_else(|| ApiError::invalid(field, message))).transpose()
}

impl AuditQuery {
    fn filter(&self) -> Result<Filter, ApiError> {
        let word = self.action.as_deref().map(|word| serde_json::from_value(json!(word)));
        let action = word.transpose().map_err(|_| ApiError::invalid("action", "there is no such action"))?;
        Ok(Filter {
            actor: id("actor", self.actor.as_deref())?,
            action,
            from: moment("from", self.from.as_deref())?,
            to: moment("to", self.to.as_deref())?,
        })
    }

    fn limit(&self) -> Result<i64, ApiError> {
        let Some(text) = &self.limit else { return Ok(DEFAULT_LIMIT) };
        let limit = text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
        limit.ok_or_else(|| ApiError::invalid("limit", format!("this is a number from 1 to {MAX_LIMIT}")))
    }
}

/// What was done in the team, newest first.
#[utoipa::path(
    tag = "audit",
    params(
        ("team" = TeamId, Path),
        ("actor" = Option<Uuid>, Query, description = "Done by this person"),
        ("action" = Option<Act>, Query, description = "Of this kind"),
        ("from" = Option<String>, Query, description = "Not before this moment (RFC 3339)"),
        ("to" = Option<String>, Query, description = "Before this moment (RFC 3339)"),
        ("before" = Option<Uuid>, Query, description = "The `next` of the page before"),
        ("limit" = Option<u32>, Query, description = "1 to 200, 50 where absent"),
    ),
    responses(
        (status = 200, body = AuditPage),
        (status = 422, description = "A parameter is not allowed", body = ErrorBody),
    )
)]
#[get("/api/teams/{team}/audit")]
pub(crate) async fn list_audit(
    scope: TeamScope,
    state: web::Data<State>,
    query: web::Query<AuditQuery>,
) -> Result<web::Json<AuditPage>, ApiError> {
    let (filter, limit, before) = (query.filter()?, query.limit()?, id("before", query.before.as_deref())?);
    let mut tx = state.db.tenant(scope.tenant).await?;
    let mut entries = store::list(&mut tx, &filter, before, limit + 1).await?;
    tx.commit().await?;
    let has_more = entries.len() as i64 > limit;
    entries.truncate(limit as usize);
    let next = entries.last().filter(|_| has_more).map(|last| last.id);
    Ok(web::Json(AuditPage { entries, next }))
}

#[derive(Clone, Copy)]
enum Format {
    Csv,
    Lines,
}

impl Format {
    fn parse(text: Option<&str>) -> Result<Self, ApiError> {
        match text {
            None | Some("ndjson") => Ok(Self::Lines),
            Some("csv") => Ok(Self::Csv),
            Some(_) => Err(ApiError::invalid("format", "this is csv or ndjson")),
        }
    }

    fn kind(self) -> (&'static str, &'static str) {
        match self {
            Self::Csv => ("text/csv; charset=utf-8", "audit.csv"),
            Self::Lines => ("application/x-ndjson", "audit.ndjson"),
        }
    }

    fn line(self, entry: &Entry) -> String {
        match self {
            Self::Csv => csv::line(entry),
            Self::Lines => serde_json::to_string(entry).unwrap_or_default() + "\n",
        }
    }
}

/// The log as a file.
#[utoipa::path(
    tag = "audit",
    params(
        ("team" = TeamId, Path),
        ("format" = Option<String>, Query, description = "`csv` or `ndjson`, which it is where absent"),
        ("actor" = Option<Uuid>, Query, description = "Done by this person"),
        ("action" = Option<Act>, Query, description = "Of this kind"),
        ("from" = Option<String>, Query, description = "Not before this moment (RFC 3339)"),
        ("to" = Option<String>, Query, description = "Before this moment (RFC 3339)"),
    ),
    responses(
        (status = 200, description = "One entry a line, newest first", body = String,
         content_type = "application/x-ndjson"),
        (status = 422, description = "A parameter is not allowed", body = ErrorBody),
        (status = 429, description = "Enough other exports run", body = ErrorBody),
    )
)]
#[get("/api/teams/{team}/audit/export")]
pub(crate) async fn export_audit(
    scope: TeamScope,
    state: web::Data<State>,
    query: web::Query<AuditQuery>,
) -> Result<HttpResponse, ApiError> {
    let (filter, format) = (query.filter()?, Format::parse(query.format.as_deref())?);
    let (content_type, name) = format.kind();
    let seat = state.limits.export()?;
    let mut tx = state.db.tenant(scope.tenant).await?;
    audit::write(&mut tx, &By::member(&scope), Act::AuditExported, Subject::Team, json!({ "file": name })).await?;
    tx.commit().await?;
    Ok(HttpResponse::Ok()
        .content_type(content_type)
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
        .streaming(lines(state.db.clone(), scope.tenant, filter, format, seat)))
}

/// Page after page, a transaction each, so that a slow reader holds none open.
fn lines(
    db: Db,
    tenant: Tenant,
    filter: Filter,
    format: Format,
    seat: Seat,
) -> impl Stream<Item = Result<Bytes, ApiError>> {
    let head = match format {
        Format::Csv => csv::HEAD,
        Format::Lines => "",
    };
    stream::try_unfold((Some(None), head), move |(before, head)| {
        // Given back with the stream.
        let _ = &seat;
        let (db, filter) = (db.clone(), filter.clone());
        async move {
            let Some(before) = before else { return Ok(None) };
            let mut tx = db.tenant_export(tenant).await?;
            let page = store::list(&mut tx, &filter, before, EXPORT_PAGE).await?;
            tx.commit().await?;
            let next = page.last().filter(|_| page.len() as i64 == EXPORT_PAGE).map(|last| Some(last.id));
            let text: String = std::iter::once(head.to_owned()).chain(page.iter().map(|e| format.line(e))).collect();
            Ok(Some((Bytes::from(text), (next, ""))))
        }
    })
}

/// Adds the routes.
pub fn routes(config: &mut web::ServiceConfig) {
    config.service(list_audit).service(export_audit);
}
