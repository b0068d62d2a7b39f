//! The ranking of a user's pages for a query: contextual BM25 plus a static embedding.
//!
//! `score = lex + 0.4 share cos`, defined for one page, with no normalisation over a query's
//! results. Everything here is computation on what it is given: no files, no clock. The index
//! holds no text of a page, only its terms, its vector and its place among its neighbours.

mod analysis;
mod dense;
mod index;
#[cfg(test)]
mod index_tests;
mod lexical;
mod links;
mod names;
mod query;
mod remote;
mod terms;
mod window;

pub use analysis::{Analysis, PageVector, fingerprint};
pub use index::{Hit, Index};
pub use names::CasedWords;
pub use query::{Query, read_part};
pub use remote::{RemoteVector, unit};
pub use terms::{TermKey, query_terms, words_with_stems};
pub use window::best_window;
