//! A disk in memory that can be full, die in the middle of a write, and lose what was not synced. For tests.

use crate::spool::disk::Disk;
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

/// A file, and how much of it is on the medium.
#[derive(Debug, Clone, Default)]
pub(super) struct File {
    pub(super) bytes: Vec<u8>,
    synced: usize,
}

/// What happens to the disk.
#[derive(Debug, Default)]
pub(super) struct Fate {
    pub(super) files: BTreeMap<String, File>,
    /// The process dies in the middle of the write after so many more; how much of that is done goes by the second.
    pub(super) dies: Option<(u32, usize)>,
    pub(super) is_dead: bool,
    pub(super) is_full: bool,
    /// What it says when it is full, if that is something else.
    pub(super) refuses: Option<io::ErrorKind>,
    pub(super) writes: u32,
}

impl Fate {
    /// How much of a write of `len` is done, and what comes of it.
    fn write(&mut self, len: usize) -> (usize, io::Result<()>) {
        if self.is_dead {
            return (0, Err(dead()));
        }
        self.writes += 1;
        match &mut self.dies {
            Some((0, part)) => {
                self.is_dead = true;
                return (*part % (len + 1), Err(dead()));
            }
            Some((writes, _)) => *writes -= 1,
            None => {}
        }
        if self.is_full {
            (len / 2, Err(self.refuses.unwrap_or(io::ErrorKind::StorageFull).into()))
        } else {
            (len, Ok(()))
        }
    }

    /// As [`Fate::write`], of something that needs no room and is done whole or not at all.
    fn change(&mut self) -> (bool, io::Result<()>) {
        let is_full = std::mem::take(&mut self.is_full);
        let (done, result) = self.write(1);
        self.is_full = is_full;
        (done == 1, result)
    }

    /// The process is started again. Where the power failed, a part of what was not synced is gone.
    pub(super) fn restart(&mut self, power_failed: Option<usize>) {
        (self.dies, self.is_dead) = (None, false);
        for file in self.files.values_mut() {
            if let Some(part) = power_failed {
                let unsynced = file.bytes.len() - file.synced.min(file.bytes.len());
                file.bytes.truncate(file.bytes.len() - part % (unsynced + 1));
            }
            file.synced = file.bytes.len();
        }
    }
}

fn dead() -> io::Error {
    io::Error::other("the process is dead")
}

/// See the module. Clones are the same disk.
#[derive(Debug, Clone, Default)]
pub(super) struct FaultyDisk(Arc<Mutex<Fate>>);

impl FaultyDisk {
    pub(super) fn fate(&self) -> MutexGuard<'_, Fate> {
        self.0.lock().unwrap()
    }
}

impl Disk for FaultyDisk {
    fn names(&mut self) -> io::Result<Vec<String>> {
        Ok(self.fate().files.keys().cloned().collect())
    }

    fn read(&mut self, name: &str, offset: u64, most: usize, into: &mut Vec<u8>) -> io::Result<()> {
        let fate = self.fate();
        let file = fate.files.get(name).ok_or(io::ErrorKind::NotFound)?;
        into.extend(file.bytes.iter().skip(offset as usize).take(most));
        Ok(())
    }

    fn create(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut fate = self.fate();
        let (done, result) = fate.write(bytes.len());
        if done > 0 || result.is_ok() {
            fate.files.insert(name.to_owned(), File { bytes: bytes[..done].to_vec(), synced: 0 });
        }
        result
    }

    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut fate = self.fate();
        let (done, result) = fate.write(bytes.len());
        fate.files.get_mut(name).ok_or(io::ErrorKind::NotFound)?.bytes.extend(&bytes[..done]);
        result
    }

    fn cut(&mut self, name: &str, len: u64) -> io::Result<()> {
        let mut fate = self.fate();
        let (done, result) = fate.change();
        if done {
            let file = fate.files.get_mut(name).ok_or(io::ErrorKind::NotFound)?;
            file.bytes.truncate(len as usize);
            file.synced = file.synced.min(len as usize);
        }
        result
    }

    fn replace(&mut self, name: &str, bytes: Vec<u8>) -> io::Result<()> {
        let mut fate = self.fate();
        let (done, result) = fate.write(bytes.len());
        // Whole or not at all: with the last byte comes the new name.
        if done == bytes.len() {
            let synced = bytes.len();
            fate.files.insert(name.to_owned(), File { bytes, synced });
        }
        result
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        let mut fate = self.fate();
        let (done, result) = fate.change();
        if done {
            fate.files.remove(name);
        }
        result
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        let mut fate = self.fate();
        if fate.is_dead {
            return Err(dead());
        }
        if let Some(file) = fate.files.get_mut(name) {
            file.synced = file.bytes.len();
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.fate().is_dead { Err(dead()) } else { Ok(()) }
    }
}
