//! The command line: what it takes, and what it prints. Everything else is the library's.

use crate::check::{Verdict, findings, gather, lines};
use crate::cli::stop::told_to_stop;
use crate::config::settings::{Flags, RigSettings, Settings};
use crate::config::tokens::TOKEN_VARIABLE;
use crate::record;
use crate::run::sources::Wanted;
use crate::run::{Agent, AgentOptions, Input};
use crate::status::{RigStatus, Teller};
use crate::{inspect, pair, token};
use clap::{Args, Parser, Subcommand};
use std::fs;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

mod stop;

/// Reads the game on this PC and streams it to your team's 1Lap site.
///
/// First `onelap-agent pair --server https://your.site`, or `token` with a token from the team's Rigs page, then
/// `onelap-agent run`. If something does not work, `onelap-agent check` says what and what to do.
#[derive(Debug, Parser)]
#[command(name = "onelap-agent", version, max_term_width = 120)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Streams the game that runs, until Ctrl-C
    Run(RunArgs),
    /// Gets a rig's token by a code: shows the code, a member of the team approves it on the team's site
    Pair(PairArgs),
    /// Stores a rig's token, readable by you alone, after asking the service whose it is
    Token {
        /// The token [default: asked for, so that it is in no history of commands]
        #[arg(value_name = "TOKEN")]
        pasted: Option<String>,
    },
    /// Checks each thing that must be right, and says what to do
    Check,
    /// Decodes what a game gave and prints it as JSON: what support asks for when a game has changed
    #[command(subcommand)]
    Inspect(Inspect),
    /// Records what the game gives into a file, until Ctrl-C, to be played back with `run --replay`
    Record {
        /// The file; it must not be there yet
        file: PathBuf,
        /// Stop after so many seconds [default: at Ctrl-C]
        #[arg(long, value_name = "SECONDS")]
        seconds: Option<u64>,
    },
}

#[derive(Debug, Args)]
struct RunArgs {
    /// Play a recording instead of reading the games; ends when all of it is stored
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,
    /// So many times as fast as it was
    #[arg(long, value_name = "N", requires = "replay", default_value = "1", value_parser = speed)]
    replay_speed: f64,
}

#[derive(Debug, Args)]
struct PairArgs {
    /// What who approves sees this PC called [default: the PC's name]
    #[arg(long, value_name = "NAME", value_parser = pair::name)]
    name: Option<String>,
    /// Only show the address, do not open it in the browser
    #[arg(long)]
    no_browser: bool,
}

#[derive(Debug, Subcommand)]
enum Inspect {
    /// An image of Le Mans Ultimate's memory
    Lmu {
        /// The image
        file: PathBuf,
    },
    /// Datagrams of F1, one a file
    F1 {
        /// The datagrams
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if (0.1..=1_000.0).contains(&speed) => Ok(speed),
        _ => Err("it may be 0.1 to 1000".to_owned()),
    }
}

/// The whole program.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_target(false).init();
    let result = match cli.command {
        Command::Run(args) => run(&cli.flags, &args),
        Command::Pair(args) => pair_up(&cli.flags, args),
        Command::Token { pasted } => store_token(&cli.flags, pasted),
        Command::Check => check(&cli.flags),
        Command::Inspect(Inspect::Lmu { file }) => inspect_lmu(&file),
        Command::Inspect(Inspect::F1 { files }) => inspect_f1(&files),
        Command::Record { file, seconds } => record(&cli.flags, &file, seconds),
    };
    match result {
        Ok(code) => code,
        Err(message) => {
            complain(&message);
            ExitCode::FAILURE
        }
    }
}

