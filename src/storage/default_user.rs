//! The id that is used when none is configured: made once, remembered in the data directory.
//!
//! The file appears whole or not at all, and it is never overwritten: it is the only way back to
//! the memories of a user without a configured id.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::folder;
use crate::user::{IdError, UserId};

/// The file's name in the data directory.
pub(super) const NAME: &str = "default_user";

/// Why there is no default user.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DefaultUserError {
    /// The file cannot be read or written.
    #[error("cannot use {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file holds something else.
    #[error(
        "{} does not hold a user id ({error}); write the name of the user's folder into it, or set \
         MEMORYOS_USER_ID",
        path.display()
    )]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with the id.
        error: IdError,
    },
}

/// Returns the remembered id of a data directory, making one if there is none.
///
/// Of several processes that make one at once, all return the same.
///
/// # Errors
///
/// [`DefaultUserError`] when the file cannot be read or written, or holds no user id.
pub fn find_or_create(data_dir: &Path) -> Result<UserId, DefaultUserError> {
    let path = data_dir.join(NAME);
    let failed = |source| DefaultUserError::Io { path: path.clone(), source };
    if let Some(id) = find(data_dir)? {
        return Ok(id);
    }
    match publish(data_dir, &path, &UserId::generate()) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error)),
        Ok(()) | Err(_) => {}
    }
    // Whoever won the race, the file is the truth.
    read(&path)?.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))
}

/// Returns the remembered id of a data directory; none if there is none. Nothing is made.
///
/// # Errors
///
/// As [`find_or_create`].
pub fn find(data_dir: &Path) -> Result<Option<UserId>, DefaultUserError> {
    read(&data_dir.join(NAME))
}

fn read(path: &Path) -> Result<Option<UserId>, DefaultUserError> {
    let failed = |source| DefaultUserError::Io { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
        Ok(file) => file.take(1024).read_to_end(&mut bytes).map_err(failed)?,
    };
    let id = String::from_utf8_lossy(&bytes).trim().parse();
    id.map(Some).map_err(|error| DefaultUserError::Content { path: path.to_owned(), error })
}

/// Writes the id aside, syncs it and links it into place; fails if there is a file already.
fn publish(data_dir: &Path, path: &Path, id: &UserId) -> io::Result<()> {
    let mut aside = tempfile::Builder::new().prefix(".default_user.").tempfile_in(data_dir)?;
    writeln!(aside, "{id}")?;
    aside.as_file().sync_all()?;
    std::fs::hard_link(aside.path(), path)?;
    aside.close()?;
    folder::sync_dir(data_dir)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::Barrier;

    use tempfile::TempDir;

    use super::*;

    #[test]
    fn the_next_start_finds_the_same_id() {
        let temp = TempDir::new().unwrap();
        let id = find_or_create(temp.path()).unwrap();
        assert_eq!(find_or_create(temp.path()).unwrap(), id);
        let text = std::fs::read_to_string(temp.path().join(NAME)).unwrap();
        assert_eq!(text, format!("{id}\n"));
    }

    #[test]
    fn processes_that_start_at_once_agree_on_one_id_and_leave_nothing_else() {
        let temp = TempDir::new().unwrap();
        let barrier = Barrier::new(16);
        let race = || {
            barrier.wait();
            find_or_create(temp.path()).unwrap()
        };
        let ids: HashSet<UserId> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..16).map(|_| scope.spawn(race)).collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        assert_eq!(ids.len(), 1);
        assert_eq!(std::fs::read_dir(temp.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_holds_no_id_is_reported_and_kept() {
        let temp = TempDir::new().unwrap();
        let path = temp.path().join(NAME);
        for content in ["", "../other", "two words\n", "\u{0}"] {
            let mut file = File::create(&path).unwrap();
            file.write_all(content.as_bytes()).unwrap();
            let message = find_or_create(temp.path()).unwrap_err().to_string();
            assert!(message.contains("MEMORYOS_USER_ID"), "{message}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
        }
    }
}
