//! What was done and what was found: the figures of the table.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

/// Figures that count up while the test runs.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Servers killed while they had the folder open.
    pub kills: u64,
    /// Files damaged.
    pub damages: u64,
    /// Folders copied while they were written.
    pub copies: u64,
    /// Folders moved away and back while they were written.
    pub moves: u64,
    /// Servers started.
    pub processes: u64,
    /// Adds that were answered with success.
    pub acknowledged: u64,
    /// Adds that were answered with an error.
    pub refused: u64,
    /// Pages that were acknowledged and lost; none may be.
    pub lost: u64,
    /// Pages that were damaged, could not be restored, and were named by the server.
    pub named: u64,
    /// Folders that a fresh server did not serve; none may be.
    pub unloadable: u64,
    /// Servers that panicked or ended by themselves; none may.
    pub panics: u64,
    /// Everything that must not be, in words.
    pub findings: Vec<String>,
    /// How long adds took that were sent alone, in microseconds.
    latencies: Vec<u32>,
}

impl Tally {
    /// Returns how often something was done to a folder or a server that must lose nothing.
    pub fn points(&self) -> u64 {
        self.kills + self.damages + self.copies + self.moves
    }

    /// Takes down how long adds took.
    pub(super) fn took(&mut self, latencies: &[Duration]) {
        let micros = |d: &Duration| u32::try_from(d.as_micros()).unwrap_or(u32::MAX);
        self.latencies.extend(latencies.iter().map(micros));
    }

    /// Returns how long adds took: the median, the 95th and 99th of a hundred, and the longest.
    pub fn latencies(&self) -> Option<[Duration; 4]> {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        let at = |per_cent: usize| {
            let idx = (sorted.len() * per_cent).div_ceil(100).max(1) - 1;
            sorted.get(idx).map(|micros| Duration::from_micros(u64::from(*micros)))
        };
        Some([at(50)?, at(95)?, at(99)?, at(100)?])
    }
}

/// What the test did and found.
#[derive(Debug, Clone)]
pub struct Report {
    /// The figures.
    pub tally: Tally,
    /// What repeats the test.
    pub seed: u64,
    /// How long it ran.
    pub elapsed: Duration,
    /// In which folder it ran.
    pub place: PathBuf,
    /// Where what was found can be looked at; only if something was.
    pub kept: Option<PathBuf>,
}

impl Report {
    /// Whether nothing was found that must not be.
    pub fn is_good(&self) -> bool {
        self.tally.findings.is_empty()
    }

    /// Returns the report as JSON.
    pub fn to_json(&self) -> Value {
        let Tally { kills, damages, copies, moves, processes, .. } = self.tally;
        let Tally { acknowledged, refused, lost, named, unloadable, panics, .. } = self.tally;
        let millis = |d: Duration| (d.as_secs_f64() * 1e6).round() / 1e3;
        let latency = self.tally.latencies().map(|all| all.map(millis));
        let latency = latency
            .map(|[p50, p95, p99, max]| json!({"p50": p50, "p95": p95, "p99": p99, "max": max}));
        json!({
            "seed": self.seed, "seconds": self.elapsed.as_secs_f64().round(),
            "place": self.place, "points": self.tally.points(), "kills": kills,
            "damages": damages, "copies": copies, "moves": moves, "processes": processes,
            "acknowledged": acknowledged, "refused": refused, "lost": lost,
            "lost_and_named_after_damage": named, "unloadable": unloadable, "panics": panics,
            "add_ms": latency, "findings": self.tally.findings, "kept": self.kept,
            "passed": self.is_good(),
        })
    }

    fn rows(&self) -> Vec<(&'static str, String)> {
        let tally = &self.tally;
        let mut rows: Vec<(&str, String)> = [
            ("points", tally.points()),
            ("  processes killed (kill -9)", tally.kills),
            ("  files damaged", tally.damages),
            ("  live folders copied", tally.copies),
            ("  live folders moved away and back", tally.moves),
            ("processes started", tally.processes),
            ("pages acknowledged", tally.acknowledged),
            ("adds refused with an error", tally.refused),
            ("pages lost", tally.lost),
            ("damaged pages, named as lost", tally.named),
            ("folders that did not load", tally.unloadable),
            ("panics", tally.panics),
        ]
        .map(|(name, n)| (name, grouped(n)))
        .into();
        if let Some(all) = tally.latencies() {
            let [p50, p95, p99, max] = all.map(|d| format!("{:.1}", d.as_secs_f64() * 1e3));
            rows.push(("an add in ms: p50, p95, p99, max", format!("{p50}, {p95}, {p99}, {max}")));
        }
        rows
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, place) = (self.elapsed.as_secs_f64(), self.place.display());
        writeln!(f, "memoryos selftest: {seconds:.0} s in {place}, seed {}", self.seed)?;
        writeln!(f)?;
        let rows = self.rows();
        let width = rows.iter().map(|(_, value)| value.len()).max().unwrap_or(0);
        for (name, value) in rows {
            writeln!(f, "{name:<36}{value:>width$}")?;
        }
        writeln!(f)?;
        if self.is_good() {
            return write!(f, "Nothing that was acknowledged was lost.");
        }
        for finding in &self.tally.findings {
            writeln!(f, "FOUND: {finding}")?;
        }
        match &self.kept {
            Some(kept) => write!(f, "The files are kept in {}.", kept.display()),
            None => write!(f, "The files could not be kept."),
        }
    }
}

/// Writes a number with a comma every three digits.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (idx, digit) in digits.chars().enumerate() {
        if idx > 0 && (digits.len() - idx).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(tally: Tally) -> Report {
        let (elapsed, place) = (Duration::from_mins(1), PathBuf::from("/x"));
        Report { tally, seed: 7, elapsed, place, kept: None }
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        let shown = [0, 999, 1000, 12_345, 1_234_567].map(grouped);
        assert_eq!(shown, ["0", "999", "1,000", "12,345", "1,234,567"]);
    }

    #[test]
    fn latencies_are_the_ones_at_their_places() {
        let mut tally = Tally::default();
        assert_eq!(tally.latencies(), None);
        let all: Vec<Duration> = (1..=200).rev().map(Duration::from_micros).collect();
        tally.took(&all);
        assert_eq!(tally.latencies(), Some([100, 190, 198, 200].map(Duration::from_micros)));
    }

    #[test]
    fn a_report_is_good_only_without_findings_and_shows_its_figures() {
        let tally = Tally { kills: 1200, damages: 34, ..Tally::default() };
        let good = report(tally.clone());
        let shown = good.to_string();
        assert!(good.is_good() && shown.contains("seed 7"), "{shown}");
        assert!(shown.lines().any(|l| l.starts_with("points") && l.ends_with("1,234")), "{shown}");
        assert!(shown.ends_with("Nothing that was acknowledged was lost."), "{shown}");
        let mut bad = report(Tally { lost: 1, findings: vec!["gone".to_owned()], ..tally });
        bad.kept = Some("/kept".into());
        let shown = bad.to_string();
        assert!(!bad.is_good() && shown.contains("FOUND: gone"), "{shown}");
        assert!(shown.ends_with("The files are kept in /kept."), "{shown}");
        assert_eq!(
            (bad.to_json()["passed"].clone(), bad.to_json()["points"].clone()),
            (json!(false), json!(1234))
        );
    }
}
