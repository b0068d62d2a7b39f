//! A folder, or files in it, that somebody removed, mixed or put back.
//!
//! The judge decides: no page that was answered with success goes in silence, and the pages of two
//! memories are never mixed.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::backup::backup;
use crate::damage::stored;
use crate::support::{Judge, Server, Setup, copy_tree, names, names_with, put, rename};

const VIEWS: [&str; 3] = ["short_term_memory.json", "mid_term_memory.json", "user_profile.json"];

fn add(server: &mut Server) -> Result<Value, String> {
    server.tool("add_memory", &json!({"user_input": "one more", "agent_response": "yes"}))
}

/// Adds pages that no other judge has.
fn add_own(judge: &mut Judge, server: &mut Server, whose: &str, n: usize) {
    for n in 0..n {
        let (user_input, agent_response) = (format!("{whose} asks {n}"), format!("{whose}, {n}"));
        let page = json!({"user_input": user_input, "agent_response": agent_response});
        judge.note(&server.tool("add_memory", &page).unwrap(), &user_input, &agent_response);
    }
}

/// Lets the time pass within which a server shows a change in the views, twice over.
fn views_were_due(server: &mut Server) {
    let start = Instant::now();
    server.until("a second has passed", || start.elapsed() > Duration::from_secs(1));
}

/// Demands that a call of either kind says that the folder was removed.
fn check_says_removed(server: &mut Server, how: &str) {
    for _ in 0..2 {
        let said = add(server).unwrap_err();
        assert!(said.contains("was removed"), "{how}: {said}");
        let said = server.tool("retrieve_memory", &json!({"query": "boat"})).unwrap_err();
        assert!(said.contains("was removed"), "{how}: {said}");
    }
}

#[test]
fn pages_of_both_sides_survive_a_database_put_beside_the_views_of_another_copy() {
    for database_of_first in [true, false] {
        let (data, other_data) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let first = Setup::new(data.path(), "ada");
        let second = Setup::new(other_data.path(), "ada");
        let mut judge = Judge::default();
        let mut server = first.start();
        add_own(&mut judge, &mut server, "both", 5);
        server.close();
        copy_tree(&first.folder(), &second.folder());
        for (setup, whose) in [(&first, "first"), (&second, "second")] {
            let mut server = setup.start();
            add_own(&mut judge, &mut server, whose, 3);
            assert_eq!(server.close().0, Some(0));
        }
        let (from, to) = if database_of_first { (&first, &second) } else { (&second, &first) };
        for name in names_with(&to.folder(), "memory.db") {
            fs::remove_file(to.file(&name)).unwrap();
        }
        for name in names_with(&from.folder(), "memory.db") {
            fs::copy(from.file(&name), to.file(&name)).unwrap();
        }
        assert_eq!(judge.len(), 11);
        let verdict = judge.demand_all(to);
        assert_ne!(verdict.notices, "", "it was told");
        assert_eq!(judge.demand_all(to).notices, verdict.notices, "it is repaired once");
    }
}

#[test]
fn files_removed_under_a_running_server_are_an_error_and_no_new_memory() {
    for also_hidden in [false, true] {
        let how = if also_hidden { "everything" } else { "all but the hidden files" };
        let data = TempDir::new().unwrap();
        let (setup, mut judge) = stored(&data);
        let mut server = setup.start();
        judge.add(&mut server, 1);
        // Nothing but what is due after the next add may meet the empty folder.
        server.views_are_written(&setup);
        judge.add(&mut server, 1);
        for name in names(&setup.folder()) {
            let path = setup.file(&name);
            if path.is_dir() {
                fs::remove_dir_all(path).unwrap();
            } else if also_hidden || !name.starts_with('.') {
                fs::remove_file(path).unwrap();
            }
        }
        check_says_removed(&mut server, how);
        assert_eq!(names_with(&setup.folder(), "memory.db"), [""; 0], "{how}");
        assert_eq!(server.close().0, Some(0), "{how}");
        assert_eq!(names_with(&setup.folder(), "memory.db"), [""; 0], "{how}");
    }
}

#[test]
fn a_folder_moved_away_right_after_an_add_is_not_made_again() {
    let data = TempDir::new().unwrap();
    let (setup, mut judge) = stored(&data);
    let away = Setup::new(&data.path().join("away"), "ada");
    fs::create_dir(&away.data).unwrap();
    let mut server = setup.start();
    judge.add(&mut server, 1);
    rename(&setup.folder(), &away.folder());
    views_were_due(&mut server);
    assert!(!setup.folder().exists(), "the housekeeping made it again");
    check_says_removed(&mut server, "moved away");
    assert_eq!(server.close().0, Some(0));
    assert!(!setup.folder().exists(), "it was made again at the end");
    judge.demand_all(&away);
}

