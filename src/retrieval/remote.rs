//! The dense score by a model of a server: vectors of any length, kept apart from the built-in ones.
//!
//! ```text
//! v(i)    = e(i) + .5 e(i-1) + .3 e(i+1)                 across the same links as the built-in model
//! cos(i)  = (q.e(i) + .5 q.e(i-1) + .3 q.e(i+1)) / |v(i)|
//! base(i) = the mean of cos over all other pages
//! cos'(i) = max(0, cos(i) - base(i)) / (1 - base(i))      in [0, 1]
//! ```
//!
//! Such models find any two texts alike (a cosine of .7 is usual for some), so a cosine is seen
//! from what all pages have in common. The one rule: a query is ranked by these vectors only where
//! every page that can be found has one; vectors of two models never meet.

use super::dense::{FROM_NEXT, FROM_PREVIOUS};
use super::links::Links;

/// The largest rounded number.
const STEPS: f32 = 127.0;

/// What a model of a server makes of a page: a unit vector, rounded to 8 bits.
#[derive(Debug, Clone, PartialEq)]
pub struct RemoteVector {
    /// What a value is multiplied by.
    scale: f32,
    /// Empty for a page that is like nothing: one that is not sent to the server.
    values: Box<[i8]>,
}

impl RemoteVector {
    /// Rounds a vector of finite numbers, of whatever length; one of zeros is like nothing.
    #[expect(clippy::cast_possible_truncation, reason = "no number is larger than 127")]
    pub fn rounded(vector: &[f32]) -> Self {
        let Some(unit) = unit(vector) else { return Self::withheld() };
        let largest = unit.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
        let values = unit.iter().map(|x| (x / largest * STEPS).round() as i8).collect();
        Self { scale: largest / STEPS, values }
    }

    /// Returns what a page has that is not sent.
    pub fn withheld() -> Self {
        Self { scale: 0.0, values: Box::default() }
    }

    /// Returns the number of dimensions; none for a page that is like nothing.
    pub fn dimensions(&self) -> Option<usize> {
        Some(self.values.len()).filter(|n| *n > 0)
    }

    /// Returns its form on disk: nothing, or the scale and the values.
    pub fn to_bytes(&self) -> Vec<u8> {
        if self.values.is_empty() {
            return Vec::new();
        }
        let values = self.values.iter().map(|value| value.cast_unsigned());
        self.scale.to_le_bytes().into_iter().chain(values).collect()
    }

    /// Reads what [`RemoteVector::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if bytes.is_empty() {
            return Some(Self::withheld());
        }
        let (scale, values) = bytes.split_first_chunk()?;
        let scale = f32::from_le_bytes(*scale);
        let is_sound = scale.is_finite() && scale > 0.0 && !values.is_empty();
        is_sound.then(|| Self { scale, values: values.iter().map(|b| b.cast_signed()).collect() })
    }

    fn add_to(&self, sum: &mut [f32], weight: f32) {
        for (sum, value) in sum.iter_mut().zip(&self.values) {
            *sum += f32::from(*value) * (self.scale * weight);
        }
    }

    fn dot(&self, query: &[f32]) -> f32 {
        let mut sums = [0.0_f32; 16];
        let (values, query) = (self.values.as_chunks::<16>(), query.as_chunks::<16>());
        for (values, query) in values.0.iter().zip(query.0) {
            for ((sum, value), x) in sums.iter_mut().zip(values).zip(query) {
                *sum += f32::from(*value) * x;
            }
        }
        let rest: f32 = values.1.iter().zip(query.1).map(|(v, x)| f32::from(*v) * x).sum();
        (sums.iter().sum::<f32>() + rest) * self.scale
    }
}

/// Returns the direction of a vector; none for one of zeros.
pub fn unit(vector: &[f32]) -> Option<Vec<f32>> {
    // Scaled first, so that no square is too large.
    let largest = vector.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
    if largest <= 0.0 || !largest.is_finite() {
        return None;
    }
    let scaled: Vec<f32> = vector.iter().map(|x| x / largest).collect();
    let length = scaled.iter().map(|x| x * x).sum::<f32>().sqrt();
    Some(scaled.iter().map(|x| x / length).collect())
}

