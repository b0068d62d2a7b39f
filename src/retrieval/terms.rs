//! Texts to terms: what a page and a query are compared by, word for word.
//!
//! Words are stemmed as English; runs of scripts written without spaces become overlapping pairs
//! of characters. The same text gives the same terms on every machine: the tables are constants
//! of ours, or of a Unicode version fixed by a crate.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::LazyLock;

use snowball_stemmers_rs::{Algorithm, Stemmer};
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;
use xxhash_rust::xxh3::xxh3_64;

/// At most this many terms of a text are read, and as many single characters.
const MAX_TERMS: usize = 4096;

/// Longer words are no terms.
pub(super) const MAX_TERM_BYTES: usize = 64;

static STOP_WORDS: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("../../assets/stop_words.txt").lines().collect());
static IRREGULAR: LazyLock<HashMap<&'static str, &'static str>> = LazyLock::new(|| {
    let lines = include_str!("../../assets/irregular.tsv").lines();
    lines.filter_map(|line| line.split_once('\t')).collect()
});

/// The scripts written without spaces (kana, Han and U+3005, Hangul, Thai, Lao, Khmer, Myanmar):
/// ranges of characters that can be in a word after NFKC, first and last.
const UNSPACED: [(u32, u32); 22] = [
    (0x0e01, 0x0edf),
    (0x1000, 0x109d),
    (0x1100, 0x11ff),
    (0x1780, 0x17f9),
    (0x3005, 0x3005),
    (0x3007, 0x3029),
    (0x302e, 0x302f),
    (0x303b, 0x303b),
    (0x3041, 0x3096),
    (0x309d, 0x30fa),
    (0x30fd, 0x30fe),
    (0x31f0, 0x31ff),
    (0x3400, 0x9fff),
    (0xa960, 0xa97c),
    (0xa9e0, 0xa9fe),
    (0xaa60, 0xaa7f),
    (0xac00, 0xfa29),
    (0x1_16d0, 0x1_16e3),
    (0x1_6fe3, 0x1_6fe3),
    (0x1_6ff0, 0x1_6ff6),
    (0x1_aff0, 0x1_b168),
    (0x2_0000, 0x3_3479),
];

/// A term, as the index knows it: 63 bits of the XXH3 of its text.
///
/// Filling the index looks up every term of every page, so what is looked up is a number and not a
/// text. That two terms of a user share one is as good as impossible: for a million terms the odds
/// are one in twenty million, and then two words would be taken for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TermKey(u64);

impl TermKey {
    /// Returns the key of a term.
    pub fn of(term: &str) -> Self {
        Self(xxh3_64(term.as_bytes()) >> 1)
    }

    /// Makes a key of a number that [`TermKey::number`] gave; none if it cannot have.
    pub(super) fn from_number(number: u64) -> Option<Self> {
        (number >> 63 == 0).then_some(Self(number))
    }

    /// Returns the key as a number below 2 to the 63.
    pub(super) fn number(self) -> u64 {
        self.0
    }
}

/// Something per term.
pub(super) type TermMap<T> = HashMap<TermKey, T, BuildHasherDefault<KeyHasher>>;

/// A hash of a number that is a hash already.
#[derive(Debug, Default)]
pub(super) struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0 ^= xxh3_64(bytes);
    }

    /// The table takes its places from the lower bits and compares the upper ones.
    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// The terms of one text, by their keys.
#[derive(Debug, Default)]
pub(super) struct Terms {
    /// The terms that count towards its length, in the order of the text.
    pub(super) words: Vec<TermKey>,
    /// The single characters of runs that were cut into pairs.
    pub(super) characters: Vec<TermKey>,
}

impl Terms {
    /// Reads a side of a page.
    pub(super) fn of(text: &str) -> Self {
        let mut terms = Self::default();
        for_each_term(text, &mut |term| {
            let (list, key) = match term {
                Term::Word(word) => (&mut terms.words, TermKey::of(&stem(word))),
                Term::Pair(run) => (&mut terms.words, TermKey::of(run)),
                Term::Character(run) => (&mut terms.characters, TermKey::of(run)),
            };
            if list.len() < MAX_TERMS {
                list.push(key);
            }
        });
        terms
    }
}

/// Returns the terms that a query is searched by, each once, in the order of the text.
pub fn query_terms(query: &str) -> Vec<String> {
    let mut seen = HashSet::new();
    let mut terms = Vec::new();
    for (_, term) in words_with_stems(query) {
        if seen.insert(term.clone()) {
            terms.push(term);
        }
    }
    terms
}

/// Returns the words of a text in lower case, each with the term it is searched by, without stop
/// words; at most 4,096. A run of a script without spaces gives its pairs of characters.
pub fn words_with_stems(text: &str) -> Vec<(String, String)> {
    let mut words = Vec::new();
    for_each_term(text, &mut |term| {
        let pair = match term {
            Term::Word(word) => (word.to_owned(), stem(word).into_owned()),
            Term::Pair(run) => (run.to_owned(), run.to_owned()),
            Term::Character(_) => return,
        };
        if words.len() < MAX_TERMS {
            words.push(pair);
        }
    });
    words
}

/// Whether a word in lower case is too common to be a term.
pub(super) fn is_stop_word(word: &str) -> bool {
    STOP_WORDS.contains(word)
}