fn run(flags: &Flags, args: &RunArgs) -> Result<ExitCode, String> {
    let settings = Settings::load(flags).map_err(|e| e.to_string())?;
    settings.warnings.iter().for_each(|warning| complain(warning));
    let is_first = settings.rigs.iter().all(|rig| rig.token.is_none() && rig.token_problem.is_none());
    if is_first && io::stderr().is_terminal() {
        return Err(token::first_steps(&settings, flags.server.as_ref()));
    }
    let rigs = settings.rigs.iter().map(RigSettings::options).collect::<Result<Vec<_>, _>>()?;
    let server = settings.service()?.clone();
    let input = match &args.replay {
        Some(path) => Input::Replay { path: path.clone(), speed: args.replay_speed },
        None => Input::Games(settings.games.clone()),
    };
    let options = AgentOptions {
        server,
        rigs,
        sample_hz: settings.sample_hz,
        batch_ms: settings.batch_ms,
        spool: settings.spool,
        input,
    };
    in_runtime(async {
        let mut agent = Agent::spawn(&options).map_err(|e| e.to_string())?;
        say(&format!("1Lap agent {} to {}", env!("CARGO_PKG_VERSION"), options.server));
        agent.leftovers().iter().for_each(|leftover| complain(leftover));
        for status in agent.statuses() {
            tokio::spawn(show(status));
        }
        let mut played = Ok(ExitCode::SUCCESS);
        let mut why = "the recording is over";
        tokio::select! {
            () = agent.finished() => match agent.shortfall() {
                None => say("the recording was played to its end and all of it is stored"),
                Some(why) => played = Err(format!("the recording was not played to its end: {why}. What came before is stored")),
            },
            told = told_to_stop() => why = told?,
        }
        agent.stop_because(why).await;
        played
    })
}

/// A line whenever something changed that is worth one.
async fn show(mut status: watch::Receiver<RigStatus>) {
    let mut teller = Teller::default();
    loop {
        let line = teller.tell(&status.borrow_and_update());
        if let Some(line) = line {
            say(&line);
        }
        if status.changed().await.is_err() {
            return;
        }
    }
}

/// The settings for who brings a token: one that is given counts for other commands, and must not hide a broken file.
fn settings_without_token(flags: &Flags) -> Result<Settings, String> {
    Settings::load(&Flags { token: None, ..flags.clone() }).map_err(|e| e.to_string())
}

fn stored(said: &str) -> ExitCode {
    say(said);
    if std::env::var_os(TOKEN_VARIABLE).is_some_and(|token| !token.is_empty()) {
        complain(&format!(
            "{TOKEN_VARIABLE} is set and counts more than the token that is stored: remove the variable"
        ));
    }
    ExitCode::SUCCESS
}

fn pair_up(flags: &Flags, args: PairArgs) -> Result<ExitCode, String> {
    let settings = settings_without_token(flags)?;
    let options = pair::PairOptions { name: args.name, opens_browser: !args.no_browser };
    let said = in_runtime(async {
        tokio::select! {
            said = pair::pair(&settings, &options, |news| say(&news.to_string())) => said,
            told = told_to_stop() => Err(told.map_or_else(|e| e, |why| format!("{why}: no token was stored"))),
        }
    })?;
    Ok(stored(&said))
}

fn store_token(flags: &Flags, pasted: Option<String>) -> Result<ExitCode, String> {
    let settings = settings_without_token(flags)?;
    let pasted = match pasted {
        Some(pasted) => pasted,
        None => ask_for_token().map_err(|e| format!("the token cannot be read: {e}"))?,
    };
    Ok(stored(&token::store(&settings, &pasted)?))
}

fn ask_for_token() -> io::Result<String> {
    if io::stdin().is_terminal() {
        let mut out = io::stdout();
        write!(out, "Paste the rig's token and press Enter: ")?;
        out.flush()?;
    }
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line)
}

