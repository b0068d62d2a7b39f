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
use super::query::{Query, read_part};

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
    /// The cosine, -1 to 1, names left out of the query.
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
        let Ok(at) = u32::try_from(self.slots.len()) else { return false };
        if self.slots.last().is_some_and(|&last| slot <= last) {
            return false;
        }
        self.slots.push(slot);
        self.present.push(true);
        self.n_pages += 1;
        self.links.push(session, micros);
        self.lexical.push(&analysis.terms, analysis.length);
        self.dense.push(&analysis.vector);
        self.names.add(&analysis.cased);
        let around = self.links.around(at);
        self.refresh(around.into_iter().flatten().chain([at]));
        true
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
        }
        true
    }

    fn refresh(&mut self, positions: impl Iterator<Item = u32>) {
        for at in positions {
            self.lexical.refresh(at, &self.links);
            self.dense.refresh(at, &self.links);
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
        let mut best = BinaryHeap::with_capacity(limit.min(self.n_pages) + 1);
        for (at, (&slot, &lex)) in (0_u32..).zip(self.slots.iter().zip(&self.scores)) {
            let score = lex + query.dense_weight * self.dense.cosine(at, &self.links);
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
        best.into_iter().filter_map(|Reverse(found)| self.hit(found)).collect()
    }

    fn hit(&self, found: Candidate) -> Option<Hit> {
        Some(Hit {
            slot: self.slot(found.at)?,
            lex: f64::from(self.scores.get(found.at as usize).copied()?),
            cos: f64::from(self.dense.cosine(found.at, &self.links)),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::page::Texts;
    use crate::time::Timestamp;

    const MINUTE: i64 = 60_000_000;

    /// A page to add: slot, session, minute, text.
    type Entry<'a> = (u32, &'a str, i64, &'a str);

    fn model() -> &'static StaticModel {
        StaticModel::built_in()
    }

    fn analysis(text: &str) -> Analysis {
        let texts = Texts { user_input: text.to_owned(), agent_response: String::new() };
        Analysis::of(&texts, Timestamp::parse("2026-05-01").unwrap(), model())
    }

    fn insert(index: &mut Index, (slot, session, minute, text): Entry<'_>) -> bool {
        index.insert(Slot(slot), session, minute * MINUTE, &analysis(text))
    }

    fn index(entries: &[Entry<'_>]) -> Index {
        let mut index = Index::default();
        for &entry in entries {
            assert!(insert(&mut index, entry));
        }
        index
    }

    fn search(index: &mut Index, query: &str) -> Vec<Hit> {
        index.search(query, 10, &HashSet::new(), model())
    }

    fn slots(hits: &[Hit]) -> Vec<u32> {
        hits.iter().map(|hit| hit.slot.0).collect()
    }

    const TALK: [Entry<'_>; 6] = [
        (1, "a", 0, "I adopted a kitten from the shelter"),
        (2, "a", 5, "She is called Olive"),
        (4, "b", 7, "The quarterly budget is due on Friday"),
        (5, "a", 12, "Olive sleeps on the piano all day"),
        (7, "a", 90, "We drove to the mountains"),
        (9, "a", 95, "The kitten stayed with my sister Olive"),
    ];
    const QUESTIONS: [&str; 4] =
        ["what is the kitten called", "budget", "Where does Olive sleep?", "mountain trip"];

    #[test]
    fn a_page_is_found_by_its_own_words_and_by_its_neighbours() {
        let hits = search(&mut index(&TALK), "Who is the kitten?");
        assert_eq!(hits.iter().map(|h| h.slot.0).collect::<HashSet<_>>(), [1, 2, 5, 7, 9].into());
        assert_eq!(hits[0].slot, Slot(1));
        assert!(hits.iter().all(|hit| hit.lex > 0.0 && hit.lex < 1.0));
    }

    #[test]
    fn a_question_about_nothing_here_finds_nothing() {
        assert_eq!(search(&mut index(&TALK), "zymurgy"), []);
        assert_eq!(search(&mut index(&TALK), ""), []);
        assert_eq!(search(&mut Index::default(), "kitten"), []);
    }

    #[test]
    fn a_page_without_the_words_is_found_when_it_means_the_same() {
        let hits = search(&mut index(&TALK), "finances");
        assert_eq!((slots(&hits), hits[0].lex), (vec![4], 0.0));
    }

    #[test]
    fn the_newer_of_equals_is_first_and_what_is_shown_already_is_skipped() {
        let mut index = index(&[
            (1, "a", 0, "red bicycle"),
            (2, "b", 0, "red bicycle"),
            (3, "c", 0, "red bicycle"),
        ]);
        assert_eq!(slots(&search(&mut index, "bicycle")), [3, 2, 1]);
        let skip = HashSet::from([Slot(3)]);
        assert_eq!(slots(&index.search("bicycle", 1, &skip, model())), [2]);
        assert_eq!(index.search("bicycle", 0, &skip, model()), []);
    }

    #[test]
    fn pages_added_late_or_in_any_order_of_time_rank_the_same() {
        let mut in_order = index(&TALK);
        for first in 0..TALK.len() {
            // The same pages under other slots, added from `first` on.
            let mut turned = TALK;
            turned.rotate_left(first);
            let mut late = Index::default();
            for (slot, entry) in (1..).zip(turned) {
                assert!(insert(&mut late, (slot, entry.1, entry.2, entry.3)));
            }
            for question in QUESTIONS {
                let scores = |hits: Vec<Hit>| -> Vec<_> {
                    hits.iter().map(|h| (h.score * 1e5).round()).collect()
                };
                assert_eq!(
                    scores(search(&mut late, question)),
                    scores(search(&mut in_order, question)),
                    "{question} from {first}"
                );
            }
        }
    }

    #[test]
    fn a_forgotten_page_is_as_if_it_had_never_been() {
        for forgotten in TALK {
            let mut index = index(&TALK);
            assert!(index.remove(Slot(forgotten.0), &analysis(forgotten.3)));
            assert!(!index.remove(Slot(forgotten.0), &analysis(forgotten.3)));
            let kept: Vec<_> = TALK.into_iter().filter(|entry| *entry != forgotten).collect();
            let mut never = self::index(&kept);
            assert_eq!((index.len(), index.contains(Slot(forgotten.0))), (5, false));
            for question in QUESTIONS {
                assert_eq!(search(&mut index, question), search(&mut never, question));
            }
            for (slot, ..) in kept {
                let near = |index: &Index| (index.previous(Slot(slot)), index.next(Slot(slot)));
                assert_eq!(near(&index), near(&never));
            }
            assert_eq!(index.document_frequency("oliv"), never.document_frequency("oliv"));
        }
    }

    #[test]
    fn an_index_that_has_forgotten_everything_is_empty_and_can_be_filled_again() {
        let mut index = index(&TALK);
        for entry in TALK {
            assert!(index.remove(Slot(entry.0), &analysis(entry.3)));
        }
        assert!(index.is_empty());
        assert_eq!((index.document_frequency("kitten"), search(&mut index, "kitten")), (0, vec![]));
        assert!(insert(&mut index, TALK[0]));
        let mut fresh = self::index(&TALK[..1]);
        assert_eq!(search(&mut index, "kitten"), search(&mut fresh, "kitten"));
    }

    #[test]
    fn slots_only_rise_except_over_what_was_taken_back() {
        let mut index = index(&TALK);
        assert!(!insert(&mut index, (9, "a", 100, "again")));
        assert!(!insert(&mut index, (8, "a", 100, "before")));
        assert!(index.remove(Slot(9), &analysis(TALK[5].3)));
        assert!(insert(&mut index, (9, "a", 100, "again")));
        assert_eq!((index.previous(Slot(9)), index.len()), (Some(Slot(7)), 6));
    }

    #[test]
    fn only_the_beginning_of_a_long_query_is_read() {
        let query = format!("{} kitten", "x ".repeat(1_000));
        assert_eq!(search(&mut index(&TALK), &query), []);
        assert!(!search(&mut index(&TALK), &format!("{} kitten", "x ".repeat(990))).is_empty());
    }
}
