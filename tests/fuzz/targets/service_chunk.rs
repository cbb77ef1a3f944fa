//! Stored chunks: any bytes decode or are refused, with and without the compression around them, and what decodes
//! survives being stored again.
#![no_main]

// The file alone: the service around it would take minutes to build with instrumentation and adds nothing here.
#[path = "../../../service/src/recorder/chunk.rs"]
mod chunk;

use libfuzzer_sys::fuzz_target;
use onelap_protocol::channel::CHANNELS;
use onelap_protocol::{Batch, Sample};

fuzz_target!(init: onelap_fuzz::seeds(seeds), |data: &[u8]| {
    // As it is stored; and packed here, so that the fuzzer reaches the columns without knowing zstd.
    check(data);
    let mut packed = vec![1, 1, 5];
    packed.extend(zstd::bulk::compress(data, 1).expect("zstd packs anything"));
    check(&packed);
});

fn check(bytes: &[u8]) {
    let Ok(batch) = chunk::decode(bytes) else { return };
    let stored = chunk::encode(&batch).expect("zstd packs anything").expect("a chunk has samples");
    assert_eq!(chunk::decode(&stored).expect("what was stored can be read"), batch);
}

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for (samples, every) in [(1, 1), (20, 2), (200, 9)] {
        let mut batch = Batch::default();
        for i in 0..samples {
            let mut sample = Sample::new(1_800_000_000_000 + i * 50);
            for (c, info) in CHANNELS.iter().enumerate().step_by(every) {
                sample
                    .set_opt(info.channel, (c % 3 != 0 || i % 2 == 0).then_some((c as u64 + i) as f64 * info.quantum));
            }
            batch.push(&sample);
        }
        let stored = chunk::encode(&batch).expect("zstd packs anything").expect("a chunk has samples");
        // The header takes two bytes and the base time six.
        seeds.push(zstd::bulk::decompress(&stored[8..], 4 << 20).expect("what was packed can be unpacked"));
        seeds.push(stored);
    }
    seeds
}
