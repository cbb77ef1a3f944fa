//! Frames of standings, each a length of two bytes and as many bytes: any of them is applied or refused, and what was
//! applied survives another trip over the wire, whole and as the difference to what was before.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onelap_protocol::standings::{Decoder, Encoder, Field, StandingsError, peek};

fuzz_target!(init: onelap_fuzz::seeds(seeds), |data: &[u8]| {
    let mut decoder = Decoder::default();
    let mut last: Option<Field> = None;
    for frame in frames(data) {
        match decoder.apply(frame) {
            Ok(field) => {
                let header = peek(frame).expect("it was applied");
                assert_eq!((header.session, header.number), (field.session(), field.number()));
                assert_eq!(Decoder::default().apply(&field.keyframe()), Ok(field));
                if let Some(last) = &last {
                    let mut other = Decoder::default();
                    other.apply(&last.keyframe()).expect("it was applied before");
                    assert_eq!(other.apply(&field.since(last)), Ok(field));
                }
                let again = Encoder::new(1).encode(field.session(), &field.standings());
                let again = Decoder::default().apply(&again).map(Field::standings);
                assert_eq!(again, Ok(field.standings()));
                last = Some(field.clone());
            }
            Err(StandingsError::NeedKeyframe { .. }) => assert_eq!(decoder.field(), last.as_ref()),
            Err(_) => last = decoder.field().cloned(),
        }
    }
});

fn frames(mut data: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = data.split_first_chunk::<2>()?;
        let (frame, rest) = rest.split_at_checked(u16::from_le_bytes(*length).into())?;
        data = rest;
        Some(frame)
    })
}

/// Each golden frame alone, and all of them in a row.
fn seeds() -> Vec<Vec<u8>> {
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/../../protocol/tests/golden/standings");
    let framed = |frame: Vec<u8>| [&(frame.len() as u16).to_le_bytes()[..], &frame].concat();
    let mut seeds: Vec<Vec<u8>> = onelap_fuzz::files(golden, ".bin").into_iter().map(framed).collect();
    seeds.push(seeds.concat());
    seeds
}
