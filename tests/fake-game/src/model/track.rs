//! The circuit: a closed centre line in world coordinates, its sectors and its pit lane.
//!
//! Sections are straights and corners; curvature is smoothed so that nobody steers in steps. The line is sampled every
//! [`Track::step_m`] metres and looked up by distance from the start line. Positive curvature turns right.
//!
//! Not here: how fast a car goes round it (`profile`).

use serde::{Deserialize, Serialize};

/// Which circuit is driven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum TrackKind {
    /// 5.4 km, about 1:41 for a Hypercar and 1:54 for a GT3.
    Long,
    /// 1 km, about half a minute a lap: for tests that need laps soon.
    Short,
}

/// Length in metres and how far the section turns, in degrees to the right.
type Section = (f64, f64);

#[rustfmt::skip]
const LONG: &[Section] = &[
    (731.0, 0.0), (120.0, 80.0), (140.0, 0.0), (90.0, -35.0), (465.0, 0.0), (110.0, 150.0), (269.0, 0.0), (80.0, -70.0),
    (46.0, 0.0), (150.0, 95.0), (613.0, 0.0), (110.0, -100.0), (78.5, 0.0), (140.0, 60.0), (99.0, 0.0), (160.0, -60.0),
    (278.5, 0.0), (90.0, 110.0), (126.5, 0.0), (80.0, -50.0), (29.0, 0.0), (140.0, 90.0), (395.0, 0.0), (260.0, 90.0),
    (591.0, 0.0),
];

#[rustfmt::skip]
const SHORT: &[Section] = &[
    (150.0, 0.0), (60.0, 90.0), (10.5, 0.0), (60.0, -60.0), (20.5, 0.0), (70.0, 150.0), (120.0, 0.0), (40.0, -50.0),
    (60.0, 60.0), (103.0, 0.0), (60.0, 80.0), (89.5, 0.0), (70.0, 90.0), (80.0, 0.0),
];

/// The pit lane, alongside the start straight.
#[derive(Debug, Clone)]
pub(crate) struct PitLane {
    /// Where it leaves the track, metres from the line, before the line.
    pub entry_m: f64,
    /// Where it joins the track again, after the line.
    pub exit_m: f64,
    /// The first and the last box, both before the line.
    pub boxes_m: (f64, f64),
    /// Offset from the centre line, to the right.
    pub lateral_m: f64,
    pub limit_mps: f64,
}

/// A closed circuit.
#[derive(Debug, Clone)]
pub(crate) struct Track {
    pub kind: TrackKind,
    pub name: &'static str,
    pub length_m: f64,
    pub step_m: f64,
    /// Where sectors 1 and 2 end.
    pub sector_ends_m: [f64; 2],
    pub pit: PitLane,
    pub half_width_m: f64,
    /// 1/m at each step, positive to the right.
    pub curvature: Vec<f64>,
    /// Direction of travel at each step, radians; forward is `(cos, 0, sin)`.
    heading: Vec<f64>,
    /// World position of the centre line at each step, metres; y is up.
    centre: Vec<[f64; 3]>,
}

impl Track {
    pub(crate) fn new(kind: TrackKind) -> Self {
        let (name, sections, relief_m) = match kind {
            TrackKind::Long => ("Autódromo da Serra do Vento", LONG, 11.0),
            TrackKind::Short => ("Serra do Vento - Pista Curta", SHORT, 2.5),
        };
        let length_m: f64 = sections.iter().map(|(length, _)| length).sum();
        let count = (length_m / 2.0).round() as usize;
        let step_m = length_m / count as f64;
        let curvature = smooth(&raw_curvature(sections, count, step_m), 5);
        let (heading, centre) = integrate(&curvature, step_m, relief_m);
        let pit = match kind {
            TrackKind::Long => PitLane {
                entry_m: length_m - 480.0,
                exit_m: 420.0,
                boxes_m: (length_m - 330.0, length_m - 40.0),
                lateral_m: 18.0,
                limit_mps: 60.0 / 3.6,
            },
            TrackKind::Short => PitLane {
                entry_m: length_m - 76.0,
                exit_m: 90.0,
                boxes_m: (length_m - 52.0, length_m - 12.0),
                lateral_m: 12.0,
                limit_mps: 60.0 / 3.6,
            },
        };
        let sector_ends_m = [length_m * 0.29, length_m * 0.66];
        Self { kind, name, length_m, step_m, sector_ends_m, pit, half_width_m: 6.0, curvature, heading, centre }
    }

    /// The two samples around `s_m` (any number of laps, also negative) and how far it is between them.
    fn around(&self, s_m: f64) -> (usize, usize, f64) {
        let count = self.curvature.len();
        let at = s_m.rem_euclid(self.length_m) / self.step_m;
        let lower = (at as usize).min(count - 1);
        (lower, (lower + 1) % count, at - lower as f64)
    }

    pub(crate) fn sample(&self, values: &[f64], s_m: f64) -> f64 {
        let (a, b, part) = self.around(s_m);
        values[a] + (values[b] - values[a]) * part
    }

    pub(crate) fn curvature_at(&self, s_m: f64) -> f64 {
        self.sample(&self.curvature, s_m)
    }

    pub(crate) fn heading_at(&self, s_m: f64) -> f64 {
        let (a, b, part) = self.around(s_m);
        // Headings are not wrapped inside a lap, only at its end.
        if b == 0 { self.heading[a] } else { self.heading[a] + (self.heading[b] - self.heading[a]) * part }
    }

