//! Why a call was not carried out, and what its caller is told.

use super::api::EngineError;
use crate::storage::StoreError;

/// Whether a request wanted to change something; what it is told when it could not depends on that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Read,
    Write,
}
use Kind::{Read, Write};

/// Why a call was not carried out.
#[derive(Debug)]
pub(super) enum Failure {
    /// The memory could not be opened.
    Open(StoreError),
    /// The store failed.
    Store(StoreError),
    /// Our own fault.
    Panicked,
}

impl Failure {
    pub(super) fn is_damage(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_damage())
    }

    pub(super) fn told(self, kind: Kind) -> EngineError {
        let error = match self {
            Self::Open(StoreError::Stopping) | Self::Store(StoreError::Stopping) => {
                return EngineError::Stopping;
            }
            Self::Open(error) => return EngineError::Unavailable(error.to_string()),
            Self::Panicked => return panicked(kind),
            Self::Store(error) => error,
        };
        tracing::warn!(%error, "a call failed");
        let text = error.to_string();
        match (error, kind) {
            (StoreError::Commit(_), _) | (StoreError::Replaced(_), Write) => {
                EngineError::Unknown(text)
            }
            (_, Read) => EngineError::Read(text),
            (StoreError::Locked { .. }, Write) => EngineError::Busy(text),
            (StoreError::ReadOnly(_) | StoreError::Newer { .. }, Write) => {
                EngineError::ReadOnly(text)
            }
            (_, Write) => EngineError::NotStored(text),
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Open(error) | Self::Store(error) => error.fmt(f),
            Self::Panicked => f.write_str("the engine panicked"),
        }
    }
}

/// What a call is told at which the engine panicked.
pub(super) fn panicked(kind: Kind) -> EngineError {
    let text = "the server failed at this request; the next one reads everything anew".to_owned();
    match kind {
        Read => EngineError::Read(text),
        Write => EngineError::Unknown(text),
    }
}
