//! Summaries by rule: the two or three sentences that say best what a segment is about.
//!
//! A sentence is central when it is near the segment's mean and holds its keywords. Sentences are
//! quoted as they were said, never rewritten. The vectors of sentences are derived and in memory
//! only; what is stored is where each sentence stands.

use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use crate::embed::{DIMENSIONS, StaticModel};
use crate::memory::extract::{is_small_talk, jaccard};
use crate::memory::page::Texts;
use crate::memory::segment::{Candidate, MAX_CANDIDATES, Segment, Side};
use crate::memory::vector::{Centre, Seen};
use crate::retrieval::words_with_stems;

/// The bytes that a quoted sentence has at least: about 20 Latin letters, 7 ideographs.
const QUOTED_BYTES: usize = 20;

/// The characters that it has at most.
pub(super) const QUOTED_CHARS: usize = 240;

/// The characters of a summary, at most.
const SUMMARY_CHARS: usize = 400;

/// The sentences of a summary, at most.
const SUMMARY_SENTENCES: usize = 3;

/// The sentences of a page that are kept.
const PAGE_SENTENCES: usize = 6;

/// What the keywords count beside the cosine.
const KEYWORD_WEIGHT: f32 = 0.6;

/// The keywords a sentence can usefully hold.
const ENOUGH_KEYWORDS: f32 = 4.0;

/// What a sentence loses for each way in which it says little.
const PENALTY: f32 = 0.35;

/// What a sentence of the assistant loses: the user's own words say what it was about.
const ANSWER_PENALTY: f32 = 0.1;

/// Words that open small talk, praise or advice.
const OPENERS: [&str; 28] = [
    "absolutely",
    "congrats",
    "congratulations",
    "feel",
    "glad",
    "good",
    "great",
    "hello",
    "hey",
    "hi",
    "hope",
    "hoping",
    "keep",
    "let",
    "let's",
    "looking",
    "remember",
    "sorry",
    "sounds",
    "stay",
    "sure",
    "take",
    "thank",
    "thanks",
    "wow",
    "yeah",
    "yep",
    "yes",
];

/// Words that point at something said before.
const POINTERS: [&str; 17] = [
    "he", "he's", "her", "his", "it", "it's", "she", "she's", "that", "that's", "their", "these",
    "they", "they're", "they've", "this", "those",
];

/// What being like a sentence already chosen costs.
const REDUNDANCY: f32 = 0.6;

/// The least score of a further sentence, as a share of the first one's.
const FURTHER_SHARE: f32 = 0.5;

/// The share of a text's words from which its vector is trusted.
pub(crate) const TRUSTED_SHARE: f32 = 0.5;

/// A candidate with what is computed from its text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sentence {
    /// Where it stands.
    pub(crate) candidate: Candidate,
    /// Its text.
    pub(crate) text: String,
    /// The number of characters of its text.
    chars: usize,
    /// The keys of its terms, sorted.
    keys: Vec<u64>,
    /// Its vector; none if the model cannot read it.
    vector: Option<Box<[f32; DIMENSIONS]>>,
    /// What it loses for how it is said.
    penalty: f32,
}

impl Sentence {
    /// Reads a sentence of a page; none if there is no such place in the text.
    pub(crate) fn read(candidate: Candidate, texts: &Texts, model: &StaticModel) -> Option<Self> {
        let text = match candidate.side {
            Side::User => &texts.user_input,
            Side::Assistant => &texts.agent_response,
        };
        let text = text.get(candidate.start as usize..candidate.end as usize)?;
        let embedding = model.embed(text);
        let words = words_with_stems(text);
        let mut keys: Vec<u64> = words.iter().map(|(_, term)| xxh3_64(term.as_bytes())).collect();
        keys.sort_unstable();
        keys.dedup();
        let vector = (embedding.share > TRUSTED_SHARE).then(|| Box::new(embedding.vector));
        let telling = words.iter().filter(|(word, _)| !is_small_talk(word)).count();
        Some(Self {
            candidate,
            text: text.to_owned(),
            chars: text.chars().count(),
            keys,
            vector,
            penalty: penalty(candidate.side, text, telling),
        })
    }
}

/// What a sentence loses for how it is said; `telling` counts its words that are no small talk.
fn penalty(side: Side, text: &str, telling: usize) -> f32 {
    let chars = text.chars().count();
    let lower = text.to_lowercase().replace('\u{2019}', "'");
    let mut first_words = lower.split(|c: char| !c.is_alphanumeric() && c != '\'');
    let first = first_words.find(|w| !w.is_empty()).unwrap_or_default();
    let aside = text.starts_with(['(', '[', '`', '|', '{']) || text.contains("```");
    let asks = text
        .trim_end_matches(|c: char| !c.is_alphanumeric() && !is_question(c))
        .ends_with(is_question);
    let faults = [
        asks,
        aside,
        aside,
        telling < 3,
        OPENERS.contains(&first),
        POINTERS.contains(&first),
        !is_fitting(text),
        chars < 40 && text.is_ascii(),
    ];
    let faults = faults.iter().filter(|&&fault| fault).count();
    let side = if side == Side::Assistant { ANSWER_PENALTY } else { 0.0 };
    faults as f32 * PENALTY + side
}

