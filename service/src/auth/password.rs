//! Passwords: the rule, and argon2id on a few threads of its own.

use crate::accounts::Email;
use crate::auth::random_text;
use crate::error::ApiError;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Fewest characters of a password.
const MIN_CHARS: usize = 10;
/// Most bytes: beyond it, hashing would be work for nothing.
const MAX_BYTES: usize = 512;

/// OWASP's floor for argon2id.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// How long a log-in waits for its turn, and how many do.
const QUEUE: usize = 256;
const WAIT: Duration = Duration::from_secs(5);

/// The commonest of those that are long enough (lower case).
const COMMON: &[&str] = &[
    "0123456789",
    "0987654321",
    "1111111111",
    "1122334455",
    "123123123123",
    "1234512345",
    "123456789a",
    "12345678910",
    "1234567890",
    "123456789012",
    "1234567891",
    "1q2w3e4r5t",
    "1q2w3e4r5t6y",
    "1qaz2wsx3edc",
    "9876543210",
    "abc123456789",
    "abcdefghij",
    "abcdefghijk",
    "administrator",
    "assetto corsa",
    "assettocorsa",
    "basketball",
    "changeme123",
    "contraseña",
    "formula1formula1",
    "hello12345",
    "iloveyou12",
    "iloveyou123",
    "letmein123",
    "letmein1234",
    "motdepasse",
    "passw0rd12",
    "passw0rd123",
    "password01",
    "password10",
    "password11",
    "password12",
    "password123",
    "password1234",
    "password12345",
    "password!1",
    "passwordpassword",
    "passwort12",
    "passwort123",
    "q1w2e3r4t5",
    "q1w2e3r4t5y6",
    "qazwsxedcr",
    "qwer123456",
    "qwerty1234",
    "qwerty12345",
    "qwerty123456",
    "qwertyqwerty",
    "qwertyuiop",
    "qwertzuiop",
    "simracing1",
    "simracing123",
    "superman123",
    "welcome123",
    "welcome1234",
    "zaq12wsxcde3",
];

/// A password that the rule allows. Shown by no `Debug`.
#[derive(Clone)]
pub struct Password(String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

impl Password {
    /// Checks a new password against the rule.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] says what the rule is.
    pub fn parse(text: &str, email: &Email) -> Result<Self, ApiError> {
        let refuse = |message: String| Err(ApiError::invalid("password", message));
        if text.chars().count() < MIN_CHARS {
            return refuse(format!("a password needs at least {MIN_CHARS} characters"));
        }
        if text.len() > MAX_BYTES {
            return refuse(format!("a password has at most {MAX_BYTES} bytes"));
        }
        let lower = text.to_lowercase();
        if lower == email.as_str().to_lowercase() {
            return refuse("a password must not be the e-mail address".to_owned());
        }
        let is_one_character = text.chars().all(|c| text.starts_with(c));
        if is_one_character || COMMON.contains(&lower.as_str()) {
            return refuse("this password is among the first that anybody would try: choose another".to_owned());
        }
        Ok(Self(text.to_owned()))
    }
}

/// Hashes and checks passwords, a few at a time: each takes 19 MiB and a core for a while. They have threads of their own,
/// so that the memory of each is that of the next; half of the cores are left to everything else.
#[derive(Debug)]
pub struct Passwords {
    jobs: mpsc::Sender<Job>,
    done: Arc<AtomicU64>,
    /// What an unknown account's password is checked against, so that it takes as long as a known one's.
    nobody: String,
}

type Job = Box<dyn FnOnce() + Send>;

impl Passwords {
    /// Ready to hash.
    ///
    /// # Errors
    /// Where the system gives no random bytes.
    pub fn new() -> Result<Self, getrandom::Error> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let nobody = hash(&random_text(b"0123456789abcdef", 32)?).unwrap_or_default();
        let (jobs, queue) = mpsc::channel(QUEUE);
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..cores.div_ceil(2) {
            let queue = Arc::clone(&queue);
            std::thread::spawn(move || work(&queue));
        }
        Ok(Self { jobs, done: Arc::default(), nobody })
    }

    /// How many were hashed or checked until now: the work that somebody who measures times could see.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// Hashes a password for keeping.
    ///
    /// # Errors
    /// [`ApiError::Busy`] where too many wait.
    pub async fn hash(&self, password: Password) -> Result<String, ApiError> {
        let hashed = self.on_thread(move || hash(&password.0)).await?;
        hashed.ok_or_else(|| ApiError::internal("argon2 refused its parameters"))
    }

    /// Whether a password is the one that was kept; `kept` is `None` for an unknown account.
    ///
    /// # Errors
    /// [`ApiError::Busy`] where too many wait.
    pub async fn is_right(&self, password: String, kept: Option<String>) -> Result<bool, ApiError> {
        if password.len() > MAX_BYTES {
            return Ok(false);
        }
        let is_known = kept.is_some();
        let kept = kept.unwrap_or_else(|| self.nobody.clone());
        self.on_thread(move || {
            let Ok(parsed) = PasswordHash::new(&kept) else { return false };
            argon2().verify_password(password.as_bytes(), &parsed).is_ok() && is_known
        })
        .await
    }

    /// Waits for its turn, and for the result.
    async fn on_thread<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
        const BUSY: ApiError = ApiError::Busy("too many log-ins at once: try again");
        let (reply, result) = oneshot::channel();
        let done = Arc::clone(&self.done);
        let job: Job = Box::new(move || {
            // Whoever asked may have given up waiting.
            if !reply.is_closed() {
                done.fetch_add(1, Ordering::Relaxed);
                let _ = reply.send(work());
            }
        });
        self.jobs.try_send(job).map_err(|_| BUSY)?;
        tokio::time::timeout(WAIT, result)
            .await
            .map_err(|_| BUSY)?
            .map_err(|_| ApiError::internal("hashing a password failed"))
    }
}

