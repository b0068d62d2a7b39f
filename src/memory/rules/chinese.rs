//! Chinese: a table of beginnings and endings of clauses, see `assets/chinese_frames.txt`.
//!
//! There are no words to find without spaces, so a clause must begin with the frame itself, after
//! at most a few words of time.

use std::ops::Range;
use std::sync::LazyLock;

use super::dates::Direction;
use super::draft::{Draft, Scene};
use super::value;
use crate::memory::fact::{Act, Attribute, CLAUSE_CHARS, Cardinality, Statement};
use crate::time::{Day, Timestamp};

/// The characters of a value, at most.
const MAX_CHARS: usize = 20;

/// What words of time mean: days from today on, and how many; weeks and months in `span`.
const DAYS: [(&str, i64); 5] = [
    ("\u{524d}\u{5929}", -2),
    ("\u{6628}\u{5929}", -1),
    ("\u{4eca}\u{5929}", 0),
    ("\u{660e}\u{5929}", 1),
    ("\u{540e}\u{5929}", 2),
];

/// A row of the table.
#[derive(Debug)]
struct Frame {
    begins: &'static str,
    ends: &'static str,
    attribute: Attribute,
    /// `not`, `end`, or the relative that is named.
    mark: &'static str,
}

static FRAMES: LazyLock<Vec<Frame>> = LazyLock::new(|| {
    let row = |line: &'static str| {
        let mut parts = line.split(' ').filter(|_| !line.starts_with('#'));
        let begins = parts.next()?;
        let ends = parts.next()?;
        let attribute = parts.next()?.parse().ok()?;
        Some(Frame { begins, ends, attribute, mark: parts.next().unwrap_or_default() })
    };
    include_str!("../../../assets/chinese_frames.txt").lines().filter_map(row).collect()
});

/// Returns the words of a list of `assets/chinese_words.txt`.
fn list(name: &str) -> impl Iterator<Item = &'static str> {
    let lines = include_str!("../../../assets/chinese_words.txt").lines();
    let words = lines.filter_map(|l| l.split_once(": ")).find(|(n, _)| *n == name);
    words.map_or("", |(_, words)| words).split(' ')
}

/// Whether a sentence is written in Chinese characters for the most part.
pub(super) fn is_han(sentence: &str) -> bool {
    let han = |c: &char| ('\u{4e00}'..='\u{9fff}').contains(c);
    let n_han = sentence.chars().filter(han).count();
    n_han > 0 && 4 * n_han > sentence.chars().filter(|c| c.is_alphanumeric()).count()
}

/// Reads a sentence.
pub(super) fn read(source: &str, range: Range<usize>, at: Timestamp) -> Vec<Statement> {
    let sentence = source.get(range).unwrap_or_default();
    if list("ask").chain(list("doubt")).any(|word| sentence.contains(word)) {
        return Vec::new();
    }
    let is_explicit = list("remember").any(|word| sentence.contains(word));
    let clauses = sentence.split(['\u{ff0c}', '\u{ff1b}', ',', ';', ' ']);
    let mut found: Vec<Statement> =
        clauses.filter_map(|clause| of_clause(source, clause.trim(), at)).collect();
    for statement in &mut found {
        statement.explicit = is_explicit;
    }
    found
}

fn of_clause(source: &str, clause: &str, at: Timestamp) -> Option<Statement> {
    let me = "\u{6211}";
    let mut said = clause;
    while let Some(rest) = list("lead").filter(|w| *w != me).find_map(|w| said.strip_prefix(w)) {
        said = rest.trim_start_matches(['\u{ff0c}', '\u{ff1a}', ':']);
    }
    // The words of time may stand after "I".
    let inner = said.strip_prefix(me).unwrap_or_default();
    let moved = list("lead").find_map(|w| inner.strip_prefix(w)).map(|rest| format!("{me}{rest}"));
    let said = moved.as_deref().unwrap_or(said);
    let (frame, value) = FRAMES.iter().find_map(|frame| {
        let rest = trimmed(said.strip_prefix(frame.begins)?);
        Some((frame, ended(rest, frame)?))
    })?;
    Some(statement(source, clause, frame, value, at))
}

