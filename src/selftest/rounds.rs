//! The rounds: what is done to folders and servers, each followed by a fresh server that must give
//! back everything that was promised.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::bench::{Bench, Ending, SelftestError};
use super::crowd::{Client, Folder, Role, Style};
use super::dice::Dice;
use super::files::{self, copy_tree, move_folder, remove_tree};
use super::judge::{Allowed, Judge};
use super::process::{PATIENCE, Place};

/// One after another; which one, the number of the round says.
const KINDS: [Kind; 8] = [
    Kind::Kills,
    Kind::Damages,
    Kind::Kills,
    Kind::Copies,
    Kind::Kills,
    Kind::Damages,
    Kind::Kills,
    Kind::Moves,
];

/// How many texts of a hundred are longer than a sentence, and the longest, in characters.
const LONG: (u64, u64) = (30, 600);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Kills,
    Damages,
    Copies,
    Moves,
}

/// A lane makes rounds one after another, in a folder of its own.
#[derive(Debug)]
pub(super) struct Lane<'a> {
    bench: &'a Bench<'a>,
    root: PathBuf,
}

impl<'a> Lane<'a> {
    /// Makes a lane that works in `root`.
    pub(super) fn new(bench: &'a Bench<'a>, root: PathBuf) -> Self {
        Self { bench, root }
    }

    /// Makes rounds until the test is over.
    pub(super) fn run(&self) -> Result<(), SelftestError> {
        while !self.bench.is_over() {
            let (round, mut dice) = self.bench.next_round();
            self.io("clear the folder of", remove_tree(&self.root))?;
            self.io("make a folder in", fs::create_dir_all(&self.root))?;
            let kind = usize::try_from(round).ok().and_then(|n| KINDS.get(n % KINDS.len()));
            match kind.copied().unwrap_or(Kind::Kills) {
                Kind::Kills => self.kills(&mut dice)?,
                Kind::Damages => self.damages(&mut dice)?,
                Kind::Copies => self.copies(&mut dice)?,
                Kind::Moves => self.moves(&mut dice)?,
            }
        }
        Ok(())
    }

    fn io<T>(&self, action: &'static str, done: std::io::Result<T>) -> Result<T, SelftestError> {
        done.map_err(|cause| SelftestError::Io { action, path: self.root.clone(), cause })
    }

    /// Copies a folder of servers; false where it is gone, which is a finding.
    fn copy(&self, from: &Path, to: &Path) -> Result<bool, SelftestError> {
        let copied = copy_tree(from, to);
        if copied.is_err() && !from.exists() {
            self.bench.find(format!("{} is gone", from.display()));
            return Ok(false);
        }
        self.io("copy a folder in", copied).map(|()| true)
    }

    fn place(&self, name: &str) -> Place {
        Place { data: self.root.join(name), log: self.root.join("stderr.txt") }
    }

    /// Up to ten writers beside readers on one folder, all of them killed, again and again.
    fn kills(&self, dice: &mut Dice) -> Result<(), SelftestError> {
        // Long texts make a log that is checkpointed while it is written.
        let heavy = dice.percent(6);
        let long = if heavy { (90, 60_000) } else { LONG };
        let style = Style { max_pages: if heavy { 240 } else { 160 }, long, errors: false };
        let folder = Folder::new(self.place("data"), style);
        while !self.bench.is_over() && !folder.is_full() {
            let longest = self.bench.longest_life();
            self.wave(&folder, dice, if heavy { longest.max(1000) } else { longest })?;
            let ending =
                if dice.percent(50) { Ending::Killed(dice.millis(0, 12)) } else { Ending::Clean };
            let judge = folder.judge().clone();
            let what = (Allowed::Nothing, ending);
            self.bench.demand(&folder.place, &judge, what, "after kills")?;
        }
        Ok(())
    }

