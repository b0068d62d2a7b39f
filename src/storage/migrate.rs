//! Bringing an older database to the present format: in one transaction, after a copy beside it.
//!
//! The caller holds the folder alone and has no connection open. The copy goes after the next start
//! that finds the database whole.

use rusqlite::Connection;

use super::StoreError;
use super::folder::{DATABASE, Folder};
use super::schema::{self, Access, VERSION};

/// How the name of a copy begins.
pub(crate) const COPY: &str = "memory.db.before-format-";

/// What brings a database to the format with this number, from the one before.
const STEPS: [(i64, &str); 1] = [(
    2,
    "DROP TABLE knowledge;
     DELETE FROM profile;
     CREATE TABLE facts (
       id INTEGER PRIMARY KEY AUTOINCREMENT, record TEXT NOT NULL, checksum TEXT NOT NULL) STRICT;
     ALTER TABLE pages ADD COLUMN read INTEGER NOT NULL DEFAULT 0;
     CREATE INDEX unread ON pages (slot) WHERE read = 0;",
)];

/// Brings the database of `folder` to the present format; true if it was older.
pub(crate) fn migrate(folder: &Folder) -> Result<bool, StoreError> {
    let path = folder.database();
    let conn = schema::connect(&path, Access::ReadWrite)?;
    schema::take_log_in_on_close(&conn, false)?;
    let found = schema::version(&conn, &path)?;
    if found >= VERSION {
        return Ok(false);
    }
    // The copy is of the database file alone: nothing may be left in the log.
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    conn.close().map_err(|(_, e)| StoreError::Sqlite(e))?;
    folder.copy(DATABASE, &format!("{COPY}{VERSION}"))?;
    folder.sync()?;
    let conn = schema::connect(&path, Access::ReadWrite)?;
    carry_out(&conn, found)?;
    conn.close().map_err(|(_, e)| StoreError::Sqlite(e))?;
    tracing::info!(from = found, to = VERSION, "the database has a new format");
    Ok(true)
}

fn carry_out(conn: &Connection, found: i64) -> Result<(), StoreError> {
    let tx = conn.unchecked_transaction()?;
    for (_, step) in STEPS.iter().filter(|(to, _)| *to > found) {
        tx.execute_batch(step)?;
    }
    tx.pragma_update(None, "user_version", VERSION)?;
    Ok(tx.commit()?)
}

/// Removes the copies of earlier migrations: the database they were made for has been found whole.
pub(crate) fn remove_copies(folder: &Folder) -> Result<(), StoreError> {
    for name in folder.names()? {
        if name.starts_with(COPY) {
            folder.remove(&name)?;
        }
    }
    Ok(())
}
