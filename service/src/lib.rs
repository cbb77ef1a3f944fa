//! The 1Lap relay: takes what agents send, shows it live, keeps it in Postgres, and serves it for review.

pub mod about;
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
pub mod mail;
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
