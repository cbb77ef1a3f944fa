//! Id 13: more of the player's car's motion.

use super::wire::{Corners, wire};

wire! {
    /// Id 13, at the rate set in the menu, of the player's car only. Units that the specification does not state are as
    /// seen in real data.
    pub struct MotionEx {
        /// Deflection of the suspension.
        suspension_position_mm: Corners<f32>,
        /// Its speed.
        suspension_velocity_mmps: Corners<f32>,
        /// Its acceleration.
        suspension_acceleration_mmps2: Corners<f32>,
        /// Speed of the wheel's surface.
        wheel_speed_mps: Corners<f32>,
        /// Slip along the tyre.
        wheel_slip_ratio: Corners<f32>,
        /// Slip across the tyre.
        wheel_slip_angle_rad: Corners<f32>,
        /// Force across the tyre.
        wheel_lateral_force_n: Corners<f32>,
        /// Force along the tyre.
        wheel_longitudinal_force_n: Corners<f32>,
        /// Height of the centre of gravity.
        height_of_cog_m: f32,
        /// Velocity in the car's frame.
        local_velocity_x_mps: f32,
        /// Velocity in the car's frame.
        local_velocity_y_mps: f32,
        /// Velocity in the car's frame.
        local_velocity_z_mps: f32,
        /// Turning.
        angular_velocity_x_radps: f32,
        /// Turning.
        angular_velocity_y_radps: f32,
        /// Turning.
        angular_velocity_z_radps: f32,
        /// Change of turning.
        angular_acceleration_x_radps2: f32,
        /// Change of turning.
        angular_acceleration_y_radps2: f32,
        /// Change of turning.
        angular_acceleration_z_radps2: f32,
        /// Angle of the front wheels.
        front_wheels_angle_rad: f32,
        /// Load on the tyre.
        wheel_vertical_force_n: Corners<f32>,
        /// Height of the front edge of the plank.
        front_aero_height_m: f32,
        /// Height of the rear edge of the plank.
        rear_aero_height_m: f32,
        /// Roll of the front axle.
        front_roll_angle_rad: f32,
        /// Roll of the rear axle.
        rear_roll_angle_rad: f32,
        /// Yaw of the chassis against its motion.
        chassis_yaw_rad: f32,
        /// Pitch of the chassis against its motion.
        chassis_pitch_rad: f32,
        /// Camber.
        wheel_camber_rad: Corners<f32>,
        /// Change of camber.
        wheel_camber_gain_rad: Corners<f32>,
    }
}
