//! Where rigs' tokens come from, and which one counts: the flag, the environment, the settings file, a file of its own.
//!
//! Not here: how a token gets into its file ([`crate::token`], [`crate::pair`]).

use crate::config::place::others_may_read;
use crate::config::settings::Flags;
use crate::config::{ConfigError, TokenText};
use onelap_protocol::RigToken;
use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The variable that holds a token.
pub const TOKEN_VARIABLE: &str = "ONELAP_TOKEN";

/// Where a rig's token comes from: the first of these that there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenFrom {
    /// The flag.
    Flag,
    /// [`TOKEN_VARIABLE`].
    Environment,
    /// The settings file itself, which has this path.
    Settings(PathBuf),
    /// A file of its own, where `pair` and `token` put it.
    File(PathBuf),
}

impl TokenFrom {
    /// The flag and the variable reach us as one.
    fn given(text: &str) -> Self {
        let is_from_environment = std::env::var(TOKEN_VARIABLE).is_ok_and(|variable| variable == text);
        if is_from_environment { Self::Environment } else { Self::Flag }
    }

    /// The token from there.
    #[must_use]
    pub fn in_words(&self) -> String {
        match self {
            Self::Flag | Self::Environment => format!("the token of {self}"),
            Self::Settings(_) | Self::File(_) => format!("the token in {self}"),
        }
    }

    /// What to do where another one should count.
    #[must_use]
    pub fn to_be_without(&self) -> String {
        match self {
            Self::Flag => "leave --token out if the stored one is meant".to_owned(),
            Self::Environment => format!("remove the variable {self} if the stored one is meant"),
            Self::Settings(_) | Self::File(_) => format!("remove it from {self} if the stored one is meant"),
        }
    }
}

impl fmt::Display for TokenFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => f.write_str("--token"),
            Self::Environment => f.write_str(TOKEN_VARIABLE),
            Self::Settings(path) | Self::File(path) => path.display().fmt(f),
        }
    }
}

/// A rig's token and where it comes from, or why what is in its file is none.
#[derive(Default)]
pub(super) struct Found {
    pub(super) token: Option<RigToken>,
    pub(super) token_from: Option<TokenFrom>,
    pub(super) token_problem: Option<ConfigError>,
}

impl Found {
    fn good(token: RigToken, from: TokenFrom) -> Self {
        Self { token: Some(token), token_from: Some(from), token_problem: None }
    }
}

/// Looks for a rig's token. An empty one, as of a variable that is set to nothing, is none.
pub(super) fn token(
    flags: &Flags,
    in_settings: Option<&TokenText>,
    settings: &Path,
    token_file: &Path,
    warnings: &mut Vec<String>,
) -> Result<Found, ConfigError> {
    if let Some(text) = flags.given_token() {
        let from = TokenFrom::given(text);
        let token = RigToken::parse(text).map_err(|e| ConfigError::new(from.to_string(), e.to_string()))?;
        return Ok(Found::good(token, from));
    }
    if let Some(token) = in_settings {
        return Ok(Found::good(token.0.clone(), TokenFrom::Settings(settings.to_owned())));
    }
    let problem = |why: String| {
        let problem = ConfigError::new(token_file.display().to_string(), why);
        Ok(Found { token_problem: Some(problem), ..Found::default() })
    };
    let text = match fs::read_to_string(token_file) {
        Ok(text) => text,
        Err(e) if e.kind() == ErrorKind::NotFound && flags.token_file.is_none() => return Ok(Found::default()),
        Err(e) => return problem(format!("it cannot be read: {e}")),
    };
    if others_may_read(token_file) {
        warnings.push(may_be_read(token_file));
    }
    // Some editors of Windows begin a file with a byte order mark.
    match RigToken::parse(text.trim_start_matches('\u{feff}')) {
        Ok(token) => Ok(Found::good(token, TokenFrom::File(token_file.to_owned()))),
        Err(e) => problem(e.to_string()),
    }
}

pub(super) fn may_be_read(path: &Path) -> String {
    let path = path.display();
    format!("{path} holds a token and others on this PC may read it: run `chmod 600 {path}`")
}
