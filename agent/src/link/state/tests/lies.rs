//! Links that lie: each is found out in time, and none makes the agent busy or all agents come at once.

use super::*;

/// What is wrong with a link.
#[derive(Debug, Clone, Copy)]
enum Lie {
    /// Names do not resolve, or nobody listens.
    Fails,
    /// A login page answers.
    Portal,
    /// The service is busy.
    Busy,
    /// The token is refused.
    Refused,
    /// The connection never opens.
    Hangs,
    /// It opens, and nothing comes.
    NeverGreets,
    /// It is live, and dies at once.
    DiesAtOnce,
    /// It is live and nothing comes any more.
    FallsSilent,
    /// It takes nothing.
    Stalls,
    /// The service says goodbye each time, and to come back at once.
    SaysGoodbye,
    /// The service asks for the same again and again.
    AsksForever,
}

const ALL: [Lie; 11] = [
    Lie::Fails,
    Lie::Portal,
    Lie::Busy,
    Lie::Refused,
    Lie::Hangs,
    Lie::NeverGreets,
    Lie::DiesAtOnce,
    Lie::FallsSilent,
    Lie::Stalls,
    Lie::SaysGoodbye,
    Lie::AsksForever,
];

/// What an agent did in a minute, or longer.
#[derive(Debug, Default)]
struct Did {
    attempts: u64,
    messages: u64,
    waits: u64,
    /// The longest that a connection was held.
    longest_ms: u64,
}

/// Drives a link that lies for so long.
fn endure(lie: Lie, seed: u64, ms: u64) -> Did {
    let (mut bench, mut did) = (Bench::new(), Did::default());
    bench.link = LinkState::new("0.1.0", "linux", seed);
    let session = SessionId::new();
    bench.record(session);
    let (end_ms, mut opened_ms) = (bench.now_ms + ms, None);
    while bench.now_ms < end_ms {
        match bench.next() {
            Action::Wait(until_ms) => {
                assert!(until_ms > bench.now_ms, "{lie:?}");
                did.waits += 1;
                bench.now_ms = until_ms.min(end_ms);
            }
            Action::Connect => {
                did.attempts += 1;
                opened_ms = Some(bench.now_ms);
                let refusal = |status, code| Refusal { status, code, message: "no".into(), retry_after_s: None };
                match lie {
                    Lie::Fails => bench.link.lost("the name cannot be resolved", bench.now_ms),
                    Lie::Portal => bench.link.refused(&refusal(200, None), bench.now_ms),
                    Lie::Busy => bench.link.refused(&refusal(503, None), bench.now_ms),
                    Lie::Refused => bench.link.refused(&refusal(401, Some(ErrorCode::TokenRevoked)), bench.now_ms),
                    Lie::Hangs => {}
                    _ => bench.link.connected(bench.now_ms),
                }
            }
            Action::Text(_) | Action::Binary(_) => {
                did.messages += 1;
                match (lie, bench.link.is_live()) {
                    (Lie::NeverGreets, _) => {}
                    (_, false) => {
                        bench.hear(welcome(vec![]));
                        match lie {
                            Lie::DiesAtOnce => bench.link.lost("broken", bench.now_ms),
                            Lie::SaysGoodbye => {
                                bench.hear(ServiceMessage::Goodbye { reason: "bye".into(), reconnect_after_ms: 0 });
                            }
                            Lie::Stalls => bench.can_write = false,
                            _ => {}
                        }
                    }
                    (Lie::AsksForever, true) => bench.hear(ServiceMessage::Resend { place: place(session, 0) }),
                    _ => {}
                }
            }
            Action::Ping => {
                if let Lie::AsksForever = lie {
                    bench.link.heard();
                }
            }
            Action::HangUp => {
                bench.can_write = true;
                let held_ms = opened_ms.take().map_or(0, |ms| bench.now_ms - ms);
                did.longest_ms = did.longest_ms.max(held_ms);
            }
        }
        if let Lie::Stalls = lie
            && bench.link.is_live()
            && opened_ms.is_some_and(|ms| bench.now_ms >= ms + 10_000)
        {
            // The writer's own deadline.
            bench.link.lost("the connection takes nothing any more", bench.now_ms);
            bench.can_write = true;
        }
    }
    did
}

