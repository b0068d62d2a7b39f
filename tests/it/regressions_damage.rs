//! Damage that was once overlooked, or took for damage what is none.
//!
//! Each of these lost pages, hung or kept failing before it was mended; none may come back.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::backup::backup;
use crate::damage::stored;
use crate::log_damage::killed;
use crate::support::{
    Judge, Server, Setup, copy_tree, exchange, flip, names, names_with, put, sql, truncate,
};

const DATABASE: &str = "memory.db";
const LOG: &str = "memory.db-wal";

/// Removes the database and everything that is derived from it: only the views are left.
fn leave_views_only(setup: &Setup) {
    for name in names_with(&setup.folder(), DATABASE) {
        fs::remove_file(setup.file(&name)).unwrap();
    }
    fs::remove_dir_all(setup.file("embeddings")).unwrap();
}

/// Waits until a server has opened `.lock`, where the system tells.
fn waits_for_the_folder(server: &mut Server) {
    let open = format!("/proc/{}/fd", server.pid());
    if cfg!(target_os = "linux") {
        server.until("the server looks at the folder", || {
            let files = fs::read_dir(&open).unwrap();
            let mut targets = files.filter_map(|f| fs::read_link(f.unwrap().path()).ok());
            targets.any(|target| target.ends_with(".lock"))
        });
    }
    for _ in 0..20 {
        server.request("ping", &json!({}));
    }
}

#[test]
fn numbers_in_meta_data_come_back_to_the_last_digit() {
    let data = TempDir::new().unwrap();
    let setup = Setup::new(data.path(), "ada");
    let meta_data = json!({
        "p": 3.986_875_665_478_658e-10, "q": 1e-320, "r": 0.1,
        "list": [1.797_693_134_862_315_7e308, -5e-324, 2.0, 123_456_789.123_456_79],
    });
    let check = |judge: &Judge| {
        let mut server = setup.start();
        let verdict = judge.demand_of(&mut server);
        let found = server.tool("retrieve_memory", &json!({"query": "measured"})).unwrap();
        let pages = [&found["short_term_memory"], &found["retrieved_pages"]];
        let mut pages = pages.into_iter().filter_map(Value::as_array).flatten();
        let page = pages.find(|p| p["user_input"] == "I measured the drift").unwrap();
        assert_eq!(page["meta_data"], meta_data);
        assert_eq!(server.close().0, Some(0));
        verdict.notices
    };
    let mut judge = Judge::default();
    let mut server = setup.start();
    let (user_input, agent_response) = ("I measured the drift", "Noted to the last digit");
    let page = json!({
        "user_input": user_input, "agent_response": agent_response, "meta_data": meta_data,
    });
    judge.note(&server.tool("add_memory", &page).unwrap(), user_input, agent_response);
    server.kill();
    assert_eq!(check(&judge), "", "after it was killed");
    let mut server = setup.start();
    judge.add(&mut server, 4);
    server.close();
    assert_eq!(check(&judge), "", "after a clean end");
    leave_views_only(&setup);
    check(&judge);
}

/// What is done to a folder, in words and in deed.
type Harm<'a> = (&'a str, &'a dyn Fn(&Setup));

