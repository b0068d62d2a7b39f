//! The data directory: where the users' folders are.
//!
//! Only folders are made here, private to the account that runs the program; what is in a user's
//! folder is the store's. A path leaves this module twice: as configured, for replies, and
//! absolute, for I/O, so that a later change of the working directory cannot move the data.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::default_user;
use super::folder::{self, DATABASE};
use crate::user::UserId;

/// The data directory when nothing is configured.
const DEFAULT: &str = "./memoryos_data";

/// Why the data directory cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DataDirError {
    /// It cannot be created or written.
    #[error("cannot use the data directory {}: {source}", path.display())]
    Unusable {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something that is no folder stands in its place.
    #[error("{} is not a folder, expected the data directory there", .0.display())]
    NotAFolder(PathBuf),
    /// A symbolic link stands where a user's folder should be.
    #[error(
        "{} is a symbolic link, expected a folder: a user's memory never leaves the data directory",
        .0.display()
    )]
    Link(PathBuf),
    /// Nothing is configured and neither the working directory nor the platform's can be used.
    #[error(
        "the working directory is not writable and the platform names no folder for data, set \
         MEMORYOS_DATA_PATH"
    )]
    Nowhere,
}

/// A data directory that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataDir {
    shown: PathBuf,
    absolute: PathBuf,
    fell_back: bool,
}

/// Creates the data directory if it is not there.
///
/// Without a configured one it is `./memoryos_data`; where the working directory cannot be
/// written and has none, it is `platform`.
///
/// # Errors
///
/// [`DataDirError`] when the directory cannot be created or something else stands there.
pub fn prepare(
    configured: Option<&Path>,
    platform: Option<&Path>,
) -> Result<DataDir, DataDirError> {
    match configured {
        Some(path) => make(path, false),
        None => prepare_default(Path::new(DEFAULT), platform),
    }
}

/// Returns where the data directory is or may come to be, the likeliest first; nothing is made.
pub fn places(configured: Option<&Path>, platform: Option<&Path>) -> Vec<PathBuf> {
    let default = [Some(Path::new(DEFAULT)), platform];
    let places = configured.map_or(default, |path| [Some(path), None]);
    places.into_iter().flatten().map(Path::to_owned).collect()
}

fn prepare_default(default: &Path, platform: Option<&Path>) -> Result<DataDir, DataDirError> {
    match make(default, false) {
        Err(DataDirError::Unusable { source, .. }) if is_refusal(&source) => {
            make(platform.ok_or(DataDirError::Nowhere)?, true)
        }
        made => made,
    }
}

/// Tells which data directory a start would take or make; creates nothing.
///
/// # Errors
///
/// [`DataDirError`] as for [`prepare`], as far as that can be told without creating anything.
pub fn look(configured: Option<&Path>, platform: Option<&Path>) -> Result<DataDir, DataDirError> {
    if let Some(path) = configured {
        return look_at(path, false);
    }
    let default = Path::new(DEFAULT);
    match look_at(default, false) {
        Ok(dir) if dir.path().is_dir() || folder::is_writable(Path::new(".")) => Ok(dir),
        Err(DataDirError::Unusable { source, .. }) if !is_refusal(&source) => {
            Err(DataDirError::Unusable { path: default.to_owned(), source })
        }
        Ok(_) | Err(DataDirError::Unusable { .. }) => {
            look_at(platform.ok_or(DataDirError::Nowhere)?, true)
        }
        Err(other) => Err(other),
    }
}

fn look_at(path: &Path, fell_back: bool) -> Result<DataDir, DataDirError> {
    let unusable = |source| DataDirError::Unusable { path: path.to_owned(), source };
    match std::fs::metadata(path) {
        Ok(found) if !found.is_dir() => return Err(DataDirError::NotAFolder(path.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            return Err(DataDirError::NotAFolder(path.to_owned()));
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(unusable(error)),
        Ok(_) | Err(_) => {}
    }
    let absolute = std::path::absolute(path).map_err(unusable)?;
    Ok(DataDir { shown: path.to_owned(), absolute, fell_back })
}

impl DataDir {
    /// Returns the directory for I/O.
    pub fn path(&self) -> &Path {
        &self.absolute
    }

    /// Returns a user's folder as replies show it: the configured path joined with the id.
    pub fn shown(&self, user: &UserId) -> PathBuf {
        self.shown.join(user.as_str())
    }

    /// Returns whether the platform's folder was taken because the working directory is not
    /// writable.
    pub fn fell_back(&self) -> bool {
        self.fell_back
    }

    /// Returns a user's folder for I/O; it may not exist.
    ///
    /// # Errors
    ///
    /// [`DataDirError::Link`] when a symbolic link stands there, [`DataDirError::NotAFolder`] when
    /// something else does that is no folder.
    pub fn user_folder(&self, user: &UserId) -> Result<PathBuf, DataDirError> {
        let path = self.absolute.join(user.as_str());
        match std::fs::symlink_metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(path),
            Err(source) => Err(DataDirError::Unusable { path, source }),
            Ok(found) if found.is_symlink() => Err(DataDirError::Link(path)),
            Ok(found) if found.is_dir() => Ok(path),
            Ok(_) => Err(DataDirError::NotAFolder(path)),
        }
    }
}

fn is_refusal(error: &io::Error) -> bool {
    use io::ErrorKind::{NotFound, PermissionDenied, ReadOnlyFilesystem};

    matches!(error.kind(), PermissionDenied | ReadOnlyFilesystem | NotFound)
}

fn make(path: &Path, fell_back: bool) -> Result<DataDir, DataDirError> {
    let unusable = |source| DataDirError::Unusable { path: path.to_owned(), source };
    let ours = match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => is_ours(path),
        Ok(_) => return Err(DataDirError::NotAFolder(path.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            folder::create_private_dir(path).map_err(unusable)?;
            true
        }
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            return Err(DataDirError::NotAFolder(path.to_owned()));
        }
        Err(error) => return Err(unusable(error)),
    };
    if ours {
        // A directory that cannot be written may still be served read-only.
        drop(ignore_in_git(path));
    }
    let absolute = std::path::absolute(path).map_err(unusable)?;
    Ok(DataDir { shown: path.to_owned(), absolute, fell_back })
}

