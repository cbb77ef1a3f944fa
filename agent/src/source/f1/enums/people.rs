//! Teams, drivers and where they come from.

use super::codes;

codes! {
    /// A team.
    Team(u8) "team" {
        0 "Mercedes" 1 "Ferrari" 2 "Red Bull Racing" 3 "Williams" 4 "Aston Martin" 5 "Alpine" 6 "RB" 7 "Haas"
        8 "McLaren" 9 "Sauber" 41 "F1 Generic" 104 "F1 Custom Team" 129 "Konnersport" 142 "APXGP '24"
        154 "APXGP '25" 155 "Konnersport '24" 158 "Art GP '24" 159 "Campos '24" 160 "Rodin Motorsport '24"
        161 "AIX Racing '24" 162 "DAMS '24" 163 "Hitech '24" 164 "MP Motorsport '24" 165 "Prema '24"
        166 "Trident '24" 167 "Van Amersfoort Racing '24" 168 "Invicta '24" 185 "Mercedes '24" 186 "Ferrari '24"
        187 "Red Bull Racing '24" 188 "Williams '24" 189 "Aston Martin '24" 190 "Alpine '24" 191 "RB '24"
        192 "Haas '24" 193 "McLaren '24" 194 "Sauber '24"
    }
}

codes! {
    /// A driver that comes with the game; 255 is a person.
    Driver(u8) "driver" {
        0 "Carlos Sainz" 2 "Daniel Ricciardo" 3 "Fernando Alonso" 4 "Felipe Massa" 7 "Lewis Hamilton"
        9 "Max Verstappen" 10 "Nico Hülkenberg" 11 "Kevin Magnussen" 14 "Sergio Pérez" 15 "Valtteri Bottas"
        17 "Esteban Ocon" 19 "Lance Stroll" 20 "Arron Barnes" 21 "Martin Giles" 22 "Alex Murray" 23 "Lucas Roth"
        24 "Igor Correia" 25 "Sophie Levasseur" 26 "Jonas Schiffer" 27 "Alain Forest" 28 "Jay Letourneau"
        29 "Esto Saari" 30 "Yasar Atiyeh" 31 "Callisto Calabresi" 32 "Naota Izumi" 33 "Howard Clarke"
        34 "Lars Kaufmann" 35 "Marie Laursen" 36 "Flavio Nieves" 38 "Klimek Michalski" 39 "Santiago Moreno"
        40 "Benjamin Coppens" 41 "Noah Visser" 50 "George Russell" 54 "Lando Norris" 58 "Charles Leclerc"
        59 "Pierre Gasly" 62 "Alexander Albon" 70 "Rashid Nair" 71 "Jack Tremblay" 77 "Ayrton Senna"
        80 "Guanyu Zhou" 83 "Juan Manuel Correa" 90 "Michael Schumacher" 94 "Yuki Tsunoda" 102 "Aidan Jackson"
        109 "Jenson Button" 110 "David Coulthard" 112 "Oscar Piastri" 113 "Liam Lawson" 116 "Richard Verschoor"
        123 "Enzo Fittipaldi" 125 "Mark Webber" 126 "Jacques Villeneuve" 127 "Callie Mayer" 132 "Logan Sargeant"
        136 "Jack Doohan" 137 "Amaury Cordeel" 138 "Dennis Hauger" 145 "Zane Maloney" 146 "Victor Martins"
        147 "Oliver Bearman" 148 "Jak Crawford" 149 "Isack Hadjar" 152 "Roman Stanek" 153 "Kush Maini"
        156 "Brendon Leigh" 157 "David Tonizza" 158 "Jarno Opmeer" 159 "Lucas Blakeley" 160 "Paul Aron"
        161 "Gabriel Bortoleto" 162 "Franco Colapinto" 163 "Taylor Barnard" 164 "Joshua Dürksen"
        165 "Andrea-Kimi Antonelli" 166 "Ritomo Miyata" 167 "Rafael Villagómez" 168 "Zak O’Sullivan"
        169 "Pepe Marti" 170 "Sonny Hayes" 171 "Joshua Pearce" 172 "Callum Voisin" 173 "Matias Zagazeta"
        174 "Nikola Tsolov" 175 "Tim Tramnitz" 185 "Luca Cortez"
    }
}

codes! {
    /// A nationality.
    Nationality(u8) "nationality" {
        1 "American" 2 "Argentinean" 3 "Australian" 4 "Austrian" 5 "Azerbaijani" 6 "Bahraini" 7 "Belgian"
        8 "Bolivian" 9 "Brazilian" 10 "British" 11 "Bulgarian" 12 "Cameroonian" 13 "Canadian" 14 "Chilean"
        15 "Chinese" 16 "Colombian" 17 "Costa Rican" 18 "Croatian" 19 "Cypriot" 20 "Czech" 21 "Danish" 22 "Dutch"
        23 "Ecuadorian" 24 "English" 25 "Emirian" 26 "Estonian" 27 "Finnish" 28 "French" 29 "German" 30 "Ghanaian"
        31 "Greek" 32 "Guatemalan" 33 "Honduran" 34 "Hong Konger" 35 "Hungarian" 36 "Icelander" 37 "Indian"
        38 "Indonesian" 39 "Irish" 40 "Israeli" 41 "Italian" 42 "Jamaican" 43 "Japanese" 44 "Jordanian" 45 "Kuwaiti"
        46 "Latvian" 47 "Lebanese" 48 "Lithuanian" 49 "Luxembourger" 50 "Malaysian" 51 "Maltese" 52 "Mexican"
        53 "Monegasque" 54 "New Zealander" 55 "Nicaraguan" 56 "Northern Irish" 57 "Norwegian" 58 "Omani"
        59 "Pakistani" 60 "Panamanian" 61 "Paraguayan" 62 "Peruvian" 63 "Polish" 64 "Portuguese" 65 "Qatari"
        66 "Romanian" 67 "Russian" 68 "Salvadoran" 69 "Saudi" 70 "Scottish" 71 "Serbian" 72 "Singaporean"
        73 "Slovakian" 74 "Slovenian" 75 "South Korean" 76 "South African" 77 "Spanish" 78 "Swedish" 79 "Swiss"
        80 "Thai" 81 "Turkish" 82 "Uruguayan" 83 "Ukrainian" 84 "Venezuelan" 85 "Barbadian" 86 "Welsh"
        87 "Vietnamese" 88 "Algerian" 89 "Bosnian" 90 "Filipino"
    }
}

codes! {
    /// What a player plays on.
    Platform(u8) "platform" {
        1 "Steam" 3 "PlayStation" 4 "Xbox" 6 "Origin"
    }
}
