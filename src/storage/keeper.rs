//! The housekeeping of an open user, beside its engine: views, derived data, checkpoints.
//!
//! A thread with a connection of its own, so that none of this is ever in the way of a call. It
//! decides nothing about the memory: it only brings files up to date with what was committed.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::StoreError;
use super::derived::{Derived, DerivedRow};
use super::erase::{self, Erasing, Progress, Step, Told, Tools};
use super::folder::{FileKey, Folder};
use super::inbox::Inbox;
use super::lock::Locks;
use super::schema::{self, Access, BUSY_PATIENCE, LOG_BYTES};
use super::views::{Occasion, Writer};

/// The log of the database.
const LOG: &str = "memory.db-wal";
/// From the first change not shown to the views that show it; half a second is promised.
const VIEW_DELAY: Duration = Duration::from_millis(450);
/// From the last change to a checkpoint.
const IDLE: Duration = Duration::from_millis(100);
/// After so many commits the log is checkpointed without waiting for an idle moment.
const MANY_COMMITS: usize = 200;
/// After so many where its file is longer than it should stay.
const SOME_COMMITS: usize = 20;
/// Until the next try when another process writes the views or a file could not be written.
const RETRY: Duration = Duration::from_millis(50);
/// The longest time between two tries after failures.
const LONGEST_RETRY: Duration = Duration::from_secs(5);
/// How long closing waits for another process that writes the views.
const CLOSING: Duration = Duration::from_millis(400);
/// Derived rows are written when so many wait, or when idle.
const DERIVED_BATCH: usize = 256;
/// How long whoever forgets waits for the erasure, before it is told that it goes on.
const ERASE_PATIENCE: Duration = Duration::from_secs(3);
/// How long another process has for its own erasure before this one sees to it.
const FOR_OTHERS: Duration = Duration::from_secs(2);

/// Something to keep house for.
enum Note {
    /// Something was committed at this moment; derived data of the pages.
    Changed(Vec<DerivedRow>, Instant),
    /// Derived data of pages that were there.
    Derived(Vec<DerivedRow>),
    /// The vector of a page by a model of a server.
    Vector(DerivedRow),
    /// Something was forgotten: here, with whom to tell that it is erased, or by another process.
    Erase(Option<Told>),
}

/// The files of derived data that are kept.
#[derive(Debug)]
pub(crate) struct Files {
    /// What the index needs of each page.
    pub(crate) derived: Derived,
    /// The vectors by the model of a server, if one is in use.
    pub(crate) vectors: Option<Derived>,
}

/// The housekeeping thread of an open user. Dropping it brings everything up to date and ends it.
#[derive(Debug)]
pub(crate) struct Keeper {
    notes: Arc<Inbox<Note>>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    /// Starts the thread.
    pub(crate) fn start(
        folder: &Folder,
        files: Files,
        stop: &Arc<AtomicBool>,
    ) -> Result<Self, StoreError> {
        let Files { derived, vectors } = files;
        let mut house = House {
            // The file that is opened below, unless it is replaced meanwhile: then nothing is written.
            key: folder.database_key(),
            views: Writer::new(folder),
            conn: schema::connect(&folder.database(), Access::ReadWrite)?,
            lock: folder.lock_file(".views")?,
            locks: Locks::open(folder)?,
            folder: folder.clone(),
            derived,
            rows: Vec::new(),
            vectors,
            vector_rows: Vec::new(),
            show_by: Some(Instant::now()),
            last_change: None,
            n_commits: 0,
            patience: RETRY,
            erasing: None,
            stop: Arc::clone(stop),
        };
        if erase::pending(&house.conn)?.is_some() {
            house.take(Note::Erase(None));
        }
        let notes = Arc::new(Inbox::new(IDLE));
        let inbox = Arc::clone(&notes);
        let thread = std::thread::Builder::new()
            .name("keeper".to_owned())
            .spawn(move || {
                let _end = inbox.ends_with();
                house.keep(&inbox);
            })
            .map_err(|e| StoreError::io("start the housekeeping of", folder.root(), e))?;
        Ok(Self { notes, thread: Some(thread) })
    }

    /// Tells that something was committed, and hands over derived data of the pages to be stored when
    /// there is time.
    pub(crate) fn changed(&self, rows: Vec<DerivedRow>) {
        self.notes.leave(Note::Changed(rows, Instant::now()));
    }

    /// Hands over derived data of pages that were there, to be stored when there is time.
    pub(crate) fn keep(&self, rows: Vec<DerivedRow>) {
        self.notes.leave(Note::Derived(rows));
    }

