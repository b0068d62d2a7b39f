//! A disk that fails on purpose, under every SQLite connection of this process.
//!
//! [`install`] registers a VFS that wraps SQLite's own one and is the default from then on, so the
//! program under test needs no change. Files below the root of a [`World`] go through it: their
//! operations are counted, can be made to fail, held up, or looked at; all others pass untouched.
//!
//! It knows what was written since the last sync of each file, so that a [`Moment`] can tell what a
//! killed process leaves and what a power cut leaves. What a program writes by other means than
//! SQLite is taken as it stands; on Linux the renaming, linking, unlinking and syncing of such files
//! is counted and shown too. Only tests link this; it is the one place with `unsafe`.
#![cfg(unix)]

mod image;
#[cfg(target_os = "linux")]
mod libc_calls;
mod random;
mod rule;
mod snapshot;
mod vfs;
mod world;

pub use random::Random;
pub use rule::{Fault, Lasts, Op, Rule};
pub use snapshot::Snapshot;
pub use vfs::install;
pub use world::{Hold, Moment, World};
