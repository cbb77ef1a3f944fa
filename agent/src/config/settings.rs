//! Flags, environment and file brought together: a flag counts more than the environment, that more than the file.

use crate::config::place::others_may_read;
use crate::config::tokens::{Found, TokenFrom, may_be_read, token};
use crate::config::{
    ConfigError, DEFAULT_BATCH_MS, DEFAULT_F1_PORT, DEFAULT_REST_PORT, DEFAULT_SAMPLE_HZ, DEFAULT_SPOOL_MB, File, Port,
    RigFile, SpoolChoice, parse, place,
};
use crate::run::sources::{Games, LmuOptions};
use crate::run::{GameChoice, RigOptions, SpoolPlace};
use crate::server::ServerUrl;
use onelap_protocol::RigToken;
use std::fs;
use std::io::ErrorKind;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// What a rig is called where the settings name none.
pub const THE_RIG: &str = "rig";

/// On or off, as a flag says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Switch {
    /// On.
    On,
    /// Off.
    Off,
}

/// The settings as flags.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Settings")]
pub struct Flags {
    /// Settings file [default: agent.toml in the user's configuration folder, if there is one]
    #[arg(long, value_name = "PATH", global = true, env = "ONELAP_CONFIG")]
    pub config: Option<PathBuf>,
    /// Address of the service [default: from the settings, where `pair` and `token` put it]
    #[arg(long, value_name = "URL", global = true, env = "ONELAP_SERVER")]
    pub server: Option<ServerUrl>,
    /// The rig's token [default: from the settings, or the file `token` beside them]
    #[arg(long, value_name = "TOKEN", global = true, env = "ONELAP_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// A file that holds the rig's token
    #[arg(long, value_name = "PATH", global = true)]
    pub token_file: Option<PathBuf>,
    /// Only this rig of the settings [default: all of them]
    #[arg(long, value_name = "NAME", global = true)]
    pub rig: Option<String>,
    /// Which game this rig is for [default: auto]
    #[arg(long, value_name = "GAME", global = true)]
    pub game: Option<GameChoice>,
    /// Samples a second, 2 to 60 [default: 20]
    #[arg(long, value_name = "HZ", global = true, value_parser = clap::value_parser!(u32).range(2..=60))]
    pub sample_hz: Option<u32>,
    /// Milliseconds of samples that are sent together, 20 to 1000 [default: 100]
    #[arg(long, value_name = "MS", global = true, value_parser = clap::value_parser!(u32).range(20..=1000))]
    pub batch_ms: Option<u32>,
    /// Where what is not sent yet is kept: on disk, or in memory until the agent ends [default: disk]
    #[arg(long, value_name = "WHERE", global = true, hide_possible_values = true)]
    pub spool: Option<SpoolChoice>,
    /// The folder for it [default: the user's own place for such data]
    #[arg(long, value_name = "PATH", global = true)]
    pub spool_dir: Option<PathBuf>,
    /// At most so many megabytes of it for each rig, 16 or more; then the oldest goes [default: 1024]
    #[arg(long, value_name = "MB", global = true, value_parser = clap::value_parser!(u32).range(16..=1_000_000))]
    pub spool_mb: Option<u32>,
    /// Read Le Mans Ultimate [default: on]
    #[arg(long, value_name = "ON|OFF", global = true, hide_possible_values = true)]
    pub lmu: Option<Switch>,
    /// Where its memory is: a file on Linux, a name on Windows [default: /dev/shm/LMU_Data; LMU_Data]
    #[arg(long, value_name = "PATH", global = true)]
    pub lmu_path: Option<String>,
    /// Ask its REST API, for setup, car numbers and teams [default: on]
    #[arg(long, value_name = "ON|OFF", global = true, hide_possible_values = true)]
    pub lmu_rest: Option<Switch>,
    /// Port of its REST API [default: 6397]
    #[arg(long, value_name = "PORT", global = true, value_parser = clap::value_parser!(u16).range(1..))]
    pub lmu_rest_port: Option<u16>,
    /// Read F1 25 [default: on]
    #[arg(long, value_name = "ON|OFF", global = true, hide_possible_values = true)]
    pub f1: Option<Switch>,
    /// UDP port on which F1 sends [default: 20777]
    #[arg(long, value_name = "PORT", global = true, value_parser = clap::value_parser!(u16).range(1..))]
    pub f1_port: Option<u16>,
    /// Take only what this address sends [default: all]
    #[arg(long, value_name = "ADDRESS", global = true)]
    pub f1_sender: Option<IpAddr>,
}

impl Flags {
    pub(super) fn given_token(&self) -> Option<&str> {
        self.token.as_deref().filter(|token| !token.trim().is_empty())
    }
}

