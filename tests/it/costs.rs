//! What calls cost, counted: as much with thousands of pages as with a hundred.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::said::{about, page};
use crate::support::{Server, Setup, put, sql};

/// Pages of the large memory.
const MANY: usize = 20_000;

/// Pages of the small one.
const FEW: usize = 100;

/// What was counted between two looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Costs {
    pages_tokenised: u64,
    rows_read: u64,
    rows_written: u64,
    segments_written: u64,
}

fn counted(server: &mut Server) -> Costs {
    let work = server.info()["memory_stats"]["work"].take();
    let read = |name: &str| work[name].as_u64().unwrap();
    Costs {
        pages_tokenised: read("pages_tokenised"),
        rows_read: read("rows_read"),
        rows_written: read("rows_written"),
        segments_written: read("segments_written"),
    }
}

impl Costs {
    fn since(self, before: Self) -> Self {
        Self {
            pages_tokenised: self.pages_tokenised - before.pages_tokenised,
            rows_read: self.rows_read - before.rows_read,
            rows_written: self.rows_written - before.rows_written,
            segments_written: self.segments_written - before.segments_written,
        }
    }
}

/// Makes a memory of `n` pages in one go, from a file as the Python program left it, with all of
/// its derived data and views.
fn filled(data: &std::path::Path, n: usize) -> Setup {
    let setup = Setup::new(data, "ada");
    fs::create_dir_all(setup.folder()).unwrap();
    let pages: Vec<Value> = (0..n)
        .map(|n| {
            let mut entry = page(&about(n));
            let (day, minute) = (1 + n / 1440, n % 1440);
            entry["timestamp"] = json!(format!(
                "2025-{:02}-{:02} {:02}:{:02}:00",
                1 + day / 28,
                1 + day % 28,
                minute / 60,
                minute % 60
            ));
            entry
        })
        .collect();
    put(&setup.file("short_term_memory.json"), json!(pages).to_string());
    let mut server = setup.start();
    assert_eq!(server.info()["memory_stats"]["total_pages"], n as u64);
    assert_eq!(server.close().0, Some(0));
    setup
}

/// What each kind of call costs, in the order of the promises.
#[derive(Debug, PartialEq, Eq)]
struct Bill {
    opening: u64,
    add: Costs,
    catch_up: Costs,
    retrieve: Costs,
}

fn bill(setup: &Setup) -> Bill {
    let (mut a, mut b) = (setup.start(), setup.start());
    let opening = counted(&mut a).pages_tokenised;
    assert_eq!(counted(&mut b).pages_tokenised, opening);
    let (a_before, b_before) = (counted(&mut a), counted(&mut b));
    a.tool("add_memory", &page("a page of a")).unwrap();
    // To count is a call: it takes in what the other process has written.
    let (a_after, b_after) = (counted(&mut a), counted(&mut b));
    let query = json!({"query": "Who mended the sails?", "max_results": 5});
    let found = b.tool("retrieve_memory", &query).unwrap();
    assert_eq!(found["retrieved_pages"].as_array().unwrap().len(), 5);
    Bill {
        opening,
        add: a_after.since(a_before),
        catch_up: b_after.since(b_before),
        retrieve: counted(&mut b).since(b_after),
    }
}

#[test]
fn an_add_a_catch_up_and_a_retrieve_cost_the_same_in_a_small_and_in_a_large_memory() {
    let dir = TempDir::new().unwrap();
    let small = bill(&filled(&dir.path().join("small"), FEW));
    let large = bill(&filled(&dir.path().join("large"), MANY));
    for bill in [&small, &large] {
        assert_eq!(bill.opening, 0, "derived data is used: {bill:?}");
        let Costs { pages_tokenised, rows_read, rows_written, segments_written } = bill.add;
        assert_eq!((pages_tokenised, segments_written), (1, 1), "{bill:?}");
        assert!(rows_read <= 40 && rows_written <= 8, "{bill:?}");
        // The log's row, the page, its texts, the segment and its mean.
        let seen = Costs { pages_tokenised: 1, rows_read: 5, rows_written: 0, segments_written: 0 };
        assert_eq!(bill.catch_up, seen);
        let read = Costs { pages_tokenised: 0, rows_read: 10, ..seen };
        assert_eq!(bill.retrieve, read);
    }
    assert!(large.add.rows_read <= small.add.rows_read + 32, "{small:?} {large:?}");
}

