//! The link's policy, told what happens and asked what it would do.

use super::*;
use crate::link::{About, Doing};
use crate::spool::Spool;
use crate::testing::session_info;
use onelap_protocol::agent::{EndReason, Lane, Record};
use onelap_protocol::race::{Game, GameState, Phase as RacePhase, Standings};
use onelap_protocol::standings::{Decoder, Field, peek};
use onelap_protocol::{RigId, SessionId, TeamId};

mod any_order;
mod lanes;
mod lies;
mod limits;

const UNIX_MS: u64 = 1_700_000_000_000;

struct Bench {
    link: LinkState,
    outbox: Outbox,
    now_ms: u64,
    can_write: bool,
}

impl Bench {
    fn new() -> Self {
        let outbox = Outbox::new(Spool::new(5, 1 << 23));
        Self { link: LinkState::new("0.1.0", "linux", 3), outbox, now_ms: 1_000, can_write: true }
    }

    fn next(&mut self) -> Action {
        self.link.next(self.now_ms, UNIX_MS, self.can_write, &mut self.outbox)
    }

    fn hear(&mut self, message: ServiceMessage) {
        self.link.received(message, self.now_ms, UNIX_MS, &mut self.outbox);
    }

    /// Something of the session that runs.
    fn record(&mut self, session: SessionId) -> u64 {
        let serial = self.outbox.spool.push_record(session, Record::End { reason: EndReason::Left }).unwrap();
        if self.outbox.about.as_ref().is_none_or(|about| about.session != session) {
            let info = Box::new(session_info(Game::Lmu, "Monza"));
            self.outbox.about = Some(About { session, info, first_serial: serial, setup: None });
        }
        serial
    }

    /// Nothing runs any more.
    fn over(&mut self) {
        self.outbox.about = None;
    }

    /// Connects and greets; the status message is taken.
    fn live(committed: Vec<Place>, records: usize, session: SessionId) -> Self {
        Self::live_with(committed, records, session, |_| {})
    }

    /// The same, with something that happens before.
    fn live_with(committed: Vec<Place>, records: usize, session: SessionId, before: impl FnOnce(&mut Self)) -> Self {
        let mut bench = Self::new();
        for _ in 0..records {
            bench.record(session);
        }
        before(&mut bench);
        assert_eq!(bench.next(), Action::Connect);
        bench.link.connected(bench.now_ms);
        assert!(matches!(bench.said(), AgentMessage::Hello { epoch: 5, clock_ms: UNIX_MS, .. }));
        bench.hear(welcome(committed));
        assert!(matches!(bench.said(), AgentMessage::Status { .. }));
        bench
    }

    fn said(&mut self) -> AgentMessage {
        match self.next() {
            Action::Text(bytes) => serde_json::from_slice(&bytes).unwrap(),
            other => panic!("{other:?} is not a message"),
        }
    }

    fn sent(&mut self) -> Place {
        self.sent_on().1
    }

    fn sent_on(&mut self) -> (Lane, Place) {
        match self.said() {
            AgentMessage::Record { lane, place, .. } => (lane, place),
            other => panic!("{other:?} is not a record"),
        }
    }

    /// The field, which goes next, whole.
    fn field(&mut self, session: SessionId) -> Field {
        let Action::Binary(frame) = self.next() else { panic!("the field does not go next") };
        let mut decoder = Decoder::default();
        let field = decoder.apply(&frame).unwrap();
        assert_eq!(field.session(), session);
        field.clone()
    }

    fn waits_until(&mut self) -> u64 {
        match self.next() {
            Action::Wait(until_ms) => until_ms,
            other => panic!("{other:?} is not a wait"),
        }
    }
}

fn place(session: SessionId, sequence: u64) -> Place {
    Place { session, epoch: 5, sequence }
}

fn welcome(committed: Vec<Place>) -> ServiceMessage {
    ServiceMessage::Welcome {
        team: TeamId::new(),
        team_name: "Ours".into(),
        rig: RigId::new(),
        rig_name: "RIG_A".into(),
        committed,
        limits: Limits::default(),
        server_ms: UNIX_MS - 1_500,
        trace: "t".into(),
    }
}

fn standings() -> Box<Standings> {
    let phase = RacePhase::Green;
    Box::new(Standings { at_s: 1.0, time_left_s: None, phase, yellow_sectors: vec![], cars: vec![] })
}

#[test]
fn what_is_not_committed_goes_first_and_in_order() {
    let session = SessionId::new();
    let mut bench = Bench::live(vec![place(session, 2)], 4, session);
    assert_eq!(bench.sent(), place(session, 3));
    bench.record(session);
    assert_eq!(bench.sent(), place(session, 4));
    assert_eq!(bench.sent(), place(session, 5));
    assert_eq!(bench.waits_until(), 11_000);
    assert_eq!(bench.link.view().greeted.as_ref().unwrap().clock_ahead_ms, 1_500);
}

