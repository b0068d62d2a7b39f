//! Taking in JSON files of other programs, as the guide's migration moves them into the folder.
//!
//! Every object at any depth that has `user_input` and `agent_response` becomes a page. A file is
//! renamed only after its pages are committed, and is never overwritten.

use std::collections::HashSet;
use std::fs::File;
use std::io::Read as _;

use rusqlite::Connection;
use serde_json::{Map, Value};

use super::folder::Folder;
use super::rows::{self, PageRow, Reading};
use super::views::NAMES;
use super::views::document::{HEAD_BYTES, is_marked};
use super::views::record::{each_object, values};
use super::{StoreError, log};
use crate::memory::page::{NewPage, Page, PageId, Slot, Texts};
use crate::time::Timestamp;

/// The session of imported pages; neighbours are told by their times.
const SESSION: &str = "import";

/// Takes in every foreign JSON file of the folder. The caller holds the folder alone.
pub(crate) fn take_in(
    folder: &Folder,
    conn: &Connection,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut files = Vec::new();
    let mut pages = Vec::new();
    for (name, found) in found(folder, now)? {
        // A file without pages is in nobody's way, unless a view belongs under its name.
        if !found.is_empty() || NAMES.contains(&name.as_str()) {
            files.push((name, found.len()));
            pages.extend(found);
        }
    }
    if files.is_empty() {
        return Ok(());
    }
    // Oldest first; pages without a time of their own keep their place in the file.
    pages.sort_by_key(|page| page.timestamp.micros());
    let stamp = now.file_stamp();
    let aside: Vec<_> =
        files.iter().map(|(n, _)| folder.free_name(&format!("{n}.foreign-{stamp}"))).collect();
    let new = store(conn, pages, |new, known| told(&files, &aside, new, known, now))?;
    for ((name, _), aside) in files.iter().zip(&aside) {
        folder.rename(name, aside)?;
    }
    tracing::warn!("{new}");
    Ok(())
}

/// Returns the foreign JSON files of the folder that have pages: the next start takes them in.
pub(crate) fn waiting(folder: &Folder) -> Result<Vec<String>, StoreError> {
    let found = found(folder, Timestamp::now())?;
    Ok(found.into_iter().filter(|(_, pages)| !pages.is_empty()).map(|(name, _)| name).collect())
}

/// Reads every foreign JSON file of the folder.
fn found(folder: &Folder, now: Timestamp) -> Result<Vec<(String, Vec<NewPage>)>, StoreError> {
    let mut files = Vec::new();
    for name in folder.names()? {
        let json = std::path::Path::new(&name).extension().is_some_and(|e| e == "json");
        if !json || name.starts_with('.') {
            continue;
        }
        let path = folder.path(&name);
        let io = |e| StoreError::io("read", &path, e);
        let mut file = File::open(&path).map_err(io)?;
        let mut bytes = Vec::new();
        // A view of ours is known by its beginning, however large it is.
        file.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut bytes).map_err(io)?;
        if !is_marked(&bytes) {
            file.read_to_end(&mut bytes).map_err(io)?;
            files.push((name, pages_in(&bytes, now)));
        }
    }
    Ok(files)
}

/// Stores the pages that are not there yet, in one transaction with what the user is told.
pub(super) fn store(
    conn: &Connection,
    pages: Vec<NewPage>,
    told: impl Fn(usize, usize) -> String,
) -> Result<String, StoreError> {
    let mut known = HashSet::new();
    rows::each_page(conn, Slot(0), |row| {
        let new = row?.page.new;
        known.insert((new.texts.checksum(), new.timestamp.micros()));
        Ok(())
    })?;
    let n_found = pages.len();
    let fresh: Vec<NewPage> = pages
        .into_iter()
        .filter(|page| known.insert((page.texts.checksum(), page.timestamp.micros())))
        .collect();
    let text = told(fresh.len(), n_found - fresh.len());
    let tx = conn.unchecked_transaction()?;
    let mut slot = rows::last_slot(&tx)?.0;
    let written =
        log::Written { pages: (slot + 1..).take(fresh.len()).collect(), ..log::Written::default() };
    let seq = log::append(&tx, "import", &written)?;
    for new in fresh {
        slot += 1;
        let page = Page {
            slot: Slot(slot),
            id: PageId::generate(),
            seq,
            new,
            continues: None,
            chain_summary: String::new(),
        };
        rows::insert_page(&tx, &PageRow { page, segment: None }, Reading::Due)?;
    }
    rows::add_notice(&tx, &text)?;
    tx.commit()?;
    Ok(text)
}

