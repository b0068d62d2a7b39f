//! One user can never read or change what is another's.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::said::page;
use crate::support::{Setup, names};

/// Everything a server replies to a client that tries to read.
fn all_replies(setup: &Setup, arguments: &Value) -> String {
    let mut server = setup.start();
    let names = ["retrieve_memory", "get_user_profile", "get_user_info"];
    names.map(|name| format!("{:?}", server.tool(name, arguments))).join("\n")
}

/// Returns the files in a folder and below with their bytes.
fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for name in names(folder) {
        let path = folder.join(&name);
        if path.is_dir() {
            found.extend(contents(&path));
        } else {
            found.push((name, std::fs::read(path).unwrap()));
        }
    }
    found
}

#[test]
fn no_argument_reaches_the_pages_of_another_user() {
    let dir = TempDir::new().unwrap();
    let (ada, bob) = (Setup::new(dir.path(), "ada"), Setup::new(dir.path(), "bob"));
    let mut server = ada.start();
    let stored = server.tool("add_memory", &page("the marker is Quetzalcoatl")).unwrap();
    for n in 0..5 {
        server.tool("add_memory", &page(&format!("secret {n}"))).unwrap();
    }
    server.close();
    bob.start().tool("add_memory", &page("bob was here")).unwrap();
    for whose in ["user_id", "user", "userId", "id", "owner", "data_path", "MEMORYOS_USER_ID"] {
        let arguments = json!({"query": "Quetzalcoatl marker", whose: "ada"});
        let replies = all_replies(&bob, &arguments);
        assert!(!replies.contains("marker is"), "{replies}");
        assert!(!replies.contains("secret"), "{replies}");
        assert!(replies.contains("bob was here"), "{replies}");
    }
    let id = &stored["memory_id"];
    let said = bob.start().tool("retrieve_memory", &json!({"memory_id": id})).unwrap_err();
    assert!(said.contains("is not known"), "{said}");
}

#[test]
fn an_add_goes_to_the_user_that_is_served_whatever_it_names() {
    let dir = TempDir::new().unwrap();
    let (ada, bob) = (Setup::new(dir.path(), "ada"), Setup::new(dir.path(), "bob"));
    ada.start().tool("add_memory", &page("hello")).unwrap();
    let mut named = page("for whom?");
    named["user_id"] = json!("ada");
    bob.start().tool("add_memory", &named).unwrap();
    for setup in [&ada, &bob] {
        assert_eq!(setup.start().info()["memory_stats"]["total_pages"], 1);
    }
}

#[test]
fn what_is_a_users_stays_in_that_users_folder() {
    let dir = TempDir::new().unwrap();
    let (ada, bob) = (Setup::new(dir.path(), "ada"), Setup::new(dir.path(), "bob"));
    bob.start().tool("add_memory", &page("bob was here")).unwrap();
    let before = contents(&bob.folder());
    let mut server = ada.start();
    for n in 0..10 {
        server.tool("add_memory", &page(&format!("Quetzalcoatl {n}"))).unwrap();
    }
    server.tool("retrieve_memory", &json!({"query": "Quetzalcoatl"})).unwrap();
    server.close();
    assert_eq!(names(dir.path()), [".gitignore", "ada", "bob"]);
    assert!(contents(&bob.folder()) == before, "the folder of another user was touched");
    let of_ada = contents(&ada.folder());
    let holds = |bytes: &[u8]| bytes.windows(12).any(|w| w == b"Quetzalcoatl");
    assert!(of_ada.iter().any(|(name, bytes)| name == "memory.db" && holds(bytes)));
}

#[test]
fn creating_a_user_who_exists_reads_and_changes_nothing() {
    let dir = TempDir::new().unwrap();
    let (ada, bob) = (Setup::new(dir.path(), "ada"), Setup::new(dir.path(), "bob"));
    let mut server = ada.start();
    server.tool("add_memory", &page("Quetzalcoatl")).unwrap();
    server.close();
    let before = contents(&ada.folder());
    let mut server = bob.start();
    let reply = server.tool("create_user", &json!({"user_id": "ada"})).unwrap();
    assert_eq!((&reply["created"], &reply["user_id"]), (&json!(false), &json!("ada")));
    assert!(!reply.to_string().contains("Quetzalcoatl"));
    assert!(contents(&ada.folder()) == before, "the folder of another user was touched");
    let reply = server.tool("create_user", &json!({"user_id": "eve"})).unwrap();
    assert_eq!(reply["created"], true);
    let expected = dir.path().join("eve").display().to_string();
    assert_eq!(reply["data_path"], expected);
    // The server goes on serving its own user.
    assert_eq!(server.info()["user_id"], "bob");
    assert_eq!(names(dir.path()), [".gitignore", "ada", "bob", "eve"]);
    let mut created = Setup::new(dir.path(), "eve").start();
    assert_eq!(created.info()["memory_stats"]["total_pages"], 0);
    assert_eq!(created.info()["notices"], json!([]));
}

#[cfg(unix)]
#[test]
fn only_the_owner_of_the_account_may_read_what_is_written() {
    use std::os::unix::fs::PermissionsExt as _;

    let dir = TempDir::new().unwrap();
    let setup = Setup::new(&dir.path().join("data"), "ada");
    let mut server = setup.start();
    server.tool("add_memory", &page("hello")).unwrap();
    server.views_are_written(&setup);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let check = || {
        for folder in [setup.data.clone(), setup.folder(), setup.file("embeddings")] {
            assert_eq!(mode(&folder), 0o700, "{}", folder.display());
        }
        for name in names(&setup.folder()).iter().filter(|name| *name != "embeddings") {
            assert_eq!(mode(&setup.file(name)), 0o600, "{name}");
        }
    };
    check();
    server.close();
    check();
    for name in names(&setup.file("embeddings")) {
        assert_eq!(mode(&setup.file("embeddings").join(&name)), 0o600, "{name}");
    }
}