    /// Hands over a vector to be stored when there is time.
    pub(crate) fn keep_vector(&self, row: DerivedRow) {
        self.notes.leave(Note::Vector(row));
    }

    /// Erases from disk what was forgotten here, and then tells so; or why that takes longer.
    pub(crate) fn erase(&self, told: Told) {
        self.notes.leave_now(Note::Erase(Some(told)));
    }

    /// Sees to it that what another process forgot is erased.
    pub(crate) fn erase_for_others(&self) {
        self.notes.leave_now(Note::Erase(None));
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.notes.close();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the housekeeping panicked; it is made up for at the next start");
        }
    }
}

/// What the thread works with.
struct House {
    folder: Folder,
    conn: Connection,
    views: Writer,
    lock: File,
    locks: Locks,
    derived: Derived,
    rows: Vec<DerivedRow>,
    vectors: Option<Derived>,
    vector_rows: Vec<DerivedRow>,
    /// When the views must show what was committed.
    show_by: Option<Instant>,
    last_change: Option<Instant>,
    /// The commits of this process since the log was taken in.
    n_commits: usize,
    /// The database that is kept: nothing is written beside another one.
    key: Option<FileKey>,
    /// Until the next try after a failure; doubled by each.
    patience: Duration,
    erasing: Option<Erasing>,
    /// Whether the program is stopping: then nobody is kept waiting.
    stop: Arc<AtomicBool>,
}

impl House {
    fn keep(&mut self, inbox: &Inbox<Note>) {
        loop {
            let (notes, is_last) = inbox.wait(self.next_deadline());
            for note in notes {
                self.take(note);
            }
            if is_last {
                return self.close();
            }
            self.work();
        }
    }

