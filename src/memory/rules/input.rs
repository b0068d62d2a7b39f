//! Which part of a message the user said.
//!
//! Code, quoted lines, pasted blocks, what was recalled from memory and descriptions of pictures
//! are blanked out. The one rule it keeps: the rest stays on the bytes it stood on.

/// Longer paragraphs without "I" or "my" were pasted.
const PASTED_CHARS: usize = 600;

/// What begins a paragraph that was recalled from memory or copied from elsewhere.
const NOT_SAID: [&str; 12] = [
    "from memory:",
    "from my memory:",
    "recalled memory",
    "recalled:",
    "memories:",
    "relevant memories",
    "retrieved memor",
    "memory:",
    "context:",
    "transcript:",
    "lyrics:",
    "excerpt:",
];

/// Who speaks in a transcript.
const SPEAKERS: [&str; 9] =
    ["user", "assistant", "human", "ai", "system", "bot", "customer", "agent", "speaker"];

/// The tags without an end that are looked at, at most.
const MAX_UNCLOSED: usize = 32;

/// What begins a line of a log.
const LOG_LEVELS: [&str; 10] = [
    "error",
    "warn",
    "warning",
    "info",
    "debug",
    "trace",
    "fatal",
    "traceback",
    "at ",
    "exception",
];

/// Returns a message in which all that the user did not say is blanked out with line breaks; it has
/// the same bytes elsewhere.
pub(super) fn spoken(text: &str) -> String {
    let mut kept = text.as_bytes().to_vec();
    blank_lines(text, &mut kept);
    blank_paragraphs(text, &mut kept);
    blank_tags(text, &mut kept);
    blank_notes(text, &mut kept);
    blank_quotes(text, &mut kept);
    blank_addresses(text, &mut kept);
    // Whole characters were blanked with ASCII, so this is always UTF-8.
    String::from_utf8(kept).unwrap_or_default()
}

fn blank(kept: &mut [u8], start: usize, end: usize) {
    if let Some(part) = kept.get_mut(start..end) {
        part.fill(b'\n');
    }
}

/// Code fences, quoted lines, lines of JSON and of logs.
fn blank_lines(text: &str, kept: &mut [u8]) {
    let mut in_code = false;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim_start();
        let is_fence = trimmed.starts_with("```") || trimmed.starts_with("~~~");
        if in_code || is_fence || is_foreign(trimmed) {
            blank(kept, at, at + line.len());
        }
        in_code ^= is_fence;
        at += line.len();
    }
}

fn is_foreign(line: &str) -> bool {
    let lower = line.get(..12).unwrap_or(line).to_ascii_lowercase();
    let is_log = LOG_LEVELS.iter().any(|level| {
        let bare = lower.trim_start_matches('[');
        bare.strip_prefix(level).is_some_and(|rest| rest.starts_with([':', ']', '[', '|', '(']))
    });
    let is_stamped = line.trim_start_matches('[').starts_with(|c: char| c.is_ascii_digit())
        && line.split([' ', ']']).next().is_some_and(|w| w.contains(':') && w.len() > 6);
    let is_turn = lower.split_once(':').is_some_and(|(who, _)| SPEAKERS.contains(&who));
    is_turn
        || line.starts_with('>')
        || line.starts_with(['{', '|'])
        || line.contains("\": ")
        || line.contains("\":\"")
        || is_log
        || is_stamped
}

/// Paragraphs that were pasted or recalled.
fn blank_paragraphs(text: &str, kept: &mut [u8]) {
    let mut at = 0;
    for paragraph in text.split_inclusive("\n\n") {
        let lower = paragraph.to_ascii_lowercase();
        let is_long = paragraph.len() > PASTED_CHARS && paragraph.chars().count() > PASTED_CHARS;
        if lower.contains("memory_id") || is_long && !has_first_person(&lower) {
            blank(kept, at, at + paragraph.len());
        }
        let mut line_at = 0;
        for line in lower.split_inclusive('\n') {
            let line = (line.trim_start_matches(['#', '*', ' ', '[', '(']), line.len());
            if NOT_SAID.iter().any(|start| line.0.starts_with(start)) {
                blank(kept, at + line_at, at + paragraph.len());
                break;
            }
            line_at += line.1;
        }
        at += paragraph.len();
    }
}

fn has_first_person(lower: &str) -> bool {
    let unspaced = ['\u{6211}'];
    lower.split(|c: char| !c.is_alphanumeric()).any(|w| matches!(w, "i" | "my" | "im"))
        || lower.contains(unspaced)
}

