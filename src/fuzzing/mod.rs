//! What must hold of bytes that nobody has looked at yet, one function for each way in.
//!
//! Compiled for tests and for the fuzz targets in `fuzz/` only: nothing of it is in the program.
//! Each function takes any bytes and panics where a promise is broken. A test replays
//! the inputs in `fuzz/corpus` and some thousand changes of them; libFuzzer looks on by hand. The
//! one rule: a function asserts what a reader of the documentation would expect, never that the
//! code does what it does.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a broken promise ends the run"
)]

#[cfg(test)]
mod replay;
mod replies;
mod rules;
mod texts;

pub use crate::mcp::fuzzing::lines;
pub use crate::storage::fuzzing::{foreign, rows, views};
pub use replies::replies;
pub use rules::rules;
pub use texts::texts;

/// What parts an input into sections.
const BREAK: &str = "\n%%\n";

/// Reads an input as text, cut into its first `N` sections; those that are not there are empty.
fn sections<const N: usize>(bytes: &[u8]) -> [String; N] {
    let text = String::from_utf8_lossy(bytes);
    let mut parts = text.splitn(N, BREAK);
    std::array::from_fn(|_| parts.next().unwrap_or_default().to_owned())
}
