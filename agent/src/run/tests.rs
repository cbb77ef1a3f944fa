//! A rig with a scripted game, against a service that is a real WebSocket server in the test.

use super::*;
use crate::raw::Raw;
use crate::reading::Reading;
use crate::recording::Recorder;
use crate::source::queue::{RawSink, raw_queue};
use crate::testing::{Scripted, sample, say, session_info};
use futures_util::{SinkExt, StreamExt};
use onelap_protocol::agent::{AgentMessage, EndReason, Place, Record, ServiceMessage};
use onelap_protocol::limits::Limits;
use onelap_protocol::race::Game;
use onelap_protocol::{AGENT_SUBPROTOCOL, Batch, Channel, ErrorCode, RigId, TeamId};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};

/// Nothing in these tests takes nearly as long.
const SOON: Duration = Duration::from_secs(15);

fn token() -> RigToken {
    RigToken::assemble("0a1b2c3d4e5f", &"x".repeat(40)).unwrap()
}

/// The service.
struct Service {
    listener: TcpListener,
}

/// One connection of an agent.
struct Connected {
    stream: WebSocketStream<TcpStream>,
}

/// What an agent sent.
#[derive(Debug)]
enum Got {
    Control(Box<AgentMessage>),
    Batch(Place, Batch),
    Closed,
}

impl Service {
    async fn start() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").await.unwrap() }
    }

    fn url(&self) -> ServerUrl {
        ServerUrl::parse(&format!("http://{}", self.listener.local_addr().unwrap())).unwrap()
    }

    /// Accepts the next connection, with the token and the subprotocol that it must have.
    async fn accept(&self) -> Connected {
        #[expect(clippy::result_large_err, reason = "the type is the library's")]
        let check = |request: &Request, mut response: Response| -> Result<Response, ErrorResponse> {
            assert_eq!(request.uri().path(), "/api/agent/ws");
            assert_eq!(request.headers()["authorization"], format!("Bearer {}", token().reveal()));
            assert_eq!(request.headers()["sec-websocket-protocol"], AGENT_SUBPROTOCOL);
            response.headers_mut().insert("sec-websocket-protocol", AGENT_SUBPROTOCOL.parse().unwrap());
            Ok(response)
        };
        let (stream, _) = timeout(SOON, self.listener.accept()).await.unwrap().unwrap();
        Connected { stream: accept_hdr_async(stream, check).await.unwrap() }
    }

    /// Refuses the next connection.
    async fn refuse(&self, status: u16, body: &str) {
        let body = body.to_owned();
        #[expect(clippy::result_large_err, reason = "the type is the library's")]
        let refuse = move |_: &Request, _: Response| {
            let mut response = ErrorResponse::new(Some(body));
            *response.status_mut() = status.try_into().unwrap();
            Err(response)
        };
        let (stream, _) = timeout(SOON, self.listener.accept()).await.unwrap().unwrap();
        assert!(accept_hdr_async(stream, refuse).await.is_err());
    }
}

fn welcome(committed: Vec<Place>) -> ServiceMessage {
    ServiceMessage::Welcome {
        team: TeamId::new(),
        team_name: "Ours".into(),
        rig: RigId::new(),
        rig_name: "RIG_A".into(),
        committed,
        limits: Limits::default(),
        server_ms: unix_ms(),
        trace: "t".into(),
    }
}

