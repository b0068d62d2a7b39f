//! Which operations fail, and how.

use std::path::Path;

use rusqlite::ffi;

/// An operation on a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// A file is opened.
    Open,
    /// Bytes are read. It changes nothing, so it is not counted.
    Read,
    /// Bytes are written.
    Write,
    /// The length is changed.
    Truncate,
    /// What was written is made durable.
    Sync,
    /// A file is deleted.
    Delete,
    /// A lock of the file is asked for.
    Lock,
    /// A lock of the shared index of a log is asked for.
    Shm,
    /// A file is renamed, linked, unlinked or synced by others than SQLite. It never fails.
    File,
}

/// How an operation fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The disk is full; half of a write gets through.
    Full,
    /// The disk fails.
    Io,
    /// The file cannot be written.
    ReadOnly,
    /// Somebody else has it.
    Busy,
}

impl Fault {
    pub(crate) fn code(self, op: Op) -> i32 {
        match (self, op) {
            (_, Op::Open | Op::File) => ffi::SQLITE_CANTOPEN,
            (Self::Full, Op::Write | Op::Truncate) => ffi::SQLITE_FULL,
            (Self::ReadOnly, Op::Write | Op::Truncate) => ffi::SQLITE_READONLY,
            (Self::Busy, Op::Lock | Op::Shm) => ffi::SQLITE_BUSY,
            (_, Op::Read) => ffi::SQLITE_IOERR_READ,
            (_, Op::Write) => ffi::SQLITE_IOERR_WRITE,
            (_, Op::Truncate) => ffi::SQLITE_IOERR_TRUNCATE,
            (_, Op::Sync) => ffi::SQLITE_IOERR_FSYNC,
            (_, Op::Delete) => ffi::SQLITE_IOERR_DELETE,
            (_, Op::Lock) => ffi::SQLITE_IOERR_LOCK,
            (_, Op::Shm) => ffi::SQLITE_IOERR_SHMLOCK,
        }
    }
}

/// How long a fault stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lasts {
    /// So many operations fail.
    Times(u64),
    /// Until [`World::heal`](crate::World::heal).
    Onward,
}

/// Which operations fail, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// These operations; none for all.
    pub ops: &'static [Op],
    /// On files whose names end like this.
    pub file: &'static str,
    /// Done by threads of this name; none for all.
    pub thread: Option<&'static str>,
    /// How many of them pass before the first that fails.
    pub after: u64,
    /// How they fail.
    pub fault: Fault,
    /// How long.
    pub lasts: Lasts,
}

impl Rule {
    pub(crate) fn is_about(&self, op: Op, file: &Path) -> bool {
        let is_by = |name| std::thread::current().name() == Some(name);
        (self.ops.is_empty() || self.ops.contains(&op))
            && ends_with(file, self.file)
            && self.thread.is_none_or(is_by)
    }
}

/// Whether a file's name ends like this.
pub(crate) fn ends_with(file: &Path, suffix: &str) -> bool {
    file.to_string_lossy().ends_with(suffix)
}
