//! How the program ends: at the end of its input, at a signal, when its client is gone.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::said::{hold_write, page};
use crate::support::{PATIENCE, Server, Setup, one_takes_less_than, outcome};

const SOON: Duration = Duration::from_secs(3);

pub(crate) fn terminate(server: &Server) {
    let pid = server.pid().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
}

#[test]
fn the_end_of_the_input_ends_the_program_within_a_second_with_code_0() {
    one_takes_less_than(SOON, || {
        let dir = TempDir::new().unwrap();
        let mut server = Setup::new(dir.path(), "ada").start();
        for n in 0..20 {
            server.tool("add_memory", &page(&format!("page {n}"))).unwrap();
        }
        let start = Instant::now();
        let (code, said) = server.close();
        assert_eq!((code, said.as_str()), (Some(0), ""));
        start.elapsed()
    });
}

#[test]
fn at_the_end_of_the_input_an_add_that_waits_for_the_lock_is_still_carried_out() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    let mut server = setup.start();
    let held = hold_write(&mut server, &setup);
    server.ask_tool("add_memory", &page("one"));
    let ping = server.ask("ping", &json!({}));
    server.end_input();
    assert_eq!(server.line().unwrap()["id"], ping);
    held.unlock().unwrap();
    let reply = server.line().unwrap();
    assert_eq!(outcome(&reply).unwrap()["status"], "success");
    assert_eq!(server.wait().0, Some(0));
    assert_eq!(setup.start().info()["memory_stats"]["total_pages"], 1);
}

#[test]
fn the_end_is_not_held_up_by_another_process_that_writes() {
    one_takes_less_than(SOON, || {
        let dir = TempDir::new().unwrap();
        let setup = Setup::new(dir.path(), "ada");
        let mut server = setup.start();
        for n in 0..20 {
            server.tool("add_memory", &page(&format!("page {n}"))).unwrap();
        }
        // A recall is counted as a visit, written at the end where that can be done at once.
        server.tool("retrieve_memory", &json!({"query": "page 3"})).unwrap();
        let _held = hold_write(&mut server, &setup);
        let start = Instant::now();
        assert_eq!(server.close().0, Some(0));
        start.elapsed()
    });
}

#[cfg(unix)]
#[test]
fn a_signal_to_stop_fails_the_add_that_waits_for_the_lock_within_a_second() {
    one_takes_less_than(SOON, stop_while_adds_wait);
}

/// Stops a server while two adds wait for the lock; returns how long it took.
#[cfg(unix)]
fn stop_while_adds_wait() -> Duration {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    let mut server = setup.start();
    let held = hold_write(&mut server, &setup);
    let ids = [0, 1].map(|n| server.ask_tool("add_memory", &page(&format!("page {n}"))));
    let ping = server.ask("ping", &json!({}));
    assert_eq!(server.line().unwrap()["id"], ping);
    let start = Instant::now();
    terminate(&server);
    for id in ids {
        let reply = server.line().unwrap();
        assert_eq!(reply["id"], id);
        let said = outcome(&reply).unwrap_err();
        assert!(said.contains("the server is stopping"), "{said}");
    }
    assert_eq!(server.wait().0, Some(0));
    let taken = start.elapsed();
    drop(held);
    assert_eq!(setup.start().info()["memory_stats"]["total_pages"], 0);
    taken
}

#[cfg(unix)]
#[test]
fn at_a_signal_to_stop_every_request_is_answered_and_what_succeeded_is_kept() {
    // A busy machine may be late with the signal, or with what is to be answered within a second.
    let mut late = Vec::new();
    while let Err(why) = stop_among_sixty_adds() {
        late.push(why);
        assert!(late.len() < 5, "{late:?}");
    }
}

/// Stops a server while it carries out sixty adds.
///
/// # Errors
///
/// What was late, where that says nothing of the program.
#[cfg(unix)]
fn stop_among_sixty_adds() -> Result<(), String> {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    let mut server = setup.start();
    let held = hold_write(&mut server, &setup);
    // Long texts, so that the signal finds most of them waiting.
    let long = "The tomatoes want water. ".repeat(2_000);
    let ids: Vec<u64> =
        (0..60).map(|n| server.ask_tool("add_memory", &page(&format!("{n} {long}")))).collect();
    let ping = server.ask("ping", &json!({}));
    if server.line().unwrap()["id"] != ping {
        return Err("the lock was waited for too long".to_owned());
    }
    // All sixty are on their way now; the signal comes while they are carried out.
    held.unlock().unwrap();
    let first = server.line().unwrap();
    assert_eq!(first["id"], ids[0]);
    let start = Instant::now();
    terminate(&server);
    let replies: Vec<Value> = std::iter::from_fn(|| server.line()).collect();
    let (code, said) = server.wait();
    assert_eq!(code, Some(0));
    let taken = start.elapsed();
    let mut stored = 1;
    for (n, reply) in (1..).zip(&replies) {
        assert_eq!(reply["id"], ids[n]);
        match outcome(reply) {
            Ok(_) => {
                assert_eq!(stored, n, "an add was carried out after one that was not");
                stored += 1;
            }
            Err(said) => assert!(said.contains("the server is stopping"), "{said}"),
        }
    }
    if said.contains("stopped before every call was answered") {
        return Err(format!("{} answers were there in time", replies.len()));
    }
    assert_eq!(replies.len(), 59);
    assert_eq!(setup.start().info()["memory_stats"]["total_pages"], stored);
    if stored == 60 || taken >= SOON {
        return Err(format!("{stored} were stored, and it took {taken:?}"));
    }
    Ok(())
}

#[test]
fn a_program_whose_output_nobody_reads_ends_although_its_input_is_open() {
    let dir = TempDir::new().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_memoryos"))
        .env_clear()
        .args(["--user-id", "ada", "--data-path"])
        .arg(dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().unwrap();
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    writeln!(stdin, "{ping}").unwrap();
    let (ended, end) = channel();
    std::thread::spawn(move || ended.send(child.wait()));
    let status = end.recv_timeout(PATIENCE).unwrap().unwrap();
    assert_eq!(status.code(), Some(0));
    drop(stdin);
}
