//! Examining a data directory and a user's folder without changing anything, also beside writers.
//!
//! The one rule: no file of the folder is written, locked or renamed, and no connection is made to
//! a file that others may write. What others do meanwhile must not look like damage: what is wrong
//! is looked at again until nothing changed in between, and counts only if it is wrong every time.

mod database;
mod finding;
mod folder;
mod locks;
mod names;
mod place;
mod snapshot;
mod users;
mod views;

use std::path::Path;
use std::thread;
use std::time::Duration;

pub use finding::{Finding, Grade, escaped};
pub use place::data_dir;
pub use users::users;

use self::names::stamps;
use super::folder::Folder;
use crate::user::UserId;

/// How often the folder is looked at if something is wrong, and the pause between.
const LOOKS: u32 = 6;
const PAUSE: Duration = Duration::from_millis(200);

/// Examines the folder `root` of `user`: the folder, who holds its locks, the files.
///
/// It may take as long as reading every row, and waits up to five seconds for whoever holds the
/// write lock.
pub fn user(root: &Path, user: &UserId) -> Vec<Finding> {
    let mut found = Vec::new();
    if !folder::place(root, &mut found) {
        return found;
    }
    let mut before = stamps(root);
    let mut seen = look(root, user);
    for n in 1..LOOKS {
        let after = stamps(root);
        if !seen.iter().any(Finding::is_wrong) || (n > 1 && before == after) {
            break;
        }
        thread::sleep(PAUSE);
        before = stamps(root);
        seen = finding::confirmed(&seen, &look(root, user));
    }
    found.extend(seen);
    found.extend(locks::findings(root));
    found
}

fn look(root: &Path, user: &UserId) -> Vec<Finding> {
    let mut found = Vec::new();
    folder::findings(root, &mut found);
    if found.iter().any(|f| f.id == "folder.links" && f.grade == Grade::Problem) {
        found
            .push(Finding::skipped("files.database", "no link is followed to look into the files"));
        return found;
    }
    let folder = Folder::at(root);
    let shown = views::read(&folder);
    let known = database::findings(&folder, user, &mut found);
    found.extend(views::findings(&shown, known.as_ref(), user));
    found.extend(views::derived(&folder));
    found
}
