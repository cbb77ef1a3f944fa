//! What goes out when, and to whom it does not.
use super::*;
use crate::figures::Figures;
use crate::metrics::Metrics;
use futures_util::StreamExt;

fn outbox() -> Outbox {
    Outbox::new(&Figures::register(&Metrics::new().unwrap()).unwrap().viewer)
}

/// The same, with the ping that goes behind the first samples sent and answered.
fn proven() -> Outbox {
    let mut outbox = outbox();
    outbox.sample(SessionId::new(), 1, Bytes::from_static(b"first"));
    let bytes = next(&mut outbox).unwrap();
    let (opcode, number) = wire::open(&bytes[5..]);
    assert_eq!(opcode, 0x9, "a ping");
    outbox.answered(wire::probed(number).unwrap());
    outbox
}

fn next(outbox: &mut Outbox) -> Option<Bytes> {
    let waker = futures_util::task::noop_waker();
    match outbox.poll_next_unpin(&mut Context::from_waker(&waker)) {
        Poll::Ready(item) => item.map(|Ok(bytes)| bytes),
        Poll::Pending => Some(Bytes::new()),
    }
}

#[test]
fn what_waits_goes_out_at_once_events_first() {
    let mut outbox = proven();
    outbox.sample(SessionId::new(), 1, Bytes::from_static(b"s1"));
    outbox.event(Bytes::from_static(b"e1"));
    outbox.event(Bytes::from_static(b"e2"));
    assert_eq!(next(&mut outbox).unwrap(), "e1e2s1");
    assert_eq!(next(&mut outbox).unwrap(), "");
}

#[test]
fn one_frame_is_not_copied() {
    let mut outbox = proven();
    let frame = Bytes::from(vec![1u8; 100]);
    outbox.sample(SessionId::new(), 1, frame.clone());
    assert_eq!(next(&mut outbox).unwrap().as_ptr(), frame.as_ptr());
}

#[test]
fn a_slow_viewer_loses_the_oldest_and_is_told_which() {
    let mut outbox = proven();
    let session = SessionId::new();
    for sequence in 1..=(SAMPLE_LANE as u64 + 5) {
        outbox.sample(session, sequence, Bytes::from_static(b"."));
    }
    let bytes = next(&mut outbox).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains(r#""type":"gap""#) && text.contains(r#""from":1,"to":5"#), "{text}");
    assert!(text.ends_with(&".".repeat(SAMPLE_LANE)));
}

#[test]
fn of_a_field_one_frame_waits_and_a_later_one_is_whole() {
    let mut outbox = proven();
    let (one, other) = (SessionId::new(), SessionId::new());
    let whole = || Bytes::from_static(b"WHOLE");
    outbox.field(one, Bytes::from_static(b"d1"), whole);
    assert_eq!(next(&mut outbox).unwrap(), "d1");
    outbox.sample(one, 1, Bytes::from_static(b"s"));
    outbox.field(one, Bytes::from_static(b"d2"), whole);
    outbox.field(other, Bytes::from_static(b"o1"), whole);
    for _ in 0..100 {
        outbox.field(one, Bytes::from_static(b"d3"), whole);
    }
    outbox.event(Bytes::from_static(b"e"));
    assert_eq!(next(&mut outbox).unwrap(), "eWHOLEo1s");
    outbox.field(one, Bytes::from_static(b"d4"), whole);
    assert_eq!(next(&mut outbox).unwrap(), "d4");
}

#[test]
fn a_sample_that_has_waited_for_too_long_goes_and_the_viewer_is_told_to_expect_fewer() {
    let outbox = proven();
    let (session, start) = (SessionId::new(), Instant::now());
    // The socket takes nothing for three seconds.
    for sequence in 1..=30 {
        let now = start + Duration::from_millis(100 * sequence);
        outbox.sample_at(session, sequence, Bytes::from_static(b"."), now);
    }
    assert_eq!(outbox.interval_ms(), 200);
    let waiting: Vec<u64> = outbox.lanes().samples.iter().map(|w| w.sequence).collect();
    assert_eq!(waiting, (10..=30).collect::<Vec<_>>());
    let bytes = outbox.lanes().take(start + Duration::from_secs(3)).unwrap();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    assert!(text.contains(r#""from":1,"to":9"#) && text.contains(r#"{"type":"pace","max_hz":5}"#), "{text}");
    assert_eq!(outbox.lanes().figures.thinned.get(), 1);
    let thinned = outbox.lanes().figures.thinned.clone();
    drop(outbox);
    assert_eq!(thinned.get(), 0);
}

#[test]
fn samples_wait_while_those_before_are_not_read_and_events_do_not() {
    let outbox = outbox();
    let (session, start) = (SessionId::new(), Instant::now());
    let at = |ms: u64| start + Duration::from_millis(ms);
    outbox.sample_at(session, 1, Bytes::from_static(b"s1"), at(0));
    let bytes = outbox.lanes().take(at(0)).unwrap();
    let number = wire::probed(wire::open(&bytes[2..]).1).unwrap();
    outbox.sample_at(session, 2, Bytes::from_static(b"s2"), at(1000));
    assert_eq!(outbox.lanes().take(at(1000)).unwrap(), "s2", "that is not late yet");
    outbox.sample_at(session, 3, Bytes::from_static(b"s3"), at(1600));
    let told = outbox.lanes().take(at(1600)).unwrap();
    assert!(String::from_utf8_lossy(&told).contains(r#""type":"pace""#));
    assert_eq!(outbox.lanes().take(at(1700)), None, "the sample waits");
    outbox.event(Bytes::from_static(b"e"));
    assert_eq!(outbox.lanes().take(at(1700)).unwrap(), "e");
    outbox.answered(number);
    assert!(outbox.lanes().take(at(1800)).unwrap().starts_with(b"s3"));
}

#[test]
fn who_answers_nothing_is_closed_with_a_reason_while_samples_come() {
    let mut outbox = outbox();
    let (session, start) = (SessionId::new(), Instant::now());
    outbox.sample_at(session, 1, Bytes::from_static(b"s"), start);
    outbox.lanes().take(start);
    for second in 1..=16 {
        outbox.sample_at(session, 1 + second, Bytes::from_static(b"s"), start + Duration::from_secs(second));
    }
    assert!(outbox.is_closed());
    let bytes = next(&mut outbox).unwrap();
    assert!(String::from_utf8_lossy(&bytes).contains("not even carry one update a second"));
    assert!(next(&mut outbox).is_none());
}

#[test]
fn a_viewer_that_takes_nothing_is_closed_with_a_reason() {
    let mut outbox = outbox();
    for _ in 0..80 {
        outbox.event(Bytes::from(vec![b'x'; 64 * 1024]));
    }
    assert!(outbox.is_closed());
    let bytes = next(&mut outbox).unwrap();
    assert!(bytes.len() < 200 && String::from_utf8_lossy(&bytes).contains("too slow"));
    assert!(next(&mut outbox).is_none());
}