impl Connected {
    async fn next(&mut self) -> Got {
        loop {
            match timeout(SOON, self.stream.next()).await.expect("the agent sends nothing") {
                Some(Ok(Message::Text(text))) => return Got::Control(Box::new(serde_json::from_str(&text).unwrap())),
                Some(Ok(Message::Binary(bytes))) => {
                    let (header, batch) = Batch::decode(&bytes).unwrap();
                    let (session, epoch, sequence) = (header.session, header.epoch, header.sequence);
                    return Got::Batch(Place { session, epoch, sequence }, batch);
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Got::Closed,
                Some(Ok(_)) => {}
            }
        }
    }

    async fn say(&mut self, message: &ServiceMessage) {
        self.stream.send(Message::text(serde_json::to_string(message).unwrap())).await.unwrap();
    }

    /// Takes hello, says welcome, and returns the sessions that hello named.
    async fn greet(&mut self, committed: Vec<Place>) -> Vec<onelap_protocol::SessionId> {
        let Got::Control(hello) = self.next().await else { panic!("no hello") };
        let AgentMessage::Hello { sessions, .. } = *hello else { panic!("{hello:?} is no hello") };
        self.say(&welcome(committed)).await;
        sessions
    }

    /// The next recorded item: its place and what it is, in a word or as the speeds of its samples.
    async fn recorded(&mut self) -> (Place, String) {
        loop {
            match self.next().await {
                Got::Batch(place, batch) => {
                    let speeds: Vec<_> = (0..batch.len()).map(|i| batch.value(Channel::Speed, i).unwrap()).collect();
                    return (place, format!("{speeds:?}"));
                }
                Got::Control(message) => match *message {
                    AgentMessage::Record { place, record, .. } => {
                        let word = match record {
                            Record::Session { info } => info.track,
                            Record::End { reason } => format!("end {reason:?}"),
                            other => format!("{other:?}"),
                        };
                        return (place, word);
                    }
                    AgentMessage::Status { .. } => {}
                    other => panic!("{other:?} is not recorded"),
                },
                Got::Closed => panic!("the agent left"),
            }
        }
    }
}

/// A rig whose game says what the script has.
struct Bench {
    sink: RawSink,
    status: watch::Receiver<RigStatus>,
    stop: CancellationToken,
    why: Reason,
    task: JoinHandle<()>,
}

impl Bench {
    fn start(server: ServerUrl, script: Vec<Vec<Reading>>) -> Self {
        Self::start_with(Spool::new(1, 1 << 20), server, script)
    }

    fn start_with(spool: Spool, server: ServerUrl, script: Vec<Vec<Reading>>) -> Self {
        let clock = Clock::start();
        let (sink, queue) = raw_queue(clock);
        let (sender, status) = watch::channel(RigStatus::new("rig", 20));
        let pipeline = Pipeline::new(vec![Box::new(Scripted(script))], Sampler::new(20, 100), spool);
        let why = Reason::default();
        let rig = Rig::new(Target { server, token: token() }, clock, queue, false, pipeline, why.clone(), sender);
        let stop = CancellationToken::new();
        Self { sink, status, task: tokio::spawn(rig.run(stop.clone())), stop, why }
    }

