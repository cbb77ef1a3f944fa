//! The mapping as a file: under `/dev/shm`, where users of Proton have it put.

use crate::source::lmu::image::SIZE;
use crate::source::lmu::snapshot::Memory;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// An open file, read in place.
#[derive(Debug)]
pub struct Mapping {
    file: File,
}

impl Mapping {
    /// Opens the file.
    pub fn open(location: &str) -> io::Result<Self> {
        // Looked at before it is opened: to open a pipe would wait for a writer.
        let found = std::fs::metadata(location)?;
        if !found.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("{location} is not a file")));
        }
        if found.len() < SIZE as u64 {
            return Err(super::too_short(location, found.len()));
        }
        Ok(Self { file: File::open(location)? })
    }
}

impl Memory for Mapping {
    fn copy(&self, at: usize, out: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(out, at as u64)
    }
}
