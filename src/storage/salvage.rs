//! Reading whatever can still be read from a damaged folder.
//!
//! Sources, best first: the database with all of its log, also behind the break; the same without
//! the frames that do not fit; the database alone; the views. A page counts only if it fits its
//! checksum, and the first source that has it wins, so that a row beats a view.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use rusqlite::Connection;

use super::fact_rows;
use super::folder::{Folder, private_options};
use super::outcome::LAST_FORGET;
use super::rows::{self, PageRow};
use super::schema::{self, Access};
use super::segment_rows::{self, SegmentRow};
use super::views::Contents;
use super::wal::{self, Frames};
use super::{StoreError, identity};
use crate::memory::chain::chain_summary;
use crate::memory::fact::Fact;
use crate::memory::page::{PageId, Slot};
use crate::memory::prompts::ModelProfile;
use crate::memory::segment::Segment;

/// Slots behind the last known one that are tried too, where the table cannot be walked through.
const BEYOND: u32 = 2000;

/// What was read.
#[derive(Debug, Default)]
pub(crate) struct Salvaged {
    /// Pages by slot.
    pub(crate) pages: BTreeMap<Slot, PageRow>,
    /// Whether the database gave rows at all; else only the views did.
    pub(crate) rows_read: bool,
    /// Which of the pages came from the views.
    pub(crate) from_views: HashSet<Slot>,
    /// Segments by id.
    pub(crate) segments: BTreeMap<u32, Segment>,
    /// Merged segments, each with the one its pages went to.
    pub(crate) merged: BTreeMap<u32, u32>,
    /// The highest sequence number known.
    pub(crate) seq: u64,
    /// The last slot ever used, as far as is known.
    pub(crate) last_slot: u32,
    /// Slots that rightly have no page, as the database counted them.
    pub(crate) gaps: u32,
    /// Committed frames of the log that are not there any more: each may have been a page.
    pub(crate) cut_off: usize,
    /// The epochs met.
    pub(crate) epochs: Vec<String>,
    /// The owner and the assistant, as far as known.
    pub(crate) owner: Option<String>,
    pub(crate) assistant: Option<String>,
    /// Notices given before.
    pub(crate) notices: Vec<String>,
    /// Slots whose pages were forgotten: older sources may still have them.
    forgotten: HashSet<Slot>,
    /// The last change that forgot something, as far as known: of a source of before it only pages
    /// count, since what was made of them may quote what was forgotten.
    pub(crate) last_forget: u64,
    /// Whether something forgotten was still to be erased.
    pub(crate) erasing: Option<String>,
    /// Facts by their numbers.
    pub(crate) facts: BTreeMap<u32, Fact>,
    /// Whether every fact of the database was read; then the views know no more of them.
    facts_whole: bool,
    /// The prose of a model.
    pub(crate) prose: Option<ModelProfile>,
}

/// Reads the database at `database` (its log beside it) and the views, working in `scratch`.
pub(crate) fn salvage(
    database: &Path,
    views: Contents,
    scratch: &Folder,
) -> Result<Salvaged, StoreError> {
    let read =
        |suffix| std::fs::read(super::folder::with_suffix(database, suffix)).unwrap_or_default();
    let (bytes, log, index) = (read(""), read("-wal"), read("-shm"));
    let mut salvaged = Salvaged { cut_off: wal::cut_off(database), ..Salvaged::default() };
    let variants: &[Option<Frames>] = if log.is_empty() {
        &[None]
    } else {
        &[Some(Frames::Valid), Some(Frames::Committed), Some(Frames::Fitting), None]
    };
    for frames in variants {
        let mut copy = bytes.clone();
        if let Some(frames) = frames {
            wal::overlay(&mut copy, &log, &index, *frames);
        }
        if copy.is_empty() {
            continue;
        }
        // Bytes 18 and 19 say that there is a log; the copy has none.
        copy.get_mut(18..20).unwrap_or_default().fill(1);
        let path = scratch.path("copy.db");
        write(&path, &copy)?;
        // A copy that cannot be opened gives nothing; the next source may.
        if let Ok(conn) = schema::connect(&path, Access::ReadWrite)
            && let Err(error) = salvaged.take_rows(&conn)
        {
            tracing::debug!(%error, "part of a damaged database is unreadable");
        }
        for suffix in ["", "-wal", "-shm", "-journal"] {
            scratch.remove(&format!("copy.db{suffix}"))?;
        }
    }
    salvaged.take_views(views);
    salvaged.leave_out_forgotten();
    Ok(salvaged)
}

