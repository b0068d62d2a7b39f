//! Why a call of a model came to nothing.
//!
//! The one rule: a message is fit for a log at any level. It holds no key, no text of a memory and
//! no text that a server chose; what the server said is in [`LlmError::detail`] alone.

use thiserror::Error;

use super::key;

/// The bytes of what a server said that are kept.
const DETAIL_BYTES: usize = 300;

/// A call of a model that gave no answer; nothing was stored.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LlmError {
    /// The client cannot be made from these settings.
    #[error("the language model cannot be called: {0}")]
    Setup(&'static str),
    /// The host cannot be reached.
    #[error("the language model's host cannot be reached: {0}")]
    Connect(String),
    /// The connection ended before the answer did.
    #[error("the connection to the language model broke")]
    Broken,
    /// No answer came in time.
    #[error("the language model did not answer in time")]
    Timeout,
    /// The host refused or failed.
    #[error("the language model's host answered with HTTP {status}{}", in_brackets(.code))]
    Status {
        /// The HTTP status.
        status: u16,
        /// The error's name if the host gave one, such as `insufficient_quota`; else empty.
        code: String,
        /// What the host said, at most 300 bytes, the key taken out. It may quote what was sent.
        detail: String,
    },
    /// The answer is larger than any that could be used.
    #[error("the language model's answer is larger than 2 MiB")]
    TooLarge,
    /// There is no answer in the reply.
    #[error("the language model's answer is empty")]
    Empty,
    /// The answer is not what was asked for.
    #[error("the language model's answer is not usable: it is {0}")]
    NotJson(&'static str),
}

impl LlmError {
    /// Makes the error for a status that is no success from what the host said.
    pub(super) fn of_status(status: u16, body: &str, secrets: &[&str]) -> Self {
        let code = code_of(body).unwrap_or_default();
        let hides = key::redacted(&code, secrets) == code;
        let mut detail = key::redacted(body, secrets);
        detail.truncate(detail.floor_char_boundary(DETAIL_BYTES));
        Self::Status { status, code: if hides { code } else { String::new() }, detail }
    }

    /// Whether the same call may succeed in a moment.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Connect(_) | Self::Broken | Self::Timeout => true,
            Self::Status { status, code, .. } => {
                let overloaded = matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504 | 529);
                overloaded && code != "insufficient_quota"
            }
            Self::Setup(_) | Self::TooLarge | Self::Empty | Self::NotJson(_) => false,
        }
    }

    /// Whether the settings are wrong: no call succeeds until somebody changes the key, the model's
    /// name or the base URL.
    pub fn is_refused(&self) -> bool {
        matches!(self, Self::Setup(_) | Self::Status { status: 401 | 403 | 404, .. })
    }

    /// Returns what the host said, if it said why: at most 300 bytes, the key taken out. It may
    /// quote a memory, so it does not belong in a log at the default level.
    pub fn detail(&self) -> Option<&str> {
        match self {
            Self::Status { detail, .. } => Some(detail.as_str()).filter(|d| !d.is_empty()),
            _ => None,
        }
    }
}

fn in_brackets(code: &str) -> String {
    if code.is_empty() { String::new() } else { format!(" ({code})") }
}

/// Returns the name of the error in OpenAI's shape: a word in lower case and nothing else, so that
/// it cannot be a text.
fn code_of(body: &str) -> Option<String> {
    let body: serde_json::Value = serde_json::from_str(body).ok()?;
    let error = body.get("error")?;
    let is_name = |name: &&str| {
        (3..=40).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
    };
    let text = |field: &str| error.get(field).and_then(serde_json::Value::as_str).filter(is_name);
    text("code").or_else(|| text("type")).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, body: &str) -> LlmError {
        LlmError::of_status(status, body, &["sk-secret-key-1"])
    }

    #[test]
    fn a_message_names_the_status_and_the_errors_name_and_nothing_that_was_sent() {
        let named = r#"{"error": {"message": "Quetzalcoatl", "code": "model_not_found"}}"#;
        let message = "the language model's host answered with HTTP 404 (model_not_found)";
        assert_eq!(of(404, named).to_string(), message);
        assert_eq!(of(404, named).detail(), Some(named));
        let text = r#"{"error": {"code": "You said Quetzalcoatl", "type": 5}}"#;
        let message = "the language model's host answered with HTTP 500";
        assert_eq!(of(500, text).to_string(), message);
        for body in ["", "<html>", "[1]", r#"{"error": "x"}"#] {
            assert_eq!(of(500, body).to_string(), message);
        }
    }

    #[test]
    fn the_key_is_in_no_part_of_it_and_what_was_said_is_short() {
        let body =
            format!("{} bad key sk-secret-key-1 \u{fc}{}", "x".repeat(260), "\u{fc}".repeat(99));
        let error = of(401, &body);
        let shown = format!("{error} {error:?} {:?}", error.detail());
        assert!(!shown.contains("secret"), "{shown}");
        assert!(error.detail().is_some_and(|d| d.len() <= 300 && d.contains("[redacted]")));
    }

    #[test]
    fn what_may_pass_is_told_from_what_will_not() {
        let quota = r#"{"error": {"code": "insufficient_quota"}}"#;
        let cases = [
            (of(429, "{}"), true, false),
            (of(429, quota), false, false),
            (of(500, ""), true, false),
            (of(503, ""), true, false),
            (of(501, ""), false, false),
            (of(400, ""), false, false),
            (of(401, ""), false, true),
            (of(403, ""), false, true),
            (of(404, ""), false, true),
            (LlmError::Timeout, true, false),
            (LlmError::Broken, true, false),
            (LlmError::Connect(String::new()), true, false),
            (LlmError::TooLarge, false, false),
            (LlmError::Empty, false, false),
            (LlmError::NotJson("prose"), false, false),
            (LlmError::Setup("x"), false, true),
        ];
        for (error, transient, refused) in cases {
            assert_eq!((error.is_transient(), error.is_refused()), (transient, refused), "{error}");
        }
    }
}
