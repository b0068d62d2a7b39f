//! What was found, as text for a person and as one JSON document.

use std::fmt;

use serde::Serialize;

use crate::storage::inspect::{Finding, Grade};

/// The headings, by the first part of the ids, in the order of the report.
const HEADINGS: [(&str, &str); 7] = [
    ("settings", "Settings"),
    ("data", "Data directory"),
    ("folder", "The user's folder"),
    ("locks", "Locks"),
    ("files", "Files"),
    ("model", "Language model"),
    ("isolation", "Isolation"),
];

/// All that was found.
#[derive(Debug)]
pub struct Report {
    found: Vec<Finding>,
}

/// The report as JSON.
#[derive(Serialize)]
struct Document<'a> {
    status: &'static str,
    version: &'static str,
    checks: Vec<Check<'a>>,
}

#[derive(Serialize)]
struct Check<'a> {
    id: &'a str,
    status: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<&'a str>,
}

impl Report {
    /// Makes a report; the findings come in the order of the headings.
    pub(super) fn new(mut found: Vec<Finding>) -> Self {
        found.sort_by_key(|finding| place(finding.id));
        Self { found }
    }

    /// Returns how many findings there are of a grade.
    fn count(&self, grade: Grade) -> usize {
        self.found.iter().filter(|finding| finding.grade == grade).count()
    }

    /// Returns how many problems were found.
    pub fn n_problems(&self) -> usize {
        self.count(Grade::Problem)
    }

    /// Returns the report as one JSON document: `status`, `version` and `checks`.
    pub fn to_json(&self) -> String {
        let worst = self.found.iter().map(|finding| finding.grade).max();
        let checks = self.found.iter().map(|finding| Check {
            id: finding.id,
            status: status(finding.grade),
            message: &finding.message,
            action: finding.action.as_deref(),
        });
        let document = Document {
            status: status(worst.unwrap_or(Grade::Ok)),
            version: env!("CARGO_PKG_VERSION"),
            checks: checks.collect(),
        };
        serde_json::to_string_pretty(&document).unwrap_or_default()
    }
}

/// The report as text: a line a check under headings, and what to do below it.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut heading = None;
        for finding in &self.found {
            let own = place(finding.id);
            if heading != Some(own) {
                let space = if heading.is_some() { "\n" } else { "" };
                let title = HEADINGS.get(own).map_or("", |(_, title)| title);
                writeln!(f, "{space}{title}")?;
                heading = Some(own);
            }
            writeln!(f, "  {:<5} {}", mark(finding.grade), finding.message)?;
            if let Some(action) = &finding.action {
                writeln!(f, "        do: {action}")?;
            }
        }
        let (problems, warnings) = (self.n_problems(), self.count(Grade::Warning));
        match (problems, warnings) {
            (0, 0) => write!(f, "\nAll is well."),
            (0, _) => write!(f, "\nIt works. Warnings: {warnings}."),
            _ => write!(f, "\nProblems: {problems}. Warnings: {warnings}."),
        }
    }
}

/// Returns the place of a check's heading.
fn place(id: &str) -> usize {
    let first = id.split('.').next().unwrap_or_default();
    HEADINGS.iter().position(|(prefix, _)| *prefix == first).unwrap_or(HEADINGS.len())
}

fn status(grade: Grade) -> &'static str {
    match grade {
        Grade::Skipped => "skipped",
        Grade::Ok => "ok",
        Grade::Warning => "warning",
        Grade::Problem => "problem",
    }
}

fn mark(grade: Grade) -> &'static str {
    match grade {
        Grade::Skipped => "-",
        Grade::Ok => "ok",
        Grade::Warning => "warn",
        Grade::Problem => "FAIL",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        Report::new(vec![
            Finding::skipped("files.database", "not looked at"),
            Finding::ok("settings.values", "every value is allowed"),
            Finding::problem("data.folder", "cannot\nbe written", "mend it"),
            Finding::warning("data.space", "1 MiB free", "free some"),
        ])
    }

    #[test]
    fn the_text_has_headings_marks_and_what_to_do() {
        let expected = "Settings\n  ok    every value is allowed\n\nData directory\n  FAIL  \
            cannot\\nbe written\n        do: mend it\n  warn  1 MiB free\n        do: free some\n\n\
            Files\n  -     not looked at\n\nProblems: 1. Warnings: 1.";
        assert_eq!(report().to_string(), expected);
        assert!(Report::new(Vec::new()).to_string().ends_with("All is well."));
    }

    #[test]
    fn the_json_has_this_shape() {
        let json: serde_json::Value = serde_json::from_str(&report().to_json()).unwrap();
        let expected = serde_json::json!({
            "status": "problem",
            "version": env!("CARGO_PKG_VERSION"),
            "checks": [
                {"id": "settings.values", "status": "ok", "message": "every value is allowed"},
                {"id": "data.folder", "status": "problem", "message": "cannot\\nbe written",
                    "action": "mend it"},
                {"id": "data.space", "status": "warning", "message": "1 MiB free",
                    "action": "free some"},
                {"id": "files.database", "status": "skipped", "message": "not looked at"},
            ],
        });
        assert_eq!(json, expected);
    }

    #[test]
    fn the_worst_finding_is_the_status() {
        let status = |found| {
            let json: serde_json::Value =
                serde_json::from_str(&Report::new(found).to_json()).unwrap();
            json["status"].clone()
        };
        assert_eq!(status(vec![Finding::ok("a", ""), Finding::skipped("b", "")]), "ok");
        assert_eq!(status(vec![Finding::warning("a", "", ""), Finding::ok("b", "")]), "warning");
    }
}
