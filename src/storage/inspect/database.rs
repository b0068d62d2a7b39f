//! The database: its log byte by byte, then every row of a picture of it.

use std::collections::BTreeSet;

use rusqlite::Connection;

use super::finding::{Finding, listed, size};
use super::snapshot;
use crate::memory::page::Slot;
use crate::storage::folder::Folder;
use crate::storage::schema::{self, VERSION, meta};
use crate::storage::segment_rows::{self, SegmentRow};
use crate::storage::{StoreError, check, create, erase, fact_rows, log, open, rows, wal};
use crate::user::UserId;

/// What to do about damage.
const RECOVER: &str = "copy the folder away first; then close all clients of this user and start one: \
    it recovers what can be read, keeps the damaged files and tells what is lost";

/// Which database it is and how far it goes: what the views are compared with.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) epoch: String,
    pub(super) previous: Vec<String>,
    pub(super) seq: u64,
}

/// Looks at the database and its log; none where it cannot be read.
pub(super) fn findings(folder: &Folder, user: &UserId, found: &mut Vec<Finding>) -> Option<Known> {
    const ID: &str = "files.database";
    let path = folder.database();
    if !folder.has_database() {
        found.push(match create::has_traces(folder) {
            Ok(false) => Finding::ok(ID, "there is none yet; the first start creates it"),
            Ok(true) => Finding::problem(
                ID,
                format!("{} is missing or empty beside what was made of it", path.display()),
                RECOVER,
            ),
            Err(error) => Finding::problem(ID, error.to_string(), RECOVER),
        });
        return None;
    }
    found.push(log_file(folder));
    match snapshot::take(&path) {
        Ok(Some(snapshot)) => rows_of(&snapshot.conn, folder, user, found),
        Ok(None) => {
            let reason = "other processes write without a pause: repeat this when they do not";
            found.push(Finding::skipped(ID, reason));
            None
        }
        Err(error) => {
            found.push(failure(ID, &error));
            None
        }
    }
}

/// Compares the log with its own checksums and its index.
fn log_file(folder: &Folder) -> Finding {
    const ID: &str = "files.wal";
    let bytes = folder.size("memory.db-wal");
    if bytes == 0 && folder.size("memory.db-shm") == 0 {
        return Finding::ok(ID, "there is no log beside the database: it was closed cleanly");
    }
    let report = wal::inspect(&folder.database());
    if report.is_damaged() {
        return Finding::problem(
            ID,
            format!(
                "memory.db-wal breaks off after {} frames: {} commits behind the break, {} \
                 committed frames missing",
                report.valid, report.stranded_commits, report.missing_frames
            ),
            RECOVER,
        );
    }
    Finding::ok(ID, format!("memory.db-wal ({}) is whole", size(bytes)))
}

fn rows_of(
    conn: &Connection,
    folder: &Folder,
    user: &UserId,
    found: &mut Vec<Finding>,
) -> Option<Known> {
    let (mark, format) = ("files.mark", "files.format");
    match schema::version(conn, &folder.database()) {
        Err(error @ StoreError::Foreign { .. }) => {
            let action = "move it away: then memoryos begins here with an empty memory";
            found.push(Finding::problem(mark, error.to_string(), action));
            return None;
        }
        Err(error) => {
            let is_mark = matches!(error, StoreError::Damaged { .. });
            found.push(failure(if is_mark { mark } else { "files.database" }, &error));
            return None;
        }
        Ok(version) => {
            found.push(Finding::ok("files.database", "memory.db can be read"));
            found.push(Finding::ok(mark, "it is a database of memoryos"));
            found.push(match version {
                _ if version > VERSION => Finding::problem(
                    format,
                    format!(
                        "its format is {version}, newer than {VERSION}: it is served read-only"
                    ),
                    "use the newest memoryos in every client",
                ),
                VERSION => Finding::ok(format, format!("its format is {VERSION}")),
                _ => Finding::warning(
                    format,
                    format!("its format is {version}; this program needs {VERSION}"),
                    "close the clients of this user and start one: it brings the format up to date",
                ),
            });
            if version != VERSION {
                return None;
            }
        }
    }
    found.push(owner(conn, folder, user));
    found.push(structure(conn));
    let mut filed_in = BTreeSet::new();
    found.extend(pages(conn, &mut filed_in));
    found.push(segments(conn, filed_in));
    found.push(facts(conn));
    found.push(entries(conn));
    found.push(erasing(conn));
    found.push(origin(conn, folder));
    known(conn).ok()
}

fn known(conn: &Connection) -> Result<Known, StoreError> {
    let previous = meta(conn, "previous_epochs")?.unwrap_or_default();
    Ok(Known {
        epoch: meta(conn, "epoch")?.unwrap_or_default(),
        previous: previous.split(' ').map(str::to_owned).collect(),
        seq: log::last(conn)?,
    })
}

/// What a failed read is: damage, or something in the way.
fn failure(id: &'static str, error: &StoreError) -> Finding {
    if error.is_damage() {
        return Finding::problem(id, format!("memory.db: {error}"), RECOVER);
    }
    let action = "see that this account may read the folder and that the temporary folder has room";
    Finding::problem(id, format!("memory.db cannot be read: {error}"), action)
}

