//! What a transaction changes: decided here or read from what another process committed, applied by
//! the same code.

use crate::memory::long::LongChange;
use crate::memory::mid::MidChange;
use crate::memory::page::Page;
use crate::retrieval::Analysis;

/// A page that is new in memory, with what the index needs of it.
#[derive(Debug, Clone, PartialEq)]
pub struct AddedPage {
    /// The page.
    pub page: Page,
    /// What the index needs.
    pub analysis: Analysis,
}

/// The outcome of a mutation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Change {
    /// New pages, in the order of their slots.
    pub pages: Vec<AddedPage>,
    /// What changes in mid-term memory.
    pub mid: MidChange,
    /// What changes in long-term memory.
    pub long: LongChange,
}
