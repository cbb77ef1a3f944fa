//! The mapping as Windows has it: a named section, mapped for reading.

use crate::source::lmu::image::SIZE;
use crate::source::lmu::snapshot::Memory;
use std::io;
use windows_sys::Win32::Foundation::{CloseHandle, HANDLE};
use windows_sys::Win32::System::Memory::{
    FILE_MAP_READ, MEMORY_BASIC_INFORMATION, MEMORY_MAPPED_VIEW_ADDRESS, MapViewOfFile, OpenFileMappingW,
    UnmapViewOfFile, VirtualQuery,
};

/// A view of the section; at least [`SIZE`] readable bytes for as long as it lives.
#[derive(Debug)]
pub struct Mapping {
    section: HANDLE,
    view: *mut core::ffi::c_void,
}

impl Mapping {
    /// Opens the section by its name.
    #[expect(unsafe_code, reason = "the section is reached through the Windows API only")]
    pub fn open(location: &str) -> io::Result<Self> {
        let name: Vec<u16> = location.encode_utf16().chain([0]).collect();
        // SAFETY: `name` ends with 0 and lives until the call is over.
        let section = unsafe { OpenFileMappingW(FILE_MAP_READ, 0, name.as_ptr()) };
        if section.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: `section` was just opened for reading; 0 bytes map it whole.
        let view = unsafe { MapViewOfFile(section, FILE_MAP_READ, 0, 0, 0) };
        // From here on `drop` unmaps and closes what there is.
        let mapping = Self { section, view: view.Value };
        if mapping.view.is_null() {
            return Err(io::Error::last_os_error());
        }
        let bytes = mapping.mapped_bytes();
        if bytes < SIZE { Err(super::too_short(location, bytes as u64)) } else { Ok(mapping) }
    }

    #[expect(unsafe_code, reason = "the size of a view is known to the Windows API only")]
    fn mapped_bytes(&self) -> usize {
        let mut found = MEMORY_BASIC_INFORMATION::default();
        // SAFETY: the view is mapped, and `found` is as long as the call is told.
        let written = unsafe { VirtualQuery(self.view, &raw mut found, size_of::<MEMORY_BASIC_INFORMATION>()) };
        if written == 0 { 0 } else { found.RegionSize }
    }
}

impl Memory for Mapping {
    #[expect(unsafe_code, reason = "the view is another process's memory, reached by its address only")]
    fn copy(&self, at: usize, out: &mut [u8]) -> io::Result<()> {
        if at.checked_add(out.len()).is_none_or(|end| end > SIZE) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        // SAFETY: the view has at least SIZE readable bytes and the range lies within them; `out` is our own memory and
        // overlaps nothing. The game writes while we copy: what is copied are plain bytes of which any value is valid,
        // and a copy that mixes two updates is found out by its witness.
        unsafe { core::ptr::copy_nonoverlapping(self.view.cast::<u8>().add(at), out.as_mut_ptr(), out.len()) };
        Ok(())
    }
}

impl Drop for Mapping {
    #[expect(unsafe_code, reason = "what the Windows API opened it must close")]
    fn drop(&mut self) {
        if !self.view.is_null() {
            // SAFETY: mapped in `open`, unmapped once.
            unsafe { UnmapViewOfFile(MEMORY_MAPPED_VIEW_ADDRESS { Value: self.view }) };
        }
        // SAFETY: opened in `open`, closed once.
        unsafe { CloseHandle(self.section) };
    }
}
