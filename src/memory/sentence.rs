//! Cuts a text into sentences.
//!
//! This is a rule, not a parser: it would rather leave two sentences together than cut one apart.
//! The one rule it keeps: every range is on character boundaries, not empty, and in order, whatever
//! the text is. One pass, linear in the text.

use std::iter::Peekable;
use std::ops::Range;
use std::str::CharIndices;

/// Abbreviations that a name or a number follows: the sentence goes on.
const BEFORE_A_NAME: [&str; 20] = [
    "dr", "mr", "mrs", "ms", "prof", "st", "vs", "no", "fig", "gen", "sen", "rep", "capt", "col",
    "lt", "mt", "cf", "e.g", "i.e", "approx",
];

/// Abbreviations that may end a sentence: it ends when a capital follows.
const BEFORE_ANYTHING: [&str; 11] =
    ["etc", "inc", "ltd", "co", "corp", "jr", "sr", "al", "dept", "est", "ave"];

/// Returns the byte ranges of the sentences of `text`, in order.
///
/// A sentence ends at a line break, at `!`, `?` or `.` before white space, and at the full stops of
/// scripts that write none after them. Abbreviations, initials, list numbers and decimals do not
/// end one. A fenced block of code is one range. Markers of lists, quotes and headings are left out.
///
/// ```
/// use memoryos::memory::sentence::sentences;
///
/// let text = "I saw Dr. Lee. It cost 3.50!";
/// let found: Vec<&str> = sentences(text).into_iter().filter_map(|r| text.get(r)).collect();
/// assert_eq!(found, ["I saw Dr. Lee.", "It cost 3.50!"]);
/// ```
pub fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut fence: Option<usize> = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let end = at + line.len();
        let is_fence = line.trim_start().starts_with("```");
        match (fence, is_fence) {
            (None, false) => split_line(text, at..end, &mut found),
            (None, true) => fence = Some(at),
            (Some(start), true) => {
                push(text, start..end, &mut found);
                fence = None;
            }
            (Some(_), false) => {}
        }
        at = end;
    }
    if let Some(start) = fence {
        push(text, start..text.len(), &mut found);
    }
    found
}

/// Cuts one line that is no code.
fn split_line(text: &str, range: Range<usize>, found: &mut Vec<Range<usize>>) {
    let Some(line) = text.get(range.clone()) else { return };
    let mut start = 0;
    let mut chars = line.char_indices().peekable();
    while let Some((_, c)) = chars.next() {
        if !is_stop(c) && !is_unspaced_stop(c) {
            continue;
        }
        let unspaced = skip_closers(&mut chars) || is_unspaced_stop(c);
        let end = chars.peek().map_or(line.len(), |&(i, _)| i);
        let rest = line.get(end..).unwrap_or_default();
        let ends = unspaced
            || rest.starts_with(char::is_whitespace)
                && (c != '.' || dot_ends(line.get(start..end).unwrap_or_default(), rest));
        if ends {
            push(text, range.start + start..range.start + end, found);
            start = end;
        }
    }
    push(text, range.start + start..range.end, found);
}

/// Passes over further stops and closing quotes and brackets; true if one of the stops is of a
/// script without spaces.
fn skip_closers(chars: &mut Peekable<CharIndices<'_>>) -> bool {
    let mut unspaced = false;
    while let Some((_, c)) = chars.next_if(|&(_, c)| is_stop(c) || is_unspaced_stop(c) || closes(c))
    {
        unspaced |= is_unspaced_stop(c);
    }
    unspaced
}

fn is_stop(c: char) -> bool {
    // Arabic question mark and full stop, Devanagari danda.
    matches!(c, '.' | '!' | '?' | '\u{2026}' | '\u{61f}' | '\u{6d4}' | '\u{964}' | '\u{965}')
}

/// Full stops after which no space is written: ideographic, full-width and half-width forms, Khmer
/// and Burmese.
fn is_unspaced_stop(c: char) -> bool {
    matches!(
        c,
        '\u{3002}'
            | '\u{ff01}'
            | '\u{ff1f}'
            | '\u{ff0e}'
            | '\u{ff61}'
            | '\u{17d4}'
            | '\u{104a}'
            | '\u{104b}'
    )
}

fn closes(c: char) -> bool {
    matches!(c, '"' | '\'' | ')' | ']' | '\u{201d}' | '\u{2019}' | '\u{300d}' | '\u{300f}' | '*')
}

/// Whether the full stop at the end of `sentence`, with white space and the rest after it, ends it.
fn dot_ends(sentence: &str, rest: &str) -> bool {
    let with_dots = sentence.trim_end_matches(closes);
    let before = with_dots.trim_end_matches('.');
    let word = before.rsplit(char::is_whitespace).next().unwrap_or_default();
    let is_first = word.len() == before.trim_start().len();
    let word = word.trim_start_matches(|c: char| !c.is_alphanumeric());
    if is_first && word.chars().all(|c| c.is_ascii_digit()) {
        return false;
    }
    let lower = word.to_lowercase();
    if BEFORE_A_NAME.contains(&lower.as_str()) {
        return false;
    }
    let mut letters = word.chars();
    let is_initial =
        letters.next().is_some_and(|c| c.is_uppercase() && c != 'I') && letters.next().is_none();
    if is_initial {
        return false;
    }
    let goes_on = rest.trim_start().starts_with(char::is_lowercase);
    let abbreviates = word.contains('.') || BEFORE_ANYTHING.contains(&lower.as_str());
    let trails_off = with_dots.ends_with("..");
    !(goes_on && (abbreviates || trails_off))
}

