//! An open user: the store and the memory together, one call at a time.
//!
//! The order of a mutation: lock, begin, catch up, decide, write, commit, answer, apply. Nothing is
//! answered from a memory that holds what is not on stable storage.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::api::{Found, Profile, Recall, Recalled, SegmentBrief};
use super::consolidating::Consolidating;
use super::embedding::{self, Embedding};
use super::load::{self, Loaded};
use super::options::Options;
use super::reader::BeingRead;
use crate::embed::StaticModel;
use crate::memory::Memory;
use crate::memory::change::Change;
use crate::memory::consolidate::Pages;
use crate::memory::draft::PageTexts;
use crate::memory::fact::{Fact, Owner};
use crate::memory::page::{Page, PageId, Slot, Texts};
use crate::memory::segment::Segment;
use crate::retrieval::{Analysis, fingerprint};
use crate::storage::StoreError;
use crate::storage::derived::{Derived, DerivedRow};
use crate::storage::keeper::{Files, Keeper};
use crate::storage::open::{self, Request};
use crate::storage::outcome::News;
use crate::storage::segment_rows::SegmentRow;
use crate::storage::store::{Mode, Store};
use crate::time::Timestamp;

/// The open memory of one user.
#[derive(Debug)]
pub(crate) struct Worker {
    /// Dropped before the store: it writes what is left while the folder is still held.
    keeper: Option<Keeper>,
    pub(super) store: Store,
    pub(super) memory: Memory,
    options: Options,
    stop: Arc<AtomicBool>,
    /// Whether something in memory was forgotten on disk.
    pub(super) is_stale: bool,
    /// Its work for a model.
    pub(super) consolidating: Consolidating,
    /// Its work for a model that makes vectors.
    pub(super) embedding: Embedding,
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
        let Loaded { mut memory, fresh } = load::load(&mut store, &mut derived, options)?;
        let keeper = match store.mode() {
            Mode::Normal => {
                let mut vectors = embedding::vectors_file(&store, options);
                if let Some(file) = &mut vectors {
                    embedding::load_vectors(&mut memory, file);
                }
                let files = Files { derived, vectors };
                Some(Keeper::start(store.folder(), files, stop)?)
            }
            Mode::ReadOnly(reason) => {
                tracing::warn!("{reason}");
                None
            }
        };
        let n_tokenised = fresh.len() as u64;
        let stop = Arc::clone(stop);
        let (consolidating, options) = (Consolidating::default(), options.clone());
        let mut worker = Self {
            keeper,
            store,
            memory,
            options,
            stop,
            is_stale: false,
            consolidating,
            embedding: Embedding::default(),
            n_tokenised,
        };
        worker.keep(fresh);
        worker.file_overflow()?;
        worker.read_unread()?;
        Ok(worker)
    }

    /// Finds what the memory holds for a query; `vector` is the query's by a model of a server, if
    /// it is known. The whole ranking is by that model or by the built-in one.
    pub(crate) fn recall(
        &mut self,
        recall: &Recall,
        vector: Option<&[f32]>,
        now: Timestamp,
    ) -> Result<Recalled, StoreError> {
        self.catch_up()?;
        let (query, limit) = (&recall.query, recall.max_results);
        let hits = vector
            .and_then(|vector| self.memory.search_remote(query, vector, limit))
            .unwrap_or_else(|| self.memory.search(query, limit));
        if recall.visit {
            self.memory.visit(&hits, now);
        }
        let mut found = Vec::with_capacity(hits.len());
        // One reading for all: each of its own would lock the log anew.
        let snapshot = self.store.snapshot()?;
        for hit in &hits {
            if let Some(page) = self.store.page(hit.slot)? {
                found.push(self.found(page, hit.score));
            }
        }
        drop(snapshot);
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
        match &self.options.assistant {
            Some(assistant) => Ok(assistant.to_string()),
            None => self.store.assistant(),
        }
    }

    /// Takes in what other processes committed.
    pub(crate) fn catch_up(&mut self) -> Result<(), StoreError> {
        if self.is_stale {
            self.read_anew()?;
        }
        match self.store.news()? {
            Some(news) if news.forgotten => {
                self.read_anew()?;
                if let Some(keeper) = &self.keeper {
                    keeper.erase_for_others();
                }
            }
            Some(news) => self.learn(news),
            None => {}
        }
        Ok(())
    }

    /// Reads everything anew, after pages were forgotten.
    pub(super) fn read_anew(&mut self) -> Result<(), StoreError> {
        // Whatever fails here, nothing is answered from what is in memory now.
        self.is_stale = true;
        let mut derived = Derived::new(self.store.folder(), self.store.epoch(), fingerprint());
        let loaded = load::load(&mut self.store, &mut derived, &self.options)?;
        let vectors = self.memory.take_vectors();
        self.memory = loaded.memory;
        for (slot, vector) in vectors {
            self.memory.set_vector(slot, vector);
        }
        self.n_tokenised += loaded.fresh.len() as u64;
        self.keep(loaded.fresh);
        self.is_stale = false;
        Ok(())
    }

    /// Whether the memory could not be written when it was opened, and may be now.
    pub(super) fn may_be_written_again(&self) -> bool {
        self.store.unwritable && open::takes_writes(self.store.folder())
    }

    pub(super) fn keeper(&self) -> Option<&Keeper> {
        self.keeper.as_ref()
    }

    /// Stores what was only counted; the files are closed when the worker is dropped.
    pub(crate) fn finish(&mut self) -> Result<(), StoreError> {
        let has_visits = !self.is_stale && self.memory.segments().has_unflushed_visits();
        if *self.store.mode() == Mode::Normal && has_visits {
            // Visits may be lost: another process must not hold the end up. Where it is to stop, the
            // lock is had at once or not at all.
            self.stop.store(true, Ordering::SeqCst);
            let _written = self.mutate("visit", |memory, _| memory.decide_visits().ok_or(()))?;
        }
        Ok(())
    }

    fn found(&self, page: Page, score: f64) -> Found {
        let brief = |s: &Segment| SegmentBrief { id: s.id.0, keywords: s.keywords.clone() };
        Found { segment: self.memory.segment_of(page.slot).map(brief), page, score }
    }

    /// Carries out one transaction. `decide` sees the memory with all that was committed before; what
    /// it refuses with is returned, and nothing is written.
    pub(super) fn mutate<R>(
        &mut self,
        kind: &str,
        decide: impl FnOnce(&Memory, &Store) -> Result<Change, R>,
    ) -> Result<Result<(), R>, StoreError> {
        let decided = self.transact(|worker| match decide(&worker.memory, &worker.store) {
            Ok(mut change) => {
                let seq = worker.store.write(kind, &mut change)?;
                Ok((Some(seq), Ok(change)))
            }
            Err(refused) => Ok((None, Err(refused))),
        })?;
        Ok(decided.map(|change| {
            let rows = self.take_in(change, None);
            self.changed(rows);
        }))
    }

    /// Begins a transaction, takes in what others committed, and lets `work` write. What it wrote is
    /// committed if it returns the sequence number of the last change, else nothing is. The keeper is
    /// told by the caller.
    pub(super) fn transact<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<(Option<u64>, T), StoreError>,
    ) -> Result<T, StoreError> {
        self.catch_up()?;
        let stop = Arc::clone(&self.stop);
        let held = self.store.lock(&stop)?;
        self.store.begin()?;
        let worked = self.catch_up().and_then(|()| work(self));
        let outcome = match worked {
            Ok((Some(seq), done)) => self.store.commit(seq).map(|()| (true, done)),
            Ok((None, done)) => Ok((false, done)),
            Err(error) => Err(error),
        };
        if !matches!(outcome, Ok((true, _))) {
            self.store.rollback();
        }
        drop(held);
        outcome.map(|(_, done)| done)
    }

    /// Takes in what was written here; returns the derived data of its pages, which is stored once
    /// they are committed: whoever stores it looks for them. `read` is what was read on the page
    /// meanwhile, where that was begun.
    pub(super) fn take_in(&mut self, change: Change, read: Option<BeingRead>) -> Vec<DerivedRow> {
        if !change.forgotten.is_empty() {
            // Read anew before the next answer.
            self.is_stale = true;
            return Vec::new();
        }
        let mut read = read.and_then(BeingRead::wait);
        let (mut found, mut rows) = (Vec::new(), Vec::new());
        for page in &change.pages {
            let (analysis, bytes, reading) = if let Some(read) = read.take() {
                self.n_tokenised += 1;
                (read.analysis, read.bytes, Some(read.reading.at(page.slot)))
            } else {
                let analysis = self.analysis(page);
                let bytes = analysis.to_bytes();
                (analysis, bytes, None)
            };
            rows.push(DerivedRow { slot: page.slot, text_hash: page.new.texts.checksum(), bytes });
            found.push((analysis, reading));
        }
        self.memory.apply(change, found);
        rows
    }

    /// Makes what the index needs of a page.
    fn analysis(&mut self, page: &Page) -> Analysis {
        self.n_tokenised += 1;
        Analysis::of(&page.new.texts, page.new.timestamp, StaticModel::built_in())
    }

    /// Carries out a transaction that changes nothing of the memory.
    pub(super) fn aside(
        &mut self,
        write: impl FnOnce(&mut Self) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let stop = Arc::clone(&self.stop);
        let held = self.store.lock(&stop)?;
        self.store.begin()?;
        let written = write(self).and_then(|()| self.store.commit_aside());
        if written.is_err() {
            self.store.rollback();
        }
        drop(held);
        written
    }

    fn learn(&mut self, news: News) {
        let mut change = Change { long: news.long, ..Change::default() };
        change.pages = news.pages.into_iter().map(|row| row.page).collect();
        change.mid.filed = news.filed;
        for row in news.segments {
            match row {
                SegmentRow::Live(segment) => change.mid.segments.push(*segment),
                SegmentRow::Merged(from, into) => change.mid.merged.push((from, into)),
            }
        }
        let read: Vec<_> = change.pages.iter().map(|page| (self.analysis(page), None)).collect();
        self.memory.apply(change, read);
    }

    /// Has derived data stored that had to be made anew.
    fn keep(&self, rows: Vec<DerivedRow>) {
        if let Some(keeper) = self.keeper.as_ref().filter(|_| !rows.is_empty()) {
            keeper.keep(rows);
        }
    }

    /// Tells the keeper that something was committed, with derived data to store when there is time.
    pub(super) fn changed(&self, rows: Vec<DerivedRow>) {
        if let Some(keeper) = &self.keeper {
            keeper.changed(rows);
        }
    }
}

/// Stored pages, for deciding.
pub(super) struct Stored<'a>(pub(super) &'a Store);

impl PageTexts for Stored<'_> {
    fn texts(&self, slot: Slot) -> Option<Texts> {
        readable(slot, self.0.texts(slot))
    }
}

impl Pages for Stored<'_> {
    fn page(&self, slot: Slot) -> Option<Page> {
        readable(slot, self.0.page(slot))
    }
}

fn readable<T>(slot: Slot, read: Result<Option<T>, StoreError>) -> Option<T> {
    read.unwrap_or_else(|error| {
        tracing::warn!(%error, slot = slot.0, "a page cannot be read");
        None
    })
}
