//! Forgetting: what is shown before, what goes with a page, and that no file keeps a word of it.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::said::{about, page};
use crate::support::{Judge, Server, Setup, names_with, put, sql, truncate};

/// A word that only one page has, and its stem; neither is in any other word.
const WORD: &str = "quizzicalities";
const STEM: &str = "quizzic";

/// The page that is forgotten: it says facts, founds a chain and gives a topic its keyword.
fn secret() -> Value {
    json!({
        "user_input": format!(
            "My brother Zebediah collects {WORD}. I love {WORD}. The tomatoes want {WORD} too."
        ),
        "agent_response": format!("I recommend {WORD} from the Xanthic shop."),
        "meta_data": {"note": WORD.to_uppercase()},
    })
}

fn add(server: &mut Server, args: &Value) -> String {
    let reply = server.tool("add_memory", args).unwrap();
    reply["memory_id"].as_str().unwrap().to_owned()
}

fn add_about(server: &mut Server, pages: std::ops::Range<usize>) {
    for n in pages {
        add(server, &page(&about(n)));
    }
}

fn forget(server: &mut Server, ids: &[String]) -> Result<Value, String> {
    server.tool("forget_memory", &json!({"memory_ids": ids, "confirm": true}))
}

/// The files under a folder that hold the word or its stem, in any case.
fn holding(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for name in crate::support::names(folder) {
        let path = folder.join(&name);
        if path.is_dir() {
            found.extend(holding(&path));
            continue;
        }
        let bytes = fs::read(&path).unwrap_or_default().to_ascii_lowercase();
        if bytes.windows(STEM.len()).any(|part| part == STEM.as_bytes()) {
            found.push(name);
        }
    }
    found
}

/// Fills a memory around a page that is to be forgotten; returns its id.
fn filled(server: &mut Server) -> String {
    add_about(server, 0..12);
    let id = add(server, &secret());
    add_about(server, 12..30);
    id
}

fn everything(server: &mut Server) -> String {
    let profile = json!({"include_assistant_knowledge": true, "max_chars": 200_000});
    let query = json!({"query": format!("{WORD} tomatoes Zebediah"), "max_results": 100,
        "max_chars": 200_000});
    format!(
        "{}{}",
        server.tool("get_user_profile", &profile).unwrap(),
        server.tool("retrieve_memory", &query).unwrap()["retrieved_pages"]
    )
}

#[test]
fn a_preview_shows_what_would_go_and_changes_nothing() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    let mut server = setup.start();
    let id = filled(&mut server);
    let asked = json!({"query": "what does my brother Zebediah collect?"});
    let preview = server.tool("forget_memory", &asked).unwrap();
    assert_eq!(preview["memories"][0]["memory_id"], id.as_str());
    let asked = json!({"memory_ids": [id]});
    let preview = server.tool("forget_memory", &asked).unwrap();
    assert_eq!((&preview["forgotten"], &preview["memories_count"]), (&json!(false), &json!(1)));
    let facts = preview["knowledge"].as_array().unwrap();
    assert!(facts.iter().any(|fact| fact == &json!(format!("I love {WORD}"))), "{preview}");
    assert_eq!(server.info()["memory_stats"]["total_pages"], 31);
    assert!(everything(&mut server).contains(WORD));
}

#[test]
fn a_forgotten_page_takes_with_it_all_that_rests_on_it() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada").var("MEMORYOS_SHORT_TERM_CAPACITY", "10");
    let mut server = setup.start();
    let id = filled(&mut server);
    // A fact with another source stays, in the words of that one.
    add(&mut server, &page(&format!("Yes, I love {}!", "quizzicality")));
    let also = json!({"user_input": "I love rowing.", "agent_response": "ok"});
    let first = add(&mut server, &also);
    add(&mut server, &json!({"user_input": "By the way, I love rowing.", "agent_response": "ok"}));
    let gone = forget(&mut server, &[id.clone(), first]).unwrap();
    assert_eq!((&gone["forgotten"], &gone["memories_count"]), (&json!(true), &json!(2)));
    let left = everything(&mut server);
    assert!(!left.contains(WORD) && !left.contains("Zebediah"), "{left}");
    assert!(left.contains("I love rowing"), "{left}");
    let stats = server.info()["memory_stats"].take();
    assert_eq!((&stats["total_pages"], &stats["sequence_number"]), (&json!(32), &json!(35)));
    let read = server.tool("retrieve_memory", &json!({"memory_id": id})).unwrap_err();
    assert!(read.contains("is not known"), "{read}");
    server.close();
    // Nothing is damaged, and it may be told again.
    let mut server = setup.start();
    assert_eq!(server.notices(), "");
    let again = server.tool("add_memory", &secret()).unwrap();
    assert_eq!(again["details"]["duplicate"], false);
}

#[test]
fn no_file_holds_a_word_of_a_forgotten_page() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    let mut server = setup.start();
    let id = filled(&mut server);
    server.views_are_written(&setup);
    // Copies that were set aside hold it too.
    let view = fs::read(setup.file("mid_term_memory.json")).unwrap_or_default();
    for name in ["x.json.foreign-1", "mid_term_memory.json.edited-1", "memory.db.damaged-1"] {
        put(&setup.file(name), [view.as_slice(), WORD.as_bytes()].concat());
    }
    put(&setup.file(".mid_term_memory.json.abc"), WORD);
    assert!(holding(&setup.folder()).len() >= 6, "{:?}", holding(&setup.folder()));
    let gone = forget(&mut server, &[id]).unwrap();
    assert_eq!(gone["set_aside_files"].as_array().unwrap().len(), 3);
    assert_eq!(holding(&setup.folder()), [""; 0], "while it is served");
    add_about(&mut server, 30..33);
    server.views_are_written(&setup);
    server.close();
    assert_eq!(holding(&setup.folder()), [""; 0], "after it");
}

