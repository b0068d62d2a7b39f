//! What the user says of themselves: known at the next call, to every process, and after any damage.

use std::fs;

use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::said::{about, page};
use crate::support::{Server, Setup, names_with, put, sql};

fn say(server: &mut Server, text: &str) -> String {
    let reply = server.tool("add_memory", &page(text)).unwrap();
    reply["memory_id"].as_str().unwrap().to_owned()
}

fn profile(server: &mut Server) -> Value {
    server.tool("get_user_profile", &json!({"include_assistant_knowledge": true})).unwrap()
}

/// The clauses that are known about the user, newest first.
fn known(server: &mut Server) -> Vec<String> {
    let profile = profile(server);
    let facts = profile["user_knowledge"].as_array().unwrap().iter();
    facts.map(|fact| fact["knowledge"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_a_user_says_first_is_in_the_profile_at_once() {
    let dir = TempDir::new().unwrap();
    let mut server = Setup::new(dir.path(), "ada").start();
    assert_eq!(profile(&mut server)["user_profile"], "None");
    let id = say(&mut server, "My name is Ada and I am allergic to nuts");
    let known = profile(&mut server);
    let shown = known["user_profile"].as_str().unwrap();
    assert_eq!(shown, "Identity: My name is Ada.\nHealth: I am allergic to nuts.");
    assert_eq!(known["user_knowledge_count"], 2);
    for fact in known["user_knowledge"].as_array().unwrap() {
        assert_eq!(fact["memory_ids"], json!([id]));
    }
    let asked = json!({"query": "Is there anything I am allergic to?"});
    let found = server.tool("retrieve_memory", &asked).unwrap();
    let facts = found["retrieved_user_knowledge"].as_array().unwrap();
    assert_eq!(facts[0]["knowledge"], "I am allergic to nuts");
    assert_eq!(found["user_profile"], shown);
}

#[test]
fn a_fact_that_ended_is_not_told_as_current_and_stays_as_history() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    let mut server = setup.start();
    say(&mut server, "I live in Berlin.");
    say(&mut server, "I live in Oslo now.");
    assert_eq!(known(&mut server), ["I live in Oslo now"]);
    assert_eq!(server.info()["memory_stats"]["former_knowledge_entries"], 1);
    server.close();
    let view: Value =
        serde_json::from_slice(&fs::read(setup.file("user_profile.json")).unwrap()).unwrap();
    let former = &view["user_history"][0];
    assert_eq!((&former["clause"], &former["closed"]), (&json!("I live in Berlin"), &json!(true)));
    assert!(former["valid_to"].is_string());
}

#[test]
fn every_process_knows_what_was_told_to_another() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    let (mut a, mut b) = (setup.start(), setup.start());
    say(&mut a, "I live in Berlin.");
    assert_eq!(known(&mut b), ["I live in Berlin"]);
    say(&mut b, "I live in Oslo.");
    say(&mut b, "My sister Nora is a nurse.");
    assert_eq!(known(&mut a), known(&mut b));
    assert_eq!(known(&mut a).len(), 2);
    // Numbers given in turns are never given twice.
    for n in 0..10 {
        let server = if n % 2 == 0 { &mut a } else { &mut b };
        say(server, &format!("My colleague Person{n} plays chess. I bought a bike{n} today."));
    }
    assert_eq!(known(&mut a), known(&mut b));
    a.close();
    b.close();
    let mut fresh = setup.start();
    assert!(known(&mut fresh).contains(&"I live in Oslo".to_owned()));
}

#[test]
fn the_capacity_bounds_what_is_known_and_spares_who_the_user_is() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada").var("MEMORYOS_KNOWLEDGE_CAPACITY", "5");
    let mut server = setup.start();
    say(&mut server, "My name is Ada.");
    for thing in ["tea", "jazz", "chess", "rowing", "opera", "figs", "cycling", "maps"] {
        say(&mut server, &format!("I love {thing}."));
    }
    let known = known(&mut server);
    assert_eq!(known.len(), 5, "{known:?}");
    assert!(known.contains(&"My name is Ada".to_owned()), "{known:?}");
    assert!(known.contains(&"I love maps".to_owned()), "{known:?}");
    assert!(server.close().0 == Some(0) && self::known(&mut setup.start()) == known);
}

#[test]
fn facts_of_a_damaged_row_come_back_from_the_view_and_from_the_pages() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    let mut server = setup.start();
    say(&mut server, "My name is Ada. I live in Berlin.");
    say(&mut server, "I live in Oslo. I love jazz.");
    let before = profile(&mut server);
    server.close();
    for damage in [
        "UPDATE facts SET record = replace(record, 'Oslo', 'Rome')",
        "DELETE FROM facts; UPDATE texts SET user_input = user_input || 'x' WHERE slot = 1",
    ] {
        sql(&setup.file("memory.db"), damage);
        let mut server = setup.start();
        assert!(server.notices().contains("has been recovered"), "{damage}");
        let after = profile(&mut server);
        assert_eq!(after["user_knowledge"], before["user_knowledge"], "{damage}");
        server.close();
    }
    // Without views what the pages say is read again.
    sql(&setup.file("memory.db"), "UPDATE facts SET checksum = 'x'");
    for view in names_with(&setup.folder(), "user_profile.json") {
        fs::remove_file(setup.file(&view)).unwrap();
    }
    let mut server = setup.start();
    let shown = profile(&mut server)["user_profile"].take();
    assert_eq!(shown, before["user_profile"]);
}

