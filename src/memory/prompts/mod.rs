//! What a language model is asked, and how its answers are read.
//!
//! Two questions: [`batch`] files pages into topics, [`hot`] brings the profile up to date and points
//! at facts. Both are plain computation; who sends them is `llm`. An answer is never trusted: what
//! does not fit is [`Rejected`] and what the rules made stays. The one rule: texts of conversations
//! are data inside a fence that they cannot close, and what a model says is kept only where it rests
//! on what it was given.

pub mod batch;
mod fence;
pub mod hot;
mod point;
mod prose;

use serde_json::Value;
use thiserror::Error;
use unicode_general_category::{GeneralCategory, get_general_category};

pub use batch::{BatchJob, BatchOutcome, batch_prompt, read_batch};
pub use hot::{HotJob, HotOutcome, ModelProfile, hot_prompt, read_hot};
pub use point::PointedFact;

/// The characters of a prompt, at most: instructions and data together.
pub const PROMPT_CHARS: usize = 24_000;

/// One question to a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Prompt {
    /// What the model is to do.
    pub system: String,
    /// What it is to do it with: data, fenced.
    pub user: String,
    /// The name of the schema.
    pub schema_name: &'static str,
    /// The JSON Schema of the answer.
    pub schema: Value,
    /// The tokens of an answer, at most.
    pub max_answer_tokens: u32,
}

/// Why an answer is not used. What it said is not in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Rejected {
    /// It is JSON of another shape.
    #[error("the model's answer has another shape than was asked for")]
    Shape,
    /// It names a page or topic that does not exist.
    #[error("the model's answer names a {0} that it was not given")]
    Unknown(&'static str),
    /// It leaves out a page or names one twice.
    #[error("the model's answer does not have each {0} once")]
    NotOnce(&'static str),
    /// A part is empty or too long.
    #[error("the model's answer has a {0} that is empty or too long")]
    Length(&'static str),
    /// A part reads like an error text or a refusal.
    #[error("the model's answer has a {0} that reads like an error or a refusal")]
    Excuse(&'static str),
    /// A part holds markup, code or what cannot be seen.
    #[error("the model's answer has a {0} that is no plain text")]
    NotPlain(&'static str),
    /// A part tells its reader what to do.
    #[error("the model's answer has a {0} that reads like an order")]
    Order(&'static str),
    /// A part looks like it holds a password, key or card number.
    #[error("the model's answer has a {0} that seems to hold a secret")]
    Secret(&'static str),
    /// A part says what nothing that was given says.
    #[error("the model's answer has a {0} that rests on nothing it was given")]
    Ungrounded(&'static str),
}

/// Returns a text on one line, each run of white space as one space.
fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a character cannot be seen: controls, marks of direction, tags, line separators. Joiners
/// are letters' business in many scripts.
fn is_hidden(c: char) -> bool {
    use GeneralCategory::{
        Control, Format, LineSeparator, ParagraphSeparator, PrivateUse, Unassigned,
    };

    let hidden = matches!(
        get_general_category(c),
        Control | Format | LineSeparator | ParagraphSeparator | PrivateUse | Unassigned
    );
    hidden && !matches!(c, '\u{200c}' | '\u{200d}')
}

/// Returns the place of a label `p1`, `p2`, ... among `count` things.
fn place(label: &str, letter: char, count: usize) -> Option<usize> {
    let number: usize = label.trim().strip_prefix(letter)?.parse().ok()?;
    number.checked_sub(1).filter(|place| *place < count)
}

#[cfg(test)]
mod tests;
