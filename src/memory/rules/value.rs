//! The value of a statement: where it ends, what of it is shown, what it is compared by.

use std::ops::Range;

use super::lexicon::List;
use super::verbs::{ADVERBS, Form, form, is_be};
use super::words::Token;
use crate::retrieval::words_with_stems;

/// The words of a value, at most.
pub(super) const MAX_WORDS: usize = 12;

/// Words that begin something new, whatever comes before.
const STOPS: [&str; 21] = [
    "but", "because", "so", "since", "though", "although", "if", "when", "while", "which", "who",
    "that", "where", "until", "unless", "whereas", "cause", "cuz", "whenever", "yet", "i",
];

/// Words that end nothing: they are cut from the end of a value.
const LOOSE_ENDS: [&str; 74] = [
    "and",
    "or",
    "the",
    "a",
    "an",
    "of",
    "in",
    "on",
    "at",
    "to",
    "for",
    "with",
    "from",
    "by",
    "about",
    "into",
    "too",
    "well",
    "as",
    "now",
    "again",
    "lately",
    "recently",
    "though",
    "lot",
    "much",
    "so",
    "very",
    "anymore",
    "more",
    "any",
    "right",
    "these",
    "those",
    "this",
    "my",
    "our",
    "is",
    "are",
    "am",
    "was",
    "were",
    "be",
    "really",
    "just",
    "also",
    "than",
    "not",
    "still",
    "currently",
    "longer",
    "then",
    "there",
    "here",
    "myself",
    "ever",
    "together",
    "like",
    "since",
    "before",
    "after",
    "during",
    "over",
    "around",
    "ago",
    "all",
    "some",
    "its",
    "their",
    "his",
    "moment",
    "already",
    "actually",
    "me",
];

/// Words before a value that are no part of it.
const ARTICLES: [&str; 10] =
    ["no", "a", "an", "the", "some", "any", "my", "our", "called", "named"];