/// `<memory>...</memory>` and any other pair of tags.
fn blank_tags(text: &str, kept: &mut [u8]) {
    let mut from = 0;
    let mut n_unclosed = 0;
    while let Some(open) = text.get(from..).and_then(|t| t.find('<')).map(|i| i + from) {
        let inside = text.get(open + 1..).unwrap_or_default();
        let len = inside
            .find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '-'))
            .unwrap_or(inside.len());
        let name = inside.get(..len).unwrap_or_default();
        from = open + 1;
        let is_tag = name.starts_with(|c: char| c.is_ascii_alphabetic()) && len <= 40;
        if !is_tag || !inside.get(len..).unwrap_or_default().starts_with(['>', ' ', '/']) {
            continue;
        }
        let close = format!("</{name}");
        let end = match inside.find(&close) {
            Some(at) => {
                let end = open + 1 + at + close.len();
                end + usize::from(text.get(end..).is_some_and(|t| t.starts_with('>')))
            }
            None if name.to_ascii_lowercase().contains("memor") => text.len(),
            // Each search reads to the end: a text full of `<` is not worth that.
            None if n_unclosed < MAX_UNCLOSED => {
                n_unclosed += 1;
                continue;
            }
            None => return,
        };
        blank(kept, open, end);
        from = end;
    }
}

/// "(image description: ...)", "[image: ...]".
fn blank_notes(text: &str, kept: &mut [u8]) {
    let lower = text.to_ascii_lowercase();
    for start in ["(image", "[image", "(photo:", "[photo:", "(video:", "[attachment", "[file"] {
        let mut from = 0;
        while let Some(at) = lower.get(from..).and_then(|t| t.find(start)).map(|i| i + from) {
            let closing = if start.starts_with('(') { ')' } else { ']' };
            let rest = lower.get(at..).unwrap_or_default();
            let end = rest.find(closing).map_or(text.len(), |i| at + i + 1);
            blank(kept, at, end);
            from = end;
        }
    }
}

/// What stands in double quotes and says "I": somebody else's words, or words to be worked on.
fn blank_quotes(text: &str, kept: &mut [u8]) {
    let mut opened = None;
    for (at, c) in text.char_indices() {
        match (c, opened) {
            ('\u{201c}', _) | ('"', None) => opened = Some(at),
            ('\n', _) => opened = None,
            ('"' | '\u{201d}', Some(start)) => {
                opened = None;
                let quoted = text.get(start + 1..at).unwrap_or_default().to_ascii_lowercase();
                let n_words = quoted.split(' ').count();
                if n_words > 2 && has_first_person(&quoted) || n_words > 10 {
                    blank(kept, start, at + c.len_utf8());
                }
            }
            _ => {}
        }
    }
}

/// Web and mail addresses.
fn blank_addresses(text: &str, kept: &mut [u8]) {
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|t| t.find("://")).map(|i| i + from) {
        let before = text.get(..at).unwrap_or_default();
        let start = before.trim_end_matches(|c: char| c.is_ascii_alphabetic()).len();
        let rest = text.get(at..).unwrap_or_default();
        let end = at + rest.find(char::is_whitespace).unwrap_or(rest.len());
        blank(kept, start, end);
        from = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let kept = spoken(text);
        assert_eq!(kept.len(), text.len());
        let lines: Vec<&str> = kept.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
        assert_eq!(lines, expected, "{text:?}");
    }

    #[test]
    fn only_what_the_user_said_is_left() {
        check("I code.\n```\nI am code\n```\nDone.", &["I code.", "Done."]);
        check("I code.\n```\nI am code", &["I code."]);
        check("> I am quoted\nI am not.", &["I am not."]);
        check("<memory>I live in Rome</memory> I ask.", &["I ask."]);
        check("<recalled_memories>\nI live in Rome", &[]);
        check("a < b and I > c", &["a < b and I > c"]);
        check("{\"memory_id\": \"x\"}\nI live in Rome", &[]);
        check("From memory:\nI live in Rome\n\nI ask.", &["I ask."]);
        check("Nice. (image description: I at sea) Yes.", &["Nice.", "Yes."]);
        check("User: I am in Rome\nAssistant: Nice!\nI ask.", &["I ask."]);
        check("See https://a.example/I-am now.", &["See", "now."]);
        check("[ERROR] I am a log\n12:30:01 I am too\nI am not.", &["I am not."]);
        check(&format!("{}\n\nI ask.", "They live in Rome. ".repeat(40)), &["I ask."]);
        check(
            "She said \"I live in Rome\" and I read \"My Life\".",
            &["She said", "and I read \"My Life\"."],
        );
    }
}
