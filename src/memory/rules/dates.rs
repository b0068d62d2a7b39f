//! Words of time, and the days they mean as seen from the day they were said.
//!
//! Nothing is guessed: "a few days ago" and "when I was ten" are found and kept as words, without
//! days. Spans are whole days, the last one exclusive. Weeks begin on Monday; seasons are those of
//! the northern half of the world.

use super::calendar::{
    Span, iso_day, month, months, ordinal, season, singular, week, weekday, year,
};
use super::words::Token;
use crate::time::Day;

/// Whether a clause speaks of the past or of the future, which tells one Friday from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// What was done.
    Past,
    /// What will be done.
    Future,
}

/// Words of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct When {
    /// The first token of it.
    pub(super) first: usize,
    /// The token after its last.
    pub(super) end: usize,
    /// The days it means, the last one exclusive; none where the words leave it open.
    pub(super) span: Option<Span>,
}

const NUMBERS: [&str; 13] = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve",
];
/// Times of life, after "as a" or "when I was a".
const AGES: [&str; 10] =
    ["kid", "child", "teen", "teenager", "boy", "girl", "student", "baby", "toddler", "youngster"];

/// Returns the first words of time among tokens, looking from the left.
pub(super) fn find(tokens: &[Token<'_>], today: Day, direction: Direction) -> Option<When> {
    (0..tokens.len()).find_map(|first| at(tokens, first, today, direction))
}

/// Returns the words of time that begin at a token.
pub(super) fn at(
    tokens: &[Token<'_>],
    first: usize,
    today: Day,
    direction: Direction,
) -> Option<When> {
    let view = View { tokens, first, today, direction };
    let (len, span) = view
        .single_word()
        .or_else(|| view.relative())
        .or_else(|| view.ago())
        .or_else(|| view.ahead())
        .or_else(|| view.weekday())
        .or_else(|| view.calendar())
        .or_else(|| view.since())
        .or_else(|| view.open())?;
    Some(When { first, end: first + len, span })
}

/// Tokens from one on, and what they are seen from.
struct View<'a> {
    tokens: &'a [Token<'a>],
    first: usize,
    today: Day,
    direction: Direction,
}

/// How many tokens were read, and the days they mean.
type Read = Option<(usize, Option<Span>)>;

