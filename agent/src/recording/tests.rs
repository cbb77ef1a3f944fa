//! What is recorded is what is read, whole, cut off or damaged.

use super::*;
use proptest::prelude::*;

fn at(ms: u64) -> Stamp {
    Stamp { unix_ms: 1_700_000_000_000 + ms, mono_ms: 500 + ms }
}

fn inputs() -> Vec<(Stamp, Raw)> {
    let image = |n: u8| Raw::LmuImage((0..1_003u32).map(|i| if i % 97 == 0 { n } else { i as u8 }).collect());
    let rest = Raw::Rest { path: "/rest/sessions/GetGameState".into(), status: 503, body: b"{}".to_vec() };
    vec![
        (at(0), Raw::Tick),
        (at(10), image(1)),
        (at(26), image(2)),
        (at(26), rest),
        (Stamp { unix_ms: 5, ..at(40) }, Raw::LmuGone),
        (at(50), image(3)),
        (at(60), Raw::Datagram { from: "192.168.1.7:20777".parse().unwrap(), bytes: vec![1, 2, 3] }),
        (at(70), Raw::Datagram { from: "[fe80::1]:20778".parse().unwrap(), bytes: vec![] }),
    ]
}

fn written(inputs: &[(Stamp, Raw)]) -> Vec<u8> {
    let mut recorder = Recorder::new(Vec::new()).unwrap();
    for (at, raw) in inputs {
        recorder.write(*at, raw).unwrap();
    }
    recorder.finish().unwrap()
}

fn read(bytes: &[u8]) -> (Vec<(Stamp, Raw)>, Result<bool, RecordingError>) {
    let mut inputs = Vec::new();
    let mut recording = match Recording::open(bytes) {
        Ok(recording) => recording,
        Err(error) => return (inputs, Err(error)),
    };
    loop {
        match recording.next_input() {
            Ok(Some(input)) => inputs.push(input),
            Ok(None) => return (inputs, Ok(recording.is_cut_off())),
            Err(error) => return (inputs, Err(error)),
        }
    }
}

#[test]
fn what_was_recorded_is_read() {
    let (read, end) = read(&written(&inputs()));
    assert_eq!(read, inputs());
    assert!(matches!(end, Ok(false)));
}

#[test]
fn a_killed_recorder_leaves_what_was_flushed() {
    let mut recorder = Recorder::new(Vec::new()).unwrap();
    for i in 0..100u64 {
        recorder
            .write(at(i * 100), &Raw::Datagram { from: ([10, 0, 0, 1], 1).into(), bytes: vec![i as u8; 50] })
            .unwrap();
    }
    let flushed = recorder.stream.get_ref().clone();
    let (inputs, end) = read(&flushed);
    assert!(inputs.len() > 70, "{} of 100", inputs.len());
    assert!(matches!(end, Ok(true)), "{end:?}");
}

#[test]
fn what_is_not_a_recording_is_named() {
    assert!(matches!(read(b"").1, Err(RecordingError::NotARecording)));
    assert!(matches!(read(b"PK\x03\x04 something else").1, Err(RecordingError::NotARecording)));
    let mut newer = written(&inputs());
    newer[7] = 9;
    assert!(matches!(read(&newer).1, Err(RecordingError::Version(9))));
}

#[test]
fn a_length_that_is_a_lie_costs_no_memory() {
    let mut record = vec![Kind::Tick as u8, 0, 0];
    put_varint(&mut record, u64::MAX);
    let mut file = MAGIC.to_vec();
    file.extend(zstd::encode_all(&record[..], 1).unwrap());
    assert!(matches!(read(&file).1, Err(RecordingError::Damaged { record: 1, .. })));
}

proptest! {
    #[test]
    fn cut_off_anywhere_it_reads_up_to_there(cut in 8usize..10_000) {
        let whole = written(&inputs());
        let cut = cut % whole.len();
        prop_assume!(cut >= 8);
        let (read, end) = read(&whole[..cut]);
        prop_assert!(read.len() <= inputs().len());
        prop_assert_eq!(&read[..], &inputs()[..read.len()]);
        prop_assert!(matches!(end, Ok(true)), "{:?}", end);
    }

    #[test]
    fn damage_never_panics_and_never_gives_what_was_not_there(byte in 8usize..10_000, to in any::<u8>()) {
        let mut damaged = written(&inputs());
        let byte = byte % damaged.len();
        prop_assume!(byte >= 8);
        damaged[byte] = to;
        let (read, _) = read(&damaged);
        prop_assert_eq!(&read[..], &inputs()[..read.len().min(inputs().len())]);
    }

    #[test]
    fn records_of_any_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut file = MAGIC.to_vec();
        file.extend(zstd::encode_all(&bytes[..], 1).unwrap());
        let _ = read(&file);
    }
}
