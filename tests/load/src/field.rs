//! Size and speed of the field's frames.

use crate::feed;
use onelap_protocol::SessionId;
use onelap_protocol::race::Standings;
use onelap_protocol::standings::{Decoder, Encoder, Field};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// The largest field that leagues run.
const CARS: usize = 60;
/// Between two keyframes, as the agent sends them.
const KEYFRAME_S: f64 = 10.0;
/// Least time of one measurement.
const MEASURE: Duration = Duration::from_secs(1);

/// The frames that an agent would send, as long as they are.
fn frames(fields: &[Standings]) -> Vec<Vec<u8>> {
    let (mut encoder, session) = (Encoder::new(1), SessionId::new());
    let mut whole_s = f64::NEG_INFINITY;
    let frame = |field: &Standings| {
        if field.at_s - whole_s >= KEYFRAME_S {
            whole_s = field.at_s;
            encoder.forget();
        }
        encoder.encode(session, field)
    };
    fields.iter().map(frame).collect()
}

/// Frames a second of one core.
fn rate(count: usize, mut work: impl FnMut()) -> f64 {
    let (began, mut done) = (Instant::now(), 0);
    while began.elapsed() < MEASURE {
        work();
        done += count;
    }
    done as f64 / began.elapsed().as_secs_f64()
}

pub(crate) async fn run(length: Duration) {
    let fields = feed::fields(CARS, length).await;
    let seconds = feed::length_s(&fields);
    let frames = frames(&fields);
    let bytes = frames.iter().skip(1).map(Vec::len).sum::<usize>() as f64;
    let json: usize =
        fields.iter().skip(1).map(|field| serde_json::to_vec(field).expect("plain data serialises").len()).sum();
    let mut sizes: Vec<usize> = frames.iter().map(Vec::len).collect();
    sizes.sort_unstable();
    println!(
        "field of {CARS} cars at {:.1} Hz, the whole every {KEYFRAME_S:.0} s: {:.2} kB/s, as JSON {:.1} kB/s: {:.1} %",
        (fields.len() - 1) as f64 / seconds,
        bytes / seconds / 1e3,
        json as f64 / seconds / 1e3,
        100.0 * bytes / json as f64
    );
    println!("its frames: {} B in the middle, {} B the largest", sizes[sizes.len() / 2], sizes[sizes.len() - 1]);
    let encoded = rate(fields.len(), || drop(black_box(self::frames(&fields))));
    let decoded = rate(frames.len(), || {
        let mut decoder = Decoder::default();
        frames.iter().for_each(|frame| drop(black_box(decoder.apply(frame).map(Field::number))));
    });
    println!("fields encoded: {encoded:.0}/s; decoded: {decoded:.0}/s (one core)");
}
