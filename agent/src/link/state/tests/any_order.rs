//! The link and a service that keeps what it commits and shows what it is shown, in any order of events: lost connections,
//! full queues, late acknowledgements, agents that are killed, sessions that follow each other.

use super::*;
use crate::link::cursors::MUCH;
use proptest::prelude::*;
use service::Service;
use std::collections::HashMap;
use std::path::Path;

mod service;

const MEMORY: usize = 1 << 22;

#[derive(Debug, Clone)]
enum Happens {
    Items(u32),
    Session,
    Over,
    LeftBehind,
    Standings,
    Run(u64),
    Connect,
    Refused(u16),
    Lost,
    Full(bool),
    Look,
    Commit { session: usize, back: u64, told: bool },
    Error { fatal: bool },
    Goodbye(u32),
    Writable(bool),
    Killed { goes_on: bool },
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        8 => prop_oneof![1u32..4, 20u32..60].prop_map(Happens::Items),
        2 => Just(Happens::Session),
        1 => Just(Happens::Over),
        1 => Just(Happens::LeftBehind),
        2 => Just(Happens::Standings),
        8 => (1u64..3_000).prop_map(Happens::Run),
        8 => Just(Happens::Connect),
        1 => prop_oneof![Just(401u16), Just(426), Just(503), Just(429)].prop_map(Happens::Refused),
        2 => Just(Happens::Lost),
        2 => any::<bool>().prop_map(Happens::Full),
        2 => Just(Happens::Look),
        6 => (0usize..4, 0u64..30, any::<bool>()).prop_map(|(session, back, told)| Happens::Commit { session, back, told }),
        1 => any::<bool>().prop_map(|fatal| Happens::Error { fatal }),
        1 => (0u32..5_000).prop_map(Happens::Goodbye),
        2 => prop::bool::weighted(0.8).prop_map(Happens::Writable),
        1 => prop::bool::weighted(0.7).prop_map(|goes_on| Happens::Killed { goes_on }),
    ]
}

/// The agent's side of the test.
struct Model<'a> {
    bench: Bench,
    service: Service,
    folder: Option<&'a Path>,
    /// Everything that was given to the spool, by session.
    given: HashMap<SessionId, Vec<Place>>,
    /// Whether the socket is open.
    is_open: bool,
    free_since_ms: Option<u64>,
    attempts: u32,
    acked: HashMap<SessionId, Place>,
    /// Times at which something was backfilled.
    backfilled: Vec<u64>,
    /// What this connection was told of the field.
    field: Decoder,
}

impl<'a> Model<'a> {
    fn new(folder: Option<&'a Path>) -> Self {
        let mut model = Self {
            bench: Bench::new(),
            service: Service::default(),
            folder,
            given: HashMap::new(),
            is_open: false,
            free_since_ms: None,
            attempts: 0,
            acked: HashMap::new(),
            backfilled: Vec::new(),
            field: Decoder::default(),
        };
        model.bench.outbox = Outbox::new(model.spool());
        model
    }

    fn spool(&self) -> Spool {
        self.folder.map_or_else(|| Spool::new(5, MEMORY), |folder| Spool::open(folder, 0, MEMORY, 5).unwrap())
    }

    fn push(&mut self, session: SessionId, record: Record) -> u64 {
        let outbox = &mut self.bench.outbox;
        self.given.entry(session).or_default().push(outbox.spool.next_place(session));
        outbox.spool.push_record(session, record).unwrap()
    }

    fn session_record() -> Record {
        Record::Session { info: session_info(Game::Lmu, "Monza") }
    }

    fn begin_session(&mut self, session: SessionId) {
        self.end_session();
        let first_serial = self.push(session, Self::session_record());
        let info = Box::new(session_info(Game::Lmu, "Monza"));
        self.bench.outbox.about = Some(About { session, info, first_serial, setup: None });
        self.service.begun.push(session);
    }

    fn end_session(&mut self) {
        if let Some(about) = self.bench.outbox.about.take() {
            self.push(about.session, Record::End { reason: EndReason::Left });
        }
    }

