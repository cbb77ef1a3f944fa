//! How fast a class goes round a track when nobody is in the way.
//!
//! Corner speeds come from grip and downforce; one pass backwards limits them by braking, one forwards by power.
//! Also gives the time at each metre, by which gaps are told in seconds.

use super::class::Spec;
use super::track::Track;

/// Speed and time by distance, for one class on one track.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    speed_mps: Vec<f64>,
    /// Seconds since the line at each step.
    time_s: Vec<f64>,
    pub lap_time_s: f64,
}

impl Profile {
    pub(crate) fn new(track: &Track, spec: &Spec) -> Self {
        let mut speed_mps: Vec<f64> = track.curvature.iter().map(|bend| corner_speed(spec, *bend)).collect();
        let n = speed_mps.len();
        // Twice round, so that the end of the lap knows its beginning.
        for _ in 0..2 {
            for i in 0..n {
                let (v, next) = (speed_mps[i], (i + 1) % n);
                let a = spec.full_throttle(v, spec.grip_left(v, track.curvature[i]));
                speed_mps[next] = speed_mps[next].min((v * v + 2.0 * a * track.step_m).max(1.0).sqrt());
            }
            for i in (0..n).rev() {
                let (v, before) = (speed_mps[i], (i + n - 1) % n);
                let a = spec.full_brake(v, spec.grip_left(v, track.curvature[i]));
                speed_mps[before] = speed_mps[before].min((v * v + 2.0 * a * track.step_m).sqrt());
            }
        }
        let mut elapsed = 0.0;
        let time_s = speed_mps
            .iter()
            .map(|v| {
                let at = elapsed;
                elapsed += track.step_m / v;
                at
            })
            .collect();
        Self { speed_mps, time_s, lap_time_s: elapsed }
    }

    pub(crate) fn speed_at(&self, track: &Track, s_m: f64) -> f64 {
        track.sample(&self.speed_mps, s_m)
    }

    /// Seconds from the line to a distance in `[0, length)`.
    pub(crate) fn time_at(&self, track: &Track, s_m: f64) -> f64 {
        let at = s_m.rem_euclid(track.length_m) / track.step_m;
        let lower = (at as usize).min(self.time_s.len() - 1);
        let upper = self.time_s.get(lower + 1).copied().unwrap_or(self.lap_time_s);
        self.time_s[lower] + (upper - self.time_s[lower]) * (at - lower as f64)
    }
}

/// The speed at which a corner takes all the grip there is; downforce may make it flat out.
fn corner_speed(spec: &Spec, curvature: f64) -> f64 {
    let base = 9.81 * spec.grip;
    let left = curvature.abs() - base * spec.downforce / (80.0 * 80.0);
    if left <= 1e-9 { spec.top_speed_mps } else { (base / left).sqrt().min(spec.top_speed_mps) }
}

#[cfg(test)]
mod tests {
    use super::super::class::{CLASSES, Class};
    use super::super::track::TrackKind;
    use super::*;

    #[test]
    fn classes_are_as_far_apart_as_in_reality() {
        let track = Track::new(TrackKind::Long);
        let lap = |class: Class| Profile::new(&track, class.spec()).lap_time_s;
        assert!((98.0..104.0).contains(&lap(Class::Hyper)), "{}", lap(Class::Hyper));
        assert!((110.0..118.0).contains(&lap(Class::Gt3)), "{}", lap(Class::Gt3));
        assert!(lap(Class::F1) < lap(Class::Hyper) && lap(Class::Hyper) < lap(Class::Lmp2));
        assert!(lap(Class::Lmp2) < lap(Class::Lmp3) && lap(Class::Gte) < lap(Class::Gt3));
    }

    #[test]
    fn a_short_lap_takes_about_half_a_minute() {
        let track = Track::new(TrackKind::Short);
        for class in CLASSES {
            let lap = Profile::new(&track, class.spec()).lap_time_s;
            assert!((24.0..36.0).contains(&lap), "{class:?} {lap}");
        }
    }

    #[test]
    fn time_and_speed_tell_the_same_story() {
        let track = Track::new(TrackKind::Long);
        let profile = Profile::new(&track, Class::Hyper.spec());
        for s in [100.0, 900.0, 2_500.0, 5_200.0] {
            let took = profile.time_at(&track, s + 10.0) - profile.time_at(&track, s);
            let speed = profile.speed_at(&track, s + 5.0);
            assert!((10.0 / took - speed).abs() < 1.5, "{} against {speed} at {s}", 10.0 / took);
        }
    }
}
