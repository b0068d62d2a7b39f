//! The frames: which words after a verb fill which attribute.
//!
//! A table first, the little that reads it after. A frame is tried in the order of the table; what
//! no frame takes may still be something the verb tells on its own, see `deed`.

use super::lexicon::List;
use super::rule::Rule;
use super::verbs::{Mode, Predicate};
use super::words::Token;
use crate::memory::fact::Attribute::{
    self, Birthday, Diet, Dislike, Employer, Event, Family, Goal, Health, Hobby, Home, Job,
    Language, Like, Origin, Partner, Pet, Plan, Possession, Skill, Study, Trip,
};

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    verb: &'static str,
    /// The words after the verb: alternatives with `|`, optional ones with `?`.
    rest: &'static str,
    attribute: Attribute,
    rule: Rule,
    modes: &'static [Mode],
    /// Whether those words are part of the value.
    is_whole: bool,
}

/// Holds now, or held.
const STATE: &[Mode] = &[Mode::Present, Mode::Doing, Mode::Been, Mode::Perfect, Mode::Formerly];
const NOW: &[Mode] = &[Mode::Present, Mode::Doing, Mode::Been, Mode::Formerly];
const DONE: &[Mode] = &[Mode::Past, Mode::Perfect];
const EVER: &[Mode] =
    &[Mode::Present, Mode::Doing, Mode::Been, Mode::Perfect, Mode::Formerly, Mode::Past];
const CAN: &[Mode] = &[Mode::Can];
const AHEAD: &[Mode] = &[Mode::Present, Mode::Doing, Mode::Been, Mode::Perfect, Mode::Future];

const fn after(
    verb: &'static str,
    rest: &'static str,
    attribute: Attribute,
    rule: Rule,
    modes: &'static [Mode],
) -> Frame {
    Frame { verb, rest, attribute, rule, modes, is_whole: false }
}

const fn whole(
    verb: &'static str,
    rest: &'static str,
    attribute: Attribute,
    rule: Rule,
    modes: &'static [Mode],
) -> Frame {
    Frame { verb, rest, attribute, rule, modes, is_whole: true }
}

