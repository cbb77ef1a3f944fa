//! Tokens, links, keys, pairing codes, and what viewers say: any text is read or refused, what is read is written in one
//! way only, and a character that is changed is noticed.
#![no_main]

// The file alone: the service around it would take minutes to build with instrumentation and adds nothing here.
#[path = "../../../service/src/auth/grammar.rs"]
mod grammar;

use libfuzzer_sys::fuzz_target;
use onelap_protocol::RigToken;
use onelap_protocol::token::check_sum;
use onelap_protocol::viewer::ViewerMessage;

const PREFIXES: [&str; 4] = ["1lap_invite_", "1lap_share_", "1lap_visit_", "1lap_device_"];
const SECRET: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJ0123";

fuzz_target!(init: onelap_fuzz::seeds(seeds), |data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    check(text);
    // With the right sum, so that the fuzzer need not find CRC-32 by itself.
    let end = text.len().saturating_sub(6);
    if text.is_char_boundary(end) {
        check(&format!("{}{}", &text[..end], check_sum(&text[..end])));
    }
});

fn check(text: &str) {
    for prefix in PREFIXES {
        if let Some(secret) = grammar::link_secret(prefix, text) {
            assert_eq!(secret, text.trim());
            assert_eq!(PREFIXES.iter().filter(|prefix| grammar::link_secret(prefix, text).is_some()).count(), 1);
            notices_a_change(secret, |text| grammar::link_secret(prefix, text).is_some());
        }
    }
    if let Some((public, secret)) = grammar::api_key(text) {
        assert!(text.starts_with(&format!("{}{public}_{secret}", grammar::KEY_PREFIX)));
        notices_a_change(text, |text| grammar::api_key(text).is_some());
    }
    if let Some(code) = grammar::user_code(text) {
        assert_eq!(code.len(), grammar::CODE_LEN);
        assert!(code.bytes().all(|b| grammar::CODE_ALPHABET.contains(&b)));
        assert_eq!(grammar::user_code(&code), Some(code));
    }
    if let Ok(token) = RigToken::parse(text) {
        assert_eq!(token.reveal(), text.trim());
    }
    if let Ok(message) = serde_json::from_str::<ViewerMessage>(text) {
        let again = serde_json::to_string(&message).expect("a message can be written");
        assert_eq!(serde_json::from_str::<ViewerMessage>(&again).expect("and read"), message);
    }
}

/// CRC-32 finds every change of a single character.
fn notices_a_change(text: &str, is_read: impl Fn(&str) -> bool) {
    let at = text.len() / 2;
    let other = if &text[at..=at] == "0" { "1" } else { "0" };
    assert!(!is_read(&format!("{}{other}{}", &text[..at], &text[at + 1..])), "{text}");
}

fn seeds() -> Vec<Vec<u8>> {
    let summed = |text: String| format!("{text}{}", check_sum(&text)).into_bytes();
    let mut seeds: Vec<Vec<u8>> = PREFIXES.iter().map(|prefix| summed(format!("{prefix}{SECRET}"))).collect();
    seeds.push(summed(format!("{}0a1b2c3d4e5f_{SECRET}", grammar::KEY_PREFIX)));
    seeds.push(summed(format!("1lap_rig_0a1b2c3d4e5f_{SECRET}")));
    seeds.push(b"BCDF-GHJK".to_vec());
    let id = "01a1f8aa-4795-7721-b888-7e888a28b0ca";
    seeds.push(format!(r#"{{"type":"watch","team":"{id}"}}"#).into_bytes());
    seeds.push(format!(r#"{{"type":"subscribe","team":"{id}","session":"{id}","max_hz":10}}"#).into_bytes());
    seeds
}
