//! Many processes serve one user at the same time.

use std::thread;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::said::{about, page};
use crate::support::{Server, Setup};

/// The figures that two processes must agree on.
fn figures(server: &mut Server) -> Vec<Value> {
    let stats = server.info()["memory_stats"].take();
    let names = [
        "total_pages",
        "short_term_pages",
        "mid_term_pages",
        "mid_term_segments",
        "sequence_number",
    ];
    names.iter().map(|name| stats[name].clone()).collect()
}

fn tokenised(server: &mut Server) -> u64 {
    server.info()["memory_stats"]["work"]["pages_tokenised"].as_u64().unwrap()
}

fn newest(server: &mut Server) -> Vec<String> {
    let reply = server.tool("retrieve_memory", &json!({"query": "anything"})).unwrap();
    let pages = reply["short_term_memory"].as_array().unwrap().iter();
    pages.map(|p| p["user_input"].as_str().unwrap().to_owned()).collect()
}

/// Lets `n_writers` processes add at the same time; returns the ids of all pages.
fn write_at_once(setup: &Setup, n_writers: usize, n_pages: usize) -> Vec<String> {
    thread::scope(|scope| {
        let writers: Vec<_> = (0..n_writers)
            .map(|writer| {
                scope.spawn(move || {
                    let mut server = setup.start();
                    let calls: Vec<(&str, Value)> = (0..n_pages)
                        .map(|n| ("add_memory", page(&format!("writer {writer}, page {n}"))))
                        .collect();
                    let replies = server.tools(&calls);
                    assert_eq!(server.close().0, Some(0));
                    let id = |r: Result<Value, String>| {
                        r.unwrap()["memory_id"].as_str().unwrap().to_owned()
                    };
                    replies.into_iter().map(id).collect::<Vec<_>>()
                })
            })
            .collect();
        writers.into_iter().flat_map(|w| w.join().unwrap()).collect()
    })
}

fn demand_all(setup: &Setup, ids: &[String]) {
    let mut server = setup.start();
    assert_eq!(server.info()["memory_stats"]["total_pages"], ids.len() as u64);
    let calls: Vec<(&str, Value)> =
        ids.iter().map(|id| ("retrieve_memory", json!({"memory_id": id}))).collect();
    for (id, outcome) in ids.iter().zip(server.tools(&calls)) {
        assert_eq!(outcome.unwrap()["retrieved_pages"][0]["memory_id"], *id);
    }
}

#[test]
fn two_processes_add_500_pages_each_at_once_and_a_third_finds_all_1000() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    let ids = write_at_once(&setup, 2, 500);
    demand_all(&setup, &ids);
}

#[test]
fn none_of_ten_writers_fails() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    let ids = write_at_once(&setup, 10, 20);
    demand_all(&setup, &ids);
}

#[test]
fn ten_processes_that_start_at_once_on_a_new_data_directory_serve_one_generated_user() {
    let dir = TempDir::new().unwrap();
    // An empty id counts as none.
    let setup = Setup::new(dir.path(), "");
    let users: Vec<String> = thread::scope(|scope| {
        let started: Vec<_> = (0..10)
            .map(|_| scope.spawn(|| setup.start().info()["user_id"].as_str().unwrap().to_owned()))
            .collect();
        started.into_iter().map(|s| s.join().unwrap()).collect()
    });
    assert!(users[0].starts_with("user_"), "{users:?}");
    assert!(users.iter().all(|user| *user == users[0]), "{users:?}");
}

#[test]
fn a_page_of_another_process_is_found_at_the_next_call() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    let (mut a, mut b) = (setup.start(), setup.start());
    for n in 0..10 {
        let word = format!("zebra{n}");
        a.tool("add_memory", &page(&word)).unwrap();
        assert_eq!(newest(&mut b).last().unwrap(), &word);
        b.tool("add_memory", &page(&format!("answer to {word}"))).unwrap();
        assert_eq!(newest(&mut a).last().unwrap(), &format!("answer to {word}"));
    }
    // By now the first pages are filed, and the ranking of either process finds them.
    for server in [&mut a, &mut b] {
        let asked = json!({"query": "zebra0", "max_results": 1});
        let found = server.tool("retrieve_memory", &asked).unwrap();
        let text = found["retrieved_pages"][0]["user_input"].as_str().unwrap();
        assert!(text.contains("zebra0"), "{text}");
    }
}

