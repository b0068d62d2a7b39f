//! The guide's migration: the files of the Python program are moved into the user's folder.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Setup, names, names_with, put, rename};

const SHORT_TERM: &str = r#"[
  {"user_input": "The kiln is booked for Friday", "agent_response": "Noted: kiln on Friday.",
   "timestamp": "2025-07-06 11:40:00", "meta_data": {"source": "chat"}},
  {"user_input": "Glaze the blue bowls first", "agent_response": "Blue bowls first.",
   "timestamp": "2025-07-06 11:41:00"}]"#;

const MID_TERM: &str = r#"{"sessions": {"session_1": {"id": "session_1", "summary": "pottery",
  "details": [
    {"page_id": "p1", "user_input": "I took up pottery in May", "agent_response": "Congratulations!",
     "timestamp": "2025-05-02 08:00:00", "preloaded": false},
    {"page_id": "p2", "user_input": "Clay comes from Marta", "agent_response": "Good to know.",
     "timestamp": "2025-05-03 08:00:00"}],
  "L_interaction": 2}}, "access_frequency": {"session_1": 1}}"#;

const LONG_TERM: &str = r#"{"user_profiles": {"default": {"data": "likes pottery"}}}"#;

fn found(setup: &Setup, query: &str) -> (Vec<String>, String) {
    let mut server = setup.start();
    let reply = server.tool("retrieve_memory", &json!({"query": query})).unwrap();
    let pages = [&reply["short_term_memory"], &reply["retrieved_pages"]];
    let pages = pages.into_iter().filter_map(Value::as_array).flatten();
    let texts = pages.map(|p| p["user_input"].as_str().unwrap().to_owned()).collect();
    let notices = server.notices();
    assert_eq!(server.close().0, Some(0));
    (texts, notices)
}

#[test]
fn the_migration_of_the_guide_works_from_end_to_end() {
    let data = TempDir::new().unwrap();
    for (name, text) in [
        ("short_term_memory.json", SHORT_TERM),
        ("mid_term_memory.json", MID_TERM),
        ("long_term_memory.json", LONG_TERM),
    ] {
        put(&data.path().join(name), text);
    }
    let setup = Setup::new(data.path(), "default_user");
    fs::create_dir(setup.folder()).unwrap();
    for name in names(data.path()).iter().filter(|name| name.contains(".json")) {
        rename(&data.path().join(name), &setup.file(name));
    }
    for _ in 0..2 {
        let (texts, notices) = found(&setup, "who gave me the clay for pottery?");
        for text in [
            "The kiln is booked for Friday",
            "Glaze the blue bowls first",
            "I took up pottery in May",
            "Clay comes from Marta",
        ] {
            assert_eq!(texts.iter().filter(|t| *t == text).count(), 1, "{text}: {texts:?}");
        }
        assert_eq!(notices.matches("took in 4 pages").count(), 1, "{notices}");
        for (name, text) in
            [("short_term_memory.json", SHORT_TERM), ("mid_term_memory.json", MID_TERM)]
        {
            let kept = names_with(&setup.folder(), &format!("{name}.foreign-"));
            assert_eq!(kept.len(), 1, "{kept:?}");
            assert_eq!(fs::read_to_string(setup.file(&kept[0])).unwrap(), text);
            assert!(notices.contains(&kept[0]), "{notices}");
        }
    }
    let left = fs::read_to_string(setup.file("long_term_memory.json")).unwrap();
    assert_eq!(left, LONG_TERM, "a file without pages is nobody's to touch");
}

#[test]
fn dates_and_meta_data_of_foreign_pages_are_kept() {
    let data = TempDir::new().unwrap();
    let setup = Setup::new(data.path(), "ada");
    fs::create_dir(setup.folder()).unwrap();
    put(&setup.file("short_term_memory.json"), SHORT_TERM);
    let mut server = setup.start();
    let reply = server.tool("retrieve_memory", &json!({"query": "kiln"})).unwrap();
    let page = &reply["short_term_memory"][0];
    assert_eq!(page["user_input"], "The kiln is booked for Friday");
    assert_eq!(page["meta_data"], json!({"source": "chat"}));
    assert!(page["timestamp"].as_str().unwrap().starts_with("2025-07-06T11:40:00"), "{page}");
}

#[test]
fn of_a_torn_foreign_file_every_whole_page_is_taken_in() {
    let data = TempDir::new().unwrap();
    let setup = Setup::new(data.path(), "ada");
    fs::create_dir(setup.folder()).unwrap();
    let (torn, _) = MID_TERM.split_once("Good to know").unwrap();
    put(&setup.file("mid_term_memory.json"), torn);
    let (texts, notices) = found(&setup, "pottery");
    assert_eq!(texts, ["I took up pottery in May"]);
    assert!(notices.contains("took in 1 page"), "{notices}");
    let kept = names_with(&setup.folder(), "mid_term_memory.json.foreign-");
    assert_eq!(fs::read_to_string(setup.file(&kept[0])).unwrap(), torn);
}

#[test]
fn foreign_files_that_arrive_under_a_running_server_are_kept_and_taken_in_at_the_next_start() {
    let data = TempDir::new().unwrap();
    let setup = Setup::new(data.path(), "ada");
    let mut server = setup.start();
    let page = json!({"user_input": "My own page", "agent_response": "Yes."});
    server.tool("add_memory", &page).unwrap();
    server.views_are_written(&setup);
    put(&setup.file("mid_term_memory.json"), MID_TERM);
    let page = json!({"user_input": "Another page", "agent_response": "Yes."});
    server.tool("add_memory", &page).unwrap();
    assert_eq!(server.close().0, Some(0));
    let (texts, notices) = found(&setup, "pottery clay and my own page");
    for text in ["My own page", "Another page", "I took up pottery in May", "Clay comes from Marta"]
    {
        assert!(texts.iter().any(|t| t == text), "{text}: {texts:?}");
    }
    assert!(notices.contains("took in 2 pages"), "{notices}");
}
