//! Sessions, results, flags and penalties.

use super::codes;

codes! {
    /// Kind of a session, as formats 2024 and later number them.
    SessionType(u8) "session type" {
        0 "Unknown" 1 "Practice 1" 2 "Practice 2" 3 "Practice 3" 4 "Short Practice" 5 "Qualifying 1"
        6 "Qualifying 2" 7 "Qualifying 3" 8 "Short Qualifying" 9 "One-Shot Qualifying" 10 "Sprint Shootout 1"
        11 "Sprint Shootout 2" 12 "Sprint Shootout 3" 13 "Short Sprint Shootout" 14 "One-Shot Sprint Shootout"
        15 "Race" 16 "Race 2" 17 "Race 3" 18 "Time Trial"
    }
}

codes! {
    /// What is being played.
    GameMode(u8) "game mode" {
        4 "Grand Prix ‘23" 5 "Time Trial" 6 "Splitscreen" 7 "Online Custom" 15 "Online Weekly Event"
        17 "Story Mode (Braking Point)" 27 "My Team Career '25" 28 "Driver Career '25" 29 "Career '25 Online"
        30 "Challenge Career '25" 75 "Story Mode (APXGP)" 127 "Benchmark"
    }
}

codes! {
    /// Which rules are in force.
    RuleSet(u8) "rule set" {
        0 "Practice & Qualifying" 1 "Race" 2 "Time Trial" 12 "Elimination"
    }
}

codes! {
    /// Which cars are driven.
    Formula(u8) "formula" {
        0 "F1" 1 "F1 Classic" 2 "F2" 3 "F1 Generic" 4 "Beta" 6 "Esports" 8 "F1 World" 9 "F1 Elimination"
    }
}

codes! {
    /// The safety car.
    SafetyCar(u8) "safety car" {
        0 "None" 1 "Full" 2 "Virtual" 3 "Formation lap"
    }
}

codes! {
    /// A penalty.
    PenaltyType(u8) "penalty" {
        0 "Drive through" 1 "Stop Go" 2 "Grid penalty" 3 "Penalty reminder" 4 "Time penalty" 5 "Warning"
        6 "Disqualified" 7 "Removed from formation lap" 8 "Parked too long timer" 9 "Tyre regulations"
        10 "This lap invalidated" 11 "This and next lap invalidated" 12 "This lap invalidated without reason"
        13 "This and next lap invalidated without reason" 14 "This and previous lap invalidated"
        15 "This and previous lap invalidated without reason" 16 "Retired" 17 "Black flag timer"
    }
}

codes! {
    /// What a penalty is for.
    Infringement(u8) "infringement" {
        0 "Blocking by slow driving" 1 "Blocking by wrong way driving" 2 "Reversing off the start line"
        3 "Big Collision" 4 "Small Collision" 5 "Collision failed to hand back position single"
        6 "Collision failed to hand back position multiple" 7 "Corner cutting gained time"
        8 "Corner cutting overtake single" 9 "Corner cutting overtake multiple" 10 "Crossed pit exit lane"
        11 "Ignoring blue flags" 12 "Ignoring yellow flags" 13 "Ignoring drive through" 14 "Too many drive throughs"
        15 "Drive through reminder serve within n laps" 16 "Drive through reminder serve this lap"
        17 "Pit lane speeding" 18 "Parked for too long" 19 "Ignoring tyre regulations" 20 "Too many penalties"
        21 "Multiple warnings" 22 "Approaching disqualification" 23 "Tyre regulations select single"
        24 "Tyre regulations select multiple" 25 "Lap invalidated corner cutting" 26 "Lap invalidated running wide"
        27 "Corner cutting ran wide gained time minor" 28 "Corner cutting ran wide gained time significant"
        29 "Corner cutting ran wide gained time extreme" 30 "Lap invalidated wall riding"
        31 "Lap invalidated flashback used" 32 "Lap invalidated reset to track" 33 "Blocking the pitlane"
        34 "Jump start" 35 "Safety car to car collision" 36 "Safety car illegal overtake"
        37 "Safety car exceeding allowed pace" 38 "Virtual safety car exceeding allowed pace"
        39 "Formation lap below allowed speed" 40 "Formation lap parking" 41 "Retired mechanical failure"
        42 "Retired terminally damaged" 43 "Safety car falling too far back" 44 "Black flag timer"
        45 "Unserved stop go penalty" 46 "Unserved drive through penalty" 47 "Engine component change"
        48 "Gearbox change" 49 "Parc Fermé change" 50 "League grid penalty" 51 "Retry penalty"
        52 "Illegal time gain" 53 "Mandatory pitstop" 54 "Attribute assigned"
    }
}

codes! {
    /// Where a car is with respect to the pits.
    PitStatus(u8) "pit status" {
        0 "None" 1 "Pitting" 2 "In pit area"
    }
}

codes! {
    /// What a driver is doing.
    DriverStatus(u8) "driver status" {
        0 "In garage" 1 "Flying lap" 2 "In lap" 3 "Out lap" 4 "On track"
    }
}

codes! {
    /// Result so far. Above 1 the slot holds a car.
    ResultStatus(u8) "result status" {
        0 "Invalid" 1 "Inactive" 2 "Active" 3 "Finished" 4 "Did not finish" 5 "Disqualified" 6 "Not classified"
        7 "Retired"
    }
}

codes! {
    /// Why a result is what it is.
    ResultReason(u8) "result reason" {
        0 "Invalid" 1 "Retired" 2 "Finished" 3 "Terminal damage" 4 "Inactive" 5 "Not enough laps completed"
        6 "Black flagged" 7 "Red flagged" 8 "Mechanical failure" 9 "Session skipped" 10 "Session simulated"
    }
}

codes! {
    /// The flag shown to a car; −1 is unknown.
    FiaFlag(i8) "flag" {
        0 "None" 1 "Green" 2 "Blue" 3 "Yellow"
    }
}

codes! {
    /// How the battery is spent.
    ErsMode(u8) "ERS mode" {
        0 "None" 1 "Medium" 2 "Hot lap" 3 "Overtake"
    }
}
