//! `onelap-agent check`: each thing that must be right, in the driver's words, and what to do.
//!
//! [`gather`] looks (and takes some seconds), [`findings`] judges, purely, what was seen.

use crate::api::{ApiError, reach, who_am_i};
use crate::clock::unix_ms;
use crate::config::settings::{NO_SERVICE, RigSettings, Settings};
use crate::config::tokens::TokenFrom;
use crate::run::sources::LmuOptions;
use crate::server::ServerUrl;
use crate::source::f1::format::{Datagram, decode};
use crate::source::lmu::bodies;
use crate::source::lmu::endpoint::Endpoint;
use crate::source::lmu::mapping::{Probe, probe};
use crate::source::lmu::rest::{Client, Got};
use crate::source::lmu::session::version;
use onelap_protocol::agent::WhoAmI;
use onelap_protocol::{AGENT_SUBPROTOCOL, ErrorCode};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, UdpSocket};
use std::time::{Duration, Instant};

/// How long datagrams are waited for.
const LISTEN: Duration = Duration::from_secs(3);
/// A clock that is further off than this is worth a word.
const CLOCK_OFF_MS: i64 = 2_000;

/// How something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// As it must be.
    Right,
    /// Not as it must be.
    Wrong,
    /// It does not matter now.
    Note,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How it stands.
    pub verdict: Verdict,
    /// What was seen.
    pub what: String,
    /// What to do about it.
    pub advice: Option<String>,
}

/// What was seen.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The settings file, and whether it is there.
    pub settings: (String, bool),
    /// What is not good about it.
    pub warnings: Vec<String>,
    /// The service's address.
    pub server: Option<String>,
    /// Why a token's file holds none.
    pub token_problems: Vec<String>,
    /// The rigs.
    pub rigs: Vec<RigFacts>,
    /// What the service says to nobody in particular; asked where no rig has a token.
    pub service: Option<Result<(), ApiError>>,
    /// LMU's memory, and its REST API with its port; absent where they are switched off.
    pub lmu: Option<(Probe, Option<(u16, Rest)>)>,
    /// What came on F1's ports, or why they cannot be listened on.
    pub f1: BTreeMap<u16, Result<Came, ErrorKind>>,
}

/// What was seen of a rig's token.
#[derive(Debug, Clone)]
pub struct RigFacts {
    /// The rig's name.
    pub name: String,
    /// Where its token comes from.
    pub token_from: Option<TokenFrom>,
    /// The file of a token that does not count because of that one.
    pub unused: Option<String>,
    /// What the service says to its token; absent where it has none.
    pub answer: Option<Result<Answer, ApiError>>,
    /// How it comes to a token.
    pub ways: String,
}

/// Who answers on the port of LMU's REST API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// Nobody.
    Silent,
    /// Something else, with this HTTP status.
    Stranger(u16),
    /// The game.
    Lmu,
}

/// What came on a UDP port.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Came {
    /// Datagrams that the agent understands.
    pub understood: u32,
    /// Others.
    pub others: u32,
    /// What is the matter with the last of those.
    pub why: Option<String>,
}

impl Came {
    fn count(&mut self, datagram: &[u8]) {
        self.why = match decode(datagram) {
            Ok(Datagram::Decoded(..)) => {
                self.understood += 1;
                return;
            }
            Ok(Datagram::Named(identity)) => Some(identity.advice()),
            Err(refusal) => Some(refusal.to_string()),
        };
        self.others += 1;
    }
}

/// The service's answer, and how far the PC's clock was ahead of its.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Whose token it is.
    pub who: WhoAmI,
    /// Milliseconds.
    pub clock_ahead_ms: i64,
}

