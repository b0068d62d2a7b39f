//! The outcome of a transaction, on its way to the tables and back to another process's memory.
//!
//! What is written is an outcome that was decided before; nothing is decided here. The log names all
//! that was written, so that others read these objects and nothing else.

use rusqlite::{Connection, params};

use super::erase::ERASING;
use super::rows::{self, PageRow, Reading};
use super::segment_rows::{self, SegmentRow};
use super::store::Costs;
use super::{StoreError, check, fact_rows, log, schema};
use crate::memory::change::Change;
use crate::memory::fact::FactId;
use crate::memory::long::{LongChange, ProfileChange};
use crate::memory::page::Slot;
use crate::memory::segment::SegmentId;

/// The key of `meta` that says how far a model has filed the pages.
pub(crate) const FILED_BY_MODEL: &str = "filed_by_model";

/// The key of `meta` that says which change forgot something last.
pub(crate) const LAST_FORGET: &str = "last_forget";

/// What other processes wrote.
#[derive(Debug, Default)]
pub(crate) struct News {
    pub(crate) pages: Vec<PageRow>,
    pub(crate) filed: Vec<(Slot, SegmentId)>,
    pub(crate) segments: Vec<SegmentRow>,
    pub(crate) long: LongChange,
    /// Whether pages were forgotten: then everything is to be read anew, and nothing else is here.
    pub(crate) forgotten: bool,
}

impl News {
    /// Returns how many rows were read for it: a page and a segment have two each.
    pub(crate) fn n_rows(&self) -> usize {
        2 * (self.pages.len() + self.segments.len()) + self.long.facts.len()
    }
}

/// Writes an outcome; returns its sequence number and what it cost. The pages of `change` get it as
/// theirs.
pub(crate) fn write(
    conn: &Connection,
    kind: &str,
    change: &mut Change,
) -> Result<(u64, Costs), StoreError> {
    let seq = log::append(conn, kind, &written(change))?;
    for page in &mut change.pages {
        page.seq = seq;
        let row = PageRow { page: page.clone(), segment: None };
        rows::insert_page(conn, &row, Reading::Done)?;
    }
    for (slot, id) in &change.mid.filed {
        conn.prepare_cached("UPDATE pages SET segment = ?2 WHERE slot = ?1")?
            .execute(params![slot.0, id.0])?;
    }
    for segment in &change.mid.segments {
        segment_rows::put(conn, segment)?;
    }
    for (from, into) in &change.mid.merged {
        segment_rows::put_merged(conn, *from, *into)?;
    }
    for relinked in &change.relinked {
        rows::relink(conn, relinked)?;
    }
    if let Some(slot) = change.filed_by_model {
        schema::set_meta(conn, FILED_BY_MODEL, &slot.0.to_string())?;
    }
    if !change.forgotten.is_empty() {
        forget(conn, change, seq)?;
    }
    let facts = write_long(conn, &change.long)?;
    let segments = change.mid.segments.len() + change.mid.merged.len();
    let pages = change.pages.len() + change.relinked.len() + change.forgotten.len();
    let rows = 1 + 2 * (pages + segments) + change.mid.filed.len() + facts;
    let (rows_written, segments_written) = (rows as u64, segments as u64);
    Ok((seq, Costs { rows_read: 0, rows_written, segments_written }))
}

/// Removes pages and the segments that are left empty, and marks that they are to be erased.
fn forget(conn: &Connection, change: &Change, seq: u64) -> Result<(), StoreError> {
    let mut n_removed = 0;
    for slot in &change.forgotten {
        n_removed += rows::remove_page(conn, *slot)?;
    }
    for id in &change.emptied {
        segment_rows::remove(conn, *id)?;
    }
    // Their places stay empty, rightly.
    let gaps = check::gaps(conn)? as usize + n_removed;
    schema::set_meta(conn, "gaps", &gaps.to_string())?;
    schema::set_meta(conn, LAST_FORGET, &seq.to_string())?;
    // What was set aside is deleted with it.
    conn.execute_batch(
        "UPDATE notices SET text = replace(replace(text,
           'files are kept as', 'files were kept, until something was forgotten, as'),
           ', kept as', ', kept until something was forgotten as')",
    )?;
    schema::set_meta(conn, ERASING, &seq.to_string())
}

