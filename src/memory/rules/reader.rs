//! Goes over a message: sentence by sentence, clause by clause, and finds who does what.

use std::collections::HashSet;

use super::asked::{Asked, note, remembered, to_do};
use super::chinese;
use super::clause::{Clause, clauses};
use super::copula;
use super::dates;
use super::dates::Direction;
use super::deed;
use super::draft::{Draft, Scene};
use super::frames;
use super::gate;
use super::holding::{diet, is_over, of_frame};
use super::input::spoken;
use super::lexicon::List;
use super::people;
use super::verbs::{self, ADVERBS, Form, Mode, Predicate, form, predicate};
use super::words::{Token, tokens};
use crate::memory::fact::{Attribute, Statement};
use crate::memory::secrets;
use crate::memory::sentence::sentences;
use crate::time::Timestamp;

/// Words before a subject that change nothing.
const LEAD_INS: [&str; 56] = [
    "since",
    "as",
    "although",
    "while",
    "and",
    "but",
    "so",
    "because",
    "plus",
    "also",
    "then",
    "well",
    "oh",
    "yeah",
    "yes",
    "yep",
    "yup",
    "no",
    "nope",
    "hey",
    "hi",
    "hello",
    "thanks",
    "btw",
    "anyway",
    "actually",
    "honestly",
    "recently",
    "lately",
    "currently",
    "fyi",
    "ps",
    "personally",
    "unfortunately",
    "luckily",
    "sadly",
    "wow",
    "haha",
    "lol",
    "ok",
    "okay",
    "sure",
    "hmm",
    "ah",
    "aw",
    "man",
    "dude",
    "though",
    "now",
    "right",
    "finally",
    "totally",
    "definitely",
    "absolutely",
    "correction",
    "nowadays",
];

/// Verbs that begin a clause without a subject as a plan: "Planning to ...".
const OPENERS: [&str; 8] =
    ["planning", "thinking", "looking", "considering", "hoping", "working", "learning", "studying"];

/// The clauses of a sentence that are read: each looks back at what comes before it.
const MAX_CLAUSES: usize = 64;

/// Words after which what is said only holds if it was: "when I have kids".
const TIMES: [&str; 5] = ["when", "once", "until", "before", "after"];

/// Reads a message.
pub(super) fn read(text: &str, at: Timestamp) -> Vec<Statement> {
    let kept = spoken(text);
    let lower = kept.to_ascii_lowercase();
    let mut found: Vec<Statement> = Vec::new();
    let mut is_explicit = false;
    for range in sentences(&kept) {
        let sentence = lower.get(range.clone()).unwrap_or_default();
        if gate::taints(sentence) {
            break;
        }
        let mut said = if chinese::is_han(sentence) {
            chinese::read(&kept, range.clone(), at)
        } else {
            let all = tokens(&kept, &lower, range.clone());
            let asked = remembered(&all);
            is_explicit |= asked.is_some_and(|(_, kind)| kind == Asked::That);
            of_sentence(&kept, &all, asked, at)
        };
        if said.is_empty() || secrets::find(kept.get(range).unwrap_or_default()).is_some() {
            continue;
        }
        // A part may look like a secret where the whole does not.
        said.retain(|said| !holds_secret(said));
        for statement in &mut said {
            statement.explicit |= is_explicit;
        }
        found.extend(said);
    }
    let mut seen = HashSet::new();
    found.retain(|s| seen.insert((s.attribute, s.head.clone(), s.value.clone())));
    found
}

/// Whether a statement would show what looks like a secret.
pub(super) fn holds_secret(statement: &Statement) -> bool {
    [&statement.clause, &statement.value].into_iter().any(|text| secrets::find(text).is_some())
}

fn of_sentence(
    source: &str,
    all: &[Token<'_>],
    asked: Option<(usize, Asked)>,
    at: Timestamp,
) -> Vec<Statement> {
    let rest = asked.and_then(|(from, _)| all.get(from..)).unwrap_or(all);
    if let Some((_, Asked::To)) = asked {
        return to_do(source, all, rest, at).into_iter().collect();
    }
    let cut = clauses(rest);
    let mut found = Vec::new();
    for (idx, clause) in cut.iter().enumerate().take(MAX_CLAUSES) {
        if !gate::may_state(rest, &cut, idx) {
            continue;
        }
        let Some(scene) = scene(source, rest, clause, at) else { continue };
        let before = clause.body.start.checked_sub(1).and_then(|at| rest.get(at));
        let is_time = before.is_some_and(|t| TIMES.contains(&t.word));
        let mut drafts = of_clause(&scene, idx == 0, is_time);
        drafts.retain(lasts);
        for passing in people::in_passing(&scene) {
            if !drafts.iter().any(|d| is_about(d, &passing)) {
                drafts.push(passing);
            }
        }
        found.extend(drafts.into_iter().map(|draft| scene.statement(draft)));
    }
    let is_that = asked.is_some_and(|(from, _)| all.get(from - 1).is_some_and(|t| t.word != ","));
    if found.is_empty() && is_that {
        found.extend(note(source, rest, at));
    }
    found
}

fn scene<'a>(
    source: &'a str,
    all: &'a [Token<'a>],
    clause: &Clause,
    at: Timestamp,
) -> Option<Scene<'a>> {
    let lead = all.get(clause.lead.clone())?;
    Some(Scene { source, lead, body: all.get(clause.body.clone())?, at })
}