#[rustfmt::skip]
const FRAMES: &[Frame] = &[
    // Where from, where to.
    after("live", "over? here? in|near|outside|at", Home, Rule::Place, STATE),
    after("reside", "in|near|outside|at", Home, Rule::Place, STATE),
    after("be", "based|living in", Home, Rule::Place, STATE),
    after("move", "back? over? here? to", Home, Rule::Named, DONE),
    after("be", "born and raised in", Origin, Rule::Named, DONE),
    after("be", "raised in", Origin, Rule::Named, DONE),
    after("be", "born on", Birthday, Rule::Date, DONE),
    after("be", "born in", Birthday, Rule::Year, DONE),
    after("be", "born in", Origin, Rule::Named, DONE),
    after("be", "from", Origin, Rule::Named, STATE),
    after("come", "from", Origin, Rule::Named, STATE),
    after("grow", "up in|on|near", Origin, Rule::Place, DONE),
    // Work and study.
    after("work", "part-time|full-time|remotely? as", Job, Rule::Any, STATE),
    after("work", "part-time|full-time|remotely|nights? at|for", Employer, Rule::Thing, STATE),
    after("work", "in a|an|the", Employer, Rule::Thing, NOW),
    after("work", "in", Job, Rule::Field, NOW),
    after("be", "employed at|by", Employer, Rule::Thing, STATE),
    after("major", "in", Study, Rule::Any, EVER),
    after("be", "majoring in", Study, Rule::Any, STATE),
    after("be", "enrolled in|at", Study, Rule::Any, STATE),
    after("have", "a|an? master|masters|bachelor|bachelors|phd|doctorate|degree 's? degree? in", Study, Rule::Any, STATE),
    after("be", "in my first|second|third|fourth|final|last year of", Study, Rule::Any, STATE),
    after("go", "to", Study, Rule::Named, &[Mode::Present]),
    // Health and food.
    whole("be", "severely|deathly|mildly|highly? allergic to", Health, Rule::Any, STATE),
    after("be", "diagnosed with", Health, Rule::Any, &[Mode::Past, Mode::Perfect, Mode::Present]),
    whole("be", "lactose|gluten intolerant", Health, Rule::Bare, STATE),
    whole("be", "recovering from", Health, Rule::Any, STATE),
    after("suffer", "from", Health, Rule::Any, STATE),
    whole("have", "a|an? severe|bad|mild|nut|peanut? allergy|intolerance|allergies to", Health, Rule::Any, STATE),
    after("be", "on a|an|the", Diet, Rule::Word(List::Diet), STATE),
    // People.
    whole("be", "happily? married|engaged to", Partner, Rule::Named, STATE),
    after("be", "dating", Partner, Rule::Named, STATE),
    after("date", "", Partner, Rule::Named, &[Mode::Doing, Mode::Been]),
    whole("be", "in a|an relationship|long-distance relationship? with", Partner, Rule::Any, STATE),
    whole("be", "expecting a|our|my|another", Family, Rule::Noun(List::Family), STATE),
    // What one likes and does not.
    after("love|like|adore|enjoy|prefer", "to", Like, Rule::Verb, STATE),
    after("love|like|adore|enjoy|prefer", "", Like, Rule::Thing, STATE),
    after("love|like|adore|enjoy", "", Like, Rule::Named, DONE),
    after("be", "into", Like, Rule::Thing, STATE),
    after("be", "fond of", Like, Rule::Thing, STATE),
    after("be", "interested in", Like, Rule::Thing, STATE),
    after("be", "passionate about", Like, Rule::Thing, STATE),
    after("be", "obsessed with", Like, Rule::Thing, STATE),
    after("be", "keen on", Like, Rule::Thing, STATE),
    after("be", "crazy about", Like, Rule::Thing, STATE),
    after("be", "addicted|hooked to|on", Like, Rule::Thing, STATE),
    after("be", "fascinated by|with", Like, Rule::Thing, STATE),
    after("have", "a real|huge|big|strong|deep|great? passion|love|thing|weakness|respect|admiration for", Like, Rule::Thing, STATE),
    after("have", "a soft spot for", Like, Rule::Thing, STATE),
    after("hate|dislike|despise|loathe|dread", "to", Dislike, Rule::Verb, STATE),
    after("hate|dislike|despise|loathe|dread", "", Dislike, Rule::Thing, STATE),
    after("stand", "", Dislike, Rule::Thing, CAN),
    after("be", "afraid|scared|terrified of", Dislike, Rule::Thing, STATE),
    after("have", "a fear of", Dislike, Rule::Thing, STATE),
    // What one can.
    after("speak", "fluent? some? a? little? bit? of?", Language, Rule::Word(List::Languages), &[Mode::Present, Mode::Can, Mode::Formerly]),
    after("be", "fluent in", Language, Rule::Any, STATE),
    after("learn|study|practice|practise", "", Language, Rule::Word(List::Languages), NOW),
    after("play", "the?", Skill, Rule::Only(List::Instruments), &[Mode::Present, Mode::Can, Mode::Been, Mode::Formerly]),
    after("be", "good|great|skilled|bad|terrible at", Skill, Rule::Thing, STATE),
    whole("swim|cook|code|drive|ski|sing|dance|knit|sew|surf|draw|ride", "", Skill, Rule::Thing, CAN),
    whole("play", "", Skill, Rule::Thing, CAN),
    whole("swim|cook|code|drive|ski|sing|dance|knit|sew|surf|draw", "", Skill, Rule::Bare, CAN),
    after("be", "learning about? how? to", Skill, Rule::Verb, STATE),
    after("learn", "how? to", Skill, Rule::Verb, EVER),
    // What one does.
    whole("go", "", Hobby, Rule::Activity, &[Mode::Present, Mode::Been]),
    whole("take", "", Hobby, Rule::Noun(List::Courses), &[Mode::Doing, Mode::Been]),
    after("minor", "in", Study, Rule::Any, EVER),
    whole("belong", "to", Hobby, Rule::Thing, STATE),
    whole("smoke", "", Health, Rule::Bare, STATE),
    // What one has.
    after("own", "", Possession, Rule::Thing, STATE),
    after("use", "", Possession, Rule::Noun(List::Possession), &[Mode::Present]),
    after("collect", "", Hobby, Rule::Thing, STATE),
    after("have", "", Family, Rule::Noun(List::Family), STATE),
    after("have", "", Pet, Rule::Noun(List::Pet), STATE),
    after("have", "", Health, Rule::Noun(List::Health), STATE),
    after("have", "", Possession, Rule::Noun(List::Possession), STATE),
    after("have", "", Plan, Rule::Noun(List::Appointments), &[Mode::Present, Mode::Future]),
    // What one wants.
    after("want|hope|wish|aim|aspire|dream", "to someday?", Goal, Rule::Verb, AHEAD),
    after("dream", "of|about", Goal, Rule::Activity, AHEAD),
    after("be", "determined to", Goal, Rule::Verb, STATE),
    whole("be", "saving up? for", Goal, Rule::Thing, STATE),
    whole("save", "up? for", Goal, Rule::Thing, NOW),
    whole("work", "toward|towards", Goal, Rule::Thing, NOW),
    // What one intends.
    after("plan|intend|decide", "to", Plan, Rule::Verb, &[Mode::Present, Mode::Doing, Mode::Been, Mode::Past, Mode::Perfect]),
    after("plan|think|dream", "on|about|of", Plan, Rule::Activity, &[Mode::Doing, Mode::Been]),
    after("plan", "on", Plan, Rule::Activity, &[Mode::Present]),
    after("plan", "", Plan, Rule::Thing, &[Mode::Doing, Mode::Been]),
    after("consider", "", Plan, Rule::Activity, &[Mode::Doing, Mode::Been]),
    after("look", "forward to", Plan, Rule::Thing, &[Mode::Doing]),
    after("look", "into", Plan, Rule::Activity, &[Mode::Doing, Mode::Been]),
    after("be", "about to", Plan, Rule::Verb, &[Mode::Present]),
    after("be", "off to", Plan, Rule::Named, &[Mode::Present]),
    // What happened and is no verb's own.
    after("be", "in|to", Trip, Rule::Named, DONE),
    whole("turn", "", Event, Rule::Count, DONE),
    whole("try", "out", Event, Rule::Thing, &[Mode::Doing, Mode::Been]),
    whole("be", "promoted|accepted|hired|laid|fired|invited|selected|nominated|chosen|awarded to|as|into|off|from|for|by", Event, Rule::Any, DONE),
    
    whole("be", "a|an part|member of", Hobby, Rule::Thing, STATE),
    whole("work", "on", Event, Rule::Any, &[Mode::Doing, Mode::Been]),
    whole("serve", "in|as", Job, Rule::Thing, EVER),
];

