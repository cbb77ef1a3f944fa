//! What the log asks of a disk ([`Disk`]), and a folder that does it ([`Folder`]).
//!
//! Appending and reading happen at once, on the caller's thread: the page cache takes a record in microseconds. What
//! waits for the medium (fsync, replacing the state file, and removing a segment after that) is done in order by a
//! thread beside it, so that a slow disk does not hold up the live samples. What goes wrong there is told at the next
//! [`Disk::sync`].
//!
//! A folder belongs to one agent at a time: it holds a lock on the file `lock`, which the system lets go with the
//! process, however that ends.

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Jobs that wait for the medium. Where it is full, a sync is left out, and all else waits.
const JOBS: usize = 64;
/// How long the end of the agent waits for the medium.
const FLUSH: Duration = Duration::from_secs(2);
/// Name of the lock file.
const LOCK: &str = "lock";

/// Files by name, as a log needs them.
pub trait Disk: fmt::Debug {
    /// Names of the files that are there.
    ///
    /// # Errors
    /// Where they cannot be listed.
    fn names(&mut self) -> io::Result<Vec<String>>;

    /// Appends at most `most` bytes of a file from `offset` on to `into`; fewer at its end only.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn read(&mut self, name: &str, offset: u64, most: usize, into: &mut Vec<u8>) -> io::Result<()>;

    /// Makes a file of these bytes, in place of one that is there.
    ///
    /// # Errors
    /// Where it is not written whole; a part of it may be.
    fn create(&mut self, name: &str, bytes: &[u8]) -> io::Result<()>;

    /// Appends to the file that was created last.
    ///
    /// # Errors
    /// Where it is not written whole; a part of it may be.
    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()>;

    /// Cuts a file off.
    ///
    /// # Errors
    /// Where that is not possible.
    fn cut(&mut self, name: &str, len: u64) -> io::Result<()>;

    /// Puts these bytes in place of a file, whole or not at all. In order with [`Disk::remove`], perhaps later; where
    /// the disk is full, after that has made room.
    ///
    /// # Errors
    /// Where it is known by now that it is not possible.
    fn replace(&mut self, name: &str, bytes: Vec<u8>) -> io::Result<()>;

    /// Removes a file; its name does not come again. In order with [`Disk::replace`], perhaps later.
    ///
    /// # Errors
    /// Where it is known by now that it is not possible.
    fn remove(&mut self, name: &str) -> io::Result<()>;

    /// Has what was appended to a file brought to the medium soon.
    ///
    /// # Errors
    /// What has gone wrong since the last call.
    fn sync(&mut self, name: &str) -> io::Result<()>;

    /// Waits until everything is done, though not for ever.
    ///
    /// # Errors
    /// What has gone wrong.
    fn flush(&mut self) -> io::Result<()>;
}

/// Why a folder is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Another agent has it.
    #[error("{}: another agent keeps its data there: stop that one, or give this one its own --spool-dir", .0.display())]
    Taken(PathBuf),
    /// It cannot be made, or not written.
    #[error("{}: nothing can be kept there ({cause}): set --spool-dir to a folder that can be written", path.display())]
    Io {
        /// The folder.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
}

enum Job {
    Sync(File),
    SyncFolder,
    Replace(String, Vec<u8>),
    Remove(String),
    Flushed(SyncSender<()>),
}

/// See the module.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    written: Option<(String, File)>,
    read: Option<(String, File)>,
    jobs: Option<SyncSender<Job>>,
    worker: Option<thread::JoinHandle<()>>,
    fault: Arc<Mutex<Option<io::Error>>>,
}

