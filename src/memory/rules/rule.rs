//! What a value must be to fill a frame.
//!
//! Only words are looked at: lists, capitals, endings. What is in sight or in passing is refused.

use std::ops::Range;

use super::calendar::MONTHS;
use super::lexicon::List;
use super::value;
use super::verbs::{Form, form, is_counted};
use super::words::Token;

/// What a value must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// Anything that says something.
    Any,
    /// A name, or a kind of place.
    Place,
    /// Something that lasts: not "your view" or "this idea".
    Thing,
    /// A phrase whose noun is in a list.
    Noun(List),
    /// A phrase that begins with a word of a list.
    Word(List),
    /// One word of a list and no more.
    Only(List),
    /// Begins with a verb: "learn Spanish".
    Verb,
    /// Begins with an activity: "learning Spanish".
    Activity,
    /// Begins with a capital or a quotation mark.
    Named,
    /// Has a number or a name: a day.
    Date,
    /// A trade: no place, so no capital, but "IT".
    Field,
    /// Begins with a number.
    Count,
    /// Begins with a month or a year.
    Year,
    /// Nothing but the frame's own words.
    Bare,
}

/// Whether a value is what a frame asks for.
pub(super) fn fits(rule: Rule, tokens: &[Token<'_>], range: &Range<usize>) -> bool {
    let Some(first) = tokens.get(range.start) else { return false };
    let part = tokens.get(range.clone()).unwrap_or_default();
    let is_named = first.is_capital && first.word != "i" || matches!(first.word, "\"" | "\u{201c}");
    match rule {
        Rule::Any | Rule::Bare => true,
        Rule::Named => is_named,
        Rule::Place => part.iter().any(|t| t.is_capital || List::Places.has(t.word)),
        Rule::Thing => is_thing(tokens, range),
        Rule::Noun(list) => {
            let noun = value::noun(tokens, range);
            let next_is_possessive = tokens.get(noun + 1).is_some_and(|t| t.word == "'s");
            let pointed = matches!(first.word, "this" | "that" | "these" | "those");
            let is_of_list = tokens.get(noun).is_some_and(|t| list.has(t.word));
            is_of_list && !next_is_possessive && !pointed
        }
        Rule::Field => is_thing(tokens, range) && (!first.is_capital || first.word.len() < 4),
        Rule::Count => first.word.starts_with(|c: char| c.is_ascii_digit()),
        Rule::Year => is_time_of_year(first.word),
        Rule::Date => {
            let is_number = |t: &Token<'_>| t.word.starts_with(|c: char| c.is_ascii_digit());
            part.iter().any(|t| t.is_capital || is_number(t))
        }
        Rule::Word(list) => list.has(first.word),
        Rule::Only(list) => {
            list.has(first.word)
                && (range.len() == 1
                    || part.iter().skip(1).all(|t| {
                        !t.is_word
                            || matches!(t.word, "and" | "a" | "the" | "little")
                            || list.has(t.word)
                    }))
        }
        Rule::Verb => {
            let is_verb = form(first.word).is_some_and(|(_, f)| f == Form::Base)
                || List::Aims.has(first.word);
            is_verb
                && !List::NeverGoal.has(first.word)
                && (value::n_content(part) > 1 || is_whole_aim(first.word))
        }
        Rule::Activity => {
            // "Getting a dog" is one, "getting tired" is none.
            let gets = matches!(first.word, "getting" | "having")
                && part.get(1).is_some_and(|t| is_counted(t.word));
            let lasts = gets || !List::Passing.has(first.word);
            first.word.ends_with("ing") && first.word.len() > 4 && lasts
        }
    }
}

fn is_thing(tokens: &[Token<'_>], range: &Range<usize>) -> bool {
    let Some(first) = tokens.get(range.start) else { return false };
    // The value begins after articles; a word before it may point at something in view.
    let pointed = range.start.checked_sub(1).and_then(|i| tokens.get(i));
    let noun = tokens.get(value::noun(tokens, range)).map_or("", |t| t.word);
    let is_number = first.word.starts_with(|c: char| c.is_ascii_digit());
    !(List::Vague.has(noun)
        || is_number
        || List::Passing.has(first.word)
        || first.word.ends_with("ly")
        || pointed.is_some_and(|t| matches!(t.word, "this" | "that" | "these" | "those"))
        || List::Pointing.has(first.word))
}

/// Verbs that need no object.
fn is_whole_aim(word: &str) -> bool {
    matches!(
        word,
        "return" | "retire" | "graduate" | "travel" | "marry" | "volunteer" | "ski" | "camp"
    )
}

fn is_time_of_year(word: &str) -> bool {
    MONTHS.contains(&word) || word.len() == 4 && word.bytes().all(|b| b.is_ascii_digit())
}
