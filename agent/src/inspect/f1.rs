//! F1 datagrams as JSON, a file each: what one asks a user to send when the game has changed.
//!
//! Units are in the names of the fields; codes come with their name. Values are as the game sent them: nothing is
//! normalised here but the order of the wheels, and restricted telemetry is still zero.

use crate::source::f1::format::{Datagram, Identity, decode};
use serde_json::{Value, json};

/// Decodes one datagram. One of another format than the decoded one shows its header and says what to do.
///
/// # Errors
/// Why it was refused, with the name of the file.
pub fn inspect_one(name: &str, bytes: &[u8]) -> Result<Value, String> {
    match decode(bytes).map_err(|refusal| format!("{name}: {refusal}"))? {
        Datagram::Decoded(identity, body) => {
            let mut value = about(name, &identity);
            value["data"] = json!(body);
            Ok(value)
        }
        Datagram::Named(identity) => {
            let mut value = about(name, &identity);
            value["data"] = Value::Null;
            value["not_decoded"] = json!(identity.advice());
            Ok(value)
        }
    }
}

fn about(name: &str, identity: &Identity) -> Value {
    let header = &identity.header;
    json!({
        "file": name,
        "game": format!("F1 {:02}", header.game_year),
        "game_version": format!("{}.{}", header.game_major_version, header.game_minor_version),
        "format": identity.format.year(),
        "packet": identity.name(),
        "header": header,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_decoded_named_or_refused_by_its_name() {
        let mut event = vec![0; 45];
        event[..7].copy_from_slice(&[0xe9, 7, 25, 1, 18, 1, 3]);
        event[29..33].copy_from_slice(b"SPTP");
        event[34..38].copy_from_slice(&312.5f32.to_le_bytes());
        let mut older = event.clone();
        older[0] = 0xe8;
        let files = [("a.bin", event.clone()), ("b.bin", older), ("c.bin", event[..44].to_vec())];
        let mut outcomes = files.iter().map(|(name, bytes)| inspect_one(name, bytes));

        let decoded = outcomes.next().unwrap().unwrap();
        assert_eq!(decoded["packet"], "Event");
        assert_eq!(decoded["game_version"], "1.18");
        assert_eq!(decoded["data"]["event"]["kind"], "speed_trap");
        assert_eq!(decoded["data"]["event"]["speed_kmh"], 312.5);

        let named = outcomes.next().unwrap().unwrap();
        assert_eq!(named["data"], Value::Null);
        assert!(named["not_decoded"].as_str().unwrap().contains("set UDP format to 2025"));

        let refused = outcomes.next().unwrap().unwrap_err();
        assert_eq!(refused, "c.bin: F1 25 format 2025, packet 3 Event: 44 bytes, expected are 45");
    }
}
