//! Who has a user's memory open, and who keeps others from writing. Nothing is locked for that.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::finding::Finding;
use super::names::stamps;
use crate::storage::lock::{self, Holder, WRITE_PATIENCE};

const POLL: Duration = Duration::from_millis(20);

/// Whether somebody has the memory open; true where the system does not tell.
pub(super) fn is_open(root: &Path) -> bool {
    lock::holders(&root.join(".lock")).is_none_or(|holders| !holders.is_empty())
}

/// Whether somebody has the folder alone, to look it over; false where the system does not tell.
pub(super) fn is_looked_over(root: &Path) -> bool {
    alone(&root.join(".lock")).is_some()
}

/// Says who holds `.lock` and `.write`; waits for a writer as long as others would.
pub(super) fn findings(root: &Path) -> Vec<Finding> {
    let Some(open) = lock::holders(&root.join(".lock")) else {
        let reason = "this system does not tell who holds a lock";
        return vec![
            Finding::skipped("locks.open", reason),
            Finding::skipped("locks.write", reason),
        ];
    };
    vec![open_in(root, &open), writer(root)]
}

fn open_in(root: &Path, holders: &[Holder]) -> Finding {
    const ID: &str = "locks.open";
    if holders.is_empty() {
        return Finding::ok(ID, "no process has the memory open");
    }
    let names: Vec<String> = holders.iter().map(ToString::to_string).collect();
    match stuck(root, ".lock") {
        Some(holder) => Finding::warning(
            ID,
            format!("{holder} has kept the folder to itself for {WRITE_PATIENCE:?}"),
            format!("it looks the folder over, or recovers it: wait; if it stays, end {holder}"),
        ),
        None => Finding::ok(ID, format!("the memory is open in {}", names.join(", "))),
    }
}

fn writer(root: &Path) -> Finding {
    const ID: &str = "locks.write";
    let Some(now) = alone(&root.join(".write")) else {
        return Finding::ok(ID, "nobody holds the write lock");
    };
    match stuck(root, ".write") {
        Some(holder) => Finding::problem(
            ID,
            format!(
                "{holder} has held the write lock for {WRITE_PATIENCE:?} and writes nothing: \
                 nobody else can store"
            ),
            format!("end {holder}: its lock goes with it, and nothing that was stored is lost"),
        ),
        None => Finding::ok(ID, format!("{now} was writing")),
    }
}

/// Returns who holds a lock alone as long as others would wait for it, while nothing in the folder
/// changes.
fn stuck(root: &Path, name: &str) -> Option<Holder> {
    let path = root.join(name);
    let first = alone(&path)?;
    let (start, before) = (Instant::now(), stamps(root));
    let (mut n_looks, mut n_seen) = (0, 0);
    while start.elapsed() < WRITE_PATIENCE {
        thread::sleep(POLL);
        let holder = alone(&path);
        n_looks += 1;
        n_seen += usize::from(holder.is_some());
        // The system may miss a holder in a look; one that went is seen no more.
        let is_over = 2 * n_seen + 10 < n_looks;
        let is_other = holder.is_some_and(|holder| holder.pid != first.pid);
        if is_over || is_other || stamps(root) != before {
            return None;
        }
    }
    (2 * n_seen > n_looks).then_some(first)
}

fn alone(path: &Path) -> Option<Holder> {
    lock::holders(path)?.into_iter().find(|holder| holder.alone)
}