/// Adds `range` without the white space and markers around it, unless nothing is left.
fn push(text: &str, range: Range<usize>, found: &mut Vec<Range<usize>>) {
    let Some(whole) = text.get(range.clone()) else { return };
    let mut kept = whole.trim_start();
    let unmarked = kept.trim_start_matches(['-', '*', '#', '>', '\u{2022}']);
    if unmarked.starts_with(char::is_whitespace) {
        kept = unmarked.trim_start();
    }
    let start = range.start + (whole.len() - kept.len());
    let kept = kept.trim_end();
    if kept.chars().any(char::is_alphanumeric) {
        found.push(start..start + kept.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let found: Vec<&str> = sentences(text).into_iter().filter_map(|r| text.get(r)).collect();
        assert_eq!(found, expected, "{text:?}");
    }

    #[test]
    fn stops_and_line_breaks_end_a_sentence() {
        check("One. Two! Three? Four", &["One.", "Two!", "Three?", "Four"]);
        check("one\ntwo\r\n\r\nthree", &["one", "two", "three"]);
        check("Really?! Yes... No.", &["Really?!", "Yes...", "No."]);
        check("He said \"go.\" She went.", &["He said \"go.\"", "She went."]);
        check("i moved. then i left.", &["i moved.", "then i left."]);
        check("", &[]);
        check(" \n ... \n - \n", &[]);
    }

    #[test]
    fn a_stop_inside_a_word_or_after_an_abbreviation_ends_nothing() {
        for whole in [
            "I met Dr. Lee and Mrs. Park.",
            "Pets, e.g. cats and i.e. dogs.",
            "It cost 3.50 in total.",
            "Meet J. Smith at noon.",
            "At 5 p.m. we left, etc. and so on.",
            "See https://a.example/x?y=1!z and main.rs now.",
            "1. First do this.",
            "well... maybe so.",
        ] {
            check(whole, &[whole]);
        }
        check("We left at 5 p.m. It rained.", &["We left at 5 p.m.", "It rained."]);
        check("It was I. We knew.", &["It was I.", "We knew."]);
    }

    #[test]
    fn scripts_without_spaces_end_at_their_own_stops() {
        check(
            "\u{6211}\u{3002}\u{4f60}\u{ff01}\u{4ed6}",
            &["\u{6211}\u{3002}", "\u{4f60}\u{ff01}", "\u{4ed6}"],
        );
        check(
            "\u{300c}\u{6211}\u{3002}\u{300d}\u{4f60}",
            &["\u{300c}\u{6211}\u{3002}\u{300d}", "\u{4f60}"],
        );
        check("\u{915}\u{964} \u{916}\u{964}", &["\u{915}\u{964}", "\u{916}\u{964}"]);
    }

    #[test]
    fn a_block_of_code_is_one_range() {
        let code = "```rust\nlet a = b. c;\nwhat? no!\n```";
        check(&format!("Try this.\n{code}\nIt works."), &["Try this.", code, "It works."]);
        check("```\nlet a = 1.\nb", &["```\nlet a = 1.\nb"]);
    }

    #[test]
    fn markers_of_lists_and_headings_are_left_out() {
        check(
            "# Plan\n- buy milk\n* call *Bob*\n> quoted\n\u{2022} dot",
            &["Plan", "buy milk", "call *Bob*", "quoted", "dot"],
        );
        check("-5 degrees", &["-5 degrees"]);
    }

    #[test]
    fn any_text_gives_ordered_ranges_on_character_boundaries() {
        let pieces = [
            ".",
            "!",
            " ",
            "\n",
            "\u{3002}",
            "\u{1f600}",
            "e\u{301}",
            "```",
            "A",
            "Dr",
            "1",
            "\u{0}",
            "\u{2026}",
            "\"",
            "\u{200d}",
            "\u{ff0e}",
            "- ",
            "\u{e000}",
        ];
        // Every sequence of four pieces, so that each meets each.
        for i in 0..pieces.len().pow(4) {
            let n = pieces.len();
            let text: String = [i % n, i / n % n, i / n / n % n, i / n / n / n]
                .iter()
                .map(|&k| pieces[k])
                .collect();
            let mut last = 0;
            for range in sentences(&text) {
                assert!(last <= range.start && range.start < range.end, "{text:?} {range:?}");
                assert!(text.get(range.clone()).is_some(), "{text:?} {range:?}");
                last = range.end;
            }
        }
    }

    #[test]
    fn a_long_text_without_any_stop_is_one_sentence() {
        assert_eq!(sentences(&"a".repeat(65_536)).as_slice(), std::slice::from_ref(&(0..65_536)));
        assert_eq!(sentences(&"a. ".repeat(21_845)).len(), 21_845);
    }
}
