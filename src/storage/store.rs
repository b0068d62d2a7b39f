//! The open database of one user: transactions, reading what others wrote, telling costs.
//!
//! What is written is an outcome that was decided before; nothing is decided here.

use std::fs::File;
use std::sync::atomic::AtomicBool;

use rusqlite::{Connection, Transaction};
use tempfile::TempDir;

use super::folder::{FileKey, Folder};
use super::lock::{Held, Locks};
use super::outcome::{self, News};
use super::rows::{self, HeadRow};
use super::schema::{self, Access, VERSION};
use super::segment_rows::{self, SegmentRow};
use super::views::{Occasion, Writer};
use super::{StoreError, erase, fact_rows, foreign, identity, log, open};
use crate::memory::change::Change;
use crate::memory::fact::FactId;
use crate::memory::long::{LongChange, ProfileChange};
use crate::memory::page::{Page, Slot, Texts};
use crate::user::UserId;

/// Above this size of the log the next write shortens it first.
const LONGEST_LOG: u64 = 64 << 20;

/// The key of `meta` that says what a model has used.
const MODEL_USE: &str = "model_use";

/// Whether the memory can be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It can.
    Normal,
    /// It cannot, for this reason.
    ReadOnly(String),
}

/// What the calls so far have cost, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Costs {
    /// Rows read.
    pub(crate) rows_read: u64,
    /// Rows written.
    pub(crate) rows_written: u64,
    /// Segments written.
    pub(crate) segments_written: u64,
}

/// All that is kept in memory of a user.
#[derive(Debug, Default)]
pub(crate) struct Stored {
    /// Heads in the order of the slots.
    pub(crate) heads: Vec<HeadRow>,
    pub(crate) segments: Vec<SegmentRow>,
    /// All facts, and the prose of a model.
    pub(crate) long: LongChange,
    /// The last number ever given to a fact.
    pub(crate) last_fact: FactId,
}

/// An open database.
#[derive(Debug)]
pub(crate) struct Store {
    folder: Folder,
    conn: Connection,
    locks: Option<Locks>,
    mode: Mode,
    key: Option<FileKey>,
    epoch: String,
    data_version: i64,
    /// Whether commits go to a write-ahead log.
    has_log: bool,
    seen: u64,
    costs: std::cell::Cell<Costs>,
    /// Whether the user was created by this opening.
    pub(crate) created: bool,
    /// Whether the folder or the disk refused to be written when this was opened.
    pub(crate) unwritable: bool,
    /// `.lock`, held shared until the connection is closed.
    lock: Option<File>,
    #[expect(dead_code, reason = "held, and removed when the store is dropped")]
    copy: Option<TempDir>,
}

impl Store {
    /// Opens the database of a folder that was looked over; `lock` is `.lock`, held shared.
    pub(crate) fn open(folder: &Folder, lock: File, user: &UserId) -> Result<Self, StoreError> {
        let path = folder.database();
        if !folder.has_database() {
            return Err(StoreError::damaged(&path, "it is missing or empty"));
        }
        let key = folder.database_key();
        let conn = schema::connect(&path, Access::ReadWrite)?;
        let found = schema::version(&conn, &path)?;
        open::check_owner(folder, &conn, user)?;
        if found < VERSION {
            return Err(StoreError::Older { found, known: VERSION });
        }
        let mode = if found > VERSION {
            Mode::ReadOnly(StoreError::Newer { found, known: VERSION }.to_string())
        } else {
            Mode::Normal
        };
        let mut store = Self::over(folder, conn, mode, None)?;
        store.locks = Some(Locks::open(folder)?);
        // The file that was opened, unless it was replaced meanwhile: then nothing is written to it.
        store.key = key;
        let mode: String = store.conn.pragma_query_value(None, "journal_mode", |r| r.get(0))?;
        store.has_log = mode == "wal";
        store.lock = Some(lock);
        Ok(store)
    }

    /// Makes a store of a connection that only reads.
    pub(crate) fn over(
        folder: &Folder,
        conn: Connection,
        mode: Mode,
        copy: Option<TempDir>,
    ) -> Result<Self, StoreError> {
        let epoch = schema::meta(&conn, "epoch")?.unwrap_or_default();
        let mut store = Self {
            folder: folder.clone(),
            conn,
            locks: None,
            mode,
            key: None,
            epoch,
            data_version: 0,
            has_log: false,
            seen: 0,
            costs: std::cell::Cell::default(),
            created: false,
            unwritable: false,
            lock: None,
            copy,
        };
        store.data_version = store.read_data_version()?;
        Ok(store)
    }

    /// Returns the folder.
    pub(crate) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Returns whether and why the memory is read-only.
    pub(crate) fn mode(&self) -> &Mode {
        &self.mode
    }

