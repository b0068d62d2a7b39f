//! Arithmetic on vectors: sums, means, and likeness seen from the middle of all pages.
//!
//! With the built-in model any two pages of one person are alike (a cosine of .4 is usual), so
//! likeness is measured after most of the mean of all pages is taken out. Plain numbers in, plain
//! numbers out.

use crate::embed::DIMENSIONS;

/// How much of the mean of all pages is taken out. Chosen on LoCoMo: without it, topics are lost in
/// what all pages have in common; with all of it, pages of one session are.
const CENTRING: f32 = 0.7;

/// The pages at which half of that is taken out: a mean of few pages says little.
const CENTRING_PAGES: f32 = 20.0;

/// A running sum of page vectors.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SumVector {
    /// The sum.
    pub sum: [f32; DIMENSIONS],
    /// The pages counted: those that the model can read.
    pub pages: u32,
}

impl Default for SumVector {
    fn default() -> Self {
        Self { sum: [0.0; DIMENSIONS], pages: 0 }
    }
}

impl SumVector {
    /// Counts one page.
    pub(crate) fn add(&mut self, page: &[f32; DIMENSIONS]) {
        add_scaled(&mut self.sum, page, 1.0);
        self.pages = self.pages.saturating_add(1);
    }

    /// Counts the pages of `other` too.
    pub(crate) fn merge(&mut self, other: &Self) {
        add_scaled(&mut self.sum, &other.sum, 1.0);
        self.pages = self.pages.saturating_add(other.pages);
    }

    /// Takes the pages of `other` out again.
    pub(crate) fn subtract(&mut self, other: &Self) {
        add_scaled(&mut self.sum, &other.sum, -1.0);
        self.pages = self.pages.saturating_sub(other.pages);
    }

    /// Returns the mean; 0 without pages.
    pub(crate) fn mean(&self) -> [f32; DIMENSIONS] {
        let mut mean = [0.0; DIMENSIONS];
        add_scaled(&mut mean, &self.sum, 1.0 / self.pages.max(1) as f32);
        mean
    }
}

/// Adds `factor` times `other` to `vector`.
pub(crate) fn add_scaled(vector: &mut [f32; DIMENSIONS], other: &[f32; DIMENSIONS], factor: f32) {
    for (x, y) in vector.iter_mut().zip(other) {
        *x += factor * y;
    }
}

/// Returns the dot product, with 16 independent sums so that it is vectorised.
pub(crate) fn dot(a: &[f32; DIMENSIONS], b: &[f32; DIMENSIONS]) -> f32 {
    let mut sums = [0.0_f32; 16];
    for (a, b) in a.as_chunks::<16>().0.iter().zip(b.as_chunks::<16>().0) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.iter().sum()
}

/// Returns the cosine of two vectors; 0 if one is 0.
pub(crate) fn cos(a: &[f32; DIMENSIONS], b: &[f32; DIMENSIONS]) -> f32 {
    let lengths = (dot(a, a) * dot(b, b)).sqrt();
    if lengths > 0.0 { dot(a, b) / lengths } else { 0.0 }
}

/// The point that likeness is seen from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Centre {
    vector: [f32; DIMENSIONS],
    /// The root of the mean squared distance of the pages from it.
    spread: f32,
}

/// A vector, seen from the centre.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    vector: [f32; DIMENSIONS],
    length: f32,
}

impl Seen {
    /// Returns the cosine with another one; 0 if one is the centre itself.
    pub(crate) fn cos(&self, other: &Self) -> f32 {
        let lengths = self.length * other.length;
        if lengths > 0.0 { dot(&self.vector, &other.vector) / lengths } else { 0.0 }
    }
}

/// A page, seen from the centre.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CentredPage {
    vector: [f32; DIMENSIONS],
    /// What the centre itself adds to a product with `vector`.
    offset: f32,
}

impl Centre {
    /// Returns the centre of all pages that `total` counts.
    pub(crate) fn of(total: &SumVector) -> Self {
        let pages = total.pages as f32;
        let part = CENTRING * pages / (pages + CENTRING_PAGES);
        let mean = total.mean();
        let vector = mean.map(|x| x * part);
        // Page vectors have length 1: E|e - part m|^2 = 1 - 2 part m.m + part^2 m.m.
        let squared = 1.0 - (2.0 - part) * part * dot(&mean, &mean);
        Self { vector, spread: squared.max(0.01).sqrt() }
    }

