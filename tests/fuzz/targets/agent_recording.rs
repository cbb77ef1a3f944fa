//! Recordings: any bytes are read to some end, and what was read can be recorded again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onelap_agent::raw::{Raw, Stamp};
use onelap_agent::recording::{MAGIC, Recorder, Recording};

/// A small file may unpack to very many records; a player takes them one by one.
const ENOUGH: usize = 200;

fuzz_target!(init: onelap_fuzz::seeds(seeds), |data: &[u8]| {
    read(data);
    // Framed here, so that the fuzzer reaches the records without knowing zstd and check sums.
    let inputs = read(&framed(data));
    let recorded = record(&inputs);
    assert_eq!(read(&recorded), inputs);
});

fn read(bytes: &[u8]) -> Vec<(Stamp, Raw)> {
    let Ok(mut recording) = Recording::open(bytes) else { return Vec::new() };
    let mut inputs = Vec::new();
    while inputs.len() < ENOUGH {
        match recording.next_input() {
            Ok(Some(input)) => inputs.push(input),
            Ok(None) => break,
            Err(error) => {
                drop(error.to_string());
                break;
            }
        }
    }
    inputs
}

fn record(inputs: &[(Stamp, Raw)]) -> Vec<u8> {
    let mut recorder = Recorder::new(Vec::new()).expect("memory takes it");
    for (at, raw) in inputs {
        recorder.write(*at, raw).expect("what was read is not too large");
    }
    recorder.finish().expect("memory takes it")
}

/// `data` as records: kind, milliseconds, length of the payload, payload, again and again.
fn framed(mut data: &[u8]) -> Vec<u8> {
    let mut records = Vec::new();
    while let [kind, ms, low, high, rest @ ..] = data {
        let len = usize::from(u16::from_le_bytes([*low, *high])).min(rest.len());
        let mut record = vec![*kind % 6, *ms & 0x7f, 0];
        put_varint(&mut record, len);
        record.extend(&rest[..len]);
        records.extend(&record);
        records.extend(crc32fast::hash(&record).to_le_bytes());
        data = &rest[len..];
    }
    let mut file = MAGIC.to_vec();
    file.extend(zstd::bulk::compress(&records, 1).expect("zstd packs anything"));
    file
}

fn put_varint(out: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn seeds() -> Vec<Vec<u8>> {
    let mut image = vec![0u8; 4_000];
    let mut inputs = Vec::new();
    for i in 0..10u64 {
        let at = Stamp { unix_ms: 1_800_000_000_000 + i * 20, mono_ms: i * 20 };
        image[i as usize * 100] = i as u8;
        inputs.push((at, Raw::LmuImage(image.clone())));
        inputs.push((at, Raw::Datagram { from: ([192, 168, 1, 5], 20_777).into(), bytes: vec![7; 45] }));
        inputs.push((at, Raw::Rest { path: "/rest/watch/standings".to_owned(), status: 200, body: b"[]".to_vec() }));
        inputs.push((at, Raw::Tick));
    }
    inputs.push((inputs[39].0, Raw::LmuGone));
    // The second in the form that `framed` takes: an image, a difference to it, a body, a datagram.
    let mut flat = vec![1, 5, 64, 0];
    flat.extend([9; 64]);
    flat.extend([2, 5, 4, 0, 1, 1, 7, 7]);
    flat.extend([4, 5, 7, 0, 200, 0, 3, b'/', b'a', b'b', b'x']);
    flat.extend([5, 5, 9, 0, 0x29, 0x51, 4, 127, 0, 0, 1, 1, 2]);
    flat.extend([3, 0, 0, 0, 0, 0, 0, 0]);
    vec![record(&inputs), flat]
}