/// Whether a sentence is of a length to quote.
pub(super) fn is_fitting(text: &str) -> bool {
    text.len() >= QUOTED_BYTES && text.chars().count() <= QUOTED_CHARS
}

fn is_question(c: char) -> bool {
    matches!(c, '?' | '\u{ff1f}' | '\u{61f}')
}

/// Returns a sentence on one line, with a full stop if it has no mark at its end.
fn quoted(text: &str) -> String {
    let mut line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.is_ascii() && line.ends_with(|c: char| c.is_ascii_alphanumeric()) {
        line.push('.');
    }
    line
}

/// What sentences are judged by: a segment, seen from the centre.
#[derive(Debug)]
pub(crate) struct View<'a> {
    centre: &'a Centre,
    /// The segment's mean; none if the model cannot read the segment.
    mean: Option<Seen>,
    keys: &'a [u64],
}

/// A sentence as a [`View`] sees it.
#[derive(Debug, Clone)]
pub(crate) struct Scored {
    /// The sentence.
    pub(crate) sentence: Arc<Sentence>,
    /// How central it is.
    score: f32,
    /// Its vector as seen from the centre; none if the model cannot read it.
    seen: Option<Seen>,
}

impl<'a> View<'a> {
    /// Looks at a segment whose most telling terms have these keys.
    pub(crate) fn new(centre: &'a Centre, segment: &Segment, keys: &'a [u64]) -> Self {
        let mean = (segment.mean.pages > 0).then(|| centre.seen(&segment.mean.mean()));
        Self { centre, mean, keys }
    }

    /// Returns the best sentences of a page, most central first.
    pub(crate) fn best_of_page(&self, sentences: &[Arc<Sentence>]) -> Vec<Scored> {
        let mut found = sorted(sentences.iter().map(|s| self.score(Arc::clone(s))).collect());
        found.truncate(PAGE_SENTENCES);
        found
    }

    /// Says how central a sentence is.
    pub(crate) fn score(&self, sentence: Arc<Sentence>) -> Scored {
        let seen = sentence.vector.as_deref().map(|vector| self.centre.seen(vector));
        let near = match (&self.mean, &seen) {
            (Some(mean), Some(seen)) => mean.cos(seen),
            _ => 0.0,
        };
        let held = sentence.keys.iter().filter(|key| self.keys.contains(key)).count();
        let held = (held as f32 / ENOUGH_KEYWORDS).min(1.0);
        let score = near + KEYWORD_WEIGHT * held - sentence.penalty;
        Scored { sentence, score, seen }
    }
}

/// Returns the summary: the most central of `found` that do not repeat one another, best
/// first.
pub(crate) fn summary(found: &[Scored]) -> String {
    let mut chosen: Vec<&Scored> = Vec::new();
    // How much each says the same as one that is chosen.
    let mut same = vec![0.0_f32; found.len()];
    let mut left = SUMMARY_CHARS;
    let mut least = f32::MIN;
    while chosen.len() < SUMMARY_SENTENCES {
        let is_chosen = |s: &Scored| chosen.iter().any(|c| Arc::ptr_eq(&c.sentence, &s.sentence));
        let best = found
            .iter()
            .zip(&same)
            .filter(|(s, _)| s.sentence.chars <= left && !is_chosen(s))
            .map(|(s, same)| (s.score - REDUNDANCY * same, s))
            .max_by(|a, b| {
                a.0.total_cmp(&b.0).then(b.1.sentence.candidate.cmp(&a.1.sentence.candidate))
            });
        let Some((score, best)) = best.filter(|(score, _)| *score >= least) else { break };
        if chosen.is_empty() {
            least = (FURTHER_SHARE * score).max(0.0);
        }
        left = left.saturating_sub(best.sentence.chars + 1);
        chosen.push(best);
        for (same, other) in same.iter_mut().zip(found) {
            *same = same.max(likeness(best, other));
        }
    }
    let texts: Vec<String> = chosen.iter().map(|s| quoted(&s.sentence.text)).collect();
    texts.join(" ")
}

