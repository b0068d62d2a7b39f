//! Every user's folder of a data directory: whose it is, and whether others may enter it.

use std::path::Path;

use super::finding::{Finding, quoted, shown};
use super::names::{Entry, entries};
use crate::storage::folder::{DATABASE, Folder};
use crate::storage::schema::{self, Access, meta};
use crate::storage::{StoreError, views};
use crate::user::UserId;

/// Says of every user's folder in a data directory whether it is its owner's alone.
pub fn users(data_dir: &Path) -> Vec<Finding> {
    const ID: &str = "isolation.folders";
    let all = match entries(data_dir) {
        Ok(all) => all,
        Err(error) => {
            let path = shown(data_dir);
            return vec![Finding::skipped(ID, format!("{path} cannot be listed: {error}"))];
        }
    };
    let (mut found, mut n_users) = (Vec::new(), 0);
    for entry in &all {
        let Ok(user) = entry.name.parse::<UserId>() else { continue };
        let root = data_dir.join(user.as_str());
        if entry.meta.is_symlink() {
            found.push(Finding::problem(
                ID,
                format!("{} is a symbolic link, which no start follows", shown(&root)),
                "remove it, or put the folder itself there",
            ));
        } else if root.join(DATABASE).is_file() {
            n_users += 1;
            found.extend(closed(&root, entry));
            found.extend(owned(&root, &user));
        }
    }
    if found.is_empty() {
        let path = shown(data_dir);
        found.push(Finding::ok(ID, format!("{n_users} users in {path}, each alone in its folder")));
    }
    found
}

#[cfg(unix)]
fn closed(root: &Path, entry: &Entry) -> Option<Finding> {
    use std::os::unix::fs::MetadataExt as _;
    let (path, mode) = (shown(root), entry.meta.mode() & 0o777);
    (mode & 0o077 != 0).then(|| {
        Finding::problem(
            "isolation.folders",
            format!("other accounts may enter {path}: its mode is {mode:03o}"),
            format!("chmod 700 {}", quoted(root)),
        )
    })
}

#[cfg(not(unix))]
fn closed(_root: &Path, _entry: &Entry) -> Option<Finding> {
    None
}

/// What names another owner in a folder: its database or its views.
fn owned(root: &Path, user: &UserId) -> Option<Finding> {
    let folder = Folder::at(root);
    let of_views = views::NAMES.iter().filter_map(|name| views::peek(&folder, name));
    let owners = of_views.map(|header| header.user_id).chain(owner_of_database(root));
    let other = owners.into_iter().find(|owner| owner != user.as_str())?;
    Some(Finding::problem(
        "isolation.folders",
        format!("{} belongs to user {other:?}", shown(root)),
        "give the folder the name of its owner: no start serves it to another",
    ))
}

/// Reads the owner out of the database file alone: it stands there since it was created.
fn owner_of_database(root: &Path) -> Option<String> {
    let read = || -> Result<_, StoreError> {
        let conn = schema::connect(&root.join(DATABASE), Access::Immutable)?;
        meta(&conn, "owner")
    };
    // One that cannot be read is for the examination of that user.
    read().ok().flatten()
}
