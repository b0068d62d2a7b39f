//! Clients of one folder at the same time: each a server process and a thread that talks to it.
//!
//! Every success is taken down; readers demand pages that others have just been promised.

use std::process::{ChildStdin, ChildStdout};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::bench::{Bench, SelftestError};
use super::dice::Dice;
use super::judge::Judge;
use super::process::{End, Place, Server, Talk};

/// A folder that is written: what was promised, and how it is written.
#[derive(Debug)]
pub(super) struct Folder {
    /// Where it is.
    pub(super) place: Place,
    judge: Mutex<Judge>,
    n_begun: AtomicUsize,
    limit: AtomicUsize,
    style: Style,
}

/// How a folder is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Style {
    /// Pages after which nothing is added any more.
    pub(super) max_pages: usize,
    /// How many texts of a hundred are long, and the longest, in characters.
    pub(super) long: (u64, u64),
    /// Whether errors are to be expected, as while the folder is away.
    pub(super) errors: bool,
}

/// What a client does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Adds, and sometimes reads.
    Writer,
    /// Only reads.
    Reader,
}

impl Folder {
    /// Begins with a folder in which nothing is.
    pub(super) fn new(place: Place, style: Style) -> Self {
        let limit = AtomicUsize::new(style.max_pages);
        Self { place, judge: Mutex::default(), n_begun: AtomicUsize::new(0), limit, style }
    }

    /// Returns the list of what was promised.
    pub(super) fn judge(&self) -> MutexGuard<'_, Judge> {
        self.judge.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nothing is added any more.
    pub(super) fn is_full(&self) -> bool {
        self.n_begun.load(Ordering::SeqCst) >= self.limit.load(Ordering::SeqCst)
    }

    /// Whether a single writer has added everything and all of it was answered with success.
    pub(super) fn is_settled(&self) -> bool {
        self.is_full() && self.judge().len() == self.n_begun.load(Ordering::SeqCst)
    }

    /// Lets `n` more pages be added.
    pub(super) fn extend(&self, n: usize) {
        self.limit.store(self.n_begun.load(Ordering::SeqCst) + n, Ordering::SeqCst);
    }

    /// Makes the arguments of adds, at most `n`, each unlike any other.
    fn pages(&self, n: usize, dice: &mut Dice) -> Vec<Value> {
        let first = self.n_begun.fetch_add(n, Ordering::SeqCst);
        let pages = (first..first + n).map(|n| page(n, self.style.long, dice));
        pages.collect()
    }
}

/// Makes the arguments of an add.
fn page(n: usize, (percent, max_chars): (u64, u64), dice: &mut Dice) -> Value {
    let topics = [
        ("How do I prune tomatoes in greenhouse bed", "Pinch their shoots and water at dawn"),
        ("Which sail suits the harbour race of boat", "Hoist a small jib; mind the \"gusts\"\n"),
        ("My sister Nora lives in Oslo, in house", "Noted: her\thouse \\ street \u{e9}\u{4e16}"),
        ("My piano teacher chose a Chopin etude", "Practise slowly with a metronome"),
    ];
    let (user, agent) = topics.get(dice.index(topics.len())).copied().unwrap_or_default();
    let len = if dice.percent(percent) { dice.between(0, max_chars) } else { 0 };
    let more = usize::try_from(len).unwrap_or(0) / 16;
    let filler = format!(" and {n:x} as well").repeat(more);
    json!({"user_input": format!("{user} {n}?"), "agent_response": format!("{agent} {n}.{filler}")})
}

/// A client: its server, to be killed or closed, and how to tell its thread to end.
#[derive(Debug)]
pub(super) struct Client {
    server: Server,
    closing: Arc<AtomicBool>,
    /// Whether the server has answered.
    greeted: Arc<AtomicBool>,
}

impl Client {
    /// Starts a server and a thread that talks to it until the server is gone.
    pub(super) fn start<'scope>(
        scope: &'scope Scope<'scope, '_>,
        bench: &'scope Bench<'_>,
        folder: &'scope Folder,
        (role, dice): (Role, Dice),
    ) -> Result<Self, SelftestError> {
        let (server, stdin, stdout) = bench.start(&folder.place)?;
        let (closing, greeted) = (Arc::new(AtomicBool::new(false)), Arc::default());
        let mut thread = Thread {
            bench,
            folder,
            role,
            dice,
            closing: Arc::clone(&closing),
            greeted: Arc::clone(&greeted),
            latencies: Vec::new(),
        };
        scope.spawn(move || thread.run(stdin, stdout));
        Ok(Self { server, closing, greeted })
    }

    /// Whether the server has answered a call.
    pub(super) fn is_greeted(&self) -> bool {
        self.greeted.load(Ordering::SeqCst)
    }

    /// Kills the server without warning.
    pub(super) fn kill(self, bench: &Bench<'_>) -> Result<(), SelftestError> {
        let end = self.server.kill().map_err(|e| bench.failed("end a server in", e))?;
        match end {
            End::Killed => bench.count(|tally| tally.kills += 1),
            End::Clean => bench.find_panic("a server ended with code 0 while it was used"),
            End::Failed(how) => bench.find_panic(&format!("a server {how}")),
        }
        Ok(())
    }

    /// Lets the thread end the input and waits for the clean end of the server.
    pub(super) fn close(self, bench: &Bench<'_>) -> Result<(), SelftestError> {
        self.closing.store(true, Ordering::SeqCst);
        match self.server.wait().map_err(|e| bench.failed("end a server in", e))? {
            End::Clean => {}
            End::Killed => bench.find_panic("a server was killed by somebody else"),
            End::Failed(how) => bench.find_panic(&format!("a server {how}")),
        }
        Ok(())
    }
}

