//! Deeds: what the user did, does or is going to do, as the table of verbs tells it.

use std::ops::Range;

use super::dates::Direction;
use super::draft::{Draft, Scene};
use super::lexicon::List;
use super::value;
use super::verbs::{Mode, Predicate, Use};
use super::words::Token;
use crate::memory::fact::{Act, Attribute};

/// The words that say something, besides the verb, that make a vague deed worth keeping without
/// words of time.
const TELLING_WORDS: usize = 2;

/// Returns what a predicate tells by its verb alone.
pub(super) fn read(scene: &Scene<'_>, predicate: &Predicate) -> Option<Draft> {
    if predicate.is_negated || predicate.is_over && predicate.mode != Mode::Formerly {
        return None;
    }
    let used = used(predicate)?;
    let direction = match used.attribute {
        Attribute::Plan => Direction::Future,
        _ => direction(predicate.mode),
    };
    special(scene, predicate, direction)
        .or_else(|| plain(scene, predicate, used, direction))
        .filter(|draft| draft.attribute != Attribute::Trip || !draft.value.is_empty())
}

/// Returns where a mode looks for its days.
pub(super) fn direction(mode: Mode) -> Direction {
    match mode {
        Mode::Past | Mode::Perfect | Mode::Was | Mode::Been | Mode::Formerly => Direction::Past,
        Mode::Present | Mode::Doing | Mode::Future | Mode::Can => Direction::Future,
    }
}

fn used(predicate: &Predicate) -> Option<Use> {
    let verb = predicate.verb;
    match predicate.mode {
        Mode::Past | Mode::Perfect | Mode::Was => verb.done,
        Mode::Doing => verb.doing,
        Mode::Future => verb.doing.map(|u| Use { attribute: Attribute::Plan, ..u }),
        Mode::Been => verb.habit.or(verb.doing).filter(|u| u.attribute != Attribute::Plan),
        Mode::Present | Mode::Formerly => verb.habit,
        Mode::Can => None,
    }
}

/// A deed told by its verb and what follows.
fn plain(
    scene: &Scene<'_>,
    predicate: &Predicate,
    used: Use,
    direction: Direction,
) -> Option<Draft> {
    let dated = scene.when(direction).is_some();
    let is_whole = dated
        && (predicate.mode == Mode::Was || matches!(predicate.verb.base, "retire" | "graduate"));
    let range = match scene.value(predicate.next, direction) {
        Some(range) => range,
        None if is_whole => {
            let shown = scene.text(predicate.at..predicate.next);
            return Some(Draft::new(used.attribute, shown, direction));
        }
        None => return None,
    };
    let object = scene.body.get(predicate.next..range.end)?;
    if value::is_about_you(object) || is_idle(scene, predicate, &range) {
        return None;
    }
    // "Began sorting everything": the deed is another verb's.
    let begins = matches!(predicate.verb.base, "start" | "begin" | "finish" | "stop");
    let goes_on = around(scene, predicate, &range, direction);
    let range = goes_on.filter(|_| used.attribute == Attribute::Event).unwrap_or(range);
    let object = scene.body.get(predicate.next..range.end)?;
    if begins && word_ends_ing(scene, predicate.next) && !dated && value::n_content(object) < 2 {
        return None;
    }
    let n_named = object.iter().filter(|t| t.is_capital && t.word != "i").count();
    let n_telling = value::n_content(object) + n_named;
    let is_open = used.is_vague || predicate.mode == Mode::Was;
    let needed = match predicate.mode {
        Mode::Was => usize::MAX,
        Mode::Doing if used.attribute == Attribute::Plan => usize::MAX,
        Mode::Future if n_named == 0 => TELLING_WORDS + 1,
        _ => TELLING_WORDS,
    };
    if is_open && !dated && n_telling < needed {
        return None;
    }
    if value::points(scene.body, &range) && n_telling < TELLING_WORDS + 1 {
        return None;
    }
    let attribute = match used.attribute {
        Attribute::Trip if is_of_people(object) => Attribute::Event,
        other => other,
    };
    let shown = match attribute {
        Attribute::Trip | Attribute::Purchase | Attribute::Study => {
            let at = scene.body.get(range.start).is_some_and(|t| {
                matches!(t.word, "at" | "to" | "in" | "through" | "around" | "across" | "along")
            });
            // "Bought my wife a ring": the ring.
            let word = |idx: usize| scene.body.get(range.start + idx).map_or("", |t| t.word);
            let given = List::Family.has(word(0)) && matches!(word(1), "a" | "an" | "some" | "the");
            let article = at && matches!(word(1), "a" | "an" | "the" | "our" | "my");
            let n_left_out = usize::from(at) + usize::from(article) + 2 * usize::from(given);
            range.start + n_left_out..range.end
        }
        _ => predicate.at..range.end,
    };
    let mut draft = Draft::new(attribute, scene.text(shown), direction);
    if predicate.mode == Mode::Formerly {
        draft.act = Act::End;
    }
    Some(draft)
}

