//! What the operator decides: one struct per concern, read from the environment once, at the start.
//!
//! Invariants: an error names the variable and what it should be; a secret is shown by no `Debug`.
//!
//! Not here: anything that changes while the service runs.

use crate::limits::LimitsConfig;
use crate::traces::TracesConfig;
use sqlx::postgres::PgConnectOptions;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// Shortest secret that access tokens may be signed with, in bytes.
pub const MIN_JWT_SECRET: usize = 32;
/// Connections for exports and traces where nothing else is said.
pub(crate) const EXPORT_CONNECTIONS: u32 = 4;

/// Why the configuration cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable}: {problem}")]
pub struct ConfigError {
    /// The environment variable.
    pub variable: &'static str,
    /// What is wrong with it, and what it should be.
    pub problem: String,
}

pub(crate) fn wrong(variable: &'static str, problem: impl Into<String>) -> ConfigError {
    ConfigError { variable, problem: problem.into() }
}

/// Where variables come from: the environment, or a test's own table.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

pub(crate) fn optional(env: Lookup<'_>, variable: &str) -> Option<String> {
    env(variable).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

fn required(env: Lookup<'_>, variable: &'static str, what: &str) -> Result<String, ConfigError> {
    optional(env, variable).ok_or_else(|| wrong(variable, format!("is not set; it is {what}")))
}

pub(crate) fn parsed<T: FromStr>(
    env: Lookup<'_>,
    variable: &'static str,
    what: &str,
    default: T,
) -> Result<T, ConfigError> {
    match optional(env, variable) {
        None => Ok(default),
        Some(text) => text.parse().map_err(|_| wrong(variable, format!("\"{text}\" is not {what}"))),
    }
}

/// All of it.
#[derive(Debug, Clone)]
pub struct Config {
    /// Postgres.
    pub database: DatabaseConfig,
    /// Redis, where there are several instances (`REDIS_URL`).
    pub redis: Option<RedisUrl>,
    /// Listening and the public address.
    pub http: HttpConfig,
    /// Log-in.
    pub auth: AuthConfig,
    /// The web app.
    pub web: WebConfig,
    /// Letters.
    pub mail: MailConfig,
    /// Teams.
    pub teams: TeamsConfig,
    /// Traces.
    pub traces: TracesConfig,
    /// What teams, rigs and people may use.
    pub limits: LimitsConfig,
}

impl Config {
    /// Reads the environment of the process.
    ///
    /// # Errors
    /// [`ConfigError`] names the variable.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_lookup(&|name| std::env::var(name).ok())
    }

    /// Reads another table of variables.
    ///
    /// # Errors
    /// [`ConfigError`] names the variable.
    pub fn from_lookup(env: Lookup<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            database: DatabaseConfig::from_lookup(env)?,
            redis: optional(env, "REDIS_URL").map(RedisUrl::new).transpose()?,
            http: HttpConfig::from_lookup(env)?,
            auth: AuthConfig::from_lookup(env)?,
            web: WebConfig { dir: optional(env, "WEB_DIR").map(PathBuf::from) },
            mail: MailConfig::from_lookup(env)?,
            teams: TeamsConfig::from_lookup(env)?,
            traces: TracesConfig::from_lookup(env)?,
            limits: LimitsConfig::from_lookup(env)?,
        })
    }
}

/// Where Redis is; it may hold a password.
#[derive(Clone)]
pub struct RedisUrl(String);

impl RedisUrl {
    fn new(url: String) -> Result<Self, ConfigError> {
        const WHAT: &str = "the address of a Redis in a private network, redis://:password@host:port/0";
        if url.starts_with("rediss://") {
            return Err(wrong("REDIS_URL", format!("TLS to Redis is not built in; it is {WHAT}")));
        }
        // The parser's own message may quote the address, password and all.
        let is_right = url.starts_with("redis://") && redis::Client::open(url.as_str()).is_ok();
        if is_right { Ok(Self(url)) } else { Err(wrong("REDIS_URL", format!("cannot be read; it is {WHAT}"))) }
    }

    /// The whole of it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedisUrl(…)")
    }
}

