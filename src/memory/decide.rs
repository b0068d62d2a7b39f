//! Decides what a call does to the memory. Nothing here changes anything: the outcome is a
//! [`Change`], which is written and applied elsewhere.

use std::borrow::Cow;

use super::chain::chain_summary;
use super::change::Change;
use super::draft::{Around, Draft, Filing, PageTexts};
use super::fact::{Reader, Statement};
use super::learn::{LongDraft, SaidOn};
use super::long::LongChange;
use super::mid::MidChange;
use super::page::{NewPage, Page, PageId, Slot, Texts};
use super::reading::PageReading;
use super::{Memory, rules};
use crate::time::Timestamp;

/// An exchange without a time of its own is the same as an equal one at most this much older.
const SAME_WITHIN_SECONDS: f64 = 600.0;

/// A page on its way in, with what it says. What the index needs of it is made after it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Incoming {
    /// The page.
    pub new: NewPage,
    /// What it says by rule.
    pub statements: Vec<Statement>,
}

impl Incoming {
    /// Reads the texts of a page: once, before anything is locked.
    pub fn read(new: NewPage) -> Self {
        let statements = rules::read(&new.texts, new.timestamp);
        Self { new, statements }
    }
}

/// What an add comes to.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// The exchange is there already.
    Duplicate(Slot),
    /// The page is new.
    Add(Box<Change>),
}

impl Memory {
    /// Decides what adding a page does. `pages` gives the texts of stored pages.
    pub fn decide_add(
        &self,
        incoming: Incoming,
        pages: &dyn PageTexts,
        now: Timestamp,
    ) -> Decision {
        let Incoming { new, statements } = incoming;
        if let Some(slot) = self.same(&new, pages, now) {
            return Decision::Duplicate(slot);
        }
        let follows = self.index.follows(&new.session, new.timestamp.micros());
        let before = follows.and_then(|slot| self.short_term.get(&slot));
        let chain = before.map(|added| added.page.chain_summary.as_str());
        let page = Page {
            slot: Slot(self.last_slot.0.saturating_add(1)),
            id: PageId::generate(),
            seq: 0,
            chain_summary: chain_summary(chain, &new.texts),
            new,
            continues: follows.and_then(|slot| self.heads.get(&slot)).map(|head| head.id),
        };
        let room = self.short_term_capacity.saturating_sub(1);
        let mid = self.file(self.short_term.len().saturating_sub(room), pages, now);
        let said = SaidOn {
            slot: page.slot,
            id: page.id,
            at: page.new.timestamp,
            may_be_late: page.new.timestamp_given,
            reader: Reader::Rule,
        };
        let long = self.learn([(said, statements)], now);
        Decision::Add(Box::new(Change { pages: vec![page], mid, long, ..Change::default() }))
    }

    /// Decides about pages that short-term memory has no room for, at most `most` of them; none if
    /// there are none.
    pub fn decide_overflow(
        &self,
        most: usize,
        pages: &dyn PageTexts,
        now: Timestamp,
    ) -> Option<Change> {
        let over = self.short_term.len().saturating_sub(self.short_term_capacity).min(most);
        (over > 0).then(|| Change { mid: self.file(over, pages, now), ..Change::default() })
    }

    /// Decides about visits that were counted and are not stored; none if there are none.
    pub fn decide_visits(&self) -> Option<Change> {
        let mut draft = Draft::new(&self.mid_term);
        draft.flush_visits();
        let mid = draft.finish();
        (!mid.is_empty()).then(|| Change { mid, ..Change::default() })
    }

    /// Decides what stored pages that no rule has read yet say.
    pub fn decide_reading(
        &self,
        pages: impl IntoIterator<Item = (SaidOn, Vec<Statement>)>,
        now: Timestamp,
    ) -> Change {
        let pages: Vec<_> = pages.into_iter().collect();
        let read = pages.iter().map(|(on, _)| on.slot).collect();
        let long = LongChange { read, ..self.learn(pages, now) };
        Change { long, ..Change::default() }
    }

    fn learn(
        &self,
        said: impl IntoIterator<Item = (SaidOn, Vec<Statement>)>,
        now: Timestamp,
    ) -> LongChange {
        let mut draft = LongDraft::new(&self.long_term);
        for (on, statements) in said {
            draft.learn(statements, on);
        }
        draft.finish(now)
    }

    fn file(&self, n_pages: usize, pages: &dyn PageTexts, now: Timestamp) -> MidChange {
        let mut draft = match &self.ahead {
            Some(ahead) if n_pages > 0 => Draft::resume(&self.mid_term, ahead.clone(), now),
            _ => Draft::new(&self.mid_term),
        };
        self.file_oldest(&mut draft, n_pages, pages, now);
        draft.flush_visits();
        draft.merge_over_capacity(self.around(pages, now));
        draft.finish()
    }

    /// Files the oldest pages of short-term memory, but for those that are filed in this draft.
    pub(super) fn file_oldest(
        &self,
        draft: &mut Draft<'_>,
        n_pages: usize,
        pages: &dyn PageTexts,
        now: Timestamp,
    ) {
        for (&slot, added) in self.short_term.iter().take(n_pages) {
            if draft.segment_of(slot).is_some() {
                continue;
            }
            let previous = self.index.previous(slot);
            let read = || Cow::Owned(PageReading::of(slot, &added.page.new.texts));
            let reading = added.reading.as_ref().map_or_else(read, Cow::Borrowed);
            let (reading, analysis) = (reading.as_ref(), &added.analysis);
            let filing = Filing { slot, reading, analysis, previous };
            draft.file(filing, self.around(pages, now));
        }
    }

    fn around<'a>(&'a self, pages: &'a dyn PageTexts, now: Timestamp) -> Around<'a> {
        Around { corpus: self, pages, now: now.micros() }
    }

    /// Finds the stored page that is the same exchange.
    fn same(&self, new: &NewPage, pages: &dyn PageTexts, now: Timestamp) -> Option<Slot> {
        let mut at = self.by_texts.get(&new.texts.checksum()).copied();
        while let Some(slot) = at {
            let head = self.heads.get(&slot)?;
            let same_time = if new.timestamp_given {
                head.timestamp.micros() == new.timestamp.micros()
            } else {
                now.seconds_since(head.timestamp) <= SAME_WITHIN_SECONDS
            };
            if same_time && self.has_texts(slot, &new.texts, pages) {
                return Some(slot);
            }
            at = head.same_texts;
        }
        None
    }

    fn has_texts(&self, slot: Slot, texts: &Texts, pages: &dyn PageTexts) -> bool {
        match self.short_term.get(&slot) {
            Some(added) => added.page.new.texts == *texts,
            None => pages.texts(slot).is_some_and(|stored| stored == *texts),
        }
    }
}
