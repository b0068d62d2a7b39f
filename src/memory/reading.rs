//! What filing reads on a page by itself, whatever segment it joins: its terms and the sentences
//! that may be quoted.
//!
//! It can be made beforehand and elsewhere: it depends on the page's texts alone.

use std::ops::Range;
use std::sync::Arc;

use crate::embed::StaticModel;
use crate::memory::extract::{PageTerm, page_terms, read_part};
use crate::memory::page::{Slot, Texts};
use crate::memory::segment::{Candidate, Side};
use crate::memory::sentence::sentences;
use crate::memory::summary::{QUOTED_CHARS, Sentence, is_fitting};
use crate::panics;

/// The sentences of a side that are looked at.
const SIDE_SENTENCES: usize = 24;

/// A page as filing reads it.
#[derive(Debug, Clone, PartialEq)]
pub struct PageReading {
    /// Its terms, in the order of their first occurrence.
    pub(crate) terms: Vec<PageTerm>,
    /// The sentences that may be quoted, in the order of the text.
    ///
    /// A page always has one, if it has a word: without a sentence of fitting length, the beginning
    /// of its first text.
    pub(crate) sentences: Vec<Arc<Sentence>>,
}

impl PageReading {
    /// Reads a page.
    pub fn of(slot: Slot, texts: &Texts) -> Self {
        let read = || Self { terms: page_terms(texts), sentences: quotable(slot, texts) };
        let empty = || Self { terms: Vec::new(), sentences: Vec::new() };
        panics::read_or("sentences", read, empty)
    }

    /// Says in which place the page stands.
    #[must_use]
    pub fn at(mut self, slot: Slot) -> Self {
        for sentence in &mut self.sentences {
            Arc::make_mut(sentence).candidate.slot = slot;
        }
        self
    }
}

fn quotable(slot: Slot, texts: &Texts) -> Vec<Arc<Sentence>> {
    let model = StaticModel::built_in();
    let mut found = Vec::new();
    for (side, text) in [(Side::User, &texts.user_input), (Side::Assistant, &texts.agent_response)]
    {
        let text = read_part(text);
        let fitting = sentences(text)
            .into_iter()
            .filter(|range| is_fitting(text.get(range.clone()).unwrap_or_default()));
        for range in fitting.take(SIDE_SENTENCES) {
            let sentence = place(slot, side, &range).and_then(|c| Sentence::read(c, texts, model));
            found.extend(sentence.map(Arc::new));
        }
    }
    if found.is_empty() {
        found.extend(opening(slot, texts, model).map(Arc::new));
    }
    found
}

fn place(slot: Slot, side: Side, range: &Range<usize>) -> Option<Candidate> {
    let (start, end) = (u32::try_from(range.start).ok()?, u32::try_from(range.end).ok()?);
    Some(Candidate { slot, side, start, end })
}

/// Returns the beginning of a page's first text that is not empty.
fn opening(slot: Slot, texts: &Texts, model: &StaticModel) -> Option<Sentence> {
    let user = !texts.user_input.trim().is_empty();
    let (side, text) = if user {
        (Side::User, &texts.user_input)
    } else {
        (Side::Assistant, &texts.agent_response)
    };
    let start = text.len() - text.trim_start().len();
    let rest = text.get(start..)?;
    let limit = rest.char_indices().nth(QUOTED_CHARS).map_or(rest.len(), |(at, _)| at);
    let cut = rest.get(..limit)?;
    let end =
        if limit < rest.len() { cut.rfind(char::is_whitespace).unwrap_or(limit) } else { limit };
    let end = start + rest.get(..end)?.trim_end().len();
    (start < end)
        .then(|| place(slot, side, &(start..end)))
        .flatten()
        .and_then(|c| Sentence::read(c, texts, model))
}
