//! Is a database whole? Run by whoever holds the folder alone, before anybody is served.
//!
//! `quick_check` looks at SQLite's structures, the rows' checksums at what is in them, and the count
//! of pages at what is silently missing.

use std::collections::BTreeSet;

use rusqlite::Connection;

use super::StoreError;
use super::folder::Folder;
use super::schema::meta;
use super::segment_rows::{self, SegmentRow};
use super::views::{self, Found};
use super::{rows, sums};

/// Returns what is wrong with the database; none if it is whole. `beside` is another connection to
/// it: the structures and what is in them are looked at side by side.
pub(crate) fn database(
    conn: &Connection,
    beside: Connection,
) -> Result<Option<String>, StoreError> {
    let (structure, content) = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("check".to_owned());
        let structures = thread.spawn_scoped(scope, move || structure(&beside));
        let content = as_verdict(content(conn));
        let structure = match structures.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(structure)) => structure,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(_) => structure(conn),
        };
        (structure, content)
    });
    match as_verdict(structure)? {
        None => content,
        wrong => Ok(wrong),
    }
}

/// Damage is a verdict; whatever else keeps us from one is an error.
fn as_verdict(found: Result<Option<String>, StoreError>) -> Result<Option<String>, StoreError> {
    match found {
        Err(error) if error.is_damage() => Ok(Some(error.to_string())),
        other => other,
    }
}

/// Returns what is wrong with SQLite's structures, the tables, and the order of rows with names.
pub(crate) fn structure(conn: &Connection) -> Result<Option<String>, StoreError> {
    let verdict: String = conn.query_row("PRAGMA quick_check(1)", [], |r| r.get(0))?;
    if is_unread(&verdict) {
        let cause = std::io::Error::other(verdict);
        return Err(StoreError::io("check", std::path::Path::new("memory.db"), cause));
    }
    if verdict != "ok" {
        return Ok(Some(verdict));
    }
    super::schema::check_columns(conn)?;
    for table in ["meta", "profile"] {
        if let Some(key) = out_of_order(conn, table)? {
            return Ok(Some(format!("the row {key:?} of {table} is out of order")));
        }
    }
    Ok(None)
}

fn content(conn: &Connection) -> Result<Option<String>, StoreError> {
    let mut n_pages = 0_u32;
    let mut filed_in = BTreeSet::new();
    sums::check_each(conn, |segment| {
        n_pages += 1;
        filed_in.extend(segment);
    })?;
    segment_rows::each(conn, |row| {
        match row? {
            SegmentRow::Live(segment) => filed_in.remove(&segment.id.0),
            SegmentRow::Merged(from, _) => filed_in.remove(&from.0),
        };
        Ok(())
    })?;
    if let Some(id) = filed_in.first() {
        return Ok(Some(format!("segment {id} is missing")));
    }
    super::fact_rows::all(conn)?;
    super::fact_rows::prose(conn)?;
    rows::notices(conn)?;
    super::log::since(conn, 0)?;
    for key in ["owner", "epoch"] {
        if meta(conn, key)?.is_none() {
            return Ok(Some(format!("it does not name its {key}")));
        }
    }
    let last = rows::last_slot(conn)?.0;
    let gaps = gaps(conn)?;
    let expected = last.saturating_sub(gaps);
    Ok((n_pages != expected).then(|| format!("it has {n_pages} pages, expected {expected}")))
}

/// Returns a row that its key does not find: a changed byte of a key leaves it where it was, and the
/// next row that is written may then hide others. SQLite's quick check passes over that.
fn out_of_order(conn: &Connection, table: &str) -> Result<Option<String>, StoreError> {
    let mut statement = conn.prepare(&format!("SELECT key FROM {table}"))?;
    let mut rows = statement.query([])?;
    let mut last: Option<String> = None;
    while let Some(row) = rows.next()? {
        let key: String = row.get(0)?;
        if last.is_some_and(|last| last >= key) {
            return Ok(Some(key));
        }
        last = Some(key);
    }
    Ok(None)
}

/// Whether a check found that the disk did not give a page: that says nothing about the page.
fn is_unread(verdict: &str) -> bool {
    let code = verdict.rsplit_once("error code=").and_then(|(_, code)| code.trim().parse().ok());
    code.is_some_and(|code: i32| code & 0xff == rusqlite::ffi::SQLITE_IOERR)
}

/// Returns how many slots up to the last one have no page, rightly.
pub(crate) fn gaps(conn: &Connection) -> Result<u32, StoreError> {
    Ok(meta(conn, "gaps")?.and_then(|n| n.parse().ok()).unwrap_or(0))
}

/// Returns what the views show beyond a database of `epoch` that ends with `seq`: then commits were
/// lost.
pub(crate) fn views_ahead(
    folder: &Folder,
    epoch: &str,
    seq: u64,
) -> Result<Option<String>, StoreError> {
    for name in views::NAMES {
        let ahead = |h: &views::Header| h.epoch == epoch && h.seq > seq;
        // The first lines tell; only a view that is ahead is read whole.
        if views::peek(folder, name).as_ref().is_some_and(ahead)
            && let Found::Intact(header) = views::find(folder, name)?
            && ahead(&header)
        {
            let shown = header.seq;
            return Ok(Some(format!("it ends with change {seq}, but {name} shows change {shown}")));
        }
    }
    Ok(None)
}

/// Whether the views hold a page that the database does not have, and that was not forgotten.
pub(crate) fn views_know_more(conn: &Connection, folder: &Folder) -> Result<bool, StoreError> {
    let contents = views::contents(folder)?;
    let epoch = meta(conn, "epoch")?.unwrap_or_default();
    if !contents.seqs.contains_key(&epoch) {
        return Ok(false);
    }
    // A copy made while something was being forgotten has views of before.
    let forgotten: BTreeSet<u32> = super::log::forgotten(conn)?.into_iter().collect();
    for row in contents.pages.values().filter(|row| !forgotten.contains(&row.page.slot.0)) {
        if rows::page(conn, row.page.slot)?.is_none_or(|own| own.page.id != row.page.id) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::super::schema::{self, Access, set_meta};
    use super::*;

    #[test]
    fn a_key_that_stands_where_it_is_not_looked_for_is_damage() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("m.db");
        schema::create(&path, false, |conn| {
            ["owner", "epoch", "file", "identity"]
                .iter()
                .try_for_each(|key| set_meta(conn, key, ""))
        })
        .unwrap();
        let wrong = || structure(&schema::connect(&path, Access::ReadWrite).unwrap()).unwrap();
        assert_eq!(wrong(), None);
        let mut bytes = std::fs::read(&path).unwrap();
        let at = bytes.windows(8).position(|w| w == b"identity").unwrap();
        bytes[at] = b'c';
        #[expect(clippy::disallowed_methods, reason = "the test breaks the file on purpose")]
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(wrong().as_deref(), Some("the row \"cdentity\" of meta is out of order"));
    }
}
