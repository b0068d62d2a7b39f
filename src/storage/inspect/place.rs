//! The data directory: whether it can be used, what kind of place it is, and how much room there is.

use std::io;
use std::path::Path;

use super::finding::{Finding, shown, size};
use super::names::{entries, total_size};
use crate::storage::data_dir::DataDir;
use crate::storage::default_user;
use crate::storage::folder::is_writable;
use crate::storage::network;

/// Less free space than this is too little.
const LEAST_SPACE: u64 = 200 << 20;

/// Looks at a data directory; `is_user_given` says whether a user is configured, and `folder` is
/// that user's folder, if the user is known.
pub fn data_dir(dir: &DataDir, is_user_given: bool, folder: Option<&Path>) -> Vec<Finding> {
    let path = dir.path();
    let exists = path.is_dir();
    // What will be made is in the place of the nearest folder that is there.
    let nearest = path.ancestors().find(|above| above.is_dir()).unwrap_or(path);
    let mut found = vec![usable(path, nearest, exists)];
    found.push(match network::hazard(nearest) {
        None => Finding::ok("data.place", "it is on a local disk, in no synced folder"),
        Some(hazard) => Finding::warning(
            "data.place",
            hazard,
            "move the data directory to a local disk: copying it while it is used can lose changes",
        ),
    });
    found.push(space(free_space(nearest), folder.map_or(0, total_size), nearest));
    if exists {
        found.push(git(path));
        found.push(remembered_user(path, is_user_given));
        found.push(left(path));
    }
    found
}

fn usable(path: &Path, nearest: &Path, exists: bool) -> Finding {
    const ID: &str = "data.folder";
    let path = shown(path);
    match (is_writable(nearest), exists) {
        (true, true) => Finding::ok(ID, format!("{path} can be written")),
        (true, false) => Finding::ok(ID, format!("{path} will be made at the first start")),
        (false, true) => Finding::problem(
            ID,
            format!("{path} cannot be written by this account"),
            "give the account that runs memoryos the right to write there: memories in it are \
             read-only until then, and no user can be created",
        ),
        (false, false) => Finding::problem(
            ID,
            format!("{path} cannot be made: {} cannot be written by this account", shown(nearest)),
            "set MEMORYOS_DATA_PATH to a folder that this account may write",
        ),
    }
}

fn space(free: Option<u64>, used: u64, at: &Path) -> Finding {
    const ID: &str = "data.space";
    let Some(free) = free else {
        return Finding::skipped(ID, "this system does not tell how much space is free");
    };
    let message = format!("{} free at {}", size(free), shown(at));
    if free < LEAST_SPACE {
        let message = format!("only {message}");
        return Finding::warning(ID, message, "free some space: on a full disk nothing is stored");
    }
    if free < used {
        let message = format!("only {message}, less than the user's folder takes ({})", size(used));
        let action = "free some space: a recovery and forgetting need as much again";
        return Finding::warning(ID, message, action);
    }
    Finding::ok(ID, message)
}

#[cfg(unix)]
fn free_space(path: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(path).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(not(unix))]
fn free_space(_path: &Path) -> Option<u64> {
    None
}

fn git(path: &Path) -> Finding {
    const ID: &str = "data.git";
    let ignore = std::fs::read_to_string(path.join(".gitignore")).unwrap_or_default();
    if ignore.lines().any(|line| line.trim() == "*") {
        return Finding::ok(ID, "its .gitignore keeps memories out of a repository");
    }
    let Some(repository) = path.ancestors().find(|above| above.join(".git").exists()) else {
        return Finding::ok(ID, "it is in no git repository");
    };
    Finding::warning(
        ID,
        format!("memories may be committed to the repository {}", shown(repository)),
        format!("write a line with * into {}", shown(&path.join(".gitignore"))),
    )
}

fn remembered_user(path: &Path, is_user_given: bool) -> Finding {
    const ID: &str = "data.default_user";
    let action = "write the name of the user's folder into it, or set MEMORYOS_USER_ID";
    match default_user::find(path) {
        Ok(None) => Finding::ok(ID, "no id was made up in it"),
        Ok(Some(user)) => Finding::ok(ID, format!("it remembers the id {user}")),
        Err(error) if is_user_given => Finding::warning(ID, error.to_string(), action),
        Err(error) => Finding::problem(ID, error.to_string(), action),
    }
}

/// What processes that were killed left in the data directory itself.
fn left(path: &Path) -> Finding {
    const ID: &str = "data.left";
    let is_left = |name: &str| name.starts_with(".default_user.");
    let names = entries(path).map(|all| {
        all.into_iter().map(|entry| entry.name).filter(|name| is_left(name)).collect::<Vec<_>>()
    });
    match names {
        Ok(names) if names.is_empty() => Finding::ok(ID, "nothing was left by killed processes"),
        Ok(names) => Finding::warning(
            ID,
            format!("left by a process that was killed: {}", super::finding::listed(&names)),
            format!("delete it from {} while no client starts", shown(path)),
        ),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Finding::problem(
            ID,
            format!("{} cannot be listed: {error}", shown(path)),
            "give the account that runs memoryos the right to read it",
        ),
        Err(error) => Finding::skipped(ID, format!("{} cannot be listed: {error}", shown(path))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Grade;
    use super::*;

    #[test]
    fn little_space_is_told_from_enough() {
        let mib = |n: u64| n << 20;
        let cases = [
            (None, 0, Grade::Skipped),
            (Some(mib(199)), 0, Grade::Warning),
            (Some(mib(200)), mib(10), Grade::Ok),
            (Some(mib(300)), mib(301), Grade::Warning),
        ];
        for (free, used, expected) in cases {
            assert_eq!(space(free, used, Path::new("/x")).grade, expected, "{free:?} {used}");
        }
    }
}