/// The vectors of all pages by position.
#[derive(Debug, Default)]
pub(super) struct Remote {
    vectors: Vec<Option<RemoteVector>>,
    /// The length of `v`.
    norms: Vec<f32>,
    /// Those of the last query with every `e`, then its cosines.
    products: Vec<f32>,
    cosines: Vec<f32>,
    /// The sum of the cosines of pages with a vector, and how many they are.
    total: (f32, usize),
    /// Of the first vector; all others have as many.
    dimensions: Option<usize>,
}

impl Remote {
    pub(super) fn push(&mut self) {
        self.vectors.push(None);
        self.norms.push(0.0);
    }

    pub(super) fn remove(&mut self, at: u32) {
        if let Some(vector) = self.vectors.get_mut(at as usize) {
            *vector = None;
        }
    }

    pub(super) fn pop(&mut self) {
        self.vectors.pop();
        self.norms.pop();
    }

    /// Returns the number of dimensions; none while there is no vector.
    pub(super) fn dimensions(&self) -> Option<usize> {
        self.dimensions
    }

    /// Whether nothing is known of a page.
    pub(super) fn lacks(&self, at: u32) -> bool {
        self.vectors.get(at as usize).is_none_or(Option::is_none)
    }

    /// Sets a page's vector; false, and nothing done, where the others have another length.
    pub(super) fn set(&mut self, at: u32, vector: RemoteVector) -> bool {
        let n = vector.dimensions();
        if n.is_some() && self.dimensions.is_some() && n != self.dimensions {
            return false;
        }
        let Some(place) = self.vectors.get_mut(at as usize) else { return false };
        self.dimensions = self.dimensions.or(n);
        *place = Some(vector);
        true
    }

    /// Takes a page's vector out.
    pub(super) fn take(&mut self, at: u32) -> Option<RemoteVector> {
        self.vectors.get_mut(at as usize)?.take()
    }

    /// Computes the norm of a page anew, after it or its neighbours changed.
    pub(super) fn refresh(&mut self, at: u32, links: &Links) {
        let Some(dimensions) = self.dimensions else { return };
        let mut sum = vec![0.0; dimensions];
        let near =
            [(Some(at), 1.0), (links.previous(at), FROM_PREVIOUS), (links.next(at), FROM_NEXT)];
        for (at, weight) in near {
            let vector = at.and_then(|at| self.vectors.get(at as usize)?.as_ref());
            if let Some(vector) = vector {
                vector.add_to(&mut sum, weight);
            }
        }
        if let Some(norm) = self.norms.get_mut(at as usize) {
            *norm = sum.iter().map(|x| x * x).sum::<f32>().sqrt();
        }
    }

    /// Compares a query with every page; [`Remote::seen`] then reads from that.
    pub(super) fn scan(&mut self, query: &[f32], links: &Links) {
        let product = |v: &Option<RemoteVector>| v.as_ref().map_or(0.0, |v| v.dot(query));
        self.products.clear();
        self.products.extend(self.vectors.iter().map(product));
        self.cosines.clear();
        self.total = (0.0, 0);
        for (at, (norm, vector)) in (0_u32..).zip(self.norms.iter().zip(&self.vectors)) {
            let of = |at: u32| self.products.get(at as usize).copied().unwrap_or(0.0);
            let sum = of(at)
                + FROM_PREVIOUS * links.previous(at).map_or(0.0, of)
                + FROM_NEXT * links.next(at).map_or(0.0, of);
            // A page that is not sent is like nothing, whatever its neighbours are like.
            let counts = vector.as_ref().is_some_and(|v| v.dimensions().is_some());
            let cosine = if counts { (sum / (norm + 1e-9)).clamp(-1.0, 1.0) } else { 0.0 };
            self.cosines.push(cosine);
            if counts {
                self.total = (self.total.0 + cosine, self.total.1 + 1);
            }
        }
    }

