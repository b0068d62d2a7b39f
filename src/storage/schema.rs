//! The tables of `memory.db`, and opening a connection to them.
//!
//! Heads and texts of pages are apart, so that opening reads no text. A page row carries a checksum
//! of everything that never changes in it. `log` has one row per transaction and holds ids only.
//! `pages.read` says whether the rules for facts have read the page.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _};

use super::StoreError;

/// Marks our databases: `MEMO`.
pub(crate) const APPLICATION_ID: i64 = 0x4d45_4d4f;

/// How long a statement waits for another connection.
pub(crate) const BUSY_PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

/// The format this program writes.
pub(crate) const VERSION: i64 = 2;

/// The bytes of a database page: a commit writes every page it touches whole, and most of what an
/// add changes is small.
pub(crate) const PAGE_SIZE: u32 = 2048;

/// No program will ever write so high a format: it is a flipped bit.
const HIGHEST: i64 = 255;

const TABLES: &str = "
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE log (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, ref TEXT NOT NULL) STRICT;
CREATE TABLE pages (
  slot INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL, seq INTEGER NOT NULL,
  micros INTEGER NOT NULL, offset INTEGER NOT NULL, given INTEGER NOT NULL,
  session TEXT NOT NULL, continues BLOB, segment INTEGER,
  text_hash INTEGER NOT NULL, checksum INTEGER NOT NULL, read INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE INDEX unread ON pages (slot) WHERE read = 0;
CREATE INDEX short_term ON pages (slot) WHERE segment IS NULL;
CREATE TABLE texts (
  slot INTEGER PRIMARY KEY, user_input TEXT NOT NULL, agent_response TEXT NOT NULL,
  meta_data TEXT NOT NULL, chain_summary TEXT NOT NULL) STRICT;
CREATE TABLE segments (
  id INTEGER PRIMARY KEY, merged_into INTEGER, summary TEXT NOT NULL, keywords TEXT NOT NULL,
  terms TEXT NOT NULL, candidates TEXT NOT NULL, pages INTEGER NOT NULL,
  unanalysed INTEGER NOT NULL, visits INTEGER NOT NULL, last_visit INTEGER NOT NULL,
  created INTEGER NOT NULL) STRICT;
CREATE TABLE means (segment INTEGER PRIMARY KEY, pages INTEGER NOT NULL, sum BLOB NOT NULL) STRICT;
CREATE TABLE profile (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE facts (
  id INTEGER PRIMARY KEY AUTOINCREMENT, record TEXT NOT NULL, checksum TEXT NOT NULL) STRICT;
CREATE TABLE notices (id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT NOT NULL) STRICT;
";

/// Every table with the columns that are read and written by name.
const COLUMNS: [&str; 9] = [
    "SELECT key, value FROM meta",
    "SELECT seq, kind, ref FROM log",
    "SELECT slot, id, seq, micros, offset, given, session, continues, segment, text_hash, \
       checksum, read FROM pages",
    "SELECT slot, user_input, agent_response, meta_data, chain_summary FROM texts",
    "SELECT id, merged_into, summary, keywords, terms, candidates, pages, unanalysed, visits, \
       last_visit, created FROM segments",
    "SELECT segment, pages, sum FROM means",
    "SELECT key, value FROM profile",
    "SELECT id, record, checksum FROM facts",
    "SELECT id, text FROM notices",
];

/// How a connection may use the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Read and write; never creates the file.
    ReadWrite,
    /// Read a file nobody changes, in a folder we may not write.
    Immutable,
}

/// Creates the tables in a new database file at `path` and closes it. With `wal` it keeps a
/// write-ahead log, otherwise a rollback journal.
pub(crate) fn create(
    path: &Path,
    wal: bool,
    fill: impl FnOnce(&Connection) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let conn = Connection::open(path)?;
    settle(&conn)?;
    conn.pragma_update(None, "page_size", PAGE_SIZE)?;
    conn.pragma_update(None, "journal_mode", if wal { "WAL" } else { "DELETE" })?;
    conn.execute_batch("BEGIN IMMEDIATE")?;
    conn.execute_batch(TABLES)?;
    conn.pragma_update(None, "application_id", APPLICATION_ID)?;
    conn.pragma_update(None, "user_version", VERSION)?;
    fill(&conn)?;
    conn.execute_batch("COMMIT")?;
    conn.close().map_err(|(_, e)| StoreError::Sqlite(e))
}

/// Makes empty tables that are on no disk.
#[cfg(any(test, fuzzing))]
pub(crate) fn in_memory() -> rusqlite::Result<Connection> {
    let conn = Connection::open_in_memory()?;
    conn.execute_batch(TABLES)?;
    Ok(conn)
}

/// Opens an existing database.
pub(crate) fn connect(path: &Path, access: Access) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let conn = match access {
        Access::ReadWrite => {
            Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_READ_WRITE)?
        }
        Access::Immutable => {
            let uri = format!("file:{}?immutable=1", percent_encoded(path));
            Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_READ_ONLY)?
        }
    };
    // What cannot be settled is dropped, and must leave the log where it is.
    take_log_in_on_close(&conn, false)?;
    settle(&conn)?;
    take_log_in_on_close(&conn, true)?;
    Ok(conn)
}

/// Whether closing the last connection takes the log into the database, as it does unless told
/// otherwise. While it is not known whether the two are whole, both must stay as they are.
pub(crate) fn take_log_in_on_close(conn: &Connection, yes: bool) -> Result<(), StoreError> {
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, !yes)?;
    Ok(())
}

