//! Erasing from disk what was forgotten, while others read, write, die, or have seen older states.

use std::fs;

use serde_json::json;
use tempfile::TempDir;

use crate::forget::{
    WORD, add, add_about, everything, filled, forget, hold_read, hold_views, holding, rows, secret,
    visitor,
};
use crate::said::page;
use crate::support::{Server, Setup, put, sql};

/// Forgets a page beside others, who may be at the files for longer than the reply waits.
fn forget_and_erase(server: &mut Server, setup: &Setup, id: String) {
    if let Err(said) = forget(server, &[id]) {
        assert!(said.contains("forgotten for answers"), "{said}");
        server.until("it is erased", || holding(&setup.folder()).is_empty());
    }
    assert_eq!(holding(&setup.folder()), [""; 0]);
}

#[test]
fn other_processes_drop_it_at_their_next_call_and_bring_none_of_it_back() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    let (mut a, mut b, mut c) = (setup.start(), setup.start(), setup.start());
    add_about(&mut b, 0..12);
    // Of another process than the one that forgets: its derived data may still wait there.
    let id = add(&mut c, &secret());
    forget_and_erase(&mut a, &setup, id);
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
    let reader = hold_read(&setup);
    let said = forget(&mut server, &[id]).unwrap_err();
    assert!(said.contains("forgotten for answers, not yet erased from disk"), "{said}");
    assert!(!everything(&mut server).contains(WORD));
    assert_ne!(holding(&setup.folder()), [""; 0]);
    reader.execute_batch("COMMIT").unwrap();
    // The reader's handle stays open: closing one of ours must not be what erases it.
    server.until("it is erased", || holding(&setup.folder()).is_empty());
}

#[test]
fn an_erasure_that_was_cut_short_by_a_kill_is_finished_by_whoever_is_there() {
    let dir = TempDir::new().unwrap();
    for others in [true, false] {
        let setup = Setup::new(&dir.path().join(others.to_string()), "ada");
        let mut server = setup.start();
        let mut other = others.then(|| setup.start());
        // It has the folder open before anything is forgotten.
        other.as_mut().map(Server::info);
        let id = filled(&mut server);
        let reader = hold_read(&setup);
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
fn an_erasure_that_was_killed_before_it_began_is_carried_out_by_the_next_start() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    let mut server = setup.start();
    let id = filled(&mut server);
    server.views_are_written(&setup);
    put(&setup.file("x.json.foreign-1"), WORD);
    let views = hold_views(&setup);
    let said = forget(&mut server, &[id]).unwrap_err();
    assert!(said.contains("writes the readable copies"), "{said}");
    server.kill();
    drop(views);
    let mut server = setup.start();
    server.until("it is erased", || holding(&setup.folder()).is_empty());
    server.close();
    assert_eq!(rows(&setup, "SELECT value FROM meta WHERE key = 'erasing'"), [""; 0]);
}

#[test]
fn what_is_forgotten_does_not_come_back_with_a_recovery() {
    let dir = TempDir::new().unwrap();
    for damage in [
        "UPDATE texts SET user_input = 'x' WHERE slot = 2",
        "UPDATE segments SET terms = 'x'; UPDATE facts SET checksum = 'x'",
    ] {
        let setup = Setup::new(&dir.path().join(damage.len().to_string()), "ada");
        let mut server = setup.start();
        let id = filled(&mut server);
        server.close();
        // Views of before, and a reader that keeps the log from being emptied: older states stay.
        let mut server = setup.start();
        let reader = hold_read(&setup);
        let views = ["mid_term_memory.json", "user_profile.json"]
            .map(|name| (name, fs::read(setup.file(name)).unwrap()));
        forget(&mut server, &[id]).unwrap_err();
        server.kill();
        drop(reader);
        for (name, bytes) in views {
            put(&setup.file(name), bytes);
        }
        sql(&setup.file("memory.db"), damage);
        let mut server = setup.start();
        assert!(server.notices().contains("has been recovered"), "{damage}");
        assert!(!everything(&mut server).contains(WORD), "{damage}");
        assert_eq!(server.info()["memory_stats"]["total_pages"], 30);
        server.until("it is erased", || holding(&setup.folder()).is_empty());
    }
}

#[test]
fn what_the_views_still_show_does_not_come_back_with_a_recovery() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    let mut server = setup.start();
    let id = filled(&mut server);
    server.views_are_written(&setup);
    // Whoever writes the views keeps the erasure from beginning: they still show the page.
    let views = hold_views(&setup);
    forget(&mut server, &[id]).unwrap_err();
    server.kill();
    drop(views);
    let damage = "UPDATE texts SET user_input = 'x' WHERE slot = 2";
    visitor(&setup).execute_batch(damage).unwrap();
    assert!(holding(&setup.folder()).contains(&"short_term_memory.json".to_owned()));
    let mut server = setup.start();
    assert!(server.notices().contains("has been recovered"));
    assert!(!everything(&mut server).contains(WORD));
    assert_eq!(server.info()["memory_stats"]["total_pages"], 30);
    // The files that the recovery has set aside go too.
    server.until("it is erased", || holding(&setup.folder()).is_empty());
}

#[test]
fn forgetting_waits_neither_for_a_reader_nor_keeps_others_waiting() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    let mut server = setup.start();
    let id = filled(&mut server);
    let _reader = hold_read(&setup);
    let asked = server.ask_tool("forget_memory", &json!({"memory_ids": [id], "confirm": true}));
    // An add that is asked later is answered first.
    let added = server.ask_tool("add_memory", &page("I bought a canoe today."));
    let first = server.line().unwrap();
    assert_eq!(first["id"], added, "{first}");
    assert_eq!(server.line().unwrap()["id"], asked);
}

#[test]
fn a_view_that_another_process_wrote_is_rewritten_too() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    let (mut a, mut b) = (setup.start(), setup.start());
    add_about(&mut a, 0..3);
    a.views_are_written(&setup);
    let id = add(&mut b, &secret());
    b.views_are_written(&setup);
    b.until("the profile is written", || holding(&setup.folder()).len() >= 3);
    forget_and_erase(&mut a, &setup, id);
    b.kill();
    a.close();
    assert_eq!(holding(&setup.folder()), [""; 0]);
}

#[cfg(unix)]
#[test]
fn whoever_forgets_is_answered_when_the_program_is_told_to_stop() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::new(dir.path(), "ada");
    let mut server = setup.start();
    let id = filled(&mut server);
    let views = hold_views(&setup);
    let asked = server.ask_tool("forget_memory", &json!({"memory_ids": [id], "confirm": true}));
    // It is carried out before this, and waits for the views then.
    server.info();
    crate::ending::terminate(&server);
    let reply = server.line().expect("an answer");
    assert_eq!(reply["id"], asked);
    let said = crate::support::outcome(&reply).unwrap_err();
    assert!(said.contains("forgotten for answers"), "{said}");
    assert_eq!(server.wait().0, Some(0));
    drop(views);
    let mut next = setup.start();
    next.until("it is erased", || holding(&setup.folder()).is_empty());
}
