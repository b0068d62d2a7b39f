//! Durable state: the only user of SQL and of data files.
//!
//! `memory.db` is the truth, the JSON files are views of it, `embeddings/` is derived from it.

pub mod backup;
pub mod data_dir;
pub mod default_user;
pub mod inspect;

mod check;
mod copy;
mod create;
pub(crate) mod derived;
pub(crate) mod erase;
mod error;
pub(crate) mod fact_rows;
pub(crate) mod folder;
mod foreign;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod identity;
mod inbox;
pub(crate) mod keeper;
pub(crate) mod lock;
pub(crate) mod log;
mod migrate;
pub(crate) mod network;
pub(crate) mod open;
pub(crate) mod outcome;
mod recover;
pub(crate) mod rows;
mod salvage;
pub(crate) mod schema;
pub(crate) mod segment_rows;
pub(crate) mod store;
mod sums;
pub(crate) mod views;
mod wal;

pub use error::StoreError;
pub use folder::Folder;
pub(crate) use open::check_shown_owner as check_owner;
