//! Points in time, and the only place that reads the clock.
//!
//! A [`Timestamp`] keeps the offset it was given with, so that it is shown again as it was said.
//! Order between pages is never taken from it: the clock may step back.

use std::fmt;

use chrono::{
    DateTime, Datelike as _, FixedOffset, Months, NaiveDate, NaiveDateTime, TimeDelta, Utc,
};
use thiserror::Error;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A moment, to the microsecond, with the offset from UTC it was given in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timestamp(DateTime<FixedOffset>);

/// A day of the calendar, without a place on earth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(NaiveDate);

/// A text that is no time we know.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "timestamp {0:?} is not a time, expected RFC 3339 (2026-05-01T09:30:00Z), \
     `YYYY-MM-DD HH:MM:SS` or `YYYY-MM-DD`"
)]
pub struct TimestampError(String);

impl Timestamp {
    /// Reads the clock, in UTC.
    pub fn now() -> Self {
        let micros = Utc::now().timestamp_micros();
        Self::from_parts(micros, 0).unwrap_or(Self(DateTime::UNIX_EPOCH.fixed_offset()))
    }

    /// Parses RFC 3339, `YYYY-MM-DD HH:MM:SS` (fractions allowed, `T` too) or `YYYY-MM-DD`; UTC
    /// without an offset.
    ///
    /// # Errors
    ///
    /// [`TimestampError`] when `text` is none of these.
    pub fn parse(text: &str) -> Result<Self, TimestampError> {
        let text = text.trim();
        let error = || TimestampError(text.chars().take(80).collect());
        // chrono takes `26-05-01` for the year 26.
        if !begins_with_year(text) {
            return Err(error());
        }
        let utc = |naive: NaiveDateTime| naive.and_utc().fixed_offset();
        let parsed = DateTime::parse_from_rfc3339(text)
            .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").map(utc))
            .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").map(utc))
            .or_else(|_| {
                NaiveDate::parse_from_str(text, "%Y-%m-%d").map(|d| utc(d.and_time(midnight())))
            });
        let time = parsed.map_err(|_| error())?;
        Self::from_parts(time.timestamp_micros(), time.offset().local_minus_utc()).ok_or_else(error)
    }

    /// Rebuilds a stored timestamp: microseconds since 1970 in UTC, offset in seconds east.
    pub fn from_parts(micros: i64, offset_seconds: i32) -> Option<Self> {
        let offset = FixedOffset::east_opt(offset_seconds)?;
        let utc = DateTime::from_timestamp_micros(micros)?;
        let local = utc.with_timezone(&offset);
        // Both are written with four digits.
        let is_written = |year| (1..=9999).contains(&year);
        (is_written(utc.year()) && is_written(local.year())).then_some(Self(local))
    }

    /// Returns the microseconds since 1970 in UTC.
    pub fn micros(self) -> i64 {
        self.0.timestamp_micros()
    }

    /// Returns the offset from UTC in seconds, positive to the east.
    pub fn offset_seconds(self) -> i32 {
        self.0.offset().local_minus_utc()
    }

    /// Returns the seconds from `earlier` to this moment, 0 if the clock stepped back.
    pub fn seconds_since(self, earlier: Self) -> f64 {
        (self.micros().saturating_sub(earlier.micros()).max(0)) as f64 / 1e6
    }

    /// Returns the date as people say it, in UTC: `8 May, 2023`.
    pub fn date_words(self) -> String {
        let date = self.0.with_timezone(&Utc).date_naive();
        let month = MONTHS.get(date.month0() as usize).copied().unwrap_or_default();
        format!("{} {month}, {}", date.day(), date.year())
    }

    /// Returns the day it is at its own offset.
    pub fn day(self) -> Day {
        Day(self.0.date_naive())
    }

    /// Returns the moment at which a day begins at this timestamp's offset; none outside the years
    /// that can be shown.
    pub fn start_of(self, day: Day) -> Option<Self> {
        let offset = self.offset_seconds();
        let micros = day.0.and_time(midnight()).and_utc().timestamp_micros();
        Self::from_parts(micros.checked_sub(i64::from(offset) * 1_000_000)?, offset)
    }

    /// Returns the moment as part of a file name: `20260501T093000Z`.
    pub fn file_stamp(self) -> String {
        self.0.with_timezone(&Utc).format("%Y%m%dT%H%M%SZ").to_string()
    }
}

impl Day {
    /// Returns a day of a month (both counted from 1), none if there is no such day.
    pub fn new(year: i32, month: u32, day: u32) -> Option<Self> {
        NaiveDate::from_ymd_opt(year, month, day).map(Self)
    }

