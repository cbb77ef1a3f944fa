//! Weather that changes slowly by itself, and at once where a script says so.

use serde::{Deserialize, Serialize};

use super::rng::Rng;

/// A change of weather asked for by a script or by `POST /weather`; what is absent stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeatherChange {
    /// Air, °C.
    pub ambient_c: Option<f64>,
    /// Track surface, °C.
    pub track_c: Option<f64>,
    /// 0 dry .. 1 downpour.
    pub rain: Option<f64>,
    /// 0 clear .. 1 dark.
    pub cloud: Option<f64>,
    /// Mean wetness of the racing line, 0..1; follows the rain when absent.
    pub wetness: Option<f64>,
}

#[derive(Debug, Clone)]
pub(crate) struct Weather {
    pub ambient_c: f64,
    pub track_c: f64,
    pub rain: f64,
    pub cloud: f64,
    pub wetness: f64,
    pub wind_mps: [f64; 3],
    rain_target: f64,
    cloud_target: f64,
    ambient_base_c: f64,
    track_offset_c: f64,
    /// A shower: begins and ends at these session seconds.
    shower_s: Option<(f64, f64)>,
    phase: f64,
}

impl Weather {
    pub(crate) fn new(rng: &mut Rng) -> Self {
        let ambient = rng.between(17.0, 26.0);
        let offset = rng.between(7.0, 13.0);
        let cloud = rng.between(0.0, 0.45);
        let shower_s = rng.chance(0.2).then(|| {
            let begins = rng.between(1_800.0, 6_000.0);
            (begins, begins + rng.between(600.0, 1_800.0))
        });
        let direction = rng.between(0.0, std::f64::consts::TAU);
        let wind = rng.between(0.5, 5.0);
        Self {
            ambient_c: ambient,
            track_c: ambient + offset,
            rain: 0.0,
            cloud,
            wetness: 0.0,
            wind_mps: [wind * direction.cos(), 0.0, wind * direction.sin()],
            rain_target: 0.0,
            cloud_target: cloud,
            ambient_base_c: ambient,
            track_offset_c: offset,
            shower_s,
            phase: rng.between(0.0, 6.0),
        }
    }

    pub(crate) fn apply(&mut self, change: &WeatherChange) {
        if let Some(c) = change.ambient_c {
            self.ambient_base_c = c;
            self.ambient_c = c;
        }
        if let Some(c) = change.track_c {
            self.track_c = c;
            self.track_offset_c = c - self.ambient_c;
        }
        if let Some(cloud) = change.cloud {
            self.cloud_target = cloud.clamp(0.0, 1.0);
        }
        if let Some(rain) = change.rain {
            self.rain_target = rain.clamp(0.0, 1.0);
            self.cloud_target = self.cloud_target.max(self.rain_target * 0.9);
            self.shower_s = None;
        }
        if let Some(wetness) = change.wetness {
            self.wetness = wetness.clamp(0.0, 1.0);
        }
    }

    pub(crate) fn advance(&mut self, now_s: f64, dt_s: f64) {
        if let Some((begins, ends)) = self.shower_s {
            self.rain_target = if (begins..ends).contains(&now_s) { 0.55 } else { 0.0 };
            if (begins - 300.0..ends).contains(&now_s) {
                self.cloud_target = self.cloud_target.max(0.8);
            }
        }
        let run = |value: &mut f64, target: f64, tau_s: f64| *value += (target - *value) * (dt_s / tau_s).min(1.0);
        run(&mut self.rain, self.rain_target, 40.0);
        if self.rain < 1e-4 {
            self.rain = 0.0;
        }
        run(&mut self.cloud, self.cloud_target, 90.0);
        let slow = ((now_s / 2_400.0 + self.phase) * std::f64::consts::TAU).sin();
        run(&mut self.ambient_c, self.ambient_base_c + 0.8 * slow - 3.0 * self.rain, 120.0);
        let sun = self.track_offset_c * (1.0 - 0.45 * self.cloud) - 6.0 * self.wetness;
        run(&mut self.track_c, self.ambient_c + sun, 180.0);
        // Rain wets faster than the track dries.
        if self.rain > self.wetness {
            run(&mut self.wetness, self.rain, 120.0);
        } else {
            run(&mut self.wetness, self.rain, 420.0);
        }
        if self.wetness < 1e-4 {
            self.wetness = 0.0;
        }
    }

    /// Driest and wettest part of the line.
    pub(crate) fn wetness_range(&self) -> (f64, f64) {
        (self.wetness * 0.6, (self.wetness * 1.35).min(1.0))
    }

    /// LMU's `mCloudCoverage`: 0 clear .. 4 overcast, 5 drizzle .. 10 storm.
    pub(crate) fn cloud_coverage(&self) -> u8 {
        if self.rain > 0.02 { 5 + (self.rain * 5.0).round() as u8 } else { (self.cloud * 4.0).round() as u8 }
    }

    /// F1's weather: 0 clear 1 light cloud 2 overcast 3 light rain 4 heavy rain 5 storm.
    pub(crate) fn f1_code(&self) -> u8 {
        match (self.rain, self.cloud) {
            (rain, _) if rain > 0.8 => 5,
            (rain, _) if rain > 0.45 => 4,
            (rain, _) if rain > 0.02 => 3,
            (_, cloud) if cloud > 0.6 => 2,
            (_, cloud) if cloud > 0.25 => 1,
            _ => 0,
        }
    }
}
