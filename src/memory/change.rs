//! What a transaction changes: decided here or read from what another process committed, applied by
//! the same code.

use crate::memory::long::LongChange;
use crate::memory::mid::MidChange;
use crate::memory::page::{Page, PageId, Slot};
use crate::memory::reading::PageReading;
use crate::memory::segment::SegmentId;
use crate::retrieval::Analysis;

/// A page that is new in memory, with what the index needs of it.
#[derive(Debug, Clone, PartialEq)]
pub struct AddedPage {
    /// The page.
    pub page: Page,
    /// What the index needs.
    pub analysis: Analysis,
    /// What filing reads on it, if that is known already.
    pub reading: Option<PageReading>,
}

/// What is known anew of how a stored page goes on with the one before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relinked {
    /// The page.
    pub slot: Slot,
    /// The page that it continues.
    pub continues: Option<PageId>,
    /// What the chain of pages up to it is about.
    pub chain_summary: String,
}

/// The outcome of a mutation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Change {
    /// New pages, in the order of their slots.
    pub pages: Vec<Page>,
    /// What changes in mid-term memory.
    pub mid: MidChange,
    /// What changes in long-term memory.
    pub long: LongChange,
    /// Pages that their owner wants forgotten.
    pub forgotten: Vec<Slot>,
    /// Segments that are left without pages by that.
    pub emptied: Vec<SegmentId>,
    /// Filed pages that go on with another one than was thought.
    pub relinked: Vec<Relinked>,
    /// How far a model has filed the pages, if it did.
    pub filed_by_model: Option<Slot>,
}
