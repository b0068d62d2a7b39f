//! What is no statement about the user: questions, conditions, role-play, texts to be worked on,
//! words of others.

use super::clause::Clause;
use super::words::Token;

/// Words that make everything after them in a sentence a condition or a wish.
const CONDITIONS: [&str; 16] = [
    "if",
    "unless",
    "whether",
    "suppose",
    "supposing",
    "imagine",
    "wish",
    "pretend",
    "pretending",
    "hypothetically",
    "assuming",
    "assume",
    "would",
    "could",
    "should",
    "might",
];

/// Words that make a clause a guess.
const GUESSES: [&str; 15] = [
    "if",
    "unless",
    "whether",
    "would",
    "could",
    "should",
    "might",
    "wish",
    "'d",
    "maybe",
    "perhaps",
    "probably",
    "hypothetically",
    "pretend",
    "supposedly",
];

/// Words after which somebody else speaks.
const SAYING: [&str; 25] = [
    "said", "says", "say", "saying", "told", "tells", "asked", "asks", "wrote", "writes", "claims",
    "claimed", "thinks", "thought", "shouted", "replied", "goes", "quote", "lyrics", "text",
    "sentence", "phrase", "example", "line", "goes",
];

/// Words that begin a question.
const QUESTION: [&str; 32] = [
    "what",
    "how",
    "why",
    "where",
    "when",
    "who",
    "which",
    "whose",
    "do",
    "does",
    "did",
    "can",
    "could",
    "would",
    "will",
    "should",
    "shall",
    "is",
    "are",
    "am",
    "was",
    "were",
    "have",
    "has",
    "any",
    "may",
    "might",
    "let",
    "isn",
    "recommend",
    "suggest",
    "you",
];

/// Beginnings of orders after which a message speaks as somebody else or holds a text to be worked
/// on.
const TAINTS: [&str; 40] = [
    "imagine",
    "pretend",
    "role-play",
    "roleplay",
    "role play",
    "let's role",
    "let's pretend",
    "let us pretend",
    "let's imagine",
    "let's say",
    "suppose",
    "act as",
    "act like",
    "play the role",
    "you are a",
    "you are an",
    "you're a",
    "translate",
    "proofread",
    "rewrite",
    "rephrase",
    "paraphrase",
    "summarize",
    "summarise",
    "correct",
    "fix the grammar",
    "fix this",
    "edit this",
    "edit my",
    "check the grammar",
    "check my grammar",
    "improve this",
    "improve the",
    "polish",
    "analyze this",
    "here is the text",
    "here's the text",
    "classify",
    "extract",
    "repeat after",
];

/// Orders to write something, which is then in somebody's voice.
const WRITE: [&str; 9] = [
    "write",
    "draft",
    "compose",
    "continue the",
    "continue this",
    "generate",
    "create a",
    "give me an example",
    "say",
];

/// What is written in somebody's voice.
const VOICED: [&str; 31] = [
    "as ",
    "story",
    "poem",
    "letter",
    "email",
    "e-mail",
    "song",
    "script",
    "dialogue",
    "essay",
    "bio",
    "monologue",
    "from the perspective",
    "voice of",
    "first person",
    "diary",
    "speech",
    "message",
    "post",
    "tweet",
    "text",
    "reply",
    "note",
    "joke",
    "scene",
    "sentence",
    "example",
    "paragraph",
    "novel",
    "caption",
    "character",
];

/// Politeness before an order.
const POLITE: [&str; 14] = [
    "please ",
    "can you ",
    "could you ",
    "would you ",
    "will you ",
    "now ",
    "hey ",
    "ok ",
    "okay ",
    "help me ",
    "let's ",
    "i want you to ",
    "i'd like you to ",
    "i need you to ",
];

/// Whether a sentence (in lower case) makes the rest of its message somebody else's.
pub(super) fn taints(sentence: &str) -> bool {
    let mut order = sentence.trim_start_matches(|c: char| !c.is_alphanumeric());
    while let Some(rest) = POLITE.iter().find_map(|p| order.strip_prefix(p)) {
        order = rest.trim_start_matches([',', ' ']);
    }
    let writes = WRITE.iter().any(|w| order.strip_prefix(w).is_some_and(|r| r.starts_with(' ')))
        && VOICED.iter().any(|v| order.contains(v));
    let wants_it_played = order.contains("role-play") || order.contains("roleplay");
    writes
        || wants_it_played
        || order.contains("pretend i")
        || order.contains("pretend to be")
        || order.contains("in character")
        || order.contains("in the voice of")
        || TAINTS.iter().any(|start| {
            order.strip_prefix(start).is_some_and(|r| !r.starts_with(|c: char| c.is_alphabetic()))
        })
}

/// Whether a clause of a sentence may state something about the user.
pub(super) fn may_state(tokens: &[Token<'_>], clauses: &[Clause], idx: usize) -> bool {
    let Some(clause) = clauses.get(idx) else { return false };
    if is_asked(tokens, clauses, idx) {
        return false;
    }
    let before = tokens.get(..clause.body.start).unwrap_or_default();
    if before.iter().any(|t| CONDITIONS.contains(&t.word)) {
        return false;
    }
    let last_word = before.iter().rev().find(|t| t.is_word).map_or("", |t| t.word);
    let joined = before.last().is_some_and(|t| matches!(t.word, "," | ":" | "\"" | "\u{201c}"));
    if joined && SAYING.contains(&last_word) {
        return false;
    }
    let body = tokens.get(clause.body.clone()).unwrap_or_default();
    // What hangs on the clause further on is no part of what it says.
    let hangs =
        |t: &Token<'_>| matches!(t.word, "that" | "which" | "who" | "what" | "how" | "where");
    let said = body.iter().enumerate().take_while(|(at, t)| *at < 4 || !hangs(t));
    let is_example = before.is_empty() && body.first().is_some_and(|t| t.word == "for");
    !is_example && !said.map(|(_, t)| t).any(|t| GUESSES.contains(&t.word))
}

/// Whether a clause is a question, or hangs on one: of a sentence that ends as a question, only
/// what comes before its last clause is stated, and only if that clause alone asks.
fn is_asked(tokens: &[Token<'_>], clauses: &[Clause], idx: usize) -> bool {
    if !tokens.iter().rev().take(3).any(|t| matches!(t.word, "?" | "\u{ff1f}")) {
        return false;
    }
    let begins = |clause: &Clause| {
        let body = tokens.get(clause.body.clone()).unwrap_or_default();
        let first = body.iter().find(|t| {
            t.is_word && !matches!(t.word, "so" | "and" | "but" | "hey" | "well" | "then")
        });
        first.is_some_and(|t| QUESTION.contains(&t.word))
    };
    let last_asks = clauses.last().is_some_and(begins);
    idx + 1 >= clauses.len() || !last_asks || clauses.first().is_some_and(begins)
}
