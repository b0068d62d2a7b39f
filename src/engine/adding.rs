//! Adding pages: those that wait together are stored in one transaction.
//!
//! They are decided one after another, each seeing those before it, and every one is a change of its
//! own; all are answered after the commit, or all fail. The answer comes before the memory takes the
//! last one in: nothing else is done in between, so nobody can tell.

use super::api::Added;
use super::worker::{Stored, Worker};
use crate::memory::change::Change;
use crate::memory::decide::{Decision, Incoming};
use crate::memory::page::{NewPage, Slot};
use crate::storage::StoreError;
use crate::time::Timestamp;

/// The most pages that are stored in one transaction, and the most bytes of text.
pub(super) const MOST_PAGES: usize = 64;
pub(super) const MOST_BYTES: usize = 64 * 1024;

impl Worker {
    /// Stores pages, or finds that they are there; `tell` gets an answer for each, in their order,
    /// once all are on stable storage.
    pub(super) fn add(
        &mut self,
        pages: &[NewPage],
        now: Timestamp,
        tell: impl Fn(Vec<Added>),
    ) -> Result<(), StoreError> {
        let incoming: Vec<Incoming> = pages.iter().cloned().map(Incoming::read).collect();
        let (answers, last) = self.transact(|worker| worker.add_each(incoming, now))?;
        // What was taken in before the commit is committed now.
        self.is_stale = false;
        tell(answers);
        if let Some(change) = last {
            self.take_in(change);
        }
        Ok(())
    }

    /// Decides and writes one page after another; gives the last change back, which is not taken in
    /// yet.
    fn add_each(
        &mut self,
        incoming: Vec<Incoming>,
        now: Timestamp,
    ) -> Result<(Option<u64>, (Vec<Added>, Option<Change>)), StoreError> {
        let mut answers = Vec::with_capacity(incoming.len());
        let (mut last, mut seq) = (None, None);
        for incoming in incoming {
            if let Some(change) = last.take() {
                // Should the commit fail, everything is read anew before the next answer.
                self.is_stale = true;
                self.take_in(change);
            }
            match self.memory.decide_add(incoming, &Stored(&self.store), now) {
                Decision::Duplicate(slot) => answers.push(self.known(slot)?),
                Decision::Add(change) => {
                    let mut change = *change;
                    seq = Some(self.store.write("add", &mut change)?);
                    answers.extend(self.added(&change));
                    last = Some(change);
                }
            }
        }
        Ok((seq, (answers, last)))
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