impl Salvaged {
    fn take_rows(&mut self, conn: &Connection) -> Result<(), StoreError> {
        let is_old = self.take_meta(conn) < self.last_forget;
        let last = self.take_last_slot(conn)?;
        self.rows_read = true;
        let end = if is_passable(conn) { last } else { last.saturating_add(BEYOND) };
        for slot in (1..=end).map(Slot) {
            let own = self.pages.get_mut(&slot);
            if own.as_ref().is_some_and(|own| own.segment.is_some()) {
                continue;
            }
            let Ok(Some(mut row)) = rows::page(conn, slot) else { continue };
            if is_old {
                keep_only_page(&mut row);
            }
            self.seq = self.seq.max(row.page.seq);
            match own {
                // A later commit filed it.
                Some(own) if own.page.id == row.page.id => own.segment = row.segment,
                Some(_) => {}
                None => {
                    self.pages.insert(slot, row);
                }
            }
        }
        if is_old {
            return Ok(());
        }
        self.take_facts(conn);
        segment_rows::each(conn, |row| {
            match row {
                Ok(SegmentRow::Live(segment)) if self.merged.contains_key(&segment.id.0) => {}
                Ok(SegmentRow::Live(segment)) => self.take_segment(*segment),
                Ok(SegmentRow::Merged(from, into)) => {
                    self.merged.entry(from.0).or_insert(into.0);
                }
                Err(error) => tracing::debug!(%error, "a segment is unreadable"),
            }
            Ok(())
        })
    }

    /// Takes the later state of a segment: pages are only ever added.
    fn take_segment(&mut self, segment: Segment) {
        let known = self.segments.get(&segment.id.0);
        if known.is_none_or(|known| known.pages < segment.pages) {
            self.segments.insert(segment.id.0, segment);
        }
    }

    /// Returns the last change of this source that forgot something.
    fn take_meta(&mut self, conn: &Connection) -> u64 {
        let meta = |key| schema::meta(conn, key).ok().flatten();
        // What does not fit its checksum is left to the next source, and to the views.
        let is_sound = identity::is_sound(conn).unwrap_or(false);
        let told = |key| meta(key).filter(|_| is_sound);
        self.owner = self.owner.take().or_else(|| told("owner"));
        self.assistant = self.assistant.take().or_else(|| told("assistant"));
        let known = [told("epoch"), told("previous_epochs")].into_iter().flatten();
        self.epochs.extend(known.flat_map(|e| e.split(' ').map(str::to_owned).collect::<Vec<_>>()));
        self.gaps = self.gaps.max(super::check::gaps(conn).unwrap_or(0));
        self.seq = self.seq.max(super::log::last(conn).unwrap_or(0));
        self.erasing = self.erasing.take().or_else(|| meta(super::erase::ERASING));
        let forgotten = super::log::forgotten(conn).unwrap_or_default();
        self.forgotten.extend(forgotten.into_iter().map(Slot));
        if self.notices.is_empty() {
            self.notices = rows::notices(conn).unwrap_or_default();
        }
        let forgot = meta(LAST_FORGET).and_then(|seq| seq.parse().ok()).unwrap_or(0);
        self.last_forget = self.last_forget.max(forgot);
        if forgot == self.last_forget {
            self.prose = self.prose.take().or_else(|| fact_rows::prose(conn).ok().flatten());
        }
        forgot
    }

    /// Leaves out pages that an older source has and a newer one says are forgotten.
    fn leave_out_forgotten(&mut self) {
        let is_forgotten = |row: &PageRow| self.forgotten.contains(&row.page.slot);
        let rows = self.pages.values().filter(|row| is_forgotten(row));
        let ids: HashSet<PageId> = rows.map(|row| row.page.id).collect();
        self.pages.retain(|slot, _| !self.forgotten.contains(slot));
        self.from_views.retain(|slot| !self.forgotten.contains(slot));
        for fact in self.facts.values_mut() {
            fact.sources.retain(|id| !ids.contains(id));
        }
        self.facts.retain(|_, fact| !fact.sources.is_empty() && !ids.contains(&fact.said_on));
        if self.prose.as_ref().is_some_and(|prose| prose.cites.iter().any(|id| ids.contains(id))) {
            self.prose = None;
        }
    }

    /// Takes facts, of the first source that has them all, else of each what it has. Pages are read
    /// again by rule after a recovery: what is lost here and can be read comes back.
    fn take_facts(&mut self, conn: &Connection) {
        if self.facts_whole {
            return;
        }
        let mut whole = true;
        let read = fact_rows::each(conn, |fact| {
            match fact {
                Ok(fact) => drop(self.facts.entry(fact.id.0).or_insert(fact)),
                Err(_) => whole = false,
            }
            Ok(())
        });
        self.facts_whole = whole && read.is_ok();
    }