    /// Returns the UUID that says which database this is.
    pub(crate) fn epoch(&self) -> &str {
        &self.epoch
    }

    /// Returns the sequence number up to which the memory is known.
    pub(crate) fn seen(&self) -> u64 {
        self.seen
    }

    /// Returns what was counted so far.
    pub(crate) fn costs(&self) -> Costs {
        self.costs.get()
    }

    /// Waits for the turn to write.
    pub(crate) fn lock(&self, stop: &AtomicBool) -> Result<Held, StoreError> {
        match (&self.mode, &self.locks) {
            (Mode::ReadOnly(reason), _) => Err(StoreError::ReadOnly(reason.clone())),
            (Mode::Normal, Some(locks)) => locks.write(stop),
            (Mode::Normal, None) => Err(StoreError::ReadOnly("the memory is not open".to_owned())),
        }
    }

    /// Begins a write transaction; the caller holds the write lock.
    pub(crate) fn begin(&self) -> Result<(), StoreError> {
        self.check_in_place()?;
        if self.folder.size("memory.db-wal") > LONGEST_LOG {
            self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        }
        schema::run(&self.conn, "BEGIN IMMEDIATE")?;
        let found = schema::version(&self.conn, &self.folder.database());
        match found {
            Ok(found) if found > VERSION => {
                self.rollback();
                Err(StoreError::Newer { found, known: VERSION })
            }
            Ok(_) => Ok(()),
            Err(error) => {
                self.rollback();
                Err(error)
            }
        }
    }

    /// Writes an outcome; returns its sequence number. The pages of `change` get it as theirs.
    pub(crate) fn write(&self, kind: &str, change: &mut Change) -> Result<u64, StoreError> {
        let (seq, cost) = outcome::write(&self.conn, kind, change)?;
        self.count(|costs| {
            costs.rows_written += cost.rows_written;
            costs.segments_written += cost.segments_written;
        });
        Ok(seq)
    }

