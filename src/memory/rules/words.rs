//! A text as words: lower case, with short forms written out ("I'm" is "i", "am").
//!
//! It is no grammar: a word is a run of letters and digits, and every other character is a mark.
//! The one rule it keeps: every word knows the bytes it stands on, so that what is shown of a text
//! is always the text itself.

use std::ops::Range;

/// A word or a mark of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a> {
    /// In lower case (as far as ASCII goes); a short form written out.
    pub(super) word: &'a str,
    /// Its first byte.
    pub(super) start: usize,
    /// The byte after its last.
    pub(super) end: usize,
    /// Whether it is a letter or a number and no mark.
    pub(super) is_word: bool,
    /// Whether it begins with a capital.
    pub(super) is_capital: bool,
}

/// Short forms without an apostrophe, as people type them.
const RUN_TOGETHER: [(&str, [&str; 2]); 11] = [
    ("im", ["i", "am"]),
    ("ive", ["i", "have"]),
    ("dont", ["do", "not"]),
    ("didnt", ["did", "not"]),
    ("doesnt", ["does", "not"]),
    ("cant", ["can", "not"]),
    ("isnt", ["is", "not"]),
    ("cannot", ["can", "not"]),
    ("gonna", ["going", "to"]),
    ("wanna", ["want", "to"]),
    ("gotta", ["must", "to"]),
];

/// Returns the words and marks of a part of a text.
///
/// `lower` is `text` with its ASCII letters in lower case, so both have the same bytes.
pub(super) fn tokens<'a>(text: &str, lower: &'a str, range: Range<usize>) -> Vec<Token<'a>> {
    let mut found = Vec::new();
    let mut at = range.start;
    while let Some(rest) = lower.get(at..range.end) {
        let Some(first) = rest.chars().next() else { break };
        let len = if is_letter(first) { word_len(rest) } else { first.len_utf8() };
        let (start, end) = (at, at + len);
        at = end;
        if first.is_whitespace() {
            continue;
        }
        let is_capital = text.get(start..).is_some_and(|t| t.starts_with(char::is_uppercase));
        let word = rest.get(..len).unwrap_or_default();
        let token = Token { word, start, end, is_word: is_letter(first), is_capital };
        if token.is_word {
            at += push_word(token, lower.get(end..range.end).unwrap_or_default(), &mut found);
        } else {
            found.push(token);
        }
    }
    found
}

/// Adds a word, and what follows it after an apostrophe; returns the bytes of the latter.
fn push_word<'a>(token: Token<'a>, after: &'a str, found: &mut Vec<Token<'a>>) -> usize {
    let with = |word, end| Token { word, end, ..token };
    let Some(rest) = after.strip_prefix(is_apostrophe).filter(|r| r.starts_with(is_letter)) else {
        match RUN_TOGETHER.iter().find(|(short, _)| *short == token.word) {
            Some((_, long)) => found.extend(long.map(|word| with(word, token.end))),
            None => found.push(token),
        }
        return 0;
    };
    let len = after.len() - rest.len() + word_len(rest);
    let end = token.end + len;
    let suffix = rest.get(..word_len(rest)).unwrap_or_default();
    let long = match suffix {
        "m" => Some("am"),
        "ve" => Some("have"),
        "ll" => Some("will"),
        "re" => Some("are"),
        "d" => Some("'d"),
        "s" => Some("'s"),
        "t" if token.word.ends_with('n') => Some("not"),
        _ => None,
    };
    let Some(long) = long else {
        found.push(with(token.word, end));
        return len;
    };
    let base = match (long, token.word) {
        ("not", "can") => "can",
        ("not", "won") => "will",
        ("not", "ain") => "am",
        ("not", word) => word.strip_suffix('n').unwrap_or(word),
        (_, word) => word,
    };
    found.push(with(base, if long == "'s" { token.end } else { end }));
    found.push(Token { word: long, end, is_capital: false, ..token });
    len
}

/// The bytes of the word at the start of a text: hyphens, and points in numbers, are inside it.
fn word_len(text: &str) -> usize {
    let mut end = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|&(_, c)| c);
        let previous_is_digit =
            text.get(..at).is_some_and(|t| t.ends_with(|c: char| c.is_ascii_digit()));
        let inside = match c {
            '-' | '_' => next.is_some_and(is_letter) && at > 0,
            '.' | ':' | ',' => previous_is_digit && next.is_some_and(|c| c.is_ascii_digit()),
            _ => is_letter(c),
        };
        if !inside {
            break;
        }
        end = at + c.len_utf8();
    }
    end
}

fn is_letter(c: char) -> bool {
    c.is_alphanumeric() || !c.is_ascii() && unicode_normalization::char::is_combining_mark(c)
}

fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '\u{2019}' | '`' | '\u{b4}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let lower = text.to_ascii_lowercase();
        let found = tokens(text, &lower, 0..text.len());
        assert_eq!(found.iter().map(|t| t.word).collect::<Vec<_>>(), expected, "{text:?}");
        assert!(found.iter().all(|t| text.get(t.start..t.end).is_some()));
    }

    #[test]
    fn short_forms_are_written_out() {
        check("I'm, I\u{2019}ve we`ll Im", &["i", "am", ",", "i", "have", "we", "will", "i", "am"]);
        check("don't can't won't isn't", &["do", "not", "can", "not", "will", "not", "is", "not"]);
        check("gonna dont", &["going", "to", "do", "not"]);
    }

    #[test]
    fn hyphens_and_points_stay_inside_words_and_numbers() {
        check(
            "my co-op - 3.5 km, 2024-05-01.",
            &["my", "co-op", "-", "3.5", "km", ",", "2024-05-01", "."],
        );
        check("Anna's o'clock", &["anna", "'s", "o"]);
    }
}
