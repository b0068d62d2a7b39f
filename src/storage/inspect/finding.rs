//! What an examination found of one thing: how much it matters, in words, and what to do about it.
//!
//! The one rule: a message is fit for a terminal. It holds no text of a memory, and whatever a path
//! or a value could do to a terminal is written out.

use std::path::Path;

use unicode_general_category::{GeneralCategory, get_general_category};

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// It was not looked at; the message says why.
    Skipped,
    /// As it should be.
    Ok,
    /// Works, but somebody should know.
    Warning,
    /// Something does not work, is damaged or is open to others.
    Problem,
}

/// What was found of one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which check it is of; the part before the dot is the heading it stands under.
    pub id: &'static str,
    /// How much it matters.
    pub grade: Grade,
    /// What was found, with the value and the path.
    pub message: String,
    /// What to do about it; none where nothing is to be done.
    pub action: Option<String>,
}

impl Finding {
    /// All is well.
    pub fn ok(id: &'static str, message: impl AsRef<str>) -> Self {
        Self { id, grade: Grade::Ok, message: escaped(message.as_ref()), action: None }
    }

    /// It was not looked at, for this reason.
    pub fn skipped(id: &'static str, message: impl AsRef<str>) -> Self {
        Self { grade: Grade::Skipped, ..Self::ok(id, message) }
    }

    /// It works, but somebody should know.
    pub fn warning(id: &'static str, message: impl AsRef<str>, action: impl AsRef<str>) -> Self {
        let action = Some(escaped(action.as_ref()));
        Self { grade: Grade::Warning, action, ..Self::ok(id, message) }
    }

    /// It does not work, is damaged or is open to others.
    pub fn problem(id: &'static str, message: impl AsRef<str>, action: impl AsRef<str>) -> Self {
        Self { grade: Grade::Problem, ..Self::warning(id, message, action) }
    }

    /// Whether something is to be done about it.
    pub fn is_wrong(&self) -> bool {
        self.grade > Grade::Ok
    }
}

/// Returns a text without characters that a terminal obeys or that cannot be seen.
pub fn escaped(text: &str) -> String {
    let is_hidden = |c: char| {
        use GeneralCategory::{Control, Format, LineSeparator, ParagraphSeparator};
        let category = get_general_category(c);
        matches!(category, Control | Format | LineSeparator | ParagraphSeparator)
    };
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    shown
}

/// Returns a path to be shown in a message.
pub(super) fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// Returns a path as a shell takes it.
pub(super) fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', "'\\''"))
}

/// Returns a size as a person reads it.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match UNITS.iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{:.1} {name}", bytes as f64 / *unit as f64),
        None => format!("{bytes} bytes"),
    }
}

/// Returns several names in a row; of many, the first ones and how many more.
pub(super) fn listed(names: &[String]) -> String {
    const MOST: usize = 10;
    let more = names.len().saturating_sub(MOST);
    let shown: Vec<&str> = names.iter().take(MOST).map(String::as_str).collect();
    let shown = shown.join(", ");
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}

/// Joins two looks at the same things: of each check the better outcome counts, since what is wrong
/// is wrong in every look. What is wrong in a check that only one look came to does not count.
pub(super) fn confirmed(first: &[Finding], second: &[Finding]) -> Vec<Finding> {
    let mut ids: Vec<&'static str> = Vec::new();
    for finding in first.iter().chain(second) {
        if !ids.contains(&finding.id) {
            ids.push(finding.id);
        }
    }
    let mut kept = Vec::new();
    for id in ids {
        let of = |look: &[Finding]| -> Vec<Finding> {
            look.iter().filter(|finding| finding.id == id).cloned().collect()
        };
        let worst = |of: &[Finding]| of.iter().map(|finding| finding.grade).max();
        let (a, b) = (of(first), of(second));
        match (worst(&a), worst(&b)) {
            (Some(in_first), Some(in_second)) => {
                kept.extend(if in_first < in_second { a } else { b });
            }
            _ => kept.extend(a.into_iter().chain(b).filter(|finding| !finding.is_wrong())),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_written_out() {
        let finding =
            Finding::warning("a.b", "x\u{1b}[31m\n\u{202e}\u{e9} caf\u{e9}", "y\u{200b}\t");
        assert_eq!(finding.message, "x\\u{1b}[31m\\n\\u{202e}\u{e9} caf\u{e9}");
        assert_eq!(finding.action.as_deref(), Some("y\\u{200b}\\t"));
    }

    #[test]
    fn sizes_and_long_lists_are_short_and_paths_are_one_word() {
        assert_eq!([size(9), size(1536), size(3 << 30)], ["9 bytes", "1.5 KiB", "3.0 GiB"]);
        assert_eq!(quoted(Path::new("/a b/o'c")), "'/a b/o'\\''c'");
        let names: Vec<String> = (0..12).map(|n| n.to_string()).collect();
        assert_eq!(listed(&names), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more");
        assert_eq!(listed(&names[..2]), "0, 1");
    }

    #[test]
    fn only_what_is_wrong_in_both_looks_is_wrong() {
        let ok = |id| Finding::ok(id, "fine");
        let bad = |id, n: u8| Finding::problem(id, format!("bad {n}"), "mend it");
        let first = [bad("a", 1), ok("b"), bad("c", 1), bad("d", 1), ok("e")];
        let second = [ok("a"), bad("b", 2), bad("c", 2), bad("f", 2), ok("g")];
        let expected = [ok("a"), ok("b"), bad("c", 2), ok("e"), ok("g")];
        assert_eq!(confirmed(&first, &second), expected);
    }
}
