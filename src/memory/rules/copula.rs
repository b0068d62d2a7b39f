//! "I am ...": what the user is, told by the noun after the article.

use super::dates::Direction;
use super::draft::{Draft, Scene};
use super::lexicon::List;
use super::people::name;
use super::value;
use super::verbs::{Mode, Predicate};
use crate::memory::fact::{Act, Attribute};

/// Returns what follows a form of `be`: "a nurse at Mercy", "vegan", "German", "Ada".
pub(super) fn read(scene: &Scene<'_>, p: &Predicate, is_over: bool) -> Vec<Draft> {
    let holds = matches!(p.mode, Mode::Present | Mode::Formerly | Mode::Perfect);
    let was = p.mode == Mode::Past && !p.is_negated;
    if p.verb.base != "be" || !holds && !was {
        return Vec::new();
    }
    let word = |idx: usize| scene.body.get(p.next + idx).map_or("", |t| t.word);
    let mut found = match word(0) {
        "a" | "an" => noun(scene, p),
        "the" => noun(scene, p).into_iter().filter(|d| d.attribute == Attribute::Job).collect(),
        _ if was => Vec::new(),
        "called" | "named" => named(scene, p.next + 1),
        _ => adjective(scene, p).or_else(|| is_named(scene, p)).into_iter().collect(),
    };
    if was {
        found.retain(|d| d.attribute == Attribute::Job);
    }
    for draft in &mut found {
        draft.is_negated = p.is_negated && !is_over;
        if p.mode == Mode::Formerly || is_over || was {
            draft.act = Act::End;
        }
    }
    found
}

/// "I'm a nurse at Mercy Hospital", "I'm a big fan of jazz".
fn noun(scene: &Scene<'_>, p: &Predicate) -> Vec<Draft> {
    let Some(range) = scene.value(p.next, Direction::Past) else { return Vec::new() };
    let at = value::noun(scene.body, &range);
    let noun = scene.body.get(at).map_or("", |t| t.word);
    let next = scene.body.get(at + 1).map_or("", |t| t.word);
    let draft = |attribute, from: usize, to: usize| {
        Draft::new(attribute, scene.text(from..to), Direction::Past)
    };
    match noun {
        "fan" | "lover" | "enthusiast" if next == "of" => scene
            .value(at + 2, Direction::Past)
            .filter(|r| super::rule::fits(super::rule::Rule::Thing, scene.body, r))
            .map(|r| draft(Attribute::Like, r.start, r.end))
            .into_iter()
            .collect(),
        noun if List::Diet.has(noun) => vec![draft(Attribute::Diet, range.start, at + 1)],
        noun if List::Students.has(noun) => vec![draft(Attribute::Study, range.start, range.end)],
        noun if List::Jobs.has(noun) => {
            let end = if matches!(next, "in" | "of") { range.end } else { at + 1 };
            let mut found = vec![draft(Attribute::Job, range.start, end)];
            let at_name = matches!(next, "at" | "for")
                && scene.body.get(at + 2).is_some_and(|t| t.is_capital || t.word == "the");
            if at_name && let Some(r) = scene.value(at + 2, Direction::Past) {
                found.push(draft(Attribute::Employer, r.start, r.end));
            }
            found
        }
        noun if List::Family.has(noun) && noun != "kid" && noun != "child" => {
            vec![draft(Attribute::Family, range.start, range.end)]
        }
        _ => Vec::new(),
    }
}

fn named(scene: &Scene<'_>, from: usize) -> Vec<Draft> {
    let range = name(scene, from);
    let is_name = !range.is_empty();
    let draft = || Draft::new(Attribute::Name, scene.text(range), Direction::Past);
    if is_name { vec![draft()] } else { Vec::new() }
}

/// "I'm vegan", "I'm diabetic", "I'm German", "I'm single".
fn adjective(scene: &Scene<'_>, p: &Predicate) -> Option<Draft> {
    let first = scene.body.get(p.next)?;
    let next = scene.body.get(p.next + 1);
    let ends = next.is_none_or(|t| {
        !t.is_word && t.word != "-"
            || matches!(
                t.word,
                "and"
                    | "now"
                    | "since"
                    | "so"
                    | "but"
                    | "too"
                    | "by"
                    | "for"
                    | "again"
                    | "any"
                    | "anymore"
            )
    });
    let attribute = match first.word {
        w if List::Diet.has(w) => Attribute::Diet,
        w if List::Ill.has(w) => Attribute::Health,
        w if List::Origins.has(w) && first.is_capital => Attribute::Origin,
        "retired" | "unemployed" | "self-employed" => Attribute::Job,
        "single" | "married" | "engaged" | "divorced" | "widowed" => Attribute::Partner,
        _ => return None,
    };
    ends.then(|| Draft::new(attribute, scene.text(p.next..p.next + 1), Direction::Past))
}

/// "I'm Ada": a capitalised word and no more.
fn is_named(scene: &Scene<'_>, p: &Predicate) -> Option<Draft> {
    let range = name(scene, p.next);
    let first = scene.body.get(range.start)?;
    let after = scene.body.get(range.end);
    let ends = after.is_none_or(|t| !t.is_word && t.word != "'" || t.word == "and");
    let shouted = scene.source.get(first.start..first.end)?.chars().all(|c| !c.is_lowercase());
    let known = List::Origins.has(first.word) || super::verbs::form(first.word).is_some();
    let is_name =
        (1..=2).contains(&range.len()) && ends && !shouted && !known && !is_group(first.word);
    (is_name && p.mode == Mode::Present && !p.is_over)
        .then(|| Draft::new(Attribute::Name, scene.text(range), Direction::Past))
}

/// Capitalised words that are beliefs or moods and no names.
fn is_group(word: &str) -> bool {
    word.ends_with("ist")
        || word.ends_with("ish")
        || word.ends_with("ian")
        || word.ends_with("ese")
        || matches!(
            word,
            "jewish"
                | "muslim"
                | "catholic"
                | "hindu"
                | "sikh"
                | "god"
                | "ok"
                | "okay"
                | "sorry"
                | "happy"
                | "sad"
                | "very"
                | "so"
                | "not"
                | "just"
                | "team"
                | "european"
                | "african"
                | "asian"
                | "fine"
                | "good"
                | "great"
                | "back"
                | "sure"
                | "glad"
                | "bored"
                | "tired"
        )
}
