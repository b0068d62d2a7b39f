//! A user's folder: the names in it, who may read it, and writing files that survive a crash.
//!
//! Nothing here knows what the files mean. The rule: a file appears under its final name only when
//! its bytes are on stable storage, and a symlink is never followed out of the data directory.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::StoreError;

/// The name of the database.
pub(crate) const DATABASE: &str = "memory.db";

/// Writes what a file holds.
pub(crate) trait Fill: FnOnce(&mut dyn io::Write) -> Result<(), StoreError> {}
impl<F: FnOnce(&mut dyn io::Write) -> Result<(), StoreError>> Fill for F {}

/// A user's folder.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
}

/// Which file it is on this machine: device and inode (on Windows the creation time and 0).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileKey {
    pub(crate) device: u64,
    pub(crate) inode: u64,
}

impl Folder {
    /// Opens the folder at `root`, creating it (0700) when it is missing. One that was made by hand,
    /// as for a migration, is closed to others.
    ///
    /// # Errors
    ///
    /// When `root` is a symlink, is no folder, or cannot be created.
    pub fn open(root: &Path) -> Result<Self, StoreError> {
        if let Some(folder) = Self::find(root)? {
            return Ok(folder);
        }
        create_private_dir(root).map_err(|e| StoreError::io("create", root, e))?;
        Ok(Self { root: root.to_owned() })
    }

    /// Opens the folder at `root` as [`Folder::open`] does, but never creates it; none where it is
    /// missing.
    pub(crate) fn find(root: &Path) -> Result<Option<Self>, StoreError> {
        match fs::symlink_metadata(root) {
            Ok(meta) if meta.file_type().is_symlink() => Err(StoreError::Symlink(root.to_owned())),
            Ok(meta) if !meta.is_dir() => Err(StoreError::NotAFolder(root.to_owned())),
            Ok(meta) => {
                close_to_others(root, &meta);
                Ok(Some(Self { root: root.to_owned() }))
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(StoreError::io("open", root, e)),
        }
    }

    /// Names a folder without touching it, for whoever only reads.
    pub(crate) fn at(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// Returns the folder's path.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the path of `name` in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Returns the path of the database.
    pub(crate) fn database(&self) -> PathBuf {
        self.path(DATABASE)
    }

    /// Returns the size of `name` in bytes; 0 when it is not there.
    pub(crate) fn size(&self, name: &str) -> u64 {
        fs::metadata(self.path(name)).map_or(0, |m| m.len())
    }

    /// Whether there is a database. A file of one byte is none to SQLite, which says that it is empty.
    pub(crate) fn has_database(&self) -> bool {
        self.size(DATABASE) > 1
    }

    /// Whether `name` is there.
    ///
    /// # Errors
    ///
    /// When the system does not tell: then it must not be taken for missing.
    pub(crate) fn is_there(&self, name: &str) -> Result<bool, StoreError> {
        let path = self.path(name);
        match fs::symlink_metadata(&path) {
            Ok(_) => Ok(true),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(e) => Err(StoreError::io("look at", &path, e)),
        }
    }

    /// Refuses a symlink under one of the names we open.
    pub(crate) fn refuse_symlinks(&self) -> Result<(), StoreError> {
        for name in self.names()? {
            let path = self.path(&name);
            if fs::symlink_metadata(&path).is_ok_and(|m| m.file_type().is_symlink()) {
                return Err(StoreError::Symlink(path));
            }
        }
        Ok(())
    }

    /// Returns the names in the folder that are valid Unicode, sorted.
    pub(crate) fn names(&self) -> Result<Vec<String>, StoreError> {
        let entries =
            fs::read_dir(&self.root).map_err(|e| StoreError::io("list", &self.root, e))?;
        let name = |entry: io::Result<fs::DirEntry>| entry.ok()?.file_name().into_string().ok();
        let names: std::collections::BTreeSet<String> = entries.filter_map(name).collect();
        Ok(names.into_iter().collect())
    }

    /// Opens (creating it, 0600) a lock file.
    pub(crate) fn lock_file(&self, name: &str) -> Result<File, StoreError> {
        let path = self.path(name);
        private_options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|e| StoreError::io("open", &path, e))
    }

    /// Makes the folder's entries durable.
    pub(crate) fn sync(&self) -> Result<(), StoreError> {
        sync_dir(&self.root).map_err(|e| StoreError::io("sync", &self.root, e))
    }

    /// Writes `name` through `fill`: aside, synced, renamed into place. Returns what the system knows
    /// of the file as it was written.
    pub(crate) fn write(&self, name: &str, fill: impl Fill) -> Result<fs::Metadata, StoreError> {
        self.put(name, fill).and_then(|written| self.sync().map(|()| written))
    }

    /// Does the same, but for the name: that is durable after [`Folder::sync`].
    pub(crate) fn put(&self, name: &str, fill: impl Fill) -> Result<fs::Metadata, StoreError> {
        let path = self.path(name);
        let io = |e| StoreError::io("write", &path, e);
        let aside = tempfile::Builder::new()
            .prefix(&format!(".{name}."))
            .tempfile_in(&self.root)
            .map_err(io)?;
        let mut out = io::BufWriter::with_capacity(1 << 16, aside);
        fill(&mut out)?;
        let aside = out.into_inner().map_err(|e| io(e.into_error()))?;
        aside.as_file().sync_all().map_err(io)?;
        let written = aside.as_file().metadata().map_err(io)?;
        drop(aside.persist(&path).map_err(|e| io(e.error))?);
        Ok(written)
    }

    /// Gives `from` the new name `to`, durably. An existing `to` is replaced.
    pub(crate) fn rename(&self, from: &str, to: &str) -> Result<(), StoreError> {
        let path = self.path(from);
        rename(&path, &self.path(to)).map_err(|e| StoreError::io("rename", &path, e))?;
        self.sync()
    }

    /// Copies `from` to `to` (0600, synced); a missing `from` is no error.
    pub(crate) fn copy(&self, from: &str, to: &str) -> Result<(), StoreError> {
        let path = self.path(from);
        copy_private(&path, &self.path(to)).map_err(|e| StoreError::io("copy", &path, e))
    }

    /// Removes `name`; a missing one is no error.
    pub(crate) fn remove(&self, name: &str) -> Result<(), StoreError> {
        let path = self.path(name);
        match fs::remove_file(&path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                Err(StoreError::io("remove", &path, e))
            }
            _ => Ok(()),
        }
    }

