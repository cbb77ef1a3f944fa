//! The field of a live session, and which frame of it each viewer gets.
//!
//! ```text
//! has the frame that the agent's applies to      the agent's frame, shared
//! wants fewer, and was told a while ago          the difference since, made once for all who want as many
//! is new, has skipped or has been skipped        a keyframe, made once
//! ```
//!
//! Invariant: at most one frame of a session waits for a viewer, and what goes out applies to what it was sent before.

use super::outbox::Outbox;
use super::wire;
use bytes::Bytes;
use onelap_protocol::SessionId;
use onelap_protocol::standings::{Decoder, Field, StandingsError, peek};
use std::cell::OnceCell;

/// Frames a second that agents send.
const FULL_HZ: u32 = 5;
/// Apart are the frames that a viewer gets, at most.
const MOST_APART: usize = FULL_HZ as usize;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct LiveField {
    decoder: Decoder,
    /// The whole, framed, where somebody asked for it.
    whole: OnceCell<Bytes>,
    /// As it was when those were told who get a frame in so many.
    told: [Option<Field>; MOST_APART + 1],
}

/// What a viewer wants of the field, and has.
#[derive(Debug)]
pub(super) struct Wish {
    /// It gets one frame in so many.
    apart: u64,
    /// Number of the last frame that it was sent.
    has: Option<u64>,
}

impl Wish {
    /// Of a viewer who wants so many frames a second.
    pub(super) fn of(max_hz: Option<u32>) -> Self {
        Self { apart: apart(max_hz), has: None }
    }

    /// Another number of frames a second is wanted; what it has, it has.
    pub(super) fn ask(&mut self, max_hz: Option<u32>) {
        self.apart = apart(max_hz);
    }

    /// It gets one frame in so many: as it wants, or fewer where its connection carries fewer.
    fn apart(&self, outbox: &Outbox) -> u64 {
        let carried = (outbox.interval_ms() * u64::from(FULL_HZ)).div_ceil(1000);
        self.apart.max(carried.min(MOST_APART as u64))
    }
}

fn apart(max_hz: Option<u32>) -> u64 {
    max_hz.map_or(1, |hz| FULL_HZ.div_ceil(hz.clamp(1, FULL_HZ))).into()
}

impl LiveField {
    /// The whole as a frame, where something is known.
    pub(super) fn keyframe(&self) -> Option<Bytes> {
        self.decoder.field().map(|field| field.keyframe().into())
    }

    fn whole(&self) -> Option<&Bytes> {
        let field = self.decoder.field()?;
        Some(self.whole.get_or_init(|| wire::binary(&field.keyframe())))
    }

    /// Takes a frame of the session; `false` where it is what is known already.
    pub(super) fn take(&mut self, session: SessionId, bytes: &[u8]) -> Result<bool, StandingsError> {
        let header = peek(bytes)?;
        let number = self.decoder.field().map(Field::number);
        if header.session != session || number == Some(header.number) {
            return Ok(false);
        }
        if header.base.is_none() || header.base == number {
            self.whole = OnceCell::new();
        }
        self.decoder.apply(bytes).map(|_| true)
    }

    /// Takes over a keyframe, unless what is known is newer.
    pub(super) fn take_over(&mut self, session: SessionId, keyframe: &[u8]) {
        let is_newer = |known: &Field| peek(keyframe).is_ok_and(|header| header.number > known.number());
        if self.decoder.field().is_none_or(is_newer) {
            // What cannot be read comes again.
            let _ = self.take(session, keyframe);
        }
    }

    /// Sends a viewer the whole, if it has not got it.
    pub(super) fn show_whole(&self, session: SessionId, wish: &mut Wish, outbox: &Outbox) {
        let number = self.decoder.field().map(Field::number);
        if let Some(frame) = self.whole().filter(|_| wish.has != number) {
            wish.has = number;
            outbox.field(session, frame.clone(), || frame.clone());
        }
    }

    /// Sends viewers the frame that was taken last.
    pub(super) fn show<'a>(&mut self, bytes: &[u8], viewers: impl Iterator<Item = (&'a mut Wish, &'a Outbox)>) {
        let (Ok(header), Some(now)) = (peek(bytes), self.decoder.field()) else { return };
        let came = wire::binary(bytes);
        if header.base.is_none() {
            self.whole = OnceCell::from(came.clone());
        }
        let since: [OnceCell<Bytes>; MOST_APART + 1] = Default::default();
        let whole = || self.whole.get_or_init(|| wire::binary(&now.keyframe()));
        let mut are_told = [false; MOST_APART + 1];
        for (wish, outbox) in viewers {
            let apart = wish.apart(outbox) as usize;
            are_told[apart] |= apart > 1;
            if wish.has.is_some() && !header.number.is_multiple_of(apart as u64) {
                continue;
            }
            let told = self.told[apart].as_ref();
            let frame = match (wish.has, told) {
                (Some(has), _) if header.base == Some(has) => &came,
                (Some(has), Some(told)) if told.number() == has => {
                    since[apart].get_or_init(|| wire::binary(&now.since(told)))
                }
                _ => whole(),
            };
            wish.has = Some(header.number);
            outbox.field(header.session, frame.clone(), || whole().clone());
        }
        for (apart, told) in self.told.iter_mut().enumerate() {
            if !are_told[apart] {
                *told = None;
            } else if header.number.is_multiple_of(apart as u64) {
                *told = Some(now.clone());
            }
        }
    }
}

#[cfg(test)]
#[path = "field_tests.rs"]
mod tests;
