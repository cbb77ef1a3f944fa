//! Asks LMU's REST API, by plain HTTP on the loopback, what [`Schedule`] says, one request at a time.
//!
//! Not here: which path when (`schedule`), what an answer means (`bodies`, `reader`).

use super::acquire::{PlaceCell, sleep};
use super::bodies::{self, Body};
use super::endpoint::Endpoint;
use super::schedule::{Answer, Next, Schedule};
use crate::raw::Raw;
use crate::source::Emit;
use std::io::ErrorKind;
use std::net::IpAddr;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// The game's own port.
pub const DEFAULT_PORT: u16 = 6397;
/// Begins the body of an answer with status 0 where nobody listens on the port.
pub const REFUSED: &str = "refused";

/// Where the API is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestOptions {
    /// A loopback address or "localhost".
    pub host: String,
    /// Port.
    pub port: u16,
    /// How long an answer may take.
    pub timeout: Duration,
}

impl Default for RestOptions {
    fn default() -> Self {
        // By number: on Windows "localhost" tries IPv6 first, which the game does not serve, and takes its time over it.
        Self { host: "127.0.0.1".into(), port: DEFAULT_PORT, timeout: Duration::from_secs(2) }
    }
}

/// A host that is not this machine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("LMU's REST API is on this machine only: the host must be 127.0.0.1, ::1 or localhost, not {0:?}")]
pub struct NotLoopback(pub String);

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Got {
    /// HTTP status; 0 where no answer came.
    pub status: u16,
    /// The body, or why no answer came.
    pub body: Vec<u8>,
}

/// A connection to the API.
#[derive(Debug)]
pub struct Client {
    agent: ureq::Agent,
    base: String,
}

impl Client {
    /// A client for this place; connects when first asked.
    ///
    /// # Errors
    /// [`NotLoopback`] where the place is another machine.
    pub fn new(options: &RestOptions) -> Result<Self, NotLoopback> {
        let host = options.host.trim_matches(['[', ']']);
        let base = match host.parse::<IpAddr>() {
            Ok(IpAddr::V4(ip)) if ip.is_loopback() => format!("http://{ip}:{}", options.port),
            Ok(IpAddr::V6(ip)) if ip.is_loopback() => format!("http://[{ip}]:{}", options.port),
            Err(_) if host == "localhost" => format!("http://localhost:{}", options.port),
            _ => return Err(NotLoopback(options.host.clone())),
        };
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(options.timeout))
            .http_status_as_error(false)
            .proxy(None)
            .max_redirects(0)
            .user_agent(concat!("onelap-agent/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Self { agent: config.into(), base })
    }

    /// Asks for a path of the list.
    #[must_use]
    pub fn get(&self, endpoint: Endpoint) -> Got {
        self.ask(endpoint).unwrap_or_else(|error| Got { status: 0, body: reason(&error).into_bytes() })
    }

    fn ask(&self, endpoint: Endpoint) -> Result<Got, ureq::Error> {
        let mut response = self.agent.get(format!("{}{}", self.base, endpoint.path())).call()?;
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(bodies::LARGEST as u64).read_to_vec()?;
        Ok(Got { status, body })
    }
}

fn reason(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Io(io) if io.kind() == ErrorKind::ConnectionRefused => format!("{REFUSED}: nobody listens"),
        ureq::Error::ConnectionFailed => format!("{REFUSED}: no connection"),
        ureq::Error::Timeout(_) => format!("timed out: {error}"),
        other => format!("failed: {other}"),
    }
}

/// Polls until cancelled.
pub(super) fn run(client: &Client, place: &PlaceCell, stop: &CancellationToken, emit: &mut Emit) {
    let started = Instant::now();
    let mut schedule = Schedule::default();
    while !stop.is_cancelled() {
        schedule.set_place(millis(started), place.get());
        match schedule.next(millis(started)) {
            Next::Wait(ms) => sleep(stop, Duration::from_millis(ms.min(100))),
            Next::Poll(endpoint) => {
                let asked = Instant::now();
                let got = client.get(endpoint);
                let answer =
                    Answer { status: got.status, took_ms: millis(asked), in_monitor: in_monitor(endpoint, &got) };
                if got.status != 200 {
                    tracing::debug!(
                        path = endpoint.path(),
                        status = got.status,
                        "LMU's REST API did not answer with 200"
                    );
                }
                schedule.answered(millis(started), endpoint, answer);
                emit(Raw::Rest { path: endpoint.path().to_owned(), status: got.status, body: got.body });
            }
        }
    }
}

