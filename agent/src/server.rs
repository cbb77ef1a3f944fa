//! Where the service is. Parsed once; a token never goes to a public address without TLS.

use serde::Deserialize;
use std::fmt;
use std::net::IpAddr;
use tokio_tungstenite::tungstenite::http::Uri;

/// The service's address: `https://`, or `http://` on this machine and in private networks.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ServerUrl {
    tls: bool,
    /// Host, port and path prefix, without a slash at the end.
    rest: String,
}

impl ServerUrl {
    /// Reads an address.
    ///
    /// # Errors
    /// What is wrong with it and what would be right, for people.
    pub fn parse(text: &str) -> Result<Self, String> {
        let example = "for example https://1lap.example.com";
        let uri: Uri = text.trim().parse().map_err(|e| format!("{text:?} is not an address ({e}): {example}"))?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(format!("{text:?} is not a whole address: {example}"));
        };
        if authority.as_str().contains('@') || uri.query().is_some() {
            return Err(format!("{text:?} holds more than host, port and path: {example}"));
        }
        let tls = match scheme {
            "https" | "wss" => true,
            "http" | "ws" if is_private(uri.host().unwrap_or_default()) => false,
            "http" | "ws" => {
                return Err(format!(
                    "{text:?} would send the token unencrypted: use https://; http:// is for this machine and for \
                     private addresses such as 192.168.1.10"
                ));
            }
            other => return Err(format!("{other:?} is not http or https: {example}")),
        };
        Ok(Self { tls, rest: format!("{authority}{}", uri.path().trim_end_matches('/')) })
    }

    /// The address of a path of the HTTP API.
    #[must_use]
    pub fn http(&self, path: &str) -> String {
        format!("{}://{}{path}", if self.tls { "https" } else { "http" }, self.rest)
    }

    /// The address of a path for WebSocket.
    #[must_use]
    pub fn ws(&self, path: &str) -> String {
        format!("{}://{}{path}", if self.tls { "wss" } else { "ws" }, self.rest)
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.http(""))
    }
}

impl TryFrom<String> for ServerUrl {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

impl std::str::FromStr for ServerUrl {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::parse(text)
    }
}

fn is_private(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(v4)) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        Ok(IpAddr::V6(v6)) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_appended() {
        let server = ServerUrl::parse("https://onelap.example/").unwrap();
        assert_eq!(server.ws("/api/agent/ws"), "wss://onelap.example/api/agent/ws");
        let server = ServerUrl::parse("http://127.0.0.1:8080/prefix/").unwrap();
        assert_eq!(server.http("/api"), "http://127.0.0.1:8080/prefix/api");
        assert_eq!(server.to_string(), "http://127.0.0.1:8080/prefix");
    }

    #[test]
    fn a_token_is_not_sent_unencrypted_to_the_world() {
        for private in ["http://localhost:8080", "http://[::1]:80", "http://192.168.1.10", "http://10.0.0.1:3000"] {
            assert!(ServerUrl::parse(private).is_ok(), "{private}");
        }
        for public in ["http://onelap.example", "http://8.8.8.8", "ws://example.com", "http://localhost.example.com"] {
            assert!(ServerUrl::parse(public).unwrap_err().contains("https"), "{public}");
        }
    }

    #[test]
    fn what_is_not_an_address_is_named() {
        for wrong in ["", "onelap.example", "ftp://onelap.example", "https://user@onelap.example", "https://x/?token=1"]
        {
            assert!(ServerUrl::parse(wrong).unwrap_err().contains("https://"), "{wrong}");
        }
    }
}
