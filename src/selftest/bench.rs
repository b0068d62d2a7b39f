//! What all rounds share: how servers are started, the figures, and when to end.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, ChildStdout};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use thiserror::Error;

use super::Goal;
use super::dice::Dice;
use super::judge::{Allowed, Judge, Verdict};
use super::process::{self, End, Launcher, PATIENCE, Place, Server};
use super::tally::Tally;

/// More findings than this are only counted.
const MAX_FINDINGS: usize = 10;

/// Why the test could not be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SelftestError {
    /// No folder can be made where it should run.
    #[error("cannot make a folder in {}: {cause}", place.display())]
    Unusable {
        /// Where.
        place: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// Something that the test itself needs failed.
    #[error("cannot {action} {}: {cause}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// In which folder.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
}

/// How a fresh server that was asked for everything ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// At the end of its input.
    Clean,
    /// It is killed so long after its last answer, while it writes the views and closes.
    Killed(Duration),
}

/// What all rounds share.
#[derive(Debug)]
pub(super) struct Bench<'a> {
    root: PathBuf,
    launcher: Launcher,
    seed: u64,
    goal: Goal,
    started: Instant,
    stop: &'a AtomicBool,
    over: AtomicBool,
    next_round: AtomicU64,
    /// How long servers take from their start to their first answer, in microseconds, about.
    start_up: AtomicU64,
    tally: Mutex<Tally>,
}

impl<'a> Bench<'a> {
    /// Begins a test in the folder `root`.
    pub(super) fn new(
        root: &Path,
        launcher: Launcher,
        (seed, goal): (u64, Goal),
        stop: &'a AtomicBool,
    ) -> Self {
        Self {
            root: root.to_owned(),
            launcher,
            seed,
            goal,
            started: Instant::now(),
            stop,
            over: AtomicBool::new(false),
            next_round: AtomicU64::new(0),
            start_up: AtomicU64::new(0),
            tally: Mutex::default(),
        }
    }

    /// Returns the number and the dice of the next round.
    pub(super) fn next_round(&self) -> (u64, Dice) {
        let round = self.next_round.fetch_add(1, Ordering::SeqCst);
        (round, Dice::of(self.seed, round))
    }

