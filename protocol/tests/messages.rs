//! Control messages as they stand on the wire.
use onelap_protocol::agent::{AgentMessage, Lane, Place, Record, ServiceMessage};
use onelap_protocol::race::{PitStep, RaceEvent};
use onelap_protocol::{CarKey, ErrorCode, SessionId};
use serde_json::json;
use uuid::Uuid;

#[test]
fn a_recorded_event_is_one_flat_tagged_object() {
    let session = SessionId(Uuid::from_u128(1));
    let event = RaceEvent::Pit {
        car: CarKey("3".into()),
        lap: 12,
        step: PitStep::Stop,
        at_s: 1234.5,
        fuel_l: Some(10.5),
        virtual_energy_pct: None,
        compound: None,
    };
    let message = AgentMessage::Record {
        lane: Lane::Live,
        place: Place { session, epoch: 5, sequence: 9 },
        record: Record::Event { event },
    };
    let value = serde_json::to_value(&message).unwrap();
    assert_eq!(
        value,
        json!({
            "type": "record", "session": session, "epoch": 5, "sequence": 9, "item": "event",
            "event": {"kind": "pit", "car": "3", "lap": 12, "step": "stop", "at_s": 1234.5, "fuel_l": 10.5,
                "virtual_energy_pct": null, "compound": null}
        })
    );
    assert_eq!(serde_json::from_value::<AgentMessage>(value).unwrap(), message);
}

#[test]
fn fields_of_a_later_version_are_ignored_and_missing_ones_named() {
    let ack = json!({"type": "ack", "session": Uuid::from_u128(1), "epoch": 1, "sequence": 2, "new": true});
    assert!(matches!(serde_json::from_value(ack).unwrap(), ServiceMessage::Ack { .. }));
    let bad = serde_json::from_value::<AgentMessage>(json!({"type": "bye"})).unwrap_err();
    assert!(bad.to_string().contains("reason"), "{bad}");
}

#[test]
fn codes_read_as_they_are_written() {
    for code in [ErrorCode::TokenRevoked, ErrorCode::OutOfOrder, ErrorCode::RateLimited] {
        assert_eq!(serde_json::to_value(code).unwrap(), json!(code.as_str()));
    }
}