fn in_monitor(endpoint: Endpoint, got: &Got) -> Option<bool> {
    match bodies::parse(endpoint.path(), &got.body) {
        Ok(Body::GameState(body)) if got.status == 200 => body.in_monitor,
        _ => None,
    }
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::lmu::schedule::CarPlace;
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;
    use std::sync::mpsc;

    /// A server on the loopback that answers each request by path, and reports what was asked.
    fn server(answer: impl Fn(&str) -> (u16, &'static str) + Send + 'static) -> (RestOptions, mpsc::Receiver<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let options = RestOptions { port: listener.local_addr().unwrap().port(), ..RestOptions::default() };
        let (sender, asked) = mpsc::channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
                let first = lines.next().unwrap_or_default();
                lines.find(String::is_empty);
                let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
                let (status, body) = answer(&path);
                let _ = write!(
                    stream,
                    "HTTP/1.1 {status} x\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                    body.len()
                );
                let _ = sender.send(path);
            }
        });
        (options, asked)
    }

    #[test]
    fn other_machines_are_refused() {
        for host in ["192.168.1.5", "example.org", "", "127.0.0.1.example.org", "0.0.0.0"] {
            let options = RestOptions { host: host.into(), ..RestOptions::default() };
            assert_eq!(Client::new(&options).unwrap_err(), NotLoopback(host.into()));
        }
        for host in ["127.0.0.1", "localhost", "::1", "[::1]", "127.8.8.8"] {
            Client::new(&RestOptions { host: host.into(), ..RestOptions::default() }).unwrap();
        }
    }

    #[test]
    fn answers_come_with_their_status_and_their_absence_with_a_reason() {
        let (options, _asked) = server(|_| (503, r#"{"status":"unavailable"}"#));
        let got = Client::new(&options).unwrap().get(Endpoint::GameState);
        assert_eq!(got, Got { status: 503, body: br#"{"status":"unavailable"}"#.to_vec() });

        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let got = Client::new(&RestOptions { port: free, ..options }).unwrap().get(Endpoint::GameState);
        assert_eq!(got.status, 0);
        assert!(got.body.starts_with(REFUSED.as_bytes()), "{}", String::from_utf8_lossy(&got.body));
    }

    #[test]
    fn the_poller_asks_what_the_schedule_says_and_ends_when_told() {
        let (options, asked) = server(|path| match path {
            "/rest/sessions/GetGameState" => (200, r#"{"inMonitor":true}"#),
            _ => (200, "{}"),
        });
        let (sender, raws) = mpsc::channel();
        let (stop, place) = (CancellationToken::new(), PlaceCell::default());
        place.set(CarPlace::Garage);
        let client = Client::new(&options).unwrap();
        let thread = std::thread::spawn({
            let stop = stop.clone();
            move || {
                let mut emit: Emit = Box::new(move |raw| {
                    let _ = sender.send(raw);
                });
                run(&client, &place, &stop, &mut emit);
            }
        });
        let paths: Vec<_> = asked.iter().take(5).collect();
        let bodies: Vec<_> = raws.iter().take(5).collect();
        stop.cancel();
        thread.join().unwrap();
        assert_eq!(paths[0], Endpoint::GameState.path());
        for wanted in [Endpoint::SessionInfo, Endpoint::Standings, Endpoint::GarageSummary, Endpoint::GarageData] {
            assert!(paths.iter().any(|path| path == wanted.path()), "{paths:?}");
        }
        assert!(matches!(&bodies[0], Raw::Rest { path, status: 200, .. } if path == Endpoint::GameState.path()));
    }
}
