//! Bringing the views up to date with the database.
//!
//! Whoever holds `.views` reads the state and the present views' sequence numbers under it, so a
//! view never goes back. Reads are short transactions: a writer's log is never held up.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::time::{Duration, Instant, SystemTime};

use rusqlite::Connection;
use serde_json::{Map, Value};

use super::document::Document;
use super::record::{PageRecord, SegmentRecord};
use super::state::{self, MidTermState};
use super::{Found, Header, MID_TERM, PROFILE, SHORT_TERM};
use crate::memory::page::Slot;
use crate::storage::StoreError;
use crate::storage::folder::{FileKey, Fill, Folder};
use crate::storage::identity::demand_in_place;
use crate::storage::rows;
use crate::storage::schema;
use crate::storage::segment_rows::{self, SegmentRow};

/// The list of pages filed since the mid-term view may get this long before that view is rewritten.
const MOST_FILED_SINCE: usize = 1000;

/// Above this many pages a clean exit leaves the mid-term view to the next rewriting: the list of
/// filed pages covers what it lacks, and exiting stays prompt.
const MOST_PAGES_AT_EXIT: usize = 20_000;

/// How long names of views may not be durable while changes go on.
const LONGEST_LOOSE: Duration = Duration::from_secs(2);

/// When views are rewritten although nothing asks for it yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// Something changed.
    Change,
    /// The program is closing the user.
    Exit,
    /// Something was forgotten: no view may be older than that.
    Forgetting,
}

/// Writes the views of one user; remembers what it wrote last, so that its own files are not read
/// again.
#[derive(Debug)]
pub(crate) struct Writer {
    folder: Folder,
    /// The database that is shown.
    key: Option<FileKey>,
    known: BTreeMap<&'static str, (Stamp, Header)>,
    /// The epochs of the databases this one was recovered from, with all that their views held.
    previous_epochs: Option<String>,
    /// What the profile's view shows beside its header.
    profile: Option<Map<String, Value>>,
    /// Since when names of views may be lost with the power.
    loose_since: Option<Instant>,
}

/// Tells a file from what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp(u64, Option<SystemTime>);

impl Stamp {
    fn of(file: &Metadata) -> Self {
        Self(file.len(), file.modified().ok())
    }
}

impl Writer {
    /// Makes a writer for the views in `folder`.
    pub(crate) fn new(folder: &Folder) -> Self {
        Self {
            folder: folder.clone(),
            key: folder.database_key(),
            known: BTreeMap::new(),
            previous_epochs: None,
            profile: None,
            loose_since: None,
        }
    }

    /// Rewrites what is not up to date. The caller holds `.views`.
    ///
    /// On a change, the new names are durable after [`Writer::settle`], or after two seconds of changes:
    /// a loss of power leaves older views beside a database that has it all.
    ///
    /// # Errors
    ///
    /// When a file or the database fails; the old views stand.
    pub(crate) fn update(&mut self, conn: &Connection, on: Occasion) -> Result<(), StoreError> {
        let epoch = schema::meta(conn, "epoch")?.unwrap_or_default();
        if self.previous_epochs.is_none() {
            self.previous_epochs = Some(schema::meta(conn, "previous_epochs")?.unwrap_or_default());
        }
        // First, so that the short-term view is the last to show a change. Should only that one
        // survive a loss of power, its pages are read for facts anew.
        self.write_profile(conn, &epoch, on)?;
        let short = self.present(SHORT_TERM, &epoch)?;
        let mid = self.present(MID_TERM, &epoch)?;
        let shown = mid.as_ref().map_or(0, |h| h.seq);
        let newest = state::in_snapshot(conn, |conn| state::newest(conn, shown))?;
        let n_filed = newest.filed.len();
        let small =
            || rows::last_slot(conn).is_ok_and(|last| last.0 as usize <= MOST_PAGES_AT_EXIT);
        let rewrite = mid.is_none()
            || n_filed > MOST_FILED_SINCE
            || on == Occasion::Forgetting
            || (on == Occasion::Exit && n_filed > 0 && small());
        if rewrite {
            self.write_mid_term(conn)?;
            let seq = self.known.get(MID_TERM).map_or(0, |(_, header)| header.seq);
            self.write_short_term(conn, seq)?;
        } else if short.is_none_or(|h| h.seq < newest.header.seq) {
            self.write_short_term(conn, shown)?;
        }
        let is_due = self.loose_since.is_some_and(|since| since.elapsed() >= LONGEST_LOOSE);
        if on != Occasion::Change || is_due { self.settle() } else { Ok(()) }
    }

    /// Makes the names of the views durable.
    ///
    /// # Errors
    ///
    /// When the folder cannot be synced; it is tried again by the next call.
    pub(crate) fn settle(&mut self) -> Result<(), StoreError> {
        if self.loose_since.is_some() {
            self.folder.sync()?;
            self.loose_since = None;
        }
        Ok(())
    }

