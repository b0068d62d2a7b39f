//! The profile: who the user is, composed of facts in a fixed order.
//!
//! Every line rests on facts (the topics on segments) and shows what was said, word for word. It is
//! composed when it is asked for and never stored, so it is never out of date. The prose of a model
//! stands after it, as long as every page it cites is there.

use std::collections::HashSet;

use crate::memory::fact::{Attribute, Fact};
use crate::memory::prompts::ModelProfile;
use crate::time::Timestamp;

/// The clauses of a line, and its characters, at most.
const LINE_CLAUSES: usize = 8;
const LINE_CHARS: usize = 600;

/// The topics that are named, at most, and the pages a topic has at least.
const TOPICS: usize = 5;
const TOPIC_PAGES: u32 = 3;

/// The keywords by which a topic is named.
const TOPIC_WORDS: usize = 3;

/// A topic, as the profile names it.
#[derive(Debug, Clone, Copy)]
pub struct Topic<'a> {
    /// Its pages.
    pub pages: u32,
    /// Its keywords, best first.
    pub keywords: &'a [String],
}

/// The lines in their order.
const LINES: [(&str, &[Attribute]); 7] = [
    (
        "Identity",
        &[
            Attribute::Name,
            Attribute::Pronouns,
            Attribute::Birthday,
            Attribute::Home,
            Attribute::Origin,
            Attribute::Language,
        ],
    ),
    ("People", &[Attribute::Partner, Attribute::Family, Attribute::Friend, Attribute::Pet]),
    ("Work", &[Attribute::Job, Attribute::Employer, Attribute::Study, Attribute::Skill]),
    ("Health", &[Attribute::Health, Attribute::Diet]),
    (
        "Likes and dislikes",
        &[Attribute::Like, Attribute::Dislike, Attribute::Hobby, Attribute::Possession],
    ),
    ("Current plans", &[Attribute::Plan, Attribute::Trip, Attribute::Goal]),
    ("Asked to remember", &[Attribute::Note]),
];

/// Composes the profile of the facts that hold; none if there is nothing to show.
///
/// `topics` may come in any order: those with the most pages are named.
pub fn compose<'a>(
    facts: impl Iterator<Item = &'a Fact>,
    topics: impl Iterator<Item = Topic<'a>>,
    model: Option<&ModelProfile>,
    now: Timestamp,
) -> Option<String> {
    let mut held: Vec<&Fact> = facts.filter(|fact| !fact.closed).collect();
    held.sort_by_key(|fact| std::cmp::Reverse((fact.said_at.micros(), fact.id)));
    let mut text = String::new();
    for (name, attributes) in LINES {
        let line = clauses(&held, attributes, now);
        if !line.is_empty() {
            push(&mut text, name, &line.join(" "));
        }
    }
    let named = named(topics);
    if !named.is_empty() {
        push(&mut text, "Topics", &format!("{}.", named.join("; ")));
    }
    if let Some(model) = model {
        let sections = [
            ("Needs and personality", &model.needs),
            ("Expectations of the assistant", &model.expectations),
            ("Interests", &model.interests),
        ];
        for (name, section) in sections.into_iter().filter(|(_, section)| !section.is_empty()) {
            push(&mut text, name, section);
        }
    }
    (!text.is_empty()).then_some(text)
}

fn push(text: &mut String, name: &str, line: &str) {
    let end = if text.is_empty() { "" } else { "\n" };
    text.extend([end, name, ": ", line]);
}

/// Returns the clauses of the facts of some attributes, in the order of the attributes, of each the
/// newest first.
fn clauses(held: &[&Fact], attributes: &[Attribute], now: Timestamp) -> Vec<String> {
    let mut shown = HashSet::new();
    let mut line: Vec<String> = Vec::new();
    let mut room = LINE_CHARS;
    for attribute in attributes {
        for fact in held.iter().filter(|f| f.attribute == *attribute && is_shown(f, now)) {
            if line.len() >= LINE_CLAUSES {
                return line;
            }
            let clause = sentence(fact);
            let chars = clause.chars().count() + 1;
            if chars <= room && shown.insert(fact.clause.as_str()) {
                room -= chars;
                line.push(clause);
            }
        }
    }
    line
}

/// Whether a fact is still to come, if it is of a kind that passes.
fn is_shown(fact: &Fact, now: Timestamp) -> bool {
    match fact.attribute {
        Attribute::Plan => fact.valid_to.is_none_or(|to| to.micros() > now.micros()),
        Attribute::Trip => fact.valid_to.is_some_and(|to| to.micros() > now.micros()),
        _ => true,
    }
}

/// Returns a clause as a sentence, with its date where it was resolved from words of time.
fn sentence(fact: &Fact) -> String {
    let mut clause = fact.clause.trim_end_matches([',', ';', ':', ' ']).to_owned();
    let passes = matches!(fact.attribute, Attribute::Plan | Attribute::Trip);
    if let Some(from) = fact.dated_from().filter(|_| passes) {
        clause = format!("{clause} ({})", from.day());
    }
    if !clause.ends_with(['.', '!', '?', '\u{3002}', '\u{ff01}']) {
        clause.push('.');
    }
    clause
}

fn named<'a>(topics: impl Iterator<Item = Topic<'a>>) -> Vec<String> {
    let mut topics: Vec<Topic<'a>> =
        topics.filter(|t| t.pages >= TOPIC_PAGES && !t.keywords.is_empty()).collect();
    topics.sort_by_key(|topic| std::cmp::Reverse(topic.pages));
    let words = |topic: &Topic<'_>| {
        topic.keywords.iter().take(TOPIC_WORDS).cloned().collect::<Vec<_>>().join(", ")
    };
    topics.iter().take(TOPICS).map(words).collect()
}
