//! Work that an import, a recovery or an older program left: filing and reading pages.
//!
//! It is done when a memory is opened, a batch a transaction. Where it cannot be done then, nothing
//! is lost: the next start does it.

use super::worker::{Stored, Worker};
use crate::memory::fact::Reader;
use crate::memory::learn::SaidOn;
use crate::memory::page::Page;
use crate::memory::rules;
use crate::storage::StoreError;
use crate::storage::store::Mode;
use crate::time::Timestamp;

/// Pages filed in one transaction when short-term memory overflows (after an import).
const OVERFLOW_BATCH: usize = 100;

/// Pages read for facts in one transaction when many are unread.
const UNREAD_BATCH: usize = 200;

impl Worker {
    /// Files what an import left in short-term memory, a batch a transaction. Where that cannot be
    /// done now the next add does it: what is stored can be read all the same.
    pub(super) fn file_overflow(&mut self) -> Result<(), StoreError> {
        if *self.store.mode() != Mode::Normal {
            return Ok(());
        }
        let now = Timestamp::now();
        // Looking takes no lock, so that a process which starts does not wait for one that writes.
        while self.memory.has_overflow() {
            let filed = self.mutate("file", |memory, store| {
                memory.decide_overflow(OVERFLOW_BATCH, &Stored(store), now).ok_or(())
            });
            if !may_wait(filed, "short-term memory holds more than it should")? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Reads by rule what pages say that were stored without it: by an import, a recovery or an
    /// older program. A batch a transaction; where it cannot be done now, the next start does it.
    pub(super) fn read_unread(&mut self) -> Result<(), StoreError> {
        if *self.store.mode() != Mode::Normal {
            return Ok(());
        }
        let now = Timestamp::now();
        while !self.store.unread(1)?.is_empty() {
            let read = self.mutate("read", |memory, store| {
                let pages = match store.unread(UNREAD_BATCH) {
                    Ok(pages) if !pages.is_empty() => pages,
                    Ok(_) => return Err(None),
                    Err(error) => return Err(Some(error)),
                };
                let said = |page: &Page| {
                    let (texts, at) = (&page.new.texts, page.new.timestamp);
                    let on = SaidOn {
                        slot: page.slot,
                        id: page.id,
                        at,
                        may_be_late: true,
                        reader: Reader::Rule,
                    };
                    (on, rules::read(texts, at))
                };
                Ok(memory.decide_reading(pages.iter().map(said), now))
            });
            let read = match read {
                Ok(Err(Some(error))) => Err(error),
                other => other,
            };
            if !may_wait(read, "some pages are not yet read for facts")? {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// Whether work that may as well be done later goes on: not where it is done, nor where the store is
/// busy or full now.
fn may_wait<R>(outcome: Result<Result<(), R>, StoreError>, left: &str) -> Result<bool, StoreError> {
    match outcome {
        Ok(done) => Ok(done.is_ok()),
        Err(error @ (StoreError::Locked { .. } | StoreError::Sqlite(_))) if !error.is_damage() => {
            tracing::warn!(%error, "{left}");
            Ok(false)
        }
        Err(error) => Err(error),
    }
}