#[test]
fn a_backup_of_a_damaged_folder_leaves_it_as_recoverable_as_it_was() {
    let empty_database = |setup: &Setup| put(&setup.file(DATABASE), "");
    let flipped_log = |setup: &Setup| flip(&setup.file(LOG), 0.5);
    let cases: [Harm<'_>; 2] =
        [("a flipped bit in the log", &flipped_log), ("an empty database", &empty_database)];
    for (what, harm) in cases {
        let data = TempDir::new().unwrap();
        let (setup, judge) = killed(&data);
        harm(&setup);
        let twin = TempDir::new().unwrap();
        let twin = Setup::new(twin.path(), "ada");
        copy_tree(&setup.folder(), &twin.folder());
        let expected = judge.demand(&twin).lost;
        let destination = TempDir::new().unwrap();
        let output = backup(&setup, destination.path());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let verdict = judge.demand(&setup);
        assert!(verdict.lost <= expected, "{what}: {said} {}", verdict.notices);
        if output.status.success() {
            let copy = judge.demand(&Setup::new(destination.path(), "ada"));
            assert!(copy.lost <= expected, "{what}: {said} {}", copy.notices);
        } else {
            assert!(said.contains("ada"), "{what}: {said}");
            assert_eq!(names_with(destination.path(), "ada"), [""; 0], "{what}");
        }
    }
}

#[test]
fn a_server_that_waited_for_one_that_died_looks_the_folder_over_itself() {
    let data = TempDir::new().unwrap();
    let (setup, mut judge) = killed(&data);
    flip(&setup.file(LOG), 0.5);
    put(&setup.file(".looking"), "1");
    let lock = fs::File::create(setup.file(".lock")).unwrap();
    lock.lock().unwrap();
    let mut server = setup.start();
    waits_for_the_folder(&mut server);
    drop(lock);
    let verdict = judge.demand_of(&mut server);
    assert!(verdict.lost <= 1, "{}", verdict.notices);
    assert!(verdict.notices.contains("the memory was damaged"), "{}", verdict.notices);
    if verdict.lost == 0 {
        judge.add(&mut server, 3);
    }
    assert_eq!(server.close().0, Some(0));
    assert_eq!(judge.demand(&setup).lost, verdict.lost);
    assert_eq!(names_with(&setup.folder(), ".looking"), [""; 0]);
}

#[test]
fn a_server_that_waited_for_a_recovery_that_died_goes_on_with_it() {
    let note = r#"{"stamp": "20260101T000000Z", "reason": "a test"}"#;
    let aside = "memory.db.damaged-20260101T000000Z";
    let data = TempDir::new().unwrap();
    let (setup, mut judge) = stored(&data);
    let whole = fs::read(setup.file(DATABASE)).unwrap();
    truncate(&setup.file(DATABASE), 0.6);
    fs::copy(setup.file(DATABASE), setup.file(aside)).unwrap();
    put(&setup.file(DATABASE), whole);
    put(&setup.file(".recovering"), note);
    put(&setup.file(".looking"), "1");
    let lock = fs::File::create(setup.file(".lock")).unwrap();
    lock.lock().unwrap();
    let mut server = setup.start();
    waits_for_the_folder(&mut server);
    drop(lock);
    // What is added now must not be undone by a later start that finds the note.
    judge.add(&mut server, 13);
    assert_eq!(names_with(&setup.folder(), ".recovering"), [""; 0], "it was finished first");
    server.kill();
    judge.demand_all(&setup);
}

#[test]
fn a_page_damaged_while_two_servers_have_it_open_is_answered_from_what_can_be_salvaged() {
    let data = TempDir::new().unwrap();
    let (setup, judge) = stored(&data);
    let (mut first, mut second) = (setup.start(), setup.start());
    judge.demand_of(&mut first);
    judge.demand_of(&mut second);
    sql(&setup.file(DATABASE), "UPDATE texts SET user_input = 'forged' WHERE slot = 5");
    let (user_input, _) = exchange(4);
    let query = json!({"query": user_input});
    let reply = first.tool("retrieve_memory", &query).unwrap();
    let pages = reply["retrieved_pages"].as_array().unwrap();
    assert!(pages.iter().any(|p| p["user_input"] == user_input.as_str()), "{reply}");
    assert!(!reply.to_string().contains("forged"), "{reply}");
    let verdict = judge.demand_of(&mut first);
    assert_eq!(verdict.lost, 0);
    assert!(verdict.notices.contains("close all other clients"), "{}", verdict.notices);
    if fs::read("/proc/locks").is_ok() {
        let holder = format!("process {}", second.pid());
        assert!(verdict.notices.contains(&holder), "{holder}: {}", verdict.notices);
    }
    // A memory that only could not be written would be opened anew after two seconds.
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(2500) {
        let page = json!({"user_input": "a", "agent_response": "b"});
        let refused = first.tool("add_memory", &page).unwrap_err();
        assert!(refused.contains("close all other clients"), "{refused}");
    }
    assert_eq!(first.close().0, Some(0));
    assert_eq!(second.close().0, Some(0));
    let verdict = judge.demand_all(&setup);
    assert!(verdict.notices.contains("the memory was damaged"), "{}", verdict.notices);
    assert_eq!(judge.demand_all(&setup).notices, verdict.notices, "it is recovered once");
}

#[test]
fn segments_merged_in_a_circle_do_not_hold_the_server_up() {
    let circles = [
        "UPDATE segments SET merged_into = id",
        "UPDATE segments SET merged_into = id WHERE id = (SELECT MIN(id) FROM segments)",
        "UPDATE segments SET merged_into = CASE id WHEN (SELECT MIN(id) FROM segments)
           THEN (SELECT MAX(id) FROM segments) ELSE (SELECT MIN(id) FROM segments) END",
    ];
    for circle in circles {
        let data = TempDir::new().unwrap();
        let (setup, mut judge) = stored(&data);
        sql(&setup.file(DATABASE), circle);
        let mut server = setup.start();
        assert_eq!(judge.demand_of(&mut server).lost, 0, "{circle}");
        judge.add(&mut server, 5);
        server.views_are_written(&setup);
        let (code, said) = server.close();
        assert_eq!(code, Some(0), "{circle}: {said}");
        judge.demand_all(&setup);
        leave_views_only(&setup);
        judge.demand_all(&setup);
        assert!(names(&setup.folder()).iter().any(|name| name == DATABASE), "{circle}");
    }
}

#[test]
fn a_column_renamed_by_a_changed_byte_is_damage_and_no_error_at_every_start() {
    let columns = [
        "TABLE profile (key",
        "PRIMARY KEY AUTOINCREMENT, text",
        "TABLE means (segment",
        "PRIMARY KEY AUTOINCREMENT, record",
        "PRIMARY KEY AUTOINCREMENT, kind",
        "last_visit",
        "chain_summary",
    ];
    for column in columns {
        let data = TempDir::new().unwrap();
        let (setup, mut judge) = stored(&data);
        let mut bytes = fs::read(setup.file(DATABASE)).unwrap();
        let at = bytes.windows(column.len()).position(|w| w == column.as_bytes()).unwrap();
        bytes[at + column.len() - 1] ^= 3;
        put(&setup.file(DATABASE), bytes);
        let mut server = setup.start();
        let verdict = judge.demand_of(&mut server);
        assert_eq!(verdict.lost, 0, "{column}: {}", verdict.notices);
        assert!(verdict.notices.contains("the memory was damaged"), "{column}");
        judge.add(&mut server, 4);
        assert_eq!(server.close().0, Some(0), "{column}");
        assert_eq!(judge.demand_all(&setup).notices, verdict.notices, "{column}");
    }
}

#[test]
fn a_damaged_database_is_kept_as_it_was_found_also_beside_a_log() {
    // The last pages stand in the log too: without them alone nothing is missing.
    let cut = |setup: &Setup| truncate(&setup.file(DATABASE), 0.5);
    let torn_schema = |setup: &Setup| {
        let mut bytes = fs::read(setup.file(DATABASE)).unwrap();
        let words = b"CREATE TABLE texts";
        let at = bytes.windows(words.len()).position(|w| w == words).unwrap();
        bytes[at + 6] = b'O';
        put(&setup.file(DATABASE), bytes);
    };
    let cases: [Harm<'_>; 2] = [("a cut", &cut), ("a schema that cannot be read", &torn_schema)];
    for (what, harm) in cases {
        let data = TempDir::new().unwrap();
        let (setup, mut judge) = stored(&data);
        let mut server = setup.start();
        judge.add(&mut server, 3);
        server.views_are_written(&setup);
        server.kill();
        harm(&setup);
        let damaged = [DATABASE, LOG].map(|name| fs::read(setup.file(name)).unwrap());
        assert!(!damaged[1].is_empty());
        let verdict = judge.demand(&setup);
        assert!(verdict.notices.contains("the memory was damaged"), "{what}");
        let kept = names_with(&setup.folder(), "memory.db.damaged-");
        let kept: Vec<Vec<u8>> = kept.iter().map(|n| fs::read(setup.file(n)).unwrap()).collect();
        for (bytes, name) in damaged.iter().zip([DATABASE, LOG]) {
            assert!(kept.contains(bytes), "{what}: {name} is not among what was kept");
        }
    }
}
