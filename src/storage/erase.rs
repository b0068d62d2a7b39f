//! Erasing from disk what was forgotten: after this no file of the folder holds a word of it.
//!
//! Forgetting commits a mark, `meta.erasing`, with the pages' removal. Whoever sees the mark (the
//! process that forgot, another one that serves the user, the next start) erases; each step may be
//! repeated, and the mark goes last. The database is made anew (`VACUUM`) instead of searched for
//! what may be left of the texts: so nothing can be left, and no file of it is opened by hand
//! beside the connections of this process.

use std::fs::File;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::derived::{self, Derived};
use super::folder::{DATABASE, Folder};
use super::migrate;
use super::open::UNCLEAN;
use super::views::{Occasion, Writer};
use super::{StoreError, create, schema};

/// The key of `meta` that says that something is to be erased: the change that forgot it.
pub(crate) const ERASING: &str = "erasing";

/// How long a checkpoint waits for readers before it is tried again later.
const CHECKPOINT_PATIENCE: Duration = Duration::from_millis(50);

/// What must be waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing: all is erased.
    Done,
    /// Another process writes the views.
    Views,
    /// Another process writes derived data.
    Derived,
    /// Another process writes.
    Writer,
    /// Another process reads an older state.
    Reader,
}

impl Step {
    /// Says what is waited for.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Done => "all is erased",
            Self::Views => "another client writes the readable copies",
            Self::Derived | Self::Writer => "another client is writing",
            Self::Reader => "another client still reads an older state",
        }
    }
}

/// What erasing works with.
#[derive(Debug)]
pub(crate) struct Tools<'a> {
    pub(crate) folder: &'a Folder,
    pub(crate) conn: &'a Connection,
    pub(crate) views: &'a mut Writer,
    /// `.views`.
    pub(crate) lock: &'a File,
    pub(crate) derived: &'a mut Derived,
    /// The vectors of the model in use, if one is.
    pub(crate) vectors: Option<&'a mut Derived>,
    pub(crate) progress: &'a mut Progress,
}

/// What of an erasure need not be done again when it is tried again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Progress {
    /// The mark it is about.
    mark: String,
    /// The readable copies show nothing of it.
    views: bool,
    /// Nor does the database, once its log is emptied.
    database: bool,
}

impl Progress {
    /// Whether only short work is left.
    pub(crate) fn is_short(&self) -> bool {
        self.database
    }
}

/// Is told once that what was forgotten is erased, or why it is not yet.
pub(crate) type Told = Box<dyn FnOnce(Result<(), String>) + Send>;

/// An erasure under way.
pub(crate) struct Erasing {
    /// When it is tried next.
    pub(crate) next: Instant,
    /// When those who wait are told that it takes longer.
    pub(crate) until: Instant,
    pub(crate) told: Vec<Told>,
    pub(crate) progress: Progress,
}

/// Whether something is to be erased, and since which change.
pub(crate) fn pending(conn: &Connection) -> Result<Option<String>, StoreError> {
    schema::meta(conn, ERASING)
}

/// Erases, as far as others let it.
pub(crate) fn erase(tools: &mut Tools<'_>) -> Result<Step, StoreError> {
    let Some(mark) = pending(tools.conn)? else { return Ok(Step::Done) };
    if tools.progress.mark != mark {
        *tools.progress = Progress { mark: mark.clone(), ..Progress::default() };
    }
    if !tools.progress.views {
        if !rewrite_views(tools)? {
            return Ok(Step::Views);
        }
        for name in set_aside(tools.folder)? {
            tools.folder.remove(&name)?;
        }
        let mut files = vec![&mut *tools.derived];
        files.extend(tools.vectors.as_deref_mut());
        for file in &mut files {
            if !file.retain(tools.conn) {
                return Ok(Step::Derived);
            }
        }
        derived::delete_others(tools.folder, &files)?;
        tools.progress.views = true;
    }
    // Nobody commits meanwhile: a commit looks for its log.
    let write = tools.folder.lock_file(".write")?;
    if write.try_lock().is_err() {
        return Ok(Step::Writer);
    }
    let is_emptied = empty_database(tools);
    write.unlock().map_err(|e| StoreError::io("unlock", &tools.folder.path(".write"), e))?;
    if !is_emptied? {
        return Ok(Step::Reader);
    }
    // What was forgotten meanwhile has a mark of its own.
    let sql = "DELETE FROM meta WHERE key = ?1 AND value = ?2";
    let n_cleared = tools.conn.execute(sql, [ERASING, &mark])?;
    Ok(if n_cleared == 1 { Step::Done } else { Step::Writer })
}

fn rewrite_views(tools: &mut Tools<'_>) -> Result<bool, StoreError> {
    if tools.lock.try_lock().is_err() {
        return Ok(false);
    }
    // Nobody else writes a view now: what lies about under private names was left by a kill.
    let written = tools
        .views
        .demand_in_place()
        .and_then(|()| create::sweep(tools.folder))
        .and_then(|()| tools.views.update(tools.conn, Occasion::Forgetting));
    tools.lock.unlock().map_err(|e| StoreError::io("unlock", &tools.folder.path(".views"), e))?;
    written.map(|()| true)
}

/// Makes the database anew and empties its log; false where somebody still reads an older state.
fn empty_database(tools: &mut Tools<'_>) -> Result<bool, StoreError> {
    if !tools.progress.database {
        tools.conn.execute_batch("VACUUM")?;
        tools.progress.database = true;
    }
    truncate_log(tools.conn)
}

/// Moves the log into the database and empties it; false where somebody still reads it.
fn truncate_log(conn: &Connection) -> Result<bool, StoreError> {
    conn.busy_timeout(CHECKPOINT_PATIENCE)?;
    let busy: Result<i64, _> =
        conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0));
    conn.busy_timeout(schema::BUSY_PATIENCE)?;
    Ok(busy? == 0)
}

/// Returns the files of the folder that hold copies of an earlier state: what a recovery, a
/// migration or an edit has set aside.
pub(crate) fn set_aside(folder: &Folder) -> Result<Vec<String>, StoreError> {
    Ok(folder.names()?.into_iter().filter(|name| is_set_aside(name)).collect())
}

/// Whether a name is that of a copy of an earlier state.
pub(crate) fn is_set_aside(name: &str) -> bool {
    let marks = [".foreign-", ".edited-", ".other-"];
    let damaged = format!("{DATABASE}.damaged-");
    name == UNCLEAN
        || name.starts_with(&damaged)
        || name.starts_with(migrate::COPY)
        || marks.iter().any(|mark| name.contains(mark))
}