#[test]
fn a_backup_put_in_place_under_an_idle_server_is_not_mixed_with_what_was_there() {
    let (data, destination) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (setup, mut judge) = stored(&data);
    let mut restored = judge.clone();
    assert!(backup(&setup, destination.path()).status.success());
    let away = Setup::new(&data.path().join("away"), "ada");
    fs::create_dir(&away.data).unwrap();
    let mut old = setup.start();
    judge.add(&mut old, 1);
    old.views_are_written(&setup);
    add_own(&mut judge, &mut old, "old", 4);
    // The views do not show these pages yet.
    rename(&setup.folder(), &away.folder());
    copy_tree(&destination.path().join("ada"), &setup.folder());
    let views = || VIEWS.map(|name| fs::read(setup.file(name)).unwrap());
    let before = views();
    views_were_due(&mut old);
    assert!(views() == before, "the old server wrote into the new folder");
    let said = add(&mut old).unwrap_err();
    assert!(said.contains("replaced"), "{said}");
    let mut new = setup.start();
    add_own(&mut restored, &mut new, "new", 4);
    assert_eq!(new.close().0, Some(0));
    assert_eq!(old.close().0, Some(0));
    let verdict = restored.demand_all(&setup);
    assert!(!verdict.notices.contains("damaged"), "{}", verdict.notices);
    for mark in ["other", "edited"] {
        let aside = names(&setup.folder()).into_iter().filter(|n| n.contains(mark)).count();
        assert_eq!(aside, 0, "{mark}");
    }
    for name in names_with(&setup.folder(), "memory.db") {
        fs::remove_file(setup.file(&name)).unwrap();
    }
    restored.demand_all(&setup);
    judge.demand_all(&away);
}

#[test]
fn a_flipped_letter_of_the_user_id_in_a_view_stops_nobody() {
    for name in VIEWS {
        for database_is_there in [true, false] {
            let data = TempDir::new().unwrap();
            let (setup, judge) = stored(&data);
            let text = fs::read_to_string(setup.file(name)).unwrap();
            let flipped = text.replacen("\"user_id\": \"ada\"", "\"user_id\": \"ada2\"", 1);
            assert_ne!(flipped, text, "{name}");
            put(&setup.file(name), &flipped);
            if !database_is_there {
                fs::remove_file(setup.file("memory.db")).unwrap();
            }
            judge.demand_all(&setup);
            let kept = names_with(&setup.folder(), &format!("{name}.edited-"));
            assert_eq!(kept.len(), 1, "{name}: {kept:?}");
            assert_eq!(fs::read_to_string(setup.file(&kept[0])).unwrap(), flipped);
        }
    }
}

#[test]
fn a_log_removed_under_a_running_server_loses_nothing_that_was_answered_with_success() {
    for shown in [true, false] {
        let data = TempDir::new().unwrap();
        let (setup, mut judge) = stored(&data);
        let mut server = setup.start();
        judge.add(&mut server, 3);
        if shown {
            server.views_are_written(&setup);
            // The log is shortened, but stays, until the server ends.
            judge.add(&mut server, 1);
        }
        fs::remove_file(setup.file("memory.db-wal")).unwrap();
        let said = add(&mut server).unwrap_err();
        assert!(!said.is_empty());
        // Sent again it is stored, once.
        let reply = (0..3).find_map(|_| add(&mut server).ok()).expect("it never works again");
        judge.note(&reply, "one more", "yes");
        judge.add(&mut server, 2);
        assert_eq!(server.close().0, Some(0));
        let verdict = judge.demand(&setup);
        assert!(verdict.lost <= 4, "{}", verdict.notices);
    }
}

#[test]
fn foreign_files_put_in_place_twice_under_a_running_server_are_both_taken_in() {
    let data = TempDir::new().unwrap();
    let setup = Setup::new(data.path(), "ada");
    let mut server = setup.start();
    let mut judge = Judge::default();
    judge.add(&mut server, 1);
    server.views_are_written(&setup);
    let texts = ["first", "second", "third"].map(|whose| {
        json!([{"user_input": format!("the {whose} import"), "agent_response": "yes",
            "timestamp": "2025-07-06 11:40:00"}])
        .to_string()
    });
    for text in &texts {
        put(&setup.file(VIEWS[0]), text);
        judge.add(&mut server, 1);
        server.views_are_written(&setup);
    }
    assert_eq!(server.close().0, Some(0));
    let mut server = setup.start();
    assert_eq!(judge.count_lost(&mut server), 0);
    assert_eq!(server.info()["memory_stats"]["total_pages"], 7, "{}", server.notices());
    let reply = server.tool("retrieve_memory", &json!({"query": "import"})).unwrap().to_string();
    for whose in ["first", "second", "third"] {
        assert!(reply.contains(&format!("the {whose} import")), "{reply}");
    }
    assert_eq!(server.close().0, Some(0));
    let mut kept: Vec<String> = names(&setup.folder())
        .into_iter()
        .filter(|name| name.contains(".foreign-"))
        .map(|name| fs::read_to_string(setup.file(&name)).unwrap())
        .collect();
    kept.sort();
    let mut expected = texts.to_vec();
    expected.sort();
    assert_eq!(kept, expected, "each is kept as it was");
}
