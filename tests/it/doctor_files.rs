//! `memoryos doctor` over a user's folder that something is wrong with: each finding is told, with
//! what to do, and nothing is touched.

use std::fs::{self, File, OpenOptions};
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::damage::stored;
use crate::doctor::{picture, said_of};
use crate::log_damage::killed;
use crate::support::{Setup, copy_tree, flip, put, rename, sql, truncate};

/// A change of a folder, the finding that it must lead to, and words of its text and action.
type Case<'a> = (&'a str, fn(&Setup), (&'a str, &'a str), &'a [&'a str]);

/// Takes everything from other accounts, as the program does it.
fn close(folder: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        for path in [folder.to_owned(), folder.join("embeddings")] {
            fs::set_permissions(path, fs::Permissions::from_mode(0o700)).unwrap();
        }
    }
    #[cfg(not(unix))]
    let _ = folder;
}

/// Breaks a copy of `whole` in each way, and demands that the doctor says so and touches nothing.
fn check(whole: &Setup, cases: &[Case<'_>]) {
    for (name, change, finding, words) in cases {
        let data = TempDir::new().unwrap();
        let setup = Setup::new(data.path(), "ada");
        copy_tree(&whole.data, data.path());
        close(&setup.folder());
        assert_eq!(said_of(&setup).wrong(), Vec::<&Value>::new(), "{name}: before");
        change(&setup);
        let before = picture(data.path());
        let said = said_of(&setup);
        said.demand(*finding, words);
        let marker = said.json.to_string();
        assert!(!marker.contains("tomatoes") && !marker.contains("forged"), "{name}: {marker}");
        assert!(picture(data.path()) == before, "{name}: something was touched");
    }
}

fn on_database(setup: &Setup, statements: &str) {
    sql(&setup.file("memory.db"), statements);
}

const RECOVER: &str = "it recovers what can be read";

const DAMAGE: &[Case<'_>] = &[
    ("zeros", |s| put(&s.file("memory.db"), [0; 4096]), ("files.database", "problem"), &[RECOVER]),
    (
        "missing",
        |s| fs::remove_file(s.file("memory.db")).unwrap(),
        ("files.database", "problem"),
        &["missing or empty", RECOVER],
    ),
    (
        "another program's",
        |s| {
            fs::remove_file(s.file("memory.db")).unwrap();
            on_database(s, "CREATE TABLE songs (t TEXT); PRAGMA application_id = 77");
        },
        ("files.mark", "problem"),
        &["another program", "move it away"],
    ),
    (
        "its mark",
        |s| on_database(s, "PRAGMA application_id = 77"),
        ("files.mark", "problem"),
        &["its mark is not", RECOVER],
    ),
    (
        "newer",
        |s| on_database(s, "PRAGMA user_version = 99"),
        ("files.format", "problem"),
        &["99", "newest memoryos"],
    ),
    (
        "older",
        |s| on_database(s, "PRAGMA user_version = 1"),
        ("files.format", "warning"),
        &["its format is 1", "up to date"],
    ),
    (
        "unused pages",
        |s| {
            let mut bytes = fs::read(s.file("memory.db")).unwrap();
            bytes[39] ^= 1;
            put(&s.file("memory.db"), bytes);
        },
        ("files.structure", "problem"),
        &["memory.db is damaged", RECOVER],
    ),
    (
        "half",
        |s| truncate(&s.file("memory.db"), 0.5),
        ("files.database", "problem"),
        &["malformed", RECOVER],
    ),
];

#[test]
fn damage_of_the_database_is_told() {
    let data = TempDir::new().unwrap();
    let (whole, _) = stored(&data);
    check(&whole, DAMAGE);
}

const ROWS: &[Case<'_>] = &[
    (
        "owner",
        |s| {
            let owner = "UPDATE meta SET value = 'bob' WHERE key = 'owner'";
            on_database(s, &format!("{owner}; DELETE FROM meta WHERE key = 'identity'"));
        },
        ("files.owner", "problem"),
        &["belongs to user", "bob", "name of its owner"],
    ),
    (
        "a text",
        |s| on_database(s, "UPDATE texts SET user_input = 'forged' WHERE slot = 5"),
        ("files.pages", "problem"),
        &["1 of 25 memories", "page 5 is not as it was written"],
    ),
    (
        "a page",
        |s| on_database(s, "DELETE FROM pages WHERE slot = 7"),
        ("files.gaps", "problem"),
        &["24 memories, expected 25"],
    ),
    (
        "a topic",
        |s| on_database(s, "DELETE FROM segments WHERE id = 1"),
        ("files.segments", "problem"),
        &["topic 1 is missing"],
    ),
    (
        "a fact",
        |s| on_database(s, "INSERT INTO facts (record, checksum) VALUES ('forged', 'x')"),
        ("files.facts", "problem"),
        &["is not as it was written"],
    ),
    (
        "the log of changes",
        |s| on_database(s, "UPDATE log SET ref = 'forged' WHERE seq = 3"),
        ("files.log", "problem"),
        &["log entry 3"],
    ),
    (
        "an erasure",
        |s| on_database(s, "INSERT INTO meta (key, value) VALUES ('erasing', '9')"),
        ("files.erasing", "warning"),
        &["change 9", "goes on erasing"],
    ),
    (
        "lost changes",
        |s| on_database(s, "DELETE FROM log WHERE seq = (SELECT MAX(seq) FROM log)"),
        ("files.views", "problem"),
        &["short_term_memory.json shows change", "copy the folder away"],
    ),
    (
        "another database",
        |s| on_database(s, "UPDATE meta SET value = 'x' WHERE key = 'epoch'"),
        ("files.views", "warning"),
        &["mid_term_memory.json is of another database", ".other-"],
    ),
];

#[test]
fn every_row_that_is_not_as_it_was_written_is_told() {
    let data = TempDir::new().unwrap();
    let (whole, _) = stored(&data);
    check(&whole, ROWS);
}

#[test]
fn what_is_wrong_with_views_derived_data_and_the_log_is_told() {
    const PROFILE: &str = "user_profile.json";
    const DERIVED: &str = "embeddings/static-128.db";
    let data = TempDir::new().unwrap();
    let (whole, _) = stored(&data);
    check(
        &whole,
        &[
            (
                "edited",
                |s| flip(&s.file(PROFILE), 0.5),
                ("files.views", "warning"),
                &["user_profile.json was changed", "edited-"],
            ),
            (
                "missing",
                |s| fs::remove_file(s.file(PROFILE)).unwrap(),
                ("files.views", "warning"),
                &["user_profile.json is missing", "written anew"],
            ),
            (
                "foreign",
                |s| put(&s.file(PROFILE), "{}"),
                ("files.views", "warning"),
                &["was not written by memoryos", "takes in"],
            ),
            (
                "derived rows",
                |s| sql(&s.file(DERIVED), "UPDATE analyses SET checksum = checksum + 1"),
                ("files.derived", "warning"),
                &["25 damaged rows", "made anew"],
            ),
            (
                "derived",
                |s| put(&s.file(DERIVED), [7; 9000]),
                ("files.derived", "warning"),
                &["cannot be read", "made anew"],
            ),
        ],
    );
    let data = TempDir::new().unwrap();
    let (log, _) = killed(&data);
    check(
        &log,
        &[(
            "log",
            |s| flip(&s.file("memory.db-wal"), 0.5),
            ("files.wal", "problem"),
            &["breaks off", "commits behind the break", "it recovers"],
        )],
    );
    let data = TempDir::new().unwrap();
    let bob = Setup::new(data.path(), "bob");
    copy_tree(&whole.folder(), &bob.folder());
    said_of(&bob).demand(("files.owner", "problem"), &["ada", "bob", "MEMORYOS_USER_ID"]);
}

#[test]
fn what_lies_in_the_folder_is_told() {
    let data = TempDir::new().unwrap();
    let (whole, _) = stored(&data);
    let aside = ("folder.set_aside", "warning");
    check(
        &whole,
        &[
            (
                "unknown",
                |s| put(&s.file("notes\u{1b}.txt"), ""),
                ("folder.names", "warning"),
                &["notes\\\\u{1b}.txt", "leaves them alone"],
            ),
            (
                "damaged",
                |s| put(&s.file("memory.db.damaged-1"), [0; 2048]),
                aside,
                &["(2.0 KiB)", "kept by a recovery", "delete it"],
            ),
            ("edited", |s| put(&s.file("a.json.edited-1"), ""), aside, &["somebody changed"]),
            ("taken in", |s| put(&s.file("a.json.foreign-1"), ""), aside, &["was taken in"]),
            ("format", |s| put(&s.file("memory.db.before-format-2"), ""), aside, &["made newer"]),
            ("other", |s| put(&s.file("a.json.other-1"), ""), aside, &["another database"]),
            (
                "waiting",
                |s| {
                    let page = r#"[{"user_input": "forged", "agent_response": "b"}]"#;
                    put(&s.file("old.json"), page);
                },
                ("folder.waiting", "warning"),
                &["old.json", "the next start takes them in"],
            ),
            (
                "left",
                |s| put(&s.file(".new-1.db"), ""),
                ("folder.left", "warning"),
                &[".new-1.db", "removes them"],
            ),
            (
                "view",
                |s| put(&s.file(".user_profile.json.X"), ""),
                ("folder.left", "warning"),
                &[".user_profile.json.X"],
            ),
            ("recovery", |s| put(&s.file(".recovering"), "{}"), UNFINISHED, &[".recovering"]),
            ("start", |s| put(&s.file(".looking"), ""), UNFINISHED, &[".looking", "goes on"]),
            ("log", |s| put(&s.file("memory.db-wal.unclean"), ""), UNFINISHED, &["unclean"]),
        ],
    );
}

const UNFINISHED: (&str, &str) = ("folder.unfinished", "warning");

#[cfg(unix)]
#[test]
fn who_may_read_and_where_links_lead_is_told() {
    use std::os::unix::fs::{PermissionsExt as _, chown, symlink};

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    let data = TempDir::new().unwrap();
    let (whole, _) = stored(&data);
    check(
        &whole,
        &[
            (
                "folder",
                |s| set_mode(&s.folder(), 0o755),
                ("folder.modes", "problem"),
                &["its mode is 755", "chmod 700"],
            ),
            (
                "file",
                |s| set_mode(&s.file("embeddings/static-128.db"), 0o644),
                ("folder.modes", "warning"),
                &["embeddings/static-128.db (644)", "chmod -R go-rwx"],
            ),
            (
                "link",
                |s| symlink("/etc/passwd", s.file("embeddings/x.db")).unwrap(),
                ("folder.links", "problem"),
                &["embeddings/x.db", "remove them"],
            ),
            (
                "link in place of the folder",
                |s| {
                    rename(&s.folder(), &s.data.join("moved"));
                    symlink(s.data.join("moved"), s.folder()).unwrap();
                },
                ("folder.place", "problem"),
                &["symbolic link", "put the folder itself there"],
            ),
            (
                "file in place of the folder",
                |s| {
                    rename(&s.folder(), &s.data.join("moved"));
                    put(&s.folder(), "");
                },
                ("folder.place", "problem"),
                &["is no folder", "move it away"],
            ),
        ],
    );
    if crate::support::is_root() {
        let own: fn(&Setup) = |s| chown(s.file(".lock"), Some(65534), None).unwrap();
        let words: &[&str] = &[".lock (account 65534)", "chown"];
        check(&whole, &[("account", own, ("folder.account", "warning"), words)]);
    } else {
        println!("skipped: only root gives files away");
    }
}

/// Opens a lock file of the folder as another process would.
fn lock_file(setup: &Setup, name: &str) -> File {
    OpenOptions::new().write(true).open(setup.file(name)).unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn who_has_the_memory_open_and_a_writer_that_is_stuck_are_told() {
    let data = TempDir::new().unwrap();
    let (setup, _) = stored(&data);
    let me = format!("process {} (", std::process::id());
    let said = said_of(&setup);
    said.demand(("locks.open", "ok"), &["no process"]);
    said.demand(("locks.write", "ok"), &["nobody"]);
    let (open, write) = (lock_file(&setup, ".lock"), lock_file(&setup, ".write"));
    open.lock_shared().unwrap();
    write.lock().unwrap();
    // A young private file may be in the making beside an open memory.
    put(&setup.file(".new-1.db"), "");
    let before = picture(&setup.data);
    let said = said_of(&setup);
    said.demand(("locks.open", "ok"), &["is open in", &me]);
    said.demand(("locks.write", "problem"), &[&me, "writes nothing", "end process"]);
    said.demand(("folder.left", "ok"), &[]);
    assert!(picture(&setup.data) == before, "something was touched");
}

#[cfg(target_os = "linux")]
#[test]
fn whoever_keeps_the_folder_to_itself_for_long_is_told() {
    let data = TempDir::new().unwrap();
    let (setup, _) = stored(&data);
    let alone = lock_file(&setup, ".lock");
    alone.lock().unwrap();
    // It is just being looked over: nobody was interrupted.
    put(&setup.file(".looking"), "");
    let said = said_of(&setup);
    said.demand(("folder.unfinished", "ok"), &["just looking"]);
    said.demand(("locks.open", "warning"), &["kept the folder to itself", "if it stays, end"]);
}
