//! The engine over a disk that fails on purpose, against a naive model of what was answered.
//!
//! `MEMORYOS_FAULT_POINTS` tries more (or fewer) points of each kind, `MEMORYOS_FAULT_SEED` others.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test that cannot go on fails"
)]

mod damage;
mod dying;
mod failing;
mod model;
mod schedule;
mod support;
#[cfg(target_os = "linux")] // Where files beside SQLite's are seen.
mod views;