    /// Starts clients, and kills each of them within so many milliseconds; a few end by themselves.
    fn wave(&self, folder: &Folder, dice: &mut Dice, longest: u64) -> Result<(), SelftestError> {
        let (n_writers, n_readers) = (dice.between(1, 10), dice.below(3));
        thread::scope(|scope| {
            let mut clients = Vec::new();
            for n in 0..n_writers + n_readers {
                let role = if n < n_writers { Role::Writer } else { Role::Reader };
                let client =
                    Client::start(scope, self.bench, folder, (role, Dice::of(dice.next(), n)))?;
                // Some die while they open the folder, most while they work.
                let lives = match dice.below(10) {
                    0 | 1 => dice.millis(0, 10),
                    2..6 => dice.millis(10, longest / 3),
                    _ => dice.millis(longest / 3, longest),
                };
                clients.push((Instant::now() + lives, client));
            }
            clients.sort_by_key(|(at, _)| *at);
            for (at, client) in clients {
                self.bench.pause_until(at);
                if dice.percent(4) {
                    client.close(self.bench)?;
                } else {
                    client.kill(self.bench)?;
                }
            }
            Ok(())
        })
    }

    /// A folder that nobody has open, one file of it damaged, from the same beginning many times.
    fn damages(&self, dice: &mut Dice) -> Result<(), SelftestError> {
        let place = self.place("data");
        let (judge, n_shown, clean) = self.beginning(&place, dice)?;
        let spare = self.root.join("spare");
        if self.bench.is_stopped() || !self.copy(&place.data, &spare)? {
            return Ok(());
        }
        for n in 0..30 {
            if self.bench.is_over() {
                break;
            }
            // The first damage is done to the original, the others to copies.
            if n > 0 {
                self.io("remove a folder in", remove_tree(&place.data))?;
                self.copy(&spare, &place.data)?;
            }
            self.damage(&place, (&judge, n_shown, clean), dice)?;
        }
        Ok(())
    }

    /// Makes a user with some pages; returns what was promised, how many of these the views show,
    /// and whether the server ended cleanly.
    fn beginning(
        &self,
        place: &Place,
        dice: &mut Dice,
    ) -> Result<(Judge, usize, bool), SelftestError> {
        let clean = dice.percent(40);
        let max_pages = usize::try_from(dice.between(5, 40)).unwrap_or(5);
        let folder = Folder::new(place.clone(), Style { max_pages, long: LONG, errors: false });
        let mut n_shown = 0;
        thread::scope(|scope| {
            let start = |dice: &mut Dice| {
                Client::start(scope, self.bench, &folder, (Role::Writer, Dice::of(dice.next(), 0)))
            };
            let client = start(dice)?;
            self.wait_until(|| folder.is_settled());
            client.close(self.bench)?;
            n_shown = folder.judge().len();
            if clean {
                return Ok(());
            }
            // What is added now is in the log only, or not in the views yet.
            folder.extend(usize::try_from(dice.between(1, 12)).unwrap_or(1));
            let client = start(dice)?;
            self.wait_until(|| folder.is_settled());
            client.kill(self.bench)
        })?;
        let judge = folder.judge().clone();
        Ok((judge, n_shown, clean))
    }

    /// Damages one file and asks a fresh server for everything.
    fn damage(
        &self,
        place: &Place,
        (judge, n_shown, clean): (&Judge, usize, bool),
        dice: &mut Dice,
    ) -> Result<(), SelftestError> {
        const FILES: [(&str, bool); 10] = [
            ("memory.db", true),
            ("memory.db", true),
            ("memory.db", true),
            ("memory.db-wal", true),
            ("memory.db-wal", true),
            ("memory.db-wal", true),
            ("short_term_memory.json", false),
            ("mid_term_memory.json", false),
            ("user_profile.json", false),
            ("embeddings/static-128.db", false),
        ];
        let there =
            |name: &str| fs::metadata(place.folder().join(name)).is_ok_and(|file| file.len() > 0);
        let files: Vec<_> = FILES.into_iter().filter(|(name, _)| there(name)).collect();
        let Some((name, of_database)) = files.get(dice.index(files.len())) else {
            self.bench.find(format!("{} has no files", place.folder().display()));
            return Ok(());
        };
        let path = place.folder().join(name);
        let done = self.io("damage a file in", files::damage(&path, dice))?;
        let damaged = self.io("read a file in", fs::read(&path))?;
        self.bench.count(|tally| tally.damages += 1);
        // What stands both in the database and in the views survives damage to either.
        let allowed =
            if *of_database && !clean { Allowed::NamedAfter(n_shown) } else { Allowed::Nothing };
        let what = format!("{done:?} of {name} (ended cleanly: {clean})");
        let verdict = self.bench.demand(place, judge, (allowed, Ending::Clean), &what)?;
        if let Some(notice) = verdict.recovered
            && !self.io("list a folder in", files::holds(place, &damaged))?
        {
            self.bench.find(format!("{what}: the damaged file was not kept; {notice}"));
        }
        Ok(())
    }