/// Does one job after the other, until there are no more to come.
fn work(queue: &Mutex<mpsc::Receiver<Job>>) {
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
        let Some(job) = job else { return };
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(job)).is_err() {
            tracing::error!("hashing a password panicked");
        }
    }
}

fn argon2() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(MEMORY_KIB, PASSES, LANES, None).unwrap_or_default())
}

fn hash(password: &str) -> Option<String> {
    argon2().hash_password(password.as_bytes()).ok().map(|hash| hash.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Password, ApiError> {
        Password::parse(text, &Email::parse("lena.hartmann@example.com").unwrap())
    }

    #[test]
    fn the_rule_is_said_when_it_is_broken() {
        assert!(parse("nine char").unwrap_err().to_string().contains("at least 10 characters"));
        assert!(parse("Lena.Hartmann@example.com").unwrap_err().to_string().contains("e-mail"));
        assert!(parse("Password123").unwrap_err().to_string().contains("first"));
        assert!(parse("zzzzzzzzzzzzzz").unwrap_err().to_string().contains("first"));
        assert!(parse(&"long ".repeat(200)).unwrap_err().to_string().contains("at most"));
        assert!(parse("öäüöäüöäüö").is_ok(), "characters are counted, not bytes");
        assert!(parse("correct horse").is_ok());
    }

    #[test]
    fn the_common_ones_are_long_enough_to_matter() {
        for common in COMMON {
            assert!(common.chars().count() >= MIN_CHARS && *common == common.to_lowercase(), "{common}");
        }
    }

    #[actix_web::test]
    async fn a_password_is_checked_against_its_hash() {
        let passwords = Passwords::new().unwrap();
        let kept = passwords.hash(parse("correct horse").unwrap()).await.unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert!(passwords.is_right("correct horse".into(), Some(kept.clone())).await.unwrap());
        assert!(!passwords.is_right("correct horsf".into(), Some(kept)).await.unwrap());
        assert!(!passwords.is_right("correct horse".into(), None).await.unwrap());
        assert!(PasswordHash::new(&passwords.nobody).is_ok(), "an unknown account costs a real check");
    }
}
