//! The dense score: the cosine of the query with a page and a part of its neighbours.
//!
//! ```text
//! v(i)   = e(i) + .5 e(i-1) + .3 e(i+1)
//! cos(i) = (q.e(i) + .5 q.e(i-1) + .3 q.e(i+1)) / |v(i)|
//! ```
//!
//! Only `e`, rounded to 16 bits, and `|v|` are kept. A scan works in whole numbers, whose sum is the
//! same in any order.

use super::analysis::{PageVector, STEPS, to_i16};
use super::links::Links;
use crate::embed::DIMENSIONS;

pub(super) const FROM_PREVIOUS: f32 = 0.5;
pub(super) const FROM_NEXT: f32 = 0.3;

/// The vectors of all pages by position.
#[derive(Debug, Default)]
pub(super) struct Dense {
    /// `e` times 32767.
    values: Vec<[i16; DIMENSIONS]>,
    /// The length of `v`.
    norms: Vec<f32>,
    /// The products of the last query with every `e`.
    products: Vec<f32>,
}

impl Dense {
    /// Adds a page at the next free position. Its norm counts after [`Dense::refresh`].
    pub(super) fn push(&mut self, vector: &PageVector) {
        self.values.push(vector.to_f32().map(|x| to_i16(x * STEPS)));
        self.norms.push(0.0);
    }

    /// Makes room for so many pages more.
    pub(super) fn reserve(&mut self, n_pages: usize) {
        self.values.reserve(n_pages);
        self.norms.reserve(n_pages);
    }

    /// Forgets the vector of a page; its position stays.
    pub(super) fn remove(&mut self, at: u32) {
        let at = at as usize;
        if let Some(values) = self.values.get_mut(at) {
            *values = [0; DIMENSIONS];
        }
        if let Some(norm) = self.norms.get_mut(at) {
            *norm = 0.0;
        }
    }

    /// Gives the last position up; its page has been removed.
    pub(super) fn pop(&mut self) {
        self.values.pop();
        self.norms.pop();
    }

    /// Computes the norm of a page anew, after its neighbours changed.
    pub(super) fn refresh(&mut self, at: u32, links: &Links) {
        let mut sum = [0.0; DIMENSIONS];
        self.add(Some(at), 1.0, &mut sum);
        self.add(links.previous(at), FROM_PREVIOUS, &mut sum);
        self.add(links.next(at), FROM_NEXT, &mut sum);
        if let Some(norm) = self.norms.get_mut(at as usize) {
            *norm = sum.iter().map(|x| x * x).sum::<f32>().sqrt();
        }
    }

    fn add(&self, at: Option<u32>, weight: f32, sum: &mut [f32; DIMENSIONS]) {
        let Some(values) = at.and_then(|at| self.values.get(at as usize)) else { return };
        for (sum, &value) in sum.iter_mut().zip(values) {
            *sum += f32::from(value) * (weight / STEPS);
        }
    }

    /// Multiplies the query with every page; [`Dense::cosine`] then reads from that.
    pub(super) fn scan(&mut self, query: &[f32; DIMENSIONS]) {
        let query = query.map(|x| to_i16(x * STEPS));
        self.products.clear();
        self.products
            .extend(self.values.iter().map(|values| dot(values, &query) as f32 / (STEPS * STEPS)));
    }

    /// Returns the cosine of the query last scanned with a page.
    pub(super) fn cosine(&self, at: u32, links: &Links) -> f32 {
        let norm = self.norms.get(at as usize).copied().unwrap_or(0.0);
        let product = |at: u32| self.products.get(at as usize).copied().unwrap_or(0.0);
        let previous = links.previous(at).map_or(0.0, product);
        let next = links.next(at).map_or(0.0, product);
        (product(at) + FROM_PREVIOUS * previous + FROM_NEXT * next) / (norm + 1e-9)
    }
}

/// The sums that are made side by side: so the compiler multiplies as many numbers by one instruction,
/// in half the time of a single sum.
const LANES: usize = 8;

/// Both are of length 32767 at most, so no part of the sum passes 32767 squared.
fn dot(values: &[i16; DIMENSIONS], query: &[i16; DIMENSIONS]) -> i32 {
    const { assert!(DIMENSIONS.is_multiple_of(LANES)) };
    let mut sums = [0; LANES];
    let (values, _) = values.as_chunks::<LANES>();
    let (query, _) = query.as_chunks::<LANES>();
    for (values, query) in values.iter().zip(query) {
        for ((sum, &value), &x) in sums.iter_mut().zip(values).zip(query) {
            *sum += i32::from(value) * i32::from(x);
        }
    }
    sums.iter().sum()
}
