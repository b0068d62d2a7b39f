//! A page is worth more than what is read on it: code that reads texts may panic without anything
//! being lost but what it reads. Whoever mends such a panic changes what is read of a page, and so the
//! version of what is derived from it.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Returns what `read` reads, or `empty` where it panics. `what` says in the log what is missing then.
///
/// Unit tests and fuzz targets get the panic.
pub(crate) fn read_or<T>(what: &str, read: impl FnOnce() -> T, empty: impl FnOnce() -> T) -> T {
    if cfg!(any(test, fuzzing)) {
        return read();
    }
    survive(what, read, empty)
}

fn survive<T>(what: &str, read: impl FnOnce() -> T, empty: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_panic| {
        tracing::error!(
            "a page cannot be read for its {what}: this is a bug, and the page is kept"
        );
        empty()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_panics_reads_nothing() {
        assert_eq!(survive("facts", || vec![1], Vec::new), [1]);
        assert_eq!(survive("facts", || panic!("on purpose"), || vec![0]), [0]);
    }
}
