//! How much a model may be asked on one day.
//!
//! Plain computation: whoever asks keeps [`Spent`] where it lasts and says what time it is. A day
//! is one of UTC. The one rule: a budget that is used up delays the work, it loses none of it.

use crate::time::Timestamp;

/// What may be used on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Requests, each try counted.
    pub calls: u64,
    /// Tokens of questions and answers.
    pub tokens: u64,
}

impl Default for Budget {
    /// 200 calls, 400,000 tokens: with the default model less than a quarter of a dollar.
    fn default() -> Self {
        Self { calls: 200, tokens: 400_000 }
    }
}

/// What was used on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spent {
    /// The day, counted from 1970.
    pub day: i64,
    /// Requests.
    pub calls: u64,
    /// Tokens.
    pub tokens: u64,
}

impl Spent {
    /// Adds what was used at `now`; on a later day it begins anew. A clock that steps back does not
    /// open the budget again.
    #[must_use]
    pub fn plus(self, calls: u64, tokens: u64, now: Timestamp) -> Self {
        let today = self.at(now);
        Self {
            calls: today.calls.saturating_add(calls),
            tokens: today.tokens.saturating_add(tokens),
            ..today
        }
    }

    /// Returns what was used on the day of `now`.
    #[must_use]
    pub fn at(self, now: Timestamp) -> Self {
        let day = now.micros().div_euclid(86_400_000_000);
        if self.day < day { Self { day, calls: 0, tokens: 0 } } else { self }
    }
}

impl Budget {
    /// Whether one more call may be made at `now`.
    pub fn allows(self, spent: Spent, now: Timestamp) -> bool {
        let today = spent.at(now);
        today.calls < self.calls && today.tokens < self.tokens
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn a_day_has_its_budget_and_the_next_one_too() {
        let budget = Budget { calls: 2, tokens: 100 };
        let (noon, late) = (at("2026-05-01T12:00:00Z"), at("2026-05-01T23:59:59Z"));
        let once = Spent::default().plus(1, 99, noon);
        assert!(budget.allows(once, late));
        let all_tokens = once.plus(0, 1, late);
        assert!(!budget.allows(all_tokens, late));
        assert!(!budget.allows(once.plus(1, 0, late), late));
        let tomorrow = at("2026-05-02T00:00:00Z");
        assert!(budget.allows(all_tokens, tomorrow));
        assert_eq!(all_tokens.plus(1, 5, tomorrow), Spent { day: 20_575, calls: 1, tokens: 5 });
    }

    #[test]
    fn a_clock_that_steps_back_opens_nothing() {
        let budget = Budget { calls: 1, tokens: 100 };
        let spent = Spent::default().plus(1, 1, at("2026-05-02"));
        assert!(!budget.allows(spent, at("2026-05-01")));
        assert_eq!(spent.plus(1, 1, at("2026-05-01")).calls, 2);
        assert_eq!(spent.plus(u64::MAX, u64::MAX, at("2026-05-02")).calls, u64::MAX);
    }
}