/// Puts sentences in order, most central first; of equal ones the older first. The same words twice
/// are one sentence.
pub(crate) fn sorted(mut scored: Vec<Scored>) -> Vec<Scored> {
    scored.sort_by(|a, b| {
        let older = a.sentence.candidate.cmp(&b.sentence.candidate);
        b.score.total_cmp(&a.score).then(older)
    });
    let mut seen: Vec<u64> = Vec::with_capacity(scored.len());
    scored.retain(|s| {
        let key = xxh3_64(s.sentence.text.as_bytes());
        let is_new = !seen.contains(&key);
        seen.push(key);
        is_new
    });
    scored.truncate(MAX_CANDIDATES);
    scored
}

/// Returns how much two sentences say the same.
fn likeness(a: &Scored, b: &Scored) -> f32 {
    match (&a.seen, &b.seen) {
        (Some(x), Some(y)) => x.cos(y).max(0.0),
        _ => jaccard(&a.sentence.keys, &b.sentence.keys),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::page::Slot;
    use crate::memory::reading::PageReading;
    use crate::memory::segment::SegmentId;
    use crate::memory::vector::SumVector;

    fn texts(user_input: &str, agent_response: &str) -> Texts {
        Texts { user_input: user_input.to_owned(), agent_response: agent_response.to_owned() }
    }

    /// Summarises one page whose keywords are `keywords`.
    fn summary(page: &Texts, keywords: &str) -> (String, Vec<Scored>) {
        let model = StaticModel::built_in();
        let mut segment = Segment::empty(SegmentId(1), 0);
        segment.mean.add(&model.embed(keywords).vector);
        let mut keys: Vec<u64> =
            words_with_stems(keywords).iter().map(|(_, term)| xxh3_64(term.as_bytes())).collect();
        keys.sort_unstable();
        let centre = Centre::of(&SumVector::default());
        let view = View::new(&centre, &segment, &keys);
        let found = view.best_of_page(&PageReading::of(Slot(7), page).sentences);
        (super::summary(&found), found)
    }

    #[test]
    fn a_summary_quotes_what_is_central_and_leaves_small_talk_out() {
        let page = texts(
            "Hey Anna! How are you doing today? I baked a sourdough bread with rye flour yesterday.",
            "Wow, that is so great to hear! What an amazing thing you did there! \
             The crust of a rye bread needs steam in the oven.",
        );
        let (summary, _) = summary(&page, "bread rye flour crust oven");
        assert!(summary.contains("I baked a sourdough bread with rye flour"), "{summary}");
        assert!(summary.contains("needs steam in the oven"), "{summary}");
        assert!(!summary.contains("Wow") && !summary.contains("How are you"), "{summary}");
    }

    #[test]
    fn a_summary_does_not_say_the_same_twice() {
        let page = texts(
            "My bread needs rye flour from the mill. My bread needs rye flour from the mill! \
             The bread oven of the bakery broke on Friday.",
            "My bread needs rye flour from the mill.",
        );
        let (summary, _) = summary(&page, "bread rye flour mill oven bakery");
        assert_eq!(summary.matches("rye flour from the mill").count(), 1, "{summary}");
    }

    #[test]
    fn a_page_without_a_fitting_sentence_is_quoted_by_its_beginning() {
        let long = "bread ".repeat(100);
        let cut = format!("{}.", "bread ".repeat(40).trim_end());
        let ideographs = "\u{6f22}".repeat(300);
        for (user, agent, expected) in [
            ("ok", "", "ok."),
            ("", " fine! ", "fine!"),
            (long.as_str(), "", cut.as_str()),
            (ideographs.as_str(), "", "\u{6f22}".repeat(240).as_str()),
            ("", "", ""),
            (" \n", " ", ""),
        ] {
            let page = texts(user, agent);
            let (summary, found) = summary(&page, "bread");
            assert_eq!(summary, expected);
            assert_eq!(found.is_empty(), expected.is_empty());
        }
    }

    #[test]
    fn a_sentence_is_read_back_from_its_place() {
        let page =
            texts("Short one. ", "I baked a rye bread on Friday.\nThe oven is \u{fc}ber hot now.");
        let (_, found) = summary(&page, "bread oven");
        assert_eq!(found.len(), 2);
        for Scored { sentence, .. } in found {
            let again = Sentence::read(sentence.candidate, &page, StaticModel::built_in());
            assert_eq!(again.as_ref(), Some(sentence.as_ref()));
        }
    }

    #[test]
    fn a_place_that_is_not_in_the_text_is_no_sentence() {
        let page = texts("\u{6f22}\u{5b57}", "");
        for (start, end) in [(0, 7), (1, 3), (3, 0), (9, 12)] {
            let candidate = Candidate { slot: Slot(1), side: Side::User, start, end };
            assert_eq!(Sentence::read(candidate, &page, StaticModel::built_in()), None);
        }
    }
}
