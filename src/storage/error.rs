//! What can go wrong between the memory and the disk.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// A failure of the store, sorted by what the caller can do about it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A symlink stands where a folder or file of ours belongs.
    #[error("{} is a symlink, expected a real file or folder inside the data directory", .0.display())]
    Symlink(PathBuf),
    /// A file stands where the user's folder belongs.
    #[error("{} is a file, expected a folder", .0.display())]
    NotAFolder(PathBuf),
    /// An operation on a file failed.
    #[error("cannot {action} {}: {cause}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The folder belongs to another user (as on file systems that ignore case).
    #[error(
        "the folder {} belongs to user {owner:?}, expected {expected:?}; \
         on this file system the two ids name one folder, choose another id",
        path.display()
    )]
    Owner {
        /// The folder.
        path: PathBuf,
        /// Who it belongs to.
        owner: String,
        /// Who asked.
        expected: String,
    },
    /// The database is of another program.
    #[error(
        "{} is a database of another program (application id {application_id:#x}); \
         move it away to let memoryos begin here",
        path.display()
    )]
    Foreign {
        /// The database.
        path: PathBuf,
        /// Whose it says it is.
        application_id: i64,
    },
    /// Another process holds a lock longer than we wait.
    #[error("{what} is held by {holder}; try again, or close that client")]
    Locked {
        /// The lock.
        what: &'static str,
        /// Who holds it, as far as the system tells.
        holder: String,
    },
    /// The program is stopping.
    #[error("the server is stopping")]
    Stopping,
    /// A newer program has written here.
    #[error(
        "a newer memoryos has written here (format {found}, this one knows {known}); restart this client"
    )]
    Newer {
        /// The format found.
        found: i64,
        /// The newest format this program knows.
        known: i64,
    },
    /// An older program serves the memory, so that its format cannot be brought up to date.
    #[error(
        "an older memoryos has this memory open (format {found}, this one needs {known} and changes \
         it when it has the folder alone)"
    )]
    Older {
        /// The format found.
        found: i64,
        /// The format this program needs.
        known: i64,
    },
    /// The memory is served read-only.
    #[error("{0}")]
    ReadOnly(String),
    /// The database on disk is no longer the one that is open.
    #[error("{} was removed or replaced while the server was running", .0.display())]
    Replaced(PathBuf),
    /// There is nothing to back up.
    #[error("{} holds no memory; check the user id and the data path", .0.display())]
    NoMemory(PathBuf),
    /// A backup would write over something.
    #[error("{} exists already; choose another destination", .0.display())]
    Exists(PathBuf),
    /// The folder was removed while the server was running.
    #[error(
        "{} was removed while the server was running; put it back, or restart this client to begin \
         with an empty memory",
        .0.display()
    )]
    Gone(PathBuf),
    /// What is stored cannot be read as what it should be.
    #[error("{} is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        what: String,
    },
    /// The database refused before anything was committed.
    #[error("the database said: {0}")]
    Sqlite(rusqlite::Error),
    /// The commit itself failed: it may or may not have happened.
    #[error("the commit failed: {0}")]
    Commit(rusqlite::Error),
}

impl From<rusqlite::Error> for StoreError {
    fn from(cause: rusqlite::Error) -> Self {
        Self::Sqlite(cause)
    }
}

impl StoreError {
    /// Makes an error of a failed file operation.
    pub(crate) fn io(action: &'static str, path: &Path, cause: io::Error) -> Self {
        Self::Io { action, path: path.to_owned(), cause }
    }

    /// Makes an error of something unreadable.
    pub(crate) fn damaged(path: &Path, what: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), what: what.into() }
    }

    /// Whether the database is damaged (and not merely busy, full or out of reach).
    pub(crate) fn is_damage(&self) -> bool {
        use rusqlite::Error::{
            FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, SqlInputError,
            Utf8Error,
        };
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase, Unknown};
        match self {
            Self::Damaged { .. }
            | Self::Sqlite(
                FromSqlConversionFailure(..)
                | InvalidColumnType(..)
                | IntegralValueOutOfRange(..)
                | Utf8Error(..)
                | SqlInputError { .. },
            ) => true,
            Self::Sqlite(e) | Self::Commit(e) => {
                // `Unknown`: our own SQL is right, so a table or column that it names is gone.
                matches!(e.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase | Unknown))
            }
            _ => false,
        }
    }
}