    /// Commits what was written as `seq`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Sqlite`] when nothing was committed, [`StoreError::Commit`] when that is not
    /// known, [`StoreError::Replaced`] when the database is not the one in the folder any more.
    pub(crate) fn commit(&mut self, seq: u64) -> Result<(), StoreError> {
        use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked, DiskFull};
        if let Err(error) = schema::run(&self.conn, "COMMIT") {
            let refused =
                matches!(error.sqlite_error_code(), Some(DatabaseBusy | DatabaseLocked | DiskFull));
            self.rollback();
            return Err(if refused {
                StoreError::Sqlite(error)
            } else {
                StoreError::Commit(error)
            });
        }
        self.check_in_place()?;
        if self.has_log && self.folder.size("memory.db-wal") == 0 {
            // The commit went into a file that nobody will find again.
            return Err(StoreError::Replaced(self.folder.path("memory.db-wal")));
        }
        self.seen = seq;
        Ok(())
    }

    /// Ends a transaction without a trace.
    pub(crate) fn rollback(&self) {
        if !self.conn.is_autocommit()
            && let Err(error) = schema::run(&self.conn, "ROLLBACK")
        {
            tracing::warn!(%error, "a transaction could not be rolled back");
        }
    }

    /// Reads what others committed since the last call; none if nothing moved.
    pub(crate) fn news(&mut self) -> Result<Option<News>, StoreError> {
        self.check_in_place()?;
        let now = self.read_data_version()?;
        if now == self.data_version {
            return Ok(None);
        }
        // One moment for the log and for what it names: others may remove that in between.
        let snapshot = self.snapshot()?;
        let (written, last, n_rows) = log::since(&self.conn, self.seen)?;
        let news = outcome::news(&self.conn, &written)?;
        drop(snapshot);
        let read = n_rows + news.n_rows();
        self.count(|costs| costs.rows_read += read as u64);
        self.data_version = now;
        self.seen = last;
        Ok(Some(news))
    }

    /// Reads all that is kept in memory of a user.
    pub(crate) fn load(&mut self) -> Result<Stored, StoreError> {
        let snapshot = self.snapshot()?;
        let mut stored = Stored::default();
        let seen = log::last(&self.conn)?;
        rows::each_head(&self.conn, |head| {
            stored.heads.push(head);
            Ok(())
        })?;
        segment_rows::each(&self.conn, |row| {
            stored.segments.push(row?);
            Ok(())
        })?;
        stored.long.facts = fact_rows::all(&self.conn)?;
        stored.long.profile = fact_rows::prose(&self.conn)?.map(Box::new).map(ProfileChange::Put);
        stored.last_fact = fact_rows::last_id(&self.conn)?;
        drop(snapshot);
        self.seen = seen;
        Ok(stored)
    }

    /// Reads one page.
    pub(crate) fn page(&self, slot: Slot) -> Result<Option<Page>, StoreError> {
        self.count(|c| c.rows_read += 2);
        Ok(rows::page(&self.conn, slot)?.map(|row| row.page))
    }

    /// Reads the texts of one page.
    pub(crate) fn texts(&self, slot: Slot) -> Result<Option<Texts>, StoreError> {
        self.count(|c| c.rows_read += 1);
        rows::texts(&self.conn, slot)
    }

    /// Returns the last slot ever used.
    pub(crate) fn last_slot(&self) -> Result<Slot, StoreError> {
        rows::last_slot(&self.conn)
    }

    /// Reads pages that no rule for facts has read, the oldest first, at most `limit`.
    pub(crate) fn unread(&self, limit: usize) -> Result<Vec<Page>, StoreError> {
        let slots = rows::unread(&self.conn, limit)?;
        slots.into_iter().filter_map(|slot| self.page(slot).transpose()).collect()
    }

    /// Returns the files that are deleted when something is forgotten.
    pub(crate) fn set_aside(&self) -> Result<Vec<String>, StoreError> {
        erase::set_aside(&self.folder)
    }

    /// Returns the last change that forgot something; 0 before there was one.
    pub(crate) fn last_forget(&self) -> Result<u64, StoreError> {
        let seq = schema::meta(&self.conn, outcome::LAST_FORGET)?;
        Ok(seq.and_then(|seq| seq.parse().ok()).unwrap_or(0))
    }

    /// Whether nobody is writing now.
    pub(crate) fn is_write_free(&self) -> bool {
        self.locks.as_ref().is_some_and(Locks::is_free)
    }

    /// Returns files of another program whose pages are not taken in yet.
    pub(crate) fn waiting(&self) -> Result<Vec<String>, StoreError> {
        foreign::waiting(&self.folder)
    }

    /// Returns how far a model has filed the pages; 0 before it has.
    pub(crate) fn filed_by_model(&self) -> Result<Slot, StoreError> {
        let slot = schema::meta(&self.conn, outcome::FILED_BY_MODEL)?;
        Ok(Slot(slot.and_then(|slot| slot.parse().ok()).unwrap_or(0)))
    }

    /// Returns what a model has used, as [`Store::set_model_use`] noted it; none before.
    pub(crate) fn model_use(&self) -> Result<Option<String>, StoreError> {
        schema::meta(&self.conn, MODEL_USE)
    }

    /// Notes what a model has used; the caller has begun a transaction.
    pub(crate) fn set_model_use(&self, text: &str) -> Result<(), StoreError> {
        schema::set_meta(&self.conn, MODEL_USE, text)
    }

    /// Commits what is no part of the memory: it has no sequence number.
    pub(crate) fn commit_aside(&mut self) -> Result<(), StoreError> {
        self.commit(self.seen)
    }

    /// Reads the name of the assistant recorded for the user.
    pub(crate) fn assistant(&self) -> Result<String, StoreError> {
        Ok(schema::meta(&self.conn, "assistant")?.unwrap_or_default())
    }

    /// Reads what the user was told about the state of the memory.
    pub(crate) fn notices(&self) -> Result<Vec<String>, StoreError> {
        rows::notices(&self.conn)
    }

    /// Writes the views of a new user, so that the folder is complete from the start.
    pub(crate) fn write_first_views(&mut self) -> Result<(), StoreError> {
        if self.mode != Mode::Normal {
            return Ok(());
        }
        let lock = self.folder.lock_file(".views")?;
        if lock.try_lock().is_ok() {
            let mut views = Writer::new(&self.folder);
            views.update(&self.conn, Occasion::Change)?;
            views.settle()?;
        }
        super::folder::create_private_subdir(&self.folder.path(super::derived::FOLDER))
            .map_err(|e| StoreError::io("create", &self.folder.path(super::derived::FOLDER), e))
    }

    /// Begins to read one moment's state, until it is dropped; none inside a transaction, which is one.
    pub(crate) fn snapshot(&self) -> Result<Option<Transaction<'_>>, StoreError> {
        let is_free = self.conn.is_autocommit();
        Ok(if is_free { Some(self.conn.unchecked_transaction()?) } else { None })
    }

    /// Demands that the database in the folder is still the one that is open.
    fn check_in_place(&self) -> Result<(), StoreError> {
        identity::demand_in_place(&self.folder, self.key)
    }

    fn read_data_version(&self) -> Result<i64, StoreError> {
        let mut statement = self.conn.prepare_cached("PRAGMA data_version")?;
        Ok(statement.query_row([], |r| r.get(0))?)
    }

    fn count(&self, add: impl FnOnce(&mut Costs)) {
        let mut costs = self.costs.get();
        add(&mut costs);
        self.costs.set(costs);
    }
}
