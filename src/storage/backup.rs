//! Copying a user's memory while it is served.
//!
//! `VACUUM INTO` gives a whole database of one moment; the views beside it are written from that
//! copy. A folder made so is restored by moving it into place, never file by file.

use std::path::Path;

use super::folder::{DATABASE, Folder, create_private_dir, private_options, rename, sync_dir};
use super::recover::Owner;
use super::schema::{self, Access};
use super::views::{Occasion, Writer};
use super::{StoreError, check, log, open, rows};
use crate::memory::page::Slot;
use crate::user::{AssistantId, UserId};

/// What a backup holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backup {
    /// The pages in it.
    pub pages: usize,
    /// The change it ends with.
    pub sequence_number: u64,
}

/// Copies the memory in the folder `root` to `destination/<user id>`, which must not exist.
///
/// # Errors
///
/// When `root` is not the user's, the destination exists, or reading or writing fails; what was
/// written is then removed.
pub fn backup(root: &Path, user: &UserId, destination: &Path) -> Result<Backup, StoreError> {
    let source = root.join(DATABASE);
    if !source.exists() {
        return Err(StoreError::NoMemory(root.to_owned()));
    }
    let target = destination.join(user.as_str());
    if target.exists() {
        return Err(StoreError::Exists(target));
    }
    create_private_dir(destination).map_err(|e| StoreError::io("create", destination, e))?;
    let io = |e| StoreError::io("create", &target, e);
    // It has its name when it is complete: a part of a memory must not look like one.
    let partial = tempfile::Builder::new().prefix(".partial-").tempdir_in(destination);
    let partial = partial.map_err(io)?;
    let copied = copy(root, user, &Folder::open(partial.path())?)?;
    rename(partial.path(), &target).map_err(io)?;
    drop(partial.keep());
    sync_dir(destination).map_err(io)?;
    Ok(copied)
}

fn copy(root: &Path, user: &UserId, target: &Folder) -> Result<Backup, StoreError> {
    let source = Folder::open(root)?;
    let path = target.database();
    let io = |e| StoreError::io("create", &path, e);
    drop(private_options().write(true).create_new(true).open(&path).map_err(io)?);
    // Nobody recovers or replaces the source meanwhile.
    source.refuse_symlinks()?;
    let lock = source.lock_file(".lock")?;
    if lock.try_lock().is_ok() {
        // Nobody serves it: what a kill left behind is looked at before SQLite is.
        let assistant = AssistantId::default();
        open::look_over(&source, Owner { user, assistant: &assistant }, false)?;
        lock.unlock().map_err(|e| StoreError::io("unlock", &source.path(".lock"), e))?;
    }
    lock.lock_shared().map_err(|e| StoreError::io("lock", &source.path(".lock"), e))?;
    let from = schema::connect(&source.database(), Access::ReadWrite)?;
    schema::version(&from, &source.database())?;
    open::check_owner(&source, &from, user)?;
    from.execute("VACUUM INTO ?1", [path.to_string_lossy()])?;
    drop(from);
    drop(lock);
    let conn = schema::connect(&path, Access::ReadWrite)?;
    conn.pragma_update(None, "journal_mode", "WAL")?;
    if let Some(wrong) = check::database(&conn, schema::connect(&path, Access::ReadWrite)?)? {
        return Err(StoreError::damaged(&path, wrong));
    }
    super::create::record_key(&conn, target.database_key())?;
    Writer::new(target).update(&conn, Occasion::Exit)?;
    let mut pages = 0;
    rows::each_page(&conn, Slot(0), |row| row.map(|_| pages += 1))?;
    let sequence_number = log::last(&conn)?;
    conn.close().map_err(|(_, e)| StoreError::Sqlite(e))?;
    std::fs::File::open(&path).and_then(|f| f.sync_all()).map_err(io)?;
    target.sync()?;
    Ok(Backup { pages, sequence_number })
}
