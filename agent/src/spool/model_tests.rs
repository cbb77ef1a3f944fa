//! The spool on a disk that fails against a model: the list of everything that was given to it.
//!
//! After every step: what the model says is waiting is there, in order, without holes, byte for byte, or in its place
//! stands that it is lost, and that is counted. After a crash only that may be gone which was in memory alone, and,
//! where the power failed, the newest of what was not synced.

use super::*;
use crate::spool::faulty::FaultyDisk;
use onelap_protocol::Batch;
use onelap_protocol::agent::EndReason;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const SIZES: Sizes = Sizes { segment: 700, cap: 2_800 };
const MEMORY: usize = 700;

type Stream = (SessionId, u64);

#[derive(Debug, Clone, Copy)]
enum Op {
    Push { session: usize, payload: usize },
    Record { session: usize },
    Ack { session: usize, back: u64 },
    Maintain { ms: u64 },
    Full(bool),
    Reopen { unix_ms: u64 },
    Crash { writes: u32, part: usize, power: bool },
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        30 => sound_op(),
        1 => any::<bool>().prop_map(Op::Full),
    ]
}

/// On a disk that is never full.
fn sound_op() -> impl Strategy<Value = Op> {
    prop_oneof![
        12 => (0usize..3, 1usize..160).prop_map(|(session, payload)| Op::Push { session, payload }),
        2 => (0usize..3).prop_map(|session| Op::Record { session }),
        5 => (0usize..3, 0u64..6).prop_map(|(session, back)| Op::Ack { session, back }),
        3 => (1u64..12_000).prop_map(|ms| Op::Maintain { ms }),
        1 => (0u64..50).prop_map(|unix_ms| Op::Reopen { unix_ms }),
        2 => (0u32..12, any::<usize>(), any::<bool>()).prop_map(|(writes, part, power)| Op::Crash { writes, part, power }),
    ]
}

struct Model {
    disk: FaultyDisk,
    spool: Spool<FaultyDisk>,
    sessions: [SessionId; 3],
    now_ms: u64,
    /// Everything that was given and not forgotten since: serial, place, frame.
    given: BTreeMap<u64, Item>,
    acked: BTreeMap<Stream, u64>,
    /// Places that were seen to be lost.
    lost: BTreeSet<Place>,
    /// Serials before it are on the medium.
    synced: u64,
    power_fails: Option<usize>,
    crashes: u64,
    was_full: bool,
}

impl Model {
    fn new() -> Self {
        let disk = FaultyDisk::default();
        Self {
            spool: Spool::on(disk.clone(), SIZES, MEMORY, 1).unwrap(),
            disk,
            sessions: [SessionId::new(), SessionId::new(), SessionId::new()],
            now_ms: 0,
            given: BTreeMap::new(),
            acked: BTreeMap::new(),
            lost: BTreeSet::new(),
            synced: 0,
            power_fails: None,
            crashes: 0,
            was_full: false,
        }
    }

    fn push(&mut self, session: usize, payload: Option<usize>) {
        let session = self.sessions[session];
        let serial = self.spool.next_serial();
        let mut given = None;
        let pushed = match payload {
            // No batch, so that what is lost can be told from what was given.
            Some(len) => self.spool.push_batch(session, |place| {
                let bytes = Bytes::from(vec![0xEE ^ (serial % 7) as u8; len]);
                given = Some(Item { serial, place, frame: Frame::Batch(bytes.clone()) });
                bytes
            }),
            None => self.spool.push_record(session, Record::End { reason: EndReason::Left }),
        };
        if pushed.is_ok() {
            let given = given.or_else(|| self.spool.memory.at(serial).cloned()).unwrap();
            assert_eq!((pushed, given.serial), (Ok(serial), serial));
            self.given.insert(serial, given);
        }
    }

    fn ack(&mut self, session: usize, back: u64) {
        let session = self.sessions[session];
        let of_session = self.given.values().filter(|item| item.place.session == session);
        // The service acknowledges what it was sent, in whichever epoch.
        let Some(place) = of_session.map(|item| item.place).max() else { return };
        let place = Place { sequence: place.sequence.saturating_sub(back), ..place };
        let before = self.held().len();
        assert_eq!(self.spool.ack(place), before - self.held().len());
        let acked = self.acked.entry((session, place.epoch)).or_insert(0);
        *acked = place.sequence.max(*acked);
        // A later epoch covers the earlier ones.
        let earlier =
            self.given.values().map(|item| item.place).filter(|p| p.session == session && p.epoch < place.epoch);
        self.acked.extend(earlier.map(|p| ((session, p.epoch), u64::MAX)));
    }

