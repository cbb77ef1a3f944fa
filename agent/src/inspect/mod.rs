//! What `onelap-agent inspect` prints: images and datagrams as JSON.

pub mod f1;
pub mod lmu;
