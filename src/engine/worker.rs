//! An open user: the store and the memory together, one call at a time.
//!
//! The order of a mutation: lock, begin, catch up, decide, write, commit, apply. Memory never holds
//! what is not on stable storage.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::api::{Added, Found, Profile, Recall, Recalled, SegmentBrief};
use super::load;
use super::options::Options;
use crate::embed::StaticModel;
use crate::memory::change::{AddedPage, Change};
use crate::memory::decide::{Decision, Incoming};
use crate::memory::draft::PageTexts;
use crate::memory::fact::{Fact, Owner, Reader};
use crate::memory::learn::SaidOn;
use crate::memory::page::{NewPage, Page, PageId, Slot, Texts};
use crate::memory::segment::Segment;
use crate::memory::{Memory, rules};
use crate::retrieval::{Analysis, fingerprint};
use crate::storage::StoreError;
use crate::storage::derived::{Derived, DerivedRow};
use crate::storage::keeper::Keeper;
use crate::storage::open::{self, Request};
use crate::storage::outcome::News;
use crate::storage::segment_rows::SegmentRow;
use crate::storage::store::{Mode, Store};
use crate::time::Timestamp;
use crate::user::AssistantId;

/// Pages filed in one transaction when short-term memory overflows (after an import).
const OVERFLOW_BATCH: usize = 100;

/// Pages read for facts in one transaction when many are unread.
const UNREAD_BATCH: usize = 200;

/// The open memory of one user.
#[derive(Debug)]
pub(crate) struct Worker {
    /// Dropped before the store: it writes what is left while the folder is still held.
    keeper: Option<Keeper>,
    pub(super) store: Store,
    pub(super) memory: Memory,
    assistant: Option<AssistantId>,
    stop: Arc<AtomicBool>,
    /// Pages whose texts were tokenised by this process.
    pub(super) n_tokenised: u64,
}

impl Worker {
    /// Opens the user's folder and fills the memory from it.
    pub(crate) fn open(
        request: &Request<'_>,
        options: &Options,
        stop: &Arc<AtomicBool>,
    ) -> Result<Self, StoreError> {
        let mut store = open::open(request)?;
        if store.created {
            store.write_first_views()?;
        }
        let mut derived = Derived::new(store.folder(), store.epoch(), fingerprint());
        let loaded = load::load(&mut store, &mut derived, options)?;
        let keeper = match store.mode() {
            Mode::Normal => Some(Keeper::start(store.folder(), derived)?),
            Mode::ReadOnly(reason) => {
                tracing::warn!("{reason}");
                None
            }
        };
        let n_tokenised = loaded.fresh.len() as u64;
        let memory = loaded.memory;
        let stop = Arc::clone(stop);
        let assistant = options.assistant.clone();
        let mut worker = Self { keeper, store, memory, assistant, stop, n_tokenised };
        loaded.fresh.into_iter().for_each(|row| worker.derive(row));
        worker.file_overflow()?;
        worker.read_unread()?;
        Ok(worker)
    }

    /// Stores a page, or finds that it is there.
    pub(crate) fn add(&mut self, new: NewPage, now: Timestamp) -> Result<Added, StoreError> {
        let incoming = Incoming::read(new);
        self.n_tokenised += 1;
        let decided = self.mutate("add", |memory, store| {
            match memory.decide_add(incoming, &Pages(store), now) {
                Decision::Duplicate(slot) => Err(slot),
                Decision::Add(change) => Ok(*change),
            }
        })?;
        let duplicate = decided.is_err();
        let (slot, filed) = match decided {
            Ok(done) => (done.slots.first().copied(), done.filed),
            Err(slot) => (Some(slot), 0),
        };
        let known = slot.and_then(|slot| self.memory.id_of(slot));
        let (id, timestamp) = known.ok_or_else(|| {
            StoreError::damaged(&self.store.folder().database(), "a page is gone")
        })?;
        Ok(Added {
            id,
            duplicate,
            timestamp,
            short_term_pages: self.memory.n_short_term(),
            filed,
            segments: self.memory.segments().len(),
            total_pages: self.memory.n_pages(),
        })
    }

