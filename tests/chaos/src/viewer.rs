//! Somebody who looks on: watches the team, subscribes to whatever its rigs drive, comes back when the connection is gone,
//! and remembers what was shown when.

use crate::clock::now_ms;
use crate::http;
use crate::stack::Team;
use futures_util::{SinkExt, StreamExt};
use onelap_protocol::standings::{self, Decoder};
use onelap_protocol::viewer::{SeenUpTo, ViewMessage, ViewerMessage};
use onelap_protocol::{Batch, SessionId, VIEWER_SUBPROTOCOL};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// How soon a viewer comes back.
const AGAIN: Duration = Duration::from_millis(250);
/// The service pings more often than this.
const SILENCE: Duration = Duration::from_secs(30);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A batch that was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// Of which session.
    pub session: SessionId,
    /// Which connection of the viewer it came on.
    pub connection: u64,
    /// Its place.
    pub place: (u64, u64),
    /// When it came.
    pub at_ms: u64,
    /// The time of its last sample.
    pub sample_ms: u64,
}

/// What a viewer remembers.
#[derive(Debug, Default)]
pub struct Memory {
    /// Every batch, in order.
    pub shown: Vec<Shown>,
    /// Which rig drives which session.
    pub rig_of: BTreeMap<SessionId, usize>,
    /// Connections that came to be.
    pub connections: u64,
    /// What could not be understood.
    pub complaints: Vec<String>,
}

/// Looks on until the run drops it.
pub async fn look(service: SocketAddr, mut team: Team, memory: Rc<RefCell<Memory>>) {
    loop {
        match open(service, &team.cookies).await {
            Ok(socket) => {
                memory.borrow_mut().connections += 1;
                Viewer { socket, team: &team, memory: &memory, wanted: BTreeSet::new(), fields: BTreeMap::new() }
                    .listen()
                    .await;
            }
            Err(Some(401 | 403)) => {
                if let Ok(cookies) = http::log_in(service).await {
                    team.cookies = cookies;
                }
            }
            Err(_) => {}
        }
        sleep(AGAIN).await;
    }
}

/// The error is the status, where there was an answer.
async fn open(service: SocketAddr, cookies: &str) -> Result<Socket, Option<u16>> {
    let mut request = format!("ws://{service}/api/live/ws").into_client_request().map_err(|_| None)?;
    let headers = request.headers_mut();
    headers.insert("cookie", HeaderValue::from_str(cookies).map_err(|_| None)?);
    headers.insert("origin", HeaderValue::from_static(http::ORIGIN));
    headers.insert("sec-websocket-protocol", HeaderValue::from_static(VIEWER_SUBPROTOCOL));
    match timeout(SILENCE, connect_async(request)).await {
        Ok(Ok((socket, _))) => Ok(socket),
        Ok(Err(Error::Http(response))) => Err(Some(response.status().as_u16())),
        Ok(Err(_)) | Err(_) => Err(None),
    }
}

struct Viewer<'a> {
    socket: Socket,
    team: &'a Team,
    memory: &'a RefCell<Memory>,
    /// Sessions to which it is subscribed.
    wanted: BTreeSet<SessionId>,
    /// What was shown of the field.
    fields: BTreeMap<SessionId, Decoder>,
}

impl Viewer<'_> {
    async fn listen(mut self) {
        let Ok(team) = self.team.id.parse() else { return };
        if self.say(&ViewerMessage::Watch { team }).await.is_err() {
            return;
        }
        while let Ok(Some(Ok(message))) = timeout(SILENCE, self.socket.next()).await {
            let went_on = match message {
                Message::Text(text) => self.text(&text).await,
                Message::Binary(bytes) if bytes.first() == Some(&standings::OPCODE) => {
                    self.field(&bytes);
                    Ok(())
                }
                Message::Binary(bytes) => {
                    self.batch(&bytes);
                    Ok(())
                }
                _ => Ok(()),
            };
            if went_on.is_err() {
                return;
            }
        }
    }

    async fn say(&mut self, message: &ViewerMessage) -> Result<(), ()> {
        let text = serde_json::to_string(message).map_err(drop)?;
        self.socket.send(Message::text(text)).await.map_err(drop)
    }

    async fn text(&mut self, text: &str) -> Result<(), ()> {
        match serde_json::from_str(text) {
            Ok(ViewMessage::Rigs { team, rigs }) => {
                for rig in rigs {
                    let Some(session) = rig.session else { continue };
                    let index = self.team.rigs.iter().position(|id| *id == rig.rig.to_string());
                    if let Some(index) = index {
                        self.memory.borrow_mut().rig_of.insert(session, index);
                    }
                    if self.wanted.insert(session) {
                        let after = self.seen(session);
                        self.say(&ViewerMessage::Subscribe { team, session, max_hz: None, after }).await?;
                    }
                }
                Ok(())
            }
            // Asked for again when the rig is told of next; not at once, or it would be asked for all the time.
            Ok(ViewMessage::Refused { session: Some(session), .. }) => {
                self.wanted.remove(&session);
                sleep(AGAIN).await;
                let team = self.team.id.parse().map_err(drop)?;
                self.say(&ViewerMessage::Watch { team }).await
            }
            Ok(_) => Ok(()),
            Err(error) => {
                self.memory.borrow_mut().complaints.push(format!("a viewer was told what it cannot read: {error}"));
                Ok(())
            }
        }
    }

    /// Each frame applies to what was shown before on this connection.
    fn field(&mut self, bytes: &[u8]) {
        let decoder = standings::peek(bytes).map(|header| self.fields.entry(header.session).or_default());
        if let Err(error) = decoder.and_then(|decoder| decoder.apply(bytes).map(drop)) {
            self.memory
                .borrow_mut()
                .complaints
                .push(format!("a viewer was shown a field that it cannot read: {error}"));
        }
    }

    /// How far a session was shown on any connection, as the page says it when it comes back.
    fn seen(&self, session: SessionId) -> Option<SeenUpTo> {
        let memory = self.memory.borrow();
        let places = memory.shown.iter().filter(|shown| shown.session == session).map(|shown| shown.place);
        places.max().map(|(epoch, sequence)| SeenUpTo { epoch, sequence })
    }

    fn batch(&self, bytes: &[u8]) {
        let mut memory = self.memory.borrow_mut();
        match Batch::decode(bytes) {
            Ok((header, batch)) => {
                let sample_ms = batch.times_ms().last().copied().unwrap_or_default();
                let (connection, place) = (memory.connections, (header.epoch, header.sequence));
                let shown = Shown { session: header.session, connection, place, at_ms: now_ms(), sample_ms };
                memory.shown.push(shown);
            }
            Err(error) => memory.complaints.push(format!("a viewer was shown what it cannot read: {error}")),
        }
    }
}
