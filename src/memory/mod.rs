//! The tiers of memory: plain computation, no I/O, no clock.
//!
//! A [`Memory`] decides what an add does and finds what a query asks for. It changes only by
//! [`Memory::apply`], before anything is answered that is not on stable storage; what another process
//! committed and what is read at start goes the same way.

mod ahead;
pub mod chain;
pub mod change;
pub mod consolidate;
pub mod decide;
pub mod draft;
pub mod extract;
pub mod fact;
pub mod forget;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
pub mod heat;
pub mod learn;
pub mod long;
#[cfg(test)]
mod memory_tests;
pub mod mid;
#[cfg(test)]
mod mid_tests;
pub mod page;
pub mod profile;
pub mod prompts;
pub mod reading;
mod regroup;
mod remote;
pub mod rules;
pub mod secrets;
pub mod segment;
pub mod sentence;
mod summary;
pub mod vector;

use std::collections::{BTreeMap, HashMap, HashSet};

use self::ahead::Ahead;
use self::change::{AddedPage, Change};
use self::extract::Corpus;
use self::fact::{Fact, FactId, Owner};
use self::long::{LongChange, LongTerm};
use self::mid::{MidChange, MidSettings, MidTerm};
use self::page::{Page, PageId, Slot};
use self::profile::Topic;
use self::reading::PageReading;
use self::segment::{Segment, SegmentId};
use crate::embed::StaticModel;
use crate::retrieval::{Analysis, Hit, Index};
use crate::time::Timestamp;

/// The largest short-term memory that keeps what filing reads on its pages, some 40 KB each.
const KEPT_READINGS: usize = 50;

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
    long_term: LongTerm,
    index: Index,
    last_slot: Slot,
    /// Where the next page to leave short-term memory is filed, if that is decided.
    ahead: Option<Ahead>,
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

/// How much long-term memory holds, and how pages are grouped.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MemorySettings {
    /// Pages in short-term memory.
    pub short_term: usize,
    /// How pages are grouped.
    pub mid_term: MidSettings,
    /// Facts about the user, and as many of the assistant.
    pub knowledge: usize,
}

/// How much is in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// All pages.
    pub pages: usize,
    /// Those of them in short-term memory.
    pub short_term: usize,
    /// The segments of mid-term memory.
    pub segments: usize,
}

impl Memory {
    /// Makes an empty memory of a user.
    pub fn new(settings: MemorySettings) -> Self {
        Self {
            short_term_capacity: settings.short_term.max(1),
            heads: BTreeMap::new(),
            by_id: HashMap::new(),
            by_texts: HashMap::new(),
            short_term: BTreeMap::new(),
            mid_term: MidTerm::new(settings.mid_term),
            long_term: LongTerm::new(settings.knowledge),
            index: Index::default(),
            last_slot: Slot(0),
            ahead: None,
        }
    }

    /// Makes room for so many pages more.
    pub fn reserve(&mut self, n_pages: usize) {
        self.by_id.reserve(n_pages);
        self.by_texts.reserve(n_pages);
        self.index.reserve(n_pages);
    }

    /// Takes in a page that is stored; slots rise from call to call. Nothing may be asked before
    /// [`Memory::settle`].
    pub fn know(&mut self, known: &Known<'_>) {
        let Known { slot, session, timestamp, analysis, .. } = *known;
        self.ahead = None;
        if self.index.append(slot, session, timestamp.micros(), analysis) {
            self.note(known);
        }
    }

    /// Ends the taking in of stored pages.
    pub fn settle(&mut self) {
        self.index.settle();
    }

    /// Notes where a page is that the index has taken.
    fn note(&mut self, known: &Known<'_>) {
        let Known { slot, id, timestamp, text_hash, .. } = *known;
        let same_texts = self.by_texts.insert(text_hash, slot);
        self.by_id.insert(id, slot);
        self.heads.insert(slot, Head { id, timestamp, same_texts });
        self.last_slot = self.last_slot.max(slot);
    }

    /// Puts a known page into short-term memory.
    pub fn hold(&mut self, page: AddedPage) {
        self.ahead = None;
        self.short_term.insert(page.page.slot, page);
    }

