//! Tracks, weather and what touches the road.

use super::codes;

codes! {
    /// A track; −1 is unknown.
    Track(i8) "track" {
        0 "Melbourne" 2 "Shanghai" 3 "Sakhir (Bahrain)" 4 "Catalunya" 5 "Monaco" 6 "Montreal" 7 "Silverstone"
        9 "Hungaroring" 10 "Spa" 11 "Monza" 12 "Singapore" 13 "Suzuka" 14 "Abu Dhabi" 15 "Texas" 16 "Brazil"
        17 "Austria" 19 "Mexico" 20 "Baku (Azerbaijan)" 26 "Zandvoort" 27 "Imola" 29 "Jeddah" 30 "Miami"
        31 "Las Vegas" 32 "Losail" 39 "Silverstone (Reverse)" 40 "Austria (Reverse)" 41 "Zandvoort (Reverse)"
    }
}

codes! {
    /// The sky.
    Weather(u8) "weather" {
        0 "Clear" 1 "Light cloud" 2 "Overcast" 3 "Light rain" 4 "Heavy rain" 5 "Storm"
    }
}

codes! {
    /// What a wheel rolls on.
    Surface(u8) "surface" {
        0 "Tarmac" 1 "Rumble strip" 2 "Concrete" 3 "Rock" 4 "Gravel" 5 "Mud" 6 "Sand" 7 "Grass" 8 "Water"
        9 "Cobblestone" 10 "Metal" 11 "Ridged"
    }
}

codes! {
    /// A tyre compound as the driver sees it (16 is the soft of the weekend, whichever C it is).
    Compound(u8) "compound" {
        7 "Intermediate" 8 "Wet" 9 "Dry" 10 "Wet" 11 "Super soft" 12 "Soft" 13 "Medium" 14 "Hard" 15 "Wet"
        16 "Soft" 17 "Medium" 18 "Hard" 19 "Super soft" 20 "Soft" 21 "Medium" 22 "Hard"
    }
}

impl Compound {
    /// The catalogue's code: 0 soft, 1 medium, 2 hard, 3 wet, 4 intermediate. The super soft counts as soft; the classic
    /// "dry" tyre is none of them.
    #[must_use]
    pub fn catalogue_code(self) -> Option<u8> {
        match self.0 {
            11 | 12 | 16 | 19 | 20 => Some(0),
            13 | 17 | 21 => Some(1),
            14 | 18 | 22 => Some(2),
            8 | 10 | 15 => Some(3),
            7 => Some(4),
            _ => None,
        }
    }
}

codes! {
    /// A tyre compound as it was made; its numbers are other ones than those of [`Compound`].
    ActualCompound(u8) "compound" {
        7 "Intermediate" 8 "Wet" 9 "Dry" 10 "Wet" 11 "Super soft" 12 "Soft" 13 "Medium" 14 "Hard" 15 "Wet"
        16 "C5" 17 "C4" 18 "C3" 19 "C2" 20 "C1" 21 "C0" 22 "C6"
    }
}
