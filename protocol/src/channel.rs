//! The channel catalogue: what is known of our car at one instant, with unit and resolution.
//!
//! A channel's number is its place in [`CHANNELS`] and is written into batches and chunks: channels are only ever added
//! at the end, and neither unit nor quantum of one changes. Names follow the 1Lap contract where its names are right.
//!
//! Not here: where the values come from (the agent's sources) and how columns are coded ([`crate::columns`]).

/// What a channel is about; the web app groups the channel list by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Group {
    /// Lap, distance, times.
    Lap,
    /// Speed, accelerations, place.
    Motion,
    /// Pedals, steering, gear, aids.
    Controls,
    /// Fuel, virtual energy, battery.
    Energy,
    /// Engine.
    Engine,
    /// Tyres.
    Tyres,
    /// Brakes.
    Brakes,
    /// Suspension.
    Suspension,
    /// Weather and track.
    Conditions,
    /// Flags and states.
    State,
}

impl Group {
    /// The group's name for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Lap => "Lap",
            Self::Motion => "Motion",
            Self::Controls => "Controls",
            Self::Energy => "Energy",
            Self::Engine => "Engine",
            Self::Tyres => "Tyres",
            Self::Brakes => "Brakes",
            Self::Suspension => "Suspension",
            Self::Conditions => "Conditions",
            Self::State => "State",
        }
    }
}

/// One entry of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChannelInfo {
    /// The channel.
    pub channel: Channel,
    /// Name in live views, exports and the API.
    pub name: &'static str,
    /// Unit; empty for counts and states.
    pub unit: &'static str,
    /// Resolution: the value of one step on the wire and in storage.
    pub quantum: f64,
    /// Group.
    pub group: Group,
}

