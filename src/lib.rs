//! A long-term memory for AI assistants.

pub mod embed;
pub mod engine;
pub mod memory;
pub mod retrieval;
pub mod time;
pub mod user;
