//! The spool's files: any bytes are opened to some end, what is found is walked through, and the spool goes on.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onelap_agent::spool::disk::Disk;
use onelap_agent::spool::log::Sizes;
use onelap_agent::spool::segment::{self, Kind, Meta};
use onelap_agent::spool::{Spool, state};
use onelap_protocol::SessionId;
use onelap_protocol::agent::{EndReason, Place, Record};
use std::collections::BTreeMap;
use std::io;

const SIZES: Sizes = Sizes { segment: 4_096, cap: 16_384 };
/// Sequences far apart are many items that are lost; a link takes them one by one.
const ENOUGH: usize = 500;

fuzz_target!(init: onelap_fuzz::seeds(seeds), |data: &[u8]| {
    let (sessions, files) = (sessions(), parts(data));
    // As they are, and made into sound records, so that the fuzzer reaches what is behind the check sums.
    live(files.iter().map(|(name, bytes)| (name.clone(), bytes.to_vec())).collect(), &sessions);
    live(files.iter().map(|(name, bytes)| (name.clone(), framed(name, bytes, &sessions))).collect(), &sessions);
});

fn live(files: BTreeMap<String, Vec<u8>>, sessions: &[SessionId; 3]) {
    let mut spool = Spool::on(Memory(files), SIZES, 4_096, 1_800_000_000_000).expect("memory can be listed");
    let epoch = spool.epoch();
    let found = walk(&mut spool);
    let record = || Record::End { reason: EndReason::Left };
    let serials: Vec<u64> = (0..3).map(|n| spool.push_record(sessions[n], record()).expect("there is room")).collect();
    for place in found.into_iter().step_by(3) {
        spool.ack(place);
        assert!(spool.serial_after(place) <= spool.next_serial());
    }
    spool.maintain(10_000);
    for (serial, session) in serials.iter().zip(sessions) {
        let item = spool.at(*serial).expect("what was taken is there");
        assert_eq!(item.place, Place { session: *session, epoch, sequence: 1 });
    }
    for session in spool.sessions() {
        spool.ack(Place { session, epoch, sequence: u64::MAX });
    }
    spool.close();
}

fn walk(spool: &mut Spool<Memory>) -> Vec<Place> {
    let (mut places, mut serial) = (Vec::new(), 0);
    while let Some(item) = spool.at(serial).filter(|_| places.len() < ENOUGH) {
        assert!(item.serial >= serial && item.serial < spool.next_serial());
        places.push(item.place);
        serial = item.serial + 1;
    }
    places
}

fn sessions() -> [SessionId; 3] {
    [1, 2, 3].map(|n| format!("018f0000-0000-7000-8000-00000000000{n}").parse().expect("a UUID"))
}

/// `data` as files: the state first, then segments; each after its length, a segment after its serial as well.
fn parts(mut data: &[u8]) -> BTreeMap<String, &[u8]> {
    let mut files = BTreeMap::new();
    while let [low, high, serial, rest @ ..] = data {
        let len = usize::from(u16::from_le_bytes([*low, *high])).min(rest.len());
        let name = if files.is_empty() { state::FILE.to_owned() } else { segment::name(u64::from(*serial)) };
        files.insert(name, &rest[..len]);
        data = &rest[len..];
    }
    files
}

/// Bytes as a sound segment: session and kind, serial, epoch, sequence (each a step from the last), payload's length.
fn framed(name: &str, mut bytes: &[u8], sessions: &[SessionId; 3]) -> Vec<u8> {
    let Some(mut serial) = segment::parse_name(name) else { return bytes.to_vec() };
    let mut out = Vec::new();
    segment::put_header(serial, &mut out);
    let mut sequence = 0;
    while let [which, step, epoch, jump, len, rest @ ..] = bytes {
        let (payload, rest) = rest.split_at(usize::from(*len).min(rest.len()));
        (serial, sequence) = (serial + u64::from(*step), sequence + u64::from(*jump) + 1);
        let place = Place { session: sessions[usize::from(which % 3)], epoch: u64::from(epoch % 3), sequence };
        let kind = if *which < 128 { Kind::Batch } else { Kind::Record };
        segment::put_record(&Meta { kind, serial, place, at_ms: u64::from(*jump) }, payload, &mut out);
        bytes = rest;
    }
    out
}

/// Files in memory.
#[derive(Debug)]
struct Memory(BTreeMap<String, Vec<u8>>);

impl Memory {
    fn file(&mut self, name: &str) -> io::Result<&mut Vec<u8>> {
        self.0.get_mut(name).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Disk for Memory {
    fn names(&mut self) -> io::Result<Vec<String>> {
        Ok(self.0.keys().cloned().collect())
    }

    fn read(&mut self, name: &str, offset: u64, most: usize, into: &mut Vec<u8>) -> io::Result<()> {
        into.extend(self.file(name)?.iter().skip(offset as usize).take(most));
        Ok(())
    }

    fn create(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.0.insert(name.to_owned(), bytes.to_vec());
        Ok(())
    }

    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.file(name)?.extend(bytes);
        Ok(())
    }

    fn cut(&mut self, name: &str, len: u64) -> io::Result<()> {
        self.file(name)?.truncate(len as usize);
        Ok(())
    }

    fn replace(&mut self, name: &str, bytes: Vec<u8>) -> io::Result<()> {
        self.create(name, &bytes)
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        self.0.remove(name);
        Ok(())
    }

    fn sync(&mut self, _name: &str) -> io::Result<()> {
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let session = sessions()[0];
    let first = Place { session, epoch: 1, sequence: 2 };
    let state = state::State { epoch: 2, acks: vec![first], ..state::State::default() };
    let state = serde_json::to_vec(&state).expect("a state is JSON");
    let mut sound = Vec::new();
    segment::put_header(3, &mut sound);
    for n in 0..4 {
        let place = Place { sequence: 3 + n, ..first };
        segment::put_record(&Meta { kind: Kind::Record, serial: 3 + n, place, at_ms: n }, b"{}", &mut sound);
    }
    // The second in the form that `framed` takes.
    let flat = [[0u8, 0, 1, 2, 2, 9, 9], [128, 1, 1, 0, 2, 8, 8], [1, 1, 2, 5, 2, 7, 7]].concat();
    let part = |serial: u8, bytes: &[u8]| [&(bytes.len() as u16).to_le_bytes()[..], &[serial], bytes].concat();
    vec![
        [part(0, &state), part(3, &sound), part(40, &flat)].concat(),
        [part(0, &state), part(3, &flat), part(9, &flat)].concat(),
    ]
}
