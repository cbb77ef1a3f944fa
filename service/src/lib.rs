//! The 1Lap relay: takes what agents send, shows it live, keeps it in Postgres, and serves it for review.

#[cfg(all(onelap_chaos_ack_before_commit, not(debug_assertions)))]
compile_error!("a build that is wrong on purpose is not for release");

pub mod accounts;
pub mod app;
pub mod auth;
pub mod body;
pub mod config;
pub mod db;
pub mod error;
pub mod figures;
pub mod headers;
pub mod health;
pub mod ingest;
pub mod laps;
pub mod live;
pub mod metrics;
pub mod openapi;
pub mod pages;
pub mod race;
pub mod recorder;
pub mod rigs;
pub mod sessions;
pub mod setups;
pub mod teams;
pub mod telemetry;