#[test]
fn no_lie_makes_the_agent_busy() {
    const MINUTES: u64 = 10;
    for lie in ALL {
        for seed in 0..20 {
            let did = endure(lie, seed, MINUTES * 60_000);
            // Goodbye with no time is a service's own wish; it still gets pauses.
            let most_attempts = if let Lie::SaysGoodbye = lie { 240 } else { 12 };
            assert!(did.attempts <= most_attempts * MINUTES, "{lie:?}: {did:?}");
            assert!(did.messages <= 3 * did.attempts + 60 * MINUTES, "{lie:?}: {did:?}");
            assert!(did.waits <= 3 * did.attempts + 3 * did.messages + 20 * MINUTES, "{lie:?}: {did:?}");
        }
    }
}

#[test]
fn every_lie_is_found_out_in_time() {
    for (lie, deadline_ms) in
        [(Lie::Hangs, REPLY_MS), (Lie::NeverGreets, REPLY_MS), (Lie::FallsSilent, PING_MS + REPLY_MS)]
    {
        let did = endure(lie, 1, 600_000);
        assert!(did.attempts > 3 && did.longest_ms > 0, "{lie:?}: {did:?}");
        assert!(did.longest_ms <= deadline_ms, "{lie:?}: {did:?}");
    }
}

/// The share of attempts in the fullest quarter of a second.
fn fullest_quarter(mut attempts: Vec<u64>) -> f64 {
    attempts.sort_unstable();
    let within = |first: &u64| attempts.iter().filter(|ms| (*first..first + 250).contains(ms)).count();
    attempts.iter().map(within).max().unwrap_or(0) as f64 / attempts.len() as f64
}

/// When 500 agents come back after what happens to all of them at once.
fn come_back(what: impl Fn(&mut Bench)) -> Vec<u64> {
    let back = |seed: u64| {
        let mut bench = Bench::new();
        bench.link = LinkState::new("0.1.0", "linux", seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        bench.next();
        bench.link.connected(bench.now_ms);
        bench.said();
        bench.hear(welcome(vec![]));
        bench.now_ms += 60_000;
        what(&mut bench);
        loop {
            match bench.next() {
                Action::Wait(until_ms) => bench.now_ms = until_ms,
                Action::Connect => return bench.now_ms - 61_000,
                _ => {}
            }
        }
    };
    (0..500).map(back).collect()
}

#[test]
fn agents_that_lose_their_service_at_once_do_not_come_back_at_once() {
    let attempts = come_back(|bench| bench.link.lost("broken", bench.now_ms));
    let fullest = fullest_quarter(attempts.clone());
    assert!(fullest <= 0.20, "{fullest} of all in a quarter of a second");
    assert!(attempts.iter().all(|ms| (250..=2_000).contains(ms)));

    // Even where the service tells all of them the same.
    let goodbye = |bench: &mut Bench| {
        bench.hear(ServiceMessage::Goodbye { reason: "restart".into(), reconnect_after_ms: 2_500 });
    };
    let attempts = come_back(goodbye);
    let fullest = fullest_quarter(attempts.clone());
    assert!(fullest <= 0.15, "{fullest} of all in a quarter of a second");
    assert!(attempts.iter().all(|ms| (1_250..=3_750 + MOVE_MS).contains(ms)));
}

#[test]
fn the_longer_a_service_is_away_the_wider_they_spread() {
    let back = |bench: &mut Bench| {
        for _ in 0..4 {
            bench.link.lost("broken", bench.now_ms);
            while bench.next() != Action::Connect {
                bench.now_ms += 1;
            }
        }
        bench.link.lost("broken", bench.now_ms);
    };
    let fullest = fullest_quarter(come_back(back));
    assert!(fullest <= 0.05, "{fullest} of all in a quarter of a second");
}
