//! Who a database belongs to and which one it is, with a checksum of its own.
//!
//! These rows of `meta` are written once, when the database is made. One flipped bit in them would
//! refuse its owner, or have the views taken for another memory's. Which file it is on this machine is
//! told by its key.

use rusqlite::Connection;
use xxhash_rust::xxh3::Xxh3;

use super::StoreError;
use super::folder::{FileKey, Folder};
use super::schema::{meta, set_meta};

/// The key of `meta` that holds the checksum.
const KEY: &str = "identity";

/// What it is of.
const ROWS: [&str; 5] = ["owner", "assistant", "epoch", "previous_epochs", "created"];

/// Demands that the database in a folder is still the one that was opened, if that is known.
///
/// # Errors
///
/// [`StoreError::Replaced`] where it is not.
pub(crate) fn demand_in_place(folder: &Folder, key: Option<FileKey>) -> Result<(), StoreError> {
    if key.is_some() && folder.database_key() != key {
        return Err(StoreError::Replaced(folder.database()));
    }
    Ok(())
}

/// Writes the checksum of what is there now.
pub(crate) fn seal(conn: &Connection) -> Result<(), StoreError> {
    set_meta(conn, KEY, &checksum(conn)?)
}

/// Writes the checksum where there is none: earlier versions wrote none.
pub(crate) fn seal_once(conn: &Connection) -> Result<(), StoreError> {
    match meta(conn, KEY)? {
        Some(_) => Ok(()),
        None => seal(conn),
    }
}

/// Whether the rows are as they were written, as far as there is a checksum.
pub(crate) fn is_sound(conn: &Connection) -> Result<bool, StoreError> {
    let expected = meta(conn, KEY)?;
    Ok(match expected {
        Some(expected) => expected == checksum(conn)?,
        None => true,
    })
}

fn checksum(conn: &Connection) -> Result<String, StoreError> {
    let mut hash = Xxh3::new();
    for key in ROWS {
        let value = meta(conn, key)?.unwrap_or_default();
        hash.update(&(value.len() as u64).to_le_bytes());
        hash.update(value.as_bytes());
    }
    Ok(format!("{:016x}", hash.digest()))
}

#[cfg(test)]
mod tests {
    use super::super::schema;
    use super::*;

    #[test]
    fn every_row_is_covered_and_a_database_without_a_checksum_is_believed() {
        for key in ROWS {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("m.db");
            schema::create(&path, true, |conn| set_meta(conn, "owner", "ada")).unwrap();
            let conn = schema::connect(&path, schema::Access::ReadWrite).unwrap();
            assert!(is_sound(&conn).unwrap());
            seal_once(&conn).unwrap();
            assert!(is_sound(&conn).unwrap());
            set_meta(&conn, key, "adb").unwrap();
            seal_once(&conn).unwrap();
            assert!(!is_sound(&conn).unwrap(), "{key}");
        }
    }
}
