//! Cuts a sentence into clauses, each with what comes before it.
//!
//! A clause begins where a subject follows a comma or a conjunction. The one rule it keeps: what
//! is between two cuts is read together, so a condition is never cut off from what hangs on it.

use std::ops::Range;

use super::verbs::form;
use super::words::Token;

/// A part of a sentence, as positions among its tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Clause {
    /// The words before it up to the last cut, if only a comma parts them from it.
    pub(super) lead: Range<usize>,
    /// The clause.
    pub(super) body: Range<usize>,
}

/// Returns the clauses of a sentence.
pub(super) fn clauses(tokens: &[Token<'_>]) -> Vec<Clause> {
    let mut found: Vec<Clause> = Vec::new();
    let mut start = 0;
    let mut lead = 0..0;
    let mut at = 0;
    while at < tokens.len() {
        let Some(cut) = cut_at(tokens, start, at) else {
            at += 1;
            continue;
        };
        if at > start {
            found.push(Clause { lead: lead.clone(), body: start..at });
        }
        lead = if cut.is_soft { start..at } else { at..at };
        start = at + cut.len;
        at = start.max(at + 1);
    }
    if start < tokens.len() {
        found.push(Clause { lead, body: start..tokens.len() });
    }
    found
}

struct Cut {
    /// The tokens that are left out.
    len: usize,
    /// Whether only a comma parts the two.
    is_soft: bool,
}

fn cut_at(tokens: &[Token<'_>], start: usize, at: usize) -> Option<Cut> {
    let word = |idx: usize| tokens.get(idx).map_or("", |t| t.word);
    let hard = |len| Some(Cut { len, is_soft: false });
    match word(at) {
        ";" | ":" | "\u{2014}" | "\u{2013}" | "-" | "(" | ")" | "\u{2026}" | "!" => hard(1),
        "." if word(at + 1) == "." => hard(2),
        "," => match word(at + 1) {
            "but" | "so" | "because" | "though" | "although" | "which" | "who" | "where"
            | "while" | "whereas" | "cause" => hard(1),
            "and" | "plus" | "or" | "then" | "yet" if is_subject(word(at + 2)) => hard(2),
            next if is_subject(next) || asks(next, word(at + 2)) => {
                Some(Cut { len: 1, is_soft: true })
            }
            next if is_filler(next) && is_subject(word(at + 2)) => {
                Some(Cut { len: 1, is_soft: true })
            }
            _ => None,
        },
        "and" | "but" | "so" | "because" | "plus" | "though" | "although" | "since" | "while"
        | "cause" | "cuz" | "as" | "or" | "then" | "after" | "before"
            if at > start
                && !(word(at) == "since" && matches!(word(at + 2), "was" | "were"))
                && (is_subject(word(at + 1)) || asks(word(at + 1), word(at + 2)))
                && !is_pair(tokens, start, at) =>
        {
            hard(1)
        }
        // "When I was ten" is a time.
        "when" | "once" | "until"
            if at
                .checked_sub(1)
                .is_some_and(|before| matches!(word(before), "for" | "of" | "about")) =>
        {
            None
        }
        "when" | "once" | "until" if is_subject(word(at + 1)) && word(at + 2) != "was" => hard(1),
        "now" if word(at + 1) == "that" && is_subject(word(at + 2)) => hard(2),
        _ => None,
    }
}

fn is_subject(word: &str) -> bool {
    matches!(
        word,
        "i" | "we"
            | "my"
            | "our"
            | "he"
            | "she"
            | "they"
            | "it"
            | "you"
            | "there"
            | "this"
            | "that"
            | "your"
            | "his"
            | "her"
            | "their"
            | "what"
            | "how"
            | "who"
            | "why"
            | "where"
            | "let"
            | "any"
    )
}

/// Whether two words begin a question: "can you", "is there".
fn asks(first: &str, second: &str) -> bool {
    let helps = matches!(
        first,
        "can" | "could" | "do" | "does" | "is" | "are" | "should" | "would" | "will" | "did"
    );
    helps
        && matches!(second, "i" | "we" | "you" | "it" | "they" | "there" | "this" | "that" | "the")
}

fn is_filler(word: &str) -> bool {
    matches!(
        word,
        "actually" | "yesterday" | "recently" | "honestly" | "today" | "also" | "now" | "lately"
    )
}

/// Whether what stands before "and" is the first half of a subject: "my sister and I".
fn is_pair(tokens: &[Token<'_>], start: usize, at: usize) -> bool {
    let Some(part) = tokens.get(start..at) else { return false };
    let begins = part
        .first()
        .is_some_and(|t| t.is_capital && t.word != "i" || matches!(t.word, "my" | "our" | "me"));
    let is_and = tokens.get(at).is_some_and(|t| t.word == "and");
    is_and && begins && part.len() <= 4 && part.iter().all(|t| t.is_word && form(t.word).is_none())
}
