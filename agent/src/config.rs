//! The settings file: what may stand in it, and what is said of what may not.
//!
//! Every value is checked while the file is read, so that an error names its line and says what would be right.
//!
//! Not here: where the file is ([`place`]), flags and how they come together ([`settings`]), tokens ([`tokens`]).

use crate::run::GameChoice;
use crate::server::ServerUrl;
use onelap_protocol::RigToken;
use serde::Deserialize;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use toml::Spanned;

pub mod place;
pub mod settings;
pub mod tokens;

/// Samples a second.
pub const DEFAULT_SAMPLE_HZ: u32 = 20;
/// Milliseconds of samples in a batch.
pub const DEFAULT_BATCH_MS: u32 = 100;
/// What may be kept on disk, in megabytes.
pub const DEFAULT_SPOOL_MB: u32 = 1024;
/// Port of LMU's REST API.
pub const DEFAULT_REST_PORT: u16 = 6397;
/// Port on which F1 sends.
pub const DEFAULT_F1_PORT: u16 = 20777;

/// A wrong setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}: {message}", at.map(|(line, column)| format!(", line {line}, column {column}")).unwrap_or_default())]
pub struct ConfigError {
    /// The file, or the flag.
    pub file: String,
    /// Line and column, from 1.
    pub at: Option<(usize, usize)>,
    /// What is wrong and what would be right.
    pub message: String,
}

impl ConfigError {
    /// Something wrong that has no line.
    #[must_use]
    pub fn new(file: impl Into<String>, message: impl Into<String>) -> Self {
        Self { file: file.into(), at: None, message: message.into() }
    }

    /// Something wrong at a place in a text.
    #[must_use]
    pub fn at(path: &Path, text: &str, offset: usize, message: impl Into<String>) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        Self { at: Some((line, column)), ..Self::new(path.display().to_string(), message) }
    }
}

macro_rules! ranged {
    ($(#[$doc:meta])* $name:ident, $setting:literal, $low:literal..=$high:literal, $unit:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
        #[serde(try_from = "i64")]
        pub struct $name(pub u32);

        impl TryFrom<i64> for $name {
            type Error = String;
            fn try_from(value: i64) -> Result<Self, String> {
                match u32::try_from(value) {
                    Ok(value) if ($low..=$high).contains(&value) => Ok(Self(value)),
                    _ => Err(format!(concat!("`", $setting, "` is {}: it may be ", $low, " to ", $high, $unit), value)),
                }
            }
        }
    };
}

ranged!(
    /// Samples a second.
    SampleHz, "sample_hz", 2..=60, " a second"
);
ranged!(
    /// Milliseconds in a batch.
    BatchMs, "batch_ms", 20..=1000, " milliseconds"
);
ranged!(
    /// A port.
    Port, "port", 1..=65535, ""
);
ranged!(
    /// Megabytes on disk.
    SpoolMb, "spool_mb", 16..=1_000_000, " megabytes"
);

/// Where what is not sent yet is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum SpoolChoice {
    /// In a folder: nothing is lost when the agent ends.
    #[default]
    Disk,
    /// In memory, until the agent ends.
    Memory,
}

impl Port {
    /// As sockets take it.
    #[must_use]
    pub fn get(self) -> u16 {
        // In range since it was read.
        self.0 as u16
    }
}

/// A token in the file.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct TokenText(pub RigToken);

impl TryFrom<String> for TokenText {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        RigToken::parse(&text).map(Self).map_err(|e| e.to_string())
    }
}

/// A rig's name in the file: it also names the file of its token.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct RigName(pub String);

impl TryFrom<String> for RigName {
    type Error = String;
    fn try_from(name: String) -> Result<Self, String> {
        let is_right = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if (1..=64).contains(&name.len()) && name.chars().all(is_right) {
            return Ok(Self(name));
        }
        Err(format!("the rig's name is {name:?}: it may have 1 to 64 letters, digits, - and _"))
    }
}