    /// Finds what the memory holds for a query.
    pub(crate) fn recall(
        &mut self,
        recall: &Recall,
        now: Timestamp,
    ) -> Result<Recalled, StoreError> {
        self.catch_up()?;
        let hits = self.memory.search(&recall.query, recall.max_results);
        if recall.visit {
            self.memory.visit(&hits, now);
        }
        let mut found = Vec::with_capacity(hits.len());
        for hit in &hits {
            if let Some(page) = self.store.page(hit.slot)? {
                found.push(self.found(page, hit.score));
            }
        }
        let mut facts = |owner| -> Vec<Fact> {
            self.memory.search_facts(owner, &recall.query).into_iter().cloned().collect()
        };
        let (user_knowledge, assistant_knowledge) = (facts(Owner::User), facts(Owner::Assistant));
        let notices = match self.store.mode() {
            Mode::ReadOnly(reason) => vec![reason.clone()],
            Mode::Normal => Vec::new(),
        };
        Ok(Recalled {
            profile: self.memory.profile(now),
            short_term: self.memory.newest().cloned().collect(),
            found,
            user_knowledge,
            assistant_knowledge,
            notices,
        })
    }

    /// Reads one page; none if there is none with this id.
    pub(crate) fn page(&mut self, id: PageId) -> Result<Option<Found>, StoreError> {
        self.catch_up()?;
        let Some(slot) = self.memory.slot_of(id) else { return Ok(None) };
        Ok(self.store.page(slot)?.map(|page| self.found(page, 0.0)))
    }

    /// Reads the profile and the knowledge.
    pub(crate) fn profile(&mut self, now: Timestamp) -> Result<Profile, StoreError> {
        self.catch_up()?;
        let known = |owner| self.memory.long_term().current(owner).into_iter().cloned().collect();
        Ok(Profile {
            assistant: self.assistant()?,
            profile: self.memory.profile(now),
            user_knowledge: known(Owner::User),
            assistant_knowledge: known(Owner::Assistant),
        })
    }

    /// Returns the assistant's name: the one configured, else the one recorded for the user.
    pub(super) fn assistant(&self) -> Result<String, StoreError> {
        match &self.assistant {
            Some(assistant) => Ok(assistant.to_string()),
            None => self.store.assistant(),
        }
    }

    /// Takes in what other processes committed.
    pub(crate) fn catch_up(&mut self) -> Result<(), StoreError> {
        if let Some(news) = self.store.news()? {
            self.learn(news);
        }
        Ok(())
    }

    /// Stores what was only counted; the files are closed when the worker is dropped.
    pub(crate) fn finish(&mut self) -> Result<(), StoreError> {
        if *self.store.mode() == Mode::Normal && self.memory.segments().has_unflushed_visits() {
            // Visits may be lost: another process must not hold the end up. Where it is to stop, the
            // lock is had at once or not at all.
            self.stop.store(true, Ordering::SeqCst);
            drop(self.mutate("visit", |memory, _| memory.decide_visits().ok_or(()))?);
        }
        Ok(())
    }

    fn found(&self, page: Page, score: f64) -> Found {
        let brief = |s: &Segment| SegmentBrief { id: s.id.0, keywords: s.keywords.clone() };
        Found { segment: self.memory.segment_of(page.slot).map(brief), page, score }
    }

    /// Carries out one transaction. `decide` sees the memory with all that was committed before; what
    /// it refuses with is returned, and nothing is written.
    fn mutate<R>(
        &mut self,
        kind: &str,
        decide: impl FnOnce(&Memory, &Store) -> Result<Change, R>,
    ) -> Result<Result<Done, R>, StoreError> {
        self.catch_up()?;
        let stop = Arc::clone(&self.stop);
        let held = self.store.lock(&stop)?;
        self.store.begin()?;
        let outcome = self.mutate_begun(kind, decide);
        if !matches!(outcome, Ok(Ok(_))) {
            self.store.rollback();
        }
        drop(held);
        if matches!(outcome, Ok(Ok(_)))
            && let Some(keeper) = &self.keeper
        {
            keeper.changed();
        }
        outcome
    }

    fn mutate_begun<R>(
        &mut self,
        kind: &str,
        decide: impl FnOnce(&Memory, &Store) -> Result<Change, R>,
    ) -> Result<Result<Done, R>, StoreError> {
        self.catch_up()?;
        let mut change = match decide(&self.memory, &self.store) {
            Ok(change) => change,
            Err(refused) => return Ok(Err(refused)),
        };
        let seq = self.store.write(kind, &mut change)?;
        self.store.commit(seq)?;
        let slots = change.pages.iter().map(|added| added.page.slot).collect();
        let done = Done { slots, filed: change.mid.filed.len() };
        for added in &change.pages {
            self.derive(derived_row(added));
        }
        self.memory.apply(change);
        Ok(Ok(done))
    }

