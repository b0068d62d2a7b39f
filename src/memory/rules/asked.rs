//! "Remember that ...", "remember to ...": what the user asked to be remembered.

use super::dates::Direction;
use super::draft::{Draft, Scene};
use super::value;
use super::verbs::{Form, form};
use super::words::Token;
use crate::memory::fact::{Attribute, Statement};
use crate::time::Timestamp;

/// What the user asked to keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// "Remember that ...".
    That,
    /// "Remember to ...".
    To,
}

/// Whether a sentence asks to remember something, and the token after that.
pub(super) fn remembered(tokens: &[Token<'_>]) -> Option<(usize, Asked)> {
    let word = |idx: usize| tokens.get(idx).map_or("", |t| t.word);
    let mut at = 0;
    while matches!(word(at), "please" | "and" | "also" | "hey" | "ok" | "okay" | "so" | ",") {
        at += 1;
    }
    if matches!((word(at), word(at + 1)), ("can" | "could" | "would", "you")) {
        at += 2 + usize::from(word(at + 2) == "please");
    }
    at = match (word(at), word(at + 1), word(at + 2)) {
        ("do", "not", "forget")
        | ("keep" | "bear", "in", "mind")
        | ("make" | "take", "a", "note")
        | ("for", "the", "record") => at + 3,
        ("note", "down", _) => at + 2,
        ("remember" | "note" | "memorize" | "save", _, _) => at + 1,
        _ => return None,
    };
    match word(at) {
        "to" => Some((at + 1, Asked::To)),
        "that" | ":" | "," | "-" => Some((at + 1, Asked::That)),
        "i" | "we" | "my" | "our" => Some((at, Asked::That)),
        _ => None,
    }
}

/// "Remember to buy milk": a plan.
pub(super) fn to_do(
    source: &str,
    all: &[Token<'_>],
    rest: &[Token<'_>],
    at: Timestamp,
) -> Option<Statement> {
    let from = all.len() - rest.len();
    let scene = Scene { source, lead: &[], body: all, at };
    let range = scene.value(from, Direction::Future)?;
    let part = all.get(range.clone())?;
    let is_advice = value::is_about_you(part) || all.iter().any(|t| t.word == "yourself");
    let is_mine = part.len() > 1 && form(part.first()?.word).is_some_and(|(_, f)| f == Form::Base);
    let draft = Draft::new(Attribute::Plan, scene.text(range), Direction::Future);
    let mut statement = scene.statement(draft);
    statement.explicit = true;
    (is_mine && !is_advice && statement.when.is_some() | rest.iter().any(|t| t.word == "my"))
        .then_some(statement)
}

/// What was asked to be remembered and fits no frame.
pub(super) fn note(source: &str, rest: &[Token<'_>], at: Timestamp) -> Option<Statement> {
    let asks = rest.iter().any(|t| t.word == "?");
    let scene = Scene { source, lead: &[], body: rest, at };
    let range = value::range(rest, 0, rest.len())?;
    let draft = Draft::new(Attribute::Note, scene.text(range), Direction::Future);
    (!asks && !value::is_about_you(rest)).then(|| scene.statement(draft))
}