fn written(change: &Change) -> log::Written {
    let (mid, long) = (&change.mid, &change.long);
    log::Written {
        pages: change.pages.iter().map(|page| page.slot.0).collect(),
        filed: mid.filed.iter().map(|(slot, id)| (slot.0, id.0)).collect(),
        segments: mid.segments.iter().map(|s| s.id.0).collect(),
        merged: mid.merged.iter().map(|(from, into)| (from.0, into.0)).collect(),
        facts: long.facts.iter().map(|fact| fact.id.0).collect(),
        facts_gone: long.gone.iter().map(|id| id.0).collect(),
        prose: long.profile.is_some(),
        relinked: change.relinked.iter().map(|page| page.slot.0).collect(),
        forgotten: change.forgotten.iter().map(|slot| slot.0).collect(),
    }
}

/// Writes what changes in long-term memory; returns the number of rows.
fn write_long(conn: &Connection, long: &LongChange) -> Result<usize, StoreError> {
    for id in &long.gone {
        fact_rows::remove(conn, *id)?;
    }
    for fact in &long.facts {
        fact_rows::put(conn, fact)?;
    }
    for slot in &long.read {
        rows::set_read(conn, *slot)?;
    }
    match &long.profile {
        Some(ProfileChange::Put(profile)) => fact_rows::put_prose(conn, profile)?,
        Some(ProfileChange::Drop) => fact_rows::remove_prose(conn)?,
        None => {}
    }
    let prose = usize::from(long.profile.is_some());
    Ok(long.gone.len() + long.facts.len() + long.read.len() + prose)
}

/// Reads the objects that log entries name.
pub(crate) fn news(conn: &Connection, written: &log::Written) -> Result<News, StoreError> {
    if !written.forgotten.is_empty() {
        // What the entries before name may be gone.
        return Ok(News { forgotten: true, ..News::default() });
    }
    let mut news = News::default();
    for slot in &written.pages {
        let page = rows::page(conn, Slot(*slot))?;
        news.pages.push(page.ok_or_else(|| gone("page", *slot))?);
    }
    news.filed = written.filed.iter().map(|(slot, id)| (Slot(*slot), SegmentId(*id))).collect();
    let merged = written.merged.iter().map(|(from, _)| from);
    for id in written.segments.iter().chain(merged) {
        let segment = segment_rows::get(conn, SegmentId(*id))?;
        news.segments.push(segment.ok_or_else(|| gone("segment", *id))?);
    }
    news.long = long_news(conn, written)?;
    Ok(news)
}

fn long_news(conn: &Connection, written: &log::Written) -> Result<LongChange, StoreError> {
    let mut ids = written.facts.clone();
    ids.sort_unstable();
    ids.dedup();
    let mut long = LongChange::default();
    long.gone.extend(written.facts_gone.iter().copied().map(FactId));
    for id in ids.into_iter().map(FactId) {
        match fact_rows::get(conn, id)? {
            Some(fact) => long.facts.push(fact),
            None if long.gone.contains(&id) => {}
            None => return Err(gone("fact", id.0)),
        }
    }
    if written.prose {
        let prose = fact_rows::prose(conn)?.map(Box::new);
        long.profile = Some(prose.map_or(ProfileChange::Drop, ProfileChange::Put));
    }
    Ok(long)
}

fn gone(kind: &str, number: u32) -> StoreError {
    let what = format!("{kind} {number} of the log is not there");
    StoreError::damaged(std::path::Path::new("memory.db"), what)
}
