//! Derived data: what the index needs of each page, kept so that nothing is tokenised twice, and the
//! vectors of a model of a server, a file for each model.
//!
//! It is safe to delete. A row counts only with the right epoch, fingerprint of tokeniser and model,
//! and checksum of the page's texts; whatever fails, the file is deleted and filled anew.

use std::path::PathBuf;

use rusqlite::{Connection, OpenFlags, TransactionBehavior, params};
use xxhash_rust::xxh3::xxh3_64;

use super::StoreError;
use super::folder::{FileKey, Folder, create_private_subdir, key_of, private_options};
use super::rows::has_page;
use crate::memory::page::Slot;

/// The folder of derived data.
pub(crate) const FOLDER: &str = "embeddings";

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS source (epoch TEXT NOT NULL, fingerprint TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS analyses (
  slot INTEGER PRIMARY KEY, text_hash INTEGER NOT NULL, checksum INTEGER NOT NULL,
  analysis BLOB NOT NULL) STRICT;
";

/// Changes whenever the bytes of a vector mean something else.
const VECTORS_VERSION: u32 = 1;

/// One page's derived data on its way to the file.
#[derive(Debug, Clone)]
pub(crate) struct DerivedRow {
    pub(crate) slot: Slot,
    pub(crate) text_hash: u64,
    /// What is derived: an analysis, or a vector.
    pub(crate) bytes: Vec<u8>,
}

/// The file of derived data of one user and model.
#[derive(Debug)]
pub(crate) struct Derived {
    path: PathBuf,
    epoch: String,
    fingerprint: String,
    conn: Option<Connection>,
    /// Which file `conn` is open on.
    key: Option<FileKey>,
}

impl Derived {
    /// Names the file; nothing is opened yet.
    pub(crate) fn new(folder: &Folder, epoch: &str, fingerprint: u64) -> Self {
        Self {
            path: folder.path(FOLDER).join("static-128.db"),
            epoch: epoch.to_owned(),
            fingerprint: format!("{fingerprint:016x}"),
            conn: None,
            key: None,
        }
    }

    /// Names the file of the vectors by a model of a server; nothing is opened yet.
    pub(crate) fn vectors(folder: &Folder, epoch: &str, (model, host): (&str, &str)) -> Self {
        let model = xxh3_64(format!("{model}\n{host}").as_bytes());
        Self {
            path: folder.path(FOLDER).join(format!("remote-{model:016x}.db")),
            epoch: epoch.to_owned(),
            fingerprint: format!("{VECTORS_VERSION} {model:016x}"),
            conn: None,
            key: None,
        }
    }

    /// Calls `each` with every row that can be trusted (slot, checksum of the texts, bytes), in the
    /// order of the slots; an unusable file counts as empty.
    pub(crate) fn load(&mut self, mut each: impl FnMut(Slot, u64, &[u8])) {
        if let Err(error) = self.try_load(&mut each) {
            tracing::info!(%error, path = %self.path.display(), "derived data is made anew");
            if !is_busy(&error) {
                self.delete();
            }
        }
    }

    /// Adds rows of pages that `memory` has, in one transaction. On any error the file is deleted: it
    /// is filled again later.
    pub(crate) fn store(&mut self, rows: &[DerivedRow], memory: &Connection) {
        if let Err(error) = self.try_store(rows, memory) {
            tracing::info!(%error, path = %self.path.display(), "derived data was not stored");
            if !is_busy(&error) {
                self.delete();
            }
        }
    }

    /// Removes the rows of pages that `memory` does not have, and every trace of them; false where
    /// another process is at the file.
    pub(crate) fn retain(&mut self, memory: &Connection) -> bool {
        match self.try_retain(memory) {
            Err(error) if is_busy(&error) => return false,
            Err(error) => {
                tracing::info!(%error, path = %self.path.display(), "derived data is made anew");
                self.delete();
            }
            Ok(()) => {}
        }
        true
    }

    fn try_retain(&mut self, memory: &Connection) -> rusqlite::Result<()> {
        if !self.path.exists() {
            return Ok(());
        }
        if !self.matches()? {
            self.delete();
            return Ok(());
        }
        let Some(conn) = &mut self.conn else { return Ok(()) };
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let slots: Vec<u32> = tx
            .prepare("SELECT slot FROM analyses")?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        for slot in slots {
            if !has_page(memory, Slot(slot))? {
                tx.prepare_cached("DELETE FROM analyses WHERE slot = ?1")?.execute([slot])?;
            }
        }
        tx.commit()?;
        conn.execute_batch("VACUUM")
    }

    fn try_load(&mut self, each: &mut impl FnMut(Slot, u64, &[u8])) -> rusqlite::Result<()> {
        if !self.path.exists() || !self.matches()? {
            return Ok(());
        }
        let Some(conn) = &self.conn else { return Ok(()) };
        let sql = "SELECT slot, text_hash, checksum, analysis FROM analyses ORDER BY slot";
        let mut statement = conn.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let bytes = row.get_ref(3)?.as_blob()?;
            if xxh3_64(bytes).cast_signed() != row.get::<_, i64>(2)? {
                continue;
            }
            each(Slot(row.get(0)?), row.get::<_, i64>(1)?.cast_unsigned(), bytes);
        }
        Ok(())
    }

    fn try_store(&mut self, rows: &[DerivedRow], memory: &Connection) -> rusqlite::Result<()> {
        if !self.matches()? {
            self.delete();
            self.open()?;
        }
        let Some(conn) = &mut self.conn else { return Ok(()) };
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let sources: i64 = tx.query_row("SELECT COUNT(*) FROM source", [], |r| r.get(0))?;
        if sources == 0 {
            let sql = "INSERT INTO source (epoch, fingerprint) VALUES (?1, ?2)";
            tx.execute(sql, [&self.epoch, &self.fingerprint])?;
        }
        for row in rows {
            // Looked at inside the transaction: whoever forgets a page removes its row after this.
            if !has_page(memory, row.slot)? {
                continue;
            }
            tx.prepare_cached(
                "INSERT OR REPLACE INTO analyses (slot, text_hash, checksum, analysis) \
                 VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![
                row.slot.0,
                row.text_hash.cast_signed(),
                xxh3_64(&row.bytes).cast_signed(),
                row.bytes
            ])?;
        }
        tx.commit()
    }

    /// Opens the file and tells whether it is of this epoch and model (an empty one is).
    fn matches(&mut self) -> rusqlite::Result<bool> {
        self.open()?;
        let Some(conn) = &self.conn else { return Ok(false) };
        let mut statement = conn.prepare("SELECT epoch, fingerprint FROM source")?;
        let mut rows = statement.query([])?;
        let mut all = true;
        while let Some(row) = rows.next()? {
            let (epoch, fingerprint): (String, String) = (row.get(0)?, row.get(1)?);
            all &= epoch == self.epoch && fingerprint == self.fingerprint;
        }
        Ok(all)
    }

    /// The file, and SQLite's beside it.
    fn paths(&self) -> [PathBuf; 2] {
        [self.path.clone(), super::folder::with_suffix(&self.path, "-journal")]
    }

    fn open(&mut self) -> rusqlite::Result<()> {
        // Another process may have deleted it and begun anew.
        if self.conn.is_some() && self.key.is_some() && key_of(&self.path) == self.key {
            return Ok(());
        }
        self.conn = None;
        let parent = self.path.parent().map(create_private_subdir);
        let file = private_options().append(true).create(true).open(&self.path);
        if let (Some(Err(error)), _) | (_, Err(error)) = (parent, file) {
            tracing::debug!(%error, "the file of derived data cannot be created");
        }
        let conn = Connection::open_with_flags(&self.path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        conn.execute_batch(
            "PRAGMA page_size = 16384; PRAGMA journal_mode = DELETE; PRAGMA synchronous = OFF; PRAGMA secure_delete = ON;
             PRAGMA temp_store = MEMORY; PRAGMA cache_size = -500;",
        )?;
        conn.busy_timeout(std::time::Duration::from_millis(200))?;
        conn.execute_batch(TABLES)?;
        self.key = key_of(&self.path);
        self.conn = Some(conn);
        Ok(())
    }

    fn delete(&mut self) {
        self.conn = None;
        for path in self.paths() {
            if let Err(error) = std::fs::remove_file(&path)
                && error.kind() != std::io::ErrorKind::NotFound
            {
                tracing::debug!(%error, path = %path.display(), "derived data cannot be deleted");
            }
        }
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked};
    matches!(error.sqlite_error_code(), Some(DatabaseBusy | DatabaseLocked))
}