    /// Returns a name that is not taken: `name`, or `name.2`, `name.3` and so on.
    pub(crate) fn free_name(&self, name: &str) -> String {
        let free = |name: &str| fs::symlink_metadata(self.path(name)).is_err();
        let numbered = (2..).map(|n: u32| format!("{name}.{n}"));
        std::iter::once(name.to_owned()).chain(numbered).find(|n| free(n)).unwrap_or_default()
    }

    /// Returns which file the database is now; none when it is not there.
    pub(crate) fn database_key(&self) -> Option<FileKey> {
        key_of(&self.database())
    }
}

/// Returns which file stands at `path`; none when there is none.
pub(crate) fn key_of(path: &Path) -> Option<FileKey> {
    fs::symlink_metadata(path).ok().map(|m| file_key(&m))
}

/// Creates a folder that only its owner can read; missing parents get the usual mode.
pub(crate) fn create_private_dir(path: &Path) -> io::Result<()> {
    if let Some(parent) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
        fs::create_dir_all(parent)?;
    }
    create_private_subdir(path)
}

/// Creates a folder that only its owner can read, in one that is there: what was moved away must not
/// come back empty.
pub(crate) fn create_private_subdir(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        other => other,
    }
}

/// Takes a folder's rights from all but its owner. Where that is refused, others keep what they had:
/// the folder may be served from a disk or an account that does not allow it.
#[cfg(unix)]
fn close_to_others(path: &Path, meta: &fs::Metadata) {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = meta.permissions().mode();
    if mode & 0o077 != 0 {
        let closed = fs::Permissions::from_mode(mode & 0o700);
        if let Err(error) = fs::set_permissions(path, closed) {
            tracing::warn!(%error, path = %path.display(), "others may enter the folder");
        }
    }
}

#[cfg(not(unix))]
fn close_to_others(_path: &Path, _meta: &fs::Metadata) {}