    /// Whether nothing is worth waiting for any more.
    pub(super) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst) || self.over.load(Ordering::SeqCst)
    }

    /// Whether to begin nothing more.
    pub(super) fn is_over(&self) -> bool {
        if self.is_stopped() {
            return true;
        }
        match self.goal {
            Goal::Time(time) => self.started.elapsed() >= time,
            Goal::Points(n) => self.tally().points() >= n,
        }
    }

    /// Ends all rounds.
    pub(super) fn end(&self) {
        self.over.store(true, Ordering::SeqCst);
    }

    /// Waits, unless the test ends meanwhile.
    pub(super) fn pause_until(&self, until: Instant) {
        const SLICE: Duration = Duration::from_millis(20);
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || self.is_stopped() {
                return;
            }
            thread::sleep(left.min(SLICE));
        }
    }

    /// Takes down how long a server took from its start to its first answer.
    pub(super) fn answered_after(&self, took: Duration) {
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).min(1_000_000);
        let about = self.start_up.load(Ordering::SeqCst);
        let about = if about == 0 { took } else { (about * 7 + took) / 8 };
        self.start_up.store(about, Ordering::SeqCst);
    }

    /// Returns how long a server is left to live at most, in milliseconds: some times as long as it
    /// takes to start, so that on a busy machine, too, most are killed while they work.
    pub(super) fn longest_life(&self) -> u64 {
        (self.start_up.load(Ordering::SeqCst) * 4 / 1000).clamp(160, 2000)
    }

    /// Returns the figures as they are now.
    pub(super) fn tally(&self) -> Tally {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes the figures.
    pub(super) fn count(&self, count: impl FnOnce(&mut Tally)) {
        count(&mut self.tally.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Takes down what must not be, and ends the test: the files are to stay as they are.
    pub(super) fn find(&self, what: String) {
        self.end();
        self.count(|tally| {
            if tally.findings.len() < MAX_FINDINGS {
                tally.findings.push(what);
            }
        });
    }

    /// Takes down a panic, or a server that ended by itself.
    pub(super) fn find_panic(&self, what: &str) {
        self.count(|tally| tally.panics += 1);
        self.find(what.to_owned());
    }

    /// Makes an error of an operation of the test itself.
    pub(super) fn failed(&self, action: &'static str, cause: io::Error) -> SelftestError {
        SelftestError::Io { action, path: self.root.clone(), cause }
    }

    /// Starts a server.
    pub(super) fn start(
        &self,
        place: &Place,
    ) -> Result<(Server, ChildStdin, ChildStdout), SelftestError> {
        let started =
            self.launcher.start(place).map_err(|e| self.failed("start a server in", e))?;
        self.count(|tally| tally.processes += 1);
        Ok(started)
    }

    /// Looks for panics that servers have told of.
    pub(super) fn check_log(&self, place: &Place) -> Result<(), SelftestError> {
        let panics = process::panics(&place.log).map_err(|e| self.failed("read the log in", e))?;
        for panic in panics {
            self.find_panic(&panic);
        }
        Ok(())
    }

    /// Starts a fresh server, demands everything that was promised, and takes down what is wrong.
    /// `what` says what was done before.
    pub(super) fn demand(
        &self,
        place: &Place,
        judge: &Judge,
        (allowed, ending): (Allowed, Ending),
        what: &str,
    ) -> Result<Verdict, SelftestError> {
        let (answers, end) = self.ask(place, judge, ending)?;
        let mut verdict = judge.verdict(&answers, allowed);
        match end {
            End::Clean => {}
            End::Killed => self.count(|tally| tally.kills += 1),
            End::Failed(how) => {
                self.count(|tally| tally.panics += 1);
                verdict.faults.push(format!("the fresh server {how}"));
            }
        }
        self.count(|tally| {
            tally.lost += verdict.lost as u64;
            tally.named += verdict.named as u64;
            tally.unloadable += u64::from(!verdict.loaded);
        });
        if !verdict.faults.is_empty() {
            let (folder, faults) = (place.folder(), verdict.faults.join("; "));
            let shown: String = faults.chars().take(1500).collect();
            self.find(format!("{what}, in {}: {shown}", folder.display()));
        }
        self.check_log(place)?;
        Ok(verdict)
    }

    /// Asks a fresh server all questions of the judge; answers by the number of the question.
    fn ask(
        &self,
        place: &Place,
        judge: &Judge,
        ending: Ending,
    ) -> Result<(BTreeMap<usize, process::Outcome>, End), SelftestError> {
        let questions = judge.questions();
        let mut script = process::greeting();
        for (n, (tool, arguments)) in (1..).zip(&questions) {
            script.push_str(&process::call(n, tool, arguments));
        }
        let (server, mut stdin, stdout) = self.start(place)?;
        let start = Instant::now();
        thread::spawn(move || {
            // A server that is gone does not read; its silence tells.
            drop(stdin.write_all(script.as_bytes()));
        });
        let (sender, lines) = channel();
        thread::spawn(move || {
            let lines = io::BufRead::lines(io::BufReader::new(stdout));
            for line in lines.map_while(Result::ok) {
                drop(sender.send(line));
            }
        });
        let mut answers = BTreeMap::new();
        let deadline = start + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match lines.recv_timeout(left) {
                Ok(line) => {
                    if let Some((id, outcome)) = process::answer(&line)
                        && let Some(n) = id.checked_sub(1).and_then(|n| usize::try_from(n).ok())
                    {
                        if answers.is_empty() {
                            self.answered_after(start.elapsed());
                        }
                        answers.insert(n, outcome);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    drop(server);
                    return Ok((answers, End::Failed(format!("hung for {PATIENCE:?}"))));
                }
            }
            if let Ending::Killed(after) = ending
                && answers.len() == questions.len()
            {
                thread::sleep(after);
                // It may have been faster.
                let end = server.kill().map_err(|e| self.failed("end a server in", e))?;
                return Ok((answers, end));
            }
        }
        let end = server.wait().map_err(|e| self.failed("end a server in", e))?;
        Ok((answers, end))
    }
}
