//! A query made ready: what a page, or any piece of text, is compared with.

use crate::embed::{DIMENSIONS, StaticModel};

use super::terms::query_terms;

/// Queries are read up to this many characters.
const MAX_QUERY_CHARS: usize = 2_000;

/// What the cosine weighs when the query is all Latin letters and digits.
pub(super) const DENSE_WEIGHT: f32 = 0.4;

/// A query's terms, what each is worth, and its vector.
#[derive(Debug, Clone)]
pub struct Query {
    /// Each term once, with its weight.
    pub(super) terms: Vec<(String, f32)>,
    /// Of length 1, or 0.
    pub(super) vector: [f32; DIMENSIONS],
    /// 0.4 times the share of the query that the model understands.
    pub(super) dense_weight: f32,
}

impl Query {
    /// Makes a query ready whose terms all weigh the same, without an index to compare them in.
    pub fn prepare(query: &str, model: &StaticModel) -> Self {
        let query = read_part(query);
        Self::with(query, query, |_| 1.0, model)
    }

    /// Makes a query ready from its text, the words that its vector is of, and its terms' weights.
    pub(super) fn with(
        text: &str,
        dense_text: &str,
        weight: impl Fn(&str) -> f32,
        model: &StaticModel,
    ) -> Self {
        let terms = query_terms(text).into_iter().map(|term| {
            let weight = weight(&term);
            (term, weight)
        });
        let embedding = model.embed(dense_text);
        Self {
            terms: terms.collect(),
            vector: embedding.vector,
            dense_weight: DENSE_WEIGHT * embedding.share,
        }
    }

    /// Returns the weighted cosine of the query with a text.
    pub(super) fn dense_score(&self, text: &str, model: &StaticModel) -> f32 {
        if self.dense_weight <= 0.0 {
            return 0.0;
        }
        let vector = model.embed(text).vector;
        let cosine: f32 = self.vector.iter().zip(&vector).map(|(a, b)| a * b).sum();
        self.dense_weight * cosine
    }
}

/// Returns the part of a query that is read.
pub fn read_part(query: &str) -> &str {
    let end = query.char_indices().nth(MAX_QUERY_CHARS).map_or(query.len(), |(at, _)| at);
    query.get(..end).unwrap_or(query)
}
