//! Values as the game writes them against the catalogue's units.

use super::image::{Car, Image, Vehicle};
use super::normalise::{Context, sample};
use super::testing::Picture;
use onelap_protocol::{Channel, Sample};

const OWN: super::testing::CarAt = Picture::OWN_CAR;

fn taken(picture: &Picture) -> Sample {
    let image = Image::new(picture.bytes()).unwrap();
    let (player, car): (Vehicle<'_>, Car<'_>) = (image.player_vehicle().unwrap(), image.player_car().unwrap());
    sample(&image, &player, &car, &Context { cars: 3, ..Context::default() })
}

fn assert_near(sample: &Sample, expected: &[(Channel, f64)]) {
    for (channel, value) in expected {
        let found = sample.get(*channel).unwrap_or_else(|| panic!("{channel:?} is absent"));
        assert!((found - value).abs() <= channel.info().quantum / 2.0 + 1e-9, "{channel:?}: {found}, expected {value}");
    }
}

#[test]
fn units_are_made_right() {
    let picture = Picture::race().set(|p| {
        p.car_f64(OWN, 208, 9.80665); // accelerating to the left: a left-hand corner
        p.car_f64(OWN, 224, -4.903325); // backwards is +z: gaining speed
        p.car_f64(OWN, 388, 0.5);
        p.car_f64(OWN, 404, -0.25);
        p.car_i32(OWN, 352, -1);
        p.car_f64(OWN, 664, 0.45);
        p.car_f64(OWN, 672, 101_325.0);
        p.car_f64(OWN, 364, 88.5);
        p.wheel_f64(OWN, 2, 24, 673.15);
        p.wheel_f64(OWN, 1, 120, 172.5);
        p.wheel_f64(OWN, 3, 8, 0.053);
        for third in 0..3 {
            p.wheel_f64(OWN, 0, 128 + third * 8, 353.15 + third as f64 * 3.0);
        }
    });
    assert_near(
        &taken(&picture),
        &[
            (Channel::Speed, 180.0),
            (Channel::GForceLateral, 1.0),
            (Channel::GForceLongitudinal, 0.5),
            (Channel::Throttle, 50.0),
            (Channel::Steering, -25.0),
            (Channel::Gear, -1.0),
            (Channel::BrakeBias, 55.0),
            (Channel::BoostPressure, 101.3),
            (Channel::EngineWaterTemp, 88.5),
            (Channel::BrakeTempRl, 400.0),
            (Channel::TirePressureFr, 172.5),
            (Channel::RideHeightRr, 53.0),
            (Channel::TireTempLeftFl, 80.0),
            (Channel::TireTempRightFl, 86.0),
            (Channel::TireTempFl, 83.0),
            (Channel::TireWearRr, 10.0),
            (Channel::Fuel, 60.5),
            (Channel::VirtualEnergy, 81.25),
            (Channel::TrackTemp, 30.25),
            (Channel::Rain, 25.0),
            (Channel::TimeLeft, 3590.0),
        ],
    );
}

#[test]
fn what_the_game_leaves_0_is_absent() {
    let sample = taken(&Picture::race());
    let absent = [
        Channel::TirePressureFl,
        Channel::TireTempFl,
        Channel::TireCarcassTempFl,
        Channel::BrakeTempFl,
        Channel::EngineWaterTemp,
        Channel::EngineOilTemp,
        Channel::MotorTemp,
        Channel::BatteryCharge,
        Channel::RegenPower,
        Channel::TractionControl,
        Channel::Abs,
        Channel::BrakeBias,
        Channel::GapAhead,
        Channel::DeltaBest,
        Channel::TireOptimalTemp,
        Channel::Drs,
        Channel::FuelMass,
        Channel::ErsStore,
    ];
    for channel in absent {
        assert_eq!(sample.get(channel), None, "{channel:?}");
    }
}

#[test]
fn fields_of_1_3_are_absent_before_1_3() {
    let filled = Picture::race().set(|p| {
        p.car_u8(OWN, 750, 4);
        p.car_u8(OWN, 751, 12);
        p.car_f32(OWN, 788, -1.5);
        p.car_u8(OWN, 767, 6);
        p.car_u8(OWN, 745, 1);
    });
    assert_near(
        &taken(&filled),
        &[
            (Channel::TractionControl, 4.0),
            (Channel::GapAhead, 1.5),
            (Channel::TrackLimitPoints, 1.5),
            (Channel::LapInvalid, 1.0),
            (Channel::TireCompoundFl, 0.0),
        ],
    );
    let old = taken(&filled.set(|p| p.version(12_900)));
    let absent = [
        Channel::TractionControl,
        Channel::GapAhead,
        Channel::TrackLimitPoints,
        Channel::LapInvalid,
        Channel::VirtualEnergy,
        Channel::TireCompoundFl,
        Channel::TireOptimalTemp,
    ];
    for channel in absent {
        assert_eq!(old.get(channel), None, "{channel:?}");
    }
    // Time left falls back to the planned end.
    assert_near(&old, &[(Channel::TimeLeft, 3590.0)]);
}

#[test]
fn classes_without_virtual_energy_have_none_and_an_empty_one_is_0() {
    let energy = |class: u8, fraction: f32| {
        taken(&Picture::race().set(|p| {
            p.car_u8(OWN, 826, class);
            p.car_f32(OWN, 776, fraction);
        }))
        .get(Channel::VirtualEnergy)
    };
    let (hypercar, lmp2, lmp3, gt3) = (0, 3, 4, 6);
    assert_eq!([energy(lmp2, 0.0), energy(lmp3, 0.0), energy(255, 0.0)], [None; 3]);
    assert_eq!([energy(hypercar, 0.0), energy(gt3, 0.0)], [Some(0.0); 2]);
}

#[test]
fn flags_and_pits_are_those_shown_to_us() {
    let shown = |change: fn(&mut Picture)| taken(&Picture::race().set(change)).get(Channel::Flag).unwrap();
    assert_eq!(shown(|_| ()), 0.0);
    assert_eq!(shown(|p| p.vehicle_u8(Picture::OWN, 504, 6)), 2.0);
    assert_eq!(shown(|p| p.vehicle_u8(Picture::OWN, 505, 1)), 1.0);
    assert_eq!(shown(|p| p.scoring_u8(110, 1)), 1.0);
    assert_eq!(shown(|p| p.scoring_u8(111, 1)), 0.0);
    assert_eq!(shown(|p| p.scoring_u8(108, 7)), 3.0);
    let pit = |change: fn(&mut Picture)| taken(&Picture::race().set(change)).get(Channel::PitState).unwrap();
    assert_eq!(pit(|p| p.vehicle_u8(Picture::OWN, 457, 5)), 5.0);
    assert_eq!(pit(|p| p.vehicle_u8(Picture::OWN, 198, 1)), 2.0);
    assert_eq!(pit(|p| p.vehicle_u8(Picture::OWN, 457, 3)), 3.0);
}

#[test]
fn a_session_that_is_not_timed_has_no_time_left() {
    let left = |end_s: f64, left_s: f32| {
        let picture = Picture::race().set(|p| {
            p.scoring_f64(76, end_s);
            p.scoring_f32(340, left_s);
        });
        taken(&picture).get(Channel::TimeLeft)
    };
    assert_eq!([left(0.0, 0.0), left(-1.0, 0.0), left(0.0, -1.0)], [None; 3]);
    assert_eq!([left(3600.0, 0.0), left(0.0, 12.5)], [Some(0.0), Some(12.5)], "at its end, and where no end is named");
}
