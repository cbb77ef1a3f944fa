//! The link and a service that keeps what it commits, in any order of events.

use super::*;
use proptest::prelude::*;
use std::collections::HashMap;

#[derive(Debug, Clone)]
enum Happens {
    Record { new_session: bool },
    Standings,
    Time(u64),
    Connected,
    Refused(u16),
    Lost,
    Heard,
    Welcome { back: u64 },
    Ack { back: u64 },
    Resend { back: u64 },
    Error { fatal: bool },
    Goodbye(u32),
    Writable(bool),
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        8 => any::<bool>().prop_map(|b| Happens::Record { new_session: b }),
        2 => Just(Happens::Standings),
        6 => (0u64..15_000).prop_map(Happens::Time),
        6 => Just(Happens::Connected),
        1 => prop_oneof![Just(401u16), Just(426), Just(503), Just(429)].prop_map(Happens::Refused),
        1 => Just(Happens::Lost),
        2 => Just(Happens::Heard),
        6 => (0u64..4).prop_map(|back| Happens::Welcome { back }),
        4 => (0u64..4).prop_map(|back| Happens::Ack { back }),
        1 => (0u64..4).prop_map(|back| Happens::Resend { back }),
        1 => any::<bool>().prop_map(|fatal| Happens::Error { fatal }),
        1 => (0u32..5_000).prop_map(Happens::Goodbye),
        2 => prop::bool::weighted(0.8).prop_map(Happens::Writable),
    ]
}

/// The service's side of the test: what it was sent last and has committed, a session each.
#[derive(Default)]
struct Service {
    expected: HashMap<SessionId, u64>,
    committed: HashMap<SessionId, u64>,
    order: Vec<SessionId>,
}

impl Service {
    fn newest(&self, back: u64) -> Option<Place> {
        let session = *self.order.last()?;
        let last = self.expected.get(&session).map_or(0, |next| next - 1);
        Some(place(session, last.saturating_sub(back).max(self.committed.get(&session).copied().unwrap_or(0))))
    }

    fn commit(&mut self, place: Place) {
        let committed = self.committed.entry(place.session).or_default();
        *committed = (*committed).max(place.sequence);
    }

    /// A connection begins: the stream goes on after what is committed.
    fn restart(&mut self) {
        for (session, next) in &mut self.expected {
            *next = self.committed.get(session).copied().unwrap_or(0) + 1;
        }
    }
}

proptest! {
    #[test]
    fn in_any_order_of_events(events in prop::collection::vec(happens(), 0..250)) {
        let mut bench = Bench::new();
        let mut service = Service::default();
        let mut session = SessionId::new();
        let mut free_since_ms: Option<u64> = None;
        let mut attempts = 0;
        let mut acked: HashMap<SessionId, u64> = HashMap::new();
        for event in events {
            let now_ms = bench.now_ms;
            match event {
                Happens::Record { new_session } => {
                    if new_session && bench.outbox.spool.next_serial() % 5 == 4 {
                        session = SessionId::new();
                    }
                    bench.record(session);
                }
                Happens::Standings => {
                    let first = bench.outbox.spool.unacked_after(place(session, 0)).next().map_or(0, |item| item.serial);
                    bench.outbox.set_standings(session, standings(), first);
                }
                Happens::Time(ms) => bench.now_ms += ms,
                Happens::Connected => bench.link.connected(now_ms),
                Happens::Refused(status) => {
                    bench.link.refused(&Refusal { status, code: None, message: "no".into() }, now_ms);
                }
                Happens::Lost => bench.link.lost("lost", now_ms),
                Happens::Heard => bench.link.heard(),
                Happens::Welcome { back } => {
                    let was_live = bench.link.is_live();
                    let committed: Vec<Place> = service.newest(back).into_iter().collect();
                    bench.hear(welcome(committed.clone()));
                    if bench.link.is_live() && !was_live {
                        committed.iter().for_each(|place| service.commit(*place));
                        service.restart();
                    }
                }
                Happens::Ack { back } => {
                    if let Some(place) = service.newest(back) {
                        service.commit(place);
                        bench.hear(ServiceMessage::Ack { place });
                    }
                }
                Happens::Resend { back } => {
                    if let (Some(place), true) = (service.newest(back), bench.link.is_live()) {
                        bench.hear(ServiceMessage::Resend { place });
                        service.expected.insert(place.session, place.sequence + 1);
                    }
                }
                Happens::Error { fatal } => {
                    bench.hear(ServiceMessage::Error { code: ErrorCode::Internal, message: "no".into(), fatal });
                }
                Happens::Goodbye(reconnect_after_ms) => {
                    bench.hear(ServiceMessage::Goodbye { reason: "bye".into(), reconnect_after_ms });
                }
                Happens::Writable(can_write) => bench.can_write = can_write,
            }
            let mut steps = 0;
            loop {
                steps += 1;
                prop_assert!(steps < 1_000, "busy");
                if attempts > 0 && matches!(bench.link.phase, Phase::Waiting { .. }) {
                    free_since_ms.get_or_insert(bench.now_ms);
                }
                match bench.next() {
                    Action::Wait(until_ms) => {
                        prop_assert!(until_ms > bench.now_ms, "a wait that is over: {until_ms} at {}", bench.now_ms);
                        break;
                    }
                    Action::Connect => {
                        let since_ms = free_since_ms.take();
                        prop_assert!(since_ms.is_none_or(|ms| bench.now_ms >= ms + 100), "no wait between attempts");
                        attempts += 1;
                    }
                    Action::Text(bytes) => {
                        prop_assert!(bench.can_write);
                        match serde_json::from_slice(&bytes).unwrap() {
                            AgentMessage::Hello { .. } => prop_assert!(!bench.link.is_live()),
                            AgentMessage::Record { place, .. } => {
                                prop_assert!(bench.link.is_live());
                                let next = service.expected.entry(place.session).or_insert(1);
                                prop_assert_eq!(place.sequence, *next);
                                *next += 1;
                                if !service.order.contains(&place.session) {
                                    service.order.push(place.session);
                                }
                            }
                            AgentMessage::Standings { session, .. } => {
                                prop_assert!(service.order.contains(&session), "the field before its session");
                            }
                            other => prop_assert!(matches!(other, AgentMessage::Status { .. }), "an unexpected message"),
                        }
                    }
                    Action::Binary(_) => prop_assert!(false, "there are no batches here"),
                    Action::Ping => prop_assert!(bench.link.is_live()),
                    Action::HangUp => prop_assert!(!bench.link.is_live()),
                }
            }
            if let Some(place) = bench.link.view().acked {
                let before = acked.insert(place.session, place.sequence).unwrap_or(0);
                prop_assert!(before <= place.sequence, "an acknowledgement was taken back");
            }
        }
    }
}
