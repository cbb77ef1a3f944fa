//! Random secrets and their hashes.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The SHA-256 of a secret: all that is kept of it. Long random secrets need no slow hash.
#[derive(Debug, Clone, Copy)]
pub struct Sha256Hash([u8; 32]);

impl Sha256Hash {
    /// For the database.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// In hexadecimal.
    #[must_use]
    pub fn hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether it is the stored one; takes the same time wherever they differ.
    #[must_use]
    pub fn is(&self, stored: &[u8]) -> bool {
        self.0.ct_eq(stored).into()
    }
}

/// Hashes a secret.
#[must_use]
pub fn sha256(secret: &[u8]) -> Sha256Hash {
    Sha256Hash(Sha256::digest(secret).into())
}

/// Random characters of an alphabet of at most 256, each as likely as any other.
///
/// # Errors
/// Where the system gives no random bytes.
pub fn random_text(alphabet: &[u8], len: usize) -> Result<String, getrandom::Error> {
    // Bytes at or above the last whole multiple would make the first characters likelier: they are drawn again.
    let fair = 256 - 256 % alphabet.len();
    let mut text = String::with_capacity(len);
    let mut bytes = [0u8; 64];
    while text.len() < len {
        getrandom::fill(&mut bytes)?;
        let fair_bytes = bytes.iter().map(|byte| usize::from(*byte)).filter(|byte| *byte < fair);
        text.extend(fair_bytes.take(len - text.len()).map(|byte| char::from(alphabet[byte % alphabet.len()])));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_text_has_its_length_and_alphabet() {
        let text = random_text(b"abc", 500).unwrap();
        assert_eq!(text.len(), 500);
        assert!(["a", "b", "c"].iter().all(|c| text.contains(c)) && text.bytes().all(|b| b"abc".contains(&b)));
        assert_ne!(text, random_text(b"abc", 500).unwrap());
    }

    #[test]
    fn a_hash_is_compared_whole() {
        let hash = sha256(b"secret");
        assert!(hash.is(sha256(b"secret").as_bytes()));
        assert!(!hash.is(sha256(b"Secret").as_bytes()));
        assert!(!hash.is(&hash.as_bytes()[..31]));
        assert!(!hash.is(b""));
    }
}
