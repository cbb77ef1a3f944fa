//! Rigs: one thread that sends every frame at its time, and hears what the service says between two frames.
//!
//! A frame that is late is sent at once, and the ones after it at their own times: the loop stays open. How late the thread
//! itself was is counted, so that its fault is not taken for the server's.

use crate::dialect::Dialect;
use crate::plan::Plan;
use crate::process;
use crate::tally::{Quantiles, Times};
use crate::ws::{self, Came, Incoming, TEXT};
use e2e::sockets::some_session;
use onelap_protocol::agent::{AgentMessage, Lane, Place, Record, ServiceMessage};
use onelap_protocol::batch::OPCODE_SAMPLES;
use onelap_protocol::{AGENT_SUBPROTOCOL, Batch, Sample, SessionId};
use serde::Serialize;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How long anything before the load may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// The run of the agent that every rig claims to be.
pub(crate) const EPOCH: u64 = 1;

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64
}

/// A connection that publishes.
pub(crate) struct Rig {
    stream: TcpStream,
    incoming: Incoming,
    dialect: Dialect,
    pub(crate) session: SessionId,
    /// Sequence of the frame that is sent next.
    next: u64,
    acked: u64,
    /// Errors that the service told, `resend`s, and the close.
    complaints: Vec<String>,
}

impl Rig {
    /// A rig of ours: says hello and begins a session. Its first frame has sequence 2.
    pub(crate) fn connect(service: SocketAddr, token: &str) -> Self {
        let bearer = format!("Bearer {token}");
        let headers = [("Authorization", bearer.as_str()), ("Sec-WebSocket-Protocol", AGENT_SUBPROTOCOL)];
        // The publishing side is the same for all servers but for the envelope; ours is plain binary frames.
        let mut rig = Self::open(service, "/api/agent/ws", &headers, Dialect::Plain);
        let (clock_ms, platform) = (now_ms(), "load".to_owned());
        let hello = AgentMessage::Hello {
            agent_version: "0.0.0".into(),
            platform,
            epoch: EPOCH,
            clock_ms,
            sessions: Vec::new(),
        };
        rig.until("an open socket", |came| matches!(came, Came::Open));
        rig.tell(&hello);
        rig.until("a welcome", |came| matches!(came, Came::Text(text) if contains(text, b"\"welcome\"")));
        let place = Place { session: rig.session, epoch: EPOCH, sequence: 1 };
        rig.tell(&AgentMessage::Record { lane: Lane::Live, place, record: Record::Session { info: some_session() } });
        rig.next = 2;
        rig.ready()
    }

    /// The publisher of a peer.
    pub(crate) fn publisher(server: SocketAddr, dialect: &Dialect) -> Self {
        let path = if matches!(dialect, Dialect::Plain) { "/publish" } else { dialect.viewer_request().0 };
        let mut rig = Self::open(server, path, &[], dialect.clone());
        if matches!(dialect, Dialect::Plain) {
            rig.until("an open socket", |came| matches!(came, Came::Open));
        } else {
            rig.until("engine.io's opening", |came| matches!(came, Came::Text([b'0', ..])));
            rig.send(&ws::masked(TEXT, b"40"));
            rig.until("socket.io's connection", |came| matches!(came, Came::Text([b'4', b'0', ..])));
        }
        rig.ready()
    }

    fn open(server: SocketAddr, path: &str, headers: &[(&str, &str)], dialect: Dialect) -> Self {
        let stream = TcpStream::connect(server).expect("the server listens");
        stream.set_nodelay(true).expect("a socket");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        let mut rig = Self {
            stream,
            incoming: Incoming::default(),
            dialect,
            session: SessionId::new(),
            next: 1,
            acked: 0,
            complaints: Vec::new(),
        };
        rig.send(&ws::upgrade(&server.to_string(), path, headers));
        rig
    }

    fn ready(self) -> Self {
        self.stream.set_nonblocking(true).expect("a socket");
        self
    }

    fn tell(&mut self, message: &AgentMessage) {
        self.send(&ws::masked(TEXT, &serde_json::to_vec(message).expect("a message serialises")));
    }

