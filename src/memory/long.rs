//! Long-term memory: the facts that hold, and what held before.
//!
//! Facts are found again by their keys alone: nothing is compared by likeness. What a statement
//! does is decided in [`learn`](super::learn); this changes only by [`LongTerm::apply`].

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::embed::StaticModel;
use crate::memory::fact::{Fact, FactId, Owner};
use crate::memory::page::{PageId, Slot, Texts};
use crate::memory::prompts::ModelProfile;
use crate::retrieval::{Analysis, Index};

/// What one transaction changes in long-term memory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LongChange {
    /// The new state of every fact that changed, in the order of their numbers.
    pub facts: Vec<Fact>,
    /// Facts that gave way or lost all their sources.
    pub gone: Vec<FactId>,
    /// The pages whose facts these are, as far as they had not been read by rule before.
    pub read: Vec<Slot>,
    /// The prose of a model about the user, if it changed.
    pub profile: Option<ProfileChange>,
}

/// What becomes of the prose of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProfileChange {
    /// It is this now.
    Put(Box<ModelProfile>),
    /// It is gone: a page it cites was forgotten.
    Drop,
}

impl LongChange {
    /// Whether there is nothing to store.
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
            && self.gone.is_empty()
            && self.read.is_empty()
            && self.profile.is_none()
    }
}

/// A fact with what the index needs of it.
#[derive(Debug)]
struct Entry {
    fact: Fact,
    /// None for history, which no query finds.
    analysis: Option<Analysis>,
}

/// All facts of a user.
#[derive(Debug)]
pub struct LongTerm {
    pub(super) capacity: usize,
    entries: BTreeMap<FactId, Entry>,
    by_key: HashMap<String, Vec<FactId>>,
    last_id: FactId,
    index: HashMap<Owner, Index>,
    profile: Option<ModelProfile>,
}

