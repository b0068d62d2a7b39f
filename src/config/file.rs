//! The config file: one JSON object, each setting at most once.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::{Map, Value};
use thiserror::Error;

/// The largest config file that is read, in bytes.
const MAX_BYTES: u64 = 1024 * 1024;

/// A config file that cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FileError {
    /// It cannot be read.
    #[error("cannot read the config file {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not one JSON object with different keys.
    #[error("the config file {} is not usable, expected one JSON object: {message}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong and where; never a value.
        message: String,
    },
}

/// Reads a config file.
///
/// # Errors
///
/// [`FileError`] when it cannot be read, is larger than 1 MiB or is not one JSON object in which
/// each key stands once.
pub fn read(path: &Path) -> Result<Map<String, Value>, FileError> {
    use std::io::Read as _;

    let unreadable = |source| FileError::Unreadable { path: path.to_owned(), source };
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(MAX_BYTES + 1).read_to_string(&mut text).map_err(unreadable)?;
    let content = |message| FileError::Content { path: path.to_owned(), message };
    if text.len() as u64 > MAX_BYTES {
        return Err(content("it is larger than 1 MiB".to_owned()));
    }
    parse(&text).map_err(content)
}

/// Parses a config file's text; the error never quotes a value, which may be the API key.
pub(super) fn parse(text: &str) -> Result<Map<String, Value>, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    serde_json::from_str::<Once>(text).map(|once| once.0).map_err(|error| {
        use serde_json::error::Category;

        let place = format!("line {}, column {}", error.line(), error.column());
        match error.classify() {
            Category::Data if text.trim_start().starts_with('{') => error.to_string(),
            Category::Data => "it is JSON, but not an object".to_owned(),
            Category::Eof => format!("it ends too early at {place}"),
            Category::Io | Category::Syntax => format!("it is not JSON at {place}"),
        }
    })
}

/// A JSON object in which each key stands once.
struct Once(Map<String, Value>);

impl<'de> Deserialize<'de> for Once {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OnceVisitor)
    }
}

struct OnceVisitor;

impl<'de> Visitor<'de> for OnceVisitor {
    type Value = Once;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Once, A::Error> {
        let mut map = Map::new();
        while let Some((key, value)) = access.next_entry::<String, Value>()? {
            if map.contains_key(&key) {
                let key: String = key.chars().take(80).collect();
                return Err(serde::de::Error::custom(format!("{key:?} stands in it twice")));
            }
            map.insert(key, value);
        }
        Ok(Once(map))
    }
}