/// Looks at everything.
#[must_use]
pub fn gather(settings: &Settings) -> Facts {
    let server = settings.server.as_ref();
    let ask = |(server, token): (&ServerUrl, &onelap_protocol::RigToken)| {
        let before = unix_ms();
        let who = who_am_i(server, token)?;
        let middle = before + unix_ms().saturating_sub(before) / 2;
        let clock_ahead_ms = middle.wrapping_sub(who.server_ms) as i64;
        Ok(Answer { who, clock_ahead_ms })
    };
    let look = |rig: &RigSettings| RigFacts {
        name: rig.name.clone(),
        token_from: rig.token_from.clone(),
        unused: rig.unused_file().map(|path| path.display().to_string()),
        answer: server.zip(rig.token.as_ref()).map(ask),
        ways: rig.ways_to_a_token(),
    };
    let rigs = settings.rigs.iter().map(look).collect();
    let has_token = settings.rigs.iter().any(|rig| rig.token.is_some());
    let lmu = settings.games.lmu.as_ref().map(|lmu| (probe(&lmu.mapping(settings.sample_hz)), rest(lmu)));
    let ports = settings.rigs.iter().filter(|_| settings.games.f1).map(|rig| rig.f1_port);
    Facts {
        settings: (settings.path.display().to_string(), settings.path.exists()),
        warnings: settings.warnings.clone(),
        server: server.map(ToString::to_string),
        token_problems: settings.rigs.iter().filter_map(|rig| Some(rig.token_problem.as_ref()?.to_string())).collect(),
        rigs,
        service: server.filter(|_| !has_token).map(reach),
        lmu,
        f1: listen(ports),
    }
}

/// Asks the REST API what the game is doing, which it says at its menu too.
fn rest(lmu: &LmuOptions) -> Option<(u16, Rest)> {
    let options = lmu.rest()?;
    // The options' own host is this machine.
    let got = Client::new(&options).ok()?.get(Endpoint::GameState);
    Some((options.port, who_answered(&got)))
}

fn who_answered(got: &Got) -> Rest {
    match got.status {
        0 => Rest::Silent,
        503 => Rest::Lmu,
        200 if bodies::parse(Endpoint::GameState.path(), &got.body).is_ok() => Rest::Lmu,
        other => Rest::Stranger(other),
    }
}

/// Listens on all ports for as long as that takes, and looks at what comes.
fn listen(ports: impl Iterator<Item = u16>) -> BTreeMap<u16, Result<Came, ErrorKind>> {
    let bind = |port| UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port)).map_err(|e| e.kind());
    let sockets: BTreeMap<u16, _> = ports.map(|port| (port, bind(port))).collect();
    let until = Instant::now() + LISTEN;
    let look = |socket: UdpSocket| {
        let mut came = Came::default();
        // Room for any datagram: for one that is longer than the room, Windows gives an error.
        let mut buffer = vec![0; 65_536];
        loop {
            // A port that was listened on while another's turn was has kept what came.
            let left = until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
            let Ok(len) = socket.set_read_timeout(Some(left)).and_then(|()| socket.recv(&mut buffer)) else {
                return came;
            };
            came.count(buffer.get(..len).unwrap_or_default());
            if Instant::now() >= until {
                return came;
            }
        }
    };
    sockets.into_iter().map(|(port, socket)| (port, socket.map(look))).collect()
}

/// Judges what was seen.
#[must_use]
pub fn findings(facts: &Facts) -> Vec<Finding> {
    let mut list = List(Vec::new());
    let (path, exists) = &facts.settings;
    if *exists {
        list.right(format!("settings: {path}"));
    } else {
        list.note(format!("settings: none in {path}; everything is as it is without"), None);
    }
    for warning in &facts.warnings {
        list.wrong(warning.clone(), "do this now".into());
    }
    for problem in &facts.token_problems {
        list.wrong(
            problem.clone(),
            "run `onelap-agent pair`, or copy the token again, whole, and run `onelap-agent token`".into(),
        );
    }
    service(facts, &mut list);
    games(facts, &mut list);
    list.0
}

