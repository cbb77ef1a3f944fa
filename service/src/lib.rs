//! The 1Lap relay: takes what agents send, shows it live, keeps it in Postgres, and serves it for review.

#[cfg(all(onelap_chaos_ack_before_commit, not(debug_assertions)))]
compile_error!("a build that is wrong on purpose is not for release");

pub mod about;
pub mod accounts;
pub mod api_keys;
pub mod app;
pub mod audit;
pub mod auth;
pub mod body;
pub mod config;
pub mod db;
pub mod error;
pub mod figures;
pub mod headers;
pub mod health;
pub mod ingest;
pub mod invitations;
pub mod laps;
pub mod limits;
pub mod live;
pub mod mail;
pub mod metrics;
pub mod openapi;
pub mod operators;
pub mod pages;
pub mod pairing;
pub mod race;
pub mod recorder;
pub mod rigs;
pub mod sessions;
pub mod setups;
pub mod shares;
pub mod teams;
pub mod telemetry;
pub mod traces;
