//! The index of one user's pages: what a query is ranked against.
//!
//! It lives in memory, holds no text, and is changed one page at a time: a page added late or
//! forgotten leaves it exactly as if the pages had been added without it, in their order.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, HashSet};

use crate::embed::StaticModel;
use crate::memory::page::Slot;

use super::analysis::Analysis;
use super::dense::Dense;
use super::lexical::Lexical;
use super::links::Links;
use super::names::NameCounts;
use super::query::{DENSE_WEIGHT, Query, read_part};
use super::remote::{Remote, RemoteVector};

/// The lowest score of a page that shares no term with the query.
const MIN_SCORE: f32 = 0.18;

/// All pages of a user that can be found.
#[derive(Debug, Default)]
pub struct Index {
    /// By position, rising. A position is a page's place in every list of the index; it stays when
    /// the page is removed, unless it is the last.
    slots: Vec<Slot>,
    present: Vec<bool>,
    n_pages: usize,
    links: Links,
    lexical: Lexical,
    dense: Dense,
    remote: Remote,
    names: NameCounts,
    /// Lexical scores of the last query; kept for its memory.
    scores: Vec<f32>,
}

/// A page that qualifies for a query.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// The page.
    pub slot: Slot,
    /// The lexical score, 0 to 1: not 0 when the page or a neighbour of it has a query term.
    pub lex: f64,
    /// The cosine, -1 to 1, names left out of the query; by a model of a server seen from what all
    /// pages have in common, 0 to 1.
    pub cos: f64,
    /// `lex + 0.4 share cos`.
    pub score: f64,
}

impl Index {
    /// Adds a page. Slots rise from call to call, times need not.
    ///
    /// Returns false and does nothing when a page with this slot or a higher one is there.
    /// Costs the page's terms and five neighbours, whatever the size of the index.
    pub fn insert(&mut self, slot: Slot, session: &str, micros: i64, analysis: &Analysis) -> bool {
        let Some(at) = self.push(slot, analysis) else { return false };
        self.links.push(session, micros);
        let around = self.links.around(at);
        self.refresh(around.into_iter().flatten().chain([at]));
        true
    }

    /// Does what [`Index::insert`] does, for the first of many pages: nothing may be asked of the
    /// index, and nothing else be done to it, before [`Index::settle`].
    pub fn append(&mut self, slot: Slot, session: &str, micros: i64, analysis: &Analysis) -> bool {
        let is_new = self.push(slot, analysis).is_some();
        if is_new {
            self.links.append(session, micros);
        }
        is_new
    }

    /// Ends the adding of pages by [`Index::append`]: links all of them, and computes what they
    /// borrow, once.
    pub fn settle(&mut self) {
        self.links.settle();
        let all = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        self.refresh(0..all);
    }

    /// Makes room for so many pages more.
    pub fn reserve(&mut self, n_pages: usize) {
        self.slots.reserve(n_pages);
        self.present.reserve(n_pages);
        self.dense.reserve(n_pages);
    }

    /// Gives a page the next position, which it returns; none where a page with this slot or a higher
    /// one is there.
    fn push(&mut self, slot: Slot, analysis: &Analysis) -> Option<u32> {
        let at = u32::try_from(self.slots.len()).ok()?;
        if self.slots.last().is_some_and(|&last| slot <= last) {
            return None;
        }
        self.slots.push(slot);
        self.present.push(true);
        self.n_pages += 1;
        self.lexical.push(&analysis.terms, analysis.length);
        self.dense.push(&analysis.vector);
        self.remote.push();
        self.names.add(&analysis.cased);
        Some(at)
    }

