//! Summaries by rule: the two or three sentences that say best what a segment is about.
//!
//! A sentence is central when it is near the segment's mean and holds its keywords. Sentences are
//! quoted as they were said, never rewritten. The vectors of sentences are derived and in memory
//! only; what is stored is where each sentence stands.

use xxhash_rust::xxh3::xxh3_64;

use crate::embed::{DIMENSIONS, StaticModel};
use crate::memory::extract::{is_small_talk, jaccard, read_part};
use crate::memory::page::{Slot, Texts};
use crate::memory::segment::{Candidate, MAX_CANDIDATES, Segment, Side};
use crate::memory::sentence::sentences;
use crate::memory::vector::{Centre, cos};
use crate::retrieval::words_with_stems;

/// The bytes that a quoted sentence has at least: about 20 Latin letters, 7 ideographs.
const QUOTED_BYTES: usize = 20;

/// The characters that it has at most.
const QUOTED_CHARS: usize = 240;

/// The characters of a summary, at most.
const SUMMARY_CHARS: usize = 400;

/// The sentences of a summary, at most.
const SUMMARY_SENTENCES: usize = 3;

/// The sentences of a side that are looked at, and those of a page that are kept.
const SIDE_SENTENCES: usize = 24;
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
fn is_fitting(text: &str) -> bool {
    text.len() >= QUOTED_BYTES && text.chars().count() <= QUOTED_CHARS
}

fn is_question(c: char) -> bool {
    matches!(c, '?' | '\u{ff1f}' | '\u{61f}')
}

/// Returns the sentences of a page that may be quoted, most telling first.
///
/// A page always has one, if it has a word: without a sentence of fitting length, the beginning of
/// its first text.
pub(crate) fn page_sentences(slot: Slot, texts: &Texts, view: &View<'_>) -> Vec<Sentence> {
    let mut found = Vec::new();
    for (side, text) in [(Side::User, &texts.user_input), (Side::Assistant, &texts.agent_response)]
    {
        let text = read_part(text);
        let fitting = sentences(text)
            .into_iter()
            .filter(|range| is_fitting(text.get(range.clone()).unwrap_or_default()));
        for range in fitting.take(SIDE_SENTENCES) {
            found.extend(
                place(slot, side, &range).and_then(|c| Sentence::read(c, texts, view.model)),
            );
        }
    }
    if found.is_empty() {
        found.extend(opening(slot, texts, view.model));
    }
    view.order(&mut found);
    found.truncate(PAGE_SENTENCES);
    found
}

fn place(slot: Slot, side: Side, range: &std::ops::Range<usize>) -> Option<Candidate> {
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
    /// The model that reads sentences.
    pub(crate) model: &'a StaticModel,
    centre: &'a Centre,
    /// The segment's mean as seen from the centre; none if the model cannot read the segment.
    mean: Option<[f32; DIMENSIONS]>,
    keys: &'a [u64],
}

impl<'a> View<'a> {
    /// Looks at a segment whose most telling terms have these keys.
    pub(crate) fn new(
        model: &'a StaticModel,
        centre: &'a Centre,
        segment: &Segment,
        keys: &'a [u64],
    ) -> Self {
        let mean = (segment.mean.pages > 0).then(|| centre.centred(&segment.mean.mean()));
        Self { model, centre, mean, keys }
    }

    /// Puts sentences in order, most central first; of equal ones the older first.
    pub(crate) fn order(&self, found: &mut Vec<Sentence>) {
        let mut scored: Vec<(f32, Sentence)> =
            found.drain(..).map(|s| (self.score(&s), s)).collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.candidate.cmp(&b.1.candidate)));
        found.extend(scored.into_iter().map(|(_, s)| s));
        // The same words twice are one sentence.
        let mut seen = std::collections::HashSet::new();
        found.retain(|s| seen.insert(s.text.clone()));
        found.truncate(MAX_CANDIDATES);
    }

    /// Returns how central a sentence is.
    fn score(&self, sentence: &Sentence) -> f32 {
        let near = match (&self.mean, &sentence.vector) {
            (Some(mean), Some(vector)) => cos(mean, &self.centre.centred(vector)),
            _ => 0.0,
        };
        let held = sentence.keys.iter().filter(|key| self.keys.contains(key)).count();
        let held = (held as f32 / ENOUGH_KEYWORDS).min(1.0);
        near + KEYWORD_WEIGHT * held - sentence.penalty
    }

    /// Returns the summary: the most central of `found` that do not repeat one another, best
    /// first.
    pub(crate) fn summary(&self, found: &[Sentence]) -> String {
        let mut chosen: Vec<&Sentence> = Vec::new();
        let mut left = SUMMARY_CHARS;
        let mut least = f32::MIN;
        while chosen.len() < SUMMARY_SENTENCES {
            let best = found
                .iter()
                .filter(|s| s.text.chars().count() <= left && !chosen.contains(s))
                .map(|s| {
                    let same = chosen.iter().map(|c| self.likeness(c, s)).fold(0.0, f32::max);
                    (self.score(s) - REDUNDANCY * same, s)
                })
                .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.candidate.cmp(&a.1.candidate)));
            let Some((score, sentence)) = best.filter(|(score, _)| *score >= least) else { break };
            if chosen.is_empty() {
                least = (FURTHER_SHARE * score).max(0.0);
            }
            left = left.saturating_sub(sentence.text.chars().count() + 1);
            chosen.push(sentence);
        }
        let texts: Vec<String> = chosen.iter().map(|s| quoted(&s.text)).collect();
        texts.join(" ")
    }

    /// Returns how much two sentences say the same.
    fn likeness(&self, a: &Sentence, b: &Sentence) -> f32 {
        match (&a.vector, &b.vector) {
            (Some(x), Some(y)) => cos(&self.centre.centred(x), &self.centre.centred(y)).max(0.0),
            _ => jaccard(&a.keys, &b.keys),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::segment::SegmentId;
    use crate::memory::vector::SumVector;

    fn texts(user_input: &str, agent_response: &str) -> Texts {
        Texts { user_input: user_input.to_owned(), agent_response: agent_response.to_owned() }
    }

    /// Summarises one page whose keywords are `keywords`.
    fn summary(page: &Texts, keywords: &str) -> (String, Vec<Sentence>) {
        let model = StaticModel::built_in();
        let mut segment = Segment::empty(SegmentId(1), 0);
        segment.mean.add(&model.embed(keywords).vector);
        let mut keys: Vec<u64> =
            words_with_stems(keywords).iter().map(|(_, term)| xxh3_64(term.as_bytes())).collect();
        keys.sort_unstable();
        let centre = Centre::of(&SumVector::default());
        let view = View::new(model, &centre, &segment, &keys);
        let found = page_sentences(Slot(7), page, &view);
        (view.summary(&found), found)
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
        for sentence in found {
            let again = Sentence::read(sentence.candidate, &page, StaticModel::built_in());
            assert_eq!(again, Some(sentence));
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
