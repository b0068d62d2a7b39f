//! What a chain of consecutive pages is about, in one line.
//!
//! Made by rule when a page is added, from its own words and the line of the page it continues: it
//! must cost next to nothing, so no model and no counts are asked. The line keeps how the chain
//! began and what it came to.

use std::collections::HashSet;

use crate::memory::extract::is_small_talk;
use crate::memory::page::Texts;
use crate::memory::sentence::sentences;

/// The characters of a chain summary, at most.
pub const CHAIN_CHARS: usize = 200;

/// Between the beginning and the present of a chain.
const JOINT: &str = " ... ";

/// The characters of either part.
const PART_CHARS: usize = (CHAIN_CHARS - JOINT.len()) / 2;

/// The bytes of a side that are read, and the sentences of it that are weighed.
const SIDE_BYTES: usize = 1024;
const SIDE_SENTENCES: usize = 6;

/// The telling words beyond which a sentence is not better.
const ENOUGH_WORDS: usize = 8;

/// Returns what the chain of pages up to this one is about, at most [`CHAIN_CHARS`] characters.
///
/// `previous` is the line of the page that this one continues. A page that says nothing but small
/// talk leaves it as it is.
pub fn chain_summary(previous: Option<&str>, texts: &Texts) -> String {
    let telling = most_telling(texts);
    let previous = previous.filter(|line| !line.is_empty());
    match (previous, telling) {
        (None, None) => clipped(fallback(texts), CHAIN_CHARS),
        (None, Some(part)) => clipped(part, CHAIN_CHARS),
        (Some(line), None) => clipped(line, CHAIN_CHARS),
        (Some(line), Some(part)) => {
            let beginning = line.split(JOINT).next().unwrap_or_default();
            format!("{}{JOINT}{}", clipped(beginning, PART_CHARS), clipped(part, PART_CHARS))
        }
    }
}

/// Returns the sentence with the most telling words; the user's side decides what is equal.
fn most_telling(texts: &Texts) -> Option<&str> {
    let mut best: Option<(usize, &str)> = None;
    for (side, bonus) in [(&texts.user_input, 1), (&texts.agent_response, 0)] {
        let side = side.get(..side.floor_char_boundary(SIDE_BYTES)).unwrap_or_default();
        for range in sentences(side).into_iter().take(SIDE_SENTENCES) {
            let sentence = side.get(range).unwrap_or_default();
            let words = telling_words(sentence);
            if words < 2 || sentence.starts_with("```") {
                continue;
            }
            let asks = usize::from(sentence.ends_with('?'));
            let weight = (2 * words.min(ENOUGH_WORDS) + bonus).saturating_sub(asks);
            if best.is_none_or(|(most, _)| most < weight) {
                best = Some((weight, sentence));
            }
        }
    }
    best.map(|(_, sentence)| sentence)
}

/// Counts the different words of a sentence that are long enough and no small talk. Text without
/// spaces counts one for three characters.
fn telling_words(sentence: &str) -> usize {
    let mut seen = HashSet::new();
    for word in sentence.split(|c: char| !c.is_alphanumeric()) {
        if !word.is_ascii() && word.chars().count() > 15 {
            return word.chars().count() / 3;
        }
        if word.len() > 3 && !is_small_talk(&word.to_lowercase()) {
            seen.insert(word);
        }
    }
    seen.len()
}

/// Returns the first text that is not empty.
fn fallback(texts: &Texts) -> &str {
    let user = texts.user_input.trim();
    if user.is_empty() { texts.agent_response.trim() } else { user }
}

/// Returns a text on one line, cut after a word if it is longer than `limit` characters.
fn clipped(text: &str, limit: usize) -> String {
    // A character has at most four bytes and white space is only removed.
    let near = text.get(..text.floor_char_boundary(16 * limit)).unwrap_or_default();
    let line = near.split_whitespace().collect::<Vec<_>>().join(" ");
    let Some((end, _)) = line.char_indices().nth(limit) else { return line };
    let head = line.get(..end).unwrap_or_default();
    let cut = head.rfind(' ').filter(|&at| at > end / 2).unwrap_or(end);
    line.get(..cut).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(user_input: &str, agent_response: &str) -> Texts {
        Texts { user_input: user_input.to_owned(), agent_response: agent_response.to_owned() }
    }

    fn check(previous: Option<&str>, user: &str, agent: &str, expected: &str) {
        assert_eq!(chain_summary(previous, &texts(user, agent)), expected);
    }

    #[test]
    fn a_chain_is_its_beginning_and_its_present() {
        let trip = "We are planning a hiking trip to Norway.";
        check(None, &format!("Hey! {trip}"), "Sounds fun! When?", trip);
        check(
            Some(trip),
            "Which boots survive wet granite?",
            "Leather boots with Vibram soles grip wet granite best.",
            "We are planning a hiking trip to Norway. ... Leather boots with Vibram soles grip wet \
             granite best.",
        );
        check(
            Some("The trip. ... The boots."),
            "Our ferry leaves Bergen at noon.",
            "",
            "The trip. ... Our ferry leaves Bergen at noon.",
        );
    }

    #[test]
    fn small_talk_changes_nothing() {
        check(Some("The trip."), "Thanks!", "You are welcome!", "The trip.");
        check(None, "Thanks!", "", "Thanks!");
        check(None, "", " ok ", "ok");
        check(None, "", "", "");
    }

    #[test]
    fn a_line_is_never_longer_than_promised() {
        let cases = ["word ", "\u{6f22}\u{5b57}", "a\u{301}", "x", " \n\t", "Granite boots grip. "];
        for piece in cases {
            let long = piece.repeat(60_000 / piece.len());
            let mut line = None;
            for _ in 0..3 {
                let next = chain_summary(line.as_deref(), &texts(&long, &long));
                assert!(next.chars().count() <= CHAIN_CHARS, "{piece:?}: {next}");
                line = Some(next);
            }
        }
    }
}
