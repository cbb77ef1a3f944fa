//! Frames that this crate writes and the web app's decoder reads: `tests/golden/`.
//!
//! `accepted/NAME.bin` decodes to what `NAME.json` says; `refused/NAME.bin` is refused with the message in `NAME.json`.
//! The web app's tests read the same files. They are committed; `UPDATE_GENERATED=1` writes them anew.

#![expect(clippy::unwrap_used, reason = "helpers of a test: what fails here fails the test")]

use onelap_protocol::batch::{OPCODE_SAMPLES, OPCODE_TRACE};
use onelap_protocol::channel::{ABSENT, CHANNELS};
use onelap_protocol::columns::{put_column, put_varint, put_zigzag};
use onelap_protocol::{Batch, Channel, Sample, SessionId};
use serde_json::{Value, json};
use std::path::PathBuf;

const SESSION: &str = "01936b2e-7c40-7a11-9b5e-3f0d6c2a8e71";
const BASE_MS: u64 = 1_795_168_805_123;

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden"))
}

fn session() -> SessionId {
    SESSION.parse().unwrap()
}

/// The file's bytes as committed; written first where that was asked for.
fn committed(name: &str, bytes: &[u8]) -> Vec<u8> {
    let path = folder().join(name);
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
    }
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}; UPDATE_GENERATED=1 writes it", path.display()))
}

/// Compared as values, as the order of an object's keys depends on who else uses serde_json in a build.
fn check_described(name: &str, value: &Value) {
    let text = committed(name, format!("{value:#}\n").as_bytes());
    let found: Value = serde_json::from_slice(&text).unwrap();
    assert!(found == *value, "{name} drifted");
}

/// A decoded frame, as the web app's test compares it: steps per channel name, `null` where absent.
fn described(opcode: u8, bytes: &[u8]) -> Value {
    let (header, batch) = Batch::decode(bytes).unwrap();
    let channels: serde_json::Map<String, Value> = CHANNELS
        .iter()
        .filter(|info| batch.column(info.channel).iter().any(|v| *v != ABSENT))
        .map(|info| {
            let steps = batch.column(info.channel).iter().map(|v| (*v != ABSENT).then_some(*v));
            (info.name.to_owned(), steps.collect())
        })
        .collect();
    json!({
        "opcode": opcode,
        "session": header.session,
        "epoch": header.epoch,
        "sequence": header.sequence,
        "times_ms": batch.times_ms(),
        "channels": channels,
    })
}

fn accept(name: &str, opcode: u8, bytes: &[u8]) {
    assert!(committed(&format!("accepted/{name}.bin"), bytes) == bytes, "{name}.bin drifted");
    check_described(&format!("accepted/{name}.json"), &described(opcode, bytes));
}

fn refuse(name: &str, bytes: &[u8]) {
    let error = Batch::decode(bytes).unwrap_err();
    assert!(committed(&format!("refused/{name}.bin"), bytes) == bytes, "{name}.bin drifted");
    check_described(&format!("refused/{name}.json"), &json!({ "error": error.to_string() }));
}

fn driving(samples: u64) -> Batch {
    let mut batch = Batch::default();
    for i in 0..samples {
        let mut sample = Sample::new(BASE_MS + i * 50 + i % 3);
        let t = i as f64;
        sample.set(Channel::SessionTime, 812.35 + t * 0.05);
        sample.set(Channel::Lap, if i < samples / 2 { 7.0 } else { 8.0 });
        sample.set(Channel::LapDistance, if i < samples / 2 { 6990.0 + t * 3.9 } else { (t - 4.0) * 3.9 });
        sample.set(Channel::Speed, 287.4 - t * t * 0.7);
        sample.set(Channel::Gear, if i == 3 { -1.0 } else { 6.0 });
        sample.set(Channel::Steering, (t - 3.0) * 12.3);
        sample.set(Channel::Fuel, 61.27);
        sample.set(Channel::PositionX, -1204.3 + t);
        sample.set(Channel::TirePressureRl, 178.4);
        batch.push(&sample);
    }
    batch
}

