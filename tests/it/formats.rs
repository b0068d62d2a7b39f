//! A folder that an older program wrote: brought to the present format, with a copy until it is sure.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;

use crate::support::{Setup, names_with, sql};

const COPY: &str = "memory.db.before-format-";

/// Puts a folder in place as the first format left it; it is never edited.
fn first_format(dir: &TempDir) -> Setup {
    let setup = Setup::new(dir.path(), "ada");
    fs::create_dir_all(setup.folder()).unwrap();
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/v1");
    for name in crate::support::names(&fixture) {
        fs::copy(fixture.join(&name), setup.file(&name)).unwrap();
    }
    setup
}

fn format(path: &Path) -> i64 {
    let db = Connection::open(path).unwrap();
    db.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
}

#[test]
fn a_memory_of_the_first_format_is_served_whole_and_read_for_facts() {
    let dir = TempDir::new().unwrap();
    let setup = first_format(&dir);
    let mut server = setup.start();
    let stats = server.info()["memory_stats"].take();
    assert_eq!((&stats["total_pages"], &stats["mid_term_pages"]), (&json!(8), &json!(5)));
    assert_eq!(server.notices(), "");
    let profile = server.tool("get_user_profile", &json!({})).unwrap()["user_profile"].take();
    let profile = profile.as_str().unwrap();
    for said in ["My name is Ada", "I am allergic to nuts", "I moved to Oslo", "My sister Nora"] {
        assert!(profile.contains(said), "{profile}");
    }
    assert!(!profile.contains("Berlin"), "{profile}");
    let found = server.tool("retrieve_memory", &json!({"query": "harbour race sail"})).unwrap();
    assert_eq!(found["retrieved_pages"][0]["agent_response"], "Hoist a small jib.");
    server.close();
    assert_eq!(format(&setup.file("memory.db")), 2);
}

#[test]
fn the_copy_of_the_old_format_stays_until_the_next_start_has_found_all_well() {
    let dir = TempDir::new().unwrap();
    let setup = first_format(&dir);
    setup.start().close();
    let copies = names_with(&setup.folder(), COPY);
    assert_eq!(copies.len(), 1);
    assert_eq!(format(&setup.file(&copies[0])), 1);
    setup.start().close();
    assert_eq!(names_with(&setup.folder(), COPY), [""; 0]);
}

#[test]
fn a_damaged_memory_of_the_first_format_is_recovered_into_the_present_one() {
    let dir = TempDir::new().unwrap();
    let setup = first_format(&dir);
    sql(&setup.file("memory.db"), "UPDATE texts SET user_input = 'x' WHERE slot = 3");
    let mut server = setup.start();
    assert!(server.notices().contains("has been recovered: 8 pages came back"));
    let found = server.tool("retrieve_memory", &json!({"query": "sister Nora Bergen"})).unwrap();
    assert_eq!(found["retrieved_pages"][0]["user_input"], "My sister Nora lives in Bergen.");
    server.close();
    assert_eq!(format(&setup.file("memory.db")), 2);
}

#[test]
fn a_memory_that_an_older_program_has_open_is_served_read_only() {
    let dir = TempDir::new().unwrap();
    let setup = first_format(&dir);
    crate::support::put(&setup.file(".lock"), "");
    let holder = fs::OpenOptions::new().write(true).open(setup.file(".lock")).unwrap();
    holder.lock_shared().unwrap();
    let mut server = setup.start();
    assert_eq!(server.info()["memory_stats"]["total_pages"], 8);
    assert!(server.notices().contains("an older memoryos has this memory open"));
    let page = json!({"user_input": "one more", "agent_response": "no"});
    let said = server.tool("add_memory", &page).unwrap_err();
    assert!(said.contains("close all other clients"), "{said}");
    server.close();
    assert_eq!(format(&setup.file("memory.db")), 1);
    drop(holder);
    let mut server = setup.start();
    server.tool("add_memory", &page).unwrap();
}