    /// Takes a page out. `analysis` must be what the page was added with (or one made from the same
    /// page again); it spares the index a second copy of every page's terms.
    ///
    /// Returns false and does nothing when there is no such page.
    pub fn remove(&mut self, slot: Slot, analysis: &Analysis) -> bool {
        let Some(at) = self.position(slot) else { return false };
        let around = self.links.around(at);
        self.n_pages -= 1;
        self.links.remove(at);
        self.lexical.remove(at, &analysis.terms);
        self.dense.remove(at);
        self.remote.remove(at);
        self.names.remove(&analysis.cased);
        self.refresh(around.into_iter().flatten());
        if let Some(present) = self.present.get_mut(at as usize) {
            *present = false;
        }
        while self.present.last() == Some(&false) {
            self.slots.pop();
            self.present.pop();
            self.links.pop();
            self.lexical.pop();
            self.dense.pop();
            self.remote.pop();
        }
        true
    }

    fn refresh(&mut self, positions: impl Iterator<Item = u32>) {
        for at in positions {
            self.lexical.refresh(at, &self.links);
            self.dense.refresh(at, &self.links);
            self.remote.refresh(at, &self.links);
        }
    }

    /// Whether more places are empty than pages are there.
    pub fn is_sparse(&self) -> bool {
        self.slots.len() > 2 * self.n_pages + 64
    }

    /// Returns the number of pages.
    pub fn len(&self) -> usize {
        self.n_pages
    }

    /// Whether there is no page.
    pub fn is_empty(&self) -> bool {
        self.n_pages == 0
    }

    /// Whether the page is in the index.
    pub fn contains(&self, slot: Slot) -> bool {
        self.position(slot).is_some()
    }

    /// Returns how many pages have a term (as [`words_with_stems`](super::words_with_stems) gives
    /// it) themselves.
    pub fn document_frequency(&self, term: &str) -> usize {
        self.lexical.document_frequency(term)
    }

    /// Returns the page that a page of this session and time would follow if it were added now.
    pub fn follows(&self, session: &str, micros: i64) -> Option<Slot> {
        self.slot(self.links.before(session, micros)?)
    }

    /// Returns the page before this one in its session, at most 30 minutes earlier.
    pub fn previous(&self, slot: Slot) -> Option<Slot> {
        self.slot(self.links.previous(self.position(slot)?)?)
    }

    /// Returns the page after this one in its session, at most 30 minutes later.
    pub fn next(&self, slot: Slot) -> Option<Slot> {
        self.slot(self.links.next(self.position(slot)?)?)
    }

    /// Makes a query ready: terms weigh by how rare they are here, names are left out of its vector.
    /// Only the first 2,000 characters are read.
    pub fn prepare(&self, query: &str, model: &StaticModel) -> Query {
        let query = read_part(query);
        let dense_text = self.names.leave_out(query, self.n_pages);
        Query::with(query, &dense_text, |term| self.lexical.idf(term, self.n_pages), model)
    }

    /// Returns the best pages for a query, best first, the newer first among equals; at most
    /// `limit`, none of `skip`.
    ///
    /// A page qualifies when it or a neighbour within two links has a term of the query, or when
    /// its score is at least 0.18: what a neighbour lends is part of a page's score, so it is part
    /// of what it shares.
    pub fn search(
        &mut self,
        query: &str,
        limit: usize,
        skip: &HashSet<Slot>,
        model: &StaticModel,
    ) -> Vec<Hit> {
        let query = self.prepare(query, model);
        self.search_prepared(&query, limit, skip)
    }

    /// Does what [`Index::search`] does, for a query that [`Index::prepare`] made ready.
    pub fn search_prepared(
        &mut self,
        query: &Query,
        limit: usize,
        skip: &HashSet<Slot>,
    ) -> Vec<Hit> {
        self.lexical.score(&query.terms, self.n_pages, &self.links, &mut self.scores);
        self.dense.scan(&query.vector);
        let cosine = |at| self.dense.cosine(at, &self.links);
        self.best(limit, skip, query.dense_weight, cosine)
    }

