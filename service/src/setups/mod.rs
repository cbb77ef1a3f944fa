//! Setups by their content's hash.
//!
//! Not here: storing them (`recorder`).

pub(crate) mod routes;
mod store;

pub use routes::routes;
