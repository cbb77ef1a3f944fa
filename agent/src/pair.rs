//! `onelap-agent pair`: gets a rig's token by a code (OAuth 2.0 device authorization grant, RFC 8628). The agent shows
//! eight letters and opens the page that takes them; a member of the team approves; the token comes over the agent's own
//! connection and goes into its file.
//!
//! Invariants: nothing is asked for before it is certain that a token can be kept; between its arrival and its file nothing
//! is waited for; no token and no device code is shown or logged.
//!
//! When to ask and what an answer means is [`state`]'s (pure), the requests are [`wire`]'s, the file is [`crate::token`]'s.

use crate::clock::Clock;
use crate::config::place::can_write_private;
use crate::config::settings::{RigSettings, Settings, THE_RIG};
use crate::pair::state::{Next, Waiting};
use crate::pair::wire::{Codes, Paired};
use crate::server::ServerUrl;
use crate::token;
use std::fmt;
use std::sync::Arc;
use tokio::task::spawn_blocking;

pub mod state;
pub mod wire;

/// Longest name of a PC that the service takes, in characters.
const MAX_NAME: usize = 64;

/// What is wanted.
#[derive(Debug, Clone, Default)]
pub struct PairOptions {
    /// What who approves sees this PC called; [`default_name`] where there is none.
    pub name: Option<String>,
    /// Open the page in the browser.
    pub opens_browser: bool,
}

/// What the driver is told meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// There is a code.
    Code {
        /// The code.
        user_code: String,
        /// Where it is typed in.
        page: String,
        /// For how long it is good.
        good_for_s: u64,
        /// Under which name who approves sees this PC.
        name: String,
    },
    /// The browser does not open.
    NoBrowser(String),
    /// The service does not answer.
    Trouble(String),
    /// It does again.
    Recovered,
}

impl fmt::Display for News {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code { user_code, page, good_for_s, name } => write!(
                f,
                "\n  Code:     {user_code}\n  Address:  {page}\n\nAn owner or engineer of your team opens the address, on any \
                 device, and types the code in.\nThey see this PC as \"{name}\". The code is good for {}; Ctrl-C ends this.",
                minutes(*good_for_s)
            ),
            Self::NoBrowser(why) => {
                write!(f, "The browser does not open by itself ({why}): open the address yourself.")
            }
            Self::Trouble(why) => write!(f, "{why}; trying again"),
            Self::Recovered => f.write_str("The service answers again."),
        }
    }
}

fn minutes(seconds: u64) -> String {
    match seconds.div_ceil(60) {
        0 | 1 => "a minute".to_owned(),
        many => format!("{many} minutes"),
    }
}

/// Pairs this PC; says in words what came of it.
///
/// # Errors
/// Why there is no token, in the driver's words.
pub async fn pair(settings: &Settings, options: &PairOptions, mut say: impl FnMut(News)) -> Result<String, String> {
    let rig = token::the_rig(settings)?;
    let server = settings.service()?;
    can_write_private(&rig.token_file)
        .map_err(|e| format!("a token could not be stored in {}: {e}", rig.token_file.display()))?;
    let name = options.name.clone().unwrap_or_else(|| default_name(rig));

    let codes = {
        let (server, name) = (server.clone(), name.clone());
        blocking(move || wire::begin(&server, &name)).await?.map_err(|error| error.to_string())?
    };
    let clock = Clock::start();
    let (user_code, page, good_for_s) = (codes.user_code.clone(), codes.page.clone(), codes.good_for_s);
    say(News::Code { user_code, page, good_for_s, name });
    if options.opens_browser {
        let page = codes.page_with_code();
        if let Err(error) = blocking(move || open::that_detached(page)).await? {
            say(News::NoBrowser(error.to_string()));
        }
    }
    let paired = wait_for_token(server, codes, &clock, &mut say).await?;
    token::keep(settings, rig, &paired.token, &paired.rig_name, &paired.team_name)
}

async fn wait_for_token(
    server: &ServerUrl,
    codes: Codes,
    clock: &Clock,
    say: &mut impl FnMut(News),
) -> Result<Paired, String> {
    let mut waiting = Waiting::begin(codes.interval_s, codes.good_for_s, clock.mono_ms(), clock.stamp().unix_ms);
    let codes = Arc::new(codes);
    loop {
        match waiting.next(clock.mono_ms()) {
            Next::Over(end) => return Err(end.to_string()),
            Next::Wait(until_ms) => tokio::time::sleep_until(clock.instant(until_ms).into()).await,
            Next::Ask => {
                let (server, codes) = (server.clone(), codes.clone());
                let no = match blocking(move || wire::ask(&server, &codes)).await? {
                    Ok(paired) => return Ok(paired),
                    Err(no) => no,
                };
                let had_trouble = waiting.problem().is_some();
                waiting.told(no, clock.mono_ms());
                match waiting.problem() {
                    Some(why) if !had_trouble => say(News::Trouble(why.to_owned())),
                    None if had_trouble => say(News::Recovered),
                    _ => {}
                }
            }
        }
    }
}