fn owner(conn: &Connection, folder: &Folder, user: &UserId) -> Finding {
    const ID: &str = "files.owner";
    match open::check_owner(folder, conn, user) {
        Ok(()) => Finding::ok(ID, format!("it belongs to user {user}")),
        Err(error @ StoreError::Owner { .. }) => {
            let action = "give the folder the name of its owner, or set MEMORYOS_USER_ID to it";
            Finding::problem(ID, error.to_string(), action)
        }
        Err(error) => failure(ID, &error),
    }
}

fn structure(conn: &Connection) -> Finding {
    const ID: &str = "files.structure";
    match check::structure(conn) {
        Ok(None) => Finding::ok(ID, "its structure is sound (quick_check)"),
        Ok(Some(wrong)) => Finding::problem(ID, format!("memory.db is damaged: {wrong}"), RECOVER),
        Err(error) => failure(ID, &error),
    }
}

/// Every page against its checksum, and how many there are against how many there should be.
fn pages(conn: &Connection, filed_in: &mut BTreeSet<u32>) -> Vec<Finding> {
    let (sums, gaps) = ("files.pages", "files.gaps");
    let (mut n_pages, mut damaged) = (0_u32, Vec::new());
    let read = rows::each_page(conn, Slot(0), |row| {
        n_pages += 1;
        match row {
            Ok(row) => filed_in.extend(row.segment),
            Err(error) => damaged.push(reason(&error)),
        }
        Ok(())
    });
    let count = || {
        let expected = rows::last_slot(conn)?.0.saturating_sub(check::gaps(conn)?);
        Ok::<_, StoreError>(expected)
    };
    let mut found = Vec::new();
    found.push(match &read {
        Err(error) => failure(sums, error),
        Ok(()) if damaged.is_empty() => {
            Finding::ok(sums, format!("all {n_pages} memories fit their checksums"))
        }
        Ok(()) => {
            let (bad, what) = (damaged.len(), listed(&damaged));
            Finding::problem(sums, format!("{bad} of {n_pages} memories: {what}"), RECOVER)
        }
    });
    found.push(match (read, count()) {
        (Ok(()), Ok(expected)) if expected == n_pages => Finding::ok(gaps, "no memory is missing"),
        (Ok(()), Ok(expected)) => Finding::problem(
            gaps,
            format!("memory.db has {n_pages} memories, expected {expected}"),
            RECOVER,
        ),
        (Err(_), _) => Finding::skipped(gaps, "the memories cannot be counted"),
        (Ok(()), Err(error)) => failure(gaps, &error),
    });
    found
}

fn segments(conn: &Connection, mut filed_in: BTreeSet<u32>) -> Finding {
    const ID: &str = "files.segments";
    let (mut n_segments, mut damaged) = (0, Vec::new());
    let read = segment_rows::each(conn, |row| {
        match row {
            Ok(SegmentRow::Live(segment)) => {
                n_segments += 1;
                filed_in.remove(&segment.id.0);
            }
            Ok(SegmentRow::Merged(from, _)) => {
                filed_in.remove(&from.0);
            }
            Err(error) => damaged.push(reason(&error)),
        }
        Ok(())
    });
    if let Err(error) = read {
        return failure(ID, &error);
    }
    damaged.extend(filed_in.iter().map(|id| format!("topic {id} is missing")));
    if damaged.is_empty() {
        return Finding::ok(ID, format!("all {n_segments} topics are there"));
    }
    Finding::problem(ID, format!("topics in memory.db: {}", listed(&damaged)), RECOVER)
}

fn facts(conn: &Connection) -> Finding {
    const ID: &str = "files.facts";
    let (mut n_facts, mut damaged) = (0, Vec::new());
    let read = fact_rows::each(conn, |fact| {
        n_facts += 1;
        damaged.extend(fact.err().map(|error| reason(&error)));
        Ok(())
    });
    match read {
        Err(error) => failure(ID, &error),
        Ok(()) if damaged.is_empty() => {
            Finding::ok(ID, format!("all {n_facts} facts fit their checksums"))
        }
        Ok(()) => {
            Finding::problem(ID, format!("facts in memory.db: {}", listed(&damaged)), RECOVER)
        }
    }
}

fn entries(conn: &Connection) -> Finding {
    const ID: &str = "files.log";
    match log::since(conn, 0) {
        Ok((_, last, n_entries)) => {
            Finding::ok(ID, format!("all {n_entries} log entries can be read; the last is {last}"))
        }
        Err(error) => failure(ID, &error),
    }
}

fn erasing(conn: &Connection) -> Finding {
    const ID: &str = "files.erasing";
    match erase::pending(conn) {
        Ok(None) => Finding::ok(ID, "nothing forgotten waits to be erased from disk"),
        Ok(Some(change)) => Finding::warning(
            ID,
            format!("what change {change} forgot is not yet erased from disk"),
            "start a client of this user, or leave the one that runs alone: it goes on erasing",
        ),
        Err(error) => failure(ID, &error),
    }
}

fn origin(conn: &Connection, folder: &Folder) -> Finding {
    const ID: &str = "files.origin";
    match create::is_original(conn, folder) {
        Ok(true) => Finding::ok(ID, "it is the file it was made as"),
        Ok(false) => Finding::ok(ID, "it is a copy or was restored; the next start checks it"),
        Err(error) => failure(ID, &error),
    }
}

/// What is wrong with a row, without the name of the file.
fn reason(error: &StoreError) -> String {
    match error {
        StoreError::Damaged { what, .. } => what.clone(),
        other => other.to_string(),
    }
}
