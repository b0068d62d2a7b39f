//! Forgetting: what is shown before, what goes with a page, and that no file keeps a word of it.

use std::fs::{self, File, OpenOptions};
use std::path::Path;

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::said::{about, page};
use crate::support::{Judge, Server, Setup, names_with, put, sql, truncate};

/// A word that only one page has, and its stem; neither is in any other word.
pub(crate) const WORD: &str = "quizzicalities";
const STEM: &str = "quizzic";

/// The page that is forgotten: it says facts, founds a chain and gives a topic its keyword.
pub(crate) fn secret() -> Value {
    json!({
        "user_input": format!(
            "My brother Zebediah collects {WORD}. I love {WORD}. The tomatoes want {WORD} too."
        ),
        "agent_response": format!("I recommend {WORD} from the Xanthic shop."),
        "meta_data": {"note": WORD.to_uppercase()},
    })
}

pub(crate) fn add(server: &mut Server, args: &Value) -> String {
    let reply = server.tool("add_memory", args).unwrap();
    reply["memory_id"].as_str().unwrap().to_owned()
}

pub(crate) fn add_about(server: &mut Server, pages: std::ops::Range<usize>) {
    for n in pages {
        add(server, &page(&about(n)));
    }
}

pub(crate) fn forget(server: &mut Server, ids: &[String]) -> Result<Value, String> {
    server.tool("forget_memory", &json!({"memory_ids": ids, "confirm": true}))
}

/// The files under a folder that hold the word or its stem, in any case.
pub(crate) fn holding(folder: &Path) -> Vec<String> {
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

/// Runs a query for one column of text.
pub(crate) fn rows(setup: &Setup, query: &str) -> Vec<String> {
    let db = visitor(setup);
    let mut statement = db.prepare(query).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// Holds the lock of the views as another process would, until it is dropped.
pub(crate) fn hold_views(setup: &Setup) -> File {
    let file = OpenOptions::new().write(true).open(setup.file(".views")).unwrap();
    file.lock().unwrap();
    file
}

/// Opens the database beside a server, so that closing it does not move the log into it.
pub(crate) fn visitor(setup: &Setup) -> Connection {
    let conn = Connection::open(setup.file("memory.db")).unwrap();
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
    conn
}

/// Fills a memory around a page that is to be forgotten; returns its id.
pub(crate) fn filled(server: &mut Server) -> String {
    add_about(server, 0..12);
    let id = add(server, &secret());
    add_about(server, 12..30);
    id
}

/// Reads as another program would, and holds on to what it sees.
pub(crate) fn hold_read(setup: &Setup) -> Connection {
    let reader = Connection::open(setup.file("memory.db")).unwrap();
    reader.execute_batch("BEGIN; SELECT COUNT(*) FROM pages").unwrap();
    reader
}

pub(crate) fn everything(server: &mut Server) -> String {
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
    let gone = forget(&mut server, &[id.clone(), first.clone()]).unwrap();
    assert_eq!((&gone["forgotten"], &gone["memories_count"]), (&json!(true), &json!(2)));
    let left = everything(&mut server);
    assert!(!left.contains(WORD) && !left.contains("Zebediah"), "{left}");
    assert!(left.contains("I love rowing"), "{left}");
    let stats = server.info()["memory_stats"].take();
    assert_eq!((&stats["total_pages"], &stats["sequence_number"]), (&json!(32), &json!(35)));
    let read = server.tool("retrieve_memory", &json!({"memory_id": id})).unwrap_err();
    assert!(read.contains("is not known"), "{read}");
    server.close();
    for fact in rows(&setup, "SELECT record FROM facts") {
        assert!(!fact.contains(&first), "said on a page that is gone: {fact}");
    }
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
fn a_topic_and_a_chain_keep_no_word_of_a_page_that_founded_them() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    let mut server = setup.start();
    let id = add(&mut server, &page(&format!("{}, and {WORD}", about(0))));
    (1..9).for_each(|n| drop(add(&mut server, &page(&about(5 * n)))));
    let topic = "SELECT summary || keywords || terms FROM segments WHERE pages > 1";
    let chain = "SELECT chain_summary FROM texts WHERE slot > 1";
    for query in [topic, chain] {
        assert!(rows(&setup, query).concat().contains(WORD), "{query}");
    }
    forget(&mut server, &[id]).unwrap();
    server.close();
    assert_eq!(holding(&setup.folder()), [""; 0]);
    let dangling = "SELECT id FROM pages WHERE continues NOT IN (SELECT id FROM pages)";
    assert_eq!(rows(&setup, dangling), [""; 0]);
}

#[test]
fn what_lies_about_in_the_database_goes_too() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    let mut server = setup.start();
    let id = filled(&mut server);
    server.close();
    // A program that does not overwrite what it deletes leaves the texts in free pages.
    let left = format!("{WORD} ").repeat(1000);
    sql(
        &setup.file("memory.db"),
        &format!(
            "PRAGMA secure_delete = OFF; CREATE TABLE old (text TEXT);
             INSERT INTO old VALUES ('{left}'); DROP TABLE old;"
        ),
    );
    let mut server = setup.start();
    forget(&mut server, &[id]).unwrap();
    assert_eq!(holding(&setup.folder()), [""; 0]);
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
fn nothing_is_forgotten_while_files_wait_that_may_hold_it_too() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    let mut server = setup.start();
    let id = filled(&mut server);
    put(&setup.file("old.json"), json!([secret()]).to_string());
    let said = forget(&mut server, std::slice::from_ref(&id)).unwrap_err();
    assert!(said.contains("old.json") && said.contains("nothing was forgotten"), "{said}");
    assert!(everything(&mut server).contains(WORD));
    server.close();
    // Once it is taken in, both go.
    let mut server = setup.start();
    let query = json!({"query": WORD});
    let preview = server.tool("forget_memory", &query).unwrap();
    let ids: Vec<String> = preview["memories"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|memory| memory["user_input"].as_str().unwrap().contains(WORD))
        .map(|memory| memory["memory_id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids.len(), 2);
    forget(&mut server, &ids).unwrap();
    assert_eq!(holding(&setup.folder()), [""; 0]);
    assert!(server.notices().contains("kept until something was forgotten"));
}
