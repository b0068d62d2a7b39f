//! The table that decides: what is read from a text, and what is not.
//!
//! Every false fact found anywhere becomes a row of `traps`.

mod deeds;
mod later;
mod messages;
mod more;
mod states;
mod traps;
mod traps_at_work;

use super::{advice, statements};
use crate::memory::fact::{Act, CLAUSE_CHARS, Statement};
use crate::time::Timestamp;

/// A Wednesday; every row is said then.
const SAID: &str = "2026-05-13T10:00:00+02:00";

fn said() -> Timestamp {
    Timestamp::parse(SAID).unwrap()
}

/// Writes a statement as a row has it: `key = value`, then `not`, `end` or `!` (asked to be
/// remembered), then `@` with its days.
fn shown(statement: &Statement) -> String {
    let mark = |yes: bool, text: &'static str| if yes { text } else { "" };
    let day = |t: Option<Timestamp>| {
        t.map_or(String::new(), |t| t.to_string().chars().take(10).collect())
    };
    let days = (day(statement.valid_from), day(statement.valid_to));
    let days = if days.0.is_empty() && days.1.is_empty() {
        String::new()
    } else {
        format!(" @{}..{}", days.0, days.1)
    };
    format!(
        "{} = {}{}{}{}{days}",
        statement.key(),
        statement.value,
        mark(statement.negated, " not"),
        mark(statement.act == Act::End, " end"),
        mark(statement.explicit, " !"),
    )
}

/// Checks rows of a text and all that is read from it, and what holds of every statement.
fn check(rows: &[(&str, &[&str])]) {
    let mut wrong = Vec::new();
    for (text, expected) in rows {
        let found = statements(text, said());
        let is_sound = |s: &Statement| {
            text.contains(&s.clause)
                && s.clause.chars().count() <= CLAUSE_CHARS
                && !s.value.is_empty()
                && s.value.split_whitespace().count() <= 12
        };
        let unsound: Vec<&Statement> = found.iter().filter(|s| !is_sound(s)).collect();
        assert!(unsound.is_empty(), "{text:?}: {unsound:?}");
        let found: Vec<String> = found.iter().map(shown).collect();
        if found != *expected {
            wrong.push(format!("{text:?}\n  found    {found:?}\n  expected {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} rows are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// Checks that nothing is read from texts.
fn check_silent(texts: &[&str]) {
    let rows: Vec<(&str, &[&str])> = texts.iter().map(|&text| (text, &[] as &[&str])).collect();
    check(&rows);
}
