//! Keywords by rule: which words tell a page or a segment from everything else.
//!
//! A word is telling when it is more frequent inside than outside, never merely frequent. People's
//! names that are everywhere, small talk, numbers and dates tell nothing.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

use xxhash_rust::xxh3::xxh3_64;

use crate::memory::page::Texts;
use crate::memory::segment::{MAX_TERMS, TermCount};
use crate::retrieval::{Index, words_with_stems};

/// The terms of a page that are compared with a segment's.
const PAGE_KEYWORDS: usize = 12;

/// The terms of a segment that are compared with a page's.
pub(crate) const SEGMENT_KEYWORDS: usize = 16;

/// The terms a segment remembers because they are telling; the rest because they are new.
const TELLING_TERMS: usize = 40;

/// The keywords a segment shows.
const SHOWN_KEYWORDS: usize = 8;

/// The keywords a segment shows even if they are not so telling.
const FILLED_KEYWORDS: usize = 5;

/// The log-odds a shown keyword should have: about twice as frequent inside as outside.
const SHOWN_LOG_ODDS: f64 = 0.7;

/// The bytes of a side that are read for keywords and sentences.
const READ_BYTES: usize = 16 * 1024;

/// Words that say how people talk and not what they talk about.
const SMALL_TALK: &str = include_str!("../../assets/small_talk.txt");

/// The counts that keywords are measured against.
pub trait Corpus {
    /// Returns the number of the user's pages.
    fn n_pages(&self) -> u32;
    /// Returns how many of them hold a term.
    fn document_frequency(&self, term: &str) -> u32;
}

impl Corpus for Index {
    fn n_pages(&self) -> u32 {
        u32::try_from(self.len()).unwrap_or(u32::MAX)
    }

    fn document_frequency(&self, term: &str) -> u32 {
        u32::try_from(self.document_frequency(term)).unwrap_or(u32::MAX)
    }
}

/// A term of one page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PageTerm {
    /// The term, as the index knows it.
    pub(crate) term: String,
    /// A word it stands for, as it was written.
    pub(crate) word: String,
    /// How often the page holds it.
    pub(crate) count: u32,
}

/// Returns the part of a text that is read, on a character boundary.
pub(crate) fn read_part(text: &str) -> &str {
    text.get(..text.floor_char_boundary(READ_BYTES)).unwrap_or_default()
}

/// Whether a lower-case word is small talk.
pub(crate) fn is_small_talk(word: &str) -> bool {
    static WORDS: std::sync::LazyLock<HashSet<&str>> =
        std::sync::LazyLock::new(|| SMALL_TALK.lines().collect());
    WORDS.contains(word)
}

/// Returns the terms of a page, in the order of their first occurrence.
pub(crate) fn page_terms(texts: &Texts) -> Vec<PageTerm> {
    let mut found: Vec<PageTerm> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for text in [&texts.user_input, &texts.agent_response] {
        let text = read_part(text);
        let written = written_forms(text);
        for (word, term) in words_with_stems(text) {
            if let Some(known) = places.get(&term).and_then(|&place| found.get_mut(place)) {
                known.count += 1;
                continue;
            }
            places.insert(term.clone(), found.len());
            let word = written.get(&word).map_or(word, |&form| form.to_owned());
            found.push(PageTerm { term, word, count: 1 });
        }
    }
    found
}

/// Returns the words that are written with a capital inside a sentence, by their lower-case form.
fn written_forms(text: &str) -> HashMap<String, &str> {
    let mut forms = HashMap::new();
    let mut inside = false;
    for token in text.split_whitespace() {
        let word = token.trim_matches(|c: char| !c.is_alphanumeric());
        let word = word.split(['\'', '\u{2019}']).next().unwrap_or_default();
        if inside && word.contains(char::is_uppercase) {
            forms.entry(word.to_lowercase()).or_insert(word);
        }
        inside = token.ends_with(|c: char| c.is_alphanumeric() || c == ',');
    }
    forms
}

/// Returns the keys of a page's most telling terms, sorted.
pub(crate) fn page_keys(terms: &[PageTerm], corpus: &dyn Corpus) -> Vec<u64> {
    let n = f64::from(corpus.n_pages());
    let mut weighted: Vec<(f64, &str)> = terms
        .iter()
        .map(|t| {
            let df = f64::from(corpus.document_frequency(&t.term)).min(n);
            let idf = (1.0 + (n - df + 0.5) / (df + 0.5)).ln();
            (idf * (1.0 + f64::from(t.count).ln()), t.term.as_str())
        })
        .collect();
    weighted.sort_by(|a, b| best_first(a.0, b.0).then(a.1.cmp(b.1)));
    sorted_keys(weighted.iter().take(PAGE_KEYWORDS).map(|(_, term)| *term))
}

/// Returns the keys of a segment's most telling terms, sorted.
pub(crate) fn segment_keys(terms: &[TermCount]) -> Vec<u64> {
    sorted_keys(terms.iter().take(SEGMENT_KEYWORDS).map(|t| t.term.as_str()))
}