#[test]
fn processes_agree_on_every_figure_after_interleaved_adds_and_tokenise_nothing_twice() {
    let dir = TempDir::new().unwrap();
    // Hardly a page joins a topic, so that topics are founded and merged all the time.
    let setup = Setup::new(dir.path(), "ada")
        .var("MEMORYOS_SIMILARITY_THRESHOLD", "1.9")
        .var("MEMORYOS_MID_TERM_CAPACITY", "4");
    let (mut a, mut b) = (setup.start(), setup.start());
    // Both have read the folder before there is anything in it.
    a.info();
    b.info();
    for n in 0..60 {
        let server = if n % 3 == 0 { &mut a } else { &mut b };
        server.tool("add_memory", &page(&about(n))).unwrap();
    }
    let all = figures(&mut a);
    assert_eq!(all, figures(&mut b));
    assert_eq!((tokenised(&mut a), tokenised(&mut b)), (60, 60));
    assert_eq!(all[0], 60);
    // What one process worked out is what is stored, filing and merging included.
    assert_eq!(all, figures(&mut setup.start()));
    assert_eq!(all[3], 4, "{all:?}");
    for question in ["tomatoes", "the boat", "piano", "receipts", "bread"] {
        let asked = json!({"query": question, "max_results": 20, "max_chars": 200_000});
        let found = [&mut a, &mut b].map(|server| {
            server.tool("retrieve_memory", &asked).unwrap()["retrieved_pages"].take()
        });
        assert_eq!(found[0], found[1]);
        assert!(!found[0].as_array().unwrap().is_empty());
    }
}

#[test]
fn order_is_that_of_adding_even_when_the_times_step_back() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    let (mut a, mut b) = (setup.start(), setup.start());
    let said =
        ["2026-05-04T12:00:00Z", "2026-05-03T12:00:00Z", "2026-05-02T12:00:00Z", "2020-01-01"];
    for (n, timestamp) in said.iter().enumerate() {
        let mut page = page(&format!("number {n}"));
        page["timestamp"] = json!(timestamp);
        let server = if n % 2 == 0 { &mut a } else { &mut b };
        server.tool("add_memory", &page).unwrap();
    }
    let expected = ["number 1", "number 2", "number 3"];
    for server in [&mut a, &mut b, &mut setup.start()] {
        assert_eq!(newest(server), expected);
    }
}

#[test]
fn the_same_exchange_is_stored_once_also_by_two_processes_at_once() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    let added = |reply: Result<Value, String>| {
        let reply = reply.unwrap();
        let id = reply["memory_id"].as_str().unwrap().to_owned();
        (id, reply["details"]["duplicate"].as_bool().unwrap())
    };
    let outcomes: Vec<Vec<(String, bool)>> = thread::scope(|scope| {
        let writers = [0, 1].map(|_| {
            scope.spawn(|| {
                let mut server = setup.start();
                let calls: Vec<(&str, Value)> =
                    (0..100).map(|n| ("add_memory", page(&format!("same {n}")))).collect();
                server.tools(&calls).into_iter().map(added).collect()
            })
        });
        writers.map(|w| w.join().unwrap()).into()
    });
    for (one, other) in outcomes[0].iter().zip(&outcomes[1]) {
        assert_eq!(one.0, other.0, "both are told the same id");
        assert!(one.1 != other.1, "one stores it, the other is told so: {one:?} {other:?}");
    }
    assert_eq!(setup.start().info()["memory_stats"]["total_pages"], 100);
}

#[test]
fn an_exchange_is_the_same_by_its_texts_and_its_given_time() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    let mut server = setup.start();
    let at = |text: &str, time: Option<&str>| {
        let mut page = page(text);
        if let Some(time) = time {
            page["timestamp"] = json!(time);
        }
        page
    };
    let steps = [
        (at("thanks", None), false),
        (at("thanks", None), true),
        (at("thanks", Some("2026-05-01T10:00:00Z")), false),
        (at("thanks", Some("2026-05-01T10:00:00Z")), true),
        (at("thanks", Some("2026-05-01 10:00:00")), true),
        (at("thanks", Some("2026-05-02T10:00:00Z")), false),
        (at("thanks!", Some("2026-05-02T10:00:00Z")), false),
    ];
    for (page, duplicate) in steps {
        let reply = server.tool("add_memory", &page).unwrap();
        assert_eq!(reply["details"]["duplicate"], duplicate, "{page}");
        assert_eq!(reply["message"].as_str().unwrap().contains("stored already"), duplicate);
    }
    server.close();
    // What was stored before this process started counts as well.
    let mut server = setup.start();
    let reply = server.tool("add_memory", &at("thanks", Some("2026-05-01T10:00:00Z"))).unwrap();
    assert_eq!(reply["details"]["duplicate"], true);
    assert_eq!(reply["details"]["total_pages"], 4);
}
