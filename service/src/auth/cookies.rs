//! The two cookies of a browser that is logged in.

use crate::auth::access::ACCESS_LIFE;
use crate::auth::refresh::{REFRESH_LIFE, RefreshToken};
use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};

const REFRESH_PATH: &str = "/api/auth";

/// Names and flags. Behind https the names carry the prefixes that browsers enforce.
#[derive(Debug, Clone)]
pub struct Cookies {
    access: &'static str,
    refresh: &'static str,
    secure: bool,
}

impl Cookies {
    /// For a site that people reach over TLS, or not.
    #[must_use]
    pub fn new(secure: bool) -> Self {
        let (access, refresh) = if secure {
            ("__Host-onelap_access", "__Secure-onelap_refresh")
        } else {
            ("onelap_access", "onelap_refresh")
        };
        Self { access, refresh, secure }
    }

    /// Both, for somebody who has logged in.
    #[must_use]
    pub fn set(&self, access: String, refresh: &RefreshToken) -> [Cookie<'static>; 2] {
        [
            self.set_access(access),
            self.cookie(self.refresh, refresh.reveal().to_owned(), REFRESH_PATH, REFRESH_LIFE.as_secs()),
        ]
    }

    /// The access token alone, for somebody whose log-in goes on.
    #[must_use]
    pub fn set_access(&self, access: String) -> Cookie<'static> {
        self.cookie(self.access, access, "/", ACCESS_LIFE.as_secs())
    }

    /// Both, to be forgotten.
    #[must_use]
    pub fn clear(&self) -> [Cookie<'static>; 2] {
        [self.cookie(self.access, String::new(), "/", 0), self.cookie(self.refresh, String::new(), REFRESH_PATH, 0)]
    }

    /// The access token that came along.
    #[must_use]
    pub fn access(&self, request: &HttpRequest) -> Option<String> {
        request.cookie(self.access).map(|cookie| cookie.value().to_owned())
    }

    /// The refresh token that came along.
    #[must_use]
    pub fn refresh(&self, request: &HttpRequest) -> Option<RefreshToken> {
        RefreshToken::parse(request.cookie(self.refresh)?.value())
    }

    fn cookie(&self, name: &'static str, value: String, path: &'static str, seconds: u64) -> Cookie<'static> {
        Cookie::build(name, value)
            .path(path)
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(self.secure)
            .max_age(Duration::seconds(seconds as i64))
            .finish()
    }
}
