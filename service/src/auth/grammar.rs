//! What secrets and codes look like: pure, without the rest of the service, so that it can be fuzzed alone.
//!
//! Invariant: no text of any length makes these panic, and whatever passes is written in one way only.

use onelap_protocol::token::{
    TOKEN_PUBLIC_ALPHABET, TOKEN_PUBLIC_LEN, TOKEN_SECRET_ALPHABET, TOKEN_SECRET_LEN, check_sum,
};

/// Characters of a check sum.
const CRC_LEN: usize = 6;
/// What every API key begins with.
pub(crate) const KEY_PREFIX: &str = "1lap_key_";
/// Characters of a pairing code: none that looks like another, none that makes words (RFC 8628, 6.1).
pub(crate) const CODE_ALPHABET: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// How many of them a code has.
pub(crate) const CODE_LEN: usize = 8;

fn is_of(part: &str, alphabet: &[u8], len: usize) -> bool {
    part.len() == len && part.bytes().all(|b| alphabet.contains(&b))
}

/// Whether the last characters are the check sum of those before; for ASCII that is long enough.
fn sums_up(text: &str) -> bool {
    let (rest, sum) = text.split_at(text.len() - CRC_LEN);
    sum == check_sum(rest)
}

/// `{prefix}{40 characters}{check sum}`, space around it aside.
pub(crate) fn link_secret<'a>(prefix: &str, text: &'a str) -> Option<&'a str> {
    let text = text.trim();
    let rest = text.strip_prefix(prefix)?;
    (is_of(rest, TOKEN_SECRET_ALPHABET, TOKEN_SECRET_LEN + CRC_LEN) && sums_up(text)).then_some(text)
}

/// Public part and secret of `1lap_key_{public}_{secret}{check sum}`.
pub(crate) fn api_key(text: &str) -> Option<(&str, &str)> {
    let (public, rest) = text.strip_prefix(KEY_PREFIX)?.split_once('_')?;
    let has_shape = is_of(public, TOKEN_PUBLIC_ALPHABET, TOKEN_PUBLIC_LEN)
        && is_of(rest, TOKEN_SECRET_ALPHABET, TOKEN_SECRET_LEN + CRC_LEN);
    (has_shape && sums_up(text)).then(|| (public, &rest[..TOKEN_SECRET_LEN]))
}

/// A pairing code, in any case, with or without what stands between.
pub(crate) fn user_code(text: &str) -> Option<String> {
    let letters = text.chars().filter(|c| !c.is_whitespace() && *c != '-');
    // One more than a code has tells a longer text apart, however long it is.
    let code: String = letters.take(CODE_LEN + 1).map(|c| c.to_ascii_uppercase()).collect();
    is_of(&code, CODE_ALPHABET, CODE_LEN).then_some(code)
}