/// The settings file. Everything may be left out.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct File {
    /// The service.
    pub server: Option<ServerUrl>,
    /// The token itself.
    pub token: Option<TokenText>,
    /// Or the file that holds it.
    pub token_file: Option<PathBuf>,
    /// Samples a second.
    pub sample_hz: Option<SampleHz>,
    /// Milliseconds in a batch.
    pub batch_ms: Option<BatchMs>,
    /// Where what is not sent yet is kept.
    pub spool: Option<SpoolChoice>,
    /// The folder.
    pub spool_dir: Option<PathBuf>,
    /// How much of it.
    pub spool_mb: Option<SpoolMb>,
    /// Le Mans Ultimate.
    pub lmu: LmuFile,
    /// F1.
    pub f1: F1File,
    /// Several rigs.
    pub rig: Vec<Spanned<RigFile>>,
}

/// `[lmu]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LmuFile {
    /// Whether it is read.
    pub enabled: Option<bool>,
    /// The mapping.
    pub path: Option<String>,
    /// Whether its REST API is asked.
    pub rest: Option<bool>,
    /// Port of it.
    pub rest_port: Option<Port>,
}

/// `[f1]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct F1File {
    /// Whether it is read.
    pub enabled: Option<bool>,
    /// UDP port.
    pub port: Option<Port>,
    /// Only this sender.
    pub sender: Option<IpAddr>,
}

/// `[[rig]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RigFile {
    /// Its name.
    pub name: RigName,
    /// The token itself.
    pub token: Option<TokenText>,
    /// Or the file that holds it.
    pub token_file: Option<PathBuf>,
    /// Its game.
    #[serde(default)]
    pub game: GameChoice,
    /// UDP port.
    pub f1_port: Option<Port>,
    /// Only this sender.
    pub f1_sender: Option<IpAddr>,
}

/// Reads the text of a settings file; `path` is for its errors.
///
/// # Errors
/// What is wrong, with its line.
pub fn parse(path: &Path, text: &str) -> Result<File, ConfigError> {
    toml::from_str(text).map_err(|error| {
        let message = error.message().trim().to_owned();
        match error.span() {
            Some(span) => ConfigError::at(path, text, span.start, message),
            None => ConfigError::new(path.display().to_string(), message),
        }
    })
}

/// A settings file in which everything is as it is without one, explained.
#[must_use]
pub fn template(server: &ServerUrl) -> String {
    format!(
        r#"# 1Lap agent. Every setting is also a flag of `onelap-agent run`; a flag counts more than this file.
# What stands behind a # is how it is when nothing is set.

# Address of the service. https, except on this machine and in private networks.
server = "{server}"

# The rig's token is beside this file, in `token`, where `onelap-agent pair` and `token` put it. It can be elsewhere:
# token_file = "token"

# Samples a second, 2 to 60.
# sample_hz = {DEFAULT_SAMPLE_HZ}
# Milliseconds of samples that are sent together, 20 to 1000.
# batch_ms = {DEFAULT_BATCH_MS}
# What is not stored by the service yet is kept on disk, so that nothing is lost when the connection, the game or this
# PC fails. "memory" keeps it only while the agent runs.
# spool = "disk"
# The folder. The user's own place for such data where this is not set.
# spool_dir = "spool"
# At most so many megabytes of it for each rig, 16 or more (an hour of driving takes about 17). Then the oldest goes.
# spool_mb = {DEFAULT_SPOOL_MB}

[lmu]
# Le Mans Ultimate. In the game: Settings > Gameplay > Enable Plugins = ON.
# enabled = true
# Where the game's memory is (Linux: a file, Windows: a name). The game's own place where this is not set.
# path = "/dev/shm/LMU_Data"
# Ask the game's REST API, for setup, car numbers and teams.
# rest = true
# rest_port = {DEFAULT_REST_PORT}

[f1]
# F1 25. In the game: Settings > Telemetry: UDP on, format 2025, this PC's address and port.
# enabled = true
# port = {DEFAULT_F1_PORT}
# Take only what this address sends.
# sender = "192.168.1.20"

# Several rigs on this PC: one entry each, with a token each (`onelap-agent pair --rig NAME`).
# [[rig]]
# name = "RIG_A"
# game = "auto"              # or "lmu", "f1"; one rig at most reads LMU
# f1_port = 20777
# f1_sender = "192.168.1.20"
"#
    )
}

#[cfg(test)]
mod tests;
