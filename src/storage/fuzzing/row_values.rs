//! Rows as they may be found after a fault of the disk, or after somebody wrote to the database.

use rusqlite::Connection;
use rusqlite::types::Value as Cell;
use serde_json::{Map, Value};

use super::super::segment_rows::{self, SegmentRow};
use super::super::views::record::{PageRecord, SegmentRecord};
use super::super::{StoreError, fact_rows, log, rows as page_rows};
use super::log_bytes;
use crate::memory;
use crate::memory::page::Texts;
use crate::retrieval::{Analysis, RemoteVector};

/// The columns that a page's checksum covers.
const CHECKED: [&str; 11] = [
    "pages.id",
    "pages.seq",
    "pages.micros",
    "pages.offset",
    "pages.given",
    "pages.session",
    "pages.continues",
    "texts.user_input",
    "texts.agent_response",
    "texts.meta_data",
    "texts.chain_summary",
];

const SEGMENT_COLUMNS: [&str; 11] = [
    "merged_into",
    "summary",
    "keywords",
    "terms",
    "candidates",
    "pages",
    "unanalysed",
    "visits",
    "last_visit",
    "created",
    "sum",
];

/// Takes what the first byte says: `d` a blob of derived data, `w` an index and a log, `W` frames of a
/// log, `{` a JSON object that lays out rows (`page`, `segment`, `set`, `fact`, `log`, `prose`).
///
/// # Panics
///
/// When a changed row is taken for a page or fact, or what cannot be read is no damage.
pub fn rows(bytes: &[u8]) {
    match bytes.split_first() {
        Some((b'd', blob)) => derived(blob),
        Some((b'w', files)) => log_bytes::raw(files),
        Some((b'W', frames)) => log_bytes::laid_out(frames),
        _ => {
            let Ok(Value::Object(laid)) = serde_json::from_slice(bytes) else { return };
            super::with_database(|conn| lay_out(conn, &laid));
        }
    }
}

fn lay_out(conn: &Connection, laid: &Map<String, Value>) {
    let none = Map::new();
    let set = laid.get("set").and_then(Value::as_object).unwrap_or(&none);
    if let Some(page) = laid.get("page") {
        changed_page(conn, page, set);
    }
    if let Some(segment) = laid.get("segment") {
        changed_segment(conn, segment, set);
    }
    if let Some(record) = laid.get("fact").and_then(Value::as_str) {
        let sum = laid.get("sum").and_then(Value::as_str);
        fact(record, sum);
    }
    for entry in laid.get("log").and_then(Value::as_array).into_iter().flatten() {
        let Some(ids) = entry.as_str() else { continue };
        conn.execute("INSERT INTO log (kind, ref) VALUES ('forget', ?1)", [ids]).unwrap();
    }
    read_log(conn);
    if let Some(prose) = laid.get("prose").and_then(Value::as_str) {
        conn.execute("INSERT INTO profile (key, value) VALUES ('model', ?1)", [prose]).unwrap();
        if let Some(prose) = fact_rows::prose(conn).unwrap() {
            fact_rows::put_prose(conn, &prose).unwrap();
            assert_eq!(fact_rows::prose(conn).unwrap(), Some(prose));
        }
    }
}

fn read_log(conn: &Connection) {
    let mut n_forgotten = 0;
    match log::since(conn, 0) {
        Ok((all, last, n_rows)) => {
            assert_eq!(last, n_rows as u64);
            n_forgotten = all.forgotten.len();
        }
        Err(error) => is_damage(&error),
    }
    assert!(log::forgotten(conn).unwrap().len() >= n_forgotten);
}

