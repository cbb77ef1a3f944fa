//! The 1Lap relay: takes what agents send, shows it live, keeps it in Postgres, and serves it for review.

pub mod db;