    fn held(&mut self) -> Vec<Item> {
        let (mut items, mut serial) = (Vec::new(), 0);
        while let Some(item) = self.spool.at(serial) {
            assert!(item.serial >= serial);
            serial = item.serial + 1;
            items.push(item);
        }
        items
    }

    fn waiting(&self) -> Vec<Item> {
        let is_waiting = |item: &&Item| {
            let stream = (item.place.session, item.place.epoch);
            self.acked.get(&stream).is_none_or(|acked| item.place.sequence > *acked)
        };
        self.given.values().filter(is_waiting).cloned().collect()
    }

    fn check(&mut self) {
        let (held, waiting) = (self.held(), self.waiting());
        let places = |items: &[Item]| items.iter().map(|item| (item.serial, item.place)).collect::<Vec<_>>();
        assert_eq!(places(&held), places(&waiting));
        for (held, given) in held.iter().zip(&waiting) {
            if held != given {
                assert!(is_placeholder(held), "{held:?} is not {given:?}");
                self.lost.insert(held.place);
            }
        }
        let losses = self.spool.losses();
        assert!(self.lost.len() as u64 <= losses.cap + losses.damaged);
        assert!(losses.torn <= self.crashes);
        // A state that could not be written because the disk was full may make what was acknowledged look lost.
        assert!(self.was_full || losses.damaged == 0, "{losses:?}");
        assert!(self.spool.log.as_ref().unwrap().disk_bytes() <= SIZES.cap);
        assert!(self.spool.memory.bytes() <= MEMORY);
        assert_eq!(self.spool.is_empty(), waiting.is_empty());
        let sessions: BTreeSet<_> = waiting.iter().map(|item| item.place.session).collect();
        assert_eq!(self.spool.sessions().into_iter().collect::<BTreeSet<_>>(), sessions);
        for item in &waiting {
            let before = Place { sequence: item.place.sequence - 1, ..item.place };
            assert_eq!(self.spool.serial_after(before), item.serial);
        }
    }

    /// The process is dead: what is found by the next one?
    fn restart(&mut self, unix_ms: u64) {
        let (unwritten, power_fails) = (self.spool.unwritten(), self.power_fails.take());
        self.crashes += 1;
        self.disk.fate().restart(power_fails);
        let (epoch, is_full) = (self.spool.epoch(), self.was_full);
        // A disk that is full keeps no epoch; on that the clock may not go back as well.
        let unix_ms = if self.was_full { unix_ms.max(epoch + 1) } else { unix_ms };
        self.spool = Spool::on(self.disk.clone(), SIZES, MEMORY, unix_ms).unwrap();
        assert!(self.spool.epoch() > epoch);
        let held = self.held();
        let serials: BTreeSet<u64> = held.iter().map(|item| item.serial).collect();
        let waiting = self.waiting();
        if is_full {
            // What was counted may not have been written.
            self.lost.clear();
        }
        let safe = if power_fails.is_some() { self.synced.min(unwritten) } else { unwritten };
        let mut first_gone = None;
        for item in &waiting {
            if serials.contains(&item.serial) {
                let is_in_order = first_gone.is_none_or(|gone| gone >= safe && unwritten <= item.serial);
                assert!(is_in_order || is_full, "{:?} is gone and {} is not", first_gone, item.serial);
            } else {
                // On a full disk a segment may have gone at the cap before it could be said why.
                assert!(item.serial >= safe || is_full, "{item:?} is gone; safe was {safe}");
                first_gone = first_gone.or(Some(item.serial));
                self.given.remove(&item.serial);
            }
        }
        // Acknowledgements may be forgotten; what comes back is what it was.
        for item in held {
            let stream = (item.place.session, item.place.epoch);
            if is_full && is_placeholder(&item) {
                // A full disk may have kept no word of what was acknowledged: it stands where it may have been.
                self.given.retain(|_, given| given.place != item.place);
                self.given.insert(item.serial, item.clone());
            }
            let given = self.given.get(&item.serial).unwrap_or_else(|| panic!("{item:?} was never given"));
            assert_eq!(given.place, item.place);
            assert!(*given == item || is_placeholder(&item), "{item:?} is not {given:?}");
            if let Some(acked) = self.acked.get_mut(&stream) {
                *acked = (*acked).min(item.place.sequence - 1);
            }
        }
        self.given.retain(|serial, _| serials.contains(serial));
        // Serials of what is gone for good are given again.
        self.synced = self.synced.min(self.spool.next_serial());
    }

