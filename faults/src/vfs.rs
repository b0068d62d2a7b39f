//! The VFS: SQLite's own one, with every operation on a file of a world asked for first.
//!
//! Files of no world are opened by SQLite's VFS directly. The other handles are ours, with SQLite's
//! handle of the same file right behind; everything is passed on to that.

use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rusqlite::ffi::{self, sqlite3_file, sqlite3_int64 as Offset, sqlite3_io_methods, sqlite3_vfs};

use crate::image::{Inode, inode};
use crate::rule::Op;
use crate::world::{Shared, world_of};

/// SQLite's own VFS.
#[derive(Debug)]
struct Real(*mut sqlite3_vfs);

// SAFETY: SQLite's VFS is a constant after it was registered, and its functions may be called from
// any thread.
unsafe impl Send for Real {}
// SAFETY: as above.
unsafe impl Sync for Real {}

static REAL: OnceLock<Real> = OnceLock::new();

/// A handle of a file in a world; the handle of SQLite's VFS lies right behind it.
#[repr(C)]
struct Handle {
    base: sqlite3_file,
    own: *mut Own,
}

struct Own {
    world: Arc<Shared>,
    path: PathBuf,
    inode: Option<Inode>,
}

/// Registers the VFS as the default of this process; later calls do nothing.
pub fn install() {
    #[cfg(target_os = "linux")]
    std::hint::black_box(crate::libc_calls::install());
    REAL.get_or_init(|| {
        // SAFETY: a null name asks for the default; SQLite initialises itself for it.
        let real = unsafe { ffi::sqlite3_vfs_find(std::ptr::null()) };
        // SAFETY: the bundled library always has a default VFS, which lives as long as the process.
        let mut own = unsafe { *real };
        own.szOsFile += c_int::try_from(size_of::<Handle>()).unwrap_or(64);
        own.zName = c"faults".as_ptr();
        own.pNext = std::ptr::null_mut();
        own.xOpen = Some(open);
        own.xDelete = Some(delete);
        // SAFETY: the structure is complete and is never freed.
        unsafe { ffi::sqlite3_vfs_register(Box::into_raw(Box::new(own)), 1) };
        Real(real)
    });
}

fn real_vfs() -> *mut sqlite3_vfs {
    REAL.get().map_or(std::ptr::null_mut(), |real| real.0)
}

/// Returns the functions of SQLite's VFS.
fn vfs_functions() -> sqlite3_vfs {
    // SAFETY: `install` has run, since only it makes these functions known; the VFS is never freed.
    unsafe { *real_vfs() }
}

static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    // Without memory-mapped reading and writing, which would pass by unseen.
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// Calls a function of a table; SQLite's VFS has all of them.
macro_rules! call {
    ($table:expr, $name:ident ( $($arg:expr),* )) => {
        match $table.$name {
            // SAFETY: the arguments are those SQLite gave to our function of the same name, with
            // the handle or VFS that belongs to this table.
            Some(function) => unsafe { function($($arg),*) },
            None => ffi::SQLITE_ERROR,
        }
    };
}

fn path_of(name: *const c_char) -> Option<PathBuf> {
    if name.is_null() {
        return None;
    }
    // SAFETY: SQLite's file names end with a NUL.
    let name = unsafe { CStr::from_ptr(name) };
    Some(Path::new(OsStr::from_bytes(name.to_bytes())).to_owned())
}

unsafe extern "C" fn open(
    _vfs: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    let path = path_of(name);
    let world = path.as_deref().and_then(world_of);
    let (Some(path), Some(world)) = (path, world) else {
        return call!(vfs_functions(), xOpen(real_vfs(), name, file, flags, out));
    };
    // SAFETY: `file` has room for `szOsFile` bytes, as `install` set it.
    unsafe { (*file).pMethods = std::ptr::null() };
    let real = real_of(file);
    let mut found = None;
    let code = world.operate(Op::Open, &path, |images, failure| {
        let opened = failure
            .unwrap_or_else(|| call!(vfs_functions(), xOpen(real_vfs(), name, real, flags, out)));
        if opened == ffi::SQLITE_OK {
            found = images.opened(&path);
        }
        opened
    });
    if code == ffi::SQLITE_OK {
        let own = Box::into_raw(Box::new(Own { world, path, inode: found }));
        let handle = Handle { base: sqlite3_file { pMethods: &raw const METHODS }, own };
        // SAFETY: there is room for our handle before the real one, and it is aligned as that is.
        unsafe { file.cast::<Handle>().write(handle) };
    }
    code
}