impl Folder {
    /// Takes a folder for this process, making it where it is not there.
    ///
    /// # Errors
    /// [`FolderError`]
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        let io = |cause| FolderError::Io { path: path.to_owned(), cause };
        make_folder(path).map_err(io)?;
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(path.join(LOCK)).map_err(io)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(FolderError::Taken(path.to_owned())),
            Err(TryLockError::Error(cause)) => return Err(io(cause)),
        }
        let (jobs, queue) = sync_channel(JOBS);
        let fault = Arc::new(Mutex::new(None));
        let worker = Worker { path: path.to_owned(), fault: Arc::clone(&fault), _lock: lock };
        let thread = thread::Builder::new().name("spool".into());
        let worker = Some(thread.spawn(move || worker.run(&queue)).map_err(io)?);
        Ok(Self { path: path.to_owned(), written: None, read: None, jobs: Some(jobs), worker, fault })
    }

    fn job(&mut self, job: Job) -> io::Result<()> {
        let sent = self.jobs.as_ref().is_some_and(|jobs| jobs.send(job).is_ok());
        if sent { Ok(()) } else { Err(io::Error::other("the thread that writes to the disk has ended")) }
    }

    fn take_fault(&mut self) -> io::Result<()> {
        // A fault is one value: it is whole whoever panicked.
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).take().map_or(Ok(()), Err)
    }

    /// The file that is being written, if this is it.
    fn being_written(&mut self, name: &str) -> io::Result<&mut File> {
        match &mut self.written {
            Some((written, file)) if written == name => Ok(file),
            _ => Err(io::Error::other("the file is not open")),
        }
    }
}

impl Disk for Folder {
    fn names(&mut self) -> io::Result<Vec<String>> {
        let entries = fs::read_dir(&self.path)?;
        entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    }

    fn read(&mut self, name: &str, offset: u64, most: usize, into: &mut Vec<u8>) -> io::Result<()> {
        let mut file = match self.read.take() {
            Some((open, file)) if open == name => file,
            _ => File::open(self.path.join(name))?,
        };
        file.seek(SeekFrom::Start(offset))?;
        (&mut file).take(most as u64).read_to_end(into)?;
        self.read = Some((name.to_owned(), file));
        Ok(())
    }

    fn create(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.written = None;
        let mut file = OpenOptions::new().create(true).write(true).truncate(true).open(self.path.join(name))?;
        file.write_all(bytes)?;
        self.written = Some((name.to_owned(), file));
        self.job(Job::SyncFolder)
    }

    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.being_written(name)?.write_all(bytes)
    }

    fn cut(&mut self, name: &str, len: u64) -> io::Result<()> {
        match self.being_written(name) {
            Ok(file) => {
                file.set_len(len)?;
                file.seek(SeekFrom::Start(len)).map(drop)
            }
            Err(_) => OpenOptions::new().write(true).open(self.path.join(name))?.set_len(len),
        }
    }

    fn replace(&mut self, name: &str, bytes: Vec<u8>) -> io::Result<()> {
        self.job(Job::Replace(name.to_owned(), bytes))
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        // Windows removes no file that is open.
        self.written.take_if(|(open, _)| open == name);
        self.read.take_if(|(open, _)| open == name);
        self.job(Job::Remove(name.to_owned()))
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        if let Ok(file) = self.being_written(name) {
            let file = file.try_clone()?;
            // Where the queue is full the medium is busy; a later sync does for this one.
            let _ = self.jobs.as_ref().map(|jobs| jobs.try_send(Job::Sync(file)));
        }
        self.take_fault()
    }

    fn flush(&mut self) -> io::Result<()> {
        let (done, is_done) = sync_channel(1);
        self.job(Job::Flushed(done))?;
        is_done.recv_timeout(FLUSH).map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?;
        self.take_fault()
    }
}

/// Who takes the folder next finds nothing still to be done in it, unless the medium has got stuck.
impl Drop for Folder {
    fn drop(&mut self) {
        let is_stuck = self.flush().is_err_and(|error| error.kind() == io::ErrorKind::TimedOut);
        self.jobs = None;
        if let Some(worker) = self.worker.take().filter(|_| !is_stuck) {
            // A worker that panicked has said so.
            let _ = worker.join();
        }
    }
}

/// The thread that waits for the medium. The lock goes with it.
struct Worker {
    path: PathBuf,
    fault: Arc<Mutex<Option<io::Error>>>,
    _lock: File,
}

