//! Agents and viewers that speak the protocol by hand, for what the real ones would never do.

use futures_util::{SinkExt, StreamExt};
use onelap_protocol::agent::{AgentMessage, Lane, Place, Record, ServiceMessage};
use onelap_protocol::race::{
    CarStanding, FinishState, Game, Lap, Phase, PitState, RaceEvent, SessionInfo, SessionKind, Standings,
};
use onelap_protocol::standings::{self, Decoder, Encoder, Field};
use onelap_protocol::viewer::{ViewMessage, ViewerMessage};
use onelap_protocol::{AGENT_SUBPROTOCOL, Batch, CarKey, Channel, Sample, SessionId, TeamId, VIEWER_SUBPROTOCOL};
use serde::de::DeserializeOwned;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderValue, Request};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// How long anything may take before a test says that it did not happen.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// When the sessions of these tests began, by the agent's clock; a batch is a tenth of a second by its sequence later.
pub const BEGAN_MS: u64 = 1_790_000_000_000;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// What came on a socket.
#[derive(Debug, Clone, PartialEq)]
pub enum Came<T> {
    /// A control message.
    Message(T),
    /// A binary frame.
    Binary(Vec<u8>),
    /// The other side closed, with this code.
    Closed(Option<u16>),
}

/// Why no socket came to be: status and body of the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// HTTP status.
    pub status: u16,
    /// Body.
    pub body: String,
}

async fn open(request: Request<()>) -> Result<Socket, Rejected> {
    match connect_async(request).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(response)) => Err(Rejected {
            status: response.status().as_u16(),
            body: String::from_utf8_lossy(response.body().as_deref().unwrap_or_default()).into_owned(),
        }),
        Err(other) => panic!("connection failed: {other}"),
    }
}

async fn next<T: DeserializeOwned>(socket: &mut Socket) -> Came<T> {
    tokio::time::timeout(PATIENCE, whatever(socket)).await.expect("nothing came in time")
}

async fn whatever<T: DeserializeOwned>(socket: &mut Socket) -> Came<T> {
    loop {
        match socket.next().await {
            Some(Ok(Message::Text(text))) => {
                return Came::Message(serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e} in {text}")));
            }
            Some(Ok(Message::Binary(bytes))) => return Came::Binary(bytes.to_vec()),
            Some(Ok(Message::Close(frame))) => return Came::Closed(frame.map(|f| f.code.into())),
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return Came::Closed(None),
        }
    }
}

/// Facts of a session that a test can do with.
#[must_use]
pub fn some_session() -> SessionInfo {
    SessionInfo {
        game: Game::Lmu,
        game_version: Some("1.4.2".into()),
        kind: SessionKind::Race,
        kind_number: Some(1),
        track: "Portimão".into(),
        track_length_m: Some(4_653.0),
        car: CarKey("7-abc123".into()),
        car_name: "Porsche 963".into(),
        class: Some("Hyper".into()),
        number: Some("7".into()),
        entrant: Some("Ours".into()),
        driver: "Jürgen Müller".into(),
        started_at_ms: BEGAN_MS,
        duration_s: Some(14_400.0),
        total_laps: None,
        server: None,
    }
}

/// A lap of our car in such a session.
#[must_use]
pub fn some_lap(lap: u16) -> Lap {
    Lap {
        car: some_session().car,
        lap,
        driver: "Jürgen Müller".into(),
        time_ms: Some(95_000 + u32::from(lap)),
        sectors_ms: [Some(30_000), Some(30_000), Some(35_000 + u32::from(lap))],
        valid: Some(true),
        out_lap: lap == 1,
        in_lap: false,
        position: Some(3),
        class_position: Some(2),
        class: Some("Hyper".into()),
        number: Some("7".into()),
        at_s: f64::from(lap) * 95.0,
        fuel_l: Some(100.0 - 2.5 * f32::from(lap)),
        fuel_kg: None,
        virtual_energy_pct: Some(100.0 - 3.0 * f32::from(lap)),
        compound: Some("Medium".into()),
        tire_wear_pct: Some([1.0, 2.0, 3.0, 4.0]),
    }
}

