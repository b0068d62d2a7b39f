//! Names of days, months and seasons, and the spans of days they are.
//!
//! Plain tables and counting; which Friday is meant is decided in `dates`.

use crate::time::Day;

/// Days: the first one, and the one after the last; none where it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    /// The first day.
    pub(super) from: Day,
    /// The day after the last one.
    pub(super) to: Option<Day>,
}

const WEEKDAYS: [&str; 7] =
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
/// The names of the months.
pub(super) const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// Returns the week that begins on a Monday.
pub(super) fn week(monday: Day) -> Span {
    Span { from: monday, to: monday.plus_days(7) }
}

/// Returns `n` months from the month that is so many months after that of a day.
pub(super) fn months(day: Day, later: i32, n: u32) -> Option<Span> {
    let from = day.month_start(later)?;
    Some(Span { from, to: from.month_start(i32::try_from(n).ok()?) })
}

/// Returns a year.
pub(super) fn year(year: i32) -> Option<Span> {
    Some(Span { from: Day::new(year, 1, 1)?, to: Day::new(year + 1, 1, 1) })
}

/// Reads "2024-05-01".
pub(super) fn iso_day(word: &str) -> Option<Day> {
    let (year, rest) = word.split_once('-').filter(|(year, _)| year.len() == 4)?;
    let (month, day) = rest.split_once('-')?;
    Day::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
}

/// Returns the days from Monday to the named day.
pub(super) fn weekday(word: &str) -> Option<i64> {
    let position = WEEKDAYS.iter().position(|name| short_or_long(word, name))?;
    i64::try_from(position).ok()
}

/// Returns the month of a name, from 1.
pub(super) fn month(word: &str) -> Option<u32> {
    let position = MONTHS.iter().position(|name| short_or_long(word, name))?;
    u32::try_from(position + 1).ok()
}

/// The first month of a season.
pub(super) fn season(word: &str) -> Option<u32> {
    match word {
        "spring" => Some(3),
        "summer" => Some(6),
        "fall" | "autumn" => Some(9),
        "winter" => Some(12),
        _ => None,
    }
}

/// Whether a word is a name or its first three or four letters.
fn short_or_long(word: &str, name: &str) -> bool {
    word == name || matches!(word.len(), 3 | 4) && name.starts_with(word)
}

/// The day of a month: "5", "5th", "21st".
pub(super) fn ordinal(word: &str) -> Option<u32> {
    let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let known = matches!(word.get(digits.len()..), Some("" | "st" | "nd" | "rd" | "th"));
    digits.parse().ok().filter(|d| known && (1..=31).contains(d))
}

/// Returns the unit of time that a word is.
pub(super) fn singular(unit: &str) -> Option<&str> {
    let unit = unit.strip_suffix('s').unwrap_or(unit);
    ["day", "week", "month", "year"].contains(&unit).then_some(unit)
}
