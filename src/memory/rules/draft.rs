//! From what a table found in a clause to a statement: its words of time, its days, its clause.

use std::ops::Range;

use super::dates::{self, Direction, When};
use super::value;
use super::words::Token;
use crate::memory::fact::{Act, Attribute, CLAUSE_CHARS, Cardinality, Statement};
use crate::time::Timestamp;

/// How long a plan whose end is not known holds, from the day it was said or is to begin.
const PLAN_DAYS: i64 = 90;

/// A clause and where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scene<'a> {
    /// The message.
    pub(super) source: &'a str,
    /// The words before the clause that only a comma parts from it.
    pub(super) lead: &'a [Token<'a>],
    /// The words of the clause.
    pub(super) body: &'a [Token<'a>],
    /// When it was said.
    pub(super) at: Timestamp,
}

/// What a table found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Draft {
    /// What it fills.
    pub(super) attribute: Attribute,
    /// What tells it from others; none where its value does.
    pub(super) head: Option<String>,
    /// The words of its value.
    pub(super) value: String,
    /// Whether it is denied.
    pub(super) is_negated: bool,
    /// Whether it holds or is over.
    pub(super) act: Act,
    /// Where to look for its days.
    pub(super) direction: Direction,
    /// Whether the clause's words of time are not its own: who somebody is.
    pub(super) is_timeless: bool,
}

impl Draft {
    /// A value that holds.
    pub(super) fn new(attribute: Attribute, value: &str, direction: Direction) -> Self {
        Self {
            attribute,
            head: None,
            value: value.to_owned(),
            is_negated: false,
            act: Act::Hold,
            direction,
            is_timeless: matches!(
                attribute,
                Attribute::Name | Attribute::Pronouns | Attribute::Birthday | Attribute::Origin
            ),
        }
    }
}

impl<'a> Scene<'a> {
    /// Returns the words of time in the clause, else those in what leads to it.
    pub(super) fn when(&self, direction: Direction) -> Option<(When, &'a [Token<'a>])> {
        let today = self.at.day();
        // What hangs on the clause has times of its own: "a course that I began last year".
        let hangs = |t: &Token<'_>| matches!(t.word, "that" | "which" | "who" | "until");
        let end = self.body.iter().skip(4).position(hangs).map_or(self.body.len(), |at| at + 4);
        let own = self.body.get(..end).unwrap_or_default();
        dates::find(own, today, direction)
            .map(|w| (w, self.body))
            .or_else(|| dates::find(self.lead, today, direction).map(|w| (w, self.lead)))
    }

    /// Returns the tokens of the value that begins at `from`, without the words of time after it.
    pub(super) fn value(&self, from: usize, direction: Direction) -> Option<Range<usize>> {
        let today = self.at.day();
        let first = dates::at(self.body, from, today, direction).map_or(from, |w| w.end);
        let rest = (first + 1)..self.body.len();
        let stop = rest
            .into_iter()
            .find(|&idx| dates::at(self.body, idx, today, direction).is_some())
            .unwrap_or(self.body.len());
        value::range(self.body, first, stop)
    }

    /// Returns the text of tokens of the clause.
    pub(super) fn text(&self, range: Range<usize>) -> &'a str {
        value::text(self.source, self.body, range)
    }

    /// Makes a statement of a draft.
    pub(super) fn statement(&self, draft: Draft) -> Statement {
        let Draft { attribute, head, value, is_negated, act, direction, is_timeless } = draft;
        let value = value::cut(value);
        let when = self.when(direction);
        // "On Monday we chose to": the time of the decision is not that of the plan.
        let is_plan = attribute == Attribute::Plan;
        let when = when.filter(|(w, _)| {
            let is_ahead = w.span.is_none_or(|s| s.to.is_none_or(|to| to > self.at.day()));
            !is_timeless && (!is_plan || is_ahead)
        });
        let span = when.and_then(|(w, _)| w.span);
        let day = |day| self.at.start_of(day);
        let is_event = attribute.cardinality() == Cardinality::Event;
        let today = self.at.day();
        let from = span.map(|s| s.from).filter(|&from| is_event || from <= today);
        let valid_from = from.and_then(day).filter(|_| act == Act::Hold);
        let mut valid_to = span.and_then(|s| s.to).and_then(day).filter(|_| is_event);
        if is_plan && valid_to.is_none() {
            let begins = span.map_or(today, |s| s.from.max(today));
            valid_to = begins.plus_days(PLAN_DAYS).and_then(day);
        }
        let head = match attribute.cardinality() {
            // There is one way to eat, and many things not to.
            Cardinality::Single if attribute == Attribute::Diet && is_negated => {
                head.unwrap_or_else(|| value::head(&value))
            }
            Cardinality::Single => String::new(),
            Cardinality::Multi | Cardinality::Event => head.unwrap_or_else(|| value::head(&value)),
        };
        Statement {
            attribute,
            head,
            value,
            negated: is_negated,
            act,
            clause: self.clause(),
            when: when
                .map(|(w, tokens)| value::text(self.source, tokens, w.first..w.end).to_owned()),
            valid_from,
            valid_to,
            explicit: false,
        }
    }

    /// Returns the clause as it stands in the message, with what leads to it if that tells when.
    fn clause(&self) -> String {
        let joins = |t: &&Token<'_>| {
            !t.is_word && !matches!(t.word, "\"" | "\u{201c}")
                || matches!(t.word, "and" | "but" | "so" | "because" | "plus" | "then")
        };
        let own = self.body.iter().find(|t| !joins(t)).map_or(0, |t| t.start);
        let today = self.at.day();
        let leads = [Direction::Past, Direction::Future]
            .into_iter()
            .any(|direction| dates::find(self.lead, today, direction).is_some());
        // "Pip, my hamster": a name leads to what it is.
        let names = self.lead.len() < 4 && self.body.first().is_some_and(|t| t.word == "my");
        let leads = leads || names && self.lead.last().is_some_and(|t| t.is_capital);
        let first = self.lead.first().map_or(own, |t| if leads { t.start } else { own });
        let end =
            self.body.iter().rev().find(|t| t.is_word || closes(t.word)).map_or(first, |t| t.end);
        let whole = self.source.get(first..end).unwrap_or_default();
        match whole.char_indices().nth(CLAUSE_CHARS) {
            None => whole.to_owned(),
            Some((at, _)) => {
                let cut = whole.get(..at).unwrap_or_default();
                cut.rsplit_once(' ').map_or(cut, |(kept, _)| kept).to_owned()
            }
        }
    }
}

fn closes(mark: &str) -> bool {
    matches!(mark, "\"" | "\u{201d}" | "%" | ")" | "+" | "#")
}
