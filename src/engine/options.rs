//! What an engine is opened with.

use std::path::PathBuf;

use thiserror::Error;

use crate::llm::{Budget, ModelEndpoint, Timeouts};
use crate::user::{AssistantId, UserId};

/// How much each tier holds before the oldest or coldest gives way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacities {
    /// Pages in short-term memory.
    pub short_term: usize,
    /// Segments in mid-term memory.
    pub mid_term: usize,
    /// Entries of knowledge about the user, and as many of the assistant.
    pub knowledge: usize,
}

/// Everything that decides whose memory is opened, where, and how it behaves.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// The data directory (the user's folder is in it), absolute.
    pub data_path: PathBuf,
    /// Whose memory.
    pub user: UserId,
    /// The assistant's name, recorded for a user that is created now; none for the name recorded
    /// before, or the default one.
    pub assistant: Option<AssistantId>,
    /// How much each tier holds.
    pub capacities: Capacities,
    /// The heat at which a segment is consolidated.
    pub heat_threshold: f64,
    /// What a page must score to join a segment; none for the embedder's calibrated value.
    pub similarity_threshold: Option<f64>,
    /// The model that is asked in the background; none where everything comes from rules.
    pub model: Option<ModelOptions>,
    /// The model that is asked for vectors; none for the built-in one.
    pub embedding: Option<ModelOptions>,
}

/// Which model is asked, and how much.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelOptions {
    /// Where it is.
    pub endpoint: ModelEndpoint,
    /// What may be used on a day.
    pub budget: Budget,
    /// How long a call may take.
    pub timeouts: Timeouts,
}

/// Why an engine could not be opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The engine's thread could not be started.
    #[error("cannot start the thread that owns the memory")]
    Thread(#[source] std::io::Error),
}
