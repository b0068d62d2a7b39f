//! A database that was damaged while nobody had it open.
//!
//! Every page comes back or is named as lost, the damaged file is kept, and the recovery is done
//! once.

use std::fs;

use tempfile::TempDir;

use crate::support::{Judge, Setup, Verdict, flip, names_with, put, sql, take_log_in, truncate};

const DATABASE: &str = "memory.db";

/// A user with 25 pages whose server ended cleanly.
pub(crate) fn stored(data: &TempDir) -> (Setup, Judge) {
    let setup = Setup::new(data.path(), "ada");
    let mut judge = Judge::default();
    let mut server = setup.start();
    judge.add(&mut server, 25);
    let (code, said) = server.close();
    assert_eq!((code, said.as_str()), (Some(0), ""));
    (setup, judge)
}

/// Demands a recovery that kept the damaged file, and that the next start finds nothing to do.
fn check_recovered(setup: &Setup, judge: &Judge, damaged: &[u8]) -> Verdict {
    let verdict = judge.demand(setup);
    assert!(verdict.notices.contains("the memory was damaged"), "{}", verdict.notices);
    let kept = names_with(&setup.folder(), "memory.db.damaged-");
    assert!(kept.iter().any(|name| fs::read(setup.file(name)).unwrap() == damaged), "{kept:?}");
    let again = judge.demand(setup);
    assert_eq!(again.notices, verdict.notices, "nothing is recovered twice");
    assert_eq!(names_with(&setup.folder(), "memory.db.damaged-"), kept);
    verdict
}

#[test]
fn a_truncated_database_loses_no_page() {
    let data = TempDir::new().unwrap();
    let (setup, judge) = stored(&data);
    let path = setup.file(DATABASE);
    for share in [0.0001, 0.01, 0.1, 0.5, 0.9, 0.99] {
        truncate(&path, share);
        let damaged = fs::read(&path).unwrap();
        let verdict = check_recovered(&setup, &judge, &damaged);
        assert_eq!(verdict.lost, 0, "share {share}: {}", verdict.notices);
    }
}

#[test]
fn a_missing_or_empty_database_beside_views_is_no_new_user() {
    let data = TempDir::new().unwrap();
    let (setup, judge) = stored(&data);
    let path = setup.file(DATABASE);
    fs::remove_file(&path).unwrap();
    judge.demand_all(&setup);
    put(&path, b"");
    check_recovered(&setup, &judge, b"");
    put(&path, [0; 4096]);
    check_recovered(&setup, &judge, &[0; 4096]);
    flip(&path, 0.0);
    let damaged = fs::read(&path).unwrap();
    assert_eq!(check_recovered(&setup, &judge, &damaged).lost, 0);
}

#[test]
fn a_flipped_bit_anywhere_loses_no_page() {
    for percent in (0..100).step_by(11) {
        let data = TempDir::new().unwrap();
        let (setup, judge) = stored(&data);
        flip(&setup.file(DATABASE), f64::from(percent) / 100.0);
        let verdict = judge.demand(&setup);
        assert_eq!(verdict.lost, 0, "{percent} %: {}", verdict.notices);
        assert_eq!(judge.demand(&setup).notices, verdict.notices, "{percent} %: recovered twice");
    }
}

#[test]
fn a_flipped_bit_in_the_schema_loses_no_page() {
    for at in (0..4096).step_by(307).chain([18, 56]) {
        let data = TempDir::new().unwrap();
        let (setup, judge) = stored(&data);
        let mut bytes = fs::read(setup.file(DATABASE)).unwrap();
        bytes[at] ^= 1;
        put(&setup.file(DATABASE), bytes);
        assert_eq!(judge.demand(&setup).lost, 0, "byte {at}");
    }
}

#[test]
fn damage_that_hits_no_page_is_recovered_before_it_grows() {
    let data = TempDir::new().unwrap();
    let (setup, judge) = stored(&data);
    let mut bytes = fs::read(setup.file(DATABASE)).unwrap();
    // The number of unused pages in the database's header.
    bytes[39] ^= 1;
    put(&setup.file(DATABASE), &bytes);
    assert_eq!(check_recovered(&setup, &judge, &bytes).lost, 0);
}

#[test]
fn a_name_out_of_order_is_recovered_before_it_hides_others() {
    let data = TempDir::new().unwrap();
    let (setup, judge) = stored(&data);
    let mut bytes = fs::read(setup.file(DATABASE)).unwrap();
    // A key of `meta`, now "cdentity": SQLite's own check passes, and who looks for "identity" finds
    // none, as in the folder of an older program.
    let is_row = |w: &[u8]| w.starts_with(b"identity") && w[8..].iter().all(u8::is_ascii_hexdigit);
    let at = bytes.windows(24).position(is_row).unwrap();
    bytes[at] = b'c';
    put(&setup.file(DATABASE), &bytes);
    assert_eq!(check_recovered(&setup, &judge, &bytes).lost, 0);
}

