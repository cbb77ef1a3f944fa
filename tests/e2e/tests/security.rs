//! What an attacker would try: measuring, flooding, guessing over several instances, reading logs.

#![expect(clippy::unwrap_used, reason = "what goes wrong here is the failure of a test")]

use e2e::person::PASSWORD;
use e2e::{Browser, RawAgent, RawViewer, TestApp, TestRedis};
use onelap_protocol::viewer::ViewMessage;
use serde_json::json;
use std::cmp::Ordering as Cmp;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const LENA: &str = "lena@example.org";
const ORIGIN: &str = "http://1lap.test";
/// So that nobody is slowed down while it is measured.
const OPEN: [(&str, &str); 4] = [
    ("CLIENT_IP_HEADER", "x-client-ip"),
    ("FAILED_LOGINS_PER_ADDRESS", "100000"),
    ("FAILED_LOGINS_PER_ACCOUNT", "100000"),
    ("SIGNUPS_PER_ADDRESS", "100000"),
];

async fn sign_up(browser: &Browser, email: &str) {
    let body = json!({ "email": email, "password": PASSWORD, "name": "Lena", "team_name": "Ours" });
    let made = browser.post("/api/auth/signup", body).await;
    assert!(matches!(made.status, 201 | 202), "{}", made.body);
}

// ---- measuring --------------------------------------------------------------------------------------------------------

/// How far the ranks of two samples are from those of one population, in standard deviations (Mann and Whitney).
fn mann_whitney_z(a: &[Duration], b: &[Duration]) -> f64 {
    let wins: f64 = a
        .iter()
        .flat_map(|x| b.iter().map(move |y| x.cmp(y)))
        .map(|order| match order {
            Cmp::Less => 0.0,
            Cmp::Equal => 0.5,
            Cmp::Greater => 1.0,
        })
        .sum();
    let (n, m) = (a.len() as f64, b.len() as f64);
    (wins - n * m / 2.0) / (n * m * (n + m + 1.0) / 12.0).sqrt()
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// What one request costs: time, and passwords hashed. Each comes from an address of its own.
async fn cost(app: &TestApp, path: &str, body: serde_json::Value) -> (Duration, u64) {
    static ADDRESS: AtomicU32 = AtomicU32::new(0x0a00_0001);
    let address = std::net::Ipv4Addr::from(ADDRESS.fetch_add(1, Ordering::Relaxed)).to_string();
    let before = app.state().auth.passwords.done();
    let began = Instant::now();
    let answer = app.request("POST", path, &[("origin", ORIGIN), ("x-client-ip", &address)], Some(body)).await;
    assert!(matches!(answer.status, 202 | 401), "{path}: {}", answer.body);
    (began.elapsed(), app.state().auth.passwords.done() - before)
}

fn known(round: usize) -> String {
    format!("known{round}@example.org")
}

/// People who have an account, so many that each is asked about once.
async fn people(app: &TestApp, count: usize) {
    let hash = app.state().auth.passwords.hash(password()).await.unwrap();
    let pool = app.owner_pool().await;
    for round in 0..count {
        let add =
            "insert into users (id, email, name, password_hash, email_verified_at) values ($1, $2, 'x', $3, now())";
        let id = uuid::Uuid::new_v4();
        sqlx::query(add).bind(id).bind(known(round)).bind(&hash).execute(&pool).await.unwrap();
    }
}

fn password() -> onelap_service::auth::Password {
    onelap_service::auth::Password::parse(PASSWORD, &onelap_service::accounts::Email::parse(LENA).unwrap()).unwrap()
}

/// Known and unknown in turn, so that what else the machine does falls on both.
async fn compare(app: &TestApp, path: &str, body: impl Fn(&str) -> serde_json::Value, rounds: usize) {
    let (mut these, mut those) = (Vec::new(), Vec::new());
    cost(app, path, body("warm@example.org")).await;
    for round in 0..rounds {
        let unknown = format!("nobody{round}@example.org");
        for (email, costs) in [(known(round), &mut these), (unknown, &mut those)] {
            costs.push(cost(app, path, body(&email)).await);
        }
    }
    let work = |costs: &[(Duration, u64)]| costs.iter().map(|(_, work)| *work).collect::<Vec<_>>();
    assert_eq!(work(&these), work(&those), "{path}: as many passwords are hashed for the one as for the other");
    let times = |costs: &[(Duration, u64)]| costs.iter().map(|(time, _)| *time).collect::<Vec<_>>();
    let (mut these, mut those) = (times(&these), times(&those));
    let z = mann_whitney_z(&these, &those);
    let (a, b) = (median(&mut these), median(&mut those));
    println!("{path}: known {a:?}, unknown {b:?} (medians of {rounds}), z = {z:.2}");
    // A check that is left out for the one is more than five away: the times would not overlap at all.
    assert!(z.abs() < 4.0, "{path}: known {a:?} and unknown {b:?} can be told apart, z = {z:.2}");
}

#[tokio::test]
async fn known_and_unknown_accounts_cost_the_same_work_and_time_to_log_in() {
    let app = TestApp::spawn_with(&OPEN).await;
    people(&app, 30).await;
    compare(&app, "/api/auth/login", |email| json!({ "email": email, "password": "not the password" }), 30).await;
}

#[tokio::test]
async fn known_and_unknown_accounts_cost_the_same_work_and_time_to_sign_up_and_to_write_to() {
    let (app, _mailbox) = TestApp::spawn_with_mail(&OPEN).await;
    people(&app, 30).await;
    compare(&app, "/api/auth/reset", |email| json!({ "email": email }), 30).await;
    compare(&app, "/api/auth/signup/resend", |email| json!({ "email": email }), 30).await;
    let sign_up = |email: &str| json!({ "email": email, "password": PASSWORD, "name": "x", "team_name": "x" });
    compare(&app, "/api/auth/signup", sign_up, 30).await;
}

#[tokio::test]
async fn the_statistics_see_a_difference_where_there_is_one() {
    let at = |base: u64| (0..30).map(|i| Duration::from_micros(base + 37 * i % 100)).collect::<Vec<_>>();
    assert!(mann_whitney_z(&at(1_000), &at(1_000)).abs() < 0.1);
    assert!(mann_whitney_z(&at(1_000), &at(2_000)).abs() > 4.0);
}

// ---- flooding ---------------------------------------------------------------------------------------------------------

fn resident_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kb| kb.parse::<f64>().ok()).unwrap_or_default() / 1024.0
}

