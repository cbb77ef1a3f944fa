//! The difference between two images of the same size: runs of changed words, as (words to skip, words that changed,
//! their bytes XOR the bytes before, plane by plane).
//!
//! Planes: the n-th bytes of all words of a run stand together. High bytes of numbers that moved a little are then runs of
//! zeros, which compress to nothing.

use crate::recording::{put_varint, take, take_varint};

const WORD: usize = 8;

/// Words that are compared at once before they are looked at one by one; most of an image does not change.
const BLOCK: usize = 256;

/// Appends the difference from `before` to `after`, which are of the same size.
pub(super) fn put(out: &mut Vec<u8>, before: &[u8], after: &[u8]) {
    let count = after.len().div_ceil(WORD);
    let changed = |i: usize| word(before, i) != word(after, i);
    let (mut at, mut done) = (0, 0);
    while at < count {
        if at % BLOCK == 0 && block(before, at) == block(after, at) {
            at += BLOCK;
            continue;
        }
        if !changed(at) {
            at += 1;
            continue;
        }
        let start = at;
        // One unchanged word inside a run costs less than another run.
        while at < count && (changed(at) || (at + 1 < count && changed(at + 1))) {
            at += 1;
        }
        put_varint(out, (start - done) as u64);
        put_varint(out, (at - start) as u64);
        for plane in 0..WORD {
            out.extend((start..at).map(|i| word(before, i)[plane] ^ word(after, i)[plane]));
        }
        done = at;
    }
}

/// A word of an image; the last is filled up with zeros.
fn word(image: &[u8], index: usize) -> [u8; WORD] {
    let rest = image.get(index * WORD..).unwrap_or_default();
    rest.first_chunk().copied().unwrap_or_else(|| {
        let mut word = [0; WORD];
        word[..rest.len()].copy_from_slice(rest);
        word
    })
}

fn block(image: &[u8], index: usize) -> &[u8] {
    let from = (index * WORD).min(image.len());
    &image[from..image.len().min(from + BLOCK * WORD)]
}

/// Applies a difference to an image, or says that it does not fit.
pub(super) fn apply(image: &mut [u8], mut delta: &[u8]) -> Option<()> {
    let mut at = 0usize;
    while !delta.is_empty() {
        let skip = usize::try_from(take_varint(&mut delta)?).ok()?;
        let count = usize::try_from(take_varint(&mut delta)?).ok()?;
        at = at.checked_add(skip.checked_mul(WORD)?).filter(|at| *at < image.len())?;
        let bytes = take(&mut delta, count.checked_mul(WORD)?)?;
        for (plane, bytes) in bytes.chunks(count.max(1)).enumerate() {
            for (i, byte) in bytes.iter().enumerate() {
                match image.get_mut(at + i * WORD + plane) {
                    Some(target) => *target ^= byte,
                    // Beyond the end of an image that does not fill its last word.
                    None if *byte == 0 => {}
                    None => return None,
                }
            }
        }
        at = at.checked_add(count * WORD)?;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_difference_applies(before in prop::collection::vec(any::<u8>(), 1..9_000), edits in prop::collection::vec((0usize..9_000, any::<u8>()), 0..40)) {
            let mut after = before.clone();
            for (at, byte) in edits {
                let at = at % after.len();
                after[at] = byte;
            }
            let mut delta = Vec::new();
            put(&mut delta, &before, &after);
            let mut image = before.clone();
            prop_assert!(apply(&mut image, &delta).is_some());
            prop_assert_eq!(image, after);
        }

        #[test]
        fn a_skip_beyond_the_end_is_refused(mut image in prop::collection::vec(any::<u8>(), 0..100), skip in any::<u64>()) {
            let mut delta = Vec::new();
            put_varint(&mut delta, skip);
            put_varint(&mut delta, 1);
            delta.extend([1; WORD]);
            let fits = skip < (image.len() / WORD) as u64;
            prop_assert_eq!(apply(&mut image, &delta).is_some(), fits);
        }

        #[test]
        fn any_bytes_are_taken_without_panic(mut image in prop::collection::vec(any::<u8>(), 0..100), delta in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = apply(&mut image, &delta);
        }
    }
}
