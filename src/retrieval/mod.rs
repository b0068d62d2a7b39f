//! The ranking of a user's pages for a query: contextual BM25 plus a static embedding.