#[test]
fn other_processes_drop_it_at_their_next_call_and_bring_none_of_it_back() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    let (mut a, mut b, mut c) = (setup.start(), setup.start(), setup.start());
    add_about(&mut b, 0..12);
    // Of another process than the one that forgets: its derived data may still wait there.
    let id = add(&mut c, &secret());
    forget(&mut a, &[id]).unwrap();
    for server in [&mut b, &mut c] {
        assert!(!everything(server).contains(WORD));
        add_about(server, 40..43);
    }
    b.views_are_written(&setup);
    for server in [a, b, c] {
        assert_eq!(server.close().0, Some(0));
    }
    assert_eq!(holding(&setup.folder()), [""; 0]);
}

#[test]
fn while_another_one_reads_it_is_forgotten_for_answers_and_erased_when_that_ends() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    let mut server = setup.start();
    let id = filled(&mut server);
    let reader = Connection::open(setup.file("memory.db")).unwrap();
    reader.execute_batch("BEGIN; SELECT COUNT(*) FROM pages").unwrap();
    let said = forget(&mut server, &[id]).unwrap_err();
    assert!(said.contains("forgotten for answers, not yet erased from disk"), "{said}");
    assert!(!everything(&mut server).contains(WORD));
    assert_ne!(holding(&setup.folder()), [""; 0]);
    reader.execute_batch("COMMIT").unwrap();
    let start = Instant::now();
    // The reader's handle stays open: closing one of ours must not be what erases it.
    server.until("it is erased", || holding(&setup.folder()).is_empty());
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[test]
fn an_erasure_that_was_cut_short_by_a_kill_is_finished_by_whoever_is_there() {
    let dir = TempDir::new().unwrap();
    for others in [true, false] {
        let setup = Setup::new(&dir.path().join(others.to_string()), "ada");
        let mut server = setup.start();
        let mut other = others.then(|| setup.start());
        let id = filled(&mut server);
        let reader = Connection::open(setup.file("memory.db")).unwrap();
        reader.execute_batch("BEGIN; SELECT COUNT(*) FROM pages").unwrap();
        forget(&mut server, &[id]).unwrap_err();
        server.kill();
        reader.execute_batch("COMMIT").unwrap();
        assert_ne!(holding(&setup.folder()), [""; 0]);
        drop(reader);
        let mut next = other.take().unwrap_or_else(|| setup.start());
        assert!(!everything(&mut next).contains(WORD));
        next.until("it is erased", || holding(&setup.folder()).is_empty());
        next.close();
        assert_eq!(holding(&setup.folder()), [""; 0]);
    }
}

#[test]
fn what_is_forgotten_does_not_come_back_with_a_recovery() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    let mut server = setup.start();
    let id = filled(&mut server);
    server.views_are_written(&setup);
    // A reader keeps the log from being emptied: an older state of the database stays in its file.
    let reader = Connection::open(setup.file("memory.db")).unwrap();
    reader.execute_batch("BEGIN; SELECT COUNT(*) FROM pages").unwrap();
    forget(&mut server, &[id]).unwrap_err();
    server.kill();
    drop(reader);
    sql(&setup.file("memory.db"), "UPDATE texts SET user_input = 'x' WHERE slot = 2");
    let mut server = setup.start();
    assert!(server.notices().contains("has been recovered"));
    assert!(!everything(&mut server).contains(WORD));
    assert_eq!(server.info()["memory_stats"]["total_pages"], 30);
    server.until("it is erased", || holding(&setup.folder()).is_empty());
}

#[test]
fn many_forgotten_pages_leave_exactly_the_others() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    let mut server = setup.start();
    let mut judge = Judge::default();
    judge.add(&mut server, 200);
    let ids = judge.forget(|n| n % 7 == 3 || n > 196);
    for part in ids.chunks(20) {
        assert_eq!(forget(&mut server, part).unwrap()["forgotten"], true);
    }
    judge.demand_of(&mut server);
    server.close();
    let verdict = judge.demand_all(&setup);
    assert_eq!(verdict.notices, "");
    // From the views alone.
    truncate(&setup.file("memory.db"), 0.0);
    for name in names_with(&setup.folder(), "memory.db-") {
        fs::remove_file(setup.file(&name)).unwrap();
    }
    let verdict = judge.demand(&setup);
    assert_eq!(verdict.lost, 0, "{}", verdict.notices);
}

#[test]
fn an_id_that_is_not_known_forgets_nothing() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    let mut server = setup.start();
    let id = add(&mut server, &secret());
    let unknown = "01890163-8694-739b-aea5-966c26f8ad91".to_owned();
    let said = forget(&mut server, &[id.clone(), unknown.clone()]).unwrap_err();
    assert!(said.contains(&unknown) && said.contains("nothing was forgotten"), "{said}");
    assert_eq!(server.info()["memory_stats"]["total_pages"], 1);
    forget(&mut server, std::slice::from_ref(&id)).unwrap();
    assert!(forget(&mut server, &[id]).is_err());
}

#[test]
fn forgetting_waits_neither_for_a_reader_nor_keeps_others_waiting() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    let mut server = setup.start();
    let id = filled(&mut server);
    let reader = Connection::open(setup.file("memory.db")).unwrap();
    reader.execute_batch("BEGIN; SELECT COUNT(*) FROM pages").unwrap();
    let asked = server.ask_tool("forget_memory", &json!({"memory_ids": [id], "confirm": true}));
    // An add that is asked later is answered first.
    let added = server.ask_tool("add_memory", &page("I bought a canoe today."));
    let first = server.line().unwrap();
    assert_eq!(first["id"], added, "{first}");
    assert_eq!(server.line().unwrap()["id"], asked);
}
