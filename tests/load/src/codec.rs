//! Size and speed of batches and chunks.

use crate::feed;
use onelap_protocol::batch::OPCODE_SAMPLES;
use onelap_protocol::channel::CHANNELS;
use onelap_protocol::{Batch, Sample, SessionId};
use onelap_service::recorder::chunk;
use serde_json::{Map, Value};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Samples in a batch: 100 ms.
const BATCH: usize = 2;
/// Samples in a chunk: 10 s.
const CHUNK: usize = 200;
/// Least time of one measurement.
const MEASURE: Duration = Duration::from_secs(1);

/// A sample as the 1Lap contract would send it: one JSON object a frame, values per wheel as an object.
fn contract_json(sample: &Sample) -> Value {
    let mut telemetry = Map::new();
    for info in CHANNELS {
        let Some(value) = sample.get(info.channel) else { continue };
        match info.name.split_once('.') {
            None => drop(telemetry.insert(info.name.into(), value.into())),
            Some((name, corner)) => {
                let wheel = telemetry.entry(name).or_insert_with(|| Value::Object(Map::new()));
                if let Value::Object(wheel) = wheel {
                    wheel.insert(corner.into(), value.into());
                }
            }
        }
    }
    serde_json::json!({ "session_id": SessionId::new(), "telemetry": telemetry })
}

/// Calls `work` on the items, round and round, and says how many a second.
fn rate<T>(items: &[T], mut work: impl FnMut(&T)) -> f64 {
    let (began, mut done) = (Instant::now(), 0u64);
    while began.elapsed() < MEASURE {
        items.iter().for_each(&mut work);
        done += items.len() as u64;
    }
    done as f64 / began.elapsed().as_secs_f64()
}

pub(crate) fn run(samples: &[Sample]) {
    let channels = feed::channels(samples);
    let batch_of = |samples: &[Sample]| {
        let mut batch = Batch::with_capacity(samples.len());
        samples.iter().for_each(|s| batch.push(s));
        batch
    };
    let session = SessionId::new();
    let batches: Vec<Batch> = samples.chunks_exact(BATCH).map(batch_of).collect();
    let frames: Vec<Vec<u8>> = batches
        .iter()
        .map(|batch| {
            let mut frame = Vec::new();
            batch.encode(OPCODE_SAMPLES, session, 1, 1, &mut frame);
            frame
        })
        .collect();
    let jsons: Vec<String> = samples.iter().map(|s| contract_json(s).to_string()).collect();
    let mean = |sizes: &mut dyn Iterator<Item = usize>, n: usize| sizes.sum::<usize>() as f64 / n as f64;
    let frame_bytes = mean(&mut frames.iter().map(Vec::len), frames.len());
    let json_bytes = mean(&mut jsons.iter().map(String::len), jsons.len());
    println!("batch of {BATCH} samples: {frame_bytes:.0} B; the contract's JSON for one sample: {json_bytes:.0} B");
    println!(
        "per sample: {:.0} B against {json_bytes:.0} B of JSON: {:.1} %",
        frame_bytes / BATCH as f64,
        100.0 * frame_bytes / BATCH as f64 / json_bytes
    );

    let mut out = Vec::new();
    let encoded = rate(&batches, |batch| {
        out.clear();
        batch.encode(OPCODE_SAMPLES, session, 1, 1, &mut out);
        black_box(&out);
    });
    let decoded = rate(&frames, |frame| drop(black_box(Batch::decode(frame))));
    let parsed = rate(&jsons, |json| drop(black_box(serde_json::from_str::<Value>(json))));
    println!("batches encoded: {encoded:.0}/s; decoded: {decoded:.0}/s; JSON parsed: {parsed:.0}/s (one core)");

    let blocks: Vec<Batch> = samples.chunks_exact(CHUNK).map(batch_of).collect();
    let chunks: Vec<Vec<u8>> =
        blocks.iter().map(|b| chunk::encode(b).expect("zstd works").expect("not empty")).collect();
    let chunk_bytes = mean(&mut chunks.iter().map(Vec::len), chunks.len());
    let raw_bytes = CHUNK as f64 * channels * 4.0;
    println!(
        "chunk of {CHUNK} samples: {chunk_bytes:.0} B, {:.2} B per sample and channel; as f32: {raw_bytes:.0} B",
        chunk_bytes / CHUNK as f64 / channels
    );
    let packed = rate(&blocks, |b| drop(black_box(chunk::encode(b))));
    let unpacked = rate(&chunks, |c| drop(black_box(chunk::decode(c))));
    println!("chunks packed: {packed:.0}/s; unpacked: {unpacked:.0}/s (one core)");
}
