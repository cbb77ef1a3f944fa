//! Live first, then what was missed.

use super::*;
use crate::link::cursors::{MUCH, WINDOW};
use crate::spool::Frame;
use onelap_protocol::setup::Setup;

/// More than is sent before the newest.
const BACKLOG: usize = 1_000;

impl Bench {
    /// What goes until there is a wait that is longer than the pauses between messages.
    fn until_quiet(&mut self) -> Vec<AgentMessage> {
        let mut said = Vec::new();
        loop {
            match self.next() {
                Action::Text(bytes) => said.push(serde_json::from_slice(&bytes).unwrap()),
                Action::Wait(until_ms) if until_ms < self.now_ms + 100 => self.now_ms = until_ms,
                Action::Wait(_) => return said,
                Action::Ping => self.link.heard(),
                other => panic!("{other:?}"),
            }
        }
    }
}

fn lanes_of(said: &[AgentMessage], wanted: Lane) -> Vec<Place> {
    let place = |message: &AgentMessage| match message {
        AgentMessage::Record { lane, place, .. } if *lane == wanted => Some(*place),
        _ => None,
    };
    said.iter().filter_map(place).collect()
}

#[test]
fn what_waits_little_goes_live() {
    let session = SessionId::new();
    let mut bench = Bench::live(vec![], MUCH as usize, session);
    for sequence in 1..=MUCH {
        assert_eq!(bench.sent_on(), (Lane::Live, place(session, sequence)));
    }
    bench.record(session);
    assert_eq!(bench.sent_on(), (Lane::Live, place(session, MUCH + 1)));
}

#[test]
fn after_a_long_break_the_newest_is_shown_at_once_with_what_it_is() {
    let session = SessionId::new();
    let mut bench = Bench::live_with(vec![], BACKLOG, session, |bench| {
        let setup = Setup { name: None, items: vec![] };
        bench.outbox.about.as_mut().unwrap().setup = Some((7.5, Box::new(setup)));
    });
    let newest = BACKLOG as u64;
    let AgentMessage::Record { lane: Lane::Preview, place: at, record: Record::Session { info } } = bench.said() else {
        panic!("the facts come first")
    };
    assert_eq!((at, info.track.as_str()), (place(session, newest - 2), "Monza"));
    let AgentMessage::Record { lane: Lane::Preview, place: at, record: Record::Setup { at_s: 7.5, .. } } = bench.said()
    else {
        panic!("then the setup")
    };
    assert_eq!(at, place(session, newest - 1));
    assert_eq!(bench.sent_on(), (Lane::Preview, place(session, newest)));
    bench.outbox.set_standings(standings());
    bench.field(session);
    for sequence in 1..=5 {
        assert_eq!(bench.sent_on(), (Lane::Backfill, place(session, sequence)));
    }
    bench.record(session);
    assert_eq!(bench.sent_on(), (Lane::Preview, place(session, newest + 1)), "what is new does not wait");
    assert_eq!(bench.sent_on(), (Lane::Backfill, place(session, 6)));
}

#[test]
fn when_everything_is_made_up_for_there_is_one_lane_again() {
    let session = SessionId::new();
    let mut bench = Bench::live(vec![], 100, session);
    let said = bench.until_quiet();
    assert_eq!(lanes_of(&said, Lane::Preview), [place(session, 99), place(session, 100)]);
    assert_eq!(lanes_of(&said, Lane::Backfill), (1..=100).map(|n| place(session, n)).collect::<Vec<_>>());
    bench.record(session);
    assert_eq!(bench.sent_on(), (Lane::Live, place(session, 101)));
}

#[test]
fn a_backlog_of_a_session_that_is_over_is_never_shown() {
    let (old, new) = (SessionId::new(), SessionId::new());
    let mut bench = Bench::live_with(vec![], 10, old, Bench::over);
    assert_eq!(lanes_of(&bench.until_quiet(), Lane::Backfill).len(), 10, "however little it is");
    bench.record(new);
    assert_eq!(bench.sent_on(), (Lane::Live, place(new, 1)));

    // Nor while another one runs.
    for little_or_much in [3, BACKLOG] {
        let mut bench = Bench::live_with(vec![], little_or_much, old, |bench| {
            bench.record(new);
        });
        assert_eq!(bench.sent_on(), (Lane::Preview, place(new, 1)), "its first record says what it is");
        assert_eq!(bench.sent_on(), (Lane::Backfill, place(old, 1)));
        bench.record(new);
        assert_eq!(bench.sent_on(), (Lane::Preview, place(new, 2)));
    }
}

#[test]
fn what_is_said_of_a_session_that_was_left_behind_is_not_shown() {
    let (old, new) = (SessionId::new(), SessionId::new());
    let mut bench = Bench::live(vec![], 0, new);
    bench.outbox.leave_behind(old);
    bench.outbox.spool.push_record(old, Record::End { reason: EndReason::AgentStopped }).unwrap();
    bench.record(new);
    let said = bench.until_quiet();
    assert_eq!(lanes_of(&said, Lane::Preview), [place(new, 1)]);
    assert_eq!(lanes_of(&said, Lane::Backfill), [place(old, 1), place(new, 1)]);
}

