//! A write-ahead log that was damaged after the server had been killed.
//!
//! SQLite drops what lies behind a bad frame and says nothing; every page that was answered with
//! success must come back or be named as lost all the same.

use std::fs;

use tempfile::TempDir;

use crate::forget::visitor;
use crate::support::{Judge, Setup, flip, names_with, take_log_in, truncate};

const LOG: &str = "memory.db-wal";

/// A user whose server was killed: twelve pages are in the views, thirteen more in the log only.
pub(crate) fn killed(data: &TempDir) -> (Setup, Judge) {
    let setup = Setup::new(data.path(), "ada");
    let mut judge = Judge::default();
    let mut server = setup.start();
    judge.add(&mut server, 12);
    server.views_are_written(&setup);
    take_log_in(&setup.file("memory.db"));
    // As long as somebody reads the database, nothing more of the log gets there.
    let reader = visitor(&setup);
    reader.execute_batch("BEGIN; SELECT COUNT(*) FROM pages").unwrap();
    // One after another: those that wait together share a commit, and what it writes.
    for _ in 0..13 {
        judge.add(&mut server, 1);
    }
    server.kill();
    drop(reader);
    assert!(fs::metadata(setup.file(LOG)).unwrap().len() > 0);
    (setup, judge)
}

#[test]
fn a_killed_server_loses_nothing_and_leaves_no_second_log_behind() {
    let data = TempDir::new().unwrap();
    let (setup, judge) = killed(&data);
    assert_eq!(judge.demand_all(&setup).notices, "");
    assert_eq!(names_with(&setup.folder(), "memory.db"), ["memory.db"]);
}

#[test]
fn a_flipped_bit_in_the_log_loses_no_page() {
    for percent in (0..100).step_by(11) {
        let data = TempDir::new().unwrap();
        let (setup, judge) = killed(&data);
        flip(&setup.file(LOG), f64::from(percent) / 100.0);
        let verdict = judge.demand(&setup);
        assert!(verdict.lost <= 1, "{percent} %: {}", verdict.notices);
        assert_eq!(judge.demand(&setup).notices, verdict.notices, "{percent} %: recovered twice");
        assert_eq!(names_with(&setup.folder(), "memory.db-wal"), Vec::<String>::new());
    }
}

#[test]
fn a_truncated_log_loses_no_page_in_silence() {
    for percent in [0, 5, 30, 50, 70, 90, 99] {
        let data = TempDir::new().unwrap();
        let (setup, judge) = killed(&data);
        truncate(&setup.file(LOG), f64::from(percent) / 100.0);
        let verdict = judge.demand(&setup);
        assert!(verdict.lost <= 13, "what the views show is not lost: {}", verdict.notices);
        assert!(verdict.notices.contains("the memory was damaged"), "{percent} %");
    }
}

#[test]
fn a_log_that_was_deleted_beside_its_index_loses_no_page_in_silence() {
    let data = TempDir::new().unwrap();
    let (setup, judge) = killed(&data);
    fs::remove_file(setup.file(LOG)).unwrap();
    let verdict = judge.demand(&setup);
    assert!(verdict.lost <= 13, "what the views show is not lost: {}", verdict.notices);
    assert!(verdict.notices.contains("the memory was damaged"), "it was told");
}

#[test]
fn a_database_that_was_deleted_beside_its_log_is_no_new_user() {
    let data = TempDir::new().unwrap();
    let (setup, judge) = killed(&data);
    fs::remove_file(setup.file("memory.db")).unwrap();
    for view in ["short_term_memory.json", "mid_term_memory.json", "user_profile.json"] {
        fs::remove_file(setup.file(view)).unwrap();
    }
    let verdict = judge.demand(&setup);
    assert!(verdict.notices.contains("memory.db is missing or empty"), "{}", verdict.notices);
}
