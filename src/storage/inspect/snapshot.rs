//! Reading a database that others may be writing, without a trace in its folder.
//!
//! A connection to the files themselves would leave marks in the log's index, keep others from
//! shortening the log, or clean up after a kill. So a database with a log is copied to a private
//! folder and read there. The one rule: a copy counts only if the log was not begun anew meanwhile.
//! Then whatever a checkpoint moved into the database while it was copied stands in the copied log
//! too, and is read from there. It runs before this process has a connection to the files.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use tempfile::TempDir;

use crate::storage::StoreError;
use crate::storage::copy::private_dir;
use crate::storage::folder::{FileKey, key_of, with_suffix};
use crate::storage::schema::{self, Access};

/// How often a copy is tried while others write, and the pause between.
const TRIES: u32 = 40;
const PAUSE: Duration = Duration::from_millis(25);

/// A database as it was at one moment.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) conn: Connection,
    #[expect(dead_code, reason = "held, and removed when the connection is closed")]
    copy: Option<TempDir>,
}

/// Takes a picture of the database at `path`; none where others write too fast.
pub(super) fn take(path: &Path) -> Result<Option<Snapshot>, StoreError> {
    let beside = |suffix| fs::metadata(with_suffix(path, suffix)).map_or(0, |m| m.len());
    if beside("-wal") == 0 && beside("-journal") == 0 {
        let conn = schema::connect(path, Access::Immutable)?;
        return Ok(Some(Snapshot { conn, copy: None }));
    }
    for _ in 0..TRIES {
        let io = |e| StoreError::io("copy", path, e);
        let before = State::of(path).map_err(io)?;
        let private = private_dir()?;
        let copy = private.path().join("memory.db");
        // The database first: what is moved into it meanwhile is still in the log.
        for suffix in ["", "-journal", "-wal"] {
            copy_file(&with_suffix(path, suffix), &with_suffix(&copy, suffix)).map_err(io)?;
        }
        if State::of(path).map_err(io)? == before {
            let conn = schema::connect(&copy, Access::ReadWrite)?;
            return Ok(Some(Snapshot { conn, copy: Some(private) }));
        }
        std::thread::sleep(PAUSE);
    }
    Ok(None)
}

/// What changes when a copy that is being made would not be of one moment.
#[derive(Debug, PartialEq, Eq)]
struct State {
    /// Which file the database is.
    key: Option<FileKey>,
    /// The header of the log: it changes when the log is begun anew.
    log: Vec<u8>,
    /// Without a log: the counter of commits, and the journal of one under way.
    commits: Option<(Vec<u8>, Option<u64>)>,
}

impl State {
    fn of(path: &Path) -> io::Result<Self> {
        let log = part(&with_suffix(path, "-wal"), 0, 32)?;
        let commits = if log.is_empty() {
            let journal = fs::metadata(with_suffix(path, "-journal")).ok().map(|m| m.len());
            Some((part(path, 24, 4)?, journal))
        } else {
            None
        };
        Ok(Self { key: key_of(path), log, commits })
    }
}

/// Reads a part of a file; nothing of one that is not there.
fn part(path: &Path, at: u64, len: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
        Ok(mut file) => {
            file.seek(SeekFrom::Start(at))?;
            file.take(len).read_to_end(&mut bytes)?;
        }
    }
    Ok(bytes)
}

fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    match fs::copy(from, to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

    use super::*;
    use crate::storage::log::{self, Written};

    /// A database with a log, and a connection that has just written to it.
    fn database() -> (TempDir, std::path::PathBuf, Connection) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("m.db");
        schema::create(&path, true, |_| Ok(())).unwrap();
        let conn = schema::connect(&path, Access::ReadWrite).unwrap();
        log::append(&conn, "add", &Written::default()).unwrap();
        (dir, path, conn)
    }

    /// Writes a change and, in a place of its own, its number: one transaction.
    fn write(conn: &Connection) -> u64 {
        conn.execute_batch("BEGIN IMMEDIATE").unwrap();
        let seq = log::append(conn, "add", &Written::default()).unwrap();
        let number = format!("{seq:08}{}", "x".repeat(3992));
        schema::set_meta(conn, &format!("key{}", seq % 1000), &number).unwrap();
        conn.execute_batch("COMMIT").unwrap();
        seq
    }

    /// Returns the last change, and whether it and those before it left their numbers.
    fn read(conn: &Connection) -> Result<(u64, bool), StoreError> {
        let last = log::last(conn)?;
        for seq in last.saturating_sub(20).max(2)..=last {
            let number = schema::meta(conn, &format!("key{}", seq % 1000))?.unwrap_or_default();
            if !number.starts_with(&format!("{seq:08}")) {
                return Ok((last, false));
            }
        }
        Ok((last, true))
    }

    fn checkpoint(conn: &Connection) {
        conn.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(())).unwrap();
    }

    #[test]
    fn a_log_that_is_begun_anew_is_told_from_one_that_goes_on() {
        let (_dir, path, conn) = database();
        let before = State::of(&path).unwrap();
        log::append(&conn, "add", &Written::default()).unwrap();
        checkpoint(&conn);
        assert_eq!(State::of(&path).unwrap(), before, "what was copied so far still counts");
        log::append(&conn, "add", &Written::default()).unwrap();
        assert_ne!(State::of(&path).unwrap(), before);
    }

    #[test]
    fn beside_a_writer_every_picture_is_whole_and_has_what_was_committed_before() {
        let (_dir, path, conn) = database();
        // It takes a while to copy.
        conn.execute_batch("BEGIN").unwrap();
        for n in 0..1000 {
            schema::set_meta(&conn, &format!("key{n}"), &"x".repeat(4000)).unwrap();
        }
        conn.execute_batch("COMMIT").unwrap();
        checkpoint(&conn);
        let (committed, stop) = (AtomicU64::new(1), AtomicBool::new(false));
        let look = || {
            let least = committed.load(Ordering::SeqCst);
            let Some(snapshot) = take(&path)? else { return Ok(None) };
            let (last, is_whole) = read(&snapshot.conn)?;
            Ok::<_, StoreError>(Some((least <= last, is_whole)))
        };
        let pictures: Vec<_> = std::thread::scope(|scope| {
            let (committed, stop) = (&committed, &stop);
            scope.spawn(move || {
                while !stop.load(Ordering::SeqCst) {
                    let seq = write(&conn);
                    committed.store(seq, Ordering::SeqCst);
                    if seq.is_multiple_of(4) {
                        checkpoint(&conn);
                    }
                }
            });
            let pictures = (0..60).map(|_| look()).collect();
            stop.store(true, Ordering::SeqCst);
            pictures
        });
        for picture in pictures {
            let picture = picture.unwrap();
            assert!(picture.is_none_or(|is_right| is_right == (true, true)), "{picture:?}");
        }
    }
}
