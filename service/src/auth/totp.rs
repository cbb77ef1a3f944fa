//! Codes of an authenticator app: RFC 6238 with what every app knows (SHA-1, six digits, thirty seconds).
//!
//! Pure. Invariant: a code is taken once; one step early or late is allowed for clocks that differ.

use aws_lc_rs::hmac;
use subtle::ConstantTimeEq;

/// Bytes of a seed: as long as the hash.
pub const SEED_BYTES: usize = 20;
/// Digits of a code.
pub const DIGITS: usize = 6;

const STEP_S: u64 = 30;
/// Steps that a clock may be off, each way.
const SKEW: u64 = 1;

fn code(seed: &[u8], step: u64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, seed);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let bytes = tag.as_ref();
    // RFC 4226, 5.3: the last four bits say where to read.
    let at = usize::from(bytes.last().copied().unwrap_or_default() & 0x0f);
    let four = bytes.get(at..at + 4).and_then(|part| part.try_into().ok()).map_or(0, u32::from_be_bytes);
    format!("{:06}", (four & 0x7fff_ffff) % 1_000_000)
}

/// The step of a code that is good now and was not used; `last_step` is that of the last code that was taken.
#[must_use]
pub fn check(seed: &[u8], given: &str, now_s: u64, last_step: Option<u64>) -> Option<u64> {
    let now = now_s / STEP_S;
    let mut found = None;
    for step in now.saturating_sub(SKEW)..=now + SKEW {
        let is_right: bool = code(seed, step).as_bytes().ct_eq(given.as_bytes()).into();
        if is_right && last_step.is_none_or(|last| step > last) {
            found = Some(step);
        }
    }
    found
}

/// The code of this moment, as an app shows it: for tests and tools.
#[must_use]
pub fn current(seed: &[u8], now_s: u64) -> String {
    code(seed, now_s / STEP_S)
}

/// The seed as people type it.
#[must_use]
pub fn base32(seed: &[u8]) -> String {
    data_encoding::BASE32_NOPAD.encode(seed)
}

/// What the app reads from a square code.
#[must_use]
pub fn uri(seed: &[u8], account: &str) -> String {
    let account: String = account.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~@".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
        text
    });
    let secret = base32(seed);
    format!("otpauth://totp/1Lap:{account}?secret={secret}&issuer=1Lap&algorithm=SHA1&digits={DIGITS}&period={STEP_S}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: &[u8] = b"12345678901234567890";

    #[test]
    fn the_codes_are_those_of_the_rfc() {
        // RFC 6238, appendix B: the last six of its eight digits.
        for (at, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(current(SEED, at), expected, "{at}");
        }
    }

    #[test]
    fn a_code_is_good_for_a_step_before_and_after_and_once() {
        let given = current(SEED, 3_000);
        for (now, is_good) in [(2_969, false), (2_970, true), (3_000, true), (3_059, true), (3_060, false)] {
            assert_eq!(check(SEED, &given, now, None).is_some(), is_good, "{now}");
        }
        let step = check(SEED, &given, 3_000, None).unwrap();
        assert_eq!(check(SEED, &given, 3_000, Some(step)), None, "twice");
        assert_eq!(check(SEED, &current(SEED, 2_970), 3_000, Some(step)), None, "an earlier one after it");
        assert!(check(SEED, &current(SEED, 3_030), 3_030, Some(step)).is_some());
        for wrong in ["", "28708", "2870820", "abcdef"] {
            assert_eq!(check(SEED, wrong, 59, None), None, "{wrong}");
        }
    }

    #[test]
    fn an_app_can_read_it() {
        let uri = uri(SEED, "lena+sim@exämple.org");
        assert_eq!(
            uri,
            "otpauth://totp/1Lap:lena%2Bsim@ex%C3%A4mple.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=1Lap&algorithm=SHA1&digits=6&period=30"
        );
    }
}