/// A frame that fits: its attribute, and where its value begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Match {
    /// Its verb, or verbs.
    pub(super) verb: &'static str,
    /// What it fills.
    pub(super) attribute: Attribute,
    /// The rule for its value.
    pub(super) rule: Rule,
    /// The first token that is shown.
    pub(super) shown_from: usize,
    /// The first token after the frame's words.
    pub(super) value_from: usize,
}

/// Returns the frames whose words stand after a predicate, in the order of the table.
pub(super) fn matches<'a>(
    tokens: &'a [Token<'_>],
    predicate: &'a Predicate,
) -> impl Iterator<Item = Match> + 'a {
    FRAMES.iter().filter_map(move |frame| {
        let fits = frame.modes.contains(&predicate.mode)
            && frame.verb.split('|').any(|v| v == predicate.verb.base);
        let value_from =
            if fits { words_end(tokens, predicate.next, frame.rest)? } else { return None };
        let shown_from = match (frame.is_whole, frame.verb) {
            (false, _) => value_from,
            (true, "be" | "have") => predicate.next,
            (true, _) => predicate.at,
        };
        let Frame { verb, attribute, rule, .. } = *frame;
        Some(Match { verb, attribute, rule, shown_from, value_from })
    })
}

/// Returns the token after a frame's words, if they stand at `at`.
fn words_end(tokens: &[Token<'_>], at: usize, rest: &str) -> Option<usize> {
    let mut at = at;
    for part in rest.split(' ').filter(|p| !p.is_empty()) {
        let alternatives = part.trim_end_matches('?');
        let word = tokens.get(at).map_or("", |t| t.word);
        if alternatives.split('|').any(|a| a == word) {
            at += 1;
        } else if alternatives.len() == part.len() {
            return None;
        }
    }
    Some(at)
}