/// Whether people are visited, and no place.
fn is_of_people(object: &[Token<'_>]) -> bool {
    let first = object.iter().find(|t| !matches!(t.word, "my" | "our" | "the" | "some"));
    first.is_some_and(|t| {
        let one = t.word.strip_suffix('s').unwrap_or(t.word);
        [t.word, one].iter().any(|word| List::Family.has(word) || List::Friend.has(word))
    })
}

fn word_ends_ing(scene: &Scene<'_>, at: usize) -> bool {
    scene.body.get(at).is_some_and(|t| t.word.ends_with("ing"))
}

/// A value that goes on after words of time: "had fun last May at the fair".
fn around(
    scene: &Scene<'_>,
    predicate: &Predicate,
    range: &Range<usize>,
    direction: Direction,
) -> Option<Range<usize>> {
    let (when, tokens) = scene.when(direction)?;
    let goes_on = scene
        .body
        .get(when.end)
        .is_some_and(|t| matches!(t.word, "at" | "in" | "with" | "to" | "for" | "from" | "by"));
    let follows = std::ptr::eq(tokens.as_ptr(), scene.body.as_ptr()) && when.first >= range.end;
    let longer = value::range(scene.body, predicate.next, scene.body.len())?;
    (goes_on && follows && longer.end > when.end).then_some(range.start..longer.end)
}

/// Whether what follows the verb makes it a turn of phrase: "took a look", "made it".
fn is_idle(scene: &Scene<'_>, predicate: &Predicate, range: &Range<usize>) -> bool {
    let first = range.start;
    let word = |idx: usize| scene.body.get(idx).map_or("", |t| t.word);
    let noun = word(first);
    let thing = scene.body.get(value::noun(scene.body, range)).map_or("", |t| t.word);
    let part = scene.body.get(range.clone()).unwrap_or_default();
    let is_short = part.len() < 4 && part.iter().any(|t| List::Daily.has(t.word));
    if part.len() < 5 && (List::Daily.has(noun) || List::Daily.has(thing)) || is_short {
        return true;
    }
    let is_light = matches!(predicate.verb.base, "get" | "have" | "take" | "give");
    if is_light && List::Vague.has(thing)
        || matches!(thing, "thing" | "things" | "stuff" | "something")
    {
        return true;
    }
    if predicate.verb.base == "have" {
        return matches!(thing, "idea" | "ideas" | "thoughts")
            || matches!(noun, "fun" | "time" | "to" | "better" | "trouble" | "lot" | "lots");
    }
    let passes = matches!(
        (predicate.verb.base, word(predicate.next)),
        ("go", "through" | "over" | "for" | "with")
            | ("reach", "out")
            | ("play", "for")
            | ("get", "for" | "used" | "back" | "home" | "up" | "here" | "there" | "together",)
            | ("study", "hard" | "for")
            | ("hear", "they" | "that" | "he" | "she" | "it")
            | ("make", "it")
            | ("try", "to")
            | ("care", _)
    );
    let is_all = thing == noun || word(predicate.next) == noun;
    let phrase = passes || List::Idle.has(noun) && is_all;
    let pointed = matches!(
        word(predicate.next),
        "it" | "them" | "him" | "her" | "us" | "this" | "that" | "these" | "those" | "me"
    ) && value::n_content(scene.body.get(predicate.next..).unwrap_or_default()) < 4;
    phrase || pointed
}

/// Verbs that mean something else with certain words: "got back from", "went to Rome".
fn special(scene: &Scene<'_>, predicate: &Predicate, direction: Direction) -> Option<Draft> {
    let word = |idx: usize| scene.body.get(predicate.next + idx).map_or("", |t| t.word);
    let capital = |idx: usize| scene.body.get(predicate.next + idx).is_some_and(|t| t.is_capital);
    let is_done = matches!(predicate.mode, Mode::Past | Mode::Perfect);
    let draft = |from: usize, attribute| {
        let range = scene.value(predicate.next + from, direction)?;
        let noun = scene.body.get(value::noun(scene.body, &range))?.word;
        if matches!(noun, "walk" | "run" | "work" | "gym" | "store" | "school" | "somewhere") {
            return None;
        }
        let attribute = if is_done { attribute } else { Attribute::Plan };
        let shown = if is_done { range } else { predicate.at..range.end };
        Some(Draft::new(attribute, scene.text(shown), direction))
    };
    match (predicate.verb.base, word(0), word(1)) {
        ("get", "back", "from") | ("return" | "come", "home" | "back", "from") if is_done => {
            draft(2, Attribute::Trip)
        }
        ("return", "from", _) if is_done => draft(1, Attribute::Trip),
        ("go", "to", _) if capital(1) => draft(1, Attribute::Trip),
        ("be", "to", _) if predicate.mode == Mode::Perfect && capital(1) => {
            draft(1, Attribute::Trip)
        }
        ("travel" | "fly" | "drive", "to", _) => draft(1, Attribute::Trip),
        _ => got(scene, predicate, direction).filter(|_| is_done),
    }
}

/// "Went on a trip", "got married", "got a dog".
fn got(scene: &Scene<'_>, predicate: &Predicate, direction: Direction) -> Option<Draft> {
    let range = scene.value(predicate.next, direction)?;
    let word = |idx: usize| scene.body.get(predicate.next + idx).map_or("", |t| t.word);
    let whole = predicate.at..range.end;
    match (predicate.verb.base, word(0)) {
        ("go" | "be" | "take", "on" | "a" | "our" | "my" | "for") => {
            let is_trip = scene.body.get(range)?.iter().take(4).any(|t| {
                matches!(
                    t.word,
                    "trip" | "vacation" | "cruise" | "roadtrip" | "holiday" | "honeymoon"
                )
            });
            is_trip.then(|| Draft::new(Attribute::Trip, scene.text(whole), direction))
        }
        (
            "get",
            "married" | "engaged" | "divorced" | "promoted" | "accepted" | "hired" | "fired",
        ) => Some(Draft::new(Attribute::Event, scene.text(whole), direction)),
        ("get", "a" | "an" | "some" | "our" | "my" | "new" | "two" | "myself") => {
            let noun = scene.body.get(value::noun(scene.body, &range))?.word;
            let attribute = match noun {
                noun if List::Pet.has(noun) => Attribute::Pet,
                noun if List::Possession.has(noun) => Attribute::Purchase,
                _ => return None,
            };
            Some(Draft::new(attribute, scene.text(range), direction))
        }
        _ => None,
    }
}
