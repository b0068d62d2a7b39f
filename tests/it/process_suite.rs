//! Many real processes, and what happens to them and to their folder while they work.
//!
//! Only outcomes are judged: what was answered with success is there, what was not may be. Which
//! words an error has while a folder is away is nobody's promise.

use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::thread::{self, Scope};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::disk_full::SmallDisk;
use crate::support::{Judge, PATIENCE, Server, Setup, copy_tree, names, outcome, put, rename};

/// The seed of all random numbers here.
const SEED: u64 = 0x2545_f491_4f6c_dd1d;

/// Repeatable numbers (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % n as u64).unwrap()
    }
}

/// How often each writer was told that its page is stored, and how often that it is not.
#[derive(Debug, Default)]
struct Told {
    successes: [usize; 3],
    errors: [usize; 3],
    /// The last error, for whoever reads why a test failed.
    last_error: String,
}

/// What several writers of one folder were promised, and how they fare.
#[derive(Default)]
struct Shared {
    judge: Mutex<Judge>,
    n_sent: AtomicUsize,
    over: AtomicBool,
    told: Mutex<Told>,
    told_more: Condvar,
}

impl Shared {
    fn judge(&self) -> MutexGuard<'_, Judge> {
        self.judge.lock().unwrap()
    }

    /// Waits until every writer has been told `which` again.
    fn each_is_told(&self, what: &str, which: impl Fn(&Told) -> [usize; 3]) {
        let mut told = self.told.lock().unwrap();
        let before = which(&told);
        // The second answer is to what was asked after this began.
        let waits = |told: &mut Told| which(told).iter().zip(before).any(|(n, b)| *n < b + 2);
        let over;
        (told, over) = self.told_more.wait_timeout_while(told, PATIENCE, waits).unwrap();
        assert!(!over.timed_out(), "it never came about that {what}: {told:?}");
    }
}

/// Ends the writers also where the test fails.
struct Over<'a>(&'a Shared);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.over.store(true, Ordering::SeqCst);
    }
}

/// Starts three writers that add one page after another until the end, whatever they are told.
fn start_writers<'scope>(
    scope: &'scope Scope<'scope, '_>,
    setup: &'scope Setup,
    shared: &'scope Shared,
) {
    for writer in 0..3 {
        scope.spawn(move || {
            let mut server = setup.start();
            while !shared.over.load(Ordering::SeqCst) {
                let n = shared.n_sent.fetch_add(1, Ordering::SeqCst);
                let (user_input, agent_response) = crate::support::exchange(n);
                let page = json!({"user_input": user_input, "agent_response": agent_response});
                let answer = server.tool("add_memory", &page);
                if let Ok(reply) = &answer {
                    shared.judge().note(reply, &user_input, &agent_response);
                }
                let mut told = shared.told.lock().unwrap();
                match answer {
                    Ok(_) => told.successes[writer] += 1,
                    Err(said) => {
                        told.errors[writer] += 1;
                        told.last_error = said;
                    }
                }
                shared.told_more.notify_all();
            }
            let (code, said) = server.close();
            assert_eq!(code, Some(0), "{said}");
            assert!(!said.contains("panicked"), "{said}");
        });
    }
}

/// Demands of a fresh process every page that was promised; it may know others.
fn demand(setup: &Setup, judge: &Judge, n_sent: usize, what: &str) {
    let mut server = setup.start();
    assert_eq!(judge.count_lost(&mut server), 0, "{what}: {}", server.notices());
    let total = server.info()["memory_stats"]["total_pages"].as_u64().unwrap();
    let total = usize::try_from(total).unwrap();
    assert!((judge.len()..=n_sent).contains(&total), "{what}: {} {total} {n_sent}", judge.len());
    let (code, said) = server.close();
    assert_eq!(code, Some(0), "{what}: {said}");
}

