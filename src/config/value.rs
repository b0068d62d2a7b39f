//! One value that was given for a setting: where it came from, and how it is checked.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use serde_json::Value;
use tracing_subscriber::EnvFilter;

use super::{ConfigError, Key};
use crate::llm::{ApiKey, host_of};
use crate::user::{AssistantId, UserId};

/// The log's filter when nothing is given; `rmcp` shows message texts at lower levels.
pub(super) const DEFAULT_LOG: &str = "warn,rmcp=error";

/// Where a value came from; displayed as the name the person wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The command line.
    Flag(Key),
    /// The environment.
    Variable(Key),
    /// The config file, with its path.
    File(Key, String),
}

impl Origin {
    fn key(&self) -> Key {
        match self {
            Self::Flag(key) | Self::Variable(key) | Self::File(key, _) => *key,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(key) => f.write_str(key.flag()),
            Self::Variable(key) => f.write_str(key.variable()),
            Self::File(key, path) => write!(f, "{} in {path}", key.name()),
        }
    }
}

/// A value as it was given, not yet checked. It may hold the API key, so it cannot be printed.
pub struct Given {
    origin: Origin,
    raw: Raw,
}

enum Raw {
    Text(OsString),
    Json(Value),
}

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Given({})", self.origin)
    }
}

impl Given {
    /// A value from the command line or the environment.
    pub fn text(origin: Origin, text: OsString) -> Self {
        Self { origin, raw: Raw::Text(text) }
    }

    /// A value from the config file.
    pub fn json(origin: Origin, value: Value) -> Self {
        Self { origin, raw: Raw::Json(value) }
    }

