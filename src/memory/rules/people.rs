//! "My ...": the user's name and favourites, relatives, friends and animals.

use std::ops::Range;

use super::dates::Direction;
use super::deed::direction;
use super::draft::{Draft, Scene};
use super::lexicon::List;
use super::rule::{Rule, fits};
use super::value;
use super::verbs::{ADVERBS, Mode, Predicate, is_be, predicate};
use super::words::Token;
use crate::memory::fact::{Act, Attribute};

/// What a noun after "my" fills, when a form of `be` follows: "my job is ...".
const NOUNS: [(&str, Attribute, Rule); 36] = [
    ("name", Attribute::Name, Rule::Named),
    ("nickname", Attribute::Name, Rule::Named),
    ("pronouns", Attribute::Pronouns, Rule::Any),
    ("birthday", Attribute::Birthday, Rule::Date),
    ("birthdate", Attribute::Birthday, Rule::Date),
    ("hometown", Attribute::Origin, Rule::Place),
    ("nationality", Attribute::Origin, Rule::Any),
    ("address", Attribute::Home, Rule::Any),
    ("job", Attribute::Job, Rule::Noun(List::Jobs)),
    ("occupation", Attribute::Job, Rule::Any),
    ("profession", Attribute::Job, Rule::Any),
    ("employer", Attribute::Employer, Rule::Any),
    ("major", Attribute::Study, Rule::Any),
    ("hobby", Attribute::Hobby, Rule::Thing),
    ("hobbies", Attribute::Hobby, Rule::Thing),
    ("passion", Attribute::Like, Rule::Thing),
    ("language", Attribute::Language, Rule::Word(List::Languages)),
    ("tongue", Attribute::Language, Rule::Word(List::Languages)),
    ("diet", Attribute::Diet, Rule::Any),
    ("allergies", Attribute::Health, Rule::Any),
    ("allergy", Attribute::Health, Rule::Any),
    ("wife", Attribute::Partner, Rule::Named),
    ("husband", Attribute::Partner, Rule::Named),
    ("spouse", Attribute::Partner, Rule::Named),
    ("partner", Attribute::Partner, Rule::Named),
    ("girlfriend", Attribute::Partner, Rule::Named),
    ("boyfriend", Attribute::Partner, Rule::Named),
    ("fiance", Attribute::Partner, Rule::Named),
    ("fiancee", Attribute::Partner, Rule::Named),
    ("goal", Attribute::Goal, Rule::Any),
    ("goals", Attribute::Goal, Rule::Any),
    ("dream", Attribute::Goal, Rule::Any),
    ("ambition", Attribute::Goal, Rule::Any),
    ("aim", Attribute::Goal, Rule::Any),
    ("car", Attribute::Possession, Rule::Date),
    ("laptop", Attribute::Possession, Rule::Named),
];

/// Verbs that tell something of a person without being a deed.
const LASTING: [&str; 11] =
    ["live", "work", "love", "like", "enjoy", "hate", "own", "study", "turn", "prefer", "have"];

/// Returns what is said of the user's things and people, from the token after "my".
pub(super) fn read(scene: &Scene<'_>, from: usize) -> Vec<Draft> {
    let word = |idx: usize| scene.body.get(idx).map_or("", |t| t.word);
    let from = from + usize::from(matches!(word(from), "all-time" | "absolute" | "current"));
    if matches!(word(from), "favorite" | "favourite" | "favorites" | "favourites") {
        return favourite(scene, from + 1).into_iter().collect();
    }
    // "My wife's name" is not the user's.
    let own = (from..from + 3).take_while(|&idx| word(idx) != "'s");
    for at in own {
        let noun = word(at);
        let found = NOUNS.iter().find(|(name, _, _)| *name == noun);
        if let Some(&(_, attribute, rule)) = found.filter(|_| equals(word(at + 1))) {
            let drafts = noun_is(scene, at, attribute, rule);
            if !drafts.is_empty() {
                return drafts;
            }
        }
    }
    let found = person(scene, from).or_else(|| thing(scene, from));
    found.into_iter().collect()
}

