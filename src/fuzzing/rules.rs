//! The rules for facts.

use std::collections::HashSet;

use super::sections;
use crate::memory::fact::{CLAUSE_CHARS, Owner, Statement};
use crate::memory::page::Texts;
use crate::memory::rules::{self, advice, statements};
use crate::memory::secrets;
use crate::time::Timestamp;

/// The words of a value, at most.
const VALUE_WORDS: usize = 12;

/// Takes the user's side, the assistant's and the time it was said.
///
/// # Panics
///
/// When a fact shows what does not stand on its page, shows a secret, or is read differently twice.
pub fn rules(bytes: &[u8]) {
    let [user_input, agent_response, time] = sections(bytes);
    let at = Timestamp::parse(&time)
        .unwrap_or_else(|_| Timestamp::from_parts(1_777_627_800_000_000, 7_200).unwrap());
    let said = statements(&user_input, at);
    let mut seen = HashSet::new();
    for statement in &said {
        stands_in(statement, &user_input);
        assert_eq!(statement.attribute.owner(), Owner::User);
        let value = (statement.attribute, statement.head.clone(), statement.value.clone());
        assert!(seen.insert(value), "said twice: {statement:?}");
    }
    let advised = advice(&agent_response, at);
    if let Some(statement) = &advised {
        stands_in(statement, &agent_response);
        assert_eq!(statement.attribute.owner(), Owner::Assistant);
    }
    let texts = Texts { user_input, agent_response };
    let all: Vec<Statement> = said.into_iter().chain(advised).collect();
    assert_eq!(rules::read(&texts, at), all, "read differently the second time");
    let facts = crate::memory::fuzzing::learned(all, at);
    crate::storage::fuzzing::facts_come_back(&facts);
}

fn stands_in(statement: &Statement, text: &str) {
    let Statement { clause, value, when, .. } = statement;
    assert!(text.contains(clause.as_str()), "{clause:?} does not stand on the page");
    assert!(!clause.trim().is_empty() && clause.chars().count() <= CLAUSE_CHARS, "{clause:?}");
    assert!(!clause.contains('\n'), "{clause:?}");
    assert!(secrets::find(clause).is_none() && secrets::find(value).is_none(), "{statement:?}");
    assert!(!value.trim().is_empty(), "{statement:?}");
    assert!(value.split_whitespace().count() <= VALUE_WORDS, "{value:?}");
    if let Some(when) = when {
        assert!(text.contains(when.as_str()), "{when:?} does not stand on the page");
    }
    if let (Some(from), Some(to)) = (statement.valid_from, statement.valid_to) {
        assert!(from.micros() <= to.micros(), "{statement:?}");
    }
}