    fn learn(&mut self, news: News) {
        let mut change = Change { long: news.long, ..Change::default() };
        for row in news.pages {
            let (texts, timestamp) = (&row.page.new.texts, row.page.new.timestamp);
            let analysis = Analysis::of(texts, timestamp, StaticModel::built_in());
            self.n_tokenised += 1;
            change.pages.push(AddedPage { page: row.page, analysis });
        }
        change.mid.filed = news.filed;
        for row in news.segments {
            match row {
                SegmentRow::Live(segment) => change.mid.segments.push(*segment),
                SegmentRow::Merged(from, into) => change.mid.merged.push((from, into)),
            }
        }
        self.memory.apply(change);
    }

    /// Files what an import left in short-term memory, a batch a transaction. Where that cannot be
    /// done now the next add does it: what is stored can be read all the same.
    fn file_overflow(&mut self) -> Result<(), StoreError> {
        if *self.store.mode() != Mode::Normal {
            return Ok(());
        }
        let now = Timestamp::now();
        // Looking takes no lock, so that a process which starts does not wait for one that writes.
        while self.memory.has_overflow() {
            let filed = self.mutate("file", |memory, store| {
                memory.decide_overflow(OVERFLOW_BATCH, &Pages(store), now).ok_or(())
            });
            if !may_wait(filed, "short-term memory holds more than it should")? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Reads by rule what pages say that were stored without it: by an import, a recovery or an
    /// older program. A batch a transaction; where it cannot be done now, the next start does it.
    fn read_unread(&mut self) -> Result<(), StoreError> {
        if *self.store.mode() != Mode::Normal {
            return Ok(());
        }
        let now = Timestamp::now();
        while !self.store.unread(1)?.is_empty() {
            let read = self.mutate("read", |memory, store| {
                let pages = match store.unread(UNREAD_BATCH) {
                    Ok(pages) if !pages.is_empty() => pages,
                    Ok(_) => return Err(None),
                    Err(error) => return Err(Some(error)),
                };
                let said = |page: &Page| {
                    let (texts, at) = (&page.new.texts, page.new.timestamp);
                    let on = SaidOn {
                        slot: page.slot,
                        id: page.id,
                        at,
                        may_be_late: true,
                        reader: Reader::Rule,
                    };
                    (on, rules::read(texts, at))
                };
                Ok(memory.decide_reading(pages.iter().map(said), now))
            });
            let read = match read {
                Ok(Err(Some(error))) => Err(error),
                other => other,
            };
            if !may_wait(read, "some pages are not yet read for facts")? {
                return Ok(());
            }
        }
        Ok(())
    }

    fn derive(&mut self, row: DerivedRow) {
        if let Some(keeper) = &self.keeper {
            keeper.keep(row);
        }
    }
}

/// Whether work that may as well be done later goes on: not where it is done, nor where the store is
/// busy or full now.
fn may_wait<R>(
    outcome: Result<Result<Done, R>, StoreError>,
    left: &str,
) -> Result<bool, StoreError> {
    match outcome {
        Ok(done) => Ok(done.is_ok()),
        Err(error @ (StoreError::Locked { .. } | StoreError::Sqlite(_))) if !error.is_damage() => {
            tracing::warn!(%error, "{left}");
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// What a mutation did.
#[derive(Debug)]
struct Done {
    /// Slots of new pages.
    slots: Vec<Slot>,
    /// Pages filed.
    filed: usize,
}

/// The texts of stored pages, for deciding.
struct Pages<'a>(&'a Store);

impl PageTexts for Pages<'_> {
    fn texts(&self, slot: Slot) -> Option<Texts> {
        self.0.texts(slot).unwrap_or_else(|error| {
            tracing::warn!(%error, slot = slot.0, "a page cannot be read");
            None
        })
    }
}

fn derived_row(added: &AddedPage) -> DerivedRow {
    DerivedRow {
        slot: added.page.slot,
        text_hash: added.page.new.texts.checksum(),
        analysis: added.analysis.to_bytes(),
    }
}