/// Returns the tokens of the value that begins at `start` and ends before `stop` at the latest;
/// none if nothing there is a value.
pub(super) fn range(tokens: &[Token<'_>], start: usize, stop: usize) -> Option<Range<usize>> {
    let tokens = tokens.get(..stop.min(tokens.len()))?;
    let stop = tokens.len();
    let mut end = start;
    let mut n_words = 0;
    while end < stop && n_words < MAX_WORDS {
        let token = tokens.get(end)?;
        if ends_at(tokens, start, end) {
            break;
        }
        n_words += usize::from(token.is_word && token.word != "'s");
        end += 1;
    }
    let mut first = start;
    while tokens.get(first).is_some_and(|t| first < end && ARTICLES.contains(&t.word)) {
        first += 1;
    }
    while end > first && tokens.get(end - 1).is_some_and(is_loose_end) {
        end -= 1;
    }
    let found = tokens.get(first..end)?;
    (n_content(found) > 0).then_some(first..end)
}

/// Returns a value of at most [`MAX_WORDS`] words: with its verb before it, it may have more.
pub(super) fn cut(mut value: String) -> String {
    let (mut n_words, mut after_space) = (0, true);
    let one_more = |(_, c): &(usize, char)| {
        n_words += usize::from(after_space && !c.is_whitespace());
        after_space = c.is_whitespace();
        n_words > MAX_WORDS
    };
    if let Some((end, _)) = value.char_indices().find(one_more) {
        value.truncate(end);
        value.truncate(value.trim_end().len());
    }
    value
}

fn is_loose_end(token: &Token<'_>) -> bool {
    LOOSE_ENDS.contains(&token.word) || !token.is_word && !closes(token.word)
}

fn closes(mark: &str) -> bool {
    matches!(mark, "\"" | "\u{201d}" | "%" | "+" | "#" | "'" | "\u{2019}")
}

/// Whether a value that began at `start` is over before the token at `at`.
fn ends_at(tokens: &[Token<'_>], start: usize, at: usize) -> bool {
    let Some(token) = tokens.get(at) else { return true };
    let next = tokens.get(at + 1);
    let next_word = next.map_or("", |t| t.word);
    if token.is_word {
        return match token.word {
            "and" | "or" | "then" => {
                at > start && (begins_clause(tokens, at + 1) || has_predicate(tokens, at + 1))
            }
            "as" => matches!(next_word, "i" | "we" | "it" | "they" | "he" | "she"),
            "not" => at > start,
            // "Went to the shop to buy"; but "taught him how to ride".
            "to" if tokens.get(at - usize::from(at > start)).is_some_and(|t| t.word == "how") => {
                false
            }
            "to" => at > start + 2 && form(next_word).is_some_and(|(_, f)| f == Form::Base),
            // "SO" is a person.
            "so" if token.is_capital => false,
            word => at > start && STOPS.contains(&word),
        };
    }
    match token.word {
        "\"" | "\u{201c}" | "\u{201d}" | "\u{2018}" | "'" | "\u{2019}" | "&" | "/" | "+" | "$"
        | "%" | "#" | "\u{a3}" | "\u{20ac}" => false,
        "." => !(token.end == next.map_or(0, |t| t.start) && next.is_some_and(|t| t.is_word)),
        "," => !list_goes_on(tokens, start, at),
        _ => true,
    }
}

/// Whether "and" is followed by a new predicate or subject.
fn begins_clause(tokens: &[Token<'_>], at: usize) -> bool {
    let Some(token) = tokens.get(at) else { return true };
    let word = token.word;
    is_be(word)
        || List::Your.has(word)
        || ADVERBS.contains(&word)
        || matches!(
            word,
            "i" | "we"
                | "he"
                | "she"
                | "they"
                | "it"
                | "this"
                | "that"
                | "there"
                | "will"
                | "can"
                | "would"
                | "could"
                | "now"
                | "hope"
                | "have"
                | "has"
                | "had"
                | "do"
                | "did"
                | "felt"
                | "got"
                | "thought"
                | "feel"
                | "wow"
                | "something"
                | "everyone"
                | "how"
                | "what"
                | "not"
        )
        || form(word).is_some_and(|(_, f)| f == Form::Past && !token.is_capital)
}

/// Whether "and" is followed by a new subject with its predicate: "and the views were great".
fn has_predicate(tokens: &[Token<'_>], at: usize) -> bool {
    let words = tokens.iter().skip(at).take(6).take_while(|t| t.is_word);
    words.into_iter().any(|t| is_be(t.word) && t.word != "'s")
}

/// Whether the comma at `at` is one of a list: "apples, pears and plums".
fn list_goes_on(tokens: &[Token<'_>], start: usize, at: usize) -> bool {
    if at == start {
        return false;
    }
    let before = |back: usize| at.checked_sub(back).and_then(|idx| tokens.get(idx));
    let next = tokens.get(at + 1).is_some_and(|t| t.is_word && !begins_other(t.word));
    // "A bright, airy kitchen".
    if next && before(2).is_some_and(|t| matches!(t.word, "a" | "an")) && !is_noun(before(1)) {
        return true;
    }
    let mut n_words = 0;
    for token in tokens.iter().skip(at + 1).take(5) {
        match token.word {
            "and" | "or" => return n_words <= 3,
            "," => return (1..=3).contains(&n_words),
            word if !token.is_word || begins_other(word) => return false,
            _ => n_words += 1,
        }
    }
    false
}

/// Whether a word is a person, an animal or an occupation and no adjective.
fn is_noun(token: Option<&Token<'_>>) -> bool {
    let lists = [List::Jobs, List::Family, List::Pet, List::Possession, List::Students, List::Diet];
    token.is_none_or(|t| t.is_capital || lists.iter().any(|list| list.has(t.word)))
}

fn begins_other(word: &str) -> bool {
    matches!(
        word,
        "i" | "we"
            | "he"
            | "she"
            | "they"
            | "it"
            | "you"
            | "but"
            | "so"
            | "which"
            | "who"
            | "my"
            | "our"
            | "this"
            | "that"
            | "because"
            | "though"
            | "then"
            | "not"
    )
}

/// Returns how many words of it say something.
pub(super) fn n_content(tokens: &[Token<'_>]) -> usize {
    tokens
        .iter()
        .filter(|t| t.is_word && !List::Empty.has(t.word) && !List::Your.has(t.word))
        .count()
}

/// Whether a value speaks of the one spoken to.
pub(super) fn is_about_you(tokens: &[Token<'_>]) -> bool {
    tokens.iter().any(|t| List::Your.has(t.word))
}

/// Whether a value points at something that was said before: "making him happy".
pub(super) fn points(tokens: &[Token<'_>], range: &Range<usize>) -> bool {
    let goes_on = |t: &Token<'_>| t.is_word && !matches!(t.word, "and" | "but" | "because");
    // Right after the value "that" begins what hangs on it.
    let hangs = tokens.get(range.end).is_some_and(|t| t.word == "that");
    let rest = tokens.iter().skip(range.end).take(if hangs { 0 } else { 2 });
    let after = rest.take_while(|t| goes_on(t)).count();
    (range.start..range.end + after).any(|idx| {
        let word = |idx: usize| tokens.get(idx).map_or("", |t| t.word);
        let is_time = word(idx) == "this" && is_time(word(idx + 1));
        let points =
            matches!(word(idx), "it" | "him" | "them" | "this" | "that" | "these" | "those");
        points && !is_time
    })
}

fn is_time(word: &str) -> bool {
    matches!(
        word,
        "week"
            | "weekend"
            | "month"
            | "year"
            | "morning"
            | "afternoon"
            | "evening"
            | "spring"
            | "summer"
            | "fall"
            | "autumn"
            | "winter"
            | "past"
            | "coming"
            | "days"
    ) || word.ends_with("day")
}

/// Returns the text of tokens.
pub(super) fn text<'a>(source: &'a str, tokens: &[Token<'_>], range: Range<usize>) -> &'a str {
    let part = tokens.get(range).unwrap_or_default();
    let (Some(first), Some(last)) = (part.first(), part.last()) else { return "" };
    source.get(first.start..last.end).unwrap_or_default()
}

/// Returns what a value is compared by: its words, stemmed.
pub(super) fn head(value: &str) -> String {
    let mut stems: Vec<String> =
        words_with_stems(value).into_iter().map(|(_, stem)| stem).collect();
    stems.truncate(MAX_WORDS);
    if stems.is_empty() { value.trim().to_lowercase() } else { stems.join(" ") }
}

/// Returns the token of the noun that a phrase is about: the last word before its first
/// preposition.
pub(super) fn noun(tokens: &[Token<'_>], range: &Range<usize>) -> usize {
    let part = tokens.get(range.clone()).unwrap_or_default();
    let end = part
        .iter()
        .skip(1)
        .position(|t| {
            !t.is_word
                || matches!(
                    t.word,
                    "at" | "in"
                        | "for"
                        | "of"
                        | "from"
                        | "with"
                        | "and"
                        | "on"
                        | "by"
                        | "to"
                        | "who"
                        | "named"
                        | "called"
                        | "or"
                        | "about"
                        | "as"
                        | "near"
                        | "since"
                        | "'s"
                )
        })
        .map_or(part.len(), |at| at + 1);
    range.start + end.max(1) - 1
}