/// A field of three cars so many seconds into such a session; the leader is ours.
#[must_use]
pub fn some_field(at_s: f64) -> Standings {
    let car = |key: &str, position: u16| CarStanding {
        car: CarKey(key.into()),
        number: Some(key.into()),
        driver: "Jürgen Müller".into(),
        entrant: None,
        car_name: None,
        class: Some("Hyper".into()),
        position,
        class_position: Some(position),
        laps: 1,
        sector: Some(1),
        lap_distance_m: Some((at_s * 60.0).round() as f32),
        gap_s: None,
        gap_laps: None,
        interval_s: None,
        interval_laps: None,
        last_lap_ms: None,
        best_lap_ms: None,
        last_sectors_ms: [None; 3],
        current_sectors_ms: [None; 2],
        pit: PitState::Track,
        pit_stops: 0,
        penalties: 0,
        finish: FinishState::Running,
        compound: None,
        virtual_energy_pct: None,
        xz_m: Some([at_s.round() as f32, 0.25]),
    };
    let cars = vec![car("7-abc123", 1), car("12", 2), car("50", 3)];
    Standings { at_s, time_left_s: None, phase: Phase::Green, yellow_sectors: vec![2], cars }
}

/// A batch of two samples, 50 ms apart, with speed and lap.
#[must_use]
pub fn some_batch(place: Place, at_ms: u64, lap: u16, speed_kmh: f64) -> Vec<u8> {
    some_batch_for(Lane::Live, place, at_ms, lap, speed_kmh)
}

/// The same for a lane.
#[must_use]
pub fn some_batch_for(lane: Lane, place: Place, at_ms: u64, lap: u16, speed_kmh: f64) -> Vec<u8> {
    let mut batch = Batch::default();
    for i in 0..2u32 {
        let mut sample = Sample::new(at_ms + u64::from(i) * 50);
        sample.set(Channel::Speed, speed_kmh + f64::from(i));
        sample.set(Channel::Lap, f64::from(lap));
        sample.set(Channel::SessionTime, sample.at_ms.saturating_sub(BEGAN_MS) as f64 / 1000.0);
        batch.push(&sample);
    }
    let mut frame = Vec::new();
    batch.encode(lane.opcode(), place.session, place.epoch, place.sequence, &mut frame);
    frame
}

/// An agent by hand.
pub struct RawAgent {
    socket: Socket,
    /// The run of the agent that it claims to be.
    pub epoch: u64,
    /// The session that it sends.
    pub session: SessionId,
    /// The sequence that it used last.
    pub sequence: u64,
    /// What it sends for.
    pub lane: Lane,
    /// What it has told of the field.
    pub field: Encoder,
}

impl RawAgent {
    /// Opens a socket with this token and subprotocol and says nothing yet.
    ///
    /// # Errors
    /// The answer of a service that refuses.
    pub async fn open(service: SocketAddr, token: &str, subprotocol: &str) -> Result<Self, Rejected> {
        let mut request = format!("ws://{service}/api/agent/ws").into_client_request().expect("a URL");
        let headers = request.headers_mut();
        headers.insert("authorization", HeaderValue::from_str(&format!("Bearer {token}")).expect("a header"));
        headers.insert("sec-websocket-protocol", HeaderValue::from_str(subprotocol).expect("a header"));
        let socket = open(request).await?;
        Ok(Self { socket, epoch: 1, session: SessionId::new(), sequence: 0, lane: Lane::Live, field: Encoder::new(1) })
    }

    /// Opens a socket, says hello as this run of the agent, and takes the welcome.
    pub async fn connect(service: SocketAddr, token: &str, epoch: u64, sessions: Vec<SessionId>) -> (Self, Vec<Place>) {
        let mut agent = Self::open(service, token, AGENT_SUBPROTOCOL).await.expect("the token is good");
        agent.epoch = epoch;
        let clock_ms = std::time::UNIX_EPOCH.elapsed().expect("after 1970").as_millis() as u64;
        let platform = "test".to_owned();
        agent.say(&AgentMessage::Hello { agent_version: "0.0.0".into(), platform, epoch, clock_ms, sessions }).await;
        match agent.next().await {
            Came::Message(ServiceMessage::Welcome { committed, .. }) => (agent, committed),
            other => panic!("no welcome but {other:?}"),
        }
    }

