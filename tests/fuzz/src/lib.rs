//! What the fuzz targets share: where their first inputs come from.
//!
//! A target names its seeds in `init`. Started with `ONELAP_SEEDS=<folder>` it writes them there and ends; `run.sh` does
//! so before it fuzzes. Seeds are made by the code under test, or are recorded game data from `ONELAP_TEST_DATA`.

use std::path::{Path, PathBuf};

/// Writes the seeds and ends the process, if that is what it was started for.
pub fn seeds(make: impl FnOnce() -> Vec<Vec<u8>>) {
    let Some(folder) = std::env::var_os("ONELAP_SEEDS") else { return };
    let folder = PathBuf::from(folder);
    std::fs::create_dir_all(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    for (i, seed) in make().iter().enumerate() {
        let path = folder.join(format!("seed-{i:04}"));
        std::fs::write(&path, seed).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    }
    std::process::exit(0);
}

/// The recorded game data whose names end so; none, with a word about it, where the data is not there.
pub fn recorded(folder: &str, ending: &str) -> Vec<Vec<u8>> {
    let root = std::env::var_os("ONELAP_TEST_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    let folder = root.join(folder);
    let files = files(&folder, ending);
    if files.is_empty() {
        eprintln!("skipped: no recorded data in {}", folder.display());
    }
    files
}

/// The files under a folder whose names end so, in order.
pub fn files(folder: impl AsRef<Path>, ending: &str) -> Vec<Vec<u8>> {
    let mut paths = Vec::new();
    collect(folder.as_ref(), ending, &mut paths);
    paths.sort();
    paths.iter().filter_map(|path| std::fs::read(path).ok()).collect()
}

fn collect(folder: &Path, ending: &str, paths: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, ending, paths);
        } else if path.to_string_lossy().ends_with(ending) {
            paths.push(path);
        }
    }
}
