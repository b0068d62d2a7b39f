//! The key for a model's host: it cannot be printed, and what may quote it is cleaned.
//!
//! This is not where keys are read; `config` does that. The one rule: the text of a key leaves this
//! file only through [`ApiKey::expose`], for the one header that carries it.

use std::fmt;

/// As many characters of a secret in a row give it away.
const TELLING_CHARS: usize = 8;

/// A secret; it cannot be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

impl ApiKey {
    /// Takes a key of visible ASCII characters, as a header can carry it; none for anything else.
    pub fn new(text: &str) -> Option<Self> {
        let usable = !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic());
        usable.then(|| Self(text.to_owned()))
    }

    /// Returns the key itself, to be sent to the model's host and nowhere else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(redacted)")
    }
}

/// Returns `text` as one line in which every word that shares eight characters with one of the
/// secrets, or holds a shorter secret whole, is replaced.
///
/// Servers quote keys in part: `Incorrect API key provided: sk-proj-abc***xyz`. Words with an
/// asterisk are replaced too.
pub(super) fn redacted(text: &str, secrets: &[&str]) -> String {
    let words = text.split_whitespace().map(|word| {
        let quoted = word.contains('*') || secrets.iter().any(|secret| shares(word, secret));
        if quoted { "[redacted]" } else { word }
    });
    words.collect::<Vec<_>>().join(" ")
}

fn shares(word: &str, secret: &str) -> bool {
    let window = TELLING_CHARS.min(secret.len()).max(1);
    let mut windows = secret.as_bytes().windows(window);
    windows.any(|part| word.as_bytes().windows(window).any(|other| other == part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_visible_ascii_and_not_printed() {
        assert_eq!(ApiKey::new("sk-1").unwrap().expose(), "sk-1");
        assert_eq!(format!("{:?}", ApiKey::new("sk-1")), "Some(ApiKey(redacted))");
        for text in ["", "a b", "a\n", "\u{fc}"] {
            assert_eq!(ApiKey::new(text), None, "{text:?}");
        }
    }

    #[test]
    fn no_part_of_a_secret_stays_in_a_text() {
        let key = "sk-proj-0123456789abcdef";
        let cases = [
            ("key sk-proj-0123456789abcdef is wrong", "key [redacted] is wrong"),
            ("key\n(sk-proj-0123456789abcdef).", "key [redacted]"),
            ("ends in 89abcdef", "ends in [redacted]"),
            ("starts with sk-proj-0", "starts with [redacted]"),
            ("sk-pr**ef", "[redacted]"),
            ("nothing of it", "nothing of it"),
        ];
        for (text, expected) in cases {
            assert_eq!(redacted(text, &[key]), expected);
        }
        assert_eq!(redacted("user:pass1@host", &["pass1"]), "[redacted]");
        assert_eq!(redacted("a b", &[""]), "a b");
    }
}