/// "My car broke down last Friday", "my exam is on Thursday".
fn thing(scene: &Scene<'_>, from: usize) -> Option<Draft> {
    let word = |idx: usize| scene.body.get(idx).map_or("", |t| t.word);
    let due = (from..from + 3).find(|&idx| List::Appointments.has(word(idx)));
    if let Some(at) =
        due.filter(|&at| is_be(word(at + 1)) && !matches!(word(at + 1), "was" | "were"))
    {
        let is_ahead = scene.when(Direction::Future).is_some_and(|(w, _)| w.first == at + 2);
        let draft = Draft::new(Attribute::Plan, scene.text(from..at + 1), Direction::Future);
        return is_ahead.then_some(draft);
    }
    let at = (from..from + 3)
        .find(|&idx| scene.body.get(idx).is_some_and(|t| List::Possession.has(t.word)))?;
    let p = predicate(scene.body, at + 1)?;
    let direction = direction(p.mode);
    let tells = matches!(p.mode, Mode::Past | Mode::Perfect)
        && p.verb.done.is_some()
        && p.verb.base != "die";
    let end = scene.value(p.next, direction).map_or(p.next + 1, |r| r.end);
    let shown = scene.text(from - 1..end.min(scene.body.len()));
    let dated = scene.when(direction).is_some() || matches!(p.verb.base, "break" | "lose");
    (tells && !p.is_negated && dated).then(|| Draft::new(Attribute::Event, shown, direction))
}

/// People and animals that are named in passing: "with my friend Tom", "Pip, my hamster".
pub(super) fn in_passing(scene: &Scene<'_>) -> Vec<Draft> {
    let is_mine =
        |idx: &usize| scene.body.get(*idx).is_some_and(|t| matches!(t.word, "my" | "our"));
    let mut found = Vec::new();
    for at in (0..scene.body.len()).filter(is_mine) {
        let Some(who) = someone(scene, at + 1) else { continue };
        let Some(noun) = scene.body.get(who.noun) else { continue };
        let plural = noun.word.ends_with('s') && noun.word != "boss";
        let ends = scene.body.get(who.noun + 1).is_none_or(|t| !t.is_word);
        if !who.name.is_empty() && !plural && who.name.start == who.noun + 1 {
            found.push(identity(scene, &who, noun.word, who.name.clone()));
        } else if at == 0 && ends && who.attribute != Attribute::Friend {
            let named = scene.lead.last().filter(|t| t.is_capital && scene.lead.len() < 4);
            let text = named.and_then(|t| scene.source.get(t.start..t.end));
            found.extend(text.map(|name| called(who.attribute, noun.word, name)));
        }
    }
    found
}

/// What follows a form of `be` in "Chess is a huge part of my life", "is important to me", "is my
/// passion".
fn matters(scene: &Scene<'_>, at: usize) -> bool {
    let word = |idx: usize| scene.body.get(idx).map_or("", |t| t.word);
    match word(at) {
        "important" | "special" | "interesting" | "meaningful" | "dear" => {
            word(at + 1) == "to" && word(at + 2) == "me"
        }
        "my" => {
            let ends = scene.body.get(at + 2).is_none_or(|t| !t.is_word);
            let noun = matches!(word(at + 1), "thing" | "passion" | "weakness" | "go-to" | "jam");
            noun && (ends || word(at + 2) == "for")
        }
        "a" | "an" => (at + 1..at + 4).any(|idx| {
            (word(idx), word(idx + 1), word(idx + 2), word(idx + 3)) == ("part", "of", "my", "life")
        }),
        _ => false,
    }
}