impl LongTerm {
    /// Makes an empty long-term memory; `capacity` facts about the user, and as many of the
    /// assistant.
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity: capacity.max(1),
            entries: BTreeMap::new(),
            by_key: HashMap::new(),
            last_id: FactId(0),
            index: HashMap::new(),
            profile: None,
        }
    }

    /// Makes the next fact's number come after `id`.
    pub fn continue_after(&mut self, id: FactId) {
        self.last_id = self.last_id.max(id);
    }

    /// Carries out what was decided here, by another process, or at an earlier start.
    pub fn apply(&mut self, change: LongChange) {
        for id in change.gone {
            self.remove(id);
        }
        let late: HashSet<Owner> = change.facts.into_iter().filter_map(|f| self.put(f)).collect();
        for owner in [Owner::User, Owner::Assistant] {
            let is_sparse = self.index.get(&owner).is_some_and(Index::is_sparse);
            if late.contains(&owner) || is_sparse {
                self.rebuild(owner);
            }
        }
        match change.profile {
            Some(ProfileChange::Put(profile)) => self.profile = Some(*profile),
            Some(ProfileChange::Drop) => self.profile = None,
            None => {}
        }
    }

    /// Puts a fact in its place; returns its owner if the index has no place for it any more, which
    /// has places for rising numbers only.
    fn put(&mut self, fact: Fact) -> Option<Owner> {
        let id = fact.id;
        self.last_id = self.last_id.max(id);
        // What is searched for does not change as long as the fact holds.
        let known = self.entries.get(&id);
        if known.is_some_and(|e| e.fact.clause == fact.clause && e.fact.closed == fact.closed) {
            self.entries.entry(id).and_modify(|entry| entry.fact = fact);
            return None;
        }
        self.remove(id);
        let analysis = (!fact.closed).then(|| analysis(&fact));
        self.by_key.entry(fact.key.clone()).or_default().push(id);
        let owner = fact.attribute.owner();
        let late = analysis.is_some() && !self.insert(owner, &fact, analysis.as_ref());
        self.entries.insert(id, Entry { fact, analysis });
        late.then_some(owner)
    }

    /// Adds a fact to the index of its owner; false where a fact with a higher number is there.
    fn insert(&mut self, owner: Owner, fact: &Fact, analysis: Option<&Analysis>) -> bool {
        let Some(analysis) = analysis else { return true };
        let index = self.index.entry(owner).or_default();
        // Every fact is a conversation of its own: facts have no neighbours.
        index.insert(Slot(fact.id.0), &fact.id.0.to_string(), fact.said_at.micros(), analysis)
    }

    fn rebuild(&mut self, owner: Owner) {
        let mut index = Index::default();
        for (id, Entry { fact, analysis }) in &self.entries {
            if let Some(analysis) = analysis
                && fact.attribute.owner() == owner
            {
                index.insert(Slot(id.0), &id.0.to_string(), fact.said_at.micros(), analysis);
            }
        }
        self.index.insert(owner, index);
    }

    fn remove(&mut self, id: FactId) {
        let Some(Entry { fact, analysis }) = self.entries.remove(&id) else { return };
        if let Some(ids) = self.by_key.get_mut(&fact.key) {
            ids.retain(|known| *known != id);
            if ids.is_empty() {
                self.by_key.remove(&fact.key);
            }
        }
        if let Some(analysis) = analysis
            && let Some(index) = self.index.get_mut(&fact.attribute.owner())
        {
            index.remove(Slot(id.0), &analysis);
        }
    }

    /// Returns a fact.
    pub fn get(&self, id: FactId) -> Option<&Fact> {
        self.entries.get(&id).map(|entry| &entry.fact)
    }

    /// Returns all facts, history included, in the order of their numbers.
    pub fn facts(&self) -> impl DoubleEndedIterator<Item = &Fact> {
        self.entries.values().map(|entry| &entry.fact)
    }

    /// Returns the facts that hold, the newest first; of those that show the same clause only one.
    pub fn current(&self, owner: Owner) -> Vec<&Fact> {
        let held = self.facts().filter(|f| !f.closed && f.attribute.owner() == owner);
        let mut held: Vec<&Fact> = held.collect();
        held.sort_by_key(|fact| std::cmp::Reverse((fact.said_at.micros(), fact.id)));
        distinct(held.into_iter())
    }

    /// Returns the facts that hold and fit a query, best first; of those that show the same clause
    /// only one.
    ///
    /// They are ranked as pages are, without neighbours. Source: `retrieval`.
    pub fn search(&mut self, owner: Owner, query: &str) -> Vec<&Fact> {
        let none = HashSet::new();
        let index = self.index.get_mut(&owner).filter(|index| !index.is_empty());
        let Some(index) = index else { return Vec::new() };
        let hits = index.search(query, self.entries.len(), &none, StaticModel::built_in());
        distinct(hits.into_iter().filter_map(|hit| self.get(FactId(hit.slot.0))))
    }

    /// Returns the prose of a model about the user.
    pub fn profile(&self) -> Option<&ModelProfile> {
        self.profile.as_ref()
    }

    /// Returns the number of facts that hold.
    pub fn n_current(&self, owner: Owner) -> usize {
        self.index.get(&owner).map_or(0, Index::len)
    }

    /// Returns how many facts are history.
    pub fn n_closed(&self) -> usize {
        self.facts().filter(|fact| fact.closed).count()
    }

    pub(super) fn last_id(&self) -> FactId {
        self.last_id
    }

    /// Returns the facts with a key, history included.
    pub(super) fn with_key(&self, key: &str) -> impl Iterator<Item = &Fact> {
        self.by_key.get(key).into_iter().flatten().filter_map(|id| self.get(*id))
    }

    /// Returns the facts that one of these pages is a source of.
    pub fn from_pages<'a>(&'a self, pages: &'a HashSet<PageId>) -> impl Iterator<Item = &'a Fact> {
        self.facts().filter(|fact| fact.sources.iter().any(|id| pages.contains(id)))
    }
}

/// Leaves out facts that show what another one shows already.
fn distinct<'a>(facts: impl Iterator<Item = &'a Fact>) -> Vec<&'a Fact> {
    let mut shown = HashSet::new();
    facts.filter(|fact| shown.insert(fact.clause.as_str())).collect()
}

/// Returns what the index needs of a fact: its clause, its value and the date it was said.
fn analysis(fact: &Fact) -> Analysis {
    let texts = Texts { user_input: fact.clause.clone(), agent_response: String::new() };
    Analysis::of(&texts, fact.said_at, StaticModel::built_in())
}