    /// Sends a control message.
    pub async fn say(&mut self, message: &AgentMessage) {
        self.text(&serde_json::to_string(message).expect("serialises")).await;
    }

    /// Sends any text.
    pub async fn text(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.expect("sent");
    }

    /// Sends any bytes.
    pub async fn binary(&mut self, bytes: Vec<u8>) {
        self.socket.send(Message::binary(bytes)).await.expect("sent");
    }

    /// Sends a text; a connection that has ended is found by who reads.
    pub async fn try_text(&mut self, text: &str) {
        let _ = self.socket.send(Message::text(text)).await;
    }

    /// The same for bytes.
    pub async fn try_binary(&mut self, bytes: Vec<u8>) {
        let _ = self.socket.send(Message::binary(bytes)).await;
    }

    /// The next place in its session.
    pub fn place(&mut self) -> Place {
        self.sequence += 1;
        Place { session: self.session, epoch: self.epoch, sequence: self.sequence }
    }

    /// Sends something to record.
    pub async fn record(&mut self, record: Record) {
        let place = self.place();
        self.say(&AgentMessage::Record { lane: self.lane, place, record }).await;
    }

    /// Begins the session.
    pub async fn begin(&mut self) {
        self.record(Record::Session { info: some_session() }).await;
    }

    /// Completes a lap of our car.
    pub async fn lap(&mut self, lap: u16) {
        self.record(Record::Event { event: RaceEvent::Lap(some_lap(lap)) }).await;
    }

    /// Sends a session of two laps, sequences 1 to 13, and waits until it is committed.
    pub async fn two_laps(&mut self) {
        self.begin().await;
        for lap in 1..=2u16 {
            for i in 0..5 {
                self.batch(lap, 200.0 + f64::from(i)).await;
            }
            self.lap(lap).await;
        }
        self.acknowledged(self.sequence).await;
    }

    /// Sends a batch of this lap.
    pub async fn batch(&mut self, lap: u16, speed_kmh: f64) {
        let place = self.place();
        let at_ms = BEGAN_MS + place.sequence * 100;
        self.binary(some_batch_for(self.lane, place, at_ms, lap, speed_kmh)).await;
    }

    /// Sends the field, and returns the frame.
    pub async fn standings(&mut self, standings: &Standings) -> Vec<u8> {
        let frame = self.field.encode(self.session, standings);
        self.binary(frame.clone()).await;
        frame
    }

    /// Goes on after this sequence, on this lane.
    pub fn go_on(&mut self, lane: Lane, after: u64) {
        (self.lane, self.sequence) = (lane, after);
    }

    /// What comes next.
    pub async fn next(&mut self) -> Came<ServiceMessage> {
        next(&mut self.socket).await
    }

    /// What comes next, however long that takes.
    pub async fn heard(&mut self) -> Came<ServiceMessage> {
        whatever(&mut self.socket).await
    }

    /// Waits until everything up to this sequence is committed.
    pub async fn acknowledged(&mut self, sequence: u64) {
        loop {
            match self.next().await {
                Came::Message(ServiceMessage::Ack { place }) if place.sequence >= sequence => return,
                Came::Message(ServiceMessage::Ack { .. }) => {}
                other => panic!("no acknowledgement but {other:?}"),
            }
        }
    }

    /// Waits until everything up to this sequence of a run of the agent is committed.
    pub async fn acknowledged_at(&mut self, epoch: u64, sequence: u64) {
        loop {
            match self.next().await {
                Came::Message(ServiceMessage::Ack { place }) if (place.epoch, place.sequence) >= (epoch, sequence) => {
                    return;
                }
                Came::Message(ServiceMessage::Ack { .. }) => {}
                other => panic!("no acknowledgement but {other:?}"),
            }
        }
    }

    /// Waits for an error.
    pub async fn error(&mut self) -> (onelap_protocol::ErrorCode, String, bool) {
        loop {
            match self.next().await {
                Came::Message(ServiceMessage::Error { code, message, fatal }) => return (code, message, fatal),
                Came::Message(ServiceMessage::Ack { .. }) => {}
                other => panic!("no error but {other:?}"),
            }
        }
    }
}

