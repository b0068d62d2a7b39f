//! Making a sound database of a damaged one. The damaged files are kept.
//!
//! The steps are written down first (`.recovering`), so that a process that dies between any two of
//! them is followed by one that goes on: copies aside, a new database under a private name, the old
//! log removed, the new database renamed into place, the note removed.

use std::path::Path;

use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::create::{self, Identity};
use super::erase::ERASING;
use super::folder::{DATABASE, Folder};
use super::open::UNCLEAN;
use super::outcome::LAST_FORGET;
use super::rows::Reading;
use super::salvage::{Salvaged, salvage};
use super::schema::set_meta;
use super::wal::LARGEST_PAGE;
use super::{StoreError, fact_rows, log, rows, segment_rows, views};
use crate::memory::segment::SegmentId;
use crate::time::Timestamp;
use crate::user::{AssistantId, UserId};

/// The most rows of pages that a frame of the log can hold: each is 60 bytes at least.
const MOST_PAGES_PER_FRAME: usize = LARGEST_PAGE / 60;

/// The note that a recovery is under way.
pub(crate) const NOTE: &str = ".recovering";

#[derive(Debug, Serialize, Deserialize)]
struct Note {
    stamp: String,
    reason: String,
}

/// Whose database is recovered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Owner<'a> {
    pub(crate) user: &'a UserId,
    pub(crate) assistant: &'a AssistantId,
}

/// Sets the database aside and makes a new one of all that can be read. The caller holds the folder
/// alone and has no connection open.
pub(crate) fn recover(folder: &Folder, owner: Owner<'_>, reason: &str) -> Result<(), StoreError> {
    let note = note(folder, reason)?;
    let damaged = format!("{DATABASE}.damaged-{}", note.stamp);
    for suffix in ["", "-wal", "-shm", "-journal"] {
        keep(folder, &format!("{DATABASE}{suffix}"), &format!("{damaged}{suffix}"))?;
    }
    // What was copied before the first statement has what a checkpoint may have taken.
    keep(folder, UNCLEAN, &format!("{damaged}-wal"))?;
    let private = rebuild(folder, &folder.path(&damaged), owner, &note.reason, &damaged)?;
    for suffix in ["-wal", "-shm", "-journal"] {
        folder.remove(&format!("{DATABASE}{suffix}"))?;
    }
    let path = folder.database();
    super::folder::rename(&private, &path).map_err(|e| StoreError::io("recover", &path, e))?;
    folder.sync()?;
    folder.remove(NOTE)?;
    folder.sync()
}

/// Goes on with a recovery that a dead process began; false if there is none.
pub(crate) fn resume(folder: &Folder, owner: Owner<'_>) -> Result<bool, StoreError> {
    let begun = folder.size(NOTE) > 0;
    if begun {
        recover(folder, owner, "a recovery was interrupted")?;
    }
    Ok(begun)
}

/// Makes a new database under a private name in `folder` of the database at `damaged` and the views
/// of `folder`.
pub(crate) fn rebuild(
    folder: &Folder,
    damaged: &Path,
    owner: Owner<'_>,
    reason: &str,
    kept_as: &str,
) -> Result<std::path::PathBuf, StoreError> {
    let contents = views::contents(folder)?;
    let changed = contents.changed.clone();
    let scratch = tempfile::Builder::new()
        .prefix(".salvage-")
        .tempdir_in(folder.root())
        .map_err(|e| StoreError::io("create a folder in", folder.root(), e))?;
    let salvaged = salvage(damaged, contents, &Folder::open(scratch.path())?)?;
    check_owner(folder, &salvaged, owner.user)?;
    let told = report(&salvaged, reason, kept_as, &changed);
    tracing::warn!("{told}");
    let identity = Identity {
        owner: owner.user,
        assistant: owner.assistant,
        previous_epochs: salvaged.epochs.clone(),
    };
    create::prepare(folder, &identity, |conn| fill(conn, &salvaged, &told))
}