    /// Returns the header of the view that stands there, after moving away what is not ours.
    fn present(&mut self, name: &'static str, epoch: &str) -> Result<Option<Header>, StoreError> {
        let stamp = stamp(&self.folder, name);
        if let Some((known, header)) = self.known.get(name)
            && stamp.as_ref() == Some(known)
        {
            return Ok(Some(header.clone()));
        }
        let found = super::find(&self.folder, name)?;
        self.demand_in_place()?;
        let mark = match found {
            Found::Missing => return Ok(None),
            Found::Intact(header) if header.epoch == epoch => {
                if name == MID_TERM {
                    // The short-term view leaves out what it shows: its name must not be lost.
                    self.folder.sync()?;
                }
                self.known.extend(stamp.map(|s| (name, (s, header.clone()))));
                return Ok(Some(header));
            }
            Found::Intact(header) if self.was_recovered_from(&header.epoch) => return Ok(None),
            Found::Intact(_) => "other",
            Found::Changed => "edited",
            // The next start takes it in: it looks at every `.json` file.
            Found::Foreign => {
                let taken = |waiting: &String| self.folder.path(waiting).exists();
                let mut names = (1..).map(|n: u32| format!("waiting.{n}.{name}"));
                let waiting = names.find(|waiting| !taken(waiting)).unwrap_or_default();
                self.folder.rename(name, &waiting)?;
                return Ok(None);
            }
        };
        let aside = super::set_aside(&self.folder, name, mark)?;
        tracing::warn!(view = name, kept_as = aside, "a view was not as this program wrote it");
        Ok(None)
    }

    fn was_recovered_from(&self, epoch: &str) -> bool {
        self.previous_epochs.iter().flat_map(|known| known.split(' ')).any(|known| known == epoch)
    }

    /// Writes the short-term view beside a mid-term view of `mid_term_seq`, row by row: one moment is
    /// read, and no longer than that takes.
    fn write_short_term(&mut self, conn: &Connection, mid_term_seq: u64) -> Result<(), StoreError> {
        let path = self.folder.path(SHORT_TERM);
        let io = |e| StoreError::io("write", &path, e);
        let mut shown = None;
        self.loose_since.get_or_insert_with(Instant::now);
        let written = self.put(SHORT_TERM, |out| {
            state::in_snapshot(conn, |conn| {
                let newest = state::newest(conn, mid_term_seq)?;
                let mut view = begin(out, "memoryos/short_term/1", &newest.header).map_err(io)?;
                view.field("mid_term_seq", &mid_term_seq).map_err(io)?;
                for (name, slots) in [("pages", &newest.pages), ("filed_since", &newest.filed)] {
                    view.array(name, io, |items| {
                        let rows =
                            slots.iter().filter_map(|slot| rows::page(conn, *slot).transpose());
                        for row in rows {
                            items.push(&PageRecord::of(&row?)).map_err(io)?;
                        }
                        Ok(())
                    })?;
                }
                view.array("segments_since", io, |items| {
                    for id in &newest.segments {
                        let Some(segment) = segment_rows::get(conn, *id)? else { continue };
                        items.push(&segment_value(&segment)).map_err(io)?;
                    }
                    Ok(())
                })?;
                shown = Some(newest.header);
                view.end().map_err(io)
            })
        })?;
        self.known.extend(shown.map(|header| (SHORT_TERM, (Stamp::of(&written), header))));
        Ok(())
    }

    /// Writes the mid-term view, segment by segment and in short reads. What becomes of a segment
    /// meanwhile is in the short-term view, which is written after this.
    fn write_mid_term(&mut self, conn: &Connection) -> Result<(), StoreError> {
        let MidTermState { header, live, merged, mut members } = state::mid_term(conn)?;
        let path = self.folder.path(MID_TERM);
        let io = |e| StoreError::io("write", &path, e);
        let written = self.put(MID_TERM, |out| {
            let mut view = begin(out, "memoryos/mid_term/1", &header).map_err(io)?;
            view.array("segments", io, |items| {
                for id in &live {
                    let Some(row @ SegmentRow::Live(_)) = segment_rows::get(conn, *id)? else {
                        continue;
                    };
                    let mut value = segment_value(&row);
                    if let Some(object) = value.as_object_mut() {
                        let slots = members.remove(id).unwrap_or_default();
                        object.insert("pages".to_owned(), page_values(conn, &slots)?.into());
                    }
                    items.push(&value).map_err(io)?;
                }
                for (from, into) in &merged {
                    let value = segment_value(&SegmentRow::Merged(*from, *into));
                    items.push(&value).map_err(io)?;
                }
                Ok(())
            })?;
            // A page is in a view whatever became of its segment's row.
            view.array("pages_without_segment", io, |items| {
                for slots in members.values() {
                    page_values(conn, slots)?.iter().try_for_each(|p| items.push(p)).map_err(io)?;
                }
                Ok(())
            })?;
            view.end().map_err(io)
        })?;
        self.folder.sync()?;
        self.remember(MID_TERM, &written, header);
        Ok(())
    }

