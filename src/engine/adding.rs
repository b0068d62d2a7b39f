//! Adding pages: those that wait together are stored in one transaction.
//!
//! They are decided one after another, each seeing those before it, and every one is a change of its
//! own; all are answered after the commit, or all fail. The answer comes before the memory takes the
//! last one in: nothing else is done in between, so nobody can tell.

use super::api::Added;
use super::arriving::Arriving;
use super::reader::PageReader;
use super::worker::{Stored, Worker};
use crate::memory::change::Change;
use crate::memory::decide::Decision;
use crate::memory::page::Slot;
use crate::storage::StoreError;
use crate::storage::derived::DerivedRow;
use crate::time::Timestamp;

/// The most pages that are stored in one transaction.
pub(super) const MOST_PAGES: usize = 64;

/// The bytes of text from which on no further page joins them.
pub(super) const MOST_BYTES: usize = 64 * 1024;

/// What was written of the pages of one transaction.
#[derive(Debug, Default)]
struct Written {
    /// An answer for each.
    answers: Vec<Added>,
    /// The change of the last page, if that is new; the memory has not taken it in yet.
    last: Option<Change>,
    /// Derived data of the others.
    rows: Vec<DerivedRow>,
}

impl Worker {
    /// Stores pages, or finds that they are there; `tell` gets an answer for each, in their order,
    /// once all are on stable storage.
    pub(super) fn add(
        &mut self,
        pages: &[Arriving],
        reader: &PageReader,
        now: Timestamp,
        tell: impl Fn(Vec<Added>),
    ) -> Result<(), StoreError> {
        let mut read = None;
        let mut done = self.transact(|worker| {
            let added = worker.add_each(pages, now);
            // From here on the engine waits for the disk; sooner this would be in its way.
            read = pages.last().map(|page| reader.begin(&page.new));
            added
        })?;
        // What was taken in before the commit is committed now.
        self.is_stale = false;
        tell(done.answers);
        if let Some(change) = done.last {
            done.rows.extend(self.take_in(change, read));
        }
        if !done.rows.is_empty() {
            self.changed(done.rows);
            // Nobody waits for this.
            self.memory.look_ahead(&Stored(&self.store), now);
        }
        Ok(())
    }

    /// Decides and writes one page after another; gives the last change back, which is not taken in
    /// yet.
    fn add_each(
        &mut self,
        pages: &[Arriving],
        now: Timestamp,
    ) -> Result<(Option<u64>, Written), StoreError> {
        let mut written = Written::default();
        let mut seq = None;
        for page in pages {
            if let Some(change) = written.last.take() {
                // Should the commit fail, everything is read anew before the next answer.
                self.is_stale = true;
                written.rows.extend(self.take_in(change, None));
            }
            match self.memory.decide_add(page.arrived(), &Stored(&self.store), now) {
                Decision::Duplicate(slot) => written.answers.push(self.known(slot)?),
                Decision::Add(change) => {
                    let mut change = *change;
                    seq = Some(self.store.write("add", &mut change)?);
                    written.answers.extend(self.added(&change));
                    written.last = Some(change);
                }
            }
        }
        Ok((seq, written))
    }

    fn known(&self, slot: Slot) -> Result<Added, StoreError> {
        let known = self.memory.id_of(slot);
        let (id, timestamp) = known.ok_or_else(|| {
            StoreError::damaged(&self.store.folder().database(), "a page is gone")
        })?;
        let counts = self.memory.counts();
        Ok(Added {
            id,
            duplicate: true,
            timestamp,
            short_term_pages: counts.short_term,
            filed: 0,
            segments: counts.segments,
            total_pages: counts.pages,
        })
    }

    fn added(&self, change: &Change) -> Option<Added> {
        let page = change.pages.first()?;
        let counts = self.memory.counts_after(change);
        Some(Added {
            id: page.id,
            duplicate: false,
            timestamp: page.new.timestamp,
            short_term_pages: counts.short_term,
            filed: change.mid.filed.len(),
            segments: counts.segments,
            total_pages: counts.pages,
        })
    }
}