/// What the thread of a client works with.
struct Thread<'a> {
    bench: &'a Bench<'a>,
    folder: &'a Folder,
    role: Role,
    dice: Dice,
    closing: Arc<AtomicBool>,
    greeted: Arc<AtomicBool>,
    latencies: Vec<Duration>,
}

impl Thread<'_> {
    fn run(&mut self, stdin: ChildStdin, stdout: ChildStdout) {
        let start = Instant::now();
        let Some(mut talk) = Talk::begin(stdin, stdout) else { return };
        while !self.closing.load(Ordering::SeqCst) {
            let done = match self.role {
                Role::Writer if !self.folder.is_full() && self.dice.percent(90) => {
                    self.add(&mut talk)
                }
                _ => self.read(&mut talk),
            };
            if done.is_none() {
                break;
            }
            if !self.greeted.swap(true, Ordering::SeqCst) {
                self.bench.answered_after(start.elapsed());
            }
        }
        talk.end_input();
        while talk.next().is_some() {}
        let latencies = std::mem::take(&mut self.latencies);
        self.bench.count(|tally| tally.took(&latencies));
    }

    /// Adds one page, or several in one go. None when the server is gone.
    fn add(&mut self, talk: &mut Talk) -> Option<()> {
        let n = if self.dice.percent(60) { 1 } else { self.dice.between(2, 12) };
        let pages = self.folder.pages(usize::try_from(n).unwrap_or(1), &mut self.dice);
        let calls: Vec<_> = pages.iter().map(|page| ("add_memory", page.clone())).collect();
        self.folder.judge().send(pages.len());
        let start = Instant::now();
        let first = talk.send(&calls)?;
        for _ in &pages {
            let (id, outcome) = talk.next()?;
            let idx = id.checked_sub(first).and_then(|idx| usize::try_from(idx).ok());
            let page = idx.and_then(|idx| pages.get(idx));
            match (outcome, page) {
                (Ok(reply), Some(page)) if self.folder.judge().note(&reply, page) => {
                    self.bench.count(|tally| tally.acknowledged += 1);
                }
                (Err(_), Some(_)) => {
                    self.bench.count(|tally| tally.refused += 1);
                    // Where the folder is away, errors come at once.
                    thread::sleep(Duration::from_millis(1));
                }
                (reply, _) => self.bench.find(format!("an add was answered with {reply:?}")),
            }
        }
        if pages.len() == 1 {
            self.latencies.push(start.elapsed());
        }
        if self.dice.percent(50) {
            // Also on a fast disk a process sees more of being killed than of other processes' pages.
            thread::sleep(self.dice.millis(0, 6));
        }
        Some(())
    }

    /// Demands a page that was promised to whomever, or asks a question. None when the server is
    /// gone.
    fn read(&mut self, talk: &mut Talk) -> Option<()> {
        let promised = {
            let judge = self.folder.judge();
            let newest = judge.len().saturating_sub(1);
            let any = self.dice.index(judge.len());
            judge.page(if self.dice.percent(50) { newest } else { any }).cloned()
        };
        let asks = match self.dice.below(4) {
            0 => ("retrieve_memory", json!({"query": "the boat race of my sister Nora"})),
            1 => ("get_user_profile", json!({})),
            _ => promised
                .as_ref()
                .map_or(("get_user_info", json!({})), super::judge::Acknowledged::question),
        };
        talk.send(std::slice::from_ref(&asks))?;
        let (_, outcome) = talk.next()?;
        let page = promised.filter(|_| asks.1.get("memory_id").is_some());
        match page.map(|page| (page.is_in(&outcome), page)) {
            Some((Ok(false), page)) => {
                self.bench.count(|tally| tally.lost += 1);
                self.bench.find(format!("a running server did not know page {}", page.id));
            }
            Some((Err(how), _)) if !self.folder.style.errors => self.bench.find(how),
            _ => {}
        }
        // Readers leave the processors to writers.
        thread::sleep(self.dice.millis(0, 4));
        Some(())
    }
}