    /// Returns a vector as seen from the centre.
    pub(crate) fn centred(&self, vector: &[f32; DIMENSIONS]) -> [f32; DIMENSIONS] {
        let mut seen = *vector;
        add_scaled(&mut seen, &self.vector, -1.0);
        seen
    }

    /// Prepares a vector for [`Seen::cos`].
    pub(crate) fn seen(&self, vector: &[f32; DIMENSIONS]) -> Seen {
        let vector = self.centred(vector);
        Seen { length: dot(&vector, &vector).sqrt(), vector }
    }

    /// Prepares a page for [`CentredPage::likeness`].
    pub(crate) fn page(&self, vector: &[f32; DIMENSIONS]) -> CentredPage {
        let seen = self.centred(vector);
        let length = dot(&seen, &seen).sqrt().max(0.1) * self.spread;
        let vector = seen.map(|x| x / length);
        CentredPage { vector, offset: dot(&vector, &self.vector) }
    }
}

impl CentredPage {
    /// Returns the mean, over the pages of a sum, of their cosines with this page, as seen from the
    /// centre. A large and diffuse sum is like nothing, so it does not grow without end.
    pub(crate) fn likeness(&self, sum: &SumVector) -> f32 {
        dot(&self.vector, &sum.sum) / sum.pages.max(1) as f32 - self.offset
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector(x: f32, y: f32) -> [f32; DIMENSIONS] {
        let mut v = [0.0; DIMENSIONS];
        (v[0], v[100]) = (x, y);
        v
    }

    #[test]
    fn a_sum_gives_its_pages_back() {
        let mut sum = SumVector::default();
        assert_eq!(sum.mean().map(f32::to_bits), [0; DIMENSIONS]);
        sum.add(&vector(1.0, 0.0));
        sum.add(&vector(0.0, 1.0));
        assert_eq!((sum.mean(), sum.pages), (vector(0.5, 0.5), 2));
        let mut both = sum;
        both.merge(&sum);
        assert_eq!(both.pages, 4);
        both.subtract(&sum);
        assert_eq!(both, sum);
    }

    #[test]
    fn the_cosine_of_nothing_is_nothing() {
        let cases = [((1.0, 0.0), (2.0, 0.0), 1.0), ((1.0, 0.0), (0.0, 3.0), 0.0)];
        for ((a, b), (c, d), expected) in cases {
            assert!((cos(&vector(a, b), &vector(c, d)) - expected).abs() < 1e-6);
        }
        assert!(cos(&vector(0.0, 0.0), &vector(1.0, 0.0)).abs() < 1e-6);
    }

    #[test]
    fn the_centre_moves_to_the_mean_as_pages_come() {
        let mut total = SumVector::default();
        let seen = Centre::of(&total).centred(&vector(1.0, 0.0));
        assert_eq!(seen.map(f32::to_bits), vector(1.0, 0.0).map(f32::to_bits));
        for _ in 0..2000 {
            total.add(&vector(1.0, 0.0));
        }
        let left = Centre::of(&total).centred(&vector(1.0, 0.5));
        assert!((left[0] - (1.0 - CENTRING)).abs() < 0.01 && (left[100] - 0.5).abs() < 1e-6);
    }

    #[test]
    fn likeness_to_a_diffuse_sum_is_less_than_to_a_dense_one() {
        let (mut dense, mut diffuse) = (SumVector::default(), SumVector::default());
        for i in 0..10 {
            dense.add(&vector(1.0, 0.0));
            let mut other = vector(1.0, 0.0);
            other[i + 1] = 3.0;
            let length = 10.0_f32.sqrt();
            diffuse.add(&other.map(|x| x / length));
        }
        let page = Centre::of(&SumVector::default()).page(&vector(1.0, 0.0));
        assert!((page.likeness(&dense) - 1.0).abs() < 1e-5);
        assert!(page.likeness(&diffuse) < 0.4);
    }
}
