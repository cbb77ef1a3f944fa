//! What an entry's name says: "Iron Dames 2025 #85:LM" is team, season, number and series.

use onelap_protocol::CarKey;

/// The car number as painted.
#[must_use]
pub fn number(entry: &str) -> Option<String> {
    let (_, after) = entry.rsplit_once('#')?;
    let number: String = after.chars().take_while(char::is_ascii_alphanumeric).take(4).collect();
    number.starts_with(|c: char| c.is_ascii_digit()).then_some(number)
}

/// The entrant's name.
#[must_use]
pub fn team(entry: &str) -> Option<String> {
    let before = entry.rsplit_once('#').map_or(entry, |(before, _)| before).trim();
    let is_season = |word: &&str| word.len() == 4 && word.starts_with("20") && word.bytes().all(|b| b.is_ascii_digit());
    let team = match before.rsplit_once(' ') {
        Some((team, season)) if is_season(&season) => team.trim(),
        _ => before,
    };
    (!team.is_empty()).then(|| team.to_owned())
}

/// A car's key: its slot, and a mark of its entry, since slots are given out again.
#[must_use]
pub fn car_key(slot: i32, entry: &str) -> CarKey {
    let mark = crc32fast::hash(entry.as_bytes()) >> 8;
    CarKey(format!("{slot}-{mark:06x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_entries_are_taken_apart() {
        let found = |entry: &str| (team(entry).unwrap_or_default(), number(entry).unwrap_or_default());
        assert_eq!(found("Iron Dames 2025 #85:LM"), ("Iron Dames".into(), "85".into()));
        assert_eq!(found("Alpine Endurance Team 2025 #35:EC"), ("Alpine Endurance Team".into(), "35".into()));
        assert_eq!(found("Huracan Custom Team 2024 #397"), ("Huracan Custom Team".into(), "397".into()));
        assert_eq!(found("Safety Car"), ("Safety Car".into(), String::new()));
        assert_eq!(found("Team # 2"), ("Team".into(), String::new()));
        assert_eq!(found("2025 #007"), ("2025".into(), "007".into()));
        assert_eq!(found(""), (String::new(), String::new()));
    }

    #[test]
    fn a_slot_with_another_entry_is_another_car() {
        assert_ne!(car_key(7, "A"), car_key(7, "B"));
        // CRC-32 of "A" is d3d99e8b.
        assert_eq!(car_key(7, "A").0, "7-d3d99e");
    }
}
