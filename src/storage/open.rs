//! Opening a user's folder: whoever finds it unused looks it over before anybody is served.
//!
//! `.lock` is held exclusively for that, and shared by every process that serves. A folder that
//! cannot be written, or is damaged while others serve it, is served read-only from a copy.

use std::fs::File;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use rusqlite::Connection;

use super::folder::{DATABASE, Folder};
use super::lock::{self, Refusal, acquire};
use super::recover::{self, Owner};
use super::schema::{self, Access, VERSION, meta};
use super::store::Store;
use super::{StoreError, check, copy, create, foreign, identity, log, migrate, views, wal};
use crate::time::Timestamp;
use crate::user::{AssistantId, UserId};

/// How long to wait for a process that looks the folder over or recovers it.
const PATIENCE: Duration = Duration::from_mins(1);

/// How often to try to have the folder alone before a damaged one is read beside its holders, and
/// the pause between.
const ROUNDS: u32 = 10;
const PAUSE: Duration = Duration::from_millis(10);

/// The copy of a log that stays until its database is known to be whole.
pub(crate) const UNCLEAN: &str = "memory.db-wal.unclean";

/// Says that somebody is looking the folder over. It outlives only one who died doing that.
pub(crate) const LOOKING: &str = ".looking";

/// What to open.
#[derive(Debug, Clone)]
pub(crate) struct Request<'a> {
    /// The user's folder.
    pub(crate) root: &'a Path,
    pub(crate) user: &'a UserId,
    pub(crate) assistant: &'a AssistantId,
    pub(crate) stop: &'a AtomicBool,
    /// Whether a user of whom nothing is there is a new one.
    pub(crate) may_create: bool,
    /// What was found damaged while the folder was served, if that is why it is opened again.
    pub(crate) damage: Option<&'a str>,
}

impl Request<'_> {
    fn folder(&self) -> Result<Folder, StoreError> {
        if self.may_create {
            return Folder::open(self.root);
        }
        Folder::find(self.root)?.ok_or_else(|| StoreError::Gone(self.root.to_owned()))
    }

    /// Whether the folder was there before and is not there now.
    fn is_gone(&self) -> bool {
        !self.may_create && matches!(self.root.try_exists(), Ok(false))
    }
}

/// Opens the user's memory, creating it if nothing of the user is there.
pub(crate) fn open(request: &Request<'_>) -> Result<Store, StoreError> {
    // Whatever failed while the folder went away, failed because it went.
    open_here(request).map_err(|error| match error {
        _ if request.is_gone() => StoreError::Gone(request.root.to_owned()),
        other => other,
    })
}

fn open_here(request: &Request<'_>) -> Result<Store, StoreError> {
    let folder = request.folder()?;
    folder.refuse_symlinks()?;
    match serve(&folder, request) {
        // A file that was open before and is missing is no folder that cannot be written: it may be
        // back at the next call.
        Err(error) if is_missing(&error) && !request.may_create => Err(error),
        Err(error) if is_unwritable(&error) => {
            let reason = format!("{error}; the memory is read-only until that is mended");
            let mut store = copy::read_only(&folder, request.user, &reason)?;
            store.unwritable = true;
            Ok(store)
        }
        other => other,
    }
}

/// Creates a user's folder; true when it was not there before. Of an existing one only the owner's
/// name is read.
pub(crate) fn create_user(request: &Request<'_>) -> Result<bool, StoreError> {
    check_shown_owner(request.root, request.user)?;
    if request.root.join(DATABASE).exists() {
        return Ok(false);
    }
    let mut store = open(request)?;
    let created = store.created;
    store.write_first_views()?;
    Ok(created)
}

/// Refuses a folder that is a symlink, holds one, or whose views name another owner. No database is
/// opened and nothing is created, so this may run before everything else.
pub(crate) fn check_shown_owner(root: &Path, user: &UserId) -> Result<(), StoreError> {
    if std::fs::symlink_metadata(root).is_err() {
        return Ok(());
    }
    let folder = Folder::open(root)?;
    folder.refuse_symlinks()?;
    for name in views::NAMES {
        // The first lines tell; only a view that names another is read whole.
        if views::peek(&folder, name).is_some_and(|header| header.user_id != user.as_str())
            && let views::Found::Intact(header) = views::find(&folder, name)?
        {
            let (path, expected) = (root.to_owned(), user.to_string());
            return Err(StoreError::Owner { path, owner: header.user_id, expected });
        }
    }
    Ok(())
}

