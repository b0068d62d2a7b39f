//! The outer form of a view: pretty JSON whose last field is a checksum of all before it.
//!
//! The form says whether a file is ours and whether somebody changed it; what is inside is not
//! looked at here.

use std::io::{self, Write};

use serde::Serialize;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

const TAIL_KEY: &str = "\"checksum\": \"xxh3:";
const MARK: &str = "\"format\": \"memoryos/";

/// What the bytes of a file under a view's name are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Written by us and unchanged.
    Intact,
    /// Written by us and changed since: by a person, or by a fault of the disk.
    Changed,
    /// Not one of our views.
    Foreign,
}

/// The first bytes of a file, among which our mark stands.
pub(crate) const HEAD_BYTES: usize = 200;

/// Whether a file that begins with `bytes` is one of our views, whole or not.
pub(crate) fn is_marked(bytes: &[u8]) -> bool {
    let head = bytes.get(..bytes.len().min(HEAD_BYTES)).unwrap_or_default();
    String::from_utf8_lossy(head).contains(MARK)
}

/// Tells what a file is.
pub(crate) fn verdict(bytes: &[u8]) -> Verdict {
    if !is_marked(bytes) {
        return Verdict::Foreign;
    }
    let tail = bytes.get(bytes.len().saturating_sub(64)..).unwrap_or_default();
    let Some(at) = find_last(tail, TAIL_KEY.as_bytes()) else { return Verdict::Changed };
    let at = bytes.len() - tail.len() + at;
    let (before, after) = bytes.split_at(at);
    let expected = format!("{TAIL_KEY}{:016x}\"\n}}\n", xxh3_64(before));
    if after == expected.as_bytes() { Verdict::Intact } else { Verdict::Changed }
}

/// Writes a view, field by field.
#[derive(Debug)]
pub(crate) struct Document<W> {
    out: W,
    hash: Xxh3Debug,
    empty: bool,
}

impl<W: Write> Document<W> {
    /// Begins a view of the given format.
    pub(crate) fn begin(out: W, format: &str) -> io::Result<Self> {
        let mut document = Self { out, hash: Xxh3Debug(Xxh3::new()), empty: true };
        document.put("{")?;
        document.field("format", &format)?;
        Ok(document)
    }

    /// Writes a field.
    pub(crate) fn field(&mut self, name: &str, value: &impl Serialize) -> io::Result<()> {
        self.name(name)?;
        let text = indented(value, "  ")?;
        self.put(&text)
    }

    /// Writes a field that is an array; `fill` gives the elements, and `failed` says what a failure
    /// to write comes to.
    pub(crate) fn array<E>(
        &mut self,
        name: &str,
        failed: impl Fn(io::Error) -> E,
        fill: impl FnOnce(&mut Elements<'_, W>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.name(name).and_then(|()| self.put("[")).map_err(&failed)?;
        let mut elements = Elements { document: self, empty: true };
        fill(&mut elements)?;
        let end = if elements.empty { "]" } else { "\n  ]" };
        self.put(end).map_err(&failed)
    }

    /// Writes the checksum and the end.
    pub(crate) fn end(mut self) -> io::Result<()> {
        self.put(",\n  ")?;
        let sum = self.hash.0.digest();
        write!(self.out, "{TAIL_KEY}{sum:016x}\"\n}}\n")
    }

    fn name(&mut self, name: &str) -> io::Result<()> {
        let comma = if std::mem::take(&mut self.empty) { "" } else { "," };
        self.put(&format!("{comma}\n  \"{name}\": "))
    }

    fn put(&mut self, text: &str) -> io::Result<()> {
        self.hash.0.update(text.as_bytes());
        self.out.write_all(text.as_bytes())
    }
}

/// The elements of an array that is being written.
#[derive(Debug)]
pub(crate) struct Elements<'a, W> {
    document: &'a mut Document<W>,
    empty: bool,
}

impl<W: Write> Elements<'_, W> {
    /// Writes one element.
    pub(crate) fn push(&mut self, value: &impl Serialize) -> io::Result<()> {
        let comma = if std::mem::take(&mut self.empty) { "" } else { "," };
        let text = indented(value, "    ")?;
        self.document.put(&format!("{comma}\n    {text}"))
    }
}

/// `Xxh3` without its state in debug output.
struct Xxh3Debug(Xxh3);

impl std::fmt::Debug for Xxh3Debug {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Xxh3")
    }
}

/// Pretty JSON whose further lines are indented by `indent`; strings hold no line breaks.
fn indented(value: &impl Serialize, indent: &str) -> io::Result<String> {
    let text = serde_json::to_string_pretty(value)?;
    Ok(text.replace('\n', &format!("\n{indent}")))
}

fn find_last(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).rposition(|w| w == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut document = Document::begin(&mut bytes, "memoryos/test/1").unwrap();
        document.field("text", &"\"checksum\": \"xxh3:\n").unwrap();
        document
            .array(
                "items",
                |error| error,
                |items| {
                    items.push(&serde_json::json!({"a": [1]}))?;
                    items.push(&2)
                },
            )
            .unwrap();
        document.array("none", |error| error, |_| Ok(())).unwrap();
        document.end().unwrap();
        bytes
    }

    #[test]
    fn a_view_is_json_with_the_format_first_and_the_checksum_last() {
        let value: serde_json::Value = serde_json::from_slice(&document()).unwrap();
        let names: Vec<&String> = value.as_object().unwrap().keys().collect();
        assert_eq!(names, ["format", "text", "items", "none", "checksum"]);
        assert_eq!(value["items"], serde_json::json!([{"a": [1]}, 2]));
        assert_eq!(value["none"], serde_json::json!([]));
    }

    #[test]
    fn an_unchanged_view_is_intact_and_every_change_is_seen() {
        let good = document();
        assert_eq!(verdict(&good), Verdict::Intact);
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert_ne!(verdict(&bad), Verdict::Intact, "byte {at}");
            assert_ne!(verdict(&good[..at]), Verdict::Intact, "length {at}");
        }
        assert_ne!(verdict(&[good.as_slice(), b" "].concat()), Verdict::Intact);
    }

    #[test]
    fn other_json_is_foreign() {
        for other in ["", "[]", "{\"sessions\": {}}", "[{\"user_input\": \"memoryos/\"}]"] {
            assert_eq!(verdict(other.as_bytes()), Verdict::Foreign, "{other}");
        }
    }
}
