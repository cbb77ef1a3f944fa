//! F1 datagrams: any bytes decode or are refused with a reason, and what decodes can be shown.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onelap_agent::inspect::f1::inspect_one;
use onelap_agent::source::f1::format::{Counts, Format, decode};

/// Offset of `m_packetId` in the header.
const PACKET_ID: usize = 6;

fuzz_target!(init: onelap_fuzz::seeds(seeds), |data: &[u8]| {
    let mut counts = Counts::default();
    check(data, &mut counts);
    // The game's packets have exact sizes, which mutation hardly ever hits: make it the size of the packet that it says.
    let Some(size) = data.get(PACKET_ID).and_then(|id| Format::F2025.size_of(*id)) else { return };
    let mut whole = data.to_vec();
    whole.resize(size, 0);
    whole[..2].copy_from_slice(&2025u16.to_le_bytes());
    whole[5] = 1;
    check(&whole, &mut counts);
});

fn check(bytes: &[u8], counts: &mut Counts) {
    let outcome = decode(bytes);
    counts.count(&outcome);
    let shown = inspect_one("fuzz", bytes);
    assert_eq!(outcome.is_ok(), shown.is_ok());
    if let Ok(shown) = shown {
        serde_json::to_vec(&shown).expect("what was decoded can be shown");
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = onelap_fuzz::recorded("f1-2025-datagrams", ".bin");
    seeds.extend(onelap_fuzz::recorded("f1-2024-datagrams", ".bin"));
    seeds.extend((0..16u8).filter_map(|id| {
        let mut packet = vec![0; Format::F2025.size_of(id)?];
        packet[..PACKET_ID].copy_from_slice(&[0xe9, 0x07, 25, 1, 0, 1]);
        packet[PACKET_ID] = id;
        Some(packet)
    }));
    seeds
}
