//! Texts to vectors, with a model that is part of the program.
//!
//! A vector is the normalised sum of one row per word piece: no network, no download, no state.
//! The model is English; how much of a text it understands is the embedding's `share`, and
//! nothing may rely on a vector without looking at it.

mod static_model;
mod wordpiece;

pub use static_model::{DIMENSIONS, Embedding, MAX_PIECES, StaticModel};

pub(crate) use static_model::normalise;
