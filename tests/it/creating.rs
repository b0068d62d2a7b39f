//! How a user's folder comes to be: complete, private, once.

use std::fs;
use std::path::Path;

use serde_json::json;
use tempfile::TempDir;

use crate::support::{Judge, Server, Setup, names, put};

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[cfg(not(unix))]
fn mode(path: &Path) -> u32 {
    if path.is_dir() { 0o700 } else { 0o600 }
}

fn check_complete(setup: &Setup) {
    let there = names(&setup.folder());
    for name in ["memory.db", "short_term_memory.json", "mid_term_memory.json", "user_profile.json"]
    {
        assert!(there.iter().any(|n| n == name), "{name} is missing: {there:?}");
    }
    assert!(setup.file("embeddings").is_dir());
    for path in [setup.folder(), setup.file("embeddings")] {
        assert_eq!(mode(&path), 0o700, "{}", path.display());
    }
    for path in there.iter().map(|n| setup.file(n)).filter(|p| p.is_file()) {
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    for path in names(&setup.file("embeddings")).iter().map(|n| setup.file("embeddings").join(n)) {
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    assert!(!there.iter().any(|n| n.starts_with(".new-")), "{there:?}");
}

#[test]
fn a_new_user_has_a_complete_and_private_folder_at_the_first_answer() {
    let data = TempDir::new().unwrap();
    let data = data.path().join("made/on/the/way");
    let setup = Setup::new(&data, "ada");
    let mut server = setup.start();
    server.info();
    check_complete(&setup);
    assert_eq!(fs::read_to_string(data.join(".gitignore")).unwrap(), "*\n");
    let mut judge = Judge::default();
    judge.add(&mut server, 5);
    server.views_are_written(&setup);
    check_complete(&setup);
    server.close();
    check_complete(&setup);
    judge.demand_all(&setup);
}

#[test]
fn a_user_created_by_the_tool_has_a_complete_folder_and_is_created_once() {
    let data = TempDir::new().unwrap();
    let mut server = Setup::new(data.path(), "ada").start();
    let bob = Setup::new(data.path(), "bob");
    for created in [true, false] {
        let reply = server.tool("create_user", &json!({"user_id": "bob"})).unwrap();
        assert_eq!(reply["created"], created);
        check_complete(&bob);
    }
    let mut judge = Judge::default();
    judge.add(&mut bob.start(), 5);
    let reply = server.tool("create_user", &json!({"user_id": "bob"})).unwrap();
    assert_eq!(reply["created"], false);
    judge.demand_all(&bob);
}

#[test]
fn processes_that_create_the_same_user_at_once_serve_one_memory() {
    for _ in 0..6 {
        let data = TempDir::new().unwrap();
        let setup = Setup::new(data.path(), "ada");
        let mut servers: Vec<Server> = (0..8).map(|_| setup.spawn()).collect();
        let mut judge = Judge::default();
        for server in &mut servers {
            server.initialize();
        }
        for server in &mut servers {
            judge.add(server, 3);
        }
        for server in &mut servers {
            judge.demand_of(server);
        }
        for server in servers {
            assert_eq!(server.close().0, Some(0));
        }
        check_complete(&setup);
        judge.demand_all(&setup);
    }
}

#[test]
fn a_creation_that_was_killed_leaves_no_half_a_memory() {
    for _ in 0..10 {
        let data = TempDir::new().unwrap();
        let setup = Setup::new(data.path(), "ada");
        let killed = setup.spawn();
        let start = std::time::Instant::now();
        while !setup.folder().exists() && start.elapsed().as_millis() < 500 {
            std::thread::yield_now();
        }
        killed.kill();
        let mut judge = Judge::default();
        judge.add(&mut setup.start(), 3);
        assert_eq!(judge.demand_all(&setup).notices, "");
        check_complete(&setup);
    }
}

#[test]
fn what_a_killed_process_left_under_private_names_is_swept() {
    let data = TempDir::new().unwrap();
    let setup = Setup::new(data.path(), "ada");
    fs::create_dir_all(setup.file(".salvage-abc")).unwrap();
    for name in [".new-1.db", ".new-1.db-wal", ".short_term_memory.json.x1", ".salvage-abc/copy.db"]
    {
        put(&setup.file(name), "half");
    }
    let mut judge = Judge::default();
    judge.add(&mut setup.start(), 3);
    assert_eq!(judge.demand_all(&setup).notices, "");
    let left: Vec<String> = names(&setup.folder()).into_iter().filter(|n| n.len() > 6).collect();
    let expected = ["embeddings", "memory.db", "mid_term_memory.json", "short_term_memory.json"];
    assert_eq!(left, [expected.as_slice(), &["user_profile.json"]].concat());
}

#[test]
fn a_creator_that_dies_leaves_the_creating_to_the_next() {
    let data = TempDir::new().unwrap();
    let setup = Setup::new(data.path(), "ada");
    fs::create_dir(setup.folder()).unwrap();
    let lock = fs::File::create(setup.file(".lock")).unwrap();
    lock.lock().unwrap();
    let mut server = setup.start();
    let mut judge = Judge::default();
    // It waits for the one who holds the folder alone, and who then goes without having made it.
    server.request("ping", &json!({}));
    drop(lock);
    judge.add(&mut server, 3);
    server.close();
    judge.demand_all(&setup);
}