/// Postgres.
#[derive(Clone)]
pub struct DatabaseConfig {
    /// Where the service works (`DATABASE_URL`).
    pub runtime: PgConnectOptions,
    /// Where it migrates (`DATABASE_OWNER_URL`, else the same).
    pub owner: PgConnectOptions,
    /// Connections for people's requests (`DATABASE_WEB_CONNECTIONS`).
    pub web_connections: u32,
    /// Connections for recording (`DATABASE_INGEST_CONNECTIONS`).
    pub ingest_connections: u32,
    /// Connections for exports and traces (`DATABASE_EXPORT_CONNECTIONS`).
    pub export_connections: u32,
    /// How long one statement of an export or a trace may take (`DATABASE_EXPORT_TIMEOUT_S`).
    pub export_timeout: Duration,
}

impl fmt::Debug for DatabaseConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatabaseConfig")
            .field("host", &self.runtime.get_host())
            .field("port", &self.runtime.get_port())
            .field("database", &self.runtime.get_database())
            .field("web_connections", &self.web_connections)
            .field("ingest_connections", &self.ingest_connections)
            .field("export_connections", &self.export_connections)
            .finish_non_exhaustive()
    }
}

impl DatabaseConfig {
    fn from_lookup(env: Lookup<'_>) -> Result<Self, ConfigError> {
        const WHAT: &str = "the address of a Postgres database, postgres://user:password@host:port/database";
        let url = required(env, "DATABASE_URL", WHAT)?;
        let owner_url = optional(env, "DATABASE_OWNER_URL");
        // The parser's own message may quote the address, password and all.
        let options = |variable, url: &str| {
            PgConnectOptions::from_str(url).map_err(|_| wrong(variable, format!("cannot be read; it is {WHAT}")))
        };
        let size = |variable, default| match parsed(env, variable, "a number of connections", default)? {
            0 => Err(wrong(variable, "0 connections are not enough")),
            size => Ok(size),
        };
        Ok(Self {
            runtime: options("DATABASE_URL", &url)?,
            owner: options("DATABASE_OWNER_URL", owner_url.as_deref().unwrap_or(&url))?,
            web_connections: size("DATABASE_WEB_CONNECTIONS", 10)?,
            ingest_connections: size("DATABASE_INGEST_CONNECTIONS", 6)?,
            export_connections: size("DATABASE_EXPORT_CONNECTIONS", EXPORT_CONNECTIONS)?,
            export_timeout: match parsed(env, "DATABASE_EXPORT_TIMEOUT_S", "a number of seconds", 20)? {
                0 => return Err(wrong("DATABASE_EXPORT_TIMEOUT_S", "0 would wait for ever; it is a number from 1")),
                seconds => Duration::from_secs(seconds),
            },
        })
    }
}

/// Listening and the public address.
#[derive(Debug, Clone)]
pub struct HttpConfig {
    /// Where to listen (`LISTEN`).
    pub listen: SocketAddr,
    /// The origin that people open in their browser (`PUBLIC_URL`): scheme, host and, where it is not the usual, port.
    pub public_origin: String,
    /// The header in which a trusted proxy tells the client's address (`CLIENT_IP_HEADER`); without it, the peer's.
    pub client_ip_header: Option<String>,
    /// How long a shutdown waits for requests that are being answered.
    pub shutdown_timeout: Duration,
}

impl HttpConfig {
    fn from_lookup(env: Lookup<'_>) -> Result<Self, ConfigError> {
        let listen = parsed(
            env,
            "LISTEN",
            "an address and port such as 0.0.0.0:8080",
            SocketAddr::from(([127, 0, 0, 1], 8080)),
        )?;
        let public = optional(env, "PUBLIC_URL").unwrap_or_else(|| format!("http://{listen}"));
        let public_origin = origin(&public).ok_or_else(|| {
            wrong("PUBLIC_URL", format!("\"{public}\" is not an address such as https://1lap.example, without a path"))
        })?;
        if !public_origin.starts_with("https://") && !is_private(&public_origin) {
            let problem = format!(
                "{public_origin} is plain http and not on a private network: passwords and telemetry would cross the \
                 internet in clear; use https (a TLS proxy in front), or the address in the private network"
            );
            return Err(wrong("PUBLIC_URL", problem));
        }
        Ok(Self {
            listen,
            public_origin,
            client_ip_header: optional(env, "CLIENT_IP_HEADER"),
            shutdown_timeout: Duration::from_secs(10),
        })
    }

    /// Cookies carry `Secure` and a prefix where people come over TLS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.public_origin.starts_with("https://")
    }
}

