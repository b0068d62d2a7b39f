//! Facts by rule: what the clauses of a page say about the user, without any model.
//!
//! A message is stripped of what the user did not say (`input`), cut into sentences and clauses
//! (`clause`), and each clause must pass `gate`. What is left is read by tables: `frames` for what
//! holds, `deed` for what was or will be done, `people` for what is said of others. It is made to
//! be silent when in doubt: a fact that nobody said is worse than one that was missed.

mod advice;
mod asked;
mod calendar;
mod chinese;
mod clause;
mod copula;
mod dates;
mod deed;
mod draft;
mod frames;
mod gate;
mod holding;
mod input;
mod lexicon;
mod people;
mod reader;
mod rule;
mod value;
mod verbs;
mod words;

#[cfg(test)]
mod tests;

use crate::memory::fact::Statement;
use crate::memory::page::Texts;
use crate::panics;
use crate::time::Timestamp;

/// Returns what the user's side of a page says about the user, in the order of the text.
///
/// Two statements never agree in attribute, head and value. One pass over the text, except that
/// each sentence is read once per clause; a text of 500 characters takes some tens of microseconds.
pub fn statements(user_input: &str, at: Timestamp) -> Vec<Statement> {
    let mut said = reader::read(user_input, at);
    // "I live in to Bergen" says nothing of where.
    said.retain(|statement| !statement.value.trim().is_empty());
    said
}

/// Returns what the assistant's side of a page says the assistant stands by; at most one.
///
/// That is what it recommends or has made itself, said as "I recommend ..." or "I created ...",
/// never general knowledge.
pub fn advice(agent_response: &str, at: Timestamp) -> Option<Statement> {
    advice::read(agent_response, at)
}

/// Returns all that a page says: of the user first, then of the assistant.
pub fn read(texts: &Texts, at: Timestamp) -> Vec<Statement> {
    let read = || {
        let mut said = statements(&texts.user_input, at);
        said.extend(advice(&texts.agent_response, at));
        said
    };
    panics::read_or("facts", read, Vec::new)
}
