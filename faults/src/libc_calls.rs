//! What a program does to files beside SQLite: the calls of the C library for it are replaced by ours
//! in the test program, which ask first and then make the system call.

use std::ffi::{CStr, OsStr, c_char, c_int, c_long};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::world::touch;

/// Makes the linker take this file, and so these functions instead of the C library's.
pub(crate) fn install() -> usize {
    rename as *const () as usize
}

fn path_of(name: *const c_char) -> PathBuf {
    // SAFETY: callers of the C library's functions give a text that ends with a NUL.
    let name = unsafe { CStr::from_ptr(name) };
    Path::new(OsStr::from_bytes(name.to_bytes())).to_owned()
}

/// Makes a system call where it is allowed; else fails as a disk does.
fn unless_stopped(path: &Path, call: impl FnOnce() -> c_long) -> c_int {
    if touch(path) {
        return c_int::try_from(call()).unwrap_or(-1);
    }
    // SAFETY: the place of this thread's error number is always valid.
    unsafe { *libc::__errno_location() = libc::EIO };
    -1
}

#[unsafe(no_mangle)]
extern "C" fn rename(from: *const c_char, to: *const c_char) -> c_int {
    let at = libc::AT_FDCWD;
    unless_stopped(&path_of(from), || {
        // SAFETY: the texts are the caller's, who calls a function with these arguments.
        unsafe { libc::syscall(libc::SYS_renameat2, at, from, at, to, 0) }
    })
}

#[unsafe(no_mangle)]
extern "C" fn unlink(path: *const c_char) -> c_int {
    unless_stopped(&path_of(path), || {
        // SAFETY: as above.
        unsafe { libc::syscall(libc::SYS_unlinkat, libc::AT_FDCWD, path, 0) }
    })
}

#[unsafe(no_mangle)]
extern "C" fn linkat(
    from_dir: c_int,
    from: *const c_char,
    to_dir: c_int,
    to: *const c_char,
    flags: c_int,
) -> c_int {
    unless_stopped(&path_of(from), || {
        // SAFETY: as above.
        unsafe { libc::syscall(libc::SYS_linkat, from_dir, from, to_dir, to, flags) }
    })
}

#[unsafe(no_mangle)]
extern "C" fn fsync(file: c_int) -> c_int {
    let path = std::fs::read_link(format!("/proc/self/fd/{file}")).unwrap_or_default();
    unless_stopped(&path, || {
        // SAFETY: a number that is no open file is answered with an error.
        unsafe { libc::syscall(libc::SYS_fsync, file) }
    })
}