/// "Harry Potter is my favourite book".
pub(super) fn is_favourite(scene: &Scene<'_>) -> Option<Draft> {
    let word = |idx: usize| scene.body.get(idx).map_or("", |t| t.word);
    let is = (1..scene.body.len().min(10)).find(|&idx| is_be(word(idx)))?;
    let range = value::range(scene.body, 0, is).filter(|r| r.end == is)?;
    let mut mine = is + 1;
    while ADVERBS.contains(&word(mine)) || matches!(word(mine), "one" | "of" | "all") {
        mine += 1;
    }
    let all_time = usize::from(matches!(word(mine + 1), "all-time" | "absolute" | "current"));
    let fave = matches!(word(mine + all_time + 1), "favorite" | "favourite" | "fave" | "favorites");
    let fave = fave && word(mine) == "my";
    let pointed = matches!(word(0), "this" | "that" | "these" | "those" | "your" | "my" | "i");
    let mattering = !pointed && matters(scene, mine);
    if !fave && !mattering || pointed || !fits(Rule::Thing, scene.body, &range) {
        return None;
    }
    if mattering {
        let points = value::points(scene.body, &range) || matches!(word(is), "was" | "were");
        if points {
            return None;
        }
        return Some(Draft::new(Attribute::Like, scene.text(range), Direction::Future));
    }
    let mut draft = Draft::new(Attribute::Like, scene.text(range), Direction::Future);
    let kind =
        scene.value(mine + all_time + 2, Direction::Future).map(|r| value::head(scene.text(r)));
    draft.head = kind.map(|kind| format!("favorite/{kind}"));
    Some(draft)
}

fn equals(word: &str) -> bool {
    is_be(word) || matches!(word, "include" | "includes")
}

/// "My name is not Ada but Eda": what it is, and what it is not.
fn noun_is(scene: &Scene<'_>, at: usize, attribute: Attribute, rule: Rule) -> Vec<Draft> {
    let word = |idx: usize| scene.body.get(idx).map_or("", |t| t.word);
    let is_negated = word(at + 2) == "not";
    let mut from = at + 2 + usize::from(is_negated);
    while matches!(word(from), "to" | "on" | "actually" | "now" | "also" | "still" | "currently") {
        from += 1;
    }
    let range = if attribute == Attribute::Birthday {
        value::range(scene.body, from, scene.body.len())
    } else if attribute == Attribute::Pronouns {
        let end = scene.body.iter().skip(from).take_while(|t| t.is_word || t.word == "/").count();
        (end > 0).then_some(from..from + end)
    } else {
        scene.value(from, Direction::Future)
    };
    let Some(range) = range.filter(|r| fits(rule, scene.body, r)) else { return Vec::new() };
    let range = if attribute == Attribute::Name {
        // It may stand in quotation marks.
        let quotes = scene.body.iter().skip(range.start).take_while(|t| !t.is_word).count();
        name(scene, range.start + quotes)
    } else {
        range
    };
    if range.is_empty() {
        return Vec::new();
    }
    let is_aim = attribute != Attribute::Goal
        || word(from.saturating_sub(1)) == "to"
        || word(range.start).ends_with("ing");
    let passes = matches!(attribute, Attribute::Health | Attribute::Job | Attribute::Diet)
        && word(range.start).ends_with("ing");
    let was = matches!(word(at + 1), "was" | "were") || !is_aim || passes;
    if was || value::is_about_you(scene.body.get(range.clone()).unwrap_or_default()) {
        return Vec::new();
    }
    let mut draft = Draft::new(attribute, scene.text(range.clone()), Direction::Future);
    draft.is_negated = is_negated;
    let other = range.end + usize::from(word(range.end) == ",");
    if is_negated && word(other) == "but" {
        let range = scene.value(other + 1, Direction::Future);
        let other = range.filter(|r| fits(rule, scene.body, r));
        let value = other.map(|r| Draft::new(attribute, scene.text(r), Direction::Future));
        draft.is_negated = false;
        draft.act = Act::End;
        return [Some(draft), value].into_iter().flatten().collect();
    }
    vec![draft]
}

