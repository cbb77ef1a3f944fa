//! The F1 reader over time: whatever packets follow each other, readings come out and nothing panics.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onelap_agent::raw::{Raw, Reader, Stamp};
use onelap_agent::reading::Reading;
use onelap_agent::source::f1::format::Format;
use onelap_agent::source::f1::reader::F1Reader;
use onelap_protocol::{Batch, SessionId};

const IDS: usize = 16;
/// Most packets of one input: enough for a few laps, few enough for many inputs a second.
const ENOUGH: usize = 200;

fuzz_target!(init: onelap_fuzz::seeds(seeds), |data: &[u8]| {
    let mut reader = F1Reader::new();
    let (mut out, mut batch) = (Vec::new(), Batch::default());
    let mut at = Stamp { unix_ms: 1_800_000_000_000, mono_ms: 0 };
    let mut packets: Vec<Vec<u8>> = (0..IDS as u8).map(empty).collect();
    for step in Steps(data).take(ENOUGH) {
        let packet = &mut packets[usize::from(step.id) % IDS];
        let (size, at_byte) = (packet.len(), usize::from(step.offset) % packet.len());
        let patch = &step.patch[..step.patch.len().min(size - at_byte)];
        packet[at_byte..at_byte + patch.len()].copy_from_slice(patch);
        at = Stamp { unix_ms: at.unix_ms + step.after_ms(), mono_ms: at.mono_ms + step.after_ms() };
        let raw = match step.id / IDS as u8 {
            // Ids above the first sixteen only patch: what the game changes at once takes several steps here.
            0 => Raw::Datagram { from: ([127, 0, 0, 1], 20_777).into(), bytes: packet.clone() },
            1 => continue,
            _ => Raw::Tick,
        };
        reader.read(at, &raw, &mut out);
        for reading in out.drain(..) {
            if let Reading::Sample(sample) = reading {
                batch.push(&sample);
            }
        }
    }
    let mut frame = Vec::new();
    batch.encode(1, SessionId::default(), 1, 1, &mut frame);
});

struct Step<'a> {
    id: u8,
    after: u8,
    offset: u16,
    patch: &'a [u8],
}

impl Step<'_> {
    /// Short steps mostly; the last few values skip over the reader's own deadlines.
    fn after_ms(&self) -> u64 {
        if self.after < 250 { u64::from(self.after) } else { u64::from(self.after - 249) * 15_000 }
    }
}

/// id, milliseconds, offset (two bytes), length, patch; again and again.
struct Steps<'a>(&'a [u8]);

impl<'a> Iterator for Steps<'a> {
    type Item = Step<'a>;
    fn next(&mut self) -> Option<Step<'a>> {
        let [id, after, low, high, len, rest @ ..] = self.0 else { return None };
        let (patch, rest) = rest.split_at(usize::from(*len).min(rest.len()));
        self.0 = rest;
        Some(Step { id: *id, after: *after, offset: u16::from_le_bytes([*low, *high]), patch })
    }
}

fn empty(id: u8) -> Vec<u8> {
    let mut packet = vec![0; Format::F2025.size_of(id).expect("the format has sixteen packets")];
    packet[..7].copy_from_slice(&[0xe9, 0x07, 25, 1, 0, 1, id]);
    packet[7] = 1;
    packet
}

fn seeds() -> Vec<Vec<u8>> {
    let recorded = onelap_fuzz::recorded("f1-2025-datagrams", ".bin");
    let whole: Vec<_> = recorded.iter().filter(|packet| packet.len() > 29 && packet[6] < 16).collect();
    // All packets of the recorded car; then time, speed and lap move on.
    let mut session = Vec::new();
    for packet in &whole {
        put(&mut session, packet);
    }
    let mut seeds: Vec<Vec<u8>> = whole.iter().map(|packet| steps_of(packet)).collect();
    for i in 0..8u8 {
        for (id, offset, patch) in [(2, 15, [i, 0, 0x80, 0x42]), (6, 19, [i, 1, 0, 0]), (2, 29 + 33, [i, i % 3, 0, 0])]
        {
            session.extend([id, 50, offset, 0, 4]);
            session.extend(patch);
        }
    }
    seeds.push(session);
    seeds.push([[6, 20, 7, 0, 1, 9], [2, 20, 33, 0, 1, 1], [1, 255, 0, 0, 0, 0]].concat());
    seeds
}

fn steps_of(packet: &[u8]) -> Vec<u8> {
    let mut steps = Vec::new();
    put(&mut steps, packet);
    steps
}

/// The packet in patches, the last of which sends it.
fn put(steps: &mut Vec<u8>, packet: &[u8]) {
    let patches: Vec<_> = packet.chunks(255).collect();
    for (i, patch) in patches.iter().enumerate() {
        let sends = i + 1 == patches.len();
        let [low, high] = ((i * 255) as u16).to_le_bytes();
        steps.extend([if sends { packet[6] } else { packet[6] + 16 }, 5, low, high, patch.len() as u8]);
        steps.extend(*patch);
    }
}
