//! A folder that is removed or replaced while a server has it open.

use std::fs;

use serde_json::json;
use tempfile::TempDir;

use crate::damage::stored;
use crate::support::{Judge, Server, Setup, copy_tree, rename};

fn add(server: &mut Server) -> Result<serde_json::Value, String> {
    server.tool("add_memory", &json!({"user_input": "one more", "agent_response": "yes"}))
}

#[test]
fn a_removed_folder_is_an_error_that_says_so_and_a_restored_one_works() {
    let data = TempDir::new().unwrap();
    let (setup, judge) = stored(&data);
    let away = data.path().join("away");
    let mut server = setup.start();
    judge.demand_of(&mut server);
    rename(&setup.folder(), &away);
    for _ in 0..2 {
        let said = add(&mut server).unwrap_err();
        assert!(said.contains("was removed") && said.contains("ada"), "{said}");
        let read = server.tool("retrieve_memory", &json!({"query": "boat"})).unwrap_err();
        assert!(read.contains("was removed") && read.contains("ada"), "{read}");
    }
    assert!(!setup.folder().exists(), "no empty memory was begun in its place");
    rename(&away, &setup.folder());
    judge.demand_of(&mut server);
    let mut judge = judge;
    judge.add(&mut server, 5);
    assert_eq!(server.close().0, Some(0));
    judge.demand_all(&setup);
}

#[test]
fn a_removed_database_is_not_begun_anew_under_a_running_server() {
    let data = TempDir::new().unwrap();
    let (setup, mut judge) = stored(&data);
    let mut server = setup.start();
    judge.add(&mut server, 3);
    server.views_are_written(&setup);
    for name in ["memory.db", "memory.db-wal", "memory.db-shm"] {
        fs::remove_file(setup.file(name)).unwrap();
    }
    if let Ok(reply) = add(&mut server) {
        judge.note(&reply, "one more", "yes");
    }
    judge.demand_of(&mut server);
    server.close();
    judge.demand_all(&setup);
}

#[test]
fn a_folder_replaced_by_another_is_not_mixed_with_it() {
    let (data, elsewhere) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (setup, mut judge) = stored(&data);
    let other = Setup::new(elsewhere.path(), "ada");
    let mut others = Judge::default();
    others.add(&mut other.start(), 11);
    let away = Setup::new(&data.path().join("away"), "ada");
    fs::create_dir(&away.data).unwrap();
    let mut server = setup.start();
    judge.add(&mut server, 1);
    // Nothing but what is due after the next add may meet the other folder.
    server.views_are_written(&setup);
    judge.add(&mut server, 1);
    rename(&setup.folder(), &away.folder());
    copy_tree(&other.folder(), &setup.folder());
    // The first call may say that the memory was replaced; from then on the new one is served.
    if let Ok(reply) = add(&mut server) {
        others.note(&reply, "one more", "yes");
    }
    others.demand_of(&mut server);
    others.add(&mut server, 3);
    assert_eq!(server.close().0, Some(0));
    others.demand_all(&setup);
    judge.demand_all(&away);
}

#[test]
fn a_data_directory_that_cannot_be_one_ends_the_program_and_names_the_path() {
    let data = TempDir::new().unwrap();
    let file = data.path().join("file");
    crate::support::put(&file, "no folder");
    let mut paths = vec![file.clone(), file.join("below")];
    if cfg!(target_os = "linux") {
        paths.push("/proc/memoryos".into());
    }
    for path in paths {
        let (code, said) = Setup::new(&path, "ada").spawn().close();
        assert_eq!(code, Some(2), "{said}");
        let shown = path.display().to_string();
        assert!(said.contains(&shown), "{shown}: {said}");
    }
    let setup = Setup::new(data.path(), "file");
    let (code, said) = setup.spawn().close();
    assert!(code == Some(2) && said.contains(&file.display().to_string()), "{code:?} {said}");
}
