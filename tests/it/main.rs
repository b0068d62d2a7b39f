//! The real binary through its pipes, the engine through its API.