/// The origin as browsers write it; `None` where the text is more or less than one.
fn origin(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let host = rest.strip_suffix('/').unwrap_or(rest).to_ascii_lowercase();
    let usual = match scheme.as_str() {
        "http" => ":80",
        "https" => ":443",
        _ => return None,
    };
    let is_host = |c: char| c.is_ascii_alphanumeric() || ".-:[]_".contains(c);
    let host = host.strip_suffix(usual).unwrap_or(&host);
    (!host.is_empty() && host.chars().all(is_host)).then(|| format!("{scheme}://{host}"))
}

/// Whether an origin cannot be reached from the internet: an address or a name that means something in a private network
/// only.
fn is_private(origin: &str) -> bool {
    // Names that no public name server knows (RFC 6761, 6762, 8375), and what home routers make up.
    const ZONES: [&str; 7] = ["localhost", "local", "lan", "home.arpa", "internal", "intranet", "test"];
    let host = origin.split_once("://").map_or(origin, |(_, host)| host);
    let host = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    match host.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V4(ip)) => ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_unspecified(),
        Ok(IpAddr::V6(ip)) => {
            ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local() || ip.is_unspecified()
        }
        Err(_) => {
            let host = host.trim_end_matches('.');
            // A name without a dot, such as that of a container, is looked up in the own network.
            let zone = host.rsplit('.').next().unwrap_or_default();
            let is_number = zone.bytes().all(|b| b.is_ascii_digit()) || zone.starts_with("0x");
            let is_in = |known: &str| host == known || host.strip_suffix(known).is_some_and(|rest| rest.ends_with('.'));
            !is_number && (!host.contains('.') || ZONES.into_iter().any(is_in))
        }
    }
}

/// A secret that `Debug` does not show.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps it.
    #[must_use]
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// For the one place that needs it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Log-in.
#[derive(Debug, Clone)]
pub struct AuthConfig {
    /// Signs access tokens (`JWT_SECRET`).
    pub jwt_secret: Secret,
    /// What signed them before, for as long as it is named (`JWT_SECRET_PREVIOUS`).
    pub jwt_secret_previous: Option<Secret>,
    /// Sign-ups from one address in a row before it has to wait (`SIGNUPS_PER_ADDRESS`).
    pub signups_per_address: u32,
    /// Failed log-ins from one address in a row before it has to wait (`FAILED_LOGINS_PER_ADDRESS`).
    pub failed_logins_per_address: u32,
    /// Failed log-ins to one account in a row before it has to wait (`FAILED_LOGINS_PER_ACCOUNT`).
    pub failed_logins_per_account: u32,
    /// How long a refresh token that was used may be used again, by another tab of the same browser.
    pub refresh_grace: Duration,
}

impl AuthConfig {
    fn from_lookup(env: Lookup<'_>) -> Result<Self, ConfigError> {
        let secret = required(env, "JWT_SECRET", "at least 32 random bytes: openssl rand -hex 32")?;
        let check = |variable, secret: &str| match secret.len() {
            MIN_JWT_SECRET.. => Ok(Secret::new(secret)),
            len => Err(wrong(
                variable,
                format!("has {len} bytes; at least {MIN_JWT_SECRET} are needed: openssl rand -hex 32"),
            )),
        };
        let previous = optional(env, "JWT_SECRET_PREVIOUS");
        Ok(Self {
            jwt_secret: check("JWT_SECRET", &secret)?,
            jwt_secret_previous: previous.map(|secret| check("JWT_SECRET_PREVIOUS", &secret)).transpose()?,
            signups_per_address: parsed(env, "SIGNUPS_PER_ADDRESS", "a number", 20)?,
            failed_logins_per_address: parsed(env, "FAILED_LOGINS_PER_ADDRESS", "a number", 30)?,
            failed_logins_per_account: parsed(env, "FAILED_LOGINS_PER_ACCOUNT", "a number", 10)?,
            refresh_grace: Duration::from_secs(10),
        })
    }
}

/// Letters.
#[derive(Debug, Clone)]
pub struct MailConfig {
    /// The server that takes them (`SMTP_URL`); without one, their links are printed to the log.
    pub smtp_url: Option<Secret>,
    /// Whom they are from (`MAIL_FROM`).
    pub from: String,
    /// Whether nobody founds teams, makes tokens or invites before their address is confirmed (`REQUIRE_VERIFIED_EMAIL`).
    pub require_verified: bool,
}