fn sorted_keys<'a>(terms: impl Iterator<Item = &'a str>) -> Vec<u64> {
    let mut keys: Vec<u64> = terms.map(|term| xxh3_64(term.as_bytes())).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Returns the share of two sorted sets that is in both; 0 for two empty sets.
pub(crate) fn jaccard(a: &[u64], b: &[u64]) -> f32 {
    let both = a.iter().filter(|key| b.contains(key)).count();
    let either = a.len() + b.len() - both;
    if either == 0 { 0.0 } else { both as f32 / either as f32 }
}

/// Counts `added` (one page's terms, or a merged segment's) into a segment's terms and puts them in
/// order: the most telling, then the newest. `pages` is the segment's new number of pages.
pub(crate) fn count_terms(
    terms: &mut Vec<TermCount>,
    added: Vec<TermCount>,
    pages: u32,
    corpus: &dyn Corpus,
) {
    let mut by_term: Vec<usize> = (0..added.len()).collect();
    let term = |at: usize| added.get(at).map_or("", |new| new.term.as_str());
    by_term.sort_by(|a, b| term(*a).cmp(term(*b)));
    let mut is_known = vec![false; added.len()];
    for known in &mut *terms {
        let found = by_term.binary_search_by(|at| term(*at).cmp(&known.term));
        let Some(&at) = found.ok().and_then(|place| by_term.get(place)) else { continue };
        known.pages = known.pages.saturating_add(added.get(at).map_or(0, |new| new.pages));
        is_known.get_mut(at).into_iter().for_each(|known| *known = true);
    }
    let fresh = added.into_iter().zip(is_known).filter(|(_, is_known)| !is_known);
    let mut fresh: Vec<TermCount> = fresh.map(|(new, _)| new).collect();
    // The newest come first among what is equal, and among what is kept for being new.
    fresh.append(terms);
    let mut weighted: Vec<(f64, TermCount)> =
        fresh.into_iter().map(|t| (weight(&t, pages, corpus), t)).collect();
    let mut by_weight: Vec<f64> = weighted.iter().map(|w| w.0).collect();
    by_weight.sort_by(|a, b| best_first(*a, *b));
    let least = by_weight.get(TELLING_TERMS - 1).copied().unwrap_or(f64::MIN);
    let (mut telling, mut newest) = (Vec::new(), Vec::new());
    for item in weighted.drain(..) {
        if item.0 >= least && telling.len() < TELLING_TERMS {
            telling.push(item);
        } else {
            newest.push(item);
        }
    }
    telling.sort_by(|a, b| best_first(a.0, b.0));
    *terms = telling.into_iter().chain(newest).map(|(_, t)| t).take(MAX_TERMS).collect();
}

/// How telling a term is for a segment: its log-odds, the more pages hold it the better.
fn weight(term: &TermCount, pages: u32, corpus: &dyn Corpus) -> f64 {
    log_odds(term, pages, corpus) * f64::from(term.pages).ln_1p()
}

/// The logarithm of how much more frequent a term is inside the segment than outside, smoothed.
fn log_odds(term: &TermCount, pages: u32, corpus: &dyn Corpus) -> f64 {
    let inside = f64::from(term.pages.min(pages));
    let outside = f64::from(corpus.document_frequency(&term.term).saturating_sub(term.pages));
    let elsewhere = f64::from(corpus.n_pages().saturating_sub(pages));
    ((inside + 0.5) / (f64::from(pages) + 1.0)).ln() - ((outside + 0.5) / (elsewhere + 1.0)).ln()
}

/// Returns the words to show for a segment, from its terms in order.
///
/// Small talk, numbers and fragments are left out. In a segment of four pages or more, words of a
/// single page and words that are not much more frequent inside only fill up to five.
pub(crate) fn keywords(terms: &[TermCount], pages: u32, corpus: &dyn Corpus) -> Vec<String> {
    let telling =
        |t: &&TermCount| (pages < 4 || t.pages > 1) && log_odds(t, pages, corpus) >= SHOWN_LOG_ODDS;
    let (best, rest): (Vec<_>, Vec<_>) =
        terms.iter().take(TELLING_TERMS).filter(|t| is_shown(&t.word)).partition(telling);
    let filling = FILLED_KEYWORDS.saturating_sub(best.len());
    let shown = best.into_iter().take(SHOWN_KEYWORDS).chain(rest.into_iter().take(filling));
    shown.map(|t| t.word.clone()).collect()
}

/// Whether a word says something when it stands alone.
fn is_shown(word: &str) -> bool {
    let letters = word.chars().filter(|c| c.is_alphabetic()).count();
    let digits = word.chars().filter(char::is_ascii_digit).count();
    let enough = if word.is_ascii() { 3 } else { 2 };
    letters >= enough && digits <= letters && !is_small_talk(&word.to_lowercase())
}

fn best_first(a: f64, b: f64) -> Ordering {
    b.total_cmp(&a)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A hundred pages; every term not named is on one of them.
    struct Hundred(&'static [(&'static str, u32)]);

    impl Corpus for Hundred {
        fn n_pages(&self) -> u32 {
            100
        }

        fn document_frequency(&self, term: &str) -> u32 {
            self.0.iter().find(|(known, _)| *known == term).map_or(1, |(_, df)| *df)
        }
    }

    fn count(term: &str, pages: u32) -> TermCount {
        TermCount { term: term.to_owned(), word: term.to_owned(), pages }
    }

    fn texts(user_input: &str, agent_response: &str) -> Texts {
        Texts { user_input: user_input.to_owned(), agent_response: agent_response.to_owned() }
    }

    #[test]
    fn a_page_gives_each_term_once_with_the_word_as_it_was_written() {
        let found = page_terms(&texts("Running with Caroline, and runs.", "She runs in NYC now."));
        let found: Vec<_> =
            found.iter().map(|t| (t.term.as_str(), t.word.as_str(), t.count)).collect();
        assert_eq!(
            found,
            [
                ("run", "running", 3),
                ("carolin", "Caroline", 1),
                ("nyc", "NYC", 1),
                ("now", "now", 1)
            ]
        );
    }

    #[test]
    fn a_long_page_is_read_to_a_character_boundary() {
        for piece in ["word ", "\u{6f22}", "\u{1f600}a "] {
            let long = piece.repeat(65_536 / piece.len());
            assert!(read_part(&long).len() <= READ_BYTES);
            assert!(page_terms(&texts(&long, &long)).len() < 10);
        }
    }

    #[test]
    fn the_rarest_terms_of_a_page_are_its_keys() {
        let words: Vec<String> = (0..20).map(|i| format!("rare{i}")).collect();
        let page = page_terms(&texts(&words.join(" "), "everywhere everywhere"));
        let keys = page_keys(&page, &Hundred(&[("everywher", 90)]));
        assert_eq!(keys.len(), PAGE_KEYWORDS);
        assert!(!keys.contains(&xxh3_64(b"everywher")));
        assert!(keys.is_sorted());
    }

    #[test]
    fn jaccard_is_what_is_shared_of_all() {
        let cases: [(&[u64], &[u64], f32); 5] = [
            (&[], &[], 0.0),
            (&[1], &[], 0.0),
            (&[1, 2], &[1, 2], 1.0),
            (&[1, 2, 3], &[2, 3, 4], 0.5),
            (&[1], &[2], 0.0),
        ];
        for (a, b, expected) in cases {
            assert!((jaccard(a, b) - expected).abs() < 1e-6, "{a:?} {b:?}");
        }
    }

    #[test]
    fn what_is_frequent_everywhere_is_no_keyword() {
        let corpus = Hundred(&[("anna", 95), ("bread", 9)]);
        let mut terms = Vec::new();
        count_terms(&mut terms, vec![count("anna", 8), count("bread", 7)], 8, &corpus);
        assert_eq!(terms.iter().map(|t| t.term.as_str()).collect::<Vec<_>>(), ["bread", "anna"]);
        let shown = keywords(&terms, 8, &corpus);
        assert_eq!(shown.first().map(String::as_str), Some("bread"));
    }

    #[test]
    fn small_talk_numbers_and_fragments_are_never_shown() {
        for (word, shown) in [
            ("bread", true),
            ("h2o", false),
            ("mp3s", true),
            ("2023", false),
            ("ok", false),
            ("thanks", false),
            ("Monday", false),
            ("don", false),
            ("\u{6f22}\u{5b57}", true),
            ("\u{6f22}", false),
        ] {
            assert_eq!(is_shown(word), shown, "{word}");
        }
    }

    #[test]
    fn words_of_one_page_only_fill_up_to_five() {
        let corpus = Hundred(&[("bread", 6), ("dough", 5)]);
        let mut terms = vec![count("bread", 6), count("dough", 5)];
        let once = ["oven", "flour", "crust", "yeast", "knife", "plate"].map(|t| count(t, 1));
        count_terms(&mut terms, once.to_vec(), 6, &corpus);
        let shown = keywords(&terms, 6, &corpus);
        assert_eq!(shown.len(), 5, "{shown:?}");
        assert_eq!(shown[..2], ["bread", "dough"]);
        assert_eq!(keywords(&terms, 3, &corpus).len(), 8, "of a young segment all are shown");
    }

    #[test]
    fn terms_stay_bounded_and_new_ones_have_a_chance() {
        let corpus = Hundred(&[]);
        let mut terms = Vec::new();
        for page in 0..50_u32 {
            let mut added = vec![count("topic", 1)];
            added.extend((0..20).map(|i| count(&format!("p{page}x{i}"), 1)));
            count_terms(&mut terms, added, page + 1, &corpus);
            assert!(terms.len() <= MAX_TERMS);
            assert!(terms.iter().any(|t| t.term == format!("p{page}x0")), "page {page}");
        }
        assert_eq!((terms[0].term.as_str(), terms[0].pages), ("topic", 50));
    }
}
