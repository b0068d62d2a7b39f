//! The lexical score: BM25 over term counts that a page borrows in part from its neighbours.
//!
//! ```text
//! tf'(t,i) = tf(t,i) + .5 tf(t,i-1) + .3 tf(t,i+1) + .1 (tf(t,i-2) + tf(t,i+2))
//! len'(i)  = the same of lengths, divided by its mean over all pages
//! idf(t)   = ln(1 + (N - df + .5) / (df + .5))
//! lex(i)   = sum idf(t) 1.9 tf' / (tf' + .9 (.5 + .5 len'(i)))  /  sum 1.9 idf(t)
//! ```
//!
//! A page's own terms are indexed; they are spread over its neighbours when a query is answered,
//! so that a new neighbour touches no posting.

use super::links::Links;
use super::terms::{TermKey, TermMap};

const K1: f32 = 0.9;
const B: f32 = 0.5;
/// What a page borrows from two pages before, one before, one after and two after.
const BORROWED: [f32; 4] = [0.1, 0.5, 0.3, 0.1];

/// The terms of all pages, and their lengths.
#[derive(Debug, Default)]
pub(super) struct Lexical {
    /// Position and weighted count of every page that has the term, by rising position.
    postings: TermMap<Vec<(u32, f32)>>,
    /// The page's own length, by position.
    lengths: Vec<f32>,
    /// The length with what is borrowed, by position.
    borrowed: Vec<f32>,
    /// The sum of `borrowed`.
    total: f64,
    /// Counts of one term while a query is answered; zero otherwise.
    counts: Vec<f32>,
    /// The positions where `counts` is not zero.
    touched: Vec<u32>,
}

impl Lexical {
    /// Adds a page at the next free position. Its lengths count after [`Lexical::refresh`].
    pub(super) fn push(&mut self, terms: &[(TermKey, f32)], length: f32) {
        let Ok(at) = u32::try_from(self.lengths.len()) else { return };
        for &(term, count) in terms {
            // Most terms are in one page: a list begins with room for no more.
            self.postings.entry(term).or_insert_with(|| Vec::with_capacity(1)).push((at, count));
        }
        self.lengths.push(length);
        self.borrowed.push(0.0);
        self.counts.push(0.0);
    }

    /// Takes a page away that was added with these terms; its position stays.
    pub(super) fn remove(&mut self, at: u32, terms: &[(TermKey, f32)]) {
        for (term, _) in terms {
            let Some(list) = self.postings.get_mut(term) else { continue };
            if let Ok(place) = list.binary_search_by_key(&at, |posting| posting.0) {
                list.remove(place);
            }
            if list.is_empty() {
                self.postings.remove(term);
            }
        }
        self.set_length(at, 0.0);
        if let Some(length) = self.lengths.get_mut(at as usize) {
            *length = 0.0;
        }
    }

    /// Gives the last position up; its page has been removed.
    pub(super) fn pop(&mut self) {
        self.lengths.pop();
        self.borrowed.pop();
        self.counts.pop();
    }

    /// Computes the length of a page anew, after its neighbours changed.
    pub(super) fn refresh(&mut self, at: u32, links: &Links) {
        let own = self.lengths.get(at as usize).copied().unwrap_or(0.0);
        let mut sum = own;
        for (neighbour, weight) in links.around(at).into_iter().zip(BORROWED) {
            let length = neighbour.and_then(|at| self.lengths.get(at as usize));
            sum += weight * length.copied().unwrap_or(0.0);
        }
        self.set_length(at, sum);
    }

    fn set_length(&mut self, at: u32, length: f32) {
        if let Some(old) = self.borrowed.get_mut(at as usize) {
            self.total += f64::from(length) - f64::from(*old);
            *old = length;
        }
    }

    /// Returns how many pages have the term themselves.
    pub(super) fn document_frequency(&self, term: &str) -> usize {
        self.postings.get(&TermKey::of(term)).map_or(0, Vec::len)
    }

    /// Returns how much a term tells among `n_pages` pages.
    pub(super) fn idf(&self, term: &str, n_pages: usize) -> f32 {
        let df = self.document_frequency(term) as f32;
        (1.0 + (n_pages as f32 - df + 0.5) / (df + 0.5)).ln()
    }

    /// Writes the score of every page for terms with their idf into `scores`, by position.
    pub(super) fn score(
        &mut self,
        terms: &[(String, f32)],
        n_pages: usize,
        links: &Links,
        scores: &mut Vec<f32>,
    ) {
        scores.clear();
        scores.resize(self.lengths.len(), 0.0);
        let total: f32 = terms.iter().map(|(_, idf)| idf).sum();
        if total <= 0.0 || n_pages == 0 {
            return;
        }
        let per_length = share_of_mean(self.total, n_pages);
        for (term, idf) in terms {
            self.spread(term, links);
            for &at in &self.touched {
                let at = at as usize;
                let (Some(count), Some(score)) = (self.counts.get_mut(at), scores.get_mut(at))
                else {
                    continue;
                };
                let length = self.borrowed.get(at).copied().unwrap_or(0.0) * per_length;
                let saturated = *count / (*count + K1 * (1.0 - B + B * length));
                *score += idf / total * saturated;
                *count = 0.0;
            }
        }
    }

    /// Sums a term's counts over every page and its neighbours into `counts`.
    fn spread(&mut self, term: &str, links: &Links) {
        self.touched.clear();
        let Some(list) = self.postings.get(&TermKey::of(term)) else { return };
        // What a page lends is what its neighbours borrow, seen from the other side.
        let [second, previous, next, _] = BORROWED;
        let lent = [second, next, previous, second];
        for &(at, count) in list {
            add(&mut self.counts, &mut self.touched, at, count);
            for (neighbour, weight) in links.around(at).into_iter().zip(lent) {
                if let Some(neighbour) = neighbour {
                    add(&mut self.counts, &mut self.touched, neighbour, weight * count);
                }
            }
        }
    }
}

fn add(counts: &mut [f32], touched: &mut Vec<u32>, at: u32, count: f32) {
    if let Some(sum) = counts.get_mut(at as usize) {
        if *sum == 0.0 {
            touched.push(at);
        }
        *sum += count;
    }
}

/// Returns what a length is multiplied by to become a share of the mean.
#[expect(clippy::cast_possible_truncation, reason = "a mean of lengths is a small number")]
fn share_of_mean(total: f64, n_pages: usize) -> f32 {
    if total > 0.0 { (n_pages as f64 / total) as f32 } else { 0.0 }
}