/// Whether this account may make files in the folder `path`, as far as can be told without trying.
#[cfg(unix)]
pub(crate) fn is_writable(path: &Path) -> bool {
    use rustix::fs::{Access, access};
    access(path, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

#[cfg(not(unix))]
pub(crate) fn is_writable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| !meta.permissions().readonly())
}

/// Returns options that create files which only their owner can read.
pub(crate) fn private_options() -> OpenOptions {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "modes exist on Unix only"))]
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Copies a file (0600, synced); a missing source is no error.
pub(crate) fn copy_private(from: &Path, to: &Path) -> io::Result<()> {
    let mut source = match File::open(from) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    let mut target = private_options().write(true).create(true).truncate(true).open(to)?;
    io::copy(&mut source, &mut target)?;
    target.flush()?;
    target.sync_all()
}

/// Makes the entries of the folder `path` durable; Windows does this by itself.
pub(crate) fn sync_dir(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(path)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Renames durably prepared files; the only place that does.
#[expect(clippy::disallowed_methods, reason = "this is the durable rename of `storage`")]
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)
}

/// Appends to a file name.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(unix)]
fn file_key(meta: &fs::Metadata) -> FileKey {
    use std::os::unix::fs::MetadataExt as _;
    FileKey { device: meta.dev(), inode: meta.ino() }
}

#[cfg(not(unix))]
fn file_key(meta: &fs::Metadata) -> FileKey {
    let created = meta.created().ok().and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok());
    FileKey { device: created.map_or(0, |d| d.as_nanos() as u64), inode: 0 }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn put(folder: &Folder, name: &str, bytes: &[u8]) {
        folder
            .write(name, |out| {
                out.write_all(bytes).unwrap();
                Ok(())
            })
            .unwrap();
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn only_the_owner_can_read_the_folder_and_its_files() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(&dir.path().join("data/ada")).unwrap();
        put(&folder, "a.json", b"{}");
        folder.copy("a.json", "b.json").unwrap();
        drop(folder.lock_file(".lock").unwrap());
        assert_eq!(mode(folder.root()), 0o700);
        for name in ["a.json", "b.json", ".lock"] {
            assert_eq!(mode(&folder.path(name)), 0o600, "{name}");
        }
    }

    #[test]
    fn a_folder_made_by_hand_is_closed_to_others() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("ada");
        fs::create_dir(&root).unwrap();
        fs::set_permissions(&root, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(mode(Folder::open(&root).unwrap().root()), 0o700);
    }

    #[test]
    fn a_folder_that_is_gone_is_not_made_again_by_finding_it_or_by_what_is_inside() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("ada");
        assert!(Folder::find(&root).unwrap().is_none());
        assert!(create_private_subdir(&root.join("embeddings")).is_err());
        assert!(!root.exists());
        Folder::open(&root).unwrap();
        assert_eq!(Folder::find(&root).unwrap().unwrap().root(), root);
    }

    #[test]
    fn a_symlink_is_refused_as_folder_and_as_file() {
        let dir = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        symlink(outside.path(), dir.path().join("ada")).unwrap();
        assert!(matches!(Folder::open(&dir.path().join("ada")), Err(StoreError::Symlink(_))));
        let folder = Folder::open(&dir.path().join("bob")).unwrap();
        symlink(outside.path().join("x"), folder.database()).unwrap();
        assert!(matches!(folder.refuse_symlinks(), Err(StoreError::Symlink(_))));
    }

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(&dir.path().join("ada")).unwrap();
        put(&folder, "a.json", b"old");
        let failed = folder.write("a.json", |out| {
            out.write_all(b"new").unwrap();
            Err(StoreError::NotAFolder(PathBuf::new()))
        });
        assert!(failed.is_err());
        assert_eq!(fs::read(folder.path("a.json")).unwrap(), b"old");
        assert_eq!(folder.names().unwrap(), ["a.json"]);
    }

    #[test]
    fn a_free_name_is_never_one_that_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(&dir.path().join("ada")).unwrap();
        for name in ["x", "x.2"] {
            folder.write(name, |_| Ok(())).unwrap();
        }
        assert_eq!(folder.free_name("x"), "x.3");
    }
}
