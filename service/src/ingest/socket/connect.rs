//! From a request to an agent's socket: which agents may have one, and what each begins with.

use super::super::io::Out;
use super::super::sessions::Sessions;
use super::super::skew::Skew;
use super::{Agent, CONFIRM_EVERY};
use crate::app::State;
use crate::auth::{self, RigScope};
use crate::error::ApiError;
use crate::limits::Limit;
use crate::telemetry;
use actix_web::http::header::SEC_WEBSOCKET_PROTOCOL;
use actix_web::{HttpRequest, HttpResponse, get, web};
use onelap_protocol::limits::MAX_AGENT_FRAME;
use onelap_protocol::{AGENT_SUBPROTOCOL, ErrorCode};
use std::collections::HashMap;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::Instrument;

#[get("/api/agent/ws")]
pub(super) async fn connect(
    request: HttpRequest,
    payload: web::Payload,
    rig: RigScope,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let offered = request.headers().get_all(SEC_WEBSOCKET_PROTOCOL).filter_map(|v| v.to_str().ok());
    if !offered.flat_map(|v| v.split(',')).any(|p| p.trim() == AGENT_SUBPROTOCOL) {
        return Err(ApiError::UnsupportedVersion(format!(
            "this service speaks {AGENT_SUBPROTOCOL}: get the current agent from the team's rigs page"
        )));
    }
    let (response, session, messages) = actix_ws::handle_with_protocols(&request, payload, &[AGENT_SUBPROTOCOL])
        .map_err(|error| ApiError::Malformed(format!("not a WebSocket handshake: {error}")))?;
    let messages =
        messages.max_frame_size(MAX_AGENT_FRAME).aggregate_continuations().max_continuation_size(MAX_AGENT_FRAME);
    let trace = telemetry::trace_id(&request).to_string();
    let span = tracing::info_span!("agent", %trace, team = %rig.tenant.team(), rig = %rig.rig);
    let seat = state.limits.agent(rig.tenant.team(), rig.rig);
    let seat = match (state.auth.limits.connections.take(&rig.rig.to_string()).await, seat) {
        (Ok(()), Ok(seat)) => seat,
        (_, Err(over)) => return Err(over.into()),
        (Err(_), Ok(_)) => return Err(state.limits.over(Limit::RigConnects).into()),
    };
    let live = state.hub.connect(rig.tenant.team(), rig.rig, &rig.rig_name, rig.token);
    // Revoked between the check and the line above, it would have been cut by nobody.
    let unconfirmed = if rig.is_remembered {
        Some(confirm_later(state.clone(), rig.clone()))
    } else {
        auth::still_valid(&state.db, &rig).await?;
        None
    };
    let out = Out(session);
    let sessions = Sessions {
        recorder: state.recorder.clone(),
        live: live.publisher().clone(),
        out: out.clone(),
        tenant: rig.tenant,
        rig: rig.rig,
        epoch: None,
        streams: HashMap::new(),
        limits: state.limits.clone(),
        turned_away: HashMap::new(),
        called_back: None,
        stopped: CancellationToken::new(),
    };
    let (began, heard) = (Instant::now(), Instant::now());
    let rates = state.limits.rates(rig.tenant.team(), began.into_std());
    let sockets = state.hub.sockets.clone();
    let agent = Agent {
        out,
        live,
        state,
        rig,
        trace,
        began,
        heard,
        skew: Skew::default(),
        sessions,
        rates,
        held_until: None,
        slowed: None,
        pinged: began,
        unconfirmed,
        asked_keyframe: None,
        _seat: seat,
    };
    actix_web::rt::spawn(sockets.track_future(agent.run(messages).instrument(span)));
    Ok(response)
}

/// Checks the token as soon as Postgres answers; a connection that has no right to be is cut.
fn confirm_later(state: web::Data<State>, rig: RigScope) -> DropGuard {
    let ended = CancellationToken::new();
    let guard = ended.clone().drop_guard();
    let check = async move {
        loop {
            tokio::time::sleep(CONFIRM_EVERY).await;
            match auth::still_valid(&state.db, &rig).await {
                Ok(()) => return,
                Err(error) if error.code() == ErrorCode::Unavailable => {}
                Err(_) => {
                    state.auth.remembered.forget(rig.token);
                    return state.hub.cut_token(rig.token);
                }
            }
        }
    };
    actix_web::rt::spawn(async move { ended.run_until_cancelled(check).await });
    guard
}
