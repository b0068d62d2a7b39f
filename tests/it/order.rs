//! Requests take effect and are answered in the order in which they were sent.

use std::sync::mpsc::channel;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::said::{about, hold_write, page};
use crate::support::{Setup, outcome};

/// Adds that are piped in one go.
const MANY: usize = 5_000;

#[test]
fn five_thousand_adds_and_one_retrieve_piped_in_one_go_are_all_answered_in_order_and_kept() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    let mut server = setup.start();
    let mut ids: Vec<u64> =
        (0..MANY).map(|n| server.ask_tool("add_memory", &page(&about(n)))).collect();
    ids.push(server.ask_tool("retrieve_memory", &json!({"query": "Page 4321", "max_results": 1})));
    server.end_input();
    let mut last = Value::Null;
    for (n, id) in ids.iter().enumerate() {
        let reply = server.line().unwrap();
        assert_eq!(reply["id"], *id);
        last = outcome(&reply).unwrap();
        if n < MANY {
            assert_eq!(last["details"]["total_pages"], n as u64 + 1);
        }
    }
    assert_eq!(server.line(), None);
    assert_eq!(server.wait().0, Some(0));
    // The retrieve saw every add before it.
    assert_eq!(last["short_term_memory"][2]["user_input"], about(MANY - 1));
    assert_eq!(setup.start().info()["memory_stats"]["total_pages"], MANY as u64);
}

#[test]
fn what_is_sent_between_two_adds_sees_the_first_and_not_the_second() {
    let dir = TempDir::new().unwrap();
    let mut server = Setup::new(dir.path(), "ada").start();
    let calls: Vec<(&str, Value)> = (0..100)
        .flat_map(|n| [("add_memory", page(&about(n))), ("get_user_info", json!({}))])
        .collect();
    let outcomes = server.tools(&calls);
    for (n, pair) in outcomes.chunks(2).enumerate() {
        let seen = &pair[1].as_ref().unwrap()["memory_stats"]["total_pages"];
        assert_eq!(*seen, n as u64 + 1);
    }
}

#[test]
fn replies_to_calls_come_in_the_order_of_the_calls_and_a_ping_goes_ahead() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    let mut server = setup.start();
    let held = hold_write(&mut server, &setup);
    let add = server.ask_tool("add_memory", &page("held up"));
    let refused = server.ask_tool("add_memory", &json!({"user_input": 1}));
    let ping = server.ask("ping", &json!({}));
    // By now the refusal is there as well, and waits for its turn.
    assert_eq!(server.line().unwrap()["id"], ping);
    held.unlock().unwrap();
    assert_eq!(server.line().unwrap()["id"], add);
    let reply = server.line().unwrap();
    assert_eq!((&reply["id"], outcome(&reply).is_err()), (&json!(refused), true));
}

#[test]
fn reading_pauses_while_sixty_four_requests_are_open() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    let mut server = setup.start();
    let held = hold_write(&mut server, &setup);
    let (done, is_done) = channel();
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            // 800 KB: more than the pipe and every buffer on the way hold.
            let long = "word ".repeat(800);
            for n in 0..200 {
                server.ask_tool("add_memory", &page(&format!("{n} {long}")));
            }
            done.send(()).unwrap();
        });
        assert!(is_done.recv_timeout(Duration::from_millis(500)).is_err());
        held.unlock().unwrap();
        writing.join().unwrap();
    });
    let answered = (0..200).filter(|_| outcome(&server.line().unwrap()).is_ok()).count();
    assert_eq!(answered, 200);
}
