//! Facts a model points at.
//!
//! A model does not say what is true; it points at words on a page, and the page says it. What is
//! kept is the sentence that holds these words, word for word. The one rule: a fact whose words are
//! not on the page it names, or that says the opposite of its sentence, is no fact.

use std::ops::Range;

use serde::Deserialize;

use super::folded;
use crate::memory::fact::{Attribute, CLAUSE_CHARS, Cardinality, Owner};
use crate::memory::page::PageId;
use crate::memory::secrets;
use crate::memory::sentence::sentences;
use crate::retrieval::words_with_stems;

/// The words of a value, at most.
const VALUE_WORDS: usize = 12;

/// Words that say no, in the languages in which they have no other meaning.
const NEGATIONS: [&str; 30] = [
    "not", "no", "never", "none", "without", "cannot", "don't", "doesn't", "didn't", "isn't",
    "aren't", "wasn't", "weren't", "won't", "can't", "couldn't", "wouldn't", "haven't", "hasn't",
    "nor", "neither", "nicht", "kein", "keine", "keinen", "jamais", "nunca", "niet", "geen",
    "n\u{e3}o",
];

/// What ends the reach of a negation.
const BREAKS: [&str; 9] = [",", ";", ":", ".", " but ", " and ", " - ", " aber ", " mais "];

/// A fact that a model found on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PointedFact {
    /// What it fills.
    pub attribute: Attribute,
    /// What tells it from others of the attribute: the stems of its value. Empty where the attribute
    /// has a single value.
    pub head: String,
    /// The value, as it was said, without articles; at most 12 words.
    pub value: String,
    /// Whether it is denied.
    pub negated: bool,
    /// The sentence it stands in or, if that is longer than [`CLAUSE_CHARS`] characters, the words
    /// the model pointed at; word for word, on one line.
    pub clause: String,
    /// The page.
    pub page: PageId,
}

/// A fact, as a model writes it.
#[derive(Debug, Deserialize)]
pub(super) struct Pointer {
    pub(super) page: String,
    pub(super) attribute: String,
    pub(super) quote: String,
    pub(super) value: String,
    #[serde(default)]
    pub(super) negated: bool,
}

/// A page that can be pointed at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target<'a> {
    pub(super) id: PageId,
    pub(super) user: &'a str,
    pub(super) assistant: &'a str,
}

/// Returns the attributes a model may fill. A note is what the user asked to be remembered, which is
/// not a model's to say.
pub(super) fn attributes() -> impl Iterator<Item = Attribute> {
    Attribute::ALL.into_iter().filter(|attribute| *attribute != Attribute::Note)
}

impl Pointer {
    /// Returns the fact on the page, if it is there.
    pub(super) fn resolve(&self, target: Target<'_>) -> Option<PointedFact> {
        let attribute = attributes().find(|a| a.name() == self.attribute.trim())?;
        let side = match attribute.owner() {
            Owner::User => target.user,
            Owner::Assistant => target.assistant,
        };
        let quote = pointed(&self.quote, CLAUSE_CHARS)?;
        let value = pointed(&self.value, CLAUSE_CHARS)?;
        let (sentence, quoted) = locate(side, &quote)?;
        let words = sentence.get(quoted.clone())?;
        let inside = find(words, without_article(&value))?;
        let value = words.get(inside.clone())?.to_owned();
        let before = sentence.get(..quoted.start + inside.start)?;
        let asks = sentence.contains(['?', '\u{ff1f}', '\u{61f}']);
        if asks || is_denied(before) != self.negated {
            return None;
        }
        let whole = sentence.chars().count() <= CLAUSE_CHARS;
        let clause = if whole { sentence.clone() } else { words.to_owned() };
        if value.split(' ').count() > VALUE_WORDS || secrets::find(&clause).is_some() {
            return None;
        }
        Some(PointedFact {
            attribute,
            head: head(attribute, &value),
            value,
            negated: self.negated,
            clause,
            page: target.id,
        })
    }
}

