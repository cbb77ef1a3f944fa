//! From a request to a viewer's socket: who may have one, and the answer whose body it is.

use super::{CROWDED_RETRY_MS, Viewer};
use crate::app::State;
use crate::auth::{self, Credential};
use crate::error::ApiError;
use crate::limits::Budget;
use crate::live::now_ms;
use crate::live::outbox::Outbox;
use crate::live::veil::Veil;
use crate::telemetry;
use actix_http::ws;
use actix_web::body::BodyStream;
use actix_web::http::header::SEC_WEBSOCKET_PROTOCOL;
use actix_web::{HttpRequest, HttpResponse, get, web};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use onelap_protocol::VIEWER_SUBPROTOCOL;
use onelap_protocol::viewer::ViewMessage;
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

#[get("/api/live/ws")]
pub(super) async fn connect(
    request: HttpRequest,
    payload: web::Payload,
    who: Credential,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    // Other sites can make browsers send cookies, and no header.
    if !matches!(who, Credential::Key(_)) {
        auth::check_origin(&request, &state.config)?;
    }
    let offered = request.headers().get_all(SEC_WEBSOCKET_PROTOCOL).filter_map(|v| v.to_str().ok());
    if !offered.flat_map(|v| v.split(',')).any(|p| p.trim() == VIEWER_SUBPROTOCOL) {
        return Err(ApiError::UnsupportedVersion(format!(
            "this service speaks {VIEWER_SUBPROTOCOL}: reload the page to get the matching one"
        )));
    }
    let mut response = ws::handshake(request.head())
        .map_err(|error| ApiError::Malformed(format!("not a WebSocket handshake: {error}")))?;
    let trace = telemetry::trace_id(&request).to_string();
    let outbox = Outbox::new(&state.hub.figures.viewer);
    outbox.message(&ViewMessage::Hello { server_ms: now_ms(), trace: trace.clone() });
    let veil = Veil::of(&who);
    let seat = match &who {
        Credential::Person(caller) => state.limits.person(caller.user).map(Some),
        Credential::Share(_) | Credential::Key(_) => Ok(None),
    };
    let gone = CancellationToken::new();
    let body = Body { outbox: outbox.clone(), veil, gone: gone.clone() };
    let response = response.insert_header((SEC_WEBSOCKET_PROTOCOL, VIEWER_SUBPROTOCOL)).body(BodyStream::new(body));
    let response = HttpResponse::from(response.map_into_boxed_body());
    let seat = match seat {
        Ok(seat) => seat,
        // Browsers show their pages nothing of an answer that is no socket.
        Err(over) => {
            let reconnect_after_ms = Some(CROWDED_RETRY_MS);
            outbox.message(&ViewMessage::Goodbye { reason: over.to_string(), reconnect_after_ms });
            outbox.close(1013, &over.to_string());
            return Ok(response);
        }
    };
    let sockets = state.hub.sockets.clone();
    let viewer = Viewer {
        id: state.hub.new_id(),
        login: who.login().map(|login| Arc::new(state.auth.revocations.watch(login))),
        who,
        authority: state.authority.watch(),
        teams: HashMap::new(),
        budget: Budget::new(state.limits.config().viewer_messages_per_s, Instant::now().into_std()),
        held_until: None,
        slowed: None,
        _seat: seat,
        outbox,
        state: state.into_inner(),
        watched: Vec::new(),
        subscribed: HashMap::new(),
    };
    let task = viewer.run(payload, gone).instrument(tracing::info_span!("viewer", %trace));
    actix_web::rt::spawn(sockets.track_future(task));
    Ok(response)
}

/// The answer's body. Dropped when the connection is gone.
struct Body {
    outbox: Outbox,
    /// For who may not see everything.
    veil: Option<Veil>,
    gone: CancellationToken,
}

impl Stream for Body {
    type Item = Result<Bytes, std::convert::Infallible>;
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { outbox, veil, .. } = &mut *self;
        match veil {
            None => outbox.poll_next_unpin(cx),
            Some(veil) => veil.poll(outbox, cx).map(|frame| frame.map(Ok)),
        }
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        self.gone.cancel();
    }
}
