//! What a recall shows, and what stays when settings change.

use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::said::{about, page};
use crate::support::{Judge, Server, Setup};

fn filled(setup: &Setup, n: usize) -> Server {
    let mut server = setup.start();
    let calls: Vec<(&str, Value)> = (0..n).map(|n| ("add_memory", page(&about(n)))).collect();
    for outcome in server.tools(&calls) {
        outcome.unwrap();
    }
    server
}

fn ids(pages: &Value) -> Vec<&str> {
    pages.as_array().unwrap().iter().map(|p| p["memory_id"].as_str().unwrap()).collect()
}

#[test]
fn what_is_in_short_term_memory_is_not_shown_a_second_time() {
    let dir = TempDir::new().unwrap();
    let mut server = filled(&Setup::new(dir.path(), "ada"), 40);
    for query in ["the sails of the boat", "Page 39", "sourdough bread", "tomatoes Page 36"] {
        let asked = json!({"query": query, "max_results": 100, "max_chars": 200_000});
        let reply = server.tool("retrieve_memory", &asked).unwrap();
        let (newest, found) = (ids(&reply["short_term_memory"]), ids(&reply["retrieved_pages"]));
        assert_eq!(newest.len(), 3);
        assert!(!found.is_empty());
        assert!(found.iter().all(|id| !newest.contains(id)), "{query}");
        assert_eq!(reply["total_pages_found"], found.len());
        let segments = reply["retrieved_pages"].as_array().unwrap().iter();
        assert!(segments.map(|p| &p["segment"]["id"]).all(Value::is_u64), "{reply}");
    }
}

#[test]
fn max_results_bounds_what_is_retrieved_and_the_setting_is_its_default() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada").var("MEMORYOS_RETRIEVAL_CAPACITY", "4");
    let mut server = filled(&setup, 60);
    for (max_results, n) in [(json!(1), 1), (json!(2), 2), (json!("7"), 7), (Value::Null, 4)] {
        let asked = json!({"query": "the sails of the boat in Kiel", "max_results": max_results});
        let reply = server.tool("retrieve_memory", &asked).unwrap();
        assert_eq!(ids(&reply["retrieved_pages"]).len(), n, "{max_results}");
    }
}

#[test]
fn the_visits_of_a_recall_are_kept_at_the_end() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    let mut server = filled(&setup, 30);
    server.tool("retrieve_memory", &json!({"query": "the sails of the boat"})).unwrap();
    server.close();
    let db = Connection::open(setup.file("memory.db")).unwrap();
    let visits = || -> i64 {
        db.query_row("SELECT SUM(visits) FROM segments", [], |row| row.get(0)).unwrap()
    };
    let first = visits();
    assert!(first >= 1, "{first}");
    let mut server = setup.start();
    server.tool("retrieve_memory", &json!({"query": "piano lessons"})).unwrap();
    server.close();
    assert!(visits() > first, "{first}");
    // Looking at figures or at one page is no visit.
    let before = visits();
    let mut server = setup.start();
    server.info();
    server.close();
    assert_eq!(visits(), before);
}

#[test]
fn a_smaller_and_a_larger_short_term_memory_lose_nothing() {
    let dir = TempDir::new().unwrap();
    let sized = |n: &str| Setup::new(dir.path(), "ada").var("MEMORYOS_SHORT_TERM_CAPACITY", n);
    let mut judge = Judge::default();
    for (capacity, in_short_term) in [("10", 10), ("3", 3), ("10", 10), ("1", 1), ("25", 12)] {
        let setup = sized(capacity);
        let mut server = setup.start();
        let opened = server.info()["memory_stats"]["short_term_pages"].as_u64().unwrap();
        assert!(opened <= in_short_term as u64, "{opened} pages with a capacity of {capacity}");
        judge.add(&mut server, 11);
        let stats = server.info()["memory_stats"].take();
        assert_eq!(stats["short_term_pages"], in_short_term, "{capacity}");
        assert_eq!(stats["mid_term_pages"], judge.len() - in_short_term);
        server.close();
        judge.demand_all(&setup);
    }
}

#[test]
fn a_page_is_read_whole_in_parts() {
    let dir = TempDir::new().unwrap();
    let mut server = Setup::new(dir.path(), "ada").start();
    let text = (0..9_000).map(|n| n.to_string()).collect::<Vec<_>>().join(" ");
    let id = server.tool("add_memory", &page(&text)).unwrap()["memory_id"].take();
    let (mut whole, mut offset, mut parts) = (String::new(), json!(0), 0);
    while !offset.is_null() {
        let asked = json!({"memory_id": id, "offset": offset, "max_chars": 20_000});
        let mut reply = server.tool("retrieve_memory", &asked).unwrap();
        assert!(reply.to_string().chars().count() <= 20_000);
        whole.push_str(reply["retrieved_pages"][0]["user_input"].as_str().unwrap());
        offset = reply["next_offset"].take();
        parts += 1;
    }
    assert_eq!(whole, text);
    assert!(parts > 1);
}

#[test]
fn meta_data_and_the_given_time_come_back_as_they_were() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    let meta_data = json!({"z": 1, "a": [1.5, null, {"deep": "\u{e9}\u{1f600}"}], "b": 1e30});
    let mut given = page("hello");
    given["meta_data"] = meta_data.clone();
    given["timestamp"] = json!("2026-05-01T09:30:00+05:30");
    let id = setup.start().tool("add_memory", &given).unwrap()["memory_id"].take();
    let reply = setup.start().tool("retrieve_memory", &json!({"memory_id": id})).unwrap();
    let found = &reply["retrieved_pages"][0];
    assert_eq!(found["meta_data"].to_string(), meta_data.to_string());
    assert_eq!(found["timestamp"], "2026-05-01T09:30:00+05:30");
}