#[test]
fn a_topic_that_was_changed_in_a_damaged_view_is_made_anew_of_its_pages() {
    let data = TempDir::new().unwrap();
    let (setup, judge) = stored(&data);
    for name in names_with(&setup.folder(), DATABASE) {
        fs::remove_file(setup.file(&name)).unwrap();
    }
    let view = setup.file("mid_term_memory.json");
    let text = fs::read_to_string(&view).unwrap();
    put(&view, text.replacen("\"summary\": \"", "\"summary\": \"Forged. ", 1));
    let verdict = judge.demand(&setup);
    assert_eq!(verdict.lost, 0, "{}", verdict.notices);
    let again = fs::read_to_string(&view).unwrap();
    assert!(again.contains("\"summary\"") && !again.contains("Forged"), "{again}");
}

#[test]
fn a_page_that_was_changed_by_sql_comes_back_as_it_was() {
    let changes = [
        "UPDATE texts SET user_input = 'forged' WHERE slot = 5",
        "UPDATE texts SET agent_response = user_input WHERE slot = 24",
        "DELETE FROM texts WHERE slot = 6",
        "DELETE FROM pages WHERE slot = 7; DELETE FROM texts WHERE slot = 7",
        "UPDATE pages SET checksum = checksum + 1 WHERE slot = 25",
        "DELETE FROM segments; DELETE FROM means",
        "DELETE FROM meta WHERE key = 'owner'",
        "DROP TABLE log",
    ];
    for change in changes {
        let data = TempDir::new().unwrap();
        let (setup, judge) = stored(&data);
        sql(&setup.file(DATABASE), change);
        let damaged = fs::read(setup.file(DATABASE)).unwrap();
        assert_eq!(check_recovered(&setup, &judge, &damaged).lost, 0, "{change}");
    }
}

#[test]
fn a_page_that_is_nowhere_to_be_had_is_named_as_lost() {
    let data = TempDir::new().unwrap();
    let (setup, judge) = stored(&data);
    sql(&setup.file(DATABASE), "DELETE FROM texts WHERE slot IN (5, 9)");
    let damaged = fs::read(setup.file(DATABASE)).unwrap();
    fs::remove_file(setup.file("mid_term_memory.json")).unwrap();
    let verdict = check_recovered(&setup, &judge, &damaged);
    let named = "2 pages are lost, in the order of adding these: 5, 9.";
    assert!(verdict.notices.contains(named), "{}", verdict.notices);
    assert_eq!(verdict.lost, 2);
}

#[test]
fn an_interrupted_recovery_is_finished_by_the_next_start() {
    let note = r#"{"stamp": "20260101T000000Z", "reason": "a test"}"#;
    let aside = "memory.db.damaged-20260101T000000Z";
    for (database_is_there, database_is_whole) in [(true, false), (false, false), (true, true)] {
        let data = TempDir::new().unwrap();
        let (setup, judge) = stored(&data);
        let whole = fs::read(setup.file(DATABASE)).unwrap();
        truncate(&setup.file(DATABASE), 0.6);
        fs::copy(setup.file(DATABASE), setup.file(aside)).unwrap();
        if database_is_whole {
            put(&setup.file(DATABASE), whole);
        }
        put(&setup.file(".recovering"), note);
        put(&setup.file(".new-0123.db"), "half a database");
        if !database_is_there {
            fs::remove_file(setup.file(DATABASE)).unwrap();
        }
        let verdict = judge.demand_all(&setup);
        assert!(verdict.notices.contains(&format!("kept as {aside}*")), "{}", verdict.notices);
        assert_eq!(names_with(&setup.folder(), ".recovering"), Vec::<String>::new());
        assert_eq!(names_with(&setup.folder(), ".new-"), Vec::<String>::new());
        assert_eq!(names_with(&setup.folder(), "memory.db.damaged-"), [aside]);
    }
}

#[test]
fn a_recovery_that_is_killed_loses_no_page() {
    let data = TempDir::new().unwrap();
    let (setup, judge) = stored(&data);
    for _ in 0..8 {
        truncate(&setup.file(DATABASE), 0.7);
        let mut killed = setup.spawn();
        killed.ask("ping", &serde_json::json!({}));
        let start = std::time::Instant::now();
        while names_with(&setup.folder(), ".recovering").is_empty()
            && start.elapsed() < std::time::Duration::from_millis(300)
        {
            std::thread::yield_now();
        }
        killed.kill();
    }
    judge.demand_all(&setup);
}

#[test]
fn damage_under_a_running_server_is_served_read_only_to_others() {
    let data = TempDir::new().unwrap();
    let setup = Setup::new(data.path(), "ada");
    let mut judge = Judge::default();
    let mut first = setup.start();
    judge.add(&mut first, 25);
    first.views_are_written(&setup);
    take_log_in(&setup.file(DATABASE));
    let mut bytes = fs::read(setup.file(DATABASE)).unwrap();
    bytes[..100].fill(0);
    put(&setup.file(DATABASE), bytes);
    let mut second = setup.start();
    let verdict = judge.demand_of(&mut second);
    let refused =
        second.tool("add_memory", &serde_json::json!({"user_input": "a", "agent_response": "b"}));
    let refused = refused.unwrap_err();
    for said in [&verdict.notices, &refused] {
        assert!(said.contains("close all other clients of this user"), "{said}");
        if fs::read("/proc/locks").is_ok() {
            assert!(said.contains(&format!("process {}", first.pid())), "{said}");
        }
    }
    second.close();
    first.kill();
    judge.demand_all(&setup);
}