    /// The process dies, and the next one goes on in the session or not.
    fn killed(&mut self, goes_on: bool) {
        let Some(folder) = self.folder else { return };
        let session = self.bench.outbox.about.as_ref().map(|about| about.session);
        self.bench.outbox = Outbox::new(Spool::new(0, 0));
        self.bench.outbox = Outbox::new(Spool::open(folder, 0, MEMORY, 5).unwrap());
        self.bench.link = LinkState::new("0.1.0", "linux", self.bench.now_ms);
        (self.is_open, self.free_since_ms, self.attempts) = (false, None, 0);
        self.acked.clear();
        if let Some(session) = session.filter(|_| goes_on) {
            let first_serial = self.push(session, Self::session_record());
            let info = Box::new(session_info(Game::Lmu, "Monza"));
            self.bench.outbox.about = Some(About { session, info, first_serial, setup: None });
        }
    }

    fn connect(&mut self) {
        let now_ms = self.bench.now_ms;
        self.bench.link.connected(now_ms);
        self.run(0);
        if let (true, Phase::Greeting { said_hello: true, .. }) = (self.is_open, &self.bench.link.phase) {
            let committed = self.service.connected();
            self.field = Decoder::default();
            self.bench.hear(welcome(committed));
            let outbox = &mut self.bench.outbox;
            let (end, running) = (outbox.spool.next_serial(), outbox.about.as_ref().map(|about| about.session));
            self.service.waited = outbox.spool.items();
            self.service.newest = end.checked_sub(1).and_then(|last| outbox.spool.at(last)).map(|item| item.place);
            self.service.newest = self.service.newest.filter(|newest| Some(newest.session) == running);
            self.service.old = self.given.values().flatten().map(|place| (*place, running)).collect();
        }
    }

    fn commit(&mut self, session: usize, back: u64, told: bool) {
        if let Some(place) = self.service.commit(session, back).filter(|_| told && self.bench.link.is_live()) {
            self.bench.hear(ServiceMessage::Ack { place });
        }
    }

    fn look(&mut self) {
        if self.bench.link.is_live() {
            for place in self.service.asks() {
                self.bench.hear(ServiceMessage::Resend { place });
            }
        }
    }

    fn step(&mut self, event: &Happens) {
        let now_ms = self.bench.now_ms;
        match event {
            Happens::Items(n) => {
                for _ in 0..*n {
                    let Some(about) = &self.bench.outbox.about else { break };
                    let session = about.session;
                    self.push(session, Self::session_record());
                }
            }
            Happens::Session => self.begin_session(SessionId::new()),
            Happens::Over => self.end_session(),
            Happens::LeftBehind => {
                let session = SessionId::new();
                self.bench.outbox.leave_behind(session);
                self.push(session, Self::session_record());
                self.push(session, Record::End { reason: EndReason::AgentStopped });
            }
            Happens::Standings => self.bench.outbox.set_standings(standings()),
            Happens::Run(ms) => self.run(*ms),
            Happens::Connect => self.connect(),
            Happens::Refused(status) => {
                if self.is_open && !self.bench.link.is_live() {
                    self.bench.link.refused(
                        &Refusal { status: *status, code: None, message: "no".into(), retry_after_s: None },
                        now_ms,
                    );
                    self.is_open = false;
                }
            }
            Happens::Lost => {
                self.bench.link.lost("lost", now_ms);
                self.is_open = false;
            }
            Happens::Full(is_full) => self.service.is_full = *is_full,
            Happens::Look => self.look(),
            Happens::Commit { session, back, told } => self.commit(*session, *back, *told),
            Happens::Error { fatal } => {
                self.bench.hear(ServiceMessage::Error {
                    code: ErrorCode::Internal,
                    message: "no".into(),
                    fatal: *fatal,
                });
            }
            Happens::Goodbye(reconnect_after_ms) => {
                self.bench
                    .hear(ServiceMessage::Goodbye { reason: "bye".into(), reconnect_after_ms: *reconnect_after_ms });
            }
            Happens::Writable(can_write) => self.bench.can_write = *can_write,
            Happens::Killed { goes_on } => self.killed(*goes_on),
        }
        self.run(0);
    }

