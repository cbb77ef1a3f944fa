//! Where a log-in comes from, in words that its person recognises: browser and system, and the network.
//!
//! Invariant: neither the whole address nor the browser's own words are kept.

use crate::auth::client_address;
use crate::config::HttpConfig;
use actix_web::HttpRequest;
use actix_web::http::header;
use std::net::IpAddr;

/// Where a log-in comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visitor {
    /// "Firefox on Windows".
    pub device: String,
    /// "203.0.113.…".
    pub network: String,
}

impl Visitor {
    /// Of a request.
    #[must_use]
    pub fn of(request: &HttpRequest, config: &HttpConfig) -> Self {
        let agent = request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        Self { device: in_words(agent), network: client_address(request, config).map(network).unwrap_or_default() }
    }
}

/// Names that browsers give themselves, the special before what they also claim to be.
const BROWSERS: &[(&str, &str)] = &[
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("onelap-agent", "1Lap agent"),
    ("curl/", "curl"),
];

const SYSTEMS: &[(&str, &str)] = &[
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
];

fn in_words(agent: &str) -> String {
    let named =
        |names: &[(&str, &'static str)]| names.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name);
    match (named(BROWSERS), named(SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        (None, Some(system)) => format!("a browser on {system}"),
        (None, None) => "an unknown browser".to_owned(),
    }
}

/// An address without its last part.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            format!("{a}.{b}.{c}.…")
        }
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:…")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_told_in_words() {
        for (agent, words) in [
            ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Windows"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            (
                "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36",
                "Chrome on Android",
            ),
            ("curl/8.0", "curl"),
            ("<script>", "an unknown browser"),
        ] {
            assert_eq!(in_words(agent), words);
        }
    }

    #[test]
    fn an_address_loses_its_last_part() {
        assert_eq!(network("203.0.113.7".parse().unwrap()), "203.0.113.…");
        assert_eq!(network("::ffff:203.0.113.7".parse().unwrap()), "203.0.113.…");
        assert_eq!(network("2001:db8:1:2::3".parse().unwrap()), "2001:db8:1:…");
    }
}