#[test]
fn after_a_loss_everything_that_was_not_acknowledged_goes_again() {
    let session = SessionId::new();
    let mut bench = Bench::live(vec![], 3, session);
    for _ in 0..3 {
        bench.sent();
    }
    bench.hear(ServiceMessage::Ack { place: place(session, 1) });
    bench.link.lost("broken", bench.now_ms);
    let until_ms = bench.waits_until();
    assert!((250..=30_000).contains(&(until_ms - bench.now_ms)));
    bench.now_ms = until_ms;
    assert_eq!(bench.next(), Action::Connect);
    bench.link.connected(bench.now_ms);
    assert!(matches!(bench.said(), AgentMessage::Hello { sessions, .. } if sessions == [session]));
    bench.hear(welcome(vec![place(session, 2)]));
    bench.said();
    assert_eq!(bench.sent(), place(session, 3));
}

#[test]
fn the_service_can_ask_again_and_gets_it_after_a_pause() {
    let session = SessionId::new();
    let mut bench = Bench::live(vec![], 3, session);
    for _ in 0..3 {
        bench.sent();
    }
    bench.hear(ServiceMessage::Resend { place: place(session, 1) });
    let first = bench.waits_until();
    assert!(first > bench.now_ms);
    bench.now_ms = first;
    assert_eq!(bench.sent(), place(session, 2));
    bench.hear(ServiceMessage::Resend { place: place(session, 1) });
    let second = bench.waits_until();
    assert!(second - bench.now_ms > 300, "the pause grows");
    bench.hear(ServiceMessage::Resend { place: place(session, 1) });
    assert_eq!(bench.waits_until(), second, "and ends, however often it is asked for");
}

#[test]
fn no_pause_is_so_long_that_the_service_would_give_up() {
    let session = SessionId::new();
    let mut bench = Bench::live(vec![], 1, session);
    for _ in 0..5 {
        bench.sent();
        bench.hear(ServiceMessage::Resend { place: place(session, 0) });
        let until_ms = bench.waits_until();
        assert!(until_ms - bench.now_ms <= 2_500);
        bench.now_ms = until_ms;
    }
}

#[test]
fn the_field_is_live_only_and_the_newest_wins() {
    let session = SessionId::new();
    let mut bench = Bench::new();
    bench.record(session);
    bench.outbox.set_standings(standings());
    bench.next();
    bench.link.connected(bench.now_ms);
    bench.said();
    bench.hear(welcome(vec![]));
    assert!(matches!(bench.said(), AgentMessage::Status { .. }));
    assert_eq!(bench.sent(), place(session, 1));
    assert!(matches!(bench.next(), Action::Wait(_)), "the field of before the connection is old");
    bench.outbox.set_standings(standings());
    bench.outbox.set_standings(Box::new(Standings { at_s: 9.0, ..*standings() }));
    assert_eq!(bench.field(session).standings().at_s, 9.0);
    assert!(matches!(bench.next(), Action::Wait(_)));
}

#[test]
fn nothing_about_a_session_goes_before_its_first_record() {
    let session = SessionId::new();
    let mut bench = Bench::live(vec![], 0, session);
    bench.record(session);
    bench.outbox.set_standings(standings());
    assert_eq!(bench.sent(), place(session, 1));
    bench.field(session);
}

#[test]
fn the_field_goes_whole_first_and_when_it_is_asked_for_and_every_ten_seconds() {
    let session = SessionId::new();
    let mut bench = Bench::live(vec![], 1, session);
    bench.sent();
    let base = |bench: &mut Bench| {
        bench.outbox.set_standings(standings());
        let mut next = bench.next();
        if next == Action::Ping {
            bench.link.heard();
            next = bench.next();
        }
        let Action::Binary(frame) = next else { panic!("{next:?} is no frame") };
        let header = peek(&frame).unwrap();
        header.base.map(|base| header.number - base)
    };
    assert_eq!([base(&mut bench), base(&mut bench)], [None, Some(1)]);
    bench.hear(ServiceMessage::Keyframe { session });
    assert_eq!([base(&mut bench), base(&mut bench)], [None, Some(1)]);
    bench.now_ms += 5_000;
    assert_eq!(base(&mut bench), Some(1));
    bench.now_ms += 5_000;
    assert_eq!([base(&mut bench), base(&mut bench)], [None, Some(1)]);
    let other = SessionId::new();
    bench.record(other);
    bench.sent();
    assert_eq!([base(&mut bench), base(&mut bench)], [None, Some(1)]);
    bench.link.lost("broken", bench.now_ms);
    bench.now_ms = bench.waits_until();
    bench.next();
    bench.link.connected(bench.now_ms);
    bench.said();
    bench.hear(welcome(vec![place(session, 1), place(other, 1)]));
    bench.said();
    assert_eq!([base(&mut bench), base(&mut bench)], [None, Some(1)], "on every connection");
}