fn check(flags: &Flags) -> Result<ExitCode, String> {
    let settings = Settings::load(flags).map_err(|e| e.to_string())?;
    let findings = findings(&gather(&settings));
    say(lines(&findings, !speaks_utf8()).trim_end());
    let is_wrong = findings.iter().any(|finding| finding.verdict == Verdict::Wrong);
    Ok(if is_wrong { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Whether the terminal shows more than ASCII.
fn speaks_utf8() -> bool {
    if cfg!(windows) {
        return true;
    }
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().filter_map(|name| std::env::var(name).ok());
    locale.into_iter().find(|value| !value.is_empty()).is_some_and(|value| {
        let value = value.to_ascii_lowercase();
        value.contains("utf-8") || value.contains("utf8")
    })
}

fn inspect_lmu(file: &Path) -> Result<ExitCode, String> {
    let json = inspect::lmu::inspect(&read(file)?).map_err(|e| format!("{}: {e}", file.display()))?;
    print_json(&json)?;
    Ok(ExitCode::SUCCESS)
}

/// A file that cannot be read or is refused keeps from none of the others.
fn inspect_f1(files: &[PathBuf]) -> Result<ExitCode, String> {
    let mut code = ExitCode::SUCCESS;
    for file in files {
        let told = read(file).and_then(|bytes| inspect::f1::inspect_one(&file.display().to_string(), &bytes));
        match told {
            Ok(json) => print_json(&json)?,
            Err(why) => {
                complain(&why);
                code = ExitCode::FAILURE;
            }
        }
    }
    Ok(code)
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    fs::read(file).map_err(|e| format!("{}: {e}", file.display()))
}

fn print_json(json: &serde_json::Value) -> Result<(), String> {
    let text = serde_json::to_string_pretty(json).map_err(|e| e.to_string())?;
    say(&text);
    Ok(())
}

fn record(flags: &Flags, file: &Path, seconds: Option<u64>) -> Result<ExitCode, String> {
    let settings = Settings::load(flags).map_err(|e| e.to_string())?;
    let rig = settings.rigs.first().ok_or("there is no rig in the settings")?;
    let wanted = Wanted { game: rig.game, f1_port: rig.f1_port, f1_sender: rig.f1_sender };
    let stop = CancellationToken::new();
    let recording = record::spawn(file, &settings.games, settings.sample_hz, wanted, &stop)
        .map_err(|e| format!("{}: {e}", file.display()))?;
    say(&format!("recording to {}; Ctrl-C ends it", file.display()));
    in_runtime(async {
        let ends_itself = async {
            while !recording.is_finished() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let time_is_up = async {
            match seconds {
                Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = ends_itself => Ok(()),
            () = time_is_up => Ok(()),
            told = told_to_stop() => told.map(drop),
        }
    })?;
    stop.cancel();
    let summary = recording.join().map_err(|_| "the recorder failed".to_owned())?.map_err(|e| e.to_string())?;
    say(&summary.line());
    Ok(ExitCode::SUCCESS)
}

/// One thread is enough for everything but the games.
fn in_runtime<T>(future: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|e| format!("the agent cannot start: {e}"))?;
    let result = runtime.block_on(future);
    // A name that is being resolved cannot be interrupted, and is of no use any more.
    runtime.shutdown_background();
    result
}

/// A line on standard output. A reader that went away is no reason to end.
fn say(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// A line on standard error.
fn complain(line: &str) {
    let _ = writeln!(io::stderr(), "onelap-agent: {line}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn flags_may_stand_behind_the_command() {
        let cli =
            Cli::try_parse_from(["onelap-agent", "run", "--server", "http://127.0.0.1:1", "--lmu-rest-port", "7000"]);
        let flags = cli.unwrap().flags;
        assert_eq!((flags.server.unwrap().to_string(), flags.lmu_rest_port), ("http://127.0.0.1:1".into(), Some(7000)));
    }

    #[test]
    fn a_wrong_flag_says_what_would_be_right() {
        for (args, right) in [
            (vec!["--sample-hz", "90"], "2..=60"),
            (vec!["--server", "http://example.com"], "https"),
            (vec!["--replay-speed", "2"], "--replay"),
            (vec!["--replay", "x", "--replay-speed", "0"], "0.1 to 1000"),
        ] {
            let error = Cli::try_parse_from(["onelap-agent", "run"].into_iter().chain(args)).unwrap_err().to_string();
            assert!(error.contains(right), "{error}");
        }
    }

    #[test]
    fn every_flag_of_the_help_says_its_default() {
        let command = Cli::command();
        for arg in command
            .get_arguments()
            .filter(|arg| !["help", "version", "rig", "token_file"].contains(&arg.get_id().as_str()))
        {
            let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("[default: "), "{}: {help}", arg.get_id());
        }
    }
}