    /// Returns the day so many days later, or earlier if negative.
    pub fn plus_days(self, days: i64) -> Option<Self> {
        let days = TimeDelta::try_days(days)?;
        self.0.checked_add_signed(days).map(Self)
    }

    /// Returns the first day of the month so many months later, or earlier if negative.
    pub fn month_start(self, months_later: i32) -> Option<Self> {
        let first = self.0.with_day(1)?;
        let months = Months::new(months_later.unsigned_abs());
        let moved = if months_later < 0 {
            first.checked_sub_months(months)
        } else {
            first.checked_add_months(months)
        };
        moved.map(Self)
    }

    /// Returns its year.
    pub fn year(self) -> i32 {
        self.0.year()
    }

    /// Returns its month, counted from 1.
    pub fn month(self) -> u32 {
        self.0.month()
    }

    /// Returns the days since the Monday of its week: 0 to 6.
    pub fn days_since_monday(self) -> i64 {
        i64::from(self.0.weekday().num_days_from_monday())
    }
}

impl fmt::Display for Day {
    /// `2026-05-01`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.format("%Y-%m-%d").fmt(f)
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 with the offset kept; `Z` for UTC; fractions only where there are any.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
    }
}

/// Whether a text begins with four digits and a hyphen.
fn begins_with_year(text: &str) -> bool {
    text.split_once('-')
        .is_some_and(|(year, _)| year.len() == 4 && year.bytes().all(|b| b.is_ascii_digit()))
}

fn midnight() -> chrono::NaiveTime {
    chrono::NaiveTime::MIN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_accepted_form_is_read_and_shown_with_its_offset() {
        let cases = [
            ("2026-05-01T09:30:00Z", "2026-05-01T09:30:00Z"),
            ("2026-05-01T09:30:00+02:00", "2026-05-01T09:30:00+02:00"),
            ("2026-05-01T09:30:00.120-07:00", "2026-05-01T09:30:00.120-07:00"),
            ("2026-05-01 09:30:00", "2026-05-01T09:30:00Z"),
            ("2025-07-06T11:39:42.190787", "2025-07-06T11:39:42.190787Z"),
            (" 2026-05-01 ", "2026-05-01T00:00:00Z"),
        ];
        for (text, shown) in cases {
            assert_eq!(Timestamp::parse(text).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn what_is_no_time_is_named_in_the_error() {
        let bad = [
            "yesterday",
            "",
            "2026-13-01",
            "10000-01-01T00:00:00Z",
            "1714550000",
            "26-05-01",
            "5-6-7",
            "+2026-05-01",
            "-2026-05-01 09:30:00",
            "26-05-01T09:30:00",
            "02026-05-01",
        ];
        for bad in bad {
            let error = Timestamp::parse(bad).unwrap_err();
            assert!(error.to_string().contains(&format!("{bad:?}")), "{error}");
        }
    }

    #[test]
    fn parts_give_the_same_timestamp_back() {
        let t = Timestamp::parse("2026-05-01T09:30:00.5+05:30").unwrap();
        assert_eq!(Timestamp::from_parts(t.micros(), t.offset_seconds()), Some(t));
    }

    #[test]
    fn elapsed_time_is_never_negative() {
        let (a, b) =
            (Timestamp::parse("2026-05-01").unwrap(), Timestamp::parse("2026-05-02").unwrap());
        assert_eq!((b.seconds_since(a), a.seconds_since(b)), (86_400.0, 0.0));
    }

    #[test]
    fn a_day_is_counted_and_begins_at_the_offset_of_the_timestamp() {
        let t = Timestamp::parse("2023-05-08T23:30:00-04:00").unwrap();
        let day = t.day();
        assert_eq!((day.year(), day.month(), day.days_since_monday()), (2023, 5, 0));
        assert_eq!(t.start_of(day).unwrap().to_string(), "2023-05-08T00:00:00-04:00");
        assert_eq!(day.plus_days(-8), Day::new(2023, 4, 30));
        assert_eq!(day.month_start(-5), Day::new(2022, 12, 1));
        assert_eq!(day.month_start(8), Day::new(2024, 1, 1));
        assert_eq!(day.plus_days(i64::MAX), None);
        assert_eq!(Day::new(2023, 2, 29), None);
    }

    #[test]
    fn the_date_is_said_in_utc() {
        let t = Timestamp::parse("2023-05-08T23:30:00-04:00").unwrap();
        assert_eq!(
            (t.date_words().as_str(), t.file_stamp().as_str()),
            ("9 May, 2023", "20230509T033000Z")
        );
    }
}
