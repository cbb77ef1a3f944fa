//! The WebSocket to the service: bytes and frames, no policy.
//!
//! One connection is one [`Socket`]: a task that connects and then reads, and one that writes, with a deadline on every
//! write. What happens comes as [`Event`]s on a bounded queue. Dropping the socket ends both tasks.

use crate::api::{refusal, tls_config};
use crate::link::dial::dial;
use crate::link::state::Refusal;
use crate::server::ServerUrl;
use futures_util::{SinkExt, StreamExt, stream::SplitSink, stream::SplitStream};
use onelap_protocol::agent::ServiceMessage;
use onelap_protocol::{AGENT_SUBPROTOCOL, RigToken};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream, client_async_tls_with_config};
use tokio_util::sync::{CancellationToken, DropGuard};

type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// How long one write may take.
pub const WRITE_DEADLINE: Duration = Duration::from_secs(10);
/// Messages between the rig and the writer; where it is full, the rig waits and the spool holds.
const WRITER_QUEUE: usize = 32;
/// Largest message that the agent takes from the service.
const MAX_MESSAGE: usize = 1024 * 1024;

/// What happened to a connection.
#[derive(Debug)]
pub enum Event {
    /// It is open.
    Opened,
    /// The service did not accept it.
    Refused(Refusal),
    /// It could not be opened, or it broke. Nothing follows.
    Lost(String),
    /// A message came.
    Message(Box<ServiceMessage>),
    /// Something else came: the service is there.
    Heard,
}

/// Where to connect, and as whom.
#[derive(Debug, Clone)]
pub struct Target {
    /// The service.
    pub server: ServerUrl,
    /// The rig's token.
    pub token: RigToken,
}

/// A connection, open or opening.
#[derive(Debug)]
pub struct Socket {
    number: u64,
    writer: mpsc::Sender<Message>,
    task: JoinHandle<()>,
    _ends_tasks: DropGuard,
}

impl Socket {
    /// Begins to connect. Events carry `number`, so that those of an earlier connection can be told apart.
    #[must_use]
    pub fn open(target: &Target, number: u64, events: mpsc::Sender<(u64, Event)>) -> Self {
        let (writer, queue) = mpsc::channel(WRITER_QUEUE);
        let stop = CancellationToken::new();
        let (target, token) = (target.clone(), stop.clone());
        let task = tokio::spawn(async move {
            tokio::select! {
                () = token.cancelled() => {}
                () = run(target, number, queue, events) => {}
            }
        });
        Self { number, writer, task, _ends_tasks: stop.drop_guard() }
    }

    /// The connection's number.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Whether the writer takes a message now.
    #[must_use]
    pub fn can_write(&self) -> bool {
        self.writer.capacity() > 0 && !self.writer.is_closed()
    }

    /// The writer's queue, to wait for room in it.
    #[must_use]
    pub fn writer(&self) -> &mpsc::Sender<Message> {
        &self.writer
    }

    /// Hands a message to the writer; `false` where it takes none.
    pub fn send(&self, message: Message) -> bool {
        self.writer.try_send(message).is_ok()
    }

    /// Writes what is queued, closes the connection in order, and waits for the end of it, at most that long.
    pub async fn close(self, at_most: Duration) {
        let Self { writer, mut task, _ends_tasks, .. } = self;
        drop(writer);
        if timeout(at_most, &mut task).await.is_err() {
            task.abort();
        }
    }
}

async fn run(target: Target, number: u64, queue: mpsc::Receiver<Message>, events: mpsc::Sender<(u64, Event)>) {
    let stream = match connect(&target).await {
        Ok(stream) => stream,
        Err(event) => {
            // A rig that listens no more has left this connection.
            let _ = events.send((number, event)).await;
            return;
        }
    };
    if events.send((number, Event::Opened)).await.is_err() {
        return;
    }
    let (sink, stream) = stream.split();
    // Reading goes on while the writer drains; whichever fails ends the connection.
    let why = tokio::select! {
        why = read(stream, number, &events) => why,
        Some(why) = write(sink, queue) => why,
    };
    let _ = events.send((number, Event::Lost(why))).await;
}