/// Sends 12 pages in one go; the calls by their ids.
fn send(server: &mut Server, first: usize, filler: &str) -> BTreeMap<u64, (String, String)> {
    let mut sent = BTreeMap::new();
    for n in first..first + 12 {
        let (user_input, agent_response) = crate::support::exchange(n);
        let agent_response = format!("{agent_response}{filler}");
        let page = json!({"user_input": user_input, "agent_response": agent_response});
        sent.insert(server.ask_tool("add_memory", &page), (user_input, agent_response));
    }
    sent
}

/// Takes down a page if `line` is the answer that promises it.
fn note(judge: &mut Judge, sent: &BTreeMap<u64, (String, String)>, line: &Value) {
    let asked = line["id"].as_u64().and_then(|id| sent.get(&id));
    if let (Some((user_input, agent_response)), Ok(reply)) = (asked, outcome(line)) {
        judge.note(&reply, user_input, agent_response);
    }
}

#[test]
fn writers_killed_at_any_moment_lose_no_page_beside_readers() {
    // Long texts make a log that is checkpointed while it is written.
    for (n_writers, filler) in [(1, 0), (2, 0), (3, 40_000), (5, 0), (10, 0)] {
        let filler = " and so on".repeat(filler / 10);
        let what = format!("{n_writers} writers, seed {SEED:#x}");
        let data = TempDir::new().unwrap();
        let setup = Setup::new(data.path(), "ada");
        let (mut judge, mut dice, mut n_sent) = (Judge::default(), Dice(SEED), 0);
        for _ in 0..4 {
            let mut reader = setup.start();
            let mut writers = Vec::new();
            for _ in 0..n_writers {
                let mut writer = setup.spawn();
                writer.ask(
                    "initialize",
                    &json!({"protocolVersion": "2025-11-25",
                    "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}),
                );
                let sent = send(&mut writer, n_sent, &filler);
                n_sent += sent.len();
                writers.push((writer, sent));
            }
            // What was promised is known at once to whoever else is there.
            while !writers.is_empty() {
                let (mut writer, sent) = writers.swap_remove(dice.below(writers.len()));
                for _ in 0..dice.below(14) {
                    let line = writer.line().unwrap();
                    note(&mut judge, &sent, &line);
                    if line["id"].as_u64() == sent.keys().next_back().copied() {
                        break;
                    }
                }
                for line in writer.kill_and_read() {
                    note(&mut judge, &sent, &line);
                }
                if dice.below(4) == 0 {
                    assert_eq!(judge.count_lost(&mut reader), 0, "{what}");
                }
            }
            reader.kill_and_read();
        }
        demand(&setup, &judge, n_sent, &what);
    }
}

#[test]
fn a_copy_of_a_folder_under_three_writers_has_what_was_shown_before_it_began() {
    let data = TempDir::new().unwrap();
    let setup = Setup::new(data.path(), "ada");
    let shared = Shared::default();
    thread::scope(|scope| {
        start_writers(scope, &setup, &shared);
        let over = Over(&shared);
        let mut reader = setup.start();
        for round in 0..4 {
            shared.each_is_told("all writers add", |told| told.successes);
            let before = shared.judge().clone();
            reader.views_are_written(&setup);
            let elsewhere = TempDir::new().unwrap();
            let copy = Setup::new(elsewhere.path(), "ada");
            copy_tree(&setup.folder(), &copy.folder());
            let n_sent = shared.n_sent.load(Ordering::SeqCst);
            demand(&copy, &before, n_sent, &format!("copy {round}"));
        }
        drop(over);
    });
    let n_sent = shared.n_sent.load(Ordering::SeqCst);
    demand(&setup, &shared.judge(), n_sent, "the original");
}

#[test]
fn a_folder_moved_away_and_back_under_three_writers_loses_nothing_and_is_not_begun_anew() {
    let data = TempDir::new().unwrap();
    let setup = Setup::new(data.path(), "ada");
    let away = data.path().join("away");
    let shared = Shared::default();
    thread::scope(|scope| {
        start_writers(scope, &setup, &shared);
        let over = Over(&shared);
        for round in 0..10 {
            shared.each_is_told("all writers add", |told| told.successes);
            rename(&setup.folder(), &away);
            if round % 2 == 0 {
                shared.each_is_told("all writers are refused", |told| told.errors);
            }
            let left = fs::exists(setup.folder()).unwrap().then(|| names(&setup.folder()));
            assert_eq!(left, None, "round {round}: it was begun anew");
            rename(&away, &setup.folder());
        }
        shared.each_is_told("all writers add again", |told| told.successes);
        drop(over);
    });
    assert_eq!(names(data.path()).iter().filter(|name| *name != ".gitignore").count(), 1);
    let n_sent = shared.n_sent.load(Ordering::SeqCst);
    demand(&setup, &shared.judge(), n_sent, "after it was moved");
}

#[test]
fn a_version_raised_under_three_writers_ends_all_writing_and_no_reading() {
    let data = TempDir::new().unwrap();
    let setup = Setup::new(data.path(), "ada");
    let shared = Shared::default();
    let figures = |conn: &rusqlite::Connection| -> (i64, i64) {
        let sql = "SELECT (SELECT COUNT(*) FROM pages), (SELECT MAX(seq) FROM log)";
        conn.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
    };
    let conn = thread::scope(|scope| {
        start_writers(scope, &setup, &shared);
        let over = Over(&shared);
        shared.each_is_told("all writers add", |told| told.successes);
        let conn = rusqlite::Connection::open(setup.file("memory.db")).unwrap();
        conn.busy_timeout(PATIENCE).unwrap();
        conn.execute_batch("BEGIN IMMEDIATE; PRAGMA user_version = 99").unwrap();
        let before = figures(&conn);
        conn.execute_batch("COMMIT").unwrap();
        shared.each_is_told("all writers are refused", |told| told.errors);
        let mut reader = setup.start();
        assert_eq!(shared.judge().count_lost(&mut reader), 0);
        let page = json!({"user_input": "one more", "agent_response": "no"});
        assert!(reader.tool("add_memory", &page).is_err());
        assert_eq!(figures(&conn), before, "nothing was written any more");
        drop(over);
        (conn, before)
    });
    let (conn, before) = conn;
    assert_eq!(figures(&conn), before, "nothing was written at the end either");
    conn.execute_batch("PRAGMA user_version = 2").unwrap();
    conn.close().unwrap();
    demand(&setup, &shared.judge(), usize::MAX, "with the old version");
}

#[test]
fn a_full_disk_under_three_writers_refuses_adds_and_loses_nothing() {
    let Some(disk) = SmallDisk::of(64) else { return };
    // Room for what a start needs beside what is stored by then: a copy of the log.
    let reserve = disk.path().join("reserve");
    put(&reserve, vec![1; 32 << 20]);
    let setup = Setup::new(disk.path(), "ada");
    let shared = Shared::default();
    thread::scope(|scope| {
        start_writers(scope, &setup, &shared);
        let over = Over(&shared);
        shared.each_is_told("all writers add", |told| told.successes);
        let mut reader = setup.start();
        disk.fill();
        shared.each_is_told("all writers are refused", |told| told.errors);
        let promised = shared.judge().clone();
        assert_eq!(promised.count_lost(&mut reader), 0, "reads go on");
        let mut fresh = setup.start();
        assert_eq!(promised.count_lost(&mut fresh), 0, "a fresh process reads too");
        assert_eq!(fresh.close().0, Some(0));
        drop(over);
    });
    disk.make_room();
    fs::remove_file(reserve).unwrap();
    let n_sent = shared.n_sent.load(Ordering::SeqCst);
    demand(&setup, &shared.judge(), n_sent, "after room was made");
    let page = json!({"user_input": "there is room again", "agent_response": "good"});
    setup.start().tool("add_memory", &page).unwrap();
}