/// Cuts the particles from the end of a value.
fn trimmed(value: &str) -> &str {
    let mut value = value;
    while let Some(rest) = list("last").find_map(|w| value.strip_suffix(w)) {
        value = rest;
    }
    value
}

/// Returns the value of a frame: what stands before its end, without a counting word.
fn ended<'a>(rest: &'a str, frame: &Frame) -> Option<&'a str> {
    let is_kind = matches!(
        frame.attribute,
        Attribute::Job
            | Attribute::Study
            | Attribute::Pet
            | Attribute::Family
            | Attribute::Possession
    );
    let value = match frame.ends {
        "-" => rest,
        end if is_kind && rest.ends_with(end) && end.chars().count() < 4 => rest,
        end if frame.attribute == Attribute::Health || frame.attribute == Attribute::Diet => {
            rest.ends_with(end).then_some(rest)?
        }
        end => rest.strip_suffix(end)?,
    };
    let counted =
        matches!(frame.attribute, Attribute::Name | Attribute::Home | Attribute::Employer);
    let article = list("article").find_map(|w| value.strip_prefix(w)).filter(|_| !counted);
    let value = article.unwrap_or(value);
    let n_chars = value.chars().count();
    let is_empty =
        list("empty").any(|word| value == word) || value.starts_with(['\u{8fd9}', '\u{90a3}']);
    ((1..=MAX_CHARS).contains(&n_chars) && !is_empty).then_some(value)
}

fn statement(source: &str, clause: &str, frame: &Frame, value: &str, at: Timestamp) -> Statement {
    let is_relative = !matches!(frame.mark, "" | "not" | "end");
    let value = if is_relative { format!("{}{value}", frame.mark) } else { value.to_owned() };
    let mut draft = Draft::new(frame.attribute, &value, Direction::Past);
    let shown = clause.trim_end_matches(['\u{3002}', '\u{ff01}', '.', '!', '\u{ff0c}']);
    draft.is_negated = frame.mark == "not" && !shown.ends_with('\u{4e86}');
    draft.act = match frame.mark {
        "end" => Act::End,
        "not" if !draft.is_negated && frame.attribute != Attribute::Diet => Act::End,
        _ => Act::Hold,
    };
    draft.is_negated |= frame.mark == "not" && frame.attribute == Attribute::Diet;
    draft.head = is_relative
        .then(|| format!("{}/{}", frame.mark, value.get(frame.mark.len()..).unwrap_or_default()))
        .or_else(|| Some(value::head(&value)));
    let scene = Scene { source, lead: &[], body: &[], at };
    let mut said = scene.statement(draft);
    said.clause = shown.chars().take(CLAUSE_CHARS).collect();
    if let Some((words, from, to)) = when(clause, at.day()) {
        said.when = Some(words.to_owned());
        said.valid_from = at.start_of(from);
        if frame.attribute.cardinality() == Cardinality::Event {
            said.valid_to = at.start_of(to);
        }
    }
    said
}

/// Finds words of time and the days they mean.
fn when(clause: &str, today: Day) -> Option<(&'static str, Day, Day)> {
    for (word, later) in DAYS {
        if clause.contains(word) {
            let from = today.plus_days(later)?;
            return Some((word, from, from.plus_days(1)?));
        }
    }
    let monday = today.plus_days(-today.days_since_monday())?;
    let year = |y| Some((Day::new(y, 1, 1)?, Day::new(y + 1, 1, 1)?));
    let spans = [
        ("\u{4e0a}\u{5468}", monday.plus_days(-7).zip(Some(monday))),
        ("\u{4e0b}\u{5468}", monday.plus_days(7).zip(monday.plus_days(14))),
        ("\u{4e0a}\u{4e2a}\u{6708}", today.month_start(-1).zip(today.month_start(0))),
        ("\u{4e0b}\u{4e2a}\u{6708}", today.month_start(1).zip(today.month_start(2))),
        ("\u{53bb}\u{5e74}", year(today.year() - 1)),
        ("\u{660e}\u{5e74}", year(today.year() + 1)),
    ];
    let (word, span) = spans.into_iter().find(|(word, _)| clause.contains(word))?;
    span.map(|(from, to)| (word, from, to))
}