fn p99(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() * 99 / 100).or(times.last()).copied().unwrap_or_default()
}

/// A request without a client library, so that the figures are those of the service.
async fn bare(service: std::net::SocketAddr, line: &str, cookies: &str, body: &str) -> (u16, String) {
    let mut stream = tokio::net::TcpStream::connect(service).await.unwrap();
    let request = format!(
        "{line} HTTP/1.1\r\nhost: 1lap.test\r\norigin: {ORIGIN}\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {}\r\ncookie: {cookies}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    (status, answer)
}

/// Asks who is logged in, again and again, until `stop`: what everybody else notices of a flood.
async fn asked_meanwhile(
    service: std::net::SocketAddr,
    cookies: String,
    stop: tokio_util::sync::CancellationToken,
) -> Vec<Duration> {
    let mut times = Vec::new();
    while !stop.is_cancelled() {
        let began = Instant::now();
        assert_eq!(bare(service, "GET /api/me", &cookies, "").await.0, 200);
        times.push(began.elapsed());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    times
}

/// What a live viewer notices: how long a batch takes from the agent to the browser, ten times a second.
async fn watched_meanwhile(
    agent: &mut RawAgent,
    viewer: &mut RawViewer,
    until: impl Future<Output = ()>,
) -> Vec<Duration> {
    let mut times = Vec::new();
    tokio::pin!(until);
    loop {
        tokio::select! {
            () = &mut until => return times,
            () = tokio::time::sleep(Duration::from_millis(50)) => {}
        }
        let began = Instant::now();
        agent.batch(1, 200.0).await;
        while viewer.next_batch().await.0.sequence < agent.sequence {}
        times.push(began.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_log_ins_at_once_take_neither_the_memory_nor_the_service() {
    const AT_ONCE: usize = 200;
    let app = TestApp::spawn_with(&OPEN).await;
    let browser = app.browser();
    sign_up(&browser, LENA).await;
    let (service, cookies) = (app.address, browser.cookies());
    let ours = app.team("ours").await;
    let rig = ours.rig("RIG_A").await;
    let mut agent = rig.agent().await;
    agent.begin().await;
    agent.acknowledged(1).await;
    let mut viewer = ours.viewer().await;
    viewer.subscribe(ours.id, agent.session).await;
    viewer.until(|message| matches!(message, ViewMessage::Snapshot { .. }).then_some(())).await;

    let quiet_stop = tokio_util::sync::CancellationToken::new();
    let quiet = tokio::spawn(asked_meanwhile(service, cookies.clone(), quiet_stop.clone()));
    let pause = tokio::time::sleep(Duration::from_secs(3));
    let live_quiet = watched_meanwhile(&mut agent, &mut viewer, pause).await;
    quiet_stop.cancel();
    let quiet = quiet.await.unwrap();

    let stop = tokio_util::sync::CancellationToken::new();
    let others = tokio::spawn(asked_meanwhile(service, cookies, stop.clone()));
    let before = resident_mib();
    let watched = stop.clone();
    let memory = std::thread::spawn(move || {
        let mut most = 0.0_f64;
        while !watched.is_cancelled() {
            most = most.max(resident_mib());
            std::thread::sleep(Duration::from_millis(2));
        }
        most
    });
    let began = Instant::now();
    let flood: Vec<_> = (0..AT_ONCE)
        .map(|i| {
            let body = format!(r#"{{"email":"nobody{i}@example.org","password":"not the password"}}"#);
            tokio::spawn(async move { bare(service, "POST /api/auth/login", "", &body).await })
        })
        .collect();
    let (mut refused, mut busy) = (0, 0);
    let answered = async {
        for log_in in flood {
            let (status, answer) = log_in.await.unwrap();
            match status {
                401 => refused += 1,
                503 => {
                    assert!(answer.contains("retry-after: "), "{answer}");
                    busy += 1;
                }
                _ => panic!("{answer}"),
            }
        }
    };
    let live_flood = watched_meanwhile(&mut agent, &mut viewer, answered).await;
    let took = began.elapsed();
    stop.cancel();
    let (grown, others) = (memory.join().unwrap() - before, others.await.unwrap());
    let (asked, quiet_p99, flood_p99) = (others.len(), p99(quiet), p99(others));
    println!(
        "{AT_ONCE} log-ins at once: {refused} answered 401 and {busy} 503 in {took:?}; memory grew by {grown:.0} MiB \
         (clients included); meanwhile {asked} other requests, p99 {flood_p99:?} (before: {quiet_p99:?}); \
         agent to viewer p99 {:?} (before: {:?})",
        p99(live_flood),
        p99(live_quiet)
    );
    assert!(refused > 0 && asked > 20, "the others were served meanwhile");
    // Unbounded, argon2id alone would take 200 times 19 MiB.
    assert!(grown < 200.0, "{grown} MiB");
    assert!(flood_p99 < Duration::from_secs(2), "{flood_p99:?}");
}

// ---- guessing over several instances ----------------------------------------------------------------------------------

#[tokio::test]
async fn instances_that_share_a_redis_count_together_and_alone_when_it_is_gone() {
    let redis = TestRedis::start();
    let url = redis.url();
    let settings =
        [("REDIS_URL", url.as_str()), ("FAILED_LOGINS_PER_ACCOUNT", "4"), ("FAILED_LOGINS_PER_ADDRESS", "100000")];
    let app = TestApp::spawn_with(&settings).await;
    let there = app.beside().await;
    for app in [&app, &there, &app, &there] {
        assert_eq!(app.browser().log_in(LENA, "not the password").await.status, 401);
    }
    let refused = there.browser().log_in(LENA, "not the password").await;
    assert_eq!((refused.status, refused.code().as_str()), (429, "rate_limited"));
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=30).contains(&wait), "{wait}");
    assert_eq!(app.browser().log_in(LENA, "not the password").await.status, 429);

    // A success is given back.
    let known = "max@example.org";
    sign_up(&app.browser(), known).await;
    for _ in 0..6 {
        assert_eq!(there.browser().log_in(known, PASSWORD).await.status, 200);
    }

    let gone = TestApp::spawn_with(&[("REDIS_URL", "redis://127.0.0.1:1/0"), ("FAILED_LOGINS_PER_ACCOUNT", "2")]).await;
    for expected in [401, 401, 429] {
        assert_eq!(gone.browser().log_in(LENA, "not the password").await.status, expected);
    }
}

// ---- where it listens -------------------------------------------------------------------------------------------------

#[tokio::test]
async fn on_a_private_network_plain_http_works_and_is_said() {
    let app = TestApp::spawn_with(&[("PUBLIC_URL", "http://192.168.1.20:8080")]).await;
    let headers = [("origin", "http://192.168.1.20:8080")];
    let body = json!({ "email": LENA, "password": PASSWORD, "name": "Lena", "team_name": "Ours" });
    let made = app.request("POST", "/api/auth/signup", &headers, Some(body)).await;
    let set: Vec<&str> = made.headers.iter().filter(|(n, _)| n == "set-cookie").map(|(_, v)| v.as_str()).collect();
    assert!(set.iter().all(|cookie| !cookie.contains("Secure") && !cookie.starts_with("__")), "{set:?}");
    assert!(set.iter().all(|cookie| cookie.contains("HttpOnly") && cookie.contains("SameSite")), "{set:?}");
    assert_eq!(app.request("GET", "/api/about", &[], None).await.json()["https"], false);

    let lookup = |name: &str| match name {
        "DATABASE_URL" => Some("postgres://db/onelap".to_owned()),
        "JWT_SECRET" => Some("a secret of forty characters, for tests.".to_owned()),
        "PUBLIC_URL" => Some("http://1lap.example".to_owned()),
        _ => None,
    };
    let refused = onelap_service::config::Config::from_lookup(&lookup).unwrap_err().to_string();
    assert!(refused.starts_with("PUBLIC_URL") && refused.contains("https"), "{refused}");
}

#[tokio::test]
async fn every_secret_travels_in_a_body_or_a_cookie_and_never_in_a_path() {
    let document = onelap_service::openapi::document();
    for (path, _) in document.paths.paths {
        for word in ["token}", "secret", "password}", "code}"] {
            let is_id = path.contains("/tokens/{token}");
            assert!(is_id || !path.contains(word), "{path}");
        }
    }
}
