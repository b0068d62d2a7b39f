//! `memoryos selftest`: the promises, tried out on the user's own disk.
//!
//! It starts copies of its own program as real servers in a temporary folder, drives them as a
//! client does, kills them, damages, copies and moves their files, and demands of a fresh server
//! everything that was answered with success. It knows the program from outside only: processes,
//! pipes, files. The memories of the user are never touched.

mod bench;
mod command;
mod crowd;
mod dice;
mod files;
mod judge;
mod process;
mod rounds;
mod tally;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::{Duration, Instant};

pub use bench::SelftestError;
pub use command::{command, minutes};
pub use tally::{Report, Tally, grouped};

use bench::Bench;
use process::Launcher;
use rounds::Lane;

/// At most so many rounds run side by side.
const MAX_LANES: usize = 4;

/// How often the progress is told.
const TELL: Duration = Duration::from_secs(1);

/// How often the end of the rounds is looked for.
const POLL: Duration = Duration::from_millis(20);

/// What to test, where and for how long.
#[derive(Debug, Clone)]
pub struct Options {
    /// The program.
    pub program: PathBuf,
    /// Variables of the environment that servers are started without.
    pub unset: Vec<OsString>,
    /// Where the temporary folder is made: in the first of these that can be written, or in the
    /// nearest folder above it that exists.
    pub places: Vec<PathBuf>,
    /// What repeats the test, as far as the timing of processes can be repeated.
    pub seed: u64,
    /// When to end.
    pub goal: Goal,
}

/// When the test ends, if it finds nothing before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// After this time.
    Time(Duration),
    /// After so many kills, damages, copies and moves.
    Points(u64),
}

/// Makes the test. Ends early once `stop` is set or something is found that must not be; tells
/// `progress` about once a second.
///
/// The temporary folder is removed, unless something was found.
///
/// # Errors
///
/// When no folder can be made, or what the test itself needs fails: starting servers, copying files.
pub fn run(
    options: &Options,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(&Tally),
) -> Result<Report, SelftestError> {
    let scratch = files::scratch(&options.places).map_err(|cause| SelftestError::Unusable {
        place: options.places.first().cloned().unwrap_or_default(),
        cause,
    })?;
    let started = Instant::now();
    let temporary = scratch.path().join("tmp");
    std::fs::create_dir(&temporary).map_err(|cause| SelftestError::Io {
        action: "make a folder in",
        path: scratch.path().to_owned(),
        cause,
    })?;
    let launcher =
        Launcher { program: options.program.clone(), unset: options.unset.clone(), temporary };
    let bench = Bench::new(scratch.path(), launcher, (options.seed, options.goal), stop);
    let ran = run_lanes(&bench, scratch.path(), progress);
    let tally = bench.tally();
    if tally.findings.is_empty() {
        // What was found tells more than that the test could not go on after it.
        ran?;
    }
    let place = scratch.path().parent().unwrap_or(scratch.path()).to_owned();
    let kept = (!tally.findings.is_empty()).then(|| scratch.keep());
    Ok(Report { tally, seed: options.seed, elapsed: started.elapsed(), place, kept })
}

/// Runs as many lanes as there are processors, and waits for all.
fn run_lanes(
    bench: &Bench<'_>,
    root: &std::path::Path,
    progress: &mut dyn FnMut(&Tally),
) -> Result<(), SelftestError> {
    let n_lanes = thread::available_parallelism().map_or(1, usize::from).min(MAX_LANES);
    thread::scope(|scope| {
        let lanes: Vec<_> = (0..n_lanes)
            .map(|n| {
                let lane = Lane::new(bench, root.join(format!("lane-{n}")));
                scope.spawn(move || {
                    let done = lane.run();
                    // Whatever ended one lane ends the others.
                    bench.end();
                    done
                })
            })
            .collect();
        let mut told = Instant::now();
        while !lanes.iter().all(thread::ScopedJoinHandle::is_finished) {
            if told.elapsed() >= TELL {
                progress(&bench.tally());
                told = Instant::now();
            }
            thread::sleep(POLL);
        }
        for lane in lanes {
            match lane.join() {
                Ok(done) => done?,
                Err(_) => bench.find("the test itself panicked".to_owned()),
            }
        }
        Ok(())
    })
}
