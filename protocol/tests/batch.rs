//! The batch codec against arbitrary samples and arbitrary bytes.
use onelap_protocol::batch::{OPCODE_SAMPLES, peek};
use onelap_protocol::channel::{CHANNEL_COUNT, CHANNELS};
use onelap_protocol::{Batch, BatchError, Channel, Sample, SessionId};
use proptest::prelude::*;

fn samples() -> impl Strategy<Value = Vec<Sample>> {
    let values = prop::collection::vec((0..CHANNEL_COUNT, -1e6f64..1e6), 0..40);
    prop::collection::vec((0u64..2_000_000_000_000, values), 1..20).prop_map(|rows| {
        rows.into_iter()
            .map(|(at, values)| {
                let mut sample = Sample::new(at);
                for (channel, value) in values {
                    sample.set(CHANNELS[channel].channel, value);
                }
                sample
            })
            .collect()
    })
}

fn batch_of(samples: &[Sample]) -> Batch {
    let mut batch = Batch::default();
    samples.iter().for_each(|s| batch.push(s));
    batch
}

fn frame_of(samples: &[Sample], session: SessionId) -> Vec<u8> {
    let mut frame = Vec::new();
    batch_of(samples).encode(OPCODE_SAMPLES, session, 7, 42, &mut frame);
    frame
}

proptest! {
    #[test]
    fn what_was_written_is_read(samples in samples()) {
        let session = SessionId::new();
        let frame = frame_of(&samples, session);
        let (header, batch) = Batch::decode(&frame).unwrap();
        prop_assert_eq!((header.session, header.epoch, header.sequence, header.samples), (session, 7, 42, samples.len()));
        prop_assert_eq!(peek(&frame).unwrap(), header);
        for (i, sample) in samples.iter().enumerate() {
            prop_assert_eq!(batch.times_ms()[i], sample.at_ms);
            for info in CHANNELS {
                prop_assert_eq!(batch.value(info.channel, i), sample.get(info.channel));
            }
        }
    }

    #[test]
    fn any_bytes_decode_or_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = Batch::decode(&bytes);
        let _ = Batch::decode_body(&bytes, 0, 1000);
    }

    #[test]
    fn a_damaged_frame_never_panics(samples in samples(), at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let mut frame = frame_of(&samples, SessionId::new());
        let at = at.index(frame.len());
        frame[at] ^= 1 << bit;
        let _ = Batch::decode(&frame);
        frame.truncate(at);
        prop_assert!(Batch::decode(&frame).is_err());
    }
}

#[test]
fn two_samples_of_a_hundred_channels_are_small() {
    let mut samples = vec![Sample::new(1_800_000_000_000), Sample::new(1_800_000_000_050)];
    for (i, sample) in samples.iter_mut().enumerate() {
        for (c, info) in CHANNELS.iter().enumerate() {
            sample.set(info.channel, (c * 7 + i) as f64 * info.quantum);
        }
    }
    let frame = frame_of(&samples, SessionId::new());
    assert!(frame.len() < CHANNEL_COUNT * 6, "{} bytes for {CHANNEL_COUNT} channels", frame.len());
}

#[test]
fn the_errors_name_what_is_wrong() {
    let session = SessionId::new();
    let mut sample = Sample::new(1);
    sample.set(Channel::Speed, 100.0);
    let frame = frame_of(&[sample], session);
    let with = |at: usize, byte: u8| {
        let mut frame = frame.clone();
        frame[at] = byte;
        Batch::decode(&frame).unwrap_err().to_string()
    };
    assert_eq!(with(0, 9), "opcode 9 is not a batch of samples");
    assert_eq!(with(1, 2), "batch format 2 is not known, this side reads format 1");
    assert_eq!(with(19, 0), "sequence 0: sequences count from 1");
    assert_eq!(with(21, 0), "0 samples in a batch, allowed are 1 to 256");
    let mut long = frame.clone();
    long.push(0);
    assert_eq!(Batch::decode(&long).unwrap_err(), BatchError::Trailing(1));
    assert!(matches!(Batch::decode(&[]), Err(BatchError::Column(_))));
}

#[test]
fn a_channel_of_a_later_version_is_skipped() {
    use onelap_protocol::columns::{put_column, put_varint};
    let mut frame = vec![OPCODE_SAMPLES, 1];
    frame.extend(SessionId::new().0.as_bytes());
    for n in [1, 1, 1000, 1, 2] {
        put_varint(&mut frame, n);
    }
    assert!(put_column(&mut frame, 500, [5].into_iter()));
    assert!(put_column(&mut frame, Channel::Speed.number(), [1234].into_iter()));
    let (_, batch) = Batch::decode(&frame).unwrap();
    assert_eq!(batch.value(Channel::Speed, 0), Some(1234.0 * 0.1));
}