/// A viewer by hand.
pub struct RawViewer {
    socket: Socket,
    /// What it was told of the field.
    field: Decoder,
}

impl RawViewer {
    /// Opens a socket with these cookies and this origin.
    ///
    /// # Errors
    /// The answer of a service that refuses.
    pub async fn open(service: SocketAddr, cookies: &str, origin: Option<&str>) -> Result<Self, Rejected> {
        let mut request = format!("ws://{service}/api/live/ws").into_client_request().expect("a URL");
        let headers = request.headers_mut();
        headers.insert("cookie", HeaderValue::from_str(cookies).expect("a header"));
        if let Some(origin) = origin {
            headers.insert("origin", HeaderValue::from_str(origin).expect("a header"));
        }
        headers.insert("sec-websocket-protocol", HeaderValue::from_static(VIEWER_SUBPROTOCOL));
        Ok(Self { socket: open(request).await?, field: Decoder::default() })
    }

    /// Opens a socket with an API key, as a tool of the team's does: no cookie, no origin.
    ///
    /// # Errors
    /// The answer of a service that refuses.
    pub async fn open_with_key(service: SocketAddr, key: &str) -> Result<Self, Rejected> {
        let mut request = format!("ws://{service}/api/live/ws").into_client_request().expect("a URL");
        let headers = request.headers_mut();
        headers.insert("authorization", HeaderValue::from_str(&format!("Bearer {key}")).expect("a header"));
        headers.insert("sec-websocket-protocol", HeaderValue::from_static(VIEWER_SUBPROTOCOL));
        Ok(Self { socket: open(request).await?, field: Decoder::default() })
    }

    /// Sends a message.
    pub async fn say(&mut self, message: &ViewerMessage) {
        self.text(&serde_json::to_string(message).expect("serialises")).await;
    }

    /// Sends any text.
    pub async fn text(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.expect("sent");
    }

    /// Subscribes to a session.
    pub async fn subscribe(&mut self, team: TeamId, session: SessionId) {
        self.say(&ViewerMessage::Subscribe { team, session, max_hz: None, after: None }).await;
    }

    /// What comes next.
    pub async fn next(&mut self) -> Came<ViewMessage> {
        next(&mut self.socket).await
    }

    /// What comes next, however long that takes.
    pub async fn heard(&mut self) -> Came<ViewMessage> {
        whatever(&mut self.socket).await
    }

    /// The next control message for which `pick` gives something; others are passed over.
    pub async fn until<T>(&mut self, mut pick: impl FnMut(ViewMessage) -> Option<T>) -> T {
        loop {
            match self.next().await {
                Came::Message(message) => {
                    if let Some(found) = pick(message) {
                        return found;
                    }
                }
                Came::Binary(_) => {}
                Came::Closed(code) => panic!("closed with {code:?}"),
            }
        }
    }

    /// The next batch; control messages are passed over.
    pub async fn next_batch(&mut self) -> (onelap_protocol::BatchHeader, Batch) {
        loop {
            match self.next().await {
                Came::Binary(bytes) if bytes.first() == Some(&standings::OPCODE) => {}
                Came::Binary(bytes) => return Batch::decode(&bytes).expect("a batch"),
                Came::Message(_) => {}
                Came::Closed(code) => panic!("closed with {code:?}"),
            }
        }
    }

    /// The field after the next frame of it, and that frame; all else is passed over.
    pub async fn next_field(&mut self) -> (Field, Vec<u8>) {
        loop {
            match self.next().await {
                Came::Binary(bytes) if bytes.first() == Some(&standings::OPCODE) => {
                    let field = self.field.apply(&bytes).expect("each frame applies to what came before");
                    return (field.clone(), bytes);
                }
                Came::Binary(_) | Came::Message(_) => {}
                Came::Closed(code) => panic!("closed with {code:?}"),
            }
        }
    }

    /// Passes over everything until the field stands so.
    pub async fn until_field(&mut self, standings: &Standings) {
        while self.next_field().await.0.standings() != *standings {}
    }
}
