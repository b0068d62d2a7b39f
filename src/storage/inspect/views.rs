//! The readable copies and the derived data, against the database they were made of.
//!
//! A view may be a little behind: that is no finding. One that is ahead means that commits were lost.

use std::path::Path;

use rusqlite::Connection;
use xxhash_rust::xxh3::xxh3_64;

use super::database::Known;
use super::finding::Finding;
use super::names::entries;
use super::snapshot;
use crate::storage::folder::Folder;
use crate::storage::views::{self, Found};
use crate::storage::{StoreError, derived};
use crate::user::UserId;

/// A view as it was before the database was looked at.
#[derive(Debug)]
pub(super) struct View {
    name: &'static str,
    found: Result<Found, StoreError>,
}

/// Reads the views. This comes before the database: what is read later may be ahead of them.
pub(super) fn read(folder: &Folder) -> Vec<View> {
    views::NAMES.iter().map(|name| View { name, found: views::find(folder, name) }).collect()
}

/// Says what is wrong with the views.
pub(super) fn findings(views: &[View], known: Option<&Known>, user: &UserId) -> Vec<Finding> {
    let wrong = views.iter().filter_map(|view| wrong(view, known, user)).collect::<Vec<_>>();
    if wrong.is_empty() {
        return vec![Finding::ok(ID, "the readable copies are intact and fit the database")];
    }
    wrong
}

const ID: &str = "files.views";

fn wrong(view: &View, known: Option<&Known>, user: &UserId) -> Option<Finding> {
    let name = view.name;
    let renewed = "start a client of this user, or let the one that runs store something: it is \
                   written anew";
    match &view.found {
        Err(error) => Some(Finding::problem(
            ID,
            error.to_string(),
            "give the account that runs memoryos the right to read it",
        )),
        // Without a database there is nothing that it should show.
        Ok(Found::Missing) => {
            known.map(|_| Finding::warning(ID, format!("{name} is missing"), renewed))
        }
        Ok(Found::Changed) => Some(Finding::warning(
            ID,
            format!("{name} was changed since memoryos wrote it"),
            "nothing: it is kept as .edited-<time> and written anew; edits change no memory",
        )),
        Ok(Found::Foreign) => Some(Finding::warning(
            ID,
            format!("{name} was not written by memoryos"),
            "close the clients of this user and start one: it takes in what is in it",
        )),
        Ok(Found::Intact(header)) if header.user_id != user.as_str() => Some(Finding::problem(
            ID,
            format!("{name} belongs to user {:?}, expected {:?}", header.user_id, user.as_str()),
            "give the folder the name of its owner, or set MEMORYOS_USER_ID to it",
        )),
        Ok(Found::Intact(header)) => {
            let known = known?;
            if header.epoch == known.epoch {
                return (header.seq > known.seq).then(|| ahead(name, header.seq, known.seq));
            }
            // Made by a database that this one was recovered from: it is written over.
            (!known.previous.contains(&header.epoch)).then(|| {
                Finding::warning(
                    ID,
                    format!("{name} is of another database"),
                    "nothing: it is kept as .other-<time> and written anew",
                )
            })
        }
    }
}

fn ahead(name: &str, shown: u64, last: u64) -> Finding {
    Finding::problem(
        ID,
        format!("memory.db ends with change {last}, but {name} shows change {shown}"),
        "changes are missing in memory.db: copy the folder away, close all clients of this user and \
         start one; it takes what the readable copies have",
    )
}

/// Looks at the files of derived data; whatever is wrong with them, they are made anew.
pub(super) fn derived(folder: &Folder) -> Vec<Finding> {
    const ID: &str = "files.derived";
    let inside = folder.path(derived::FOLDER);
    let files = entries(&inside).unwrap_or_default();
    let is_file = |name: &str| Path::new(name).extension().is_some_and(|e| e == "db");
    let mut found = Vec::new();
    let mut n_files = 0;
    for entry in files.iter().filter(|e| e.meta.is_file() && is_file(&e.name)) {
        n_files += 1;
        let path = inside.join(&entry.name);
        let name = format!("{}/{}", derived::FOLDER, entry.name);
        match snapshot::take(&path).and_then(|s| s.map(|s| damaged_rows(&s.conn)).transpose()) {
            Ok(Some(0)) => {}
            Ok(None) => {
                let reason = format!("{name} is written without a pause");
                found.push(Finding::skipped(ID, reason));
            }
            Ok(Some(damaged)) => {
                found.push(made_anew(ID, &format!("{name} has {damaged} damaged rows")));
            }
            Err(error) => found.push(made_anew(ID, &format!("{name} cannot be read: {error}"))),
        }
    }
    if found.is_empty() {
        found.push(Finding::ok(ID, format!("{n_files} files of derived data are sound")));
    }
    found
}

fn made_anew(id: &'static str, message: &str) -> Finding {
    let action = "nothing: it is made anew; or delete the folder embeddings while no client runs";
    Finding::warning(id, message, action)
}

/// Counts the rows that do not fit their checksums.
fn damaged_rows(conn: &Connection) -> Result<usize, StoreError> {
    let verdict: String = conn.query_row("PRAGMA quick_check(1)", [], |r| r.get(0))?;
    if verdict != "ok" {
        return Err(StoreError::damaged(Path::new(derived::FOLDER), verdict));
    }
    let mut statement = conn.prepare("SELECT checksum, analysis FROM analyses")?;
    let mut rows = statement.query([])?;
    let mut damaged = 0;
    while let Some(row) = rows.next()? {
        let sum = xxh3_64(row.get_ref(1)?.as_blob().unwrap_or_default()).cast_signed();
        damaged += usize::from(sum != row.get::<_, i64>(0)?);
    }
    Ok(damaged)
}
