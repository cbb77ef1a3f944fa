//! Secrets that the service has to read again (those of second factors): encrypted at rest.
//!
//! AES-256-GCM under keys that are derived from the service's secrets, bound to the person whose row it is: neither the
//! database alone nor another person's row gives a secret away. What is sealed names its key, so that a replaced secret
//! opens it for as long as it is configured.
//!
//! Not here: secrets that only need to be recognised; those are kept as hashes.

use crate::auth::access::key_id;
use crate::config::Secret;
use crate::error::ApiError;
use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use onelap_protocol::UserId;
use std::fmt;

/// Name of the key, in hex.
const KID: usize = 8;
const SALT: &[u8] = b"onelap";
const PURPOSE: &[u8] = b"secrets at rest";

struct Length;

impl KeyType for Length {
    fn len(&self) -> usize {
        32
    }
}

/// The keys, the current one first.
pub struct Seals(Vec<(String, RandomizedNonceKey)>);

impl fmt::Debug for Seals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(kid, _)| kid)).finish()
    }
}

fn derive(secret: &Secret) -> Option<RandomizedNonceKey> {
    let mut key = [0u8; 32];
    let extracted = Salt::new(HKDF_SHA256, SALT).extract(secret.reveal().as_bytes());
    extracted.expand(&[PURPOSE], Length).ok()?.fill(&mut key).ok()?;
    RandomizedNonceKey::new(&AES_256_GCM, &key).ok()
}

impl Seals {
    /// Keys of the secrets.
    #[must_use]
    pub fn new(secret: &Secret, previous: Option<&Secret>) -> Self {
        let secrets = std::iter::once(secret).chain(previous);
        Self(secrets.filter_map(|secret| Some((key_id(secret), derive(secret)?))).collect())
    }

    /// Encrypts a person's secret.
    ///
    /// # Errors
    /// Where encryption fails: a fault of the service.
    pub fn seal(&self, user: UserId, secret: &[u8]) -> Result<Vec<u8>, ApiError> {
        let failed = || ApiError::internal("a secret could not be encrypted");
        let (kid, key) = self.0.first().ok_or_else(failed)?;
        let mut text = secret.to_vec();
        let nonce = key.seal_in_place_append_tag(Aad::from(user.0.as_bytes()), &mut text).map_err(|_| failed())?;
        Ok([kid.as_bytes(), nonce.as_ref(), &text].concat())
    }

    /// Decrypts it; `None` where it was sealed under a secret that is no longer configured, or for somebody else.
    #[must_use]
    pub fn open(&self, user: UserId, sealed: &[u8]) -> Option<Vec<u8>> {
        let (kid, rest) = sealed.split_at_checked(KID)?;
        let (nonce, text) = rest.split_at_checked(NONCE_LEN)?;
        let (_, key) = self.0.iter().find(|(id, _)| id.as_bytes() == kid)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = text.to_vec();
        Some(key.open_in_place(nonce, Aad::from(user.0.as_bytes()), &mut text).ok()?.to_vec())
    }

    /// Name of the current key: what is sealed under it begins with this.
    #[must_use]
    pub fn current(&self) -> &[u8] {
        self.0.first().map_or(&[], |(kid, _)| kid.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seals(secret: &str, previous: Option<&str>) -> Seals {
        Seals::new(&Secret::new(secret), previous.map(Secret::new).as_ref())
    }

    #[test]
    fn a_secret_is_opened_for_its_person_under_its_key() {
        let user = UserId::new();
        let sealed = seals("one", None).seal(user, b"twenty bytes of seed").unwrap();
        assert!(!sealed.windows(6).any(|part| part == b"twenty"));
        assert_eq!(seals("one", None).open(user, &sealed).unwrap(), b"twenty bytes of seed");
        assert!(seals("one", None).open(UserId::new(), &sealed).is_none(), "moved to another row");
        assert!(seals("two", None).open(user, &sealed).is_none());
        let rotated = seals("two", Some("one"));
        assert!(rotated.open(user, &sealed).is_some() && !sealed.starts_with(rotated.current()));
        assert!(rotated.seal(user, b"x").unwrap().starts_with(rotated.current()));
    }

    #[test]
    fn what_was_changed_is_not_opened() {
        let (user, seals) = (UserId::new(), seals("one", None));
        let sealed = seals.seal(user, b"seed").unwrap();
        assert_ne!(sealed, seals.seal(user, b"seed").unwrap(), "a nonce of its own each time");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(seals.open(user, &changed).is_none(), "byte {at}");
            assert!(seals.open(user, &sealed[..at]).is_none(), "cut at {at}");
        }
    }
}
