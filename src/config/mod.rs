//! The settings of a process: gathered once, checked once, never looked up again.
//!
//! Command line, environment, config file and default give each setting, in this order of
//! strength. This is the only module that reads the environment; everything here but
//! [`environment`] and [`file::read`] is plain computation over what was gathered.

pub mod file;
mod key;
mod model;
mod value;

use std::ffi::OsString;
use std::path::PathBuf;

use serde_json::{Map, Value};
use thiserror::Error;

use crate::engine::Capacities;
use crate::user::{AssistantId, UserId};

pub use file::FileError;
pub use key::{Key, nearest, unknown_variables};
pub use model::ModelSettings;
pub use value::{Given, Origin};

/// Every setting, checked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whose memory is served; none: the remembered generated id.
    pub user: Option<UserId>,
    /// The assistant's name; none: the one recorded for the user.
    pub assistant: Option<AssistantId>,
    /// The data directory, as configured.
    pub data_path: Option<PathBuf>,
    /// Where data goes when nothing is configured and the working directory is not writable.
    pub platform_data_path: Option<PathBuf>,
    /// Which language model is called, if any.
    pub model: ModelSettings,
    /// How much each tier holds.
    pub capacities: Capacities,
    /// The default of `max_results`.
    pub retrieval_capacity: usize,
    /// The heat at which a segment is consolidated.
    pub heat_threshold: f64,
    /// What a page must score to join a segment; none for the calibrated value.
    pub similarity_threshold: Option<f64>,
    /// Filter directives for the log.
    pub log: String,
    /// What the person who configured this should know; for the log.
    pub warnings: Vec<String>,
}

/// A setting that cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The value is not allowed.
    #[error("{origin} is {value}, expected {expected}")]
    Value {
        /// The setting, as it was given.
        origin: Origin,
        /// The value, shortened; never the API key's.
        value: String,
        /// What is allowed.
        expected: String,
    },
    /// The value is no id.
    #[error("{origin}: {error}")]
    Id {
        /// The setting, as it was given.
        origin: Origin,
        /// What is wrong with it.
        error: crate::user::IdError,
    },
    /// The config file has a setting that does not exist.
    #[error("{path} has the unknown setting {key:?}, did you mean {nearest:?}?")]
    UnknownKey {
        /// The config file.
        path: String,
        /// The setting it has.
        key: String,
        /// The known setting that looks most like it.
        nearest: &'static str,
    },
    /// The config file cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
}

/// What was gathered, not yet checked.
#[derive(Debug)]
pub struct Sources<'a> {
    /// Settings from the command line.
    pub command_line: &'a [(Key, OsString)],
    /// The environment.
    pub environment: Environment<'a>,
    /// The config file's path (for messages) and content.
    pub file: Option<(String, Map<String, Value>)>,
}

/// A look-up of environment variables.
#[derive(Clone, Copy)]
pub struct Environment<'a>(pub &'a dyn Fn(&str) -> Option<OsString>);

impl std::fmt::Debug for Environment<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Environment")
    }
}

impl Sources<'_> {
    /// Returns every setting that is given, with the value that counts.
    pub fn given(&self) -> Vec<Given> {
        Key::ALL.into_iter().filter_map(|key| self.get(key)).filter(|g| !g.is_empty()).collect()
    }

    /// Returns the strongest value given for a setting.
    fn get(&self, key: Key) -> Option<Given> {
        if let Some((_, value)) = self.command_line.iter().find(|(k, _)| *k == key) {
            return Some(Given::text(Origin::Flag(key), value.clone()));
        }
        if let Some(value) = (self.environment.0)(key.variable()).filter(|v| !v.is_empty()) {
            return Some(Given::text(Origin::Variable(key), value));
        }
        let (path, settings) = self.file.as_ref()?;
        let value = settings.get(key.name()).filter(|v| !v.is_null())?;
        Some(Given::json(Origin::File(key, path.clone()), value.clone()))
    }
}

/// Decides every setting.
///
/// # Errors
///
/// [`ConfigError`] when the strongest value given for a setting is not allowed, or the config file
/// has a setting that does not exist.
pub fn resolve(sources: &Sources<'_>) -> Result<Settings, ConfigError> {
    check_keys(sources)?;
    let mut warnings = Vec::new();
    let count = |key, default, max| match sources.get(key) {
        Some(given) => given.count(max),
        None => Ok(default),
    };
    let number = |key, low, high| sources.get(key).map(|g| g.number(low, high)).transpose();
    let log = sources.get(Key::Log).map_or_else(|| Ok(value::DEFAULT_LOG.into()), |g| g.log())?;
    Ok(Settings {
        user: sources.get(Key::UserId).map(|g| g.user()).transpose()?,
        assistant: sources.get(Key::AssistantId).map(|g| g.assistant()).transpose()?,
        data_path: sources.get(Key::DataPath).map(Given::path).transpose()?,
        platform_data_path: platform_data_path(sources.environment),
        model: model::resolve(sources, &mut warnings)?,
        capacities: Capacities {
            short_term: count(Key::ShortTermCapacity, 10, 1_000)?,
            mid_term: count(Key::MidTermCapacity, 2_000, 100_000)?,
            knowledge: count(Key::KnowledgeCapacity, 100, 10_000)?,
        },
        retrieval_capacity: count(Key::RetrievalCapacity, 10, 100)?,
        heat_threshold: number(Key::HeatThreshold, 0.1, 1_000_000.0)?.unwrap_or(5.0),
        similarity_threshold: number(Key::SimilarityThreshold, 0.0, 2.0)?,
        log,
        warnings,
    })
}

fn check_keys(sources: &Sources<'_>) -> Result<(), ConfigError> {
    let Some((path, settings)) = &sources.file else { return Ok(()) };
    match settings.keys().find(|name| !Key::ALL.iter().any(|k| k.name() == *name)) {
        Some(unknown) => Err(ConfigError::UnknownKey {
            path: path.clone(),
            key: unknown.chars().take(80).collect(),
            nearest: nearest(unknown, Key::ALL.iter().map(|k| k.name())),
        }),
        None => Ok(()),
    }
}

/// Returns the folder that the platform gives programs for a user's data.
fn platform_data_path(environment: Environment<'_>) -> Option<PathBuf> {
    let folder = |name: &str| {
        (environment.0)(name)
            .filter(|v| !v.is_empty())
            .map(PathBuf::from)
            .filter(|p| p.is_absolute())
    };
    if cfg!(windows) {
        return folder("APPDATA").map(|p| p.join("memoryos"));
    }
    if cfg!(target_os = "macos") {
        return folder("HOME").map(|p| p.join("Library/Application Support/memoryos"));
    }
    folder("XDG_DATA_HOME")
        .or_else(|| folder("HOME").map(|p| p.join(".local/share")))
        .map(|p| p.join("memoryos_data"))
}

/// Returns the words of this process's command line, the program first.
pub fn arguments() -> impl Iterator<Item = OsString> {
    std::env::args_os()
}

/// Reads one variable of this process's environment.
pub fn environment(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// Returns the path of this program, to start it again.
///
/// # Errors
///
/// When the system does not tell.
pub fn program() -> std::io::Result<PathBuf> {
    std::env::current_exe()
}

/// Returns the names of this process's environment variables.
pub fn environment_names() -> Vec<String> {
    std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()).collect()
}

#[cfg(test)]
mod tests;
