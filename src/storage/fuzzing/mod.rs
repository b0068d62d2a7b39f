//! What must hold of files and rows that anybody or anything may have written.
//!
//! For tests and fuzz targets only, see `crate::fuzzing`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a broken promise ends the run"
)]

mod log_bytes;
mod row_values;
mod view_files;

use std::collections::HashSet;

use rusqlite::Connection;
use serde_json::{Map, Value};

use super::rows::{self, PageRow, Reading};
use super::views::document::{Verdict, verdict};
use super::views::record::{PageRecord, each_entry, entries};
use super::{fact_rows, foreign as other, schema};
use crate::memory::fact::Fact;
use crate::memory::page::{NewPage, Slot, Texts};
use crate::time::Timestamp;

pub use row_values::rows;
pub use view_files::views;

/// Takes a JSON file of another program.
///
/// # Panics
///
/// When a page is taken in that is empty or not in the file, or does not come back as it was taken
/// in from its row and from the view.
pub fn foreign(bytes: &[u8]) {
    let now = Timestamp::from_parts(1_780_000_000_000_000, 0).unwrap();
    if verdict(bytes) != Verdict::Foreign {
        return;
    }
    let pages = other::pages_in(bytes, now);
    let n_bytes = |t: &Texts| t.user_input.len() + t.agent_response.len();
    let total: usize = pages.iter().map(|page| n_bytes(&page.texts)).sum();
    assert!(total <= bytes.len(), "{total} bytes of text from {}", bytes.len());
    assert!(pages.iter().all(|page| n_bytes(&page.texts) > 0));
    if let Ok(file) = serde_json::from_slice(bytes) {
        let mut expected = Vec::new();
        in_order(&file, &mut expected);
        let told = |page: &NewPage| (page.texts.clone(), page.meta_data.clone());
        assert_eq!(pages.iter().map(told).collect::<Vec<_>>(), expected);
    }
    with_database(|conn| {
        let mut known = HashSet::new();
        let fresh: Vec<_> = pages
            .iter()
            .filter(|page| known.insert((page.texts.checksum(), page.timestamp.micros())))
            .collect();
        other::store(conn, pages.clone(), |new, known| format!("{new} {known}")).unwrap();
        let stored = all_pages(conn);
        assert_eq!(stored.iter().map(|row| &row.page.new).collect::<Vec<_>>(), fresh);
        stored.iter().for_each(comes_back);
        other::store(conn, pages.clone(), |new, known| format!("{new} {known}")).unwrap();
        assert_eq!(all_pages(conn), stored, "taken in twice");
    });
}

/// Looks for exchanges as a person would: an object with two texts, and what is attached to it.
fn in_order(value: &Value, found: &mut Vec<(Texts, Map<String, Value>)>) {
    let text = |key: &str| value.get(key)?.as_str().map(str::to_owned);
    let texts = text("user_input").zip(text("agent_response"));
    match (texts, value) {
        (Some((user_input, agent_response)), Value::Object(object))
            if !user_input.is_empty() || !agent_response.is_empty() =>
        {
            let attached = object.get("meta_data").and_then(Value::as_object);
            let texts = Texts { user_input, agent_response };
            found.push((texts, attached.cloned().unwrap_or_default()));
        }
        (_, Value::Object(object)) => object.values().for_each(|inner| in_order(inner, found)),
        (_, Value::Array(items)) => items.iter().for_each(|inner| in_order(inner, found)),
        _ => {}
    }
}

/// Demands that facts come back from their rows and from the view.
pub(crate) fn facts_come_back(facts: &[Fact]) {
    with_database(|conn| {
        for fact in facts {
            fact_rows::put(conn, fact).unwrap();
            let shown = serde_json::to_string_pretty(&fact_rows::shown(fact)).unwrap();
            let shown: Value = serde_json::from_str(&shown).unwrap();
            assert_eq!(fact_rows::from_shown(shown.as_object().unwrap()).as_ref(), Some(fact));
        }
        assert_eq!(fact_rows::all(conn).unwrap(), facts);
    });
}

/// Demands that a page comes back from what a view shows of it, as deep as it may stand there.
fn comes_back(row: &PageRow) {
    let shown = serde_json::to_value(PageRecord::of(row)).unwrap();
    let view = serde_json::json!({"segments": [{"segment_id": 1, "pages": [shown]}]});
    let text = serde_json::to_vec_pretty(&view).unwrap();
    let mut found = Vec::new();
    for value in entries(&text) {
        each_entry(&value, &mut |object| {
            let record = serde_json::from_value::<PageRecord>(object.clone().into());
            let row = record.ok().and_then(PageRecord::into_row);
            let is_page = row.is_some();
            found.extend(row);
            is_page
        });
    }
    assert_eq!(found, std::slice::from_ref(row));
}

/// Runs on a database that is empty before and after.
fn with_database(run: impl FnOnce(&Connection)) {
    thread_local! {
        static DATABASE: Connection = schema::in_memory().unwrap();
    }
    DATABASE.with(|conn| {
        run(conn);
        conn.execute_batch(
            "DELETE FROM pages; DELETE FROM texts; DELETE FROM segments; DELETE FROM means;
             DELETE FROM facts; DELETE FROM log; DELETE FROM notices; DELETE FROM profile;
             DELETE FROM sqlite_sequence;",
        )
        .unwrap();
    });
}

fn all_pages(conn: &Connection) -> Vec<PageRow> {
    let mut pages = Vec::new();
    rows::each_page(conn, Slot(0), |row| {
        pages.push(row?);
        Ok(())
    })
    .unwrap();
    pages
}

/// Writes a page to its row and demands it back.
fn row_comes_back(conn: &Connection, row: &PageRow) {
    rows::remove_page(conn, row.page.slot).unwrap();
    rows::insert_page(conn, row, Reading::Due).unwrap();
    assert_eq!(rows::page(conn, row.page.slot).unwrap().as_ref(), Some(row));
}
