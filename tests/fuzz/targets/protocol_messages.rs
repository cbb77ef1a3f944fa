//! Control messages: any text parses or is refused, and what parses can be written again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onelap_protocol::SessionId;
use onelap_protocol::agent::{AgentMessage, ServiceMessage};
use onelap_protocol::viewer::{ViewMessage, ViewerMessage};
use serde::Serialize;
use serde::de::DeserializeOwned;

fuzz_target!(init: onelap_fuzz::seeds(seeds), |data: &[u8]| {
    round::<AgentMessage>(data);
    round::<ServiceMessage>(data);
    round::<ViewerMessage>(data);
    round::<ViewMessage>(data);
});

fn round<T: Serialize + DeserializeOwned>(data: &[u8]) {
    if let Ok(message) = serde_json::from_slice::<T>(data) {
        serde_json::to_vec(&message).expect("what was parsed can be written");
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let id = SessionId::new().0.to_string();
    let session = r#"{"type":"record","session":"ID","epoch":5,"sequence":1,"item":"session","info":{"game":"lmu","track":"Spa","kind":"race"}}"#;
    let event = r#"{"type":"record","session":"ID","epoch":5,"sequence":9,"item":"event","event":{"kind":"pit","car":"3","lap":12,"step":"stop","at_s":1234.5,"fuel_l":10.5,"virtual_energy_pct":null,"compound":null}}"#;
    let setup = r#"{"type":"record","session":"ID","epoch":5,"sequence":10,"item":"setup","at_s":1.0,"setup":{"name":"race","groups":[]}}"#;
    let end = r#"{"type":"record","session":"ID","epoch":5,"sequence":11,"item":"end","reason":"left"}"#;
    let hello = r#"{"type":"hello","agent_version":"0.1.0","platform":"linux","epoch":5,"clock_ms":1800000000000,"sessions":["ID"]}"#;
    let status = r#"{"type":"status","game":"f1","state":"on_track","session":"ID","notice":null}"#;
    let others = [
        r#"{"type":"bye","reason":"closing"}"#,
        r#"{"type":"ack","session":"ID","epoch":1,"sequence":2}"#,
        r#"{"type":"error","code":"rate_limited","message":"slow down","fatal":false}"#,
        r#"{"type":"goodbye","reason":"restart","reconnect_after_ms":500}"#,
        r#"{"type":"watch","team":"ID"}"#,
        r#"{"type":"subscribe","team":"ID","session":"ID","max_hz":10}"#,
        r#"{"type":"unsubscribe","session":"ID"}"#,
        r#"{"type":"gap","session":"ID","from":1,"to":9}"#,
    ];
    [session, event, setup, end, hello, status]
        .iter()
        .chain(&others)
        .map(|s| s.replace("ID", &id).into_bytes())
        .collect()
}
