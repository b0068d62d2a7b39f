//! The part of a long text that a query is about.
//!
//! The text is cut into sentences; each is compared with the query, a word being worth the more the
//! fewer sentences have it; the window grows from the best one by whole sentences.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::query::Query;
use super::terms::words_with_stems;
use crate::embed::StaticModel;

/// A sentence that is too long is cut so that this many pieces fit into a window.
const PIECES_PER_WINDOW: usize = 3;

/// Returns the bytes of `text`, at most `max_chars` characters, around the sentence that fits
/// `query` best (the first of equals): whole sentences where they fit, without white space at its
/// ends. All of a text that is short enough; the beginning when nothing fits.
///
/// Both ends are at character boundaries. Costs one pass over the text.
pub fn best_window(text: &str, query: &str, max_chars: usize, model: &StaticModel) -> Range<usize> {
    if text.chars().nth(max_chars).is_none() {
        return 0..text.len();
    }
    if max_chars == 0 {
        return 0..0;
    }
    let parts = parts(text, max_chars);
    let scores = scores(text, &parts, query, model);
    let best = (0..parts.len())
        .reduce(|best, other| if scores.get(best) < scores.get(other) { other } else { best });
    let chosen = grow(&parts, best.unwrap_or(0), max_chars);
    trim(text, chosen)
}

/// A sentence, or a piece of a long one.
#[derive(Debug, Clone, PartialEq)]
struct Part {
    bytes: Range<usize>,
    n_chars: usize,
}

/// Cuts a text into parts that follow each other, each of at most `max_chars` characters.
fn parts(text: &str, max_chars: usize) -> Vec<Part> {
    let mut parts = Vec::new();
    for bytes in sentences(text) {
        let sentence = text.get(bytes.clone()).unwrap_or_default();
        let n_chars = sentence.chars().count();
        if n_chars <= max_chars {
            parts.push(Part { bytes, n_chars });
        } else {
            cut(sentence, bytes.start, (max_chars / PIECES_PER_WINDOW).max(1), &mut parts);
        }
    }
    parts
}

/// Finds the sentences, each with the white space after it.
fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let (mut start, mut closing) = (0, false);
    let mut after_space = false;
    for (at, c) in text.char_indices() {
        if c.is_whitespace() {
            after_space |= closing || c == '\n';
            continue;
        }
        if after_space {
            found.push(start..at);
            (start, after_space, closing) = (at, false, false);
        }
        match c {
            '.' | '!' | '?' | '\u{2026}' => closing = true,
            // These end a sentence without a space after them.
            '\u{3002}' | '\u{ff01}' | '\u{ff1f}' | '\u{964}' => {
                (closing, after_space) = (true, true);
            }
            '"' | '\'' | ')' | ']' | '\u{201d}' | '\u{2019}' | '\u{300d}' => {}
            _ => closing = false,
        }
    }
    found.push(start..text.len());
    found
}

/// Cuts a long sentence into pieces of at most `n_chars` characters, at white space where there is
/// some in the second half of a piece.
fn cut(sentence: &str, offset: usize, n_chars: usize, parts: &mut Vec<Part>) {
    let mut rest = sentence;
    let mut start = offset;
    while !rest.is_empty() {
        let full = rest.char_indices().nth(n_chars).map_or(rest.len(), |(at, _)| at);
        let piece = rest.get(..full).unwrap_or(rest);
        let space = piece.char_indices().rfind(|(_, c)| c.is_whitespace());
        let end = match space {
            Some((at, c)) if full < rest.len() && at > full / 2 => at + c.len_utf8(),
            _ => full,
        };
        let Some((piece, after)) = rest.split_at_checked(end) else { return };
        parts.push(Part { bytes: start..start + end, n_chars: piece.chars().count() });
        (rest, start) = (after, start + end);
    }
}