/// Returns what a model pointed with, on one line, without quotation marks and stops around it.
fn pointed(text: &str, max_chars: usize) -> Option<String> {
    if text.len() > 16 * max_chars {
        return None;
    }
    let line = folded(text);
    let around = |c: char| matches!(c, '"' | '\u{201c}' | '\u{201d}' | '.' | ',' | ';' | '!');
    let line = line.trim_matches(around).trim();
    (!line.is_empty() && line.chars().count() <= max_chars).then(|| line.to_owned())
}

/// Finds the sentence of a text that holds a quote, on one line, and the place of the quote in it.
///
/// A quote that goes over several sentences is taken as its own sentence.
fn locate(text: &str, quote: &str) -> Option<(String, Range<usize>)> {
    let lines = sentences(text).into_iter().filter_map(|range| text.get(range)).map(folded);
    for sentence in lines {
        if let Some(place) = find(&sentence, quote) {
            return Some((sentence, place));
        }
    }
    let whole = folded(text);
    let words = whole.get(find(&whole, quote)?)?.to_owned();
    let all = 0..words.len();
    Some((words, all))
}

/// Finds words in a line, as they are or with the other case of the first letter.
fn find(line: &str, words: &str) -> Option<Range<usize>> {
    let first = words.chars().next()?;
    let rest = words.get(first.len_utf8()..)?;
    let forms = [
        words.to_owned(),
        format!("{}{rest}", first.to_uppercase()),
        format!("{}{rest}", first.to_lowercase()),
    ];
    let edge = |inside: Option<char>, outside: Option<char>| {
        // Scripts without spaces have no edges to look for.
        let spaced = |c: char| c.is_alphanumeric() && u32::from(c) < 0x0e00;
        !(inside.is_some_and(spaced) && outside.is_some_and(spaced))
    };
    let whole = |(at, found): (usize, &str)| {
        let range = at..at + found.len();
        let before = line.get(..range.start)?.chars().next_back();
        let after = line.get(range.end..)?.chars().next();
        let is_whole = edge(found.chars().next(), before) && edge(found.chars().next_back(), after);
        is_whole.then_some(range)
    };
    forms.iter().find_map(|form| line.match_indices(form.as_str()).find_map(whole))
}

fn without_article(value: &str) -> &str {
    let articles = ["a ", "an ", "the ", "my ", "our ", "A ", "An ", "The ", "My ", "Our "];
    articles.iter().find_map(|article| value.strip_prefix(article)).unwrap_or(value)
}

/// Whether what comes after these words is denied by them.
fn is_denied(before: &str) -> bool {
    let lower = before.to_lowercase().replace('\u{2019}', "'");
    let start = BREAKS
        .iter()
        .filter_map(|mark| lower.rfind(mark).map(|at| at + mark.len()))
        .max()
        .unwrap_or_default();
    let reach = lower.get(start..).unwrap_or_default();
    reach.split(' ').any(|word| NEGATIONS.contains(&word))
}

