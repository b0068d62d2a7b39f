//! What the assistant stands by: what it recommended, and what it made or promised.
//!
//! Only what it says of itself, in the first person, with a thing that can be told from others.
//! General knowledge, offers of help and conditions are nothing it stands by.

use super::clause::clauses;
use super::dates::Direction;
use super::draft::{Draft, Scene};
use super::gate;
use super::input::spoken;
use super::lexicon::List;
use super::reader::holds_secret;
use super::value;
use super::verbs::{ADVERBS, Form, form};
use super::words::{Token, tokens};
use crate::memory::fact::{Attribute, Statement};
use crate::memory::secrets;
use crate::memory::sentence::sentences;
use crate::time::Timestamp;

/// What one recommends with.
const ADVISING: [&str; 8] = [
    "recommend",
    "suggest",
    "advise",
    "propose",
    "recommended",
    "suggested",
    "advised",
    "proposed",
];

/// What one makes.
const MADE: [&str; 22] = [
    "created",
    "written",
    "wrote",
    "prepared",
    "drafted",
    "built",
    "added",
    "updated",
    "made",
    "set",
    "generated",
    "saved",
    "scheduled",
    "designed",
    "implemented",
    "fixed",
    "refactored",
    "attached",
    "booked",
    "compiled",
    "composed",
    "renamed",
];

/// What one promises.
const PROMISED: [&str; 14] = [
    "create",
    "write",
    "prepare",
    "draft",
    "build",
    "send",
    "remind",
    "set",
    "schedule",
    "design",
    "implement",
    "book",
    "compile",
    "update",
];

/// Objects that are no thing: "I recommend consulting a doctor", "I created this for you".
const GENERAL: [&str; 30] = [
    "consulting",
    "seeking",
    "checking",
    "talking",
    "speaking",
    "reaching",
    "considering",
    "trying",
    "keeping",
    "using",
    "taking",
    "starting",
    "doing",
    "making",
    "being",
    "following",
    "reading",
    "contacting",
    "asking",
    "looking",
    "it",
    "this",
    "that",
    "them",
    "these",
    "those",
    "something",
    "everything",
    "anything",
    "sure",
];

/// Reads the first thing an answer stands by.
pub(super) fn read(text: &str, at: Timestamp) -> Option<Statement> {
    let kept = spoken(text);
    let lower = kept.to_ascii_lowercase();
    for range in sentences(&kept) {
        if gate::taints(lower.get(range.clone()).unwrap_or_default()) {
            return None;
        }
        let all = tokens(&kept, &lower, range.clone());
        let cut = clauses(&all);
        for clause in &cut {
            let before = all.get(..clause.body.start).unwrap_or_default();
            let asks = all.iter().any(|t| matches!(t.word, "?" | "if" | "unless" | "example"));
            let Some(body) = all.get(clause.body.clone()).filter(|_| !asks) else { continue };
            let scene = Scene { source: &kept, lead: before, body, at };
            let Some(found) = of_clause(&scene) else { continue };
            let is_secret = secrets::find(kept.get(range.clone()).unwrap_or_default()).is_some();
            return (!is_secret && !holds_secret(&found)).then_some(found);
        }
    }
    None
}

fn of_clause(scene: &Scene<'_>) -> Option<Statement> {
    let word = |idx: usize| scene.body.get(idx).map_or("", |t| t.word);
    let skip = |mut at: usize| {
        while ADVERBS.contains(&word(at)) || matches!(word(at), "highly" | "strongly") {
            at += 1;
        }
        at
    };
    let mut at = skip(0);
    while matches!(word(at), "and" | "so" | "but" | "sure" | "ok" | "okay" | ",") {
        at = skip(at + 1);
    }
    if word(at) != "i" {
        return None;
    }
    at = skip(at + 1);
    let attribute = match word(at) {
        "would" | "'d" | "have" if ADVISING.contains(&word(skip(at + 1))) => Attribute::Advice,
        verb if ADVISING.contains(&verb) => Attribute::Advice,
        "have" if MADE.contains(&word(skip(at + 1))) => Attribute::Work,
        "will" if PROMISED.contains(&word(skip(at + 1))) => Attribute::Work,
        verb if MADE.contains(&verb) => Attribute::Work,
        _ => return None,
    };
    let verb = if matches!(word(at), "would" | "'d" | "have" | "will") { skip(at + 1) } else { at };
    if word(verb + 1) == "not" {
        return None;
    }
    let range = scene.value(verb + 1, Direction::Future)?;
    let object = scene.body.get(range.clone())?;
    let shown = if attribute == Attribute::Advice { range.start } else { verb };
    let draft = Draft::new(attribute, scene.text(shown..range.end), Direction::Future);
    is_concrete(object).then(|| scene.statement(draft))
}

/// Whether an object can be told from others: a name, a title, or two words that say something.
fn is_concrete(object: &[Token<'_>]) -> bool {
    let Some(first) = object.first() else { return false };
    let has_name = object
        .iter()
        .any(|t| t.is_capital || matches!(t.word, "\"" | "\u{201c}") || t.word.contains('.'));
    let is_activity = form(first.word).is_some_and(|(_, f)| f == Form::Gerund);
    let is_general = GENERAL.contains(&first.word) || is_activity;
    (has_name || !is_general && value::n_content(object) > 1) && !List::Your.has(first.word)
        || is_general && has_name
}
