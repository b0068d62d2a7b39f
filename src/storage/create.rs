//! Making a new database: complete before it has its name.
//!
//! It is filled under a private name, closed so that its log is gone, synced, and then linked into
//! place. Of two processes that do this at once one wins; the other opens the winner's.

use std::fs::{self, File};
use std::io;
use std::path::PathBuf;

use rusqlite::Connection;
use uuid::Uuid;

use super::folder::{DATABASE, FileKey, Folder, private_options};
use super::schema::{self, set_meta};
use super::{StoreError, identity, network};
use crate::user::{AssistantId, UserId};

/// Who a database belongs to and which one it is.
#[derive(Debug, Clone)]
pub(crate) struct Identity<'a> {
    pub(crate) owner: &'a UserId,
    pub(crate) assistant: &'a AssistantId,
    /// The epochs of the databases this one was made from.
    pub(crate) previous_epochs: Vec<String>,
}

/// Creates the user's database if there is none. False when another process was faster.
pub(crate) fn create(folder: &Folder, identity: &Identity<'_>) -> Result<bool, StoreError> {
    let private = prepare(folder, identity, |_| Ok(()))?;
    let path = folder.database();
    let linked = match fs::hard_link(&private, &path) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        // File systems without hard links: the caller holds the folder alone.
        Err(_) if !path.exists() => {
            super::folder::rename(&private, &path)
                .map_err(|e| StoreError::io("create", &path, e))?;
            return folder.sync().map(|()| true);
        }
        Err(e) => Err(StoreError::io("create", &path, e)),
    };
    fs::remove_file(&private).map_err(|e| StoreError::io("remove", &private, e))?;
    folder.sync()?;
    linked
}

/// Makes a complete, synced database under a private name and returns its path.
pub(crate) fn prepare(
    folder: &Folder,
    of: &Identity<'_>,
    fill: impl FnOnce(&Connection) -> Result<(), StoreError>,
) -> Result<PathBuf, StoreError> {
    let private = folder.path(&format!(".new-{}.db", Uuid::new_v4().simple()));
    let io = |e| StoreError::io("create", &private, e);
    let file = private_options().write(true).create_new(true).open(&private).map_err(io)?;
    let key = super::folder::key_of(&private);
    drop(file);
    let made = schema::create(&private, !network::is_unsafe_for_wal(folder.root()), |conn| {
        set_meta(conn, "owner", of.owner.as_str())?;
        set_meta(conn, "assistant", of.assistant.as_str())?;
        set_meta(conn, "epoch", &Uuid::new_v4().to_string())?;
        set_meta(conn, "previous_epochs", &of.previous_epochs.join(" "))?;
        set_meta(conn, "created", &crate::time::Timestamp::now().to_string())?;
        record_key(conn, key)?;
        fill(conn)?;
        identity::seal(conn)
    });
    // Closing takes the log into the database, and says nothing where it could not.
    let left = fs::metadata(super::folder::with_suffix(&private, "-wal"));
    let whole = made.and_then(|()| match left {
        Ok(_) => Err(io(io::Error::other("its log could not be taken in"))),
        Err(_) => Ok(()),
    });
    let synced = whole.and_then(|()| File::open(&private).and_then(|f| f.sync_all()).map_err(io));
    if let Err(error) = synced {
        for suffix in ["", "-wal", "-shm", "-journal"] {
            let left = super::folder::with_suffix(&private, suffix);
            drop(fs::remove_file(left));
        }
        return Err(error);
    }
    Ok(private)
}

/// Notes which file the database is, so that a copy is known as one.
pub(crate) fn record_key(conn: &Connection, key: Option<FileKey>) -> Result<(), StoreError> {
    set_meta(conn, "file", &key.map_or(String::new(), key_text))
}

/// Whether the database is still the file it was made as.
pub(crate) fn is_original(conn: &Connection, folder: &Folder) -> Result<bool, StoreError> {
    Ok(schema::meta(conn, "file")? == folder.database_key().map(key_text))
}

/// Removes what a killed process left under private names. The caller holds the folder alone.
pub(crate) fn sweep(folder: &Folder) -> Result<(), StoreError> {
    for name in folder.names()? {
        let view = super::views::NAMES.iter().any(|v| name.starts_with(&format!(".{v}.")));
        if name.starts_with(".new-") || view {
            folder.remove(&name)?;
        }
        if name.starts_with(".salvage-") {
            let path = folder.path(&name);
            fs::remove_dir_all(&path).map_err(|e| StoreError::io("remove", &path, e))?;
        }
    }
    Ok(())
}

fn key_text(key: FileKey) -> String {
    format!("{}:{}", key.device, key.inode)
}

/// Whether the folder shows that a user was here before: a log, a view of ours, a set-aside file.
pub(crate) fn has_traces(folder: &Folder) -> Result<bool, StoreError> {
    let set_aside = format!("{DATABASE}.damaged-");
    let beside = ["memory.db-wal", "memory.db-journal", super::open::UNCLEAN, ".recovering"];
    if beside.iter().any(|name| folder.size(name) > 0) {
        return Ok(true);
    }
    if folder.names()?.iter().any(|name| name.starts_with(&set_aside)) {
        return Ok(true);
    }
    for name in super::views::NAMES {
        use super::views::Found::{Changed, Intact};
        if matches!(super::views::find(folder, name)?, Intact(_) | Changed) {
            return Ok(true);
        }
    }
    Ok(false)
}