    /// Returns where it came from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Returns the value to be shown: shortened, and never one that may be secret.
    pub fn shown(&self) -> String {
        match &self.raw {
            _ if self.may_be_secret() => "not shown".to_owned(),
            Raw::Text(text) => shorten(&text.to_string_lossy()),
            Raw::Json(Value::String(text)) => shorten(text),
            Raw::Json(value) => shorten(&value.to_string()),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        match &self.raw {
            Raw::Text(text) => text.is_empty(),
            Raw::Json(value) => value.as_str() == Some(""),
        }
    }

    pub(super) fn user(&self) -> Result<UserId, ConfigError> {
        let parsed = self.as_str().ok_or_else(|| self.error("a string"))?.parse();
        parsed.map_err(|error| ConfigError::Id { origin: self.origin.clone(), error })
    }

    pub(super) fn assistant(&self) -> Result<AssistantId, ConfigError> {
        let parsed = self.as_str().ok_or_else(|| self.error("a string"))?.parse();
        parsed.map_err(|error| ConfigError::Id { origin: self.origin.clone(), error })
    }

    pub(super) fn path(self) -> Result<PathBuf, ConfigError> {
        const EXPECTED: &str = "the path of a folder";
        let path = match &self.raw {
            Raw::Text(text) => PathBuf::from(text),
            Raw::Json(_) => self.as_str().ok_or_else(|| self.error(EXPECTED))?.into(),
        };
        let bytes = path.as_os_str().as_encoded_bytes();
        if bytes.is_empty() || bytes.contains(&0) {
            return Err(self.error(EXPECTED));
        }
        Ok(path)
    }

    pub(super) fn api_key(&self) -> Result<ApiKey, ConfigError> {
        let key = self.as_str().and_then(|text| ApiKey::new(text.trim()));
        key.ok_or_else(|| self.error("a key of visible ASCII characters"))
    }

    pub(super) fn base_url(&self) -> Result<String, ConfigError> {
        let is_url = |text: &&str| {
            let begins = text.starts_with("https://") || text.starts_with("http://");
            begins && !text.contains(char::is_whitespace) && host_of(text).is_some()
        };
        let url = self.as_str().map(str::trim).filter(is_url);
        let url = url.ok_or_else(|| self.error("a URL that begins with http:// or https://"))?;
        Ok(url.trim_end_matches('/').to_owned())
    }

    pub(super) fn switch(&self) -> Result<bool, ConfigError> {
        if let Raw::Json(Value::Bool(on)) = &self.raw {
            return Ok(*on);
        }
        match self.as_str().map(|t| t.trim().to_ascii_lowercase()).as_deref() {
            Some("on") => Ok(true),
            Some("off") => Ok(false),
            _ => Err(self.error("`on` or `off`")),
        }
    }

    pub(super) fn string(&self) -> Result<String, ConfigError> {
        let is_name = |t: &&str| !t.is_empty() && t.len() <= 200 && !t.contains(char::is_control);
        let text = self.as_str().map(str::trim).filter(is_name);
        text.map(str::to_owned).ok_or_else(|| self.error("a name of 1 to 200 bytes"))
    }

    /// Returns a whole number from 1 to `max`.
    pub(super) fn count(&self, max: usize) -> Result<usize, ConfigError> {
        self.count_from(1, max)
    }

    /// Returns a whole number from `min` to `max`.
    pub(super) fn count_from(&self, min: usize, max: usize) -> Result<usize, ConfigError> {
        let number = match &self.raw {
            Raw::Text(_) => self.as_str().and_then(|t| t.trim().parse::<usize>().ok()),
            Raw::Json(value) => value.as_u64().and_then(|n| usize::try_from(n).ok()),
        };
        let expected = || self.error(&format!("a whole number from {min} to {max}"));
        number.filter(|n| (min..=max).contains(n)).ok_or_else(expected)
    }

    /// Returns a number from `low` to `high`.
    pub(super) fn number(&self, low: f64, high: f64) -> Result<f64, ConfigError> {
        let number = match &self.raw {
            Raw::Text(_) => self.as_str().and_then(|t| t.trim().parse::<f64>().ok()),
            Raw::Json(value) => value.as_f64(),
        };
        let expected = || self.error(&format!("a number from {low} to {high}"));
        number.filter(|n| (low..=high).contains(n)).ok_or_else(expected)
    }

    /// Returns filter directives, with `rmcp=error` where they do not name `rmcp`.
    pub(super) fn log(&self) -> Result<String, ConfigError> {
        const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
        let expected =
            || self.error("off, error, warn, info, debug, trace or directives like memoryos=debug");
        let text = self.as_str().map(|t| t.trim().to_ascii_lowercase()).ok_or_else(expected)?;
        let is_level = |t: &str| LEVELS.contains(&t);
        if text == "off" {
            return Ok(text);
        }
        // A bare word would be taken as the name of a module: `warning` would then log nothing.
        let known = |d: &str| d.contains('=') || is_level(d.trim());
        if !text.split(',').all(known) || EnvFilter::builder().parse(&text).is_err() {
            return Err(expected());
        }
        let names_rmcp = |d: &str| {
            let rest = d.trim().strip_prefix("rmcp");
            rest.is_some_and(|rest| rest.starts_with(['=', ':', '[']))
        };
        Ok(if text.split(',').any(names_rmcp) { text } else { format!("{text},rmcp=error") })
    }

    fn as_str(&self) -> Option<&str> {
        match &self.raw {
            Raw::Text(text) => text.to_str(),
            Raw::Json(value) => value.as_str(),
        }
    }

    /// Returns whether the value is the API key or a URL with a password in it.
    fn may_be_secret(&self) -> bool {
        let has_password = || match &self.raw {
            Raw::Text(text) => text.to_string_lossy().contains('@'),
            Raw::Json(value) => value.to_string().contains('@'),
        };
        let key = self.origin.key();
        key == Key::ApiKey || key == Key::BaseUrl && has_password()
    }

    fn error(&self, expected: &str) -> ConfigError {
        let value = match &self.raw {
            _ if self.may_be_secret() => "not usable (it is not shown)".to_owned(),
            Raw::Text(text) => format!("{:?}", shorten(&text.to_string_lossy())),
            Raw::Json(Value::String(text)) => format!("{:?}", shorten(text)),
            Raw::Json(value) => shorten(&value.to_string()),
        };
        ConfigError::Value { origin: self.origin.clone(), value, expected: expected.to_owned() }
    }
}

fn shorten(text: &str) -> String {
    let mut short: String = text.chars().take(80).collect();
    if short.len() < text.len() {
        short.push_str("...");
    }
    short
}
