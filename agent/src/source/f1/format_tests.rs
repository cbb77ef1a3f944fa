use super::*;
use proptest::prelude::*;

fn datagram(format: u16, version: u8, id: u8, size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size];
    bytes[..2].copy_from_slice(&format.to_le_bytes());
    bytes[2] = (format % 100) as u8;
    bytes[5] = version;
    bytes[6] = id;
    bytes
}

#[test]
fn each_packet_of_each_format_is_told_by_its_exact_size() {
    for format in [Format::F2023, Format::F2024, Format::F2025, Format::F2026] {
        for id in 0..=20 {
            let Some(size) = format.size_of(id) else {
                let refusal = decode(&datagram(format.year(), 1, id, 300)).unwrap_err();
                assert!(matches!(refusal, Refusal::UnknownPacket { .. }), "{refusal}");
                continue;
            };
            let outcome = decode(&datagram(format.year(), 1, id, size)).unwrap();
            assert_eq!(matches!(outcome, Datagram::Decoded(..)), format == DECODED, "{format:?} {id}");
            for wrong in [size - 1, size + 1] {
                let refusal = decode(&datagram(format.year(), 1, id, wrong)).unwrap_err();
                assert!(
                    matches!(refusal, Refusal::WrongSize { found, expected, .. } if (found, expected) == (wrong, size))
                );
            }
        }
    }
}

#[test]
fn a_refusal_names_what_was_wrong() {
    let say = |bytes: &[u8]| decode(bytes).unwrap_err().to_string();
    assert_eq!(say(&[0; 12]), "12 bytes are too few for the header of an F1 packet (29 bytes)");
    assert_eq!(
        say(&datagram(2025, 1, 7, 1300)),
        "F1 25 format 2025, packet 7 CarStatus: 1300 bytes, expected are 1239"
    );
    assert_eq!(
        say(&datagram(2025, 2, 7, 1239)),
        "F1 25 format 2025, packet 7 CarStatus, 1239 bytes: version 2 of its layout is not known (version 1 is)"
    );
    assert_eq!(
        say(&datagram(2022, 1, 7, 1058)),
        "format 2022, packet 7, 1058 bytes: no format that is known (2023, 2024, 2025 and 2026 are)"
    );
    assert_eq!(
        say(&datagram(2025, 1, 16, 269)),
        "F1 25 format 2025, packet 16, 269 bytes: the format has no packet with this id"
    );
}

#[test]
fn another_format_says_what_to_set() {
    let Ok(Datagram::Named(identity)) = decode(&datagram(2024, 1, 7, 1239)) else { panic!("not named") };
    assert_eq!(
        identity.advice(),
        "F1 24 format 2024, packet 7 CarStatus: understood are format 2025 packets; set UDP format to 2025 in the \
         telemetry settings of F1 25"
    );
}

#[test]
fn what_came_is_counted_by_format_and_id_and_refusals_by_reason() {
    let mut counts = Counts::default();
    for bytes in [
        datagram(2025, 1, 7, 1239),
        datagram(2025, 1, 7, 1239),
        datagram(2024, 1, 3, 45),
        datagram(2024, 1, 3, 44),
        vec![1],
        vec![],
    ] {
        counts.count(&decode(&bytes));
    }
    assert_eq!(counts.packets, BTreeMap::from([((2025, 7), 2), ((2024, 3), 1)]));
    assert_eq!(counts.refused, BTreeMap::from([(RefusalKind::WrongSize, 1), (RefusalKind::TooShort, 2)]));
    assert_eq!(counts.refused_total(), 3);
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..1600)) {
        let _ = decode(&bytes);
    }

    #[test]
    fn no_body_of_the_right_size_panics(id in 0u8..16, seed in any::<u64>(), cut in 0usize..3) {
        let size = Format::F2025.size_of(id).unwrap();
        let mut bytes = datagram(2025, 1, id, size);
        let mut state = seed | 1;
        for byte in &mut bytes[HEADER_SIZE..] {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = (state >> 56) as u8;
        }
        let outcome = decode(&bytes[..size - cut]);
        prop_assert_eq!(outcome.is_ok(), cut == 0);
        if let Ok(Datagram::Decoded(_, body)) = outcome {
            serde_json::to_string(&body).unwrap();
        }
    }
}