fn frame(batch: &Batch, opcode: u8) -> Vec<u8> {
    let mut out = Vec::new();
    batch.encode(opcode, session(), 1_795_168_000_000, 4_321, &mut out);
    out
}

/// Everything before the columns, for frames that no encoder writes.
fn header(opcode: u8, sequence: u64, samples: u64) -> Vec<u8> {
    let mut out = vec![opcode, 1];
    out.extend(session().0.as_bytes());
    for value in [1, sequence, BASE_MS, samples] {
        put_varint(&mut out, value);
    }
    out
}

#[test]
fn frames_that_are_read() {
    accept("driving", OPCODE_SAMPLES, &frame(&driving(8), OPCODE_SAMPLES));
    accept("one_sample", OPCODE_SAMPLES, &frame(&driving(1), OPCODE_SAMPLES));
    accept("trace", OPCODE_TRACE, &frame(&driving(300), OPCODE_TRACE));

    let mut gaps = driving(19);
    for i in [0, 1, 7, 8, 9, 16, 18] {
        gaps.set(Channel::Speed, i, ABSENT);
        gaps.set(Channel::Fuel, i, ABSENT);
    }
    accept("gaps", OPCODE_SAMPLES, &frame(&gaps, OPCODE_SAMPLES));

    let mut extremes = driving(4);
    for (i, steps) in [i32::MAX, -i32::MAX, 0, i32::MAX].into_iter().enumerate() {
        extremes.set(Channel::DeltaBest, i, steps);
    }
    accept("extremes", OPCODE_SAMPLES, &frame(&extremes, OPCODE_SAMPLES));
}

#[test]
fn times_may_go_back_and_unknown_channels_are_skipped() {
    let mut bytes = header(OPCODE_SAMPLES, 9, 3);
    put_zigzag(&mut bytes, -20);
    put_zigzag(&mut bytes, 70);
    put_varint(&mut bytes, 3);
    put_column(&mut bytes, Channel::Rpm.number(), [7200, 7250, 7301].into_iter());
    put_column(&mut bytes, 9_999, [1, ABSENT, 3].into_iter());
    put_column(&mut bytes, Channel::Throttle.number(), [1000, 1000, 1000].into_iter());
    accept("unknown_channel", OPCODE_SAMPLES, &bytes);
}

#[test]
fn frames_that_are_refused() {
    refuse("empty", &[]);
    let good = frame(&driving(3), OPCODE_SAMPLES);
    let mut opcode = good.clone();
    opcode[0] = 0x7f;
    refuse("opcode", &opcode);
    let mut format = good.clone();
    format[1] = 2;
    refuse("format", &format);
    refuse("cut_short", &good[..good.len() - 2]);
    refuse("trailing", &[good.as_slice(), &[0, 0]].concat());
    refuse("no_samples", &header(OPCODE_SAMPLES, 1, 0));
    refuse("too_many_samples", &header(OPCODE_SAMPLES, 1, 257));
    refuse("sequence_0", &header(OPCODE_SAMPLES, 0, 1));

    let mut columns = header(OPCODE_SAMPLES, 1, 1);
    put_varint(&mut columns, 513);
    refuse("too_many_columns", &columns);

    let mut twice = header(OPCODE_SAMPLES, 1, 1);
    put_varint(&mut twice, 2);
    put_column(&mut twice, Channel::Rpm.number(), [1].into_iter());
    put_column(&mut twice, Channel::Rpm.number(), [1].into_iter());
    refuse("twice", &twice);

    let mut range = header(OPCODE_SAMPLES, 1, 1);
    put_varint(&mut range, 1);
    put_varint(&mut range, u64::from(Channel::Rpm.number()) << 2);
    put_zigzag(&mut range, 1 << 40);
    refuse("out_of_range", &range);

    let mut long = header(OPCODE_SAMPLES, 1, 1);
    long.extend([0xff; 11]);
    refuse("number_too_long", &long);
}
