//! Where the settings are, and files that only their owner may read.

use std::env;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The settings file in the platform's own place; `None` where the system does not say where that is.
#[must_use]
pub fn default_path() -> Option<PathBuf> {
    path_from(cfg!(windows), |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from))
}

fn path_from(windows: bool, var: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    if windows {
        return Some(var("APPDATA")?.join("1Lap").join("agent.toml"));
    }
    // A relative XDG_CONFIG_HOME is to be ignored, says its specification.
    let absolute = var("XDG_CONFIG_HOME").filter(|path| path.is_absolute());
    Some(absolute.or_else(|| Some(var("HOME")?.join(".config")))?.join("onelap").join("agent.toml"))
}

/// Where what is not sent yet is kept, in the platform's own place; `None` where the system does not say where that is.
#[must_use]
pub fn default_spool() -> Option<PathBuf> {
    spool_from(cfg!(windows), |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from))
}

fn spool_from(windows: bool, var: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    if windows {
        // Not in the profile that roams.
        return Some(var("LOCALAPPDATA")?.join("1Lap").join("spool"));
    }
    let absolute = var("XDG_STATE_HOME").filter(|path| path.is_absolute());
    Some(absolute.or_else(|| Some(var("HOME")?.join(".local").join("state")))?.join("onelap").join("spool"))
}

/// Writes a file that only its owner may read, whole or not at all, and the folders on the way.
///
/// On Windows the file inherits the permissions of the folder it is in, which in a user's profile are the user's.
///
/// # Errors
/// Where it cannot be written.
pub fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let new = beside(path)?;
    let written = private_file(&new).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.and_then(|()| fs::rename(&new, path)).inspect_err(|_| {
        // Nothing half-written stays; what matters is the first error.
        let _ = fs::remove_file(&new);
    })
}

/// Whether [`write_private`] can write there, for what there is only once. Makes the folders on the way.
///
/// # Errors
/// Why it could not.
pub fn can_write_private(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let new = beside(path)?;
    private_file(&new).map(drop)?;
    fs::remove_file(&new)
}

/// Where a file is written before it takes the other's place: in the same folder, which is made if it is not there.
fn beside(path: &Path) -> io::Result<PathBuf> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        private_folder(folder)?;
    }
    let mut name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let new = path.with_file_name(name);
    // What another run left when it was killed.
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(new),
    }
}

#[cfg(unix)]
fn private_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn private_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

#[cfg(unix)]
fn private_file(path: &Path) -> io::Result<fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn private_file(path: &Path) -> io::Result<fs::File> {
    fs::OpenOptions::new().write(true).create_new(true).open(path)
}

/// Whether others than the owner may read a file.
#[cfg(unix)]
#[must_use]
pub fn others_may_read(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0)
}

/// Whether others than the owner may read a file; not known here.
#[cfg(not(unix))]
#[must_use]
pub fn others_may_read(_path: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    // Windows calls no path of Linux absolute.
    #[test]
    fn the_spool_is_in_the_platforms_place() {
        let home = |name: &str| (name == "HOME").then(|| PathBuf::from("/home/d"));
        assert_eq!(spool_from(false, home), Some(PathBuf::from("/home/d/.local/state/onelap/spool")));
        let windows = |name: &str| (name == "LOCALAPPDATA").then(|| PathBuf::from("L"));
        assert_eq!(spool_from(true, windows), Some(PathBuf::from("L").join("1Lap").join("spool")));
    }

    #[cfg(unix)]
    #[test]
    fn on_linux_the_file_is_where_xdg_says() {
        let linux = |name: &str| match name {
            "HOME" => Some(PathBuf::from("/home/d")),
            "XDG_CONFIG_HOME" => Some(PathBuf::from("/cfg")),
            _ => None,
        };
        assert_eq!(path_from(false, linux), Some(PathBuf::from("/cfg/onelap/agent.toml")));
        let home = |name: &str| (name == "HOME").then(|| PathBuf::from("/home/d"));
        assert_eq!(path_from(false, home), Some(PathBuf::from("/home/d/.config/onelap/agent.toml")));
    }

    #[test]
    fn on_windows_the_file_is_in_the_users_profile() {
        let windows = |name: &str| (name == "APPDATA").then(|| PathBuf::from("C:\\Users\\d\\AppData\\Roaming"));
        let expected = PathBuf::from("C:\\Users\\d\\AppData\\Roaming").join("1Lap").join("agent.toml");
        assert_eq!(path_from(true, windows), Some(expected));
        assert_eq!(path_from(true, |_| None), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_private_file_is_private_even_over_one_that_was_not() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/token");
        write_private(&path, "one").unwrap();
        assert!(!others_may_read(&path));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(others_may_read(&path));
        write_private(&path, "two").unwrap();
        assert!(!others_may_read(&path));
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn whether_a_file_can_be_written_is_known_before_there_is_anything_to_write() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/token");
        can_write_private(&path).unwrap();
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 0, "nothing stays");
        write_private(&path, "one").unwrap();
        can_write_private(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "one", "what is there stays as it is");
        assert!(can_write_private(folder.path()).is_err(), "a folder");
        assert!(can_write_private(&path.join("token")).is_err(), "below a file");
    }

    #[test]
    fn what_a_killed_run_left_is_in_nobodys_way() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        fs::write(beside(&path).unwrap(), "half a tok").unwrap();
        write_private(&path, "one").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "one");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
