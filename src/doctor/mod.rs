//! `memoryos doctor`: examines settings, data directory, folder, locks, files and the model, and
//! says what to do about each finding.
//!
//! A layer beside the engine: it opens no user. The one rule: nothing is created or changed but in a
//! temporary folder of its own.

mod attempts;
mod client;
mod isolation;
mod model;
mod report;
mod settings;

use std::ffi::OsString;
use std::path::PathBuf;

use crate::config::{Key, Settings};
use crate::storage::inspect::{self, Finding};
use crate::storage::{data_dir, default_user};
use crate::user::UserId;

pub use report::Report;

/// What to examine.
#[derive(Debug)]
pub struct Request {
    /// The config file, if one is given.
    pub config_file: Option<PathBuf>,
    /// The settings of the command line.
    pub command_line: Vec<(Key, OsString)>,
    /// Whether to try whether one user can reach another.
    pub isolation: bool,
}

/// Examines everything that a start with the same settings would use.
pub fn examine(request: &Request) -> Report {
    let mut found = Vec::new();
    if let Some(settings) = settings::examine(request, &mut found) {
        examine_data(&settings, request.isolation, &mut found);
        found.extend(model::examine(&settings.model));
    } else {
        let reason = "not looked at: the settings do not say where";
        for id in ["data.folder", "folder.place", "locks.open", "files.database", "model.answer"] {
            found.push(Finding::skipped(id, reason));
        }
    }
    if request.isolation {
        found.extend(isolation::examine());
    }
    Report::new(found)
}

fn examine_data(settings: &Settings, isolation: bool, found: &mut Vec<Finding>) {
    let (given, platform) = (settings.data_path.as_deref(), settings.platform_data_path.as_deref());
    let dir = match data_dir::look(given, platform) {
        Ok(dir) => dir,
        Err(error) => {
            let action = "set MEMORYOS_DATA_PATH to a folder that this account may write";
            found.push(Finding::problem("data.folder", error.to_string(), action));
            return;
        }
    };
    if dir.fell_back() {
        found.push(Finding::warning(
            "data.fallback",
            "the working directory cannot be written, so the platform's data folder is used",
            "nothing, if that is meant; else set MEMORYOS_DATA_PATH",
        ));
    }
    let user = user_of(settings, dir.path(), found);
    let root = user.as_ref().map(|user| dir.path().join(user.as_str()));
    found.extend(inspect::data_dir(&dir, settings.user.is_some(), root.as_deref()));
    if let (Some(user), Some(root)) = (&user, &root) {
        found.extend(inspect::user(root, user));
    }
    if isolation && dir.path().is_dir() {
        found.extend(inspect::users(dir.path()));
    }
}

/// Says who is served.
fn user_of(settings: &Settings, dir: &std::path::Path, found: &mut Vec<Finding>) -> Option<UserId> {
    const ID: &str = "settings.user";
    if let Some(user) = &settings.user {
        found.push(Finding::ok(ID, format!("user {user} is served")));
        return Some(user.clone());
    }
    // What is wrong with the remembered id is a finding about the data directory.
    let remembered = default_user::find(dir).ok()?;
    found.push(match &remembered {
        Some(user) => Finding::ok(ID, format!("user {user} is served: it is remembered there")),
        None => Finding::ok(ID, "no user is configured: the first start makes up an id"),
    });
    remembered
}
