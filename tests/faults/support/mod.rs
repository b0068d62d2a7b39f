//! Engines over folders whose disk is under control, and what they are compared with.

pub(crate) mod driver;
mod judge;
mod ledger;
pub(crate) mod site;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, Once, PoisonError};
use std::time::{Duration, Instant};

use faults::{Fault, Lasts, Op, Rule};
use memoryos::engine::{Capacities, Engine, Options};
use tempfile::TempDir;

pub(crate) use judge::{demand, demand_all};
pub(crate) use ledger::{Ledger, State, page};

/// How long anything may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// A commit whose outcome is not known.
pub(crate) const FAILED_COMMIT: Rule = Rule {
    ops: &[Op::Sync],
    file: "-wal",
    // Not the sync of a checkpoint beside it.
    thread: Some("engine"),
    after: 0,
    fault: Fault::Io,
    lasts: Lasts::Times(1),
};

/// Opens the memory of the user `ada` in the data directory `data`; three pages stay in short-term
/// memory, so that filing begins soon.
pub(crate) fn open(data: &Path) -> Engine {
    note_panics();
    Engine::open(Options {
        data_path: data.to_owned(),
        user: "ada".parse().unwrap(),
        assistant: Some("library".parse().unwrap()),
        capacities: Capacities { short_term: 3, mid_term: 50, knowledge: 100 },
        heat_threshold: 5.0,
        similarity_threshold: None,
        model: None,
        embedding: None,
    })
    .unwrap()
}

/// Makes a data directory: in memory where the system has a folder for that, since what is durable
/// is up to the simulated disk.
pub(crate) fn data() -> TempDir {
    let builder = tempfile::Builder::new().prefix("memoryos-faults-").to_owned();
    builder.tempdir_in("/dev/shm").or_else(|_| builder.tempdir()).unwrap()
}

/// Returns the path of a file in the user's folder.
pub(crate) fn file(data: &Path, name: &str) -> PathBuf {
    data.join("ada").join(name)
}

/// Waits until something holds; `what` names it.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "{what}: it never came");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Returns how many points a run tries: `MEMORYOS_FAULT_POINTS`, or else `usual`.
pub(crate) fn n_points(usual: usize) -> usize {
    number("MEMORYOS_FAULT_POINTS").map_or(usual, |n| usize::try_from(n).unwrap())
}

/// Returns the seed of a run: `MEMORYOS_FAULT_SEED`, or always the same.
pub(crate) fn seed() -> u64 {
    number("MEMORYOS_FAULT_SEED").unwrap_or(1)
}

#[expect(clippy::disallowed_methods, reason = "settings of the tests, not of the program")]
fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is {text:?}, expected a number")))
}

/// Runs `check` for every case, in as many threads as there are processors.
pub(crate) fn in_parallel<T: Send>(cases: Vec<T>, check: impl Fn(T) + Sync) {
    let n_threads = std::thread::available_parallelism().map_or(1, usize::from);
    let cases = Mutex::new(cases.into_iter());
    let next = || cases.lock().unwrap_or_else(PoisonError::into_inner).next();
    std::thread::scope(|scope| {
        for _ in 0..n_threads {
            scope.spawn(|| {
                while let Some(case) = next() {
                    check(case);
                }
            });
        }
    });
}

static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Returns what threads of the program have panicked with so far; the tests' own do not count.
pub(crate) fn panics() -> Vec<String> {
    PANICS.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn note_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let thread = std::thread::current();
            if ["engine", "keeper"].map(Some).contains(&thread.name()) {
                PANICS.lock().unwrap_or_else(PoisonError::into_inner).push(info.to_string());
            }
            usual(info);
        }));
    });
}
