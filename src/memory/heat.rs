//! How warm a segment is: often recalled, much added, lately asked for.
//!
//! Heat orders segments; it never decides whether something is kept. The hottest are consolidated
//! first, the coldest is merged when there are too many.

/// Seconds after which the part of the heat that comes from the last visit has fallen to 1/e.
const RECENCY_SECONDS: f64 = 1e7;

/// What the heat of a segment is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Warmth {
    /// How often pages of the segment were recalled since its last analysis.
    pub visits: u32,
    /// Pages that joined since its last analysis.
    pub unanalysed: u32,
    /// When it was last visited, in microseconds since 1970.
    pub last_visit: i64,
}

/// Returns the heat at `now` (microseconds since 1970).
///
/// ```text
/// heat = visits + unanalysed + exp(-seconds since last visit / 1e7)
/// ```
///
/// Elapsed time is at least 0: a clock that stepped back makes nothing hotter than a visit now.
///
/// Source: "Memory OS of AI Agent", arXiv 2506.06326, equation 4 with alpha = beta = gamma = 1.
pub fn heat(warmth: Warmth, now: i64) -> f64 {
    let elapsed = now.saturating_sub(warmth.last_visit).max(0) as f64 / 1e6;
    f64::from(warmth.visits) + f64::from(warmth.unanalysed) + (-elapsed / RECENCY_SECONDS).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000_000;

    fn check(visits: u32, unanalysed: u32, elapsed: i64, expected: f64) {
        let found = heat(Warmth { visits, unanalysed, last_visit: 0 }, elapsed);
        assert!((found - expected).abs() < 1e-9, "{visits} {unanalysed} {elapsed}: {found}");
    }

    #[test]
    fn heat_adds_visits_pages_and_recency() {
        check(0, 0, 0, 1.0);
        check(2, 3, 0, 6.0);
        check(0, 0, 10_000_000_000_000, (-1.0_f64).exp());
        check(1, 0, 30 * DAY, 1.0 + (-0.2592_f64).exp());
    }

    #[test]
    fn a_clock_that_steps_back_makes_nothing_hotter() {
        check(0, 0, -30 * DAY, 1.0);
        check(0, 0, i64::MIN, 1.0);
    }

    #[test]
    fn the_far_past_leaves_only_the_counts() {
        let warmth = Warmth { visits: u32::MAX, unanalysed: u32::MAX, last_visit: i64::MIN };
        assert!((heat(warmth, i64::MAX) - 2.0 * f64::from(u32::MAX)).abs() < 1e-3);
    }
}