fn service(facts: &Facts, list: &mut List) {
    let Some(server) = &facts.server else {
        return list.wrong("no address of the service is set".into(), NO_SERVICE.into());
    };
    let mut is_reached = false;
    match &facts.service {
        Some(Ok(())) => list.right(format!("{server} answers")),
        Some(Err(error)) => unreached(error, list),
        None => {}
    }
    for RigFacts { name: rig, token_from, unused, answer, ways } in &facts.rigs {
        let from = token_from.as_ref().map_or_else(|| "the token".to_owned(), TokenFrom::in_words);
        match answer {
            None => list.wrong(format!("{rig} has no token"), ways.clone()),
            Some(Ok(Answer { who, clock_ahead_ms })) => {
                if !std::mem::replace(&mut is_reached, true) {
                    list.right(format!("{server} answers"));
                    clock(*clock_ahead_ms, list);
                    if !who.protocols.is_empty() && !who.protocols.iter().any(|p| p == AGENT_SUBPROTOCOL) {
                        let what = format!("the service does not speak this agent's language ({AGENT_SUBPROTOCOL})");
                        list.wrong(what, "update the agent".into());
                    }
                }
                list.right(format!("{rig}: {from} is good; this is rig {} of team {}", who.rig_name, who.team_name));
            }
            Some(Err(ApiError::Refused(refusal))) => {
                if refusal.code.is_some() && !std::mem::replace(&mut is_reached, true) {
                    list.right(format!("{server} answers"));
                }
                let is_token = refusal.status == 401 || refusal.code == Some(ErrorCode::TokenRevoked);
                let what =
                    if is_token { format!("{from} is not good") } else { "the service does not let it in".into() };
                list.wrong(format!("{rig}: {what}"), refusal.message.clone());
            }
            Some(Err(error)) => unreached(error, list),
        }
        if let Some((unused, from)) = unused.as_ref().zip(token_from.as_ref()) {
            list.note(
                format!("{rig}: the token in {unused} is not used: {from} counts more"),
                Some(from.to_be_without()),
            );
        }
    }
}

fn unreached(error: &ApiError, list: &mut List) {
    let advice =
        "check that this PC is on the internet, that a firewall lets onelap-agent out, and the setting `server`";
    list.wrong(error.to_string(), advice.into());
}

fn clock(ahead_ms: i64, list: &mut List) {
    if ahead_ms.abs() <= CLOCK_OFF_MS {
        return list.right("this PC's clock is right".into());
    }
    let seconds = ahead_ms.abs() as f64 / 1_000.0;
    let which = if ahead_ms > 0 { "ahead" } else { "behind" };
    list.wrong(
        format!("this PC's clock is {seconds:.1} s {which}"),
        "set it by the internet (Windows: Settings > Time & language > Sync now)".into(),
    );
}

fn games(facts: &Facts, list: &mut List) {
    let lmu_runs = matches!(&facts.lmu, Some((Probe::Found { .. }, _)));
    let f1_runs = facts.f1.values().flatten().any(|came| came.understood + came.others > 0);
    let lmu_hides = matches!(&facts.lmu, Some((Probe::Absent, Some((_, Rest::Lmu)))));
    if let Some((memory, rest)) = &facts.lmu {
        lmu(memory, *rest, f1_runs, list);
    }
    for (port, came) in &facts.f1 {
        f1(*port, came, list);
    }
    if !lmu_runs && !lmu_hides && !f1_runs {
        list.wrong("no game was found".into(), "start the game, load a session and run this again".into());
    }
}

