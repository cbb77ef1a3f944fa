//! Id 0: where the cars are and how they move.

use super::CARS;
use super::wire::{Direction, wire};

wire! {
    /// Id 0, at the rate set in the menu.
    pub struct Motion {
        /// The cars.
        cars: [CarMotion; CARS],
    }
}

wire! {
    /// One car's motion. The axes as seen in real data: with z pointing south, x points east and y up.
    pub struct CarMotion {
        /// Place, east.
        position_x_m: f32,
        /// Place, up.
        position_y_m: f32,
        /// Place, south.
        position_z_m: f32,
        /// Velocity, east.
        velocity_x_mps: f32,
        /// Velocity, up.
        velocity_y_mps: f32,
        /// Velocity, south.
        velocity_z_mps: f32,
        /// Where the nose points, east.
        forward_x: Direction,
        /// Where the nose points, up.
        forward_y: Direction,
        /// Where the nose points, south.
        forward_z: Direction,
        /// Where the car's right is, east.
        right_x: Direction,
        /// Where the car's right is, up.
        right_y: Direction,
        /// Where the car's right is, south.
        right_z: Direction,
        /// Lateral; positive in a left-hand corner, as seen in real data.
        lateral_g: f32,
        /// Longitudinal; positive when gaining speed.
        longitudinal_g: f32,
        /// Vertical, without gravity.
        vertical_g: f32,
        /// Yaw.
        yaw_rad: f32,
        /// Pitch.
        pitch_rad: f32,
        /// Roll.
        roll_rad: f32,
    }
}