impl Worker {
    fn run(self, queue: &Receiver<Job>) {
        // The last file that the disk did not take.
        let mut untaken: Option<(String, Vec<u8>)> = None;
        while let Ok(job) = queue.recv() {
            let done = match job {
                Job::Sync(file) => file.sync_data(),
                Job::SyncFolder => sync_folder(&self.path),
                Job::Replace(name, bytes) => {
                    let done = self.replace(&name, &bytes);
                    untaken = done.is_err().then_some((name, bytes));
                    done
                }
                Job::Remove(name) => {
                    let done = self.remove(&name);
                    untaken.take().map_or(Ok(()), |(name, bytes)| self.replace(&name, &bytes)).and(done)
                }
                Job::Flushed(done) => {
                    // Who waited no longer needs to know.
                    let _ = done.try_send(());
                    Ok(())
                }
            };
            if let Err(error) = done {
                *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            }
        }
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.path.join(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            done => done,
        }
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let new = self.path.join(format!("{name}.new"));
        let mut file = File::create(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        drop(file);
        fs::rename(&new, self.path.join(name))?;
        sync_folder(&self.path)
    }
}

#[cfg(unix)]
fn make_folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(not(unix))]
fn make_folder(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

/// A new file is there after a power failure only if its folder says so.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Windows journals its folders, and opens none as a file.
#[cfg(not(unix))]
fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(folder: &mut Folder, name: &str) -> String {
        let mut bytes = Vec::new();
        folder.read(name, 0, 100, &mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_folder_keeps_what_it_is_given() {
        let place = tempfile::tempdir().unwrap();
        let mut folder = Folder::open(&place.path().join("a/b")).unwrap();
        folder.create("one", b"one").unwrap();
        folder.append("one", b" and two").unwrap();
        folder.sync("one").unwrap();
        assert_eq!(text(&mut folder, "one"), "one and two");
        folder.cut("one", 5).unwrap();
        folder.append("one", b"!").unwrap();
        let mut part = Vec::new();
        folder.read("one", 2, 2, &mut part).unwrap();
        assert_eq!(part, b"e ");
        assert_eq!(text(&mut folder, "one"), "one a!");
        folder.create("two", b"").unwrap();
        assert!(folder.append("one", b"x").is_err(), "only the last one is written");
        folder.replace("state", b"new".to_vec()).unwrap();
        folder.remove("one").unwrap();
        folder.flush().unwrap();
        let mut names = folder.names().unwrap();
        names.sort();
        assert_eq!(names, [LOCK, "state", "two"]);
        assert_eq!(text(&mut folder, "state"), "new");
    }

    #[test]
    fn a_folder_has_one_owner_at_a_time() {
        let place = tempfile::tempdir().unwrap();
        let first = Folder::open(place.path()).unwrap();
        let refused = Folder::open(place.path()).unwrap_err();
        assert!(matches!(refused, FolderError::Taken(_)), "{refused}");
        assert!(refused.to_string().contains("--spool-dir"), "{refused}");
        drop(first);
        Folder::open(place.path()).unwrap();
    }

    #[test]
    fn what_goes_wrong_behind_the_back_is_told() {
        let place = tempfile::tempdir().unwrap();
        let mut folder = Folder::open(place.path()).unwrap();
        // Nothing can be renamed over a folder that is not empty.
        fs::create_dir_all(place.path().join("state/full")).unwrap();
        folder.replace("state", b"new".to_vec()).unwrap();
        assert!(folder.flush().is_err());
        folder.flush().unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_cannot_be_made_says_which_and_what_to_do() {
        let place = tempfile::tempdir().unwrap();
        fs::write(place.path().join("file"), "").unwrap();
        let path = place.path().join("file/spool");
        let refused = Folder::open(&path).unwrap_err().to_string();
        assert!(refused.contains(&path.display().to_string()) && refused.contains("--spool-dir"), "{refused}");
    }
}
