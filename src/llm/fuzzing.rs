//! What must hold of vectors read from any reply, see `crate::fuzzing`.

#![allow(clippy::panic, clippy::indexing_slicing, reason = "a broken promise ends the run")]

use serde_json::Value;

use super::embeddings;

/// Reads the vectors of one and of two texts.
///
/// # Panics
///
/// When there is not one finite vector for every text, all of one length.
pub(crate) fn vectors(reply: &Value) {
    for count in [1, 2] {
        let Ok(vectors) = embeddings::read(reply, count) else { continue };
        assert_eq!(vectors.len(), count);
        assert!(vectors.iter().all(|v| !v.is_empty() && v.len() == vectors[0].len()));
        assert!(vectors.iter().flatten().all(|x| x.is_finite()));
    }
}