fn serve(folder: &Folder, request: &Request<'_>) -> Result<Store, StoreError> {
    let owner = Owner { user: request.user, assistant: request.assistant };
    let mut created = false;
    let mut round = 0;
    loop {
        let lock = folder.lock_file(".lock")?;
        let alone = lock.try_lock().is_ok();
        if alone {
            let looked_over = look_over(folder, owner, request.may_create);
            lock.unlock().map_err(|e| StoreError::io("unlock", &folder.path(".lock"), e))?;
            created |= looked_over?;
        }
        share(folder, &lock, request.stop)?;
        round += 1;
        // Whoever held the folder alone may have died before it was done: then it is our turn.
        let unfinished = folder.is_there(LOOKING)? || folder.is_there(recover::NOTE)?;
        if unfinished && round < ROUNDS {
            drop(lock);
            std::thread::sleep(PAUSE);
            continue;
        }
        let opened = match request.damage {
            Some(what) if !alone => Err(StoreError::damaged(&folder.database(), what)),
            _ => Store::open(folder, lock, request.user),
        };
        match opened {
            Ok(mut store) => {
                store.created = created;
                return Ok(store);
            }
            Err(error) if is_unusable(&error) && round < ROUNDS => std::thread::sleep(PAUSE),
            Err(error) if is_unusable(&error) => {
                let holder = lock::holder(&folder.path(".lock"));
                let reason = format!(
                    "{error}; the memory is served read-only from what could be salvaged, because \
                     {holder} has it open: close all other clients of this user, then restart this \
                     one"
                );
                return copy::salvaged(folder, owner, &reason);
            }
            Err(error) => return Err(error),
        }
    }
}

fn is_unusable(error: &StoreError) -> bool {
    error.is_damage() || is_missing(error) || matches!(error, StoreError::Older { .. })
}

fn share(folder: &Folder, lock: &File, stop: &AtomicBool) -> Result<(), StoreError> {
    acquire(PATIENCE, stop, || lock.try_lock_shared()).map_err(|refusal| match refusal {
        Refusal::Held => {
            StoreError::Locked { what: "the memory", holder: lock::holder(&folder.path(".lock")) }
        }
        Refusal::Stopping => StoreError::Stopping,
        Refusal::Failed(e) => StoreError::io("lock", &folder.path(".lock"), e),
    })
}

/// Makes the folder fit to be served: creates, recovers, repairs, takes in. True when the user is
/// new. The caller holds the folder alone.
pub(crate) fn look_over(
    folder: &Folder,
    owner: Owner<'_>,
    may_create: bool,
) -> Result<bool, StoreError> {
    drop(folder.lock_file(LOOKING)?);
    let looked_over = make_fit(folder, owner, may_create);
    folder.remove(LOOKING)?;
    looked_over
}

fn make_fit(folder: &Folder, owner: Owner<'_>, may_create: bool) -> Result<bool, StoreError> {
    create::sweep(folder)?;
    recover::resume(folder, owner)?;
    let database = folder.database();
    let mut created = false;
    // Only what is surely not there is missing: an error of the disk is not.
    folder.is_there(DATABASE)?;
    if !folder.has_database() {
        if create::has_traces(folder)? {
            recover::recover(folder, owner, "memory.db is missing or empty")?;
        } else if !may_create {
            return Err(StoreError::Gone(folder.root().to_owned()));
        } else {
            folder.remove(DATABASE)?;
            let identity = create::Identity {
                owner: owner.user,
                assistant: owner.assistant,
                previous_epochs: Vec::new(),
            };
            created = create::create(folder, &identity)?;
        }
    }
    let unclean = folder.size(&format!("{DATABASE}-wal")) > 0;
    let report = wal::inspect(&database);
    if unclean {
        folder.copy(&format!("{DATABASE}-wal"), UNCLEAN)?;
    }
    if report.is_damaged() {
        let reason = format!(
            "its log breaks off: {} commits behind the break, {} frames missing",
            report.stranded_commits, report.missing_frames
        );
        recover::recover(folder, owner, &reason)?;
    }
    let migrated = match migrate::migrate(folder) {
        Err(error) if error.is_damage() => {
            recover::recover(folder, owner, &error.to_string())?;
            true
        }
        other => other?,
    };
    let damaged = examine(folder, owner)?;
    if let Some(reason) = &damaged {
        recover::recover(folder, owner, reason)?;
    }
    if damaged.is_none() && !migrated {
        migrate::remove_copies(folder)?;
    }
    folder.remove(UNCLEAN)?;
    Ok(created)
}