/// The capitalised words from a token on: a name.
pub(super) fn name(scene: &Scene<'_>, from: usize) -> Range<usize> {
    let part = |t: &Token<'_>| {
        matches!(t.word, "de" | "del" | "da" | "van" | "von" | "der" | "la" | "bin")
    };
    let is_name = |t: &&Token<'_>| t.is_capital && t.word != "i" || part(t);
    let mut end = from + scene.body.iter().skip(from).take(5).take_while(is_name).count();
    while end > from && scene.body.get(end - 1).is_some_and(part) {
        end -= 1;
    }
    let begins = scene.body.get(from).is_some_and(|t| t.is_capital);
    from..if begins { end } else { from }
}

/// "My favourite colour is blue".
fn favourite(scene: &Scene<'_>, from: usize) -> Option<Draft> {
    let is = (from..(from + 7)).find(|&idx| scene.body.get(idx).is_some_and(|t| equals(t.word)))?;
    let kind = scene.text(from..is);
    let range = scene.value(is + 1, Direction::Future)?;
    let passes = matches!(
        scene.body.get(from).map_or("", |t| t.word),
        "one" | "part" | "thing" | "time" | "moment" | "bit"
    );
    let was = matches!(scene.body.get(is).map_or("", |t| t.word), "was" | "were");
    if is == from || passes || was || !fits(Rule::Thing, scene.body, &range) {
        return None;
    }
    let part = scene.body.get(from..range.end)?;
    let mut draft = Draft::new(Attribute::Like, scene.text(range), Direction::Future);
    draft.head = Some(format!("favorite/{}", value::head(kind)));
    (!value::is_about_you(part) && !part.iter().any(|t| t.word == "not")).then_some(draft)
}

/// Somebody the user speaks of: the noun, and the name if there is one.
struct Someone {
    attribute: Attribute,
    /// The token of "sister".
    noun: usize,
    /// The tokens of "Anna"; may be empty.
    name: Range<usize>,
    /// The token after both.
    next: usize,
}

fn someone(scene: &Scene<'_>, from: usize) -> Option<Someone> {
    let word = |idx: usize| scene.body.get(idx).map_or("", |t| t.word);
    let list = |w: &str| match w {
        w if List::Family.has(w) => Some(Attribute::Family),
        w if List::Pet.has(w) => Some(Attribute::Pet),
        w if List::Friend.has(w) => Some(Attribute::Friend),
        _ => None,
    };
    let (mut noun, mut attribute) = (from..from + 4)
        .take_while(|&idx| scene.body.get(idx).is_some_and(|t| t.is_word && t.word != "'s"))
        .find_map(|idx| list(word(idx)).map(|a| (idx, a)))?;
    if word(noun.saturating_sub(1)) == "furry" {
        attribute = Attribute::Pet;
    }
    // "My son's dog", "my dog walker": the noun is the last one.
    if let Some(other) = list(word(noun + 1)) {
        (noun, attribute) = (noun + 1, other);
    }
    let comma = usize::from(word(noun + 1) == ",");
    let mut name = name(scene, noun + 1 + comma);
    if name.is_empty() {
        name = noun + 1..noun + 1;
    }
    let closing = usize::from(comma == 1 && !name.is_empty() && word(name.end) == ",");
    let next = name.end + closing;
    Some(Someone { attribute, noun, name, next })
}

fn person(scene: &Scene<'_>, from: usize) -> Option<Draft> {
    let who = someone(scene, from)?;
    let noun = scene.body.get(who.noun)?.word;
    if let Some(named) = given_name(scene, &who) {
        return Some(identity(scene, &who, noun, named));
    }
    let is_named = !who.name.is_empty();
    if who.attribute == Attribute::Friend && !is_named {
        return None;
    }
    let told = predicate(scene.body, who.next).and_then(|p| told(scene, &who, noun, &p));
    told.or_else(|| is_named.then(|| identity(scene, &who, noun, who.name.clone())))
        .filter(|d| !d.value.is_empty())
}