/// Whether a folder is empty or holds memories, and is not somebody's project or home folder.
fn is_ours(path: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(path) else { return false };
    let mut is_empty = true;
    for entry in entries.flatten() {
        is_empty = false;
        let name = entry.file_name();
        let is_user = || name.to_str().is_some_and(|name| name.parse::<UserId>().is_ok());
        if name == default_user::NAME || is_user() && entry.path().join(DATABASE).is_file() {
            return true;
        }
    }
    is_empty
}

/// Keeps memories out of the repository that the working directory often is.
fn ignore_in_git(path: &Path) -> io::Result<()> {
    use std::io::Write as _;

    let file = path.join(".gitignore");
    match std::fs::File::create_new(file) {
        Ok(mut file) => file.write_all(b"*\n"),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn user() -> UserId {
        "alice_123".parse().unwrap()
    }

    fn put(path: PathBuf, text: &str) {
        use std::io::Write as _;
        let mut file = std::fs::File::create(path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    #[test]
    fn a_data_directory_is_created_with_its_parents_and_hidden_from_git() {
        let temp = TempDir::new().unwrap();
        let path = temp.path().join("a/b");
        let dir = prepare(Some(&path), None).unwrap();
        assert_eq!(dir, prepare(Some(&path), None).unwrap());
        assert_eq!(std::fs::read_to_string(path.join(".gitignore")).unwrap(), "*\n");
        assert_eq!(dir.user_folder(&user()).unwrap(), dir.path().join("alice_123"));
    }

    #[test]
    fn a_folder_of_somebody_else_is_not_hidden_from_git() {
        let hidden = |fill: fn(&Path)| {
            let temp = TempDir::new().unwrap();
            fill(temp.path());
            drop(prepare(Some(temp.path()), None).unwrap());
            temp.path().join(".gitignore").exists()
        };
        assert!(hidden(|_| ()));
        assert!(hidden(|path| put(path.join("default_user"), "ada\n")));
        assert!(hidden(|path| {
            std::fs::create_dir(path.join("ada")).unwrap();
            put(path.join("ada/memory.db"), "");
        }));
        assert!(!hidden(|path| put(path.join("main.rs"), "")));
        assert!(!hidden(|path| std::fs::create_dir_all(path.join(".git/objects")).unwrap()));
        assert!(!hidden(|path| std::fs::create_dir(path.join("ada")).unwrap()));
        assert!(!hidden(|path| {
            std::fs::create_dir(path.join(".config")).unwrap();
            put(path.join(".config/memory.db"), "");
        }));
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_may_enter_a_new_data_directory() {
        use std::os::unix::fs::PermissionsExt as _;

        let temp = TempDir::new().unwrap();
        let dir = prepare(Some(&temp.path().join("d")), None).unwrap();
        assert_eq!(std::fs::metadata(dir.path()).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn replies_show_the_configured_path_joined_with_the_id() {
        let shown = |path: &str| {
            let dir = DataDir { shown: path.into(), absolute: "/x".into(), fell_back: false };
            dir.shown(&user()).display().to_string()
        };
        assert_eq!(shown("./memoryos_data"), "./memoryos_data/alice_123");
        assert_eq!(shown("./data"), "./data/alice_123");
    }

    #[test]
    fn what_is_configured_is_the_only_place() {
        let (a, b) = (Path::new("a"), Path::new("b"));
        assert_eq!(places(Some(a), Some(b)), [a]);
        assert_eq!(places(None, Some(b)), [Path::new(DEFAULT), b]);
        assert_eq!(places(None, None), [Path::new(DEFAULT)]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_working_directory_that_cannot_be_written_gives_way_to_the_platforms_folder() {
        let temp = TempDir::new().unwrap();
        let unwritable = Path::new("/proc/memoryos_data");
        let platform = temp.path().join("share/memoryos_data");
        let dir = prepare_default(unwritable, Some(&platform)).unwrap();
        assert_eq!((dir.path(), dir.fell_back()), (platform.as_path(), true));
        let error = prepare_default(unwritable, None).unwrap_err();
        assert!(matches!(error, DataDirError::Nowhere));
        assert!(!prepare_default(&temp.path().join("d"), Some(&platform)).unwrap().fell_back());
    }

    #[test]
    fn a_file_in_the_way_is_named() {
        let temp = TempDir::new().unwrap();
        let file = temp.path().join("f");
        drop(std::fs::File::create(&file).unwrap());
        for path in [file.clone(), file.join("below")] {
            let message = prepare(Some(&path), None).unwrap_err().to_string();
            assert!(message.starts_with(&path.display().to_string()), "{message}");
        }
        let dir = prepare(Some(temp.path()), None).unwrap();
        drop(std::fs::File::create(dir.path().join("alice_123")).unwrap());
        assert!(matches!(dir.user_folder(&user()), Err(DataDirError::NotAFolder(_))));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_place_of_a_users_folder_is_refused() {
        let temp = TempDir::new().unwrap();
        let dir = prepare(Some(&temp.path().join("data")), None).unwrap();
        std::os::unix::fs::symlink(temp.path(), dir.path().join("alice_123")).unwrap();
        assert!(matches!(dir.user_folder(&user()), Err(DataDirError::Link(_))));
    }
}