unsafe extern "C" fn delete(_vfs: *mut sqlite3_vfs, name: *const c_char, sync_dir: c_int) -> c_int {
    let path = path_of(name);
    let real = || call!(vfs_functions(), xDelete(real_vfs(), name, sync_dir));
    let (Some(path), Some(world)) = (path.clone(), path.as_deref().and_then(world_of)) else {
        return real();
    };
    world.operate(Op::Delete, &path, |images, failure| {
        failure.unwrap_or_else(|| {
            if let Some(inode) = inode(&path) {
                images.deleted(inode);
            }
            real()
        })
    })
}

/// Returns the handle of SQLite's VFS behind ours.
fn real_of(file: *mut sqlite3_file) -> *mut sqlite3_file {
    // SAFETY: `file` has room for both, see `install`.
    unsafe { file.cast::<Handle>().add(1).cast() }
}

/// Returns the handle of SQLite's VFS and its functions.
fn real(file: *mut sqlite3_file) -> (*mut sqlite3_file, &'static sqlite3_io_methods) {
    let real = real_of(file);
    // SAFETY: only handles that `open` made have these methods, and there the real one is open.
    (real, unsafe { &*(*real).pMethods })
}

fn own<'a>(file: *mut sqlite3_file) -> &'a Own {
    // SAFETY: only handles that `open` made have these methods; they keep `own` until `close`, and
    // SQLite uses a handle in one thread at a time.
    unsafe { &*(*file.cast::<Handle>()).own }
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    let (real, methods) = real(file);
    let code = call!(methods, xClose(real));
    // SAFETY: `open` made the handle, and nothing uses it after it was closed.
    let handle = unsafe { file.cast::<Handle>().read() };
    // SAFETY: `own` came from `Box::into_raw` in `open` and is freed only here.
    drop(unsafe { Box::from_raw(handle.own) });
    code
}

unsafe extern "C" fn read(
    file: *mut sqlite3_file,
    to: *mut c_void,
    len: c_int,
    at: Offset,
) -> c_int {
    let ((real, methods), own) = (real(file), own(file));
    own.world.operate(Op::Read, &own.path, |_, failure| {
        failure.unwrap_or_else(|| call!(methods, xRead(real, to, len, at)))
    })
}

unsafe extern "C" fn write(
    file: *mut sqlite3_file,
    from: *const c_void,
    len: c_int,
    at: Offset,
) -> c_int {
    let ((real, methods), own) = (real(file), own(file));
    own.world.operate(Op::Write, &own.path, |images, failure| {
        // A full disk takes half of it, as whole sectors.
        let len = match failure {
            None => len,
            Some(ffi::SQLITE_FULL) => len / 1024 * 512,
            Some(code) => return code,
        };
        let code = call!(methods, xWrite(real, from, len, at));
        if let (ffi::SQLITE_OK, Some(inode)) = (code, own.inode) {
            let (at, len) = (size(at), size(len.into()));
            // SAFETY: SQLite gives at least so many bytes.
            let bytes = unsafe { std::slice::from_raw_parts(from.cast::<u8>(), len) };
            images.wrote(inode, at, bytes);
        }
        failure.unwrap_or(code)
    })
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, len: Offset) -> c_int {
    let ((real, methods), own) = (real(file), own(file));
    own.world.operate(Op::Truncate, &own.path, |images, failure| {
        let code = failure.unwrap_or_else(|| call!(methods, xTruncate(real, len)));
        if let (ffi::SQLITE_OK, Some(inode)) = (code, own.inode) {
            images.truncated(inode, size(len));
        }
        code
    })
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, flags: c_int) -> c_int {
    let ((real, methods), own) = (real(file), own(file));
    own.world.operate(Op::Sync, &own.path, |images, failure| {
        let code = failure.unwrap_or_else(|| call!(methods, xSync(real, flags)));
        if let (ffi::SQLITE_OK, Some(inode)) = (code, own.inode) {
            images.synced(inode);
        }
        code
    })
}