    fn step(&mut self, op: Op) {
        match op {
            Op::Push { session, payload } => self.push(session, Some(payload)),
            Op::Record { session } => self.push(session, None),
            Op::Ack { session, back } => self.ack(session, back),
            Op::Maintain { ms } => {
                self.now_ms += ms;
                let was_written = self.spool.problem().is_none();
                self.spool.maintain(self.now_ms);
                if ms >= SYNC_MS && was_written && self.spool.problem().is_none() {
                    self.synced = self.spool.next_serial();
                }
            }
            Op::Full(is_full) => {
                self.disk.fate().is_full = is_full;
                self.was_full |= is_full;
            }
            Op::Reopen { unix_ms } => {
                self.spool.close();
                self.restart(unix_ms);
            }
            Op::Crash { writes, part, power } => {
                self.disk.fate().dies = Some((writes, part));
                self.power_fails = power.then_some(part / 3);
            }
        }
        if self.disk.fate().is_dead {
            self.restart(7);
        }
        self.check();
    }
}

fn is_placeholder(item: &Item) -> bool {
    let Ok((header, batch)) = Batch::decode(item.frame.bytes()) else { return false };
    let place = Place { session: header.session, epoch: header.epoch, sequence: header.sequence };
    let is_empty = onelap_protocol::channel::CHANNELS.iter().all(|info| batch.value(info.channel, 0).is_none());
    place == item.place && batch.len() == 1 && is_empty
}

proptest! {
    #[test]
    fn nothing_is_lost_that_is_not_counted(ops in prop::collection::vec(sound_op(), 1..160)) {
        let mut model = Model::new();
        ops.into_iter().for_each(|op| model.step(op));
    }

    /// A full disk may keep no word of what was acknowledged or went at the cap, if the agent is killed just then.
    #[test]
    fn on_a_disk_that_is_full_for_a_while_the_rest_goes_on(ops in prop::collection::vec(op(), 1..160)) {
        let mut model = Model::new();
        ops.into_iter().for_each(|op| model.step(op));
    }

    /// Bytes that changed on the disk are never given out as items, whatever they were.
    #[test]
    fn damage_is_never_read(
        mut payloads in prop::collection::vec((0usize..3, 1usize..160), 1..25),
        acks in prop::collection::vec((0usize..3, 0u64..6), 0..4),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0u8..), 1..4),
    ) {
        let mut model = Model::new();
        // A rig's sessions follow each other; only so can be told exactly what is missing.
        payloads.sort_unstable();
        for (session, payload) in payloads {
            model.push(session, Some(payload));
        }
        for (session, back) in acks {
            model.ack(session, back);
        }
        // A segment that was cut between two records looks whole; without its state the spool does not know better.
        let mut may_be_silent = false;
        for (file, at, change) in damage {
            let mut fate = model.disk.fate();
            let file = file.index(fate.files.len());
            let (name, file) = fate.files.iter_mut().nth(file).unwrap();
            may_be_silent |= change == 0 || name == "state.json";
            if change == 0 || file.bytes.is_empty() {
                file.bytes.truncate(at.index(file.bytes.len() + 1));
            } else {
                let at = at.index(file.bytes.len());
                file.bytes[at] ^= change;
            }
        }
        // In the run that is going on, and after a restart.
        for is_reopened in [false, true] {
            if is_reopened {
                model.spool = Spool::on(model.disk.clone(), SIZES, MEMORY, 1).unwrap();
            }
            let held = model.held();
            let there: BTreeSet<Place> = held.iter().filter(|item| !is_placeholder(item)).map(|item| item.place).collect();
            for item in &held {
                let given = model.given.values().find(|given| given.place == item.place);
                prop_assert!(is_placeholder(item) || given == Some(item), "{item:?} is not {given:?}");
            }
            let gone = model.waiting().iter().filter(|item| !there.contains(&item.place)).count();
            let losses = model.spool.losses();
            prop_assert!(gone == 0 || losses.items() > 0 || may_be_silent, "{gone} are gone and {losses:?}");
        }
        // And it goes on.
        model.spool.push_record(model.sessions[0], Record::End { reason: EndReason::Left }).unwrap();
    }
}