/// A rig as the settings describe it. Its token may be missing, which `check`, `pair` and `token` do not mind.
#[derive(Debug, Clone)]
pub struct RigSettings {
    /// Its name.
    pub name: String,
    /// Its token, where there is one.
    pub token: Option<RigToken>,
    /// Where that comes from.
    pub token_from: Option<TokenFrom>,
    /// Why what is in its file is none: `check` says so, `pair` and `token` write another.
    pub token_problem: Option<ConfigError>,
    /// The file where its token is, or would be.
    pub token_file: PathBuf,
    /// Its game.
    pub game: GameChoice,
    /// UDP port.
    pub f1_port: u16,
    /// Only this sender.
    pub f1_sender: Option<IpAddr>,
}

impl RigSettings {
    /// As the agent takes it.
    ///
    /// # Errors
    /// Where there is no token, and how to get one.
    pub fn options(&self) -> Result<RigOptions, String> {
        let token = self.token.clone().ok_or_else(|| {
            let what = self.token_problem.as_ref().map_or(format!("{} has no token", self.name), ToString::to_string);
            format!("{what}: {}", self.ways_to_a_token())
        })?;
        let Self { name, game, f1_port, f1_sender, .. } = self.clone();
        Ok(RigOptions { name, token, game, f1_port, f1_sender })
    }

    /// The token's file, where there is one that does not count.
    #[must_use]
    pub fn unused_file(&self) -> Option<&Path> {
        let is_used = self.token.is_none() || matches!(self.token_from, Some(TokenFrom::File(_)));
        (!is_used && self.token_file.exists()).then_some(self.token_file.as_path())
    }

    /// How this rig comes to a token, in a sentence.
    #[must_use]
    pub fn ways_to_a_token(&self) -> String {
        let which = self.which();
        format!(
            "run `onelap-agent pair{which}` and have the code that it shows approved on the team's site, or copy a token \
             from the team's Rigs page and run `onelap-agent token{which}`"
        )
    }

    /// The flag that names this rig, where there are others.
    #[must_use]
    pub fn which(&self) -> String {
        if self.name == THE_RIG { String::new() } else { format!(" --rig {}", self.name) }
    }
}

/// Everything that was set, and what was not as it is without.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The settings file, whether it is there or not.
    pub path: PathBuf,
    /// The service; see [`Settings::service`].
    pub server: Option<ServerUrl>,
    /// The service that the settings file names.
    pub server_in_file: Option<ServerUrl>,
    /// Samples a second.
    pub sample_hz: u32,
    /// Milliseconds in a batch.
    pub batch_ms: u32,
    /// Where what waits is kept.
    pub spool: SpoolPlace,
    /// The games.
    pub games: Games,
    /// The rigs; at least one.
    pub rigs: Vec<RigSettings>,
    /// What is not wrong and not good.
    pub warnings: Vec<String>,
}

/// What is said where no service is set.
pub(crate) const NO_SERVICE: &str =
    "the address of your team's 1Lap site is not set: give it with --server, as the site's start page shows it";

impl Settings {
    /// The service. There is no default: a token must not go to a site that nobody named.
    ///
    /// # Errors
    /// What to do where none is set.
    pub fn service(&self) -> Result<&ServerUrl, String> {
        self.server.as_ref().ok_or_else(|| NO_SERVICE.to_owned())
    }

    /// Reads the file, if there is one, and brings everything together.
    ///
    /// # Errors
    /// What is wrong, where it stands, and what would be right.
    pub fn load(flags: &Flags) -> Result<Self, ConfigError> {
        let path = flags.config.clone().or_else(place::default_path).unwrap_or_else(|| "agent.toml".into());
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == ErrorKind::NotFound && flags.config.is_none() => String::new(),
            Err(e) => return Err(ConfigError::new(path.display().to_string(), format!("it cannot be read: {e}"))),
        };
        let file = parse(&path, &text)?;
        let mut warnings = Vec::new();
        let holds_token = file.token.is_some() || file.rig.iter().any(|rig| rig.get_ref().token.is_some());
        if holds_token && others_may_read(&path) {
            warnings.push(may_be_read(&path));
        }
        let rigs = rigs(flags, &file, &path, &text, &mut warnings)?;
        Ok(Self {
            server: flags.server.clone().or_else(|| file.server.clone()),
            server_in_file: file.server.clone(),
            sample_hz: flags.sample_hz.or(file.sample_hz.map(|v| v.0)).unwrap_or(DEFAULT_SAMPLE_HZ),
            batch_ms: flags.batch_ms.or(file.batch_ms.map(|v| v.0)).unwrap_or(DEFAULT_BATCH_MS),
            spool: spool(flags, &file, &path),
            games: games(flags, &file),
            rigs,
            path,
            warnings,
        })
    }
}

fn spool(flags: &Flags, file: &File, path: &Path) -> SpoolPlace {
    if flags.spool.or(file.spool).unwrap_or_default() == SpoolChoice::Memory {
        return SpoolPlace::Memory;
    }
    let beside = |name: &Path| path.parent().unwrap_or(Path::new("")).join(name);
    let folder = flags.spool_dir.clone().or_else(|| file.spool_dir.as_deref().map(beside));
    let folder = folder.or_else(place::default_spool).unwrap_or_else(|| beside(Path::new("spool")));
    let megabytes = flags.spool_mb.or(file.spool_mb.map(|v| v.0)).unwrap_or(DEFAULT_SPOOL_MB);
    SpoolPlace::Disk { folder, cap_bytes: u64::from(megabytes) * 1024 * 1024 }
}

