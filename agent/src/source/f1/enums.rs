//! What the game's codes mean, in words, as the F1 25 specification lists them.
//!
//! A code is kept as it came: one that is not in the list is shown by its number, never replaced.

mod people;
mod places;
mod rules;

pub use people::{Driver, Nationality, Platform, Team};
pub use places::{ActualCompound, Compound, Surface, Track, Weather};
pub use rules::{
    DriverStatus, ErsMode, FiaFlag, Formula, GameMode, Infringement, PenaltyType, PitStatus, ResultReason,
    ResultStatus, RuleSet, SafetyCar, SessionType,
};

/// A code with a list of names.
macro_rules! codes {
    ($(#[$meta:meta])* $name:ident($ty:ty) $what:literal { $($code:literal $text:literal)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub $ty);

        impl $name {
            /// Its name, where the list has one.
            #[must_use]
            pub fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($code => Some($text),)*
                    _ => None,
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self.name() {
                    Some(name) => f.write_str(name),
                    None => write!(f, concat!($what, " {}"), self.0),
                }
            }
        }

        impl $crate::source::f1::packet::wire::Wire for $name {
            const SIZE: usize = size_of::<$ty>();
            fn read(from: &mut $crate::source::f1::packet::wire::Cursor<'_>) -> Self {
                Self($crate::source::f1::packet::wire::Wire::read(from))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeStruct;
                let mut both = serializer.serialize_struct(stringify!($name), 2)?;
                both.serialize_field("code", &self.0)?;
                both.serialize_field("name", &self.name())?;
                both.end()
            }
        }
    };
}
pub(crate) use codes;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_its_name_or_its_number() {
        assert_eq!(Track(11).to_string(), "Monza");
        assert_eq!(Track(-1).to_string(), "track -1");
        assert_eq!(Team(9).name(), Some("Sauber"));
        assert_eq!(serde_json::to_value(SessionType(15)).unwrap(), serde_json::json!({"code": 15, "name": "Race"}));
        assert_eq!(serde_json::to_value(Team(255)).unwrap(), serde_json::json!({"code": 255, "name": null}));
    }
}