#[test]
fn a_change_of_what_the_agent_does_is_said_once() {
    let mut bench = Bench::live(vec![], 0, SessionId::new());
    let doing = Doing { game: Some(Game::Lmu), state: GameState::Menu, ..Doing::default() };
    bench.outbox.set_doing(doing.clone());
    bench.outbox.set_doing(doing);
    assert!(matches!(bench.said(), AgentMessage::Status { game: Some(Game::Lmu), .. }));
    assert!(matches!(bench.next(), Action::Wait(_)));
}

#[test]
fn a_silent_service_is_left() {
    let mut bench = Bench::live(vec![], 0, SessionId::new());
    bench.now_ms = bench.waits_until();
    assert_eq!(bench.next(), Action::Ping);
    bench.link.heard();
    bench.now_ms = bench.waits_until();
    assert_eq!(bench.next(), Action::Ping);
    bench.now_ms = bench.waits_until();
    assert_eq!(bench.next(), Action::HangUp);
    assert!(matches!(bench.next(), Action::Wait(_)));
    assert_eq!(bench.link.view().problem.as_deref(), Some("the service has gone silent"));
}

#[test]
fn a_service_that_does_not_greet_is_left() {
    let mut bench = Bench::new();
    bench.next();
    bench.link.connected(bench.now_ms);
    bench.said();
    bench.now_ms = bench.waits_until();
    assert_eq!(bench.next(), Action::HangUp);
}

#[test]
fn a_revoked_token_is_said_and_tried_again_slowly() {
    let mut bench = Bench::new();
    bench.next();
    let message = "this token was revoked".to_owned();
    let refusal =
        Refusal { status: 401, code: Some(ErrorCode::TokenRevoked), message: message.clone(), retry_after_s: None };
    bench.link.refused(&refusal, bench.now_ms);
    assert!(bench.waits_until() - bench.now_ms >= 45_000);
    assert!(bench.link.view().needs_help);
    assert_eq!(bench.link.view().problem.as_ref(), Some(&message));

    let mut bench = Bench::live(vec![], 0, SessionId::new());
    bench.hear(ServiceMessage::Error { code: ErrorCode::TokenRevoked, message, fatal: true });
    assert_eq!(bench.next(), Action::HangUp);
    assert!(bench.waits_until() - bench.now_ms >= 45_000);
    let problem = bench.link.view().problem.as_ref().unwrap();
    assert!(problem.contains("was revoked") && problem.contains("`onelap-agent pair`"), "{problem}");
}

#[test]
fn a_busy_service_is_tried_again_soon() {
    let mut bench = Bench::new();
    bench.next();
    bench.link.refused(&Refusal { status: 503, code: None, message: "busy".into(), retry_after_s: None }, bench.now_ms);
    assert!(bench.waits_until() - bench.now_ms <= 2_000);
}

#[test]
fn after_a_goodbye_everything_goes_on_until_it_is_time_to_go_elsewhere() {
    let session = SessionId::new();
    let mut bench = Bench::live(vec![], 0, session);
    bench.hear(ServiceMessage::Goodbye { reason: "deploy".into(), reconnect_after_ms: 2_000 });
    let go_ms = bench.waits_until();
    assert!((1_000..=3_000).contains(&(go_ms - bench.now_ms)));
    bench.record(session);
    assert_eq!(bench.sent(), place(session, 1));
    // Nobody can put it off.
    bench.hear(ServiceMessage::Goodbye { reason: "deploy".into(), reconnect_after_ms: 9_000 });
    assert_eq!(bench.waits_until(), go_ms);
    bench.can_write = false;
    assert_eq!(bench.waits_until(), go_ms);

    bench.now_ms = go_ms;
    assert_eq!(bench.next(), Action::HangUp);
    assert_eq!(bench.link.view().problem.as_deref(), Some("deploy"));
    bench.now_ms = bench.waits_until();
    assert!(bench.now_ms - go_ms <= 150, "the wait is over");
    assert_eq!(bench.next(), Action::Connect);
}

#[test]
fn a_service_that_closes_after_its_goodbye_is_given_the_time_that_it_asked_for() {
    let mut bench = Bench::live(vec![], 0, SessionId::new());
    bench.hear(ServiceMessage::Goodbye { reason: "deploy".into(), reconnect_after_ms: 20_000 });
    bench.link.lost("the service closed the connection", bench.now_ms);
    let waits_ms = bench.waits_until() - bench.now_ms;
    assert!((10_000..=30_000).contains(&waits_ms), "{waits_ms} ms");
    assert_eq!(bench.link.view().problem.as_deref(), Some("deploy"));
}

#[test]
fn a_goodbye_instead_of_a_welcome_is_obeyed_at_once() {
    let mut bench = Bench::new();
    bench.next();
    bench.link.connected(bench.now_ms);
    bench.said();
    bench.hear(ServiceMessage::Goodbye { reason: "deploy".into(), reconnect_after_ms: 2_000 });
    assert_eq!(bench.next(), Action::HangUp);
    assert!((1_000..=3_000).contains(&(bench.waits_until() - bench.now_ms)));
}