fn fill(conn: &Connection, salvaged: &Salvaged, told: &str) -> Result<(), StoreError> {
    if let Some(assistant) = &salvaged.assistant {
        set_meta(conn, "assistant", assistant)?;
    }
    // All are read by rule again: what is known stays, what was lost of it comes back.
    for row in salvaged.pages.values() {
        rows::insert_page(conn, row, Reading::Due)?;
    }
    for segment in salvaged.segments.values() {
        segment_rows::put(conn, segment)?;
    }
    for (from, into) in &salvaged.merged {
        segment_rows::put_merged(conn, SegmentId(*from), SegmentId(*into))?;
    }
    for fact in salvaged.facts.values() {
        fact_rows::put(conn, fact)?;
    }
    if let Some(prose) = &salvaged.prose {
        fact_rows::put_prose(conn, prose)?;
    }
    if let Some(mark) = &salvaged.erasing {
        set_meta(conn, ERASING, mark)?;
    }
    if salvaged.last_forget > 0 {
        set_meta(conn, LAST_FORGET, &salvaged.last_forget.to_string())?;
    }
    // A slot that was lost stays empty: no other page may take its place.
    rows::continue_after(conn, salvaged.last_slot)?;
    let n_pages = u32::try_from(salvaged.pages.len()).unwrap_or(u32::MAX);
    set_meta(conn, "gaps", &salvaged.last_slot.saturating_sub(n_pages).to_string())?;
    log::continue_at(conn, salvaged.seq + 1)?;
    for notice in salvaged.notices.iter().map(String::as_str).chain([told]) {
        rows::add_notice(conn, notice)?;
    }
    Ok(())
}

/// Says what came back and what did not.
fn report(salvaged: &Salvaged, reason: &str, kept_as: &str, changed: &[&str]) -> String {
    let lost = salvaged.lost();
    let mut told = format!(
        "{}: the memory was damaged ({reason}) and has been recovered: {} pages came back, {} of \
         them from the views.",
        Timestamp::now(),
        salvaged.pages.len(),
        salvaged.from_views.len()
    );
    if salvaged.cut_off > 0 {
        // Pages that are added together share the pages of the database.
        let n = salvaged.cut_off * MOST_PAGES_PER_FRAME;
        told = format!(
            "{told} The end of its log is missing: at most {n} more pages, added last, may be lost."
        );
    }
    if !salvaged.rows_read {
        let last = salvaged.seq;
        told = format!(
            "{told} The database itself is unreadable: pages added after change {last}, the last \
             that the views show, are lost if there were any."
        );
    }
    if lost.is_empty() && salvaged.cut_off == 0 && salvaged.rows_read {
        told.push_str(" No page is known to be lost.");
    }
    if !lost.is_empty() {
        let named: Vec<String> = lost.iter().take(50).map(u32::to_string).collect();
        let more = if lost.len() > 50 { " and more" } else { "" };
        let (n, named) = (lost.len(), named.join(", "));
        told = format!("{told} {n} pages are lost, in the order of adding these: {named}{more}.");
    }
    if !changed.is_empty() {
        told = format!("{told} Not intact themselves: {}.", changed.join(", "));
    }
    format!("{told} The damaged files are kept as {kept_as}*.")
}

fn check_owner(folder: &Folder, salvaged: &Salvaged, user: &UserId) -> Result<(), StoreError> {
    match &salvaged.owner {
        Some(owner) if owner != user.as_str() => Err(StoreError::Owner {
            path: folder.root().to_owned(),
            owner: owner.clone(),
            expected: user.to_string(),
        }),
        _ => Ok(()),
    }
}

/// Reads the note of a recovery that was begun, or begins one.
fn note(folder: &Folder, reason: &str) -> Result<Note, StoreError> {
    let known = std::fs::read(folder.path(NOTE)).ok();
    if let Some(note) = known.and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
        return Ok(note);
    }
    let stamp = Timestamp::now().file_stamp();
    let taken = folder.free_name(&format!("{DATABASE}.damaged-{stamp}"));
    let stamp = taken.trim_start_matches(&format!("{DATABASE}.damaged-")).to_owned();
    let note = Note { stamp, reason: reason.to_owned() };
    folder.write(NOTE, |out| {
        serde_json::to_writer(out, &note)
            .map_err(|e| StoreError::io("write", &folder.path(NOTE), e.into()))
    })?;
    Ok(note)
}

/// Copies a file aside, whole or not at all; one that was kept already is not touched.
fn keep(folder: &Folder, name: &str, aside: &str) -> Result<(), StoreError> {
    if folder.is_there(aside)? || !folder.is_there(name)? {
        return Ok(());
    }
    let partial = format!(".new-{aside}");
    folder.copy(name, &partial)?;
    folder.rename(&partial, aside)
}
