//! A lock that another program holds: what waits for it, what does not, and what is said.

use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::said::{hold_write, page};
use crate::support::{Server, Setup, one_takes_less_than, outcome};

fn total_pages(server: &mut Server) -> Value {
    server.info()["memory_stats"]["total_pages"].take()
}

#[test]
fn a_ping_and_a_listing_do_not_wait_for_an_add_that_waits_for_the_lock() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    let mut server = setup.start();
    let held = hold_write(&mut server, &setup);
    let add = server.ask_tool("add_memory", &page("one"));
    let ping = server.ask("ping", &json!({}));
    let list = server.ask("tools/list", &json!({}));
    // Both are here while the lock is held: it is released only afterwards.
    assert_eq!(server.line().unwrap()["id"], ping);
    assert_eq!(server.line().unwrap()["id"], list);
    held.unlock().unwrap();
    let reply = server.line().unwrap();
    assert_eq!(reply["id"], add);
    assert_eq!(outcome(&reply).unwrap()["details"]["total_pages"], 1);
}

#[test]
fn a_lock_held_for_longer_than_five_seconds_is_an_error_that_names_its_holder() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    let mut server = setup.start();
    let held = hold_write(&mut server, &setup);
    let said = server.tool("add_memory", &page("one")).unwrap_err();
    assert!(said.starts_with("nothing was stored: the write lock is held by "), "{said}");
    if cfg!(target_os = "linux") {
        assert!(said.contains(&format!("process {} ", std::process::id())), "{said}");
    }
    assert_eq!(total_pages(&mut server), 0);
    held.unlock().unwrap();
    assert_eq!(server.tool("add_memory", &page("one")).unwrap()["details"]["duplicate"], false);
}

#[test]
fn reads_go_on_while_another_process_holds_the_write_lock() {
    // Neither waits for the lock, which is given up after five seconds.
    one_takes_less_than(Duration::from_secs(4), || {
        let dir = TempDir::new().unwrap();
        let setup = Setup::new(dir.path(), "ada");
        let mut server = setup.start();
        server.tool("add_memory", &page("one")).unwrap();
        let _held = hold_write(&mut server, &setup);
        let start = Instant::now();
        let found = server.tool("retrieve_memory", &json!({"query": "one"})).unwrap();
        assert_eq!(found["short_term_count"], 1);
        // A process that starts now reads as well.
        assert_eq!(total_pages(&mut setup.start()), 1);
        start.elapsed()
    });
}

#[test]
fn a_transaction_of_another_program_is_an_error_that_says_nothing_was_stored() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    let mut server = setup.start();
    server.tool("add_memory", &page("one")).unwrap();
    let other = Connection::open(setup.file("memory.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let add = server.ask_tool("add_memory", &page("two"));
    let ping = server.ask("ping", &json!({}));
    assert_eq!(server.line().unwrap()["id"], ping);
    let reply = server.line().unwrap();
    assert_eq!(reply["id"], add);
    let said = outcome(&reply).unwrap_err();
    assert!(said.starts_with("nothing was stored: "), "{said}");
    assert!(said.contains("locked"), "{said}");
    other.execute_batch("ROLLBACK").unwrap();
    let stored = server.tool("add_memory", &page("two")).unwrap();
    assert_eq!(
        (&stored["details"]["duplicate"], &stored["details"]["total_pages"]),
        (&json!(false), &json!(2))
    );
}