    fn take_last_slot(&mut self, conn: &Connection) -> Result<u32, StoreError> {
        // No more pages than the file has room for: a flipped bit must not make millions of gaps.
        let size = "SELECT page_count * page_size / 64 FROM pragma_page_count, pragma_page_size";
        let room: u32 = conn.query_row(size, [], |r| r.get(0))?;
        let max = |sql: &str| conn.query_row(sql, [], |r| r.get::<_, u32>(0)).unwrap_or(0);
        // The sequence is trusted last: a flipped bit there must not make millions of gaps.
        let seen = ["SELECT MAX(slot) FROM pages", "SELECT MAX(slot) FROM texts"].map(max);
        let counted = rows::last_slot(conn).map_or(0, |slot| slot.0);
        let seen = seen.into_iter().max().unwrap_or(0).min(room);
        let last = if counted > seen.saturating_add(BEYOND) { seen } else { counted.max(seen) };
        self.last_slot = self.last_slot.max(last);
        Ok(last)
    }

    fn take_views(&mut self, views: Contents) {
        let known: HashSet<PageId> = self.pages.values().map(|row| row.page.id).collect();
        let mut displaced = Vec::new();
        let is_old = views.oldest < self.last_forget;
        for mut row in views.pages.into_values() {
            if is_old {
                keep_only_page(&mut row);
            }
            let slot = row.page.slot;
            self.seq = self.seq.max(row.page.seq);
            self.last_slot = self.last_slot.max(slot.0);
            match self.pages.get_mut(&slot) {
                // The row may be of before it was filed.
                Some(own) if own.page.id == row.page.id => {
                    own.segment = own.segment.or(row.segment);
                }
                _ if known.contains(&row.page.id) => {}
                Some(_) => displaced.push(row),
                None => {
                    self.pages.insert(slot, row);
                    self.from_views.insert(slot);
                }
            }
        }
        self.append(displaced);
        if !is_old {
            for (from, into) in views.merged {
                self.merged.entry(from).or_insert(into);
            }
            for (id, segment) in views.segments {
                self.segments.entry(id).or_insert(segment);
            }
            if !self.facts_whole {
                for (id, fact) in views.facts {
                    self.facts.entry(id).or_insert(fact);
                }
            }
            self.prose = self.prose.take().or(views.prose);
        }
        self.seq = views.seqs.values().copied().fold(self.seq, u64::max);
        self.epochs.extend(views.seqs.into_keys());
        if let Some((owner, assistant)) = views.owner {
            self.owner.get_or_insert(owner);
            self.assistant.get_or_insert(assistant);
        }
        self.last_slot = self.pages.keys().next_back().map_or(0, |s| s.0).max(self.last_slot);
        self.tidy();
    }

    /// Gives pages whose places hold others (of a copy that went its own way) places at the end.
    fn append(&mut self, displaced: Vec<PageRow>) {
        let last = self.pages.keys().next_back().map_or(0, |slot| slot.0);
        self.last_slot = self.last_slot.max(last);
        for mut row in displaced {
            self.last_slot += 1;
            row.page.slot = Slot(self.last_slot);
            row.segment = None;
            self.from_views.insert(row.page.slot);
            self.pages.insert(row.page.slot, row);
        }
    }

    /// Leaves only what fits together: a merged segment has no row, a page's segment has one.
    fn tidy(&mut self) {
        self.segments.retain(|id, _| !self.merged.contains_key(id));
        let resolve = |mut id: u32| {
            for _ in 0..=self.merged.len() {
                match self.merged.get(&id) {
                    Some(into) => id = *into,
                    None => break,
                }
            }
            id
        };
        let lost: Vec<Slot> = self
            .pages
            .values()
            .filter(|row| row.segment.is_some_and(|id| !self.segments.contains_key(&resolve(id))))
            .map(|row| row.page.slot)
            .collect();
        for slot in lost {
            // Back to short-term memory: the next add files it again.
            self.pages.entry(slot).and_modify(|row| row.segment = None);
        }
    }

    /// Returns the slots whose pages are lost: without a page, not known to be forgotten, and more
    /// than were known to be empty.
    pub(crate) fn lost(&self) -> Vec<u32> {
        let is_empty = |slot: &u32| !self.pages.contains_key(&Slot(*slot));
        let (forgotten, empty): (Vec<u32>, Vec<u32>) = (1..=self.last_slot)
            .filter(is_empty)
            .partition(|slot| self.forgotten.contains(&Slot(*slot)));
        let gaps = (self.gaps as usize).saturating_sub(forgotten.len());
        if empty.len() <= gaps { Vec::new() } else { empty }
    }
}

/// Whether the table of the pages can be walked through from end to end.
fn is_passable(conn: &Connection) -> bool {
    let count = "SELECT COUNT(checksum) FROM pages";
    conn.query_row(count, [], |row| row.get::<_, u32>(0)).is_ok()
}

/// Leaves of a page what was told; what was made of it is made again.
fn keep_only_page(row: &mut PageRow) {
    (row.segment, row.page.continues) = (None, None);
    row.page.chain_summary = chain_summary(None, &row.page.new.texts);
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    use std::io::Write as _;
    let mut options = private_options();
    let file = options.write(true).create(true).truncate(true).open(path);
    let written = file.and_then(|mut file| file.write_all(bytes));
    written.map_err(|e| StoreError::io("write", path, e))
}
