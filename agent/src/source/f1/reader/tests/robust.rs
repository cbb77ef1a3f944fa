//! No input makes the reader panic, and what it says can be put on the wire.

use super::*;
use crate::raw::Stamp;
use game::SIZES;
use proptest::prelude::*;
use std::net::{Ipv4Addr, SocketAddr};

/// Random packets of the right size, of a few sessions and frames, so that they reach what is behind the decoder.
fn packet() -> impl Strategy<Value = Vec<u8>> {
    let header = (0u8..16, 0u64..3, any::<f32>(), 0u32..6, 0u32..6, 0u8..24);
    (header, any::<u64>(), 0u8..4).prop_map(|((id, uid, time_s, frame, overall, player), seed, density)| {
        let mut bytes = vec![0; SIZES[usize::from(id)]];
        let mut state = seed | 1;
        for byte in &mut bytes[29..] {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // Small values reach more branches than large ones.
            *byte = match density {
                0 => (state >> 56) as u8,
                1 => (state >> 62) as u8,
                2 => (state >> 60) as u8,
                _ => 2,
            };
        }
        let codes: [&[u8; 4]; 6] = [b"SEND", b"FLBK", b"RDFL", b"SCAR", b"PENA", b"CHQF"];
        if id == 3 {
            bytes[29..33].copy_from_slice(codes[(seed % 6) as usize]);
        }
        bytes[..7].copy_from_slice(&[0xe9, 0x07, 25, 1, 18, 1, id]);
        bytes[7..15].copy_from_slice(&uid.to_le_bytes());
        bytes[15..19].copy_from_slice(&time_s.to_le_bytes());
        bytes[19..23].copy_from_slice(&frame.to_le_bytes());
        bytes[23..27].copy_from_slice(&overall.to_le_bytes());
        bytes[27] = player;
        bytes
    })
}

fn read_all(packets: Vec<(Vec<u8>, u64)>) -> Vec<Reading> {
    let (mut reader, mut out, mut now_ms) = (F1Reader::new(), Vec::new(), 0);
    let from = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
    for (bytes, wait_ms) in packets {
        now_ms += wait_ms;
        let at = Stamp { unix_ms: now_ms, mono_ms: now_ms };
        reader.read(at, &Raw::Datagram { from, bytes }, &mut out);
        reader.read(at, &Raw::Tick, &mut out);
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_packets_panic(packets in proptest::collection::vec((packet(), 0u64..1500), 0..60)) {
        let mut is_running = false;
        for reading in read_all(packets) {
            match reading {
                Reading::SessionStarted(_) => is_running = true,
                Reading::SessionEnded(_) => {
                    prop_assert!(is_running);
                    is_running = false;
                }
                Reading::State { .. } | Reading::Notice(_) => {}
                Reading::Event(event) => {
                    prop_assert!(is_running);
                    serde_json::to_string(&event).unwrap();
                }
                Reading::Standings(standings) => {
                    prop_assert!(is_running);
                    serde_json::to_string(&standings).unwrap();
                }
                Reading::SessionChanged(_) | Reading::Sample(_) | Reading::Setup { .. } => prop_assert!(is_running),
            }
        }
    }

    #[test]
    fn no_bytes_panic(packets in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 0..1500), 0u64..9000), 0..20)) {
        read_all(packets);
    }
}