    /// Does what the link says for so many milliseconds.
    fn run(&mut self, ms: u64) {
        let end_ms = self.bench.now_ms + ms;
        let mut steps = 0;
        loop {
            steps += 1;
            assert!(steps < 2_000 + ms, "busy");
            if self.attempts > 0 && matches!(self.bench.link.phase, Phase::Waiting { .. }) {
                self.free_since_ms.get_or_insert(self.bench.now_ms);
            }
            match self.bench.next() {
                Action::Wait(until_ms) => {
                    assert!(until_ms > self.bench.now_ms, "a wait that is over: {until_ms} at {}", self.bench.now_ms);
                    if self.bench.now_ms == end_ms {
                        break;
                    }
                    self.bench.now_ms = until_ms.min(end_ms);
                }
                Action::Connect => {
                    let since_ms = self.free_since_ms.take();
                    assert!(since_ms.is_none_or(|ms| self.bench.now_ms >= ms + 100), "no wait between attempts");
                    self.attempts += 1;
                    self.is_open = true;
                }
                Action::Text(bytes) => {
                    assert!(self.bench.can_write && self.is_open);
                    self.came(serde_json::from_slice(&bytes).unwrap());
                }
                // There are no batches here.
                Action::Binary(bytes) => {
                    assert!(self.bench.can_write && self.is_open && self.bench.link.is_live());
                    self.field_came(&bytes);
                }
                // A service that is there answers.
                Action::Ping => self.bench.link.heard(),
                Action::HangUp => {
                    assert!(!self.bench.link.is_live());
                    self.is_open = false;
                }
            }
        }
        if let Some(place) = self.bench.link.view().acked {
            let before = self.acked.insert(place.session, place);
            assert!(before.is_none_or(|before| before <= place), "an acknowledgement was taken back");
        }
    }

    fn came(&mut self, message: AgentMessage) {
        match message {
            AgentMessage::Hello { sessions, .. } => {
                assert!(!self.bench.link.is_live());
                self.service.named = sessions;
            }
            AgentMessage::Record { lane, place, record } => {
                assert!(self.bench.link.is_live());
                if lane == Lane::Backfill {
                    self.backfilled.push(self.bench.now_ms);
                }
                self.service.came(lane, place, &record);
            }
            other => assert!(matches!(other, AgentMessage::Status { .. }), "{other:?}"),
        }
    }

    fn field_came(&mut self, frame: &[u8]) {
        let field = self.field.apply(frame).expect("each frame applies to the one before on its connection");
        assert!(self.service.knows(field.session()), "the field before its session");
    }

    /// From now on all is well: everything arrives.
    fn settle(&mut self) {
        (self.service.is_full, self.bench.can_write) = (false, true);
        let mut turns = 0;
        while !(self.bench.outbox.spool.is_empty() && self.bench.link.is_live()) {
            turns += 1;
            assert!(turns < 300, "it does not end: {:?}", self.bench.outbox.spool.items());
            if !self.bench.link.is_live() {
                self.connect();
            }
            self.run(1_000);
            self.look();
            for session in 0..self.service.sessions() {
                self.commit(session, 0, true);
            }
        }
        let limit = Limits::default().max_backfill_per_s as usize;
        for (i, first) in self.backfilled.iter().enumerate() {
            let in_a_second = self.backfilled[i..].iter().take_while(|ms| **ms < first + 1_000).count();
            assert!(in_a_second <= limit, "{in_a_second} in a second");
        }
        for (session, given) in &self.given {
            assert_eq!(&self.service.recorded(*session), given, "everything, once, in order");
        }
        // And what comes now is live again.
        self.bench.outbox.about = None;
        self.begin_session(SessionId::new());
        let session = *self.service.begun.last().unwrap();
        self.run(1_000);
        assert_eq!(self.service.last_live, self.given[&session].last().copied());
    }
}

fn run(events: &[Happens], folder: Option<&Path>) {
    let mut model = Model::new(folder);
    events.iter().for_each(|event| model.step(event));
    model.settle();
}

proptest! {
    #[test]
    fn in_any_order_of_events(events in prop::collection::vec(happens(), 0..150)) {
        run(&events, None);
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// With a disk, so that what one process has left is sent by the next.
    #[test]
    fn in_any_order_of_events_and_agents(events in prop::collection::vec(happens(), 0..60)) {
        let folder = tempfile::tempdir().unwrap();
        run(&events, Some(folder.path()));
    }
}

#[test]
fn the_newest_is_shown_first_after_every_break() {
    // What the model asserts is looked at here in one place: it does see a service that shows nothing.
    let mut model = Model::new(None);
    let mut events = vec![Happens::Session, Happens::Items(2 * MUCH as u32), Happens::Run(1), Happens::Connect];
    events.extend([Happens::Run(5), Happens::Lost, Happens::Items(500), Happens::Run(2_000), Happens::Connect]);
    events.iter().for_each(|event| model.step(event));
    assert_eq!(model.service.shown.last().copied(), model.given.values().flatten().max().copied());
    model.settle();
}