#[test]
fn a_fact_that_comes_back_closes_nothing_that_was_said_after_it() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    let mut server = setup.start();
    say(&mut server, "I live in Berlin.");
    say(&mut server, "I live in Oslo.");
    server.close();
    sql(&setup.file("memory.db"), "UPDATE facts SET checksum = 'x' WHERE record LIKE '%Berlin%'");
    fs::remove_file(setup.file("user_profile.json")).unwrap();
    let mut server = setup.start();
    assert!(server.notices().contains("has been recovered"));
    assert_eq!(known(&mut server), ["I live in Oslo"]);
    assert_eq!(server.info()["memory_stats"]["former_knowledge_entries"], 1);
}

#[test]
fn the_number_of_a_fact_is_never_given_again() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    let mut server = setup.start();
    say(&mut server, "I love jazz.");
    let id = say(&mut server, "I love chess.");
    let gone = json!({"memory_ids": [id], "confirm": true});
    server.tool("forget_memory", &gone).unwrap();
    server.close();
    let mut server = setup.start();
    say(&mut server, "I love figs.");
    server.close();
    let db = Connection::open(setup.file("memory.db")).unwrap();
    let last: i64 = db.query_row("SELECT MAX(id) FROM facts", [], |row| row.get(0)).unwrap();
    assert_eq!(last, 3);
}

#[test]
fn an_import_is_read_for_facts_oldest_first() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    fs::create_dir_all(setup.folder()).unwrap();
    let entry = |text: &str, day: &str| json!({"user_input": text, "agent_response": "ok", "timestamp": format!("{day} 10:00:00")});
    let mut pages: Vec<Value> =
        (0..250).map(|n| entry(&about(n), &format!("2025-03-{:02}", 1 + n % 28))).collect();
    pages.push(entry("I live in Oslo.", "2025-05-01"));
    pages.push(entry("I live in Berlin.", "2024-05-01"));
    put(&setup.file("short_term_memory.json"), json!(pages).to_string());
    let mut server = setup.start();
    assert_eq!(known(&mut server), ["I live in Oslo"]);
    // A back-dated page says what was, not what is.
    let late = json!({"user_input": "I live in Rome.", "agent_response": "ok",
        "timestamp": "2023-01-01"});
    server.tool("add_memory", &late).unwrap();
    assert_eq!(known(&mut server), ["I live in Oslo"]);
    assert_eq!(server.info()["memory_stats"]["former_knowledge_entries"], 2);
}

#[test]
fn a_secret_never_becomes_a_fact() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    let mut server = setup.start();
    for text in [
        "Remember that my password is hunter2swordfish.",
        "My name is sk-proj-abcdEFGH1234567890abcd.",
        "I love 4111 1111 1111 1111.",
    ] {
        say(&mut server, text);
    }
    assert_eq!(known(&mut server), [""; 0]);
    server.close();
    let db = Connection::open(setup.file("memory.db")).unwrap();
    let n: i64 = db.query_row("SELECT COUNT(*) FROM facts", [], |row| row.get(0)).unwrap();
    assert_eq!(n, 0);
}

#[test]
fn an_add_reads_its_own_page_for_facts_and_no_other() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada").var("MEMORYOS_KNOWLEDGE_CAPACITY", "1000");
    let mut server = setup.start();
    let cost = |server: &mut Server, n: usize| {
        let before = server.info()["memory_stats"]["work"].take();
        say(server, &format!("I bought a kayak{n} today."));
        let after = server.info()["memory_stats"]["work"].take();
        ["rows_read", "rows_written"]
            .map(|name| after[name].as_u64().unwrap() - before[name].as_u64().unwrap())
    };
    for n in 0..20 {
        say(&mut server, &format!("I bought a canoe{n} today."));
    }
    let few = cost(&mut server, 1);
    for n in 20..400 {
        say(&mut server, &format!("I bought a canoe{n} today."));
    }
    let many = cost(&mut server, 2);
    assert!(known(&mut server).len() > 50);
    assert_eq!(few[1], many[1], "rows written");
    assert!(many[0] <= few[0] + 32, "{few:?} {many:?}");
}

#[test]
fn a_fact_that_gives_way_while_another_process_reads_of_it_harms_nobody() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada").var("MEMORYOS_KNOWLEDGE_CAPACITY", "3");
    let (mut a, mut b) = (setup.start(), setup.start());
    for round in 0..10 {
        let calls: Vec<(&str, Value)> =
            (0..60).map(|n| ("add_memory", page(&format!("I love thing{round}x{n}.")))).collect();
        let asked: Vec<u64> = calls.iter().map(|(name, args)| a.ask_tool(name, args)).collect();
        for _ in 0..60 {
            assert!(b.tool("get_user_profile", &json!({})).is_ok());
        }
        for _ in asked {
            assert!(a.line().unwrap()["result"]["isError"] != true);
        }
    }
    assert_eq!(b.notices(), "");
    say(&mut b, "I love maps.");
    assert!(known(&mut a).contains(&"I love maps".to_owned()));
}