    fn take(&mut self, note: Note) {
        match note {
            Note::Changed(rows, at) => {
                self.n_commits += 1;
                self.rows.extend(rows);
                self.last_change = Some(at);
                self.show_by.get_or_insert(at + VIEW_DELAY);
            }
            Note::Derived(rows) => self.rows.extend(rows),
            Note::Vector(row) => self.vector_rows.push(row),
            Note::Erase(told) => {
                let now = Instant::now();
                // Whoever forgot it erases it; the others see to it that it is done.
                let next = if told.is_some() { now } else { now + FOR_OTHERS };
                let until = now + ERASE_PATIENCE;
                let erasing = self.erasing.get_or_insert_with(|| Erasing {
                    next,
                    until,
                    told: Vec::new(),
                    progress: Progress::default(),
                });
                erasing.next = erasing.next.min(next);
                erasing.told.extend(told);
            }
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        let idle = self.last_change.map(|at| at + IDLE);
        let rows = (self.n_rows() > 0).then(|| Instant::now() + IDLE);
        let erase = self.erasing.as_ref().map(|erasing| erasing.next);
        [self.show_by, idle.or(rows), erase].into_iter().flatten().min()
    }

    /// Does what is due.
    fn work(&mut self) {
        let now = Instant::now();
        let idle = self.last_change.is_none_or(|at| now >= at + IDLE);
        if self.folder.database_key() != self.key {
            // Removed or replaced: the next call says so.
            self.rows.clear();
            self.vector_rows.clear();
            (self.last_change, self.show_by) = (None, None);
            self.leave_erasing("the folder was removed or replaced");
            return;
        }
        if (idle && self.n_rows() > 0) || self.n_rows() >= DERIVED_BATCH {
            self.store_derived();
        }
        if self.erasing.as_ref().is_some_and(|erasing| now >= erasing.next) {
            self.erase();
        }
        let is_long = self.n_commits > SOME_COMMITS && self.folder.size(LOG) > LOG_BYTES;
        if is_long || self.n_commits > MANY_COMMITS {
            self.restart_log();
        } else if idle && self.last_change.is_some() && self.take_log_in("PASSIVE") {
            // The next commit begins it anew.
            self.n_commits = 0;
        }
        if idle {
            self.last_change = None;
        }
        if self.show_by.is_some_and(|at| now >= at) {
            self.show_by = (!self.show(Occasion::Change)).then(|| Instant::now() + self.patience);
        }
        let is_quiet = self.last_change.is_none() && self.show_by.is_none();
        if is_quiet && let Err(error) = self.views.settle() {
            tracing::warn!(%error, "after a loss of power the views may be older ones");
            self.show_by = Some(now + LONGEST_RETRY);
        }
    }

    fn n_rows(&self) -> usize {
        self.rows.len() + self.vector_rows.len()
    }

    fn store_derived(&mut self) {
        let (rows, vectors) =
            (std::mem::take(&mut self.rows), std::mem::take(&mut self.vector_rows));
        if !rows.is_empty() {
            self.derived.store(&rows, &self.conn);
        }
        if let Some(file) = self.vectors.as_mut().filter(|_| !vectors.is_empty()) {
            file.store(&vectors, &self.conn);
        }
    }

    /// Brings the views up to date; false when that must be tried again.
    fn show(&mut self, on: Occasion) -> bool {
        if self.folder.database_key() != self.key {
            return true;
        }
        if self.lock.try_lock().is_err() {
            self.patience = RETRY;
            return false;
        }
        let shown = self.views.update(&self.conn, on);
        if let Err(error) = self.lock.unlock() {
            tracing::warn!(%error, "the lock of the views could not be released");
        }
        match shown {
            Ok(()) => {
                self.patience = RETRY;
                true
            }
            Err(error) => {
                // The database has it all; it is tried again, less and less often.
                self.patience = (self.patience * 2).min(LONGEST_RETRY);
                tracing::warn!(%error, again_in = ?self.patience, "the views could not be written");
                false
            }
        }
    }

    /// Erases what was forgotten, as far as others let it, and tells those who wait.
    fn erase(&mut self) {
        let Some(mut erasing) = self.erasing.take() else { return };
        let mut tools = Tools {
            folder: &self.folder,
            conn: &self.conn,
            views: &mut self.views,
            lock: &self.lock,
            derived: &mut self.derived,
            vectors: self.vectors.as_mut(),
            progress: &mut erasing.progress,
        };
        let reason = match erase::erase(&mut tools) {
            Ok(Step::Done) => {
                erasing.told.into_iter().for_each(|told| told(Ok(())));
                return;
            }
            Ok(step) => step.reason().to_owned(),
            Err(error) => {
                tracing::warn!(%error, "what was forgotten is not yet erased");
                error.to_string()
            }
        };
        let now = Instant::now();
        if now >= erasing.until || self.stop.load(Ordering::SeqCst) {
            erasing.told.drain(..).for_each(|told| told(Err(reason.clone())));
        }
        erasing.next = now + RETRY;
        self.erasing = Some(erasing);
    }

    /// Takes a long log in while nobody writes, and has it begun anew: beside writers who never pause
    /// it would be taken in again and again, and grow all the same. Its file keeps its length up to
    /// [`LOG_BYTES`], since one that grows is slower to sync than one that is written over. Where others
    /// do not let it now, it is tried again some commits later.
    fn restart_log(&mut self) {
        let held = self.locks.write_within(RETRY);
        let wait = |patience| {
            if let Err(error) = self.conn.busy_timeout(patience) {
                tracing::warn!(%error, "the housekeeping cannot set how long it waits");
            }
        };
        // The writers wait for this.
        wait(RETRY);
        self.take_log_in(if held.is_some() { "RESTART" } else { "PASSIVE" });
        wait(BUSY_PATIENCE);
        drop(held);
        self.n_commits = 0;
    }

    /// Takes the log in; whether all of it was.
    fn take_log_in(&self, how: &str) -> bool {
        let sql = format!("PRAGMA wal_checkpoint({how})");
        let is_done = |r: &rusqlite::Row<'_>| Ok(r.get::<_, i64>(1)? == r.get::<_, i64>(2)?);
        self.conn.query_row(&sql, [], is_done).unwrap_or_else(|error| {
            tracing::warn!(%error, "the log could not be checkpointed");
            false
        })
    }

    fn close(&mut self) {
        let until = Instant::now() + CLOSING;
        while !self.show(Occasion::Exit) && Instant::now() < until && self.folder.root().exists() {
            std::thread::sleep(RETRY);
        }
        if self.folder.database_key() == self.key {
            self.store_derived();
        }
        // What takes long is left to the mark in the database.
        if self.erasing.as_ref().is_some_and(|erasing| erasing.progress.is_short())
            && self.folder.database_key() == self.key
        {
            self.erase();
        }
        self.leave_erasing("the server is stopping");
    }

    /// Leaves an erasure to others, and tells those who wait.
    fn leave_erasing(&mut self, why: &str) {
        if let Some(erasing) = self.erasing.take() {
            erasing.told.into_iter().for_each(|told| told(Err(why.to_owned())));
        }
    }
}
