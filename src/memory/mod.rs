//! The tiers of memory: plain computation, no I/O, no clock.
//!
//! A [`Memory`] decides what an add does and finds what a query asks for. It changes only by
//! [`Memory::apply`], after the change is on stable storage; what another process committed and what
//! is read at start goes the same way.

pub mod chain;
pub mod change;
pub mod draft;
pub mod extract;
pub mod heat;
#[cfg(test)]
mod memory_tests;
pub mod mid;
#[cfg(test)]
mod mid_tests;
pub mod page;
pub mod secrets;
pub mod segment;
pub mod sentence;
mod summary;
pub mod vector;

use std::collections::{BTreeMap, HashMap, HashSet};

use self::chain::chain_summary;
use self::change::{AddedPage, Change};
use self::draft::{Around, Draft, Filing, PageTexts};
use self::extract::Corpus;
use self::mid::{MidChange, MidSettings, MidTerm};
use self::page::{NewPage, Page, PageId, Slot, Texts};
use self::segment::{Segment, SegmentId};
use crate::embed::StaticModel;
use crate::retrieval::{Analysis, Hit, Index};
use crate::time::Timestamp;

/// An exchange without a time of its own is the same as an equal one at most this much older.
const SAME_WITHIN_SECONDS: f64 = 600.0;

/// The best retrieved pages whose segments count a visit.
const VISITED: usize = 3;

/// All that is in memory of a user.
#[derive(Debug)]
pub struct Memory {
    short_term_capacity: usize,
    heads: BTreeMap<Slot, Head>,
    by_id: HashMap<PageId, Slot>,
    /// The newest page with these texts, by their checksum.
    by_texts: HashMap<u64, Slot>,
    short_term: BTreeMap<Slot, AddedPage>,
    mid_term: MidTerm,
    index: Index,
    last_slot: Slot,
}

/// What is in memory of a page that is not in short-term memory.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Head {
    id: PageId,
    timestamp: Timestamp,
    /// The page before it with the same texts.
    same_texts: Option<Slot>,
}

