//! Forgetting pages, as the owner asks for it. Nothing else in the program deletes one.

use std::collections::BTreeSet;

use super::api::{EngineError, Forget, Forgotten};
use super::worker::{Stored, Worker};
use crate::memory::change::Change;
use crate::memory::forget::Forgetting;
use crate::memory::page::{PageId, Slot};
use crate::storage::log::FORGET;
use crate::storage::{StoreError, erase::Told};
use crate::time::Timestamp;

/// What came of the wish to forget pages.
#[derive(Debug)]
pub(super) enum Wish {
    /// They are gone for answers, and on their way out of the files.
    Granted(Forgotten),
    /// There is no page with this id; nothing was forgotten.
    Unknown(PageId),
    /// These files hold pages that are not taken in yet; nothing was forgotten.
    Waiting(Vec<String>),
}

impl Wish {
    /// Says why a wish is not granted.
    pub(super) fn told(self) -> EngineError {
        EngineError::Refused(match self {
            Self::Granted(_) => "it is granted".to_owned(),
            Self::Unknown(id) => format!(
                "memory_id {id} is not known, expected one from an earlier reply; nothing was \
                 forgotten"
            ),
            Self::Waiting(names) => format!(
                "{} holds memories of another program that are taken in at the next start, and may \
                 hold this one too; restart all clients of this user, then forget; nothing was \
                 forgotten",
                names.join(", ")
            ),
        })
    }
}

impl Worker {
    /// Finds what would go; the second is an id that is not known.
    pub(super) fn preview_forget(&mut self, forget: &Forget) -> Result<Wish, StoreError> {
        self.catch_up()?;
        let slots: Vec<Slot> = match forget {
            Forget::Query { query, limit } => {
                let found = self.memory.search_all(query, *limit);
                found.into_iter().map(|hit| hit.slot).collect()
            }
            Forget::Pages(ids) => match self.slots_of(ids) {
                Ok(slots) => slots,
                Err(id) => return Ok(Wish::Unknown(id)),
            },
        };
        let set = slots.iter().copied().collect();
        let Forgetting { mut pages, facts } = self.memory.forgetting(&set, &Stored(&self.store));
        pages.sort_by_key(|page| slots.iter().position(|slot| *slot == page.slot));
        Ok(Wish::Granted(Forgotten { pages, facts, set_aside: self.store.set_aside()? }))
    }

    /// Forgets pages. What is in memory is read anew afterwards: forgetting is rare.
    pub(super) fn forget(&mut self, ids: &[PageId], now: Timestamp) -> Result<Wish, StoreError> {
        // They may hold it too, and would bring it back.
        let waiting = self.store.waiting()?;
        if !waiting.is_empty() {
            return Ok(Wish::Waiting(waiting));
        }
        let filed_by_model = self.store.filed_by_model()?;
        let set_aside = self.store.set_aside()?;
        let mut went = None;
        let decided = self.mutate(FORGET, |memory, store| {
            let slots: Result<BTreeSet<Slot>, PageId> =
                ids.iter().map(|id| memory.slot_of(*id).ok_or(*id)).collect();
            let slots = slots?;
            went = Some(memory.forgetting(&slots, &Stored(store)));
            Ok::<Change, PageId>(memory.decide_forget(&slots, filed_by_model, &Stored(store), now))
        })?;
        if let Err(id) = decided {
            return Ok(Wish::Unknown(id));
        }
        if let Err(error) = self.catch_up() {
            tracing::warn!(%error, "the memory is read anew at the next call");
        }
        let Forgetting { pages, facts } =
            went.unwrap_or(Forgetting { pages: vec![], facts: vec![] });
        Ok(Wish::Granted(Forgotten { pages, facts, set_aside }))
    }

    /// Has what was forgotten erased from disk, and tells when it is.
    pub(super) fn erase(&self, told: Told) {
        match self.keeper() {
            Some(keeper) => keeper.erase(told),
            None => told(Err("the memory is read-only".to_owned())),
        }
    }

    fn slots_of(&self, ids: &[PageId]) -> Result<Vec<Slot>, PageId> {
        ids.iter().map(|id| self.memory.slot_of(*id).ok_or(*id)).collect()
    }
}
