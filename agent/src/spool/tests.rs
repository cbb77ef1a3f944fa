//! The spool against a model: a plain list from which only what is acknowledged may go.

use super::*;
use crate::spool::faulty::FaultyDisk;
use onelap_protocol::agent::EndReason;
use onelap_protocol::limits::MAX_AGENT_FRAME;
use onelap_protocol::{Batch, Channel, Sample, batch};
use proptest::prelude::*;

const EPOCH: u64 = 7;

fn a_batch(place: Place, samples: u64) -> Bytes {
    let mut batch = Batch::with_capacity(samples as usize);
    for i in 0..samples {
        let mut sample = Sample::new(1_000 + i * 50);
        sample.set(Channel::Speed, 100.0 + (i * i) as f64);
        sample.set(Channel::Rpm, 7_000.0 - (i * 31) as f64);
        batch.push(&sample);
    }
    let mut frame = Vec::new();
    batch.encode(batch::OPCODE_SAMPLES, place.session, place.epoch, place.sequence, &mut frame);
    frame.into()
}

fn end() -> Record {
    Record::End { reason: EndReason::Left }
}

fn up_to(session: SessionId, sequence: u64) -> Place {
    Place { session, epoch: EPOCH, sequence }
}

#[test]
fn a_session_that_is_acknowledged_goes_although_an_older_one_waits() {
    let mut spool = Spool::new(EPOCH, 1 << 20);
    let (old, new) = (SessionId::new(), SessionId::new());
    spool.push_record(old, end()).unwrap();
    spool.push_record(new, end()).unwrap();
    spool.push_record(new, end()).unwrap();
    assert_eq!(spool.ack(up_to(new, 2)), 2);
    assert_eq!(spool.sessions(), [old]);
    spool.push_record(new, end()).unwrap();
    assert_eq!(spool.at(1).unwrap().place, up_to(new, 3));
    assert_eq!(spool.ack(up_to(old, 1)), 1);
    assert_eq!(spool.ack(up_to(new, 3)), 1);
    assert!(spool.is_empty());
    assert_eq!(spool.bytes(), 0);
}

#[test]
fn at_the_limit_the_oldest_batch_loses_its_samples_and_keeps_its_place() {
    let mut spool = Spool::new(EPOCH, 6_000);
    let session = SessionId::new();
    spool.push_record(session, end()).unwrap();
    while spool.lost_samples() == 0 {
        spool.push_batch(session, |place| a_batch(place, 100)).unwrap();
    }
    assert_eq!(spool.lost_samples(), 100);
    let places: Vec<u64> = spool.iter().map(|item| item.place.sequence).collect();
    assert_eq!(places, (1..=places.len() as u64).collect::<Vec<_>>());
    let (header, batch) = Batch::decode(spool.at(1).unwrap().frame.bytes()).unwrap();
    assert_eq!((header.sequence, batch.len(), batch.value(Channel::Speed, 0)), (2, 1, None));
}

#[test]
fn what_was_read_before_the_first_samples_is_not_older_than_the_agent() {
    const NOW_MS: u64 = 1_790_000_000_000;
    let folder = tempfile::tempdir().unwrap();
    let mut spool = Spool::open(folder.path(), 0, 1 << 20, NOW_MS).unwrap();
    let session = SessionId::new();
    for _ in 0..4 {
        spool.push_record(session, end()).unwrap();
    }
    assert_eq!(spool.oldest(), Some((0, NOW_MS)));
    spool.ack(Place { session, epoch: spool.epoch(), sequence: 2 });
    assert_eq!(spool.oldest(), Some((2, NOW_MS)));
    let mut spool = Spool::new(NOW_MS, 1 << 20);
    spool.push_record(session, end()).unwrap();
    assert_eq!(spool.oldest(), Some((0, NOW_MS)));
}

#[test]
fn what_the_service_would_not_take_gets_no_place() {
    let mut spool = Spool::new(EPOCH, usize::MAX);
    let session = SessionId::new();
    let refused = spool.push_batch(session, |_| vec![1; MAX_AGENT_FRAME + 1].into());
    assert_eq!(refused, Err(SpoolError::Size(MAX_AGENT_FRAME + 1)));
    spool.push_record(session, end()).unwrap();
    assert_eq!(spool.at(0).unwrap().place.sequence, 1);
}

