//! Which steps of a pit visit lie between two looks at a car.

use onelap_protocol::race::{PitState, PitStep};

/// The steps from one state to the next. The garage counts as the box; a stop that was asked for is still the track.
#[must_use]
pub fn steps(from: PitState, to: PitState) -> &'static [PitStep] {
    match (place(from), place(to)) {
        (Place::Track, Place::Lane) => &[PitStep::Enter],
        (Place::Track, Place::Box) => &[PitStep::Enter, PitStep::Stop],
        (Place::Lane, Place::Box) => &[PitStep::Stop],
        (Place::Lane, Place::Track) => &[PitStep::Exit],
        (Place::Box, Place::Lane) => &[PitStep::Go],
        (Place::Box, Place::Track) => &[PitStep::Go, PitStep::Exit],
        _ => &[],
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Track,
    Lane,
    Box,
}

fn place(state: PitState) -> Place {
    match state {
        PitState::Track | PitState::Requested => Place::Track,
        PitState::Entering | PitState::Exiting => Place::Lane,
        PitState::Stopped | PitState::Garage => Place::Box,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_has_four_steps_however_often_one_looks() {
        use PitState::{Entering, Exiting, Garage, Requested, Stopped, Track};
        let told = |states: &[PitState]| -> Vec<PitStep> {
            states.windows(2).flat_map(|pair| steps(pair[0], pair[1]).iter().copied()).collect()
        };
        let all = [PitStep::Enter, PitStep::Stop, PitStep::Go, PitStep::Exit];
        assert_eq!(told(&[Track, Requested, Entering, Stopped, Stopped, Exiting, Track]), all);
        assert_eq!(told(&[Track, Stopped, Track]), all);
        assert_eq!(told(&[Track, Garage, Exiting, Track]), all);
        assert_eq!(told(&[Track, Entering, Exiting, Track]), [PitStep::Enter, PitStep::Exit]);
        assert_eq!(told(&[Stopped, Garage]), []);
    }
}
