//! People's names, which the dense part of a query leaves out.
//!
//! A conversation's own names are in so many pages that they say nothing, yet they pull a vector
//! far. A name is known by its capital: often written with it, hardly ever without.

use super::terms::{MAX_TERM_BYTES, WordMap, is_stop_word, words};

/// A name is in at least one of this many pages.
const PAGES_PER_NAME: usize = 20;

/// A name is at most one time in this many written in lower case.
const CAPITALS_PER_LOWER: u32 = 10;

/// With fewer pages no word is taken for a name.
const MIN_PAGES: usize = 20;

/// The words of one page that tell names from other words, as they are written, without 's: those
/// with a capital first letter and those all in lower case. One text, so that reading many pages
/// does not make a string per word.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CasedWords {
    /// Each word once, sorted, each followed by a line end.
    text: String,
    /// How often each is in the page.
    times: Vec<u32>,
}

impl CasedWords {
    /// Counts the words of a page's sides.
    pub(super) fn of(texts: [&str; 2]) -> Self {
        let mut found: Vec<&str> = texts.into_iter().flat_map(cased_words).collect();
        found.sort_unstable();
        let mut words = Self::default();
        for same in found.chunk_by(|a, b| a == b) {
            words.text.extend(same.first().into_iter().copied().chain(["\n"]));
            words.times.push(u32::try_from(same.len()).unwrap_or(u32::MAX));
        }
        words
    }

    /// Takes words and counts together; none unless the words are each once, sorted and ended by a
    /// line end, and each has a count that is not 0.
    pub(super) fn from_parts(text: &str, times: Vec<u32>) -> Option<Self> {
        if !text.is_empty() && !text.ends_with('\n') {
            return None;
        }
        let mut last = "";
        let mut n_words = 0;
        for word in text.split_terminator('\n') {
            if word <= last || word.len() > MAX_TERM_BYTES {
                return None;
            }
            (last, n_words) = (word, n_words + 1);
        }
        let counted = n_words == times.len() && !times.contains(&0);
        counted.then(|| Self { text: text.to_owned(), times })
    }

    /// Returns the words as one text, and their counts.
    pub(super) fn parts(&self) -> (&str, &[u32]) {
        (&self.text, &self.times)
    }

    /// Returns each word with its count.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u32)> {
        self.text.split_terminator('\n').zip(self.times.iter().copied())
    }
}

/// How often each word was written, and in how many pages.
#[derive(Debug, Default)]
pub(super) struct NameCounts {
    words: WordMap<Count>,
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
            let count = match self.words.get_mut(word) {
                Some(count) => count,
                None => self.words.entry(word.into()).or_default(),
            };
            count.times = count.times.saturating_add(times);
            count.pages += 1;
        }
    }

    /// Takes a page's words out of the counts.
    pub(super) fn remove(&mut self, cased: &CasedWords) {
        for (word, times) in cased.iter() {
            let Some(count) = self.words.get_mut(word) else { continue };
            count.times = count.times.saturating_sub(times);
            count.pages = count.pages.saturating_sub(1);
            if count.pages == 0 {
                self.words.remove(word);
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
        let count = self.words.get(word).copied().unwrap_or_default();
        let lower = self.words.get(word.to_lowercase().as_str()).copied().unwrap_or_default();
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
        let expected = [("Mel", 2), ("O'Neil", 1), ("cat", 1), ("hat", 1), ("mel", 1)];
        assert_eq!(counts.iter().collect::<Vec<_>>(), expected);
    }
}