unsafe extern "C" fn lock(file: *mut sqlite3_file, level: c_int) -> c_int {
    let ((real, methods), own) = (real(file), own(file));
    own.world.operate(Op::Lock, &own.path, |_, failure| {
        failure.unwrap_or_else(|| call!(methods, xLock(real, level)))
    })
}

unsafe extern "C" fn shm_lock(
    file: *mut sqlite3_file,
    first: c_int,
    n: c_int,
    flags: c_int,
) -> c_int {
    let ((real, methods), own) = (real(file), own(file));
    let act = || call!(methods, xShmLock(real, first, n, flags));
    if flags & ffi::SQLITE_SHM_UNLOCK != 0 {
        // Letting go never fails; what was written to the index is seen there.
        return own.world.pass(Op::Shm, &own.path, act);
    }
    own.world.operate(Op::Shm, &own.path, |_, failure| failure.unwrap_or_else(act))
}

unsafe extern "C" fn shm_map(
    file: *mut sqlite3_file,
    region: c_int,
    len: c_int,
    extend: c_int,
    to: *mut *mut c_void,
) -> c_int {
    let ((real, methods), own) = (real(file), own(file));
    own.world.operate(Op::Shm, &own.path, |_, failure| {
        failure.unwrap_or_else(|| call!(methods, xShmMap(real, region, len, extend, to)))
    })
}

unsafe extern "C" fn shm_unmap(file: *mut sqlite3_file, delete: c_int) -> c_int {
    let ((real, methods), own) = (real(file), own(file));
    // The dead delete nothing.
    let delete = if own.world.is_stopped() { 0 } else { delete };
    // SQLite deletes the index under a lock of its own, which operations ask for too: never first.
    own.world.pass(Op::Shm, &own.path, || call!(methods, xShmUnmap(real, delete)))
}

unsafe extern "C" fn shm_barrier(file: *mut sqlite3_file) {
    let (real, methods) = real(file);
    if let Some(function) = methods.xShmBarrier {
        // SAFETY: the handle belongs to this table.
        unsafe { function(real) };
    }
}

unsafe extern "C" fn file_size(file: *mut sqlite3_file, len: *mut Offset) -> c_int {
    let (real, methods) = real(file);
    call!(methods, xFileSize(real, len))
}

unsafe extern "C" fn unlock(file: *mut sqlite3_file, level: c_int) -> c_int {
    let (real, methods) = real(file);
    call!(methods, xUnlock(real, level))
}

unsafe extern "C" fn check_reserved_lock(file: *mut sqlite3_file, out: *mut c_int) -> c_int {
    let (real, methods) = real(file);
    call!(methods, xCheckReservedLock(real, out))
}

unsafe extern "C" fn file_control(file: *mut sqlite3_file, op: c_int, arg: *mut c_void) -> c_int {
    let (real, methods) = real(file);
    call!(methods, xFileControl(real, op, arg))
}

unsafe extern "C" fn sector_size(file: *mut sqlite3_file) -> c_int {
    let (real, methods) = real(file);
    call!(methods, xSectorSize(real))
}

unsafe extern "C" fn device_characteristics(file: *mut sqlite3_file) -> c_int {
    let (real, methods) = real(file);
    call!(methods, xDeviceCharacteristics(real))
}

fn size(n: Offset) -> usize {
    usize::try_from(n).unwrap_or(0)
}