#[derive(Debug, Clone)]
enum Op {
    Batch { session: usize, samples: u64 },
    Record { session: usize },
    Ack { session: usize, sequence: u64 },
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (0usize..3, 1u64..60).prop_map(|(session, samples)| Op::Batch { session, samples }),
        2 => (0usize..3).prop_map(|session| Op::Record { session }),
        2 => (0usize..3, 0u64..40).prop_map(|(session, sequence)| Op::Ack { session, sequence }),
    ]
}

proptest! {
    #[test]
    fn only_what_is_acknowledged_goes(ops in prop::collection::vec(op(), 0..120), limit in 500usize..20_000) {
        let sessions = [SessionId::new(), SessionId::new(), SessionId::new()];
        let mut spool = Spool::new(EPOCH, limit);
        let mut model: Vec<Place> = Vec::new();
        let mut acked = [0u64; 3];
        let mut last = [0u64; 3];
        for op in ops {
            match op {
                Op::Ack { session, sequence } => {
                    // The service acknowledges only what it was sent.
                    let sequence = sequence.min(last[session]);
                    acked[session] = acked[session].max(sequence);
                    let before = model.len();
                    model.retain(|p| p.session != sessions[session] || p.sequence > sequence);
                    prop_assert_eq!(spool.ack(up_to(sessions[session], sequence)), before - model.len());
                }
                Op::Batch { session, .. } | Op::Record { session } => {
                    // A session to which the agent does not come back is forgotten once it is acknowledged whole.
                    let is_new = model.last().is_none_or(|p| p.session != sessions[session]);
                    if is_new && !model.iter().any(|p| p.session == sessions[session]) && last[session] > 0 {
                        continue;
                    }
                    let serial = spool.next_serial();
                    let pushed = match op {
                        Op::Batch { samples, .. } => {
                            spool.push_batch(sessions[session], |place| a_batch(place, samples))
                        }
                        _ => spool.push_record(sessions[session], end()),
                    };
                    if let Ok(given) = pushed {
                        prop_assert_eq!(given, serial);
                        last[session] += 1;
                        model.push(up_to(sessions[session], last[session]));
                    }
                }
            }
            prop_assert!(spool.bytes() <= limit);
            let held: Vec<Place> = spool.iter().map(|item| item.place).collect();
            prop_assert_eq!(&held, &model);
            prop_assert_eq!(spool.is_empty(), model.is_empty());
            prop_assert_eq!(spool.iter().map(Item::cost).sum::<usize>(), spool.bytes());
            for (session, acked) in sessions.iter().zip(acked) {
                let after: Vec<Place> = spool.unacked_after(up_to(*session, acked)).map(|item| item.place).collect();
                let expected: Vec<Place> = model.iter().copied().filter(|p| p.session == *session).collect();
                prop_assert_eq!(after, expected);
            }
            let items: Vec<Item> = spool.iter().cloned().collect();
            for item in items {
                prop_assert_eq!(spool.at(item.serial), Some(item));
            }
        }
    }
}

#[test]
fn each_trouble_of_a_disk_has_one_clear_message_and_is_over_when_it_is_over() {
    for (kind, says) in [
        (io::ErrorKind::StorageFull, "the disk is full"),
        (io::ErrorKind::QuotaExceeded, "the disk is full"),
        (io::ErrorKind::ReadOnlyFilesystem, "the disk is read-only"),
        (io::ErrorKind::PermissionDenied, "the agent may no longer write to its folder"),
    ] {
        let disk = FaultyDisk::default();
        let mut spool = Spool::on(disk.clone(), Sizes::with_cap(0), 1 << 20, 1).unwrap();
        let session = SessionId::new();
        spool.push_record(session, end()).unwrap();
        assert_eq!((spool.problem(), spool.is_on_disk()), (None, true));
        (disk.fate().is_full, disk.fate().refuses) = (true, Some(kind));
        let mut told = std::collections::BTreeSet::new();
        for now_ms in (0..60_000).step_by(250) {
            spool.push_record(session, end()).unwrap();
            spool.maintain(now_ms);
            told.extend(spool.problem());
        }
        let expected = format!("{says}: what is not sent yet is kept in memory only, up to 1 MB");
        assert_eq!(told.into_iter().collect::<Vec<_>>(), [expected]);
        assert!(!spool.is_on_disk());
        disk.fate().is_full = false;
        for now_ms in (60_000..70_000).step_by(250) {
            spool.maintain(now_ms);
        }
        assert_eq!((spool.problem(), spool.is_on_disk(), spool.lost_items()), (None, true, 0));
        assert_eq!(Spool::on(disk, Sizes::with_cap(0), 1 << 20, 2).unwrap().items(), 241);
    }
}