/// Runs what blocks beside everything else, so that Ctrl-C ends the agent meanwhile.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, String> {
    spawn_blocking(work).await.map_err(|error| format!("the agent failed: {error}"))
}

/// Reads a name for this PC, by the service's rule.
///
/// # Errors
/// What the rule is.
pub fn name(text: &str) -> Result<String, String> {
    let text = text.trim();
    if !(1..=MAX_NAME).contains(&text.chars().count()) || text.chars().any(char::is_control) {
        return Err(format!("it may have 1 to {MAX_NAME} characters"));
    }
    Ok(text.to_owned())
}

/// The PC's own name, with the rig's where the settings have several.
#[must_use]
pub fn default_name(rig: &RigSettings) -> String {
    name_of(&gethostname::gethostname().to_string_lossy(), rig)
}

fn name_of(host: &str, rig: &RigSettings) -> String {
    let which = if rig.name == THE_RIG { String::new() } else { format!(" ({})", rig.name) };
    let room = MAX_NAME.saturating_sub(which.chars().count());
    let host: String = host.trim().chars().filter(|c| !c.is_control()).take(room).collect();
    let named = format!("{host}{which}").trim().to_owned();
    // A rig's name alone fills the room, or there is no name of anything.
    let named: String = named.chars().take(MAX_NAME).collect();
    if named.is_empty() { "a PC without a name".to_owned() } else { named }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::settings::Flags;
    use std::fs;

    fn settings(folder: &std::path::Path, text: &str, rig: Option<&str>) -> Settings {
        let path = folder.join("agent.toml");
        fs::write(&path, text).unwrap();
        let rig = rig.map(str::to_owned);
        let server = ServerUrl::parse("http://127.0.0.1:9").ok();
        Settings::load(&Flags { config: Some(path), server, rig, ..Flags::default() }).unwrap()
    }

    async fn failed(settings: &Settings) -> String {
        let options = PairOptions::default();
        pair(settings, &options, |news| panic!("{news}")).await.unwrap_err()
    }

    #[tokio::test]
    async fn nothing_is_asked_for_that_could_not_be_kept() {
        let folder = tempfile::tempdir().unwrap();
        let several = "[[rig]]\nname='A'\n[[rig]]\nname='B'\ngame='f1'\nf1_port=1\n";
        assert!(failed(&settings(folder.path(), several, None)).await.contains("--rig"));
        let nobody = Settings { server: None, ..settings(folder.path(), "", None) };
        assert!(failed(&nobody).await.contains("--server"));
        fs::create_dir(folder.path().join("token")).unwrap();
        let said = failed(&settings(folder.path(), "", None)).await;
        assert!(said.contains("could not be stored in") && said.contains("token"), "{said}");
    }

    #[tokio::test]
    async fn a_service_that_is_not_there_is_told_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let said = failed(&settings(folder.path(), "", None)).await;
        assert!(said.contains("http://127.0.0.1:9 cannot be reached"), "{said}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "the settings alone");
    }

    #[test]
    fn a_pc_is_called_what_the_service_takes() {
        let folder = tempfile::tempdir().unwrap();
        let several = "[[rig]]\nname='RIG_A'\n[[rig]]\nname='RIG_B'\ngame='f1'\n";
        let (one, of_two) = (settings(folder.path(), "", None), settings(folder.path(), several, Some("RIG_B")));
        let (one, of_two) = (&one.rigs[0], &of_two.rigs[0]);
        assert_eq!(name_of("SIM-PC", one), "SIM-PC");
        assert_eq!(name_of("SIM-PC", of_two), "SIM-PC (RIG_B)");
        assert_eq!(name_of(&"ü".repeat(90), of_two), format!("{} (RIG_B)", "ü".repeat(56)));
        for (host, rig) in [("", one), ("\u{1b}[2J", one), ("", of_two), (" ", one)] {
            let called = name_of(host, rig);
            assert_eq!(name(&called).as_ref(), Ok(&called));
        }
        assert!(name("").is_err() && name("a\nb").is_err() && name(&"x".repeat(65)).is_err());
        assert_eq!(name(" SIM-PC ").unwrap(), "SIM-PC");
    }

    #[test]
    fn the_code_stands_alone_in_its_line() {
        let news = News::Code {
            user_code: "BCDF-GHJK".into(),
            page: "https://onelap.example/pair".into(),
            good_for_s: 600,
            name: "SIM-PC".into(),
        };
        let lines = news.to_string();
        assert!(lines.lines().any(|line| line.trim() == "Code:     BCDF-GHJK"), "{lines}");
        assert!(lines.contains("https://onelap.example/pair\n") && lines.contains("10 minutes"), "{lines}");
    }
}