#[test]
fn what_is_asked_for_again_is_not_shown_again() {
    let session = SessionId::new();
    let mut bench = Bench::live(vec![], 5, session);
    assert_eq!(lanes_of(&bench.until_quiet(), Lane::Live).len(), 5);
    bench.hear(ServiceMessage::Resend { place: place(session, 2) });
    bench.record(session);
    let facts = bench.said();
    assert!(matches!(facts, AgentMessage::Record { record: Record::Session { .. }, .. }), "{facts:?}");
    assert_eq!(bench.sent_on(), (Lane::Preview, place(session, 6)), "what is new does not wait for the pause");
    bench.now_ms = bench.waits_until();
    for sequence in 3..=6 {
        assert_eq!(bench.sent_on(), (Lane::Backfill, place(session, sequence)));
    }
    bench.record(session);
    assert_eq!(bench.sent_on(), (Lane::Live, place(session, 7)));
}

#[test]
fn no_more_is_in_flight_than_the_service_can_hold() {
    let session = SessionId::new();
    let mut bench = Bench::live(vec![], 3 * WINDOW as usize, session);
    assert_eq!(lanes_of(&bench.until_quiet(), Lane::Backfill).len() as u64, WINDOW);
    bench.record(session);
    assert_eq!(bench.sent_on().0, Lane::Preview, "what is live does not count");
    bench.hear(ServiceMessage::Ack { place: place(session, 100) });
    let more = lanes_of(&bench.until_quiet(), Lane::Backfill);
    assert_eq!((more.len(), more[0]), (100, place(session, WINDOW + 1)));
}

#[test]
fn a_backlog_goes_at_the_pace_that_the_service_allows() {
    let session = SessionId::new();
    let mut bench = Bench::live(vec![], 5_000, session);
    let (mut sent, mut newest) = (0, 0);
    let (begin_ms, end_ms) = (bench.now_ms, bench.now_ms + 8_000);
    let mut next_ms = begin_ms;
    while bench.now_ms < end_ms {
        if next_ms <= bench.now_ms {
            newest = bench.record(session);
            next_ms += 100;
        }
        match bench.next() {
            Action::Wait(until_ms) => {
                assert!(until_ms > bench.now_ms);
                bench.now_ms = until_ms.min(next_ms);
            }
            Action::Text(bytes) => {
                if let AgentMessage::Record { lane: Lane::Backfill, place: at, .. } =
                    serde_json::from_slice(&bytes).unwrap()
                {
                    sent += 1;
                    bench.hear(ServiceMessage::Ack { place: at });
                }
            }
            other => panic!("{other:?}"),
        }
    }
    let limit = u64::from(Limits::default().max_backfill_per_s) * 8;
    assert!((limit * 4 / 5..=limit).contains(&sent), "{sent} in 8 s, {newest}");
}

#[test]
fn batches_change_their_first_byte_and_nothing_else() {
    let session = SessionId::new();
    let mut bench = Bench::live_with(vec![], MUCH as usize, session, |bench| {
        let batch = |at: Place| {
            let mut batch = onelap_protocol::Batch::with_capacity(1);
            batch.add_row(1_000);
            let mut bytes = Vec::new();
            batch.encode(onelap_protocol::batch::OPCODE_SAMPLES, at.session, at.epoch, at.sequence, &mut bytes);
            bytes.into()
        };
        bench.outbox.spool.push_batch(session, batch).unwrap();
    });
    let kept = bench.outbox.spool.at(MUCH).unwrap().frame;
    bench.said();
    let Action::Binary(preview) = bench.next() else { panic!("the newest is a batch") };
    assert_eq!((preview[0], &preview[1..]), (Lane::Preview.opcode(), &kept.bytes()[1..]));
    for sequence in 1..=MUCH {
        assert_eq!(bench.sent_on(), (Lane::Backfill, place(session, sequence)));
    }
    let Action::Binary(backfill) = bench.next() else { panic!("and comes again") };
    assert_eq!((backfill[0], &backfill[1..]), (Lane::Backfill.opcode(), &kept.bytes()[1..]));
    assert!(matches!(kept, Frame::Batch(_)));
}

#[test]
fn the_spool_is_told_of_with_every_status() {
    let session = SessionId::new();
    let mut bench = Bench::new();
    for _ in 0..BACKLOG {
        bench.record(session);
    }
    bench.next();
    bench.link.connected(bench.now_ms);
    bench.said();
    bench.hear(welcome(vec![place(session, 10)]));
    let AgentMessage::Status { spool, .. } = bench.said() else { panic!("status comes first") };
    assert_eq!((spool.items, spool.on_disk, spool.lost), (BACKLOG as u64 - 10, false, 0));
    assert!(spool.bytes > 0 && spool.oldest_ms.is_some());
    assert!(spool.catching_up_s.is_some_and(|s| s <= 5), "{spool:?}");
    bench.hear(ServiceMessage::Ack { place: place(session, 600) });
    bench.until_quiet();
    bench.link.look(bench.now_ms, UNIX_MS, &mut bench.outbox);
    let AgentMessage::Status { spool, .. } = bench.said() else { panic!("catching up is over") };
    assert_eq!((spool.items, spool.catching_up_s), (BACKLOG as u64 - 600, None));
}