    /// Makes the next page's slot come after `slot`.
    pub fn continue_after(&mut self, slot: Slot) {
        self.last_slot = self.last_slot.max(slot);
    }

    /// Whether short-term memory holds pages that it has no room for.
    pub fn has_overflow(&self) -> bool {
        self.short_term.len() > self.short_term_capacity
    }

    /// Carries out what was decided here or committed by another process. `read` is what was read on
    /// the new pages, in their order: what the index needs and, if it is known, what filing needs.
    pub fn apply(
        &mut self,
        change: Change,
        read: impl IntoIterator<Item = (Analysis, Option<PageReading>)>,
    ) {
        self.ahead = None;
        for (page, (analysis, reading)) in change.pages.into_iter().zip(read) {
            let (slot, timestamp) = (page.slot, page.new.timestamp);
            let session = &page.new.session;
            if self.index.insert(slot, session, timestamp.micros(), &analysis) {
                let (id, text_hash) = (page.id, page.new.texts.checksum());
                let analysis = &analysis;
                self.note(&Known { slot, id, timestamp, session, text_hash, analysis });
            }
            let reading = reading.filter(|_| self.short_term_capacity <= KEPT_READINGS);
            self.hold(AddedPage { page, analysis, reading });
        }
        for (slot, _) in &change.mid.filed {
            self.short_term.remove(slot);
        }
        self.mid_term.apply(change.mid);
        self.long_term.apply(change.long);
    }

    /// Takes in long-term memory as it is stored; `last` is the last number ever given to a fact.
    pub fn know_long_term(&mut self, stored: LongChange, last: FactId) {
        self.long_term.apply(stored);
        self.long_term.continue_after(last);
    }

    /// Takes in mid-term memory as it is stored, after the pages.
    pub fn know_mid_term(&mut self, stored: MidChange) {
        self.ahead = None;
        self.mid_term.apply(stored);
    }

    /// Finds the best pages for a query that are not in short-term memory, best first.
    pub fn search(&mut self, query: &str, limit: usize) -> Vec<Hit> {
        let skip: HashSet<Slot> = self.newest().map(|page| page.slot).collect();
        self.index.search(query, limit, &skip, StaticModel::built_in())
    }

    /// Finds the best pages for a query, those of short-term memory too.
    pub fn search_all(&mut self, query: &str, limit: usize) -> Vec<Hit> {
        self.index.search(query, limit, &HashSet::new(), StaticModel::built_in())
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

    /// Returns the facts.
    pub fn long_term(&self) -> &LongTerm {
        &self.long_term
    }

    /// Finds the facts that hold and fit a query, best first.
    pub fn search_facts(&mut self, owner: Owner, query: &str) -> Vec<&Fact> {
        self.long_term.search(owner, query)
    }

    /// Returns the profile; none until there is one.
    pub fn profile(&self, now: Timestamp) -> Option<String> {
        let topics =
            self.mid_term.segments().map(|s| Topic { pages: s.pages, keywords: &s.keywords });
        profile::compose(self.long_term.facts(), topics, self.long_term.profile(), now)
    }

    /// Returns how much there is.
    pub fn counts(&self) -> Counts {
        Counts {
            pages: self.heads.len(),
            short_term: self.short_term.len(),
            segments: self.mid_term.len(),
        }
    }

    /// Returns how much there will be once a change is applied that forgets nothing.
    pub fn counts_after(&self, change: &Change) -> Counts {
        let Counts { pages, short_term, segments } = self.counts();
        let filed = change.mid.filed.iter().filter(|(slot, _)| self.short_term.contains_key(slot));
        let is_known = |id| self.mid_term.entries.contains_key(&id);
        let founded = change.mid.segments.iter().filter(|segment| !is_known(segment.id));
        let merged = change.mid.merged.iter().filter(|(from, _)| is_known(*from));
        Counts {
            pages: pages + change.pages.len(),
            short_term: (short_term + change.pages.len()).saturating_sub(filed.count()),
            segments: (segments + founded.count()).saturating_sub(merged.count()),
        }
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
