//! The spool on disks that are really full and really read-only: small ones in memory, which only root may mount.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "helpers of tests are not test functions to clippy")]

use onelap_agent::spool::Spool;
use onelap_protocol::SessionId;
use onelap_protocol::agent::{EndReason, Place, Record};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

const UNIX_MS: u64 = 1_800_000_000_000;

/// A disk of 256 KiB, as long as it is wanted.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// Mounts it, or says why the test cannot run.
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        if run(Command::new("mount").args(["-t", "tmpfs", "-o", "size=256k", "tmpfs"]).arg(folder.path())) {
            return Some(Self(folder));
        }
        println!("skipped: a disk can be mounted by root alone");
        None
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn remount(&self, how: &str) {
        assert!(run(Command::new("mount").args(["-o", how]).arg(self.path())), "{how}");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        run(Command::new("umount").arg("--lazy").arg(self.path()));
    }
}

fn run(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

fn push(spool: &mut Spool, session: SessionId) {
    spool.push_record(session, Record::End { reason: EndReason::Left }).unwrap();
}

/// Lets time pass until the disk takes everything. Files are removed by a thread beside this one.
fn until_there_is_room(spool: &mut Spool, now_ms: &mut u64) {
    let began = Instant::now();
    while spool.problem().is_some() {
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", spool.problem());
        *now_ms += 10;
        spool.maintain(*now_ms);
        std::thread::yield_now();
    }
}

#[test]
fn a_full_disk_is_told_once_and_nothing_is_lost() {
    let Some(disk) = SmallDisk::mount() else { return };
    let mut spool = Spool::open(&disk.path().join("spool"), 0, 4 << 20, UNIX_MS).unwrap();
    let session = SessionId::new();
    let (mut told, mut items) = (Vec::new(), 0);
    for now_ms in (0..40_000).step_by(10) {
        push(&mut spool, session);
        items += 1;
        spool.maintain(now_ms);
        if spool.problem() != told.last().cloned().flatten() {
            told.push(spool.problem());
        }
    }
    assert_eq!(told.len(), 1, "{told:?}");
    let why = told[0].as_deref().unwrap();
    assert!(why.starts_with("the disk is full: "), "{why}");
    assert_eq!((spool.items(), spool.lost_items(), spool.is_on_disk()), (items, 0, false));

    // The service takes it: there is room again.
    let epoch = spool.epoch();
    spool.ack(Place { session, epoch, sequence: items });
    let mut now_ms = 40_000;
    until_there_is_room(&mut spool, &mut now_ms);
    push(&mut spool, session);
    // The first file that is gone may not be room enough for the next.
    until_there_is_room(&mut spool, &mut now_ms);
    assert_eq!((spool.problem(), spool.is_on_disk(), spool.items()), (None, true, 1));
    spool.close();
    drop(spool);
    let next = Spool::open(&disk.path().join("spool"), 0, 4 << 20, UNIX_MS + 1).unwrap();
    assert_eq!((next.items(), next.lost_items()), (1, 0));
}

#[test]
fn a_read_only_disk_is_told_with_its_folder_and_used_once_it_can_be() {
    let Some(disk) = SmallDisk::mount() else { return };
    disk.remount("remount,ro");
    let folder = disk.path().join("spool");
    let mut spool = Spool::open_or_wait(&folder, 0, 4 << 20, UNIX_MS).unwrap();
    let session = SessionId::new();
    push(&mut spool, session);
    let why = spool.problem().unwrap();
    assert!(
        why.contains(&folder.display().to_string()) && why.contains("Read-only") && why.contains("--spool-dir"),
        "{why}"
    );
    assert!(!spool.retry_folder(0));
    disk.remount("remount,rw");
    assert!(spool.retry_folder(60_000));
    assert_eq!((spool.problem(), spool.is_on_disk(), spool.items()), (None, true, 1));
}
