//! What must hold of a summary of any page, and of facts learned from any statements.
//!
//! For tests and fuzz targets only, see `crate::fuzzing`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a broken promise ends the run"
)]

use std::collections::HashSet;

use xxhash_rust::xxh3::xxh3_64;

use super::fact::{Cardinality, Fact, Reader, Statement};
use super::learn::{LongDraft, SaidOn};
use super::long::LongTerm;
use super::page::{PageId, Slot, Texts};
use super::reading::PageReading;
use super::segment::{Segment, SegmentId, Side};
use super::summary::{Scored, Sentence, View};
use super::vector::{Centre, SumVector};
use crate::embed::StaticModel;
use crate::retrieval::words_with_stems;
use crate::time::Timestamp;

/// The characters of a summary, at most.
const SUMMARY_CHARS: usize = 400;

/// Summarises one page whose keywords are `keywords`.
///
/// # Panics
///
/// When a sentence does not stand on the page, or the summary is longer than it may be.
pub(crate) fn summary(page: &Texts, keywords: &str) {
    let model = StaticModel::built_in();
    let mut segment = Segment::empty(SegmentId(1), 0);
    segment.mean.add(&model.embed(keywords).vector);
    let mut keys: Vec<u64> =
        words_with_stems(keywords).iter().map(|(_, term)| xxh3_64(term.as_bytes())).collect();
    keys.sort_unstable();
    let centre = Centre::of(&SumVector::default());
    let view = View::new(&centre, &segment, &keys);
    let found = view.best_of_page(&PageReading::of(Slot(7), page).sentences);
    for Scored { sentence, .. } in &found {
        let text = match sentence.candidate.side {
            Side::User => &page.user_input,
            Side::Assistant => &page.agent_response,
        };
        let place = sentence.candidate.start as usize..sentence.candidate.end as usize;
        assert_eq!(text.get(place), Some(sentence.text.as_str()));
        let again = Sentence::read(sentence.candidate, page, model);
        assert_eq!(again.as_ref(), Some(sentence.as_ref()));
    }
    let summary = super::summary::summary(&found);
    assert!(summary.chars().count() <= SUMMARY_CHARS, "{summary:?}");
    assert!(!summary.contains(['\n', '\r']), "{summary:?}");
    let is_blank = page.user_input.trim().is_empty() && page.agent_response.trim().is_empty();
    assert_eq!(summary.is_empty(), is_blank, "{page:?}");
}

/// Learns what a page says, twice, and returns the facts.
///
/// # Panics
///
/// When reading a page twice changes something, a fact does not name its page, or an attribute with
/// one value has two.
pub(crate) fn learned(statements: Vec<Statement>, at: Timestamp) -> Vec<Fact> {
    let mut long = LongTerm::new(100);
    let id = PageId(uuid::Uuid::from_u128(7));
    let on = SaidOn { slot: Slot(1), id, at, may_be_late: false, reader: Reader::Rule };
    let mut draft = LongDraft::new(&long);
    draft.learn(statements.clone(), on);
    let change = draft.finish(at);
    let facts = change.facts.clone();
    long.apply(change);
    let mut single = HashSet::new();
    for fact in &facts {
        assert!(fact.sources.contains(&fact.said_on) && fact.said_on == id, "{fact:?}");
        let is_single = fact.attribute.cardinality() == Cardinality::Single;
        // What is denied stands beside what holds.
        let second = is_single && !fact.closed && !single.insert((fact.key.clone(), fact.negated));
        assert!(!second, "{fact:?}");
    }
    let mut again = LongDraft::new(&long);
    again.learn(statements, SaidOn { may_be_late: true, ..on });
    let change = again.finish(at);
    assert_eq!((change.facts, change.gone), (Vec::new(), Vec::new()), "read twice");
    facts
}

/// Looks up the sentences that a stored segment may quote, and its heat.
///
/// # Panics
///
/// When the heat is no number.
pub(crate) fn quoted(segment: &Segment, page: &Texts) {
    for candidate in &segment.candidates {
        drop(Sentence::read(*candidate, page, StaticModel::built_in()));
    }
    for now in [i64::MIN, 0, i64::MAX] {
        assert!(segment.heat(now).is_finite());
    }
}
