//! The names that may be met in a user's folder, and what each is.

use std::fs::{self, Metadata};
use std::io;
use std::path::Path;
use std::time::SystemTime;

use crate::storage::folder::DATABASE;
use crate::storage::open::{LOOKING, UNCLEAN};
use crate::storage::{derived, erase, migrate, recover, views};

/// What is in a folder, with what the system says about it; links are not followed.
#[derive(Debug)]
pub(super) struct Entry {
    /// Its name; what of it is no Unicode is replaced.
    pub(super) name: String,
    pub(super) meta: Metadata,
}

/// What a name in a user's folder stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A file or folder of every memory.
    Own,
    /// What is being made, or was left by a process that was killed.
    Private,
    /// What a process that was killed meant to go on with.
    Mark,
    /// What was set aside, and what it is.
    SetAside(&'static str),
    /// JSON that may be another program's.
    Json,
    /// Nothing that this program makes.
    Unknown,
}

const OWN: [&str; 8] = [
    ".lock",
    ".write",
    ".views",
    ".model",
    "memory.db-wal",
    "memory.db-shm",
    "memory.db-journal",
    DATABASE,
];

/// Tells what a name stands for.
pub(super) fn kind(name: &str) -> Kind {
    if OWN.contains(&name) || views::NAMES.contains(&name) || name == derived::FOLDER {
        return Kind::Own;
    }
    if [LOOKING, recover::NOTE, UNCLEAN].contains(&name) {
        return Kind::Mark;
    }
    let is_view_aside = views::NAMES.iter().any(|view| name.starts_with(&format!(".{view}.")));
    if name.starts_with(".new-") || name.starts_with(".salvage-") || is_view_aside {
        return Kind::Private;
    }
    if erase::is_set_aside(name) {
        return Kind::SetAside(what_was_set_aside(name));
    }
    let is_json = Path::new(name).extension().is_some_and(|e| e == "json");
    if is_json && !name.starts_with('.') { Kind::Json } else { Kind::Unknown }
}

fn what_was_set_aside(name: &str) -> &'static str {
    let is_of_database = name.starts_with(DATABASE);
    match name {
        _ if name.starts_with(migrate::COPY) => "the database before its format was made newer",
        _ if is_of_database => "a damaged database, kept by a recovery",
        _ if name.contains(".foreign-") => "a file of another program that was taken in",
        _ if name.contains(".edited-") => "a readable copy that somebody changed",
        _ => "a readable copy of another database",
    }
}

/// Lists a folder, sorted by name; what goes meanwhile is left out.
pub(super) fn entries(folder: &Path) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        match fs::symlink_metadata(entry.path()) {
            Ok(meta) => entries.push(Entry { name, meta }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

/// How a folder looks from outside: it changes with whatever is written there.
pub(super) type Stamps = Vec<(String, u64, Option<SystemTime>)>;

/// Returns the stamps of a folder and of the derived data in it; what cannot be listed is empty.
pub(super) fn stamps(folder: &Path) -> Stamps {
    let inner = entries(&folder.join(derived::FOLDER)).unwrap_or_default();
    let all = entries(folder).unwrap_or_default().into_iter().chain(inner);
    all.map(|e| (e.name, e.meta.len(), e.meta.modified().ok())).collect()
}

/// Returns the bytes of all files in a folder and in the folders in it, links not followed.
pub(super) fn total_size(folder: &Path) -> u64 {
    let size = |entry: Entry| {
        if entry.meta.is_dir() { total_size(&folder.join(&entry.name)) } else { entry.meta.len() }
    };
    entries(folder).unwrap_or_default().into_iter().map(size).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_told() {
        let cases = [
            ("memory.db", Kind::Own),
            ("mid_term_memory.json", Kind::Own),
            (".model", Kind::Own),
            ("embeddings", Kind::Own),
            (".looking", Kind::Mark),
            ("memory.db-wal.unclean", Kind::Mark),
            (".new-1.db", Kind::Private),
            (".user_profile.json.Xy", Kind::Private),
            (
                "memory.db.damaged-20260101T000000Z-wal",
                Kind::SetAside("a damaged database, kept by a recovery"),
            ),
            (
                "memory.db.before-format-2",
                Kind::SetAside("the database before its format was made newer"),
            ),
            ("a.json.foreign-1", Kind::SetAside("a file of another program that was taken in")),
            ("user_profile.json.edited-1", Kind::SetAside("a readable copy that somebody changed")),
            ("user_profile.json.other-1", Kind::SetAside("a readable copy of another database")),
            ("old.json", Kind::Json),
            ("notes.txt", Kind::Unknown),
            (".hidden.json", Kind::Unknown),
        ];
        for (name, expected) in cases {
            assert_eq!(kind(name), expected, "{name}");
        }
    }
}
