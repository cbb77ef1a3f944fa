//! Sample batches: any bytes decode or are refused, and what decodes survives another trip over the wire.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onelap_protocol::batch::{OPCODE_SAMPLES, OPCODE_TRACE, peek};
use onelap_protocol::channel::CHANNELS;
use onelap_protocol::{Batch, Sample, SessionId};

fuzz_target!(init: onelap_fuzz::seeds(seeds), |data: &[u8]| {
    let _ = Batch::decode_body(data, 1_800_000_000_000, 1_000);
    let Ok((header, batch)) = Batch::decode(data) else { return };
    assert_eq!(peek(data), Ok(header));
    let mut frame = Vec::new();
    batch.encode(data[0], header.session, header.epoch, header.sequence, &mut frame);
    assert_eq!(Batch::decode(&frame), Ok((header, batch)));
});

fn seeds() -> Vec<Vec<u8>> {
    let mut frames = onelap_fuzz::files(concat!(env!("CARGO_MANIFEST_DIR"), "/../../protocol/tests/golden"), ".bin");
    for (opcode, samples, every) in
        [(OPCODE_SAMPLES, 1, 1), (OPCODE_SAMPLES, 2, 3), (OPCODE_SAMPLES, 40, 7), (OPCODE_TRACE, 300, 20)]
    {
        let mut batch = Batch::default();
        for i in 0..samples {
            let mut sample = Sample::new(1_800_000_000_000 + i * 50);
            for (c, info) in CHANNELS.iter().enumerate().step_by(every) {
                // Constant columns, rising ones and ones with gaps.
                match c % 3 {
                    0 => sample.set(info.channel, c as f64),
                    1 => sample.set(info.channel, (c as u64 + i) as f64 * info.quantum),
                    _ => sample.set_opt(info.channel, (i % 2 == 0).then_some(i as f64)),
                }
            }
            batch.push(&sample);
        }
        let mut frame = Vec::new();
        batch.encode(opcode, SessionId::new(), 5, 9, &mut frame);
        frames.push(frame);
    }
    frames
}
