//! Databases that this program must not write: of a newer format, of other programs, of other users.

use std::fs;
use std::path::Path;

use serde_json::json;
use tempfile::TempDir;

use crate::damage::stored;
use crate::support::{Judge, Server, Setup, names, rename, sql};

const NEWER: &str = "a newer memoryos has written here";

fn add(server: &mut Server) -> String {
    let page = json!({"user_input": "one more", "agent_response": "no"});
    server.tool("add_memory", &page).map_or_else(|said| said, |reply| reply.to_string())
}

/// Every file of a folder with its bytes, lock files left out.
fn snapshot(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let files = names(folder).into_iter().filter(|n| folder.join(n).is_file());
    let files = files.filter(|n| ![".lock", ".write", ".views"].contains(&n.as_str()));
    files.map(|n| (n.clone(), fs::read(folder.join(n)).unwrap())).collect()
}

#[test]
fn a_newer_format_is_read_and_never_written() {
    let data = TempDir::new().unwrap();
    let (setup, judge) = stored(&data);
    sql(&setup.file("memory.db"), "PRAGMA user_version = 99");
    let before = snapshot(&setup.folder());
    let mut server = setup.start();
    judge.demand_of(&mut server);
    let said = add(&mut server);
    assert!(said.contains("nothing was stored") && said.contains(NEWER), "{said}");
    assert!(said.contains("restart this client"), "{said}");
    assert!(server.notices().contains(NEWER));
    assert_eq!(server.close().0, Some(0));
    assert_eq!(snapshot(&setup.folder()), before);
}

#[test]
fn a_format_that_grows_newer_under_a_running_server_is_not_written_any_more() {
    let data = TempDir::new().unwrap();
    let (setup, mut judge) = stored(&data);
    let mut server = setup.start();
    judge.add(&mut server, 1);
    sql(&setup.file("memory.db"), "PRAGMA user_version = 99");
    for _ in 0..2 {
        let said = add(&mut server);
        assert!(said.contains("nothing was stored") && said.contains(NEWER), "{said}");
    }
    judge.demand_of(&mut server);
    server.close();
    judge.demand_all(&setup);
}

#[test]
fn a_database_of_another_program_is_refused_and_left_alone() {
    let data = TempDir::new().unwrap();
    let setup = Setup::new(data.path(), "ada");
    fs::create_dir(setup.folder()).unwrap();
    sql(&setup.file("memory.db"), "CREATE TABLE songs (title TEXT); PRAGMA application_id = 77");
    let before = snapshot(&setup.folder());
    let mut server = setup.start();
    let said = add(&mut server);
    assert!(said.contains("is a database of another program"), "{said}");
    server.close();
    assert_eq!(snapshot(&setup.folder()), before);
}

#[test]
fn a_folder_of_another_user_is_refused_and_left_alone() {
    let data = TempDir::new().unwrap();
    let (setup, judge) = stored(&data);
    let bob = Setup::new(data.path(), "bob");
    rename(&setup.folder(), &bob.folder());
    let before = snapshot(&bob.folder());
    let refused = |what: &str| {
        let (code, said) = bob.spawn().close();
        let named = said.contains("belongs to user \"ada\", expected \"bob\"");
        assert!(code == Some(2) && named, "{what}: {code:?} {said}");
    };
    refused("by its views");
    assert_eq!(snapshot(&bob.folder()), before);
    fs::remove_file(bob.file("memory.db")).unwrap();
    refused("not recovered for another");
    rename(&bob.folder(), &setup.folder());
    judge.demand_all(&setup);
}

#[test]
fn a_database_of_another_user_is_refused_without_its_views_too() {
    let data = TempDir::new().unwrap();
    let (setup, judge) = stored(&data);
    let bob = Setup::new(data.path(), "bob");
    fs::create_dir(bob.folder()).unwrap();
    fs::copy(setup.file("memory.db"), bob.file("memory.db")).unwrap();
    let mut server = bob.start();
    let query = json!({"query": "tomatoes"});
    let read = server.tool("retrieve_memory", &query).unwrap_err();
    for said in [add(&mut server), read] {
        assert!(said.contains("belongs to user \"ada\", expected \"bob\""), "{said}");
    }
    let created =
        Setup::new(data.path(), "eve").start().tool("create_user", &json!({"user_id": "bob"}));
    assert_eq!(created.unwrap()["created"], false, "an existing user is not read");
    server.close();
    judge.demand_all(&setup);
}

#[cfg(unix)]
#[test]
fn symlinks_out_of_the_data_directory_are_refused() {
    use std::os::unix::fs::symlink;
    let outside = TempDir::new().unwrap();
    let (elsewhere, judge) = stored(&outside);
    let data = TempDir::new().unwrap();
    symlink(elsewhere.folder(), data.path().join("ada")).unwrap();
    let (code, said) = Setup::new(data.path(), "ada").spawn().close();
    assert!(code == Some(2) && said.contains("ada is a symbolic link"), "{code:?}: {said}");
    for name in ["memory.db", "memory.db-wal", "short_term_memory.json", "embeddings", ".lock"] {
        let setup = Setup::new(data.path(), "bob");
        fs::create_dir(setup.folder()).unwrap();
        symlink(elsewhere.file(name), setup.file(name)).unwrap();
        let (code, said) = setup.spawn().close();
        assert!(code == Some(2) && said.contains("is a symlink"), "{name}: {code:?} {said}");
        assert_eq!(names(&setup.folder()), [name], "nothing was made beside it");
        fs::remove_dir_all(setup.folder()).unwrap();
    }
    assert_eq!(judge.demand_all(&elsewhere).notices, "");
}

#[test]
fn a_user_whose_format_is_newer_can_still_be_told_from_a_new_one() {
    let data = TempDir::new().unwrap();
    let (setup, _) = stored(&data);
    sql(&setup.file("memory.db"), "PRAGMA user_version = 99");
    let mut other = Setup::new(data.path(), "bob").start();
    let reply = other.tool("create_user", &json!({"user_id": "ada"})).unwrap();
    assert_eq!(reply["created"], false);
    let mut judge = Judge::default();
    judge.add(&mut other, 1);
    judge.demand_of(&mut other);
}
