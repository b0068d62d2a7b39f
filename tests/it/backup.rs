//! `memoryos backup`: a folder that can be served as it is, or nothing under its name.

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Instant;

use tempfile::TempDir;

use crate::support::{Judge, PATIENCE, Setup, names, names_with};

fn spawn(setup: &Setup, destination: &Path) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_memoryos"));
    command.env_clear().env("MEMORYOS_DATA_PATH", &setup.data);
    command.env("MEMORYOS_USER_ID", &setup.user).arg("backup").arg(destination);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

pub(crate) fn backup(setup: &Setup, destination: &Path) -> Output {
    spawn(setup, destination).wait_with_output().unwrap()
}

/// A user with 20 pages.
fn stored(data: &TempDir) -> (Setup, Judge) {
    let (setup, mut judge) = (Setup::new(data.path(), "ada"), Judge::default());
    let mut server = setup.start();
    judge.add(&mut server, 20);
    server.close();
    (setup, judge)
}

#[test]
fn a_backup_made_while_the_memory_is_served_holds_all_that_was_acknowledged() {
    let (data, destination) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (setup, mut judge) = stored(&data);
    let mut server = setup.start();
    judge.add(&mut server, 5);
    let output = backup(&setup, destination.path());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(names(destination.path()), ["ada"]);
    let copy = Setup::new(destination.path(), "ada");
    judge.demand_all(&copy);
    // The served one has not noticed anything.
    judge.add(&mut server, 1);
    server.close();
    judge.demand_all(&setup);
}

#[test]
fn a_backup_is_restored_by_its_views_alone_too() {
    let (data, destination) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (setup, judge) = stored(&data);
    assert!(backup(&setup, destination.path()).status.success());
    let copy = Setup::new(destination.path(), "ada");
    std::fs::remove_file(copy.file("memory.db")).unwrap();
    let verdict = judge.demand_all(&copy);
    assert!(verdict.notices.contains("has been recovered"), "{}", verdict.notices);
}

#[test]
fn a_backup_writes_over_nothing() {
    let (data, destination) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (setup, judge) = stored(&data);
    assert!(backup(&setup, destination.path()).status.success());
    let second = backup(&setup, destination.path());
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(1));
    assert!(said.contains("exists already; choose another destination"), "{said}");
    judge.demand_all(&Setup::new(destination.path(), "ada"));
}

#[test]
fn a_backup_of_a_user_without_memory_fails_and_leaves_nothing() {
    let (data, destination) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let output = backup(&Setup::new(data.path(), "nobody"), destination.path());
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("holds no memory"));
    assert_eq!(names(destination.path()), [""; 0]);
}

#[test]
fn a_backup_that_is_killed_has_no_name_yet() {
    let (data, destination) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (setup, judge) = stored(&data);
    let lock: File = OpenOptions::new().write(true).open(setup.file(".lock")).unwrap();
    lock.lock().unwrap();
    let mut child = spawn(&setup, destination.path());
    let start = Instant::now();
    while names(destination.path()).is_empty() {
        assert!(start.elapsed() < PATIENCE, "the backup never began");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    lock.unlock().unwrap();
    assert_eq!(names_with(destination.path(), "ada"), [""; 0]);
    assert!(backup(&setup, destination.path()).status.success());
    judge.demand_all(&Setup::new(destination.path(), "ada"));
}
