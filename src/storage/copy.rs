//! Serving a memory that cannot be written: from the file itself where nobody can change it, else
//! from a private copy in the system's temporary folder.

use std::fs;

use tempfile::TempDir;

use super::folder::{DATABASE, Folder, copy_private, rename};
use super::open::check_owner;
use super::recover::{self, Owner};
use super::schema::{self, Access, VERSION};
use super::store::{Mode, Store};
use super::{StoreError, migrate};
use crate::user::UserId;

/// Opens the memory of `folder` for reading only; `reason` is what every write is refused with.
pub(crate) fn read_only(folder: &Folder, user: &UserId, reason: &str) -> Result<Store, StoreError> {
    let database = folder.database();
    if !database.exists() {
        return Err(StoreError::ReadOnly(format!(
            "{} has no memory yet and {reason}",
            folder.root().display()
        )));
    }
    let mode = Mode::ReadOnly(reason.to_owned());
    let quiet = folder.size("memory.db-wal") == 0 && folder.lock_file(".lock").is_err();
    if quiet {
        let conn = schema::connect(&database, Access::Immutable)?;
        let found = schema::version(&conn, &database)?;
        check_owner(folder, &conn, user)?;
        if found >= VERSION {
            return Store::over(folder, conn, mode, None);
        }
    }
    let private = private_dir()?;
    for suffix in ["", "-wal"] {
        let from = folder.path(&format!("{DATABASE}{suffix}"));
        let to = private.path().join(format!("{DATABASE}{suffix}"));
        copy_private(&from, &to).map_err(|e| StoreError::io("copy", &from, e))?;
    }
    migrate::migrate(&Folder::open(private.path())?)?;
    let conn = schema::connect(&private.path().join(DATABASE), Access::ReadWrite)?;
    check_owner(folder, &conn, user)?;
    Store::over(folder, conn, mode, Some(private))
}

/// Opens what can be salvaged of a damaged memory that other processes have open.
pub(crate) fn salvaged(
    folder: &Folder,
    owner: Owner<'_>,
    reason: &str,
) -> Result<Store, StoreError> {
    let private = private_dir()?;
    let copy = Folder::open(private.path())?;
    for suffix in ["", "-wal"] {
        let from = folder.path(&format!("{DATABASE}{suffix}"));
        let to = copy.path(&format!("source.db{suffix}"));
        copy_private(&from, &to).map_err(|e| StoreError::io("copy", &from, e))?;
    }
    for name in super::views::NAMES {
        let from = folder.path(name);
        copy_private(&from, &copy.path(name)).map_err(|e| StoreError::io("copy", &from, e))?;
    }
    let rebuilt = recover::rebuild(&copy, &copy.path("source.db"), owner, reason, DATABASE)?;
    rename(&rebuilt, &copy.database()).map_err(|e| StoreError::io("rename", &rebuilt, e))?;
    let conn = schema::connect(&copy.database(), Access::ReadWrite)?;
    Store::over(folder, conn, Mode::ReadOnly(reason.to_owned()), Some(private))
}

/// Makes a folder in the system's temporary one that only this account may enter.
pub(crate) fn private_dir() -> Result<TempDir, StoreError> {
    let dir = tempfile::Builder::new().prefix("memoryos-").tempdir();
    let dir = dir.map_err(|e| StoreError::io("create a folder in", &std::env::temp_dir(), e))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700))
            .map_err(|e| StoreError::io("protect", dir.path(), e))?;
    }
    Ok(dir)
}
