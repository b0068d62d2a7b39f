//! Deciding ahead: where the oldest page of a full short-term memory will be filed is known before
//! the page comes that pushes it out. What was decided holds until the memory changes.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Memory;
use super::draft::{Draft, PageTexts};
use super::mid::{Entry, MidTerm};
use super::page::Slot;
use super::segment::SegmentId;
use super::summary::Sentence;
use super::vector::SumVector;
use crate::time::Timestamp;

/// A draft that only files, without the state it was begun with.
#[derive(Debug, Clone)]
pub(super) struct Ahead {
    changed: BTreeMap<SegmentId, Entry>,
    sentences: BTreeMap<SegmentId, Vec<Arc<Sentence>>>,
    filed: Vec<(Slot, SegmentId)>,
    total: SumVector,
}

impl Memory {
    /// Decides where the page is filed that the next one pushes out of short-term memory, for
    /// [`Memory::decide_add`]. That decides the same without it, and takes longer.
    pub fn look_ahead(&mut self, pages: &dyn PageTexts, now: Timestamp) {
        self.ahead = None;
        if self.short_term.len() == self.short_term_capacity {
            let mut draft = Draft::new(&self.mid_term);
            self.file_oldest(&mut draft, 1, pages, now);
            self.ahead = Some(draft.set_aside());
        }
    }
}

impl<'a> Draft<'a> {
    /// Sets what was filed aside. Nothing else was done in this draft.
    fn set_aside(self) -> Ahead {
        let Self { changed, sentences, filed, total, .. } = self;
        Ahead { changed, sentences, filed, total }
    }

    /// Goes on at `now` with what was set aside; `mid` is as it was, but for visits.
    pub(super) fn resume(mid: &'a MidTerm, ahead: Ahead, now: Timestamp) -> Self {
        let Ahead { mut changed, sentences, filed, total } = ahead;
        for (id, entry) in &mut changed {
            if !mid.entries.contains_key(id) {
                // Founded now, not when that was decided.
                (entry.segment.created, entry.segment.last_visit) = (now.micros(), now.micros());
            }
        }
        let mut draft = Self::new(mid);
        draft.placed.extend(filed.iter().copied());
        (draft.changed, draft.sentences, draft.filed, draft.total) =
            (changed, sentences, filed, total);
        draft
    }
}