macro_rules! channels {
    ($($(#[$doc:meta])* $id:ident $name:literal $unit:literal $quantum:literal $group:ident;)*) => {
        /// A channel; its number on the wire is its discriminant.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u16)]
        pub enum Channel {
            $($(#[$doc])* $id,)*
        }

        /// The catalogue, in the order of the numbers.
        pub const CHANNELS: &[ChannelInfo] = &[
            $(ChannelInfo { channel: Channel::$id, name: $name, unit: $unit, quantum: $quantum, group: Group::$group },)*
        ];
    };
}

channels! {
    /// Session time.
    SessionTime "session_time" "s" 0.001 Lap;
    /// Number of the current lap, from 1.
    Lap "lap" "" 1.0 Lap;
    /// Distance since the line.
    LapDistance "lap_distance" "m" 0.1 Lap;
    /// Time since the line.
    LapTime "lap_time" "s" 0.001 Lap;
    /// Current sector, 1 to 3.
    CurrentSector "current_sector" "" 1.0 Lap;
    /// Overall position.
    Position "position" "" 1.0 Lap;
    /// Position in class.
    ClassPosition "class_position" "" 1.0 Lap;
    /// Difference to the own best lap, as the game computes it.
    DeltaBest "delta_best" "s" 0.001 Lap;
    /// Gap to the car one position ahead; positive.
    GapAhead "gap_ahead" "s" 0.001 Lap;
    /// Gap to the car one position behind; positive.
    GapBehind "gap_behind" "s" 0.001 Lap;
    /// Time left in the session.
    TimeLeft "time_left" "s" 0.1 Lap;

    /// Speed over ground, positive forwards.
    Speed "speed" "km/h" 0.1 Motion;
    /// World position, east.
    PositionX "position_x" "m" 0.1 Motion;
    /// World position, up.
    PositionY "position_y" "m" 0.1 Motion;
    /// World position, south.
    PositionZ "position_z" "m" 0.1 Motion;
    /// Lateral acceleration; positive when the car is pushed to the right, as in a left-hand corner.
    GForceLateral "g_force_lateral" "g" 0.01 Motion;
    /// Longitudinal acceleration; positive when gaining speed.
    GForceLongitudinal "g_force_longitudinal" "g" 0.01 Motion;
    /// Vertical acceleration, positive up.
    GForceVertical "g_force_vertical" "g" 0.01 Motion;

    /// Engine speed.
    Rpm "rpm" "rpm" 1.0 Controls;
    /// Gear: −1 reverse, 0 neutral.
    Gear "gear" "" 1.0 Controls;
    /// Throttle pedal as the driver presses it.
    Throttle "throttle" "%" 0.1 Controls;
    /// Brake pedal as the driver presses it.
    Brake "brake" "%" 0.1 Controls;
    /// Clutch pedal.
    Clutch "clutch" "%" 0.1 Controls;
    /// Steering, −100 full left to 100 full right.
    Steering "steering" "%" 0.1 Controls;
    /// Pit limiter is on.
    SpeedLimiter "speed_limiter" "" 1.0 Controls;
    /// Traction control step.
    TractionControl "traction_control" "" 1.0 Controls;
    /// Traction control slip step.
    TcSlip "tc_slip" "" 1.0 Controls;
    /// Traction control power-cut step.
    TcCut "tc_cut" "" 1.0 Controls;
    /// ABS step.
    Abs "abs" "" 1.0 Controls;
    /// Engine or motor map step.
    MotorMap "motor_map" "" 1.0 Controls;
    /// Brake bias, share of the front.
    BrakeBias "brake_bias" "%" 0.1 Controls;
    /// Brake migration step.
    BrakeMigration "brake_migration" "" 1.0 Controls;
    /// Front anti-roll bar step.
    FrontArb "front_arb" "" 1.0 Controls;
    /// Rear anti-roll bar step.
    RearArb "rear_arb" "" 1.0 Controls;
    /// DRS open.
    Drs "drs" "" 1.0 Controls;

    /// Fuel in the tank.
    Fuel "fuel" "L" 0.01 Energy;
    /// Size of the tank.
    FuelCapacity "fuel_capacity" "L" 0.1 Energy;
    /// Fuel in the tank, of games that weigh it.
    FuelMass "fuel_mass" "kg" 0.01 Energy;
    /// Size of the tank, of games that weigh it.
    FuelMassCapacity "fuel_mass_capacity" "kg" 0.1 Energy;
    /// Laps of fuel left as the game computes it.
    FuelLapsLeft "fuel_laps_left" "laps" 0.01 Energy;
    /// Virtual energy left.
    VirtualEnergy "virtual_energy" "%" 0.01 Energy;
    /// Battery charge.
    BatteryCharge "battery_charge" "%" 0.1 Energy;
    /// Power recovered.
    RegenPower "regen_power" "kW" 1.0 Energy;
    /// Energy in the ERS store.
    ErsStore "ers_store" "MJ" 0.01 Energy;
    /// ERS mode: 0 none, 1 medium, 2 hot lap, 3 overtake.
    ErsMode "ers_mode" "" 1.0 Energy;
    /// Energy deployed on this lap.
    ErsDeployed "ers_deployed" "MJ" 0.01 Energy;

    /// Engine water temperature.
    EngineWaterTemp "engine_water_temp" "°C" 0.1 Engine;
    /// Engine oil temperature.
    EngineOilTemp "engine_oil_temp" "°C" 0.1 Engine;
    /// Boost pressure, absolute.
    BoostPressure "boost_pressure" "kPa" 0.1 Engine;
    /// Electric motor temperature.
    MotorTemp "motor_temp" "°C" 0.1 Engine;

    /// Tyre pressure, front left.
    TirePressureFl "tire_pressures.fl" "kPa" 0.1 Tyres;
    /// Tyre pressure, front right.
    TirePressureFr "tire_pressures.fr" "kPa" 0.1 Tyres;
    /// Tyre pressure, rear left.
    TirePressureRl "tire_pressures.rl" "kPa" 0.1 Tyres;
    /// Tyre pressure, rear right.
    TirePressureRr "tire_pressures.rr" "kPa" 0.1 Tyres;
    /// Tyre surface temperature (mean of its width), front left.
    TireTempFl "tire_temps.fl" "°C" 0.1 Tyres;
    /// Tyre surface temperature, front right.
    TireTempFr "tire_temps.fr" "°C" 0.1 Tyres;
    /// Tyre surface temperature, rear left.
    TireTempRl "tire_temps.rl" "°C" 0.1 Tyres;
    /// Tyre surface temperature, rear right.
    TireTempRr "tire_temps.rr" "°C" 0.1 Tyres;
    /// Surface temperature of the tyre's left third, front left.
    TireTempLeftFl "tire_temps_left.fl" "°C" 0.1 Tyres;
    /// Left third, front right.
    TireTempLeftFr "tire_temps_left.fr" "°C" 0.1 Tyres;
    /// Left third, rear left.
    TireTempLeftRl "tire_temps_left.rl" "°C" 0.1 Tyres;
    /// Left third, rear right.
    TireTempLeftRr "tire_temps_left.rr" "°C" 0.1 Tyres;
    /// Surface temperature of the tyre's middle third, front left.
    TireTempCenterFl "tire_temps_center.fl" "°C" 0.1 Tyres;
    /// Middle third, front right.
    TireTempCenterFr "tire_temps_center.fr" "°C" 0.1 Tyres;
    /// Middle third, rear left.
    TireTempCenterRl "tire_temps_center.rl" "°C" 0.1 Tyres;
    /// Middle third, rear right.
    TireTempCenterRr "tire_temps_center.rr" "°C" 0.1 Tyres;
    /// Surface temperature of the tyre's right third, front left.
    TireTempRightFl "tire_temps_right.fl" "°C" 0.1 Tyres;
    /// Right third, front right.
    TireTempRightFr "tire_temps_right.fr" "°C" 0.1 Tyres;
    /// Right third, rear left.
    TireTempRightRl "tire_temps_right.rl" "°C" 0.1 Tyres;
    /// Right third, rear right.
    TireTempRightRr "tire_temps_right.rr" "°C" 0.1 Tyres;
    /// Temperature of the inner layer (mean of its width), front left.
    TireInnerTempFl "tire_inner_temps.fl" "°C" 0.1 Tyres;
    /// Inner layer, front right.
    TireInnerTempFr "tire_inner_temps.fr" "°C" 0.1 Tyres;
    /// Inner layer, rear left.
    TireInnerTempRl "tire_inner_temps.rl" "°C" 0.1 Tyres;
    /// Inner layer, rear right.
    TireInnerTempRr "tire_inner_temps.rr" "°C" 0.1 Tyres;
    /// Carcass temperature, front left.
    TireCarcassTempFl "tire_carcass_temps.fl" "°C" 0.1 Tyres;
    /// Carcass, front right.
    TireCarcassTempFr "tire_carcass_temps.fr" "°C" 0.1 Tyres;
    /// Carcass, rear left.
    TireCarcassTempRl "tire_carcass_temps.rl" "°C" 0.1 Tyres;
    /// Carcass, rear right.
    TireCarcassTempRr "tire_carcass_temps.rr" "°C" 0.1 Tyres;
    /// Tyre wear, 0 new to 100 worn out, front left.
    TireWearFl "tire_wear.fl" "%" 0.01 Tyres;
    /// Tyre wear, front right.
    TireWearFr "tire_wear.fr" "%" 0.01 Tyres;
    /// Tyre wear, rear left.
    TireWearRl "tire_wear.rl" "%" 0.01 Tyres;
    /// Tyre wear, rear right.
    TireWearRr "tire_wear.rr" "%" 0.01 Tyres;
    /// Temperature at which the compound works best.
    TireOptimalTemp "tire_optimal_temp" "°C" 0.1 Tyres;
    /// Compound, front left: 0 soft, 1 medium, 2 hard, 3 wet, 4 intermediate.
    TireCompoundFl "tire_compound.fl" "" 1.0 Tyres;
    /// Compound, front right.
    TireCompoundFr "tire_compound.fr" "" 1.0 Tyres;
    /// Compound, rear left.
    TireCompoundRl "tire_compound.rl" "" 1.0 Tyres;
    /// Compound, rear right.
    TireCompoundRr "tire_compound.rr" "" 1.0 Tyres;
    /// Tyre is flat or gone, front left.
    TireFlatFl "tire_flat.fl" "" 1.0 Tyres;
    /// Tyre is flat or gone, front right.
    TireFlatFr "tire_flat.fr" "" 1.0 Tyres;
    /// Tyre is flat or gone, rear left.
    TireFlatRl "tire_flat.rl" "" 1.0 Tyres;
    /// Tyre is flat or gone, rear right.
    TireFlatRr "tire_flat.rr" "" 1.0 Tyres;
    /// Laps driven on these tyres.
    TireAge "tire_age" "laps" 1.0 Tyres;

    /// Brake disc temperature, front left.
    BrakeTempFl "brake_temps.fl" "°C" 0.5 Brakes;
    /// Brake disc temperature, front right.
    BrakeTempFr "brake_temps.fr" "°C" 0.5 Brakes;
    /// Brake disc temperature, rear left.
    BrakeTempRl "brake_temps.rl" "°C" 0.5 Brakes;
    /// Brake disc temperature, rear right.
    BrakeTempRr "brake_temps.rr" "°C" 0.5 Brakes;

    /// Ride height, front left.
    RideHeightFl "ride_height.fl" "mm" 0.1 Suspension;
    /// Ride height, front right.
    RideHeightFr "ride_height.fr" "mm" 0.1 Suspension;
    /// Ride height, rear left.
    RideHeightRl "ride_height.rl" "mm" 0.1 Suspension;
    /// Ride height, rear right.
    RideHeightRr "ride_height.rr" "mm" 0.1 Suspension;
    /// Suspension deflection, front left.
    SuspensionFl "suspension_position.fl" "mm" 0.1 Suspension;
    /// Suspension deflection, front right.
    SuspensionFr "suspension_position.fr" "mm" 0.1 Suspension;
    /// Suspension deflection, rear left.
    SuspensionRl "suspension_position.rl" "mm" 0.1 Suspension;
    /// Suspension deflection, rear right.
    SuspensionRr "suspension_position.rr" "mm" 0.1 Suspension;

    /// Track temperature.
    TrackTemp "track_temp" "°C" 0.1 Conditions;
    /// Air temperature.
    AmbientTemp "ambient_temp" "°C" 0.1 Conditions;
    /// Rain, 0 dry to 100 heaviest.
    Rain "rain" "%" 1.0 Conditions;
    /// Mean wetness of the racing line.
    TrackWetness "track_wetness" "%" 1.0 Conditions;
    /// Cloud cover.
    Clouds "clouds" "%" 1.0 Conditions;
    /// Wind speed.
    WindSpeed "wind_speed" "m/s" 0.1 Conditions;

    /// Pits: 0 track, 1 requested, 2 entering, 3 stopped, 4 exiting, 5 garage.
    PitState "pit_state" "" 1.0 State;
    /// The game will not count the current lap.
    LapInvalid "lap_invalid" "" 1.0 State;
    /// Flag shown to our car: 0 none or green, 1 yellow, 2 blue, 3 red.
    Flag "flag" "" 1.0 State;
    /// Headlights are on.
    Headlights "headlights" "" 1.0 State;
    /// Track-limits points so far.
    TrackLimitPoints "track_limit_points" "" 0.25 State;
    /// Worst dent of the bodywork: 0 none, 1 some, 2 more.
    BodyDamage "body_damage" "" 1.0 State;
    /// Front wing damage.
    FrontWingDamage "front_wing_damage" "%" 1.0 State;
    /// Rear wing damage.
    RearWingDamage "rear_wing_damage" "%" 1.0 State;
    /// Engine is overheating.
    Overheating "overheating" "" 1.0 State;
}

/// Number of channels.
pub const CHANNEL_COUNT: usize = CHANNELS.len();

impl Channel {
    /// The channel with this number.
    #[must_use]
    pub fn from_number(number: u16) -> Option<Self> {
        CHANNELS.get(usize::from(number)).map(|info| info.channel)
    }

    /// The channel with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        CHANNELS.iter().find(|info| info.name == name).map(|info| info.channel)
    }

    /// Its number on the wire.
    #[must_use]
    pub fn number(self) -> u16 {
        self as u16
    }

    /// Its entry in the catalogue.
    #[must_use]
    pub fn info(self) -> &'static ChannelInfo {
        // The catalogue is generated beside the enum, in the same order.
        &CHANNELS[self as usize]
    }
}

/// How a value that is not there is kept among the quantised ones.
pub const ABSENT: i32 = i32::MIN;

/// Our car at one instant: a quantised value per channel, kept inline so that a sample costs no allocation.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// When it was read, milliseconds since the Unix epoch by the agent's clock.
    pub at_ms: u64,
    steps: [i32; CHANNEL_COUNT],
}

impl Sample {
    /// A sample of which nothing is known yet.
    #[must_use]
    pub fn new(at_ms: u64) -> Self {
        Self { at_ms, steps: [ABSENT; CHANNEL_COUNT] }
    }

    /// Sets a channel, in the catalogue's unit. A value that is not finite leaves it absent; one that is out of range is
    /// kept at the end of the range.
    pub fn set(&mut self, channel: Channel, value: f64) {
        let steps = (value / channel.info().quantum).round();
        self.steps[channel as usize] =
            if value.is_finite() { steps.clamp(f64::from(-i32::MAX), f64::from(i32::MAX)) as i32 } else { ABSENT };
    }

    /// Sets a channel where there is a value.
    pub fn set_opt(&mut self, channel: Channel, value: Option<f64>) {
        if let Some(value) = value {
            self.set(channel, value);
        }
    }

    /// The value in the catalogue's unit.
    #[must_use]
    pub fn get(&self, channel: Channel) -> Option<f64> {
        let steps = self.steps[channel as usize];
        (steps != ABSENT).then(|| f64::from(steps) * channel.info().quantum)
    }

    /// The quantised values in the order of the channels' numbers, [`ABSENT`] where not known.
    #[must_use]
    pub fn steps(&self) -> &[i32; CHANNEL_COUNT] {
        &self.steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn numbers_and_names_are_unique_and_consistent() {
        let mut names = HashSet::new();
        for (i, info) in CHANNELS.iter().enumerate() {
            assert_eq!(usize::from(info.channel.number()), i);
            assert!(names.insert(info.name), "{} twice", info.name);
            assert_eq!(Channel::from_name(info.name), Some(info.channel));
            assert!(info.quantum > 0.0);
        }
    }

    #[test]
    fn what_is_not_finite_is_absent() {
        let mut sample = Sample::new(0);
        sample.set(Channel::Speed, f64::NAN);
        assert_eq!(sample.get(Channel::Speed), None);
        sample.set(Channel::Speed, 1e300);
        assert!(sample.get(Channel::Speed).unwrap() > 1e8);
        sample.set(Channel::Speed, 123.456);
        assert!((sample.get(Channel::Speed).unwrap() - 123.5).abs() < 1e-9);
    }
}
