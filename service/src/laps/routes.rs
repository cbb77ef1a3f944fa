//! `/api/teams/{team}/sessions/{session}/cars/{car}`, `…/laps/{lap}/trace`, `…/trace` and `/api/channels`.

use crate::app::State;
use crate::auth::ReadScope;
use crate::error::{ApiError, ErrorBody};
use crate::laps::trace::{self, Part};
use crate::laps::{CarHistory, Wanted, store};
use crate::{laps, sessions};
use actix_web::{HttpResponse, get, web};
use onelap_protocol::channel::CHANNELS;
use onelap_protocol::{CarKey, SessionId, TeamId};
use serde::{Deserialize, Serialize};

/// The type of a trace.
const TRACE_TYPE: &str = "application/vnd.onelap.trace";

#[derive(Deserialize)]
pub(crate) struct CarPath {
    session: SessionId,
    car: CarKey,
}

#[derive(Deserialize)]
pub(crate) struct LapPath {
    session: SessionId,
    lap: String,
}

#[derive(Deserialize)]
pub(crate) struct TraceQuery {
    channels: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct SessionPath {
    session: SessionId,
}

#[derive(Deserialize)]
pub(crate) struct StretchQuery {
    from_s: f64,
    to_s: f64,
    channels: Option<String>,
}

/// What one car did in a session.
#[utoipa::path(
    tag = "review",
    params(("team" = TeamId, Path), ("session" = SessionId, Path), ("car" = CarKey, Path)),
    responses(
        (status = 200, description = "Empty where nothing was seen of the car", body = CarHistory),
        (status = 404, description = "No such session", body = ErrorBody),
    )
)]
#[get("/api/teams/{team}/sessions/{session}/cars/{car}")]
pub(crate) async fn car_history(
    scope: ReadScope,
    state: web::Data<State>,
    path: web::Path<CarPath>,
) -> Result<web::Json<CarHistory>, ApiError> {
    let mut tx = state.db.tenant(scope.tenant).await?;
    sessions::check_shown(&mut tx, &scope.reader, path.session).await?;
    sessions::own_car(&mut tx, path.session).await?.ok_or(ApiError::NotFound)?;
    let history = laps::of_car(&mut tx, path.session, &path.car).await?;
    tx.commit().await?;
    Ok(web::Json(history))
}

/// Our car's samples of a lap.
#[utoipa::path(
    tag = "review",
    params(
        ("team" = TeamId, Path),
        ("session" = SessionId, Path),
        ("lap" = u16, Path, description = "Number of the lap, from 1"),
        ("channels" = Option<String>, Query, description = "Names with commas between; all where absent"),
    ),
    responses(
        (status = 200, description = "A batch with opcode 2, see the protocol crate", body = Vec<u8>,
         content_type = "application/vnd.onelap.trace"),
        (status = 404, description = "No such session, or no samples of this lap", body = ErrorBody),
        (status = 422, description = "A channel is not known", body = ErrorBody),
    )
)]
#[get("/api/teams/{team}/sessions/{session}/laps/{lap}/trace")]
pub(crate) async fn lap_trace(
    scope: ReadScope,
    state: web::Data<State>,
    path: web::Path<LapPath>,
    query: web::Query<TraceQuery>,
) -> Result<HttpResponse, ApiError> {
    let wanted = Wanted::parse(query.channels.as_deref())?;
    let lap: u16 = path.lap.parse().map_err(|_| ApiError::invalid("lap", "this is a lap's number, from 1"))?;
    let session = path.session;
    let mut tx = state.db.tenant_export(scope.tenant).await?;
    sessions::check_shown(&mut tx, &scope.reader, session).await?;
    let chunks = store::chunks(&mut tx, session, lap).await?;
    tx.commit().await?;
    answer(session, chunks, Part::Lap(lap), wanted).await
}

/// Our car's samples of a stretch of session time, both ends included.
#[utoipa::path(
    tag = "review",
    params(
        ("team" = TeamId, Path),
        ("session" = SessionId, Path),
        ("from_s" = f64, Query, description = "Session time in seconds"),
        ("to_s" = f64, Query, description = "After `from_s`, by half an hour at most"),
        ("channels" = Option<String>, Query, description = "Names with commas between; all where absent"),
    ),
    responses(
        (status = 200, description = "A batch with opcode 2, see the protocol crate; more samples than it may have are \
         thinned evenly", body = Vec<u8>, content_type = "application/vnd.onelap.trace"),
        (status = 404, description = "No such session, or no samples of this stretch", body = ErrorBody),
        (status = 422, description = "No stretch, or one that is too long; a channel is not known", body = ErrorBody),
    )
)]
#[get("/api/teams/{team}/sessions/{session}/trace")]
pub(crate) async fn session_trace(
    scope: ReadScope,
    state: web::Data<State>,
    path: web::Path<SessionPath>,
    query: web::Query<StretchQuery>,
) -> Result<HttpResponse, ApiError> {
    let wanted = Wanted::parse(query.channels.as_deref())?;
    let part = Part::stretch(query.from_s, query.to_s)?;
    let session = path.session;
    let mut tx = state.db.tenant(scope.tenant).await?;
    sessions::check_shown(&mut tx, &scope.reader, session).await?;
    let chunks = store::chunks_between(&mut tx, session, query.from_s, query.to_s).await?;
    tx.commit().await?;
    answer(session, chunks, part, wanted).await
}

async fn answer(
    session: SessionId,
    chunks: Vec<Vec<u8>>,
    part: Part,
    wanted: Wanted,
) -> Result<HttpResponse, ApiError> {
    let trace = web::block(move || trace::trace(&chunks, session, part, &wanted))
        .await
        .map_err(|error| ApiError::internal(format!("decoding chunks: {error}")))?
        .map_err(|error| ApiError::internal(format!("a chunk of session {session}: {error}")))?
        .ok_or(ApiError::NotFound)?;
    Ok(HttpResponse::Ok().content_type(TRACE_TYPE).body(trace))
}

/// A channel of the catalogue.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ChannelRow {
    /// Number on the wire.
    number: u16,
    /// Name.
    name: &'static str,
    /// Unit; empty for counts and states.
    unit: &'static str,
    /// The value of one step.
    quantum: f64,
    /// What it is about.
    group: &'static str,
}

/// The channels that a sample can have.
#[utoipa::path(tag = "review", security(()), responses((status = 200, body = Vec<ChannelRow>)))]
#[get("/api/channels")]
pub(crate) async fn list_channels() -> HttpResponse {
    let rows: Vec<ChannelRow> = CHANNELS
        .iter()
        .map(|info| ChannelRow {
            number: info.channel.number(),
            name: info.name,
            unit: info.unit,
            quantum: info.quantum,
            group: info.group.name(),
        })
        .collect();
    HttpResponse::Ok().insert_header(("cache-control", "public, max-age=300")).json(rows)
}

/// Adds the routes.
pub fn routes(config: &mut web::ServiceConfig) {
    config.service(car_history).service(lap_trace).service(session_trace).service(list_channels);
}