/// Checks the database and brings it up to date; says what is wrong if it must be recovered.
fn examine(folder: &Folder, owner: Owner<'_>) -> Result<Option<String>, StoreError> {
    match examine_open(folder, owner) {
        Err(error) if error.is_damage() => Ok(Some(error.to_string())),
        other => other,
    }
}

fn examine_open(folder: &Folder, owner: Owner<'_>) -> Result<Option<String>, StoreError> {
    let path = folder.database();
    let conn = schema::connect(&path, Access::ReadWrite)?;
    schema::take_log_in_on_close(&conn, false)?;
    if schema::version(&conn, &path)? > VERSION {
        return Ok(None);
    }
    check_owner(folder, &conn, owner.user)?;
    let beside = schema::connect(&path, Access::ReadWrite)?;
    schema::take_log_in_on_close(&beside, false)?;
    if let Some(wrong) = check::database(&conn, beside)? {
        return Ok(Some(wrong));
    }
    let epoch = meta(&conn, "epoch")?.unwrap_or_default();
    if let Some(ahead) = check::views_ahead(folder, &epoch, log::last(&conn)?)? {
        return Ok(Some(ahead));
    }
    if !create::is_original(&conn, folder)? {
        if check::views_know_more(&conn, folder)? {
            return Ok(Some("it is a copy that lacks pages which its views show".to_owned()));
        }
        create::record_key(&conn, folder.database_key())?;
    }
    identity::seal_once(&conn)?;
    foreign::take_in(folder, &conn, Timestamp::now())?;
    schema::take_log_in_on_close(&conn, true)?;
    conn.close().map_err(|(_, e)| StoreError::Sqlite(e))?;
    Ok(None)
}

/// Refuses a folder of another user.
pub(crate) fn check_owner(
    folder: &Folder,
    conn: &Connection,
    user: &UserId,
) -> Result<(), StoreError> {
    if !identity::is_sound(conn)? {
        let what = "its owner or epoch is not as it was written";
        return Err(StoreError::damaged(&folder.database(), what));
    }
    match meta(conn, "owner")? {
        Some(owner) if owner == user.as_str() => Ok(()),
        Some(owner) => Err(StoreError::Owner {
            path: folder.root().to_owned(),
            owner,
            expected: user.to_string(),
        }),
        None => Err(StoreError::damaged(&folder.database(), "it does not name its owner")),
    }
}

fn is_missing(error: &StoreError) -> bool {
    use rusqlite::ErrorCode::CannotOpen;
    matches!(error, StoreError::Sqlite(e) if e.sqlite_error_code() == Some(CannotOpen))
}

/// Whether a folder takes as much as a small commit writes; tried with a file without a name.
pub(crate) fn takes_writes(folder: &Folder) -> bool {
    use std::io::Write as _;
    let tried = tempfile::tempfile_in(folder.root())
        .and_then(|mut file| file.write_all(&vec![0; 64 << 10]).and_then(|()| file.sync_data()));
    tried.is_ok()
}

/// Whether the folder (or the disk) refuses writing, so that reading is all that is left.
fn is_unwritable(error: &StoreError) -> bool {
    use std::io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};

    use rusqlite::ErrorCode::{CannotOpen, DiskFull, PermissionDenied as Denied, ReadOnly};
    match error {
        StoreError::Io { cause, .. } => matches!(
            cause.kind(),
            PermissionDenied | QuotaExceeded | ReadOnlyFilesystem | StorageFull
        ),
        StoreError::Sqlite(e) | StoreError::Commit(e) => {
            matches!(e.sqlite_error_code(), Some(DiskFull | Denied | ReadOnly | CannotOpen))
        }
        _ => false,
    }
}