fn told(
    files: &[(String, usize)],
    aside: &[String],
    new: usize,
    known: usize,
    now: Timestamp,
) -> String {
    let names: Vec<String> = files
        .iter()
        .zip(aside)
        .map(|((name, n), aside)| format!("{name} ({n} pages, kept as {aside})"))
        .collect();
    format!(
        "{now}: took in {new} pages from files of another program: {}. {known} of their pages were \
         there already.",
        names.join(", ")
    )
}

pub(super) fn pages_in(bytes: &[u8], now: Timestamp) -> Vec<NewPage> {
    let mut pages = Vec::new();
    for value in values(bytes) {
        each_object(&value, &mut |object| {
            let page = page_of(object, now);
            let taken = page.is_some();
            pages.extend(page);
            taken
        });
    }
    pages
}

fn page_of(object: &Map<String, Value>, now: Timestamp) -> Option<NewPage> {
    let text = |key| object.get(key).and_then(Value::as_str).map(str::to_owned);
    let texts = Texts { user_input: text("user_input")?, agent_response: text("agent_response")? };
    if texts.user_input.is_empty() && texts.agent_response.is_empty() {
        return None;
    }
    let given = text("timestamp").and_then(|t| Timestamp::parse(&t).ok());
    let meta_data = object.get("meta_data").and_then(Value::as_object).cloned().unwrap_or_default();
    Some(NewPage {
        texts,
        timestamp: given.unwrap_or(now),
        timestamp_given: given.is_some(),
        meta_data,
        session: SESSION.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::schema::{self, Access};
    use super::*;

    const PYTHON: &str = r#"{"sessions": {"session_1": {"summary": "s", "details": [
        {"page_id": "p2", "user_input": "later", "agent_response": "b", "timestamp": "2025-07-06 11:40:00"},
        {"page_id": "p1", "user_input": "first", "agent_response": "a", "timestamp": "2025-07-06 11:39:42"},
        {"page_id": "p1", "user_input": "first", "agent_response": "a", "timestamp": "2025-07-06 11:39:42"},
        {"user_input": "no answer"}]}}}"#;

    fn folder() -> (tempfile::TempDir, Folder, Connection) {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(&dir.path().join("ada")).unwrap();
        schema::create(&folder.database(), true, |_| Ok(())).unwrap();
        let conn = schema::connect(&folder.database(), Access::ReadWrite).unwrap();
        (dir, folder, conn)
    }

    fn put(folder: &Folder, name: &str, text: &str) {
        folder
            .write(name, |out| {
                out.write_all(text.as_bytes()).unwrap();
                Ok(())
            })
            .unwrap();
    }

    fn stored(conn: &Connection) -> Vec<String> {
        let mut texts = Vec::new();
        rows::each_page(conn, Slot(0), |row| {
            texts.push(row?.page.new.texts.user_input);
            Ok(())
        })
        .unwrap();
        texts
    }

    #[test]
    fn pages_of_another_program_are_taken_in_once_and_oldest_first() {
        let (_dir, folder, conn) = folder();
        put(&folder, "mid_term_memory.json", PYTHON);
        put(
            &folder,
            "short_term_memory.json",
            r#"[{"user_input": "newest", "agent_response": "c"}]"#,
        );
        take_in(&folder, &conn, Timestamp::now()).unwrap();
        assert_eq!(stored(&conn), ["first", "later", "newest"]);
        let names = folder.names().unwrap();
        assert!(names.iter().any(|n| n.starts_with("mid_term_memory.json.foreign-")), "{names:?}");
        assert!(!names.contains(&"mid_term_memory.json".to_owned()));
        put(&folder, "mid_term_memory.json", PYTHON);
        take_in(&folder, &conn, Timestamp::now()).unwrap();
        assert_eq!(stored(&conn).len(), 3);
        let notices = rows::notices(&conn).unwrap();
        assert!(notices[0].contains("took in 3 pages"), "{notices:?}");
        assert!(notices[1].contains("took in 0 pages"), "{notices:?}");
    }

    #[test]
    fn whole_objects_of_a_torn_file_are_taken_in() {
        let (_dir, folder, conn) = folder();
        put(&folder, "old.json", PYTHON.split_at(PYTHON.len() - 120).0);
        take_in(&folder, &conn, Timestamp::now()).unwrap();
        assert_eq!(stored(&conn), ["first", "later"]);
    }

    #[test]
    fn our_own_views_are_not_foreign() {
        let (_dir, folder, conn) = folder();
        put(&folder, "short_term_memory.json", "{\n  \"format\": \"memoryos/short_term/1\"");
        take_in(&folder, &conn, Timestamp::now()).unwrap();
        assert!(folder.names().unwrap().contains(&"short_term_memory.json".to_owned()));
        assert_eq!(rows::notices(&conn).unwrap(), Vec::<String>::new());
    }
}