/// A page whose row was changed in a column that never changes is no page.
fn changed_page(conn: &Connection, page: &Value, set: &Map<String, Value>) {
    let Ok(record) = serde_json::from_value::<PageRecord>(page.clone()) else { return };
    let Some(row) = record.unchecked() else { return };
    super::row_comes_back(conn, &row);
    for (name, value) in set {
        let Some(name) = CHECKED.iter().find(|known| *known == name) else { continue };
        let (table, column) = name.split_once('.').unwrap();
        let sql = format!("UPDATE {table} SET {column} = ?1");
        // A value that the column does not take is never in it.
        drop(conn.execute(&sql, [cell(value)]));
    }
    match page_rows::page(conn, row.page.slot) {
        Ok(again) => assert_eq!(again, Some(row), "a changed row was taken for a page"),
        Err(error) => is_damage(&error),
    }
}

/// A segment has no checksum: whatever can be read of it can be used.
fn changed_segment(conn: &Connection, segment: &Value, set: &Map<String, Value>) {
    let record = serde_json::from_value::<SegmentRecord>(segment.clone()).ok();
    let Some(segment) = record.and_then(SegmentRecord::into_segment) else { return };
    segment_rows::put(conn, &segment).unwrap();
    for (name, value) in set {
        let Some(column) = SEGMENT_COLUMNS.iter().find(|known| *known == name) else { continue };
        let table = if *column == "sum" { "means" } else { "segments" };
        drop(conn.execute(&format!("UPDATE {table} SET {column} = ?1"), [cell(value)]));
    }
    match segment_rows::get(conn, segment.id) {
        Ok(Some(SegmentRow::Live(live))) => {
            assert_eq!(live.id, segment.id);
            let text = live.summary.clone();
            let texts = Texts { user_input: text.clone(), agent_response: text };
            memory::fuzzing::quoted(&live, &texts);
            segment_rows::put(conn, &live).unwrap();
            assert_eq!(segment_rows::get(conn, live.id).unwrap(), Some(SegmentRow::Live(live)));
        }
        Ok(Some(SegmentRow::Merged(from, _))) => assert_eq!(from, segment.id),
        Ok(None) => panic!("the segment went"),
        Err(error) => is_damage(&error),
    }
}

/// A record is a fact only with its checksum; without one given it gets the right one.
fn fact(record: &str, sum: Option<&str>) {
    let right = fact_rows::checksum(record);
    let id = serde_json::from_str::<Value>(record).ok().and_then(|r| r["fact_id"].as_u64());
    let id = id.and_then(|id| u32::try_from(id).ok()).unwrap_or(1);
    match fact_rows::parse(id, record, sum.unwrap_or(&right)) {
        Ok(fact) => {
            assert!(sum.is_none_or(|sum| sum == right), "a changed record was taken for a fact");
            assert_eq!(fact.id.0, id);
            super::facts_come_back(&[fact]);
        }
        Err(error) => is_damage(&error),
    }
}

/// Bytes that are taken for an analysis or a vector are those that would be written for it.
fn derived(blob: &[u8]) {
    if let Some(analysis) = Analysis::from_bytes(blob) {
        assert_eq!(analysis.to_bytes(), blob);
    }
    if let Some(vector) = RemoteVector::from_bytes(blob) {
        assert_eq!(vector.to_bytes(), blob);
    }
}

fn is_damage(error: &StoreError) {
    assert!(error.is_damage(), "no damage, and so no recovery: {error}");
}

/// A JSON value as a cell: a list of numbers is a blob.
fn cell(value: &Value) -> Cell {
    match value {
        Value::Null => Cell::Null,
        Value::Bool(b) => Cell::Integer(i64::from(*b)),
        Value::Number(n) => n.as_i64().map_or(Cell::Real(n.as_f64().unwrap_or(0.5)), Cell::Integer),
        Value::String(text) => Cell::Text(text.clone()),
        Value::Array(bytes) => {
            let byte = |b: &Value| b.as_u64().and_then(|b| u8::try_from(b % 256).ok());
            Cell::Blob(bytes.iter().filter_map(byte).collect())
        }
        Value::Object(_) => Cell::Text(value.to_string()),
    }
}