async fn connect(target: &Target) -> Result<Stream, Event> {
    let request = request(target).map_err(Event::Lost)?;
    let tls = tls_config().map_err(Event::Lost)?;
    let config = WebSocketConfig::default()
        .read_buffer_size(8 * 1024)
        .write_buffer_size(16 * 1024)
        .max_write_buffer_size(1024 * 1024)
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE));
    let uri = request.uri();
    let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("wss") { 443 } else { 80 });
    let unreachable = |why: &str| Event::Lost(format!("{} cannot be reached: {why}", target.server));
    let stream = dial(uri.host().unwrap_or_default(), port).await.map_err(|why| unreachable(&why))?;
    match client_async_tls_with_config(request, stream, Some(config), Some(Connector::Rustls(tls))).await {
        Ok((stream, _)) => Ok(stream),
        Err(Error::Http(response)) => {
            let body = response.body().as_deref().unwrap_or_default();
            let retry_after_s =
                response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
            Err(Event::Refused(Refusal { retry_after_s, ..refusal(response.status().as_u16(), body) }))
        }
        Err(Error::Protocol(e)) => {
            Err(Event::Lost(format!("{} answers, but not as a 1Lap service does: {e}", target.server)))
        }
        Err(e) => Err(unreachable(&e.to_string())),
    }
}

fn request(target: &Target) -> Result<Request, String> {
    let mut request =
        target.server.ws("/api/agent/ws").into_client_request().map_err(|e| format!("{}: {e}", target.server))?;
    let headers = request.headers_mut();
    let bearer = format!("Bearer {}", target.token.reveal());
    let mut bearer = HeaderValue::try_from(bearer).map_err(|_| "the token is not a header value".to_owned())?;
    bearer.set_sensitive(true);
    headers.insert("authorization", bearer);
    headers.insert("sec-websocket-protocol", HeaderValue::from_static(AGENT_SUBPROTOCOL));
    headers.insert("user-agent", HeaderValue::from_static(concat!("onelap-agent/", env!("CARGO_PKG_VERSION"))));
    Ok(request)
}

/// Reads until the connection ends and says why it did.
async fn read(mut stream: SplitStream<Stream>, number: u64, events: &mpsc::Sender<(u64, Event)>) -> String {
    loop {
        let event = match stream.next().await {
            None => return "the service closed the connection".to_owned(),
            Some(Err(e)) => return format!("the connection broke: {e}"),
            Some(Ok(Message::Close(frame))) => {
                let reason = frame.map(|f| f.reason.to_string()).filter(|reason| !reason.is_empty());
                return reason.unwrap_or_else(|| "the service closed the connection".to_owned());
            }
            Some(Ok(Message::Text(text))) => match serde_json::from_str(&text) {
                Ok(message) => Event::Message(Box::new(message)),
                Err(error) => {
                    // A newer service may say more than this agent knows.
                    tracing::debug!(%error, "a message of the service was not understood");
                    Event::Heard
                }
            },
            Some(Ok(_)) => Event::Heard,
        };
        if events.send((number, event)).await.is_err() {
            return "the agent left".to_owned();
        }
    }
}

/// Writes until the queue is closed and drained (`None`, after the closing handshake's first half), or says what failed.
async fn write(mut sink: SplitSink<Stream, Message>, mut queue: mpsc::Receiver<Message>) -> Option<String> {
    while let Some(first) = queue.recv().await {
        // What waits goes in one write.
        let all = async {
            sink.feed(first).await?;
            while let Ok(more) = queue.try_recv() {
                sink.feed(more).await?;
            }
            sink.flush().await
        };
        match timeout(WRITE_DEADLINE, all).await {
            Ok(Ok(())) => {}
            Ok(Err(e)) => return Some(format!("the connection broke: {e}")),
            Err(_) => return Some("the connection takes nothing any more".to_owned()),
        }
    }
    let _ = timeout(WRITE_DEADLINE, sink.close()).await;
    None
}