fn lmu(memory: &Probe, rest: Option<(u16, Rest)>, f1_runs: bool, list: &mut List) {
    let plugins = "in the game: Settings > Gameplay > Enable Plugins = ON, then restart it and load a session";
    match memory {
        Probe::Found { game_version, cars, track } => {
            let version = version(*game_version).unwrap_or_default();
            let doing = if track.is_empty() { "in the menu".to_owned() } else { format!("{track}, {cars} cars") };
            list.right(format!("Le Mans Ultimate {version} is found: {doing}"));
        }
        Probe::Unusable(why) => list.wrong(
            format!("Le Mans Ultimate is found and cannot be read: {why}"),
            "restart the game; if it stays so, send the output of `onelap-agent inspect lmu` to support".into(),
        ),
        Probe::Absent if matches!(rest, Some((_, Rest::Lmu))) => {
            list.wrong("Le Mans Ultimate runs and does not show its data".into(), plugins.into());
        }
        Probe::Absent if f1_runs => list.note("Le Mans Ultimate does not run".into(), None),
        Probe::Absent => {
            list.note("Le Mans Ultimate does not run, or does not show its data".into(), Some(plugins.into()));
        }
    }
    let is_found = matches!(memory, Probe::Found { .. });
    match rest {
        Some((port, Rest::Lmu)) => list.right(format!("Le Mans Ultimate's REST API answers on port {port}")),
        Some((port, Rest::Silent)) if is_found => list.wrong(
            format!("Le Mans Ultimate's REST API does not answer on port {port}: no setup"),
            "restart the game; if another program uses the port, set `rest_port`".into(),
        ),
        Some((port, Rest::Stranger(status))) if is_found => list.wrong(
            format!("what answers on port {port} (HTTP {status}) is not Le Mans Ultimate's REST API: no setup"),
            "close the other program, or set `rest_port` to the port of the game".into(),
        ),
        _ => {}
    }
}

fn f1(port: u16, came: &Result<Came, ErrorKind>, list: &mut List) {
    match came {
        Ok(Came { understood: 0, others: 0, .. }) => list.note(
            format!("F1: UDP port {port} is free and nothing came on it in {} s", LISTEN.as_secs()),
            Some(format!(
                "in the game: Settings > Telemetry: UDP Telemetry on, UDP Format 2025, this PC's address, port {port}; \
                 data comes while a session runs"
            )),
        ),
        Ok(Came { understood: 0, others, why }) => list.wrong(
            format!("F1: {others} datagrams came on UDP port {port}, and none that this agent understands"),
            why.clone().unwrap_or_default(),
        ),
        Ok(Came { understood, .. }) => {
            list.right(format!("F1: datagrams come on UDP port {port} ({understood} in {} s)", LISTEN.as_secs()));
        }
        Err(ErrorKind::AddrInUse) => list.note(
            format!("F1: UDP port {port} is used by another program"),
            Some(
                "if that is a running onelap-agent, all is well; else close it (SimHub and the like can forward the data) \
                 or set another port here and in the game"
                    .into(),
            ),
        ),
        Err(kind) => list.wrong(
            format!("F1: UDP port {port} cannot be listened on: {kind}"),
            "allow onelap-agent in the firewall, or set another port here and in the game".into(),
        ),
    }
}

struct List(Vec<Finding>);

impl List {
    fn right(&mut self, what: String) {
        self.0.push(Finding { verdict: Verdict::Right, what, advice: None });
    }

    fn wrong(&mut self, what: String, advice: String) {
        self.0.push(Finding { verdict: Verdict::Wrong, what, advice: Some(advice) });
    }

    fn note(&mut self, what: String, advice: Option<String>) {
        self.0.push(Finding { verdict: Verdict::Note, what, advice });
    }
}

/// The findings as lines; marks are ASCII where the terminal has no others.
#[must_use]
pub fn lines(findings: &[Finding], ascii: bool) -> String {
    let mut lines = String::new();
    for Finding { verdict, what, advice } in findings {
        let mark = match (verdict, ascii) {
            (Verdict::Right, false) => "✓",
            (Verdict::Right, true) => "ok",
            (Verdict::Wrong, false) => "✗",
            (Verdict::Wrong, true) => "!!",
            (Verdict::Note, false) => "·",
            (Verdict::Note, true) => "--",
        };
        lines.push_str(&format!("{mark} {what}\n"));
        if let Some(advice) = advice {
            lines.push_str(&format!(
                "{} {} {advice}\n",
                " ".repeat(mark.chars().count()),
                if ascii { "->" } else { "→" }
            ));
        }
    }
    lines
}

#[cfg(test)]
mod tests;