/// Deletes every file of derived data but these: of a model that is not in use.
pub(crate) fn delete_others(folder: &Folder, kept: &[&mut Derived]) -> Result<(), StoreError> {
    let dir = folder.path(FOLDER);
    let Ok(entries) = std::fs::read_dir(&dir) else { return Ok(()) };
    for path in entries.flatten().map(|entry| entry.path()) {
        if kept.iter().any(|derived| derived.paths().contains(&path)) {
            continue;
        }
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(StoreError::io("delete", &path, error));
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embed::StaticModel;
    use crate::memory::page::Texts;
    use crate::retrieval::Analysis;
    use crate::time::Timestamp;

    fn analysis() -> Analysis {
        let texts =
            Texts { user_input: "I like tea".to_owned(), agent_response: "Good".to_owned() };
        Analysis::of(&texts, Timestamp::parse("2026-05-01").unwrap(), StaticModel::built_in())
    }

    fn row(slot: u32) -> DerivedRow {
        DerivedRow { slot: Slot(slot), text_hash: 7, bytes: analysis().to_bytes() }
    }

    /// A database that has these pages.
    fn memory(slots: &[u32]) -> Connection {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch("CREATE TABLE pages (slot INTEGER PRIMARY KEY)").unwrap();
        for slot in slots {
            conn.execute("INSERT INTO pages VALUES (?1)", [slot]).unwrap();
        }
        conn
    }

    fn loaded(folder: &Folder, epoch: &str, fingerprint: u64) -> Vec<(u32, u64, Analysis)> {
        let mut rows = Vec::new();
        Derived::new(folder, epoch, fingerprint).load(|slot, hash, bytes| {
            rows.push((slot.0, hash, Analysis::from_bytes(bytes).unwrap()));
        });
        rows
    }

    fn break_file(folder: &Folder, sql: &str) {
        let path = folder.path(FOLDER).join("static-128.db");
        Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    }

    fn stored() -> (tempfile::TempDir, Folder) {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(&dir.path().join("ada")).unwrap();
        Derived::new(&folder, "e1", 1).store(&[row(1), row(2)], &memory(&[1, 2]));
        (dir, folder)
    }

    #[test]
    fn rows_come_back_for_their_epoch_and_fingerprint_only() {
        let (_dir, folder) = stored();
        assert_eq!(loaded(&folder, "e1", 1), [(1, 7, analysis()), (2, 7, analysis())]);
        for (epoch, fingerprint) in [("e2", 1), ("e1", 2)] {
            assert_eq!(loaded(&folder, epoch, fingerprint), []);
        }
    }

    #[test]
    fn rows_of_another_epoch_are_replaced() {
        let (_dir, folder) = stored();
        Derived::new(&folder, "e2", 1).store(&[row(3)], &memory(&[3]));
        assert_eq!(loaded(&folder, "e2", 1), [(3, 7, analysis())]);
    }

    #[test]
    fn a_page_that_is_gone_gets_no_row_and_loses_the_one_it_had() {
        let (_dir, folder) = stored();
        let mut derived = Derived::new(&folder, "e1", 1);
        derived.store(&[row(3), row(4)], &memory(&[2, 4]));
        assert_eq!(loaded(&folder, "e1", 1).iter().map(|r| r.0).collect::<Vec<_>>(), [1, 2, 4]);
        derived.retain(&memory(&[2, 4]));
        assert_eq!(loaded(&folder, "e1", 1).iter().map(|r| r.0).collect::<Vec<_>>(), [2, 4]);
    }

    #[test]
    fn vectors_of_two_models_are_in_two_files_and_only_those_in_use_stay() {
        let (_dir, folder) = stored();
        let vectors = |model| Derived::vectors(&folder, "e1", (model, "h"));
        let row = |byte| DerivedRow { slot: Slot(1), text_hash: 7, bytes: vec![byte] };
        let loaded = |model| {
            let mut rows = Vec::new();
            vectors(model).load(|slot, _, bytes| rows.push((slot.0, bytes.to_vec())));
            rows
        };
        vectors("a").store(&[row(1)], &memory(&[1]));
        vectors("b").store(&[row(2)], &memory(&[1]));
        assert_eq!((loaded("a"), loaded("b")), (vec![(1, vec![1])], vec![(1, vec![2])]));
        delete_others(&folder, &[&mut Derived::new(&folder, "e1", 1), &mut vectors("b")]).unwrap();
        assert_eq!((loaded("a"), loaded("b")), (vec![], vec![(1, vec![2])]));
        assert_eq!(self::loaded(&folder, "e1", 1).len(), 2);
    }

    #[test]
    fn a_changed_row_is_not_used() {
        let (_dir, folder) = stored();
        break_file(&folder, "UPDATE analyses SET analysis = zeroblob(300) WHERE slot = 1");
        assert_eq!(loaded(&folder, "e1", 1), [(2, 7, analysis())]);
    }

    #[test]
    fn a_broken_file_is_made_anew() {
        let (_dir, folder) = stored();
        let path = folder.path(FOLDER).join("static-128.db");
        #[expect(clippy::disallowed_methods, reason = "the test breaks the file on purpose")]
        std::fs::write(&path, "no database at all, but long enough to be looked at").unwrap();
        assert_eq!(loaded(&folder, "e1", 1), []);
        Derived::new(&folder, "e1", 1).store(&[row(1)], &memory(&[1]));
        assert_eq!(loaded(&folder, "e1", 1).len(), 1);
    }
}
