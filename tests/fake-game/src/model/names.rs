//! Invented drivers and teams, with the letters that real entry lists have.

use super::rng::Rng;

/// The player's team: its first driver starts, the others can take over.
pub(crate) const PLAYER_DRIVERS: [&str; 3] = ["Łukasz Wiśniewski", "Jürgen Müller", "Inês Conceição"];
pub(crate) const PLAYER_TEAM: &str = "Équipe Mistral";

#[rustfmt::skip]
const FIRST: [&str; 36] = [
    "Anders", "Bruno", "Chloé", "Dário", "Elif", "Fabrice", "Gábor", "Hanna", "Igor", "Jörg", "Kenji", "Léo", "Marek", "Nuno",
    "Óscar", "Pietro", "Quentin", "Rasmus", "Søren", "Tomáš", "Umut", "Valérie", "Wim", "Xavi", "Yuki", "Zoë", "Adéla", "Björn",
    "Cédric", "Duarte", "Emre", "Frida", "Grégoire", "Håkon", "Iñaki", "Jolanta",
];
#[rustfmt::skip]
const LAST: [&str; 40] = [
    "Almeida", "Bergström", "Czerny", "Dubois", "Eriksen", "Fontaine", "García", "Hölzl", "Ivanović", "Jansen", "Kowalczyk",
    "Lindqvist", "Moreau", "Nováková", "Øverland", "Pérez", "Quintela", "Ruiz", "Schäfer", "Takahashi", "Ünal", "Vandenberghe",
    "Weiß", "Yıldız", "Zieliński", "Antunes", "Brandão", "Castaño", "Døssing", "Esteves", "Förster", "Guimarães", "Huber",
    "Jakobsen", "Kjær", "Lefèvre", "Marchetti", "Nagy", "Olivetti", "Petrov",
];
#[rustfmt::skip]
const TEAMS: [&str; 30] = [
    "Nordlicht Racing", "Scuderia Aurora", "Team Sarthe", "Blue Heron Motorsport", "Équipe Ligérienne", "Kestrel Autosport",
    "Alba Endurance", "Red Fern Racing", "Ostsee Motorsport", "Piedra Racing", "Team Hokuto", "Vento Corse", "Mistral Junior",
    "Silverbirch", "Atlas Competição", "Orkney GT", "Polaris Sport", "Rhône Compétition", "Solano Racing", "Tatra Motorsport",
    "Weißer Pfeil", "Zephyr Team", "Cobalt Racing", "Dunes Motorsport", "Estrela Racing", "Fjord Autosport", "Granit Racing",
    "Halcyon Sport", "Iberia GT", "Juniper Motorsport",
];

/// `n` driver names, each given once until the list runs out of pairs.
pub(crate) fn drivers(rng: &mut Rng, n: usize) -> Vec<String> {
    let pairs = FIRST.len() * LAST.len();
    let start = rng.index(pairs);
    // A step without a common factor with the number of pairs visits each pair once.
    (0..n)
        .map(|i| {
            let pair = (start + i * 401) % pairs;
            format!("{} {}", FIRST[pair % FIRST.len()], LAST[(pair / FIRST.len() + pair) % LAST.len()])
        })
        .collect()
}

pub(crate) fn team(n: usize) -> &'static str {
    TEAMS[n % TEAMS.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_drivers_for_a_full_grid_have_names_of_their_own_that_fit_the_games() {
        let names = drivers(&mut Rng::new(3), 312);
        let different: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(different.len(), 312);
        assert!(names.iter().all(|name| name.len() < 32), "a driver's name has 31 bytes in the image");
    }
}
