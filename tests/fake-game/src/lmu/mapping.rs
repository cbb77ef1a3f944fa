//! Where the image lies for others to read: a file in shared memory on Linux, a named mapping on Windows.
//!
//! Written in place, never replaced, since readers keep it open. It is there while the game runs and gone afterwards.

use std::io;
use std::ops::Range;
use std::path::Path;

#[cfg(unix)]
pub(crate) use file::Mapping;
#[cfg(windows)]
pub(crate) use named::Mapping;

/// How the bytes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writing {
    /// Each changed part in one go.
    Whole,
    /// In pieces with pauses, so that a reader at the same time sees half of the old and half of the new.
    Torn,
}

const PIECE: usize = 4_096;

/// The pieces to write, and the pause after each.
fn pieces(dirty: &[Range<usize>], writing: Writing) -> impl Iterator<Item = Range<usize>> + '_ {
    dirty.iter().flat_map(move |range| {
        let step = if writing == Writing::Torn { PIECE } else { range.len().max(1) };
        range.clone().step_by(step).map(move |from| from..(from + step).min(range.end))
    })
}

/// Long enough for a reader to get in between.
fn pause(writing: Writing) {
    if writing == Writing::Torn {
        let begun = std::time::Instant::now();
        while begun.elapsed() < std::time::Duration::from_micros(25) {
            std::hint::spin_loop();
        }
    }
}

/// Says which mapping could not be made.
fn explain(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot make the LMU mapping {}: {error}", path.display()))
}

#[cfg(unix)]
mod file {
    use std::fs::{File, OpenOptions};
    use std::os::unix::fs::FileExt;
    use std::path::PathBuf;

    use super::{Path, Range, Writing, explain, io, pause, pieces};

    /// The file, removed when dropped.
    #[derive(Debug)]
    pub(crate) struct Mapping {
        file: File,
        path: PathBuf,
    }

    impl Mapping {
        pub(crate) fn create(path: &Path, image: &[u8]) -> io::Result<Self> {
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(true)
                .open(path)
                .map_err(|error| explain(path, &error))?;
            file.write_all_at(image, 0).map_err(|error| explain(path, &error))?;
            Ok(Self { file, path: path.to_owned() })
        }

        pub(crate) fn write(&mut self, image: &[u8], dirty: &[Range<usize>], writing: Writing) -> io::Result<()> {
            for piece in pieces(dirty, writing) {
                self.file.write_all_at(&image[piece.clone()], piece.start as u64)?;
                pause(writing);
            }
            Ok(())
        }
    }

    impl Drop for Mapping {
        fn drop(&mut self) {
            if let Err(error) = std::fs::remove_file(&self.path) {
                tracing::warn!(path = %self.path.display(), %error, "the LMU mapping could not be removed");
            }
        }
    }
}

#[cfg(windows)]
mod named {
    use std::os::windows::ffi::OsStrExt;

    use windows_sys::Win32::Foundation::{CloseHandle, HANDLE, INVALID_HANDLE_VALUE};
    use windows_sys::Win32::System::Memory::{
        CreateFileMappingW, FILE_MAP_WRITE, MEMORY_MAPPED_VIEW_ADDRESS, MapViewOfFile, PAGE_READWRITE, UnmapViewOfFile,
    };

    use super::{Path, Range, Writing, explain, io, pause, pieces};

    /// A mapping backed by the page file; the system removes it with its last handle.
    pub(crate) struct Mapping {
        handle: HANDLE,
        view: MEMORY_MAPPED_VIEW_ADDRESS,
    }

    #[expect(unsafe_code, reason = "Win32 handles and views belong to the process, not to a thread")]
    unsafe impl Send for Mapping {}

    impl Mapping {
        /// `path` is the mapping's name.
        pub(crate) fn create(path: &Path, image: &[u8]) -> io::Result<Self> {
            let name: Vec<u16> = path.as_os_str().encode_wide().chain([0]).collect();
            let failed = || explain(path, &io::Error::last_os_error());
            #[expect(unsafe_code, reason = "Win32; the name ends with a zero and outlives the call")]
            let handle = unsafe {
                CreateFileMappingW(
                    INVALID_HANDLE_VALUE,
                    std::ptr::null(),
                    PAGE_READWRITE,
                    0,
                    image.len() as u32,
                    name.as_ptr(),
                )
            };
            if handle.is_null() {
                return Err(failed());
            }
            #[expect(unsafe_code, reason = "Win32; the handle is valid and the size is that of the mapping")]
            let view = unsafe { MapViewOfFile(handle, FILE_MAP_WRITE, 0, 0, image.len()) };
            let mut mapping = Self { handle, view };
            if mapping.view.Value.is_null() {
                return Err(failed());
            }
            mapping.write(image, std::slice::from_ref(&(0..image.len())), Writing::Whole)?;
            Ok(mapping)
        }

        pub(crate) fn write(&mut self, image: &[u8], dirty: &[Range<usize>], writing: Writing) -> io::Result<()> {
            for piece in pieces(dirty, writing) {
                let from = &image[piece.clone()];
                #[expect(
                    unsafe_code,
                    reason = "the view is as long as the image, which the slice above has checked, and mapped until drop"
                )]
                unsafe {
                    std::ptr::copy_nonoverlapping(
                        from.as_ptr(),
                        self.view.Value.cast::<u8>().add(piece.start),
                        from.len(),
                    );
                }
                pause(writing);
            }
            Ok(())
        }
    }

    impl Drop for Mapping {
        fn drop(&mut self) {
            #[expect(unsafe_code, reason = "Win32; both were made by `create` and are given back once")]
            unsafe {
                if !self.view.Value.is_null() {
                    UnmapViewOfFile(self.view);
                }
                CloseHandle(self.handle);
            }
        }
    }
}