    /// Copies of a folder while others write it.
    fn copies(&self, dice: &mut Dice) -> Result<(), SelftestError> {
        let style = Style { max_pages: 400, long: LONG, errors: false };
        let folder = Folder::new(self.place("data"), style);
        thread::scope(|scope| {
            let clients = self.writers(scope, &folder, dice)?;
            for n in 0..4 {
                if self.bench.is_over() {
                    break;
                }
                self.bench.pause_until(Instant::now() + dice.millis(0, 150));
                let mut judge = folder.judge().clone();
                let copy = self.place(&format!("copy-{n}"));
                if !self.copy(&folder.place.folder(), &copy.folder())? {
                    break;
                }
                self.bench.count(|tally| tally.copies += 1);
                judge.sent_as(&folder.judge());
                let what = (Allowed::NamedAfter(0), Ending::Clean);
                self.bench.demand(&copy, &judge, what, "after a copy")?;
            }
            clients.into_iter().try_for_each(|client| client.kill(self.bench))
        })?;
        let judge = folder.judge().clone();
        let what = (Allowed::Nothing, Ending::Clean);
        self.bench.demand(&folder.place, &judge, what, "after copies of it")?;
        Ok(())
    }

    /// A folder moved away and back while others write it.
    fn moves(&self, dice: &mut Dice) -> Result<(), SelftestError> {
        let style = Style { max_pages: 400, long: LONG, errors: true };
        let folder = Folder::new(self.place("data"), style);
        let (here, away) = (folder.place.folder(), self.root.join("away"));
        thread::scope(|scope| {
            let clients = self.writers(scope, &folder, dice)?;
            for _ in 0..4 {
                self.bench.pause_until(Instant::now() + dice.millis(0, 60));
                if self.bench.is_over() || move_folder(&here, &away).is_err() {
                    break;
                }
                self.bench.pause_until(Instant::now() + dice.millis(0, 60));
                if here.exists() {
                    self.bench.find(format!("{} was made anew", here.display()));
                    break;
                }
                self.io("move a folder in", move_folder(&away, &here))?;
                self.bench.count(|tally| tally.moves += 1);
            }
            clients.into_iter().try_for_each(|client| client.kill(self.bench))
        })?;
        let judge = folder.judge().clone();
        if !away.exists() {
            let what = (Allowed::Nothing, Ending::Clean);
            self.bench.demand(&folder.place, &judge, what, "after moves")?;
        }
        Ok(())
    }

    /// Starts one to four writers, of which each has answered.
    fn writers<'scope>(
        &'scope self,
        scope: &'scope thread::Scope<'scope, '_>,
        folder: &'scope Folder,
        dice: &mut Dice,
    ) -> Result<Vec<Client>, SelftestError> {
        let mut clients = Vec::new();
        for n in 0..dice.between(1, 4) {
            let part = (Role::Writer, Dice::of(dice.next(), n));
            clients.push(Client::start(scope, self.bench, folder, part)?);
        }
        self.wait_until(|| clients.iter().all(Client::is_greeted));
        Ok(clients)
    }

    /// Waits for something that surely comes about, unless the test ends meanwhile.
    fn wait_until(&self, mut done: impl FnMut() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !done() && !self.bench.is_stopped() {
            if Instant::now() > deadline {
                self.bench.find_panic("a server hung");
                return;
            }
            thread::sleep(Duration::from_millis(1));
        }
    }
}