/// Scores each part: the share of the query's terms it has, weighed by how few parts have them,
/// plus the weighted cosine.
fn scores(text: &str, parts: &[Part], query: &str, model: &StaticModel) -> Vec<f32> {
    let query = Query::prepare(query, model);
    let wanted: HashSet<&str> = query.terms.iter().map(|(term, _)| term.as_str()).collect();
    let mut having: HashMap<&str, u32> = HashMap::new();
    let mut found: Vec<HashSet<&str>> = Vec::with_capacity(parts.len());
    for part in parts {
        let words = words_with_stems(text.get(part.bytes.clone()).unwrap_or_default());
        let terms: HashSet<&str> =
            words.iter().filter_map(|(_, term)| wanted.get(term.as_str()).copied()).collect();
        for &term in &terms {
            *having.entry(term).or_default() += 1;
        }
        found.push(terms);
    }
    let weight = |term: &str| {
        let df = having.get(term).copied().unwrap_or(0) as f32;
        (1.0 + (parts.len() as f32 - df + 0.5) / (df + 0.5)).ln()
    };
    let total: f32 =
        wanted.iter().filter(|term| having.contains_key(*term)).map(|t| weight(t)).sum();
    let lexical = found.iter().map(|terms| {
        // In the query's order, so that the sum is the same in every run.
        let terms = query.terms.iter().filter(|(term, _)| terms.contains(term.as_str()));
        terms.map(|(term, _)| weight(term)).sum::<f32>() / total.max(f32::MIN_POSITIVE)
    });
    let texts = parts.iter().map(|part| text.get(part.bytes.clone()).unwrap_or_default());
    lexical.zip(texts).map(|(lex, text)| lex + query.dense_score(text, model)).collect()
}

/// Adds parts after and before the best one, in turn, as long as they fit.
fn grow(parts: &[Part], best: usize, max_chars: usize) -> Range<usize> {
    let n_chars = |at: usize| parts.get(at).map_or(usize::MAX, |part| part.n_chars);
    let (mut first, mut last) = (best, best);
    let mut left = max_chars.saturating_sub(n_chars(best));
    loop {
        let before = (last, first);
        if n_chars(last + 1) <= left {
            last += 1;
            left -= n_chars(last);
        }
        if first > 0 && n_chars(first - 1) <= left {
            first -= 1;
            left -= n_chars(first);
        }
        if before == (last, first) {
            break;
        }
    }
    let start = parts.get(first).map_or(0, |part| part.bytes.start);
    start..parts.get(last).map_or(start, |part| part.bytes.end)
}

fn trim(text: &str, bytes: Range<usize>) -> Range<usize> {
    let part = text.get(bytes.clone()).unwrap_or_default();
    let start = bytes.start + (part.len() - part.trim_start().len());
    start..start + part.trim().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window<'a>(text: &'a str, query: &str, max_chars: usize) -> &'a str {
        let range = best_window(text, query, max_chars, StaticModel::built_in());
        text.get(range).unwrap()
    }

    const STORY: &str = "We went out early. The weather was fine and warm. My dog Bruno ran \
                         after a swan! Nobody was hurt. In the evening we played cards.";

    #[test]
    fn the_window_is_around_the_sentence_that_answers() {
        assert_eq!(window(STORY, "What did the dog chase?", 40), "My dog Bruno ran after a swan!");
        assert_eq!(
            window(STORY, "What did the dog chase?", 50),
            "My dog Bruno ran after a swan! Nobody was hurt."
        );
        assert_eq!(window(STORY, "cards in the evening", 31), "In the evening we played cards.");
        assert_eq!(window(STORY, "dog", 1_000), STORY);
    }

    #[test]
    fn sentences_end_where_people_see_them_end() {
        let text = "Is it 3.5? \"Yes.\" Fine...\nNext line\u{3002}\u{4f60}\u{597d}\u{ff01}\u{518d}";
        let found: Vec<&str> =
            sentences(text).into_iter().map(|range| text.get(range).unwrap()).collect();
        let expected = [
            "Is it 3.5? ",
            "\"Yes.\" ",
            "Fine...\n",
            "Next line\u{3002}",
            "\u{4f60}\u{597d}\u{ff01}",
            "\u{518d}",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn every_window_of_every_text_is_within_its_limit_and_at_boundaries() {
        let texts = [
            "",
            "   ",
            "x",
            &"\u{732b}".repeat(300),
            &"word ".repeat(200),
            &"no-space-at-all".repeat(60),
            &"e\u{301} \u{1f468}\u{200d}\u{1f469}. ".repeat(40),
            &"a.\n\n\n b? ".repeat(50),
        ];
        for text in texts {
            for max_chars in [0, 1, 2, 3, 7, 50, 299] {
                let found = window(text, "word \u{732b} b", max_chars);
                assert!(found.chars().count() <= max_chars, "{max_chars} of {text:?}");
                assert!(max_chars < 3 || !found.is_empty() || text.trim().is_empty(), "{text:?}");
            }
        }
    }

    #[test]
    fn the_end_of_a_text_of_the_greatest_length_is_found() {
        let text = format!("{}The code of the safe is 4711.", "Cats sleep a lot. ".repeat(3_600));
        let found = window(&text, "what is the code of the safe", 1_500);
        assert!(found.ends_with("The code of the safe is 4711."), "{found}");
        assert!(found.chars().count() > 1_400);
    }
}