fn games(flags: &Flags, file: &File) -> Games {
    let is_on = |flag: Option<Switch>, file: Option<bool>| flag.map_or(file.unwrap_or(true), |s| s == Switch::On);
    let rest_port = flags.lmu_rest_port.or(file.lmu.rest_port.map(Port::get)).unwrap_or(DEFAULT_REST_PORT);
    let lmu = LmuOptions {
        location: flags.lmu_path.clone().or_else(|| file.lmu.path.clone()),
        rest_port: is_on(flags.lmu_rest, file.lmu.rest).then_some(rest_port),
    };
    Games { lmu: is_on(flags.lmu, file.lmu.enabled).then_some(lmu), f1: is_on(flags.f1, file.f1.enabled) }
}

fn rigs(
    flags: &Flags,
    file: &File,
    path: &Path,
    text: &str,
    warnings: &mut Vec<String>,
) -> Result<Vec<RigSettings>, ConfigError> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let f1_port = flags.f1_port.or(file.f1.port.map(Port::get)).unwrap_or(DEFAULT_F1_PORT);
    let f1_sender = flags.f1_sender.or(file.f1.sender);
    if file.rig.is_empty() {
        let token_file = flags.token_file.clone();
        let token_file = token_file.or_else(|| file.token_file.as_ref().map(|name| folder.join(name)));
        let token_file = token_file.unwrap_or_else(|| folder.join("token"));
        let in_file = file.token.as_ref().filter(|_| flags.token_file.is_none());
        if flags.rig.is_some() {
            return Err(ConfigError::new(
                "--rig",
                format!("there are no rigs in {}: add a [[rig]] entry", path.display()),
            ));
        }
        let Found { token, token_from, token_problem } = token(flags, in_file, path, &token_file, warnings)?;
        return Ok(vec![RigSettings {
            name: THE_RIG.to_owned(),
            token,
            token_from,
            token_problem,
            token_file,
            game: flags.game.unwrap_or_default(),
            f1_port,
            f1_sender,
        }]);
    }
    let is_wanted = |rig: &RigFile| flags.rig.as_ref().is_none_or(|name| *name == rig.name.0);
    let wanted: Vec<_> = file.rig.iter().filter(|rig| is_wanted(rig.get_ref())).collect();
    if wanted.is_empty() {
        let names: Vec<_> = file.rig.iter().map(|rig| rig.get_ref().name.0.as_str()).collect();
        return Err(ConfigError::new(
            "--rig",
            format!("there is no such rig in the settings; there are {}", names.join(", ")),
        ));
    }
    if wanted.len() > 1 && (flags.given_token().is_some() || flags.token_file.is_some()) {
        return Err(ConfigError::new("--token", "the settings have several rigs: say which one with --rig NAME"));
    }
    let mut rigs: Vec<RigSettings> = Vec::new();
    for spanned in wanted {
        let rig = spanned.get_ref();
        let own_file =
            rig.token_file.as_ref().map_or_else(|| folder.join(format!("{}.token", rig.name.0)), |f| folder.join(f));
        let token_file = flags.token_file.clone().unwrap_or(own_file);
        let in_file = rig.token.as_ref().filter(|_| flags.token_file.is_none());
        let Found { token, token_from, token_problem } = token(flags, in_file, path, &token_file, warnings)?;
        let rig = RigSettings {
            token,
            token_from,
            token_problem,
            name: rig.name.0.clone(),
            token_file,
            game: flags.game.unwrap_or(rig.game),
            f1_port: flags.f1_port.or(rig.f1_port.map(Port::get)).unwrap_or(f1_port),
            f1_sender: flags.f1_sender.or(rig.f1_sender).or(f1_sender),
        };
        if let Some(why) = rigs.iter().find_map(|other| in_each_others_way(other, &rig)) {
            return Err(ConfigError::at(path, text, spanned.span().start, why));
        }
        rigs.push(rig);
    }
    Ok(rigs)
}

/// Why two rigs cannot run together.
fn in_each_others_way(one: &RigSettings, other: &RigSettings) -> Option<String> {
    let (a, b) = (&one.name, &other.name);
    if a == b {
        return Some(format!("two rigs are called {a}: give each its own name"));
    }
    if one.game != GameChoice::F1 && other.game != GameChoice::F1 {
        return Some(format!("{a} and {b} would both read Le Mans Ultimate: set `game = \"f1\"` on one of them"));
    }
    let both_f1 = one.game != GameChoice::Lmu && other.game != GameChoice::Lmu;
    if both_f1 && one.f1_port == other.f1_port && one.f1_sender == other.f1_sender {
        return Some(format!(
            "{a} and {b} would take the same datagrams: give them different `f1_port`s, or different `f1_sender`s"
        ));
    }
    None
}