impl View<'_> {
    fn word(&self, idx: usize) -> &str {
        self.tokens.get(self.first + idx).map_or("", |t| t.word)
    }

    fn day(&self, days_later: i64) -> Option<Span> {
        let from = self.today.plus_days(days_later)?;
        Some(Span { from, to: from.plus_days(1) })
    }

    /// "yesterday", "tonight", "the day before yesterday", "2024-05-01".
    fn single_word(&self) -> Read {
        let part = |idx| {
            usize::from(matches!(
                self.word(idx),
                "morning" | "afternoon" | "evening" | "night" | "lunchtime"
            ))
        };
        let len = match self.word(0) {
            "today" | "tonight" => return Some((1, self.day(0))),
            "yesterday" => return Some((1 + part(1), self.day(-1))),
            "tomorrow" => return Some((1 + part(1), self.day(1))),
            "this" if part(1) == 1 => return Some((2, self.day(0))),
            "last" if self.word(1) == "night" => return Some((2, self.day(-1))),
            "the" => 1,
            _ => 0,
        };
        match (self.word(len), self.word(len + 1), self.word(len + 2)) {
            ("day", "before", "yesterday") => Some((len + 3, self.day(-2))),
            ("day", "after", "tomorrow") => Some((len + 3, self.day(2))),
            _ => {
                let day = iso_day(self.word(0))?;
                Some((1, Some(Span { from: day, to: day.plus_days(1) })))
            }
        }
    }

    /// "last week", "this weekend", "next May", "the past summer".
    fn relative(&self) -> Read {
        let start = usize::from(matches!(self.word(0), "over" | "during" | "the" | "earlier"));
        let start = start + usize::from(start == 1 && self.word(1) == "the");
        let step = match self.word(start) {
            "last" | "past" | "previous" => -1,
            "this" => 0,
            "next" | "coming" | "upcoming" => 1,
            _ => return None,
        };
        if start > 0 && step == 0 && self.word(0) == "the" {
            return None;
        }
        let span = self.unit(self.word(start + 1), step)?;
        Some((start + 2, Some(span)))
    }

    fn unit(&self, unit: &str, step: i64) -> Option<Span> {
        let monday = self.today.plus_days(-self.today.days_since_monday())?;
        match unit {
            "week" => Some(week(monday.plus_days(7 * step)?)),
            "weekend" => self.weekend(monday, step),
            "month" => months(self.today, i32::try_from(step).ok()?, 1),
            "year" => year(self.today.year() + i32::try_from(step).ok()?),
            _ => self.named(unit, step),
        }
    }

    fn weekend(&self, monday: Day, step: i64) -> Option<Span> {
        // On a Saturday or Sunday "last weekend" is the one before; on other days the newest past.
        let this = monday.plus_days(5 + 7 * step)?;
        let is_ahead = step == 0 && self.direction == Direction::Past && this > self.today;
        let saturday = if is_ahead { this.plus_days(-7)? } else { this };
        Some(Span { from: saturday, to: saturday.plus_days(2) })
    }

    /// A weekday, month or season after "last", "this" or "next".
    fn named(&self, name: &str, step: i64) -> Option<Span> {
        if let Some(weekday) = weekday(name) {
            return match step {
                -1 => self.weekday_near(weekday, Direction::Past),
                0 if self.direction == Direction::Past => {
                    self.day(weekday - self.today.days_since_monday())
                }
                _ => self.weekday_near(weekday, Direction::Future),
            };
        }
        let (month, n_months) = match season(name) {
            Some(month) => (month, 3),
            None => (month(name)?, 1),
        };
        let this = Day::new(self.today.year(), month, 1)?;
        let past = this.month_start(i32::try_from(n_months).ok()?)? <= self.today;
        let begun = this <= self.today;
        let years = match step {
            -1 if past => 0,
            -1 => -1,
            1 if begun => 1,
            0 if !begun && self.direction == Direction::Past => -1,
            _ => 0,
        };
        months(this, 12 * years, n_months)
    }

    fn weekday_near(&self, weekday: i64, direction: Direction) -> Option<Span> {
        let ahead = (weekday - self.today.days_since_monday()).rem_euclid(7);
        match direction {
            Direction::Past => self.day(if ahead == 0 { -7 } else { ahead - 7 }),
            Direction::Future => self.day(if ahead == 0 { 7 } else { ahead }),
        }
    }

    /// "three days ago", "a week ago", "a few months ago".
    fn ago(&self) -> Read {
        let (len, number) = self.number(0)?;
        let unit = self.word(len);
        let is_unit = singular(unit).is_some();
        let back = usize::from(self.word(len + 1) == "back");
        if !is_unit || (self.word(len + 1) != "ago" && back == 0) {
            return None;
        }
        let span = number.and_then(|n| self.moved(singular(unit)?, -n));
        Some((len + 2, span))
    }

    /// "in two weeks", "in a month".
    fn ahead(&self) -> Read {
        if self.word(0) != "in" {
            return None;
        }
        let (len, number) = self.number(1)?;
        let unit = singular(self.word(1 + len))?;
        let time = usize::from(self.word(2 + len) == "time");
        if self.direction == Direction::Past {
            return None;
        }
        Some((2 + len + time, number.and_then(|n| self.moved(unit, n))))
    }

    fn moved(&self, unit: &str, n: i64) -> Option<Span> {
        let monday = self.today.plus_days(-self.today.days_since_monday())?;
        match unit {
            "day" => self.day(n),
            "week" => Some(week(monday.plus_days(n.checked_mul(7)?)?)),
            "month" => months(self.today, i32::try_from(n).ok()?, 1),
            "year" => year(self.today.year().checked_add(i32::try_from(n).ok()?)?),
            _ => None,
        }
    }

    /// A number: its tokens, and its value unless it is "a few".
    fn number(&self, idx: usize) -> Option<(usize, Option<i64>)> {
        let word = self.word(idx);
        if matches!(word, "a" | "an") {
            return match (self.word(idx + 1), self.word(idx + 2)) {
                ("couple", "of") => Some((3, Some(2))),
                ("couple", _) => Some((2, Some(2))),
                ("few", _) => Some((2, None)),
                _ => Some((1, Some(1))),
            };
        }
        match word {
            "few" | "several" | "some" | "many" => return Some((1, None)),
            "couple" => return Some((if self.word(idx + 1) == "of" { 2 } else { 1 }, Some(2))),
            _ => {}
        }
        let small = NUMBERS.iter().position(|n| *n == word).and_then(|n| i64::try_from(n).ok());
        let number = small.or_else(|| word.parse().ok().filter(|n| (0..1000).contains(n)))?;
        Some((1, Some(number)))
    }

    /// "on Friday", "Friday night", "Fri" after "on".
    fn weekday(&self) -> Read {
        let on = usize::from(self.word(0) == "on");
        let day = weekday(self.word(on))?;
        let before = self.first.checked_sub(1).and_then(|at| self.tokens.get(at));
        let recurs = before.is_some_and(|t| matches!(t.word, "every" | "each" | "most"));
        if recurs || on == 0 && !self.tokens.get(self.first)?.is_capital {
            return None;
        }
        let part =
            usize::from(matches!(self.word(on + 1), "morning" | "afternoon" | "evening" | "night"));
        Some((on + part + 1, self.weekday_near(day, self.direction)))
    }

    /// "5 May 2024", "on May 5th", "in May", "in 2019".
    fn calendar(&self) -> Read {
        let mut idx = usize::from(matches!(self.word(0), "on" | "in" | "back" | "around"));
        idx += usize::from(self.word(0) == "back" && self.word(1) == "in");
        idx += usize::from(matches!(self.word(idx), "the" | "early" | "late" | "mid" | "summer"));
        if let Some(month) = self.month_at(idx) {
            if let Some(day) = ordinal(self.word(idx + 1)) {
                let (more, year) = self.year_at(idx + 2);
                return Some((idx + 2 + more, self.date(year, month, day)));
            }
            let (more, year) = self.year_at(idx + 1);
            let known = idx > 0 && self.word(0) != "the" || year.is_some();
            return known.then(|| (idx + 1 + more, self.month(year, month)));
        }
        if let Some(day) = ordinal(self.word(idx)) {
            let of = usize::from(self.word(idx + 1) == "of");
            let month = self.month_at(idx + 1 + of)?;
            let (more, year) = self.year_at(idx + 2 + of);
            return Some((idx + 2 + of + more, self.date(year, month, day)));
        }
        let (more, named) = self.year_at(idx);
        let found = named.filter(|_| idx > 0 && self.word(0) != "the")?;
        Some((idx + more, year(found)))
    }

    fn month_at(&self, idx: usize) -> Option<u32> {
        let token = self.tokens.get(self.first + idx)?;
        month(token.word).filter(|_| token.is_capital)
    }

    /// A year, perhaps after a comma.
    fn year_at(&self, idx: usize) -> (usize, Option<i32>) {
        let comma = usize::from(self.word(idx) == ",");
        let word = self.word(idx + comma);
        let year = word.parse().ok().filter(|y| word.len() == 4 && (1900..2100).contains(y));
        (if year.is_some() { comma + 1 } else { 0 }, year)
    }

    fn date(&self, year: Option<i32>, month: u32, day: u32) -> Option<Span> {
        let this = Day::new(year.unwrap_or(self.today.year()), month, day);
        let from = match (year, self.direction) {
            (None, Direction::Past) if this? > self.today => {
                Day::new(self.today.year() - 1, month, day)
            }
            (None, Direction::Future) if this? < self.today => {
                Day::new(self.today.year() + 1, month, day)
            }
            _ => this,
        }?;
        Some(Span { from, to: from.plus_days(1) })
    }

    fn month(&self, year: Option<i32>, month: u32) -> Option<Span> {
        let this = Day::new(year.unwrap_or(self.today.year()), month, 1)?;
        let years = match (year, self.direction) {
            (None, Direction::Past) if this > self.today => -1,
            (None, Direction::Future) if this.month_start(1)? <= self.today => 1,
            _ => 0,
        };
        months(this, 12 * years, 1)
    }

    /// "since 2019", "since last May": it goes on.
    fn since(&self) -> Read {
        if self.word(0) != "since" || self.word(2) == "was" {
            return None;
        }
        if let (more, Some(found)) = self.year_at(1) {
            return Some((1 + more, year(found).map(|s| Span { to: None, ..s })));
        }
        if let Some(month) = self.month_at(1) {
            let (more, year) = self.year_at(2);
            let past = View { direction: Direction::Past, ..*self };
            let span = past.month(year, month).map(|s| Span { to: None, ..s });
            return Some((2 + more, span));
        }
        let rest = View { first: self.first + 1, direction: Direction::Past, ..*self };
        let (len, span) = rest.single_word().or_else(|| rest.relative())?;
        Some((1 + len, span.map(|s| Span { to: None, ..s })))
    }

    /// What is a time but no days: "when I was ten", "as a child", "the other day".
    fn open(&self) -> Read {
        let len = match (self.word(0), self.word(1), self.word(2)) {
            ("as", "a" | "an", age) if AGES.contains(&age) => 3,
            ("when" | "since", "i" | "we", "was" | "were") => {
                let article = usize::from(matches!(self.word(3), "a" | "an" | "in"));
                4 + article + usize::from(self.word(4) == "years") * 2
            }
            ("the", "other", "day" | "night" | "week")
            | ("a", "while", "ago" | "back")
            | ("some", "time", "ago") => 3,
            ("for", _, _) => {
                let about = usize::from(matches!(
                    self.word(1),
                    "about" | "over" | "almost" | "nearly" | "around" | "the"
                ));
                let past = usize::from(matches!(self.word(1 + about), "past" | "last"));
                let (len, _) = self.number(1 + about + past)?;
                singular(self.word(1 + about + past + len))?;
                2 + about + past + len
            }
            _ => return None,
        };
        (self.first + len <= self.tokens.len()).then_some((len, None))
    }
}
