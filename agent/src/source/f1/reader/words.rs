//! Events of the game that are told in words.

use super::super::packet::{CARS, Event, Participants};
use onelap_protocol::ids::CarKey;
use onelap_protocol::race::NoteTopic;

/// A note, without its time.
#[derive(Debug, Clone, PartialEq)]
pub struct Words {
    /// The car that it is about.
    pub car: Option<CarKey>,
    /// What it is about.
    pub topic: NoteTopic,
    /// The text.
    pub text: String,
}

/// The key of a slot, where it is one.
#[must_use]
pub fn car_key(slot: u8) -> Option<CarKey> {
    (usize::from(slot) < CARS).then(|| CarKey(slot.to_string()))
}

/// Who drives the car in a slot: the name that the game shows, or else the driver's or the slot's.
#[must_use]
pub fn driver(participants: Option<&Participants>, slot: usize) -> String {
    let participant = participants.and_then(|participants| participants.cars.get(slot));
    let shown = participant.map(|who| who.name.text()).filter(|name| !name.is_empty());
    let built_in = participant.filter(|who| who.ai_controlled).and_then(|who| who.driver.name());
    shown.or_else(|| built_in.map(str::to_owned)).unwrap_or_else(|| format!("Car {slot}"))
}

/// What an event says in words, of those that a team wants to read.
#[must_use]
pub fn words(event: &Event, participants: Option<&Participants>) -> Option<Words> {
    let name = |slot: u8| driver(participants, slot.into());
    let (car, topic, text) = match *event {
        Event::Penalty { penalty, infringement, car, other_car, time_s, .. } => {
            let mut text = format!("{penalty}: {infringement}");
            if !matches!(time_s, 0 | u8::MAX) {
                text.push_str(&format!(", {time_s} s"));
            }
            if usize::from(other_car) < CARS && other_car != car {
                text.push_str(&format!(" ({})", name(other_car)));
            }
            let topic = if is_track_limits(infringement.0) { NoteTopic::TrackLimits } else { NoteTopic::Penalty };
            (car, topic, text)
        }
        Event::Collision { car, other_car } => (car, NoteTopic::Incident, format!("Contact with {}", name(other_car))),
        Event::Retirement { car, reason } => (car, NoteTopic::Other, format!("Retired: {reason}")),
        Event::DriveThroughServed { car } => (car, NoteTopic::Penalty, "Drive-through served".to_owned()),
        Event::StopGoServed { car, stop_time_s } if stop_time_s.is_finite() && stop_time_s > 0.0 => {
            (car, NoteTopic::Penalty, format!("Stop-and-go served, {stop_time_s:.1} s"))
        }
        Event::StopGoServed { car, .. } => (car, NoteTopic::Penalty, "Stop-and-go served".to_owned()),
        _ => return None,
    };
    Some(Words { car: car_key(car), topic, text })
}

/// Corner cutting and running wide.
fn is_track_limits(infringement: u8) -> bool {
    matches!(infringement, 7..=9 | 25..=29)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::f1::enums::{Infringement, PenaltyType, ResultReason};

    #[test]
    fn a_penalty_says_what_for_and_how_long() {
        let penalty = |infringement, time_s, other_car| Event::Penalty {
            penalty: PenaltyType(4),
            infringement: Infringement(infringement),
            car: 3,
            other_car,
            time_s,
            lap: 5,
            places_gained: 0,
        };
        let told = words(&penalty(17, 5, 255), None).unwrap();
        assert_eq!(told.text, "Time penalty: Pit lane speeding, 5 s");
        assert_eq!((told.car, told.topic), (Some(CarKey("3".to_owned())), NoteTopic::Penalty));
        let told = words(&penalty(8, 255, 4), None).unwrap();
        assert_eq!(told.text, "Time penalty: Corner cutting overtake single (Car 4)");
        assert_eq!(told.topic, NoteTopic::TrackLimits);
    }

    #[test]
    fn others_are_told_or_left_out() {
        let text = |event| words(&event, None).map(|told| told.text);
        assert_eq!(text(Event::Collision { car: 1, other_car: 2 }).unwrap(), "Contact with Car 2");
        let retired = Event::Retirement { car: 1, reason: ResultReason(8) };
        assert_eq!(text(retired).unwrap(), "Retired: Mechanical failure");
        assert_eq!(text(Event::StopGoServed { car: 1, stop_time_s: f32::NAN }).unwrap(), "Stop-and-go served");
        assert_eq!(text(Event::Buttons { bits: 1 }), None);
        let nobody = Event::Retirement { car: 200, reason: ResultReason(99) };
        assert_eq!(words(&nobody, None).unwrap().car, None);
    }
}