/// Refuses a database of another program, and tells the format of ours.
///
/// # Errors
///
/// [`StoreError::Foreign`] for another program's database; damage when it is ours by its tables
/// only, or has a format that was never written.
pub(crate) fn version(conn: &Connection, path: &Path) -> Result<i64, StoreError> {
    let number = |sql| conn.prepare_cached(sql)?.query_row([], |r| r.get::<_, i64>(0));
    let application_id = number("PRAGMA application_id")?;
    if application_id != APPLICATION_ID {
        if matches!(meta(conn, "owner"), Ok(Some(_))) {
            return Err(StoreError::damaged(path, "its mark is not as it was written"));
        }
        return Err(StoreError::Foreign { path: path.to_owned(), application_id });
    }
    let version = number("PRAGMA user_version")?;
    if !(1..=HIGHEST).contains(&version) {
        return Err(StoreError::damaged(path, format!("it says it has format {version}")));
    }
    Ok(version)
}

/// Does a statement that every transaction has: it is planned once.
pub(crate) fn run(conn: &Connection, sql: &'static str) -> rusqlite::Result<()> {
    conn.prepare_cached(sql)?.execute([])?;
    Ok(())
}

/// Demands every table and column of the present format; no row is read.
///
/// # Errors
///
/// Damage where one is missing: a changed byte of the schema renames it.
pub(crate) fn check_columns(conn: &Connection) -> Result<(), StoreError> {
    for sql in COLUMNS {
        conn.prepare(sql)?;
    }
    Ok(())
}

/// Reads a value of `meta`.
pub(crate) fn meta(conn: &Connection, key: &str) -> Result<Option<String>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT value FROM meta WHERE key = ?1")?;
    Ok(statement.query_row([key], |r| r.get(0)).optional()?)
}

/// Writes a value of `meta`.
pub(crate) fn set_meta(conn: &Connection, key: &str, value: &str) -> Result<(), StoreError> {
    conn.prepare_cached("INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)")?
        .execute([key, value])?;
    Ok(())
}

/// The length that the file of the log keeps when the log begins anew.
pub(crate) const LOG_BYTES: u64 = 8 << 20;

/// The settings of every connection: what is deleted is overwritten, nothing goes to files of
/// SQLite's own choosing, a commit is on stable storage (on macOS a plain sync leaves it in the
/// disk's cache), and checkpoints come from us.
fn settle(conn: &Connection) -> Result<(), StoreError> {
    conn.busy_timeout(BUSY_PATIENCE)?;
    // Without it a statement that a partial index might serve is planned anew at every use.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.set_prepared_statement_cache_capacity(64);
    conn.pragma_update(None, "journal_size_limit", LOG_BYTES.cast_signed())?;
    conn.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA secure_delete = ON;
         PRAGMA temp_store = MEMORY; PRAGMA cache_size = -2000; PRAGMA trusted_schema = OFF;
         PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON;",
    )?;
    Ok(())
}

fn percent_encoded(path: &Path) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-_.~:\\".contains(&b);
    let text = path.to_string_lossy();
    text.bytes()
        .map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new_database() -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a %20?#.db");
        create(&path, true, |conn| set_meta(conn, "owner", "ada")).unwrap();
        (dir, path)
    }

    #[test]
    fn a_created_database_is_ours_and_leaves_no_log_behind() {
        let (dir, path) = new_database();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        for access in [Access::ReadWrite, Access::Immutable] {
            let conn = connect(&path, access).unwrap();
            assert_eq!(version(&conn, &path).unwrap(), VERSION);
            assert_eq!(meta(&conn, "owner").unwrap().as_deref(), Some("ada"));
        }
    }

    #[test]
    fn every_commit_reaches_stable_storage_and_deleted_text_is_overwritten() {
        let (_dir, path) = new_database();
        let conn = connect(&path, Access::ReadWrite).unwrap();
        let pragma =
            |name: &str| -> i64 { conn.pragma_query_value(None, name, |r| r.get(0)).unwrap() };
        assert_eq!((pragma("synchronous"), pragma("secure_delete")), (2, 1));
        assert_eq!((pragma("fullfsync"), pragma("checkpoint_fullfsync")), (1, 1));
        assert_eq!((pragma("wal_autocheckpoint"), pragma("temp_store")), (0, 2));
        let mode: String = conn.pragma_query_value(None, "journal_mode", |r| r.get(0)).unwrap();
        assert_eq!(mode, "wal");
    }

    #[test]
    fn opening_never_creates_and_refuses_a_foreign_database() {
        let (dir, _) = new_database();
        let missing = dir.path().join("missing.db");
        assert!(connect(&missing, Access::ReadWrite).is_err());
        assert!(!missing.exists());
        let other = dir.path().join("other.db");
        Connection::open(&other).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
        let conn = connect(&other, Access::ReadWrite).unwrap();
        assert!(matches!(version(&conn, &other), Err(StoreError::Foreign { .. })));
    }

    #[test]
    fn a_wrong_mark_or_format_of_our_own_tables_is_damage() {
        for (pragma, value) in [("application_id", 7), ("user_version", 0)] {
            let (_dir, path) = new_database();
            let conn = connect(&path, Access::ReadWrite).unwrap();
            conn.pragma_update(None, pragma, value).unwrap();
            assert!(version(&conn, &path).unwrap_err().is_damage(), "{pragma}");
        }
    }
}