/// Who a clause speaks of, and the token after that.
enum Subject {
    /// "I", "we", "my sister and I".
    Speaker(usize),
    /// "My", "our".
    Mine(usize),
    /// Nobody, in a clause that begins with what was done.
    Nobody(usize),
}

fn subject(scene: &Scene<'_>, is_first: bool) -> Option<Subject> {
    let body = scene.body;
    let word = |idx: usize| body.get(idx).map_or("", |t| t.word);
    let today = scene.at.day();
    let mut at = 0;
    loop {
        if let Some(when) = dates::at(body, at, today, Direction::Past) {
            at = when.end;
        } else if LEAD_INS.contains(&word(at)) || at > 0 && word(at) == "," {
            at += 1;
        } else {
            break;
        }
    }
    let pair = (at..at + 6).find(|&idx| word(idx) == "and" && matches!(word(idx + 1), "i" | "me"));
    let begins =
        body.get(at).is_some_and(|t| t.is_capital || matches!(t.word, "my" | "our" | "both"));
    match word(at) {
        "i" | "we" => Some(Subject::Speaker(at + 1)),
        "me" if word(at + 1) == "and" => {
            let end =
                (at + 2..at + 7).find(|&idx| predicate(body, idx).is_some() && idx > at + 3)?;
            Some(Subject::Speaker(end))
        }
        _ if begins && pair.is_some() => pair.map(|idx| Subject::Speaker(idx + 2)),
        "my" | "our" => Some(Subject::Mine(at + 1)),
        _ if is_first || at > 0 => Some(Subject::Nobody(at)),
        _ => None,
    }
}

/// Whether what a draft tells of is more than the work of an hour: a file, a bug, a query.
fn lasts(draft: &Draft) -> bool {
    let lower = draft.value.to_ascii_lowercase();
    let mut words = lower.split(|c: char| !c.is_alphanumeric());
    let is_identity = matches!(
        draft.attribute,
        Attribute::Name | Attribute::Home | Attribute::Employer | Attribute::Job | Attribute::Skill
    );
    is_identity || !words.any(|w| List::Work.has(w))
}

/// Whether a draft tells of somebody who is also named in passing.
fn is_about(draft: &Draft, passing: &Draft) -> bool {
    let head = |d: &Draft| d.head.clone().unwrap_or_default();
    draft.attribute == passing.attribute && head(draft).starts_with(&head(passing))
}

/// Returns what one clause says; after "when" only what was.
fn of_clause(scene: &Scene<'_>, is_first: bool, is_time: bool) -> Vec<Draft> {
    if let Some(found) = people::is_favourite(scene) {
        return vec![found];
    }
    let said = match subject(scene, is_first) {
        Some(Subject::Speaker(from)) => predicate(scene.body, from),
        Some(Subject::Mine(from)) => return people::read(scene, from),
        Some(Subject::Nobody(from)) => untold(scene, from),
        None => None,
    };
    let was = |p: &Predicate| matches!(p.mode, Mode::Past | Mode::Perfect);
    said.filter(|p| !is_time || was(p)).map_or_else(Vec::new, |p| of_predicate(scene, &p))
}

/// The predicate of a clause without a subject: "Went hiking yesterday", "Planning to move".
fn untold(scene: &Scene<'_>, from: usize) -> Option<Predicate> {
    let word = |idx: usize| scene.body.get(idx).map_or("", |t| t.word);
    let mut at = from;
    while ADVERBS.contains(&word(at)) {
        at += 1;
    }
    let is_something = scene.body.iter().any(|t| verbs::is_be(t.word) && t.word != "'s");
    if is_something || scene.body.iter().any(|t| matches!(t.word, "he" | "she" | "they" | "it")) {
        return None;
    }
    if OPENERS.contains(&word(at)) {
        let is_subject = scene.body.iter().skip(at + 1).any(|t| {
            matches!(
                t.word,
                "sounds" | "helps" | "takes" | "makes" | "gives" | "keeps" | "has" | "can" | "will"
            )
        });
        if is_subject || word(at + 1) == "and" {
            return None;
        }
        let verb = form(word(at))?.0;
        let mode = Mode::Doing;
        return Some(Predicate { mode, is_negated: false, is_over: false, verb, at, next: at + 1 });
    }
    let goes =
        matches!(word(at), "going" | "heading" | "flying" | "visiting" | "moving" | "starting");
    if goes && word(at + 1) != "to" && scene.when(Direction::Future).is_some() {
        let verb = form(word(at))?.0;
        let mode = Mode::Doing;
        return Some(Predicate { mode, is_negated: false, is_over: false, verb, at, next: at + 1 });
    }
    let found = predicate(scene.body, at)?;
    let opens = matches!(word(at), "been" | "going")
        || form(word(at)).is_some_and(|(_, f)| f == Form::Past) && word(at + 1) != "by";
    (opens && found.mode != Mode::Can).then_some(found)
}

fn of_predicate(scene: &Scene<'_>, p: &Predicate) -> Vec<Draft> {
    if let Some(found) = diet(scene, p) {
        return vec![found];
    }
    for found in frames::matches(scene.body, p) {
        let drafts = of_frame(scene, p, &found);
        if !drafts.is_empty() {
            return drafts;
        }
    }
    let found = copula::read(scene, p, is_over(scene, p));
    if !found.is_empty() {
        return found;
    }
    deed::read(scene, p).into_iter().collect()
}