    /// Does what [`Index::search`] does, with the vector of the query by a model of a server, of
    /// length 1, in place of the built-in one.
    ///
    /// None where not every page outside `skip` has a vector of that model, or the query's is of
    /// another length: a ranking is of one model or of the other.
    pub fn search_remote(
        &mut self,
        (query, vector): (&str, &[f32]),
        limit: usize,
        skip: &HashSet<Slot>,
        model: &StaticModel,
    ) -> Option<Vec<Hit>> {
        if self.remote.dimensions() != Some(vector.len()) || !self.has_vectors(skip) {
            return None;
        }
        let query = self.prepare(query, model);
        self.lexical.score(&query.terms, self.n_pages, &self.links, &mut self.scores);
        self.remote.scan(vector, &self.links);
        Some(self.best(limit, skip, DENSE_WEIGHT, |at| self.remote.seen(at)))
    }

    /// Whether every page outside `skip` has a vector by a model of a server.
    pub fn has_vectors(&self, skip: &HashSet<Slot>) -> bool {
        self.remote.dimensions().is_some() && self.lacking().all(|slot| skip.contains(&slot))
    }

    /// Returns the pages without a vector by a model of a server, the oldest first.
    pub fn lacking(&self) -> impl Iterator<Item = Slot> {
        let pages = (0_u32..).zip(self.slots.iter().zip(&self.present));
        let lacks =
            move |(at, (_, present)): &(u32, (&Slot, &bool))| **present && self.remote.lacks(*at);
        pages.filter(lacks).map(|(_, (slot, _))| *slot)
    }

    /// Returns the length of the vectors by a model of a server; none while there is none.
    pub fn remote_dimensions(&self) -> Option<usize> {
        self.remote.dimensions()
    }

    /// Sets a page's vector by a model of a server; false, and nothing done, where there is no such
    /// page or the others' vectors have another length.
    pub fn set_vector(&mut self, slot: Slot, vector: RemoteVector) -> bool {
        let Some(at) = self.position(slot) else { return false };
        if !self.remote.set(at, vector) {
            return false;
        }
        let near = [Some(at), self.links.previous(at), self.links.next(at)];
        near.into_iter().flatten().for_each(|at| self.remote.refresh(at, &self.links));
        true
    }

    /// Takes all vectors by a model of a server out.
    pub fn take_vectors(&mut self) -> Vec<(Slot, RemoteVector)> {
        let pages = (0_u32..).zip(&self.slots);
        pages.filter_map(|(at, slot)| Some((*slot, self.remote.take(at)?))).collect()
    }

    fn best(
        &self,
        limit: usize,
        skip: &HashSet<Slot>,
        weight: f32,
        cosine: impl Fn(u32) -> f32,
    ) -> Vec<Hit> {
        let mut best = BinaryHeap::with_capacity(limit.min(self.n_pages) + 1);
        for (at, (&slot, &lex)) in (0_u32..).zip(self.slots.iter().zip(&self.scores)) {
            let score = lex + weight * cosine(at);
            let found = Reverse(Candidate { score, at });
            if (lex <= 0.0 && score < MIN_SCORE)
                || (best.len() >= limit && best.peek().is_none_or(|worst| found >= *worst))
                || self.present.get(at as usize) != Some(&true)
                || skip.contains(&slot)
            {
                continue;
            }
            best.push(found);
            if best.len() > limit {
                best.pop();
            }
        }
        let best = best.into_sorted_vec();
        best.into_iter().filter_map(|Reverse(found)| self.hit(found, cosine(found.at))).collect()
    }

    fn hit(&self, found: Candidate, cosine: f32) -> Option<Hit> {
        Some(Hit {
            slot: self.slot(found.at)?,
            lex: f64::from(self.scores.get(found.at as usize).copied()?),
            cos: f64::from(cosine),
            score: f64::from(found.score),
        })
    }

    fn slot(&self, at: u32) -> Option<Slot> {
        self.slots.get(at as usize).copied()
    }

    fn position(&self, slot: Slot) -> Option<u32> {
        let at = self.slots.binary_search(&slot).ok()?;
        self.present.get(at).filter(|&&present| present)?;
        u32::try_from(at).ok()
    }
}

/// A page that may be among the best: higher is better, and newer among equals.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Candidate {
    score: f32,
    at: u32,
}

impl Eq for Candidate {}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        self.score.total_cmp(&other.score).then(self.at.cmp(&other.at))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
