//! A folder that is not to be had when the agent starts: the spool begins in memory, and moves into the folder once that
//! is there. What an earlier run has left in it has smaller serials, and is sent from then on.

use crate::spool::disk::{Disk, Folder, FolderError};
use crate::spool::log::{Log, Sizes};
use crate::spool::segment::LIMIT;
use crate::spool::{Spool, Trouble};
use std::io;
use std::path::{Path, PathBuf};

/// How often the folder is tried again.
const RETRY_MS: u64 = 10_000;

/// The folder that there should be.
#[derive(Debug)]
pub(super) struct Missing {
    folder: PathBuf,
    cap_bytes: u64,
    /// Why it is not there.
    pub(super) why: String,
    retry_ms: Option<u64>,
    /// Serial with which this run began.
    first_serial: u64,
}

impl Spool {
    /// As [`Spool::open`], in memory alone as long as the folder is not to be had.
    ///
    /// # Errors
    /// Where another agent has the folder.
    pub fn open_or_wait(folder: &Path, cap_bytes: u64, memory_limit: usize, unix_ms: u64) -> Result<Self, FolderError> {
        match Self::open(folder, cap_bytes, memory_limit, unix_ms) {
            Err(error @ FolderError::Io { .. }) => {
                tracing::warn!(%error, "nothing is kept on disk");
                let mut spool = Self::new(unix_ms, memory_limit);
                // Greater than any that may be in the folder: a run takes fewer than that in a millisecond.
                spool.next_serial = (unix_ms << 16).min(LIMIT / 2);
                let (why, first_serial) = (error.to_string(), spool.next_serial);
                spool.missing =
                    Some(Missing { folder: folder.to_owned(), cap_bytes, why, retry_ms: None, first_serial });
                Ok(spool)
            }
            opened => opened,
        }
    }

    /// Tries the folder again, if it is missing and that is due; to be called a few times a second. Returns whether the
    /// spool has moved into it now.
    pub fn retry_folder(&mut self, now_ms: u64) -> bool {
        let Some(missing) = &mut self.missing else { return false };
        if now_ms < *missing.retry_ms.get_or_insert(now_ms + RETRY_MS) {
            return false;
        }
        missing.retry_ms = Some(now_ms + RETRY_MS);
        let (sizes, first_serial) = (Sizes::with_cap(missing.cap_bytes), missing.first_serial);
        let folder = missing.folder.clone();
        let io = |cause| FolderError::Io { path: folder.clone(), cause };
        let opened = Folder::open(&folder).and_then(|disk| Log::open(disk, sizes).map_err(io));
        match opened.and_then(|log| self.move_into(log, first_serial).map_err(io)) {
            Ok(()) => true,
            Err(error) => {
                self.missing.iter_mut().for_each(|missing| missing.why = error.to_string());
                false
            }
        }
    }
}

impl<D: Disk> Spool<D> {
    fn move_into(&mut self, mut log: Log<D>, first_serial: u64) -> io::Result<()> {
        if log.state().epoch >= self.epoch || log.end_serial() > first_serial {
            return Err(io::Error::other("the PC's clock was set back: start the agent again"));
        }
        let epoch = self.epoch;
        log.remember(|state| state.epoch = epoch);
        let why = "the folder has just come".to_owned();
        self.trouble = Some(Trouble { why, unwritten: first_serial, retry_ms: Some(0) });
        (self.log, self.missing) = (Some(log), None);
        self.save();
        self.catch_up();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use onelap_protocol::SessionId;
    use onelap_protocol::agent::{EndReason, Place, Record};

    const NOW_MS: u64 = 1_800_000_000_000;

    fn push(spool: &mut Spool, session: SessionId, items: u64) {
        for _ in 0..items {
            spool.push_record(session, Record::End { reason: EndReason::Left }).unwrap();
        }
    }

    fn all(spool: &mut Spool) -> Vec<(SessionId, u64)> {
        let first = spool.at(0);
        std::iter::successors(first, |item| spool.at(item.serial + 1))
            .map(|item| (item.place.session, item.place.sequence))
            .collect()
    }

    #[test]
    fn a_folder_that_comes_later_takes_what_is_in_memory_and_gives_what_it_had() {
        let place = tempfile::tempdir().unwrap();
        let (folder, away) = (place.path().join("spool"), place.path().join("away"));
        let (old, new) = (SessionId::new(), SessionId::new());
        let mut first = Spool::open(&folder, 0, 1 << 20, NOW_MS).unwrap();
        push(&mut first, old, 3);
        drop(first);
        std::fs::rename(&folder, &away).unwrap();
        std::fs::write(&folder, "").unwrap();

        let mut spool = Spool::open_or_wait(&folder, 0, 1 << 20, NOW_MS + 1).unwrap();
        push(&mut spool, new, 5);
        let acked = spool.next_place(new).sequence - 1;
        spool.ack(Place { sequence: acked, ..spool.next_place(new) });
        push(&mut spool, new, 5);
        assert!(!spool.retry_folder(0));
        assert!(!spool.retry_folder(RETRY_MS));
        let problem = spool.problem().unwrap();
        assert!(problem.contains("--spool-dir") && problem.contains(&folder.display().to_string()), "{problem}");
        std::fs::remove_file(&folder).unwrap();
        std::fs::rename(&away, &folder).unwrap();
        assert!(!spool.retry_folder(RETRY_MS + 1), "not all the time");
        assert!(spool.retry_folder(2 * RETRY_MS));
        assert_eq!((spool.problem(), spool.is_on_disk()), (None, true));
        push(&mut spool, new, 1);
        let expected: Vec<_> = (1..=3).map(|n| (old, n)).chain((6..=11).map(|n| (new, n))).collect();
        assert_eq!(all(&mut spool), expected);
        drop(spool);

        let mut next = Spool::open(&folder, 0, 1 << 20, NOW_MS + 2).unwrap();
        assert_eq!(all(&mut next), expected);
        assert_eq!(next.losses().items(), 0);
    }

    #[test]
    fn a_folder_of_a_later_run_is_not_moved_into() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("file/spool");
        std::fs::write(place.path().join("file"), "").unwrap();
        let mut spool = Spool::open_or_wait(&folder, 0, 1 << 20, NOW_MS).unwrap();
        assert!(!spool.retry_folder(0));
        std::fs::remove_file(place.path().join("file")).unwrap();
        drop(Spool::open(&folder, 0, 1 << 20, NOW_MS + 5).unwrap());
        assert!(!spool.retry_folder(RETRY_MS));
        assert!(spool.problem().unwrap().contains("clock"), "{:?}", spool.problem());
        push(&mut spool, SessionId::new(), 1);
        assert_eq!(spool.items(), 1);
    }
}
