//! Who a memory belongs to.
//!
//! A [`UserId`] is the proof that a string is safe as the name of one folder: nothing else in the
//! crate turns text from outside into a path.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// The longest user id, in characters.
pub const MAX_USER_ID_CHARS: usize = 50;

/// The longest assistant id, in characters.
pub const MAX_ASSISTANT_ID_CHARS: usize = 100;

/// Device names that Windows reserves in every folder, with or without an extension.
const RESERVED: [&str; 22] = [
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8",
    "com9", "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

/// The id of a user: 1 to 50 of `A-Z a-z 0-9 _ -`, a letter or digit first, no reserved name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserId(String);

/// Why a string is no [`UserId`] or no [`AssistantId`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum IdError {
    /// The id has no characters.
    #[error("{what} is empty, expected 1 to {max} characters")]
    Empty {
        /// Which id.
        what: &'static str,
        /// The most characters allowed.
        max: usize,
    },
    /// The id has too many characters.
    #[error("{what} has {len} characters, expected at most {max}")]
    TooLong {
        /// Which id.
        what: &'static str,
        /// The characters it has.
        len: usize,
        /// The most characters allowed.
        max: usize,
    },
    /// The id has a character that is not allowed.
    #[error("user id has {0:?}, expected only letters A-Z and a-z, digits, `_` and `-`")]
    Character(char),
    /// The id begins with `_` or `-`.
    #[error("user id begins with {0:?}, expected a letter or digit first")]
    First(char),
    /// The id is a device name on Windows.
    #[error("user id {0:?} is a reserved device name on Windows, expected another name")]
    Reserved(String),
    /// The assistant id has a control character.
    #[error("assistant id has the control character {0:?}, expected printable characters")]
    Control(char),
}

impl UserId {
    /// Returns the id as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Makes an id nobody has: `user_` and 8 hex digits of a fresh random UUID.
    pub fn generate() -> Self {
        let hex = uuid::Uuid::new_v4().simple().to_string();
        Self(format!("user_{}", hex.chars().take(8).collect::<String>()))
    }
}

impl FromStr for UserId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        check_length("user id", text, MAX_USER_ID_CHARS)?;
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if let Some(c) = text.chars().find(|&c| !allowed(c)) {
            return Err(IdError::Character(c));
        }
        if let Some(c) = text.chars().next().filter(|c| !c.is_ascii_alphanumeric()) {
            return Err(IdError::First(c));
        }
        if RESERVED.contains(&text.to_ascii_lowercase().as_str()) {
            return Err(IdError::Reserved(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of the assistant that a user's memories were made with; never part of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssistantId(String);

impl Default for AssistantId {
    /// The name of an assistant that was given none: `mcp_assistant`.
    fn default() -> Self {
        Self("mcp_assistant".to_owned())
    }
}

impl AssistantId {
    /// Returns the id as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AssistantId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        check_length("assistant id", text, MAX_ASSISTANT_ID_CHARS)?;
        match text.chars().find(|c| c.is_control()) {
            Some(c) => Err(IdError::Control(c)),
            None => Ok(Self(text.to_owned())),
        }
    }
}

impl fmt::Display for AssistantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn check_length(what: &'static str, text: &str, max: usize) -> Result<(), IdError> {
    match text.chars().count() {
        0 => Err(IdError::Empty { what, max }),
        len if len > max => Err(IdError::TooLong { what, len, max }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_safe_as_folders_are_ids() {
        for good in ["alice_123", "user_e4e473a0", "A", "0", "a-b", "team_lead", &"x".repeat(50)] {
            assert_eq!(good.parse::<UserId>().unwrap().as_str(), good);
        }
    }

    #[test]
    fn everything_else_is_refused_with_its_reason() {
        let what = "user id";
        let cases = [
            ("", IdError::Empty { what, max: 50 }),
            ("..", IdError::Character('.')),
            ("../x", IdError::Character('.')),
            ("a/b", IdError::Character('/')),
            ("a\\b", IdError::Character('\\')),
            ("a\0", IdError::Character('\0')),
            ("a b", IdError::Character(' ')),
            ("\u{430}lice", IdError::Character('\u{430}')),
            ("alice\u{ff11}", IdError::Character('\u{ff11}')),
            ("-rf", IdError::First('-')),
            ("_x", IdError::First('_')),
            ("CON", IdError::Reserved("CON".to_owned())),
            ("lpt9", IdError::Reserved("lpt9".to_owned())),
        ];
        for (text, error) in cases {
            assert_eq!(text.parse::<UserId>(), Err(error), "{text:?}");
        }
        let long = "x".repeat(51);
        assert_eq!(long.parse::<UserId>(), Err(IdError::TooLong { what, len: 51, max: 50 }));
    }

    #[test]
    fn a_generated_id_is_an_id_and_has_eight_hex_digits() {
        let id = UserId::generate();
        assert_eq!(id.as_str().parse::<UserId>().as_ref(), Ok(&id));
        let hex = id.as_str().strip_prefix("user_").unwrap();
        assert_eq!(hex.len(), 8);
        assert!(hex.chars().all(|c| c.is_ascii_hexdigit()));
    }

    #[test]
    fn an_assistant_id_may_be_any_printable_name() {
        assert!("my assistant (v2)".parse::<AssistantId>().is_ok());
        assert_eq!("a\nb".parse::<AssistantId>(), Err(IdError::Control('\n')));
    }
}