/// A word as it stands in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word<'a> {
    /// All of it, with at most one apostrophe inside.
    pub(super) whole: &'a str,
    /// What is before the apostrophe.
    pub(super) base: &'a str,
}

/// Returns the words of a text: runs of letters, digits and combining marks, which may go on once
/// after an apostrophe.
pub(super) fn words(text: &str) -> impl Iterator<Item = Word<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|c| !is_word_char(c));
        let base_end = run_end(rest);
        let (base, after) = rest.split_at_checked(base_end).filter(|(base, _)| !base.is_empty())?;
        let more = after.strip_prefix(['\'', '\u{2019}']).map_or(0, |suffix| {
            let len = run_end(suffix);
            if len == 0 { 0 } else { after.len() - suffix.len() + len }
        });
        let (whole, after) = rest.split_at_checked(base_end + more)?;
        rest = after;
        Some(Word { whole, base })
    })
}

fn run_end(text: &str) -> usize {
    text.find(|c| !is_word_char(c)).unwrap_or(text.len())
}

fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || (!c.is_ascii() && is_combining_mark(c))
}

/// Something a page is found by, before stemming.
enum Term<'a> {
    /// A word of a script with spaces, not a stop word.
    Word(&'a str),
    /// Two characters of a run without spaces, or a run of one.
    Pair(&'a str),
    /// One character of a run of several.
    Character(&'a str),
}

fn for_each_term(text: &str, visit: &mut dyn FnMut(Term<'_>)) {
    let folded = if text.is_ascii() {
        text.to_ascii_lowercase()
    } else {
        text.nfkc().collect::<String>().to_lowercase()
    };
    for word in words(&folded) {
        let mut rest = word.base;
        while let Some(first) = rest.chars().next() {
            let unspaced = is_unspaced(first);
            let end = rest.find(|c| is_unspaced(c) != unspaced).unwrap_or(rest.len());
            let Some((run, after)) = rest.split_at_checked(end) else { break };
            rest = after;
            if unspaced {
                cut_run(run, visit);
            } else if run.len() <= MAX_TERM_BYTES && !is_stop_word(run) {
                visit(Term::Word(run));
            }
        }
    }
}

fn cut_run(run: &str, visit: &mut dyn FnMut(Term<'_>)) {
    let ends = run.char_indices().map(|(at, c)| (at, at + c.len_utf8()));
    let mut previous = None;
    for (start, end) in ends {
        if start == 0 && end == run.len() {
            visit(Term::Pair(run));
            return;
        }
        if let Some(pair) = previous.and_then(|from: usize| run.get(from..end)) {
            visit(Term::Pair(pair));
        }
        if let Some(character) = run.get(start..end) {
            visit(Term::Character(character));
        }
        previous = Some(start);
    }
}

fn is_unspaced(c: char) -> bool {
    let c = u32::from(c);
    c >= 0x0e01 && UNSPACED.iter().any(|&(first, last)| (first..=last).contains(&c))
}

/// Maps an irregular form to its base and cuts the ending.
fn stem(word: &str) -> Cow<'_, str> {
    match IRREGULAR.get(word) {
        Some(&base) => english().stem(base),
        None => english().stem(word),
    }
}

fn english() -> Stemmer {
    Stemmer::create(Algorithm::English)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn surface(text: &str) -> Vec<&str> {
        words(text).map(|w| w.whole).collect()
    }

    #[test]
    fn a_word_goes_on_once_after_an_apostrophe() {
        assert_eq!(
            surface("rock'n'roll isn\u{2019}t 'tis' o''clock"),
            ["rock'n", "roll", "isn\u{2019}t", "tis", "o", "clock"]
        );
    }

    #[test]
    fn stop_words_go_and_endings_are_cut() {
        assert_eq!(
            query_terms("When did Caroline go to the children's hospital?"),
            ["carolin", "go", "child", "hospit"]
        );
    }

    #[test]
    fn a_query_has_each_term_once_and_a_word_with_its_surface() {
        assert_eq!(query_terms("run Running RAN"), ["run"]);
        assert_eq!(
            words_with_stems("Running, ran"),
            [("running".to_owned(), "run".to_owned()), ("ran".to_owned(), "run".to_owned())]
        );
    }

    #[test]
    fn runs_without_spaces_become_pairs_and_a_page_has_their_characters_too() {
        let terms = Terms::of("iPhone\u{624b}\u{673a}\u{58f3} \u{732b}");
        let words = ["iphon", "\u{624b}\u{673a}", "\u{673a}\u{58f3}", "\u{732b}"];
        assert_eq!(terms.words, words.map(TermKey::of));
        assert_eq!(terms.characters, ["\u{624b}", "\u{673a}", "\u{58f3}"].map(TermKey::of));
        assert_eq!(query_terms("\u{624b}\u{673a}"), ["\u{624b}\u{673a}"]);
    }

    #[test]
    fn compatibility_forms_are_the_same_words() {
        assert_eq!(query_terms("\u{ff26}\u{ff35}\u{ff2c}\u{ff2c} o\u{fb03}ce"), ["full", "offic"]);
    }

    #[test]
    fn a_long_word_is_no_term_and_reading_stops_at_the_limit() {
        assert_eq!(query_terms(&"x".repeat(65)), Vec::<String>::new());
        assert_eq!(Terms::of(&"cat ".repeat(5000)).words.len(), MAX_TERMS);
    }
}