    /// Writes the profile unless it is shown as it is.
    fn write_profile(
        &mut self,
        conn: &Connection,
        epoch: &str,
        on: Occasion,
    ) -> Result<(), StoreError> {
        let (header, content) = state::profile(conn)?;
        let own = self.known.get(PROFILE).map(|(stamp, _)| stamp.clone());
        let present = self.present(PROFILE, epoch)?;
        if own.is_none() || own != stamp(&self.folder, PROFILE) {
            // Another process has written it.
            self.profile = super::shown_profile(&self.folder);
        }
        let is_shown = present.is_some() && self.profile.as_ref() == Some(&content);
        if is_shown && on != Occasion::Forgetting {
            return Ok(());
        }
        let path = self.folder.path(PROFILE);
        let io = |e| StoreError::io("write", &path, e);
        self.loose_since.get_or_insert_with(Instant::now);
        let written = self.put(PROFILE, |out| {
            let mut view = begin(out, "memoryos/user_profile/1", &header).map_err(io)?;
            content.iter().try_for_each(|(name, value)| view.field(name, value)).map_err(io)?;
            view.end().map_err(io)
        })?;
        self.profile = Some(content);
        self.remember(PROFILE, &written, header);
        Ok(())
    }

    /// Demands that the folder still holds the database that is shown.
    ///
    /// # Errors
    ///
    /// [`StoreError::Replaced`] where it does not.
    pub(crate) fn demand_in_place(&self) -> Result<(), StoreError> {
        demand_in_place(&self.folder, self.key)
    }

    /// Writes a view, but not beside another database: one that comes after the look at it does not
    /// get the view either, since what is written aside goes with its folder.
    fn put(&self, name: &str, fill: impl Fill) -> Result<Metadata, StoreError> {
        self.folder.put(name, |out| {
            self.demand_in_place()?;
            fill(out)
        })
    }

    /// Remembers a view as it was written: what stands there later may be somebody's edit.
    fn remember(&mut self, name: &'static str, written: &Metadata, header: Header) {
        self.known.insert(name, (Stamp::of(written), header));
    }
}

fn begin<W: std::io::Write>(out: W, format: &str, header: &Header) -> std::io::Result<Document<W>> {
    let mut view = Document::begin(out, format)?;
    view.field("user_id", &header.user_id)?;
    view.field("assistant_id", &header.assistant_id)?;
    view.field("epoch", &header.epoch)?;
    view.field("seq", &header.seq)?;
    Ok(view)
}

fn segment_value(segment: &SegmentRow) -> Value {
    match segment {
        SegmentRow::Live(segment) => {
            serde_json::to_value(SegmentRecord::of(segment)).unwrap_or_default()
        }
        SegmentRow::Merged(from, into) => serde_json::json!({"merged": from.0, "into": into.0}),
    }
}

fn page_values(conn: &Connection, slots: &[Slot]) -> Result<Vec<Value>, StoreError> {
    let value = |slot: &Slot| {
        let row = rows::page(conn, *slot)?.ok_or_else(|| gone(*slot))?;
        Ok(serde_json::to_value(PageRecord::of(&row)).unwrap_or_default())
    };
    slots.iter().map(value).collect()
}

fn gone(slot: Slot) -> StoreError {
    let what = format!("page {} went while its view was written", slot.0);
    StoreError::damaged(std::path::Path::new(MID_TERM), what)
}

fn stamp(folder: &Folder, name: &str) -> Option<Stamp> {
    std::fs::metadata(folder.path(name)).ok().as_ref().map(Stamp::of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_durable_while_changes_go_on() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(&dir.path().join("ada")).unwrap();
        schema::create(&folder.database(), true, |_| Ok(())).unwrap();
        let conn = schema::connect(&folder.database(), schema::Access::ReadWrite).unwrap();
        let mut writer = Writer::new(&folder);
        writer.update(&conn, Occasion::Change).unwrap();
        let since = writer.loose_since.unwrap();
        writer.update(&conn, Occasion::Change).unwrap();
        assert_eq!(writer.loose_since, Some(since), "not for every change");
        writer.loose_since = since.checked_sub(LONGEST_LOOSE);
        writer.update(&conn, Occasion::Change).unwrap();
        assert_eq!(writer.loose_since, None, "but before long");
    }
}