/// What is known of a stored page when the memory is filled.
#[derive(Debug, Clone)]
pub struct Known<'a> {
    /// Its place.
    pub slot: Slot,
    /// Its id.
    pub id: PageId,
    /// When it was said.
    pub timestamp: Timestamp,
    /// The conversation it belongs to.
    pub session: &'a str,
    /// The checksum of its texts.
    pub text_hash: u64,
    /// What the index needs of it.
    pub analysis: &'a Analysis,
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
    /// Makes an empty memory of a user.
    pub fn new(short_term_capacity: usize, mid_term: MidSettings) -> Self {
        Self {
            short_term_capacity: short_term_capacity.max(1),
            heads: BTreeMap::new(),
            by_id: HashMap::new(),
            by_texts: HashMap::new(),
            short_term: BTreeMap::new(),
            mid_term: MidTerm::new(mid_term),
            index: Index::default(),
            last_slot: Slot(0),
        }
    }

    /// Takes in a page that is stored; slots rise from call to call.
    pub fn know(&mut self, known: &Known<'_>) {
        let Known { slot, id, timestamp, session, text_hash, analysis } = *known;
        if !self.index.insert(slot, session, timestamp.micros(), analysis) {
            return;
        }
        let same_texts = self.by_texts.insert(text_hash, slot);
        self.by_id.insert(id, slot);
        self.heads.insert(slot, Head { id, timestamp, same_texts });
        self.last_slot = self.last_slot.max(slot);
    }

    /// Puts a known page into short-term memory.
    pub fn hold(&mut self, page: AddedPage) {
        self.short_term.insert(page.page.slot, page);
    }

    /// Makes the next page's slot come after `slot`.
    pub fn continue_after(&mut self, slot: Slot) {
        self.last_slot = self.last_slot.max(slot);
    }

    /// Decides what adding a page does. `pages` gives the texts of stored pages.
    pub fn decide_add(
        &self,
        new: NewPage,
        analysis: Analysis,
        pages: &dyn PageTexts,
        now: Timestamp,
    ) -> Decision {
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
        Decision::Add(Box::new(Change { pages: vec![AddedPage { page, analysis }], mid }))
    }

    /// Whether short-term memory holds pages that it has no room for.
    pub fn has_overflow(&self) -> bool {
        self.short_term.len() > self.short_term_capacity
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
        (over > 0).then(|| Change { pages: Vec::new(), mid: self.file(over, pages, now) })
    }

    /// Decides about visits that were counted and are not stored; none if there are none.
    pub fn decide_visits(&self) -> Option<Change> {
        let mut draft = Draft::new(&self.mid_term);
        draft.flush_visits();
        let mid = draft.finish();
        (!mid.is_empty()).then(|| Change { pages: Vec::new(), mid })
    }

    fn file(&self, n_pages: usize, pages: &dyn PageTexts, now: Timestamp) -> MidChange {
        let around = Around { corpus: self, pages, now: now.micros() };
        let mut draft = Draft::new(&self.mid_term);
        draft.flush_visits();
        for (&slot, added) in self.short_term.iter().take(n_pages) {
            let previous = self.index.previous(slot);
            let (texts, analysis) = (&added.page.new.texts, &added.analysis);
            draft.file(Filing { slot, texts, analysis, previous }, around);
        }
        draft.merge_over_capacity(around);
        draft.finish()
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

    /// Carries out what was decided here or committed by another process.
    pub fn apply(&mut self, change: Change) {
        for added in change.pages {
            let page = &added.page;
            self.know(&Known {
                slot: page.slot,
                id: page.id,
                timestamp: page.new.timestamp,
                session: &page.new.session,
                text_hash: page.new.texts.checksum(),
                analysis: &added.analysis,
            });
            self.hold(added);
        }
        for (slot, _) in &change.mid.filed {
            self.short_term.remove(slot);
        }
        self.mid_term.apply(&change.mid);
    }

    /// Takes in mid-term memory as it is stored, after the pages.
    pub fn know_mid_term(&mut self, stored: &MidChange) {
        self.mid_term.apply(stored);
    }

    /// Finds the best pages for a query that are not in short-term memory, best first.
    pub fn search(&mut self, query: &str, limit: usize) -> Vec<Hit> {
        let skip: HashSet<Slot> = self.newest().map(|page| page.slot).collect();
        self.index.search(query, limit, &skip, StaticModel::built_in())
    }

    /// Counts a visit to the segments of the three best of these pages.
    pub fn visit(&mut self, found: &[Hit], now: Timestamp) {
        let best = found.iter().take(VISITED);
        let mut segments: Vec<SegmentId> =
            best.filter_map(|hit| self.mid_term.segment_of(hit.slot)).collect();
        segments.sort_unstable();
        segments.dedup();
        self.mid_term.visit(&segments, now.micros());
    }

    /// Returns the newest pages that short-term memory has room for, oldest first.
    pub fn newest(&self) -> impl Iterator<Item = &Page> {
        let over = self.short_term.len().saturating_sub(self.short_term_capacity);
        self.short_term.values().skip(over).map(|added| &added.page)
    }

    /// Returns the place of a page; none if there is no such page.
    pub fn slot_of(&self, id: PageId) -> Option<Slot> {
        self.by_id.get(&id).copied()
    }

    /// Returns the id and the time of a page.
    pub fn id_of(&self, slot: Slot) -> Option<(PageId, Timestamp)> {
        self.heads.get(&slot).map(|head| (head.id, head.timestamp))
    }

    /// Returns the segment a page is filed in.
    pub fn segment_of(&self, slot: Slot) -> Option<&Segment> {
        self.mid_term.segment_of(slot).and_then(|id| self.mid_term.get(id))
    }

    /// Returns the segments, the one founded first coming first.
    pub fn segments(&self) -> &MidTerm {
        &self.mid_term
    }

    /// Returns the number of pages.
    pub fn n_pages(&self) -> usize {
        self.heads.len()
    }

    /// Returns the number of pages in short-term memory.
    pub fn n_short_term(&self) -> usize {
        self.short_term.len()
    }
}

impl Corpus for Memory {
    fn n_pages(&self) -> u32 {
        u32::try_from(self.index.len()).unwrap_or(u32::MAX)
    }

    fn document_frequency(&self, term: &str) -> u32 {
        u32::try_from(self.index.document_frequency(term)).unwrap_or(u32::MAX)
    }
}
