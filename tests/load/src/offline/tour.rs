//! As much driving as is wanted, from a few laps of the fake game: they are driven again and again, later each time.
//!
//! It stands in for the reader of a game: at every beat it says the next sample and what happened before it. Times and
//! numbers of laps go on from round to round; the rest of a sample is what it was.

use onelap_agent::raw::{Raw, Reader, Stamp};
use onelap_agent::reading::Reading;
use onelap_protocol::Channel;
use onelap_protocol::race::{Lap, RaceEvent};

/// See the module.
#[derive(Clone)]
pub(crate) struct Tour {
    /// Up to our car's first lap.
    intro: Vec<Reading>,
    /// Whole laps of our car.
    round: Vec<Reading>,
    /// What a round takes by the session's clock, and how many numbers of laps.
    round_s: f64,
    round_laps: u16,
    next: usize,
    rounds: u16,
    began_ms: Option<u64>,
}

fn lap_of(reading: &Reading) -> Option<&Lap> {
    let Reading::Event(event) = reading else { return None };
    if let RaceEvent::Lap(lap) = &**event { Some(lap) } else { None }
}

impl Tour {
    /// From what a reader has said; our car has completed two laps in it at least.
    pub(crate) fn of(readings: Vec<Reading>) -> Self {
        let ours = readings.iter().find_map(|reading| match reading {
            Reading::SessionStarted(info) => Some(info.car.clone()),
            _ => None,
        });
        let is_ours = |reading: &Reading| lap_of(reading).is_some_and(|lap| Some(&lap.car) == ours.as_ref());
        let lines: Vec<usize> = (0..readings.len()).filter(|i| is_ours(&readings[*i])).collect();
        let [first, .., last] = lines[..] else { panic!("our car has completed {} laps: drive longer", lines.len()) };
        let at_s = |i: usize| lap_of(&readings[i]).map_or(0.0, |lap| lap.at_s);
        let round_s = at_s(last) - at_s(first);
        let goes_on = |r: &&Reading| matches!(r, Reading::Sample(_) | Reading::Standings(_) | Reading::Event(_));
        let round: Vec<Reading> = readings[first + 1..=last].iter().filter(goes_on).cloned().collect();
        let laps = || round.iter().filter_map(lap_of).map(|lap| lap.lap);
        let round_laps = laps().max().unwrap_or(0) + 1 - laps().min().unwrap_or(0);
        let mut intro = readings;
        intro.truncate(first + 1);
        Self { intro, round, round_s, round_laps, next: 0, rounds: 0, began_ms: None }
    }

    fn next(&mut self) -> Reading {
        let i = self.next;
        self.next += 1;
        if let Some(reading) = self.intro.get(i) {
            return reading.clone();
        }
        let i = i - self.intro.len();
        if i + 1 == self.round.len() {
            self.next = self.intro.len();
        }
        let reading = self.round[i].clone();
        let reading = later(reading, f64::from(self.rounds) * self.round_s, self.rounds * self.round_laps);
        self.rounds += u16::from(i + 1 == self.round.len());
        reading
    }
}

/// The same so much later in the session.
fn later(mut reading: Reading, seconds: f64, laps: u16) -> Reading {
    match &mut reading {
        Reading::Sample(sample) => {
            for (channel, by) in [(Channel::SessionTime, seconds), (Channel::Lap, f64::from(laps))] {
                sample.set_opt(channel, sample.get(channel).map(|value| value + by));
            }
        }
        Reading::Standings(standings) => standings.at_s += seconds,
        Reading::Event(event) => match &mut **event {
            RaceEvent::Lap(Lap { lap, at_s, .. })
            | RaceEvent::Pit { lap, at_s, .. }
            | RaceEvent::DriverChange { lap, at_s, .. } => {
                *lap += laps;
                *at_s += seconds;
            }
            RaceEvent::Phase { at_s, .. } | RaceEvent::Note { at_s, .. } => *at_s += seconds,
        },
        _ => {}
    }
    reading
}

impl Reader for Tour {
    fn read(&mut self, at: Stamp, raw: &Raw, out: &mut Vec<Reading>) {
        // A beat is a tick; a rig that plays back makes none by itself.
        if *raw != Raw::Tick {
            return;
        }
        loop {
            let mut reading = self.next();
            match &mut reading {
                Reading::Sample(sample) => sample.at_ms = at.unix_ms,
                Reading::SessionStarted(info) | Reading::SessionChanged(info) => {
                    info.started_at_ms = *self.began_ms.get_or_insert(at.unix_ms);
                }
                _ => {}
            }
            let is_sample = matches!(reading, Reading::Sample(_));
            out.push(reading);
            if is_sample {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use e2e::sockets::{some_lap, some_session};
    use onelap_protocol::Sample;

    /// Three laps of a sample each.
    fn driving() -> Vec<Reading> {
        let mut readings = vec![Reading::SessionStarted(Box::new(some_session()))];
        for lap in 1..=3u16 {
            let mut sample = Sample::new(1);
            sample.set(Channel::SessionTime, f64::from(lap) * 95.0 - 1.0);
            sample.set(Channel::Lap, f64::from(lap));
            readings.push(Reading::Sample(Box::new(sample)));
            readings.push(Reading::Event(Box::new(RaceEvent::Lap(some_lap(lap)))));
        }
        readings
    }

    #[test]
    fn time_and_laps_go_on_from_round_to_round() {
        let (mut tour, mut said) = (Tour::of(driving()), Vec::new());
        for beat in 0..20u64 {
            tour.read(Stamp { unix_ms: 7_000 + beat * 50, mono_ms: 0 }, &Raw::Tick, &mut said);
        }
        let samples: Vec<_> =
            said.iter().filter_map(|r| if let Reading::Sample(s) = r { Some(s) } else { None }).collect();
        let laps: Vec<_> = said.iter().filter_map(lap_of).map(|lap| (lap.lap, lap.at_s)).collect();
        assert_eq!(laps, (1..=19).map(|lap| (lap, f64::from(lap) * 95.0)).collect::<Vec<_>>());
        for (beat, sample) in samples.iter().enumerate() {
            assert_eq!(sample.at_ms, 7_000 + beat as u64 * 50);
            assert_eq!(sample.get(Channel::Lap), Some(beat as f64 + 1.0));
            assert_eq!(sample.get(Channel::SessionTime), Some((beat as f64 + 1.0) * 95.0 - 1.0));
        }
    }
}