    /// Waits for what is looked for; what else comes is passed over.
    fn until(&mut self, what: &str, mut is_it: impl FnMut(&Came<'_>) -> bool) {
        let (mut buffer, mut found) = ([0; 4096], false);
        while !found {
            let n = self.stream.read(&mut buffer).unwrap_or_else(|error| panic!("waited for {what}: {error}"));
            assert!(n > 0, "waited for {what}: the server has closed");
            let fed = self.incoming.feed(&buffer[..n], |came| found |= is_it(&came));
            fed.unwrap_or_else(|why| panic!("waited for {what}: {why}"));
        }
    }

    /// Sends all of it. A server that takes nothing is waited for: that is its own delay, not the generator's.
    fn send(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            match self.stream.write(bytes) {
                Ok(n) => bytes = &bytes[n..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::sleep(Duration::from_micros(200)),
                Err(error) => {
                    self.complaints.push(format!("a write failed: {error}"));
                    return;
                }
            }
        }
    }

    /// Reads what the server says: acknowledgements count from when the frame was due.
    fn hear(&mut self, index: usize, plan: &Plan, acks: &mut Times) {
        let mut buffer = [0; 4096];
        while let Ok(n) = self.stream.read(&mut buffer) {
            let (mut answers, now) = (Vec::new(), Instant::now());
            let (acked, complaints) = (&mut self.acked, &mut self.complaints);
            let dialect = &self.dialect;
            let fed = self.incoming.feed(&buffer[..n], |came| match came {
                Came::Ping(payload) => ws::put_masked(ws::PONG, payload, &mut answers),
                Came::Text(b"2") if matches!(dialect, Dialect::SocketIo) => ws::put_masked(TEXT, b"3", &mut answers),
                Came::Text(text) => match serde_json::from_slice(text) {
                    Ok(ServiceMessage::Ack { place }) => {
                        *acked = (*acked).max(place.sequence);
                        acks.record(now.saturating_duration_since(plan.due_at(index, place.sequence)));
                    }
                    Ok(
                        ServiceMessage::Error { .. } | ServiceMessage::Resend { .. } | ServiceMessage::Goodbye { .. },
                    ) => {
                        complaints.push(String::from_utf8_lossy(text).into_owned());
                    }
                    _ => {}
                },
                Came::Close(code, reason) => {
                    complaints.push(format!("closed: {code} {}", String::from_utf8_lossy(reason)));
                }
                _ => {}
            });
            if let Err(why) = fed {
                self.complaints.push(why);
            }
            if !answers.is_empty() {
                self.send(&answers);
            }
            if n < buffer.len() {
                return;
            }
        }
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|w| w == part)
}

/// What the rigs did.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Sent {
    pub(crate) frames: u64,
    pub(crate) samples: u64,
    pub(crate) bytes: u64,
    /// How late the generator was.
    pub(crate) late: Quantiles,
    /// From the moment a frame was due to the acknowledgement of it and all before.
    pub(crate) acks: Quantiles,
    /// Rigs whose every frame was acknowledged, where that was waited for.
    pub(crate) acknowledged: usize,
    /// What servers complained about, the first of them.
    pub(crate) complaints: Vec<String>,
    /// Share of a core that the thread used.
    pub(crate) busy: f64,
}

/// What the rigs send.
#[derive(Clone)]
pub(crate) struct Feed {
    pub(crate) samples: Arc<[Sample]>,
    pub(crate) per_frame: usize,
    /// How long the last acknowledgements are waited for.
    pub(crate) acks_within: Option<Duration>,
}

struct Publisher {
    rigs: Vec<Rig>,
    plan: Arc<Plan>,
    feed: Feed,
    batch: Batch,
    late: Times,
    acks: Times,
    sent: Sent,
}

/// Starts the thread; it ends when the plan says so.
pub(crate) fn spawn(rigs: Vec<Rig>, plan: Arc<Plan>, feed: Feed) -> JoinHandle<Sent> {
    std::thread::spawn(move || {
        let batch = Batch::with_capacity(feed.per_frame);
        let (late, acks, sent) = (Times::default(), Times::default(), Sent::default());
        Publisher { rigs, plan, feed, batch, late, acks, sent }.run()
    })
}

impl Publisher {
    fn run(mut self) -> Sent {
        let (began, cpu) = (Instant::now(), process::thread_cpu_s());
        let epoch_ms = now_ms().saturating_sub(self.plan.start.elapsed().as_millis() as u64);
        // Rigs are due one after the other, round and round.
        let mut turns = (0..self.rigs.len()).cycle();
        while let Some(index) = turns.next().filter(|_| !self.plan.rigs_stopped()) {
            let due = self.plan.due_at(index, self.rigs[index].next);
            let wait = due.saturating_duration_since(Instant::now());
            if !wait.is_zero() {
                std::thread::sleep(wait);
            }
            self.late.record(due.elapsed());
            self.frame(index, epoch_ms);
            self.rigs[index].hear(index, &self.plan, &mut self.acks);
        }
        self.sent.busy = (process::thread_cpu_s() - cpu) / began.elapsed().as_secs_f64();
        if let Some(patience) = self.feed.acks_within {
            self.await_acks(patience);
        }
        let complaints = self.rigs.iter_mut().flat_map(|rig| std::mem::take(&mut rig.complaints));
        self.sent.complaints = complaints.take(5).collect();
        Sent { late: self.late.figures(), acks: self.acks.figures(), ..self.sent }
    }

    fn frame(&mut self, index: usize, epoch_ms: u64) {
        let (rig, feed) = (&mut self.rigs[index], &self.feed);
        let n = (rig.next - self.plan.first()) as usize;
        let due_ms = epoch_ms + self.plan.due(index, rig.next).as_millis() as u64;
        let start = (n + index * 7) * feed.per_frame % (feed.samples.len() - feed.per_frame);
        let step_ms = self.plan.period_ms() / feed.per_frame as u64;
        self.batch.clear();
        for (i, sample) in feed.samples[start..start + feed.per_frame].iter().enumerate() {
            let mut sample = sample.clone();
            sample.at_ms = due_ms + i as u64 * step_ms;
            self.batch.push(&sample);
        }
        let mut frame = Vec::new();
        self.batch.encode(OPCODE_SAMPLES, rig.session, EPOCH, rig.next, &mut frame);
        let bytes = rig.dialect.publish(&frame);
        rig.send(&bytes);
        rig.next += 1;
        self.sent.frames += 1;
        self.sent.samples += feed.per_frame as u64;
        self.sent.bytes += frame.len() as u64;
    }

    fn await_acks(&mut self, patience: Duration) {
        let deadline = Instant::now() + patience;
        let is_done = |rig: &Rig| rig.acked + 1 >= rig.next;
        while Instant::now() < deadline && !self.rigs.iter().all(is_done) {
            for (index, rig) in self.rigs.iter_mut().enumerate() {
                rig.hear(index, &self.plan, &mut self.acks);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        self.sent.acknowledged = self.rigs.iter().filter(|rig| is_done(rig)).count();
    }
}