fn head(attribute: Attribute, value: &str) -> String {
    if attribute.cardinality() == Cardinality::Single {
        return String::new();
    }
    let stems: Vec<String> = words_with_stems(value).into_iter().map(|(_, stem)| stem).collect();
    if stems.is_empty() { value.to_lowercase() } else { stems.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER: &str = "Hi! I live in Oslo\nwith my  dog Rex. I don't eat meat, but I love figs. \
                        Do you think I like jazz? I no longer work at Acme. My wifi password is \
                        hunter2. I collect stamps";
    const ASSISTANT: &str = "I recommend the tram. I will send you a list tomorrow.";

    /// Resolves a pointer to the attribute's fact: its value and clause.
    fn check(attribute: &str, quote: &str, value: &str, negated: bool) -> Option<(String, String)> {
        let page = "p1".to_owned();
        let pointer = Pointer {
            page,
            attribute: attribute.to_owned(),
            quote: quote.to_owned(),
            value: value.to_owned(),
            negated,
        };
        let id = PageId::generate();
        let fact = pointer.resolve(Target { id, user: USER, assistant: ASSISTANT })?;
        assert_eq!((fact.page, fact.negated), (id, negated));
        Some((fact.value, fact.clause))
    }

    #[test]
    fn words_on_the_page_are_a_fact_and_the_page_says_it() {
        let cases = [
            ("home", "I live in Oslo", "Oslo", false, "Oslo", "I live in Oslo"),
            ("home", "i live in Oslo", "Oslo", false, "Oslo", "I live in Oslo"),
            ("pet", "\"my dog Rex.\"", "my dog Rex", false, "dog Rex", "with my dog Rex."),
            ("like", "I love figs", "figs", false, "figs", "I don't eat meat, but I love figs."),
            (
                "diet",
                "I don't eat meat",
                "meat",
                true,
                "meat",
                "I don't eat meat, but I love figs.",
            ),
            (
                "employer",
                "no longer work at Acme",
                "Acme",
                true,
                "Acme",
                "I no longer work at Acme.",
            ),
            ("hobby", "collect stamps", "stamps", false, "stamps", "I collect stamps"),
            ("advice", "I recommend the tram", "the tram", false, "tram", "I recommend the tram."),
            (
                "work",
                "send you a list",
                "a list",
                false,
                "list",
                "I will send you a list tomorrow.",
            ),
            ("home", "live in Oslo with my dog", "Oslo", false, "Oslo", "live in Oslo with my dog"),
        ];
        for (attribute, quote, value, negated, said, clause) in cases {
            let found = check(attribute, quote, value, negated);
            assert_eq!(found, Some((said.to_owned(), clause.to_owned())), "{quote}");
        }
    }

    #[test]
    fn what_the_page_does_not_say_is_no_fact() {
        let cases = [
            ("home", "I live in Paris", "Paris", false),
            ("home", "I live in Oslo", "Paris", false),
            ("home", "I LIVE in Oslo", "Oslo", false),
            ("home", "I live in Oslo", "Osl", false),
            ("pet", "dog Re", "Re", false),
            ("diet", "I don't eat meat", "meat", false),
            ("diet", "eat meat", "meat", false),
            ("like", "I love figs", "figs", true),
            ("like", "I like jazz", "jazz", false),
            ("like", "I recommend the tram", "tram", false),
            ("advice", "I love figs", "figs", false),
            ("possession", "My wifi password is hunter2", "wifi", false),
            ("note", "I live in Oslo", "Oslo", false),
            ("mood", "I live in Oslo", "Oslo", false),
            ("home", "", "Oslo", false),
            ("home", "I live in Oslo", " . ", false),
        ];
        for (attribute, quote, value, negated) in cases {
            assert_eq!(check(attribute, quote, value, negated), None, "{attribute}: {quote}");
        }
        assert_eq!(check("home", &"Oslo ".repeat(200_000), "Oslo", false), None);
    }

    #[test]
    fn a_long_sentence_is_cut_to_the_quote_and_a_long_value_is_refused() {
        let words = "word ".repeat(80);
        let pointer = |value: &str| Pointer {
            page: "p1".to_owned(),
            attribute: "hobby".to_owned(),
            quote: format!("I paint {}", "word ".repeat(13).trim()),
            value: value.to_owned(),
            negated: false,
        };
        let text = format!("I paint {words} and {words}");
        let target = Target { id: PageId::generate(), user: &text, assistant: "" };
        let fact = pointer("word word").resolve(target).unwrap();
        assert_eq!(fact.clause, pointer("").quote);
        assert_eq!(fact.head, "word word");
        assert_eq!(pointer("word ".repeat(13).trim()).resolve(target), None);
    }

    #[test]
    fn a_head_is_the_stems_of_the_value_and_empty_for_a_single_one() {
        assert_eq!(head(Attribute::Hobby, "Old Stamps"), "old stamp");
        assert_eq!(head(Attribute::Hobby, "The Who"), "the who");
        assert_eq!(head(Attribute::Home, "Oslo"), "");
    }
}