impl MailConfig {
    fn from_lookup(env: Lookup<'_>) -> Result<Self, ConfigError> {
        let smtp_url = optional(env, "SMTP_URL").map(Secret::new);
        let from = match &smtp_url {
            None => optional(env, "MAIL_FROM").unwrap_or_default(),
            Some(_) => required(env, "MAIL_FROM", "whom letters are from, such as 1Lap <no-reply@1lap.example>")?,
        };
        let require_verified = parsed(env, "REQUIRE_VERIFIED_EMAIL", "true or false", smtp_url.is_some())?;
        let config = Self { smtp_url, from, require_verified };
        crate::mail::check(&config).map_err(|(variable, problem)| wrong(variable, problem))?;
        Ok(config)
    }
}

/// Teams.
#[derive(Debug, Clone)]
pub struct TeamsConfig {
    /// How long a team that was deleted can be kept after all (`TEAM_DELETION_DAYS`).
    pub deletion_wait: Duration,
    /// What the operator's token hashes to (`OPERATOR_TOKEN_SHA256`); without it, there are no operators.
    pub operator_token_sha256: Option<[u8; 32]>,
}

impl TeamsConfig {
    fn from_lookup(env: Lookup<'_>) -> Result<Self, ConfigError> {
        let days: u32 = parsed(env, "TEAM_DELETION_DAYS", "a number of days", 7)?;
        let read = |text: String| {
            let problem = "is not the SHA-256 of a token as 64 hex digits: openssl rand -hex 32 | tee token | tr -d '\\n' | sha256sum";
            unhex(&text).ok_or_else(|| wrong("OPERATOR_TOKEN_SHA256", problem))
        };
        Ok(Self {
            deletion_wait: Duration::from_secs(u64::from(days.min(365)) * 24 * 3600),
            operator_token_sha256: optional(env, "OPERATOR_TOKEN_SHA256").map(read).transpose()?,
        })
    }
}

/// The 32 bytes of 64 hex digits.
fn unhex(text: &str) -> Option<[u8; 32]> {
    let is_hex = text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let mut bytes = [0u8; 32];
    for (at, byte) in bytes.iter_mut().enumerate().filter(|_| is_hex) {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
    }
    is_hex.then_some(bytes)
}

/// The web app.
#[derive(Debug, Clone)]
pub struct WebConfig {
    /// Serve it from this folder instead of from the binary (`WEB_DIR`).
    pub dir: Option<PathBuf>,
}