/// "My dog is called Rex", "my dog's name is Rex", "my sister is Anna".
fn given_name(scene: &Scene<'_>, who: &Someone) -> Option<Range<usize>> {
    let word = |idx: usize| scene.body.get(idx).map_or("", |t| t.word);
    let is = match (word(who.next), word(who.next + 1)) {
        ("'s", "name" | "names") => who.next + 2,
        _ => who.next,
    };
    if !is_be(word(is)) || word(who.next) == "'s" && is == who.next {
        return None;
    }
    let at = is + 1 + usize::from(matches!(word(is + 1), "called" | "named"));
    let found = name(scene, at);
    let is_whole = scene.body.get(found.end).is_none_or(|t| !t.is_word || t.word == "and");
    (!found.is_empty() && is_whole && !List::Origins.has(word(at))).then_some(found)
}

fn identity(scene: &Scene<'_>, who: &Someone, noun: &str, named: Range<usize>) -> Draft {
    called(who.attribute, noun, scene.text(named))
}

fn called(attribute: Attribute, noun: &str, name: &str) -> Draft {
    let attribute = if List::Partner.has(noun) { Attribute::Partner } else { attribute };
    let mut draft = Draft::new(attribute, &format!("{noun} {name}"), Direction::Past);
    draft.head = Some(format!("{}/{}", value::head(noun), name.to_lowercase()));
    draft.is_timeless = true;
    draft
}

/// What somebody is or does.
fn told(scene: &Scene<'_>, who: &Someone, noun: &str, p: &Predicate) -> Option<Draft> {
    let word = |idx: usize| scene.body.get(idx).map_or("", |t| t.word);
    if p.is_negated || p.is_over || matches!(p.mode, Mode::Can | Mode::Formerly) {
        return None;
    }
    let direction = direction(p.mode);
    let is_whole = matches!(p.verb.base, "die" | "graduate" | "retire" | "marry" | "propose");
    let dated = scene.when(direction).is_some();
    let is_whole = is_whole || dated && (p.mode == Mode::Doing || p.verb.base == "quit");
    let end = match scene.value(p.next, direction) {
        _ if (p.verb.base, word(p.next)) == ("pass", "away") => p.next + 1,
        Some(range) => range.end,
        None if is_whole => p.next,
        None => return None,
    };
    let range = p.next..end;
    let object = scene.body.get(range.clone())?;
    let n_content = value::n_content(object);
    let used = p.verb.done.or(p.verb.doing).or(p.verb.habit);
    let tells = match p.verb.base {
        "be" => is_lasting(word(p.next)) && n_content > 0,
        "come" => dated || word(p.next) == "from",
        "have" if List::Vague.has(object.last().map_or("", |t| t.word)) => false,
        base if LASTING.contains(&base) => n_content > 0 && !value::points(scene.body, &range),
        "pass" if word(p.next) == "away" => true,
        "get" if matches!(word(p.next), "married" | "engaged") => true,
        "get" if List::Idle.has(word(p.next)) => false,
        _ if object.is_empty() => true,
        _ if p.mode == Mode::Present && p.verb.habit.is_some() => n_content > 0,
        _ => used.is_some_and(|u| !u.is_vague || dated || n_content > 2),
    };
    if !tells || value::is_about_you(object) {
        return None;
    }
    let mut draft = Draft::new(who.attribute, scene.text(who.noun..range.end), direction);
    let name = match scene.text(who.name.clone()) {
        "" => String::new(),
        name => format!("/{}", name.to_lowercase()),
    };
    let deed = value::head(scene.text(p.at..range.end));
    draft.head = Some(format!("{}{name}/{deed}", value::head(noun)));
    Some(draft)
}

/// Whether what follows "my sister is" lasts.
fn is_lasting(word: &str) -> bool {
    matches!(word, "a" | "an" | "from" | "allergic" | "married" | "engaged" | "pregnant" | "born")
        || List::Diet.has(word)
        || List::Origins.has(word)
        || word.starts_with(|c: char| c.is_ascii_digit())
}
