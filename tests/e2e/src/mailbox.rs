//! A mail server on the loopback: speaks SMTP, keeps what it is sent, and can be told to fail.

use crate::sockets::PATIENCE;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// A letter as it arrived.
#[derive(Debug, Clone)]
pub struct Letter {
    /// From the envelope.
    pub from: String,
    /// From the envelope.
    pub to: String,
    /// Headers and body, as they came over the wire.
    pub raw: String,
    /// The body, decoded.
    pub text: String,
}

impl Letter {
    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.raw.lines().take_while(|line| !line.is_empty()).find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    /// The link: path, and the secret behind the `#`.
    ///
    /// # Panics
    /// Where there is none.
    #[must_use]
    pub fn link(&self) -> (String, String) {
        let line = self.text.lines().find(|line| line.starts_with("http")).unwrap_or_else(|| panic!("{self:?}"));
        let (page, secret) = line.split_once('#').unwrap_or_else(|| panic!("no secret in {line}"));
        let path = page.splitn(4, '/').nth(3).unwrap_or_default();
        (format!("/{path}"), secret.to_owned())
    }

    /// The secret of the link.
    #[must_use]
    pub fn secret(&self) -> String {
        self.link().1
    }
}

#[derive(Default)]
struct Inner {
    letters: Mutex<Vec<Letter>>,
    arrived: Notify,
    /// How many letters to refuse with "try again later".
    refuse: AtomicU32,
}

/// The server and what it was sent.
pub struct Mailbox {
    address: SocketAddr,
    inner: Arc<Inner>,
    stop: CancellationToken,
}

impl Mailbox {
    /// Starts one on a free port.
    #[must_use]
    pub fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("a listener");
        let address = listener.local_addr().expect("an address");
        let (inner, stop) = (Arc::<Inner>::default(), CancellationToken::new());
        let (shared, stopped) = (inner.clone(), stop.clone());
        // A thread of its own: it answers while a test waits for a service to stop.
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(stopped.run_until_cancelled_owned(async move {
                let listener = TcpListener::from_std(listener).expect("a listener");
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(serve(stream, shared.clone()));
                }
            }));
        });
        Self { address, inner, stop }
    }

    /// The settings of a service that sends here.
    #[must_use]
    pub fn settings(&self) -> [(String, String); 2] {
        [
            ("SMTP_URL".to_owned(), format!("smtp://{}", self.address)),
            ("MAIL_FROM".to_owned(), "1Lap <no-reply@1lap.test>".to_owned()),
        ]
    }

    /// Refuses so many letters for now.
    pub fn refuse(&self, letters: u32) {
        self.inner.refuse.store(letters, Ordering::SeqCst);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Letter>> {
        self.inner.letters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All that came until now and was not taken.
    #[must_use]
    pub fn all(&self) -> Vec<Letter> {
        self.lock().clone()
    }

    /// Takes the next letter to this address whose subject has this text; waits for it.
    ///
    /// # Panics
    /// Where none comes in time.
    pub async fn take(&self, to: &str, subject: &str) -> Letter {
        let is_it = |letter: &Letter| {
            letter.to.eq_ignore_ascii_case(to) && letter.header("subject").is_some_and(|s| s.contains(subject))
        };
        let wait = async {
            loop {
                let arrived = self.inner.arrived.notified();
                {
                    let mut letters = self.lock();
                    if let Some(at) = letters.iter().position(is_it) {
                        return letters.remove(at);
                    }
                }
                arrived.await;
            }
        };
        tokio::time::timeout(PATIENCE, wait)
            .await
            .unwrap_or_else(|_| panic!("no letter \"{subject}\" to {to} among {:?}", self.all()))
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn between(line: &str) -> String {
    line.split(['<', '>']).nth(1).unwrap_or_default().to_owned()
}

async fn serve(stream: TcpStream, inner: Arc<Inner>) {
    let mut lines = BufReader::new(stream);
    let mut line = String::new();
    let (mut from, mut to) = (String::new(), String::new());
    macro_rules! say {
        ($text:expr) => {
            if lines.write_all($text.as_bytes()).await.is_err() {
                return;
            }
        };
    }
    say!("220 mail.test ESMTP\r\n");
    loop {
        line.clear();
        match lines.read_line(&mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        match verb.as_str() {
            "EHLO" => say!("250-mail.test\r\n250 8BITMIME\r\n"),
            "MAIL" => {
                from = between(&line);
                let refused =
                    inner.refuse.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
                say!(if refused { "451 try again later\r\n" } else { "250 ok\r\n" });
            }
            "RCPT" => {
                to = between(&line);
                say!("250 ok\r\n");
            }
            "DATA" => {
                say!("354 go on\r\n");
                let Some(raw) = data(&mut lines).await else { return };
                let text = decode(&raw);
                let letter = Letter { from: from.clone(), to: to.clone(), raw, text };
                inner.letters.lock().unwrap_or_else(PoisonError::into_inner).push(letter);
                inner.arrived.notify_waiters();
                say!("250 taken\r\n");
            }
            "RSET" | "NOOP" => say!("250 ok\r\n"),
            "QUIT" => {
                say!("221 bye\r\n");
                return;
            }
            _ => say!("502 not known\r\n"),
        }
    }
}

async fn data(lines: &mut BufReader<TcpStream>) -> Option<String> {
    let mut raw = String::new();
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        if line == ".\r\n" {
            return Some(raw);
        }
        raw.push_str(line.strip_prefix('.').unwrap_or(&line).trim_end_matches("\r\n"));
        raw.push('\n');
    }
}

/// The body; quoted-printable is taken apart.
fn decode(raw: &str) -> String {
    let Some((head, body)) = raw.split_once("\n\n") else { return raw.to_owned() };
    if !head.to_ascii_lowercase().contains("quoted-printable") {
        return body.to_owned();
    }
    let joined = body.replace("=\n", "");
    let mut bytes = Vec::with_capacity(joined.len());
    let mut rest = joined.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let hex = (*byte == b'=').then(|| after.get(..2)).flatten();
        let decoded =
            hex.and_then(|hex| std::str::from_utf8(hex).ok()).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        bytes.push(decoded.unwrap_or(*byte));
        rest = if decoded.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