/// How log lines look (`LOG_FORMAT`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl LogFormat {
    /// Reads the environment of the process.
    ///
    /// # Errors
    /// [`ConfigError`] where it is neither `text` nor `json`.
    pub fn from_env() -> Result<Self, ConfigError> {
        match std::env::var("LOG_FORMAT").ok().as_deref() {
            None | Some("" | "text") => Ok(Self::Text),
            Some("json") => Ok(Self::Json),
            Some(other) => Err(wrong("LOG_FORMAT", format!("\"{other}\" is neither text nor json"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn read(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::from_lookup(&|name| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
    }

    #[test]
    fn the_least_is_a_database_and_a_secret() {
        let config = read(&[("DATABASE_URL", "postgres://u:pw@db:5432/onelap"), ("JWT_SECRET", SECRET)]).unwrap();
        assert_eq!(config.http.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(config.http.public_origin, "http://127.0.0.1:8080");
        let shown = format!("{config:?}");
        assert!(!shown.contains(SECRET) && !shown.contains("pw"), "{shown}");
    }

    #[test]
    fn what_is_wrong_is_named_without_showing_secrets() {
        let good = ("DATABASE_URL", "postgres://u:pw@db/onelap");
        let cases: &[(&[(&str, &str)], &str)] = &[
            (&[("JWT_SECRET", SECRET)], "DATABASE_URL"),
            (&[("DATABASE_URL", "postgres://u:hunter2@db:port/x"), ("JWT_SECRET", SECRET)], "DATABASE_URL"),
            (&[good], "JWT_SECRET"),
            (&[good, ("JWT_SECRET", "hunter2")], "JWT_SECRET"),
            (&[good, ("JWT_SECRET", SECRET), ("LISTEN", "8080")], "LISTEN"),
            (&[good, ("JWT_SECRET", SECRET), ("PUBLIC_URL", "https://a.example/app")], "PUBLIC_URL"),
            (&[good, ("JWT_SECRET", SECRET), ("DATABASE_WEB_CONNECTIONS", "0")], "DATABASE_WEB_CONNECTIONS"),
            (&[good, ("JWT_SECRET", SECRET), ("PUBLIC_URL", "http://1lap.example")], "PUBLIC_URL"),
            (&[good, ("JWT_SECRET", SECRET), ("JWT_SECRET_PREVIOUS", "hunter2")], "JWT_SECRET_PREVIOUS"),
            (&[good, ("JWT_SECRET", SECRET), ("REDIS_URL", "hunter2")], "REDIS_URL"),
            (&[good, ("JWT_SECRET", SECRET), ("SMTP_URL", "smtp://u:hunter2@mail.example")], "MAIL_FROM"),
            (&[good, ("JWT_SECRET", SECRET), ("SMTP_URL", "hunter2"), ("MAIL_FROM", "a@b.example")], "SMTP_URL"),
            (
                &[good, ("JWT_SECRET", SECRET), ("SMTP_URL", "smtp://u:hunter2@m.example"), ("MAIL_FROM", "nobody")],
                "MAIL_FROM",
            ),
            (&[good, ("JWT_SECRET", SECRET), ("REQUIRE_VERIFIED_EMAIL", "maybe")], "REQUIRE_VERIFIED_EMAIL"),
            (&[good, ("JWT_SECRET", SECRET), ("OPERATOR_TOKEN_SHA256", "hunter2")], "OPERATOR_TOKEN_SHA256"),
            (&[good, ("JWT_SECRET", SECRET), ("LIMIT_TEAM_VIEWERS", "many")], "LIMIT_TEAM_VIEWERS"),
            (&[good, ("JWT_SECRET", SECRET), ("LIMIT_RIG_BYTES_PER_S", "0")], "LIMIT_RIG_BYTES_PER_S"),
            (&[good, ("JWT_SECRET", SECRET), ("DATABASE_EXPORT_TIMEOUT_S", "0")], "DATABASE_EXPORT_TIMEOUT_S"),
        ];
        for (pairs, variable) in cases {
            let error = read(pairs).unwrap_err();
            assert_eq!(error.variable, *variable);
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn plain_http_is_for_private_networks() {
        for private in [
            "http://127.0.0.1:8080",
            "http://192.168.1.20:8080",
            "http://10.0.0.1",
            "http://172.31.255.1",
            "http://169.254.7.7",
            "http://[::1]:8080",
            "http://[fd00::7]",
            "http://[fe80::7]",
            "http://localhost:8080",
            "http://pitwall.local",
            "http://pitwall.lan:80",
            "http://onelap:8080",
            "http://1lap.test",
        ] {
            assert!(is_private(private), "{private}");
        }
        for public in [
            "http://1lap.example",
            "http://172.32.0.1",
            "http://8.8.8.8",
            "http://134744072",
            "http://0x8.0x8.0x8.0x8",
            "http://[2001:4860:4860::8888]",
            "http://notlocal.example.local.com",
            "http://evillocal.com",
            "http://xlan.de",
        ] {
            assert!(!is_private(public), "{public}");
        }
    }

    #[test]
    fn a_mail_server_makes_confirmed_addresses_the_rule() {
        let base = [("DATABASE_URL", "postgres://db/onelap"), ("JWT_SECRET", SECRET)];
        assert!(!read(&base).unwrap().mail.require_verified);
        let with = |more: &[(&'static str, &'static str)]| read(&[&base[..], more].concat()).unwrap().mail;
        let smtp = [("SMTP_URL", "smtp://u:hunter2@mail.example:587"), ("MAIL_FROM", "1Lap <no-reply@1lap.example>")];
        let mail = with(&smtp);
        assert!(mail.require_verified && !format!("{mail:?}").contains("hunter2"));
        assert!(!with(&[&smtp[..], &[("REQUIRE_VERIFIED_EMAIL", "false")]].concat()).require_verified);
    }

    #[test]
    fn an_origin_is_written_as_browsers_write_it() {
        assert_eq!(origin("HTTPS://Lap.Example:443/").as_deref(), Some("https://lap.example"));
        assert_eq!(origin("http://localhost:8080").as_deref(), Some("http://localhost:8080"));
        for wrong in ["lap.example", "ftp://lap.example", "https://", "https://lap.example/x", "https://u@lap.example"]
        {
            assert_eq!(origin(wrong), None, "{wrong}");
        }
    }
}
