//! How bytes of a datagram become values: a cursor that cannot leave its bytes, and the [`Wire`] types.
//!
//! Little-endian, packed. A read past the end gives zero and marks the cursor; the caller has checked the exact size
//! before, and the sizes of the structs are compared with the size table when this is compiled.

use serde::{Serialize, Serializer};
use std::fmt;
use std::ops::Deref;

/// Reads values one after the other.
#[derive(Debug)]
pub struct Cursor<'a> {
    rest: &'a [u8],
    short: bool,
}

impl<'a> Cursor<'a> {
    /// At the beginning of these bytes.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, short: false }
    }

    /// The next bytes; zeros, and a mark, where there are not enough.
    pub fn take<const N: usize>(&mut self) -> [u8; N] {
        if let Some((head, rest)) = self.rest.split_first_chunk::<N>() {
            self.rest = rest;
            *head
        } else {
            self.rest = &[];
            self.short = true;
            [0; N]
        }
    }

    /// Whether something was read that was not there.
    #[must_use]
    pub fn was_short(&self) -> bool {
        self.short
    }
}

/// A value with a fixed place in a datagram.
pub trait Wire: Sized {
    /// Its bytes.
    const SIZE: usize;

    /// Reads it.
    fn read(from: &mut Cursor<'_>) -> Self;
}

macro_rules! numbers {
    ($($ty:ty),*) => {$(
        impl Wire for $ty {
            const SIZE: usize = size_of::<$ty>();
            fn read(from: &mut Cursor<'_>) -> Self {
                <$ty>::from_le_bytes(from.take())
            }
        }
    )*};
}
numbers!(u8, i8, u16, i16, u32, u64, f32, f64);

impl Wire for bool {
    const SIZE: usize = 1;
    fn read(from: &mut Cursor<'_>) -> Self {
        u8::read(from) != 0
    }
}

impl<T: Wire, const N: usize> Wire for [T; N] {
    const SIZE: usize = T::SIZE * N;
    fn read(from: &mut Cursor<'_>) -> Self {
        std::array::from_fn(|_| T::read(from))
    }
}

/// Something that every wheel has. On the wire the order is RL RR FL FR; here each has its name, so that nothing after
/// the decoder needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Corners<T> {
    /// Front left.
    pub fl: T,
    /// Front right.
    pub fr: T,
    /// Rear left.
    pub rl: T,
    /// Rear right.
    pub rr: T,
}

impl<T: Copy> Corners<T> {
    /// In the order FL FR RL RR.
    #[must_use]
    pub fn in_order(&self) -> [T; 4] {
        [self.fl, self.fr, self.rl, self.rr]
    }
}

impl<T: Wire> Wire for Corners<T> {
    const SIZE: usize = T::SIZE * 4;
    fn read(from: &mut Cursor<'_>) -> Self {
        let [rl, rr, fl, fr] = Wire::read(from);
        Self { fl, fr, rl, rr }
    }
}

/// A time that the wire splits into milliseconds (`u16`) and whole minutes (`u8`); here in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize)]
#[serde(transparent)]
pub struct SplitMs(pub u32);

impl SplitMs {
    /// The time where there is one: the game says 0 for "not yet".
    #[must_use]
    pub fn known(self) -> Option<u32> {
        (self.0 > 0).then_some(self.0)
    }
}

impl Wire for SplitMs {
    const SIZE: usize = 3;
    fn read(from: &mut Cursor<'_>) -> Self {
        let ms = u16::read(from);
        let minutes = u8::read(from);
        Self(u32::from(minutes) * 60_000 + u32::from(ms))
    }
}

/// A component of a direction, −1 to 1; on the wire an `i16` of 32767ths.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
#[serde(transparent)]
pub struct Direction(pub f32);

impl Wire for Direction {
    const SIZE: usize = 2;
    fn read(from: &mut Cursor<'_>) -> Self {
        Self(f32::from(i16::read(from)) / 32767.0)
    }
}

/// A text of at most `N` bytes, ended by a zero byte where it is shorter.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Text<const N: usize>([u8; N]);

impl<const N: usize> Text<N> {
    /// The text; what is not UTF-8 is replaced.
    #[must_use]
    pub fn text(&self) -> String {
        let used = self.0.iter().position(|&b| b == 0).unwrap_or(N);
        String::from_utf8_lossy(self.0.get(..used).unwrap_or_default()).trim().to_owned()
    }
}

impl<const N: usize> Wire for Text<N> {
    const SIZE: usize = N;
    fn read(from: &mut Cursor<'_>) -> Self {
        Self(from.take())
    }
}

impl<const N: usize> fmt::Debug for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().fmt(f)
    }
}

impl<const N: usize> Serialize for Text<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

/// A list with room for `N`, of which the first few are used.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Many<T, const N: usize> {
    items: [T; N],
    used: usize,
}

impl<T, const N: usize> Many<T, N> {
    /// Only so many of the first are used.
    #[must_use]
    pub fn first(mut self, used: u8) -> Self {
        self.used = usize::from(used).min(N);
        self
    }
}

impl<T, const N: usize> Deref for Many<T, N> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        self.items.get(..self.used).unwrap_or_default()
    }
}

impl<T: Wire, const N: usize> Wire for Many<T, N> {
    const SIZE: usize = T::SIZE * N;
    fn read(from: &mut Cursor<'_>) -> Self {
        Self { items: Wire::read(from), used: N }
    }
}

impl<T: Serialize, const N: usize> Serialize for Many<T, N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

/// A struct whose fields lie one after the other as they are written here.
macro_rules! wire {
    ($(#[$meta:meta])* pub struct $name:ident { $($(#[$doc:meta])* $field:ident: $ty:ty,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
        pub struct $name {
            $($(#[$doc])* pub $field: $ty,)*
        }

        impl $crate::source::f1::packet::wire::Wire for $name {
            const SIZE: usize = 0 $(+ <$ty as $crate::source::f1::packet::wire::Wire>::SIZE)*;
            fn read(from: &mut $crate::source::f1::packet::wire::Cursor<'_>) -> Self {
                Self { $($field: $crate::source::f1::packet::wire::Wire::read(from),)* }
            }
        }
    };
}
pub(crate) use wire;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_past_the_end_is_zero_and_marked() {
        let mut cursor = Cursor::new(&[1, 2, 3]);
        assert_eq!(u16::read(&mut cursor), 0x0201);
        assert!(!cursor.was_short());
        assert_eq!(u32::read(&mut cursor), 0);
        assert!(cursor.was_short());
    }

    #[test]
    fn wheels_arrive_rear_first() {
        let corners: Corners<u8> = Wire::read(&mut Cursor::new(&[1, 2, 3, 4]));
        assert_eq!(corners, Corners { rl: 1, rr: 2, fl: 3, fr: 4 });
        assert_eq!(corners.in_order(), [3, 4, 1, 2]);
    }

    #[test]
    fn a_text_ends_at_its_zero() {
        let text: Text<6> = Wire::read(&mut Cursor::new(b"ab\0xyz"));
        assert_eq!(text.text(), "ab");
        let full: Text<3> = Wire::read(&mut Cursor::new(b"abc"));
        assert_eq!(full.text(), "abc");
    }

    #[test]
    fn a_count_beyond_the_room_is_the_room() {
        let many: Many<u8, 3> = Wire::read(&mut Cursor::new(&[1, 2, 3]));
        assert_eq!(&*many.first(2), &[1, 2]);
        assert_eq!(&*many.first(200), &[1, 2, 3]);
    }
}
