//! The LMU reader over time: whatever images and REST answers follow each other, readings come out and nothing panics.
//!
//! An image has 324,820 bytes, of which few matter: inputs are changes to one, at the places where the game keeps things.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onelap_agent::inspect::lmu::inspect;
use onelap_agent::raw::{Raw, Reader, Stamp};
use onelap_agent::reading::Reading;
use onelap_agent::source::lmu::endpoint::Endpoint;
use onelap_agent::source::lmu::image::SIZE;
use onelap_agent::source::lmu::reader::LmuReader;
use onelap_protocol::{Batch, SessionId};

/// Most images of one input.
const ENOUGH: usize = 40;
/// Where the game keeps things: begin and size of what is patched. Generic and scoring, the first cars in scoring, the
/// stream of text, the first cars in telemetry; then anywhere.
const PLACES: [(usize, usize); 5] =
    [(0, 2_192), (2_192, 4 * 584), (62_928, 2_048), (128_464, 4 + 4 * 1_888), (0, SIZE)];

fuzz_target!(init: onelap_fuzz::seeds(seeds), |data: &[u8]| {
    // As `inspect` gets it from a file: of any size.
    let _ = inspect(data);
    let mut reader = LmuReader::new();
    let (mut image, mut batch, mut images) = (vec![0u8; SIZE], Batch::default(), 0);
    let mut at = Stamp { unix_ms: 1_800_000_000_000, mono_ms: 0 };
    for step in Steps(data) {
        let raw = match step.kind % 16 {
            place @ 0..5 => {
                let (begin, size) = PLACES[usize::from(place)];
                let offset = begin + usize::from(step.offset) % size;
                let len = step.bytes.len().min(SIZE - offset);
                image[offset..offset + len].copy_from_slice(&step.bytes[..len]);
                continue;
            }
            5..10 => {
                images += 1;
                Raw::LmuImage(image.clone())
            }
            10 => Raw::LmuGone,
            11 => Raw::Tick,
            kind => Raw::Rest {
                path: Endpoint::ALL[usize::from(step.offset) % Endpoint::ALL.len()].path().to_owned(),
                status: if kind == 15 { 503 } else { 200 },
                body: step.bytes.to_vec(),
            },
        };
        if images > ENOUGH {
            break;
        }
        // Short steps mostly; the upper bits skip over the reader's own deadlines.
        let after_ms = [20, 50, 200, 1_000, 5_000, 40_000][usize::from(step.kind >> 4) % 6];
        at = Stamp { unix_ms: at.unix_ms + after_ms, mono_ms: at.mono_ms + after_ms };
        let mut out = Vec::new();
        reader.read(at, &raw, &mut out);
        for reading in out {
            if let Reading::Sample(sample) = reading {
                batch.push(&sample);
            }
        }
    }
    if let Ok(shown) = inspect(&image) {
        serde_json::to_vec(&shown).expect("what was decoded can be shown");
    }
    let mut frame = Vec::new();
    batch.encode(1, SessionId::default(), 1, 1, &mut frame);
});

struct Step<'a> {
    kind: u8,
    offset: u16,
    bytes: &'a [u8],
}

/// kind, offset (two bytes), length, bytes; again and again.
struct Steps<'a>(&'a [u8]);

impl<'a> Iterator for Steps<'a> {
    type Item = Step<'a>;
    fn next(&mut self) -> Option<Step<'a>> {
        let [kind, low, high, len, rest @ ..] = self.0 else { return None };
        let (bytes, rest) = rest.split_at(usize::from(*len).min(rest.len()));
        self.0 = rest;
        Some(Step { kind: *kind, offset: u16::from_le_bytes([*low, *high]), bytes })
    }
}

fn put(out: &mut Vec<u8>, place: u8, offset: u16, bytes: &[u8]) {
    out.push(place);
    out.extend(offset.to_le_bytes());
    out.push(bytes.len() as u8);
    out.extend(bytes);
}

/// A race of two cars at Spa; offsets as in the game's 1.3 layout.
fn race() -> Vec<u8> {
    const SCORING: u16 = 1_632;
    let mut out = Vec::new();
    put(&mut out, 0, 64, &14_200i32.to_le_bytes());
    put(&mut out, 0, 96, &[3]);
    put(&mut out, 0, SCORING, b"Circuit de Spa-Francorchamps\0");
    put(&mut out, 0, SCORING + 64, &10i32.to_le_bytes());
    put(&mut out, 0, SCORING + 76, &3600f64.to_le_bytes());
    put(&mut out, 0, SCORING + 84, &i32::MAX.to_le_bytes());
    put(&mut out, 0, SCORING + 88, &7004f64.to_le_bytes());
    put(&mut out, 0, SCORING + 104, &2i32.to_le_bytes());
    put(&mut out, 0, SCORING + 108, &[5]);
    put(&mut out, 0, SCORING + 115, &[1]);
    for (slot, (id, driver, class)) in
        [(3i32, "Grace Hopper", "Hyper"), (7, "Ada Lovelace", "GT3")].into_iter().enumerate()
    {
        let at = slot as u16 * 584;
        put(&mut out, 1, at, &id.to_le_bytes());
        put(&mut out, 1, at + 4, driver.as_bytes());
        put(&mut out, 1, at + 36, b"Iron 2025 #85:LM");
        put(&mut out, 1, at + 102, &[1]);
        put(&mut out, 1, at + 196, &[slot as u8]);
        put(&mut out, 1, at + 199, &[slot as u8 + 1]);
        put(&mut out, 1, at + 200, class.as_bytes());
        put(&mut out, 1, at + 304, &(-50f64).to_le_bytes());
    }
    put(&mut out, 3, 0, &[2, 0, 1]);
    for (slot, id) in [7i32, 3].into_iter().enumerate() {
        put(&mut out, 3, 4 + slot as u16 * 1_888, &id.to_le_bytes());
        put(&mut out, 3, 4 + slot as u16 * 1_888 + 200, &(-50f64).to_le_bytes());
    }
    put(&mut out, 5, 0, &[]);
    out
}

fn seeds() -> Vec<Vec<u8>> {
    let mut laps = race();
    for lap in 1..6u8 {
        // Time moves on, the lap counts up, the lap time stands.
        put(&mut laps, 0, 1_632 + 68, &(f64::from(lap) * 100.0).to_le_bytes());
        put(&mut laps, 3, 4 + 4, &(f64::from(lap) * 100.0).to_le_bytes());
        put(&mut laps, 1, 584 + 100, &u16::from(lap).to_le_bytes());
        put(&mut laps, 1, 584 + 144, &98.5f64.to_le_bytes());
        put(&mut laps, 1, 584 + 168, &99.5f64.to_le_bytes());
        put(&mut laps, 5 + 16 * (lap % 4), 0, &[]);
    }
    let mut menu = race();
    put(&mut menu, 12, 0, br#"{"inMonitor":true,"inControlOfVehicle":false}"#);
    put(&mut menu, 12, 4, br#"{"VM_REAR_WING":{"key":"VM_REAR_WING","value":7,"stringValue":"7","available":true}}"#);
    put(&mut menu, 15 + 32, 0, br#"{"status":"unavailable"}"#);
    put(&mut menu, 10 + 48, 0, &[]);
    put(&mut menu, 11 + 80, 0, &[]);
    put(&mut menu, 5, 0, &[]);
    vec![race(), laps, menu]
}
