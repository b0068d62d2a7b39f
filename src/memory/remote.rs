//! Vectors by a model of a server, beside everything else: who lacks one, and ranking by them.
//!
//! The one rule: a ranking is of one model. Where a page that can be found lacks its vector, there
//! is no such ranking, and the built-in model's is asked for.

use std::collections::HashSet;

use super::Memory;
use super::page::Slot;
use crate::embed::StaticModel;
use crate::retrieval::{Hit, RemoteVector};

impl Memory {
    /// Does what [`Memory::search`] does by the vectors of a model of a server; `vector` is the
    /// query's, of length 1. None where that cannot be done.
    pub fn search_remote(&mut self, query: &str, vector: &[f32], limit: usize) -> Option<Vec<Hit>> {
        let skip = self.shown();
        self.index.search_remote((query, vector), limit, &skip, StaticModel::built_in())
    }

    /// Whether every page that is not in short-term memory has a vector.
    pub fn has_vectors(&self) -> bool {
        self.index.has_vectors(&self.shown())
    }

    /// Returns the pages without a vector, the oldest first.
    pub fn lacking_vectors(&self) -> impl Iterator<Item = Slot> {
        self.index.lacking()
    }

    /// Returns the length of the vectors; none while there is none.
    pub fn vector_dimensions(&self) -> Option<usize> {
        self.index.remote_dimensions()
    }

    /// Sets a page's vector; false, and nothing done, where there is no such page or the others'
    /// vectors have another length.
    pub fn set_vector(&mut self, slot: Slot, vector: RemoteVector) -> bool {
        self.index.set_vector(slot, vector)
    }

    /// Sets a page's vector if the page's texts have this checksum.
    pub fn know_vector(&mut self, slot: Slot, text_hash: u64, vector: RemoteVector) {
        let mut same = self.by_texts.get(&text_hash).copied();
        while same.is_some_and(|found| found > slot) {
            same = same.and_then(|found| self.heads.get(&found)?.same_texts);
        }
        if same == Some(slot) {
            self.index.set_vector(slot, vector);
        }
    }

    /// Takes all vectors out, to be given to a memory of the same pages.
    pub fn take_vectors(&mut self) -> Vec<(Slot, RemoteVector)> {
        self.index.take_vectors()
    }

    fn shown(&self) -> HashSet<Slot> {
        self.newest().map(|page| page.slot).collect()
    }
}
