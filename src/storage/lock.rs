//! Locks between processes: files in the user's folder, released by the system when a process dies.
//!
//! `.write` is the queue of the writers (SQLite's own busy handler is no fair queue), `.lock` tells
//! who has the folder open, `.views` who writes the views. The files stay empty.

use std::fmt;
use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::StoreError;
use super::folder::Folder;

/// How long a writer waits for its turn.
pub(crate) const WRITE_PATIENCE: Duration = Duration::from_secs(5);

const POLL: Duration = Duration::from_micros(250);
const LONGEST_POLL: Duration = Duration::from_millis(1);

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    file: Arc<File>,
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Err(error) = self.file.unlock() {
            tracing::warn!(%error, "a lock could not be released");
        }
    }
}

/// The lock files of an open user.
#[derive(Debug)]
pub(crate) struct Locks {
    folder: Folder,
    write: Arc<File>,
}

impl Locks {
    /// Opens the lock files, creating them where they are missing.
    pub(crate) fn open(folder: &Folder) -> Result<Self, StoreError> {
        Ok(Self { folder: folder.clone(), write: Arc::new(folder.lock_file(".write")?) })
    }

    /// Whether nobody holds the write lock now.
    pub(crate) fn is_free(&self) -> bool {
        let free = self.write.try_lock().is_ok();
        if free && let Err(error) = self.write.unlock() {
            tracing::warn!(%error, "a lock could not be released");
        }
        free
    }

    /// Waits for the turn to write, but no longer than `patience`; none where others do not let it.
    pub(crate) fn write_within(&self, patience: Duration) -> Option<Held> {
        acquire(patience, &AtomicBool::new(false), || self.write.try_lock()).ok()?;
        Some(Held { file: Arc::clone(&self.write) })
    }

    /// Waits for the turn to write; gives up after five seconds or when `stop` is set.
    pub(crate) fn write(&self, stop: &AtomicBool) -> Result<Held, StoreError> {
        acquire(WRITE_PATIENCE, stop, || self.write.try_lock()).map_err(
            |refusal| match refusal {
                Refusal::Held => StoreError::Locked {
                    what: "the write lock",
                    holder: holder(&self.folder.path(".write")),
                },
                Refusal::Stopping => StoreError::Stopping,
                Refusal::Failed(e) => StoreError::io("lock", &self.folder.path(".write"), e),
            },
        )?;
        Ok(Held { file: Arc::clone(&self.write) })
    }
}

/// Why a lock was not had.
#[derive(Debug)]
pub(crate) enum Refusal {
    Held,
    Stopping,
    Failed(std::io::Error),
}

/// Polls `try_lock` until it succeeds, `patience` is over or `stop` is set.
///
/// Polling, because a blocking lock can be given up neither after a time nor for a signal.
pub(crate) fn acquire(
    patience: Duration,
    stop: &AtomicBool,
    try_lock: impl Fn() -> Result<(), TryLockError>,
) -> Result<(), Refusal> {
    let start = Instant::now();
    let mut pause = POLL;
    loop {
        match try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(e)) => return Err(Refusal::Failed(e)),
            Err(TryLockError::WouldBlock) if stop.load(Ordering::SeqCst) => {
                return Err(Refusal::Stopping);
            }
            Err(TryLockError::WouldBlock) if start.elapsed() >= patience => {
                return Err(Refusal::Held);
            }
            Err(TryLockError::WouldBlock) => thread::sleep(pause),
        }
        if start.elapsed() > Duration::from_millis(100) {
            pause = LONGEST_POLL.min(pause * 2);
        }
    }
}

/// Names the process that holds a lock on `path`, where the system tells (`/proc/locks`).
pub(crate) fn holder(path: &Path) -> String {
    holder_of(path).unwrap_or_else(|| "another process".to_owned())
}

fn holder_of(path: &Path) -> Option<String> {
    let holders = holders(path)?;
    // This process may hold a shared lock itself: the others are meant.
    let own = std::process::id();
    let holder = holders.iter().find(|holder| holder.pid != own).or(holders.first())?;
    Some(holder.to_string())
}

/// A process that holds a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Holder {
    pub(crate) pid: u32,
    /// The program's name, as the system shows it; empty where the process is gone.
    pub(crate) name: String,
    /// Whether it holds the lock alone.
    pub(crate) alone: bool,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} ({})", self.pid, self.name)
    }
}

/// Returns who holds locks on `path`, without touching the file; none where the system does not
/// tell.
#[cfg(target_os = "linux")]
pub(crate) fn holders(path: &Path) -> Option<Vec<Holder>> {
    use std::os::unix::fs::MetadataExt as _;
    let mut locks = std::fs::read_to_string("/proc/locks").ok()?;
    let Ok(file) = std::fs::metadata(path) else { return Some(Vec::new()) };
    let inode = file.ino().to_string();
    // The system hands out the list in parts, and misses an entry where others go meanwhile.
    for _ in 0..2 {
        locks.push_str(&std::fs::read_to_string("/proc/locks").ok()?);
    }
    let holder = |line: &str| {
        let mut fields = line.split_whitespace().skip(1);
        let (kind, access) = (fields.next()?, fields.nth(1)?);
        let pid = fields.next()?;
        let is_it = kind == "FLOCK" && fields.next()?.rsplit(':').next() == Some(&inode);
        let name = || std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        is_it.then(|| {
            let name = name().trim().to_owned();
            Some(Holder { pid: pid.parse().ok()?, name, alone: access == "WRITE" })
        })?
    };
    let mut holders: Vec<Holder> = Vec::new();
    for holder in locks.lines().filter_map(holder) {
        if holders.iter().all(|known| known.pid != holder.pid) {
            holders.push(holder);
        }
    }
    Some(holders)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn holders(_path: &Path) -> Option<Vec<Holder>> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_is_held_is_refused_with_its_holder() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(&dir.path().join("ada")).unwrap();
        let other = folder.lock_file(".write").unwrap();
        other.lock().unwrap();
        let locks = Locks::open(&folder).unwrap();
        let refusal = acquire(Duration::ZERO, &AtomicBool::new(false), || locks.write.try_lock());
        assert!(matches!(refusal, Err(Refusal::Held)));
        if cfg!(target_os = "linux") {
            let me = format!("process {} ", std::process::id());
            assert!(holder(&folder.path(".write")).starts_with(&me));
        }
        assert!(matches!(locks.write(&AtomicBool::new(true)), Err(StoreError::Stopping)));
    }

    #[test]
    fn a_dropped_lock_is_free_again() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(&dir.path().join("ada")).unwrap();
        let locks = Locks::open(&folder).unwrap();
        let never = AtomicBool::new(false);
        drop(locks.write(&never).unwrap());
        let other = folder.lock_file(".write").unwrap();
        assert!(other.try_lock().is_ok());
    }
}
