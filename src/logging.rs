//! The log on stderr: one event is one line, whatever stands in it.
//!
//! Paths, ids and messages of servers get into events as they are. The one rule: what is written
//! has no control character, line break or mark of direction but the line's own end, so that no
//! text can make a line of its own or change how a terminal shows one.

use std::borrow::Cow;
use std::io::{self, Write};

use tracing_subscriber::EnvFilter;
use unicode_general_category::{GeneralCategory, get_general_category};

/// Starts the log with filter directives; without effect where one has been started before.
///
/// A panic is logged by its place alone: its message may quote memory text.
pub(crate) fn start(filter: &str) {
    let log = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_ansi(false)
        // It would print that printing failed, and panic where nobody reads stderr.
        .log_internal_errors(false)
        .with_writer(|| OneLine(io::stderr()));
    drop(log.try_init());
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!("panicked at {place}");
    }));
}

/// Returns a text with what cannot be seen written as `\u{1b}`.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_hidden(c) { shown.extend(c.escape_unicode()) } else { shown.push(c) }
    }
    Cow::Owned(shown)
}

fn is_hidden(c: char) -> bool {
    use GeneralCategory::{Control, Format, LineSeparator, ParagraphSeparator};
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    matches!(get_general_category(c), Control | Format | LineSeparator | ParagraphSeparator)
}

/// Makes what is written in one go one line.
struct OneLine<W>(W);

impl<W: Write> Write for OneLine<W> {
    /// Writes an event, which the subscriber hands over whole, with its line end.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let line = format!("{}\n", visible(text.trim_end_matches('\n')));
        self.0.write_all(line.as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_and_hides_nothing() {
        let mut written = Vec::new();
        let event = "WARN cannot open a\nb\r\u{1b}[31m\u{85}\u{2028}\u{202e}\u{7f}\u{732b}\n";
        OneLine(&mut written).write_all(event.as_bytes()).unwrap();
        let expected = "WARN cannot open a\\u{a}b\\u{d}\\u{1b}[31m\\u{85}\\u{2028}\\u{202e}\
                        \\u{7f}\u{732b}\n";
        assert_eq!(String::from_utf8(written).unwrap(), expected);
    }

    #[test]
    fn what_can_be_seen_is_not_changed() {
        let text = "cannot open /home/ada/\u{e9}\u{732b}: No such file";
        assert!(matches!(visible(text), Cow::Borrowed(same) if same == text));
    }
}