#[test]
fn derived_data_that_is_gone_is_made_again_once() {
    let dir = TempDir::new().unwrap();
    let setup = filled(dir.path(), FEW);
    let opening = || {
        let mut server = setup.start();
        let opening = counted(&mut server).pages_tokenised;
        server.close();
        opening
    };
    assert_eq!(opening(), 0);
    fs::remove_dir_all(setup.file("embeddings")).unwrap();
    assert_eq!(opening(), FEW as u64);
    assert_eq!(opening(), 0);
}

#[test]
fn derived_data_that_was_changed_is_made_again() {
    let dir = TempDir::new().unwrap();
    let setup = filled(dir.path(), FEW);
    let other = "UPDATE analyses SET analysis = (SELECT analysis FROM analyses WHERE slot = 2) \
                 WHERE slot = 1";
    sql(&setup.file("embeddings/static-128.db"), other);
    let mut server = setup.start();
    assert_eq!(counted(&mut server).pages_tokenised, 1);
    let query = json!({"query": about(0), "max_results": 1});
    let found = server.tool("retrieve_memory", &query).unwrap();
    assert_eq!(found["retrieved_pages"][0]["user_input"], page(&about(0))["user_input"]);
}

#[cfg(target_os = "linux")]
#[test]
fn an_add_writes_as_many_bytes_in_a_large_memory_as_in_a_small_one() {
    let dir = TempDir::new().unwrap();
    let start = |n: usize| {
        let setup = filled(&dir.path().join(n.to_string()), n);
        (setup.start(), setup)
    };
    let (mut few, mut many) = (start(FEW), start(4_000));
    let mut rounds = Vec::new();
    // A busy machine makes pauses, in which the log is taken in and views are written.
    while rounds.len() < 10 {
        let n = rounds.len();
        rounds.push((written_by_adds(&mut few, n), written_by_adds(&mut many, n)));
        let least = |of: fn(&(u64, u64)) -> u64| rounds.iter().map(of).min().unwrap();
        if n >= 2 && least(|round| round.1) < 2 * least(|round| round.0) {
            return;
        }
    }
    panic!("bytes with {FEW} pages and with 4,000: {rounds:?}");
}

/// Bytes that ten adds make a server write, its views included.
#[cfg(target_os = "linux")]
fn written_by_adds((server, setup): &mut (Server, Setup), round: usize) -> u64 {
    let before = bytes_written(server);
    // One after another: those that wait together would share a commit.
    for n in 0..10 {
        server.tool("add_memory", &page(&format!("new {round} {n}"))).unwrap();
    }
    server.views_are_written(setup);
    bytes_written(server) - before
}

/// Bytes that a process has handed to the system for writing.
#[cfg(target_os = "linux")]
fn bytes_written(server: &Server) -> u64 {
    let io = fs::read_to_string(format!("/proc/{}/io", server.pid())).unwrap();
    let line = io.lines().find(|line| line.starts_with("wchar:")).unwrap();
    line.trim_start_matches("wchar:").trim().parse().unwrap()
}

#[test]
fn a_log_does_not_grow_with_a_writer_who_never_pauses() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    let mut server = setup.start();
    for n in 0..2000 {
        server.tool("add_memory", &page(&about(n))).unwrap();
    }
    let n_bytes = fs::metadata(setup.file("memory.db-wal")).unwrap().len();
    assert!(n_bytes <= 12 << 20, "{n_bytes} bytes of log");
}
