//! The phase of a session, from the session packet and from events.

use super::super::enums::SafetyCar;
use super::super::packet::{Event, Session};
use onelap_protocol::race::Phase;

/// Start lights that were followed by nothing for so long were not the start.
const LIGHTS_S: f64 = 15.0;

const FULL: u8 = 1;
const VIRTUAL: u8 = 2;
const FORMATION: u8 = 3;

/// What is known of the phase.
#[derive(Debug, Default)]
pub struct PhaseTracker {
    safety_car: u8,
    red: bool,
    red_flags: Option<u8>,
    over: bool,
    paused: bool,
    lights_at_s: Option<f64>,
    told: Option<Phase>,
}

impl PhaseTracker {
    /// Takes a session packet.
    pub fn session(&mut self, session: &Session) {
        self.safety_car(session.safety_car_status);
        self.red |= self.red_flags.is_some_and(|before| session.red_flag_periods > before);
        self.red_flags = Some(session.red_flag_periods);
        self.paused = session.game_paused;
    }

    /// Takes an event.
    pub fn event(&mut self, event: &Event, session_time_s: f64) {
        match *event {
            Event::SafetyCar { step: 0, safety_car } => self.safety_car(safety_car),
            Event::SafetyCar { step: 2 | 3, .. } => {
                self.safety_car = 0;
                self.red = false;
            }
            Event::RedFlag => {
                self.red = true;
                self.lights_at_s = None;
                // The packet counts it too.
                self.red_flags = None;
            }
            Event::StartLights { .. } => {
                self.red = false;
                self.lights_at_s = Some(session_time_s);
            }
            Event::LightsOut | Event::SessionStarted => {
                self.red = false;
                self.lights_at_s = None;
            }
            Event::ChequeredFlag => self.over = true,
            Event::Flashback { .. } => (self.over, self.red, self.lights_at_s) = (false, false, None),
            _ => {}
        }
    }

    /// The phase at this time.
    #[must_use]
    pub fn now(&self, session_time_s: f64) -> Phase {
        let lights = self.lights_at_s.is_some_and(|at_s| (0.0..LIGHTS_S).contains(&(session_time_s - at_s)));
        match self.safety_car {
            _ if self.paused => Phase::Paused,
            _ if self.over => Phase::Over,
            _ if self.red => Phase::Stopped,
            FULL => Phase::FullCourseYellow,
            VIRTUAL => Phase::VirtualSafetyCar,
            FORMATION => Phase::Formation,
            _ if lights => Phase::Formation,
            _ => Phase::Green,
        }
    }

    /// The phase, where it is another one than the last time.
    pub fn changed(&mut self, session_time_s: f64) -> Option<Phase> {
        let now = self.now(session_time_s);
        (self.told.replace(now) != Some(now)).then_some(now)
    }

    /// Whether the session stands under red.
    #[must_use]
    pub fn is_red(&self) -> bool {
        self.red
    }

    /// A safety car that comes out after the red flag ends it: the restart behind it.
    fn safety_car(&mut self, status: SafetyCar) {
        if self.safety_car == 0 && status.0 != 0 {
            self.red = false;
        }
        self.safety_car = status.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(events: &[Event]) -> Phase {
        let mut phase = PhaseTracker::default();
        events.iter().for_each(|event| phase.event(event, 10.0));
        phase.now(11.0)
    }

    #[test]
    fn phases_follow_the_events() {
        let car = |kind, step| Event::SafetyCar { safety_car: SafetyCar(kind), step };
        assert_eq!(after(&[]), Phase::Green);
        assert_eq!(after(&[Event::StartLights { lights: 3 }]), Phase::Formation);
        assert_eq!(after(&[Event::StartLights { lights: 5 }, Event::LightsOut]), Phase::Green);
        assert_eq!(after(&[car(1, 0)]), Phase::FullCourseYellow);
        assert_eq!(after(&[car(1, 0), car(1, 1)]), Phase::FullCourseYellow);
        assert_eq!(after(&[car(1, 0), car(1, 3)]), Phase::Green);
        assert_eq!(after(&[car(2, 0)]), Phase::VirtualSafetyCar);
        assert_eq!(after(&[car(3, 0)]), Phase::Formation);
        assert_eq!(after(&[car(1, 0), Event::RedFlag]), Phase::Stopped);
        assert_eq!(after(&[Event::RedFlag, car(1, 0)]), Phase::FullCourseYellow, "the restart");
        assert_eq!(after(&[Event::RedFlag, Event::LightsOut]), Phase::Green);
        assert_eq!(after(&[Event::ChequeredFlag]), Phase::Over);
    }

    #[test]
    fn a_phase_is_told_when_it_changes() {
        let mut phase = PhaseTracker::default();
        assert_eq!(phase.changed(0.0), Some(Phase::Green));
        assert_eq!(phase.changed(1.0), None);
        phase.event(&Event::ChequeredFlag, 2.0);
        assert_eq!(phase.changed(2.0), Some(Phase::Over));
    }
}
