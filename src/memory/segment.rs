//! A segment: pages on one topic, as far as a rule can tell.
//!
//! A segment is one small row: it knows its pages only by number, counts and offsets, so that
//! filing a page costs the same however large the segment is. These types hold what is stored;
//! nothing here decides.

use crate::memory::heat::{self, Warmth};
use crate::memory::page::Slot;
use crate::memory::vector::SumVector;

/// The terms a segment remembers, at most.
pub const MAX_TERMS: usize = 64;

/// The sentences a segment may quote in its summary, at most.
pub const MAX_CANDIDATES: usize = 32;

/// The id of a segment: the slot of the page that founded it, so it is never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SegmentId(pub u32);

/// Pages of one topic, summed up.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Its id.
    pub id: SegmentId,
    /// Its two or three most telling sentences, at most 400 characters.
    pub summary: String,
    /// Words that are more frequent in it than elsewhere, as a reader expects them, best first; at
    /// most 8.
    pub keywords: Vec<String>,
    /// The terms it remembers: the most telling first, then the newest; at most [`MAX_TERMS`].
    pub terms: Vec<TermCount>,
    /// Sentences that the summary is chosen from, best first; at most [`MAX_CANDIDATES`].
    pub candidates: Vec<Candidate>,
    /// The sum of the vectors of its pages.
    pub mean: SumVector,
    /// The number of its pages.
    pub pages: u32,
    /// Pages that joined since its last analysis.
    pub unanalysed: u32,
    /// Visits since its last analysis.
    pub visits: u32,
    /// When it was last visited or, without a visit, founded: microseconds since 1970.
    pub last_visit: i64,
    /// When it was founded, in microseconds since 1970.
    pub created: i64,
}

impl Segment {
    /// Makes a segment without pages.
    pub(crate) fn empty(id: SegmentId, now: i64) -> Self {
        Self {
            id,
            summary: String::new(),
            keywords: Vec::new(),
            terms: Vec::new(),
            candidates: Vec::new(),
            mean: SumVector::default(),
            pages: 0,
            unanalysed: 0,
            visits: 0,
            last_visit: now,
            created: now,
        }
    }

    /// Returns its heat at `now`, in microseconds since 1970.
    pub fn heat(&self, now: i64) -> f64 {
        heat::heat(self.warmth(), now)
    }

    /// Returns what its heat is made of.
    pub fn warmth(&self) -> Warmth {
        let Self { visits, unanalysed, last_visit, .. } = *self;
        Warmth { visits, unanalysed, last_visit }
    }
}

/// A term and how many of a segment's pages hold it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TermCount {
    /// The term, as the index knows it.
    pub term: String,
    /// A word it stands for, as it was written.
    pub word: String,
    /// The pages that hold it, counted since the segment remembers it.
    pub pages: u32,
}

/// Which of a page's two texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// The user's message.
    User,
    /// The assistant's answer.
    Assistant,
}

/// A sentence, by its place: the text itself stays in the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Candidate {
    /// The page.
    pub slot: Slot,
    /// Which of its texts.
    pub side: Side,
    /// The first byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heat_of_a_segment_is_that_of_its_counts() {
        let mut segment = Segment::empty(SegmentId(1), 0);
        (segment.visits, segment.unanalysed) = (2, 3);
        assert!((segment.heat(0) - 6.0).abs() < 1e-9);
    }
}
