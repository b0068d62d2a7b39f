//! Facts by rule: what the clauses of a page say about the user, without any model.

use crate::memory::fact::Statement;
use crate::memory::page::Texts;
use crate::time::Timestamp;

/// Returns what the user's side of a page says about the user, in the order of the text.
pub fn statements(user_input: &str, at: Timestamp) -> Vec<Statement> {
    let _ = (user_input, at);
    Vec::new()
}

/// Returns what the assistant's side of a page says the assistant stands by; at most one.
pub fn advice(agent_response: &str, at: Timestamp) -> Option<Statement> {
    let _ = (agent_response, at);
    None
}

/// Returns all that a page says: of the user first, then of the assistant.
pub fn read(texts: &Texts, at: Timestamp) -> Vec<Statement> {
    let mut said = statements(&texts.user_input, at);
    said.extend(advice(&texts.agent_response, at));
    said
}