    /// Returns `cos'` of the query last scanned with a page.
    pub(super) fn seen(&self, at: u32) -> f32 {
        let cosine = self.cosines.get(at as usize).copied().unwrap_or(0.0);
        let (sum, n) = self.total;
        let base = if n > 1 { (sum - cosine) / (n - 1) as f32 } else { 0.0 };
        if cosine <= base { 0.0 } else { ((cosine - base) / (1.0 - base).max(1e-6)).min(1.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000_000;

    fn remote(vectors: &[&[f32]]) -> (Remote, Links) {
        let (mut remote, mut links) = (Remote::default(), Links::default());
        for (at, vector) in (0_u32..).zip(vectors) {
            links.push("a", i64::from(at) * MINUTE);
            remote.push();
            assert!(remote.set(at, RemoteVector::rounded(vector)));
        }
        (0..).zip(vectors).for_each(|(at, _)| remote.refresh(at, &links));
        (remote, links)
    }

    #[test]
    fn a_rounded_vector_keeps_its_direction_and_comes_back_from_its_bytes() {
        let long: Vec<f32> = (0..37_u8).map(|n| f32::from(n % 7) - 2.5).collect();
        let vector = RemoteVector::rounded(&long);
        let query = unit(&long).unwrap();
        assert!((vector.dot(&query) - 1.0).abs() < 0.001, "{}", vector.dot(&query));
        let huge: Vec<f32> = long.iter().map(|x| x * 1e37).collect();
        for vector in [vector, RemoteVector::rounded(&huge), RemoteVector::withheld()] {
            assert_eq!(RemoteVector::from_bytes(&vector.to_bytes()), Some(vector));
        }
        assert_eq!(RemoteVector::rounded(&[0.0, 0.0]), RemoteVector::withheld());
        for wrong in [&[1_u8, 2][..], &[0, 0, 0, 0, 5], &[0, 0, 192, 127, 5], &[0, 0, 128, 63]] {
            assert_eq!(RemoteVector::from_bytes(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn neighbours_lend_a_page_a_part_of_theirs() {
        let (mut remote, links) = remote(&[&[1.0, 0.0, 0.0], &[0.0, 1.0, 0.0], &[0.0, 0.0, 1.0]]);
        remote.scan(&[1.0, 0.0, 0.0], &links);
        // v(1) = (.5, 1, .3), v(0) = (1, .3, 0).
        let expected = [1.0 / 1.09_f32.sqrt(), 0.5 / 1.34_f32.sqrt(), 0.0];
        for (cosine, expected) in remote.cosines.iter().zip(expected) {
            assert!((cosine - expected).abs() < 1e-3, "{cosine} {expected}");
        }
    }

    #[test]
    fn a_cosine_is_seen_from_what_all_pages_have_in_common() {
        let (mut remote, _) = remote(&[&[1.0, 0.1], &[1.0, -0.1], &[0.9, 0.5]]);
        let alone = Links::default();
        (0..3).for_each(|at| remote.refresh(at, &alone));
        remote.scan(&unit(&[0.9, 0.5]).unwrap(), &alone);
        assert!(remote.cosines.iter().all(|cosine| *cosine > 0.8), "{:?}", remote.cosines);
        let seen = [0, 1, 2].map(|at| remote.seen(at));
        assert!(seen[2] > 0.99 && seen[1] < 1e-6 && seen[0] < 0.5, "{seen:?}");
    }

    #[test]
    fn a_page_that_is_not_sent_is_like_nothing_and_vectors_of_two_lengths_never_meet() {
        let (mut remote, links) = remote(&[&[1.0, 0.0], &[0.0, 0.0]]);
        remote.scan(&[1.0, 0.0], &links);
        assert!((remote.seen(0) - 1.0).abs() < 1e-3 && remote.seen(1).abs() < 1e-6);
        assert!(!remote.set(1, RemoteVector::rounded(&[1.0, 0.0, 0.0])));
        assert!(!remote.lacks(1));
        remote.remove(1);
        assert!(remote.lacks(1) && remote.lacks(2));
    }
}