    /// World position of a point `lateral_m` to the right of the centre line.
    pub(crate) fn position(&self, s_m: f64, lateral_m: f64) -> [f64; 3] {
        let (a, b, part) = self.around(s_m);
        let mix = |axis: usize| self.centre[a][axis] + (self.centre[b][axis] - self.centre[a][axis]) * part;
        let heading = self.heading_at(s_m);
        [mix(0) + lateral_m * heading.sin(), mix(1), mix(2) - lateral_m * heading.cos()]
    }

    /// Which sector (0, 1, 2) a distance from the line is in.
    pub(crate) fn sector_at(&self, s_m: f64) -> usize {
        self.sector_ends_m.iter().filter(|end| s_m >= **end).count()
    }

    /// Where the `n`th of `count` teams has its box.
    pub(crate) fn box_m(&self, n: usize, count: usize) -> f64 {
        let (from, to) = self.pit.boxes_m;
        from + (to - from) * (n as f64 + 0.5) / count.max(1) as f64
    }
}

fn raw_curvature(sections: &[Section], count: usize, step_m: f64) -> Vec<f64> {
    let mut curvature = vec![0.0; count];
    let mut from_m = 0.0;
    for (length, degrees) in sections {
        let first = (from_m / step_m).round() as usize;
        let last = (((from_m + length) / step_m).round() as usize).min(count);
        // The turn is exact whatever the rounding of its ends.
        let each = degrees.to_radians() / ((last - first).max(1) as f64 * step_m);
        curvature[first..last].fill(each);
        from_m += length;
    }
    curvature
}

fn smooth(values: &[f64], half_window: usize) -> Vec<f64> {
    let n = values.len();
    let width = (2 * half_window + 1) as f64;
    (0..n).map(|i| (0..=2 * half_window).map(|j| values[(i + n + j - half_window) % n]).sum::<f64>() / width).collect()
}

/// Walks the curvature once round and spreads the small error of closure over the lap.
fn integrate(curvature: &[f64], step_m: f64, relief_m: f64) -> (Vec<f64>, Vec<[f64; 3]>) {
    let n = curvature.len();
    let (mut heading, mut x, mut z) = (0.0_f64, 0.0, 0.0);
    let (mut headings, mut centre) = (Vec::with_capacity(n), Vec::with_capacity(n));
    for (i, bend) in curvature.iter().enumerate() {
        headings.push(heading);
        let lap = std::f64::consts::TAU * i as f64 / n as f64;
        let y = relief_m * (lap.sin() + 0.4 * (2.0 * lap + 0.7).sin() - 0.25 * (3.0 * lap).cos());
        centre.push([x, y, z]);
        let middle = heading - bend * step_m / 2.0;
        x += step_m * middle.cos();
        z += step_m * middle.sin();
        heading -= bend * step_m;
    }
    for (i, point) in centre.iter_mut().enumerate() {
        let part = i as f64 / n as f64;
        point[0] -= x * part;
        point[2] -= z * part;
    }
    (headings, centre)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_tracks_close() {
        for kind in [TrackKind::Long, TrackKind::Short] {
            let track = Track::new(kind);
            let turned: f64 = track.curvature.iter().map(|bend| bend * track.step_m).sum();
            assert!((turned.to_degrees() - 360.0).abs() < 0.01, "{kind:?} turns {turned}");
            let (before, after) = (track.position(-0.5, 0.0), track.position(0.5, 0.0));
            let apart = (before[0] - after[0]).hypot(before[2] - after[2]);
            assert!((apart - 1.0).abs() < 0.1, "{kind:?} has a step of {apart} m at the line");
        }
    }

    #[test]
    fn a_step_along_the_track_is_a_step_in_the_world() {
        let track = Track::new(TrackKind::Long);
        for s in [10.0, 800.0, 1_700.0, 3_333.0, 5_000.0] {
            let (a, b) = (track.position(s, 0.0), track.position(s + 4.0, 0.0));
            let moved = (a[0] - b[0]).hypot(a[2] - b[2]);
            assert!((moved - 4.0).abs() < 0.15, "{moved} m at {s}");
        }
    }

    #[test]
    fn right_of_the_track_is_inside_a_right_hand_lap() {
        let track = Track::new(TrackKind::Long);
        let area = |lateral: f64| {
            let points: Vec<_> =
                (0..500).map(|i| track.position(f64::from(i) * track.length_m / 500.0, lateral)).collect();
            let mut sum = 0.0;
            for (i, p) in points.iter().enumerate() {
                let q = points[(i + 1) % points.len()];
                sum += p[0] * q[2] - q[0] * p[2];
            }
            (sum / 2.0).abs()
        };
        assert!(area(5.0) < area(-5.0));
    }

    #[test]
    fn sectors_and_pit_lane_lie_on_the_lap() {
        for kind in [TrackKind::Long, TrackKind::Short] {
            let track = Track::new(kind);
            assert_eq!(
                [track.sector_at(0.0), track.sector_at(track.length_m * 0.5), track.sector_at(track.length_m - 1.0)],
                [0, 1, 2]
            );
            assert!(track.pit.entry_m < track.pit.boxes_m.0 && track.pit.boxes_m.1 < track.length_m);
            assert!(track.pit.exit_m > 0.0 && track.pit.exit_m < track.sector_ends_m[0]);
        }
    }
}
