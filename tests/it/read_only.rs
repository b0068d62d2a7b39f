//! A folder that the program may not write: everything can be read, nothing changes.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;
use std::process::Command;

use serde_json::json;
use tempfile::TempDir;

use crate::damage::stored;
use crate::doctor::doctor_as;
use crate::support::{Judge, Server, Setup, is_root, names};

const NOBODY: u32 = 65534;

/// The bytes of every file in a folder and below.
fn snapshot(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for name in names(folder) {
        let path = folder.join(&name);
        if path.is_dir() {
            files.extend(snapshot(&path));
        } else {
            files.push((name, fs::read(&path).unwrap()));
        }
    }
    files
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Gives the folder to an account that may read and not write it; none when that cannot be done.
fn as_a_reader(data: &TempDir, setup: &Setup) -> Option<Setup> {
    if !is_root() {
        println!("skipped: another account can only be had by root");
        return None;
    }
    let program = data.path().join("memoryos");
    // By another process: a child that another test starts meanwhile inherits what is open here, and
    // a program that somebody may write cannot be started.
    let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_memoryos")).arg(&program).status();
    assert!(copied.unwrap().success());
    set_mode(data.path(), 0o755);
    set_mode(&program, 0o755);
    let embeddings = setup.file("embeddings");
    for folder in [setup.folder(), embeddings] {
        for name in names(&folder) {
            let path = folder.join(name);
            chown(&path, Some(NOBODY), Some(NOBODY)).unwrap();
            set_mode(&path, if path.is_dir() { 0o500 } else { 0o400 });
        }
    }
    chown(setup.folder(), Some(NOBODY), Some(NOBODY)).unwrap();
    set_mode(&setup.folder(), 0o500);
    Some(setup.clone().run_as(NOBODY, &program))
}

fn check_read_only(reader: &Setup, judge: &Judge) {
    let before = snapshot(&reader.folder());
    let mut server = reader.start();
    let verdict = judge.demand_of(&mut server);
    assert_eq!(verdict.lost, 0);
    assert_eq!(verdict.info["memory_stats"]["read_only"], true);
    let found = server.tool("retrieve_memory", &json!({"query": "boat"})).unwrap();
    assert!(found["retrieved_pages"][0].is_object(), "{found}");
    let said = add(&mut server);
    for said in [&said, &verdict.notices] {
        assert!(said.contains("read-only") && said.contains("ada"), "{said}");
    }
    assert!(said.contains("nothing was stored"), "{said}");
    assert_eq!(server.close().0, Some(0));
    assert!(snapshot(&reader.folder()) == before, "something was written");
}

fn add(server: &mut Server) -> String {
    let page = json!({"user_input": "one more", "agent_response": "no"});
    server.tool("add_memory", &page).map_or_else(|said| said, |reply| reply.to_string())
}

#[test]
fn a_folder_that_cannot_be_written_is_served_read_only() {
    let data = TempDir::new().unwrap();
    let (setup, judge) = stored(&data);
    let Some(reader) = as_a_reader(&data, &setup) else { return };
    check_read_only(&reader, &judge);
    fs::remove_file(setup.file(".lock")).unwrap();
    check_read_only(&reader, &judge);
}

#[test]
fn a_folder_that_cannot_be_written_is_read_with_what_is_in_its_log() {
    let data = TempDir::new().unwrap();
    let setup = Setup::new(data.path(), "ada");
    let mut judge = Judge::default();
    let mut server = setup.start();
    judge.add(&mut server, 25);
    server.kill();
    let Some(reader) = as_a_reader(&data, &setup) else { return };
    check_read_only(&reader, &judge);
}

#[test]
fn a_data_directory_that_cannot_be_created_ends_the_program_and_names_it() {
    let data = TempDir::new().unwrap();
    let (setup, _) = stored(&data);
    let Some(reader) = as_a_reader(&data, &setup) else { return };
    let mut nowhere = reader;
    nowhere.data = data.path().join("made/by/nobody");
    let (code, said) = nowhere.spawn().close();
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains(&nowhere.data.display().to_string()), "{said}");
}

#[test]
fn the_doctor_tells_of_a_data_directory_that_cannot_be_written_and_of_one_taken_instead() {
    let data = TempDir::new().unwrap();
    let (setup, _) = stored(&data);
    let Some(_) = as_a_reader(&data, &setup) else { return };
    let program = data.path().join("memoryos");
    let at = data.path().to_str().unwrap();
    let there = [("MEMORYOS_DATA_PATH", at), ("MEMORYOS_USER_ID", "ada")];
    let said = doctor_as(NOBODY, &program, data.path(), &there);
    said.demand(("data.folder", "problem"), &["cannot be written", "the right to write there"]);
    said.demand(("files.pages", "ok"), &["all 25 memories"]);
    let below = data.path().join("new");
    let below = [("MEMORYOS_DATA_PATH", below.to_str().unwrap())];
    let said = doctor_as(NOBODY, &program, data.path(), &below);
    said.demand(("data.folder", "problem"), &["cannot be made", "set MEMORYOS_DATA_PATH"]);
    // Nothing is configured, and the working directory cannot be written.
    let said = doctor_as(NOBODY, &program, data.path(), &[("XDG_DATA_HOME", "/tmp")]);
    said.demand(("data.fallback", "warning"), &["working directory", "set MEMORYOS_DATA_PATH"]);
    said.demand(("data.folder", "ok"), &["/tmp/memoryos_data"]);
    let said = doctor_as(NOBODY, &program, data.path(), &[]);
    said.demand(("data.folder", "problem"), &["names no folder for data"]);
}
