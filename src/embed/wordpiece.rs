//! BERT's uncased `WordPiece`: text to the numbers of its pieces.
//!
//! The same pieces as the `tokenizers` package gives with `BertNormalizer`, `BertPreTokenizer` and
//! the same vocabulary, without special tokens. The text is read as a stream, so that reading
//! stops when the caller has enough pieces.

use std::ops::ControlFlow;

use unicode_general_category::{GeneralCategory, get_general_category};
use unicode_normalization::char::decompose_canonical;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// The piece that stands for a word the vocabulary cannot spell.
pub(super) const UNKNOWN: u16 = 100;

/// Words with more characters are unknown.
const MAX_WORD_CHARS: usize = 100;

/// The number of places in the hash table: a power of two, about twice the pieces.
const PLACES: usize = 1 << 16;

/// A place in the hash table without a piece.
const FREE: u16 = u16::MAX;

/// The pieces by number and by text.
#[derive(Debug)]
pub(super) struct Vocabulary {
    pieces: Vec<&'static str>,
    places: Vec<u16>,
    longest_bytes: usize,
}

impl Vocabulary {
    /// Reads one piece a line; a piece that continues a word begins with `##`.
    pub(super) fn new(lines: &'static str) -> Self {
        let pieces: Vec<&'static str> = lines.lines().take(usize::from(FREE)).collect();
        let mut places = vec![FREE; PLACES];
        for (number, piece) in (0_u16..).zip(&pieces) {
            let mut at = start(split(piece));
            while let Some(place) = places.get_mut(at % PLACES) {
                if *place == FREE {
                    *place = number;
                    break;
                }
                at += 1;
            }
        }
        let longest_bytes = pieces.iter().map(|p| p.len()).max().unwrap_or(0);
        Self { pieces, places, longest_bytes }
    }

    /// Returns the text of a piece, with its `##`; empty for a number that is none.
    pub(super) fn piece(&self, number: u16) -> &'static str {
        self.pieces.get(usize::from(number)).copied().unwrap_or_default()
    }

    /// Returns the first `limit` pieces of a text.
    pub(super) fn pieces(&self, text: &str, limit: usize) -> Vec<u16> {
        let mut found = Vec::with_capacity(limit.min(text.len() / 4 + 1));
        let _stopped = for_each_word(text, &mut |word| {
            self.spell(word, &mut found);
            if found.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        found.truncate(limit);
        found
    }

    /// Appends the pieces of one word: always the longest that fits, or [`UNKNOWN`] alone.
    fn spell(&self, word: &str, found: &mut Vec<u16>) {
        let before = found.len();
        let mut rest = word;
        if too_long(word) {
            found.push(UNKNOWN);
            return;
        }
        while !rest.is_empty() {
            let continues = rest.len() < word.len();
            let Some((piece, after)) = self.longest(continues, rest) else {
                found.truncate(before);
                found.push(UNKNOWN);
                return;
            };
            found.push(piece);
            rest = after;
        }
    }

    /// Finds the longest piece that `text` begins with, and what follows it.
    fn longest<'a>(&self, continues: bool, text: &'a str) -> Option<(u16, &'a str)> {
        (1..=text.len().min(self.longest_bytes)).rev().find_map(|end| {
            let (head, after) = text.split_at_checked(end)?;
            Some((self.find(continues, head)?, after))
        })
    }

    fn find(&self, continues: bool, text: &str) -> Option<u16> {
        let key = (continues, text);
        let mut at = start(key);
        loop {
            let number = *self.places.get(at % PLACES)?;
            if number == FREE {
                return None;
            }
            if split(self.piece(number)) == key {
                return Some(number);
            }
            at += 1;
        }
    }
}

/// Takes a piece apart: whether it continues a word, and its text.
fn split(piece: &str) -> (bool, &str) {
    match piece.strip_prefix("##") {
        Some(text) if !text.is_empty() => (true, text),
        _ => (false, piece),
    }
}

/// Returns where in the hash table the search for a piece starts.
fn start((continues, text): (bool, &str)) -> usize {
    // The low 16 bits are all that is used.
    usize::from((xxh3_64_with_seed(text.as_bytes(), u64::from(continues)) & 0xffff) as u16)
}

fn too_long(word: &str) -> bool {
    word.len() > MAX_WORD_CHARS && word.chars().count() > MAX_WORD_CHARS
}

/// Calls `visit` for every word of the cleaned text, a punctuation mark or ideograph being one.
fn for_each_word(text: &str, visit: &mut Visit<'_>) -> ControlFlow<()> {
    let mut word = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            word.push(c.to_ascii_lowercase());
        } else if is_space(c) {
            end_word(&mut word, visit)?;
        } else if is_dropped(c) {
            // It ends no word.
        } else if is_ideograph(c) {
            end_word(&mut word, visit)?;
            push_plain(c, &mut word, visit)?;
            end_word(&mut word, visit)?;
        } else {
            push_plain(c, &mut word, visit)?;
        }
    }
    end_word(&mut word, visit)
}

type Visit<'a> = dyn FnMut(&str) -> ControlFlow<()> + 'a;

fn end_word(word: &mut String, visit: &mut Visit<'_>) -> ControlFlow<()> {
    if word.is_empty() {
        return ControlFlow::Continue(());
    }
    let flow = visit(word);
    word.clear();
    flow
}

/// Appends a character in lower case and without accents; punctuation becomes a word.
fn push_plain(c: char, word: &mut String, visit: &mut Visit<'_>) -> ControlFlow<()> {
    let mut plain = String::new();
    decompose_canonical(c, |part| {
        if get_general_category(part) != GeneralCategory::NonspacingMark {
            plain.extend(part.to_lowercase());
        }
    });
    for part in plain.chars() {
        if is_punctuation(part) {
            end_word(word, visit)?;
            word.push(part);
            end_word(word, visit)?;
        } else {
            word.push(part);
        }
    }
    ControlFlow::Continue(())
}

/// White space, without the control characters that only Unicode counts as such.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r') || (c.is_whitespace() && !c.is_control())
}

/// Control, format and private characters, and the replacement character.
fn is_dropped(c: char) -> bool {
    use GeneralCategory::{Control, Format, PrivateUse};
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    c == '\u{fffd}' || matches!(get_general_category(c), Control | Format | PrivateUse)
}

fn is_punctuation(c: char) -> bool {
    use GeneralCategory as G;
    if c.is_ascii() {
        return c.is_ascii_punctuation();
    }
    matches!(
        get_general_category(c),
        G::ConnectorPunctuation
            | G::DashPunctuation
            | G::OpenPunctuation
            | G::ClosePunctuation
            | G::InitialPunctuation
            | G::FinalPunctuation
            | G::OtherPunctuation
    )
}

/// The blocks that BERT's own tokenizer sets apart; kana and Hangul are not among them.
fn is_ideograph(c: char) -> bool {
    matches!(u32::from(c),
        0x4e00..=0x9fff
        | 0x3400..=0x4dbf
        | 0x2_0000..=0x2_a6df
        | 0x2_a700..=0x2_b73f
        | 0x2_b740..=0x2_b81f
        | 0x2_b920..=0x2_ceaf
        | 0xf900..=0xfaff
        | 0x2_f800..=0x2_fa1f)
}