    async fn until(&mut self, what: &str, is: impl FnMut(&RigStatus) -> bool) -> RigStatus {
        let status = timeout(SOON, self.status.wait_for(is)).await;
        status.unwrap_or_else(|_| panic!("never {what}")).unwrap().clone()
    }
}

fn script() -> Vec<Vec<Reading>> {
    vec![
        vec![Reading::SessionStarted(Box::new(session_info(Game::Lmu, "Monza"))), sample(1_000, 100.0)],
        vec![sample(1_050, 110.0), Reading::SessionEnded(EndReason::Left)],
        vec![sample(1_050, 120.0)],
    ]
}

#[tokio::test]
async fn a_rig_streams_and_forgets_what_is_committed() {
    let service = Service::start().await;
    let mut rig = Bench::start(service.url(), script());
    let mut agent = service.accept().await;
    assert!(agent.greet(vec![]).await.is_empty());
    rig.until("connected", RigStatus::connected).await;
    rig.sink.send(say(0));
    let (first, what) = agent.recorded().await;
    assert_eq!((first.sequence, what.as_str()), (1, "Monza"));
    rig.sink.send(say(1));
    let mut last = first;
    for expected in ["[100.0]", "[110.0]", "end Left"] {
        let (place, what) = agent.recorded().await;
        // Both samples may have come within the time of one batch.
        if what == "[100.0, 110.0]" && expected == "[100.0]" {
            last = agent.recorded().await.0;
            break;
        }
        assert_eq!(what, expected);
        assert_eq!((place.session, place.sequence), (last.session, last.sequence + 1));
        last = place;
    }
    let waiting = rig.until("waiting for an acknowledgement", |status| status.samples == 2).await;
    assert!(waiting.spool_bytes > 0);
    agent.say(&ServiceMessage::Ack { place: last }).await;
    let done = rig.until("acknowledged", |status| status.spool_bytes == 0).await;
    assert_eq!((done.acked, done.session), (Some(last), None));
    assert!(done.bytes_sent > 0);
}

#[tokio::test]
async fn what_was_not_committed_comes_again_after_the_connection_broke() {
    let service = Service::start().await;
    let rig = Bench::start(service.url(), script());
    rig.sink.send(say(0));
    let mut agent = service.accept().await;
    agent.greet(vec![]).await;
    let (first, _) = agent.recorded().await;
    agent.recorded().await;
    drop(agent);
    rig.sink.send(say(2));
    let mut agent = service.accept().await;
    assert_eq!(agent.greet(vec![first]).await, [first.session]);
    let (again, what) = agent.recorded().await;
    assert_eq!((again.sequence, what.as_str()), (2, "[100.0]"));
    let (new, what) = agent.recorded().await;
    assert_eq!((new.sequence, what.as_str()), (3, "[120.0]"));
}

#[tokio::test]
async fn a_token_that_is_refused_is_shown() {
    let service = Service::start().await;
    let mut rig = Bench::start(service.url(), script());
    service.refuse(401, r#"{"error":{"code":"token_revoked","message":"revoked"}}"#).await;
    let status = rig.until("told", |status| status.needs_help).await;
    assert!(status.problem.unwrap().contains("was revoked"));
}

#[tokio::test]
async fn a_live_connection_whose_token_is_revoked_is_given_up() {
    let service = Service::start().await;
    let mut rig = Bench::start(service.url(), script());
    let mut agent = service.accept().await;
    agent.greet(vec![]).await;
    let message = "the token was revoked".to_owned();
    agent.say(&ServiceMessage::Error { code: ErrorCode::TokenRevoked, message, fatal: true }).await;
    let status = rig.until("told", |status| status.needs_help).await;
    assert!(!status.connected());
    while !matches!(agent.next().await, Got::Closed) {}
}

#[tokio::test]
async fn a_rig_that_is_stopped_sends_what_waits_and_says_goodbye() {
    let service = Service::start().await;
    let rig = Bench::start(service.url(), script());
    let mut agent = service.accept().await;
    agent.greet(vec![]).await;
    rig.sink.send(say(0));
    let (first, _) = agent.recorded().await;
    rig.stop.cancel();
    let (batch, what) = agent.recorded().await;
    assert_eq!(what, "[100.0]", "the batch that was begun");
    assert_eq!(batch.sequence, first.sequence + 1);
    let (end, what) = agent.recorded().await;
    assert_eq!((end.sequence, what.as_str()), (batch.sequence + 1, "end AgentStopped"));
    agent.say(&ServiceMessage::Ack { place: end }).await;
    assert!(matches!(agent.next().await, Got::Control(message) if matches!(*message, AgentMessage::Bye { .. })));
    assert!(matches!(agent.next().await, Got::Closed));
    drop(agent);
    timeout(SOON, rig.task).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_rig_without_a_service_ends_at_once() {
    let nowhere = ServerUrl::parse("http://127.0.0.1:9").unwrap();
    let mut rig = Bench::start(nowhere, script());
    rig.sink.send(say(0));
    let status = rig.until("told", |status| status.problem.is_some() && status.spool_bytes > 0).await;
    assert!(status.line().contains("offline"), "{}", status.line());
    rig.stop.cancel();
    timeout(SOON, rig.task).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_recording_is_played_to_its_end_and_the_agent_finishes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.1lap");
    let mut recorder = Recorder::new(fs::File::create(&path).unwrap()).unwrap();
    for i in 0..20 {
        recorder.write(crate::raw::Stamp { unix_ms: i * 250, mono_ms: i * 250 }, &Raw::Tick).unwrap();
    }
    recorder.finish().unwrap();
    let service = Service::start().await;
    let rig = RigOptions { name: "rig".into(), token: token(), game: GameChoice::Auto, f1_port: 0, f1_sender: None };
    let mut options = AgentOptions {
        server: service.url(),
        rigs: vec![rig],
        sample_hz: 20,
        batch_ms: 100,
        spool: SpoolPlace::Memory,
        input: Input::Replay { path, speed: 1_000.0 },
    };
    let mut agent = Agent::spawn(&options).unwrap();
    timeout(SOON, agent.finished()).await.unwrap();
    assert_eq!(agent.shortfall(), None);
    agent.stop().await;

    // One that lost its end, or was damaged, is played up to there and says so.
    let whole = fs::read(folder.path().join("a.1lap")).unwrap();
    let mut damaged = whole.clone();
    damaged[whole.len() / 2] ^= 0x55;
    for (bytes, why) in [(&whole[..whole.len() - 6], "end is missing"), (&damaged, "damaged")] {
        let path = folder.path().join("short");
        fs::write(&path, bytes).unwrap();
        options.input = Input::Replay { path, speed: 1_000.0 };
        let mut agent = Agent::spawn(&options).unwrap();
        timeout(SOON, agent.finished()).await.unwrap();
        assert!(agent.shortfall().is_some_and(|short| short.contains(why)), "{:?}", agent.shortfall());
        agent.stop().await;
    }
    options.input = Input::Replay { path: folder.path().join("none"), speed: 1.0 };
    let error = Agent::spawn(&options).unwrap_err();
    assert!(matches!(error, AgentError::Recording { .. }) && error.to_string().contains("none"), "{error}");
}

#[tokio::test]
async fn what_was_read_is_sent_by_the_next_agent_if_this_one_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let open = |unix_ms| Spool::open(folder.path(), 0, 1 << 20, unix_ms).unwrap();
    let service = Service::start().await;
    let mut rig = Bench::start_with(open(1_000), service.url(), script());
    rig.sink.send(say(0));
    rig.until("read", |status| status.samples == 1).await;
    rig.task.abort();
    assert!(rig.task.await.unwrap_err().is_cancelled());

    let rig = Bench::start_with(open(2_000), service.url(), script());
    let mut agent = loop {
        // The connection that the first one had begun may still be there.
        let mut agent = service.accept().await;
        if let Got::Control(_) = agent.next().await {
            agent.say(&welcome(vec![])).await;
            break agent;
        }
    };
    let (first, what) = agent.recorded().await;
    assert_eq!((first.epoch, first.sequence, what.as_str()), (1_000, 1, "Monza"));
    let (second, what) = agent.recorded().await;
    assert_eq!((second, what.as_str()), (Place { sequence: 2, ..first }, "[100.0]"));
    rig.sink.send(say(0));
    let (next, what) = agent.recorded().await;
    assert_eq!((next.epoch, next.sequence, what.as_str()), (2_000, 1, "Monza"));
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_is_told_once_and_the_rig_runs() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let rig = RigOptions { name: "rig".into(), token: token(), game: GameChoice::F1, f1_port: 0, f1_sender: None };
    let service = Service::start().await;
    let mut options = AgentOptions {
        server: service.url(),
        rigs: vec![rig],
        sample_hz: 20,
        batch_ms: 100,
        spool: SpoolPlace::Disk { folder: file.clone(), cap_bytes: 0 },
        input: Input::Games(Games { lmu: None, f1: true }),
    };
    let agent = Agent::spawn(&options).unwrap();
    let mut connected = service.accept().await;
    connected.greet(vec![]).await;
    let mut status = agent.status();
    let status = timeout(SOON, status.wait_for(|s| s.spool_problem.is_some())).await.unwrap().unwrap().clone();
    assert!(status.line().contains(&file.display().to_string()), "{}", status.line());
    assert!(status.line().contains("--spool-dir"), "{}", status.line());
    agent.stop().await;

    // One agent at a time.
    options.spool = SpoolPlace::Disk { folder: folder.path().join("spool"), cap_bytes: 0 };
    let first = Agent::spawn(&options).unwrap();
    let second = Agent::spawn(&options).unwrap_err().to_string();
    assert!(second.contains("another agent"), "{second}");
    first.kill();
}

#[tokio::test]
async fn a_rig_with_a_disk_that_is_stopped_leaves_its_session_open_and_does_not_wait_for_acknowledgements() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start().await;
    let spool = Spool::open(folder.path(), 0, 1 << 20, 1_000).unwrap();
    let rig = Bench::start_with(spool, service.url(), script());
    let mut agent = service.accept().await;
    agent.greet(vec![]).await;
    rig.sink.send(say(0));
    let (first, _) = agent.recorded().await;
    rig.why.set("the PC shuts down").unwrap();
    rig.stop.cancel();
    let (batch, what) = agent.recorded().await;
    assert_eq!((batch.sequence, what.as_str()), (first.sequence + 1, "[100.0]"), "the batch that was begun");
    let Got::Control(bye) = agent.next().await else { panic!("no goodbye") };
    assert_eq!(*bye, AgentMessage::Bye { reason: "the PC shuts down".into() });
    assert!(matches!(agent.next().await, Got::Closed));
    drop(agent);
    timeout(STOP, rig.task).await.unwrap().unwrap();
    let left = Spool::open(folder.path(), 0, 1 << 20, 2_000).unwrap();
    assert_eq!(left.items(), 2, "what is not acknowledged is kept");
}

#[tokio::test]
async fn what_is_kept_under_an_earlier_token_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let rig = RigOptions { name: "rig".into(), token: token(), game: GameChoice::F1, f1_port: 0, f1_sender: None };
    let place = SpoolPlace::Disk { folder: folder.path().to_owned(), cap_bytes: 0 };
    for name in ["rig-aaaaaaaaaaaa", "rig-bbbbbbbbbbbb", "other-cccccccccccc", &folder_of(&rig)] {
        let mut spool = Spool::open(&folder.path().join(name), 0, 1 << 20, 1_000).unwrap();
        if !name.contains('b') || name.starts_with("other") {
            spool.push_record(onelap_protocol::SessionId::new(), Record::End { reason: EndReason::Left }).unwrap();
        }
        spool.close();
    }
    let told = leftovers(&place, std::slice::from_ref(&rig));
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("rig-aaaaaaaaaaaa") && told[0].contains("0.0 MB"), "{told:?}");
    assert!(leftovers(&SpoolPlace::Memory, &[rig]).is_empty());
}

#[tokio::test]
async fn a_folder_that_can_be_used_later_is_used_later() {
    let place = tempfile::tempdir().unwrap();
    let (file, folder) = (place.path().join("file"), place.path().join("file/spool"));
    fs::write(&file, "").unwrap();
    let service = Service::start().await;
    let spool = Spool::open_or_wait(&folder, 0, 1 << 20, unix_ms()).unwrap();
    let mut rig = Bench::start_with(spool, service.url(), script());
    let mut agent = service.accept().await;
    agent.greet(vec![]).await;
    rig.sink.send(say(0));
    agent.recorded().await;
    rig.until("told", |status| status.spool_problem.is_some()).await;
    fs::remove_file(&file).unwrap();
    let all_is_well = rig.status.wait_for(|status| status.spool_problem.is_none());
    timeout(3 * SOON, all_is_well).await.expect("the folder is used").unwrap();
    assert!(folder.join("state.json").exists());
}
