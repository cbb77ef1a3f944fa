//! Le Mans Ultimate as programs see it: the `LMU_Data` memory and the REST interface.

pub(crate) mod garage;
pub(crate) mod image;
pub(crate) mod layout;
pub(crate) mod mapping;
pub(crate) mod memory;
pub(crate) mod rest;
pub(crate) mod scoring;
pub(crate) mod telemetry;
pub(crate) mod watch;
