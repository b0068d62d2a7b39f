//! People's names, which the dense part of a query leaves out.
//!
//! A conversation's own names are in so many pages that they say nothing, yet they pull a vector
//! far. A name is known by its capital: often written with it, hardly ever without.

use super::terms::{MAX_TERM_BYTES, TermKey, TermMap, is_stop_word, words};

/// A name is in at least one of this many pages.
const PAGES_PER_NAME: usize = 20;

/// A name is at most one time in this many written in lower case.
const CAPITALS_PER_LOWER: u32 = 10;

/// With fewer pages no word is taken for a name.
const MIN_PAGES: usize = 20;

/// The words of one page that tell names from other words, as they are written, without 's: those
/// with a capital first letter and those all in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CasedWords {
    /// Each word once, by its key, and how often it is in the page; by rising key.
    words: Vec<(TermKey, u32)>,
}

impl CasedWords {
    /// Counts the words of a page's sides.
    pub(super) fn of(texts: [&str; 2]) -> Self {
        let mut found: Vec<TermKey> =
            texts.into_iter().flat_map(cased_words).map(TermKey::of).collect();
        found.sort_unstable();
        let counted = found.chunk_by(|a, b| a == b).filter_map(|same| {
            Some((*same.first()?, u32::try_from(same.len()).unwrap_or(u32::MAX)))
        });
        Self { words: counted.collect() }
    }

    /// Takes words with their counts; none unless the words rise and no count is 0.
    pub(super) fn from_words(words: Vec<(TermKey, u32)>) -> Option<Self> {
        let rising = words.is_sorted_by(|a, b| a.0 < b.0);
        (rising && words.iter().all(|(_, times)| *times > 0)).then_some(Self { words })
    }

    /// Returns each word with its count, by rising key.
    pub fn iter(&self) -> impl Iterator<Item = (TermKey, u32)> {
        self.words.iter().copied()
    }

    /// Returns the number of different words.
    pub(super) fn len(&self) -> usize {
        self.words.len()
    }
}

/// How often each word was written, and in how many pages.
#[derive(Debug, Default)]
pub(super) struct NameCounts {
    words: TermMap<Count>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Count {
    times: u32,
    pages: u32,
}

impl NameCounts {
    /// Counts a page's words.
    pub(super) fn add(&mut self, cased: &CasedWords) {
        for (word, times) in cased.iter() {
            let count = self.words.entry(word).or_default();
            count.times = count.times.saturating_add(times);
            count.pages += 1;
        }
    }

    /// Takes a page's words out of the counts.
    pub(super) fn remove(&mut self, cased: &CasedWords) {
        for (word, times) in cased.iter() {
            let Some(count) = self.words.get_mut(&word) else { continue };
            count.times = count.times.saturating_sub(times);
            count.pages = count.pages.saturating_sub(1);
            if count.pages == 0 {
                self.words.remove(&word);
            }
        }
    }

    /// Returns the query without people's names; whole if nothing else is in it.
    pub(super) fn leave_out(&self, query: &str, n_pages: usize) -> String {
        let kept: Vec<&str> =
            query.split_whitespace().filter(|word| !self.is_name(word, n_pages)).collect();
        if kept.is_empty() { query.to_owned() } else { kept.join(" ") }
    }

    fn is_name(&self, word: &str, n_pages: usize) -> bool {
        let word = word.trim_matches(['?', '.', ',', '!', '"', '(', ')']);
        let word = without_possessive(word);
        if n_pages < MIN_PAGES || !word.chars().next().is_some_and(char::is_uppercase) {
            return false;
        }
        // Stop words are never counted, so they are never names.
        let count = |word| self.words.get(&TermKey::of(word)).copied().unwrap_or_default();
        let (count, lower) = (count(word), count(&word.to_lowercase()));
        count.pages as usize * PAGES_PER_NAME >= n_pages
            && u64::from(lower.times) * u64::from(CAPITALS_PER_LOWER) <= u64::from(count.times)
    }
}

fn without_possessive(word: &str) -> &str {
    word.strip_suffix("'s").or_else(|| word.strip_suffix("\u{2019}s")).unwrap_or(word)
}

fn cased_words(text: &str) -> impl Iterator<Item = &str> {
    words(text)
        .map(|word| without_possessive(word.whole))
        .filter(|word| word.len() <= MAX_TERM_BYTES && tells_names(word))
}

fn tells_names(word: &str) -> bool {
    let Some(first) = word.chars().next() else { return false };
    if first.is_uppercase() {
        return !is_stop_word(&word.to_lowercase());
    }
    first.is_lowercase() && !word.chars().any(char::is_uppercase) && !is_stop_word(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_known_by_its_capital_among_enough_pages() {
        let mut names = NameCounts::default();
        for _ in 0..20 {
            names.add(&CasedWords::of(["Mel likes May", "Will may"]));
        }
        let query = "When did Mel's sister Anna (Mel) will May?";
        assert_eq!(names.leave_out(query, 20), "When did sister Anna will May?");
        assert_eq!(names.leave_out(query, 19), query);
        assert_eq!(names.leave_out("Mel?", 20), "Mel?");
        names.remove(&CasedWords::of(["Mel likes May", "Will may"]));
        assert_eq!(names.leave_out("Mel x", 380), "x");
        assert_eq!(names.leave_out("Mel x", 381), "Mel x");
    }

    #[test]
    fn words_are_counted_as_written_without_their_possessive() {
        let counts = CasedWords::of(["Mel's cat, Mel\u{2019}s hat", "The iPhone: mel 42 O'Neil"]);
        let mut expected = [("Mel", 2), ("O'Neil", 1), ("cat", 1), ("hat", 1), ("mel", 1)]
            .map(|(word, times)| (TermKey::of(word), times));
        expected.sort_unstable();
        assert_eq!(counts.iter().collect::<Vec<_>>(), expected);
    }
}
