//! What holds: a frame of the table, read with its negation and its end.

use std::ops::Range;

use super::dates::{self, Direction};
use super::deed::direction;
use super::draft::{Draft, Scene};
use super::frames::Match;
use super::lexicon::List;
use super::rule::{Rule, fits};
use super::value;
use super::verbs::{Mode, Predicate};
use super::words::Token;
use crate::memory::fact::{Act, Attribute};

/// "I don't eat meat": what is denied is the diet.
pub(super) fn diet(scene: &Scene<'_>, p: &Predicate) -> Option<Draft> {
    let over = is_over(scene, p);
    let habit = matches!(p.mode, Mode::Present | Mode::Can) && (p.is_negated || over);
    if !habit || !matches!(p.verb.base, "eat" | "drink") {
        return None;
    }
    let range = scene.value(p.next, Direction::Past)?;
    let mut draft = Draft::new(Attribute::Diet, scene.text(range.clone()), Direction::Past);
    draft.is_negated = true;
    let word = scene.body.get(p.next).map_or("", |t| t.word);
    let often = matches!(word, "much" | "many" | "out" | "often" | "enough" | "that" | "a");
    (!often && fits(Rule::Thing, scene.body, &range)).then_some(draft)
}

/// Whether a clause says that it is over: "no longer", "not ... any more".
pub(super) fn is_over(scene: &Scene<'_>, p: &Predicate) -> bool {
    let words = scene.body.iter().map(|t| t.word);
    let ends = words
        .clone()
        .zip(words.skip(1))
        .any(|pair| matches!(pair, ("any", "more" | "longer") | (_, "anymore")));
    p.is_over || p.is_negated && ends
}

/// Returns what a frame says, and what it says instead.
pub(super) fn of_frame(scene: &Scene<'_>, p: &Predicate, found: &Match) -> Vec<Draft> {
    // "On Monday I decided to ...": the day of the decision.
    let is_decided = matches!(p.mode, Mode::Past | Mode::Perfect)
        && scene.when(Direction::Past).is_some_and(|(w, tokens)| {
            w.first < p.at || !std::ptr::eq(tokens.as_ptr(), scene.body.as_ptr())
        });
    let direction = match found.attribute {
        Attribute::Plan | Attribute::Goal if !is_decided => Direction::Future,
        _ => direction(p.mode),
    };
    let over = is_over(scene, p) || p.mode == Mode::Formerly;
    let lasts = !matches!(found.attribute, Attribute::Plan | Attribute::Goal | Attribute::Event);
    if (p.is_negated || over) && !lasts {
        return Vec::new();
    }
    let Some(range) = range(scene, found, direction) else { return Vec::new() };
    if is_refused(scene, p, found, &range, direction) {
        return Vec::new();
    }
    let from = if found.shown_from < found.value_from { found.shown_from } else { range.start };
    let today = scene.at.day();
    let is_near = |w: dates::When| w.span.is_some_and(|s| s.to.is_some_and(|to| to > today));
    let attribute = match found.attribute {
        Attribute::Goal if scene.when(direction).is_some_and(|(w, _)| is_near(w)) => {
            Attribute::Plan
        }
        other => other,
    };
    let mut draft = Draft::new(attribute, scene.text(from..range.end), direction);
    let none = scene.body.get(found.value_from).is_some_and(|t| t.word == "no");
    // "I can't stand" is a dislike, not the lack of one.
    draft.is_negated = (p.is_negated && found.verb != "stand" || none) && !over;
    draft.act = if over { Act::End } else { Act::Hold };
    let other = instead(scene, p, found, range.end);
    if other.is_some() && draft.is_negated {
        draft.is_negated = false;
        draft.act = Act::End;
    }
    std::iter::once(draft).chain(other).collect()
}

/// Returns the tokens of the value, if they are what the frame asks for.
fn range(scene: &Scene<'_>, found: &Match, direction: Direction) -> Option<Range<usize>> {
    let range = match (found.rule, found.attribute) {
        (Rule::Bare, _) => return Some(found.shown_from..found.value_from),
        // A day is no words of time beside the value: it is the value.
        (_, Attribute::Birthday) => value::range(scene.body, found.value_from, scene.body.len()),
        _ => scene.value(found.value_from, direction),
    };
    let mut range = range.filter(|r| fits(found.rule, scene.body, r))?;
    if matches!(found.attribute, Attribute::Home | Attribute::Origin | Attribute::Employer) {
        let ends = |t: &Token<'_>| matches!(t.word, "for" | "with" | "to" | "after" | "because");
        let part = scene.body.get(range.clone()).unwrap_or_default();
        range.end = part.iter().position(ends).map_or(range.end, |at| range.start + at);
    }
    Some(range)
}

/// Whether a value that fits is no fact all the same.
fn is_refused(
    scene: &Scene<'_>,
    p: &Predicate,
    found: &Match,
    range: &Range<usize>,
    direction: Direction,
) -> bool {
    let when = scene.when(direction);
    let after = scene.body.get(found.value_from);
    let object = scene.body.get(found.value_from..range.end).unwrap_or_default();
    let noun = scene.body.get(value::noun(scene.body, range)).map_or("", |t| t.word);
    // "When I was ten we moved to Canada" says nothing of today.
    let then = when.is_some_and(|(w, tokens)| {
        tokens.get(w.first).is_some_and(|t| matches!(t.word, "when" | "as"))
    });
    let goes_on =
        after.is_some_and(|t| t.is_word && !matches!(t.word, "and" | "very" | "really" | "well"));
    let is_clear = matches!(
        found.attribute,
        Attribute::Like | Attribute::Dislike | Attribute::Goal | Attribute::Plan
    );
    let is_plan = found.attribute == Attribute::Plan;
    let is_thin = matches!(found.verb, "look" | "consider")
        && when.is_none()
        && value::n_content(object) < 2
        && !object.iter().any(|t| t.is_capital);
    found.verb == "move" && then
        || is_thin
        || found.rule == Rule::Bare && goes_on && p.mode == Mode::Can
        || found.verb == "stand" && !p.is_negated
        || is_plan && (List::Daily.has(noun) || p.verb.base == "have" && when.is_none())
        || is_clear && value::points(scene.body, range)
        || value::is_about_you(object)
}

/// "I don't live in Oslo but in Bergen", "I live in Bergen, not Oslo": the other half.
fn instead(scene: &Scene<'_>, p: &Predicate, found: &Match, end: usize) -> Option<Draft> {
    let word = |idx: usize| scene.body.get(idx).map_or("", |t| t.word);
    let at = end + usize::from(word(end) == ",");
    let (wanted, act) = if p.is_negated { ("but", Act::Hold) } else { ("not", Act::End) };
    if word(at) != wanted {
        return None;
    }
    let preposition = found.value_from.checked_sub(1).map_or("", word);
    let from = at + 1 + usize::from(word(at + 1) == preposition);
    let range = scene.value(from, direction(p.mode)).filter(|r| fits(found.rule, scene.body, r))?;
    let mut draft = Draft::new(found.attribute, scene.text(range), direction(p.mode));
    draft.act = act;
    Some(draft)
}
