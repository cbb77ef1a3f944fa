//! What the service limits: nothing is lost, what is live goes on, and people are told for as long as it is so.
use super::*;

fn limited(message: &str) -> ServiceMessage {
    ServiceMessage::Error { code: ErrorCode::RateLimited, message: message.into(), fatal: false }
}

/// Backfilled items that go within a time, each acknowledged at once.
fn backfilled(bench: &mut Bench, for_ms: u64) -> (u64, usize) {
    let (end_ms, mut items, mut bytes) = (bench.now_ms + for_ms, 0, 0);
    while bench.now_ms < end_ms {
        match bench.next() {
            Action::Wait(until_ms) => bench.now_ms = until_ms.min(end_ms),
            Action::Text(text) => {
                bytes += text.len();
                if let Ok(AgentMessage::Record { lane: Lane::Backfill, place: at, .. }) = serde_json::from_slice(&text)
                {
                    items += 1;
                    bench.hear(ServiceMessage::Ack { place: at });
                }
            }
            Action::Ping => bench.link.heard(),
            other => panic!("{other:?}"),
        }
    }
    (items, bytes)
}

#[test]
fn backfill_goes_more_slowly_when_too_much_comes_and_then_as_before() {
    let session = SessionId::new();
    let mut bench = Bench::live(vec![], 30_000, session);
    let (usual, _) = backfilled(&mut bench, 5_000);
    bench.hear(limited("the limit of 10 messages a second"));
    assert_eq!(bench.link.view().problem.as_deref(), Some("the limit of 10 messages a second"));
    backfilled(&mut bench, 2_000);
    let (slow, _) = backfilled(&mut bench, 5_000);
    assert!(slow > 0 && slow < usual * 6 / 10, "{slow} instead of {usual}");
    bench.hear(limited("the limit of 10 messages a second"));
    backfilled(&mut bench, 2_000);
    let (slower, _) = backfilled(&mut bench, 5_000);
    assert!(slower > 0 && slower < slow * 6 / 10, "{slower} instead of {slow}");
    // What happens now is sent now.
    bench.record(session);
    let newest = bench.outbox.spool.next_serial();
    assert!(matches!(bench.sent_on(), (Lane::Preview, at) if at.sequence + 2 > newest), "the newest goes at once");
    backfilled(&mut bench, 60_000);
    assert_eq!(bench.link.view().problem, None, "nothing was said of it for a minute");
    let (again, _) = backfilled(&mut bench, 5_000);
    assert!(again > usual * 9 / 10, "{again} instead of {usual}");
}

#[test]
fn no_more_bytes_go_than_the_service_takes() {
    let session = SessionId::new();
    let mut bench = Bench::new();
    (0..5_000).for_each(|_| _ = bench.record(session));
    bench.next();
    bench.link.connected(bench.now_ms);
    bench.said();
    let limits = Limits { max_bytes_per_s: 4_000, ..Limits::default() };
    let ServiceMessage::Welcome { team, team_name, rig, rig_name, committed, server_ms, trace, .. } = welcome(vec![])
    else {
        panic!("no welcome")
    };
    bench.hear(ServiceMessage::Welcome { team, team_name, rig, rig_name, committed, limits, server_ms, trace });
    bench.said();
    let (_, bytes) = backfilled(&mut bench, 20_000);
    assert!((40_000..=80_000).contains(&bytes), "{bytes} in 20 s");
}

#[test]
fn a_service_that_is_full_is_tried_again_when_it_says() {
    let mut bench = Bench::new();
    bench.record(SessionId::new());
    bench.next();
    let message = "the limit of 64 agents of a team is reached".to_owned();
    let refusal =
        Refusal { status: 429, code: Some(ErrorCode::RateLimited), message: message.clone(), retry_after_s: Some(30) };
    bench.link.refused(&refusal, bench.now_ms);
    assert_eq!((bench.link.view().problem.clone(), bench.link.view().needs_help), (Some(message), false));
    let wait_ms = bench.waits_until() - bench.now_ms;
    assert!((22_500..=37_500).contains(&wait_ms), "{wait_ms}");
    assert_eq!(bench.outbox.spool.items(), 1, "and what is kept is kept");
}
