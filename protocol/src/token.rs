//! The text of a rig's token: what the website shows once, the driver pastes, and the agent sends.
//!
//! ```text
//! 1lap_rig_{public}_{secret}{crc}
//! public   12 of [0-9a-z]       finds the token's row; may be shown and logged
//! secret   40 of [0-9A-Za-z]    238 bits; kept only as its SHA-256
//! crc       6 of [0-9A-Za-z]    CRC-32 (IEEE) of everything before it, base 62, most significant digit first
//! ```
//!
//! The check sum tells a typo from a token that is not valid, without asking the service, and lets secret scanners find
//! tokens. Invariant: neither `Debug` nor an error shows the secret.
//!
//! Not here: making random parts, hashing, storing.

use std::fmt;

/// What every rig token begins with.
pub const TOKEN_PREFIX: &str = "1lap_rig_";
/// Characters of the public part.
pub const TOKEN_PUBLIC_LEN: usize = 12;
/// Characters of the secret.
pub const TOKEN_SECRET_LEN: usize = 40;
/// The characters of a public part.
pub const TOKEN_PUBLIC_ALPHABET: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
/// The characters of a secret and of the check sum, in the order of their value.
pub const TOKEN_SECRET_ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

const CRC_LEN: usize = 6;
const PUBLIC_END: usize = TOKEN_PREFIX.len() + TOKEN_PUBLIC_LEN;
const SECRET_START: usize = PUBLIC_END + 1;
const SECRET_END: usize = SECRET_START + TOKEN_SECRET_LEN;
/// Characters of a whole token.
pub const TOKEN_LEN: usize = SECRET_END + CRC_LEN;

/// Why a text is not a rig token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It does not look like one at all.
    #[error("this is not a rig token: one begins with \"1lap_rig_\" and has {TOKEN_LEN} characters")]
    Shape,
    /// It looks like one, but its check sum is wrong: a character was changed or two were swapped.
    #[error("the rig token is misspelt: copy it again, whole")]
    Mistyped,
}

/// A rig token whose shape and check sum are right.
#[derive(Clone, PartialEq, Eq)]
pub struct RigToken(String);

impl RigToken {
    /// Reads a token. Space around it is ignored.
    ///
    /// # Errors
    /// [`TokenError`] tells a misspelt token from something else.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        let text = text.trim();
        if text.len() != TOKEN_LEN || !text.is_ascii() || !text.starts_with(TOKEN_PREFIX) {
            return Err(TokenError::Shape);
        }
        let token = Self(text.to_owned());
        if text.as_bytes()[PUBLIC_END] != b'_' || !parts_are_right(token.public(), &text[SECRET_START..]) {
            return Err(TokenError::Shape);
        }
        if text[SECRET_END..] == check_sum(&text[..SECRET_END]) { Ok(token) } else { Err(TokenError::Mistyped) }
    }

    /// The token of a public part and a secret.
    ///
    /// # Errors
    /// [`TokenError::Shape`] where a part has another length or another character than the grammar allows.
    pub fn assemble(public: &str, secret: &str) -> Result<Self, TokenError> {
        let lengths_are_right = public.len() == TOKEN_PUBLIC_LEN && secret.len() == TOKEN_SECRET_LEN;
        if !lengths_are_right || !parts_are_right(public, secret) {
            return Err(TokenError::Shape);
        }
        let mut text = format!("{TOKEN_PREFIX}{public}_{secret}");
        text.push_str(&check_sum(&text));
        Ok(Self(text))
    }

    /// The part that may be shown and logged.
    #[must_use]
    pub fn public(&self) -> &str {
        &self.0[TOKEN_PREFIX.len()..PUBLIC_END]
    }

    /// The secret, without the check sum.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.0[SECRET_START..SECRET_END]
    }

    /// The whole token, secret included: for the `Authorization` header and the token's own file, nowhere else.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RigToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RigToken({TOKEN_PREFIX}{}_…)", self.public())
    }
}

fn parts_are_right(public: &str, secret: &str) -> bool {
    public.bytes().all(|b| TOKEN_PUBLIC_ALPHABET.contains(&b))
        && secret.bytes().all(|b| TOKEN_SECRET_ALPHABET.contains(&b))
}

/// The six characters that follow a text in a token: its CRC-32 in base 62.
#[must_use]
pub fn check_sum(text: &str) -> String {
    let mut rest = crc32(text.as_bytes());
    let mut digits = [b'0'; CRC_LEN];
    for digit in digits.iter_mut().rev() {
        *digit = TOKEN_SECRET_ALPHABET[(rest % 62) as usize];
        rest /= 62;
    }
    digits.iter().map(|digit| char::from(*digit)).collect()
}

/// CRC-32 (IEEE 802.3), bit by bit: 62 bytes once per connection need no table.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PUBLIC: &str = "0a1b2c3d4e5f";
    const SECRET: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJ0123";

    #[test]
    fn the_check_sum_is_crc32() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn a_token_reads_back_and_hides_its_secret() {
        let token = RigToken::assemble(PUBLIC, SECRET).unwrap();
        assert_eq!(token.reveal().len(), TOKEN_LEN);
        let read = RigToken::parse(&format!("  {}\n", token.reveal())).unwrap();
        assert_eq!((read.public(), read.secret()), (PUBLIC, SECRET));
        assert!(!format!("{read:?}").contains(SECRET));
    }

    #[test]
    fn the_text_of_a_token_does_not_change() {
        // Tokens are in drivers' files: this grammar is for ever.
        let text = RigToken::assemble(PUBLIC, SECRET).unwrap();
        assert_eq!(text.reveal(), "1lap_rig_0a1b2c3d4e5f_abcdefghijklmnopqrstuvwxyzABCDEFGHIJ01232a2lMV");
    }

    #[test]
    fn what_does_not_look_like_a_token_is_not_called_misspelt() {
        let token = RigToken::assemble(PUBLIC, SECRET).unwrap();
        let token = token.reveal();
        for text in ["", "1lap_rig_", "hello", &token[1..], &token[..token.len() - 1], &token.replace("rig", "car")] {
            assert_eq!(RigToken::parse(text), Err(TokenError::Shape), "{text}");
        }
        assert_eq!(RigToken::parse(&token.replace('j', "ü")), Err(TokenError::Shape));
        assert_eq!(RigToken::assemble("SHOUTING1234", SECRET), Err(TokenError::Shape));
        assert_eq!(RigToken::assemble(PUBLIC, "short"), Err(TokenError::Shape));
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_without_panic(text in ".{0,80}") {
            let _ = RigToken::parse(&text);
        }

        #[test]
        fn a_changed_character_is_found(at in SECRET_START..TOKEN_LEN, to in 0usize..62) {
            let token = RigToken::assemble(PUBLIC, SECRET).unwrap();
            let mut bytes = token.reveal().as_bytes().to_vec();
            let to = TOKEN_SECRET_ALPHABET[to];
            prop_assume!(bytes[at] != to);
            bytes[at] = to;
            let text = String::from_utf8(bytes).unwrap();
            prop_assert_eq!(RigToken::parse(&text), Err(TokenError::Mistyped));
        }
    }
}
