//! The log: one row per change, with the ids of all it wrote and never a text.
//!
//! Its sequence number is the order of everything. A process that knows the state up to `seen`
//! reads the rows after it and fetches just the objects they name.

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use super::StoreError;

/// The kind of an entry that forgets pages.
pub(crate) const FORGET: &str = "forget";

/// The ids a transaction wrote.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Written {
    /// Slots of new pages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) pages: Vec<u32>,
    /// Slots that were filed, with the segment each was filed in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) filed: Vec<(u32, u32)>,
    /// Segments whose rows were written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) segments: Vec<u32>,
    /// Segments that were merged, each with the one its pages went to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) merged: Vec<(u32, u32)>,
    /// Facts whose rows were written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) facts: Vec<u32>,
    /// Facts whose rows were removed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) facts_gone: Vec<u32>,
    /// Whether the prose of a model was written or removed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) prose: bool,
    /// Filed pages whose links were written anew.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) relinked: Vec<u32>,
    /// Slots whose pages were forgotten.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) forgotten: Vec<u32>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

impl Written {
    fn extend(&mut self, other: Self) {
        self.pages.extend(other.pages);
        self.filed.extend(other.filed);
        self.segments.extend(other.segments);
        self.merged.extend(other.merged);
        self.facts.extend(other.facts);
        self.facts_gone.extend(other.facts_gone);
        self.prose |= other.prose;
        self.relinked.extend(other.relinked);
        self.forgotten.extend(other.forgotten);
    }
}

/// Appends a row and returns its sequence number.
pub(crate) fn append(conn: &Connection, kind: &str, written: &Written) -> Result<u64, StoreError> {
    let ids = serde_json::to_string(written).unwrap_or_default();
    conn.prepare_cached("INSERT INTO log (kind, ref) VALUES (?1, ?2)")?
        .execute(params![kind, ids])?;
    Ok(conn.last_insert_rowid().cast_unsigned())
}

/// Makes the next sequence number at least `next`.
pub(crate) fn continue_at(conn: &Connection, next: u64) -> Result<(), StoreError> {
    let written = serde_json::to_string(&Written::default()).unwrap_or_default();
    conn.execute(
        "INSERT INTO log (seq, kind, ref) VALUES (?1, 'begin', ?2)",
        params![next.cast_signed(), written],
    )?;
    Ok(())
}

/// Returns the sequence number of the last change; 0 before the first.
pub(crate) fn last(conn: &Connection) -> Result<u64, StoreError> {
    let mut statement = conn.prepare_cached("SELECT COALESCE(MAX(seq), 0) FROM log")?;
    Ok(statement.query_row([], |r| r.get::<_, i64>(0))?.cast_unsigned())
}

/// Returns the slots of all pages that were forgotten, of every entry that can be read.
pub(crate) fn forgotten(conn: &Connection) -> Result<Vec<u32>, StoreError> {
    let mut statement = conn.prepare("SELECT ref FROM log WHERE kind = ?1")?;
    let texts = statement.query_map([FORGET], |row| row.get::<_, String>(0))?;
    let written = texts.filter_map(|text| serde_json::from_str::<Written>(&text.ok()?).ok());
    Ok(written.flat_map(|written| written.forgotten).collect())
}

/// Reads what was written after `seen`, the last sequence number and the rows read.
pub(crate) fn since(conn: &Connection, seen: u64) -> Result<(Written, u64, usize), StoreError> {
    let mut statement =
        conn.prepare_cached("SELECT seq, ref FROM log WHERE seq > ?1 ORDER BY seq")?;
    let mut rows = statement.query([seen.cast_signed()])?;
    let (mut all, mut last, mut n_rows) = (Written::default(), seen, 0);
    while let Some(row) = rows.next()? {
        last = row.get::<_, i64>(0)?.cast_unsigned();
        let text: String = row.get(1)?;
        all.extend(serde_json::from_str(&text).map_err(|_| {
            let what = format!("log entry {last} is not as it was written");
            StoreError::damaged(std::path::Path::new("memory.db"), what)
        })?);
        n_rows += 1;
    }
    Ok((all, last, n_rows))
}

#[cfg(test)]
mod tests {
    use super::super::schema;
    use super::*;

    #[test]
    fn what_was_written_after_a_number_is_told_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("m.db");
        schema::create(&path, true, |_| Ok(())).unwrap();
        let conn = schema::connect(&path, schema::Access::ReadWrite).unwrap();
        assert_eq!(last(&conn).unwrap(), 0);
        let first = Written { pages: vec![1], ..Written::default() };
        let second = Written {
            pages: vec![2],
            filed: vec![(1, 1)],
            segments: vec![1],
            merged: vec![(3, 1)],
            facts: vec![4],
            facts_gone: vec![2],
            prose: true,
            relinked: vec![1],
            forgotten: vec![5],
        };
        assert_eq!(append(&conn, "add", &first).unwrap(), 1);
        assert_eq!(append(&conn, "add", &second).unwrap(), 2);
        assert_eq!(since(&conn, 1).unwrap(), (second, 2, 1));
        assert_eq!(since(&conn, 0).unwrap().0.pages, [1, 2]);
        continue_at(&conn, 40).unwrap();
        assert_eq!(append(&conn, "add", &first).unwrap(), 41);
        assert_eq!(last(&conn).unwrap(), 41);
    }
}
