//! `memoryos selftest`: it loses nothing, leaves nothing, and can fail.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use memoryos::selftest::{Goal, Options, Report};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Judge, Setup, copy_tree, names};

fn selftest(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_memoryos"));
    command.env_clear().current_dir(folder).arg("selftest").args(args);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn it_loses_nothing_leaves_nothing_and_touches_no_memory_of_the_user() {
    let work = TempDir::new().unwrap();
    let data = work.path().join("memoryos_data");
    let setup = Setup::new(&data, "ada");
    let mut judge = Judge::default();
    let mut server = setup.start();
    judge.add(&mut server, 5);
    server.close();
    let twin = work.path().join("twin");
    copy_tree(&data, &twin);
    // Settings that would be wrong for its servers are not passed on to them.
    let mut command = selftest(work.path(), &["--points", "120", "--seed", "1", "--json"]);
    command.env("MEMORYOS_USER_ID", "ada").env("MEMORYOS_SHORT_TERM_CAPACITY", "7");
    let output = command.output().unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said} {}", text(&output.stdout));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["passed"], true);
    for name in ["lost", "unloadable", "panics"] {
        assert_eq!(report[name], 0, "{name}: {report}");
    }
    let at_least = [("points", 120), ("kills", 1), ("processes", 120), ("acknowledged", 1)];
    for (name, n) in at_least {
        assert!(report[name].as_u64().unwrap() >= n, "{name}: {report}");
    }
    assert_eq!(names(&data), names(&twin), "nothing is left");
    for name in names(&setup.folder()).iter().filter(|name| setup.file(name).is_file()) {
        let twin = twin.join("ada").join(name);
        assert!(fs::read(setup.file(name)).unwrap() == fs::read(twin).unwrap(), "{name}");
    }
}

#[test]
fn where_nothing_is_it_makes_no_data_directory_and_prints_a_table() {
    let work = TempDir::new().unwrap();
    let output = selftest(work.path(), &["--points", "5", "--seed", "3"]).output().unwrap();
    let table = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{table} {}", text(&output.stderr));
    assert_eq!(names(work.path()), [""; 0]);
    for row in ["points", "processes started", "pages lost", "folders that did not load", "panics"]
    {
        assert!(table.lines().any(|line| line.starts_with(row)), "{row}: {table}");
    }
    assert!(table.contains("seed 3"), "{table}");
    assert!(table.ends_with("Nothing that was acknowledged was lost.\n"), "{table}");
}

#[test]
fn a_folder_that_cannot_be_used_ends_it_with_code_1_and_wrong_usage_with_code_2() {
    let work = TempDir::new().unwrap();
    let file = work.path().join("file");
    crate::support::put(&file, "no folder");
    let file = file.to_str().unwrap().to_owned();
    let mut cases: Vec<(Vec<&str>, i32, &str)> = vec![
        (vec!["--dir", &file], 1, "cannot make a folder in"),
        (vec!["--minutes", "0"], 2, "expected a number of minutes above 0"),
        (vec!["--minutes", "soon"], 2, "expected a number of minutes above 0"),
        (vec!["--points", "0"], 2, "--points"),
        (vec!["--points", "5", "--minutes", "1"], 2, "cannot be used with"),
        (vec!["--nonsense"], 2, "unexpected argument"),
        (vec!["--user-id", "a/b"], 2, "user id has '/'"),
    ];
    if cfg!(target_os = "linux") {
        cases.push((vec!["--dir", "/proc/nothing"], 1, "cannot make a folder in /proc/nothing"));
    }
    for (args, code, message) in cases {
        let output = selftest(work.path(), &args).output().unwrap();
        let said = text(&output.stderr);
        assert!(said.contains(message), "{args:?}: {said}");
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(code), ""), "{args:?}");
    }
    assert_eq!(names(work.path()), ["file"]);
}

#[cfg(unix)]
#[test]
fn a_signal_ends_it_with_what_it_has_and_nothing_is_left() {
    for signal in ["-INT", "-TERM", "-HUP"] {
        let work = TempDir::new().unwrap();
        let running = selftest(work.path(), &["--minutes", "60"]).spawn().unwrap();
        let pid = running.id().to_string();
        let start = std::time::Instant::now();
        // Its folder is made when it listens for signals.
        while names(work.path()).is_empty() {
            assert!(start.elapsed() < crate::support::PATIENCE, "it never began");
            std::thread::yield_now();
        }
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        let output = running.wait_with_output().unwrap();
        let (table, said) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{signal}: {table} {said}");
        assert!(table.contains("pages lost"), "{signal}: {table}");
        assert_eq!(names(work.path()), [""; 0], "{signal}");
    }
}

/// Runs the test on a program that is a shell script: `$program` is the real one, `$folder` the
/// user's.
#[cfg(unix)]
fn sabotaged(script: &str) -> Report {
    use std::os::unix::fs::PermissionsExt as _;

    let work = TempDir::new().unwrap();
    let (draft, program) = (work.path().join("draft"), work.path().join("saboteur"));
    let real = env!("CARGO_BIN_EXE_memoryos");
    let lines = ["#!/bin/sh", &format!("program='{real}'"), "folder=$2/$4", script, ""];
    crate::support::put(&draft, lines.join("\n"));
    // By another process: a child that another test starts meanwhile inherits what is open here, and
    // a program that somebody may write cannot be started.
    assert!(Command::new("cp").arg(&draft).arg(&program).status().unwrap().success());
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let options = Options {
        program,
        unset: Vec::new(),
        places: vec![work.path().to_owned()],
        seed: 5,
        goal: Goal::Time(Duration::from_mins(10)),
    };
    let never = AtomicBool::new(false);
    let report = memoryos::selftest::run(&options, &never, &mut |_| ()).unwrap();
    let kept = report.kept.as_ref();
    assert!(kept.is_some_and(|kept| kept.is_dir()), "what was found can be looked at: {report}");
    report
}

#[cfg(unix)]
#[test]
fn programs_that_break_a_promise_are_found_out() {
    let cases = [
        ("forgets everything", "rm -rf \"$folder\"; exec $program \"$@\""),
        ("ends at once", "exit 0"),
        ("panics", "echo 'panicked at x' >&2; exec $program \"$@\""),
    ];
    for (what, script) in cases {
        let report = sabotaged(script);
        assert!(!report.is_good(), "it {what}: {report}");
    }
}
